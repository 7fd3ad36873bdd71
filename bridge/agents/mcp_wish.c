/* What a message asks for: a tool and its arguments, or a refusal that says how to ask. */
#include "agents/mcp_run.h"

#include "base/mem.h"

#include <string.h>

enum { SHOWN_TOOLS = 20, SHOWN_SCHEMA = 2000 };

static bool take_tool(struct mcp_run *run, struct ab_json wish)
{
    struct ab_json arguments = ab_json_member(wish, "arguments");
    char *tool = ab_json_string_dup(ab_json_member(wish, "tool"));
    if (tool == NULL) {
        return false;
    }
    run->tool = tool;
    run->arguments =
        ab_json_exists(arguments) && !ab_json_is(arguments, AB_JSON_NULL) ? ab_json_dup(arguments) : ab_strdup("{}");
    return true;
}

/* The first data part that names a tool. */
static bool take_part(struct mcp_run *run, struct ab_json message)
{
    struct ab_json_iterator each = ab_json_iterate(ab_json_member(message, "parts"));
    struct ab_json part;
    while (ab_json_next(&each, NULL, &part)) {
        if (take_tool(run, ab_json_member(part, "data"))) {
            return true;
        }
    }
    return false;
}

static void join_texts(struct ab_json message, struct ab_buf *out)
{
    struct ab_json_iterator each = ab_json_iterate(ab_json_member(message, "parts"));
    struct ab_json part;
    while (ab_json_next(&each, NULL, &part)) {
        struct ab_json text = ab_json_member(part, "text");
        if (ab_json_is(text, AB_JSON_STRING) && out->size > 0) {
            ab_buf_append_char(out, '\n');
        }
        (void)!ab_json_unescape(text, out);
    }
}

/* The configuration says which tool is meant by whoever names none. */
static bool take_default(struct mcp_run *run, struct ab_json message, struct ab_json arguments)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_buf made = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    if (run->agent->default_tool == NULL) {
        return false;
    }
    run->tool = ab_strdup(run->agent->default_tool);
    if (ab_json_exists(arguments)) {
        run->arguments = ab_json_dup(arguments);
        return true;
    }
    join_texts(message, &text);
    ab_json_writer_init(&writer, &made);
    ab_json_object_begin(&writer);
    ab_json_write_key_str(&writer, ab_str(run->agent->default_argument));
    ab_json_write_str(&writer, ab_buf_str(&text));
    ab_json_object_end(&writer);
    run->arguments = ab_buf_steal(&made);
    ab_buf_deinit(&text);
    return true;
}

bool mcp_run_read_wish(struct mcp_run *run, const struct ab_task_request *request)
{
    struct ab_json message = ab_json_trusted(request->message_json);
    struct ab_json arguments = ab_json_trusted(request->arguments_json);
    struct ab_json skill = ab_json_member(ab_json_trusted(request->options_json), "skill");
    if (ab_json_is(skill, AB_JSON_STRING) && ab_json_exists(arguments)) {
        run->tool = ab_json_string_dup(skill);
        run->arguments = ab_json_dup(arguments);
        return run->tool != NULL;
    }
    return take_tool(run, arguments) || take_part(run, message) || take_default(run, message, arguments);
}

/* --- refusals --- */

static void list_names(const struct mcp_server *server, struct ab_buf *out)
{
    size_t n = server->tools != NULL ? server->tools->n : 0;
    for (size_t i = 0; i < n && i < SHOWN_TOOLS; i++) {
        const struct ab_mcp_client_tool *tool = &server->tools->items[i];
        ab_buf_printf(out, "\n- %s", tool->name);
        if (tool->description != NULL) {
            ab_buf_printf(out, ": %.200s", tool->description);
        }
        if (strlen(tool->input_json) <= SHOWN_SCHEMA) {
            ab_buf_printf(out, "\n  arguments: %s", tool->input_json);
        }
    }
    if (n > SHOWN_TOOLS) {
        ab_buf_printf(out, "\n- and %zu more", n - SHOWN_TOOLS);
    }
    if (n == 0) {
        ab_buf_append_text(out, "\n(none)");
    }
}

/* The texts of others were cut at bytes: what is left of a character goes. */
static char *steal_valid(struct ab_buf *text)
{
    struct ab_buf clean = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_str rest = ab_buf_str(text);
    while (rest.size > 0) {
        size_t valid = ab_utf8_valid_prefix(rest);
        size_t used = valid < rest.size ? valid + 1 : valid;
        ab_buf_append(&clean, rest.data, valid);
        rest.data += used;
        rest.size -= used;
    }
    ab_buf_deinit(text);
    return ab_buf_steal(&clean);
}

static void refuse_without_tool(struct mcp_run *run)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    ab_buf_append_text(&text, "This agent runs the tools of an MCP server and understands no plain text. Send a data "
                              "part {\"tool\":\"<name>\",\"arguments\":{...}} with one of its tools:");
    list_names(run->agent->server, &text);
    run->refusal = steal_valid(&text);
}

static void refuse_unknown(struct mcp_run *run)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    ab_buf_printf(&text, "There is no tool \"%s\". The tools are:", run->tool);
    list_names(run->agent->server, &text);
    run->refusal = steal_valid(&text);
}

static char *without_nulls(struct ab_json arguments)
{
    struct ab_json_iterator each = ab_json_iterate(arguments);
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    struct ab_json key;
    struct ab_json value;
    ab_json_writer_init(&writer, &out);
    ab_json_object_begin(&writer);
    while (ab_json_next(&each, &key, &value)) {
        if (!ab_json_is(value, AB_JSON_NULL)) {
            ab_json_put_member(&writer, key, value);
        }
    }
    ab_json_object_end(&writer);
    return ab_buf_steal(&out);
}

/* Many say "none" by null where the schema wants the argument left out: whether that will do is for the server to say.
 */
static bool fits(const struct ab_schema *schema, struct ab_json arguments, struct ab_schema_error *error)
{
    if (ab_schema_check(schema, arguments, error)) {
        return true;
    }
    AB_CLEANUP(ab_free_string) char *rest = without_nulls(arguments);
    return ab_schema_check(schema, ab_json_trusted(rest), NULL);
}

bool mcp_run_check_wish(struct mcp_run *run)
{
    struct ab_schema_error error;
    struct ab_json arguments;
    if (run->tool == NULL) {
        refuse_without_tool(run);
        return false;
    }
    const struct ab_mcp_client_tool *tool = mcp_server_tool(run->agent->server, run->tool);
    if (tool == NULL) {
        refuse_unknown(run);
        return false;
    }
    arguments = ab_json_trusted(run->arguments);
    if (!ab_json_is(arguments, AB_JSON_OBJECT)) {
        run->refusal =
            ab_format("The arguments of %s must be an object, not %s", run->tool, ab_json_type_name(arguments));
        return false;
    }
    if (tool->input != NULL && !fits(tool->input, arguments, &error)) {
        run->refusal = ab_format("The arguments do not fit the tool %s: at \"%s\" (schema %s): %s", run->tool,
                                 error.path, error.schema_path, error.text);
        return false;
    }
    return true;
}
