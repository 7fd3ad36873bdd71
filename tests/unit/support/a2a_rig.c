#include "support/a2a_rig.h"

#include "base/mem.h"
#include "store/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *const credentials[] = { "X-API-Key: hush", NULL };

void far_run(struct remote *remote)
{
    fake_loop_run_ready(remote->loop);
}

/* --- the agent's side of the wire --- */

size_t far_next_call(struct remote *remote, const char *piece)
{
    far_run(remote);
    if (remote->seen >= remote->client->n_calls)
        fail_msg("no call was made, where one with %s was expected", piece);
    struct fake_call *call = &remote->client->calls[remote->seen];
    if (strstr(call->url, piece) == NULL && strstr(call->body, piece) == NULL)
        fail_msg("%s %s %s: expected %s", call->method, call->url, call->body, piece);
    assert_false(call->guarded);
    assert_non_null(strstr(call->headers, "X-API-Key: hush\n"));
    return remote->seen++;
}

void far_expect_no_call(struct remote *remote)
{
    far_run(remote);
    if (remote->seen < remote->client->n_calls)
        fail_msg("unexpected: %s %s", remote->client->calls[remote->seen].url,
                 remote->client->calls[remote->seen].body);
}

void far_whole_answer(struct remote *remote, size_t call, unsigned status, const char *headers, const char *body)
{
    fake_client_head(remote->client, call, status, headers);
    fake_client_body(remote->client, call, body);
    fake_client_end(remote->client, call);
    far_run(remote);
}

void far_give_card(struct remote *remote, const char *card)
{
    size_t call = far_next_call(remote, "http://far.example/card");
    far_whole_answer(remote, call, 200, "etag: \"1\"\ncache-control: public, max-age=3600\n", card);
}

void far_begin_stream(struct remote *remote, size_t call)
{
    fake_client_head(remote->client, call, 200, "content-type: text/event-stream\n");
}

void far_event(struct remote *remote, size_t call, const char *result)
{
    AB_CLEANUP(ab_free_string)
    char *text = ab_format("data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":%s}\n\n", result);
    fake_client_body(remote->client, call, text);
    far_run(remote);
}

void far_answer_result(struct remote *remote, size_t call, const char *result)
{
    AB_CLEANUP(ab_free_string) char *text = ab_format("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":%s}", result);
    far_whole_answer(remote, call, 200, "content-type: application/json\n", text);
}

void far_answer_error(struct remote *remote, size_t call, int code, const char *message)
{
    AB_CLEANUP(ab_free_string)
    char *text = ab_format("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":%d,\"message\":\"%s\"}}", code, message);
    far_whole_answer(remote, call, 200, "content-type: application/json\n", text);
}

/* --- the bridge's side --- */

void far_build(struct remote *remote)
{
    remote->source = fake_random(&remote->random, ++remote->n_engines);
    remote->engine = ab_engine_new(
        &(struct ab_engine_settings){ .loop = remote->loop, .store = remote->store, .random = remote->source });
    struct ab_agent *agent = ab_a2a_agent_new(&(struct ab_a2a_remote_settings){
        .id = "far",
        .card = "http://far.example/card",
        .credentials = credentials,
        .loop = remote->loop,
        .client = &remote->client->client,
        .store = remote->store,
        .random = remote->source,
        .push = remote->push,
        .push_look_ms = 100000,
        .receiver = remote->receiver,
    });
    ab_engine_add_agent(
        remote->engine,
        &(struct ab_agent_settings){
            .id = "far", .timeout_ms = 600000, .pause_timeout_ms = 86400000, .retry_after_restart = remote->retry },
        agent);
    assert_int_equal(ab_engine_start(remote->engine), AB_OK);
}

static void make_receiver(struct remote *remote)
{
    static const unsigned char key[1][AB_SEAL_KEY_BYTES] = { { 7 } };

    remote->sealer = ab_sealer_new(key, 1, ab_random_system());
    remote->receiver =
        ab_a2a_receiver_new(&(struct ab_a2a_receiver_settings){ .sealer = remote->sealer, .store = remote->store });
    ab_a2a_receiver_set_url(remote->receiver, "https://near.example/");
}

