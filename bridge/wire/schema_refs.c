/* $id, $anchor and $ref: where a reference leads, found once when the schema is compiled. Only places inside the same
 * document can be reached; nothing is ever fetched. */
#include "wire/schema_internal.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

/* A subschema is known by where its text begins. */
static struct ab_str address_of(const char *const *text)
{
    return (struct ab_str){ (const char *)text, sizeof(*text) };
}

static void note(struct ab_map *map, struct ab_str key, struct ab_json schema)
{
    struct ab_json *place;

    if (ab_map_get(map, key) != NULL)
        return;
    place = ab_alloc(1, sizeof(*place));
    *place = schema;
    ab_map_set(map, key, place);
}

/* --- URIs --- */

static bool is_absolute(const char *uri)
{
    size_t scheme = strcspn(uri, ":/?#");

    return scheme > 0 && uri[scheme] == ':';
}

/* RFC 3986, section 5.2, as far as schemas need it: no dot segments. `reference` without its fragment. */
static char *join(const char *base, const char *reference)
{
    const char *authority = strstr(base, "://");
    const char *path;
    const char *last;

    if (reference[0] == '\0')
        return ab_strdup(base);
    if (is_absolute(reference))
        return ab_strdup(reference);
    path = authority != NULL ? strchr(authority + 3, '/') : NULL;
    if (reference[0] == '/')
        return ab_format("%.*s%s", (int)(path != NULL ? (size_t)(path - base) : strlen(base)), base, reference);
    last = path != NULL ? strrchr(base, '/') : NULL;
    if (last != NULL)
        return ab_format("%.*s%s", (int)(last - base) + 1, base, reference);
    return ab_format("%s%s%s", base, authority != NULL ? "/" : "", reference);
}

/* --- collecting and resolving --- */

struct resolver {
    struct ab_schema *schema;
    struct ab_schema_error *error;
    struct schema_pointers pointers;
    bool resolving; /* first all places are collected, then all references followed */
    unsigned depth;
};

/* What names a schema and what it refers to. */
enum { ID, REF, ANCHOR, DYNAMIC_ANCHOR, N_NAMES };

static bool visit(struct resolver *resolver, struct ab_json schema, const char *base);

static void collect(struct resolver *resolver, struct ab_json schema, const struct ab_json_wanted *names,
                    const char *base)
{
    note(&resolver->schema->places, ab_str(base), schema);
    for (int i = ANCHOR; i <= DYNAMIC_ANCHOR; i++) {
        AB_CLEANUP(ab_free_string) char *anchor = ab_json_string_dup(names[i].value);
        if (anchor == NULL)
            continue;
        AB_CLEANUP(ab_free_string) char *key = ab_format("%s#%s", base, anchor);
        note(&resolver->schema->places, ab_str(key), schema);
    }
}

static bool unresolved(struct resolver *resolver, const char *reference)
{
    struct ab_schema_error *error = resolver->error;

    snprintf(error->path, sizeof(error->path), "$ref");
    snprintf(error->schema_path, sizeof(error->schema_path), "$ref");
    snprintf(error->text, sizeof(error->text),
             "\"%s\" leads to nothing in this schema; references to other documents are never followed", reference);
    return false;
}

/* Follows one $ref; what it reaches may lie where no keyword leads, so it is visited too. */
static bool resolve(struct resolver *resolver, struct ab_json ref, const char *base)
{
    AB_CLEANUP(ab_free_string) char *reference = ab_json_string_dup(ref);
    AB_CLEANUP(ab_free_string) char *document = NULL;
    AB_CLEANUP(ab_free_string) char *uri = NULL;
    const struct ab_json *place;
    struct ab_json target = { 0 };
    const char *fragment;

    if (reference == NULL)
        return unresolved(resolver, "");
    fragment = reference + strcspn(reference, "#");
    document = ab_strndup(reference, (size_t)(fragment - reference));
    uri = join(base, document);
    fragment = *fragment == '#' ? fragment + 1 : "";
    if (fragment[0] == '\0' || fragment[0] == '/') {
        place = ab_map_get(&resolver->schema->places, ab_str(uri));
        if (place != NULL)
            target = schema_pointer_follow(&resolver->pointers, *place, fragment);
    } else {
        AB_CLEANUP(ab_free_string) char *key = ab_format("%s#%s", uri, fragment);
        place = ab_map_get(&resolver->schema->places, ab_str(key));
        if (place != NULL)
            target = *place;
    }
    if (!ab_json_exists(target))
        return unresolved(resolver, reference);
    note(&resolver->schema->targets, address_of(&ref.text.data), target);
    return visit(resolver, target, uri);
}

