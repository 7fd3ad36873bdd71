/* What a client of A2A writes and reads: cards and whose they are, requests, replies as they come, and news: tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "a2a/client_card.h"
#include "a2a/client_news.h"
#include "a2a/client_reply.h"
#include "a2a/client_request.h"
#include "a2a/client_signature.h"
#include "auth/sign.h"
#include "base/base64.h"
#include "base/mem.h"

#include <string.h>

static struct ab_json json(const char *text)
{
    struct ab_json value;
    struct ab_json_error error;

    if (!ab_json_check(ab_str(text), 64, &value, &error))
        fail_msg("%s: %s", error.text, text);
    return value;
}

/* --- cards --- */

#define INTERFACE(url, binding, version)                                                                               \
    "{\"url\":\"" url "\",\"protocolBinding\":\"" binding "\",\"protocolVersion\":\"" version "\"}"
#define CARD(interfaces) "{\"name\":\"n\",\"supportedInterfaces\":[" interfaces "]}"

static const char *const other_host[] = { "else.example", NULL };
static const char *const other_port[] = { "a.example:8443", NULL };
static const char *const known_extension[] = { "urn:x", NULL };

static const struct card_case {
    const char *text;
    struct ab_a2a_card_wish wish;
    const char *url; /* NULL: refused */
    const char *version;
    bool rpc;
    const char *reason; /* a piece of it */
} cards[] = {
    { CARD(INTERFACE("https://a.example/rpc", "JSONRPC", "1.0")), { 0 }, "https://a.example/rpc", "1.0", true, NULL },
    { CARD(INTERFACE("https://a.example/r/", "HTTP+JSON", "1.0.1") "," INTERFACE("https://a.example/rpc", "JSONRPC",
                                                                                 "1.0")),
      { 0 },
      "https://a.example/r",
      "1.0",
      false,
      NULL },
    { CARD(INTERFACE("https://a.example/old", "JSONRPC", "0.3") "," INTERFACE("https://a.example/new", "HTTP+JSON",
                                                                              "1.0")),
      { 0 },
      "https://a.example/new",
      "1.0",
      false,
      NULL },
    { CARD(INTERFACE("https://a.example/old", "JSONRPC", "0.3") "," INTERFACE("https://a.example/new", "JSONRPC",
                                                                              "1.0")),
      { .version = "0.3" },
      "https://a.example/old",
      "0.3",
      true,
      NULL },
    { CARD(INTERFACE("https://a.example/rpc", "JSONRPC", "1.0") "," INTERFACE("https://a.example/h", "HTTP+JSON",
                                                                              "1.0")),
      { .binding = "HTTP+JSON" },
      "https://a.example/h",
      "1.0",
      false,
      NULL },
    { CARD(INTERFACE("https://a.example:443/rpc", "JSONRPC", "1.0")),
      { 0 },
      "https://a.example:443/rpc",
      "1.0",
      true,
      NULL },
    { CARD(INTERFACE("a.example:50", "GRPC", "1.0")), { 0 }, NULL, NULL, false, "names no interface" },
    { CARD(INTERFACE("https://a.example/rpc", "JSONRPC", "2.0")), { 0 }, NULL, NULL, false, "names no interface" },
    { CARD(INTERFACE("https://a.example/rpc", "JSONRPC", "1.0")),
      { .version = "0.3" },
      NULL,
      NULL,
      false,
      "as the configuration wants it" },
    { CARD(""), { 0 }, NULL, NULL, false, "names no interface" },

    /* 0.3 */
    { "{\"name\":\"n\",\"url\":\"https://a.example/x\",\"protocolVersion\":\"0.3.0\"}",
      { 0 },
      "https://a.example/x",
      "0.3",
      true,
      NULL },
    { "{\"url\":\"https://a.example/x\",\"preferredTransport\":\"GRPC\",\"additionalInterfaces\":[{\"url\":"
      "\"https://a.example/y\",\"transport\":\"HTTP+JSON\"}]}",
      { 0 },
      "https://a.example/y",
      "0.3",
      false,
      NULL },

    /* A card that lies. */
    { CARD(INTERFACE("https://else.example/rpc", "JSONRPC", "1.0")), { 0 }, NULL, NULL, false, "another host, else" },
    { CARD(INTERFACE("https://else.example/rpc", "JSONRPC", "1.0")),
      { .hosts = other_host },
      "https://else.example/rpc",
      "1.0",
      true,
      NULL },
    { CARD(INTERFACE("https://a.example:8443/rpc", "JSONRPC", "1.0")), { 0 }, NULL, NULL, false, "a.example:8443" },
    { CARD(INTERFACE("https://a.example:8443/rpc", "JSONRPC", "1.0")),
      { .hosts = other_port },
      "https://a.example:8443/rpc",
      "1.0",
      true,
      NULL },
    { CARD(INTERFACE("https://a.example.evil/rpc", "JSONRPC", "1.0")), { 0 }, NULL, NULL, false, "another host" },
    { CARD(INTERFACE("https://a.example@evil.example/", "JSONRPC", "1.0")), { 0 }, NULL, NULL, false, "user" },
    { CARD(INTERFACE("http://a.example/rpc", "JSONRPC", "1.0")), { 0 }, NULL, NULL, false, "came over https" },
    { CARD(INTERFACE("file:///etc/passwd", "JSONRPC", "1.0")), { 0 }, NULL, NULL, false, "must begin with" },
    { CARD(INTERFACE("https://else.example/rpc", "JSONRPC", "1.0") "," INTERFACE("https://a.example/h", "HTTP+JSON",
                                                                                 "1.0")),
      { 0 },
      "https://a.example/h",
      "1.0",
      false,
      NULL },

    /* What it wants of callers. */
    { "{\"capabilities\":{\"extensions\":[{\"uri\":\"urn:x\",\"required\":true}]},\"url\":\"https://a.example/x\"}",
      { 0 },
      NULL,
      NULL,
      false,
      "the extension \"urn:x\"" },
    { "{\"capabilities\":{\"extensions\":[{\"uri\":\"urn:x\",\"required\":true}]},\"url\":\"https://a.example/x\"}",
      { .extensions = known_extension },
      "https://a.example/x",
      "0.3",
      true,
      NULL },

    /* No card at all. */
    { "<html>", { 0 }, NULL, NULL, false, "no JSON" },
    { "[]", { 0 }, NULL, NULL, false, "must be an object, found array" },
    { "{}", { 0 }, NULL, NULL, false, "names no interface" },
    { "{\"supportedInterfaces\":{},\"url\":7}", { 0 }, NULL, NULL, false, "names no interface" },
    { CARD("{\"protocolBinding\":\"JSONRPC\",\"protocolVersion\":\"1.0\"}"), { 0 }, NULL, NULL, false, "no url" },
};

