/* Keywords about the members of objects and the items of arrays. */
#include "wire/schema_internal.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

/* --- objects --- */

/* What one look for a name costs: members are found by walking. The values of a schema's members are schemas, and
 * small; a value may be one long text, which is passed over quickly. */
static unsigned long look_into_schema(struct ab_json members)
{
    return 1 + members.text.size / 64;
}

static unsigned long look_into_value(struct ab_json object)
{
    return 1 + object.text.size / 128;
}

bool keyword_properties(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value)
{
    struct ab_json_iterator members = ab_json_iterate(value);
    struct ab_json key;
    struct ab_json member;

    (void)schema;
    if (!ab_json_is(value, AB_JSON_OBJECT))
        return true;
    while (ab_json_next(&members, &key, &member)) {
        struct ab_buf name = AB_BUF_INIT(AB_BUF_UNBOUNDED);
        bool good = ab_json_unescape(key, &name);
        struct ab_json child = ab_json_member_str(keyword, ab_buf_str(&name));
        if (good && ab_json_exists(child))
            good = schema_valid_at(check, child, name.data, member, name.data != NULL ? name.data : "");
        ab_buf_deinit(&name);
        if (!good || !schema_step(check, look_into_schema(keyword)))
            return false;
    }
    return true;
}

static bool matches_some_pattern(struct check *check, struct ab_json patterns, struct ab_str name)
{
    struct ab_json_iterator each = ab_json_iterate(patterns);
    struct ab_json pattern;
    struct ab_json child;

    while (ab_json_is(patterns, AB_JSON_OBJECT) && ab_json_next(&each, &pattern, &child))
        if (schema_pattern_matches(check, pattern, name))
            return true;
    return false;
}

static bool check_patterns(struct check *check, struct ab_json patterns, struct ab_str name, struct ab_json member)
{
    struct ab_json_iterator each = ab_json_iterate(patterns);
    struct ab_json pattern;
    struct ab_json child;

    while (ab_json_next(&each, &pattern, &child)) {
        AB_CLEANUP(ab_free_string) char *text = ab_json_string_dup(pattern);
        AB_CLEANUP(ab_free_string) char *key = ab_strndup(name.data != NULL ? name.data : "", name.size);
        if (schema_pattern_matches(check, pattern, name) &&
            !schema_valid_at(check, child, text != NULL ? text : "", member, key))
            return false;
    }
    return true;
}

bool keyword_pattern_properties(struct check *check, struct ab_json schema, struct ab_json keyword,
                                struct ab_json value)
{
    struct ab_json_iterator members = ab_json_iterate(value);
    struct ab_json key;
    struct ab_json member;
    bool good = true;

    (void)schema;
    if (!ab_json_is(value, AB_JSON_OBJECT))
        return true;
    while (good && ab_json_next(&members, &key, &member)) {
        struct ab_buf name = AB_BUF_INIT(AB_BUF_UNBOUNDED);
        good = ab_json_unescape(key, &name) && check_patterns(check, keyword, ab_buf_str(&name), member) &&
               schema_step(check, 1);
        ab_buf_deinit(&name);
    }
    return good;
}

/* How many single edits lie between two short names, at most 3. */
static unsigned distance(const char *left, const char *right)
{
    unsigned row[64];
    size_t n = strlen(right);

    if (strlen(left) >= 60 || n >= 60)
        return 3;
    for (unsigned j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; left[i - 1] != '\0'; i++) {
        unsigned corner = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= n; j++) {
            unsigned above = row[j];
            unsigned best = corner + (left[i - 1] != right[j - 1]);
            best = above + 1 < best ? above + 1 : best;
            row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            corner = above;
        }
    }
    return row[n];
}

