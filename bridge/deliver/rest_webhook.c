#include "deliver/rest_webhook.h"

#include "auth/webhook_sign.h"
#include "base/mem.h"
#include "rest/task.h"
#include "rest/webhooks.h"

#include <inttypes.h>

/* The secret of a caller was sealed for the task's owner and this address. */
static enum ab_encoding unseal(const struct ab_rest_webhook_encoder *encoder, struct ab_json sealed, const char *owner,
                               const char *url, struct ab_buf *secret, struct ab_buf *why)
{
    AB_CLEANUP(ab_free_string) char *token = ab_json_string_dup(sealed);
    AB_CLEANUP(ab_free_string) char *bound = ab_format("%s\n%s", owner, url);

    if (token != NULL && ab_unseal(encoder->sealer, AB_REST_WEBHOOK_SEAL, ab_str(bound), ab_str(token), secret))
        return AB_ENCODED;
    ab_buf_append_text(why, "its secret cannot be unsealed: the key that sealed it is no longer configured");
    return AB_ENCODE_LATER;
}

static enum ab_encoding look_up(const struct ab_rest_webhook_encoder *encoder, struct ab_json reference,
                                struct ab_buf *secret, struct ab_buf *why)
{
    char reason[512] = "";

    if (encoder->secret(encoder->secret_arg, reference, secret, reason, sizeof reason))
        return AB_ENCODED;
    ab_buf_printf(why, "its secret cannot be had: %s", reason);
    return AB_ENCODE_LATER;
}

/* Never unsigned where a secret was given. */
static enum ab_encoding sign(const struct ab_rest_webhook_encoder *encoder, struct ab_json target, const char *owner,
                             const char *id, int64_t seconds, struct ab_outgoing *out, struct ab_buf *why)
{
    struct ab_json sealed = ab_json_member(target, "sealed");
    struct ab_json reference = ab_json_member(target, "secret");
    struct ab_buf signature = AB_BUF_INIT(256);
    struct ab_buf secret = AB_BUF_INIT(65536);
    enum ab_encoding encoding = ab_json_exists(sealed) ? unseal(encoder, sealed, owner, out->url, &secret, why)
                                                       : look_up(encoder, reference, &secret, why);

    if (encoding == AB_ENCODED && ab_webhook_sign(ab_buf_str(&secret), id, seconds, ab_buf_str(&out->body), &signature))
        ab_outgoing_add(out, ab_format("webhook-signature: %s", signature.data));
    else if (encoding == AB_ENCODED)
        ab_buf_append_text(why, "its secret is not whsec_ and 24 to 64 bytes as base64");
    ab_buf_deinit(&signature);
    ab_buf_wipe(&secret);
    return why->size > 0 ? AB_ENCODE_LATER : encoding;
}

enum ab_encoding ab_rest_webhook_encode(void *arg, const struct ab_delivery *delivery, const struct ab_task *task,
                                        const struct ab_event *event, int64_t now_ms, struct ab_outgoing *out,
                                        struct ab_buf *why)
{
    const struct ab_rest_webhook_encoder *encoder = arg;
    struct ab_json target = ab_json_trusted(delivery->target_json);
    struct ab_json_writer writer;
    /* The same for each attempt at one event and receiver: who has seen it need not act again. */
    AB_CLEANUP(ab_free_string)
    char *id = ab_format("msg_%s_%" PRIu32 "_%" PRIu64, task->id, delivery->lane, event->number);

    out->url = ab_json_string_dup(ab_json_member(target, "url"));
    if (out->url == NULL) {
        ab_buf_append_text(why, "it has no address");
        return AB_ENCODE_NEVER;
    }
    ab_json_writer_init(&writer, &out->body);
    if (ab_rest_task_write(&writer, encoder->engine, task, task->thread_id) < 0) {
        ab_buf_append_text(why, "its task cannot be read");
        return AB_ENCODE_LATER;
    }
    ab_outgoing_add(out, ab_strdup("Content-Type: application/json"));
    ab_outgoing_add(out, ab_format("webhook-id: %s", id));
    ab_outgoing_add(out, ab_format("webhook-timestamp: %" PRId64, now_ms / 1000));
    if (!ab_json_exists(ab_json_member(target, "sealed")) && !ab_json_exists(ab_json_member(target, "secret")))
        return AB_ENCODED;
    return sign(encoder, target, task->owner, id, now_ms / 1000, out, why);
}