static void test_cards(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cards / sizeof *cards; i++) {
        struct ab_a2a_card_wish wish = cards[i].wish;
        AB_CLEANUP(ab_free_string) char *text = ab_strdup(cards[i].text);
        struct ab_a2a_client_card card;
        char reason[AB_A2A_REASON_SIZE] = "";
        wish.url = "https://a.example/.well-known/agent-card.json";
        bool good = ab_a2a_client_card_read(ab_str(text), &wish, &card, reason, sizeof reason);
        if (good != (cards[i].url != NULL))
            fail_msg("%s: %s", cards[i].text, reason);
        if (!good) {
            if (strstr(reason, cards[i].reason) == NULL)
                fail_msg("%s: %s", cards[i].text, reason);
            continue;
        }
        assert_string_equal(card.peer.url, cards[i].url);
        assert_string_equal(card.peer.version->name, cards[i].version);
        assert_int_equal(card.peer.rpc, cards[i].rpc);
        ab_a2a_client_card_deinit(&card);
    }
}

static void test_what_a_card_says(void **state)
{
    static const char text[] =
        "{\"name\":\"N\",\"description\":\"D\",\"version\":\"7\",\"capabilities\":{\"streaming\":true,"
        "\"pushNotifications\":true},"
        "\"supportedInterfaces\":"
        "[{\"url\":\"http://h/\",\"protocolBinding\":\"JSONRPC\",\"protocolVersion\":\"1.0\",\"tenant\":\"t\"}],"
        "\"skills\":[{\"id\":\"s\",\"name\":\"S\",\"description\":\"d\",\"tags\":[\"x\"],\"examples\":[\"e\"],"
        "\"inputModes\":"
        "[\"text/plain\"],\"evil\":1,\"outputModes\":7},{\"name\":\"without an id\"}]}";
    struct ab_a2a_client_card card;
    char reason[AB_A2A_REASON_SIZE];

    (void)state;
    assert_true(ab_a2a_client_card_read(AB_STR(text), &(struct ab_a2a_card_wish){ .url = "http://h:80/card" }, &card,
                                        reason, sizeof reason));
    assert_string_equal(card.name, "N");
    assert_string_equal(card.description, "D");
    assert_string_equal(card.version, "7");
    assert_string_equal(card.peer.tenant, "t");
    assert_string_equal(card.peer.url, "http://h/");
    assert_true(card.streaming);
    assert_true(card.pushes);
    assert_false(card.extended);
    assert_string_equal(card.skills_json, "[{\"id\":\"s\",\"name\":\"S\",\"description\":\"d\",\"tags\":[\"x\"],"
                                          "\"examples\":[\"e\"],\"inputModes\":[\"text/plain\"]}]");
    ab_a2a_client_card_deinit(&card);
}

/* --- signatures --- */

static struct ab_signer *signer_of(unsigned char byte)
{
    unsigned char key[AB_SIGN_KEY_BYTES];
    struct ab_signer *signer;

    memset(key, byte, sizeof key);
    signer = ab_signer_new(key);
    assert_non_null(signer);
    return signer;
}

static char *keys_of(const struct ab_signer *signer)
{
    struct ab_buf out = AB_BUF_INIT(4096);
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, &out);
    ab_json_array_begin(&writer);
    ab_signer_write_key(signer, &writer);
    ab_json_array_end(&writer);
    return ab_buf_steal(&out);
}

