/* The `platform` agent: hands the work to an agent behind the platform's API and tells what it hears of it. Begins and
 * ends runs; what comes next is decided in platform_next.c. */
#include "agents/platform_run.h"

#include "auth/fingerprint.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
    OUTPUT_BYTES = 16 << 20,
    POLL_MS = 1000,
    POLL_LONGEST_MS = 15000,
    ANSWER_MS = 60000,
    IDLE_MS = 120000,
    RETRIES = 5,
    NOTE_MS = 250,
    REASON_SIZE = 1024
};

/* --- reports --- */

static bool is_end(enum ab_report_kind kind)
{
    return kind == AB_REPORT_SAY || kind == AB_REPORT_RESULT || kind == AB_REPORT_FAILED ||
           kind == AB_REPORT_REJECTED || kind == AB_REPORT_ERROR || kind == AB_REPORT_PROTOCOL_ERROR ||
           kind == AB_REPORT_STOPPED;
}

void platform_report(struct platform_run *run, const struct ab_report *report)
{
    if (run->over) {
        return;
    }
    int result = ab_run_report(run->run, report);
    run->told = true;
    if (result == AB_RUN_SLOW_DOWN) {
        run->slow = true;
        platform_call_pause(&run->main, true);
    } else if (result != AB_OK) {
        run->over = true;
    }
    if (is_end(report->kind)) {
        run->over = true;
        run->finished = true;
    }
}

void platform_report_text(struct platform_run *run, enum ab_report_kind kind, struct ab_str text)
{
    struct ab_buf clean = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    ab_rest_scrub_text(run->scrub, text, &clean);
    struct ab_report report = { .kind = kind, .text = clean.size > 0 ? clean.data : NULL };
    if (clean.size == 0 || strlen(clean.data) == clean.size) { /* a NUL has no place in a report */
        platform_report(run, &report);
    }
    ab_buf_deinit(&clean);
}

void platform_fail(struct platform_run *run, enum ab_task_reason reason, const char *format, ...)
{
    char text[REASON_SIZE];
    struct ab_buf clean = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    struct ab_str whole = { text, ab_utf8_valid_prefix(ab_str(text)) };
    ab_rest_scrub_text(run->scrub, whole, &clean);
    struct ab_report report = { .kind = reason == AB_REASON_REJECTED ? AB_REPORT_REJECTED : AB_REPORT_ERROR,
                                .reason = reason,
                                .text = clean.data };
    platform_report(run, &report);
    ab_buf_deinit(&clean);
}

static void note_now(void *arg)
{
    struct platform_run *run = arg;
    if (run->noted && !run->over) {
        AB_CLEANUP(ab_free_string) char *notes = platform_notes_write(run);
        ab_run_remember(run->run, notes);
    }
    run->noted = false;
    run->note_due = false;
    run->told = false;
}

void platform_note(struct platform_run *run)
{
    if (run->told || run->round > 1) { /* a second turn must not be begun twice */
        note_now(run);
    } else if (run->noted && !run->note_due && !run->over) {
        run->note_due = true;
        ab_timer_start(run->note_timer, NOTE_MS);
    }
}

/* --- the end --- */

static void run_free(struct platform_run *run)
{
    struct ab_str key;
    size_t position = 0;
    void *value;
    platform_call_deinit(&run->main);
    platform_call_deinit(&run->side);
    ab_timer_free(run->timer);
    ab_timer_free(run->side_timer);
    ab_timer_free(run->note_timer);
    ab_task_request_deinit(&run->request);
    ab_rest_scrub_free(run->scrub);
    while (ab_map_next(&run->artifacts, &position, &key, &value)) {
        free(value);
    }
    ab_map_deinit(&run->artifacts);
    free(run->title);
    free(run->surface);
    free(run->conversation);
    free(run->upstream);
    free(run->cursor);
    free(run->answer_text);
    free(run->answers);
    free(run->reply_route);
    free(run->said);
    free(run->progress);
    free(run);
}

static void ended(void *arg)
{
    struct platform_run *run = arg;
    struct ab_run *engine_run = run->run;
    run_free(run);
    ab_run_ended(engine_run);
}

void platform_end(struct platform_run *run)
{
    run->over = true;
    if (!run->ending) {
        run->ending = true;
        ab_timer_stop(run->timer);
        ab_timer_stop(run->side_timer);
        ab_timer_stop(run->note_timer);
        platform_call_cancel(&run->main);
        platform_call_cancel(&run->side);
        platform_end_when_idle(run);
    }
}

