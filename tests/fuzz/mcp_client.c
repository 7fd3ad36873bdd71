/* What an MCP server may answer with: tools, results, questions, tasks. What is made of it is JSON, and fits where it
 * goes. */
#include "support/fuzz.h"

#include "base/mem.h"
#include "mcp/client_message.h"
#include "mcp/client_result.h"
#include "mcp/client_tool.h"
#include "task/question.h"
#include "task/result.h"

#include <string.h>

static void on_line(void *arg, const char *line)
{
    (void)arg;
    HOLDS(strncmp(line, "Mcp-Param-", 10) == 0 && strpbrk(line, "\r\n") == NULL);
}

static void read_tool(struct ab_json value, const struct ab_mcp_version *version)
{
    struct ab_mcp_client_tool tool;
    char reason[256] = "";

    if (!ab_mcp_client_tool_read(value, version, &tool, reason, sizeof(reason))) {
        HOLDS(reason[0] != '\0');
        return;
    }
    if (version->era == AB_MCP_MODERN) {
        ab_mcp_client_tool_headers(ab_json_trusted(tool.input_json), ab_json_member(value, "arguments"), on_line, NULL);
        ab_mcp_client_tool_headers(ab_json_trusted(tool.input_json), value, on_line, NULL);
    }
    ab_mcp_client_tool_deinit(&tool);
}

/* What is reported as a result is one that the engine takes. */
static void read_result(struct ab_json value)
{
    struct ab_buf json = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_buf taken = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    char reason[AB_RESULT_REASON_SIZE];
    AB_CLEANUP(ab_free_string) char *words = ab_mcp_client_error_text(value);

    HOLDS(words[0] != '\0');
    ab_mcp_client_write_result(&json, value);
    fuzz_wrote_json(&json);
    HOLDS(ab_result_write(&taken, ab_json_trusted(json.data), (struct ab_str){ NULL, 0 }, reason, sizeof(reason)));
    ab_buf_deinit(&json);
    ab_buf_deinit(&taken);
}

static void read_questions(struct ab_json value)
{
    struct ab_json requests = ab_json_member(value, "inputRequests");
    struct ab_buf json = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    char reason[512] = "";
    size_t n;

    if (!ab_json_is(requests, AB_JSON_OBJECT))
        return;
    if (ab_mcp_client_write_questions(&json, requests, ab_json_member(value, "known"), AB_MCP_CAN_ROOTS, &n, reason,
                                      sizeof(reason))) {
        fuzz_wrote_json(&json);
        (void)!ab_questions_check(ab_json_trusted(json.data), reason, sizeof(reason));
    } else {
        HOLDS(reason[0] != '\0');
    }
    ab_buf_clear(&json);
    if (ab_mcp_client_write_responses(&json, requests, ab_json_member(value, "answers")))
        fuzz_wrote_json(&json);
    ab_buf_deinit(&json);
}

static void read_rest(struct ab_json value)
{
    struct ab_mcp_client_progress progress;
    struct ab_mcp_client_server server;
    struct ab_mcp_remote_task task;
    char reason[256];
    const char *level = NULL;
    AB_CLEANUP(ab_free_string) char *log = ab_mcp_client_read_log(value, &level);

    HOLDS(log != NULL && level != NULL);
    (void)!ab_mcp_client_read_initialize(value, &server, reason, sizeof(reason));
    ab_mcp_client_server_deinit(&server);
    (void)!ab_mcp_client_read_discover(value, &server, reason, sizeof(reason));
    ab_mcp_client_server_deinit(&server);
    (void)ab_mcp_client_is_modern_error(value);
    (void)ab_mcp_client_supported(value);
    if (ab_mcp_client_read_progress(value, 1, &progress))
        free(progress.message);
    if (ab_mcp_client_read_task(value, &task))
        ab_mcp_remote_task_deinit(&task);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct ab_mcp_version *const versions[] = { &ab_mcp_v2025_06_18, &ab_mcp_v2025_11_25,
                                                             &ab_mcp_v2026_07_28 };
    struct ab_json value;
    char reason[256];

    if (!fuzz_json(fuzz_text(data, size), &value))
        return 0;
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        read_tool(value, versions[i]);
        (void)ab_mcp_client_result_kind(value, versions[i], reason, sizeof(reason));
    }
    read_result(value);
    read_questions(value);
    read_rest(value);
    return 0;
}
