/* What a run must know after a restart: which task there it follows, and how much of it has been told here. */
#include "agents/a2a_run.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const asked_names[] = {
    [A2A_ASKED_NOTHING] = "nothing",
    [A2A_ASKED_BY_KEY] = "by_key",
    [A2A_ASKED_IN_WORDS] = "in_words",
    [A2A_ASKED_TO_SIGN_IN] = "to_sign_in",
};

/* JSON's numbers do not hold them. */
static void put_hash(struct ab_json_writer *writer, const char *key, uint64_t hash)
{
    char text[20];

    snprintf(text, sizeof text, "%016" PRIx64, hash);
    ab_json_write_key_str(writer, ab_str(key));
    ab_json_write_text(writer, text);
}

static uint64_t read_hash(struct ab_json value)
{
    AB_CLEANUP(ab_free_string) char *text = ab_json_string_dup(value);

    return text != NULL ? strtoull(text, NULL, 16) : 0;
}

void a2a_notes_keep(struct a2a_run *run)
{
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    if (run->task == NULL)
        return; /* there is nothing to go back to */
    ab_json_writer_init(&writer, &out);
    ab_json_object_begin(&writer);
    ab_json_put_text(&writer, "task", run->task);
    ab_json_put_optional_text(&writer, "context", run->context);
    ab_json_put_int(&writer, "messages", run->messages);
    ab_json_put_text(&writer, "asked", asked_names[run->asked]);
    put_hash(&writer, "question", run->question);
    ab_json_put_optional_text(&writer, "pushed", run->pushed);
    ab_json_put_int(&writer, "chunked", (int64_t)run->chunked);
    ab_json_write_key(&writer, "artifacts");
    ab_json_object_begin(&writer);
    for (size_t i = 0; i < run->n_artifacts; i++)
        put_hash(&writer, run->artifacts[i].id, run->artifacts[i].hash);
    ab_json_object_end(&writer);
    ab_json_object_end(&writer);
    ab_run_remember(run->run, out.data);
    ab_buf_deinit(&out);
}

static void read_artifacts(struct a2a_run *run, struct ab_json artifacts)
{
    struct ab_json_iterator each = ab_json_iterate(artifacts);
    struct ab_json key;
    struct ab_json hash;

    run->artifacts = ab_alloc(ab_json_count(artifacts) + 1, sizeof *run->artifacts);
    while (ab_json_next(&each, &key, &hash)) {
        struct a2a_artifact *artifact = &run->artifacts[run->n_artifacts];
        artifact->id = ab_json_string_dup(key);
        artifact->hash = read_hash(hash);
        ab_buf_init(&artifact->text, AB_BUF_UNBOUNDED);
        if (artifact->id != NULL)
            run->n_artifacts++;
    }
}

/* An agent that has another address than the present one posts to nobody. */
static void read_address(struct a2a_run *run, struct ab_json value)
{
    AB_CLEANUP(ab_free_string) char *own = a2a_receiver_url(run);

    free(run->pushed);
    run->pushed = ab_json_string_dup(value);
    if (run->pushed != NULL && (own == NULL || strcmp(own, run->pushed) != 0)) {
        free(run->pushed);
        run->pushed = NULL;
    }
}

void a2a_notes_read(struct a2a_run *run, const char *notes_json)
{
    struct ab_json notes = ab_json_trusted(notes_json);
    int64_t number = 0;

    free(run->task);
    run->task = ab_json_string_dup(ab_json_member(notes, "task"));
    free(run->context);
    run->context = ab_json_string_dup(ab_json_member(notes, "context"));
    for (size_t i = 0; i < sizeof asked_names / sizeof *asked_names; i++)
        if (ab_json_string_is(ab_json_member(notes, "asked"), asked_names[i]))
            run->asked = (enum a2a_asked)i;
    run->question = read_hash(ab_json_member(notes, "question"));
    read_address(run, ab_json_member(notes, "pushed"));
    if (ab_json_int(ab_json_member(notes, "messages"), &number))
        run->messages = (unsigned)number;
    if (ab_json_int(ab_json_member(notes, "chunked"), &number))
        run->chunked = (size_t)number;
    read_artifacts(run, ab_json_member(notes, "artifacts"));
}
