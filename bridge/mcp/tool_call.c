/* tools/call: finds the tool, checks its arguments, and hands over. */
#include "mcp/tool_call.h"

#include "mcp/methods.h"
#include "mcp/profiles.h"
#include "mcp/tools.h"

#include <string.h>

int64_t ab_mcp_hold_ms(const struct ab_mcp_request *request, struct ab_json wait_s, int64_t fallback_ms)
{
    const struct ab_mcp_profile *profile = ab_mcp_profile_find(request->client_name);
    double limit = profile != NULL ? profile->wait_max_ms : request->mcp->settings.wait_max_ms;
    double wanted = (double)fallback_ms;
    double seconds;

    if (ab_json_double(wait_s, &seconds))
        wanted = seconds * 1000;
    return (int64_t)(wanted < limit ? wanted : limit);
}

static ab_mcp_tool_fn builtin_handler(const char *name)
{
    static const struct {
        const char *name;
        ab_mcp_tool_fn handle;
    } handlers[AB_MCP_BUILTINS] = {
        { "invoke", ab_mcp_tool_invoke },           { "get-task", ab_mcp_tool_get_task },
        { "list-agents", ab_mcp_tool_list_agents }, { "list-tasks", ab_mcp_tool_list_tasks },
        { "reply-task", ab_mcp_tool_reply_task },   { "stop-task", ab_mcp_tool_stop_task },
    };

    for (size_t i = 0; i < AB_MCP_BUILTINS; i++)
        if (strcmp(handlers[i].name, name) == 0)
            return handlers[i].handle;
    return NULL;
}

/* Misfit arguments are the tool's own error, so that a model can mend them (server/tools, "Error Handling"). */
static bool check_arguments(struct ab_mcp_request *request, const struct ab_schema *schema, struct ab_json arguments)
{
    struct ab_schema_error error;

    if (schema == NULL || ab_schema_check(schema, arguments, &error))
        return true;
    ab_mcp_answer_tool_error(request, "Invalid arguments: at \"%s\" (schema %s): %s", error.path, error.schema_path,
                             error.text);
    return false;
}

/* Whether the caller wants a task of the 2025-11-25 dialect; other versions ignore the member. */
bool ab_mcp_wants_core_task(const struct ab_mcp_request *request)
{
    return request->version->core_tasks && ab_json_exists(ab_json_member(request->message.params, "task"));
}

/* False, after an answer: this tool makes no tasks (2025-11-25, basic/utilities/tasks: -32601). */
static bool check_task_support(struct ab_mcp_request *request, const struct ab_mcp_published *published,
                               const struct ab_mcp_builtin *builtin)
{
    struct ab_json task;
    struct ab_json ttl;
    double ttl_ms;
    bool optional =
        published != NULL ? published->settings.task != AB_TOOL_TASK_NEVER : strcmp(builtin->name, "invoke") == 0;

    if (!ab_mcp_wants_core_task(request))
        return true;
    task = ab_json_member(request->message.params, "task");
    ttl = ab_json_member(task, "ttl");
    if (!optional) {
        ab_mcp_answer_errorf(request, AB_JSONRPC_METHOD_NOT_FOUND, "This tool cannot be called as a task");
        return false;
    }
    if (ab_json_is(task, AB_JSON_OBJECT) && (!ab_json_exists(ttl) || ab_json_double(ttl, &ttl_ms)))
        return true;
    ab_mcp_answer_errorf(request, AB_JSONRPC_INVALID_PARAMS,
                         "params.task must be an object, and its ttl a number of milliseconds");
    return false;
}

void ab_mcp_tools_call(struct ab_mcp_request *request)
{
    struct ab_json_wanted params[] = { { .key = "name" }, { .key = "arguments" } };
    const struct ab_mcp_published *published;
    const struct ab_mcp_builtin *builtin;
    struct ab_json arguments;
    struct ab_json name;

    ab_json_find(request->message.params, params, sizeof params / sizeof *params);
    name = params[0].value;
    arguments = params[1].value;
    published = ab_mcp_find_published(request->mcp, name);
    builtin = ab_mcp_find_builtin(request->mcp, name);
    if (!ab_json_exists(arguments) || ab_json_is(arguments, AB_JSON_NULL))
        arguments = ab_json_trusted("{}");
    if (!ab_json_is(name, AB_JSON_STRING))
        ab_mcp_answer_errorf(request, AB_JSONRPC_INVALID_PARAMS, "params.name must be a string, found %s",
                             ab_json_type_name(name));
    else if (!ab_json_is(arguments, AB_JSON_OBJECT))
        ab_mcp_answer_errorf(request, AB_JSONRPC_INVALID_PARAMS, "params.arguments must be an object, found %s",
                             ab_json_type_name(arguments));
    else if (published == NULL && builtin == NULL)
        ab_mcp_answer_errorf(request, AB_JSONRPC_INVALID_PARAMS, "There is no tool %.*s", AB_STR_ARGS(name.text));
    else if (!check_task_support(request, published, builtin))
        return;
    else if (!check_arguments(request, published != NULL ? published->input : builtin->input, arguments))
        return;
    else if (published != NULL)
        ab_mcp_call_published(request, published, arguments);
    else
        builtin_handler(builtin->name)(request, arguments);
}
