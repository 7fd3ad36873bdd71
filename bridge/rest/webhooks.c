#include "rest/webhooks.h"

#include "agentbridge/task.h"
#include "auth/webhook_sign.h"
#include "base/mem.h"
#include "wire/receiver.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

AB_PRINTF(3, 4)
static bool refuse(struct ab_rest_webhooks_fault *fault, const char *member, const char *format, ...)
{
    va_list arguments;

    fault->member = member;
    va_start(arguments, format);
    vsnprintf(fault->reason, sizeof fault->reason, format, arguments);
    va_end(arguments);
    return false;
}

/* --- one webhook --- */

static bool check_members(struct ab_json webhook, struct ab_rest_webhooks_fault *fault)
{
    struct ab_json_iterator each = ab_json_iterate(webhook);
    struct ab_json key;

    if (!ab_json_is(webhook, AB_JSON_OBJECT))
        return refuse(fault, NULL, "must be an object with a url, found %s", ab_json_type_name(webhook));
    while (ab_json_next(&each, &key, NULL)) {
        if (!ab_json_string_is(key, "url") && !ab_json_string_is(key, "events") && !ab_json_string_is(key, "secret"))
            return refuse(fault, NULL, "has url, events and secret, and no %.*s",
                          key.text.size > 40 ? 40 : (int)key.text.size, key.text.data);
    }
    return true;
}

/* "pending" is over before anybody could be told of it. */
static bool is_event(struct ab_json name)
{
    for (unsigned status = AB_TASK_PENDING + 1; status < AB_TASK_STATUS_COUNT; status++) {
        if (ab_json_string_is(name, ab_task_status_name((enum ab_task_status)status)))
            return true;
    }
    return false;
}

static bool check_events(struct ab_json events, struct ab_rest_webhooks_fault *fault)
{
    struct ab_json_iterator each = ab_json_iterate(events);
    struct ab_json name;

    if (!ab_json_exists(events) || ab_json_is(events, AB_JSON_NULL))
        return true;
    if (!ab_json_is(events, AB_JSON_ARRAY) || ab_json_count(events) == 0 || ab_json_count(events) > 16)
        return refuse(fault, "events", "must be an array of at least one name, or be left out");
    while (ab_json_next(&each, NULL, &name)) {
        if (!is_event(name))
            return refuse(fault, "events",
                          "has executing, paused, completed, failed, error and stopped; there is no %.*s",
                          name.text.size > 40 ? 40 : (int)name.text.size, name.text.data);
    }
    return true;
}

/* A reference would have the bridge look up what is its own. */
static bool check_secret(struct ab_json secret, const char *text, struct ab_rest_webhooks_fault *fault)
{
    if (!ab_json_exists(secret) || ab_json_is(secret, AB_JSON_NULL))
        return true;
    if (text == NULL)
        return refuse(fault, "secret", "must be the secret itself, whsec_..., found %s", ab_json_type_name(secret));
    if (!ab_webhook_secret_is_good(ab_str(text)))
        return refuse(fault, "secret", "must be whsec_ and 24 to 64 bytes as base64");
    return true;
}

static void begin_wish(struct ab_json_writer *writer, const char *url, const char *receiver, struct ab_json events)
{
    ab_json_object_begin(writer);
    ab_json_put_text(writer, "kind", AB_REST_WEBHOOK_KIND);
    ab_json_put_text(writer, "receiver", receiver);
    if (ab_json_is(events, AB_JSON_ARRAY))
        ab_json_put_value(writer, "events", events);
    ab_json_write_key(writer, "target");
    ab_json_object_begin(writer);
    ab_json_put_text(writer, "url", url);
}

static void end_wish(struct ab_json_writer *writer)
{
    ab_json_object_end(writer);
    ab_json_object_end(writer);
}

static bool put_sealed(const struct ab_rest_webhooks_reader *reader, struct ab_json_writer *writer, const char *url,
                       const char *secret)
{
    AB_CLEANUP(ab_free_string) char *bound = ab_format("%s\n%s", reader->owner, url);
    struct ab_buf sealed = AB_BUF_INIT(4096);
    bool good = ab_seal(reader->sealer, AB_REST_WEBHOOK_SEAL, ab_str(bound), ab_str(secret), &sealed) == AB_OK;

    if (good)
        ab_json_put_text(writer, "sealed", sealed.data);
    ab_buf_deinit(&sealed);
    return good;
}

static bool read_webhook(const struct ab_rest_webhooks_reader *reader, struct ab_json webhook,
                         struct ab_json_writer *writer, struct ab_rest_webhooks_fault *fault)
{
    AB_CLEANUP(ab_free_string) char *url = ab_json_string_dup(ab_json_member(webhook, "url"));
    AB_CLEANUP(ab_free_secret) char *secret = ab_json_string_dup(ab_json_member(webhook, "secret"));
    char receiver[AB_RECEIVER_SIZE];
    char reason[256];

    if (!check_members(webhook, fault))
        return false;
    if (url == NULL)
        return refuse(fault, "url", "must be a string: where to post to");
    if (!ab_receiver_read(url, reader->guard, receiver, reason, sizeof reason))
        return refuse(fault, "url", "%s", reason);
    if (!check_events(ab_json_member(webhook, "events"), fault) ||
        !check_secret(ab_json_member(webhook, "secret"), secret, fault))
        return false;
    begin_wish(writer, url, receiver, ab_json_member(webhook, "events"));
    if (secret != NULL && !put_sealed(reader, writer, url, secret))
        return refuse(fault, "secret", "cannot be sealed");
    end_wish(writer);
    return true;
}

/* --- lists --- */

char *ab_rest_webhooks_read(const struct ab_rest_webhooks_reader *reader, struct ab_json list,
                            struct ab_rest_webhooks_fault *fault)
{
    struct ab_json_iterator each = ab_json_iterate(list);
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    struct ab_json webhook;
    bool good = true;

    *fault = (struct ab_rest_webhooks_fault){ .index = -1 };
    if (!ab_json_is(list, AB_JSON_ARRAY) || ab_json_count(list) > AB_REST_WEBHOOKS_MAX) {
        (void)refuse(fault, NULL, "must be an array of at most %d webhooks", AB_REST_WEBHOOKS_MAX);
        return NULL;
    }
    ab_json_writer_init(&writer, &text);
    ab_json_array_begin(&writer);
    for (fault->index = 0; good && ab_json_next(&each, NULL, &webhook); fault->index += good ? 1 : 0)
        good = read_webhook(reader, webhook, &writer, fault);
    ab_json_array_end(&writer);
    if (good)
        return ab_buf_steal(&text);
    ab_buf_deinit(&text);
    return NULL;
}

void ab_rest_webhook_write(struct ab_json_writer *writer, const char *url, const char *receiver, struct ab_json events,
                           const char *secret_json)
{
    begin_wish(writer, url, receiver, events);
    ab_json_put_optional_raw(writer, "secret", secret_json);
    end_wish(writer);
}