/* `card` is an object whose last member is "signatures" to be. */
static char *signed_card(const struct ab_signer *signer, const char *header, const char *signed_as, const char *shown)
{
    struct ab_buf payload = AB_BUF_INIT(65536);
    struct ab_buf out = AB_BUF_INIT(65536);

    ab_json_canonical(json(signed_as), true, &payload);
    ab_buf_append(&out, shown, strlen(shown) - 1);
    ab_buf_append_text(&out, ",\"signatures\":[{\"protected\":\"");
    ab_base64url_encode(&out, header, strlen(header));
    ab_buf_append_text(&out, "\",\"signature\":\"");
    assert_int_equal(ab_signer_sign(signer, ab_str(header), ab_buf_str(&payload), &out), AB_OK);
    ab_buf_append_text(&out, "\"}]}");
    ab_buf_deinit(&payload);
    return ab_buf_steal(&out);
}

static void test_signatures(void **state)
{
    static const char plain[] = "{\"name\":\"n\",\"skills\":[],\"version\":\"1\"}";
    static const char hybrid[] = "{\"name\":\"n\",\"version\":\"1\",\"url\":\"x\",\"preferredTransport\":\"JSONRPC\"}";
    static const char forged[] = "{\"name\":\"m\",\"skills\":[],\"version\":\"1\"}";
    static const char es[] = "{\"alg\":\"ES256\",\"typ\":\"JOSE\",\"jku\":\"http://evil.example/keys\"}";
    static const char none[] = "{\"alg\":\"none\"}";
    static const char other_kid[] = "{\"alg\":\"ES256\",\"kid\":\"other\"}";
    const struct {
        const char *header;
        const char *signed_as;
        const char *shown;
        bool by_other;
        bool good;
    } cases[] = {
        { es, plain, plain, false, true },    { es, plain, hybrid, false, true },
        { es, plain, forged, false, false },  { es, plain, plain, true, false },
        { none, plain, plain, false, false }, { other_kid, plain, plain, false, false },
    };
    struct ab_signer *signer = signer_of(3);
    struct ab_signer *other = signer_of(4);
    AB_CLEANUP(ab_free_string) char *keys = keys_of(signer);
    char reason[AB_A2A_REASON_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AB_CLEANUP(ab_free_string)
        char *card =
            signed_card(cases[i].by_other ? other : signer, cases[i].header, cases[i].signed_as, cases[i].shown);
        assert_int_equal(ab_a2a_client_signature_check(json(card), json(keys), reason, sizeof reason), cases[i].good);
        if (!cases[i].good)
            assert_non_null(strstr(reason, "none of the card's signatures"));
    }
    assert_false(ab_a2a_client_signature_check(json(plain), json(keys), reason, sizeof reason));
    assert_non_null(strstr(reason, "not signed"));
    ab_signer_free(signer);
    ab_signer_free(other);
}

/* --- requests --- */

enum { PLAIN = -1, STREAM = -2, PUSH = -3, FORGET = 100, EXTENDED };

#define JSON_HEAD "Content-Type: application/json\nAccept: application/json, application/a2a+json\n"
#define HEAD_1_0 JSON_HEAD "A2A-Version: 1.0\nA2A-Extensions: urn:a, urn:b\n"
#define HEAD_0_3 JSON_HEAD "A2A-Version: 0.3\nX-A2A-Extensions: urn:a, urn:b\n"
#define MESSAGE_END "},\"configuration\":{\"acceptedOutputModes\":[\"text/plain\"],"
#define MESSAGE_1_0                                                                                                    \
    "\"message\":{\"messageId\":\"m\",\"role\":\"ROLE_USER\",\"contextId\":\"c\",\"taskId\":\"T/1\","                  \
    "\"parts\":[{\"text\":\"a\"}]" MESSAGE_END
#define MESSAGE_0_3_RPC                                                                                                \
    "\"message\":{\"kind\":\"message\",\"messageId\":\"m\",\"role\":\"user\",\"contextId\":\"c\",\"taskId\":\"T/1\","  \
    "\"parts\":[{\"kind\":\"text\",\"text\":\"a\"}]" MESSAGE_END
#define MESSAGE_0_3_HTTP                                                                                               \
    "\"message\":{\"messageId\":\"m\",\"role\":\"ROLE_USER\",\"contextId\":\"c\",\"taskId\":\"T/1\","                  \
    "\"content\":[{\"text\":\"a\"}]" MESSAGE_END
#define CONFIG_BEGIN "{\"id\":\"p 1\",\"url\":\"https://me/n\",\"token\":\"tok\",\"authentication\":{"
#define CONFIG_1_0 CONFIG_BEGIN "\"scheme\":\"Bearer\",\"credentials\":\"tok\"}}"
#define CONFIG_0_3 CONFIG_BEGIN "\"schemes\":[\"Bearer\"],\"credentials\":\"tok\"}}"
#define RPC "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"

