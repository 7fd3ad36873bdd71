/* Push notifications of a remote agent: what it is asked for, what it may post, and what comes of it, lost or repeated
 * posts, refusals, questions, ends and restarts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "store/memory.h"
#include "support/a2a_rig.h"
#include "support/fake_exchange.h"
#include "support/fake_store.h"
#include "wire/json.h"

#include <stdio.h>
#include <string.h>

#define PUSH_CARD CARD_OF("true", ",\"pushNotifications\":true")
#define WORKING TASK("WORKING")
#define COMPLETED TASK("COMPLETED")
#define ASKING                                                                                                         \
    "{\"id\":\"T\",\"contextId\":\"C\",\"status\":{\"state\":\"TASK_STATE_INPUT_REQUIRED\",\"message\":{\"parts\":[{"  \
    "\"text\":\"Where to?\"}]}}}"
#define NEWS "{\"statusUpdate\":{\"taskId\":\"T\",\"contextId\":\"C\",\"status\":{\"state\":\"TASK_STATE_WORKING\"}}}"

/* What the agent was given with a message. */
struct address {
    char path[128];
    char token[128];
};

static int setup(void **state)
{
    struct remote *remote;

    far_setup(state);
    remote = *state;
    far_shut_down(remote);
    remote->seen = remote->client->n_calls; /* the card's fetch */
    remote->push = true;
    far_build(remote);
    return 0;
}

static struct address address_in(struct remote *remote, size_t call)
{
    struct ab_json body = ab_json_trusted(remote->client->calls[call].body);
    struct ab_json config = ab_json_at(body, "params", "configuration", "taskPushNotificationConfig", NULL);
    AB_CLEANUP(ab_free_string) char *url = ab_json_string_dup(ab_json_member(config, "url"));
    AB_CLEANUP(ab_free_string) char *token = ab_json_string_dup(ab_json_member(config, "token"));
    const char *base = "https://near.example";
    struct address address;

    assert_non_null(url);
    assert_non_null(token);
    assert_int_equal(strncmp(url, base, strlen(base)), 0);
    assert_true(ab_json_string_is(ab_json_at(config, "authentication", "credentials", NULL), token));
    snprintf(address.path, sizeof address.path, "%s", url + strlen(base));
    snprintf(address.token, sizeof address.token, "%s", token);
    return address;
}

/* A message has been sent with an address; the call of the send. */
static size_t sent(struct remote *remote, struct address *address)
{
    far_give_card(remote, PUSH_CARD);
    far_create_in(remote, NULL);
    size_t call = far_next_call(remote, "\"SendMessage\"");
    assert_non_null(strstr(remote->client->calls[call].body, "\"returnImmediately\":true"));
    assert_true(remote->client->calls[call].alone);
    *address = address_in(remote, call);
    return call;
}

/* The same, and the agent is at work. */
static struct address begun(struct remote *remote)
{
    struct address address;
    size_t call = sent(remote, &address);

    far_answer_result(remote, call, "{\"task\":" WORKING "}");
    far_expect_no_call(remote);
    assert_int_equal(fake_client_open(remote->client), 0);
    return address;
}

static unsigned post_to(struct remote *remote, struct ab_a2a_receiver *receiver, const char *path,
                        const char *const *headers, const char *body)
{
    struct fake_exchange *exchange = fake_exchange_new(remote->loop, "POST", path, headers, body);
    unsigned status;

    ab_a2a_receiver_handle(receiver, &exchange->base);
    assert_true(exchange->answered); /* at once */
    status = exchange->status;
    assert_int_equal(fake_exchange_header(exchange, "www-authenticate") != NULL, status == 401);
    assert_int_equal(fake_exchange_body(exchange)[0] == '\0', status == 204);
    fake_exchange_free(exchange);
    far_run(remote);
    return status;
}

static unsigned post(struct remote *remote, const struct address *address, const char *body)
{
    const char *const headers[] = { "content-type", "application/a2a+json", "x-a2a-notification-token", address->token,
                                    NULL };

    return post_to(remote, remote->receiver, address->path, headers, body);
}

