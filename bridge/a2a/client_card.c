#include "a2a/client_card.h"

#include "a2a/client_signature.h"
#include "base/mem.h"
#include "wire/receiver.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Far more than a model could choose from. */
#define SKILLS 500

struct reading {
    const struct ab_a2a_card_wish *wish;
    struct ab_json card;
    struct ab_a2a_client_card *out;
    char *reason;
    size_t reason_size;
};

AB_PRINTF(2, 3) static bool refuse(const struct reading *reading, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(reading->reason, reading->reason_size, format, arguments);
    va_end(arguments);
    return false;
}

const struct ab_a2a_form *ab_a2a_peer_form(const struct ab_a2a_peer *peer)
{
    return peer->rpc ? peer->version->rpc_form : peer->version->http_form;
}

/* --- whose address it is --- */

/* Every address: here nobody is guarded against but the card's own claims. */
static const struct ab_guard_network everywhere = { .bits = 0 };
static const struct ab_guard open_guard = { .networks = &everywhere, .n_networks = 1 };

/* "host:port" of "scheme://host:port". */
static const char *authority_of(const char *receiver)
{
    return strstr(receiver, "://") + 3;
}

static bool is_listed(const char *const *hosts, const char *authority)
{
    const char *colon = strrchr(authority, ':');
    size_t host_size = colon != NULL ? (size_t)(colon - authority) : strlen(authority);

    for (; hosts != NULL && *hosts != NULL; hosts++)
        if (strcmp(*hosts, authority) == 0 ||
            (strlen(*hosts) == host_size && strncmp(*hosts, authority, host_size) == 0))
            return true;
    return false;
}

/* Whether requests may go there: to where the card came from, or where the operator says. Credentials follow. */
static bool may_call(const struct reading *reading, const char *url)
{
    char own[AB_RECEIVER_SIZE];
    char named[AB_RECEIVER_SIZE];
    char reason[256];

    if (!ab_receiver_read(url, &open_guard, named, reason, sizeof reason))
        return refuse(reading, "the card's address \"%.100s\" %s", url, reason);
    if (!ab_receiver_read(reading->wish->url, &open_guard, own, reason, sizeof reason))
        return refuse(reading, "the address of the card %s", reason);
    if (strncmp(own, "https:", 6) == 0 && strncmp(named, "https:", 6) != 0)
        return refuse(reading, "the card came over https, but names \"%.100s\"", url);
    if (strcmp(authority_of(own), authority_of(named)) == 0 || is_listed(reading->wish->hosts, authority_of(named)))
        return true;
    return refuse(reading,
                  "the card of %s names another host, %s; if that is meant, list it in \"hosts\" of this agent's "
                  "configuration",
                  authority_of(own), authority_of(named));
}

/* --- the interfaces --- */

struct interface {
    struct ab_json url;
    struct ab_json binding;
    struct ab_json version;
    struct ab_json tenant;
};

/* The version that we speak with it; NULL: none. */
static const struct ab_a2a_version *version_of(const struct interface *interface)
{
    AB_CLEANUP(ab_free_string) char *name = ab_json_string_dup(interface->version);

    return name != NULL ? ab_a2a_version_find(ab_str(name)) : NULL;
}

static bool is_binding(const struct interface *interface, const char *name)
{
    return ab_json_string_is(interface->binding, name);
}

static bool is_wanted(const struct reading *reading, const struct interface *interface,
                      const struct ab_a2a_version *version)
{
    const struct ab_a2a_card_wish *wish = reading->wish;

    if (version_of(interface) != version || (!is_binding(interface, "JSONRPC") && !is_binding(interface, "HTTP+JSON")))
        return false;
    return (wish->binding == NULL || is_binding(interface, wish->binding)) &&
           (wish->version == NULL || ab_a2a_version_find(ab_str(wish->version)) == version);
}

