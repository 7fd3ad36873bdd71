#include "rest/client_scrub.h"

#include "base/mem.h"

#include <string.h>
#include <strings.h>

#define SECRET_BYTES 8
/* Nothing deeper is walked into. */
#define DEPTH 64
/* What is written nests no deeper: the writer keeps count in 64 bits. */
#define WRITE_DEPTH 60u

static const char replacement[] = "[redacted]";

struct secret {
    char *text;
    size_t size;
};

struct ab_rest_scrub {
    struct secret *secrets;
    size_t n_secrets;
    struct ab_buf kept; /* of a text in pieces: the beginning of a secret, perhaps */
};

struct ab_rest_scrub *ab_rest_scrub_new(void)
{
    struct ab_rest_scrub *scrub = ab_alloc(1, sizeof *scrub);

    ab_buf_init(&scrub->kept, AB_BUF_UNBOUNDED);
    return scrub;
}

static void wipe(struct ab_buf *buf)
{
    if (buf->data != NULL)
        explicit_bzero(buf->data, buf->capacity);
    ab_buf_deinit(buf);
}

void ab_rest_scrub_free(struct ab_rest_scrub *scrub)
{
    if (scrub == NULL)
        return;
    for (size_t i = 0; i < scrub->n_secrets; i++) {
        explicit_bzero(scrub->secrets[i].text, scrub->secrets[i].size);
        free(scrub->secrets[i].text);
    }
    free(scrub->secrets);
    wipe(&scrub->kept);
    free(scrub);
}

static void add(struct ab_rest_scrub *scrub, struct ab_str text)
{
    if (text.size < SECRET_BYTES)
        return;
    scrub->secrets = ab_realloc(scrub->secrets, (scrub->n_secrets + 1) * sizeof *scrub->secrets);
    scrub->secrets[scrub->n_secrets++] = (struct secret){ ab_strndup(text.data, text.size), text.size };
}

/* The longer ones are looked for first: "Bearer x" before x. */
void ab_rest_scrub_add(struct ab_rest_scrub *scrub, const char *secret)
{
    static const char bearer[] = "Bearer ";
    size_t skip = strlen(bearer);

    if (secret == NULL)
        return;
    if (strncasecmp(secret, bearer, skip) == 0)
        add(scrub, ab_str(secret + skip));
    else
        add(scrub, ab_str(secret));
}

static void add_all(struct ab_rest_scrub *scrub, struct ab_json value, unsigned depth)
{
    struct ab_json_iterator each = ab_json_iterate(value);
    struct ab_json inner;
    AB_CLEANUP(ab_free_string) char *text = ab_json_string_dup(value);

    if (text != NULL) {
        ab_rest_scrub_add(scrub, text);
        explicit_bzero(text, strlen(text));
    }
    if (depth == 0 || (!ab_json_is(value, AB_JSON_OBJECT) && !ab_json_is(value, AB_JSON_ARRAY)))
        return;
    while (ab_json_next(&each, NULL, &inner))
        add_all(scrub, inner, depth - 1);
}

/* A server's address and name are no secrets. */
static void add_servers(struct ab_rest_scrub *scrub, struct ab_json servers)
{
    static const char *const secret[] = { "api_key", "client_secret", "headers", "env_vars" };
    struct ab_json_iterator each = ab_json_iterate(servers);
    struct ab_json server;

    while (ab_json_is(servers, AB_JSON_ARRAY) && ab_json_next(&each, NULL, &server)) {
        for (size_t i = 0; i < sizeof secret / sizeof *secret; i++)
            add_all(scrub, ab_json_member(server, secret[i]), DEPTH);
    }
}

void ab_rest_scrub_add_credentials(struct ab_rest_scrub *scrub, struct ab_json credentials)
{
    add_all(scrub, ab_json_member(credentials, "user_oidc_token"), DEPTH);
    add_all(scrub, ab_json_member(credentials, "user_tokens"), DEPTH);
    add_servers(scrub, ab_json_member(credentials, "mcp_servers"));
}

/* --- texts --- */

/* The first secret in the text, and the longest of those that begin there. */
static const struct secret *find(const struct ab_rest_scrub *scrub, struct ab_str text, size_t *at)
{
    const struct secret *found = NULL;

    for (size_t i = 0; i < scrub->n_secrets; i++) {
        const struct secret *secret = &scrub->secrets[i];
        const char *place = text.size >= secret->size ? memmem(text.data, text.size, secret->text, secret->size) : NULL;
        size_t offset = place != NULL ? (size_t)(place - text.data) : 0;

        if (place != NULL && (found == NULL || offset < *at || (offset == *at && secret->size > found->size))) {
            found = secret;
            *at = offset;
        }
    }
    return found;
}