/* --- the way it should go --- */

static void test_nothing_is_open_until_it_is_told(void **state)
{
    struct remote *remote = *state;
    struct address address = begun(remote);
    size_t call;

    far_expect_row(remote, "executing  ");
    fake_loop_advance(remote->loop, 20000);
    far_expect_no_call(remote);
    assert_int_equal(post(remote, &address, NEWS), 204);
    call = far_next_call(remote, "GetTask");
    assert_true(remote->client->calls[call].alone);
    far_answer_result(remote, call, WORKING);
    assert_int_equal(fake_client_open(remote->client), 0);
    fake_loop_advance(remote->loop, 20000);
    assert_int_equal(post(remote, &address, "{\"task\":" COMPLETED "}"), 204);
    call = far_next_call(remote, "GetTask"); /* what was posted is not believed */
    far_answer_result(remote, call, COMPLETED);
    far_expect_row(remote, "completed  {\"text\":\"\",\"parts\":[]}");
    assert_int_equal(post(remote, &address, NEWS), 204); /* its last words were late */
    far_expect_no_call(remote);
}

static void test_the_token_in_either_header(void **state)
{
    struct remote *remote = *state;
    struct address address = begun(remote);
    AB_CLEANUP(ab_free_string) char *bearer = ab_format("bearer  %s ", address.token);
    const char *const one[] = { "authorization", bearer, "x-a2a-notification-token", "other", NULL };
    const char *const without_type[] = { "x-a2a-notification-token", address.token, NULL };

    assert_int_equal(post_to(remote, remote->receiver, address.path, one, NEWS), 204);
    assert_int_equal(post_to(remote, remote->receiver, address.path, without_type,
                             "{\"kind\":\"task\",\"id\":\"T\",\"contextId\":\"C\",\"status\":{\"state\":\"working\"}}"),
                     204);
}

static void test_bad_posts(void **state)
{
    static const struct {
        const char *path; /* NULL: the run's own */
        const char *token;
        const char *type;
        const char *body;
        unsigned status;
    } cases[] = {
        { NULL, "", "application/json", NEWS, 401 },
        { NULL, "guessed", "application/json", NEWS, 401 },
        { NULL, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "application/json", NEWS, 401 },
        { "/notifications/", NULL, "application/json", NEWS, 401 },
        { "/notifications/far", NULL, "application/json", NEWS, 401 },
        { "/notifications/far/", NULL, "application/json", NEWS, 401 },
        { "/notifications/far/0123456789abcdef0123456789abcdef", NULL, "application/json", NEWS, 401 },
        { "/notifications/near/0123456789abcdef0123456789abcdef", NULL, "application/json", NEWS, 401 },
        { "/notifications//////", NULL, "application/json", NEWS, 401 },
        { NULL, NULL, "text/plain", NEWS, 415 },
        { NULL, NULL, "application/jsonp", NEWS, 415 },
        { NULL, NULL, "application/json", "", 400 },
        { NULL, NULL, "application/json", "{", 400 },
        { NULL, NULL, "application/json", "null", 400 },
        { NULL, NULL, "application/json", "{\"song\":1}", 400 },
        { NULL, NULL, "application/json", "{\"task\":{\"id\":7}}", 400 },
        { NULL, NULL, "application/json",
          "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
          "]]]]]]]]"
          "]]]]]]]]]]]]]]]]]]",
          400 },
        { NULL, NULL, "application/json", "{\"task\":{\"id\":\"X\",\"status\":{\"state\":\"TASK_STATE_COMPLETED\"}}}",
          400 },
        { NULL, NULL, "application/json", "{\"kind\":\"task\",\"id\":\"X\",\"status\":{\"state\":\"completed\"}}",
          400 },
        { NULL, NULL, "application/json", NEWS, 204 },
    };
    struct remote *remote = *state;
    struct address address = begun(remote);

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *token = cases[i].token != NULL ? cases[i].token : address.token;
        const char *const headers[] = { "content-type", cases[i].type, "x-a2a-notification-token", token, NULL };
        unsigned status = post_to(remote, remote->receiver, cases[i].path != NULL ? cases[i].path : address.path,
                                  headers, cases[i].body);
        if (status != cases[i].status)
            fail_msg("case %zu: %u", i, status);
        if (status != 204)
            far_expect_no_call(remote);
    }
    (void)far_next_call(remote, "GetTask");
}

