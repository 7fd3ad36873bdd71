/* A run's way through its task at a remote agent: the message is sent, then the task is followed by what the agent
 * offers: the stream of the send, a subscription after that was lost, and looks at the task where neither works. */
#include "agents/a2a_run.h"

#include "a2a/write.h"
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    REASON_BYTES = 1024,
    CANCEL_MS = 5000,    /* for the agent to take a cancellation */
    FORGET_MS = 2000,    /* and to give our address up */
    REST_MS = 30 * 1000, /* between looks at a task that waits for an answer */
    REST_MAX_MS = 300 * 1000,
};

/* The number of its attempt is part of it: each is another task there. */
char *a2a_run_id(const struct ab_task *task)
{
    return task->attempt > 1 ? ab_format("%s-again%u", task->id, task->attempt) : ab_strdup(task->id);
}

/* --- waiting --- */

static void on_due(void *arg)
{
    struct a2a_run *run = arg;
    void (*due)(struct a2a_run *) = run->due;

    run->due = NULL;
    if (due != NULL && !run->ended)
        due(run);
}

void a2a_run_wait(struct a2a_run *run, uint64_t ms, void (*due)(struct a2a_run *run))
{
    run->due = due;
    ab_timer_start(run->timer, ms);
}

static void wait_for_nothing(struct a2a_run *run)
{
    run->due = NULL;
    ab_timer_stop(run->timer);
}

uint64_t a2a_run_jittered(const struct a2a_run *run, uint64_t ms)
{
    unsigned char byte;

    ab_random_fill(&run->agent->settings.random, &byte, 1);
    return ms * (uint64_t)(820 + 360 * byte / 255) / 1000;
}

/* Each look at a task that has not changed waits longer for the next. */
static uint64_t next_look_ms(struct a2a_run *run, uint32_t first, uint32_t maximum)
{
    uint32_t ms = run->interval_ms < first ? first : run->interval_ms;

    run->interval_ms = ms < maximum / 3 * 2 ? ms / 2 * 3 : maximum;
    return a2a_run_jittered(run, ms < maximum ? ms : maximum);
}

/* --- reports --- */

static bool is_end(enum ab_report_kind kind)
{
    return kind == AB_REPORT_SAY || kind == AB_REPORT_RESULT || kind == AB_REPORT_FAILED ||
           kind == AB_REPORT_REJECTED || kind == AB_REPORT_ERROR || kind == AB_REPORT_PROTOCOL_ERROR;
}

void a2a_run_report(struct a2a_run *run, const struct ab_report *report)
{
    int result;

    if (run->over)
        return;
    result = ab_run_report(run->run, report);
    run->over = is_end(report->kind) || (result != AB_OK && result != AB_RUN_SLOW_DOWN);
    if (result == AB_RUN_SLOW_DOWN && run->call != NULL) {
        run->paused = true;
        wait_for_nothing(run);
        a2a_call_pause(run->call, true);
    }
}

void a2a_run_fail(struct a2a_run *run, enum ab_task_reason reason, const char *format, ...)
{
    char text[REASON_BYTES];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    a2a_run_report(run, &(struct ab_report){ .kind = AB_REPORT_ERROR, .reason = reason, .text = text });
}

/* --- requests --- */

static void drop_call(struct a2a_run *run)
{
    a2a_call_drop(run->call);
    run->call = NULL;
    run->kind = A2A_CALL_NONE;
    run->paused = false;
}

static const struct a2a_call_events call_events;

static void make_call(struct a2a_run *run, enum a2a_call_kind kind, struct ab_a2a_client_request *request)
{
    const uint32_t patience_ms[] = {
        [A2A_CALL_GET] = run->agent->settings.answer_ms,
        [A2A_CALL_CANCEL] = CANCEL_MS,
        [A2A_CALL_FORGET] = FORGET_MS,
    };

    drop_call(run);
    wait_for_nothing(run);
    run->kind = kind;
    run->heard = false;
    run->version = run->agent->directory->card.peer.version;
    run->call = a2a_call_new(run->agent, request, patience_ms[kind], &call_events, run);
}

static void ask_of_task(struct a2a_run *run, enum a2a_call_kind kind, enum ab_a2a_client_verb verb)
{
    struct ab_a2a_client_request request;

    ab_a2a_client_write_task(&run->agent->directory->card.peer, verb, run->task, run->agent->settings.extensions,
                             &request);
    make_call(run, kind, &request);
}

