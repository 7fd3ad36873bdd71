/* Calls that start a task: the tool `invoke`, and agents published under a name of their own. */
#include "mcp/input_state.h"
#include "mcp/tool_call.h"
#include "mcp/wait.h"
#include "task/message.h"

#include "base/mem.h"

#include <string.h>

/* --- what goes into the task --- */

/* What the platform's API calls options: handed on as given. */
static const char *const option_names[] = {
    "version",
    "output_format",
    "output_schema",
    "expected_output",
    "think_mode",
    "llm_model_provider",
    "llm_model_name",
    "llm_reasoning_effort",
    "title",
    "payload_extension",
    "additional_context",
    "instructions_override",
    "disable_attachment_injection",
};

static char *make_options(struct ab_json arguments)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, &text);
    ab_json_object_begin(&writer);
    for (size_t i = 0; i < sizeof(option_names) / sizeof(option_names[0]); i++) {
        struct ab_json value = ab_json_member(arguments, option_names[i]);
        if (ab_json_exists(value))
            ab_json_put_value(&writer, option_names[i], value);
    }
    ab_json_object_end(&writer);
    return ab_buf_steal(&text);
}

static char *make_input(const struct ab_mcp *mcp, struct ab_json text, struct ab_json files)
{
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, &out);
    ab_json_object_begin(&writer);
    ab_json_put_value(&writer, "text", ab_json_is(text, AB_JSON_STRING) ? text : ab_json_trusted("\"\""));
    ab_json_put_value(&writer, "files", ab_json_is(files, AB_JSON_ARRAY) ? files : ab_json_trusted("[]"));
    ab_json_put_optional_raw(&writer, "user", mcp->settings.user_json);
    ab_json_object_end(&writer);
    return ab_buf_steal(&out);
}

static char *make_surface(const char *tool)
{
    return ab_format("{\"tool\":\"%s\"}", tool);
}

/* --- creation --- */

static void on_created(void *arg, enum ab_create_outcome outcome, const struct ab_task *task, const char *text)
{
    struct ab_mcp_wait *wait = arg;
    struct ab_mcp_request *request;

    if (outcome == AB_CREATE_DONE || outcome == AB_CREATE_EXISTING) {
        /* A new task's first event only says that it is there. */
        ab_mcp_wait_for(wait, task, outcome == AB_CREATE_DONE ? task->last_event : 0);
        return;
    }
    request = ab_mcp_wait_abort(wait);
    if (request != NULL)
        ab_mcp_answer_tool_error(request, "%s", text);
}

static void create(struct ab_mcp_request *request, const struct ab_new_task *wanted, struct ab_mcp_wait *wait)
{
    ab_engine_create(request->mcp->settings.engine, wanted, on_created, wait);
}

static struct ab_mcp_patience patience_for(const struct ab_mcp_request *request, struct ab_json wait_s)
{
    const struct ab_mcp_settings *settings = &request->mcp->settings;
    bool tasks = (request->capabilities & AB_MCP_CAN_TASKS) != 0;

    if (ab_mcp_wants_core_task(request))
        return (struct ab_mcp_patience){ .core_task = true };
    return (struct ab_mcp_patience){
        .handle = tasks,
        .wait_ms = ab_mcp_hold_ms(request, wait_s, tasks ? settings->grace_ms : settings->hold_ms),
    };
}

/* Named, or the default, or the only one; NULL when the caller must choose. */
static char *choose_agent(const struct ab_mcp *mcp, struct ab_json arguments)
{
    struct ab_json named = ab_json_member(arguments, "agent");
    const struct ab_agent_settings *only = ab_engine_agent_at(mcp->settings.engine, 0);

    if (ab_json_exists(named))
        return ab_json_string_dup(named);
    if (mcp->settings.default_agent != NULL)
        return ab_strdup(mcp->settings.default_agent);
    if (only != NULL && ab_engine_agent_at(mcp->settings.engine, 1) == NULL)
        return ab_strdup(only->id);
    return NULL;
}

