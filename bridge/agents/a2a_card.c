/* The card of a remote agent: fetched when the engine begins, kept fresh as its server wishes, and kept on when that
 * is away. Nothing waits for it but runs that have none yet. */
#include "agents/a2a_run.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    CARD_REFRESH_MIN_MS = 30 * 1000,
    CARD_REFRESH_MAX_MS = 3600 * 1000,
    CARD_RETRY_MS = 2000,
    CARD_RETRY_MAX_MS = 300 * 1000,
};

static const struct ab_log *log_of(const struct a2a_directory *directory)
{
    return directory->agent->settings.log;
}

/* --- what came --- */

void a2a_directory_describe(const struct a2a_directory *directory)
{
    const struct ab_a2a_client_card *card = directory->extended_known ? &directory->extended : &directory->card;

    if (directory->agent->seat != NULL)
        ab_agent_describe(directory->agent->seat, &(struct ab_agent_profile){ .title = card->name,
                                                                              .description = card->description,
                                                                              .version = card->version,
                                                                              .skills_json = card->skills_json });
}

AB_PRINTF(2, 3) static void note_failure(struct a2a_directory *directory, const char *format, ...)
{
    char reason[AB_A2A_REASON_SIZE];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    ab_replace(&directory->failure, reason);
    if (directory->failures++ == 0)
        ab_log(log_of(directory), AB_LOG_WARNING, "a2a", "the agent's card cannot be had", "agent",
               directory->agent->settings.id, "card", directory->agent->settings.card, "reason", reason, NULL);
}

/* Once, and again when it changes. */
static void note_pushes(const struct a2a_directory *directory, bool pushes)
{
    const struct ab_a2a_remote_settings *settings = &directory->agent->settings;

    if (settings->push && !pushes && (!directory->known || directory->card.pushes))
        ab_log(log_of(directory), AB_LOG_WARNING, "a2a",
               "the agent's card offers no push notifications: its tasks are followed as without \"push\"", "agent",
               settings->id, NULL);
}

static void note_success(struct a2a_directory *directory)
{
    ab_replace(&directory->failure, NULL);
    directory->failures = 0;
}

bool a2a_directory_read(const struct a2a_directory *directory, struct ab_str text, struct ab_a2a_client_card *out,
                        char *reason, size_t reason_size)
{
    const struct ab_a2a_remote_settings *settings = &directory->agent->settings;
    const struct ab_a2a_card_wish wish = {
        .url = settings->card,
        .hosts = settings->hosts,
        .version = settings->version,
        .binding = settings->binding,
        .extensions = settings->extensions,
        .keys_json = settings->keys_json,
    };

    return ab_a2a_client_card_read(text, &wish, out, reason, reason_size);
}

static void read_card(struct a2a_directory *directory)
{
    struct ab_a2a_client_card card;
    char reason[AB_A2A_REASON_SIZE];

    if (!a2a_directory_read(directory, ab_buf_str(&directory->body), &card, reason, sizeof reason)) {
        ab_replace(&directory->tag, NULL);
        note_failure(directory, "%s", reason);
        return;
    }
    note_success(directory);
    note_pushes(directory, card.pushes);
    ab_a2a_client_card_deinit(&directory->card);
    directory->card = card;
    directory->known = true;
    ab_log(log_of(directory), AB_LOG_DEBUG, "a2a", "the agent's card was read", "agent", directory->agent->settings.id,
           "url", card.peer.url, "version", card.peer.version->name, NULL);
    a2a_directory_describe(directory);
}

/* --- the next fetch --- */

static uint32_t next_fetch_ms(const struct a2a_directory *directory)
{
    uint32_t ms = directory->fresh_ms > 0 ? directory->fresh_ms : directory->agent->settings.refresh_ms;

    if (directory->failures > 0) {
        unsigned doublings = directory->failures < 10 ? directory->failures - 1 : 9;
        ms = (uint32_t)CARD_RETRY_MS << doublings;
        return ms < CARD_RETRY_MAX_MS ? ms : CARD_RETRY_MAX_MS;
    }
    if (ms < CARD_REFRESH_MIN_MS)
        return CARD_REFRESH_MIN_MS;
    return ms < CARD_REFRESH_MAX_MS ? ms : CARD_REFRESH_MAX_MS;
}

/* Cache-Control: max-age, in ms; 0: it says nothing. */
static uint32_t read_max_age(struct ab_str value)
{
    const char *mark = value.size > 0 ? memmem(value.data, value.size, "max-age=", 8) : NULL;
    struct ab_str digits;
    uint64_t seconds;

    if (mark == NULL)
        return 0;
    digits.data = mark + 8;
    digits.size = 0;
    while (digits.data + digits.size < value.data + value.size && digits.data[digits.size] >= '0' &&
           digits.data[digits.size] <= '9')
        digits.size++;
    if (!ab_str_to_uint(digits, CARD_REFRESH_MAX_MS / 1000, &seconds))
        return 0;
    return seconds > 0 ? (uint32_t)seconds * 1000 : 1;
}

