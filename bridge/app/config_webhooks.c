/* Whom an agent's configuration wants told of its tasks. */
#include "app/config_parts.h"
#include "auth/webhook_sign.h"
#include "base/mem.h"
#include "rest/webhooks.h"
#include "wire/receiver.h"

/* A secret that is none, or not there, would be found out when the first task ends. */
static void check_secret(struct ab_config_reader *reader, struct ab_json reference, const char *where)
{
    struct ab_buf secret = AB_BUF_INIT(65536);

    if (ab_config_secret(reader, reference, where, &secret) && !ab_webhook_secret_is_good(ab_buf_str(&secret)))
        ab_problem_error(reader->problems, where, "must be whsec_ and 24 to 64 bytes as base64; what is there is not");
    ab_buf_wipe(&secret);
}

static void read_webhook(struct ab_config_reader *reader, struct ab_json webhook, const char *where,
                         struct ab_json_writer *writer)
{
    const char *url = ab_config_text(reader->config, webhook, "url");
    struct ab_json secret = ab_json_member(webhook, "secret");
    AB_CLEANUP(ab_free_string) char *url_place = ab_format("%s.url", where);
    AB_CLEANUP(ab_free_string) char *secret_place = ab_format("%s.secret", where);
    char receiver[AB_RECEIVER_SIZE];
    char reason[256];

    if (!ab_receiver_read(url != NULL ? url : "", &reader->config->guard, receiver, reason, sizeof reason)) {
        ab_problem_error(reader->problems, url_place, "%s", reason);
        return;
    }
    if (ab_json_exists(secret))
        check_secret(reader, secret, secret_place);
    ab_rest_webhook_write(writer, url, receiver, ab_json_member(webhook, "events"),
                          ab_json_exists(secret) ? ab_config_reference(reader, secret) : NULL);
}

const char *ab_config_webhooks(struct ab_config_reader *reader, const char *agent, struct ab_json webhooks)
{
    struct ab_json_iterator each = ab_json_iterate(webhooks);
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    struct ab_json webhook;

    if (ab_json_count(webhooks) == 0)
        return NULL;
    ab_json_writer_init(&writer, &text);
    ab_json_array_begin(&writer);
    for (size_t i = 0; ab_json_next(&each, NULL, &webhook); i++) {
        AB_CLEANUP(ab_free_string) char *where = ab_format("agents.%s.webhooks.%zu", agent, i);
        read_webhook(reader, webhook, where, &writer);
    }
    ab_json_array_end(&writer);
    return ab_config_keep(reader->config, ab_buf_steal(&text));
}
