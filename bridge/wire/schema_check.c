/* Compiling and checking: a schema is walked as it stands, keyword by keyword in document order. */
#include "wire/schema_internal.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* --- paths and bounds --- */

size_t schema_enter(struct ab_buf *path, struct ab_str key)
{
    size_t before = path->size;
    size_t begin = 0;

    ab_buf_append_char(path, '/');
    for (size_t i = 0; i < key.size; i++) {
        if (key.data[i] != '~' && key.data[i] != '/')
            continue;
        ab_buf_append(path, key.data + begin, i - begin);
        ab_buf_append_text(path, key.data[i] == '~' ? "~0" : "~1");
        begin = i + 1;
    }
    ab_buf_append(path, key.data + begin, key.size - begin);
    return before;
}

void schema_leave(struct ab_buf *path, size_t before)
{
    path->size = before;
    path->full = false;
    if (path->data != NULL)
        path->data[before] = '\0';
}

bool schema_fault(struct check *check, const char *format, ...)
{
    struct ab_schema_error *error = check->error;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(error->text, sizeof(error->text), format, arguments);
    va_end(arguments);
    snprintf(error->path, sizeof(error->path), "%s", check->path.data != NULL ? check->path.data : "");
    snprintf(error->schema_path, sizeof(error->schema_path), "%s",
             check->schema_path.data != NULL ? check->schema_path.data : "");
    return false;
}

bool schema_step(struct check *check, unsigned long steps)
{
    check->steps += steps;
    if (check->steps > SCHEMA_MAX_STEPS)
        check->exhausted = true;
    return !check->exhausted || schema_fault(check, "is too much to check against this schema");
}

/* --- checking --- */

static bool check_keyword(struct check *check, struct ab_json schema, struct ab_json name, struct ab_json keyword,
                          struct ab_json value)
{
    const struct schema_keyword *found = schema_keyword_find(name);
    size_t before;
    bool good;

    if (found == NULL || found->check == NULL)
        return true;
    before = schema_enter(&check->schema_path, ab_str(found->name));
    good = schema_step(check, 1) && found->check(check, schema, keyword, value);
    schema_leave(&check->schema_path, before);
    return good;
}

bool schema_valid(struct check *check, struct ab_json schema, struct ab_json value)
{
    struct ab_json_iterator members = ab_json_iterate(schema);
    struct ab_json name;
    struct ab_json keyword;
    bool good = true;

    if (ab_json_is(schema, AB_JSON_FALSE))
        return schema_fault(check, "is not allowed here");
    if (!ab_json_is(schema, AB_JSON_OBJECT))
        return true;
    if (++check->depth > SCHEMA_MAX_DEPTH) {
        check->exhausted = true;
        schema_fault(check, "the schema refers to itself without end, or nests too deep");
    }
    while (good && !check->exhausted && ab_json_next(&members, &name, &keyword))
        good = check_keyword(check, schema, name, keyword, value);
    check->depth--;
    return good && !check->exhausted;
}

bool schema_valid_at(struct check *check, struct ab_json schema, const char *schema_key, struct ab_json value,
                     const char *value_key)
{
    size_t schema_before = check->schema_path.size;
    size_t before = check->path.size;
    bool good;

    if (schema_key != NULL)
        schema_enter(&check->schema_path, ab_str(schema_key));
    if (value_key != NULL)
        schema_enter(&check->path, ab_str(value_key));
    good = schema_valid(check, schema, value);
    schema_leave(&check->schema_path, schema_before);
    schema_leave(&check->path, before);
    return good;
}

static void cut_whole(char *text)
{
    text[ab_utf8_valid_prefix(ab_str(text))] = '\0';
}

/* What was too long may end inside a character. */
static void end_whole(struct ab_schema_error *error)
{
    cut_whole(error->path);
    cut_whole(error->schema_path);
    cut_whole(error->text);
}

bool ab_schema_check(const struct ab_schema *schema, struct ab_json value, struct ab_schema_error *error)
{
    struct ab_schema_error unused;
    struct check check = { .schema = schema,
                           .error = error != NULL ? error : &unused,
                           .path = AB_BUF_INIT(65536),
                           .schema_path = AB_BUF_INIT(65536) };
    bool good = schema_valid(&check, schema->root, value);

    if (!good)
        end_whole(check.error);
    ab_buf_deinit(&check.path);
    ab_buf_deinit(&check.schema_path);
    return good;
}

/* --- life --- */

static void free_places(struct ab_map *map)
{
    size_t position = 0;
    void *place;

    while (ab_map_next(map, &position, NULL, &place))
        free(place);
    ab_map_deinit(map);
}

void ab_schema_free(struct ab_schema *schema)
{
    if (schema == NULL)
        return;
    free_places(&schema->places);
    free_places(&schema->targets);
    ab_map_deinit(&schema->visited);
    schema_patterns_free(schema);
    free(schema->text);
    free(schema);
}

struct ab_schema *ab_schema_new(struct ab_json text, struct ab_schema_error *error)
{
    struct ab_schema *schema = ab_alloc(1, sizeof(*schema));
    struct ab_schema_error unused;

    if (error == NULL)
        error = &unused;
    *error = (struct ab_schema_error){ 0 };
    schema->text = ab_json_dup(text);
    schema->root = ab_json_trusted(schema->text);
    ab_map_init(&schema->places);
    ab_map_init(&schema->targets);
    ab_map_init(&schema->visited);
    ab_map_init(&schema->patterns);
    if (schema_shapes_check(schema, error) && schema_resolve(schema, error))
        return schema;
    end_whole(error);
    ab_schema_free(schema);
    return NULL;
}

struct unsupported {
    void (*each)(void *arg, const char *path, const char *keyword);
    void *arg;
};

static bool tell_unsupported(void *arg, const char *path, const struct schema_keyword *keyword, struct ab_json value)
{
    struct unsupported *unsupported = arg;

    (void)value;
    if (keyword->unsupported) {
        AB_CLEANUP(ab_free_string) char *place = ab_format("%s/%s", path, keyword->name);
        unsupported->each(unsupported->arg, place, keyword->name);
    }
    return true;
}

void ab_schema_unsupported(const struct ab_schema *schema,
                           void (*each)(void *arg, const char *path, const char *keyword), void *arg)
{
    static const struct schema_visitor visitor = { .keyword = tell_unsupported };
    struct unsupported unsupported = { each, arg };

    (void)schema_walk(schema->root, &visitor, &unsupported);
}
