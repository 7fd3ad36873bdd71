/* The configuration's top level; its agents are read in config_agents.c. */
#include "app/config_parts.h"
#include "base/base64.h"
#include "base/mem.h"
#include "wire/http_values.h"

#include <stdio.h>
#include <string.h>

#define DAYS_MS ((int64_t)86400000)

/* "127.0.0.1:7800" or "[::1]:0": the port must be there and may be 0, which no Host header may name. */
static bool split_listen(const char *listen, struct ab_str *host, uint16_t *port)
{
    const char *colon = strrchr(listen, ':');
    uint64_t number;
    uint16_t none;

    if (colon == NULL || !ab_str_to_uint(ab_str(colon + 1), UINT16_MAX, &number))
        return false;
    *port = (uint16_t)number;
    return ab_http_split_host((struct ab_str){ listen, (size_t)(colon - listen) }, host, &none) && none == 0 &&
           host->size > 0;
}

static void read_listen(struct ab_config_reader *reader, const char *where)
{
    struct ab_config *config = reader->config;
    struct ab_str host;

    config->address = "127.0.0.1";
    if (!split_listen(config->listen, &host, &config->port))
        ab_problem_error(reader->problems, where,
                         "must be ADDRESS:PORT, like 127.0.0.1:7800 or [::1]:7800; found \"%s\"", config->listen);
    else if (!ab_str_is(host, "localhost"))
        config->address = ab_config_keep(config, ab_strndup(host.data, host.size));
}

static bool hex_key(struct ab_str text, unsigned char key[AB_SEAL_KEY_BYTES])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < text.size; i++) {
        const char *digit =
            strchr(digits, text.data[i] >= 'A' && text.data[i] <= 'F' ? text.data[i] + 32 : text.data[i]);

        if (digit == NULL || text.data[i] == '\0')
            return false;
        key[i / 2] = (unsigned char)((unsigned)key[i / 2] << 4 | (unsigned)(digit - digits));
    }
    return true;
}

/* In either alphabet of base64. */
static bool base64_key(struct ab_str text, struct ab_buf *bytes)
{
    if (ab_base64_decode(bytes, text))
        return bytes->size == AB_SEAL_KEY_BYTES;
    ab_buf_clear(bytes);
    return ab_base64url_decode(bytes, text) && bytes->size == AB_SEAL_KEY_BYTES;
}

static bool decode_key(struct ab_str text, unsigned char key[AB_SEAL_KEY_BYTES])
{
    struct ab_buf bytes = AB_BUF_INIT(256);
    bool good;

    if (text.size == 2 * (size_t)AB_SEAL_KEY_BYTES)
        return hex_key(text, key);
    good = text.size < 64 && base64_key(text, &bytes);
    if (good)
        memcpy(key, bytes.data, AB_SEAL_KEY_BYTES);
    if (bytes.data != NULL)
        explicit_bzero(bytes.data, bytes.capacity);
    ab_buf_deinit(&bytes);
    return good;
}

static void read_seal_keys(struct ab_config_reader *reader, struct ab_json keys)
{
    struct ab_config *config = reader->config;
    struct ab_json_iterator iterator = ab_json_iterate(keys);
    struct ab_json reference;

    config->seal_keys = ab_alloc(ab_json_count(keys) + 1, sizeof *config->seal_keys);
    for (size_t i = 0; ab_json_next(&iterator, NULL, &reference); i++) {
        struct ab_buf text = AB_BUF_INIT(65536);
        char where[48];

        snprintf(where, sizeof where, "seal_keys.%zu", i);
        if (ab_config_secret(reader, reference, where, &text)) {
            if (decode_key(ab_buf_str(&text), config->seal_keys[config->n_seal_keys]))
                config->n_seal_keys++;
            else
                ab_problem_error(reader->problems, where,
                                 "must be 32 bytes as 64 hexadecimal digits or as base64; what is there is not");
        }
        if (text.data != NULL)
            explicit_bzero(text.data, text.capacity);
        ab_buf_deinit(&text);
    }
}

/* Whoever reaches the bridge under its public name names that in Host, and pages from there in Origin. */
static void read_doors(struct ab_config_reader *reader, struct ab_json root)
{
    struct ab_config *config = reader->config;
    const char *own_host = NULL;
    const char *own_origin = NULL;

    config->public_url = ab_config_text(config, root, "public_url");
    if (config->public_url != NULL) {
        const char *rest = strstr(config->public_url, "://");
        size_t size = rest == NULL ? 0 : (size_t)(rest - config->public_url) + 3 + strcspn(rest + 3, "/?#");
        struct ab_str scheme;
        struct ab_str host;
        uint16_t port;

        if (ab_http_split_origin((struct ab_str){ config->public_url, size }, &scheme, &host, &port)) {
            own_host = ab_config_keep(config, ab_strndup(host.data, host.size));
            own_origin = ab_config_keep(config, ab_strndup(config->public_url, size));
        } else {
            ab_problem_error(reader->problems, "public_url", "must be like https://agents.example.com; found \"%s\"",
                             config->public_url);
        }
    }
    config->hosts = ab_config_texts(config, ab_json_member(root, "hosts"), own_host);
    config->origins = ab_config_texts(config, ab_json_member(root, "origins"), own_origin);
}

