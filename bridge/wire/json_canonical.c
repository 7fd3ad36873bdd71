/* JSON in the one form that RFC 8785 gives it, so that two who hold the same value hold the same bytes to sign. */
#include "base/escape.h"
#include "base/mem.h"
#include "wire/json.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- numbers: as ECMAScript writes them --- */

/* The fewest digits that read back the same, and where the point stands: 0.digits times ten to the power of `point`. */
static int shortest(double number, char digits[24], int *n_digits)
{
    char text[40];
    int exponent;
    char *mark;

    for (int precision = 0; precision < 17; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, number);
        if (strtod(text, NULL) == number)
            break;
    }
    mark = strchr(text, 'e');
    exponent = (int)strtol(mark + 1, NULL, 10);
    *n_digits = 0;
    for (const char *at = text; at < mark; at++)
        if (*at >= '0' && *at <= '9')
            digits[(*n_digits)++] = *at;
    while (*n_digits > 1 && digits[*n_digits - 1] == '0')
        (*n_digits)--;
    digits[*n_digits] = '\0';
    return exponent + 1;
}

static void write_positive(double number, struct ab_buf *out)
{
    char digits[24];
    int n;
    int point = shortest(number, digits, &n);

    if (point > 0 && point <= 21) {
        for (int i = 0; i < point; i++)
            ab_buf_append_char(out, i < n ? digits[i] : '0');
        if (n > point)
            ab_buf_printf(out, ".%s", digits + point);
    } else if (point <= 0 && point > -6) {
        ab_buf_append_text(out, "0.");
        for (int i = point; i < 0; i++)
            ab_buf_append_char(out, '0');
        ab_buf_append_text(out, digits);
    } else {
        ab_buf_append_char(out, digits[0]);
        if (n > 1)
            ab_buf_printf(out, ".%s", digits + 1);
        ab_buf_printf(out, "e%+d", point - 1);
    }
}

/* Beyond what a double holds: JSON.stringify writes null for it. */
static bool is_out_of_range(struct ab_json number)
{
    double real = 0;

    (void)!ab_json_double(number, &real);
    return !isfinite(real);
}

static void write_number(struct ab_json value, struct ab_buf *out)
{
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before = plain != (locale_t)0 ? uselocale(plain) : (locale_t)0;
    double number = 0;

    (void)!ab_json_double(value, &number);
    if (number == 0)
        ab_buf_append_char(out, '0');
    else {
        if (number < 0)
            ab_buf_append_char(out, '-');
        write_positive(fabs(number), out);
    }
    if (plain != (locale_t)0) {
        uselocale(before);
        freelocale(plain);
    }
}

/* --- strings and objects --- */

static void write_characters(struct ab_str text, struct ab_buf *out)
{
    ab_buf_append_char(out, '"');
    ab_escape_json(out, text);
    ab_buf_append_char(out, '"');
}

static void write_string(struct ab_json value, struct ab_buf *out)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    (void)!ab_json_unescape(value, &text);
    write_characters(ab_buf_str(&text), out);
    ab_buf_deinit(&text);
}

struct member {
    struct ab_buf key; /* unescaped */
    struct ab_json value;
};

/* The place of a byte in the order of UTF-16: what needs two units there stands before the last of what needs one. */
static unsigned unit_order(char byte)
{
    unsigned char place = (unsigned char)byte;

    return place >= 0xf0 ? 0xee : place >= 0xee ? place + 0x10u : place;
}

static int compare_members(const void *left, const void *right)
{
    struct ab_str a = ab_buf_str(&((const struct member *)left)->key);
    struct ab_str b = ab_buf_str(&((const struct member *)right)->key);

    for (size_t i = 0; i < a.size && i < b.size; i++) {
        if (a.data[i] == b.data[i])
            continue;
        if (unit_order(a.data[i]) != unit_order(b.data[i]))
            return unit_order(a.data[i]) < unit_order(b.data[i]) ? -1 : 1;
        return (unsigned char)a.data[i] < (unsigned char)b.data[i] ? -1 : 1;
    }
    return a.size == b.size ? 0 : a.size < b.size ? -1 : 1;
}

static bool write_value(struct ab_json value, bool drop_empty, struct ab_buf *out);

static bool write_object(struct ab_json object, bool drop_empty, struct ab_buf *out)
{
    size_t n = ab_json_count(object);
    struct member *members = ab_alloc(n + 1, sizeof *members);
    struct ab_json_iterator each = ab_json_iterate(object);
    struct ab_json key;
    size_t written = 0;

    for (size_t i = 0; i < n && ab_json_next(&each, &key, &members[i].value); i++) {
        ab_buf_init(&members[i].key, AB_BUF_UNBOUNDED);
        (void)!ab_json_unescape(key, &members[i].key);
    }
    qsort(members, n, sizeof *members, compare_members);
    for (size_t i = 0; i < n; i++) {
        struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
        if (write_value(members[i].value, drop_empty, &text)) {
            ab_buf_append_char(out, written++ > 0 ? ',' : '{');
            write_characters(ab_buf_str(&members[i].key), out);
            ab_buf_append_char(out, ':');
            ab_buf_append_str(out, ab_buf_str(&text));
        }
        ab_buf_deinit(&text);
        ab_buf_deinit(&members[i].key);
    }
    free(members);
    if (written == 0 && drop_empty)
        return false;
    ab_buf_append_text(out, written > 0 ? "}" : "{}");
    return true;
}

static bool write_array(struct ab_json array, bool drop_empty, struct ab_buf *out)
{
    struct ab_json_iterator each = ab_json_iterate(array);
    struct ab_json item;
    size_t written = 0;

    while (ab_json_next(&each, NULL, &item)) {
        struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
        if (write_value(item, drop_empty, &text)) {
            ab_buf_append_char(out, written++ > 0 ? ',' : '[');
            ab_buf_append_str(out, ab_buf_str(&text));
        }
        ab_buf_deinit(&text);
    }
    if (written == 0 && drop_empty)
        return false;
    ab_buf_append_text(out, written > 0 ? "]" : "[]");
    return true;
}

static bool write_null(bool drop_empty, struct ab_buf *out)
{
    if (!drop_empty)
        ab_buf_append_text(out, "null");
    return !drop_empty;
}

/* False: it is empty, and nothing was written. */
static bool write_value(struct ab_json value, bool drop_empty, struct ab_buf *out)
{
    switch (ab_json_type(value)) {
    case AB_JSON_OBJECT:
        return write_object(value, drop_empty, out);
    case AB_JSON_ARRAY:
        return write_array(value, drop_empty, out);
    case AB_JSON_STRING:
        if (drop_empty && ab_json_string_is(value, ""))
            return false;
        write_string(value, out);
        return true;
    case AB_JSON_NUMBER:
        if (is_out_of_range(value))
            return write_null(drop_empty, out);
        write_number(value, out);
        return true;
    case AB_JSON_NONE:
    case AB_JSON_NULL:
        return write_null(drop_empty, out);
    case AB_JSON_TRUE:
    case AB_JSON_FALSE:
        break;
    }
    ab_buf_append_str(out, value.text);
    return true;
}

void ab_json_canonical(struct ab_json value, bool drop_empty, struct ab_buf *out)
{
    if (!write_value(value, drop_empty, out))
        ab_buf_append_text(out, "{}");
}