static void test_a_token_is_good_for_one_address(void **state)
{
    struct remote *remote = *state;
    struct address one = begun(remote);
    struct address other;
    size_t call;

    far_create_in(remote, NULL);
    call = far_next_call(remote, "\"SendMessage\"");
    other = address_in(remote, call);
    assert_string_not_equal(one.path, other.path);
    snprintf(other.token, sizeof other.token, "%s", one.token);
    assert_int_equal(post(remote, &other, NEWS), 401);
}

static void test_keys_change(void **state)
{
    static const unsigned char keys[2][AB_SEAL_KEY_BYTES] = { { 9 }, { 7 } };
    struct remote *remote = *state;
    struct address address = begun(remote);
    const char *const headers[] = { "x-a2a-notification-token", address.token, NULL };

    for (size_t n = 1; n <= 2; n++) {
        struct ab_sealer *sealer = ab_sealer_new(keys, n, ab_random_system());
        struct ab_a2a_receiver *receiver =
            ab_a2a_receiver_new(&(struct ab_a2a_receiver_settings){ .sealer = sealer, .store = remote->store });
        assert_int_equal(post_to(remote, receiver, address.path, headers, NEWS), n == 1 ? 401 : 204);
        ab_a2a_receiver_free(receiver);
        ab_sealer_free(sealer);
    }
}

/* --- many, early, none --- */

static void test_many_posts_are_one_look(void **state)
{
    struct remote *remote = *state;
    struct address address = begun(remote);
    size_t call;

    for (int i = 0; i < 5; i++)
        assert_int_equal(post(remote, &address, NEWS), 204);
    call = far_next_call(remote, "GetTask");
    far_expect_no_call(remote);
    for (int i = 0; i < 5; i++)
        assert_int_equal(post(remote, &address, NEWS), 204);
    far_answer_result(remote, call, WORKING);
    far_expect_no_call(remote); /* not on the heels of the one before */
    for (int i = 0; i < 5; i++)
        assert_int_equal(post(remote, &address, NEWS), 204);
    fake_loop_advance(remote->loop, 1000);
    call = far_next_call(remote, "GetTask");
    far_answer_result(remote, call, WORKING);
    fake_loop_advance(remote->loop, 10000);
    far_expect_no_call(remote);
}

static void test_a_post_before_the_answer(void **state)
{
    struct remote *remote = *state;
    struct address address;
    size_t call = sent(remote, &address);

    assert_int_equal(post(remote, &address, "{\"task\":" COMPLETED "}"), 204);
    far_expect_no_call(remote);
    far_answer_result(remote, call, "{\"task\":" WORKING "}");
    call = far_next_call(remote, "GetTask");
    far_answer_result(remote, call, COMPLETED);
    far_expect_row(remote, "completed  {\"text\":\"\",\"parts\":[]}");
}

static void test_lost_posts(void **state)
{
    struct remote *remote = *state;
    uint64_t waited[5];
    size_t call;

    (void)begun(remote);
    for (size_t i = 0; i < sizeof waited / sizeof *waited; i++) {
        waited[i] = 0;
        while (remote->client->n_calls == remote->seen && waited[i] < 1000000) {
            fake_loop_advance(remote->loop, 500);
            waited[i] += 500;
        }
        call = far_next_call(remote, "GetTask");
        far_answer_result(remote, call, i < 4 ? WORKING : COMPLETED);
    }
    assert_true(waited[0] > 20000 && waited[0] < 40000);
    assert_true(waited[1] > 34000 && waited[2] > 50000);
    assert_true(waited[4] > 80000 && waited[4] < 120000);
    far_expect_row(remote, "completed  {\"text\":\"\",\"parts\":[]}");
}

