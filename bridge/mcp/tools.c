#include "mcp/tools.h"

#include "mcp/methods.h"

#include "base/embedded.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

static const char tools_file[] = "mcp/tools.json";
static const char task_schema_file[] = "mcp/task.schema.json";

/* --- construction --- */

static bool fail(char *reason, size_t reason_size, const char *tool, const char *what,
                 const struct ab_schema_error *error)
{
    snprintf(reason, reason_size, "tool \"%s\": %s: %s%s%s", tool, what, error->path,
             error->path[0] != '\0' ? ": " : "", error->text);
    return false;
}

static bool init_builtin(struct ab_mcp *mcp, char *reason, size_t reason_size)
{
    struct ab_json_iterator tools = ab_json_iterate(ab_json_trusted(ab_embedded(tools_file).data));
    struct ab_json tool;
    struct ab_schema_error error;

    for (size_t i = 0; i < AB_MCP_BUILTINS && ab_json_next(&tools, NULL, &tool); i++) {
        struct ab_mcp_builtin *builtin = &mcp->builtin[i];
        builtin->definition = tool;
        builtin->name = ab_json_string_dup(ab_json_member(tool, "name"));
        builtin->input = ab_schema_new(ab_json_member(tool, "inputSchema"), &error);
        if (builtin->input == NULL)
            return fail(reason, reason_size, builtin->name, "its input schema", &error);
    }
    return true;
}

static void copy_settings(struct ab_mcp_tool *out, const struct ab_mcp_tool *tool)
{
    *out = *tool;
    out->agent = ab_strdup(tool->agent);
    out->name = ab_strdup(tool->name);
    out->title = ab_strdup(tool->title);
    out->description = ab_strdup(tool->description);
    out->input_schema_json =
        ab_strdup(tool->input_schema_json != NULL ? tool->input_schema_json : "{\"type\":\"object\"}");
    out->output_schema_json = ab_strdup(tool->output_schema_json);
    out->annotations_json = ab_strdup(tool->annotations_json);
    out->icons_json = ab_strdup(tool->icons_json);
    out->requires_json = ab_strdup(tool->requires_json);
}

static void free_settings(struct ab_mcp_tool *tool)
{
    const char **strings[] = { &tool->agent,
                               &tool->name,
                               &tool->title,
                               &tool->description,
                               &tool->input_schema_json,
                               &tool->output_schema_json,
                               &tool->annotations_json,
                               &tool->icons_json,
                               &tool->requires_json };

    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        free((void *)(uintptr_t)*strings[i]);
        *strings[i] = NULL;
    }
}

struct ab_mcp_published *ab_mcp_published_new(const struct ab_mcp_tool *settings)
{
    struct ab_mcp_published *tool = ab_alloc(1, sizeof(*tool));

    copy_settings(&tool->settings, settings);
    tool->holders = 1;
    return tool;
}

void ab_mcp_published_hold(const struct ab_mcp_published *tool)
{
    if (tool != NULL)
        ((struct ab_mcp_published *)(uintptr_t)tool)->holders++;
}

void ab_mcp_published_release(const struct ab_mcp_published *held)
{
    struct ab_mcp_published *tool = (struct ab_mcp_published *)(uintptr_t)held;

    if (tool == NULL || --tool->holders > 0)
        return;
    free_settings(&tool->settings);
    ab_schema_free(tool->input);
    ab_schema_free(tool->output);
    free(tool->skill);
    free(tool->skill_json);
    free(tool);
}

