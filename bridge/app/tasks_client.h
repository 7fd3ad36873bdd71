/* Asking about the tasks of a data directory: the bridge that holds it over its control socket, or, when none does, the
 * store itself, which is then held for as long as that takes. Blocking, for the command line. */
#ifndef AB_APP_TASKS_CLIENT_H
#define AB_APP_TASKS_CLIENT_H

#include "wire/json.h"

struct ab_tasks_client;

/* NULL when there is nothing to ask; `reason` says why and what would help. */
AB_MUST struct ab_tasks_client *ab_tasks_client_new(const char *data, struct ab_buf *reason);
void ab_tasks_client_free(struct ab_tasks_client *client);
/* Whether a bridge answers, so that tasks move, can be stopped and answered. */
bool ab_tasks_client_is_served(const struct ab_tasks_client *client);

/* One event of a watched task, {"number","at","kind",...}. */
typedef void (*ab_tasks_event_fn)(void *arg, struct ab_json event);
/* Asks and waits for the answer; `event` may be NULL. True: `result` is valid until the next request. False: a sentence
 * in `reason`. */
AB_MUST bool ab_tasks_client_ask(struct ab_tasks_client *client, const char *method, struct ab_str params,
                                 ab_tasks_event_fn event, void *arg, struct ab_json *result, struct ab_buf *reason);

/* A page of a list. */
typedef void (*ab_tasks_page_fn)(void *arg, struct ab_json page);
/* Asks for one page after another, as long as each names the next; `params` is a JSON object. False: a sentence in
 * `reason`, after the pages that came. */
AB_MUST bool ab_tasks_client_list(struct ab_tasks_client *client, const char *method, struct ab_str params,
                                  ab_tasks_page_fn page, void *arg, struct ab_buf *reason);

#endif
