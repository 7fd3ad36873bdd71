/* JSON Schema: the published test suite (Debian's json-schema-test-suite), and what it does not say: messages for
 * people, bounds, schemas that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "wire/schema.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char suite_folder[] = "/usr/share/json-schema-test-suite/tests/draft7";

/* The package's newest draft is 7. What 2020-12 has changed since, or this checker does not do, each with its reason.
 */
static const struct skipped {
    const char *file;
    const char *group; /* beginning of the group's description; "" : the whole file */
    const char *reason;
} skipped[] = {
    { "additionalItems.json", "", "became items, with prefixItems" },
    { "dependencies.json", "", "became dependentRequired and dependentSchemas" },
    { "refRemote.json", "", "nothing is fetched" },
    { "definitions.json", "", "needs the remote meta-schema" },
    { "ref.json", "remote ref, containing refs itself", "needs the remote meta-schema" },
    { "ref.json", "ref overrides any sibling keywords", "since 2019-09 $ref stands beside its siblings" },
    { "ref.json", "relative pointer ref to array", "items as an array became prefixItems" },
    { "items.json", "an array of schemas for items", "became prefixItems" },
    { "items.json", "items with boolean schemas", "became prefixItems" },
};

static bool is_skipped(const char *file, const char *group)
{
    for (size_t i = 0; i < sizeof(skipped) / sizeof(skipped[0]); i++)
        if (strcmp(skipped[i].file, file) == 0 && strncmp(group, skipped[i].group, strlen(skipped[i].group)) == 0)
            return true;
    return false;
}

static char *read_file(const char *folder, const char *name)
{
    AB_CLEANUP(ab_free_string) char *path = ab_format("%s/%s", folder, name);
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    FILE *file = fopen(path, "rb");
    char piece[16384];
    size_t n;

    assert_non_null(file);
    while ((n = fread(piece, 1, sizeof(piece), file)) > 0)
        ab_buf_append(&text, piece, n);
    fclose(file);
    return ab_buf_steal(&text);
}

struct tally {
    unsigned passed;
    unsigned failed;
    unsigned left_out;
};

static void run_group(const char *file, struct ab_json group, struct tally *tally)
{
    AB_CLEANUP(ab_free_string) char *title = ab_json_string_dup(ab_json_member(group, "description"));
    struct ab_json_iterator tests = ab_json_iterate(ab_json_member(group, "tests"));
    struct ab_schema_error error;
    struct ab_schema *schema;
    struct ab_json test;

    if (is_skipped(file, title)) {
        tally->left_out++;
        return;
    }
    schema = ab_schema_new(ab_json_member(group, "schema"), &error);
    if (schema == NULL) {
        tally->failed++;
        print_error("%s: %s: does not compile: %s %s\n", file, title, error.path, error.text);
        return;
    }
    while (ab_json_next(&tests, NULL, &test)) {
        AB_CLEANUP(ab_free_string) char *name = ab_json_string_dup(ab_json_member(test, "description"));
        bool wanted = ab_json_is_true(ab_json_member(test, "valid"));
        if (ab_schema_check(schema, ab_json_member(test, "data"), &error) == wanted) {
            tally->passed++;
            continue;
        }
        tally->failed++;
        print_error("%s: %s: %s: should be %s; %s\n", file, title, name, wanted ? "valid" : "invalid",
                    wanted ? error.text : "");
    }
    ab_schema_free(schema);
}

static void run_file(const char *folder, const char *file, struct tally *tally)
{
    AB_CLEANUP(ab_free_string) char *text = read_file(folder, file);
    struct ab_json_error error;
    struct ab_json groups;
    struct ab_json group;

    if (!ab_json_check(ab_str(text), 64, &groups, &error))
        fail_msg("%s: %s", file, error.text);
    struct ab_json_iterator each = ab_json_iterate(groups);
    while (ab_json_next(&each, NULL, &group))
        run_group(file, group, tally);
}

static void run_suite(const char *folder, const char *const *only)
{
    struct tally tally = { 0 };
    DIR *directory = opendir(folder);
    struct dirent *entry;

    if (directory == NULL) {
        print_message("json-schema-test-suite is not installed: skipped\n");
        skip();
    }
    while ((entry = readdir(directory)) != NULL) {
        size_t size = strlen(entry->d_name);
        bool wanted = size > 5 && strcmp(entry->d_name + size - 5, ".json") == 0;
        for (size_t i = 0; wanted && only != NULL; i++) {
            if (only[i] == NULL)
                wanted = false;
            else if (strcmp(only[i], entry->d_name) == 0)
                break;
        }
        if (wanted)
            run_file(folder, entry->d_name, &tally);
    }
    closedir(directory);
    print_message("%u passed, %u failed, %u groups left out\n", tally.passed, tally.failed, tally.left_out);
    assert_int_equal(tally.failed, 0);
    assert_true(tally.passed > 0);
}