/* --- the fetch --- */

static void on_head(void *arg, struct ab_http_call *call, unsigned status)
{
    struct a2a_directory *directory = arg;
    struct ab_http_client *client;
    struct ab_str value = AB_STR("");

    if (directory->agent == NULL)
        return;
    client = directory->agent->settings.client;
    directory->status = status;
    if (client->ops->header(call, "cache-control", &value))
        directory->fresh_ms = read_max_age(value);
    if (status == 200) {
        free(directory->tag);
        directory->tag = client->ops->header(call, "etag", &value) ? ab_strndup(value.data, value.size) : NULL;
    } else if (status >= 300 && status < 400 && client->ops->header(call, "location", &value)) {
        ab_buf_append_str(&directory->body, value); /* for the words about it */
    }
}

static void on_body(void *arg, struct ab_http_call *call, struct ab_str data)
{
    struct a2a_directory *directory = arg;

    (void)call;
    if (directory->agent != NULL && directory->status == 200)
        ab_buf_append_str(&directory->body, data);
}

static void judge(struct a2a_directory *directory, enum ab_http_call_outcome outcome, const char *text)
{
    if (outcome == AB_HTTP_CALL_TOO_LARGE)
        note_failure(directory, "the card is larger than %zu bytes", directory->agent->settings.card_bytes);
    else if (outcome != AB_HTTP_CALL_DONE)
        note_failure(directory, "%s", text);
    else if (directory->status == 200)
        read_card(directory);
    else if (directory->status == 304 && directory->known)
        note_success(directory);
    else if (directory->status >= 300 && directory->status < 400)
        note_failure(directory,
                     "the card's address redirects, which is not followed; if %.200s is meant, configure that",
                     directory->body.size > 0 ? directory->body.data : "another address");
    else
        note_failure(directory, "fetching the card was answered with HTTP status %u", directory->status);
}

static void on_done(void *arg, enum ab_http_call_outcome outcome, const char *text)
{
    struct a2a_directory *directory = arg;

    directory->call = NULL;
    if (directory->agent == NULL) {
        ab_buf_deinit(&directory->body);
        free(directory);
        return;
    }
    judge(directory, outcome, text);
    ab_buf_deinit(&directory->body);
    if (directory->failures == 0)
        a2a_extended_ask(directory);
    ab_timer_start(directory->timer, next_fetch_ms(directory));
    a2a_agent_card_came(directory->agent);
}

void a2a_directory_fetch(struct a2a_directory *directory)
{
    static const struct ab_http_call_events events = { .head = on_head, .body = on_body, .done = on_done };
    const struct ab_a2a_remote_settings *settings = &directory->agent->settings;
    AB_CLEANUP(ab_free_string) char *known = NULL;
    const char *headers[16] = { "Accept: application/json", "A2A-Version: 1.0" };
    size_t n = 2;

    if (directory->call != NULL)
        return;
    if (directory->tag != NULL && directory->known) {
        known = ab_format("If-None-Match: %s", directory->tag);
        headers[n++] = known;
    }
    for (size_t i = 0; n < 15 && settings->credentials != NULL && settings->credentials[i] != NULL; i++)
        headers[n++] = settings->credentials[i];
    ab_timer_stop(directory->timer);
    ab_buf_init(&directory->body, settings->card_bytes);
    directory->status = 0;
    directory->fresh_ms = 0;
    directory->call = settings->client->ops->start(settings->client,
                                                   &(struct ab_http_call_settings){
                                                       .method = "GET",
                                                       .url = settings->card,
                                                       .headers = headers,
                                                       .connect_timeout_ms = settings->connect_ms,
                                                       .total_timeout_ms = settings->answer_ms,
                                                       .max_body = settings->card_bytes,
                                                       .alone = settings->push,
                                                   },
                                                   &events, directory);
}

static void on_due(void *arg)
{
    a2a_directory_fetch(arg);
}

/* --- life --- */

struct a2a_directory *a2a_directory_new(struct a2a_agent *agent)
{
    struct a2a_directory *directory = ab_alloc(1, sizeof *directory);

    directory->agent = agent;
    directory->timer = ab_timer_new(agent->settings.loop, on_due, directory);
    return directory;
}

void a2a_directory_free(struct a2a_directory *directory)
{
    struct ab_http_client *client = directory->agent->settings.client;

    ab_timer_free(directory->timer);
    a2a_extended_drop(directory);
    ab_a2a_client_card_deinit(&directory->card);
    ab_a2a_client_card_deinit(&directory->extended);
    free(directory->failure);
    free(directory->tag);
    directory->tag = NULL;
    directory->agent = NULL;
    if (directory->call != NULL)
        client->ops->cancel(directory->call);
    else
        free(directory);
}
