/* What comes next. An invocation is sent again only when it is certain that it did not arrive: the platform refused it
 * before any work, or does not know of it when asked. A task that is there is followed by its events, or asked after.
 */
#include "agents/platform_run.h"

#include "base/mem.h"
#include "base/str.h"
#include "rest/client_error.h"

#include <string.h>

enum {
    FIRST_PAUSE_MS = 250, /* after something failed; doubles */
    LONGEST_PAUSE_MS = 30000,
    WISHED_LONGEST_MS = 120000, /* of an invocation: who asks for more patience is told of as busy */
    CLOCK_SLACK_MS = 2000,
    GONE_AFTER = 3, /* times that the platform does not know a task that it had */
    STOP_TRIES = 5,
    REPLY_TRIES = 20,
    ATTACH_TRIES = 3, /* before the task itself is asked after */
    LINE_BYTES = 1024
};

static const struct ab_log *log_of(const struct platform_run *run)
{
    return run->agent->settings.log;
}

/* --- pauses --- */

/* Three to five quarters of it: many that began together do not come together. */
static uint64_t jittered(struct platform_run *run, uint64_t ms)
{
    uint32_t dice;
    ab_random_fill(&run->agent->settings.random, &dice, sizeof dice);
    return ms - ms / 4 + (uint64_t)(dice % 1024) * (ms / 2) / 1024;
}

static uint64_t pause_after(unsigned tries)
{
    uint64_t ms = FIRST_PAUSE_MS;
    while (tries > 1 && ms < LONGEST_PAUSE_MS) {
        ms *= 2;
        tries--;
    }
    return ms < LONGEST_PAUSE_MS ? ms : LONGEST_PAUSE_MS;
}

/* What the answer wishes goes before our own idea, when it is the longer one. */
static void later(struct platform_run *run, enum platform_purpose purpose, uint64_t ms, int64_t wished_ms)
{
    uint64_t pause = jittered(run, ms);
    if (wished_ms > 0 && (uint64_t)wished_ms > pause) {
        pause = (uint64_t)wished_ms + jittered(run, FIRST_PAUSE_MS);
    }
    if (platform_is_side(purpose)) {
        run->next_side = purpose;
        ab_timer_start(run->side_timer, pause);
    } else {
        run->next = purpose;
        ab_timer_start(run->timer, pause);
    }
}

static void again(struct platform_run *run, enum platform_purpose purpose, int64_t wished_ms)
{
    unsigned *tries = platform_is_side(purpose) ? &run->side_tries : &run->tries;
    ++*tries;
    later(run, purpose, pause_after(*tries), wished_ms);
}

void platform_due(void *arg)
{
    struct platform_run *run = arg;
    if (run->over) {
        return;
    }
    if (run->next == PLATFORM_INVOKE) {
        platform_invoke(run);
    } else {
        platform_call_start(run, run->next);
    }
}

void platform_side_due(void *arg)
{
    struct platform_run *run = arg;
    if (run->stopping || !run->over) {
        platform_call_start(run, run->next_side);
    }
}

/* --- what is said of a failure --- */

/* The line of an answer that was no success, or of a call that brought none. */
static void describe(const struct platform_call *call, const char *text, struct ab_buf *out)
{
    if (call->too_large) {
        ab_buf_printf(out, "the platform's answer is larger than %zu bytes (output_bytes)",
                      call->run->agent->settings.output_bytes);
    } else if (call->status >= 200 && call->status <= 299) {
        ab_buf_append_text(out, "the platform's answer is not understood");
    } else if (call->status != 0) {
        ab_rest_error_describe(out, call->status, ab_buf_str(&call->body));
    } else {
        ab_buf_printf(out, "the platform cannot be reached: %s", text);
    }
}

static void fail(struct platform_run *run, enum ab_task_reason reason, const char *line)
{
    platform_fail(run, reason, "%s", line);
    platform_end(run);
}

/* Something went wrong and is tried again: the log knows, and who watches the task. */
static void say_trouble(struct platform_run *run, const char *line)
{
    struct ab_buf clean = AB_BUF_INIT(LINE_BYTES);
    ab_rest_scrub_text(run->scrub, ab_str(line), &clean);
    ab_log(log_of(run), AB_LOG_WARNING, "platform", "a call failed and is tried again", "agent",
           run->agent->settings.id, "task", ab_run_task_id(run->run), "why", clean.data, NULL);
    if (run->wait == PLATFORM_NOTHING && (run->said == NULL || strcmp(run->said, line) != 0)) {
        ab_replace(&run->said, line);
        platform_report(run, &(struct ab_report){ .kind = AB_REPORT_LOG, .level = "warning", .text = clean.data });
    }
    ab_buf_deinit(&clean);
}

