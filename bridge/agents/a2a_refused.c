/* When a request to a remote agent came to nothing: whether and when it is made again, what is tried in its place, and
 * in which words the task ends where nothing is left. */
#include "agents/a2a_run.h"

#include "base/mem.h"

#include <stdio.h>

enum {
    SENDS = 4,      /* of one message, while nothing shows that it got there */
    RETRY_MS = 250, /* to the second try; each further one takes four times as long */
    RETRY_MAX_MS = 30 * 1000,
};

static uint64_t retry_ms(const struct a2a_run *run)
{
    uint64_t ms = RETRY_MS;

    for (unsigned i = 1; i < run->failures && ms < RETRY_MAX_MS; i++)
        ms *= 4;
    return a2a_run_jittered(run, ms < RETRY_MAX_MS ? ms : RETRY_MAX_MS);
}

/* --- refused --- */

static bool is_refusal(const struct ab_a2a_client_refusal *refusal, enum ab_a2a_error error)
{
    return refusal->known && refusal->error == error;
}

/* The agent did not take the message, and will not. */
static void refuse_work(struct a2a_run *run, const struct ab_a2a_client_refusal *refusal)
{
    AB_CLEANUP(ab_free_string) char *own = ab_json_dup(refusal->error_json);
    struct ab_report rejected = { .kind = AB_REPORT_REJECTED, .text = refusal->text };

    if (refusal->status == 401 || refusal->status == 403)
        a2a_run_fail(run, AB_REASON_UNREACHABLE, "the agent does not let the bridge in (HTTP status %u): %s",
                     refusal->status, refusal->text);
    else if (refusal->status >= 300 && refusal->status < 400)
        a2a_run_fail(run, AB_REASON_UNREACHABLE,
                     "the agent's address redirects (HTTP status %u), which is not followed", refusal->status);
    else if (!refusal->known && own != NULL)
        a2a_run_report(run, &(struct ab_report){ .kind = AB_REPORT_PROTOCOL_ERROR, .json = own });
    else if (is_refusal(refusal, AB_A2A_METHOD_NOT_FOUND) || is_refusal(refusal, AB_A2A_VERSION_NOT_SUPPORTED) ||
             (!refusal->known && (refusal->status == 404 || refusal->status == 405)))
        a2a_run_fail(run, AB_REASON_UNREACHABLE, "the agent does not know this call, though its card says so: %s",
                     refusal->text);
    else if (refusal->status >= 500 || is_refusal(refusal, AB_A2A_INTERNAL_ERROR) ||
             is_refusal(refusal, AB_A2A_INVALID_AGENT_RESPONSE))
        a2a_run_fail(run, AB_REASON_CRASHED, "the agent failed: %s", refusal->text);
    else
        a2a_run_report(run, &rejected);
    a2a_run_end(run);
}

static bool is_busy(const struct ab_a2a_client_refusal *refusal)
{
    return refusal->status == 429 || refusal->status == 503;
}

/* Whether the address for posts, new to the agent, may be why a message was refused. What says no in such words has not
 * taken it, so it may be sent once more without. */
static bool may_mean_address(const struct a2a_run *run, const struct ab_a2a_client_refusal *refusal)
{
    return run->pushing && run->pushed == NULL &&
           (is_refusal(refusal, AB_A2A_PUSH_NOT_SUPPORTED) || is_refusal(refusal, AB_A2A_UNSUPPORTED_OPERATION) ||
            is_refusal(refusal, AB_A2A_INVALID_PARAMS) || is_refusal(refusal, AB_A2A_INVALID_REQUEST) ||
            (!refusal->known && (refusal->status == 400 || refusal->status == 422)));
}

/* Its words are not logged: they may hold the token. */
static void send_without_address(struct a2a_run *run, const struct ab_a2a_client_refusal *refusal)
{
    char code[24];

    snprintf(code, sizeof code, "%lld", refusal->code != 0 ? (long long)refusal->code : (long long)refusal->status);
    ab_log(run->agent->settings.log, AB_LOG_INFO, "a2a",
           "the agent refused a message with an address for push notifications: it is sent without", "agent",
           run->agent->settings.id, "task", ab_run_task_id(run->run), "code", code, NULL);
    run->no_push = true;
    a2a_run_send(run);
}

void a2a_send_refused(struct a2a_run *run, const struct ab_a2a_client_refusal *refusal)
{
    if (may_mean_address(run, refusal)) {
        send_without_address(run, refusal);
    } else if (is_busy(refusal) && ++run->failures < SENDS) {
        a2a_run_wait(run, retry_ms(run), a2a_run_send);
    } else if (run->answering) {
        ab_replace(&run->problem, refusal->text);
        run->answering = false;
        a2a_run_taken(run);
        a2a_run_look(run); /* it still asks, or has ended meanwhile */
    } else {
        refuse_work(run, refusal);
    }
}

void a2a_look_refused(struct a2a_run *run, const struct ab_a2a_client_refusal *refusal)
{
    if (is_refusal(refusal, AB_A2A_TASK_NOT_FOUND) || (!refusal->known && refusal->status == 404)) {
        a2a_run_fail(run, AB_REASON_CRASHED, "the agent does not know the task any more: %s", refusal->text);
        a2a_run_end(run);
    } else if (is_busy(refusal) || refusal->status >= 500 || is_refusal(refusal, AB_A2A_INTERNAL_ERROR)) {
        run->failures++;
        a2a_run_wait(run, retry_ms(run), a2a_run_look);
    } else {
        refuse_work(run, refusal);
    }
}

void a2a_stream_refused(struct a2a_run *run, const struct ab_a2a_client_refusal *refusal)
{
    run->failures++;
    if (is_refusal(refusal, AB_A2A_METHOD_NOT_FOUND) || is_refusal(refusal, AB_A2A_UNSUPPORTED_OPERATION))
        run->no_subscribe = true;
    if (refusal->known)
        a2a_run_look(run);
    else
        a2a_run_wait(run, retry_ms(run), a2a_run_look);
}

/* --- lost --- */

void a2a_send_lost(struct a2a_run *run, bool reached, const char *reason)
{
    run->failures++;
    if (run->failures < SENDS && !reached) {
        a2a_run_wait(run, retry_ms(run), a2a_run_send);
    } else if (run->failures < SENDS && run->answering) {
        run->look_first = true;
        a2a_run_wait(run, retry_ms(run), a2a_run_look);
    } else {
        a2a_run_fail(run, AB_REASON_UNREACHABLE,
                     reached ? "the connection was lost before the agent said what becomes of the message: %s"
                             : "the agent cannot be reached: %s",
                     reason);
        a2a_run_end(run);
    }
}

void a2a_follow_lost(struct a2a_run *run)
{
    run->failures++;
    a2a_run_wait(run, retry_ms(run), run->failures % 2 == 0 ? a2a_run_look : a2a_run_follow);
}