static bool fault_unknown(struct check *check, struct ab_json properties, const char *name)
{
    struct ab_json_iterator each = ab_json_iterate(properties);
    struct ab_buf known = AB_BUF_INIT(300);
    AB_CLEANUP(ab_free_string) char *near = NULL;
    struct ab_json key;
    struct ab_json child;

    while (ab_json_is(properties, AB_JSON_OBJECT) && ab_json_next(&each, &key, &child)) {
        AB_CLEANUP(ab_free_string) char *text = ab_json_string_dup(key);
        if (text != NULL && near == NULL && distance(text, name) <= 2)
            near = ab_strdup(text);
        ab_buf_printf(&known, "%s%s", known.size > 0 ? ", " : "", text != NULL ? text : "");
    }
    if (near != NULL)
        schema_fault(check, "\"%s\" is not known here; did you mean \"%s\"?", name, near);
    else if (known.size > 0)
        schema_fault(check, "\"%s\" is not known here; known are %s%s", name, known.data, known.full ? ", ..." : "");
    else
        schema_fault(check, "\"%s\" is not allowed here", name);
    ab_buf_deinit(&known);
    return false;
}

bool keyword_additional_properties(struct check *check, struct ab_json schema, struct ab_json keyword,
                                   struct ab_json value)
{
    struct ab_json_wanted named[] = { { .key = "properties" }, { .key = "patternProperties" } };
    struct ab_json_iterator members = ab_json_iterate(value);
    struct ab_json key;
    struct ab_json member;
    bool good = true;

    if (!ab_json_is(value, AB_JSON_OBJECT))
        return true;
    ab_json_find(schema, named, sizeof(named) / sizeof(named[0]));
    while (good && ab_json_next(&members, &key, &member)) {
        struct ab_buf name = AB_BUF_INIT(AB_BUF_UNBOUNDED);
        good = ab_json_unescape(key, &name) && schema_step(check, look_into_schema(named[0].value));
        if (good && !ab_json_exists(ab_json_member_str(named[0].value, ab_buf_str(&name))) &&
            !matches_some_pattern(check, named[1].value, ab_buf_str(&name))) {
            const char *text = name.data != NULL ? name.data : "";
            if (ab_json_is(keyword, AB_JSON_FALSE))
                good = fault_unknown(check, named[0].value, text);
            else
                good = schema_valid_at(check, keyword, NULL, member, text);
        }
        ab_buf_deinit(&name);
    }
    return good;
}

bool keyword_property_names(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value)
{
    struct ab_json_iterator members = ab_json_iterate(value);
    struct ab_json key;
    struct ab_json member;

    (void)schema;
    if (!ab_json_is(value, AB_JSON_OBJECT))
        return true;
    while (ab_json_next(&members, &key, &member)) {
        AB_CLEANUP(ab_free_string) char *name = ab_json_string_dup(key);
        if (!schema_valid_at(check, keyword, NULL, key, name != NULL ? name : ""))
            return false;
    }
    return true;
}

/* Whether the object has a member for every name in `names`. */
static bool has_all(struct check *check, struct ab_json names, struct ab_json value, const char *because)
{
    struct ab_json_iterator each = ab_json_iterate(names);
    struct ab_json name;

    while (ab_json_next(&each, NULL, &name)) {
        struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
        bool there = !ab_json_unescape(name, &text) || ab_json_exists(ab_json_member_str(value, ab_buf_str(&text)));
        if (!there)
            schema_fault(check, "\"%s\" is missing%s%s", text.data != NULL ? text.data : "",
                         because != NULL ? ": it belongs to " : "", because != NULL ? because : "");
        ab_buf_deinit(&text);
        if (!there || !schema_step(check, look_into_value(value)))
            return false;
    }
    return true;
}

bool keyword_required(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value)
{
    (void)schema;
    return !ab_json_is(value, AB_JSON_OBJECT) || has_all(check, keyword, value, NULL);
}

bool keyword_dependent_required(struct check *check, struct ab_json schema, struct ab_json keyword,
                                struct ab_json value)
{
    struct ab_json_iterator each = ab_json_iterate(keyword);
    struct ab_json key;
    struct ab_json names;

    (void)schema;
    if (!ab_json_is(value, AB_JSON_OBJECT))
        return true;
    while (ab_json_next(&each, &key, &names)) {
        AB_CLEANUP(ab_free_string) char *name = ab_json_string_dup(key);
        if (!schema_step(check, look_into_value(value)) ||
            (name != NULL && ab_json_exists(ab_json_member(value, name)) && !has_all(check, names, value, name)))
            return false;
    }
    return true;
}

