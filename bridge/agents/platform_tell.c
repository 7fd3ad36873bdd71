/* What is heard of the task there becomes reports here: one function for each thing that is told. */
#include "agents/platform_run.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"
#include "task/question.h"

#include <math.h>
#include <string.h>

enum { NAME_BYTES = 256, RESULT_DEPTH = 60, QUESTION_REASON_SIZE = 512 };

static const char elsewhere[] = "the answer is given on the platform; after that the task goes on by itself";

/* --- small helpers --- */

static void report_json(struct platform_run *run, enum ab_report_kind kind, const char *json)
{
    platform_report(run, &(struct ab_report){ .kind = kind, .json = json });
}

static void report_log(struct platform_run *run, const char *level, struct ab_str text)
{
    struct ab_buf clean = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    ab_rest_scrub_text(run->scrub, text, &clean);
    if (clean.size > 0 && strlen(clean.data) == clean.size) {
        platform_report(run, &(struct ab_report){ .kind = AB_REPORT_LOG, .level = level, .text = clean.data });
    }
    ab_buf_deinit(&clean);
}

/* The characters of a string value, or nothing. */
static struct ab_buf text_of(struct ab_json value)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    (void)!ab_json_unescape(value, &text);
    return text;
}

static uint64_t mark_of(struct ab_str text)
{
    return ab_hash((struct ab_hash_seed){ 0, 0 }, text) | 1; /* 0 stands for nothing */
}

/* --- pauses --- */

/* Whatever it waited for is there. */
static void go_on(struct platform_run *run)
{
    bool paused = run->wait != PLATFORM_NOTHING && run->answers == NULL;
    if (run->wait != PLATFORM_NOTHING || run->mark != 0) {
        run->wait = PLATFORM_NOTHING;
        run->mark = 0;
        run->noted = true;
    }
    if (paused) {
        platform_report(run, &(struct ab_report){ .kind = AB_REPORT_EXECUTING });
    }
}

/* What is asked already, or was answered already and not yet heard of, is not asked again. */
static void ask(struct platform_run *run, enum platform_wait wait, const char *json)
{
    uint64_t mark = mark_of(ab_str(json));
    if (mark == run->mark) {
        return;
    }
    go_on(run);
    run->wait = wait;
    run->mark = mark;
    run->noted = true;
    report_json(run, AB_REPORT_ASK, json);
}

/* One question under one key. */
static void ask_one(struct platform_run *run, enum platform_wait wait, const char *key, const char *kind,
                    struct ab_str title, struct ab_str message, const char *more_key, const char *more_json)
{
    struct ab_buf json = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_buf clean = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    ab_rest_scrub_text(run->scrub, message, &clean);
    ab_json_writer_init(&writer, &json);
    ab_json_object_begin(&writer);
    ab_json_write_key(&writer, key);
    ab_json_object_begin(&writer);
    ab_json_put_text(&writer, "kind", kind);
    if (title.size > 0) {
        ab_json_write_key(&writer, "title");
        ab_json_write_str(&writer, title);
    }
    ab_json_write_key(&writer, "message");
    ab_json_write_str(&writer, ab_buf_str(&clean));
    if (more_key != NULL) {
        ab_json_put_raw(&writer, more_key, more_json);
    }
    ab_json_object_end(&writer);
    ab_json_object_end(&writer);
    ask(run, wait, json.data);
    ab_buf_deinit(&clean);
    ab_buf_deinit(&json);
}

static bool is_web_address(struct ab_json url)
{
    struct ab_buf text = text_of(url);
    bool good = ab_str_starts(ab_buf_str(&text), "https://") || ab_str_starts(ab_buf_str(&text), "http://");
    ab_buf_deinit(&text);
    return good;
}

static void ask_elsewhere(struct platform_run *run, struct ab_str title, struct ab_str message)
{
    AB_CLEANUP(ab_free_string) char *where = ab_format("\"%s\"", elsewhere);
    ask_one(run, PLATFORM_APPROVAL, "approval", "approval", title, message, "elsewhere", where);
}

static void ask_sign_in(struct platform_run *run, enum platform_wait wait, struct ab_json url, struct ab_json who)
{
    struct ab_str none = { NULL, 0 };
    struct ab_buf message = text_of(who);
    AB_CLEANUP(ab_free_string) char *address = ab_json_dup(url);
    ab_buf_append_text(&message, message.size > 0 ? " needs you to sign in" : "You need to sign in");
    if (is_web_address(url)) {
        ask_one(run, wait, "sign_in", "url", none, ab_buf_str(&message), "url", address);
    } else {
        ask_elsewhere(run, none, ab_buf_str(&message));
    }
    ab_buf_deinit(&message);
}

