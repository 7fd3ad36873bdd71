#include "a2a/card.h"

#include "base/base64.h"
#include "base/hash.h"
#include "base/mem.h"
#include "wire/http_values.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* So long a client may use a card without asking again. */
#define MAX_AGE_S 60

/* --- the card --- */

struct card {
    const struct ab_agent_settings *agent;
    const struct ab_agent_profile *profile; /* what the agent tells of itself, below what is configured */
    const struct ab_a2a_agent_settings *settings;
    struct ab_json_writer *writer;
    char *url;
};

static const char *name_of(const struct card *card)
{
    return card->profile->title != NULL && card->profile->title[0] != '\0' ? card->profile->title : card->agent->id;
}

/* Clients want one, and refuse an empty one. */
static char *description_of(const struct card *card)
{
    if (card->profile->description != NULL && card->profile->description[0] != '\0')
        return ab_strdup(card->profile->description);
    return ab_format("The agent %s.", name_of(card));
}

static void put_interface(const struct card *card, const char *binding, const char *version)
{
    ab_json_object_begin(card->writer);
    ab_json_put_text(card->writer, "url", card->url);
    ab_json_put_text(card->writer, "protocolBinding", binding);
    ab_json_put_text(card->writer, "protocolVersion", version);
    ab_json_object_end(card->writer);
}

/* Each binding in each version, the preferred first. */
static void put_interfaces(const struct card *card)
{
    ab_json_write_key(card->writer, "supportedInterfaces");
    ab_json_array_begin(card->writer);
    for (const struct ab_a2a_version *const *version = ab_a2a_versions; *version != NULL; version++) {
        put_interface(card, "JSONRPC", (*version)->name);
        put_interface(card, "HTTP+JSON", (*version)->name);
    }
    ab_json_array_end(card->writer);
}

static void put_old_interface(const struct card *card, const char *transport)
{
    ab_json_object_begin(card->writer);
    ab_json_put_text(card->writer, "url", card->url);
    ab_json_put_text(card->writer, "transport", transport);
    ab_json_object_end(card->writer);
}

/* The members that only 0.3 has. */
static void put_old(const struct card *card)
{
    ab_json_put_text(card->writer, "protocolVersion", "0.3.0");
    ab_json_put_text(card->writer, "url", card->url);
    ab_json_put_text(card->writer, "preferredTransport", "JSONRPC");
    ab_json_write_key(card->writer, "additionalInterfaces");
    ab_json_array_begin(card->writer);
    put_old_interface(card, "JSONRPC");
    put_old_interface(card, "HTTP+JSON");
    ab_json_array_end(card->writer);
    ab_json_put_bool(card->writer, "supportsAuthenticatedExtendedCard", false);
}

/* Members with default values are left out: readers leave them out before they check a signature. */
static void put_extension(struct ab_json_writer *writer, struct ab_json extension)
{
    static const char *const names[] = { "uri", "description", "params" };

    ab_json_object_begin(writer);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (ab_json_exists(ab_json_member(extension, names[i])))
            ab_json_put_value(writer, names[i], ab_json_member(extension, names[i]));
    if (ab_json_is_true(ab_json_member(extension, "required")))
        ab_json_put_bool(writer, "required", true);
    ab_json_object_end(writer);
}

static void put_extensions(const struct card *card)
{
    struct ab_json_iterator each = ab_json_iterate(ab_json_trusted(card->settings->extensions_json));
    struct ab_json extension;

    if (card->settings->extensions_json == NULL)
        return;
    ab_json_write_key(card->writer, "extensions");
    ab_json_array_begin(card->writer);
    while (ab_json_next(&each, NULL, &extension))
        put_extension(card->writer, extension);
    ab_json_array_end(card->writer);
}

static void put_capabilities(const struct card *card)
{
    ab_json_write_key(card->writer, "capabilities");
    ab_json_object_begin(card->writer);
    ab_json_put_bool(card->writer, "streaming", true);
    ab_json_put_bool(card->writer, "pushNotifications", true);
    ab_json_put_bool(card->writer, "extendedAgentCard", false);
    put_extensions(card);
    ab_json_object_end(card->writer);
}

static void put_default_skill(const struct card *card, const char *description)
{
    ab_json_object_begin(card->writer);
    ab_json_put_text(card->writer, "id", card->agent->id);
    ab_json_put_text(card->writer, "name", name_of(card));
    ab_json_put_text(card->writer, "description", description);
    ab_json_write_key(card->writer, "tags");
    ab_json_array_begin(card->writer);
    ab_json_write_text(card->writer, card->agent->id);
    ab_json_array_end(card->writer);
    ab_json_object_end(card->writer);
}

/* What a skill of a card must have is made up for where the agent said nothing of it. */
static void put_needed(struct ab_json_writer *writer, const char *key, struct ab_json told, struct ab_json fallback)
{
    ab_json_put_value(writer, key, ab_json_exists(told) && ab_json_count(told) != 0 ? told : fallback);
}