static void test_requests(void **state)
{
    static const struct {
        const struct ab_a2a_version *version;
        bool rpc;
        const char *tenant;
        int verb; /* < 0: a message; STREAM: with a stream, PUSH: with posts wanted; FORGET: none any more; EXTENDED */
        const char *expected;
    } cases[] = {
        { &ab_a2a_v1_0, true, "t", STREAM,
          "POST http://h/x\nContent-Type: application/json\nAccept: text/event-stream, application/json\nA2A-Version: "
          "1.0\nA2A-Extensions: urn:a, "
          "urn:b\n{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"SendStreamingMessage\",\"params\":"
          "{\"tenant\":\"t\",\"message\":{\"messageId\":\"m\",\"role\":\"ROLE_USER\",\"contextId\":\"c\",\"taskId\":"
          "\"T/1\","
          "\"parts\":[{\"text\":\"a\"},{\"raw\":\"AA==\",\"mediaType\":\"i/"
          "p\"}],\"metadata\":{\"k\":1}},\"configuration\":"
          "{\"acceptedOutputModes\":[\"text/plain\"],\"historyLength\":0}}}" },
        { &ab_a2a_v1_0, false, "t/u", PLAIN,
          "POST http://h/x/t%2Fu/message:send\nContent-Type: application/json\nAccept: application/json, "
          "application/a2a+json\nA2A-Version: 1.0\nA2A-Extensions: urn:a, urn:b\n{\"message\":{\"messageId\":\"m\","
          "\"role\":\"ROLE_USER\",\"contextId\":\"c\",\"taskId\":\"T/1\",\"parts\":[{\"text\":\"a\"},{\"raw\":\"AA==\","
          "\"mediaType\":\"i/p\"}],\"metadata\":{\"k\":1}},\"configuration\":{\"acceptedOutputModes\":[\"text/plain\"],"
          "\"historyLength\":0,\"returnImmediately\":true}}" },
        { &ab_a2a_v0_3, true, NULL, PLAIN,
          "POST http://h/x\nContent-Type: application/json\nAccept: application/json, "
          "application/a2a+json\nA2A-Version: "
          "0.3\nX-A2A-Extensions: urn:a, urn:b\n{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"message/send\",\"params\":"
          "{\"message\":{\"kind\":\"message\",\"messageId\":\"m\",\"role\":\"user\",\"contextId\":\"c\",\"taskId\":\"T/"
          "1\","
          "\"parts\":[{\"kind\":\"text\",\"text\":\"a\"},{\"kind\":\"file\",\"file\":{\"bytes\":\"AA==\",\"mimeType\":"
          "\"i/p\"}}],\"metadata\":{\"k\":1}},\"configuration\":{\"acceptedOutputModes\":[\"text/plain\"],\"blocking\":"
          "false}}}" },
        { &ab_a2a_v0_3, false, NULL, STREAM,
          "POST http://h/x/v1/message:stream\nContent-Type: application/json\nAccept: text/event-stream, "
          "application/json\nA2A-Version: 0.3\nX-A2A-Extensions: urn:a, "
          "urn:b\n{\"message\":{\"messageId\":\"m\",\"role\":"
          "\"ROLE_USER\",\"contextId\":\"c\",\"taskId\":\"T/"
          "1\",\"content\":[{\"text\":\"a\"},{\"file\":{\"fileWithBytes\":"
          "\"AA==\",\"mimeType\":\"i/p\"}}],\"metadata\":{\"k\":1}},\"configuration\":{\"acceptedOutputModes\":"
          "[\"text/plain\"]}}" },
        { &ab_a2a_v1_0, true, "t", AB_A2A_CLIENT_GET,
          "POST http://h/x\nContent-Type: application/json\nAccept: application/json, "
          "application/a2a+json\nA2A-Version: "
          "1.0\nA2A-Extensions: urn:a, "
          "urn:b\n{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"GetTask\",\"params\":{\"tenant\":"
          "\"t\",\"id\":\"T/1\",\"historyLength\":0}}" },
        { &ab_a2a_v1_0, false, NULL, AB_A2A_CLIENT_GET,
          "GET http://h/x/tasks/T%2F1?historyLength=0\nAccept: application/json, application/a2a+json\nA2A-Version: "
          "1.0\nA2A-Extensions: urn:a, urn:b\n" },
        { &ab_a2a_v1_0, false, NULL, AB_A2A_CLIENT_SUBSCRIBE,
          "POST http://h/x/tasks/T%2F1:subscribe\nContent-Type: application/json\nAccept: text/event-stream, "
          "application/json\nA2A-Version: 1.0\nA2A-Extensions: urn:a, urn:b\n{}" },
        { &ab_a2a_v0_3, true, NULL, AB_A2A_CLIENT_SUBSCRIBE,
          "POST http://h/x\nContent-Type: application/json\nAccept: text/event-stream, application/json\nA2A-Version: "
          "0.3\nX-A2A-Extensions: urn:a, "
          "urn:b\n{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tasks/resubscribe\",\"params\":"
          "{\"id\":\"T/1\"}}" },
        { &ab_a2a_v0_3, false, NULL, AB_A2A_CLIENT_SUBSCRIBE,
          "GET http://h/x/v1/tasks/T%2F1:subscribe\nAccept: text/event-stream, application/json\nA2A-Version: "
          "0.3\nX-A2A-Extensions: urn:a, urn:b\n" },
        { &ab_a2a_v0_3, false, NULL, AB_A2A_CLIENT_CANCEL,
          "POST http://h/x/v1/tasks/T%2F1:cancel\nContent-Type: application/json\nAccept: application/json, "
          "application/a2a+json\nA2A-Version: 0.3\nX-A2A-Extensions: urn:a, urn:b\n{}" },
        { &ab_a2a_v1_0, true, "t", PUSH,
          "POST http://h/x\n" HEAD_1_0 RPC "\"SendMessage\",\"params\":{\"tenant\":\"t\"," MESSAGE_1_0
          "\"historyLength\":0,\"returnImmediately\":true,\"taskPushNotificationConfig\":" CONFIG_1_0 "}}}" },
        { &ab_a2a_v0_3, true, NULL, PUSH,
          "POST http://h/x\n" HEAD_0_3 RPC "\"message/send\",\"params\":{" MESSAGE_0_3_RPC
          "\"blocking\":false,\"pushNotificationConfig\":" CONFIG_0_3 "}}}" },
        { &ab_a2a_v0_3, false, NULL, PUSH,
          "POST http://h/x/v1/message:send\n" HEAD_0_3 "{" MESSAGE_0_3_HTTP
          "\"blocking\":false,\"pushNotification\":" CONFIG_0_3 "}}" },
        { &ab_a2a_v1_0, true, "t", FORGET,
          "POST http://h/x\n" HEAD_1_0 RPC "\"DeleteTaskPushNotificationConfig\",\"params\":{\"tenant\":\"t\","
          "\"taskId\":\"T/1\",\"id\":\"p 1\"}}" },
        { &ab_a2a_v0_3, true, NULL, FORGET,
          "POST http://h/x\n" HEAD_0_3 RPC "\"tasks/pushNotificationConfig/delete\",\"params\":{"
          "\"id\":\"T/1\",\"pushNotificationConfigId\":\"p 1\"}}" },
        { &ab_a2a_v0_3, false, NULL, FORGET,
          "DELETE http://h/x/v1/tasks/T%2F1/pushNotificationConfigs/p%201\nAccept: application/json, "
          "application/a2a+json\nA2A-Version: 0.3\nX-A2A-Extensions: urn:a, urn:b\n" },
        { &ab_a2a_v1_0, true, "t", EXTENDED,
          "POST http://h/x\n" HEAD_1_0 RPC "\"GetExtendedAgentCard\",\"params\":{\"tenant\":\"t\"}}" },
        { &ab_a2a_v1_0, false, "t", EXTENDED,
          "GET http://h/x/t/extendedAgentCard\nAccept: application/json, application/a2a+json\nA2A-Version: 1.0\n"
          "A2A-Extensions: urn:a, urn:b\n" },
        { &ab_a2a_v0_3, true, NULL, EXTENDED,
          "POST http://h/x\n" HEAD_0_3 RPC "\"agent/getAuthenticatedExtendedCard\"}" },
        { &ab_a2a_v0_3, false, NULL, EXTENDED,
          "GET http://h/x/v1/card\nAccept: application/json, application/a2a+json\nA2A-Version: 0.3\n"
          "X-A2A-Extensions: urn:a, urn:b\n" },
    };
    static const char *const extensions[] = { "urn:a", "urn:b", NULL };
    char url[] = "http://h/x";

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AB_CLEANUP(ab_free_string) char *tenant = ab_strdup(cases[i].tenant);
        struct ab_a2a_peer peer = { .version = cases[i].version, .rpc = cases[i].rpc, .url = url, .tenant = tenant };
        struct ab_a2a_client_message message = {
            .id = "m",
            .context_id = "c",
            .task_id = "T/1",
            .parts = json("[{\"text\":\"a\"},{\"raw\":\"AA==\",\"media_type\":\"i/p\"}]"),
            .metadata = json("{\"k\":1}"),
            .request_metadata = json("{}"),
            .output_modes = json("[\"text/plain\"]"),
            .stream = cases[i].verb == STREAM,
        };
        const struct ab_a2a_client_push push = { "p 1", "https://me/n", "tok" };
        struct ab_a2a_client_request request;
        struct ab_buf text = AB_BUF_INIT(65536);
        if (cases[i].verb == PUSH) {
            message.push = &push;
            message.parts = json("[{\"text\":\"a\"}]");
            message.metadata = json("{}");
        }
        if (cases[i].verb == EXTENDED)
            ab_a2a_client_write_extended(&peer, extensions, &request);
        else if (cases[i].verb == FORGET)
            ab_a2a_client_write_push_delete(&peer, "T/1", push.id, extensions, &request);
        else if (cases[i].verb < 0)
            ab_a2a_client_write_message(&peer, &message, extensions, &request);
        else
            ab_a2a_client_write_task(&peer, (enum ab_a2a_client_verb)cases[i].verb, "T/1", extensions, &request);
        ab_buf_printf(&text, "%s %s\n", request.verb, request.url);
        for (size_t h = 0; request.headers[h] != NULL; h++)
            ab_buf_printf(&text, "%s\n", request.headers[h]);
        ab_buf_append_str(&text, ab_buf_str(&request.body));
        assert_string_equal(text.data, cases[i].expected);
        ab_buf_deinit(&text);
        ab_a2a_client_request_deinit(&request);
    }
}