bool keyword_dependent_schemas(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value)
{
    struct ab_json_iterator each = ab_json_iterate(keyword);
    struct ab_json key;
    struct ab_json child;

    (void)schema;
    if (!ab_json_is(value, AB_JSON_OBJECT))
        return true;
    while (ab_json_next(&each, &key, &child)) {
        AB_CLEANUP(ab_free_string) char *name = ab_json_string_dup(key);
        if (!schema_step(check, look_into_value(value)) ||
            (name != NULL && ab_json_exists(ab_json_member(value, name)) &&
             !schema_valid_at(check, child, name, value, NULL)))
            return false;
    }
    return true;
}

bool keyword_count_properties(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value)
{
    struct ab_json least = ab_json_member(schema, "minProperties");
    struct ab_json most = ab_json_member(schema, "maxProperties");
    size_t n = ab_json_count(value);
    double limit;

    (void)keyword;
    if (!ab_json_is(value, AB_JSON_OBJECT))
        return true;
    if (ab_json_double(least, &limit) && (double)n < limit)
        return schema_fault(check, "must have at least %.*s members; found %zu", AB_STR_ARGS(least.text), n);
    if (ab_json_double(most, &limit) && (double)n > limit)
        return schema_fault(check, "must have at most %.*s members; found %zu", AB_STR_ARGS(most.text), n);
    return true;
}

/* --- arrays --- */

bool keyword_prefix_items(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value)
{
    struct ab_json_iterator schemas = ab_json_iterate(keyword);
    struct ab_json_iterator items = ab_json_iterate(value);
    struct ab_json child;
    struct ab_json item;
    char index[24];

    (void)schema;
    if (!ab_json_is(value, AB_JSON_ARRAY))
        return true;
    for (size_t i = 0; ab_json_next(&schemas, NULL, &child) && ab_json_next(&items, NULL, &item); i++) {
        snprintf(index, sizeof(index), "%zu", i);
        if (!schema_valid_at(check, child, index, item, index))
            return false;
    }
    return true;
}

bool keyword_items(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value)
{
    struct ab_json_iterator items = ab_json_iterate(value);
    size_t skipped = ab_json_count(ab_json_member(schema, "prefixItems"));
    struct ab_json item;
    char index[24];

    if (!ab_json_is(value, AB_JSON_ARRAY))
        return true;
    for (size_t i = 0; ab_json_next(&items, NULL, &item); i++) {
        snprintf(index, sizeof(index), "%zu", i);
        if (!schema_step(check, 1) || (i >= skipped && !schema_valid_at(check, keyword, NULL, item, index)))
            return false;
    }
    return true;
}

bool keyword_contains(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value)
{
    struct ab_json_iterator items = ab_json_iterate(value);
    double least = 1;
    double most = 1e300;
    double n = 0;
    struct ab_json item;

    if (!ab_json_is(value, AB_JSON_ARRAY))
        return true;
    (void)!ab_json_double(ab_json_member(schema, "minContains"), &least);
    (void)!ab_json_double(ab_json_member(schema, "maxContains"), &most);
    while (ab_json_next(&items, NULL, &item) && !check->exhausted)
        if (schema_valid(check, keyword, item))
            n++;
    if (check->exhausted)
        return false;
    if (n < least)
        return schema_fault(check, "must hold at least %.0f items of a certain kind; found %.0f", least, n);
    return n <= most || schema_fault(check, "must hold at most %.0f items of a certain kind; found %.0f", most, n);
}

bool keyword_unique_items(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value)
{
    struct ab_json_iterator items = ab_json_iterate(value);
    struct ab_json item;
    struct ab_json other;

    (void)schema;
    if (!ab_json_is(value, AB_JSON_ARRAY) || !ab_json_is_true(keyword))
        return true;
    for (size_t i = 0; ab_json_next(&items, NULL, &item); i++) {
        struct ab_json_iterator rest = items;
        for (size_t j = i + 1; ab_json_next(&rest, NULL, &other); j++) {
            if (!schema_step(check, 1 + item.text.size / 64))
                return false;
            if (ab_json_equal(item, other))
                return schema_fault(check, "items must differ; %zu and %zu are the same", i, j);
        }
    }
    return true;
}
