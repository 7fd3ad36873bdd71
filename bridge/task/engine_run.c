/* Runs: how an agent is started, told things, and what it may tell (the ab_run_... functions of
 * include/agentbridge/agent.h). */
#include "task/engine_internal.h"

#include <string.h>

static const uint64_t slow_check_ms = 20;

/* --- from the engine to the agent, always from the turn --- */

static void run_free(struct ab_run *run)
{
    struct hot *hot = run->hot;
    hot->run = NULL;
    hot->engine->n_runs--;
    ab_link_remove(&run->in_slow);
    free(run);
    engine_attend(hot);
}

/* Not pending means: a restart cut an earlier run off. */
void run_begin(struct hot *hot)
{
    static const char again[] = "started again after a restart";
    hot->begun = true;
    if (hot->task.status == AB_TASK_PENDING) {
        (void)hot_move(hot, AB_TASK_EXECUTING, AB_REASON_NONE, NULL);
        return;
    }
    hot->task.attempt++;
    hot_recall_keys(hot);
    hot_withdraw_questions(hot);
    hot_clock_stop(hot);
    if (hot->task.status == AB_TASK_PAUSED) {
        (void)hot_move(hot, AB_TASK_EXECUTING, AB_REASON_NONE, again);
    } else {
        (void)hot_stay(hot, AB_REASON_NONE, again);
        hot_clock_arm(hot);
    }
}

static bool recall_chunk(void *arg, const struct ab_event *event)
{
    struct hot *hot = arg;
    AB_CLEANUP(ab_free_string)
    char *text = ab_json_string_dup(ab_json_member(ab_json_trusted(event->body_json), "text"));
    if (text != NULL) {
        ab_buf_append_text(&hot->chunks, text);
    }
    return true;
}

/* The pieces of the answer that were given before the restart. */
static void recall_chunks(struct hot *hot)
{
    struct ab_store *store = hot->engine->settings.store;
    (void)store->ops->events(store, hot->task.id, 0, AB_EVENT_BIT(AB_EVENT_CHUNK), 0, recall_chunk, hot);
}

void run_continue(struct hot *hot)
{
    hot->begun = true;
    hot->left = true;
    hot_recall_keys(hot);
    hot_recall_round(hot);
    recall_chunks(hot);
    if (hot->task.answers_json != NULL) {
        hot_add_round(hot, ab_strdup(hot->task.answers_json), 0);
    }
    hot_clock_stop(hot);
    hot_clock_recall(hot);
    hot_clock_arm(hot);
}

static int start(struct ab_agent *agent, struct ab_run *run, struct hot *hot)
{
    if (hot->left) {
        AB_CLEANUP(ab_free_string) char *notes = ab_strdup(hot->task.notes_json); /* or NULL */
        return agent->ops->take_up(agent, run, &hot->task, &hot->request, notes);
    }
    AB_CLEANUP(ab_free_string) char *history = engine_history(hot->engine, &hot->task);
    return agent->ops->start(agent, run, &hot->task, &hot->request, history);
}

void run_start(struct hot *hot)
{
    struct ab_agent *agent = hot->agent->agent;
    hot->started = true;
    struct ab_run *run = ab_alloc(1, sizeof *run);
    run->hot = hot;
    hot->run = run;
    hot->engine->n_runs++;
    if (start(agent, run, hot) == AB_OK) {
        if (!ab_list_is_empty(&hot->rounds)) {
            engine_attend(hot);
        }
        return;
    }
    run_free(run);
    if (!hot_is_terminal(hot)) {
        hot_fail(hot, AB_REASON_UNREACHABLE, "the agent \"%s\" could not be started", hot->task.agent);
    }
}

void run_stop_soon(struct hot *hot)
{
    hot->run->stop_due = true;
    engine_attend(hot);
}

void run_attend(struct hot *hot)
{
    struct ab_run *run = hot->run;
    struct ab_agent *agent = hot->agent->agent;
    if (run->stop_due) {
        if (!run->stopped) {
            bool goes_on = hot->engine->shutting_down && !hot_is_terminal(hot) && agent->ops->let_go != NULL;
            run->stopped = true;
            (goes_on ? agent->ops->let_go : agent->ops->stop)(agent, run);
        }
        return;
    }
    /* One round at a time: the agent may end its run when it hears it. */
    AB_CLEANUP(ab_free_string) char *answers = hot_take_round(hot);
    if (answers != NULL) {
        if (!ab_list_is_empty(&hot->rounds)) {
            engine_attend(hot);
        }
        if (agent->ops->answer != NULL) {
            agent->ops->answer(agent, run, answers);
        }
    }
}