static bool take(const struct reading *reading, const struct interface *interface)
{
    struct ab_a2a_peer *peer = &reading->out->peer;
    AB_CLEANUP(ab_free_string) char *url = ab_json_string_dup(interface->url);
    AB_CLEANUP(ab_free_string) char *tenant = ab_json_string_dup(interface->tenant);

    if (url == NULL)
        return refuse(reading, "an interface of the card has no url");
    if (!may_call(reading, url))
        return false;
    *peer = (struct ab_a2a_peer){ .version = version_of(interface), .rpc = is_binding(interface, "JSONRPC") };
    for (size_t size = strlen(url); !peer->rpc && size > 0 && url[size - 1] == '/'; size--)
        url[size - 1] = '\0';
    peer->url = ab_strdup(url);
    peer->tenant = tenant != NULL && tenant[0] != '\0' ? ab_strdup(tenant) : NULL;
    return true;
}

static struct interface interface_of(struct ab_json value)
{
    return (struct interface){ .url = ab_json_member(value, "url"),
                               .binding = ab_json_member(value, "protocolBinding"),
                               .version = ab_json_member(value, "protocolVersion"),
                               .tenant = ab_json_member(value, "tenant") };
}

/* The first of this version that may be used. */
static bool choose_listed(const struct reading *reading, const struct ab_a2a_version *version)
{
    struct ab_json_iterator each = ab_json_iterate(ab_json_member(reading->card, "supportedInterfaces"));
    struct ab_json value;

    while (ab_json_next(&each, NULL, &value)) {
        struct interface interface = interface_of(value);
        if (is_wanted(reading, &interface, version) && take(reading, &interface))
            return true;
    }
    return false;
}

/* A card of 0.3 has one address of its own, whose transport has a default, and others beside it. */
static bool choose_old(const struct reading *reading, const struct ab_a2a_version *version)
{
    struct ab_json_iterator each = ab_json_iterate(ab_json_member(reading->card, "additionalInterfaces"));
    struct ab_json preferred = ab_json_member(reading->card, "preferredTransport");
    struct interface interface = {
        .url = ab_json_member(reading->card, "url"),
        .binding = ab_json_exists(preferred) ? preferred : ab_json_trusted("\"JSONRPC\""),
        .version = ab_json_trusted("\"0.3\""),
    };
    struct ab_json value;

    if (is_wanted(reading, &interface, version) && take(reading, &interface))
        return true;
    while (ab_json_next(&each, NULL, &value)) {
        interface.url = ab_json_member(value, "url");
        interface.binding = ab_json_member(value, "transport");
        if (is_wanted(reading, &interface, version) && take(reading, &interface))
            return true;
    }
    return false;
}

/* The newest version that both speak, in the card's own order of preference. */
static bool choose(const struct reading *reading)
{
    struct ab_json listed = ab_json_member(reading->card, "supportedInterfaces");
    bool old = ab_json_is(ab_json_member(reading->card, "url"), AB_JSON_STRING);

    (void)refuse(
        reading, "the card names no interface that can be used here: JSON-RPC or HTTP+JSON of A2A 1.0 or 0.3%s",
        reading->wish->version != NULL || reading->wish->binding != NULL ? ", as the configuration wants it" : "");
    for (const struct ab_a2a_version *const *version = ab_a2a_versions; *version != NULL; version++) {
        if (ab_json_is(listed, AB_JSON_ARRAY) && choose_listed(reading, *version))
            return true;
        if (old && choose_old(reading, *version))
            return true;
    }
    return false;
}

/* --- what it says of itself --- */

static bool is_named(const char *const *names, struct ab_json uri)
{
    for (; names != NULL && *names != NULL; names++)
        if (ab_json_string_is(uri, *names))
            return true;
    return false;
}

static bool check_extensions(const struct reading *reading)
{
    struct ab_json extensions = ab_json_at(reading->card, "capabilities", "extensions", NULL);
    struct ab_json_iterator each = ab_json_iterate(extensions);
    struct ab_json extension;

    while (ab_json_is(extensions, AB_JSON_ARRAY) && ab_json_next(&each, NULL, &extension)) {
        struct ab_json uri = ab_json_member(extension, "uri");
        if (ab_json_is_true(ab_json_member(extension, "required")) && !is_named(reading->wish->extensions, uri))
            return refuse(
                reading,
                "the agent wants callers that know the extension %.*s; if it may be named in calls, list it in "
                "\"extensions\" of this agent's configuration",
                uri.text.size < 200 ? (int)uri.text.size : 200, uri.text.data != NULL ? uri.text.data : "?");
    }
    return true;
}

