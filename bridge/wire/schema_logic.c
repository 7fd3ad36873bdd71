/* Keywords that combine schemas. */
#include "wire/schema_internal.h"

#include <stdio.h>
#include <string.h>

bool keyword_all_of(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value)
{
    struct ab_json_iterator each = ab_json_iterate(keyword);
    struct ab_json child;
    char index[24];

    (void)schema;
    for (size_t i = 0; ab_json_next(&each, NULL, &child); i++) {
        snprintf(index, sizeof(index), "%zu", i);
        if (!schema_valid_at(check, child, index, value, NULL))
            return false;
    }
    return true;
}

/* Counts the alternatives that fit; of those that do not, the fault that lies deepest in the value is kept: it is the
 * one the author most likely meant. */
static size_t count_fitting(struct check *check, struct ab_json alternatives, struct ab_json value, size_t enough)
{
    struct ab_json_iterator each = ab_json_iterate(alternatives);
    struct ab_schema_error best = { 0 };
    struct ab_json child;
    char index[24];
    size_t n = 0;
    bool any = false;

    for (size_t i = 0; n < enough && !check->exhausted && ab_json_next(&each, NULL, &child); i++) {
        snprintf(index, sizeof(index), "%zu", i);
        if (schema_valid_at(check, child, index, value, NULL)) {
            n++;
        } else if (!any || strlen(check->error->path) > strlen(best.path)) {
            best = *check->error;
            any = true;
        }
    }
    if (any && n == 0 && !check->exhausted)
        *check->error = best;
    return n;
}

static bool none_fits(struct check *check, struct ab_json alternatives)
{
    char text[sizeof(check->error->text)];
    struct ab_str nearest = { check->error->text, strnlen(check->error->text, 440) };

    if (check->exhausted)
        return false;
    nearest.size = ab_utf8_valid_prefix(nearest);
    snprintf(text, sizeof(text), "%.*s (none of the %zu alternatives fits; this one is nearest)", AB_STR_ARGS(nearest),
             ab_json_count(alternatives));
    snprintf(check->error->text, sizeof(check->error->text), "%s", text);
    return false;
}

bool keyword_any_of(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value)
{
    (void)schema;
    return count_fitting(check, keyword, value, 1) > 0 || none_fits(check, keyword);
}

bool keyword_one_of(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value)
{
    size_t n = count_fitting(check, keyword, value, 2);

    (void)schema;
    if (n > 1)
        return schema_fault(check, "must fit exactly one of the %zu alternatives; it fits several",
                            ab_json_count(keyword));
    return n == 1 || none_fits(check, keyword);
}

bool keyword_not(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value)
{
    bool fits = schema_valid(check, keyword, value);

    (void)schema;
    if (check->exhausted)
        return false;
    return !fits || schema_fault(check, "is of a kind that is not allowed here");
}

bool keyword_if(struct check *check, struct ab_json schema, struct ab_json keyword, struct ab_json value)
{
    bool fits = schema_valid(check, keyword, value);
    struct ab_json branch = ab_json_member(schema, fits ? "then" : "else");

    if (check->exhausted)
        return false;
    return !ab_json_exists(branch) || schema_valid_at(check, branch, fits ? "then" : "else", value, NULL);
}