static void read_allowed(struct ab_config_reader *reader, struct ab_json allow)
{
    struct ab_config *config = reader->config;
    struct ab_guard_network *networks = ab_alloc(ab_json_count(allow) + 1, sizeof *networks);
    struct ab_json_iterator iterator = ab_json_iterate(allow);
    struct ab_json item;

    config->guard.networks = networks;
    (void)ab_config_keep(config, networks);
    for (size_t i = 0; ab_json_is(allow, AB_JSON_ARRAY) && ab_json_next(&iterator, NULL, &item); i++) {
        AB_CLEANUP(ab_free_string) char *text = ab_json_string_dup(item);
        char where[48];

        snprintf(where, sizeof where, "outbound.allow.%zu", i);
        if (text != NULL && ab_guard_network_parse(ab_str(text), &networks[config->guard.n_networks]))
            config->guard.n_networks++;
        else if (text != NULL)
            ab_problem_error(reader->problems, where,
                             "must be a network or an address, like 10.1.2.0/24 or fd00:1::1; found \"%s\"", text);
    }
}

static void read_outbound(struct ab_config_reader *reader, struct ab_json outbound)
{
    struct ab_config *config = reader->config;

    read_allowed(reader, ab_json_member(outbound, "allow"));
    config->plain_guard = config->guard;
    config->plain_guard.listed_only = true;
    config->retry_first_ms = ab_config_ms(outbound, "retry_first_s", 365 * DAYS_MS);
    config->retry_longest_ms = ab_config_ms(outbound, "retry_longest_s", 365 * DAYS_MS);
    config->give_up_ms = ab_config_ms(outbound, "give_up_s", 365 * DAYS_MS);
    config->delivery_timeout_ms = (uint32_t)ab_config_ms(outbound, "timeout_s", DAYS_MS);
}

static void read_limits(struct ab_config *config, struct ab_json limits)
{
    config->request_bytes = (size_t)ab_config_int(limits, "request_bytes");
    config->header_bytes = (size_t)ab_config_int(limits, "header_bytes");
    config->json_depth = (unsigned)ab_config_int(limits, "json_depth");
    config->line_bytes = (size_t)ab_config_int(limits, "line_bytes");
    config->file_bytes = (size_t)ab_config_int(limits, "file_bytes");
    config->output_bytes = (size_t)ab_config_int(limits, "output_bytes");
    config->running_per_principal = (uint32_t)ab_config_int(limits, "running_per_principal");
    config->streams_per_principal = (size_t)ab_config_int(limits, "streams_per_principal");
    config->subscribed_tasks = (uint32_t)ab_config_int(limits, "subscribed_tasks");
    config->wishes_per_task = (uint32_t)ab_config_int(limits, "webhooks_per_task");
}

static void read_waits(struct ab_config *config, struct ab_json waits)
{
    config->grace_ms = (uint32_t)ab_config_ms(waits, "grace_s", DAYS_MS);
    config->hold_ms = (uint32_t)ab_config_ms(waits, "hold_s", DAYS_MS);
    config->wait_max_ms = (uint32_t)ab_config_ms(waits, "wait_max_s", DAYS_MS);
    config->head_ms = (uint32_t)ab_config_ms(waits, "head_s", DAYS_MS);
    config->heartbeat_ms = (uint32_t)ab_config_ms(waits, "heartbeat_s", DAYS_MS);
    config->poll_interval_ms = (uint32_t)ab_config_ms(waits, "poll_interval_s", DAYS_MS);
}

void ab_config_read_top(struct ab_config_reader *reader, struct ab_json root,
                        const struct ab_config_overrides *overrides)
{
    struct ab_config *config = reader->config;
    const char *listen = ab_config_text(config, root, "listen");
    const char *data = ab_config_text(config, root, "data");
    const char *level = ab_config_text(config, root, "log_level");

    if (listen != NULL)
        config->listen = listen;
    if (overrides != NULL && overrides->listen != NULL)
        config->listen = ab_config_keep(config, ab_strdup(overrides->listen));
    read_listen(reader, overrides != NULL && overrides->listen != NULL ? "--listen" : "listen");
    if (overrides != NULL && overrides->data != NULL)
        config->data = ab_config_keep(config, ab_strdup(overrides->data));
    else
        config->data = ab_config_path(reader, data != NULL && data[0] != '\0' ? data : "./agentbridge-data");
    if (level != NULL && !ab_log_level_parse(level, &config->log_level))
        config->log_level = AB_LOG_INFO;
    config->default_agent = ab_config_text(config, root, "default_agent");
    config->user_json = ab_config_raw(config, root, "user");
    config->insecure_open = ab_json_is_true(ab_json_at(root, "auth", "insecure_open", NULL));
    read_doors(reader, root);
    read_seal_keys(reader, ab_json_member(root, "seal_keys"));
    read_outbound(reader, ab_json_member(root, "outbound"));
    read_limits(config, ab_json_member(root, "limits"));
    read_waits(config, ab_json_member(root, "waits"));
    config->keep_ms = ab_config_ms(ab_json_member(root, "tasks"), "keep_s", 3650 * DAYS_MS);
    config->sweep_every_ms = ab_config_ms(ab_json_member(root, "tasks"), "sweep_every_s", 30 * DAYS_MS);
    config->on_disconnect = ab_config_on_disconnect(root, AB_DISCONNECT_GRACE);
    if (ab_json_string_is(ab_json_at(root, "a2a", "card", NULL), "strict"))
        config->card_form = AB_A2A_CARD_STRICT;
    config->rest_strict = ab_json_is_true(ab_json_at(root, "rest", "strict", NULL));
    config->unsigned_cards = ab_json_is(ab_json_at(root, "a2a", "sign", NULL), AB_JSON_FALSE);
    config->signed_pushes = ab_json_is_true(ab_json_at(root, "a2a", "sign_push", NULL));
    if (config->signed_pushes && config->unsigned_cards)
        ab_problem_error(reader->problems, "a2a.sign_push", "needs the key that a2a.sign switches off; found both");
    if (ab_json_exists(ab_json_member(root, "disconnect_grace_s")))
        config->disconnect_grace_ms = ab_config_ms(root, "disconnect_grace_s", 3650 * DAYS_MS);
}
