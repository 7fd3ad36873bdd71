/* Server-sent events: each text is read whole, byte by byte, and cut at every place. */
#include "base/mem.h"
#include "base/str.h"
#include "wire/sse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Writes "event|id|data;" for each event. */
static void note(void *arg, const struct ab_sse_event *event)
{
    struct ab_buf *out = arg;
    ab_buf_printf(out, "%s|%s|", event->event, event->id);
    ab_buf_append_str(out, event->data);
    ab_buf_append_char(out, ';');
    assert_int_equal(event->data.data[event->data.size], '\0');
}

static void feed_copy(struct ab_sse_reader *reader, const char *data, size_t size)
{
    char *copy = ab_alloc(1, size == 0 ? 1 : size);
    memcpy(copy, data, size);
    assert_true(ab_sse_reader_feed(reader, copy, size));
    free(copy);
}

static void reading(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *events;
    } cases[] = {
        { "data: a\n\n", "message||a;" },
        { "data:a\n\ndata:  b\n\n", "message||a;message|| b;" },
        { "event: x\ndata: a\ndata: b\n\n", "x||a\nb;" },
        { "event: x\r\ndata: a\r\ndata: b\r\n\r\n", "x||a\nb;" },
        { "event: x\rdata: a\rdata: b\r\r", "x||a\nb;" },
        { "data: a\r\n\ndata: b\n\r\n", "message||a;message||b;" },
        { "id: 7\ndata: a\n\ndata: b\n\nid\ndata: c\n\n", "message|7|a;message|7|b;message||c;" },
        { "data\n\n", "message||;" },
        { "data:\ndata:\n\n", "message||\n;" },
        { "event: x\n\ndata: a\n\n", "message||a;" },
        { "event: x\nevent:\ndata: a\n\n", "message||a;" },
        { ": comment\n\n:\n\ndata: a\n: more\n\n", "message||a;" },
        { "unknown: 1\nDATA: x\n data: y\ndata: a\n\n", "message||a;" },
        { "\xef\xbb\xbf"
          "data: a\n\n",
          "message||a;" },
        { "\xef\xbb\xbf\xef\xbb\xbf"
          "data: a\n\n",
          "" },
        { "data: a:b: c\n\n", "message||a:b: c;" },
        { "data: unfinished\n", "" },
        { "data: unfinished", "" },
        { "\n\n\r\r\n\n", "" },
        { "retry: 10\nretry: x\nretry: -5\n\ndata: a\n\n", "message||a;" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t size = strlen(cases[i].text);
        for (size_t cut = 0; cut <= size + 1; cut++) { /* the last round: byte by byte */
            struct ab_buf out = AB_BUF_INIT(1000);
            struct ab_sse_reader *reader = ab_sse_reader_new(100, note, &out);
            if (cut <= size) {
                feed_copy(reader, cases[i].text, cut);
                feed_copy(reader, cases[i].text + cut, size - cut);
            }
            for (size_t at = 0; cut > size && at < size; at++) {
                feed_copy(reader, cases[i].text + at, 1);
            }
            if (!ab_str_is(ab_buf_str(&out), cases[i].events)) {
                fail_msg("\"%s\" cut at %zu: %s", cases[i].text, cut, out.data);
            }
            ab_sse_reader_free(reader);
            ab_buf_deinit(&out);
        }
    }
}

static void retry(void **state)
{
    (void)state;
    struct ab_buf out = AB_BUF_INIT(1000);
    struct ab_sse_reader *reader = ab_sse_reader_new(100, note, &out);
    assert_int_equal(ab_sse_reader_retry(reader), 0);
    feed_copy(reader, "retry: 1500\nretry: 99999999999\nretry: 1x\n", 41);
    assert_int_equal(ab_sse_reader_retry(reader), 1500);
    ab_sse_reader_free(reader);
    ab_sse_reader_free(NULL);
}

static void an_id_with_nul_is_ignored(void **state)
{
    (void)state;
    struct ab_buf out = AB_BUF_INIT(1000);
    struct ab_sse_reader *reader = ab_sse_reader_new(100, note, &out);
    feed_copy(reader, "id: 1\nid: 2\0x\ndata: a\n\n", 23);
    assert_true(ab_str_is(ab_buf_str(&out), "message|1|a;"));
    ab_sse_reader_free(reader);
    ab_buf_deinit(&out);
}

static void limits(void **state)
{
    (void)state;
    struct ab_buf out = AB_BUF_INIT(1000);
    struct ab_sse_reader *reader = ab_sse_reader_new(10, note, &out);
    feed_copy(reader, "data: 1234567890\n\n", 18); /* just short enough */
    feed_copy(reader, "data: 1234\ndata: 56789\n\n", 24);
    assert_false(ab_sse_reader_feed(reader, "data: 12345678901\n\n", 19));
    assert_false(ab_sse_reader_feed(reader, "data: a\n\n", 9));
    assert_true(ab_str_is(ab_buf_str(&out), "message||1234567890;message||1234\n56789;"));
    ab_sse_reader_free(reader);

    reader = ab_sse_reader_new(10, note, &out); /* many short lines */
    bool good = true;
    for (int i = 0; good && i < 20; i++) {
        good = ab_sse_reader_feed(reader, "data: 12\n", 9);
    }
    assert_false(good);
    ab_sse_reader_free(reader);

    reader = ab_sse_reader_new(10, note, &out); /* a line without end */
    good = true;
    for (int i = 0; good && i < 20; i++) {
        good = ab_sse_reader_feed(reader, "xxxxx", 5);
    }
    assert_false(good);
    ab_sse_reader_free(reader);
    ab_buf_deinit(&out);
}

static void writing(void **state)
{
    (void)state;
    struct ab_buf out = AB_BUF_INIT(1000);
    ab_sse_write(&out, NULL, NULL, AB_STR("{}"));
    assert_string_equal(out.data, "data: {}\n\n");
    ab_buf_clear(&out);
    ab_sse_write(&out, "x", "7", AB_STR("a\nb\r\nc\rd\n"));
    assert_string_equal(out.data, "event: x\nid: 7\ndata: a\ndata: b\ndata: c\ndata: d\ndata: \n\n");
    ab_buf_clear(&out);
    ab_sse_write(&out, "x\ndata: forged", "7\r\nevent: y", (struct ab_str){ NULL, 0 });
    assert_string_equal(out.data, "event: x\nid: 7\ndata: \n\n");
    ab_buf_clear(&out);
    ab_sse_write_retry(&out, 2500);
    assert_string_equal(out.data, "retry: 2500\n\n");
    ab_buf_deinit(&out);
}

static void there_and_back(void **state)
{
    (void)state;
    struct ab_buf wire = AB_BUF_INIT(1000);
    struct ab_buf out = AB_BUF_INIT(1000);
    ab_buf_append_text(&wire, AB_SSE_KEEP_ALIVE);
    ab_sse_write(&wire, "task_updated", "12", AB_STR("one\n two\n\n"));
    ab_sse_write(&wire, NULL, NULL, AB_STR(""));
    struct ab_sse_reader *reader = ab_sse_reader_new(100, note, &out);
    feed_copy(reader, wire.data, wire.size);
    assert_string_equal(out.data, "task_updated|12|one\n two\n\n;message|12|;");
    ab_sse_reader_free(reader);
    ab_buf_deinit(&wire);
    ab_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading), cmocka_unit_test(retry),   cmocka_unit_test(an_id_with_nul_is_ignored),
        cmocka_unit_test(limits),  cmocka_unit_test(writing), cmocka_unit_test(there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
