/* The agents: what is configured of them, what they tell of themselves, and their beginning and end. */
#include "task/engine_internal.h"

#include <string.h>

enum { DEFAULT_TURNS_DEEP = 16 };
static const int64_t default_timeout_ms = INT64_C(600) * 1000;
static const int64_t default_pause_ms = INT64_C(24) * 3600 * 1000;

/* --- what is said of them --- */

static const char *first_of(const char *configured, const char *told)
{
    return configured != NULL ? configured : told;
}

static void show(struct engine_agent *agent)
{
    struct ab_agent_seat *seat = &agent->seat;
    seat->profile = seat->told;
    seat->profile.title = first_of(agent->settings.title, seat->told.title);
    seat->profile.description = first_of(agent->settings.description, seat->told.description);
}

static void free_const(const char *text)
{
    char *owned = NULL;
    memcpy(&owned, &text, sizeof owned);
    free(owned);
}

static void profile_deinit(struct ab_agent_profile *profile)
{
    free_const(profile->title);
    free_const(profile->description);
    free_const(profile->version);
    free_const(profile->skills_json);
}

static bool same_text(const char *left, const char *right)
{
    return left == right || (left != NULL && right != NULL && strcmp(left, right) == 0);
}

static bool same_profile(const struct ab_agent_profile *left, const struct ab_agent_profile *right)
{
    return same_text(left->title, right->title) && same_text(left->description, right->description) &&
           same_text(left->version, right->version) && same_text(left->skills_json, right->skills_json);
}

void ab_agent_describe(struct ab_agent_seat *seat, const struct ab_agent_profile *profile)
{
    if (same_profile(&seat->told, profile)) {
        return;
    }
    struct ab_agent_profile before = seat->told;
    seat->told = (struct ab_agent_profile){
        .title = ab_strdup(profile->title),
        .description = ab_strdup(profile->description),
        .version = ab_strdup(profile->version),
        .skills_json = ab_strdup(profile->skills_json),
    };
    profile_deinit(&before);
    show(AB_OWNER(seat, struct engine_agent, seat));
    engine_watch_notify(seat->engine, AB_WATCH_AGENTS);
}

const struct ab_agent_profile *ab_engine_profile(const struct ab_engine *engine, const char *id)
{
    const struct engine_agent *agent = engine_agent_find(engine, id);
    return agent != NULL ? &agent->seat.profile : NULL;
}

/* --- beginning and end --- */

void ab_engine_add_agent(struct ab_engine *engine, const struct ab_agent_settings *settings, struct ab_agent *agent)
{
    struct engine_agent *added = ab_alloc(1, sizeof *added);
    added->agent = agent;
    added->seat.engine = engine;
    added->settings = *settings;
    added->settings.id = ab_strdup(settings->id);
    added->settings.title = ab_strdup(settings->title);
    added->settings.description = ab_strdup(settings->description);
    added->settings.kind = ab_strdup(settings->kind);
    added->settings.webhooks_json = ab_strdup(settings->webhooks_json);
    if (added->settings.timeout_ms == 0) {
        added->settings.timeout_ms = default_timeout_ms;
    }
    if (added->settings.pause_timeout_ms == 0) {
        added->settings.pause_timeout_ms = default_pause_ms;
    }
    if (added->settings.turns_deep == 0) {
        added->settings.turns_deep = DEFAULT_TURNS_DEEP;
    }
    engine->agents = ab_realloc(engine->agents, (engine->n_agents + 1) * sizeof *engine->agents);
    engine->agents[engine->n_agents++] = added;
    show(added);
    engine_metrics_agent(engine, added);
}

void engine_agents_attach(struct ab_engine *engine)
{
    for (size_t i = 0; i < engine->n_agents; i++) {
        struct engine_agent *agent = engine->agents[i];
        if (agent->agent->ops->attach != NULL) {
            agent->agent->ops->attach(agent->agent, &agent->seat);
        }
    }
}

static void on_closed(void *arg)
{
    struct ab_engine *engine = arg;
    engine->n_closing--;
    engine_turn_soon(engine);
}

bool engine_agents_closed(struct ab_engine *engine)
{
    for (size_t i = 0; i < engine->n_agents && !engine->closing; i++) {
        engine->n_closing += engine->agents[i]->agent->ops->close != NULL ? 1 : 0;
    }
    for (size_t i = 0; i < engine->n_agents && !engine->closing; i++) {
        struct ab_agent *agent = engine->agents[i]->agent;
        if (agent->ops->close != NULL) {
            agent->ops->close(agent, on_closed, engine);
        }
    }
    engine->closing = true;
    return engine->n_closing == 0;
}

static void agent_free(struct engine_agent *agent)
{
    if (agent->agent->ops->free != NULL) {
        agent->agent->ops->free(agent->agent);
    }
    free_const(agent->settings.id);
    free_const(agent->settings.title);
    free_const(agent->settings.description);
    free_const(agent->settings.kind);
    free_const(agent->settings.webhooks_json);
    profile_deinit(&agent->seat.told);
    free(agent);
}

void engine_agents_free(struct ab_engine *engine)
{
    for (size_t i = 0; i < engine->n_agents; i++) {
        agent_free(engine->agents[i]);
    }
    free(engine->agents);
}

/* --- finding them --- */

struct engine_agent *engine_agent_find(const struct ab_engine *engine, const char *id)
{
    for (size_t i = 0; i < engine->n_agents; i++) {
        if (strcmp(engine->agents[i]->settings.id, id) == 0) {
            return engine->agents[i];
        }
    }
    return NULL;
}

const struct ab_agent_settings *ab_engine_agent_at(const struct ab_engine *engine, size_t index)
{
    return index < engine->n_agents ? &engine->agents[index]->settings : NULL;
}

const struct ab_agent_settings *ab_engine_agent(const struct ab_engine *engine, const char *id)
{
    const struct engine_agent *agent = engine_agent_find(engine, id);
    return agent != NULL ? &agent->settings : NULL;
}
