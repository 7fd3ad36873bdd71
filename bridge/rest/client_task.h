/* A task as the agent platform tells of it, in all the forms that were seen: long, short, and those of older pages. */
#ifndef AB_REST_CLIENT_TASK_H
#define AB_REST_CLIENT_TASK_H

#include "agentbridge/task.h"
#include "wire/json.h"

/* Slices of the text it was read from; no value where the task has none, or null. */
struct ab_rest_task {
    struct ab_json id;
    bool has_status; /* one that we know: old names are read as today's */
    enum ab_task_status status;
    struct ab_json result;          /* a string */
    struct ab_json internal_status; /* a string: what its author has it say */
    struct ab_json input_text;      /* of its latest turn */
    int64_t ended_at;               /* ms since the epoch; 0: not said */
    struct ab_json hitl;    /* it waits for somebody: {"wait_node_id"} or, in older ones, {"content","title"...} */
    struct ab_json sign_in; /* it waits for a sign-in: {"connector_name","auth_url"} */
    bool question_raised;   /* it ended its turn with a question */
    struct ab_json bridge;  /* the member "agentbridge": another bridge told of it */
};

/* False when `value` is no task: neither an id nor a status. */
AB_MUST bool ab_rest_task_read(struct ab_json value, struct ab_rest_task *out);

/* Times as they stand there: ISO 8601 with any number of digits behind the second, "Z" or an offset. */
AB_MUST bool ab_rest_time_read(struct ab_json text, int64_t *wall_ms);

#endif
