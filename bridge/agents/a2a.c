/* The `a2a` agent: its settings, its runs' beginnings, and what the engine tells them. */
#include "agents/a2a.h"

#include "agents/a2a_run.h"
#include "base/mem.h"

#include <string.h>

enum {
    CARD_BYTES = 256 << 10,
    ANSWER_BYTES = 16 << 20,
    STREAM_BYTES = 64 << 20,
    CONNECT_MS = 10 * 1000,
    ANSWER_MS = 30 * 1000,
    SILENCE_MS = 60 * 1000,
    POLL_MS = 200,
    POLL_MAX_MS = 30 * 1000,
    REFRESH_MS = 300 * 1000,
    PUSH_LOOK_MS = 300 * 1000,
};

static struct a2a_agent *agent_of(struct ab_agent *base)
{
    return AB_OWNER(base, struct a2a_agent, base);
}

/* --- runs --- */

static char *take(struct ab_json object, const char *name)
{
    return ab_json_dup(ab_json_member(object, name));
}

/* The message's metadata; the protocol has no word for the skill that a caller means, so it stands there. */
static char *metadata_of(struct ab_json metadata, struct ab_json skill)
{
    bool any = ab_json_is(metadata, AB_JSON_OBJECT) && ab_json_count(metadata) > 0;

    if (!ab_json_is(skill, AB_JSON_STRING) || ab_json_exists(ab_json_member(metadata, "skillId")))
        return ab_json_dup(metadata);
    return ab_format("{\"skillId\":%.*s%s%.*s", AB_STR_ARGS(skill.text), any ? "," : "}",
                     any ? (int)metadata.text.size - 1 : 0, any ? metadata.text.data + 1 : "");
}

static struct a2a_message message_of(const struct ab_task_request *request)
{
    struct ab_json message = ab_json_trusted(request->message_json);
    struct ab_json options = ab_json_trusted(request->options_json);

    return (struct a2a_message){
        .parts = take(message, "parts"),
        .metadata = metadata_of(ab_json_member(message, "metadata"), ab_json_member(options, "skill")),
        .extensions = take(message, "extensions"),
        .request_metadata = take(options, "metadata"),
        .output_modes = take(options, "accepted_output_modes"),
    };
}

static void begin(struct a2a_run *run)
{
    struct a2a_agent *agent = run->agent;

    ab_run_set_context(run->run, run);
    if (agent->directory->known) {
        a2a_run_go(run);
    } else {
        ab_list_append(&agent->waiting, &run->waiting);
        a2a_directory_fetch(agent->directory);
    }
}

static int start(struct ab_agent *base, struct ab_run *engine_run, const struct ab_task *task,
                 const struct ab_task_request *request, const char *history_json)
{
    struct a2a_run *run = a2a_run_new(agent_of(base), engine_run, task);

    (void)history_json; /* the remote agent has its own, by the context */
    run->context = a2a_context_recall(run->agent, task->owner, task->thread_id);
    run->message = message_of(request);
    begin(run);
    return AB_OK;
}

static int take_up(struct ab_agent *base, struct ab_run *engine_run, const struct ab_task *task,
                   const struct ab_task_request *request, const char *notes_json)
{
    struct a2a_run *run = a2a_run_new(agent_of(base), engine_run, task);

    (void)request;
    a2a_notes_read(run, notes_json);
    run->state = AB_A2A_WORKING;
    if (task->status == AB_TASK_PAUSED)
        run->state = run->asked == A2A_ASKED_TO_SIGN_IN ? AB_A2A_AUTH_REQUIRED : AB_A2A_INPUT_REQUIRED;
    run->taken_up = task->status != AB_TASK_PAUSED;
    begin(run);
    return AB_OK;
}

static void answer(struct ab_agent *base, struct ab_run *engine_run, const char *answers_json)
{
    struct a2a_run *run = ab_run_context(engine_run);
    bool doubtful = run->taken_up && run->asked != A2A_ASKED_NOTHING;

    (void)base;
    run->taken_up = false;
    a2a_run_answer(run, answers_json, doubtful);
}

static void stop(struct ab_agent *base, struct ab_run *engine_run)
{
    (void)base;
    a2a_run_stop(ab_run_context(engine_run));
}

static void let_go(struct ab_agent *base, struct ab_run *engine_run)
{
    (void)base;
    a2a_run_end(ab_run_context(engine_run));
}

static void resume(struct ab_agent *base, struct ab_run *engine_run)
{
    (void)base;
    a2a_run_resume(ab_run_context(engine_run));
}

