#include "task/output.h"

#include "wire/schema.h"

#include <stdio.h>

/* A schema that a caller chose is compiled for each of its tasks, and costs more than in proportion to its size. */
enum { ANSWER_DEPTH = 64, SCHEMA_BYTES = 32768 };

/* The schema to check against; no value where nothing is to be checked. */
static struct ab_json wished_schema(struct ab_json options)
{
    struct ab_json none = { { NULL, 0 } };
    struct ab_json schema = ab_json_member(options, "output_schema");
    bool json = ab_json_string_is(ab_json_member(options, "output_format"), "json");
    return json && ab_json_exists(schema) && !ab_json_is(schema, AB_JSON_NULL) ? schema : none;
}

static struct ab_schema *compile(struct ab_json schema, char *reason, size_t reason_size)
{
    struct ab_schema_error error;
    if (schema.text.size > SCHEMA_BYTES) {
        (void)snprintf(reason, reason_size, "output_schema is larger than %d bytes", SCHEMA_BYTES);
        return NULL;
    }
    struct ab_schema *compiled = ab_schema_new(schema, &error);
    if (compiled == NULL) {
        (void)snprintf(reason, reason_size, "output_schema%s is no usable JSON Schema: %s", error.path, error.text);
    }
    return compiled;
}

bool ab_output_can_be_checked(struct ab_json options, char *reason, size_t reason_size)
{
    struct ab_json schema = wished_schema(options);
    if (!ab_json_exists(schema)) {
        return true;
    }
    struct ab_schema *compiled = compile(schema, reason, reason_size);
    ab_schema_free(compiled);
    return compiled != NULL;
}

static bool check(const struct ab_schema *schema, struct ab_json answer, char *reason, size_t reason_size)
{
    struct ab_schema_error error;
    bool fits = ab_schema_check(schema, answer, &error);
    if (!fits) {
        (void)snprintf(reason, reason_size, "the answer does not fit output_schema at %s: %s",
                       error.path[0] != '\0' ? error.path : "its root", error.text);
    }
    return fits;
}

static bool check_text(const struct ab_schema *schema, struct ab_json text, char *reason, size_t reason_size)
{
    struct ab_buf bytes = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json answer;
    struct ab_json_error error = { 0 };
    bool fits = false;
    if (!ab_json_unescape(text, &bytes)) {
        (void)snprintf(reason, reason_size, "the answer has neither data nor text to check against output_schema");
    } else if (!ab_json_check(ab_buf_str(&bytes), ANSWER_DEPTH, &answer, &error)) {
        (void)snprintf(reason, reason_size, "the answer is not the JSON that was asked for: %s", error.text);
    } else {
        fits = check(schema, answer, reason, reason_size);
    }
    ab_buf_deinit(&bytes);
    return fits;
}

bool ab_output_fits(struct ab_json options, struct ab_json result, char *reason, size_t reason_size)
{
    struct ab_json schema = wished_schema(options);
    struct ab_json data = ab_json_member(result, "data");
    if (!ab_json_exists(schema)) {
        return true;
    }
    struct ab_schema *compiled = compile(schema, reason, reason_size);
    bool fits = compiled != NULL &&
                (ab_json_exists(data) ? check(compiled, data, reason, reason_size)
                                      : check_text(compiled, ab_json_member(result, "text"), reason, reason_size));
    ab_schema_free(compiled);
    return fits;
}
