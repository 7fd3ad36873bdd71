#include "rest/client_task.h"

#include "base/clock.h"

#include <string.h>

static const struct {
    const char *name;
    enum ab_task_status status;
} statuses[] = {
    { "pending", AB_TASK_PENDING },     { "executing", AB_TASK_EXECUTING }, { "paused", AB_TASK_PAUSED },
    { "completed", AB_TASK_COMPLETED }, { "failed", AB_TASK_FAILED },       { "error", AB_TASK_ERROR },
    { "stopped", AB_TASK_STOPPED },     { "queued", AB_TASK_PENDING },      { "running", AB_TASK_EXECUTING },
    { "cancelled", AB_TASK_STOPPED },   { "canceled", AB_TASK_STOPPED },
};

static bool read_status(struct ab_json name, enum ab_task_status *out)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        if (ab_json_string_is(name, statuses[i].name)) {
            *out = statuses[i].status;
            return true;
        }
    }
    return false;
}

static struct ab_json member_of_type(struct ab_json object, const char *key, enum ab_json_type type)
{
    struct ab_json none = { { NULL, 0 } };
    struct ab_json value = ab_json_member(object, key);

    return ab_json_is(value, type) ? value : none;
}

bool ab_rest_task_read(struct ab_json value, struct ab_rest_task *out)
{
    struct ab_json status = ab_json_member(value, "status");

    *out = (struct ab_rest_task){
        .id = member_of_type(value, "id", AB_JSON_STRING),
        .result = member_of_type(value, "result", AB_JSON_STRING),
        .internal_status = member_of_type(value, "internal_status", AB_JSON_STRING),
        .input_text = member_of_type(ab_json_member(value, "input"), "text", AB_JSON_STRING),
        .hitl = member_of_type(value, "hitl_request", AB_JSON_OBJECT),
        .sign_in = member_of_type(value, "pending_eca_request", AB_JSON_OBJECT),
        .question_raised = ab_json_is_true(ab_json_at(value, "deep_planning", "question_raised", NULL)),
        .bridge = member_of_type(value, "agentbridge", AB_JSON_OBJECT),
    };
    out->has_status = read_status(status, &out->status);
    if (!ab_rest_time_read(ab_json_member(value, "finished_at"), &out->ended_at) &&
        !ab_rest_time_read(ab_json_member(value, "completed_at"), &out->ended_at))
        out->ended_at = 0;
    return ab_json_is(value, AB_JSON_OBJECT) && (ab_json_exists(out->id) || out->has_status);
}

/* --- times --- */

bool ab_rest_time_read(struct ab_json text, int64_t *wall_ms)
{
    struct ab_buf raw = AB_BUF_INIT(64);
    bool good = ab_json_unescape(text, &raw) && !raw.full && raw.size > 0 && strlen(raw.data) == raw.size &&
                ab_time_read(raw.data, wall_ms);

    ab_buf_deinit(&raw);
    return good;
}
