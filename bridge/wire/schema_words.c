/* The keywords as a table, and the walk over a schema's subschemas that follows from it. */
#include "wire/schema_internal.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define WALK_MAX_DEPTH 200

/* --- simple assertions --- */

static const char *const type_names[] = { "null", "boolean", "object", "array", "number", "string", "integer" };

static bool is_integer(struct ab_json value)
{
    double number;

    return ab_json_double(value, &number) && isfinite(number) && number == floor(number);
}

static bool has_type(struct ab_json value, struct ab_json type)
{
    if (ab_json_string_is(type, "integer"))
        return is_integer(value);
    return ab_json_string_is(type, ab_json_type_name(value));
}

static bool keyword_type(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value)
{
    struct ab_json_iterator types = ab_json_iterate(keyword);
    struct ab_json type;

    (void)schema;
    if (ab_json_is(keyword, AB_JSON_STRING)) {
        AB_CLEANUP(ab_free_string) char *name = ab_json_string_dup(keyword);
        return has_type(value, keyword) || schema_fault(check, "must be %s; found %s", name, ab_json_type_name(value));
    }
    while (ab_json_next(&types, NULL, &type))
        if (has_type(value, type))
            return true;
    return schema_fault(check, "must be one of %.*s; found %s", AB_STR_ARGS(keyword.text), ab_json_type_name(value));
}

static bool keyword_enum(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value)
{
    struct ab_json_iterator allowed = ab_json_iterate(keyword);
    struct ab_buf names = AB_BUF_INIT(300);
    struct ab_json one;

    (void)schema;
    while (ab_json_next(&allowed, NULL, &one)) {
        if (ab_json_equal(one, value)) {
            ab_buf_deinit(&names);
            return true;
        }
        ab_buf_printf(&names, "%s%.*s", names.size > 0 ? ", " : "", AB_STR_ARGS(one.text));
    }
    schema_fault(check, "must be one of %s%s; found %.*s", names.data != NULL ? names.data : "",
                 names.full ? ", ..." : "", value.text.size < 80 ? (int)value.text.size : 80, value.text.data);
    ab_buf_deinit(&names);
    return false;
}

static bool keyword_const(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value)
{
    (void)schema;
    return ab_json_equal(keyword, value) || schema_fault(check, "must be %.*s", AB_STR_ARGS(keyword.text));
}

/* -1, 0, 1; integers are compared exactly. */
static int compare(struct ab_json left, struct ab_json right)
{
    int64_t a;
    int64_t b;
    double x;
    double y;

    if (ab_json_int(left, &a) && ab_json_int(right, &b))
        return a < b ? -1 : a > b;
    if (!ab_json_double(left, &x) || !ab_json_double(right, &y))
        return 0;
    return x < y ? -1 : x > y;
}

#define NUMBER_KEYWORD(name, condition, words)                                                                         \
    static bool name(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value)         \
    {                                                                                                                  \
        (void)schema;                                                                                                  \
        if (!ab_json_is(value, AB_JSON_NUMBER) || (condition))                                                         \
            return true;                                                                                               \
        return schema_fault(check, words " %.*s; found %.*s", AB_STR_ARGS(keyword.text), AB_STR_ARGS(value.text));     \
    }

NUMBER_KEYWORD(keyword_minimum, compare(value, keyword) >= 0, "must be at least")
NUMBER_KEYWORD(keyword_maximum, compare(value, keyword) <= 0, "must be at most")
NUMBER_KEYWORD(keyword_exclusive_minimum, compare(value, keyword) > 0, "must be more than")
NUMBER_KEYWORD(keyword_exclusive_maximum, compare(value, keyword) < 0, "must be less than")

static bool is_multiple(struct ab_json value, struct ab_json of)
{
    const double tolerance = 1e-9;
    int64_t a;
    int64_t b;
    double x;
    double y;
    double rest;

    if (ab_json_int(value, &a) && ab_json_int(of, &b) && b != 0)
        return b == -1 || a % b == 0;
    if (!ab_json_double(value, &x) || !ab_json_double(of, &y))
        return false;
    rest = fabs(fmod(x, y));
    return rest <= tolerance * y || y - rest <= tolerance * y;
}

NUMBER_KEYWORD(keyword_multiple_of, is_multiple(value, keyword), "must be a multiple of")

/* Characters, not bytes; false when it is no string. */
static bool count_characters(struct ab_json value, int64_t *out)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    bool good = ab_json_unescape(value, &text);

    *out = 0;
    for (size_t i = 0; i < text.size; i++)
        if (((unsigned char)text.data[i] & 0xC0) != 0x80)
            ++*out;
    ab_buf_deinit(&text);
    return good;
}

