/* Looking at the tasks as the local operator, who sees everybody's: the same whether a bridge answers over its control
 * socket or the store was opened for one command. */
#ifndef AB_APP_TASKS_LOOK_H
#define AB_APP_TASKS_LOOK_H

#include "task/engine.h"

/* The engine may be one that was never started. */
struct ab_tasks_look {
    struct ab_engine *engine;
    struct ab_store *store;
};

/* The task that `id` (a JSON string: an id or the beginning of one) names. True: `out` is the caller's. False: a
 * sentence in `reason`. */
AB_MUST bool ab_tasks_find(const struct ab_tasks_look *look, struct ab_json id, struct ab_task *out,
                           struct ab_buf *reason);
/* A page, newest first: {"status"?,"agent"?,"after"?} -> {"tasks":[...],"next"?}; `next` is the `after` of the page
 * that follows. Appended to `out`; false: a sentence in `reason`. */
AB_MUST bool ab_tasks_list(const struct ab_tasks_look *look, struct ab_json params, struct ab_buf *out,
                           struct ab_buf *reason);
/* {"id"} -> {"task":{...},"owner","surface","turn"}; `task` in the shape that get-task gives. */
AB_MUST bool ab_tasks_show(const struct ab_tasks_look *look, struct ab_json params, struct ab_buf *out,
                           struct ab_buf *reason);
/* The same for a task already read. */
AB_MUST bool ab_tasks_write(const struct ab_tasks_look *look, const struct ab_task *task, struct ab_buf *out,
                            struct ab_buf *reason);

#endif