/* --- asking for the work --- */

/* A restart took the credentials away that the work was to be done with. */
static bool lacks_credentials(const struct platform_run *run)
{
    struct ab_json given = ab_json_member(ab_json_trusted(run->request.options_json), "credentials");
    return !run->agent->settings.drop_user_token && ab_json_is(given, AB_JSON_ARRAY) && ab_json_count(given) > 0 &&
           ab_run_secrets(run->run) == NULL;
}

void platform_invoke(struct platform_run *run)
{
    if (lacks_credentials(run)) {
        fail(run, AB_REASON_INTERRUPTED,
             "the caller's credentials were held in memory only and went with a restart of the bridge; start the task "
             "anew");
        return;
    }
    if (!run->sent) {
        run->sent = true;
        run->began_ms = ab_clock_wall_ms(&run->agent->settings.loop->clock);
        run->noted = true;
    }
    platform_note(run);
    platform_call_start(run, PLATFORM_INVOKE);
}

void platform_look(struct platform_run *run)
{
    platform_call_start(run, PLATFORM_LOOK);
}

void platform_arrived(struct platform_run *run)
{
    run->tries = 0;
    run->gone = 0;
    if (run->arrived) {
        return;
    }
    run->arrived = true;
    run->noted = true;
    if (run->wait == PLATFORM_TURN) { /* this turn was the answer */
        run->wait = PLATFORM_NOTHING;
        run->mark = 0;
        ab_run_heard(run->run);
    }
}

/* Another bridge knows by the key whether it has the turn already; anybody else is asked whether it is there. */
static bool key_decides(const struct platform_run *run, bool is_bridge)
{
    return is_bridge && !lacks_credentials(run);
}

/* The work may have begun. */
static void perhaps_arrived(struct platform_run *run, const struct platform_call *call, const char *line)
{
    say_trouble(run, line);
    again(run, key_decides(run, run->agent->bridge) ? PLATFORM_INVOKE : PLATFORM_LOOK, call->retry_after_ms);
}

/* It was not begun: once more, or the end. */
static void refused(struct platform_run *run, const struct platform_call *call, const char *line)
{
    bool patient = call->retry_after_ms <= WISHED_LONGEST_MS;
    if (run->tries < run->agent->settings.retries && patient) {
        say_trouble(run, line);
        again(run, PLATFORM_INVOKE, call->retry_after_ms);
    } else {
        fail(run, AB_REASON_UNREACHABLE, line);
    }
}

/* Whether this platform rather has no such way of asking: then the task is asked for without a stream. */
static bool has_no_stream(struct platform_run *run, unsigned status)
{
    bool unknown = status == 404 || status == 405 || status == 406 || status == 501;
    if (run->mode != AB_REST_STREAM || !unknown) {
        return false;
    }
    run->mode = AB_REST_ASYNC;
    return true;
}

static void invoke_refused(struct platform_run *run, const struct platform_call *call, const char *line)
{
    unsigned status = call->status;
    if (has_no_stream(run, status)) {
        platform_call_start(run, PLATFORM_INVOKE);
    } else if (ab_rest_error_is_before_work(status) || status == 409) {
        refused(run, call, line);
    } else if (ab_rest_error_is_passing(status)) {
        perhaps_arrived(run, call, line);
    } else {
        fail(run, status == 400 || status == 413 || status == 422 ? AB_REASON_REJECTED : AB_REASON_UNREACHABLE, line);
    }
}

static void invoke_ended(struct platform_run *run, const struct platform_call *call, enum ab_http_call_outcome outcome,
                         const char *line)
{
    if (call->status == 0 && (outcome == AB_HTTP_CALL_UNREACHABLE || outcome == AB_HTTP_CALL_FORBIDDEN)) {
        refused(run, call, line);
    } else if (call->status != 0 && (call->status < 200 || call->status > 299)) {
        invoke_refused(run, call, line);
    } else if (run->arrived) {
        platform_follow(run); /* a stream that was lost */
    } else {
        perhaps_arrived(run, call, line);
    }
}

/* --- finding out whether it arrived --- */

static bool same_text(struct platform_run *run, struct ab_json there)
{
    struct ab_json own = ab_json_member(ab_json_trusted(run->request.input_json), "text");
    return run->answer_text != NULL ? ab_json_string_is(there, run->answer_text)
                                    : ab_json_equal(there, ab_json_exists(own) ? own : ab_json_trusted("\"\""));
}