static bool keyword_min_length(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value)
{
    int64_t n;
    double limit;

    (void)schema;
    if (!count_characters(value, &n) || !ab_json_double(keyword, &limit) || (double)n >= limit)
        return true;
    return schema_fault(check, "must have at least %.*s characters; found %lld", AB_STR_ARGS(keyword.text),
                        (long long)n);
}

static bool keyword_max_length(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value)
{
    int64_t n;
    double limit;

    (void)schema;
    if (!count_characters(value, &n) || !ab_json_double(keyword, &limit) || (double)n <= limit)
        return true;
    return schema_fault(check, "must have at most %.*s characters; found %lld", AB_STR_ARGS(keyword.text),
                        (long long)n);
}

static bool keyword_pattern(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    bool fits;

    (void)schema;
    if (!ab_json_unescape(value, &text))
        return true;
    fits = schema_pattern_matches(check, keyword, ab_buf_str(&text));
    ab_buf_deinit(&text);
    return fits || check->exhausted || schema_fault(check, "must match the pattern %.*s", AB_STR_ARGS(keyword.text));
}

static bool keyword_format(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value)
{
    AB_CLEANUP(ab_free_string) char *format = ab_json_string_dup(keyword);
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    bool fits;

    (void)schema;
    if (format == NULL || !ab_json_unescape(value, &text))
        return true;
    fits = schema_format_fits(format, ab_buf_str(&text));
    ab_buf_deinit(&text);
    return fits || schema_fault(check, "must be a valid %s", format);
}

static bool count_items(struct check *check, struct ab_json keyword, struct ab_json value, bool least)
{
    double limit;
    size_t n = ab_json_count(value);

    if (!ab_json_is(value, AB_JSON_ARRAY) || !ab_json_double(keyword, &limit) ||
        (least ? (double)n >= limit : (double)n <= limit))
        return true;
    return schema_fault(check, "must have at %s %.*s items; found %zu", least ? "least" : "most",
                        AB_STR_ARGS(keyword.text), n);
}

static bool keyword_min_items(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value)
{
    (void)schema;
    return count_items(check, keyword, value, true);
}

static bool keyword_max_items(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value)
{
    (void)schema;
    return count_items(check, keyword, value, false);
}

/* --- the table --- */

static const struct schema_keyword keywords[] = {
    { "$ref", SHAPE_STRING, keyword_ref, false },
    { "$defs", SHAPE_SCHEMA_MAP, NULL, false },
    { "definitions", SHAPE_SCHEMA_MAP, NULL, false },
    { "$id", SHAPE_STRING, NULL, false },
    { "$anchor", SHAPE_STRING, NULL, false },
    { "$schema", SHAPE_STRING, NULL, false },
    { "$dynamicRef", SHAPE_STRING, NULL, true },
    { "$dynamicAnchor", SHAPE_STRING, NULL, true },
    { "unevaluatedItems", SHAPE_SCHEMA, NULL, true },
    { "unevaluatedProperties", SHAPE_SCHEMA, NULL, true },
    { "type", SHAPE_TYPE, keyword_type, false },
    { "enum", SHAPE_ARRAY, keyword_enum, false },
    { "const", SHAPE_ANY, keyword_const, false },
    { "minimum", SHAPE_NUMBER, keyword_minimum, false },
    { "maximum", SHAPE_NUMBER, keyword_maximum, false },
    { "exclusiveMinimum", SHAPE_NUMBER, keyword_exclusive_minimum, false },
    { "exclusiveMaximum", SHAPE_NUMBER, keyword_exclusive_maximum, false },
    { "multipleOf", SHAPE_POSITIVE, keyword_multiple_of, false },
    { "minLength", SHAPE_COUNT, keyword_min_length, false },
    { "maxLength", SHAPE_COUNT, keyword_max_length, false },
    { "pattern", SHAPE_PATTERN, keyword_pattern, false },
    { "format", SHAPE_STRING, keyword_format, false },
    { "minItems", SHAPE_COUNT, keyword_min_items, false },
    { "maxItems", SHAPE_COUNT, keyword_max_items, false },
    { "uniqueItems", SHAPE_BOOLEAN, keyword_unique_items, false },
    { "prefixItems", SHAPE_SCHEMAS, keyword_prefix_items, false },
    { "items", SHAPE_SCHEMA, keyword_items, false },
    { "contains", SHAPE_SCHEMA, keyword_contains, false },
    { "minContains", SHAPE_COUNT, NULL, false },
    { "maxContains", SHAPE_COUNT, NULL, false },
    { "required", SHAPE_STRINGS, keyword_required, false },
    { "properties", SHAPE_SCHEMA_MAP, keyword_properties, false },
    { "patternProperties", SHAPE_SCHEMA_MAP, keyword_pattern_properties, false },
    { "additionalProperties", SHAPE_SCHEMA, keyword_additional_properties, false },
    { "propertyNames", SHAPE_SCHEMA, keyword_property_names, false },
    { "minProperties", SHAPE_COUNT, keyword_count_properties, false },
    { "maxProperties", SHAPE_COUNT, keyword_count_properties, false },
    { "dependentRequired", SHAPE_STRINGS_MAP, keyword_dependent_required, false },
    { "dependentSchemas", SHAPE_SCHEMA_MAP, keyword_dependent_schemas, false },
    { "allOf", SHAPE_SCHEMAS, keyword_all_of, false },
    { "anyOf", SHAPE_SCHEMAS, keyword_any_of, false },
    { "oneOf", SHAPE_SCHEMAS, keyword_one_of, false },
    { "not", SHAPE_SCHEMA, keyword_not, false },
    { "if", SHAPE_SCHEMA, keyword_if, false },
    { "then", SHAPE_SCHEMA, NULL, false },
    { "else", SHAPE_SCHEMA, NULL, false },
    { "contentSchema", SHAPE_SCHEMA, NULL, false },
};

