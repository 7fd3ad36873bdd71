/* `pattern` and `patternProperties`: PCRE2 in the manner of ECMA-262, with bounds on time and memory. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "wire/schema_internal.h"

#include <pcre2.h>
#include <stdio.h>

#define DEPTH_LIMIT 2000
/* Of PCRE2's own steps, as many as one of ours is worth. */
#define MATCHES_A_STEP 8
#define HEAP_LIMIT_KIB 4096

bool schema_pattern_add(struct ab_schema *schema, struct ab_json pattern, char *reason, size_t reason_size)
{
    const uint32_t options = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_BSUX | PCRE2_MATCH_UNSET_BACKREF |
                             PCRE2_NEVER_BACKSLASH_C | PCRE2_ALLOW_EMPTY_CLASS;
    struct ab_buf text = AB_BUF_INIT(65536);
    PCRE2_SIZE offset = 0;
    PCRE2_UCHAR words[128] = "";
    pcre2_code *code;
    int error = 0;

    if (ab_map_get(&schema->patterns, pattern.text) != NULL)
        return true;
    if (!ab_json_unescape(pattern, &text) || text.full) {
        snprintf(reason, reason_size, "the pattern is too long");
        ab_buf_deinit(&text);
        return false;
    }
    code = pcre2_compile((PCRE2_SPTR)(text.data != NULL ? text.data : ""), text.size, options, &error, &offset, NULL);
    ab_buf_deinit(&text);
    if (code == NULL) {
        pcre2_get_error_message(error, words, sizeof(words));
        snprintf(reason, reason_size, "the pattern is no regular expression: %s at character %zu", (char *)words,
                 (size_t)offset);
        return false;
    }
    ab_map_set(&schema->patterns, pattern.text, code);
    return true;
}

static int match_within(const pcre2_code *code, struct ab_str text, uint32_t limit)
{
    pcre2_match_data *match = pcre2_match_data_create_from_pattern(code, NULL);
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    int result;

    pcre2_set_match_limit(context, limit);
    pcre2_set_depth_limit(context, DEPTH_LIMIT);
    pcre2_set_heap_limit(context, HEAP_LIMIT_KIB);
    result = pcre2_match(code, (PCRE2_SPTR)(text.data != NULL ? text.data : ""), text.size, 0, 0, match, context);
    pcre2_match_context_free(context);
    pcre2_match_data_free(match);
    return result;
}

/* PCRE2 does not say how much it did, only that a limit was reached: so the limit rises, and what it allowed is
 * counted. A value that is too much work for the pattern does not match it. */
bool schema_pattern_matches(struct check *check, struct ab_json pattern, struct ab_str text)
{
    static const uint32_t limits[] = { 100, 4000, 200000 };
    const pcre2_code *code = ab_map_get(&check->schema->patterns, pattern.text);
    int result = PCRE2_ERROR_MATCHLIMIT;

    if (code == NULL)
        return false;
    for (size_t i = 0; result == PCRE2_ERROR_MATCHLIMIT && i < sizeof(limits) / sizeof(limits[0]); i++) {
        if (!schema_step(check, 1 + limits[i] / MATCHES_A_STEP))
            return false;
        result = match_within(code, text, limits[i]);
    }
    return result >= 0;
}

void schema_patterns_free(struct ab_schema *schema)
{
    size_t position = 0;
    void *code;

    while (ab_map_next(&schema->patterns, &position, NULL, &code))
        pcre2_code_free(code);
    ab_map_deinit(&schema->patterns);
}