/* Those that follow a task already wait on: it may be there when the agent is. */
void a2a_agent_card_came(struct a2a_agent *agent)
{
    struct ab_list waiting;
    struct ab_link *link;

    ab_list_init(&waiting);
    ab_list_take(&waiting, &agent->waiting);
    while ((link = ab_list_first(&waiting)) != NULL) {
        struct a2a_run *run = AB_OWNER(link, struct a2a_run, waiting);
        ab_link_remove(link);
        if (agent->directory->known) {
            a2a_run_go(run);
        } else if (run->task != NULL) {
            ab_list_append(&agent->waiting, link);
        } else {
            a2a_run_fail(run, AB_REASON_UNREACHABLE, "the agent's card at %s cannot be had: %s", agent->settings.card,
                         agent->directory->failure);
            a2a_run_end(run);
        }
    }
}

/* --- life --- */

static void attach(struct ab_agent *base, struct ab_agent_seat *seat)
{
    struct a2a_agent *agent = agent_of(base);

    agent->seat = seat;
    a2a_directory_fetch(agent->directory);
}

static const char *const *copy_list(const char *const *list)
{
    size_t n = 0;
    const char **copy;

    while (list != NULL && list[n] != NULL)
        n++;
    copy = ab_alloc(n + 1, sizeof *copy);
    for (size_t i = 0; i < n; i++)
        copy[i] = ab_strdup(list[i]);
    return copy;
}

static void free_text(const char *text)
{
    char *owned = NULL;

    memcpy(&owned, &text, sizeof owned);
    free(owned);
}

static void free_list(const char *const *list)
{
    void *owned = NULL;

    for (size_t i = 0; list[i] != NULL; i++)
        free_text(list[i]);
    memcpy(&owned, &list, sizeof owned);
    free(owned);
}

static void agent_free(struct ab_agent *base)
{
    struct a2a_agent *agent = agent_of(base);

    a2a_directory_free(agent->directory);
    free_text(agent->settings.id);
    free_text(agent->settings.card);
    free_text(agent->settings.version);
    free_text(agent->settings.binding);
    free_text(agent->settings.keys_json);
    free_list(agent->settings.hosts);
    free_list(agent->settings.extensions);
    free_list(agent->settings.credentials);
    free(agent);
}

static void use_defaults(struct ab_a2a_remote_settings *settings)
{
    const struct {
        uint32_t *setting;
        uint32_t value;
    } times[] = {
        { &settings->connect_ms, CONNECT_MS },     { &settings->answer_ms, ANSWER_MS },
        { &settings->silence_ms, SILENCE_MS },     { &settings->poll_ms, POLL_MS },
        { &settings->poll_max_ms, POLL_MAX_MS },   { &settings->refresh_ms, REFRESH_MS },
        { &settings->push_look_ms, PUSH_LOOK_MS },
    };

    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        if (*times[i].setting == 0)
            *times[i].setting = times[i].value;
    settings->card_bytes = settings->card_bytes > 0 ? settings->card_bytes : CARD_BYTES;
    settings->answer_bytes = settings->answer_bytes > 0 ? settings->answer_bytes : ANSWER_BYTES;
    settings->stream_bytes = settings->stream_bytes > 0 ? settings->stream_bytes : STREAM_BYTES;
}

struct ab_agent *ab_a2a_agent_new(const struct ab_a2a_remote_settings *settings)
{
    static const struct ab_agent_ops ops = {
        .start = start,
        .take_up = take_up,
        .answer = answer,
        .stop = stop,
        .let_go = let_go,
        .resume = resume,
        .attach = attach,
        .free = agent_free,
    };
    struct a2a_agent *agent = ab_alloc(1, sizeof *agent);

    agent->base.ops = &ops;
    agent->settings = *settings;
    agent->settings.id = ab_strdup(settings->id);
    agent->settings.card = ab_strdup(settings->card);
    agent->settings.version = ab_strdup(settings->version);
    agent->settings.binding = ab_strdup(settings->binding);
    agent->settings.keys_json = ab_strdup(settings->keys_json);
    agent->settings.hosts = copy_list(settings->hosts);
    agent->settings.extensions = copy_list(settings->extensions);
    agent->settings.credentials = copy_list(settings->credentials);
    use_defaults(&agent->settings);
    ab_list_init(&agent->waiting);
    agent->directory = a2a_directory_new(agent);
    return &agent->base;
}