/* --- replies --- */

struct heard {
    struct ab_buf text;
};

static void on_result(void *arg, struct ab_json result)
{
    ab_buf_printf(&((struct heard *)arg)->text, "result %.*s\n", AB_STR_ARGS(result.text));
}

static void on_refused(void *arg, const struct ab_a2a_client_refusal *refusal)
{
    ab_buf_printf(&((struct heard *)arg)->text, "refused %u %d %lld %s\n", refusal->status,
                  refusal->known ? (int)refusal->error : -1, (long long)refusal->code, refusal->text);
}

static void on_broken(void *arg, const char *reason)
{
    ab_buf_printf(&((struct heard *)arg)->text, "broken %s\n", reason);
}

static const struct reply_case {
    bool rpc;
    unsigned status;
    const char *type;
    const char *body;
    const char *expected; /* what is heard, or its beginning */
} replies[] = {
    { true, 200, "application/json", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"a\":1}}", "result {\"a\":1}\n" },
    { true, 200, "application/json", "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32001,\"message\":\"gone\"}}",
      "refused 200 0 -32001 gone\n" },
    { true, 400, "application/json",
      "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32602,\"message\":\"bad\"}}",
      "refused 400 12 -32602 bad\n" },
    { true, 200, "application/json", "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}",
      "broken the agent answered another" },
    { true, 200, "application/json", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\"}",
      "broken the agent answered with a" },
    { true, 200, "application/json", "{\"jsonrpc\":\"2.0\"}", "broken the agent's answer is no response" },
    { true, 200, "application/json", "{", "broken the answer of the agent is no JSON" },
    { true, 200, "text/html", "<html>", "broken the answer of the agent is no JSON" },
    { true, 200, "application/json", "", "broken the agent's answer is empty" },
    { true, 401, "text/plain", "no", "refused 401 -1 0 HTTP status 401\n" },
    { true, 502, "text/html", "", "refused 502 -1 0 HTTP status 502\n" },
    { true, 302, "text/html", "", "refused 302 -1 0 HTTP status 302\n" },
    { true, 200, "text/event-stream",
      "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"a\":1}}\n\n: sign of life\n\ndata: "
      "{\"jsonrpc\":\"2.0\",\r\ndata: "
      "\"id\":1,\"result\":2}\r\n\r\n",
      "result {\"a\":1}\nresult 2\n" },
    { true, 200, "text/event-stream; charset=utf-8",
      "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":1}\n\nevent: error\ndata: "
      "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":"
      "{\"code\":7,\"message\":\"own\"}}\n\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":3}\n\n",
      "result 1\nrefused 200 -1 7 own\n" },
    { true, 200, "text/event-stream", "data: garbage\n\ndata: more\n\n", "broken an event in the stream of the agent" },
    { true, 200, "text/event-stream", "data: \n\n", "" },
    { false, 200, "application/a2a+json", "{\"task\":{}}", "result {\"task\":{}}\n" },
    { false, 201, "application/json", "{\"task\":{}}", "result {\"task\":{}}\n" },
    { false, 404, "application/json",
      "{\"error\":{\"code\":404,\"status\":\"NOT_FOUND\",\"message\":\"gone\",\"details\":[{\"@type\":\"x\"},{"
      "\"reason\":"
      "\"TASK_NOT_FOUND\"}]}}",
      "refused 404 0 404 gone\n" },
    { false, 404, "application/json", "{\"code\":-32001,\"message\":\"gone\"}", "refused 404 0 -32001 gone\n" },
    { false, 404, "application/json", "{\"message\":\"gone\"}", "refused 404 -1 0 gone\n" },
    { false, 500, "application/json", "[]", "refused 500 -1 0 HTTP status 500\n" },
    { false, 200, "text/event-stream",
      "data: {\"task\":{}}\n\nevent: error\ndata: {\"error\":{\"message\":\"broke\"}}\n\n",
      "result {\"task\":{}}\nrefused 200 -1 0 broke\n" },
};

