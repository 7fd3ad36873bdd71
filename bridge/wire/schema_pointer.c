/* JSON Pointers in a schema (RFC 6901, as fragments of URIs). A schema may have thousands of references into one large
 * object: what they lead through is walked once, and then known by name. */
#include "wire/schema_internal.h"

#include "base/mem.h"

#include <inttypes.h>
#include <string.h>

void schema_pointers_init(struct schema_pointers *pointers)
{
    ab_map_init(&pointers->walked);
    ab_map_init(&pointers->members);
}

void schema_pointers_deinit(struct schema_pointers *pointers)
{
    size_t position = 0;
    void *value;

    while (ab_map_next(&pointers->members, &position, NULL, &value))
        free(value);
    ab_map_deinit(&pointers->members);
    ab_map_deinit(&pointers->walked);
}

/* --- tokens --- */

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* One reference token: percent-decoded (it stood in a fragment), then ~1 and ~0. */
static char *decode_token(const char *token, size_t size)
{
    struct ab_buf percent = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    for (size_t i = 0; i < size; i++) {
        if (token[i] == '%' && i + 2 < size && hex(token[i + 1]) >= 0 && hex(token[i + 2]) >= 0) {
            ab_buf_append_char(&percent, (char)(hex(token[i + 1]) * 16 + hex(token[i + 2])));
            i += 2;
        } else {
            ab_buf_append_char(&percent, token[i]);
        }
    }
    for (size_t i = 0; i < percent.size; i++) {
        if (percent.data[i] == '~' && i + 1 < percent.size &&
            (percent.data[i + 1] == '0' || percent.data[i + 1] == '1'))
            ab_buf_append_char(&text, percent.data[++i] == '0' ? '~' : '/');
        else
            ab_buf_append_char(&text, percent.data[i]);
    }
    ab_buf_deinit(&percent);
    return ab_buf_steal(&text);
}

/* --- containers --- */

/* A container is known by where its text begins, what is in it by that and its token. */
static char *name_in(struct ab_json container, const char *token)
{
    return ab_format("%" PRIxPTR "/%s", (uintptr_t)container.text.data, token);
}

static void note(struct schema_pointers *pointers, struct ab_json container, const char *token, struct ab_json value)
{
    AB_CLEANUP(ab_free_string) char *name = name_in(container, token);
    struct ab_json *place = ab_alloc(1, sizeof(*place));

    *place = value;
    free(ab_map_set(&pointers->members, ab_str(name), place));
}

static void walk(struct schema_pointers *pointers, struct ab_json container)
{
    struct ab_str address = { (const char *)&container.text.data, sizeof(container.text.data) };
    struct ab_json_iterator each = ab_json_iterate(container);
    struct ab_json key = { 0 };
    struct ab_json value;

    if (ab_map_set(&pointers->walked, address, pointers) != NULL)
        return;
    for (size_t index = 0; ab_json_next(&each, &key, &value); index++) {
        AB_CLEANUP(ab_free_string)
        char *token = ab_json_exists(key) ? ab_json_string_dup(key) : ab_format("%zu", index);
        if (token != NULL) /* one with U+0000 in it cannot be written in a pointer here */
            note(pointers, container, token, value);
    }
}

static struct ab_json find(struct schema_pointers *pointers, struct ab_json container, const char *token)
{
    AB_CLEANUP(ab_free_string) char *name = name_in(container, token);
    const struct ab_json *place;

    if (!ab_json_is(container, AB_JSON_OBJECT) && !ab_json_is(container, AB_JSON_ARRAY))
        return (struct ab_json){ 0 };
    walk(pointers, container);
    place = ab_map_get(&pointers->members, ab_str(name));
    return place != NULL ? *place : (struct ab_json){ 0 };
}

struct ab_json schema_pointer_follow(struct schema_pointers *pointers, struct ab_json value, const char *pointer)
{
    while (*pointer == '/' && ab_json_exists(value)) {
        size_t size = strcspn(pointer + 1, "/");
        AB_CLEANUP(ab_free_string) char *token = decode_token(pointer + 1, size);
        value = find(pointers, value, token);
        pointer += 1 + size;
    }
    return value;
}
