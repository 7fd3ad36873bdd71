/* The engine's own turn: everything that leads outside happens here, once the callback that caused it has returned,
 * and in a fixed order: callers first (so that they can begin to watch), then the tasks (so that an agent hears of its
 * answers before anyone can give more), then watchers; then what has finished is freed, which watchers still looked at.
 */
#include "task/engine_internal.h"

int64_t engine_now(const struct ab_engine *engine)
{
    return ab_clock_wall_ms(&engine->settings.loop->clock);
}

int64_t engine_now_us(const struct ab_engine *engine)
{
    return ab_clock_monotonic_us(&engine->settings.loop->clock);
}

static bool is_finished(const struct hot *hot)
{
    return hot->flight == 0 && hot->run == NULL && ab_list_is_empty(&hot->waiting) && !hot_has_wishes(hot) &&
           (hot->gone || (hot_is_terminal(hot) && hot_is_durable(hot)));
}

static void free_finished(struct hot *hot)
{
    struct thread *thread = hot->thread;
    bool last =
        ab_list_first(&thread->tasks) == &hot->in_thread && ab_list_next(&thread->tasks, &hot->in_thread) == NULL;
    hot_free(hot);
    if (!last) {
        engine_attend(thread_first(thread));
    }
}

static void attend(struct hot *hot)
{
    if (hot->run != NULL) {
        run_attend(hot);
    } else if (hot_has_turn(hot) && !hot->begun) {
        run_begin(hot);
    } else if (hot_has_turn(hot) && hot_is_durable(hot)) {
        run_start(hot);
    }
    hot_flush(hot);
    if (is_finished(hot)) {
        ab_link_remove(&hot->in_attention);
        ab_list_append(&hot->engine->finished, &hot->in_attention);
    }
}

/* Only those that stand in the list now: what they cause is for the next turn, so that nobody starves the loop. */
static void attend_all(struct ab_engine *engine)
{
    struct ab_list now;
    ab_list_init(&now);
    ab_list_take(&now, &engine->attention);
    struct ab_link *link;
    while ((link = ab_list_first(&now)) != NULL) {
        ab_link_remove(link);
        attend(AB_OWNER(link, struct hot, in_attention));
    }
}

static void free_all_finished(struct ab_engine *engine)
{
    struct ab_link *link;
    while ((link = ab_list_first(&engine->finished)) != NULL) {
        struct hot *hot = AB_OWNER(link, struct hot, in_attention);
        ab_link_remove(link);
        if (is_finished(hot)) {
            free_finished(hot);
        } else {
            engine_attend(hot); /* a watcher wants something of it */
        }
    }
}

static bool is_quiet(const struct ab_engine *engine)
{
    return !engine->turn_due && engine->n_runs == 0 && engine->n_commits == 0 && ab_list_is_empty(&engine->attention) &&
           ab_list_is_empty(&engine->calls);
}

static void engine_turn(void *arg)
{
    struct ab_engine *engine = arg;
    engine->turn_due = false;
    if (engine->freed) {
        free(engine);
        return;
    }
    engine_calls_run(engine);
    attend_all(engine);
    engine_watches_run(engine);
    free_all_finished(engine);
    if (engine->shutting_down && engine->shut_down_done != NULL && is_quiet(engine) && engine_agents_closed(engine)) {
        ab_loop_fn done = engine->shut_down_done;
        engine->shut_down_done = NULL;
        done(engine->shut_down_arg);
    }
}

void engine_turn_soon(struct ab_engine *engine)
{
    if (!engine->turn_due) {
        engine->turn_due = true;
        ab_loop_defer(engine->settings.loop, engine_turn, engine);
    }
}

void engine_attend(struct hot *hot)
{
    if (!ab_link_is_linked(&hot->in_attention)) {
        ab_list_append(&hot->engine->attention, &hot->in_attention);
    }
    engine_turn_soon(hot->engine);
}
