#include "deliver/a2a_push.h"

#include "a2a/push.h"
#include "base/mem.h"

#include <inttypes.h>

/* Appends the bearer token of those who gave no authentication; nothing when none is made. False: it cannot be. */
static bool make_jwt(const struct ab_a2a_push_encoder *encoder, const struct ab_delivery *delivery,
                     const struct ab_a2a_push_target *target, struct ab_str body, int64_t now_ms, struct ab_buf *out)
{
    AB_CLEANUP(ab_free_string)
    char *id =
        ab_format("%s-%" PRIu32 "-%" PRIu64 "-%" PRId64, delivery->task, delivery->lane, delivery->event, now_ms);

    if (encoder->signer == NULL || (target->scheme != NULL && target->credentials != NULL))
        return true;
    return ab_a2a_push_jwt(encoder->signer,
                           &(struct ab_a2a_push_claims){ .issuer = ab_a2a_url(encoder->a2a),
                                                         .audience = target->url,
                                                         .task_id = delivery->task,
                                                         .id = id,
                                                         .now_ms = now_ms,
                                                         .body = body },
                           out) == AB_OK;
}

static enum ab_encoding add_headers(const struct ab_a2a_push_encoder *encoder, const struct ab_delivery *delivery,
                                    const struct ab_a2a_push_target *target, int64_t now_ms, struct ab_outgoing *out,
                                    struct ab_buf *why)
{
    struct ab_buf jwt = AB_BUF_INIT(65536);
    char *headers[AB_A2A_PUSH_HEADERS];
    enum ab_encoding encoding = AB_ENCODED;

    if (!make_jwt(encoder, delivery, target, ab_buf_str(&out->body), now_ms, &jwt)) {
        ab_buf_append_text(why, "its JWT cannot be signed");
        encoding = AB_ENCODE_LATER;
    } else if (!ab_a2a_push_headers(target, jwt.data, headers)) {
        ab_buf_append_text(why, "its token or credentials cannot stand in a header");
        encoding = AB_ENCODE_NEVER;
    } else {
        for (size_t i = 0; i < AB_A2A_PUSH_HEADERS && headers[i] != NULL; i++)
            ab_outgoing_add(out, headers[i]);
    }
    ab_buf_deinit(&jwt);
    return encoding;
}

static enum ab_encoding encode(const struct ab_a2a_push_encoder *encoder, const struct ab_delivery *delivery,
                               const struct ab_a2a_push_target *target, const struct ab_task *task,
                               const struct ab_event *event, int64_t now_ms, struct ab_outgoing *out,
                               struct ab_buf *why)
{
    int result = ab_a2a_push_body(encoder->engine, target, task, event, &out->body);

    if (result != AB_OK) {
        ab_buf_append_text(why, result < 0 ? "the task's log cannot be read"
                                           : "this version does not speak the version of A2A it was registered under");
        return result < 0 ? AB_ENCODE_LATER : AB_ENCODE_NEVER;
    }
    out->url = ab_strdup(target->url);
    return add_headers(encoder, delivery, target, now_ms, out, why);
}

enum ab_encoding ab_a2a_push_encode(void *arg, const struct ab_delivery *delivery, const struct ab_task *task,
                                    const struct ab_event *event, int64_t now_ms, struct ab_outgoing *out,
                                    struct ab_buf *why)
{
    const struct ab_a2a_push_encoder *encoder = arg;
    struct ab_a2a_push_target target;
    enum ab_encoding encoding = AB_ENCODE_LATER;

    if (ab_a2a_push_target_read(ab_json_trusted(delivery->target_json), encoder->sealer, task->owner, &target))
        encoding = encode(encoder, delivery, &target, task, event, now_ms, out, why);
    else
        ab_buf_append_text(why, "its secrets cannot be unsealed: the key that sealed them is no longer configured");
    ab_a2a_push_target_deinit(&target);
    return encoding;
}
