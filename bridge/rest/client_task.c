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

static bool two_digits(const char *text, int64_t *out)
{
    if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
        return false;
    *out = (text[0] - '0') * 10 + (text[1] - '0');
    return true;
}

/* "Z", "+02:00", "+0200" or nothing (which is meant as UTC); in ms. */
static bool read_zone(const char *zone, int64_t *out)
{
    int64_t hours;
    int64_t minutes;
    const char *rest;

    *out = 0;
    if (zone[0] == '\0' || strcmp(zone, "Z") == 0 || strcmp(zone, "z") == 0)
        return true;
    if ((zone[0] != '+' && zone[0] != '-') || !two_digits(zone + 1, &hours))
        return false;
    rest = zone[3] == ':' ? zone + 4 : zone + 3;
    if (!two_digits(rest, &minutes) || rest[2] != '\0')
        return false;
    *out = (hours * 60 + minutes) * 60000 * (zone[0] == '-' ? -1 : 1);
    return true;
}

bool ab_rest_time_read(struct ab_json text, int64_t *wall_ms)
{
    struct ab_buf raw = AB_BUF_INIT(64);
    char whole[] = "0000-00-00T00:00:00.000Z";
    const size_t seconds_end = strlen("0000-00-00T00:00:00");
    int64_t zone = 0;
    bool good = ab_json_unescape(text, &raw) && !raw.full && raw.size >= seconds_end && strlen(raw.data) == raw.size;

    if (good) {
        const char *at = raw.data + seconds_end;
        memcpy(whole, raw.data, seconds_end);
        if (whole[10] == ' ' || whole[10] == 't')
            whole[10] = 'T';
        if (*at == '.') {
            at++;
            for (size_t i = 0; *at >= '0' && *at <= '9'; at++, i++) {
                if (i < 3)
                    whole[seconds_end + 1 + i] = *at;
            }
        }
        good = read_zone(at, &zone) && ab_time_parse((struct ab_str){ whole, sizeof whole - 1 }, wall_ms);
        *wall_ms = good ? *wall_ms - zone : *wall_ms;
    }
    ab_buf_deinit(&raw);
    return good;
}
