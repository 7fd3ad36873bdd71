/* What a remote agent tells becomes reports. A stream that was lost and a poll tell again what was told before: what
 * is known is not reported twice. */
#include "agents/a2a_run.h"

#include "base/hash.h"
#include "base/mem.h"

#include <math.h>
#include <string.h>

/* Each one is remembered, so that it is not told twice. */
#define ARTIFACTS 1000

/* The same in every process: hashes are kept over restarts. */
static const struct ab_hash_seed seed = { 0x61326120, 0x61677473 };

static uint64_t hash_on(uint64_t before, struct ab_str text)
{
    struct ab_hash_seed chained = { seed.low ^ before, seed.high };

    return ab_hash(chained, text);
}

static void report_json(struct a2a_run *run, enum ab_report_kind kind, const char *json)
{
    a2a_run_report(run, &(struct ab_report){ .kind = kind, .json = json });
}

static void report_text(struct a2a_run *run, enum ab_report_kind kind, const char *text)
{
    a2a_run_report(run, &(struct ab_report){ .kind = kind, .text = text });
}

/* --- whose news it is --- */

static bool check_task(struct a2a_run *run, const struct ab_a2a_news *news)
{
    if (news->task_id == NULL || run->task == NULL || strcmp(news->task_id, run->task) == 0)
        return true;
    a2a_run_fail(run, AB_REASON_CRASHED, "the agent answered for another task: %.100s instead of %.100s", news->task_id,
                 run->task);
    return false;
}

static void note_names(struct a2a_run *run, const struct ab_a2a_news *news)
{
    if (run->task == NULL && news->kind != AB_A2A_NEWS_MESSAGE)
        run->task = ab_strdup(news->task_id);
    if (news->context_id != NULL && (run->context == NULL || strcmp(run->context, news->context_id) != 0)) {
        ab_replace(&run->context, news->context_id);
        a2a_context_keep(run->agent, run->owner, run->thread_id, run->context);
    }
}

/* --- the answer, as another bridge gives it: an artifact of a name of its own, in pieces and then as a whole --- */

static bool is_answer(const struct a2a_run *run, struct ab_json artifact)
{
    AB_CLEANUP(ab_free_string) char *name = ab_format("%s-result", run->task);

    return ab_json_string_is(ab_json_member(artifact, "id"), name);
}

/* Pieces that were told are counted, so that a stream that begins anew does not repeat them. */
static void tell_answer(struct a2a_run *run, struct ab_json artifact, const struct ab_a2a_news *news)
{
    struct ab_json parts = ab_json_member(artifact, "parts");
    AB_CLEANUP(ab_free_string) char *json = ab_json_dup(parts);
    AB_CLEANUP(ab_free_string) char *text = a2a_words(json);
    size_t size = ab_str(text).size;
    size_t known = news->append ? 0 : run->chunked;

    if (news->kind == AB_A2A_NEWS_TASK || (news->last && !news->append)) {
        ab_replace(&run->result, json);
        return;
    }
    if (size <= known || ab_utf8_character(ab_str(text + known)) == 0)
        return;
    run->chunked += size - known;
    report_text(run, AB_REPORT_CHUNK, text + known);
}

/* --- artifacts --- */

/* NULL: there are too many; the run has failed. */
static struct a2a_artifact *find_artifact(struct a2a_run *run, const char *id)
{
    for (size_t i = 0; i < run->n_artifacts; i++)
        if (strcmp(run->artifacts[i].id, id) == 0)
            return &run->artifacts[i];
    if (run->n_artifacts == ARTIFACTS) {
        a2a_run_fail(run, AB_REASON_CRASHED, "the agent gave more than %d artifacts", ARTIFACTS);
        return NULL;
    }
    run->artifacts = ab_realloc(run->artifacts, (run->n_artifacts + 1) * sizeof *run->artifacts);
    run->artifacts[run->n_artifacts] = (struct a2a_artifact){ .id = ab_strdup(id) };
    ab_buf_init(&run->artifacts[run->n_artifacts].text, AB_BUF_UNBOUNDED);
    return &run->artifacts[run->n_artifacts++];
}

/* The parts one after the other, so that pieces and the whole come to the same. */
static uint64_t hash_parts(uint64_t before, struct ab_json parts)
{
    struct ab_json_iterator each = ab_json_iterate(parts);
    struct ab_json part;

    while (ab_json_next(&each, NULL, &part))
        before = hash_on(before, part.text);
    return before;
}