/* Today's record names a step, older ones hold a text. */
static void ask_approval(struct platform_run *run, struct ab_json hitl)
{
    const struct ab_platform_settings *settings = &run->agent->settings;
    struct ab_buf title = text_of(ab_json_member(hitl, "title"));
    struct ab_buf message = text_of(ab_json_member(hitl, "content"));
    struct ab_buf step = text_of(ab_json_member(hitl, "wait_node_id"));
    if (message.size == 0) {
        (void)!ab_json_unescape(ab_json_member(hitl, "description"), &message);
    }
    if (message.size == 0 && step.size > 0) {
        ab_buf_printf(&message, "The workflow waits for an approval at its step %s", step.data);
    } else if (message.size == 0) {
        ab_buf_append_text(&message, "The task waits for an approval");
    }
    if (settings->approve_route != NULL && settings->reject_route != NULL) {
        ask_one(run, PLATFORM_APPROVAL, "approval", "approval", ab_buf_str(&title), ab_buf_str(&message), NULL, NULL);
    } else {
        ask_elsewhere(run, ab_buf_str(&title), ab_buf_str(&message));
    }
    ab_buf_deinit(&title);
    ab_buf_deinit(&message);
    ab_buf_deinit(&step);
}

/* A turn that ended with a question: what it says is the question, and a text is the answer. */
static void ask_for_turn(struct platform_run *run, struct ab_json result)
{
    static const char schema[] = "{\"type\":\"object\",\"properties\":{\"text\":{\"type\":\"string\",\"title\":"
                                 "\"Your answer\"}},\"required\":[\"text\"]}";
    struct ab_str none = { NULL, 0 };
    struct ab_buf message = text_of(result);
    ask_one(run, PLATFORM_TURN, "question", "form", none, ab_buf_str(&message), "schema", schema);
    ab_buf_deinit(&message);
}

/* Those that are open, as that bridge shows them, without what it knows of answers. */
static void write_open(const struct platform_run *run, struct ab_json questions, struct ab_buf *out)
{
    struct ab_json_iterator each = ab_json_iterate(questions);
    struct ab_json_writer writer;
    struct ab_json key;
    struct ab_json question;
    ab_json_writer_init(&writer, out);
    ab_json_object_begin(&writer);
    while (ab_json_is(questions, AB_JSON_OBJECT) && ab_json_next(&each, &key, &question)) {
        struct ab_json_iterator members = ab_json_iterate(question);
        struct ab_buf name = text_of(key);
        struct ab_json member;
        struct ab_json value;
        if (!ab_json_exists(ab_json_member(question, "answer")) && ab_json_is(question, AB_JSON_OBJECT)) {
            ab_json_write_key_str(&writer, ab_buf_str(&name));
            ab_json_object_begin(&writer);
            while (ab_json_next(&members, &member, &value)) {
                struct ab_buf word = text_of(member);
                if (!ab_str_is(ab_buf_str(&word), "problem")) {
                    ab_json_write_key_str(&writer, ab_buf_str(&word));
                    ab_rest_scrub_json(run->scrub, value, false, &writer);
                }
                ab_buf_deinit(&word);
            }
            ab_json_object_end(&writer);
        }
        ab_buf_deinit(&name);
    }
    ab_json_object_end(&writer);
}

/* False: there are none that could be asked here. */
static bool ask_as_bridge(struct platform_run *run, struct ab_json questions)
{
    struct ab_buf open = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    char reason[QUESTION_REASON_SIZE];
    struct ab_json asked;
    write_open(run, questions, &open);
    bool good = ab_json_check(ab_buf_str(&open), RESULT_DEPTH, &asked, NULL) &&
                ab_questions_check(asked, reason, sizeof reason);
    if (good) {
        ask(run, PLATFORM_BRIDGE, open.data);
    }
    ab_buf_deinit(&open);
    return good;
}

