/* Files of `schemas/` that the build put into the binary. */
#ifndef AB_BASE_EMBEDDED_H
#define AB_BASE_EMBEDDED_H

#include "base/str.h"

struct ab_embedded_file {
    const char *name; /* "config.schema.json", "store/001.sql" */
    const char *data; /* NUL-terminated */
    size_t size;
};

/* Ends with a NULL name; sorted by name. Generated. */
extern const struct ab_embedded_file ab_embedded_files[];

/* One file's bytes (NUL-terminated behind them); `data` NULL when there is no such file. */
struct ab_str ab_embedded(const char *name);

#endif
