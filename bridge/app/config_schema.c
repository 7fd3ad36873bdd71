/* The schema's word, for each part of the configuration on its own: the check tells the first fault only, and a person
 * wants all of them. */
#include "app/config_parts.h"
#include "base/embedded.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

/* In a part's place where the part is not what is looked at, so that nothing required is missing. */
#define STAND_IN "{\"x\":{\"kind\":\"command\",\"command\":[\"x\"]}}"

struct ab_schema *ab_config_schema(void)
{
    struct ab_json schema = ab_json_trusted(ab_embedded("config.schema.json").data);
    struct ab_schema_error error;
    struct ab_schema *compiled = ab_schema_new(schema, &error);

    if (compiled == NULL) {
        /* It is part of the program and its tests: a build that gets here is broken. */
        (void)fprintf(stderr, "agentbridge: config.schema.json: %s: %s\n", error.path, error.text);
        abort();
    }
    return compiled;
}

static void add_fault(const struct ab_schema_error *fault, struct ab_problems *problems)
{
    struct ab_buf where = AB_BUF_INIT(1024);

    ab_problem_path(fault->path, &where);
    ab_problem_error(problems, where.data, "%s", fault->text);
    ab_buf_deinit(&where);
}

/* Checks {"agents":{...}} or {"agents":STAND_IN,"<key>":...}. */
static bool check_part(const struct ab_schema *schema, struct ab_str document, struct ab_problems *problems)
{
    struct ab_json value = { document };
    struct ab_schema_error fault;

    if (ab_schema_check(schema, value, &fault))
        return true;
    if (problems != NULL)
        add_fault(&fault, problems);
    return false;
}

bool ab_config_check_agent(const struct ab_schema *schema, struct ab_json key, struct ab_json agent,
                           struct ab_problems *problems)
{
    struct ab_buf part = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    bool good;

    ab_buf_append_text(&part, "{\"agents\":{");
    ab_buf_append_str(&part, key.text);
    ab_buf_append_char(&part, ':');
    ab_buf_append_str(&part, agent.text);
    ab_buf_append_text(&part, "}}");
    good = check_part(schema, ab_buf_str(&part), problems);
    ab_buf_deinit(&part);
    return good;
}

static void check_member(const struct ab_schema *schema, struct ab_json key, struct ab_json value,
                         struct ab_problems *problems)
{
    struct ab_buf part = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    ab_buf_append_text(&part, "{\"agents\":" STAND_IN ",");
    ab_buf_append_str(&part, key.text);
    ab_buf_append_char(&part, ':');
    ab_buf_append_str(&part, value.text);
    ab_buf_append_char(&part, '}');
    (void)check_part(schema, ab_buf_str(&part), problems);
    ab_buf_deinit(&part);
}

static void check_agents(const struct ab_schema *schema, struct ab_json agents, struct ab_problems *problems)
{
    struct ab_json_iterator iterator = ab_json_iterate(agents);
    struct ab_json key;
    struct ab_json agent;

    while (ab_json_next(&iterator, &key, &agent))
        (void)ab_config_check_agent(schema, key, agent, problems);
}

void ab_config_check_schema(const struct ab_schema *schema, struct ab_json root, struct ab_problems *problems)
{
    struct ab_json_iterator iterator = ab_json_iterate(root);
    size_t before = problems->errors;
    struct ab_schema_error fault;
    struct ab_json key;
    struct ab_json value;

    if (ab_schema_check(schema, root, &fault))
        return;
    while (ab_json_is(root, AB_JSON_OBJECT) && ab_json_next(&iterator, &key, &value)) {
        if (ab_json_string_is(key, "agents") && ab_json_is(value, AB_JSON_OBJECT))
            check_agents(schema, value, problems);
        else if (!ab_json_string_is(key, "agents"))
            check_member(schema, key, value, problems);
    }
    if (problems->errors == before || ab_json_count(ab_json_member(root, "agents")) == 0)
        add_fault(&fault, problems);
}