/* True: it waits for something that is known. */
static bool ask_what_it_waits_for(struct platform_run *run, const struct ab_rest_task *task)
{
    if (ab_json_exists(task->bridge) && ask_as_bridge(run, ab_json_member(task->bridge, "questions"))) {
        return true;
    }
    if (ab_json_exists(task->sign_in)) {
        ask_sign_in(run, PLATFORM_CONNECTOR, ab_json_member(task->sign_in, "auth_url"),
                    ab_json_member(task->sign_in, "connector_name"));
        return true;
    }
    if (ab_json_exists(task->hitl)) {
        ask_approval(run, task->hitl);
        return true;
    }
    return false;
}

/* --- ends --- */

static bool wants_json(const struct platform_run *run)
{
    struct ab_json options = ab_json_trusted(run->request.options_json);
    return ab_json_string_is(ab_json_member(options, "output_format"), "json");
}

static void flush_pieces(struct platform_run *run)
{
    struct ab_buf rest = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    ab_rest_scrub_piece(run->scrub, (struct ab_str){ NULL, 0 }, true, &rest);
    if (rest.size > 0) {
        platform_report(run, &(struct ab_report){ .kind = AB_REPORT_CHUNK, .text = rest.data });
    }
    ab_buf_deinit(&rest);
}

/* Structured output is a text there, and data here. */
static void complete(struct platform_run *run, struct ab_json result)
{
    struct ab_buf text = text_of(result);
    struct ab_buf json = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    struct ab_json data;
    flush_pieces(run);
    if (!ab_json_exists(result)) {
        report_json(run, AB_REPORT_RESULT, NULL);
        return;
    }
    ab_json_writer_init(&writer, &json);
    ab_json_object_begin(&writer);
    ab_json_write_key(&writer, "text");
    ab_rest_scrub_json(run->scrub, result, false, &writer);
    if (wants_json(run) && ab_json_check(ab_buf_str(&text), RESULT_DEPTH, &data, NULL)) {
        ab_json_write_key(&writer, "data");
        ab_rest_scrub_json(run->scrub, data, false, &writer);
    }
    ab_json_object_end(&writer);
    report_json(run, AB_REPORT_RESULT, json.data);
    ab_buf_deinit(&json);
    ab_buf_deinit(&text);
}

/* A bridge says why; elsewhere the text is all there is. */
static enum ab_task_reason reason_of(const struct ab_rest_task *task)
{
    AB_CLEANUP(ab_free_string) char *name = ab_json_string_dup(ab_json_member(task->bridge, "reason"));
    enum ab_task_reason reason = AB_REASON_NONE;
    return name != NULL && ab_task_reason_parse(name, &reason) ? reason : AB_REASON_NONE;
}

static void end_badly(struct platform_run *run, const struct ab_rest_task *task)
{
    struct ab_buf text = text_of(task->result);
    struct ab_buf clean = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_report report = { .kind = AB_REPORT_FAILED, .reason = reason_of(task) };
    flush_pieces(run);
    ab_rest_scrub_text(run->scrub, ab_buf_str(&text), &clean);
    if (task->status == AB_TASK_ERROR) {
        report.kind = AB_REPORT_ERROR;
    } else if (report.reason == AB_REASON_REJECTED) {
        report.kind = AB_REPORT_REJECTED;
    }
    bool usable = clean.size > 0 && strlen(clean.data) == clean.size;
    report.text = usable ? clean.data : "the platform gave no reason";
    platform_report(run, &report);
    ab_buf_deinit(&clean);
    ab_buf_deinit(&text);
}

/* What another bridge tells in full: parts and data of a result, the code of an error. False: it did not. */
static bool end_as_bridge(struct platform_run *run, const struct ab_rest_task *task)
{
    bool completed = task->status == AB_TASK_COMPLETED;
    struct ab_json whole = ab_json_member(task->bridge, completed ? "result" : "error");
    bool protocol = reason_of(task) == AB_REASON_PROTOCOL;
    struct ab_buf json = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    if (!ab_json_is(whole, AB_JSON_OBJECT) || (!completed && !protocol)) {
        return false;
    }
    flush_pieces(run);
    ab_json_writer_init(&writer, &json);
    ab_rest_scrub_json(run->scrub, whole, false, &writer);
    report_json(run, completed ? AB_REPORT_RESULT : AB_REPORT_PROTOCOL_ERROR, json.data);
    ab_buf_deinit(&json);
    return true;
}