void platform_end_when_idle(struct platform_run *run)
{
    if (run->ending && run->main.call == NULL && run->side.call == NULL) {
        ab_loop_defer(run->agent->settings.loop, ended, run);
    }
}

/* --- beginning --- */

/* A published agent's arguments are its task: as the text they hold, else as they stand. */
static void take_request(struct platform_run *run, const struct ab_task_request *request)
{
    ab_task_request_copy(&run->request, request);
    struct ab_json arguments = ab_json_trusted(request->arguments_json);
    if (ab_json_exists(arguments) && !ab_json_is(ab_json_member(arguments, "text"), AB_JSON_STRING)) {
        run->answer_text = ab_json_dup(arguments);
    }
}

static struct platform_run *run_new(struct platform_agent *agent, struct ab_run *engine_run, const struct ab_task *task,
                                    const struct ab_task_request *request)
{
    struct platform_run *run = ab_alloc(1, sizeof *run);
    run->agent = agent;
    run->run = engine_run;
    run->main.run = run;
    run->side.run = run;
    run->timer = ab_timer_new(agent->settings.loop, platform_due, run);
    run->side_timer = ab_timer_new(agent->settings.loop, platform_side_due, run);
    run->note_timer = ab_timer_new(agent->settings.loop, note_now, run);
    take_request(run, request);
    run->title = ab_strdup(task->title);
    run->surface = ab_strdup(task->surface);
    run->turn = task->turn;
    run->round = 1;
    run->mode = agent->settings.mode == AB_REST_STREAM && agent->no_streams ? AB_REST_ASYNC : agent->settings.mode;
    run->scrub = ab_rest_scrub_new();
    ab_rest_scrub_add(run->scrub, agent->settings.api_key);
    ab_rest_scrub_add_credentials(run->scrub, ab_json_trusted(ab_run_secrets(engine_run)));
    ab_map_init(&run->artifacts);
    ab_run_set_context(engine_run, run);
    return run;
}

/* A thread's name there: the same for all its turns, and nobody else's, although callers may choose what theirs is
 * called here. */
static int name_conversation(struct platform_run *run, const struct ab_task *task)
{
    char name[AB_FINGERPRINT_SIZE];
    const char *const parts[] = { task->owner, run->agent->settings.id, task->thread_id, NULL };
    int result = ab_fingerprint(parts, name);
    if (result == AB_OK) {
        run->conversation = ab_strdup(name);
        run->upstream = ab_strdup(name);
    }
    return result;
}

static int start(struct ab_agent *base, struct ab_run *engine_run, const struct ab_task *task,
                 const struct ab_task_request *request, const char *history_json)
{
    struct platform_agent *agent = AB_OWNER(base, struct platform_agent, base);
    struct platform_run *run = run_new(agent, engine_run, task, request);
    (void)history_json; /* the platform keeps the thread's own */
    int result = name_conversation(run, task);
    if (result != AB_OK) {
        run_free(run);
        return result;
    }
    platform_invoke(run);
    return AB_OK;
}

static int take_up(struct ab_agent *base, struct ab_run *engine_run, const struct ab_task *task,
                   const struct ab_task_request *request, const char *notes_json)
{
    struct platform_agent *agent = AB_OWNER(base, struct platform_agent, base);
    struct platform_run *run = run_new(agent, engine_run, task, request);
    int result = name_conversation(run, task);
    if (result != AB_OK) {
        run_free(run);
        return result;
    }
    run->answered_before = task->status == AB_TASK_EXECUTING;
    run->sent = true;
    run->began_ms = task->updated_at;
    run->left_ms = task->updated_at;
    if (notes_json != NULL && !platform_notes_read(run, notes_json)) {
        ab_log(agent->settings.log, AB_LOG_WARNING, "platform", "a task's notes are not understood", "agent",
               agent->settings.id, "task", task->id, NULL);
    }
    if (run->arrived) {
        platform_follow(run);
    } else {
        platform_look(run);
    }
    return AB_OK;
}

/* --- from the engine --- */

static void answer(struct ab_agent *base, struct ab_run *engine_run, const char *answers_json)
{
    (void)base;
    platform_take_answers(ab_run_context(engine_run), answers_json);
}