const struct schema_keyword *schema_keyword_find(struct ab_json name)
{
    char first = name.text.size > 1 ? name.text.data[1] : '\0'; /* a backslash may stand for any */

    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
        if ((first == keywords[i].name[0] || first == '\\') && ab_json_string_is(name, keywords[i].name))
            return &keywords[i];
    return NULL;
}

/* --- the walk --- */

struct walk {
    const struct schema_visitor *visitor;
    void *arg;
    struct ab_buf path;
    unsigned depth;
};

static bool walk_schema(struct walk *walk, struct ab_json schema);

static bool walk_child(struct walk *walk, struct ab_str key, struct ab_json schema)
{
    size_t before = schema_enter(&walk->path, key);
    bool go_on = walk_schema(walk, schema);

    schema_leave(&walk->path, before);
    return go_on;
}

static bool walk_children(struct walk *walk, const struct schema_keyword *keyword, struct ab_json value)
{
    struct ab_json_iterator each = ab_json_iterate(value);
    size_t before = schema_enter(&walk->path, ab_str(keyword->name));
    bool go_on = true;
    size_t index = 0;
    struct ab_json key;
    struct ab_json child;

    if (keyword->shape == SHAPE_SCHEMA) {
        go_on = walk_schema(walk, value);
    } else {
        while (go_on && ab_json_next(&each, &key, &child)) {
            AB_CLEANUP(ab_free_string)
            char *name = keyword->shape == SHAPE_SCHEMA_MAP ? ab_json_string_dup(key) : ab_format("%zu", index++);
            go_on = walk_child(walk, ab_str(name), child);
        }
    }
    schema_leave(&walk->path, before);
    return go_on;
}

static const char *walk_path(const struct walk *walk)
{
    return walk->path.data != NULL ? walk->path.data : "";
}

bool schema_keyword_has_schemas(const struct schema_keyword *keyword)
{
    return keyword->shape == SHAPE_SCHEMA || keyword->shape == SHAPE_SCHEMAS || keyword->shape == SHAPE_SCHEMA_MAP;
}

static bool walk_schema(struct walk *walk, struct ab_json schema)
{
    struct ab_json_iterator members = ab_json_iterate(schema);
    struct ab_json name;
    struct ab_json value;
    bool go_on = true;

    if (++walk->depth > WALK_MAX_DEPTH)
        return false;
    if (walk->visitor->schema != NULL)
        go_on = walk->visitor->schema(walk->arg, walk_path(walk), schema);
    while (go_on && ab_json_is(schema, AB_JSON_OBJECT) && ab_json_next(&members, &name, &value)) {
        const struct schema_keyword *keyword = schema_keyword_find(name);
        if (keyword == NULL)
            continue;
        go_on = walk->visitor->keyword(walk->arg, walk_path(walk), keyword, value) &&
                (!schema_keyword_has_schemas(keyword) || walk_children(walk, keyword, value));
    }
    walk->depth--;
    return go_on;
}

bool schema_walk(struct ab_json root, const struct schema_visitor *visitor, void *arg)
{
    struct walk walk = { .visitor = visitor, .arg = arg, .path = AB_BUF_INIT(4096) };
    bool go_on = walk_schema(&walk, root);

    ab_buf_deinit(&walk.path);
    return go_on;
}

/* --- shapes --- */

static bool all_of_type(struct ab_json container, enum ab_json_type type)
{
    struct ab_json_iterator each = ab_json_iterate(container);
    struct ab_json one;

    while (ab_json_next(&each, NULL, &one))
        if (!ab_json_is(one, type))
            return false;
    return true;
}

static bool is_schema(struct ab_json value)
{
    return ab_json_is(value, AB_JSON_OBJECT) || ab_json_is(value, AB_JSON_TRUE) || ab_json_is(value, AB_JSON_FALSE);
}