/* --- slowing down --- */

static bool store_is_behind(const struct ab_engine *engine)
{
    struct ab_store *store = engine->settings.store;
    return store->ops->backlog(store) + engine->collected > engine->settings.store_backlog_bytes;
}

void engine_slow_check(void *arg)
{
    struct ab_engine *engine = arg;
    struct ab_list now;
    ab_list_init(&now);
    if (store_is_behind(engine)) {
        ab_timer_start(engine->slow_timer, slow_check_ms);
        return;
    }
    ab_list_take(&now, &engine->slow);
    struct ab_link *link;
    while ((link = ab_list_first(&now)) != NULL) {
        struct ab_run *run = AB_OWNER(link, struct ab_run, in_slow);
        ab_link_remove(link);
        if (!run->stop_due) {
            struct ab_agent *agent = run->hot->agent->agent;
            if (agent->ops->resume != NULL) {
                agent->ops->resume(agent, run);
            }
        }
    }
}

static int slow_down(struct ab_run *run)
{
    struct ab_engine *engine = run->hot->engine;
    if (!store_is_behind(engine)) {
        return AB_OK;
    }
    if (ab_list_is_empty(&engine->slow)) {
        ab_timer_start(engine->slow_timer, slow_check_ms);
    }
    if (!ab_link_is_linked(&run->in_slow)) {
        ab_list_append(&engine->slow, &run->in_slow);
    }
    return AB_RUN_SLOW_DOWN;
}

/* --- from the agent to the engine --- */

static bool is_over(const struct ab_run *run)
{
    const struct hot *hot = run->hot;
    return run->stop_due || hot->broken || hot->gone || hot_is_terminal(hot) || hot->engine->shutting_down;
}

/* What all reports of a task may weigh together. */
static bool charge(struct hot *hot, const struct ab_report *report)
{
    size_t limit = hot->engine->settings.output_bytes;
    size_t size = (report->text != NULL ? strlen(report->text) : 0) + (report->json != NULL ? strlen(report->json) : 0);
    if (size > limit - hot->reported) {
        hot_fail(hot, AB_REASON_CRASHED, "the agent wrote more than %zu bytes", limit);
        return false;
    }
    hot->reported += size;
    return true;
}

int ab_run_report(struct ab_run *run, const struct ab_report *report)
{
    struct hot *hot = run->hot;
    if (is_over(run) || !charge(hot, report)) {
        return AB_RUN_OVER;
    }
    if (!hot->reporting) {
        hot->reporting = true;
        ab_metric_observe(hot->agent->first_report, (double)(engine_now_us(hot->engine) - hot->born_us) / 1e6);
    }
    hot_report(hot, report);
    return slow_down(run);
}

void ab_run_ended(struct ab_run *run)
{
    struct hot *hot = run->hot;
    bool unfinished = !is_over(run);
    run_free(run);
    if (unfinished) {
        hot_fail(hot, AB_REASON_CRASHED, "the agent ended without a result");
    }
}

void ab_run_remember(struct ab_run *run, const char *notes_json)
{
    struct hot *hot = run->hot;
    if (!is_over(run)) {
        ab_replace(&hot->task.notes_json, notes_json);
        hot->noted = true;
        engine_attend(hot);
    }
}

void ab_run_heard(struct ab_run *run)
{
    struct hot *hot = run->hot;
    /* While a further round waits to be given, it is that one which stands in the row. */
    if (!is_over(run) && ab_list_is_empty(&hot->rounds) && hot->task.answers_json != NULL) {
        ab_replace(&hot->task.answers_json, NULL);
        hot->noted = true;
        engine_attend(hot);
    }
}

const char *ab_run_secrets(const struct ab_run *run)
{
    return run->hot->secrets;
}

void ab_run_set_context(struct ab_run *run, void *context)
{
    run->context = context;
}

void *ab_run_context(const struct ab_run *run)
{
    return run->context;
}

const char *ab_run_task_id(const struct ab_run *run)
{
    return run->hot->task.id;
}