static bool init_published(struct ab_mcp *mcp, struct ab_mcp_published *tool, char *reason, size_t reason_size)
{
    struct ab_schema_error error;
    struct ab_json name = { 0 };
    AB_CLEANUP(ab_free_string) char *quoted = ab_format("\"%s\"", tool->settings.name);

    name = ab_json_trusted(quoted);
    if (ab_mcp_find_builtin(mcp, name) != NULL || ab_mcp_find_published(mcp, name) != tool) {
        snprintf(reason, reason_size, "tool \"%s\": this name is taken already", tool->settings.name);
        return false;
    }
    tool->input = ab_schema_new(ab_json_trusted(tool->settings.input_schema_json), &error);
    if (tool->input == NULL)
        return fail(reason, reason_size, tool->settings.name, "input_schema", &error);
    if (tool->settings.output_schema_json != NULL) {
        tool->output = ab_schema_new(ab_json_trusted(tool->settings.output_schema_json), &error);
        if (tool->output == NULL)
            return fail(reason, reason_size, tool->settings.name, "output_schema", &error);
    }
    if (tool->settings.requires_json != NULL)
    tool->requires = ab_mcp_capabilities_read(ab_json_trusted(tool->settings.requires_json));
    return true;
}

bool ab_mcp_tools_init(struct ab_mcp *mcp, const struct ab_mcp_tool *tools, size_t n_tools, char *reason,
                       size_t reason_size)
{
    static const struct ab_mcp_tool departed = { .agent = "", .name = "", .can_ask = true };

    if (!init_builtin(mcp, reason, reason_size))
        return false;
    mcp->published = ab_alloc(n_tools + 1, sizeof(struct ab_mcp_published *));
    mcp->n_published = n_tools;
    mcp->n_configured = n_tools;
    mcp->departed = ab_mcp_published_new(&departed);
    for (size_t i = 0; i < n_tools; i++)
        mcp->published[i] = ab_mcp_published_new(&tools[i]);
    for (size_t i = 0; i < n_tools; i++)
        if (!init_published(mcp, mcp->published[i], reason, reason_size))
            return false;
    return true;
}

void ab_mcp_tools_deinit(struct ab_mcp *mcp)
{
    for (size_t i = 0; i < AB_MCP_BUILTINS; i++) {
        free(mcp->builtin[i].name);
        ab_schema_free(mcp->builtin[i].input);
    }
    for (size_t i = 0; i < mcp->n_published; i++)
        ab_mcp_published_release(mcp->published[i]);
    free(mcp->published);
    ab_mcp_published_release(mcp->departed);
}

/* --- finding --- */

const struct ab_mcp_published *ab_mcp_find_published(const struct ab_mcp *mcp, struct ab_json name)
{
    for (size_t i = 0; i < mcp->n_published; i++)
        if (ab_json_string_is(name, mcp->published[i]->settings.name))
            return mcp->published[i];
    return NULL;
}

const struct ab_mcp_published *ab_mcp_published_of(const struct ab_mcp *mcp, const char *agent)
{
    for (size_t i = 0; i < mcp->n_configured; i++)
        if (strcmp(agent, mcp->published[i]->settings.agent) == 0)
            return mcp->published[i];
    return NULL;
}

const struct ab_mcp_builtin *ab_mcp_find_builtin(const struct ab_mcp *mcp, struct ab_json name)
{
    for (size_t i = 0; i < AB_MCP_BUILTINS; i++)
        if (mcp->builtin[i].name != NULL && ab_json_string_is(name, mcp->builtin[i].name))
            return &mcp->builtin[i];
    return NULL;
}

/* Whether a call of this tool may be answered by the task's own shape instead of the author's output. */
static bool may_give_handle(const struct ab_mcp_published *tool)
{
    return tool->settings.task != AB_TOOL_TASK_NEVER || tool->settings.can_ask;
}

/* --- tools/list --- */

static void put_task_support(struct ab_json_writer *writer, const struct ab_mcp_version *version, bool optional)
{
    if (version->core_tasks)
        ab_json_put_raw(writer, "execution",
                        optional ? "{\"taskSupport\":\"optional\"}" : "{\"taskSupport\":\"forbidden\"}");
}

