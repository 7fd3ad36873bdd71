/* What an agent is told of its thread: the earlier turns, oldest first, bounded in number and size. */
#include "task/engine_internal.h"

enum { HISTORY_TURNS = 32 };
static const size_t history_bytes = (size_t)1 << 20;

struct turn {
    char id[AB_TASK_ID_SIZE];
    char *result_json;
};

struct history {
    struct turn turns[HISTORY_TURNS]; /* newest first */
    size_t n_turns;
};

static bool collect_turn(void *arg, const struct ab_task *task)
{
    struct history *history = arg;
    if (!ab_task_status_is_terminal(task->status)) {
        return true;
    }
    struct turn *turn = &history->turns[history->n_turns++];
    for (size_t i = 0; i < sizeof turn->id; i++) {
        turn->id[i] = task->id[i];
    }
    turn->result_json = ab_strdup(task->result_json);
    return history->n_turns < HISTORY_TURNS;
}

static void write_side(struct ab_buf *out, const char *role, const char *json)
{
    struct ab_json parts = ab_json_member(ab_json_trusted(json), "parts");
    if (ab_json_count(parts) > 0) {
        ab_buf_printf(out, "%s{\"role\":\"%s\",\"parts\":", out->size > 0 ? "," : "", role);
        ab_buf_append_str(out, parts.text);
        ab_buf_append_char(out, '}');
    }
}

/* Both sides of one turn, without brackets; empty when the request cannot be read. */
static char *turn_text(struct ab_engine *engine, const struct turn *turn)
{
    struct ab_store *store = engine->settings.store;
    struct ab_task_request request;
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    if (store->ops->get_request(store, turn->id, &request) == AB_OK) {
        write_side(&text, "user", request.message_json);
        write_side(&text, "agent", turn->result_json);
        ab_task_request_deinit(&request);
    }
    return ab_buf_steal(&text);
}

/* How many of the newest turns fit; fills their texts. */
static size_t read_turns(struct ab_engine *engine, const struct history *history, char **texts)
{
    size_t size = 2;
    for (size_t i = 0; i < history->n_turns; i++) {
        texts[i] = turn_text(engine, &history->turns[i]);
        size += ab_str(texts[i]).size + 1;
        if (size > history_bytes) {
            free(texts[i]);
            return i;
        }
    }
    return history->n_turns;
}

char *engine_history(struct ab_engine *engine, const struct ab_task *task)
{
    struct ab_store *store = engine->settings.store;
    struct history history = { .n_turns = 0 };
    char *texts[HISTORY_TURNS];
    struct ab_store_filter earlier = {
        .owner = task->owner, .thread_id = task->thread_id, .before_at = task->created_at, .before_id = task->id
    };
    if (task->turn > 1) {
        (void)store->ops->list(store, &earlier, collect_turn, &history);
    }
    size_t n_texts = read_turns(engine, &history, texts);
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    ab_buf_append_char(&out, '[');
    for (size_t i = n_texts; i-- > 0;) {
        if (out.size > 1 && texts[i][0] != '\0') {
            ab_buf_append_char(&out, ',');
        }
        ab_buf_append_text(&out, texts[i]);
        free(texts[i]);
    }
    ab_buf_append_char(&out, ']');
    for (size_t i = 0; i < history.n_turns; i++) {
        free(history.turns[i].result_json);
    }
    return ab_buf_steal(&out);
}