static bool visit_children(struct resolver *resolver, const struct schema_keyword *keyword, struct ab_json value,
                           const char *base)
{
    struct ab_json_iterator each = ab_json_iterate(value);
    struct ab_json child;

    if (keyword->shape == SHAPE_SCHEMA)
        return visit(resolver, value, base);
    while (ab_json_next(&each, NULL, &child))
        if (!visit(resolver, child, base))
            return false;
    return true;
}

static bool visit_members(struct resolver *resolver, struct ab_json schema, struct ab_json ref, const char *base)
{
    struct ab_json_iterator members = ab_json_iterate(schema);
    struct ab_json name;
    struct ab_json value;

    if (resolver->resolving && ab_json_exists(ref) && !resolve(resolver, ref, base))
        return false;
    while (ab_json_next(&members, &name, &value)) {
        const struct schema_keyword *keyword = schema_keyword_find(name);
        if (keyword != NULL &&
            (keyword->shape == SHAPE_SCHEMA || keyword->shape == SHAPE_SCHEMAS || keyword->shape == SHAPE_SCHEMA_MAP) &&
            !visit_children(resolver, keyword, value, base))
            return false;
    }
    return true;
}

static bool visit(struct resolver *resolver, struct ab_json schema, const char *base)
{
    struct ab_json_wanted names[N_NAMES] = { [ID] = { .key = "$id" },
                                             [REF] = { .key = "$ref" },
                                             [ANCHOR] = { .key = "$anchor" },
                                             [DYNAMIC_ANCHOR] = { .key = "$dynamicAnchor" } };
    AB_CLEANUP(ab_free_string) char *id = NULL;
    AB_CLEANUP(ab_free_string) char *own = NULL;
    bool good = true;

    if (!ab_json_is(schema, AB_JSON_OBJECT))
        return true;
    if (resolver->resolving && ab_map_set(&resolver->schema->visited, address_of(&schema.text.data), resolver) != NULL)
        return true;
    ab_json_find(schema, names, N_NAMES);
    id = ab_json_string_dup(names[ID].value);
    if (id != NULL) {
        id[strcspn(id, "#")] = '\0';
        own = join(base, id);
        base = own;
    }
    if (!resolver->resolving)
        collect(resolver, schema, names, base);
    if (++resolver->depth > SCHEMA_MAX_DEPTH * 10) {
        good = unresolved(resolver, "a reference in a chain without end");
    } else {
        good = visit_members(resolver, schema, names[REF].value, base);
    }
    resolver->depth--;
    return good;
}

bool schema_resolve(struct ab_schema *schema, struct ab_schema_error *error)
{
    struct resolver resolver = { .schema = schema, .error = error };
    bool good;

    schema_pointers_init(&resolver.pointers);
    good = visit(&resolver, schema->root, "");
    resolver.resolving = true;
    good = good && visit(&resolver, schema->root, "");
    schema_pointers_deinit(&resolver.pointers);
    return good;
}

bool keyword_ref(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value)
{
    const struct ab_json *target = ab_map_get(&check->schema->targets, address_of(&keyword.text.data));

    (void)schema;
    if (target == NULL)
        return schema_fault(check, "the schema's reference %.*s leads to nothing", AB_STR_ARGS(keyword.text));
    return schema_valid(check, *target, value);
}
