/* Whoever posts shows a token that was sealed for the one address he posts to. Nothing is kept of it: it holds over a
 * restart, and for as long as the key that sealed it is configured. What he says is believed in one thing only, that a
 * look at the task is worth while. */
#include "agents/a2a_receiver.h"

#include "agents/a2a_run.h"
#include "base/map.h"
#include "base/mem.h"
#include "wire/http_reply.h"
#include "wire/http_values.h"

#include <string.h>

#define SEAL_PURPOSE "a2a-notification"
#define JSON_DEPTH 64

struct ab_a2a_receiver {
    struct ab_a2a_receiver_settings settings;
    char *url;          /* without a slash at its end; or NULL */
    struct ab_map runs; /* by what stands behind AB_A2A_RECEIVER_PATH -> struct a2a_run */
};

struct ab_a2a_receiver *ab_a2a_receiver_new(const struct ab_a2a_receiver_settings *settings)
{
    struct ab_a2a_receiver *receiver = ab_alloc(1, sizeof *receiver);

    receiver->settings = *settings;
    if (receiver->settings.json_depth == 0)
        receiver->settings.json_depth = JSON_DEPTH;
    ab_map_init(&receiver->runs);
    return receiver;
}

void ab_a2a_receiver_free(struct ab_a2a_receiver *receiver)
{
    if (receiver == NULL)
        return;
    ab_map_deinit(&receiver->runs);
    free(receiver->url);
    free(receiver);
}

void ab_a2a_receiver_set_url(struct ab_a2a_receiver *receiver, const char *url)
{
    size_t size = strlen(url);

    while (size > 0 && url[size - 1] == '/')
        size--;
    free(receiver->url);
    receiver->url = ab_strndup(url, size);
}

/* --- runs --- */

static char *name_of(const char *agent, const char *run_id)
{
    return ab_format("%s/%s", agent, run_id);
}

static struct ab_a2a_receiver *receiver_of(const struct a2a_run *run)
{
    return run->agent->settings.push ? run->agent->settings.receiver : NULL;
}

void a2a_receiver_enter(struct a2a_run *run)
{
    AB_CLEANUP(ab_free_string) char *name = name_of(run->agent->settings.id, run->id);

    if (receiver_of(run) != NULL)
        (void)ab_map_set(&receiver_of(run)->runs, ab_str(name), run);
}

void a2a_receiver_leave(struct a2a_run *run)
{
    AB_CLEANUP(ab_free_string) char *name = name_of(run->agent->settings.id, run->id);

    if (receiver_of(run) != NULL)
        (void)ab_map_remove(&receiver_of(run)->runs, ab_str(name));
}

char *a2a_receiver_url(const struct a2a_run *run)
{
    const struct ab_a2a_receiver *receiver = receiver_of(run);

    if (receiver == NULL || receiver->url == NULL)
        return NULL;
    return ab_format("%s" AB_A2A_RECEIVER_PATH "%s/%s", receiver->url, run->agent->settings.id, run->id);
}

char *a2a_receiver_token(const struct a2a_run *run)
{
    AB_CLEANUP(ab_free_string) char *name = name_of(run->agent->settings.id, run->id);
    struct ab_buf token = AB_BUF_INIT(256);

    if (receiver_of(run) != NULL &&
        ab_seal(receiver_of(run)->settings.sealer, SEAL_PURPOSE, ab_str(name), AB_STR(""), &token) == AB_OK)
        return ab_buf_steal(&token);
    ab_buf_deinit(&token);
    return NULL;
}

/* --- answers --- */

static void refuse(struct ab_http_exchange *exchange, unsigned status, const char *sentence)
{
    static const struct ab_http_header challenge = { "WWW-Authenticate", "Bearer" };

    ab_http_refuse(exchange, status, status == 401 ? &challenge : NULL, sentence);
}

static void take(struct ab_http_exchange *exchange)
{
    ab_http_respond(exchange, &(struct ab_http_head){ .status = 204 }, AB_STR(""));
}

/* --- who posts --- */

static bool opens(const struct ab_a2a_receiver *receiver, struct ab_str name, struct ab_str token)
{
    struct ab_buf nothing = AB_BUF_INIT(16);
    bool good = ab_unseal(receiver->settings.sealer, SEAL_PURPOSE, name, token, &nothing);

    ab_buf_deinit(&nothing);
    return good;
}

