/* The face itself: settings, and the streams that stay open. */
#include "mcp/methods.h"
#include "mcp/skills.h"
#include "mcp/tools.h"

#include "base/mem.h"

/* Well below the minute after which proxies drop a silent connection. */
#define KEEP_ALIVE_MS 45000

static void on_keep_alive(void *arg)
{
    struct ab_mcp *mcp = arg;
    struct ab_link *link = ab_list_first(&mcp->streams);

    for (; link != NULL; link = ab_list_next(&mcp->streams, link))
        ab_mcp_channel_keep_alive(AB_OWNER(link, struct ab_mcp_channel, stream_link));
    ab_timer_start(mcp->keep_alive, KEEP_ALIVE_MS);
}

#define DEFAULT(field, value)                                                                                          \
    do {                                                                                                               \
        if ((field) == 0)                                                                                              \
            (field) = (value);                                                                                         \
    } while (0)

static void fill_defaults(struct ab_mcp_settings *settings)
{
    DEFAULT(settings->json_depth, 64);
    DEFAULT(settings->grace_ms, 2000);
    DEFAULT(settings->hold_ms, 45000);
    DEFAULT(settings->wait_max_ms, 55000);
    DEFAULT(settings->head_ms, 250);
    DEFAULT(settings->heartbeat_ms, 10000);
    DEFAULT(settings->poll_interval_ms, 1000);
    DEFAULT(settings->disconnect_grace_ms, 600 * 1000);
    DEFAULT(settings->subscribed_tasks, 100);
    DEFAULT(settings->keep_ms, (int64_t)7 * 24 * 3600 * 1000);
}

static struct ab_mcp_skills *copy_skills(const struct ab_mcp_settings *settings)
{
    struct ab_mcp_skills *skills = ab_alloc(settings->n_skills + 1, sizeof(*skills));

    for (size_t i = 0; i < settings->n_skills; i++) {
        skills[i] = settings->skills[i];
        skills[i].agent = ab_strdup(skills[i].agent);
    }
    return skills;
}

static void free_skills(struct ab_mcp *mcp)
{
    for (size_t i = 0; i < mcp->settings.n_skills; i++)
        free((void *)(uintptr_t)mcp->settings.skills[i].agent);
    free((void *)(uintptr_t)mcp->settings.skills);
}

struct ab_mcp *ab_mcp_new(const struct ab_mcp_settings *settings, char *reason, size_t reason_size)
{
    struct ab_mcp *mcp = ab_alloc(1, sizeof(*mcp));

    mcp->settings = *settings;
    fill_defaults(&mcp->settings);
    mcp->settings.default_agent = ab_strdup(settings->default_agent);
    mcp->settings.user_json = ab_strdup(settings->user_json);
    mcp->settings.tools = NULL;
    mcp->settings.skills = copy_skills(settings);
    ab_map_init(&mcp->cancellable);
    ab_map_init(&mcp->dialogues);
    ab_map_init(&mcp->session_streams);
    ab_list_init(&mcp->streams);
    if (!ab_mcp_tools_init(mcp, settings->tools, settings->n_tools, reason, reason_size)) {
        ab_mcp_free(mcp);
        return NULL;
    }
    ab_mcp_skills_init(mcp);
    mcp->keep_alive = ab_timer_new(settings->loop, on_keep_alive, mcp);
    ab_timer_start(mcp->keep_alive, KEEP_ALIVE_MS);
    return mcp;
}

void ab_mcp_drain(struct ab_mcp *mcp)
{
    struct ab_link *link = ab_list_first(&mcp->streams);

    mcp->draining = true;
    while (link != NULL) {
        struct ab_mcp_channel *channel = AB_OWNER(link, struct ab_mcp_channel, stream_link);
        struct ab_link *request = ab_list_first(&channel->requests);
        link = ab_list_next(&mcp->streams, link);
        if (request != NULL) /* a listen stream ends with its result (basic/subscriptions) */
            ab_mcp_listen_end(AB_OWNER(request, struct ab_mcp_request, link));
        else
            ab_mcp_channel_end(channel);
    }
}

void ab_mcp_free(struct ab_mcp *mcp)
{
    if (mcp == NULL)
        return;
    ab_timer_free(mcp->keep_alive);
    ab_mcp_skills_deinit(mcp);
    ab_mcp_tools_deinit(mcp);
    free_skills(mcp);
    ab_map_deinit(&mcp->cancellable);
    ab_map_deinit(&mcp->dialogues);
    ab_map_deinit(&mcp->session_streams);
    free((void *)(uintptr_t)mcp->settings.default_agent);
    free((void *)(uintptr_t)mcp->settings.user_json);
    free(mcp);
}