static void test_suite(void **state)
{
    (void)state;
    run_suite(suite_folder, NULL);
}

static void test_suite_formats(void **state)
{
    static const char *const formats[] = { "email.json", "uri.json", "date.json", "date-time.json", NULL };
    AB_CLEANUP(ab_free_string) char *folder = ab_format("%s/optional/format", suite_folder);

    (void)state;
    run_suite(folder, formats);
}

/* --- messages --- */

static const struct message {
    const char *schema;
    const char *value;
    const char *path;
    const char *schema_path;
    const char *text;
} messages[] = {
    { "{\"properties\":{\"a\":{\"type\":\"string\"}}}", "{\"a\":1}", "/a", "/properties/a/type",
      "must be string; found number" },
    { "{\"type\":[\"string\",\"null\"]}", "1", "", "/type", "must be one of [\"string\",\"null\"]; found number" },
    { "{\"enum\":[\"a\",\"b\"]}", "\"c\"", "", "/enum", "must be one of \"a\", \"b\"; found \"c\"" },
    { "{\"required\":[\"name\"]}", "{}", "", "/required", "\"name\" is missing" },
    { "{\"properties\":{\"kind\":true},\"additionalProperties\":false}", "{\"knd\":1}", "", "/additionalProperties",
      "\"knd\" is not known here; did you mean \"kind\"?" },
    { "{\"properties\":{\"kind\":true},\"additionalProperties\":false}", "{\"zzzzzz\":1}", "", "/additionalProperties",
      "\"zzzzzz\" is not known here; known are kind" },
    { "{\"maximum\":10}", "11", "", "/maximum", "must be at most 10; found 11" },
    { "{\"minLength\":2}", "\"\\u00e4\"", "", "/minLength", "must have at least 2 characters; found 1" },
    { "{\"items\":{\"type\":\"integer\"}}", "[1,2.5]", "/1", "/items/type", "must be integer; found number" },
    { "{\"properties\":{\"a/b\":{\"const\":1}}}", "{\"a/b\":2}", "/a~1b", "/properties/a~1b/const", "must be 1" },
    { "{\"anyOf\":[{\"type\":\"string\"},{\"properties\":{\"a\":{\"const\":1}}}]}", "{\"a\":2}", "/a",
      "/anyOf/1/properties/a/const", "must be 1 (none of the 2 alternatives fits; this one is nearest)" },
    { "{\"maximum\":9007199254740992}", "9007199254740993", "", "/maximum",
      "must be at most 9007199254740992; found 9007199254740993" },
};

static void test_messages(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        struct ab_schema_error error;
        struct ab_schema *schema = ab_schema_new(ab_json_trusted(messages[i].schema), &error);
        assert_non_null(schema);
        assert_false(ab_schema_check(schema, ab_json_trusted(messages[i].value), &error));
        assert_string_equal(error.path, messages[i].path);
        assert_string_equal(error.schema_path, messages[i].schema_path);
        assert_string_equal(error.text, messages[i].text);
        ab_schema_free(schema);
    }
}

/* --- schemas that are none --- */

static const struct broken {
    const char *schema;
    const char *path;
} broken[] = {
    { "{\"type\":\"strnig\"}", "/type" },
    { "{\"properties\":[]}", "/properties" },
    { "{\"properties\":{\"a\":{\"minimum\":\"1\"}}}", "/properties/a/minimum" },
    { "{\"pattern\":\"(\"}", "/pattern" },
    { "{\"patternProperties\":{\"[\":true}}", "/patternProperties" },
    { "{\"required\":\"a\"}", "/required" },
    { "{\"allOf\":[]}", "/allOf" },
    { "{\"multipleOf\":0}", "/multipleOf" },
    { "{\"$ref\":\"#/$defs/nothing\"}", "$ref" },
    { "{\"prefixItems\":[{}],\"$ref\":\"#/prefixItems/1\"}", "$ref" },
    { "{\"prefixItems\":[{}],\"$ref\":\"#/prefixItems/00\"}", "$ref" },
    { "{\"type\":\"null\",\"$ref\":\"#/type/0\"}", "$ref" },
    { "{\"$ref\":\"https://example.com/other\"}", "$ref" },
    { "7", "/" },
};

static void test_broken_schemas(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct ab_schema_error error;
        assert_null(ab_schema_new(ab_json_trusted(broken[i].schema), &error));
        assert_string_equal(error.path, broken[i].path);
        assert_true(error.text[0] != '\0');
    }
}

