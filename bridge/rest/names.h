/* What the agent platform calls things, once for all files that write or read them. */
#ifndef AB_REST_NAMES_H
#define AB_REST_NAMES_H

#include "agentbridge/types.h"

/* A bridge is one organization. */
#define AB_REST_ORGANIZATION "agentbridge"

/* Types of a stream's events; the last three are a bridge's own. */
#define AB_REST_TASK_CREATED "task_created"
#define AB_REST_TASK_UPDATED "task_updated"
#define AB_REST_TASK_FINISHED "task_finished"
#define AB_REST_CHUNK "chunk"
#define AB_REST_PROGRESS "progress"
#define AB_REST_LOG "log"
#define AB_REST_ARTIFACT "artifact"

/* What a member of an invocation's body may be, besides null. */
enum ab_rest_type { AB_REST_TEXT, AB_REST_FLAG, AB_REST_OBJECT, AB_REST_OBJECTS };

/* A member of an invocation's body that is handed on as the caller gave it, and shown in the task. */
struct ab_rest_field {
    const char *name;
    enum ab_rest_type type;
    const char *const *words; /* the texts it may be, NULL-terminated; or NULL: any */
    const char *shown;        /* its name in a task; or NULL: it is not shown */
    const char *unset;        /* JSON: what a task shows where the caller gave none */
};

/* Ends with a NULL name. */
extern const struct ab_rest_field ab_rest_fields[];

/* "a string", "true or false", ... for sentences. */
const char *ab_rest_type_name(enum ab_rest_type type);

#endif