void a2a_run_look(struct a2a_run *run)
{
    run->notified = false;
    run->looked_us = ab_clock_monotonic_us(&run->agent->settings.loop->clock);
    ask_of_task(run, A2A_CALL_GET, AB_A2A_CLIENT_GET);
}

/* With an address for posts nobody waits on an open request, so there is no stream then. */
void a2a_run_send(struct a2a_run *run)
{
    const struct ab_a2a_client_card *card = &run->agent->directory->card;
    AB_CLEANUP(ab_free_string) char *id = ab_format("%s-%u", run->id, run->messages);
    bool may_push = card->pushes && !run->no_push;
    AB_CLEANUP(ab_free_string) char *url = may_push ? a2a_receiver_url(run) : NULL;
    AB_CLEANUP(ab_free_string) char *token = may_push ? a2a_receiver_token(run) : NULL;
    struct ab_a2a_client_push push = { .id = run->id, .url = url, .token = token };
    struct ab_a2a_client_request request;

    run->pushing = url != NULL && token != NULL;

    ab_a2a_client_write_message(&card->peer,
                                &(struct ab_a2a_client_message){
                                    .id = id,
                                    .context_id = run->context,
                                    .task_id = run->task,
                                    .parts = ab_json_trusted(run->message.parts),
                                    .metadata = ab_json_trusted(run->message.metadata),
                                    .extensions = ab_json_trusted(run->message.extensions),
                                    .request_metadata = ab_json_trusted(run->message.request_metadata),
                                    .output_modes = ab_json_trusted(run->message.output_modes),
                                    .push = run->pushing ? &push : NULL,
                                    .stream = card->streaming && !run->pushing,
                                },
                                run->agent->settings.extensions, &request);
    make_call(run, A2A_CALL_SEND, &request);
}

static void forget_message(struct a2a_run *run)
{
    struct a2a_message *message = &run->message;

    free(message->parts);
    free(message->metadata);
    free(message->extensions);
    free(message->request_metadata);
    free(message->output_modes);
    *message = (struct a2a_message){ 0 };
}

/* By a stream where the agent has them and does not post, else by looks. */
void a2a_run_follow(struct a2a_run *run)
{
    if (run->pushed == NULL && run->agent->directory->card.streaming && !run->no_subscribe)
        ask_of_task(run, A2A_CALL_SUBSCRIBE, AB_A2A_CLIENT_SUBSCRIBE);
    else
        a2a_run_look(run);
}

/* --- until there is news --- */

/* What was posted may be one of many: looks are as far apart as the first ones of a task that does not post. */
static void look_soon(struct a2a_run *run)
{
    const struct ab_a2a_remote_settings *settings = &run->agent->settings;
    int64_t since_ms = (ab_clock_monotonic_us(&settings->loop->clock) - run->looked_us) / 1000;

    a2a_run_wait(run, since_ms < settings->poll_ms ? settings->poll_ms - (uint64_t)since_ms : 0, a2a_run_look);
}

/* Nothing is open: how long until the task is asked for. */
static void wait_for_news(struct a2a_run *run)
{
    const struct ab_a2a_remote_settings *settings = &run->agent->settings;

    if (run->notified)
        look_soon(run);
    else if (run->pushed != NULL)
        a2a_run_wait(run, next_look_ms(run, REST_MS, settings->push_look_ms), a2a_run_look);
    else if (run->state == AB_A2A_INPUT_REQUIRED)
        a2a_run_wait(run, next_look_ms(run, REST_MS, REST_MAX_MS), a2a_run_look);
    else
        a2a_run_wait(run, next_look_ms(run, settings->poll_ms, settings->poll_max_ms), a2a_run_follow);
}

/* While something is under way, or is tried again, it is only noted: that comes first. */
void a2a_run_notified(struct a2a_run *run)
{
    if (run->over || run->ended)
        return;
    run->notified = true;
    if (run->call == NULL && run->failures == 0 && (run->due == a2a_run_look || run->due == a2a_run_follow))
        look_soon(run);
}

/* --- winding down --- */