/* The record under a conversation's id is that of its latest turn: ours, or still the one before. */
static bool is_ours(struct platform_run *run, const struct ab_rest_task *task, int64_t there_ms)
{
    int64_t now = ab_clock_wall_ms(&run->agent->settings.loop->clock);
    int64_t age = (there_ms > 0 ? there_ms : now) - task->ended_at;
    if (run->turn <= 1 && run->round <= 1) {
        return true;
    }
    if (key_decides(run, ab_json_exists(task->bridge))) {
        return false; /* it says so itself when it is asked once more */
    }
    if (task->has_status && !ab_task_status_is_terminal(task->status)) {
        return true;
    }
    if (ab_json_exists(task->input_text) && !same_text(run, task->input_text)) {
        return false;
    }
    return task->ended_at == 0 || age <= now - run->began_ms + CLOCK_SLACK_MS;
}

static bool read_task(const struct platform_call *call, struct ab_rest_task *task)
{
    struct ab_json value = { { NULL, 0 } };
    return !call->too_large && call->body.size > 0 && ab_json_check(ab_buf_str(&call->body), 128, &value, NULL) &&
           ab_rest_task_read(value, task);
}

/* A task that was told of: it arrived, and what comes next follows from how it stands. */
static void told(struct platform_run *run, const struct ab_rest_task *task)
{
    int64_t number = 0;
    platform_arrived(run);
    if (ab_json_int(ab_json_member(task->bridge, "last_event"), &number)) {
        run->ahead = number;
    }
    platform_tell_task(run, task);
    platform_note(run);
    if (run->finished) {
        platform_end(run);
    } else if (!run->over) {
        platform_follow(run);
    }
}

static void look_ended(struct platform_run *run, const struct platform_call *call, const char *line)
{
    struct ab_rest_task task;
    bool good = call->status == 200 && read_task(call, &task);
    if (good && is_ours(run, &task, call->there_ms)) {
        told(run, &task);
    } else if (good || call->status == 404) {
        if (run->tries <= run->agent->settings.retries) {
            platform_invoke(run);
        } else {
            fail(run, AB_REASON_UNREACHABLE,
                 "the platform does not take the task: it was sent several times, and never "
                 "arrived");
        }
    } else if (call->status == 401 || call->status == 403 || call->too_large) {
        fail(run, AB_REASON_UNREACHABLE, line);
    } else {
        say_trouble(run, line);
        again(run, PLATFORM_LOOK, call->retry_after_ms);
    }
}

/* --- following --- */

/* Now and then the task itself is asked after: it may be over, and its events gone. */
static void attach_later(struct platform_run *run, int64_t wished_ms)
{
    later(run, run->tries % ATTACH_TRIES == 0 ? PLATFORM_POLL : PLATFORM_ATTACH, pause_after(run->tries), wished_ms);
}

void platform_follow(struct platform_run *run)
{
    uint32_t first = run->agent->settings.poll_ms;
    if (run->wait == PLATFORM_TURN && run->arrived) {
        return; /* that turn is over: the next one is the answer */
    }
    if (run->resync) {
        run->resync = false;
        platform_call_start(run, PLATFORM_POLL);
        return;
    }
    if (run->bridge && run->mode == AB_REST_STREAM && !run->no_events) {
        platform_call_start(run, PLATFORM_ATTACH);
        return;
    }
    run->pause_ms = run->pause_ms < first ? first : run->pause_ms;
    later(run, PLATFORM_POLL, run->pause_ms, 0);
    run->pause_ms += run->pause_ms / 2;
    if (run->pause_ms > run->agent->settings.poll_longest_ms) {
        run->pause_ms = run->agent->settings.poll_longest_ms;
    }
}

/* The stream of a task that is not over has ended. */
static void attach_ended(struct platform_run *run, const struct platform_call *call, const char *line)
{
    if (call->events) {
        run->tries = call->heard ? 1 : run->tries + 1;
        attach_later(run, 0);
    } else if (call->status == 405 || call->status == 501 || call->status == 200) {
        run->no_events = true;
        platform_follow(run);
    } else if (call->status == 404 || call->status == 204) { /* nothing follows: it is over, or gone */
        platform_call_start(run, PLATFORM_POLL);
    } else {
        say_trouble(run, line);
        run->tries++;
        attach_later(run, call->retry_after_ms);
    }
}

static void poll_ended(struct platform_run *run, const struct platform_call *call, const char *line)
{
    struct ab_rest_task task;
    bool denied = call->status == 401 || call->status == 403 || call->status == 404;
    if (call->status == 200 && read_task(call, &task)) {
        told(run, &task);
    } else if (call->too_large || (denied && run->gone + 1 >= GONE_AFTER)) {
        fail(run, AB_REASON_UNREACHABLE, line);
    } else {
        run->gone = denied ? run->gone + 1 : 0;
        say_trouble(run, line);
        again(run, PLATFORM_POLL, call->retry_after_ms);
    }
}

/* --- answers --- */

