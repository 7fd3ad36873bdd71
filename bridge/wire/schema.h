/* JSON Schema 2020-12: all keywords except remote `$ref`, `$dynamicRef` and `unevaluated*`; `format` is asserted for
 * email, uri, date and date-time. Depth and steps are bounded, so a hostile schema or value ends in an error. */
#ifndef AB_WIRE_SCHEMA_H
#define AB_WIRE_SCHEMA_H

#include "wire/json.h"

struct ab_schema;

/* Where and why something is wrong, for a person:
 * path "/agents/report/kind", text "must be one of \"command\", \"platform\"; found \"comand\"". */
struct ab_schema_error {
    char path[256];        /* JSON Pointer into the value; "" is the root */
    char schema_path[256]; /* JSON Pointer into the schema, e.g. "/properties/kind/enum" */
    char text[512];
};

/* Compiles a schema (checked JSON; the text is copied). NULL when it is not a usable schema (`error` says where). */
AB_MUST struct ab_schema *ab_schema_new(struct ab_json schema, struct ab_schema_error *error);
void ab_schema_free(struct ab_schema *schema);
/* True when `value` is valid; false: `error` (may be NULL) has the first fault in document order. */
AB_MUST bool ab_schema_check(const struct ab_schema *schema, struct ab_json value, struct ab_schema_error *error);
/* Calls `each` for every keyword in the schema that is not supported ("$dynamicRef", ...), with its place. */
void ab_schema_unsupported(const struct ab_schema *schema,
                           void (*each)(void *arg, const char *path, const char *keyword), void *arg);

#endif