static void run_free(void *arg)
{
    struct a2a_run *run = arg;
    struct ab_run *engine_run = run->run;

    for (size_t i = 0; i < run->n_artifacts; i++) {
        free(run->artifacts[i].id);
        ab_buf_deinit(&run->artifacts[i].text);
    }
    free(run->artifacts);
    forget_message(run);
    ab_timer_free(run->timer);
    free(run->owner);
    free(run->thread_id);
    free(run->id);
    free(run->task);
    free(run->context);
    free(run->problem);
    free(run->doing);
    free(run->result);
    free(run->pushed);
    free(run);
    ab_run_ended(engine_run);
}

void a2a_run_end(struct a2a_run *run)
{
    if (run->ended)
        return;
    run->ended = true;
    run->over = true;
    ab_link_remove(&run->waiting);
    a2a_receiver_leave(run);
    drop_call(run);
    wait_for_nothing(run);
    ab_loop_defer(run->agent->settings.loop, run_free, run);
}

static void cancel(struct a2a_run *run)
{
    if (run->task == NULL || ab_a2a_state_is_terminal(run->state) || !run->agent->directory->known)
        a2a_run_end(run);
    else
        ask_of_task(run, A2A_CALL_CANCEL, AB_A2A_CLIENT_CANCEL);
}

/* An agent that goes on although it was told not to shall not go on posting. */
static void forget_address(struct a2a_run *run)
{
    const struct a2a_agent *agent = run->agent;
    struct ab_a2a_client_request request;

    if (run->pushed == NULL || run->kind == A2A_CALL_FORGET) {
        a2a_run_end(run);
        return;
    }
    ab_a2a_client_write_push_delete(&agent->directory->card.peer, run->task, run->id, agent->settings.extensions,
                                    &request);
    make_call(run, A2A_CALL_FORGET, &request);
}

/* A message that nothing was heard of yet may have begun a task: its name is waited for, to cancel it. */
void a2a_run_stop(struct a2a_run *run)
{
    run->over = true;
    if (run->stopping || run->ended)
        return;
    run->stopping = true;
    if (run->task == NULL && run->kind == A2A_CALL_SEND && !run->heard) {
        a2a_call_pause(run->call, false);
        a2a_run_wait(run, CANCEL_MS, a2a_run_end);
    } else {
        cancel(run);
    }
}

/* It failed here, whatever it still does there. */
static void break_off(struct a2a_run *run, const char *reason)
{
    a2a_run_fail(run, AB_REASON_CRASHED, "the agent broke the protocol: %s", reason);
    a2a_run_stop(run);
}

/* --- what came --- */

void a2a_run_taken(struct a2a_run *run)
{
    run->messages++;
    forget_message(run);
    ab_run_heard(run->run);
}

static void note_heard(struct a2a_run *run)
{
    run->failures = 0;
    if (run->kind != A2A_CALL_SEND || run->heard)
        return;
    run->heard = true;
    if (run->pushing) {
        free(run->pushed);
        run->pushed = a2a_receiver_url(run);
    }
    a2a_run_taken(run);
}

/* After something was told: what the task's state asks for. */
static void go_on(struct a2a_run *run)
{
    if (run->over) {
        a2a_run_stop(run);
    } else if (run->state == AB_A2A_INPUT_REQUIRED || run->kind == A2A_CALL_GET) {
        drop_call(run);
        wait_for_news(run);
    }
}

/* An answer that may have got there before: the task has said whether it still waits for it. */
static void send_again(struct a2a_run *run)
{
    run->look_first = false;
    if (run->unmoved) {
        a2a_run_send(run);
    } else {
        a2a_run_taken(run);
        a2a_notes_keep(run);
        go_on(run);
    }
}

static void take_news(struct a2a_run *run, const struct ab_a2a_news *news)
{
    enum ab_a2a_state before = run->state;
    bool doubtful = run->kind == A2A_CALL_GET && run->look_first;

    run->unmoved = false;
    note_heard(run);
    if (a2a_tell(run, news) && run->state != before)
        run->interval_ms = 0;
    if (run->stopping)
        cancel(run);
    else if (doubtful && !run->over)
        send_again(run);
    else
        go_on(run);
}

static void on_result(void *arg, struct ab_json result)
{
    struct a2a_run *run = arg;
    struct ab_a2a_news news;
    char reason[AB_A2A_REASON_SIZE];

    if (run->kind == A2A_CALL_CANCEL || run->kind == A2A_CALL_FORGET) {
        forget_address(run);
    } else if (ab_a2a_news_read(run->version, result, &news, reason, sizeof reason)) {
        take_news(run, &news);
        ab_a2a_news_deinit(&news);
    } else if (run->stopping) {
        a2a_run_end(run);
    } else {
        break_off(run, reason);
    }
}