void platform_reply(struct platform_run *run)
{
    run->side_tries = 0;
    if (run->side.call == NULL) {
        ab_timer_stop(run->side_timer);
        platform_call_start(run, PLATFORM_REPLY);
    }
}

/* It got through, or nobody wants it any more: then what is still open is asked again. */
static void replied(struct platform_run *run, bool taken)
{
    ab_replace(&run->answers, NULL);
    if (run->mark == run->answered_mark) { /* nothing else has been asked since */
        run->wait = PLATFORM_NOTHING;
        run->mark = taken ? run->mark : 0;
    }
    run->pause_ms = 0;
    run->noted = true;
    run->resync = run->resync || !taken;
    ab_run_heard(run->run);
    platform_note(run);
    if (run->main.call == NULL) {
        ab_timer_stop(run->timer);
        run->tries = 0;
        platform_follow(run);
    } else if (!taken) {
        platform_call_cancel(&run->main); /* followed anew, it is told how the task stands */
    }
}

static void reply_ended(struct platform_run *run, const struct platform_call *call, const char *line)
{
    bool good = call->status >= 200 && call->status <= 299;
    bool passing = call->status == 0 || ab_rest_error_is_passing(call->status);
    if (good || (!passing && call->status != 0) || run->side_tries >= REPLY_TRIES) {
        if (!good) {
            say_trouble(run, line);
        }
        replied(run, good);
    } else {
        say_trouble(run, line);
        again(run, PLATFORM_REPLY, call->retry_after_ms);
    }
}

/* --- stopping --- */

void platform_stop(struct platform_run *run)
{
    run->over = true;
    run->stopping = true;
    ab_timer_stop(run->timer);
    ab_timer_stop(run->side_timer);
    run->side_tries = 0;
    if (!run->sent) {
        platform_end(run);
        return;
    }
    platform_call_cancel(&run->main);
    if (run->side.call != NULL) {
        platform_call_cancel(&run->side); /* its end begins the stop */
    } else {
        platform_call_start(run, PLATFORM_STOP);
    }
}

/* Where an invocation is still on its way, a task that is not there now may be there in a moment. */
static void stop_ended(struct platform_run *run, const struct platform_call *call, const char *line)
{
    bool is_there = call->status != 404;
    bool done = (call->status >= 200 && call->status <= 299) || (!is_there && run->arrived);
    bool for_good = is_there && call->status != 0 && !ab_rest_error_is_passing(call->status);
    if (!done && !for_good && run->side_tries + 1 < STOP_TRIES) {
        again(run, PLATFORM_STOP, 0);
        return;
    }
    if (!done && is_there) {
        ab_log(log_of(run), AB_LOG_WARNING, "platform", "a stopped task may still run on the platform", "agent",
               run->agent->settings.id, "task", ab_run_task_id(run->run), "why", line, NULL);
    }
    platform_end(run);
}

/* --- a call has ended --- */

static void main_ended(struct platform_run *run, const struct platform_call *call, enum ab_http_call_outcome outcome,
                       const char *line)
{
    struct ab_rest_task task;
    switch (call->purpose) {
    case PLATFORM_INVOKE:
        if (call->status >= 200 && call->status <= 299 && !call->events && read_task(call, &task)) {
            run->agent->no_streams = run->agent->no_streams || run->mode != run->agent->settings.mode;
            told(run, &task);
        } else {
            invoke_ended(run, call, outcome, line);
        }
        break;
    case PLATFORM_LOOK:
        look_ended(run, call, line);
        break;
    case PLATFORM_ATTACH:
        attach_ended(run, call, line);
        break;
    case PLATFORM_POLL:
        poll_ended(run, call, line);
        break;
    case PLATFORM_REPLY:
    case PLATFORM_STOP:
        break;
    }
}

void platform_call_ended(struct platform_call *call, enum ab_http_call_outcome outcome, const char *text)
{
    struct platform_run *run = call->run;
    struct ab_buf line = AB_BUF_INIT(LINE_BYTES);
    describe(call, text, &line);
    platform_note(run);
    if (run->ending) {
        platform_end_when_idle(run);
    } else if (run->stopping && call == &run->side && call->purpose == PLATFORM_STOP) {
        stop_ended(run, call, line.data);
    } else if (run->stopping) {
        if (call == &run->side) {
            platform_call_start(run, PLATFORM_STOP);
        }
    } else if (run->over) {
        if (run->finished) { /* else the engine says what is next */
            platform_end(run);
        }
    } else if (call == &run->side) {
        reply_ended(run, call, line.data);
    } else if (run->turn_due) {
        run->turn_due = false;
        platform_invoke(run);
    } else {
        main_ended(run, call, outcome, line.data);
    }
    ab_buf_deinit(&line);
}