/* Appends all up to the last secret's end, replaced; what stands behind it is left. */
static struct ab_str replace_whole(const struct ab_rest_scrub *scrub, struct ab_str text, struct ab_buf *out)
{
    const struct secret *secret;
    size_t at = 0;

    while (text.size > 0 && (secret = find(scrub, text, &at)) != NULL) {
        ab_buf_append(out, text.data, at);
        ab_buf_append_text(out, replacement);
        text.data += at + secret->size;
        text.size -= at + secret->size;
    }
    return text;
}

void ab_rest_scrub_text(const struct ab_rest_scrub *scrub, struct ab_str text, struct ab_buf *out)
{
    ab_buf_append_str(out, replace_whole(scrub, text, out));
}

/* How many bytes at the end could be the beginning of a secret. */
static size_t beginning_at_end(const struct ab_rest_scrub *scrub, struct ab_str text)
{
    size_t longest = 0;

    for (size_t i = 0; i < scrub->n_secrets; i++) {
        const struct secret *secret = &scrub->secrets[i];
        size_t size = secret->size - 1 < text.size ? secret->size - 1 : text.size;

        while (size > longest && memcmp(text.data + text.size - size, secret->text, size) != 0)
            size--;
        longest = size > longest ? size : longest;
    }
    return longest;
}

void ab_rest_scrub_piece(struct ab_rest_scrub *scrub, struct ab_str piece, bool last, struct ab_buf *out)
{
    struct ab_str rest;
    size_t kept;

    ab_buf_append_str(&scrub->kept, piece);
    rest = replace_whole(scrub, ab_buf_str(&scrub->kept), out);
    kept = last || rest.size == 0 ? 0 : beginning_at_end(scrub, rest);
    ab_buf_append(out, rest.data, rest.size - kept);
    ab_buf_consume(&scrub->kept, scrub->kept.size - kept);
}

/* --- JSON --- */

static bool is_credential(struct ab_str name)
{
    static const char *const names[] = {
        "user_oidc_token", "user_tokens", "oidc_tokens", "access_token",  "refresh_token", "id_token",
        "api_key",         "x-api-key",   "password",    "client_secret", "authorization", "token",
        "auth_value",      "mcp_servers", "secret",      "oidc_token",
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (ab_str_equal_nocase(name, ab_str(names[i])))
            return true;
    }
    return false;
}

static void write_string(const struct ab_rest_scrub *scrub, struct ab_str text, struct ab_json_writer *writer,
                         bool as_key)
{
    struct ab_buf clean = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    ab_rest_scrub_text(scrub, text, &clean);
    if (as_key)
        ab_json_write_key_str(writer, ab_buf_str(&clean));
    else
        ab_json_write_str(writer, ab_buf_str(&clean));
    ab_buf_deinit(&clean);
}

static void write_object(const struct ab_rest_scrub *scrub, struct ab_json object, bool drop_named,
                         struct ab_json_writer *writer)
{
    struct ab_json_iterator each = ab_json_iterate(object);
    struct ab_json key;
    struct ab_json value;

    ab_json_object_begin(writer);
    while (ab_json_next(&each, &key, &value)) {
        struct ab_buf name = AB_BUF_INIT(AB_BUF_UNBOUNDED);
        if (ab_json_unescape(key, &name) && !(drop_named && is_credential(ab_buf_str(&name)))) {
            write_string(scrub, ab_buf_str(&name), writer, true);
            ab_rest_scrub_json(scrub, value, drop_named, writer);
        }
        ab_buf_deinit(&name);
    }
    ab_json_object_end(writer);
}

void ab_rest_scrub_json(const struct ab_rest_scrub *scrub, struct ab_json value, bool drop_named,
                        struct ab_json_writer *writer)
{
    struct ab_json_iterator each = ab_json_iterate(value);
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json inner;

    if (ab_json_is(value, AB_JSON_OBJECT) && writer->depth < WRITE_DEPTH) {
        write_object(scrub, value, drop_named, writer);
    } else if (ab_json_is(value, AB_JSON_ARRAY) && writer->depth < WRITE_DEPTH) {
        ab_json_array_begin(writer);
        while (ab_json_next(&each, NULL, &inner))
            ab_rest_scrub_json(scrub, inner, drop_named, writer);
        ab_json_array_end(writer);
    } else if (ab_json_unescape(value, &text)) {
        write_string(scrub, ab_buf_str(&text), writer, false);
    } else if (ab_json_is(value, AB_JSON_OBJECT) || ab_json_is(value, AB_JSON_ARRAY)) {
        ab_json_write_null(writer);
    } else {
        ab_json_write_value(writer, value);
    }
    ab_buf_deinit(&text);
}