static void run_reply(const struct reply_case *one, size_t step, size_t max_bytes, size_t max_stream,
                      const char *expected)
{
    static const struct ab_a2a_reply_events events = { on_result, on_refused, on_broken };
    struct heard heard = { .text = AB_BUF_INIT(65536) };
    struct ab_a2a_reply *reply = ab_a2a_reply_new(one->rpc, max_bytes, max_stream, &events, &heard);
    size_t size = strlen(one->body);

    ab_a2a_reply_head(reply, one->status, ab_str(one->type));
    for (size_t at = 0; at < size; at += step)
        ab_a2a_reply_feed(reply, (struct ab_str){ one->body + at, size - at < step ? size - at : step });
    ab_a2a_reply_end(reply);
    ab_a2a_reply_free(reply);
    ab_buf_append_text(&heard.text, "");
    if (strncmp(heard.text.size > 0 ? heard.text.data : "", expected, strlen(expected)) != 0 ||
        (expected[0] == '\0' && heard.text.size > 0))
        fail_msg("%s: %s", one->body, heard.text.size > 0 ? heard.text.data : "nothing");
    ab_buf_deinit(&heard.text);
}

static void test_replies_whole_and_in_pieces(void **state)
{
    static const size_t steps[] = { 1, 7, 4096 };

    (void)state;
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++)
        for (size_t s = 0; s < sizeof steps / sizeof *steps; s++)
            run_reply(&replies[i], steps[s], 65536, 65536, replies[i].expected);
}

