/* What the JSON Schema files share; nobody else includes it. */
#ifndef AB_WIRE_SCHEMA_INTERNAL_H
#define AB_WIRE_SCHEMA_INTERNAL_H

#include "base/map.h"
#include "wire/schema.h"

/* How deep schemas may nest while checking, references included; and how many steps one check may take. */
#define SCHEMA_MAX_DEPTH 200
#define SCHEMA_MAX_STEPS 2000000

struct ab_schema {
    char *text; /* the schema's own copy; every slice below points into it */
    struct ab_json root;
    struct ab_map places;   /* absolute URI or "base#anchor" -> struct ab_json */
    struct ab_map targets;  /* address of a $ref's text -> struct ab_json */
    struct ab_map visited;  /* address of a subschema's text */
    struct ab_map patterns; /* pattern -> compiled */
};

/* One check under way. */
struct check {
    const struct ab_schema *schema;
    struct ab_schema_error *error; /* never NULL */
    struct ab_buf path;
    struct ab_buf schema_path;
    unsigned depth;
    unsigned long steps;
    bool exhausted; /* a bound was reached: nothing is valid any more */
};

typedef bool (*keyword_fn)(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value);

/* --- schema_check.c --- */

/* Whether the value is valid; if not, check->error says why (unless a later fault overwrote it). */
bool schema_valid(struct check *check, struct ab_json schema, struct ab_json value);
/* The same one step further in both paths; `value_key` NULL: the same value. */
bool schema_valid_at(struct check *check, struct ab_json schema, const char *schema_key, struct ab_json value,
                     const char *value_key);
/* Notes the fault at the present place and returns false. */
AB_PRINTF(2, 3) bool schema_fault(struct check *check, const char *format, ...);
/* Counts work; false when there was too much of it. */
bool schema_step(struct check *check, unsigned long steps);
/* Appends "/key", escaped, and gives the size before, for schema_leave. */
size_t schema_enter(struct ab_buf *path, struct ab_str key);
void schema_leave(struct ab_buf *path, size_t before);

/* --- schema_containers.c, schema_logic.c: keywords; schema_check.c has the table --- */
bool keyword_properties(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value);
bool keyword_pattern_properties(struct check *check, struct ab_json schema, struct ab_json keyword,
                                struct ab_json value);
bool keyword_additional_properties(struct check *check, struct ab_json schema, struct ab_json keyword,
                                   struct ab_json value);
bool keyword_property_names(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value);
bool keyword_required(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value);
bool keyword_dependent_required(struct check *check, struct ab_json schema, struct ab_json keyword,
                                struct ab_json value);
bool keyword_dependent_schemas(struct check *check, struct ab_json schema, struct ab_json keyword,
                               struct ab_json value);
bool keyword_count_properties(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value);
bool keyword_prefix_items(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value);
bool keyword_items(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value);
bool keyword_contains(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value);
bool keyword_unique_items(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value);
bool keyword_all_of(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value);
bool keyword_any_of(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value);
bool keyword_one_of(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value);
bool keyword_not(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value);
bool keyword_if(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value);
bool keyword_ref(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value);

/* --- schema_pointer.c --- */

/* While one schema's references are resolved; values are slices of its text. */
struct schema_pointers {
    struct ab_map walked;  /* addresses of containers */
    struct ab_map members; /* "<address>/<token>" -> struct ab_json */
};
void schema_pointers_init(struct schema_pointers *pointers);
void schema_pointers_deinit(struct schema_pointers *pointers);
/* Where `pointer` ("" or "/a/b", percent-encoded) leads from `value`; no value: nowhere. */
struct ab_json schema_pointer_follow(struct schema_pointers *pointers, struct ab_json value, const char *pointer);

/* --- schema_refs.c --- */

/* Finds every $id, $anchor and $ref, and where the latter lead. */
bool schema_resolve(struct ab_schema *schema, struct ab_schema_error *error);

/* --- schema_pattern.c --- */

/* Compiles a pattern (a JSON string) once; false: it is none, `reason` (256) says why. */
bool schema_pattern_add(struct ab_schema *schema, struct ab_json pattern, char *reason, size_t reason_size);
bool schema_pattern_matches(struct check *check, struct ab_json pattern, struct ab_str text);
void schema_patterns_free(struct ab_schema *schema);

/* --- schema_format.c --- */

/* True for a format that is not asserted. */
bool schema_format_fits(const char *format, struct ab_str text);

/* --- schema_words.c: what the keywords are --- */

enum keyword_shape {
    SHAPE_ANY,
    SHAPE_SCHEMA,
    SHAPE_SCHEMAS,    /* a non-empty array of schemas */
    SHAPE_SCHEMA_MAP, /* an object of schemas */
    SHAPE_STRING,
    SHAPE_STRINGS,
    SHAPE_STRINGS_MAP,
    SHAPE_NUMBER,
    SHAPE_POSITIVE,
    SHAPE_COUNT, /* an integer >= 0 */
    SHAPE_BOOLEAN,
    SHAPE_ARRAY,
    SHAPE_TYPE,
    SHAPE_PATTERN
};

struct schema_keyword {
    const char *name;
    enum keyword_shape shape;
    keyword_fn check; /* NULL: nothing to check by itself */
    bool unsupported;
};

/* The keyword of this name, or NULL. */
const struct schema_keyword *schema_keyword_find(struct ab_json name);
/* Whether its value is a schema, or holds some. */
bool schema_keyword_has_schemas(const struct schema_keyword *keyword);
/* Whether every keyword in the schema has a value of its shape; compiles the patterns. */
bool schema_shapes_check(struct ab_schema *schema, struct ab_schema_error *error);
/* What a walk calls for every subschema (NULL: nothing) and for every keyword in it, with the subschema's place; false
 * ends the walk and is returned. */
struct schema_visitor {
    bool (*schema)(void *arg, const char *path, struct ab_json schema);
    bool (*keyword)(void *arg, const char *path, const struct schema_keyword *keyword, struct ab_json value);
};
bool schema_walk(struct ab_json root, const struct schema_visitor *visitor, void *arg);

#endif