/* An agent that posts and then does not answer is not asked faster for it. */
static void test_posts_while_the_agent_does_not_answer(void **state)
{
    struct remote *remote = *state;
    struct address address = begun(remote);
    size_t call;

    assert_int_equal(post(remote, &address, NEWS), 204);
    for (int i = 0; i < 4; i++) {
        call = far_next_call(remote, "GetTask");
        far_whole_answer(remote, call, 503, "", "");
        assert_int_equal(post(remote, &address, NEWS), 204);
        fake_loop_advance(remote->loop, i == 0 ? 100 : 400);
        far_expect_no_call(remote);
        fake_loop_advance(remote->loop, 60000);
    }
    call = far_next_call(remote, "GetTask");
    far_answer_result(remote, call, COMPLETED);
    far_expect_row(remote, "completed  {\"text\":\"\",\"parts\":[]}");
}

/* --- agents that do not --- */

static void test_a_card_that_offers_none(void **state)
{
    struct remote *remote = *state;
    size_t call;

    far_give_card(remote, CARD("true"));
    far_create_in(remote, NULL);
    call = far_next_call(remote, "SendStreamingMessage");
    assert_null(strstr(remote->client->calls[call].body, "near.example"));
}

static void test_refused_addresses(void **state)
{
    static const struct {
        int code;
        const char *row; /* NULL: sent again without */
    } cases[] = {
        { -32003, NULL },
        { -32004, NULL },
        { -32602, NULL },
        { -32600, NULL },
        { -32603, "error crashed {\"message\":\"the agent failed: no\"}" },
        { -32005, "failed rejected {\"message\":\"no\"}" },
    };
    struct remote *remote = *state;

    far_give_card(remote, PUSH_CARD);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        far_create_in(remote, NULL);
        size_t call = far_next_call(remote, "\"SendMessage\"");
        AB_CLEANUP(ab_free_string) char *id = ab_format("\"messageId\":\"%s-1\"", remote->task);
        assert_non_null(strstr(remote->client->calls[call].body, id));
        far_answer_error(remote, call, cases[i].code, "no");
        if (cases[i].row != NULL) {
            far_expect_row(remote, cases[i].row);
            continue;
        }
        call = far_next_call(remote, "SendStreamingMessage");
        assert_non_null(strstr(remote->client->calls[call].body, id)); /* it is the same message */
        assert_null(strstr(remote->client->calls[call].body, "near.example"));
        far_begin_stream(remote, call);
        far_event(remote, call, FIRST);
        far_event(remote, call, DONE);
        far_expect_row(remote, "completed  {\"text\":\"\",\"parts\":[]}");
    }
    /* It was not the address. */
    far_create_in(remote, NULL);
    far_answer_error(remote, far_next_call(remote, "\"SendMessage\""), -32602, "bad parts");
    far_answer_error(remote, far_next_call(remote, "SendStreamingMessage"), -32602, "bad parts");
    far_expect_row(remote, "failed rejected {\"message\":\"bad parts\"}");
    far_expect_no_call(remote);
}

static void test_a_message_whose_answer_is_lost_is_not_sent_twice(void **state)
{
    struct remote *remote = *state;
    struct address address;
    size_t call = sent(remote, &address);

    fake_client_fail(remote->client, call, AB_HTTP_CALL_BROKEN, "reset");
    far_run(remote);
    fake_loop_advance(remote->loop, 60000);
    far_expect_no_call(remote);
    far_expect_row(remote, "error unreachable {\"message\":\"the connection was lost before the agent said what "
                           "becomes of the message: reset\"}");
    assert_int_equal(post(remote, &address, NEWS), 410);
}

/* --- questions --- */