static void test_replies_without_end(void **state)
{
    static const struct reply_case answer = { .rpc = true,
                                              .status = 200,
                                              .type = "application/json",
                                              .body = "[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]" };
    static const struct reply_case event = { .rpc = true,
                                             .status = 200,
                                             .type = "text/event-stream",
                                             .body = "data: [0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]\n\n" };
    static const struct reply_case noise = { .rpc = true,
                                             .status = 200,
                                             .type = "text/event-stream",
                                             .body = ": a\n\n: b\n\n: c\n\n: d\n\n: e\n\n: f\n\n: g\n\n: h\n\n" };

    (void)state;
    run_reply(&answer, 5, 20, 1000, "broken the agent's answer is longer than 20 bytes");
    run_reply(&event, 5, 20, 1000, "broken an event in the agent's stream is longer than 20 bytes");
    run_reply(&noise, 5, 20, 30, "broken the agent's stream is longer than 30 bytes");
}

/* --- news --- */

static const struct news_case {
    const struct ab_a2a_version *version;
    const char *given;
    const char *expected; /* kind task context state parts artifacts flags; or a piece of the reason */
} news_cases[] = {
    { &ab_a2a_v1_0, "{\"task\":{\"id\":\"t\",\"contextId\":\"c\",\"status\":{\"state\":\"TASK_STATE_WORKING\"}}}",
      "0 t c 1 - - -" },
    { &ab_a2a_v1_0, "{\"id\":\"t\",\"contextId\":\"c\",\"status\":{\"state\":3},\"artifacts\":[]}", "0 t c 4 - [] -" },
    { &ab_a2a_v1_0,
      "{\"id\":\"t\",\"status\":{\"state\":\"TASK_STATE_FAILED\",\"message\":{\"messageId\":\"m\",\"role\":\"ROLE_"
      "AGENT\","
      "\"parts\":[{\"text\":\"x\",\"mediaType\":\"text/x\"}]}},\"artifacts\":[{\"artifactId\":\"a\",\"name\":\"n\","
      "\"description\":\"\",\"metadata\":{\"k\":1},\"parts\":[{\"data\":[1.0]}],\"extensions\":[\"u\"],\"zzz\":1}]}",
      "0 t - 5 [{\"text\":\"x\",\"media_type\":\"text/x\"}] [{\"id\":\"a\",\"name\":\"n\",\"metadata\":{\"k\":1},"
      "\"extensions\":[\"u\"],\"parts\":[{\"data\":[1.0]}]}] -" },
    { &ab_a2a_v1_0, "{\"message\":{\"messageId\":\"m\",\"role\":\"ROLE_AGENT\",\"parts\":[{\"text\":\"x\"}]}}",
      "1 - - 0 [{\"text\":\"x\"}] - -" },
    { &ab_a2a_v1_0,
      "{\"statusUpdate\":{\"taskId\":\"t\",\"contextId\":\"c\",\"status\":{\"state\":\"TASK_STATE_AUTH_REQUIRED\"},"
      "\"metadata\":{}}}",
      "2 t c 3 - - -" },
    { &ab_a2a_v1_0,
      "{\"artifactUpdate\":{\"taskId\":\"t\",\"contextId\":\"c\",\"artifact\":{\"artifactId\":\"a\",\"parts\":[{"
      "\"text\":"
      "\"x\"}]},\"append\":true,\"lastChunk\":true}}",
      "3 t c 0 - [{\"id\":\"a\",\"parts\":[{\"text\":\"x\"}]}] append,last" },
    { &ab_a2a_v1_0, "{\"artifact_update\":{\"task_id\":\"t\",\"artifact\":{\"artifact_id\":\"a\",\"parts\":[]}}}",
      "3 t - 0 - [{\"id\":\"a\",\"parts\":[]}] -" },

    { &ab_a2a_v0_3,
      "{\"kind\":\"task\",\"id\":\"t\",\"contextId\":\"c\",\"status\":{\"state\":\"input-required\",\"message\":{"
      "\"kind\":"
      "\"message\",\"messageId\":\"m\",\"role\":\"agent\",\"parts\":[{\"kind\":\"text\",\"text\":\"?\"}]}}}",
      "0 t c 2 [{\"text\":\"?\"}] - -" },
    { &ab_a2a_v0_3,
      "{\"kind\":\"status-update\",\"taskId\":\"t\",\"contextId\":\"c\",\"status\":{\"state\":\"canceled\"},\"final\":"
      "true}",
      "2 t c 6 - - -" },
    { &ab_a2a_v0_3, "{\"taskId\":\"t\",\"contextId\":\"c\",\"status\":{\"state\":\"unknown\"}}", "2 t c 1 - - -" },
    { &ab_a2a_v0_3,
      "{\"kind\":\"artifact-update\",\"taskId\":\"t\",\"artifact\":{\"artifactId\":\"a\",\"parts\":[{\"kind\":\"file\","
      "\"file\":{\"uri\":\"u\",\"name\":\"n\"}}]}}",
      "3 t - 0 - [{\"id\":\"a\",\"parts\":[{\"url\":\"u\",\"filename\":\"n\"}]}] -" },
    { &ab_a2a_v0_3, "{\"messageId\":\"m\",\"role\":\"agent\",\"parts\":[{\"text\":\"x\"}]}",
      "1 - - 0 [{\"text\":\"x\"}] - -" },
    { &ab_a2a_v0_3, "{\"message\":{\"messageId\":\"m\",\"role\":\"ROLE_AGENT\",\"content\":[{\"text\":\"x\"}]}}",
      "1 - - 0 [{\"text\":\"x\"}] - -" },
    { &ab_a2a_v0_3,
      "{\"statusUpdate\":{\"taskId\":\"t\",\"status\":{\"state\":\"TASK_STATE_CANCELLED\",\"update\":{\"content\":"
      "[{\"text\":\"x\"}]}},\"final\":true}}",
      "2 t - 6 [{\"text\":\"x\"}] - -" },

    { &ab_a2a_v1_0, "[]", "must be an object, found array" },
    { &ab_a2a_v1_0, "{}", "neither a task nor a message" },
    { &ab_a2a_v1_0, "{\"kind\":\"song\"}", "neither a task nor a message" },
    { &ab_a2a_v1_0, "{\"task\":{\"status\":{\"state\":1}}}", "id is missing" },
    { &ab_a2a_v1_0, "{\"task\":{\"id\":7,\"status\":{\"state\":1}}}", "id must be a string" },
    { &ab_a2a_v1_0, "{\"task\":{\"id\":\"t\"}}", "the status must be an object, found nothing" },
    { &ab_a2a_v1_0, "{\"task\":{\"id\":\"t\",\"status\":{\"state\":\"DANCING\"}}}", "state \"DANCING\" is none" },
    { &ab_a2a_v1_0, "{\"task\":{\"id\":\"t\",\"status\":{}}}", "state is missing" },
    { &ab_a2a_v1_0, "{\"message\":{\"role\":1}}", "the message has no parts" },
    { &ab_a2a_v1_0, "{\"message\":{\"parts\":[{\"song\":1}]}}", "parts[0] must have exactly one" },
    { &ab_a2a_v1_0, "{\"artifactUpdate\":{\"taskId\":\"t\",\"artifact\":{\"parts\":[]}}}", "no artifactId" },
    { &ab_a2a_v1_0, "{\"artifactUpdate\":{\"artifact\":{\"artifactId\":\"a\",\"parts\":[]}}}", "taskId is missing" },
    { &ab_a2a_v1_0, "{\"artifactUpdate\":{\"taskId\":\"t\",\"artifact\":{\"artifactId\":\"a\"}}}",
      "has no array of parts" },
};