/* Pieces of a text come as parts of their own: they are one text. */
static void add_texts(struct ab_buf *out, struct ab_json parts)
{
    struct ab_json_iterator each = ab_json_iterate(parts);
    struct ab_json part;

    while (ab_json_next(&each, NULL, &part))
        (void)!ab_json_unescape(ab_json_member(part, "text"), out);
}

static void report_artifact(struct a2a_run *run, struct ab_json artifact, bool append, bool last)
{
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    ab_buf_append(&out, artifact.text.data, artifact.text.size - 1); /* without the closing brace */
    ab_buf_printf(&out, ",\"append\":%s,\"last\":%s}", append ? "true" : "false", last ? "true" : "false");
    report_json(run, AB_REPORT_ARTIFACT, out.data);
    ab_buf_deinit(&out);
}

static void tell_artifact(struct a2a_run *run, struct ab_json artifact, const struct ab_a2a_news *news)
{
    AB_CLEANUP(ab_free_string) char *id = ab_json_string_dup(ab_json_member(artifact, "id"));
    struct ab_json parts = ab_json_member(artifact, "parts");
    bool whole = news->kind == AB_A2A_NEWS_TASK;
    struct a2a_artifact *known = find_artifact(run, id != NULL ? id : "");
    uint64_t hash;

    if (known == NULL)
        return;
    hash = hash_parts(news->append ? known->hash : 0, parts);
    if (!news->append)
        ab_buf_clear(&known->text);
    add_texts(&known->text, parts);
    if (whole && known->hash == hash)
        return;
    known->hash = hash;
    report_artifact(run, artifact, news->append, whole || news->last);
}

static void tell_artifacts(struct a2a_run *run, const struct ab_a2a_news *news)
{
    struct ab_json_iterator each = ab_json_iterate(ab_json_trusted(news->artifacts_json));
    struct ab_json artifact;

    while (news->artifacts_json != NULL && !run->over && ab_json_next(&each, NULL, &artifact)) {
        if (is_answer(run, artifact))
            tell_answer(run, artifact, news);
        else
            tell_artifact(run, artifact, news);
    }
}

/* --- how the task stands --- */

static bool is_progress(struct ab_json progress, struct ab_report *report)
{
    report->progress_total = (double)NAN;
    if (!ab_json_double(ab_json_member(progress, "value"), &report->progress_value))
        return false;
    (void)!ab_json_double(ab_json_member(progress, "total"), &report->progress_total);
    return true;
}

static void tell_working(struct a2a_run *run, const struct ab_a2a_news *news)
{
    AB_CLEANUP(ab_free_string) char *words = a2a_words(news->parts_json);
    struct ab_report report = { .kind = AB_REPORT_PROGRESS, .text = words };

    run->answering = false;
    if (run->asked != A2A_ASKED_NOTHING) {
        run->asked = A2A_ASKED_NOTHING; /* what it waited for came another way */
        report_text(run, AB_REPORT_EXECUTING, words);
    } else if (is_progress(ab_json_member(news->metadata, "progress"), &report)) {
        a2a_run_report(run, &report);
    } else if (words != NULL && (run->doing == NULL || strcmp(run->doing, words) != 0)) {
        ab_replace(&run->doing, words);
        report_text(run, AB_REPORT_EXECUTING, words);
    }
}

static void tell_question(struct a2a_run *run, const struct ab_a2a_news *news)
{
    uint64_t hash = hash_on((uint64_t)news->state + 1, ab_str(news->parts_json));
    AB_CLEANUP(ab_free_string) char *question = NULL;

    if (run->asked != A2A_ASKED_NOTHING && run->question == hash)
        return; /* it is open already */
    run->unmoved = run->answering && run->question == hash && news->kind == AB_A2A_NEWS_TASK &&
                   (run->kind == A2A_CALL_SEND || run->look_first);
    if (run->unmoved) {
        run->state = AB_A2A_WORKING; /* so it stood when the answer came */
        return;
    }
    if (run->asked != A2A_ASKED_NOTHING)
        report_text(run, AB_REPORT_EXECUTING, NULL); /* another one in its place */
    question = a2a_question(news->state, news->parts_json, run->problem, &run->asked);
    run->question = hash;
    run->answering = false;
    ab_replace(&run->problem, NULL);
    report_json(run, AB_REPORT_ASK, question);
}

