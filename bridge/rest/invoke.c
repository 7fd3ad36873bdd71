/* Invocations: an agent, or a workflow (which is one here, too) is given something to do. */
#include "rest/body.h"
#include "rest/follow.h"
#include "rest/query.h"
#include "rest/task.h"

#include "base/mem.h"

enum mode { MODE_SYNC, MODE_ASYNC, MODE_STREAM };

static unsigned refusal_status(enum ab_create_outcome outcome)
{
    switch (outcome) {
    case AB_CREATE_UNKNOWN_AGENT:
        return 404;
    case AB_CREATE_KEY_REUSED:
    case AB_CREATE_THREAD_BUSY:
        return 409;
    case AB_CREATE_BAD_OPTIONS:
        return 422;
    case AB_CREATE_OVER_QUOTA:
        return 429;
    case AB_CREATE_DONE:
    case AB_CREATE_EXISTING:
    case AB_CREATE_NOT_STORED:
    case AB_CREATE_SHUTTING_DOWN:
        break;
    }
    return 503;
}

static void on_created(struct ab_rest_call *call, enum mode mode, enum ab_create_outcome outcome,
                       const struct ab_task *task, const char *text)
{
    if (!ab_http_reply_kept(&call->reply))
        return; /* the task goes on: a caller that leaves has not cancelled it */
    if (outcome != AB_CREATE_DONE && outcome != AB_CREATE_EXISTING)
        ab_rest_refuse(call, refusal_status(outcome), "%s", text != NULL ? text : "The task could not be made");
    else if (mode == MODE_ASYNC)
        ab_rest_answer_task(call, task, task->thread_id);
    else
        ab_rest_follow_task(call, mode == MODE_SYNC ? AB_REST_FOLLOW_WAIT : AB_REST_FOLLOW_STREAM, task,
                            task->thread_id, 0);
}

static void on_created_sync(void *arg, enum ab_create_outcome outcome, const struct ab_task *task, const char *text)
{
    on_created(arg, MODE_SYNC, outcome, task, text);
}

static void on_created_async(void *arg, enum ab_create_outcome outcome, const struct ab_task *task, const char *text)
{
    on_created(arg, MODE_ASYNC, outcome, task, text);
}

static void on_created_stream(void *arg, enum ab_create_outcome outcome, const struct ab_task *task, const char *text)
{
    on_created(arg, MODE_STREAM, outcome, task, text);
}

/* --- the request --- */

static bool is_workflow(const struct ab_rest_call *call)
{
    return ab_str_starts(ab_http_request(call->reply.exchange)->path, "/v1/workflows/");
}

/* A caller that asks again after a loss gives the same key, and gets the same task. The caller of this frees it. */
static char *idempotency_key(struct ab_rest_call *call)
{
    struct ab_str key;

    if (!ab_http_header(call->reply.exchange, "idempotency-key", &key) || key.size == 0)
        return NULL;
    return ab_strndup(key.data, key.size);
}

static void create(struct ab_rest_call *call, const struct ab_rest_body *body, ab_created_fn created)
{
    AB_CLEANUP(ab_free_string)
    char *surface =
        ab_rest_surface(ab_json_trusted(body->options_json), ab_json_trusted(body->input_json), is_workflow(call));
    AB_CLEANUP(ab_free_string) char *key = idempotency_key(call);

    ab_http_reply_promise(&call->reply);
    ab_engine_create(call->rest->settings.engine,
                     &(struct ab_new_task){ .owner = call->owner,
                                            .agent = call->id,
                                            .surface = "rest",
                                            .surface_json = surface,
                                            .thread_id = body->thread_id,
                                            .title = body->title,
                                            .message_json = body->message_json,
                                            .input_json = body->input_json,
                                            .options_json = body->options_json,
                                            .idempotency_key = key,
                                            .webhooks_json = body->webhooks_json,
                                            .secrets_json = body->secrets_json },
                     created, call);
}

static void invoke(struct ab_rest_call *call, ab_created_fn created)
{
    const struct ab_rest_settings *settings = &call->rest->settings;
    struct ab_random random = ab_random_system();
    AB_CLEANUP(ab_free_string) char *version = ab_rest_query_text(call, "version");
    struct ab_rest_faults faults;
    struct ab_rest_body body;
    char message_id[AB_TASK_ID_SIZE];

    if (!ab_rest_is_json(call))
        return;
    ab_id_make(&random, message_id);
    ab_rest_faults_init(&faults);
    const struct ab_rest_body_reader reader = {
        .json_depth = settings->json_depth,
        .strict = settings->strict,
        .user_json = settings->user_json,
        .version = version,
        .message_id = message_id,
        .webhooks = { .sealer = settings->sealer, .guard = settings->guard, .owner = call->owner },
    };
    if (ab_rest_body_read(&reader, ab_http_request(call->reply.exchange)->body, &body, &faults))
        create(call, &body, created);
    else
        ab_rest_refuse_faults(call, &faults);
    ab_rest_body_deinit(&body);
    ab_rest_faults_deinit(&faults);
}

void ab_rest_invoke_sync(struct ab_rest_call *call)
{
    invoke(call, on_created_sync);
}

void ab_rest_invoke_async(struct ab_rest_call *call)
{
    invoke(call, on_created_async);
}

void ab_rest_invoke_stream(struct ab_rest_call *call)
{
    if (ab_rest_take_place(call))
        invoke(call, on_created_stream);
}