int far_setup(void **state)
{
    struct remote *remote = ab_alloc(1, sizeof *remote);

    remote->loop = fake_loop_new();
    remote->store = ab_store_memory_new(remote->loop);
    remote->client = fake_client_new(remote->loop);
    make_receiver(remote);
    far_build(remote);
    *state = remote;
    return 0;
}

static void note_down(void *arg)
{
    *(bool *)arg = true;
}

void far_shut_down(struct remote *remote)
{
    bool down = false;

    ab_engine_shut_down(remote->engine, note_down, &down);
    far_run(remote);
    assert_true(down);
    ab_engine_free(remote->engine);
    far_run(remote);
    assert_int_equal(fake_client_open(remote->client), 0);
}

int far_teardown(void **state)
{
    struct remote *remote = *state;

    far_shut_down(remote);
    ab_a2a_receiver_free(remote->receiver);
    ab_sealer_free(remote->sealer);
    remote->client->client.ops->free(&remote->client->client);
    remote->store->ops->free(remote->store);
    fake_loop_free(remote->loop);
    free(remote);
    return 0;
}

static void note_created(void *arg, enum ab_create_outcome outcome, const struct ab_task *task, const char *text)
{
    struct remote *remote = arg;

    (void)text;
    assert_int_equal(outcome, AB_CREATE_DONE);
    snprintf(remote->task, sizeof remote->task, "%s", task->id);
}

void far_create_in(struct remote *remote, const char *thread_id)
{
    ab_engine_create(
        remote->engine,
        &(struct ab_new_task){
            .owner = "ann",
            .agent = "far",
            .surface = "test",
            .thread_id = thread_id,
            .message_json = "{\"message_id\":\"mine\",\"role\":\"user\",\"parts\":[{\"text\":\"hello\"},{\"data\":"
                            "{\"n\":1}}],\"metadata\":{\"k\":1}}",
            .input_json = "{\"text\":\"hello\"}",
            .options_json = "{\"skill\":\"s\",\"metadata\":{\"r\":2},\"accepted_output_modes\":[\"text/plain\"]}",
        },
        note_created, remote);
    far_run(remote);
}

struct ab_task far_row_of(struct remote *remote)
{
    struct ab_task row;

    far_run(remote);
    assert_int_equal(remote->store->ops->get(remote->store, remote->task, &row), AB_OK);
    return row;
}

void far_expect_row(struct remote *remote, const char *expected)
{
    struct ab_task row = far_row_of(remote);
    const char *more = row.result_json != NULL  ? row.result_json
                       : row.error_json != NULL ? row.error_json
                                                : row.questions_json;
    AB_CLEANUP(ab_free_string)
    char *text = ab_format("%s %s %s", ab_task_status_name(row.status), ab_task_reason_name(row.reason),
                           more != NULL ? more : "");
    assert_string_equal(text, expected);
    ab_task_deinit(&row);
}

static bool add_event(void *arg, const struct ab_event *one)
{
    if (one->kind != AB_EVENT_STATUS || strstr(one->body_json, "message") != NULL)
        ab_buf_printf(arg, "%s %s\n", ab_event_kind_name(one->kind), one->body_json);
    return true;
}

void far_expect_log(struct remote *remote, const char *expected)
{
    struct ab_buf text = AB_BUF_INIT(65536);

    far_run(remote);
    assert_int_equal(remote->store->ops->events(remote->store, remote->task, 0, AB_EVENTS_ALL, 0, add_event, &text),
                     AB_OK);
    assert_string_equal(text.size > 0 ? text.data : "", expected);
    ab_buf_deinit(&text);
}

static void note_steered(void *arg, enum ab_steer_outcome outcome, const struct ab_task *task, const char *text)
{
    (void)task;
    (void)text;
    *(enum ab_steer_outcome *)arg = outcome;
}

void far_give_answer(struct remote *remote, const char *answers)
{
    enum ab_steer_outcome outcome = AB_STEER_UNKNOWN;

    ab_engine_answer(remote->engine, "ann", remote->task, answers, note_steered, &outcome);
    far_run(remote);
    assert_int_equal(outcome, AB_STEER_DONE);
}

void far_stop_task(struct remote *remote)
{
    enum ab_steer_outcome outcome = AB_STEER_UNKNOWN;

    ab_engine_stop(remote->engine, "ann", remote->task, note_steered, &outcome);
    far_run(remote);
    assert_int_equal(outcome, AB_STEER_DONE);
}
