/* The `mcp` agent: its place between the engine, the server and its runs. */
#include "agents/mcp.h"

#include "agents/mcp_run.h"
#include "base/mem.h"

#include <string.h>

/* --- what the server's connection tells --- */

/* Which of the runs a message that names no request belongs to: the one that has a call open, when there is just one.
 * Nobody is asked what somebody else's call may have meant. */
static struct mcp_run *only_run(struct mcp_agent *agent)
{
    struct mcp_run *found = NULL;
    for (struct ab_link *link = ab_list_first(&agent->runs); link != NULL; link = ab_list_next(&agent->runs, link)) {
        struct mcp_run *run = AB_OWNER(link, struct mcp_run, link);
        if (run->over || (run->call == NULL && run->task_id == NULL)) {
            continue;
        }
        if (found != NULL) {
            return NULL;
        }
        found = run;
    }
    return found;
}

/* A task's own messages name it (2025-11-25, basic/utilities/tasks). */
static struct mcp_run *related_run(struct mcp_agent *agent, struct ab_json related)
{
    for (struct ab_link *link = ab_list_first(&agent->runs); link != NULL; link = ab_list_next(&agent->runs, link)) {
        struct mcp_run *run = AB_OWNER(link, struct mcp_run, link);
        if (!run->over && run->task_id != NULL && ab_json_string_is(related, run->task_id)) {
            return run;
        }
    }
    return NULL;
}

/* The run whose call this is the progress of. */
static struct mcp_run *token_run(struct mcp_agent *agent, struct ab_json token)
{
    int64_t id;
    for (struct ab_link *link = ab_list_first(&agent->runs); ab_json_int(token, &id) && link != NULL;
         link = ab_list_next(&agent->runs, link)) {
        struct mcp_run *run = AB_OWNER(link, struct mcp_run, link);
        if (!run->over && run->call_id == id) {
            return run;
        }
    }
    return NULL;
}

static void on_stray(void *arg, const struct ab_jsonrpc_message *message)
{
    struct mcp_agent *agent = arg;
    struct ab_json related =
        ab_json_at(message->params, "_meta", "io.modelcontextprotocol/related-task", "taskId", NULL);
    struct ab_json token = ab_json_member(message->params, "progressToken");
    struct mcp_run *run = ab_json_exists(related) ? related_run(agent, related)
                          : ab_json_exists(token) ? token_run(agent, token)
                                                  : only_run(agent);
    if (run != NULL) {
        mcp_run_hear(run, message);
    } else if (message->kind == AB_JSONRPC_REQUEST) {
        mcp_server_respond(agent->server, message->id, NULL, AB_JSONRPC_INVALID_REQUEST,
                           "it cannot be told which call this belongs to: send it on the call's own stream");
    }
}

static void on_cut_off(void *arg, const char *text)
{
    struct mcp_agent *agent = arg;
    struct ab_link *link = ab_list_first(&agent->runs);
    while (link != NULL) {
        struct mcp_run *run = AB_OWNER(link, struct mcp_run, link);
        link = ab_list_next(&agent->runs, link);
        mcp_run_cut_off(run, text);
    }
}

/* --- from the engine --- */

static void begin(struct mcp_run *run)
{
    if (mcp_run_check_wish(run)) {
        mcp_run_call(run);
    } else {
        mcp_run_report_text(run, AB_REPORT_REJECTED, run->refusal);
    }
}

static int start(struct ab_agent *base, struct ab_run *engine_run, const struct ab_task *task,
                 const struct ab_task_request *request, const char *history_json)
{
    struct mcp_agent *agent = AB_OWNER(base, struct mcp_agent, base);
    struct mcp_run *run = mcp_run_new(agent, engine_run);
    (void)task;
    (void)history_json;
    ab_run_set_context(engine_run, run);
    (void)!mcp_run_read_wish(run, request); /* what is missing is said once the tools are known */
    mcp_run_wait(run, begin);
    return AB_OK;
}

static void resume_following(struct mcp_run *run)
{
    mcp_run_poll(run);
}

