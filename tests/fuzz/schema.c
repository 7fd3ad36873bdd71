/* JSON Schema: the first line is a schema, the rest a value. Each check ends, and says where a fault is. */
#include "support/fuzz.h"

#include "wire/schema.h"

static void note_unsupported(void *arg, const char *path, const char *keyword)
{
    (void)arg;
    HOLDS(path != NULL && keyword != NULL && keyword[0] != '\0');
}

static void check_error(const struct ab_schema_error *error)
{
    HOLDS(error->text[0] != '\0');
    HOLDS(ab_utf8_valid(ab_str(error->text)));
    HOLDS(ab_utf8_valid(ab_str(error->path)) && ab_utf8_valid(ab_str(error->schema_path)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ab_str rest = fuzz_text(data, size);
    struct ab_str first = fuzz_line(&rest);
    struct ab_schema_error error = { 0 };
    struct ab_schema *schema;
    struct ab_json value;

    if (!fuzz_json(first, &value))
        return 0;
    schema = ab_schema_new(value, &error);
    if (schema == NULL) {
        check_error(&error);
        return 0;
    }
    ab_schema_unsupported(schema, note_unsupported, NULL);
    if (fuzz_json(rest, &value) && !ab_schema_check(schema, value, &error))
        check_error(&error);
    ab_schema_free(schema);
    return 0;
}
