#include "mcp/input.h"

#include "task/question.h"

#include "base/mem.h"

#include <string.h>

/* The capability that a client needs to answer this question. */
static uint32_t needed(struct ab_json question)
{
    struct ab_json kind = ab_json_member(question, "kind");
    struct ab_json method = ab_json_member(question, "method");

    if (ab_json_string_is(kind, "url"))
        return AB_MCP_CAN_URL;
    if (!ab_json_string_is(kind, "request"))
        return AB_MCP_CAN_FORM;
    if (ab_json_string_is(method, "sampling/createMessage"))
        return AB_MCP_CAN_SAMPLE;
    if (ab_json_string_is(method, "roots/list"))
        return AB_MCP_CAN_ROOTS;
    return AB_MCP_CAN_FORM;
}

/* What an approval says: its title, then its message. */
static void put_message(struct ab_json_writer *writer, struct ab_json question, const char *problem)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    if (ab_json_unescape(ab_json_member(question, "title"), &text) &&
        ab_json_exists(ab_json_member(question, "message")))
        ab_buf_append_text(&text, "\n");
    (void)!ab_json_unescape(ab_json_member(question, "message"), &text);
    if (problem != NULL) {
        ab_buf_printf(&text, "\n(%s)", problem);
    } else if (ab_json_exists(ab_json_member(question, "problem"))) {
        ab_buf_append_text(&text, "\n(");
        (void)!ab_json_unescape(ab_json_member(question, "problem"), &text);
        ab_buf_append_text(&text, ")");
    }
    ab_json_write_key(writer, "message");
    ab_json_write_str(writer, ab_buf_str(&text));
    ab_buf_deinit(&text);
}

static void write_elicitation(struct ab_json_writer *writer, struct ab_json question, const char *problem)
{
    struct ab_json kind = ab_json_member(question, "kind");
    struct ab_json schema = ab_json_member(question, "schema");

    ab_json_put_text(writer, "method", "elicitation/create");
    ab_json_write_key(writer, "params");
    ab_json_object_begin(writer);
    ab_json_put_text(writer, "mode", ab_json_string_is(kind, "url") ? "url" : "form");
    put_message(writer, question, problem);
    if (ab_json_string_is(kind, "url"))
        ab_json_put_value(writer, "url", ab_json_member(question, "url"));
    else if (ab_json_exists(schema))
        ab_json_put_value(writer, "requestedSchema", schema);
    else /* accepting it is the answer */
        ab_json_put_raw(writer, "requestedSchema", "{\"type\":\"object\",\"properties\":{}}");
    ab_json_object_end(writer);
}

static void write_request(struct ab_json_writer *writer, struct ab_json question, const char *problem)
{
    ab_json_object_begin(writer);
    if (ab_json_string_is(ab_json_member(question, "kind"), "request")) {
        ab_json_put_value(writer, "method", ab_json_member(question, "method"));
        if (ab_json_exists(ab_json_member(question, "params")))
            ab_json_put_value(writer, "params", ab_json_member(question, "params"));
    } else {
        write_elicitation(writer, question, problem);
    }
    ab_json_object_end(writer);
}

void ab_mcp_write_input_requests(struct ab_json_writer *writer, const struct ab_task *task, uint32_t capabilities,
                                 const char *problem)
{
    struct ab_json_iterator questions = ab_json_iterate(ab_json_trusted(task->questions_json));
    struct ab_json key;
    struct ab_json question;

    ab_json_object_begin(writer);
    while (ab_json_next(&questions, &key, &question)) {
        if (!ab_question_is_open(question) || (needed(question) & capabilities) == 0)
            continue;
        ab_json_write_key_json(writer, key);
        write_request(writer, question, problem);
    }
    ab_json_object_end(writer);
}

void ab_mcp_answers_from_responses(struct ab_buf *out, const struct ab_task *task, struct ab_json responses)
{
    struct ab_json_iterator questions = ab_json_iterate(ab_json_trusted(task->questions_json));
    struct ab_json_writer writer;
    struct ab_json key;
    struct ab_json question;

    ab_json_writer_init(&writer, out);
    ab_json_object_begin(&writer);
    while (ab_json_next(&questions, &key, &question)) {
        AB_CLEANUP(ab_free_string) char *name = ab_json_string_dup(key);
        struct ab_json response = name != NULL ? ab_json_member(responses, name) : (struct ab_json){ 0 };
        if (!ab_question_is_open(question) || !ab_json_exists(response))
            continue;
        ab_json_write_key_json(&writer, key);
        if (ab_json_string_is(ab_json_member(question, "kind"), "request")) {
            ab_json_object_begin(&writer);
            ab_json_put_value(&writer, "result", response);
            ab_json_object_end(&writer);
        } else {
            ab_json_write_value(&writer, response);
        }
    }
    ab_json_object_end(&writer);
}
