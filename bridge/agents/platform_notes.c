/* The notes with which a run is taken up after a restart. No secret is in them. */
#include "agents/platform_run.h"

#include "base/mem.h"

#include <string.h>

static const char *const waits[] = {
    [PLATFORM_NOTHING] = "nothing", [PLATFORM_BRIDGE] = "bridge",       [PLATFORM_TURN] = "turn",
    [PLATFORM_SIGN_IN] = "sign_in", [PLATFORM_CONNECTOR] = "connector", [PLATFORM_APPROVAL] = "approval",
};

char *platform_notes_write(const struct platform_run *run)
{
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    AB_CLEANUP(ab_free_string) char *mark = ab_format("%016llx", (unsigned long long)run->mark);
    ab_json_writer_init(&writer, &out);
    ab_json_object_begin(&writer);
    ab_json_put_text(&writer, "conversation", run->conversation);
    ab_json_put_text(&writer, "task", run->upstream);
    ab_json_put_bool(&writer, "arrived", run->arrived);
    ab_json_put_bool(&writer, "bridge", run->bridge);
    ab_json_put_int(&writer, "round", run->round);
    ab_json_put_int(&writer, "began", run->began_ms);
    ab_json_put_optional_text(&writer, "cursor", run->cursor);
    ab_json_put_text(&writer, "waits_for", waits[run->wait]);
    ab_json_put_text(&writer, "mark", mark);
    ab_json_object_end(&writer);
    return ab_buf_steal(&out);
}

static void take_text(char **slot, struct ab_json value)
{
    char *text = ab_json_string_dup(value);
    if (text != NULL) {
        free(*slot);
        *slot = text;
    }
}

static enum platform_wait read_wait(struct ab_json name)
{
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        if (ab_json_string_is(name, waits[i])) {
            return (enum platform_wait)i;
        }
    }
    return PLATFORM_NOTHING;
}

bool platform_notes_read(struct platform_run *run, const char *notes_json)
{
    struct ab_json notes = ab_json_trusted(notes_json);
    AB_CLEANUP(ab_free_string) char *mark = ab_json_string_dup(ab_json_member(notes, "mark"));
    int64_t round = 0;
    if (!ab_json_int(ab_json_member(notes, "round"), &round) || round < 1 || round > UINT32_MAX || mark == NULL ||
        !ab_json_int(ab_json_member(notes, "began"), &run->began_ms)) {
        return false;
    }
    take_text(&run->conversation, ab_json_member(notes, "conversation"));
    take_text(&run->upstream, ab_json_member(notes, "task"));
    take_text(&run->cursor, ab_json_member(notes, "cursor"));
    run->arrived = ab_json_is_true(ab_json_member(notes, "arrived"));
    run->bridge = ab_json_is_true(ab_json_member(notes, "bridge"));
    run->round = (unsigned)round;
    run->wait = read_wait(ab_json_member(notes, "waits_for"));
    run->mark = strtoull(mark, NULL, 16);
    return true;
}
