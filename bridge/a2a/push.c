#include "a2a/push.h"

#include "a2a/write.h"
#include "auth/jwt.h"
#include "base/mem.h"

#include <string.h>

#define JWT_SECONDS 300

/* --- the target --- */

/* {"token"?,"credentials"?}; nothing when there is none. */
static void write_secrets(const struct ab_a2a_push_target *target, struct ab_buf *out)
{
    struct ab_json_writer writer;

    if (target->token == NULL && target->credentials == NULL)
        return;
    ab_json_writer_init(&writer, out);
    ab_json_object_begin(&writer);
    ab_json_put_optional_text(&writer, "token", target->token);
    ab_json_put_optional_text(&writer, "credentials", target->credentials);
    ab_json_object_end(&writer);
}

/* What is sealed for one owner and address opens for no other. */
static char *bound_to(const char *owner, const char *url)
{
    return ab_format("%s\n%s", owner, url);
}

int ab_a2a_push_target_write(struct ab_json_writer *writer, const struct ab_sealer *sealer, const char *owner,
                             const struct ab_a2a_push_target *target)
{
    AB_CLEANUP(ab_free_string) char *bound = bound_to(owner, target->url);
    struct ab_buf secrets = AB_BUF_INIT(65536);
    struct ab_buf sealed = AB_BUF_INIT(131072);
    int result = AB_OK;

    write_secrets(target, &secrets);
    if (secrets.size > 0)
        result = ab_seal(sealer, AB_A2A_PUSH_SEAL, ab_str(bound), ab_buf_str(&secrets), &sealed);
    ab_json_object_begin(writer);
    ab_json_put_text(writer, "version", target->version);
    ab_json_put_text(writer, "url", target->url);
    ab_json_put_optional_text(writer, "scheme", target->scheme);
    ab_json_put_optional_text(writer, "sealed", sealed.data);
    ab_json_object_end(writer);
    ab_buf_wipe(&secrets);
    ab_buf_deinit(&sealed);
    return result;
}

static bool read_secrets(struct ab_json sealed, const struct ab_sealer *sealer, const char *owner,
                         struct ab_a2a_push_target *out)
{
    AB_CLEANUP(ab_free_string) char *bound = bound_to(owner, out->url);
    AB_CLEANUP(ab_free_string) char *token = ab_json_string_dup(sealed);
    struct ab_buf secrets = AB_BUF_INIT(65536);
    bool good = token != NULL && ab_unseal(sealer, AB_A2A_PUSH_SEAL, ab_str(bound), ab_str(token), &secrets);

    if (good) {
        out->token = ab_json_string_dup(ab_json_member(ab_json_trusted(secrets.data), "token"));
        out->credentials = ab_json_string_dup(ab_json_member(ab_json_trusted(secrets.data), "credentials"));
    }
    ab_buf_wipe(&secrets);
    return good;
}

bool ab_a2a_push_target_read(struct ab_json target, const struct ab_sealer *sealer, const char *owner,
                             struct ab_a2a_push_target *out)
{
    struct ab_json sealed = ab_json_member(target, "sealed");

    *out = (struct ab_a2a_push_target){
        .version = ab_json_string_dup(ab_json_member(target, "version")),
        .url = ab_json_string_dup(ab_json_member(target, "url")),
        .scheme = ab_json_string_dup(ab_json_member(target, "scheme")),
    };
    if (out->version == NULL || out->url == NULL)
        return false;
    return !ab_json_exists(sealed) || read_secrets(sealed, sealer, owner, out);
}

void ab_a2a_push_target_deinit(struct ab_a2a_push_target *target)
{
    free(target->version);
    free(target->url);
    ab_free_secret(&target->token);
    free(target->scheme);
    ab_free_secret(&target->credentials);
    *target = (struct ab_a2a_push_target){ 0 };
}

/* --- the body --- */