static void test_a_question_and_its_answer(void **state)
{
    struct remote *remote = *state;
    struct address address = begun(remote);
    struct address again;
    size_t call;

    assert_int_equal(post(remote, &address, NEWS), 204);
    far_answer_result(remote, far_next_call(remote, "GetTask"), ASKING);
    struct ab_task row = far_row_of(remote);
    assert_int_equal(row.status, AB_TASK_PAUSED);
    ab_task_deinit(&row);
    fake_loop_advance(remote->loop, 10000);
    far_expect_no_call(remote);
    far_give_answer(remote, "{\"input\":{\"action\":\"accept\",\"content\":{\"text\":\"Rome\"}}}");
    call = far_next_call(remote, "\"SendMessage\"");
    assert_non_null(strstr(remote->client->calls[call].body, "\"taskId\":\"T\""));
    again = address_in(remote, call);
    assert_string_equal(again.path, address.path);
    far_answer_result(remote, call, "{\"task\":" WORKING "}");
    far_expect_row(remote, "executing  ");
    assert_int_equal(post(remote, &address, NEWS), 204); /* with the older token */
    far_answer_result(remote, far_next_call(remote, "GetTask"), WORKING);
    fake_loop_advance(remote->loop, 1000);
    assert_int_equal(post(remote, &again, NEWS), 204);
    far_answer_result(remote, far_next_call(remote, "GetTask"), COMPLETED);
    far_expect_row(remote, "completed  {\"text\":\"\",\"parts\":[]}");
}

/* The agent has the address already: it was not that. */
static void test_an_answer_that_is_refused(void **state)
{
    struct remote *remote = *state;
    struct address address = begun(remote);
    struct ab_task row;

    assert_int_equal(post(remote, &address, NEWS), 204);
    far_answer_result(remote, far_next_call(remote, "GetTask"), ASKING);
    far_give_answer(remote, "{\"input\":{\"action\":\"accept\",\"content\":{\"text\":\"Rome\"}}}");
    far_answer_error(remote, far_next_call(remote, "\"SendMessage\""), -32602, "not Rome");
    far_answer_result(remote, far_next_call(remote, "GetTask"), ASKING);
    row = far_row_of(remote);
    assert_non_null(strstr(row.questions_json, "\"problem\":\"not Rome\""));
    ab_task_deinit(&row);
    far_expect_no_call(remote);
}

static void test_somebody_else_answers(void **state)
{
    struct remote *remote = *state;
    struct address address = begun(remote);

    assert_int_equal(post(remote, &address, NEWS), 204);
    far_answer_result(remote, far_next_call(remote, "GetTask"), ASKING);
    fake_loop_advance(remote->loop, 1000);
    assert_int_equal(post(remote, &address, NEWS), 204);
    far_answer_result(remote, far_next_call(remote, "GetTask"), WORKING);
    far_expect_row(remote, "executing  ");
}

/* --- ends --- */

static void test_stopping_takes_the_address_back(void **state)
{
    struct remote *remote = *state;
    struct address address = begun(remote);
    size_t call;

    far_stop_task(remote);
    call = far_next_call(remote, "CancelTask");
    assert_int_equal(post(remote, &address, NEWS), 204);
    far_answer_result(remote, call, TASK("CANCELED"));
    call = far_next_call(remote, "DeleteTaskPushNotificationConfig");
    assert_non_null(strstr(remote->client->calls[call].body, "\"taskId\":\"T\""));
    assert_int_equal(post(remote, &address, NEWS), 204);
    far_answer_result(remote, call, "null");
    far_expect_no_call(remote);
    assert_int_equal(post(remote, &address, NEWS), 410);
    far_expect_row(remote, "stopped  ");
}

/* One that cannot be cancelled does its work and posts no more; one that cannot be reached is told so when it posts. */
static void test_stopping_what_does_not_stop(void **state)
{
    struct remote *remote = *state;
    struct address address = begun(remote);
    size_t call;

    far_stop_task(remote);
    far_answer_error(remote, far_next_call(remote, "CancelTask"), -32002, "not now");
    call = far_next_call(remote, "DeleteTaskPushNotificationConfig");
    far_answer_error(remote, call, -32003, "what?");
    far_expect_no_call(remote);

    far_create_in(remote, NULL);
    call = far_next_call(remote, "\"SendMessage\"");
    address = address_in(remote, call);
    far_answer_result(remote, call, "{\"task\":" WORKING "}");
    far_stop_task(remote);
    fake_client_fail(remote->client, far_next_call(remote, "CancelTask"), AB_HTTP_CALL_TIMED_OUT, "timed out");
    far_expect_no_call(remote);
    assert_int_equal(post(remote, &address, NEWS), 410);
}

