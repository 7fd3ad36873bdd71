/* Getting to know each other: initialize, server/discover, ping, the log level. */
#include "mcp/methods.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

static const char instructions[] =
    "Agents run as tasks. invoke starts one and returns its result, or a task_id when it takes longer; get-task then "
    "waits for it and returns the result. list-agents says which agents there are.";

void ab_mcp_write_server_info(struct ab_json_writer *writer)
{
    ab_json_object_begin(writer);
    ab_json_put_text(writer, "name", "agentbridge");
    ab_json_put_text(writer, "title", "agentbridge");
    ab_json_put_text(writer, "version", AB_VERSION);
    ab_json_object_end(writer);
}

static void begin_session(struct ab_mcp_request *request, struct ab_json params)
{
    struct ab_mcp_session session = { .version = request->version };
    struct ab_buf token = AB_BUF_INIT(8192);
    struct ab_random random = ab_random_system();
    AB_CLEANUP(ab_free_string) char *name = ab_json_string_dup(ab_json_at(params, "clientInfo", "name", NULL));

    ab_id_make(&random, session.id);
    /* The Tasks extension does not exist in this era, whatever a client declares. */
    session.capabilities =
        ab_mcp_capabilities_read(ab_json_member(params, "capabilities")) & ~(uint32_t)AB_MCP_CAN_TASKS;
    snprintf(session.client_name, sizeof(session.client_name), "%s", name != NULL ? name : "");
    if (ab_mcp_session_seal(request->mcp->settings.sealer, request->channel->owner, &session, &token) == AB_OK)
        request->channel->session_token = ab_buf_steal(&token);
    ab_buf_deinit(&token);
}

/* Only skills of agents come and go among the tools. */
static void write_capabilities(struct ab_json_writer *writer, const struct ab_mcp_request *request)
{
    ab_json_write_key(writer, "capabilities");
    ab_json_object_begin(writer);
    ab_json_put_raw(writer, "tools", request->mcp->settings.n_skills > 0 ? "{\"listChanged\":true}" : "{}");
    ab_json_put_raw(writer, "logging", "{}");
    if (request->version->core_tasks)
        ab_json_put_raw(writer, "tasks", "{\"list\":{},\"cancel\":{},\"requests\":{\"tools\":{\"call\":{}}}}");
    if (request->version->era == AB_MCP_MODERN)
        ab_json_put_raw(writer, "extensions", "{\"io.modelcontextprotocol/tasks\":{}}");
    ab_json_object_end(writer);
}

void ab_mcp_initialize(struct ab_mcp_request *request)
{
    struct ab_json params = request->message.params;
    AB_CLEANUP(ab_free_string) char *wanted = ab_json_string_dup(ab_json_member(params, "protocolVersion"));
    struct ab_mcp_result result;

    if (wanted == NULL) {
        ab_mcp_answer_errorf(request, AB_JSONRPC_INVALID_PARAMS, "params.protocolVersion must be a string");
        return;
    }
    const struct ab_mcp_version *version = ab_mcp_version_find(ab_str(wanted));
    if (version != NULL && version->era == AB_MCP_LEGACY)
        request->version = version;
    begin_session(request, params);
    ab_mcp_result_begin(&result, request, "complete");
    ab_json_put_text(&result.writer, "protocolVersion", request->version->name);
    write_capabilities(&result.writer, request);
    ab_json_write_key(&result.writer, "serverInfo");
    ab_mcp_write_server_info(&result.writer);
    ab_json_put_text(&result.writer, "instructions", instructions);
    ab_mcp_result_send(&result);
}

void ab_mcp_discover(struct ab_mcp_request *request)
{
    struct ab_mcp_result result;

    ab_mcp_result_begin(&result, request, "complete");
    ab_json_write_key(&result.writer, "supportedVersions");
    ab_json_array_begin(&result.writer);
    for (size_t i = 0; ab_mcp_versions[i] != NULL; i++)
        if (ab_mcp_versions[i]->era == AB_MCP_MODERN)
            ab_json_write_text(&result.writer, ab_mcp_versions[i]->name);
    ab_json_array_end(&result.writer);
    write_capabilities(&result.writer, request);
    ab_json_put_text(&result.writer, "instructions", instructions);
    ab_json_put_int(&result.writer, "ttlMs", 3600000);
    ab_json_put_text(&result.writer, "cacheScope", "public");
    ab_mcp_result_send(&result);
}

void ab_mcp_ping(struct ab_mcp_request *request)
{
    ab_mcp_answer_empty(request);
}

int ab_mcp_level_parse(struct ab_json name)
{
    static const char *const levels[] = { "debug", "info",     "notice", "warning",
                                          "error", "critical", "alert",  "emergency" };

    for (int i = 0; i < 8; i++)
        if (ab_json_string_is(name, levels[i]))
            return i;
    return -1;
}

/* --- logging/setLevel: recorded, so that it holds after a restart --- */

static void level_stored(void *arg, enum ab_store_outcome outcome, const char *text)
{
    struct ab_mcp_request *request = ab_mcp_ticket_redeem(arg);

    if (request == NULL)
        return;
    if (outcome == AB_STORE_DONE)
        ab_mcp_answer_empty(request);
    else
        ab_mcp_answer_errorf(request, AB_JSONRPC_INTERNAL_ERROR, "The level could not be stored: %s", text);
}

void ab_mcp_set_level(struct ab_mcp_request *request)
{
    const int64_t kept_ms = (int64_t)30 * 24 * 3600 * 1000;
    struct ab_mcp_session_record record = { 0 };

    record.log_level = ab_mcp_level_parse(ab_json_member(request->message.params, "level"));
    if (record.log_level < 0) {
        ab_mcp_answer_errorf(request, AB_JSONRPC_INVALID_PARAMS,
                             "params.level must be one of debug, info, notice, warning, error, critical, alert, "
                             "emergency");
        return;
    }
    ab_mcp_session_save(request->mcp->settings.store, request->session_id, request->channel->owner, &record,
                        ab_clock_wall_ms(&request->mcp->settings.loop->clock) + kept_ms, level_stored,
                        ab_mcp_ticket_new(request));
}