/* Of what the agent tells of a skill, what a card has room for; what it takes and gives as data is for other faces. */
static void put_told_skill(struct ab_json_writer *writer, struct ab_json skill)
{
    static const char *const lists[] = { "examples", "inputModes", "outputModes" };
    struct ab_json id = ab_json_member(skill, "id");
    struct ab_json name = ab_json_member(skill, "name");
    struct ab_json description = ab_json_member(skill, "description");
    AB_CLEANUP(ab_free_string) char *tags = ab_format("[%.*s]", AB_STR_ARGS(id.text));

    ab_json_object_begin(writer);
    ab_json_put_value(writer, "id", id);
    ab_json_put_value(writer, "name", name);
    ab_json_put_value(writer, "description",
                      ab_json_exists(description) && !ab_json_string_is(description, "") ? description : name);
    put_needed(writer, "tags", ab_json_member(skill, "tags"), ab_json_trusted(tags));
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (ab_json_count(ab_json_member(skill, lists[i])) > 0)
            ab_json_put_value(writer, lists[i], ab_json_member(skill, lists[i]));
    ab_json_object_end(writer);
}

static void put_told_skills(struct ab_json_writer *writer, struct ab_json skills)
{
    struct ab_json_iterator each = ab_json_iterate(skills);
    struct ab_json skill;

    while (ab_json_next(&each, NULL, &skill))
        put_told_skill(writer, skill);
}

/* Those that are configured, or those that the agent tells of, or one: the agent itself. */
static void put_skills(const struct card *card, const char *description)
{
    struct ab_json told = ab_json_trusted(card->profile->skills_json);

    ab_json_write_key(card->writer, "skills");
    if (card->settings->skills_json != NULL) {
        ab_json_write_raw(card->writer, card->settings->skills_json);
        return;
    }
    ab_json_array_begin(card->writer);
    if (ab_json_count(told) > 0)
        put_told_skills(card->writer, told);
    else
        put_default_skill(card, description);
    ab_json_array_end(card->writer);
}

static const char *version_of(const struct card *card)
{
    if (card->settings->version != NULL)
        return card->settings->version;
    return card->profile->version != NULL ? card->profile->version : "1";
}

static const char *or_any(const char *modes_json)
{
    return modes_json != NULL ? modes_json : "[\"*/*\"]";
}

static void write_card(const struct card *card, bool old)
{
    AB_CLEANUP(ab_free_string) char *description = description_of(card);

    ab_json_object_begin(card->writer);
    ab_json_put_text(card->writer, "name", name_of(card));
    ab_json_put_text(card->writer, "description", description);
    ab_json_put_text(card->writer, "version", version_of(card));
    if (old)
        put_old(card);
    put_interfaces(card);
    put_capabilities(card);
    ab_json_put_raw(card->writer, "defaultInputModes", or_any(card->settings->input_modes_json));
    ab_json_put_raw(card->writer, "defaultOutputModes", or_any(card->settings->output_modes_json));
    put_skills(card, description);
    ab_json_put_optional_raw(card->writer, "provider", card->settings->provider_json);
    ab_json_put_optional_text(card->writer, "documentationUrl", card->settings->documentation_url);
    ab_json_put_optional_text(card->writer, "iconUrl", card->settings->icon_url);
    ab_json_object_end(card->writer);
}

void ab_a2a_card_write(const struct ab_a2a *a2a, const char *agent, bool old, struct ab_buf *out)
{
    struct ab_json_writer writer;
    struct card card = {
        .agent = ab_engine_agent(a2a->settings.engine, agent),
        .profile = ab_engine_profile(a2a->settings.engine, agent),
        .settings = ab_a2a_agent_settings(a2a, agent),
        .writer = &writer,
        .url = ab_format("%s/a2a/%s", a2a->url, agent),
    };

    ab_json_writer_init(&writer, out);
    write_card(&card, old);
    free(card.url);
}

/* The same card has the same tag always. */
static const struct ab_hash_seed seed = { 0x61326120, 0x63617264 };

/* --- signing it (1.0, section 8.4) --- */

/* {"protected","signature"} of `card`, the one of 1.0 without signatures; readers drop what stands there for 0.3 before
 * they check. NULL when it cannot be made. */
static char *make_signature(const struct ab_a2a *a2a, struct ab_str card)
{
    const struct ab_signer *signer = a2a->settings.signer;
    AB_CLEANUP(ab_free_string)
    char *header = ab_format("{\"alg\":\"ES256\",\"jku\":\"%s/.well-known/jwks.json\",\"kid\":\"%s\",\"typ\":\"JOSE\"}",
                             a2a->url, ab_signer_key_id(signer));
    struct ab_buf payload = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_buf out = AB_BUF_INIT(4096);
    int result;

    ab_json_canonical(ab_json_trusted(card.data), true, &payload);
    ab_buf_append_text(&out, "{\"protected\":\"");
    ab_base64url_encode(&out, header, strlen(header));
    ab_buf_append_text(&out, "\",\"signature\":\"");
    result = ab_signer_sign(signer, ab_str(header), ab_buf_str(&payload), &out);
    ab_buf_append_text(&out, "\"}");
    ab_buf_deinit(&payload);
    if (result != AB_OK)
        ab_buf_deinit(&out);
    return result == AB_OK ? ab_buf_steal(&out) : NULL;
}

