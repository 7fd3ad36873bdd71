/* Output "text": the message in, the answer out, both as plain text. */
#include "agents/command_run.h"
#include "wire/json.h"

#include <string.h>

/* --- in --- */

static void message_text(struct ab_buf *out, const char *message_json)
{
    struct ab_json_iterator iterator = ab_json_iterate(ab_json_member(ab_json_trusted(message_json), "parts"));
    struct ab_json part;
    bool any = false;
    while (ab_json_next(&iterator, NULL, &part)) {
        struct ab_json text = ab_json_member(part, "text");
        if (!ab_json_is(text, AB_JSON_STRING)) {
            continue;
        }
        if (any) {
            ab_buf_append_char(out, '\n');
        }
        any = ab_json_unescape(text, out);
    }
}

/* A line for each file, behind the text: where it is here, or where its caller says it is. */
static void name_files(struct ab_buf *out, const struct ab_task_request *request, const struct ab_fetched_files *files)
{
    struct ab_json urls = ab_json_member(ab_json_trusted(request->input_json), "files");
    struct ab_json options = ab_json_trusted(request->options_json);
    struct ab_json_iterator iterator = ab_json_iterate(urls);
    struct ab_json url;
    if (!ab_json_is(urls, AB_JSON_ARRAY) || ab_json_is_true(ab_json_member(options, "disable_attachment_injection"))) {
        return;
    }
    for (size_t i = 0; ab_json_next(&iterator, NULL, &url); i++) {
        ab_buf_append_text(out, i == 0 && out->size > 0 ? "\n\n" : (i > 0 ? "\n" : ""));
        if (files != NULL) {
            ab_buf_append_text(out, ab_fetched_files_path(files, i));
        } else {
            (void)!ab_json_unescape(url, out);
        }
    }
}

void command_text_input(struct ab_buf *out, const struct ab_task_request *request, const struct ab_fetched_files *files)
{
    struct ab_json arguments = ab_json_trusted(request->arguments_json);
    if (!ab_json_exists(arguments)) {
        message_text(out, request->message_json);
        name_files(out, request, files);
    } else if (!ab_json_unescape(ab_json_member(arguments, "text"), out)) {
        ab_buf_append_str(out, arguments.text);
    }
}

/* --- clean --- */

/* Bytes of the character that begins with this one; 0 where none does. */
static size_t character_bytes(unsigned char first)
{
    if (first >= 0xC2 && first <= 0xDF) {
        return 2;
    }
    if (first >= 0xE0 && first <= 0xEF) {
        return 3;
    }
    return first >= 0xF0 && first <= 0xF4 ? 4 : 0;
}

/* Whether more bytes could make a character of these. */
static bool is_cut_off(struct ab_str rest)
{
    if (rest.size == 0 || rest.size >= character_bytes((unsigned char)rest.data[0])) {
        return false;
    }
    for (size_t i = 1; i < rest.size; i++) {
        if (((unsigned char)rest.data[i] & 0xC0U) != 0x80U) {
            return false;
        }
    }
    return true;
}

static void append_without_nul(struct ab_buf *out, struct ab_str text)
{
    while (text.size > 0) {
        const char *nul = memchr(text.data, '\0', text.size);
        size_t size = nul != NULL ? (size_t)(nul - text.data) : text.size;
        ab_buf_append(out, text.data, size);
        if (nul != NULL) {
            ab_buf_append_text(out, "\uFFFD");
            size++;
        }
        text.data += size;
        text.size -= size;
    }
}

size_t command_text_clean(struct ab_buf *out, struct ab_str data, bool last)
{
    struct ab_str rest = data;
    while (rest.size > 0) {
        size_t valid = ab_utf8_valid_prefix(rest);
        append_without_nul(out, (struct ab_str){ rest.data, valid });
        rest.data += valid;
        rest.size -= valid;
        if (rest.size == 0 || (!last && is_cut_off(rest))) {
            break;
        }
        ab_buf_append_text(out, "\uFFFD");
        rest.data++;
        rest.size--;
    }
    return data.size - rest.size;
}

/* --- out --- */

static void report_chunk(struct command_run *run, struct ab_str data, bool last)
{
    struct ab_buf clean = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    size_t used = command_text_clean(&clean, data, last);
    /* `data` may be what `cut` holds: it is copied before `cut` changes. */
    struct ab_str rest = { data.data + used, data.size - used };
    char kept[4];
    size_t n_kept = rest.size < sizeof kept ? rest.size : sizeof kept;
    memcpy(kept, rest.data, n_kept);
    ab_buf_clear(&run->cut);
    ab_buf_append(&run->cut, kept, n_kept);
    if (clean.size > 0) {
        struct ab_report report = { .kind = AB_REPORT_CHUNK, .text = clean.data };
        command_report(run, &report);
    }
    ab_buf_deinit(&clean);
}

void command_text_output(struct command_run *run, struct ab_str data)
{
    if (run->over) {
        return;
    }
    if (run->cut.size == 0) {
        report_chunk(run, data, false);
        return;
    }
    ab_buf_append_str(&run->cut, data);
    report_chunk(run, ab_buf_str(&run->cut), false);
}

void command_text_output_end(struct command_run *run)
{
    if (!run->over && run->cut.size > 0) {
        report_chunk(run, ab_buf_str(&run->cut), true);
    }
}