static void stop(struct ab_agent *base, struct ab_run *engine_run)
{
    struct platform_run *run = ab_run_context(engine_run);
    (void)base;
    if (run->finished) {
        platform_end(run); /* its end was not to the engine's liking; there it is over */
    } else {
        platform_stop(run);
    }
}

static void let_go(struct ab_agent *base, struct ab_run *engine_run)
{
    (void)base;
    platform_end(ab_run_context(engine_run));
}

static void resume(struct ab_agent *base, struct ab_run *engine_run)
{
    struct platform_run *run = ab_run_context(engine_run);
    (void)base;
    run->slow = false;
    platform_call_pause(&run->main, false);
}

/* --- life --- */

static size_t count(const char *const *strings)
{
    size_t n = 0;
    while (strings != NULL && strings[n] != NULL) {
        n++;
    }
    return n;
}

static char *key_header(const struct ab_platform_settings *settings)
{
    const char *name = settings->api_key_header != NULL ? settings->api_key_header : "x-api-key";
    bool bearer = strcasecmp(name, "Authorization") == 0;
    return ab_format("%s: %s%s", name, bearer ? "Bearer " : "", settings->api_key);
}

static char **make_headers(const struct ab_platform_settings *settings)
{
    size_t n = count(settings->headers);
    char **headers = ab_alloc(n + 2, sizeof *headers);
    for (size_t i = 0; i < n; i++) {
        headers[i] = ab_strdup(settings->headers[i]);
    }
    if (settings->api_key != NULL) {
        headers[n] = key_header(settings);
    }
    return headers;
}

/* Copies of ours, which the settings call const; one of them is the key. */
static void wipe(const char *text)
{
    if (text != NULL) {
        union {
            const char *in;
            char *out;
        } memory = { .in = text };
        explicit_bzero(memory.out, strlen(text));
        free(memory.out);
    }
}

static void agent_free(struct ab_agent *base)
{
    struct platform_agent *agent = AB_OWNER(base, struct platform_agent, base);
    const struct ab_platform_settings *own = &agent->settings;
    const char *const texts[] = { own->id,      own->target.url,    own->target.agent_id, own->version,
                                  own->api_key, own->surface_field, own->approve_route,   own->reject_route };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        wipe(texts[i]);
    }
    for (size_t i = 0; agent->headers[i] != NULL; i++) {
        wipe(agent->headers[i]);
    }
    free(agent->headers);
    free(agent);
}

static uint32_t or_default(uint32_t value, uint32_t fallback)
{
    return value > 0 ? value : fallback;
}

static void copy_settings(struct ab_platform_settings *own, const struct ab_platform_settings *given)
{
    *own = *given;
    own->id = ab_strdup(given->id);
    own->target.url = ab_strdup(given->target.url);
    own->target.agent_id = ab_strdup(given->target.agent_id);
    own->version = ab_strdup(given->version);
    own->api_key = ab_strdup(given->api_key);
    own->api_key_header = NULL; /* in the headers, both */
    own->headers = NULL;
    own->surface_field = ab_strdup(given->surface_field);
    own->approve_route = ab_strdup(given->approve_route);
    own->reject_route = ab_strdup(given->reject_route);
    own->output_bytes = given->output_bytes > 0 ? given->output_bytes : OUTPUT_BYTES;
    own->poll_ms = or_default(given->poll_ms, POLL_MS);
    own->poll_longest_ms = or_default(given->poll_longest_ms, POLL_LONGEST_MS);
    own->answer_ms = or_default(given->answer_ms, ANSWER_MS);
    own->idle_ms = or_default(given->idle_ms, IDLE_MS);
    own->retries = or_default(given->retries, RETRIES);
}

struct ab_agent *ab_platform_agent_new(const struct ab_platform_settings *settings)
{
    static const struct ab_agent_ops ops = { .start = start,
                                             .take_up = take_up,
                                             .answer = answer,
                                             .stop = stop,
                                             .let_go = let_go,
                                             .resume = resume,
                                             .free = agent_free,
                                             .finds_itself = true };
    struct platform_agent *agent = ab_alloc(1, sizeof *agent);
    agent->base.ops = &ops;
    copy_settings(&agent->settings, settings);
    agent->headers = make_headers(settings);
    return &agent->base;
}