static struct ab_a2a_agent *find_published(const struct ab_a2a *a2a, const char *agent)
{
    for (size_t i = 0; i < a2a->n_published; i++)
        if (strcmp(a2a->published[i].settings.agent, agent) == 0)
            return &a2a->published[i];
    return NULL;
}

/* What is kept of the agent's card, brought up to date with what that says now; or NULL. */
static const struct ab_a2a_agent *published_now(const struct ab_a2a *a2a, const char *agent)
{
    struct ab_a2a_agent *published = find_published(a2a, agent);
    struct ab_buf card = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    uint64_t hash;

    if (published == NULL)
        return NULL;
    ab_a2a_card_write(a2a, agent, false, &card);
    hash = ab_hash(seed, ab_buf_str(&card));
    if (published->card_hash != hash) {
        if (published->card_hash != 0)
            ab_a2a_note_time(a2a, published->modified);
        published->card_hash = hash;
        free(published->signature);
        published->signature = a2a->settings.signer != NULL ? make_signature(a2a, ab_buf_str(&card)) : NULL;
    }
    ab_buf_deinit(&card);
    return published;
}

/* Puts the signature into the card's text. It is made once for each state of the card: each one is another, and the
 * card should stay the same. */
static void add_signature(const struct ab_a2a_agent *published, struct ab_buf *card)
{
    if (published == NULL || published->signature == NULL)
        return;
    card->size--; /* the closing brace */
    ab_buf_printf(card, ",\"signatures\":[%s]}", published->signature);
}

void ab_a2a_keys_answer(const struct ab_a2a *a2a, struct ab_http_exchange *exchange)
{
    static const struct ab_http_header headers[] = { { "Cache-Control", "public, max-age=3600" } };
    struct ab_http_head head = {
        .status = 200, .content_type = "application/json", .headers = headers, .n_headers = 1
    };
    struct ab_buf text = AB_BUF_INIT(4096);
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, &text);
    ab_json_object_begin(&writer);
    ab_json_write_key(&writer, "keys");
    ab_json_array_begin(&writer);
    if (a2a->settings.signer != NULL)
        ab_signer_write_key(a2a->settings.signer, &writer);
    ab_json_array_end(&writer);
    ab_json_object_end(&writer);
    ab_http_respond(exchange, &head, ab_buf_str(&text));
    ab_buf_deinit(&text);
}

/* --- fetching it --- */

/* Whether the members of 0.3 are wanted. A card is fetched before versions are agreed upon: an unknown one is none. */
static bool wants_old(const struct ab_a2a *a2a, struct ab_http_exchange *exchange)
{
    const struct ab_a2a_version *named = NULL;

    (void)!ab_a2a_named_version(exchange, &named); /* one that is not spoken here is as good as none */
    return named == NULL ? a2a->settings.card_form == AB_A2A_CARD_HYBRID : named == &ab_a2a_v0_3;
}

/* Whether If-None-Match lists this tag, or any; without it, whether If-Modified-Since is the date that the card came
 * with before (RFC 9110, section 13.1.3: a client may only give such a one back). */
static bool is_known(struct ab_http_exchange *exchange, const char *tag, const struct ab_a2a_agent *published)
{
    struct ab_str value;

    if (ab_http_header(exchange, "if-none-match", &value))
        return ab_str_is(ab_str_trim(value), "*") || memmem(value.data, value.size, tag, strlen(tag)) != NULL;
    return published != NULL && ab_http_header(exchange, "if-modified-since", &value) &&
           ab_str_is(ab_str_trim(value), published->modified);
}

void ab_a2a_card_answer(struct ab_a2a *a2a, struct ab_http_exchange *exchange, const char *agent)
{
    const struct ab_a2a_agent *published = published_now(a2a, agent);
    struct ab_buf card = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    char tag[32];
    char age[48];

    ab_a2a_card_write(a2a, agent, wants_old(a2a, exchange), &card);
    snprintf(tag, sizeof tag, "\"%016" PRIx64 "\"", ab_hash(seed, ab_buf_str(&card)));
    add_signature(published, &card);
    snprintf(age, sizeof age, "public, max-age=%d", MAX_AGE_S);
    const struct ab_http_header headers[] = { { "ETag", tag },
                                              { "Cache-Control", age },
                                              { "Vary", "A2A-Version" },
                                              { "Last-Modified", published != NULL ? published->modified : "" } };
    struct ab_http_head head = {
        .status = 200, .content_type = "application/json", .headers = headers, .n_headers = published != NULL ? 4 : 3
    };
    if (is_known(exchange, tag, published)) {
        head.status = 304;
        head.content_type = NULL;
        ab_buf_clear(&card);
    }
    ab_http_respond(exchange, &head, ab_buf_str(&card));
    ab_buf_deinit(&card);
}