/* The questions that are still open were asked before; on a stream of 2025-11-25 they are asked anew. */
static void take_up_task(struct mcp_run *run, const struct ab_task *task)
{
    run->paused = task->status == AB_TASK_PAUSED;
    run->recall = true;
    if (run->paused && !run->core) {
        run->shown = ab_strdup(task->questions_json);
    } else if (run->paused) {
        run->paused = false;
        mcp_run_report_text(run, AB_REPORT_EXECUTING, NULL);
    }
    mcp_run_wait(run, resume_following);
}

static int take_up(struct ab_agent *base, struct ab_run *engine_run, const struct ab_task *task,
                   const struct ab_task_request *request, const char *notes_json)
{
    struct mcp_agent *agent = AB_OWNER(base, struct mcp_agent, base);
    struct mcp_run *run = mcp_run_new(agent, engine_run);
    struct ab_json notes = ab_json_trusted(notes_json);
    ab_run_set_context(engine_run, run);
    bool readable = mcp_run_read_wish(run, request);
    if (mcp_run_recall_task(run, notes)) {
        take_up_task(run, task);
        return AB_OK;
    }
    if (readable && mcp_run_recall_input(run, notes)) {
        mcp_server_connect(agent->server);
        return AB_OK;
    }
    mcp_run_free(run);
    (void)ab_run_report(engine_run,
                        &(struct ab_report){ .kind = AB_REPORT_ERROR,
                                             .reason = AB_REASON_INTERRUPTED,
                                             .text = "the bridge was restarted while the tool was being called" });
    return 1;
}

static void answer(struct ab_agent *base, struct ab_run *engine_run, const char *answers_json)
{
    struct mcp_run *run = ab_run_context(engine_run);
    (void)base;
    if (!run->over) {
        mcp_run_take_answers(run, answers_json);
    }
}

static void stop(struct ab_agent *base, struct ab_run *engine_run)
{
    (void)base;
    mcp_run_end(ab_run_context(engine_run), true);
}

/* What can be taken up again is left alone; a plain call cannot. */
static void let_go(struct ab_agent *base, struct ab_run *engine_run)
{
    struct mcp_run *run = ab_run_context(engine_run);
    (void)base;
    mcp_run_end(run, run->task_id == NULL && run->requests == NULL);
}

static void resume(struct ab_agent *base, struct ab_run *engine_run)
{
    struct mcp_run *run = ab_run_context(engine_run);
    (void)base;
    if (run->call != NULL && !run->over) {
        run->agent->server->transport->ops->pause(run->call, false);
    }
}

static void attach(struct ab_agent *base, struct ab_agent_seat *seat)
{
    struct mcp_agent *agent = AB_OWNER(base, struct mcp_agent, base);
    agent->server->seat = seat;
    mcp_server_connect(agent->server);
}

static void close_agent(struct ab_agent *base, void (*closed)(void *arg), void *arg)
{
    struct mcp_agent *agent = AB_OWNER(base, struct mcp_agent, base);
    mcp_server_leave(agent->server, closed, arg);
}

static void agent_free(struct ab_agent *base)
{
    struct mcp_agent *agent = AB_OWNER(base, struct mcp_agent, base);
    mcp_server_free(agent->server);
    free(agent->default_tool);
    free(agent->default_argument);
    free(agent);
}

struct ab_agent *ab_mcp_agent_new(const struct ab_mcp_agent_settings *settings)
{
    static const struct ab_agent_ops ops = {
        .start = start,
        .take_up = take_up,
        .answer = answer,
        .stop = stop,
        .let_go = let_go,
        .resume = resume,
        .attach = attach,
        .close = close_agent,
        .free = agent_free,
    };
    static const struct mcp_server_events events = { .stray = on_stray, .cut_off = on_cut_off };
    struct mcp_agent *agent = ab_alloc(1, sizeof *agent);
    agent->base.ops = &ops;
    agent->default_tool = ab_strdup(settings->default_tool);
    agent->default_argument = ab_strdup(settings->default_argument != NULL ? settings->default_argument : "text");
    agent->loop = settings->loop;
    agent->log = settings->log;
    ab_list_init(&agent->runs);
    agent->server = mcp_server_new(settings, &events, agent);
    return &agent->base;
}