static void end(struct platform_run *run, const struct ab_rest_task *task)
{
    if (task->status == AB_TASK_STOPPED) {
        platform_report(run,
                        &(struct ab_report){ .kind = AB_REPORT_STOPPED, .text = "it was stopped on the platform" });
    } else if (task->question_raised && task->status == AB_TASK_COMPLETED) {
        ask_for_turn(run, task->result);
    } else if (end_as_bridge(run, task)) {
        return;
    } else if (task->status != AB_TASK_COMPLETED) {
        end_badly(run, task);
    } else {
        complete(run, task->result);
    }
}

/* --- what else is told --- */

static void tell_progress(struct platform_run *run, struct ab_json progress)
{
    struct ab_report report = { .kind = AB_REPORT_PROGRESS, .progress_total = (double)NAN };
    struct ab_buf message = text_of(ab_json_member(progress, "message"));
    struct ab_buf clean = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    AB_CLEANUP(ab_free_string) char *raw = ab_json_dup(progress);
    bool is_new = raw != NULL && (run->progress == NULL || strcmp(run->progress, raw) != 0);
    if (is_new && ab_json_double(ab_json_member(progress, "value"), &report.progress_value)) {
        (void)!ab_json_double(ab_json_member(progress, "total"), &report.progress_total);
        ab_rest_scrub_text(run->scrub, ab_buf_str(&message), &clean);
        report.text = clean.size > 0 && strlen(clean.data) == clean.size ? clean.data : NULL;
        ab_replace(&run->progress, raw);
        platform_report(run, &report);
    }
    ab_buf_deinit(&clean);
    ab_buf_deinit(&message);
}

/* An artifact may be told by an event and with the task: once is enough. */
static void tell_artifact(struct platform_run *run, struct ab_json artifact, bool by_event)
{
    struct ab_buf id = text_of(ab_json_member(artifact, "id"));
    uint64_t mark = mark_of(artifact.text);
    uint64_t *known = id.size > 0 ? ab_map_get(&run->artifacts, ab_buf_str(&id)) : NULL;
    if (id.size > 0 && (by_event || known == NULL)) {
        struct ab_buf json = AB_BUF_INIT(AB_BUF_UNBOUNDED);
        struct ab_json_writer writer;
        ab_json_writer_init(&writer, &json);
        ab_rest_scrub_json(run->scrub, artifact, false, &writer);
        if (known == NULL) {
            known = ab_alloc(1, sizeof *known);
            (void)ab_map_set(&run->artifacts, ab_buf_str(&id), known);
        }
        *known = mark;
        report_json(run, AB_REPORT_ARTIFACT, json.data);
        ab_buf_deinit(&json);
    }
    ab_buf_deinit(&id);
}

static void note_bridge(struct platform_run *run)
{
    if (!run->bridge) {
        run->bridge = true;
        run->agent->bridge = true;
        run->noted = true;
    }
}

static void tell_bridge(struct platform_run *run, struct ab_json bridge)
{
    struct ab_json artifacts = ab_json_member(bridge, "artifacts");
    struct ab_json_iterator each = ab_json_iterate(artifacts);
    struct ab_json artifact;
    if (!ab_json_exists(bridge)) {
        return;
    }
    note_bridge(run);
    tell_progress(run, ab_json_member(bridge, "progress"));
    while (ab_json_is(artifacts, AB_JSON_ARRAY) && ab_json_next(&each, NULL, &artifact)) {
        tell_artifact(run, artifact, false);
    }
}

static void tell_words(struct platform_run *run, struct ab_json words)
{
    AB_CLEANUP(ab_free_string) char *text = ab_json_string_dup(words);
    if (text != NULL && text[0] != '\0' && run->wait == PLATFORM_NOTHING &&
        (run->said == NULL || strcmp(run->said, text) != 0)) {
        ab_replace(&run->said, text);
        platform_report_text(run, AB_REPORT_EXECUTING, ab_str(text));
    }
}

static void tell_working(struct platform_run *run, const struct ab_rest_task *task)
{
    if (ask_what_it_waits_for(run, task)) {
        return;
    }
    if (run->wait != PLATFORM_SIGN_IN) { /* there it works on while it waits: only events tell */
        go_on(run);
    }
    tell_words(run,
               ab_json_exists(task->bridge) ? ab_json_member(task->bridge, "status_message") : task->internal_status);
}

static void name_upstream(struct platform_run *run, struct ab_json id)
{
    AB_CLEANUP(ab_free_string) char *name = ab_json_string_dup(id);
    if (name != NULL && name[0] != '\0' && strlen(name) < NAME_BYTES && strcmp(name, run->upstream) != 0) {
        ab_replace(&run->upstream, name);
        run->noted = true;
    }
}