/* A stream is asked for anew when nothing at all comes; a message may take the agent as long as it likes. */
static void on_alive(void *arg)
{
    struct a2a_run *run = arg;

    if (run->task != NULL && !run->paused && (run->kind == A2A_CALL_SEND || run->kind == A2A_CALL_SUBSCRIBE))
        a2a_run_wait(run, run->agent->settings.silence_ms, a2a_run_follow);
}

/* --- what did not come (a2a_refused.c) --- */

static void on_refused(void *arg, const struct ab_a2a_client_refusal *refusal)
{
    struct a2a_run *run = arg;
    enum a2a_call_kind kind = run->kind;
    bool heard = run->heard;

    drop_call(run);
    if (run->stopping && kind == A2A_CALL_CANCEL)
        forget_address(run);
    else if (run->stopping)
        a2a_run_end(run);
    else if (kind == A2A_CALL_SEND && !heard)
        a2a_send_refused(run, refusal);
    else if (kind == A2A_CALL_GET)
        a2a_look_refused(run, refusal);
    else
        a2a_stream_refused(run, refusal);
}

static void on_broken(void *arg, const char *reason)
{
    struct a2a_run *run = arg;

    drop_call(run);
    if (run->stopping)
        a2a_run_end(run);
    else
        break_off(run, reason);
}

static void on_lost(void *arg, bool reached, const char *reason)
{
    struct a2a_run *run = arg;
    enum a2a_call_kind kind = run->kind;
    bool heard = run->heard;

    drop_call(run);
    if (run->stopping)
        a2a_run_end(run);
    else if (kind == A2A_CALL_SEND && !heard)
        a2a_send_lost(run, reached, reason);
    else
        a2a_follow_lost(run);
}

/* A stream that ends with the task still at work is taken up again. */
static void on_ended(void *arg)
{
    struct a2a_run *run = arg;
    enum a2a_call_kind kind = run->kind;
    bool heard = run->heard;

    drop_call(run);
    if (run->stopping)
        a2a_run_end(run);
    else if (kind == A2A_CALL_SEND && !heard)
        a2a_send_lost(run, true, "the stream ended without a word");
    else if (run->task == NULL)
        break_off(run, "the stream ended without naming the task");
    else
        wait_for_news(run);
}

static const struct a2a_call_events call_events = {
    .alive = on_alive,
    .result = on_result,
    .refused = on_refused,
    .broken = on_broken,
    .lost = on_lost,
    .ended = on_ended,
};

/* --- beginning --- */

struct a2a_run *a2a_run_new(struct a2a_agent *agent, struct ab_run *engine_run, const struct ab_task *task)
{
    struct a2a_run *run = ab_alloc(1, sizeof *run);

    run->agent = agent;
    run->run = engine_run;
    run->timer = ab_timer_new(agent->settings.loop, on_due, run);
    run->owner = ab_strdup(task->owner);
    run->thread_id = ab_strdup(task->thread_id);
    run->id = a2a_run_id(task);
    run->state = AB_A2A_SUBMITTED;
    run->messages = 1;
    a2a_receiver_enter(run);
    return run;
}

void a2a_run_go(struct a2a_run *run)
{
    if (run->look_first || run->state == AB_A2A_INPUT_REQUIRED)
        a2a_run_look(run);
    else if (run->message.parts != NULL)
        a2a_run_send(run);
    else
        a2a_run_follow(run);
}

void a2a_run_answer(struct a2a_run *run, const char *answers_json, bool doubtful)
{
    if (run->ended)
        return;
    forget_message(run);
    run->message.parts = a2a_answer_parts(run->asked, answers_json);
    run->asked = A2A_ASKED_NOTHING;
    run->answering = true;
    run->look_first = doubtful;
    run->state = AB_A2A_WORKING;
    run->interval_ms = 0;
    run->failures = 0;
    drop_call(run);
    wait_for_nothing(run);
    if (!ab_link_is_linked(&run->waiting))
        a2a_run_go(run);
}

void a2a_run_resume(struct a2a_run *run)
{
    if (!run->paused)
        return;
    run->paused = false;
    a2a_call_pause(run->call, false);
    on_alive(run);
}