static bool is_type_name(struct ab_json value)
{
    for (size_t i = 0; i < sizeof(type_names) / sizeof(type_names[0]); i++)
        if (ab_json_string_is(value, type_names[i]))
            return true;
    return false;
}

static bool are_types(struct ab_json value)
{
    struct ab_json_iterator each = ab_json_iterate(value);
    struct ab_json one;

    if (!ab_json_is(value, AB_JSON_ARRAY))
        return is_type_name(value);
    while (ab_json_next(&each, NULL, &one))
        if (!is_type_name(one))
            return false;
    return ab_json_count(value) > 0;
}

/* What the value must be, in words; NULL when it is that. */
static const char *misshape(enum keyword_shape shape, struct ab_json value)
{
    double number = 0;
    bool is_number = ab_json_double(value, &number);

    switch (shape) {
    case SHAPE_ANY:
        return NULL;
    case SHAPE_SCHEMA:
        return is_schema(value) ? NULL : "a schema (an object, true or false)";
    case SHAPE_SCHEMAS:
        return ab_json_is(value, AB_JSON_ARRAY) && ab_json_count(value) > 0 ? NULL : "a non-empty array of schemas";
    case SHAPE_SCHEMA_MAP:
        return ab_json_is(value, AB_JSON_OBJECT) ? NULL : "an object of schemas";
    case SHAPE_STRING:
    case SHAPE_PATTERN:
        return ab_json_is(value, AB_JSON_STRING) ? NULL : "a string";
    case SHAPE_STRINGS:
        return ab_json_is(value, AB_JSON_ARRAY) && all_of_type(value, AB_JSON_STRING) ? NULL : "an array of strings";
    case SHAPE_STRINGS_MAP:
        return ab_json_is(value, AB_JSON_OBJECT) && all_of_type(value, AB_JSON_ARRAY)
                   ? NULL
                   : "an object of arrays of strings";
    case SHAPE_NUMBER:
        return is_number ? NULL : "a number";
    case SHAPE_POSITIVE:
        return is_number && number > 0 ? NULL : "a number above 0";
    case SHAPE_COUNT:
        return is_number && number >= 0 && number == floor(number) ? NULL : "an integer of at least 0";
    case SHAPE_BOOLEAN:
        return ab_json_is(value, AB_JSON_TRUE) || ab_json_is(value, AB_JSON_FALSE) ? NULL : "true or false";
    case SHAPE_ARRAY:
        return ab_json_is(value, AB_JSON_ARRAY) ? NULL : "an array";
    case SHAPE_TYPE:
        return are_types(value) ? NULL : "null, boolean, object, array, number, string or integer, or an array of them";
    }
    return NULL;
}

struct shapes {
    struct ab_schema *schema;
    struct ab_schema_error *error;
};

static bool misfit(struct shapes *shapes, const char *path, const char *keyword, const char *text)
{
    snprintf(shapes->error->path, sizeof(shapes->error->path), "%s/%s", path, keyword);
    snprintf(shapes->error->schema_path, sizeof(shapes->error->schema_path), "%s", shapes->error->path);
    snprintf(shapes->error->text, sizeof(shapes->error->text), "%s", text);
    return false;
}

static bool check_keyword(void *arg, const char *path, const struct schema_keyword *keyword, struct ab_json value)
{
    struct shapes *shapes = arg;
    const char *wanted = misshape(keyword->shape, value);
    char reason[256];

    if (wanted != NULL) {
        char text[320];
        snprintf(text, sizeof(text), "must be %s; found %s", wanted, ab_json_type_name(value));
        return misfit(shapes, path, keyword->name, text);
    }
    if (keyword->shape == SHAPE_PATTERN && !schema_pattern_add(shapes->schema, value, reason, sizeof(reason)))
        return misfit(shapes, path, keyword->name, reason);
    if (strcmp(keyword->name, "patternProperties") == 0) {
        struct ab_json_iterator each = ab_json_iterate(value);
        struct ab_json pattern;
        struct ab_json child;
        while (ab_json_next(&each, &pattern, &child))
            if (!schema_pattern_add(shapes->schema, pattern, reason, sizeof(reason)))
                return misfit(shapes, path, keyword->name, reason);
    }
    return true;
}

static bool check_schema(void *arg, const char *path, struct ab_json schema)
{
    struct shapes *shapes = arg;

    return is_schema(schema) || misfit(shapes, path, "", "must be a schema (an object, true or false)");
}

bool schema_shapes_check(struct ab_schema *schema, struct ab_schema_error *error)
{
    static const struct schema_visitor visitor = { check_schema, check_keyword };
    struct shapes shapes = { schema, error };

    snprintf(error->text, sizeof(error->text), "the schema nests too deep");
    return schema_walk(schema->root, &visitor, &shapes);
}