static void name_agents(const struct ab_engine *engine, struct ab_buf *out)
{
    const struct ab_agent_settings *agent;

    for (size_t i = 0; (agent = ab_engine_agent_at(engine, i)) != NULL; i++)
        ab_buf_printf(out, "%s%s", i > 0 ? ", " : "", agent->id);
}

static void refuse_without_agent(struct ab_mcp_request *request)
{
    struct ab_buf names = AB_BUF_INIT(1024);

    name_agents(request->mcp->settings.engine, &names);
    ab_mcp_answer_tool_error(request, "Say which agent: one of %s", names.size > 0 ? names.data : "(none configured)");
    ab_buf_deinit(&names);
}

/* A name with U+0000 in it cannot be kept; left out it would mean something else: a new thread, a second task. */
static bool check_names(struct ab_mcp_request *request, struct ab_json arguments)
{
    static const char *const names[] = { "agent", "thread_id", "title", "idempotency_key" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct ab_json value = ab_json_member(arguments, names[i]);
        AB_CLEANUP(ab_free_string) char *text = ab_json_string_dup(value);
        if (ab_json_exists(value) && text == NULL) {
            ab_mcp_answer_tool_error(request, "Invalid arguments: \"%s\" must not contain U+0000", names[i]);
            return false;
        }
    }
    return true;
}

void ab_mcp_tool_invoke(struct ab_mcp_request *request, struct ab_json arguments)
{
    struct ab_mcp *mcp = request->mcp;
    struct ab_json text = ab_json_member(arguments, "text");
    struct ab_json files = ab_json_member(arguments, "files");
    struct ab_mcp_call_kind kind = { 0 };
    struct ab_mcp_patience patience = patience_for(request, ab_json_member(arguments, "wait_s"));
    struct ab_random random = ab_random_system();
    char id[AB_TASK_ID_SIZE];
    char earlier[AB_TASK_ID_SIZE];
    enum ab_mcp_retry retry = ab_mcp_read_request_state(request, earlier);
    AB_CLEANUP(ab_free_string) char *agent = choose_agent(mcp, arguments);
    AB_CLEANUP(ab_free_string) char *key = ab_json_string_dup(ab_json_member(arguments, "idempotency_key"));
    AB_CLEANUP(ab_free_string) char *thread = ab_json_string_dup(ab_json_member(arguments, "thread_id"));
    AB_CLEANUP(ab_free_string) char *title = ab_json_string_dup(ab_json_member(arguments, "title"));
    AB_CLEANUP(ab_free_string) char *surface = make_surface("invoke");
    AB_CLEANUP(ab_free_string) char *input = make_input(mcp, text, files);
    AB_CLEANUP(ab_free_string) char *options = make_options(arguments);
    AB_CLEANUP(ab_free_string) char *message = NULL;

    if (retry != AB_MCP_RETRY_NONE) {
        if (retry == AB_MCP_RETRY_GOOD)
            ab_mcp_wait_resume(request, earlier, &kind, &patience, true, mcp->settings.on_disconnect);
        return;
    }
    if (!check_names(request, arguments))
        return;
    if (agent == NULL) {
        refuse_without_agent(request);
        return;
    }
    ab_id_make(&random, id);
    message = ab_message_of_user(key != NULL ? key : id, text, (struct ab_json){ 0 }, files);
    create(request,
           &(struct ab_new_task){ .owner = request->channel->owner,
                                  .agent = agent,
                                  .surface = "mcp",
                                  .surface_json = surface,
                                  .thread_id = thread,
                                  .title = title,
                                  .message_json = message,
                                  .input_json = input,
                                  .options_json = options,
                                  .idempotency_key = key },
           ab_mcp_wait_new(request, &kind, &patience, true, mcp->settings.on_disconnect));
}

/* --- published agents --- */