void platform_tell_task(struct platform_run *run, const struct ab_rest_task *task)
{
    static const struct ab_str nothing = { NULL, 0 };
    name_upstream(run, task->id);
    tell_bridge(run, task->bridge);
    if (!task->has_status) {
        return;
    }
    switch (task->status) {
    case AB_TASK_PENDING:
    case AB_TASK_EXECUTING:
        tell_working(run, task);
        break;
    case AB_TASK_PAUSED:
        if (!ask_what_it_waits_for(run, task)) {
            ask_elsewhere(run, nothing, AB_STR("The task is paused on the platform"));
        }
        break;
    case AB_TASK_COMPLETED:
    case AB_TASK_FAILED:
    case AB_TASK_ERROR:
    case AB_TASK_STOPPED:
        end(run, task);
        break;
    case AB_TASK_STATUS_COUNT:
        break;
    }
}

/* --- events --- */

static void tell_chunk(struct platform_run *run, struct ab_json piece)
{
    struct ab_buf text = text_of(piece);
    struct ab_buf clean = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    ab_rest_scrub_piece(run->scrub, ab_buf_str(&text), false, &clean);
    if (clean.size > 0 && strlen(clean.data) == clean.size) {
        platform_report(run, &(struct ab_report){ .kind = AB_REPORT_CHUNK, .text = clean.data });
    }
    ab_buf_deinit(&clean);
    ab_buf_deinit(&text);
}

/* Without members that are named like credentials: a line is only told, nobody works with it. */
static void tell_event_words(struct platform_run *run, const struct ab_rest_event *event, const char *level)
{
    struct ab_rest_event safe = *event;
    struct ab_buf data = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_buf words = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    ab_json_writer_init(&writer, &data);
    if (ab_json_exists(event->data)) {
        ab_rest_scrub_json(run->scrub, event->data, true, &writer);
        safe.data = ab_json_trusted(data.data);
    }
    ab_rest_event_words(&words, &safe);
    report_log(run, level, ab_buf_str(&words));
    ab_buf_deinit(&words);
    ab_buf_deinit(&data);
}

static void tell_log(struct platform_run *run, struct ab_json data)
{
    AB_CLEANUP(ab_free_string) char *level = ab_json_string_dup(ab_json_member(data, "level"));
    struct ab_buf text = text_of(ab_json_member(data, "text"));
    report_log(run, level != NULL ? level : "info", ab_buf_str(&text));
    ab_buf_deinit(&text);
}

static void tell_plan(struct platform_run *run, const struct ab_rest_event *event)
{
    struct ab_report report = { .kind = AB_REPORT_PROGRESS };
    struct ab_json next;
    unsigned done;
    unsigned all;
    if (!ab_rest_event_plan(event, &done, &all, &next)) {
        tell_event_words(run, event, "info");
        return;
    }
    struct ab_buf title = text_of(next);
    struct ab_buf clean = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    ab_rest_scrub_text(run->scrub, ab_buf_str(&title), &clean);
    report.progress_value = done;
    report.progress_total = all;
    report.text = clean.size > 0 && strlen(clean.data) == clean.size ? clean.data : NULL;
    platform_report(run, &report);
    ab_buf_deinit(&clean);
    ab_buf_deinit(&title);
}

static void tell_auth(struct platform_run *run, const struct ab_rest_event *event)
{
    struct ab_json kind = ab_json_member(event->data, "type");
    struct ab_json url;
    struct ab_json who;
    if (ab_rest_event_sign_in(event, &url, &who)) {
        ask_sign_in(run, PLATFORM_SIGN_IN, url, who);
        return;
    }
    if (ab_json_string_is(kind, "token_ready")) {
        go_on(run);
        tell_event_words(run, event, "info");
    } else {
        tell_event_words(run, event, "warning");
    }
}

/* Where to go on after a loss: each event of another bridge says it, whether its stream has ids or not. The number; 0
 * where it is not said. */
static int64_t note_place(struct platform_run *run, struct ab_json place)
{
    AB_CLEANUP(ab_free_string) char *task = ab_json_string_dup(ab_json_member(place, "task_id"));
    int64_t number = 0;
    if (task == NULL || strlen(task) >= NAME_BYTES || !ab_json_int(ab_json_member(place, "last_event"), &number)) {
        return 0;
    }
    note_bridge(run);
    free(run->cursor);
    run->cursor = ab_format("%s:%lld", task, (long long)number);
    run->noted = true;
    return number;
}

