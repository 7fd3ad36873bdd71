/* One call to the platform: what is sent, and the gathering of what comes back. */
#include "agents/platform_run.h"

#include "base/mem.h"
#include "base/str.h"
#include "rest/client_error.h"
#include "wire/http_values.h"

#include <string.h>

enum {
    CONNECT_MS = 10000,
    ASK_MS = 30000,   /* for an answer about a task */
    STOP_MS = 5000,   /* for one to a stop: nobody waits for it long */
    SYNC_MS = 300000, /* an invocation that is answered at its end; then it is asked after */
    WAIT_LONGEST_MS = 300000,
    ERROR_BYTES = 64 << 10,
    HEADERS = 6 /* of a call's own */
};

bool platform_is_side(enum platform_purpose purpose)
{
    return purpose == PLATFORM_REPLY || purpose == PLATFORM_STOP;
}

static struct platform_call *slot_of(struct platform_run *run, enum platform_purpose purpose)
{
    return platform_is_side(purpose) ? &run->side : &run->main;
}

/* --- what comes back --- */

static void on_event(void *arg, const struct ab_sse_event *sse)
{
    struct platform_call *call = arg;
    struct platform_run *run = call->run;
    struct ab_rest_event event;
    if (run->over || sse->data.size == 0) {
        return;
    }
    if (ab_rest_event_read(sse->data, sse->event, &event)) {
        call->heard = true;
        platform_tell_event(run, &event);
    } else {
        ab_log(run->agent->settings.log, AB_LOG_DEBUG, "platform", "an event is not understood", "agent",
               run->agent->settings.id, "task", ab_run_task_id(run->run), NULL);
    }
}

static void note_waits(struct platform_call *call)
{
    struct ab_http_client *client = call->run->agent->settings.client;
    struct ab_str after = { NULL, 0 };
    struct ab_str reset = { NULL, 0 };
    struct ab_str date = { NULL, 0 };
    int64_t now = ab_clock_wall_ms(&call->run->agent->settings.loop->clock);
    (void)client->ops->header(call->call, "retry-after", &after);
    (void)client->ops->header(call->call, "x-ratelimit-reset", &reset);
    if (!client->ops->header(call->call, "date", &date) || !ab_rest_http_date(date, &call->there_ms)) {
        call->there_ms = 0;
    }
    call->retry_after_ms = ab_rest_retry_after(after, reset, now, WAIT_LONGEST_MS);
}

static void on_head(void *arg, struct ab_http_call *http, unsigned status)
{
    struct platform_call *call = arg;
    struct platform_agent *agent = call->run->agent;
    struct ab_str type = { NULL, 0 };
    call->status = status;
    if (status < 200 || status > 299) {
        call->body.maximum = ERROR_BYTES;
        note_waits(call);
        return;
    }
    note_waits(call);
    if (agent->settings.client->ops->header(http, "content-type", &type) &&
        ab_http_is_media_type(type, "text/event-stream")) {
        call->events = true;
        call->reader = ab_sse_reader_new(agent->settings.output_bytes, on_event, call);
    }
}

/* An error's words need no more than its beginning; of an answer all is needed. */
static void on_body(void *arg, struct ab_http_call *http, struct ab_str data)
{
    struct platform_call *call = arg;
    bool fits = true;
    if (call->too_large) {
        return;
    }
    if (call->events) {
        fits = ab_sse_reader_feed(call->reader, data.data, data.size);
        platform_note(call->run);
        if (call->run->over) {
            call->run->agent->settings.client->ops->cancel(http);
            return;
        }
    } else if (data.size <= call->body.maximum - call->body.size) {
        ab_buf_append_str(&call->body, data);
    } else if (call->status >= 200 && call->status <= 299) {
        fits = false;
    }
    if (!fits) {
        call->too_large = true;
        call->run->agent->settings.client->ops->cancel(http);
    }
}

static void on_done(void *arg, enum ab_http_call_outcome outcome, const char *text)
{
    struct platform_call *call = arg;
    call->call = NULL;
    ab_sse_reader_free(call->reader);
    call->reader = NULL;
    platform_call_ended(call, outcome, text);
}

/* --- what is sent --- */

struct letter {
    const char *method;
    struct ab_buf url;
    struct ab_buf body;
    char *own_headers[HEADERS];
    size_t n_own;
};

static void add_header(struct letter *letter, char *line)
{
    letter->own_headers[letter->n_own++] = line;
}

static void write_invocation(struct platform_run *run, struct letter *letter)
{
    const struct ab_platform_settings *settings = &run->agent->settings;
    struct ab_json options = ab_json_trusted(run->request.options_json);
    struct ab_json none = { { NULL, 0 } };
    AB_CLEANUP(ab_free_string) char *version = ab_json_string_dup(ab_json_member(options, "version"));
    bool faces = run->surface != NULL && (strcmp(run->surface, "mcp") == 0 || strcmp(run->surface, "a2a") == 0);
    const struct ab_rest_invocation invocation = {
        .input = ab_json_trusted(run->request.input_json),
        .text = run->answer_text,
        .options = options,
        .secrets = settings->drop_user_token ? none : ab_json_trusted(ab_run_secrets(run->run)),
        .id = run->conversation,
        .title = run->title,
        .surface_field = settings->surface_field,
        .surface = faces ? run->surface : NULL,
        .events = run->mode == AB_REST_STREAM,
    };
    ab_rest_url_invoke(&letter->url, &settings->target, run->mode, version != NULL ? version : settings->version);
    ab_rest_invocation_write(&letter->body, &invocation);
    add_header(letter, ab_format("Idempotency-Key: %s-%u", ab_run_task_id(run->run), run->round));
    add_header(letter, ab_format("Accept: %s", run->mode == AB_REST_STREAM ? "text/event-stream, application/json"
                                                                           : "application/json"));
}