static void test_a_task_that_is_not_there(void **state)
{
    struct remote *remote = *state;
    struct address address = begun(remote);
    struct ab_store *none = ab_store_memory_new(remote->loop);
    struct ab_a2a_receiver *receiver =
        ab_a2a_receiver_new(&(struct ab_a2a_receiver_settings){ .sealer = remote->sealer, .store = none });
    const char *const headers[] = { "x-a2a-notification-token", address.token, NULL };

    assert_int_equal(post_to(remote, receiver, address.path, headers, NEWS), 410);
    ab_a2a_receiver_free(receiver);
    none->ops->free(none);
}

/* Whoever is told 410 posts no more, which a fault of the bridge's own must not bring about. */
static void test_a_store_that_cannot_be_read(void **state)
{
    struct remote *remote = *state;
    struct address address = begun(remote);
    struct fake_store *store = fake_store_new(ab_store_memory_new(remote->loop), remote->loop);
    struct ab_a2a_receiver *receiver =
        ab_a2a_receiver_new(&(struct ab_a2a_receiver_settings){ .sealer = remote->sealer, .store = &store->store });
    const char *const headers[] = { "x-a2a-notification-token", address.token, NULL };

    store->unreadable = true;
    assert_int_equal(post_to(remote, receiver, address.path, headers, NEWS), 503);
    store->unreadable = false;
    assert_int_equal(post_to(remote, receiver, address.path, headers, NEWS), 410);
    ab_a2a_receiver_free(receiver);
    store->store.ops->free(&store->store);
}

/* --- restarts --- */

static void test_a_restart(void **state)
{
    struct remote *remote = *state;
    struct address address = begun(remote);
    size_t call;

    far_shut_down(remote);
    assert_int_equal(post(remote, &address, NEWS), 204); /* the next process begins with a look */
    far_build(remote);
    far_give_card(remote, PUSH_CARD);
    call = far_next_call(remote, "GetTask");
    far_answer_result(remote, call, WORKING);
    fake_loop_advance(remote->loop, 20000);
    far_expect_no_call(remote);
    assert_int_equal(post(remote, &address, NEWS), 204);
    far_answer_result(remote, far_next_call(remote, "GetTask"), COMPLETED);
    far_expect_row(remote, "completed  {\"text\":\"\",\"parts\":[]}");
}

static void test_a_restart_with_a_question(void **state)
{
    struct remote *remote = *state;
    struct address address = begun(remote);

    assert_int_equal(post(remote, &address, NEWS), 204);
    far_answer_result(remote, far_next_call(remote, "GetTask"), ASKING);
    far_shut_down(remote);
    far_build(remote);
    far_give_card(remote, PUSH_CARD);
    far_answer_result(remote, far_next_call(remote, "GetTask"), ASKING);
    far_give_answer(remote, "{\"input\":{\"action\":\"accept\",\"content\":{\"text\":\"Rome\"}}}");
    (void)far_next_call(remote, "\"SendMessage\"");
}

/* Whatever the first attempt began there is not what is waited for. */
static void test_a_restart_that_sends_again(void **state)
{
    struct remote *remote = *state;
    struct address first;
    struct address second;
    size_t call;

    far_shut_down(remote);
    remote->retry = true;
    far_build(remote);
    while (remote->seen + 1 < remote->client->n_calls) /* cards that were not awaited */
        remote->seen++;
    (void)sent(remote, &first);
    far_shut_down(remote);
    far_build(remote);
    far_give_card(remote, PUSH_CARD);
    call = far_next_call(remote, "\"SendMessage\"");
    second = address_in(remote, call);
    assert_string_not_equal(first.path, second.path);
    assert_int_equal(post(remote, &first, NEWS), 410);
    assert_int_equal(post(remote, &second, NEWS), 204);
    snprintf(second.token, sizeof second.token, "%s", first.token);
    assert_int_equal(post(remote, &second, NEWS), 401);
}

