/* A conversation here is one there: the remote agent's name for it is kept beside the tasks, for as long as somebody
 * speaks in it. */
#include "agents/a2a_run.h"

#include "base/mem.h"

/* A conversation that rests for longer begins anew there. */
#define KEEP_MS ((int64_t)30 * 24 * 3600 * 1000)

static const char record_kind[] = "a2a-context";

static char *record_id(const struct a2a_agent *agent, const char *owner, const char *thread_id)
{
    return ab_format("%s\n%s\n%s", agent->settings.id, owner, thread_id);
}

static bool take(void *arg, const struct ab_store_record *record)
{
    char **context = arg;

    *context = ab_strndup(record->body.data, record->body.size);
    return false;
}

char *a2a_context_recall(const struct a2a_agent *agent, const char *owner, const char *thread_id)
{
    AB_CLEANUP(ab_free_string) char *id = record_id(agent, owner, thread_id);
    struct ab_store *store = agent->settings.store;
    char *context = NULL;

    (void)store->ops->get_record(store, record_kind, id, take, &context);
    return context;
}

void a2a_context_keep(const struct a2a_agent *agent, const char *owner, const char *thread_id, const char *context)
{
    AB_CLEANUP(ab_free_string) char *id = record_id(agent, owner, thread_id);
    struct ab_store *store = agent->settings.store;
    struct ab_store_record record = {
        .kind = record_kind,
        .id = id,
        .owner = owner,
        .expires_at = ab_clock_wall_ms(&agent->settings.loop->clock) + KEEP_MS,
        .body = ab_str(context),
    };

    store->ops->put_record(store, &record, NULL, NULL);
}
