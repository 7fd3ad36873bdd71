/* A push notification configuration between its client and the engine, which keeps it as a wish of its task. */
#ifndef AB_A2A_PUSH_CONFIG_H
#define AB_A2A_PUSH_CONFIG_H

#include "a2a/request.h"

/* Where a client's configuration stands in its request, and what else is said of it there; borrowed. */
struct ab_a2a_push_given {
    struct ab_json object;
    const char *path; /* of the object in the parameters; "": it is the parameters themselves */
    const char *id;   /* where it names none itself; or NULL */
};

/* Reads one: `*wish` is then the wish, the caller's to free, and `id` its id, made here where the client gave none.
 * False: the call was refused. */
#define AB_A2A_PUSH_ID_SIZE 257
AB_MUST bool ab_a2a_push_config_read(struct ab_a2a_call *call, const struct ab_a2a_push_given *given, char **wish,
                                     char id[AB_A2A_PUSH_ID_SIZE]);
/* The id, URL and scheme of a wish in the form of the call; false (and nothing is written) when it is of another kind.
 */
bool ab_a2a_push_config_write(struct ab_json_writer *writer, const struct ab_a2a_call *call, const char *task_id,
                              struct ab_json wish);
/* Whether the wish is a push notification configuration. */
bool ab_a2a_is_push_config(struct ab_json wish);

#endif
