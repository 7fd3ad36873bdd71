/* What the agent platform answers, whatever it is: read as an event, a task and an error, told in words, and never with
 * a secret in it, however it is cut. The first line is the secret, the rest the answer. */
#include "support/fuzz.h"

#include "base/mem.h"
#include "rest/client_error.h"
#include "rest/client_event.h"
#include "rest/client_scrub.h"

#include <stdlib.h>
#include <string.h>

#define SECRET_BYTES 8

static void tell(struct fuzz_pieces *pieces, struct ab_buf *told)
{
    static const char secret[] = "canary-0123456789";
    struct ab_rest_scrub *scrub = ab_rest_scrub_new();
    char *data;
    size_t size;

    ab_rest_scrub_add(scrub, secret);
    while (fuzz_next_piece(pieces, &data, &size)) {
        ab_rest_scrub_piece(scrub, (struct ab_str){ data, size }, false, told);
        free(data);
    }
    ab_rest_scrub_piece(scrub, (struct ab_str){ NULL, 0 }, true, told);
    ab_rest_scrub_free(scrub);
}

static void read_event(struct ab_str text)
{
    struct ab_buf words = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_rest_event event;
    struct ab_json first;
    struct ab_json second;
    unsigned done;
    unsigned all;

    if (ab_rest_event_read(text, "message", &event)) {
        ab_rest_event_words(&words, &event);
        HOLDS(ab_utf8_valid(ab_buf_str(&words)));
        HOLDS(event.kind != AB_REST_EVENT_CHUNK || ab_json_is(event.data, AB_JSON_STRING));
        HOLDS(!ab_rest_event_sign_in(&event, &first, &second) || ab_json_is(first, AB_JSON_STRING));
        HOLDS(!ab_rest_event_plan(&event, &done, &all, &first) || done <= all);
    }
    ab_buf_deinit(&words);
}

static void read_error(struct ab_str text)
{
    static const unsigned statuses[] = { 302, 401, 422, 429, 500 };

    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        struct ab_buf line = AB_BUF_INIT(1024);
        ab_rest_error_describe(&line, statuses[i], text);
        HOLDS(!line.full && line.size > 0 && line.size < 600 && memchr(line.data, '\n', line.size) == NULL);
        HOLDS(ab_utf8_valid(ab_buf_str(&line)));
        ab_buf_deinit(&line);
    }
    HOLDS(ab_rest_retry_after(text, text, 1000, 60000) >= 0 && ab_rest_retry_after(text, text, 1000, 60000) <= 60000);
}

static void scrub_json(struct ab_str secret, struct ab_json value)
{
    struct ab_rest_scrub *scrub = ab_rest_scrub_new();
    AB_CLEANUP(ab_free_string) char *text = ab_strndup(secret.data, secret.size);
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    ab_rest_scrub_add(scrub, text);
    ab_json_writer_init(&writer, &out);
    ab_rest_scrub_json(scrub, value, true, &writer);
    if (secret.size >= SECRET_BYTES) /* two names may have become one */
        HOLDS(out.size > 0);
    else
        fuzz_wrote_json(&out);
    ab_buf_deinit(&out);
    ab_rest_scrub_free(scrub);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ab_str rest = fuzz_text(data, size);
    struct ab_str secret = fuzz_line(&rest);
    struct ab_rest_task task;
    struct ab_json value;

    fuzz_in_pieces(fuzz_text(data, size), tell);
    read_event(rest);
    read_error(rest);
    if (fuzz_json(rest, &value)) {
        (void)!ab_rest_task_read(value, &task);
        scrub_json(secret, value);
    }
    return 0;
}