static void write_skill(struct ab_json_writer *writer, struct ab_json skill)
{
    static const struct {
        const char *name;
        enum ab_json_type type;
    } members[] = {
        { "id", AB_JSON_STRING },         { "name", AB_JSON_STRING },    { "description", AB_JSON_STRING },
        { "tags", AB_JSON_ARRAY },        { "examples", AB_JSON_ARRAY }, { "inputModes", AB_JSON_ARRAY },
        { "outputModes", AB_JSON_ARRAY },
    };

    ab_json_object_begin(writer);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        struct ab_json value = ab_json_member(skill, members[i].name);
        if (ab_json_is(value, members[i].type))
            ab_json_put_value(writer, members[i].name, value);
    }
    ab_json_object_end(writer);
}

static char *read_skills(struct ab_json skills)
{
    struct ab_json_iterator each = ab_json_iterate(skills);
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    struct ab_json skill;

    if (!ab_json_is(skills, AB_JSON_ARRAY) || ab_json_count(skills) == 0)
        return NULL;
    ab_json_writer_init(&writer, &out);
    ab_json_array_begin(&writer);
    for (size_t n = 0; n < SKILLS && ab_json_next(&each, NULL, &skill); n++)
        if (ab_json_is(ab_json_member(skill, "id"), AB_JSON_STRING) &&
            ab_json_is(ab_json_member(skill, "name"), AB_JSON_STRING))
            write_skill(&writer, skill);
    ab_json_array_end(&writer);
    return ab_buf_steal(&out);
}

static char *read_words(struct ab_json value)
{
    char *text = ab_json_string_dup(value);

    if (text != NULL && text[0] == '\0') {
        free(text);
        return NULL;
    }
    return text;
}

bool ab_a2a_client_card_read(struct ab_str text, const struct ab_a2a_card_wish *wish, struct ab_a2a_client_card *out,
                             char *reason, size_t reason_size)
{
    struct reading reading = { .wish = wish, .out = out, .reason = reason, .reason_size = reason_size };
    struct ab_json_error error = { 0 };

    *out = (struct ab_a2a_client_card){ 0 };
    if (!ab_json_check(text, AB_A2A_CARD_DEPTH, &reading.card, &error))
        return refuse(&reading, "the card is no JSON: %s", error.text);
    if (!ab_json_is(reading.card, AB_JSON_OBJECT))
        return refuse(&reading, "the card must be an object, found %s", ab_json_type_name(reading.card));
    if (wish->keys_json != NULL &&
        !ab_a2a_client_signature_check(reading.card, ab_json_trusted(wish->keys_json), reason, reason_size))
        return false;
    if (!check_extensions(&reading) || !choose(&reading))
        return false;
    out->streaming = ab_json_is_true(ab_json_at(reading.card, "capabilities", "streaming", NULL));
    out->pushes = ab_json_is_true(ab_json_at(reading.card, "capabilities", "pushNotifications", NULL));
    out->extended = ab_json_is_true(ab_json_at(reading.card, "capabilities", "extendedAgentCard", NULL)) ||
                    ab_json_is_true(ab_json_member(reading.card, "supportsAuthenticatedExtendedCard")); /* of 0.3 */
    out->name = read_words(ab_json_member(reading.card, "name"));
    out->description = read_words(ab_json_member(reading.card, "description"));
    out->version = read_words(ab_json_member(reading.card, "version"));
    out->skills_json = read_skills(ab_json_member(reading.card, "skills"));
    return true;
}

void ab_a2a_client_card_deinit(struct ab_a2a_client_card *card)
{
    free(card->peer.url);
    free(card->peer.tenant);
    free(card->name);
    free(card->description);
    free(card->version);
    free(card->skills_json);
    *card = (struct ab_a2a_client_card){ 0 };
}