/* Data that stands last, with nothing said about it, is the result's data: so does another bridge write it. */
static void write_answer(struct ab_json parts, struct ab_buf *out)
{
    struct ab_json_iterator each = ab_json_iterate(parts);
    struct ab_json_writer writer;
    struct ab_json data = { 0 };
    struct ab_json part;
    size_t n = ab_json_count(parts);

    ab_json_writer_init(&writer, out);
    ab_json_object_begin(&writer);
    ab_json_write_key(&writer, "parts");
    ab_json_array_begin(&writer);
    for (size_t i = 0; ab_json_next(&each, NULL, &part); i++) {
        if (i + 1 == n && ab_json_count(part) == 1)
            data = ab_json_member(part, "data");
        if (!ab_json_exists(data))
            ab_json_write_value(&writer, part);
    }
    ab_json_array_end(&writer);
    if (ab_json_exists(data))
        ab_json_put_value(&writer, "data", data);
    ab_json_object_end(&writer);
}

/* The texts of all artifacts together: for those who see a result only. */
static void write_texts(const struct a2a_run *run, struct ab_buf *out)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    for (size_t i = 0; i < run->n_artifacts; i++) {
        if (text.size > 0 && run->artifacts[i].text.size > 0)
            ab_buf_append_text(&text, "\n\n");
        ab_buf_append_str(&text, ab_buf_str(&run->artifacts[i].text));
    }
    ab_json_writer_init(&writer, out);
    ab_json_object_begin(&writer);
    ab_json_write_key(&writer, "text");
    ab_json_write_str(&writer, ab_buf_str(&text));
    ab_json_put_raw(&writer, "parts", "[]");
    ab_json_object_end(&writer);
    ab_buf_deinit(&text);
}

static void tell_completed(struct a2a_run *run, const struct ab_a2a_news *news)
{
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    if (run->result != NULL)
        write_answer(ab_json_trusted(run->result), &out);
    else if (news->parts_json != NULL)
        ab_buf_printf(&out, "{\"parts\":%s}", news->parts_json);
    else if (run->chunked == 0)
        write_texts(run, &out);
    report_json(run, AB_REPORT_RESULT, out.data);
    ab_buf_deinit(&out);
}

static void tell_state(struct a2a_run *run, const struct ab_a2a_news *news)
{
    AB_CLEANUP(ab_free_string) char *words = a2a_words(news->parts_json);

    run->state = news->state;
    switch (news->state) {
    case AB_A2A_SUBMITTED:
        break;
    case AB_A2A_WORKING:
        tell_working(run, news);
        break;
    case AB_A2A_INPUT_REQUIRED:
    case AB_A2A_AUTH_REQUIRED:
        tell_question(run, news);
        break;
    case AB_A2A_COMPLETED:
        tell_completed(run, news);
        break;
    case AB_A2A_FAILED:
        report_text(run, AB_REPORT_FAILED, words != NULL ? words : "the agent failed and did not say why");
        break;
    case AB_A2A_REJECTED:
        report_text(run, AB_REPORT_REJECTED, words != NULL ? words : "the agent rejected the task");
        break;
    case AB_A2A_CANCELED:
        report_text(run, AB_REPORT_FAILED, words != NULL ? words : "the task was canceled at the agent");
        break;
    case AB_A2A_STATE_COUNT:
        break;
    }
}

static void tell_message(struct a2a_run *run, const struct ab_a2a_news *news)
{
    AB_CLEANUP(ab_free_string) char *said = ab_format("{\"parts\":%s}", news->parts_json);

    report_json(run, AB_REPORT_SAY, said);
}

bool a2a_tell(struct a2a_run *run, const struct ab_a2a_news *news)
{
    if (!check_task(run, news))
        return false;
    note_names(run, news);
    if (news->kind == AB_A2A_NEWS_MESSAGE) {
        tell_message(run, news);
        return true;
    }
    tell_artifacts(run, news);
    if (news->kind != AB_A2A_NEWS_ARTIFACT && !run->over)
        tell_state(run, news);
    if (!run->over)
        a2a_notes_keep(run);
    return true;
}
