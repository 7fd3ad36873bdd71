#include "rest/client_error.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

/* Of the answer's own words. */
#define WORDS_BYTES 400
/* Fields that are named; a body with more is wrong in one way. */
#define FIELDS 3
#define DEPTH 64

/* --- the answer's own words --- */

/* Appends as much as there is room for, in one line, without half characters. */
static void append_line(struct ab_buf *out, struct ab_str text)
{
    while (text.size > 0) {
        size_t size = ab_utf8_character(text);
        bool blank = (unsigned char)text.data[0] < 0x20 || text.data[0] == 0x7F || size == 0;
        size_t room = out->maximum - out->size;

        if (room < 4 + (size > 0 ? size : 1)) {
            ab_buf_append_text(out, "...");
            return;
        }
        if (!blank)
            ab_buf_append(out, text.data, size);
        else if (out->size > 0 && out->data[out->size - 1] != ' ')
            ab_buf_append_char(out, ' ');
        text.data += size > 0 ? size : 1;
        text.size -= size > 0 ? size : 1;
    }
}

static bool append_string(struct ab_buf *out, struct ab_json string)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    bool any = ab_json_unescape(string, &text) && text.size > 0;

    if (any)
        append_line(out, ab_buf_str(&text));
    ab_buf_deinit(&text);
    return any;
}

/* ["body","input",0] as body.input.0 */
static void append_place(struct ab_buf *out, struct ab_json place)
{
    struct ab_json_iterator each = ab_json_iterate(place);
    struct ab_json step;
    bool first = true;

    while (ab_json_is(place, AB_JSON_ARRAY) && ab_json_next(&each, NULL, &step)) {
        if (!first)
            append_line(out, AB_STR("."));
        first = false;
        if (!append_string(out, step))
            append_line(out, step.text);
    }
    if (!first)
        append_line(out, AB_STR(": "));
}

static void append_fields(struct ab_buf *out, struct ab_json fields)
{
    struct ab_json_iterator each = ab_json_iterate(fields);
    struct ab_json field;

    for (size_t i = 0; ab_json_next(&each, NULL, &field); i++) {
        if (i == FIELDS) {
            append_line(out, AB_STR("; and more"));
            return;
        }
        if (i > 0)
            append_line(out, AB_STR("; "));
        append_place(out, ab_json_member(field, "loc"));
        if (!append_string(out, ab_json_member(field, "msg")) && !append_string(out, ab_json_member(field, "type")) &&
            !append_string(out, field))
            append_line(out, field.text);
    }
}

static void append_value(struct ab_buf *out, struct ab_json value)
{
    static const char *const wordy[] = { "message", "msg", "detail", "error", "reason" };

    if (ab_json_is(value, AB_JSON_ARRAY)) {
        append_fields(out, value);
        return;
    }
    for (size_t i = 0; i < sizeof wordy / sizeof *wordy; i++) {
        if (append_string(out, ab_json_member(value, wordy[i])))
            return;
    }
    if (!append_string(out, value) && !ab_json_is(value, AB_JSON_NULL))
        append_line(out, value.text);
}

static void append_words(struct ab_buf *out, struct ab_str body)
{
    struct ab_json value = { { NULL, 0 } };
    struct ab_json detail;

    if (ab_str_trim(body).size == 0)
        return;
    if (!ab_json_check(body, DEPTH, &value, NULL)) {
        append_line(out, AB_STR("the answer is no JSON"));
        return;
    }
    detail = ab_json_member(value, "detail");
    append_value(out, ab_json_exists(detail) ? detail : value);
}

/* --- the status --- */

static const char *meaning(unsigned status)
{
    switch (status) {
    case 400:
    case 422:
        return "the platform does not accept the request";
    case 401:
        return "the platform does not accept the API key";
    case 403:
        return "the API key is not allowed to do this";
    case 404:
        return "the platform knows no such agent or task";
    case 409:
        return "the conversation is busy";
    case 413:
        return "the request is too large for the platform";
    case 429:
        return "a limit of the platform is reached";
    default:
        break;
    }
    if (status >= 500)
        return "the platform failed";
    return status >= 300 && status < 400 ? "the platform answers from another address, and redirects are not followed"
                                         : "the platform gave an answer that is not understood";
}

void ab_rest_error_describe(struct ab_buf *out, unsigned status, struct ab_str body)
{
    struct ab_buf words = AB_BUF_INIT(WORDS_BYTES);

    append_words(&words, body);
    ab_buf_printf(out, "%s (%u)", meaning(status), status);
    if (words.size > 0) {
        ab_buf_append_text(out, ": ");
        ab_buf_append_str(out, ab_buf_str(&words));
    }
    ab_buf_deinit(&words);
}

bool ab_rest_error_is_before_work(unsigned status)
{
    return status == 429;
}

bool ab_rest_error_is_passing(unsigned status)
{
    return status == 408 || status == 425 || status == 429 || status >= 500;
}

/* --- when to come back --- */

bool ab_rest_http_date(struct ab_str text, int64_t *wall_ms)
{
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    AB_CLEANUP(ab_free_string) char *whole = ab_strndup(text.data != NULL ? text.data : "", text.size);
    char iso[AB_TIME_TEXT_SIZE + 32];
    char month[4];
    unsigned day;
    unsigned year;
    char clock[9];

    if (sscanf(whole, "%*3s, %2u %3s %4u %8s GMT", &day, month, &year, clock) != 4)
        return false;
    for (size_t i = 0; i < sizeof months / sizeof *months; i++) {
        if (strcmp(months[i], month) == 0) {
            snprintf(iso, sizeof iso, "%04u-%02zu-%02uT%s.000Z", year, i + 1, day, clock);
            return ab_time_parse(ab_str(iso), wall_ms);
        }
    }
    return false;
}

int64_t ab_rest_retry_after(struct ab_str retry_after, struct ab_str rate_limit_reset, int64_t now_ms, int64_t longest)
{
    uint64_t seconds;
    int64_t at = 0;
    int64_t wait = 0;

    if (ab_str_to_uint(retry_after, 1000000000, &seconds))
        wait = (int64_t)seconds * 1000;
    else if (ab_rest_http_date(retry_after, &at))
        wait = at - now_ms;
    else if (ab_str_to_uint(rate_limit_reset, INT32_MAX, &seconds))
        wait = (int64_t)seconds * 1000 - now_ms;
    if (wait < 0)
        return 0;
    return wait < longest ? wait : longest;
}