static const char *or_dash(const char *text)
{
    return text != NULL ? text : "-";
}

static void test_news(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof news_cases / sizeof *news_cases; i++) {
        struct ab_a2a_news news;
        char reason[AB_A2A_REASON_SIZE] = "";
        AB_CLEANUP(ab_free_string) char *text = NULL;
        if (!ab_a2a_news_read(news_cases[i].version, json(news_cases[i].given), &news, reason, sizeof reason)) {
            if (strstr(reason, news_cases[i].expected) == NULL)
                fail_msg("%s: %s", news_cases[i].given, reason);
            continue;
        }
        text = ab_format("%d %s %s %d %s %s %s%s%s", (int)news.kind, or_dash(news.task_id), or_dash(news.context_id),
                         (int)news.state, or_dash(news.parts_json), or_dash(news.artifacts_json),
                         news.append ? "append" : "", news.append && news.last ? "," : "",
                         news.last     ? "last"
                         : news.append ? ""
                                       : "-");
        assert_string_equal(text, news_cases[i].expected);
        ab_a2a_news_deinit(&news);
    }
}

static void test_whose_notification_it_is(void **state)
{
    static const struct {
        const char *body;
        const char *task; /* "-": it names none; NULL: it is no notification */
    } cases[] = {
        { "{\"task\":{\"id\":\"t\",\"status\":{\"state\":\"TASK_STATE_WORKING\"}}}", "t" },
        { "{\"statusUpdate\":{\"taskId\":\"t\",\"status\":{}}}", "t" },
        { "{\"status_update\":{\"task_id\":\"t\"}}", "t" },
        { "{\"artifactUpdate\":{\"taskId\":\"t\",\"artifact\":{}}}", "t" },
        { "{\"message\":{\"messageId\":\"m\"}}", "-" },
        { "{\"message\":{\"messageId\":\"m\",\"taskId\":\"t\"}}", "t" },
        { "{\"kind\":\"task\",\"id\":\"t\"}", "t" },
        { "{\"kind\":\"status-update\",\"taskId\":\"t\"}", "t" },
        { "{\"id\":\"t\",\"status\":{\"state\":\"working\"}}", "t" },
        { "{\"kind\":\"song\",\"id\":\"t\"}", NULL },
        { "{\"kind\":\"task\"}", NULL },
        { "{\"kind\":\"task\",\"id\":7}", NULL },
        { "{\"task\":{\"id\":\"\"}}", NULL },
        { "{\"jsonrpc\":\"2.0\"}", NULL },
        { "{}", NULL },
        { "[]", NULL },
        { "null", NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *task;
        bool good = ab_a2a_news_task(json(cases[i].body), &task);
        if (good != (cases[i].task != NULL) || (good && strcmp(task != NULL ? task : "-", cases[i].task) != 0))
            fail_msg("%s: %s", cases[i].body, task != NULL ? task : "none");
        free(task);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cards),
        cmocka_unit_test(test_what_a_card_says),
        cmocka_unit_test(test_signatures),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_replies_whole_and_in_pieces),
        cmocka_unit_test(test_replies_without_end),
        cmocka_unit_test(test_news),
        cmocka_unit_test(test_whose_notification_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