static void write_builtin(struct ab_json_writer *writer, const struct ab_mcp_builtin *tool,
                          const struct ab_mcp_version *version)
{
    struct ab_json output = ab_json_member(tool->definition, "outputSchema");

    ab_json_object_begin(writer);
    ab_json_put_value(writer, "name", ab_json_member(tool->definition, "name"));
    if (version->structured)
        ab_json_put_value(writer, "title", ab_json_member(tool->definition, "title"));
    ab_json_put_value(writer, "description", ab_json_member(tool->definition, "description"));
    ab_json_put_value(writer, "inputSchema", ab_json_member(tool->definition, "inputSchema"));
    if (version->structured)
        ab_json_put_value(writer, "outputSchema",
                          ab_json_exists(output) ? output : ab_json_trusted(ab_embedded(task_schema_file).data));
    if (version->annotations)
        ab_json_put_value(writer, "annotations", ab_json_member(tool->definition, "annotations"));
    put_task_support(writer, version, strcmp(tool->name, "invoke") == 0);
    ab_json_object_end(writer);
}

/* The author's schema, or the task's shape where a call may outlast its hold or ask something. Where structured content
 * is always an object, a schema of anything else cannot be kept and is not promised. */
static void write_output_schema(struct ab_json_writer *writer, const struct ab_mcp_published *tool,
                                const struct ab_mcp_version *version)
{
    struct ab_json authored = ab_json_trusted(tool->settings.output_schema_json);

    if (tool->settings.output_schema_json == NULL ||
        (!version->any_structured && !ab_json_string_is(ab_json_member(authored, "type"), "object")))
        return;
    ab_json_write_key(writer, "outputSchema");
    if (!may_give_handle(tool)) {
        ab_json_write_raw(writer, tool->settings.output_schema_json);
        return;
    }
    ab_json_object_begin(writer);
    ab_json_put_text(writer, "type", "object");
    ab_json_write_key(writer, "anyOf");
    ab_json_array_begin(writer);
    ab_json_write_raw(writer, tool->settings.output_schema_json);
    ab_json_write_value(writer, ab_json_trusted(ab_embedded(task_schema_file).data));
    ab_json_array_end(writer);
    ab_json_object_end(writer);
}

static void write_published(struct ab_json_writer *writer, const struct ab_mcp_published *tool,
                            const struct ab_mcp_version *version)
{
    const struct ab_mcp_tool *settings = &tool->settings;

    ab_json_object_begin(writer);
    ab_json_put_text(writer, "name", settings->name);
    if (version->structured)
        ab_json_put_optional_text(writer, "title", settings->title);
    ab_json_put_text(writer, "description", settings->description != NULL ? settings->description : settings->name);
    if (version->icons)
        ab_json_put_optional_raw(writer, "icons", settings->icons_json);
    ab_json_put_raw(writer, "inputSchema", settings->input_schema_json);
    if (version->structured)
        write_output_schema(writer, tool, version);
    if (version->annotations)
        ab_json_put_optional_raw(writer, "annotations", settings->annotations_json);
    put_task_support(writer, version, settings->task != AB_TOOL_TASK_NEVER);
    ab_json_object_end(writer);
}

void ab_mcp_tools_list(struct ab_mcp_request *request)
{
    const struct ab_mcp *mcp = request->mcp;
    struct ab_mcp_result result;

    if (ab_json_exists(ab_json_member(request->message.params, "cursor"))) {
        ab_mcp_answer_errorf(request, AB_JSONRPC_INVALID_PARAMS,
                             "This cursor is unknown: tools/list gives all tools at once");
        return;
    }
    ab_mcp_result_begin(&result, request, "complete");
    ab_json_write_key(&result.writer, "tools");
    ab_json_array_begin(&result.writer);
    for (size_t i = 0; i < AB_MCP_BUILTINS; i++)
        write_builtin(&result.writer, &mcp->builtin[i], request->version);
    for (size_t i = 0; i < mcp->n_published; i++)
        write_published(&result.writer, mcp->published[i], request->version);
    ab_json_array_end(&result.writer);
    if (request->version->era == AB_MCP_MODERN) {
        ab_json_put_int(&result.writer, "ttlMs", 300000);
        ab_json_put_text(&result.writer, "cacheScope", "public");
    }
    ab_mcp_result_send(&result);
}
