#include "a2a/push.h"

#include "a2a/write.h"
#include "base/mem.h"

#include <string.h>

int ab_a2a_push_body(struct ab_engine *engine, const struct ab_a2a_push_target *target, const struct ab_task *task,
                     struct ab_buf *out)
{
    const struct ab_a2a_version *version = ab_a2a_version_find(ab_str(target->version));
    const struct ab_a2a_task_wish wish = { .history_length = -1, .artifacts = true };
    struct ab_json_writer writer;
    int result;

    if (version == NULL)
        return 1;
    /* Never in an envelope: over JSON-RPC, too, it is what one event of a stream would hold (1.0, 4.3; 0.3, 9.5). */
    ab_json_writer_init(&writer, out);
    ab_a2a_begin(&writer, version->rpc_form, "task", "task");
    result = ab_a2a_write_task(&writer, (struct ab_a2a_view){ engine, version->rpc_form }, task, &wish);
    ab_a2a_end(&writer, version->rpc_form);
    return result;
}

/* Whether it may stand in a header: a line break would begin another one. */
static bool is_plain(const char *text)
{
    for (; text != NULL && *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return false;
    return true;
}

bool ab_a2a_push_headers(const struct ab_a2a_push_target *target, char *out[AB_A2A_PUSH_HEADERS])
{
    const struct ab_a2a_version *version = ab_a2a_version_find(ab_str(target->version));
    size_t n = 0;

    memset(out, 0, AB_A2A_PUSH_HEADERS * sizeof *out);
    if (!is_plain(target->token) || !is_plain(target->scheme) || !is_plain(target->credentials))
        return false;
    out[n++] = ab_format("Content-Type: %s",
                         version != NULL && version->typed_http ? "application/a2a+json" : "application/json");
    if (target->token != NULL)
        out[n++] = ab_format("X-A2A-Notification-Token: %s", target->token);
    if (target->scheme != NULL && target->credentials != NULL)
        out[n++] = ab_format("Authorization: %s %s", target->scheme, target->credentials);
    return true;
}