static void write_reply(struct platform_run *run, struct letter *letter)
{
    ab_rest_url_task(&letter->url, run->agent->settings.target.url, run->upstream, run->reply_route);
    ab_buf_append_text(&letter->body, run->answers);
}

static void write_letter(struct platform_run *run, enum platform_purpose purpose, struct letter *letter)
{
    const char *base = run->agent->settings.target.url;
    switch (purpose) {
    case PLATFORM_INVOKE:
        write_invocation(run, letter);
        break;
    case PLATFORM_REPLY:
        write_reply(run, letter);
        break;
    case PLATFORM_STOP:
        ab_rest_url_task(&letter->url, base, run->upstream, "/stop");
        break;
    case PLATFORM_ATTACH:
        ab_rest_url_task(&letter->url, base, run->upstream, "/events");
        add_header(letter, ab_strdup("Accept: text/event-stream"));
        if (run->cursor != NULL) {
            add_header(letter, ab_format("Last-Event-ID: %s", run->cursor));
        }
        break;
    case PLATFORM_LOOK:
    case PLATFORM_POLL:
        ab_rest_url_task(&letter->url, base, run->upstream, "");
        break;
    }
    letter->method = purpose == PLATFORM_INVOKE || platform_is_side(purpose) ? "POST" : "GET";
    if (letter->body.size > 0) {
        add_header(letter, ab_strdup("Content-Type: application/json"));
    }
}

static void set_patience(const struct platform_run *run, enum platform_purpose purpose,
                         struct ab_http_call_settings *settings)
{
    const struct ab_platform_settings *own = &run->agent->settings;
    bool streams = purpose == PLATFORM_ATTACH || (purpose == PLATFORM_INVOKE && run->mode == AB_REST_STREAM);
    bool waits = purpose == PLATFORM_INVOKE && run->mode == AB_REST_SYNC;
    settings->connect_timeout_ms = own->answer_ms < CONNECT_MS ? own->answer_ms : CONNECT_MS;
    if (streams) {
        settings->first_byte_timeout_ms = own->answer_ms;
        settings->idle_timeout_ms = own->idle_ms;
    } else if (waits) {
        settings->first_byte_timeout_ms = SYNC_MS;
        settings->idle_timeout_ms = own->idle_ms;
    } else {
        uint32_t longest = purpose == PLATFORM_STOP ? STOP_MS : ASK_MS;
        settings->total_timeout_ms = own->answer_ms < longest ? own->answer_ms : longest;
    }
}

static void wipe(struct ab_buf *buf)
{
    if (buf->data != NULL) {
        explicit_bzero(buf->data, buf->capacity);
    }
    ab_buf_deinit(buf);
}

static void send_letter(struct platform_call *call, const struct letter *letter)
{
    static const struct ab_http_call_events events = { .head = on_head, .body = on_body, .done = on_done };
    struct platform_agent *agent = call->run->agent;
    size_t n = 0;
    while (agent->headers[n] != NULL) {
        n++;
    }
    const char **headers = ab_alloc(n + letter->n_own + 1, sizeof *headers);
    for (size_t i = 0; i < n; i++) {
        headers[i] = agent->headers[i];
    }
    for (size_t i = 0; i < letter->n_own; i++) {
        headers[n + i] = letter->own_headers[i];
    }
    struct ab_http_call_settings settings = {
        .method = letter->method,
        .url = letter->url.data,
        .headers = headers,
        .body = ab_buf_str(&letter->body),
        .sent_once = call->purpose == PLATFORM_INVOKE && !agent->bridge,
    };
    set_patience(call->run, call->purpose, &settings);
    call->call = agent->settings.client->ops->start(agent->settings.client, &settings, &events, call);
    free(headers);
}

void platform_call_start(struct platform_run *run, enum platform_purpose purpose)
{
    struct platform_call *call = slot_of(run, purpose);
    struct letter letter = { .url = AB_BUF_INIT(AB_BUF_UNBOUNDED), .body = AB_BUF_INIT(AB_BUF_UNBOUNDED) };
    ab_buf_deinit(&call->body);
    *call = (struct platform_call){ .run = run, .purpose = purpose };
    ab_buf_init(&call->body, run->agent->settings.output_bytes);
    write_letter(run, purpose, &letter);
    send_letter(call, &letter);
    if (call == &run->main && run->slow) {
        platform_call_pause(call, true);
    }
    for (size_t i = 0; i < letter.n_own; i++) {
        free(letter.own_headers[i]);
    }
    wipe(&letter.body);
    ab_buf_deinit(&letter.url);
}

void platform_call_cancel(struct platform_call *call)
{
    if (call->call != NULL) {
        call->run->agent->settings.client->ops->cancel(call->call);
    }
}

void platform_call_pause(struct platform_call *call, bool paused)
{
    if (call->call != NULL) {
        call->run->agent->settings.client->ops->pause(call->call, paused);
    }
}

void platform_call_deinit(struct platform_call *call)
{
    ab_sse_reader_free(call->reader);
    ab_buf_deinit(&call->body);
}
