/* Whether two values are the same. */
#include "base/map.h"
#include "base/mem.h"
#include "wire/json.h"
#include "wire/json_number.h"
#include "wire/json_text.h"

static bool same_string(struct ab_json left, struct ab_json right)
{
    return json_same_inside(json_inside(left.text), json_inside(right.text));
}

static bool same_arrays(struct ab_json left, struct ab_json right)
{
    struct ab_json_iterator lefts = ab_json_iterate(left);
    struct ab_json_iterator rights = ab_json_iterate(right);
    struct ab_json a, b;
    for (;;) {
        bool more = ab_json_next(&lefts, NULL, &a);
        if (ab_json_next(&rights, NULL, &b) != more) {
            return false;
        }
        if (!more) {
            return true;
        }
        if (!ab_json_equal(a, b)) {
            return false;
        }
    }
}

/* The rest of two objects whose keys come in different orders: a map keeps large ones from taking forever. */
static bool same_members(struct ab_json_iterator lefts, struct ab_json_iterator rights)
{
    struct ab_map places; /* unescaped key -> 1 + its place in `values` */
    ab_map_init(&places);
    struct ab_json *values = NULL;
    size_t count = 0;
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json key, value;
    while (ab_json_next(&rights, &key, &value)) {
        if ((count & (count - 1)) == 0) { /* room doubles at each power of two */
            values = ab_realloc(values, (count == 0 ? 1 : count * 2) * sizeof(*values));
        }
        values[count++] = value;
        ab_buf_clear(&text);
        if (ab_json_unescape(key, &text)) {
            ab_map_set(&places, ab_buf_str(&text), (void *)(uintptr_t)count);
        }
    }
    bool same = true;
    size_t seen = 0;
    while (same && ab_json_next(&lefts, &key, &value)) {
        ab_buf_clear(&text);
        same = ab_json_unescape(key, &text);
        uintptr_t place = (uintptr_t)ab_map_get(&places, ab_buf_str(&text));
        same = same && place != 0 && ab_json_equal(value, values[place - 1]);
        seen++;
    }
    ab_buf_deinit(&text);
    ab_map_deinit(&places);
    free(values);
    return same && seen == count;
}

static bool same_objects(struct ab_json left, struct ab_json right)
{
    struct ab_json_iterator lefts = ab_json_iterate(left);
    struct ab_json_iterator rights = ab_json_iterate(right);
    for (;;) {
        struct ab_json_iterator lefts_here = lefts;
        struct ab_json_iterator rights_here = rights;
        struct ab_json left_key, left_value, right_key, right_value;
        bool more = ab_json_next(&lefts, &left_key, &left_value);
        if (ab_json_next(&rights, &right_key, &right_value) != more) {
            return false;
        }
        if (!more) {
            return true;
        }
        if (!same_string(left_key, right_key)) {
            return same_members(lefts_here, rights_here);
        }
        if (!ab_json_equal(left_value, right_value)) {
            return false;
        }
    }
}

bool ab_json_equal(struct ab_json left, struct ab_json right)
{
    enum ab_json_type type = ab_json_type(left);
    if (type != ab_json_type(right)) {
        return false;
    }
    switch (type) {
    case AB_JSON_NUMBER:
        return json_same_number(left.text, right.text);
    case AB_JSON_STRING:
        return same_string(left, right);
    case AB_JSON_ARRAY:
        return same_arrays(left, right);
    case AB_JSON_OBJECT:
        return same_objects(left, right);
    case AB_JSON_NONE:
    case AB_JSON_NULL:
    case AB_JSON_FALSE:
    case AB_JSON_TRUE:
        break;
    }
    return true;
}
