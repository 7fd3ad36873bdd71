/* What is wrong with a configuration: all of it, so that a person mends it in one go. */
#ifndef AB_APP_PROBLEMS_H
#define AB_APP_PROBLEMS_H

#include "base/buf.h"

struct ab_problem {
    bool warning; /* worth saying, but the configuration can be served */
    char *text;   /* "agents.report.kind: must be one of ..." */
};

/* Zeroed is empty. */
struct ab_problems {
    struct ab_problem *items;
    size_t count;
    size_t errors; /* of these, so many are no warnings */
};

void ab_problems_deinit(struct ab_problems *problems);
/* Adds one; `where` is a path like "agents.report.kind", or NULL or "" for the whole. */
AB_PRINTF(3, 4) void ab_problem_error(struct ab_problems *problems, const char *where, const char *format, ...);
AB_PRINTF(3, 4) void ab_problem_warning(struct ab_problems *problems, const char *where, const char *format, ...);
/* One line for each, with the configuration's name in front: "agents.jsonc: warning: tls: ...". */
void ab_problems_render(const struct ab_problems *problems, const char *name, struct ab_buf *out);
/* "/agents/re~1port/kind" -> "agents.re/port.kind", appended. */
void ab_problem_path(const char *pointer, struct ab_buf *out);

#endif