static void test_a_restart_under_another_address(void **state)
{
    struct remote *remote = *state;

    (void)begun(remote);
    far_shut_down(remote);
    ab_a2a_receiver_set_url(remote->receiver, "https://elsewhere.example");
    far_build(remote);
    far_give_card(remote, PUSH_CARD);
    (void)far_next_call(remote, "SubscribeToTask"); /* it posts to nobody */
}

/* --- anything, in any order --- */

enum { WALK_STEPS = 80, WALK_CALLS = 200, WALKS = 150 };

struct walk {
    struct remote *remote;
    struct fake_random random;
    struct ab_random source;
    struct address address; /* "" : none was given yet */
};

static unsigned dice(struct walk *walk, unsigned sides)
{
    uint32_t number = 0;
    ab_random_fill(&walk->source, &number, sizeof number);
    return (unsigned)(number % sides);
}

/* The newest call that has not ended; false: there is none. */
static bool newest_open(const struct remote *remote, size_t *call)
{
    for (*call = remote->client->n_calls; *call > 0; (*call)--) {
        if (remote->client->open[*call - 1] != NULL && !remote->client->calls[*call - 1].over) {
            (*call)--;
            return true;
        }
    }
    return false;
}

static const char *result_for(struct walk *walk, const char *body)
{
    static const char *const states[] = { WORKING, WORKING, WORKING, ASKING, COMPLETED, TASK("FAILED") };
    static const char *const wrapped[] = { "{\"task\":" WORKING "}", "{\"task\":" WORKING "}", "{\"task\":" ASKING "}",
                                           "{\"task\":" COMPLETED "}" };
    if (strstr(body, "\"SendMessage\"") != NULL)
        return wrapped[dice(walk, 4)];
    if (strstr(body, "\"CancelTask\"") != NULL)
        return TASK("CANCELED");
    return strstr(body, "\"GetTask\"") != NULL ? states[dice(walk, 6)] : "null";
}

static void walk_answer(struct walk *walk)
{
    static const enum ab_http_call_outcome losses[] = { AB_HTTP_CALL_BROKEN, AB_HTTP_CALL_UNREACHABLE,
                                                        AB_HTTP_CALL_TIMED_OUT };
    static const int errors[] = { -32001, -32003, -32004, -32602, -32603, -31999 };
    struct remote *remote = walk->remote;
    const char *body;
    size_t call;

    if (!newest_open(remote, &call))
        return;
    body = remote->client->calls[call].body;
    if (body != NULL && strstr(body, "taskPushNotificationConfig") != NULL)
        walk->address = address_in(remote, call);
    if (dice(walk, 5) == 0)
        fake_client_fail(remote->client, call, losses[dice(walk, 3)], "lost");
    else if (strcmp(remote->client->calls[call].method, "GET") == 0)
        far_whole_answer(remote, call, 200, "", dice(walk, 8) > 0 ? PUSH_CARD : CARD("true"));
    else if (dice(walk, 5) == 0)
        far_answer_error(remote, call, errors[dice(walk, 6)], "no");
    else
        far_answer_result(remote, call, result_for(walk, body));
}

static void walk_post(struct walk *walk)
{
    static const char other[] = "{\"task\":{\"id\":\"U\",\"status\":{\"state\":\"TASK_STATE_WORKING\"}}}";
    unsigned status;

    if (walk->address.path[0] == '\0')
        return;
    status = post(walk->remote, &walk->address, dice(walk, 4) == 0 ? other : NEWS);
    assert_true(status == 204 || status == 400 || status == 410);
}

static void ignore(void *arg, enum ab_steer_outcome outcome, const struct ab_task *task, const char *text)
{
    (void)arg;
    (void)outcome;
    (void)task;
    (void)text;
}