/* Each is kept while the schema is compiled, and a schema may have thousands. */
static void test_a_long_id(void **state)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_schema_error error;

    (void)state;
    ab_buf_append_text(&text, "{\"$defs\":{\"a\":{\"$id\":\"http://example.com/");
    for (int i = 0; i < 2048; i++)
        ab_buf_append_char(&text, 'x');
    ab_buf_append_text(&text, "\"}}}");
    assert_null(ab_schema_new(ab_json_trusted(text.data), &error));
    assert_string_equal(error.path, "$id");
    ab_buf_deinit(&text);
}

/* --- bounds --- */

static bool check(const char *schema_text, const char *value)
{
    struct ab_schema *schema = ab_schema_new(ab_json_trusted(schema_text), NULL);
    bool good;

    assert_non_null(schema);
    good = ab_schema_check(schema, ab_json_trusted(value), NULL);
    ab_schema_free(schema);
    return good;
}

static void test_bounds(void **state)
{
    struct ab_buf array = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    (void)state;
    /* Without end, exponential, and a pattern that backtracks for ever: each ends in an error. */
    assert_false(check("{\"$ref\":\"#\"}", "1"));
    assert_false(check("{\"not\":{\"$ref\":\"#\"}}", "1"));
    assert_false(check("{\"$defs\":{\"a\":{\"anyOf\":[{\"$ref\":\"#/$defs/a\"},{\"$ref\":\"#/$defs/a\"}]}},"
                       "\"$ref\":\"#/$defs/a\"}",
                       "1"));
    assert_false(check("{\"pattern\":\"^(a+)+$\"}", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\""));
    ab_buf_append_char(&array, '[');
    for (int i = 0; i < 20000; i++)
        ab_buf_printf(&array, "%s%d", i > 0 ? "," : "", i);
    ab_buf_append_char(&array, ']');
    assert_false(check("{\"uniqueItems\":true}", array.data));
    assert_true(check("{\"items\":{\"type\":\"integer\"}}", array.data));
    ab_buf_deinit(&array);
}

/* Writes `n` times what `format` makes of a number, with commas between. */
static char *many(const char *before, const char *format, int n, const char *after)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    ab_buf_append_text(&text, before);
    for (int i = 0; i < n; i++) {
        AB_CLEANUP(ab_free_string) char *item = ab_format("%d", i);
        for (const char *at = format; *at != '\0'; at++)
            if (*at == '#')
                ab_buf_append_text(&text, item);
            else
                ab_buf_append_char(&text, *at);
        if (i + 1 < n)
            ab_buf_append_char(&text, ',');
    }
    ab_buf_append_text(&text, after);
    return ab_buf_steal(&text);
}

static void assert_outcome(const char *schema_text, const char *value, const char *outcome)
{
    struct ab_schema_error error = { 0 };
    struct ab_schema *schema = ab_schema_new(ab_json_trusted(schema_text), &error);

    assert_non_null(schema);
    if (ab_schema_check(schema, ab_json_trusted(value), &error))
        assert_string_equal(outcome, "valid");
    else if (strstr(error.text, outcome) == NULL)
        fail_msg("%.80s: %s instead of %s", schema_text, error.text, outcome);
    ab_schema_free(schema);
}

