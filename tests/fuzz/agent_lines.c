/* Agent lines: the first line is an agent's, the rest an answer to what it asks. What is made of them for rows and for
 * the agent's stdin is JSON, one line each. */
#include "support/fuzz.h"

#include "agents/agent_lines.h"
#include "task/question.h"
#include "task/result.h"

#include <math.h>
#include <string.h>

static void try_answer(struct ab_json question, struct ab_json answer)
{
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    char reason[256] = "";

    (void)ab_question_text_field(question);
    if (ab_question_fits(question, answer, reason, sizeof reason)) {
        ab_question_write_answer(question, answer, &out);
        fuzz_wrote_json(&out);
    } else {
        HOLDS(reason[0] != '\0');
    }
    ab_buf_deinit(&out);
}

static void try_questions(struct ab_json asked, struct ab_str rest)
{
    struct ab_json_iterator each = ab_json_iterate(asked);
    struct ab_json key;
    struct ab_json question;
    struct ab_json answer;

    HOLDS(ab_json_count(asked) > 0);
    HOLDS(ab_questions_reason(asked) != AB_REASON_NONE);
    (void)!ab_questions_single(asked, &key, &question);
    if (!fuzz_json(rest, &answer))
        answer = ab_json_trusted("{\"action\":\"accept\",\"content\":{}}");
    while (ab_json_next(&each, &key, &question))
        try_answer(question, answer);
}

static void try_result(struct ab_json given, bool artifact)
{
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    char reason[AB_RESULT_REASON_SIZE] = "";
    bool good = artifact ? ab_artifact_write(&out, given, reason, sizeof reason)
                         : ab_result_write(&out, given, AB_STR("chunks"), reason, sizeof reason);

    HOLDS(good); /* the line was checked */
    fuzz_wrote_json(&out);
    ab_buf_deinit(&out);
}

static void try_report(const struct ab_agent_line *line, struct ab_str rest)
{
    const struct ab_report *report = &line->report;
    struct ab_json json = ab_json_trusted(report->json);

    HOLDS(report->text == NULL || ab_utf8_valid(ab_str(report->text)));
    HOLDS(isfinite(report->progress_value) && !isinf(report->progress_total));
    HOLDS(report->kind != AB_REPORT_LOG || report->level != NULL);
    if (report->kind == AB_REPORT_ASK)
        try_questions(json, rest);
    if (report->kind == AB_REPORT_RESULT || report->kind == AB_REPORT_ARTIFACT)
        try_result(json, report->kind == AB_REPORT_ARTIFACT);
}

/* What a caller sent may be spread over lines; what the agent reads is one. */
static void write_to_agent(struct ab_str text)
{
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_task_request request = { 0 };
    struct ab_task task = { 0 };
    struct ab_json value;

    if (!fuzz_json(text, &value))
        return;
    request.message_json = ab_json_dup(value);
    ab_agent_lines_write_task(&out, &task, &request, NULL);
    HOLDS(memchr(out.data, '\n', out.size) == out.data + out.size - 1);
    fuzz_wrote_json(&out);
    ab_buf_clear(&out);
    ab_agent_lines_write_answer(&out, request.message_json);
    HOLDS(memchr(out.data, '\n', out.size) == out.data + out.size - 1);
    fuzz_wrote_json(&out);
    ab_task_request_deinit(&request);
    ab_buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ab_str rest = fuzz_text(data, size);
    struct ab_str first = fuzz_line(&rest);
    char reason[AB_AGENT_LINE_REASON_SIZE] = "";
    struct ab_agent_line line;

    if (ab_agent_line_read(first, &line, reason, sizeof reason)) {
        try_report(&line, rest);
        ab_agent_line_deinit(&line);
    } else {
        HOLDS(reason[0] != '\0');
    }
    write_to_agent(fuzz_text(data, size));
    return 0;
}