void platform_tell_event(struct platform_run *run, const struct ab_rest_event *event)
{
    bool works = event->kind == AB_REST_EVENT_CHUNK || ab_json_string_is(event->type, "tool_call_result");
    platform_arrived(run);
    name_upstream(run, event->task_id);
    int64_t number = note_place(run, event->bridge);
    if (works && run->wait == PLATFORM_SIGN_IN) {
        go_on(run);
    }
    switch (event->kind) {
    case AB_REST_EVENT_TASK:
        if (number == 0 || number > run->ahead) { /* else it is known how it stood later */
            platform_tell_task(run, &event->task);
        }
        break;
    case AB_REST_EVENT_FINISHED:
        platform_tell_task(run, &event->task);
        break;
    case AB_REST_EVENT_CHUNK:
        tell_chunk(run, event->data);
        break;
    case AB_REST_EVENT_PROGRESS:
        tell_progress(run, event->data);
        break;
    case AB_REST_EVENT_LOG:
        tell_log(run, event->data);
        break;
    case AB_REST_EVENT_ARTIFACT:
        tell_artifact(run, event->data, true);
        break;
    case AB_REST_EVENT_PLAN:
        tell_plan(run, event);
        break;
    case AB_REST_EVENT_AUTH:
        tell_auth(run, event);
        break;
    case AB_REST_EVENT_WORDS:
        tell_event_words(run, event, "info");
        break;
    }
}

/* --- answers --- */

/* The first answer of a round that has one question only. */
static struct ab_json first_answer(struct ab_json answers)
{
    struct ab_json_iterator each = ab_json_iterate(answers);
    struct ab_json answer = { { NULL, 0 } };
    (void)ab_json_next(&each, NULL, &answer);
    return answer;
}

static void send_answers(struct platform_run *run, const char *route, char *body)
{
    free(run->answers);
    run->answers = body;
    ab_replace(&run->reply_route, route);
    run->answered_mark = run->mark;
    platform_reply(run);
}

static void decline(struct platform_run *run, const char *text)
{
    platform_report(run, &(struct ab_report){ .kind = AB_REPORT_FAILED, .text = text });
    platform_stop(run);
}

/* After a restart the turn may have been sent already: then only its text was missing. */
static void take_turn(struct platform_run *run, struct ab_json answer, bool accepted)
{
    char *text = ab_json_string_dup(ab_json_at(answer, "content", "text", NULL));
    free(run->answer_text);
    run->answer_text = text != NULL ? text : ab_strdup("");
    if (!accepted) {
        decline(run, "its question was declined");
    } else if (run->arrived) {
        run->round++;
        run->arrived = false;
        run->sent = false;
        run->tries = 0;
        ab_replace(&run->cursor, NULL);
        run->turn_due = run->main.call != NULL;
        ab_timer_stop(run->timer);
        if (run->turn_due) {
            platform_call_cancel(&run->main);
        } else if (run->answered_before) {
            run->sent = true;
            run->began_ms = run->left_ms;
            platform_look(run);
        } else {
            platform_invoke(run);
        }
    }
}

void platform_take_answers(struct platform_run *run, const char *answers_json)
{
    struct ab_json answer = first_answer(ab_json_trusted(answers_json));
    bool accepted = ab_json_string_is(ab_json_member(answer, "action"), "accept");
    const struct ab_platform_settings *settings = &run->agent->settings;
    if (run->over) {
        return;
    }
    if (run->wait == PLATFORM_TURN) {
        take_turn(run, answer, accepted);
    } else if (run->wait == PLATFORM_BRIDGE || (run->wait == PLATFORM_NOTHING && run->bridge)) {
        send_answers(run, "/reply", ab_format("{\"answers\":%s}", answers_json));
    } else if (run->wait == PLATFORM_APPROVAL && settings->approve_route != NULL && settings->reject_route != NULL) {
        send_answers(run, accepted ? settings->approve_route : settings->reject_route, ab_strdup(""));
    } else if (run->wait != PLATFORM_NOTHING && !accepted) {
        decline(run, "the sign-in was declined");
    } else {
        run->wait = PLATFORM_NOTHING; /* who signed in says so; what it waited for is not asked again */
        run->noted = true;
        ab_run_heard(run->run);
        platform_note(run);
    }
}