/* What is done many times over has a bound in all, not only each time. */
static void test_work_adds_up(void **state)
{
    AB_CLEANUP(ab_free_string) char *hard = many("[", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa#\"", 1000, "]");
    AB_CLEANUP(ab_free_string) char *easy = many("[", "\"name-#\"", 20000, "]");
    AB_CLEANUP(ab_free_string) char *members = many("{", "\"a#\":1", 6000, "}");
    AB_CLEANUP(ab_free_string) char *properties = many("{\"properties\":{", "\"a#\":true", 5000, "}}");
    AB_CLEANUP(ab_free_string)
    char *closed = many("{\"additionalProperties\":false,\"properties\":{", "\"a#\":true", 5000, "}}");
    AB_CLEANUP(ab_free_string) char *required = many("{\"required\":[", "\"a#\"", 6000, "]}");
    AB_CLEANUP(ab_free_string) char *some = many("{\"required\":[", "\"a#\"", 50, "]}");

    (void)state;
    assert_outcome("{\"contains\":{\"pattern\":\"^(a+)+$\"}}", hard, "too much to check");
    assert_outcome("{\"items\":{\"anyOf\":[{\"pattern\":\"^(a+)+$\"},true]}}", hard, "too much to check");
    assert_outcome("{\"items\":{\"pattern\":\"^name-[0-9]+$\"}}", easy, "valid");
    assert_outcome(properties, members, "too much to check");
    assert_outcome(closed, members, "too much to check");
    assert_outcome(required, members, "too much to check");
    assert_outcome(some, members, "valid");
    assert_outcome("{\"additionalProperties\":{\"type\":\"integer\"}}", members, "valid");
}

/* What 2020-12 has and draft 7 has not. */
static const struct fit {
    const char *schema;
    const char *value;
    bool fits;
} fits[] = {
    { "{\"prefixItems\":[{\"type\":\"string\"}],\"items\":false}", "[\"a\"]", true },
    { "{\"prefixItems\":[{\"type\":\"string\"}],\"items\":false}", "[\"a\",1]", false },
    { "{\"prefixItems\":[{\"type\":\"string\"}]}", "[1]", false },
    { "{\"contains\":{\"const\":1},\"minContains\":2}", "[1]", false },
    { "{\"contains\":{\"const\":1},\"minContains\":2}", "[1,0,1]", true },
    { "{\"contains\":{\"const\":1},\"minContains\":0}", "[]", true },
    { "{\"contains\":{\"const\":1},\"maxContains\":1}", "[1,1]", false },
    { "{\"dependentRequired\":{\"a\":[\"b\"]}}", "{\"a\":1}", false },
    { "{\"dependentRequired\":{\"a\":[\"b\"]}}", "{\"a\":1,\"b\":1}", true },
    { "{\"dependentSchemas\":{\"a\":{\"required\":[\"b\"]}}}", "{\"a\":1}", false },
    { "{\"$defs\":{\"x\":{\"$anchor\":\"here\",\"type\":\"null\"}},\"$ref\":\"#here\"}", "null", true },
    { "{\"$defs\":{\"x\":{\"$anchor\":\"here\",\"type\":\"null\"}},\"$ref\":\"#here\"}", "1", false },
    { "{\"prefixItems\":[{\"$ref\":\"#/prefixItems/1\"},{\"type\":\"null\"}]}", "[null]", true },
    { "{\"prefixItems\":[{\"$ref\":\"#/prefixItems/1\"},{\"type\":\"null\"}]}", "[1]", false },
    { "{\"$defs\":{\"a/b%~\":{\"type\":\"null\"},\"\":{}},\"$ref\":\"#/$defs/a~1b%25~0\"}", "1", false },
    { "{\"$defs\":{\"\":{\"type\":\"null\"}},\"$ref\":\"#/$defs/\"}", "1", false },
    /* Where no keyword leads, in this document and in one within it. */
    { "{\"$ref\":\"#/o/x\",\"o\":{\"x\":{\"$ref\":\"#/o/y\"},\"y\":{\"type\":\"null\"}}}", "1", false },
    { "{\"$ref\":\"#/o/x\",\"o\":{\"x\":{\"$ref\":\"#/o/y\"},\"y\":{\"type\":\"null\"}}}", "null", true },
    { "{\"$ref\":\"http://e/b/c#/x\",\"$defs\":{\"d\":{\"$id\":\"http://e/b/c\",\"x\":{\"$ref\":\"#/y\"},"
      "\"y\":{\"type\":\"null\"}}}}",
      "1", false },
    { "{\"$ref\":\"http://e/b/c#/x\",\"$defs\":{\"d\":{\"$id\":\"http://e/b/c\",\"x\":{\"$ref\":\"#/y\"},"
      "\"y\":{\"type\":\"null\"}}}}",
      "null", true },
    { "{\"$ref\":\"#/$defs/x\",\"maximum\":5,\"$defs\":{\"x\":{\"minimum\":3}}}", "6", false },
};

static void test_2020_12(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(fits) / sizeof(fits[0]); i++)
        if (check(fits[i].schema, fits[i].value) != fits[i].fits)
            fail_msg("%s against %s", fits[i].value, fits[i].schema);
}

static void count_unsupported(void *arg, const char *path, const char *keyword)
{
    (void)path;
    (void)keyword;
    ++*(int *)arg;
}

static void test_unsupported(void **state)
{
    struct ab_schema *schema = ab_schema_new(
        ab_json_trusted("{\"unevaluatedProperties\":false,\"properties\":{\"a\":{\"$dynamicRef\":\"#x\"}}}"), NULL);
    int n = 0;

    (void)state;
    assert_non_null(schema);
    ab_schema_unsupported(schema, count_unsupported, &n);
    assert_int_equal(n, 2);
    ab_schema_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_suite),          cmocka_unit_test(test_suite_formats),  cmocka_unit_test(test_messages),
        cmocka_unit_test(test_broken_schemas), cmocka_unit_test(test_a_long_id),      cmocka_unit_test(test_2020_12),
        cmocka_unit_test(test_bounds),         cmocka_unit_test(test_broken_schemas), cmocka_unit_test(test_2020_12),
        cmocka_unit_test(test_work_adds_up),   cmocka_unit_test(test_unsupported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
