/* $id, $anchor and $ref: where a reference leads, found once when the schema is compiled. Only places inside the same
 * document can be reached; nothing is ever fetched. */
#include "wire/schema_internal.h"

#include "base/list.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

#define URI_MAX 2048

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
    struct ab_list references; /* of struct reference: found and not yet followed */
    struct ab_list bases;      /* of struct base: the URIs that references are relative to */
    bool collecting;           /* all places are collected before the first reference is followed */
    unsigned depth;
};

struct reference {
    struct ab_link link;
    struct ab_json ref;
    const char *base;
};

struct base {
    struct ab_link link;
    char *uri;
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

static void remember(struct resolver *resolver, struct ab_json ref, const char *base)
{
    struct reference *reference = ab_alloc(1, sizeof(*reference));

    reference->ref = ref;
    reference->base = base;
    ab_list_append(&resolver->references, &reference->link);
}

/* Takes the URI over and keeps it until all is resolved. */
static const char *keep(struct resolver *resolver, char *uri)
{
    struct base *base = ab_alloc(1, sizeof(*base));

    base->uri = uri;
    ab_list_append(&resolver->bases, &base->link);
    return uri;
}

/* What stands below an $id refers from there. False: it is too long; a schema may have many, and each is kept. */
static bool enter_id(struct resolver *resolver, struct ab_json id, const char **uri)
{
    AB_CLEANUP(ab_free_string) char *text = ab_json_string_dup(id);
    struct ab_schema_error *error = resolver->error;

    if (text == NULL)
        return true;
    text[strcspn(text, "#")] = '\0';
    *uri = keep(resolver, join(*uri, text));
    if (strlen(*uri) <= URI_MAX)
        return true;
    snprintf(error->path, sizeof(error->path), "$id");
    snprintf(error->schema_path, sizeof(error->schema_path), "$id");
    snprintf(error->text, sizeof(error->text), "must be a URI of at most %d bytes", URI_MAX);
    return false;
}

static void free_bases(struct resolver *resolver)
{
    struct ab_link *link;

    while ((link = ab_list_first(&resolver->bases)) != NULL) {
        struct base *base = AB_OWNER(link, struct base, link);
        ab_link_remove(link);
        free(base->uri);
        free(base);
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
    if (strcmp(uri, base) != 0) {
        base = keep(resolver, uri);
        uri = NULL;
    }
    return visit(resolver, target, base);
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

static bool visit_members(struct resolver *resolver, struct ab_json schema, const char *base)
{
    struct ab_json_iterator members = ab_json_iterate(schema);
    struct ab_json name;
    struct ab_json value;

    while (ab_json_next(&members, &name, &value)) {
        const struct schema_keyword *keyword = schema_keyword_find(name);
        if (keyword != NULL && schema_keyword_has_schemas(keyword) && !visit_children(resolver, keyword, value, base))
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
    bool good = true;

    if (!ab_json_is(schema, AB_JSON_OBJECT))
        return true;
    if (ab_map_set(&resolver->schema->visited, address_of(&schema.text.data), resolver) != NULL)
        return true;
    ab_json_find(schema, names, N_NAMES);
    if (!enter_id(resolver, names[ID].value, &base))
        return false;
    if (resolver->collecting)
        collect(resolver, schema, names, base);
    if (ab_json_exists(names[REF].value))
        remember(resolver, names[REF].value, base);
    if (++resolver->depth > SCHEMA_MAX_DEPTH * 10) {
        good = unresolved(resolver, "a reference in a chain without end");
    } else {
        good = visit_members(resolver, schema, base);
    }
    resolver->depth--;
    return good;
}

/* Those that are found on the way come at the end. */
static bool follow_references(struct resolver *resolver, bool good)
{
    struct ab_link *link;

    while ((link = ab_list_first(&resolver->references)) != NULL) {
        struct reference *reference = AB_OWNER(link, struct reference, link);
        ab_link_remove(link);
        good = good && resolve(resolver, reference->ref, reference->base);
        free(reference);
    }
    return good;
}

bool schema_resolve(struct ab_schema *schema, struct ab_schema_error *error)
{
    struct resolver resolver = { .schema = schema, .error = error, .collecting = true };
    bool good;

    schema_pointers_init(&resolver.pointers);
    ab_list_init(&resolver.references);
    ab_list_init(&resolver.bases);
    good = visit(&resolver, schema->root, "");
    resolver.collecting = false;
    good = follow_references(&resolver, good);
    free_bases(&resolver);
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
