/* A task's artifacts, put together from its log: what a reader sees who did not follow the events. */
#include "task/engine_internal.h"

struct artifact {
    struct ab_buf head;  /* members before the parts: {"id":...,"name":... */
    struct ab_buf parts; /* elements, commas between them */
};

struct artifacts {
    struct artifact *items;
    size_t n_items;
    size_t capacity;
    struct ab_map places; /* id -> 1 + its place in `items` */
};

static struct artifact *find_or_add(struct artifacts *artifacts, const char *id)
{
    uintptr_t place = (uintptr_t)ab_map_get(&artifacts->places, ab_str(id));
    if (place != 0) {
        return &artifacts->items[place - 1];
    }
    if (artifacts->n_items == artifacts->capacity) {
        artifacts->capacity = artifacts->capacity == 0 ? 8 : artifacts->capacity * 2;
        artifacts->items = ab_realloc(artifacts->items, artifacts->capacity * sizeof *artifacts->items);
    }
    struct artifact *added = &artifacts->items[artifacts->n_items++];
    *added = (struct artifact){ .head = AB_BUF_INIT(AB_BUF_UNBOUNDED), .parts = AB_BUF_INIT(AB_BUF_UNBOUNDED) };
    ab_map_set(&artifacts->places, ab_str(id), (void *)(uintptr_t)artifacts->n_items);
    return added;
}

/* Everything but the parts and what only steers their joining. */
static void write_head(struct ab_buf *head, struct ab_json body)
{
    struct ab_json_iterator iterator = ab_json_iterate(body);
    struct ab_json key;
    struct ab_json value;
    while (ab_json_next(&iterator, &key, &value)) {
        if (!ab_json_string_is(key, "parts") && !ab_json_string_is(key, "append") && !ab_json_string_is(key, "last")) {
            ab_buf_append_str(head, key.text);
            ab_buf_append_char(head, ':');
            ab_buf_append_str(head, value.text);
            ab_buf_append_char(head, ',');
        }
    }
}

static bool add_event(void *arg, const struct ab_event *event)
{
    struct ab_json body = ab_json_trusted(event->body_json);
    AB_CLEANUP(ab_free_string) char *id = ab_json_string_dup(ab_json_member(body, "id"));
    if (id == NULL) {
        return true;
    }
    struct artifact *artifact = find_or_add(arg, id);
    if (artifact->head.size == 0 || !ab_json_is_true(ab_json_member(body, "append"))) {
        ab_buf_clear(&artifact->head);
        ab_buf_clear(&artifact->parts);
        write_head(&artifact->head, body);
    }
    struct ab_json_iterator iterator = ab_json_iterate(ab_json_member(body, "parts"));
    struct ab_json part;
    while (ab_json_next(&iterator, NULL, &part)) {
        if (artifact->parts.size > 0) {
            ab_buf_append_char(&artifact->parts, ',');
        }
        ab_buf_append_str(&artifact->parts, part.text);
    }
    return true;
}

int ab_engine_artifacts(struct ab_engine *engine, const char *id, struct ab_buf *out)
{
    struct artifacts artifacts = { 0 };
    int result = ab_engine_events(engine, id, 0, AB_EVENT_BIT(AB_EVENT_ARTIFACT), 0, add_event, &artifacts);
    ab_buf_append_char(out, '[');
    for (size_t i = 0; i < artifacts.n_items; i++) {
        struct artifact *artifact = &artifacts.items[i];
        ab_buf_append_text(out, i > 0 ? ",{" : "{");
        ab_buf_append_str(out, ab_buf_str(&artifact->head));
        ab_buf_append_text(out, "\"parts\":[");
        ab_buf_append_str(out, ab_buf_str(&artifact->parts));
        ab_buf_append_text(out, "]}");
        ab_buf_deinit(&artifact->head);
        ab_buf_deinit(&artifact->parts);
    }
    ab_buf_append_char(out, ']');
    free(artifacts.items);
    ab_map_deinit(&artifacts.places);
    return result < 0 ? result : AB_OK;
}