static int write_whole(struct ab_json_writer *writer, struct ab_a2a_view view, const struct ab_task *task)
{
    const struct ab_a2a_task_wish wish = { .history_length = -1, .artifacts = true };
    int result;

    ab_a2a_begin(writer, view.form, "task", "task");
    result = ab_a2a_write_task(writer, view, task, &wish);
    ab_a2a_end(writer, view.form);
    return result;
}

static void write_status(struct ab_json_writer *writer, const struct ab_a2a_form *form, const struct ab_task *task)
{
    struct ab_buf open = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_a2a_status status = ab_a2a_status_of(task, &open);

    ab_a2a_write_status_update(writer, form, &status, false, NULL);
    ab_buf_deinit(&open);
}

/* Never in an envelope: over JSON-RPC, too, it is what one event of a stream would hold (1.0, 4.3; 0.3, 9.5). */
int ab_a2a_push_body(struct ab_engine *engine, const struct ab_a2a_push_target *target, const struct ab_task *task,
                     const struct ab_event *event, struct ab_buf *out)
{
    const struct ab_a2a_version *version = ab_a2a_version_find(ab_str(target->version));
    struct ab_json_writer writer;

    if (version == NULL)
        return 1;
    ab_json_writer_init(&writer, out);
    if (!version->push_events || ab_task_status_is_terminal(task->status))
        return write_whole(&writer, (struct ab_a2a_view){ engine, version->rpc_form }, task);
    if (event->kind == AB_EVENT_ARTIFACT)
        ab_a2a_write_artifact_update(&writer, version->rpc_form, task->id, task->thread_id,
                                     ab_json_trusted(event->body_json));
    else
        write_status(&writer, version->rpc_form, task);
    return AB_OK;
}

/* --- the headers --- */

bool ab_a2a_push_is_plain(const char *text)
{
    for (; text != NULL && *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return false;
    return true;
}

bool ab_a2a_push_headers(const struct ab_a2a_push_target *target, const char *jwt, char *out[AB_A2A_PUSH_HEADERS])
{
    const struct ab_a2a_version *version = ab_a2a_version_find(ab_str(target->version));
    size_t n = 0;

    memset(out, 0, AB_A2A_PUSH_HEADERS * sizeof *out);
    if (!ab_a2a_push_is_plain(target->token) || !ab_a2a_push_is_plain(target->scheme) ||
        !ab_a2a_push_is_plain(target->credentials))
        return false;
    out[n++] = ab_format("Content-Type: %s",
                         version != NULL && version->typed_http ? "application/a2a+json" : "application/json");
    if (target->token != NULL)
        out[n++] = ab_format("X-A2A-Notification-Token: %s", target->token);
    if (target->scheme != NULL && target->credentials != NULL)
        out[n++] = ab_format("Authorization: %s %s", target->scheme, target->credentials);
    else if (jwt != NULL)
        out[n++] = ab_format("Authorization: Bearer %s", jwt);
    return true;
}

int ab_a2a_push_jwt(const struct ab_signer *signer, const struct ab_a2a_push_claims *claims, struct ab_buf *out)
{
    struct ab_buf text = AB_BUF_INIT(65536);
    struct ab_json_writer writer;
    char digest[AB_SHA256_TEXT_SIZE];
    int64_t now = claims->now_ms / 1000;
    int result;

    ab_sha256_text(claims->body, digest);
    ab_json_writer_init(&writer, &text);
    ab_json_object_begin(&writer);
    ab_json_put_text(&writer, "iss", claims->issuer);
    ab_json_put_text(&writer, "aud", claims->audience);
    ab_json_put_int(&writer, "iat", now);
    ab_json_put_int(&writer, "exp", now + JWT_SECONDS);
    ab_json_put_text(&writer, "jti", claims->id);
    ab_json_put_text(&writer, "taskId", claims->task_id);
    ab_json_put_text(&writer, "request_body_sha256", digest);
    ab_json_object_end(&writer);
    result = ab_jwt_sign(signer, ab_buf_str(&text), out);
    ab_buf_deinit(&text);
    return result;
}