/* In either of the two headers: see the configuration that asked for the posts. */
static bool is_known(const struct ab_a2a_receiver *receiver, struct ab_http_exchange *exchange, struct ab_str name)
{
    static const char scheme[] = "bearer ";
    const size_t size = sizeof scheme - 1;
    struct ab_str value;

    if (ab_http_header(exchange, "x-a2a-notification-token", &value) && opens(receiver, name, ab_str_trim(value)))
        return true;
    return ab_http_header(exchange, "authorization", &value) && value.size > size &&
           strncasecmp(value.data, scheme, size) == 0 &&
           opens(receiver, name, ab_str_trim((struct ab_str){ value.data + size, value.size - size }));
}

/* --- what is posted --- */

/* True: a notification. `task_id` is to be freed. */
static bool read_post(const struct ab_a2a_receiver *receiver, struct ab_http_exchange *exchange, char **task_id)
{
    struct ab_json_error error = { 0 };
    struct ab_json body;
    struct ab_str type;

    if (ab_http_header(exchange, "content-type", &type) && !ab_http_is_media_type(type, "application/json") &&
        !ab_http_is_media_type(type, "application/a2a+json")) {
        refuse(exchange, 415, "Content-Type must be application/a2a+json or application/json");
        return false;
    }
    if (!ab_json_check(ab_http_request(exchange)->body, receiver->settings.json_depth, &body, &error)) {
        refuse(exchange, 400, "the body is no JSON");
        return false;
    }
    if (ab_a2a_news_task(body, task_id))
        return true;
    refuse(exchange, 400,
           "the body must be a push notification of A2A: a StreamResponse as in 1.0, or a Task as in 0.3");
    return false;
}

static void take_post(const struct ab_a2a_receiver *receiver, struct ab_http_exchange *exchange, struct a2a_run *run)
{
    AB_CLEANUP(ab_free_string) char *task_id = NULL;

    if (!read_post(receiver, exchange, &task_id))
        return;
    if (task_id != NULL && run->task != NULL && strcmp(task_id, run->task) != 0) {
        ab_log(receiver->settings.log, AB_LOG_WARNING, "a2a", "a push notification tells of another task", "agent",
               run->agent->settings.id, "task", ab_run_task_id(run->run), "told_of", task_id, NULL);
        refuse(exchange, 400, "this address was not given for the task that the notification is about");
        return;
    }
    take(exchange);
    a2a_run_notified(run);
}

/* --- tasks that nobody follows (any more, or yet) --- */

/* Where there is no use in further posts, they should cease. Not where the agent itself brought the task to its
 * end, or the end is still being stored: then the agent's last words are late, and no more will come; nor where the
 * task is about to be taken up after a restart: that begins with a look. */
static void answer_for_task(const struct ab_a2a_receiver *receiver, struct ab_http_exchange *exchange,
                            struct ab_str name)
{
    AB_CLEANUP(ab_free_string) char *wanted = ab_strndup(name.data, name.size);
    const char *slash = strrchr(wanted, '/');
    AB_CLEANUP(ab_free_string)
    char *id = slash != NULL ? ab_strndup(slash + 1, strcspn(slash + 1, "-")) : ab_strdup("");
    AB_CLEANUP(ab_free_string) char *run_id = NULL;
    AB_CLEANUP(ab_free_string) char *own = NULL;
    struct ab_task task = { 0 };
    int found = receiver->settings.store->ops->get(receiver->settings.store, id, &task);

    if (found < 0) { /* a fault of ours is no reason to cease */
        refuse(exchange, 503, "the task cannot be read now; post again in a while");
        return;
    }
    if (found == AB_OK) {
        run_id = a2a_run_id(&task);
        own = name_of(task.agent, run_id);
    }
    if (own == NULL || strcmp(own, wanted) != 0 || task.status == AB_TASK_ERROR || task.status == AB_TASK_STOPPED)
        refuse(exchange, 410, "nobody here wants to hear of this task any more");
    else
        take(exchange);
    ab_task_deinit(&task);
}

void ab_a2a_receiver_handle(struct ab_a2a_receiver *receiver, struct ab_http_exchange *exchange)
{
    const size_t prefix = sizeof AB_A2A_RECEIVER_PATH - 1;
    struct ab_str path = ab_http_request(exchange)->path;
    struct ab_str name = { path.data + prefix, path.size - prefix };
    struct a2a_run *run;

    if (!is_known(receiver, exchange, name)) {
        ab_log(receiver->settings.log, AB_LOG_DEBUG, "a2a", "a push notification without the token of its address",
               NULL);
        refuse(exchange, 401, "the token that was given with this address is missing or wrong");
        return;
    }
    run = ab_map_get(&receiver->runs, name);
    if (run != NULL)
        take_post(receiver, exchange, run);
    else
        answer_for_task(receiver, exchange, name);
}