static void walk_steer(struct walk *walk)
{
    static const char answers[] = "{\"message\":{\"action\":\"accept\",\"content\":{\"text\":\"there\"}},"
                                  "\"input\":{\"action\":\"accept\",\"content\":{\"text\":\"there\"}}}";
    struct remote *remote = walk->remote;

    if (dice(walk, 6) == 0)
        ab_engine_remove(remote->engine, "ann", remote->task, ignore, NULL);
    else if (dice(walk, 5) == 0)
        ab_engine_stop(remote->engine, "ann", remote->task, ignore, NULL);
    else
        ab_engine_answer(remote->engine, "ann", remote->task, answers, ignore, NULL);
    far_run(remote);
}

/* The agent is gone, and what was being taken back there is given up: then the bridge can go down at once. */
static void lose_all(struct remote *remote)
{
    size_t call;

    for (unsigned i = 0; i < 40 && newest_open(remote, &call); i++) {
        fake_client_fail(remote->client, call, AB_HTTP_CALL_BROKEN, "the end");
        far_run(remote);
    }
}

static void walk_step(struct walk *walk)
{
    struct remote *remote = walk->remote;

    switch (dice(walk, 16)) {
    case 0:
        far_create_in(remote, NULL);
        break;
    case 1:
        walk_steer(walk);
        break;
    case 2:
        if (dice(walk, 2) == 0)
            return;
        lose_all(remote);
        far_shut_down(remote);
        remote->retry = dice(walk, 2) == 0;
        far_build(remote);
        break;
    case 3:
        fake_loop_advance(remote->loop, dice(walk, 3) == 0 ? 200000 : dice(walk, 3000));
        break;
    case 4:
    case 5:
    case 6:
    case 7:
        walk_post(walk);
        break;
    default:
        walk_answer(walk);
        break;
    }
}

static bool must_have_ended(void *arg, const struct ab_task *task)
{
    (void)arg;
    assert_true(ab_task_status_is_terminal(task->status));
    return true;
}

/* Whatever comes when, with runs that are paused, stopping, ended, removed or of an earlier process: no post breaks
 * any, and every task ends. */
static void test_posts_at_any_moment(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= WALKS; seed++) {
        struct walk walk = { 0 };
        struct ab_store_filter all = { 0 };
        void *remote = NULL;

        setup(&remote);
        walk.remote = remote;
        walk.source = fake_random(&walk.random, seed);
        far_create_in(walk.remote, NULL);
        for (unsigned i = 0; i < WALK_STEPS && walk.remote->client->n_calls < WALK_CALLS; i++)
            walk_step(&walk);
        ab_engine_stop(walk.remote->engine, "ann", walk.remote->task, ignore, NULL);
        far_run(walk.remote);
        lose_all(walk.remote);
        fake_loop_advance(walk.remote->loop, 90000000); /* every pause and every agent's time is over */
        assert_int_equal(walk.remote->store->ops->list(walk.remote->store, &all, must_have_ended, NULL), AB_OK);
        lose_all(walk.remote);
        far_teardown(&remote);
    }
}

#define with_remote(test) cmocka_unit_test_setup_teardown(test, setup, far_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_remote(test_nothing_is_open_until_it_is_told),
        with_remote(test_the_token_in_either_header),
        with_remote(test_bad_posts),
        with_remote(test_a_token_is_good_for_one_address),
        with_remote(test_keys_change),
        with_remote(test_many_posts_are_one_look),
        with_remote(test_a_post_before_the_answer),
        with_remote(test_lost_posts),
        with_remote(test_posts_while_the_agent_does_not_answer),
        with_remote(test_a_card_that_offers_none),
        with_remote(test_refused_addresses),
        with_remote(test_a_message_whose_answer_is_lost_is_not_sent_twice),
        with_remote(test_a_question_and_its_answer),
        with_remote(test_an_answer_that_is_refused),
        with_remote(test_somebody_else_answers),
        with_remote(test_stopping_takes_the_address_back),
        with_remote(test_stopping_what_does_not_stop),
        with_remote(test_a_task_that_is_not_there),
        with_remote(test_a_store_that_cannot_be_read),
        with_remote(test_a_restart),
        with_remote(test_a_restart_with_a_question),
        with_remote(test_a_restart_that_sends_again),
        with_remote(test_a_restart_under_another_address),
        cmocka_unit_test(test_posts_at_any_moment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