/* Refuses a caller that cannot do what the tool cannot do without; false: it was refused. */
static bool check_requirements(struct ab_mcp_request *request, const struct ab_mcp_published *tool)
{
    bool modern = request->version->era == AB_MCP_MODERN;
    uint32_t needed = tool->requires;
    struct ab_buf data = AB_BUF_INIT(1024);
    struct ab_json_writer writer;

    if (tool->settings.task == AB_TOOL_TASK_ALWAYS && modern)
        needed |= AB_MCP_CAN_TASKS;
    needed &= ~request->capabilities;
    if (needed == 0)
        return true;
    ab_json_writer_init(&writer, &data);
    ab_json_object_begin(&writer);
    ab_json_write_key(&writer, "requiredCapabilities");
    ab_mcp_capabilities_write(&writer, needed);
    ab_json_object_end(&writer);
    ab_mcp_answer_error(request, modern ? AB_MCP_MISSING_CAPABILITY : AB_JSONRPC_INVALID_PARAMS,
                        "This tool needs client capabilities that were not declared", data.data);
    ab_buf_deinit(&data);
    return false;
}

/* `retried`: the call comes back with answers. A tool that asks on the call is held like a call without tasks until it
 * has asked; after that its task mode decides, but a next question gets the moment it needs to come. */
static struct ab_mcp_patience published_patience(const struct ab_mcp_request *request,
                                                 const struct ab_mcp_published *tool, bool retried)
{
    const struct ab_mcp_settings *settings = &request->mcp->settings;
    struct ab_mcp_patience patience = patience_for(request, (struct ab_json){ 0 });

    patience.ask_on_call = tool->settings.ask_on_call;
    if (tool->settings.task == AB_TOOL_TASK_NEVER)
        patience = (struct ab_mcp_patience){ .wait_ms = -1 };
    else if (patience.ask_on_call && patience.handle && !retried)
        patience.wait_ms = ab_mcp_hold_ms(request, (struct ab_json){ 0 }, settings->hold_ms);
    else if (tool->settings.task == AB_TOOL_TASK_ALWAYS && patience.handle)
        patience.wait_ms = retried ? settings->head_ms : 0;
    return patience;
}

/* Which of the agent's skills is meant. */
static char *skill_option(const char *skill)
{
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, &out);
    ab_json_object_begin(&writer);
    ab_json_put_text(&writer, "skill", skill);
    ab_json_object_end(&writer);
    return ab_buf_steal(&out);
}

void ab_mcp_call_published(struct ab_mcp_request *request, const struct ab_mcp_published *tool,
                           struct ab_json arguments)
{
    struct ab_json text = ab_json_member(arguments, "text");
    struct ab_json none = { 0 };
    struct ab_mcp_call_kind kind = { .tool = tool };
    char earlier[AB_TASK_ID_SIZE];
    enum ab_mcp_retry retry = ab_mcp_read_request_state(request, earlier);
    struct ab_mcp_patience patience = published_patience(request, tool, retry == AB_MCP_RETRY_GOOD);
    struct ab_random random = ab_random_system();
    char id[AB_TASK_ID_SIZE];
    AB_CLEANUP(ab_free_string) char *surface = make_surface(tool->settings.name);
    AB_CLEANUP(ab_free_string) char *input = make_input(request->mcp, text, none);
    AB_CLEANUP(ab_free_string) char *given = ab_json_dup(arguments);
    AB_CLEANUP(ab_free_string) char *options = tool->skill != NULL ? skill_option(tool->skill) : NULL;
    AB_CLEANUP(ab_free_string) char *message = NULL;

    if (retry == AB_MCP_RETRY_REFUSED || !check_requirements(request, tool))
        return;
    if (retry == AB_MCP_RETRY_GOOD) {
        ab_mcp_wait_resume(request, earlier, &kind, &patience, true, tool->settings.on_disconnect);
        return;
    }
    ab_id_make(&random, id);
    message = ab_message_of_user(id, text, arguments, none);
    create(request,
           &(struct ab_new_task){ .owner = request->channel->owner,
                                  .agent = tool->settings.agent,
                                  .surface = "mcp",
                                  .surface_json = surface,
                                  .message_json = message,
                                  .arguments_json = given,
                                  .options_json = options,
                                  .input_json = input },
           ab_mcp_wait_new(request, &kind, &patience, true, tool->settings.on_disconnect));
}
