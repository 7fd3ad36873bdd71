/* The strict scanner: one pass over the text, no recursion, so that depth costs no stack. */
#include "base/mem.h"
#include "wire/json.h"
#include "wire/json_keys.h"
#include "wire/json_text.h"

#include <stdio.h>
#include <string.h>

#define FRAMES_INLINE 64

struct frame {
    bool object;
    struct json_key_set keys;
};

struct scanner {
    const char *start;
    const char *at;
    const char *end;
    unsigned depth;
    unsigned max_depth;
    struct frame *frames; /* one for each open container */
    size_t capacity;
    struct json_keys keys;
    const char *what; /* what is wrong, once something is */
    const char *where;
    struct ab_str twice; /* the key that stands twice */
    struct frame first[FRAMES_INLINE];
};

/* What a step led to. */
enum step {
    STEP_FAULT,
    STEP_VALUE, /* a value has to follow */
    STEP_ENDED  /* a value has ended */
};

static bool fault(struct scanner *scanner, const char *where, const char *what)
{
    scanner->where = where;
    scanner->what = what;
    return false;
}

static void skip_blanks(struct scanner *scanner)
{
    scanner->at = json_skip_blanks(scanner->at, scanner->end);
}

/* --- strings --- */

#define EACH_BYTE(value) (0x0101010101010101U * (uint64_t)(value))

/* Whether any of eight bytes ends a run of plain ASCII: a control character, a quote, a backslash or a high byte. What
 * a borrow from a lower byte flags wrongly is only ever above one that is flagged rightly. */
static bool has_special(uint64_t word)
{
    uint64_t quote = word ^ EACH_BYTE('"');
    uint64_t backslash = word ^ EACH_BYTE('\\');
    uint64_t flags = word | (word - EACH_BYTE(0x20)) | (quote - EACH_BYTE(1)) | (backslash - EACH_BYTE(1));
    return (flags & EACH_BYTE(0x80)) != 0;
}

static const char *skip_plain(const char *at, const char *end)
{
    uint64_t word;
    while ((size_t)(end - at) >= sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        if (has_special(word)) {
            break;
        }
        at += sizeof(word);
    }
    while (at < end && (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x80 && *at != '"' && *at != '\\') {
        at++;
    }
    return at;
}

/* Behind "\u". */
static bool scan_unicode(struct scanner *scanner)
{
    const char *escape = scanner->at - 2;
    int unit = json_hex4(scanner->at, scanner->end);
    if (unit < 0) {
        return fault(scanner, escape, "\\u needs four hexadecimal digits");
    }
    scanner->at += 4;
    if (unit < 0xd800 || unit > 0xdfff) {
        return true;
    }
    int second = -1;
    if (unit <= 0xdbff && scanner->end - scanner->at >= 6 && scanner->at[0] == '\\' && scanner->at[1] == 'u') {
        second = json_hex4(scanner->at + 2, scanner->end);
    }
    if (second < 0xdc00 || second > 0xdfff) {
        return fault(scanner, escape, "half of a surrogate pair stands alone");
    }
    scanner->at += 6;
    return true;
}

static bool scan_escape(struct scanner *scanner)
{
    scanner->at++;
    if (scanner->at == scanner->end) {
        return fault(scanner, scanner->at, "the text ends inside a string");
    }
    char letter = *scanner->at++;
    if (letter == 'u') {
        return scan_unicode(scanner);
    }
    if (letter == '\0' || strchr("\"\\/bfnrt", letter) == NULL) {
        return fault(scanner, scanner->at - 2, "no such escape; JSON has \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX");
    }
    return true;
}

/* At the opening quote. */
static bool scan_string(struct scanner *scanner, struct ab_str *inside, bool *escaped)
{
    scanner->at++;
    inside->data = scanner->at;
    *escaped = false;
    for (;;) {
        scanner->at = skip_plain(scanner->at, scanner->end);
        if (scanner->at == scanner->end) {
            return fault(scanner, scanner->at, "the text ends inside a string");
        }
        if (*scanner->at == '"') {
            inside->size = (size_t)(scanner->at - inside->data);
            scanner->at++;
            return true;
        }
        if (*scanner->at == '\\') {
            *escaped = true;
            if (!scan_escape(scanner)) {
                return false;
            }
        } else if ((unsigned char)*scanner->at < 0x20) {
            return fault(scanner, scanner->at, "a control character in a string has to be escaped");
        } else {
            struct ab_str rest = { scanner->at, (size_t)(scanner->end - scanner->at) };
            size_t size = ab_utf8_character(rest);
            if (size == 0) {
                return fault(scanner, scanner->at, "these bytes are no UTF-8");
            }
            scanner->at += size;
        }
    }
}

/* --- numbers and words --- */

static bool scan_digits(struct scanner *scanner, const char *what)
{
    const char *first = scanner->at;
    while (scanner->at < scanner->end && *scanner->at >= '0' && *scanner->at <= '9') {
        scanner->at++;
    }
    return scanner->at > first ? true : fault(scanner, first, what);
}

static bool is_at(const struct scanner *scanner, char one, char other)
{
    return scanner->at < scanner->end && (*scanner->at == one || *scanner->at == other);
}

static bool scan_number(struct scanner *scanner)
{
    if (is_at(scanner, '-', '-')) {
        scanner->at++;
    }
    const char *first = scanner->at;
    if (!scan_digits(scanner, "a digit was expected behind the minus sign")) {
        return false;
    }
    if (*first == '0' && scanner->at - first > 1) {
        return fault(scanner, first, "a number must not begin with 0");
    }
    if (is_at(scanner, '.', '.')) {
        scanner->at++;
        if (!scan_digits(scanner, "a digit was expected behind the point")) {
            return false;
        }
    }
    if (!is_at(scanner, 'e', 'E')) {
        return true;
    }
    scanner->at++;
    if (is_at(scanner, '+', '-')) {
        scanner->at++;
    }
    return scan_digits(scanner, "a digit was expected in the exponent");
}

static bool scan_word(struct scanner *scanner, const char *word)
{
    size_t size = strlen(word);
    if ((size_t)(scanner->end - scanner->at) < size || memcmp(scanner->at, word, size) != 0) {
        return fault(scanner, scanner->at, "no such word; JSON has true, false and null");
    }
    scanner->at += size;
    return true;
}

/* --- containers --- */

static struct frame *innermost(struct scanner *scanner)
{
    return &scanner->frames[scanner->depth - 1];
}

static bool push(struct scanner *scanner, bool object)
{
    if (scanner->depth >= scanner->max_depth) {
        return fault(scanner, scanner->at, "nested too deeply");
    }
    if (scanner->depth == scanner->capacity) {
        size_t size = scanner->capacity * sizeof(*scanner->frames);
        if (scanner->frames == scanner->first) {
            scanner->frames = ab_realloc(NULL, size * 2);
            memcpy(scanner->frames, scanner->first, size);
        } else {
            scanner->frames = ab_realloc(scanner->frames, size * 2);
        }
        scanner->capacity *= 2;
    }
    scanner->depth++;
    innermost(scanner)->object = object;
    json_key_set_begin(&scanner->keys, &innermost(scanner)->keys);
    scanner->at++;
    skip_blanks(scanner);
    return true;
}

static enum step pop(struct scanner *scanner)
{
    json_key_set_end(&scanner->keys, &innermost(scanner)->keys);
    scanner->depth--;
    scanner->at++;
    return STEP_ENDED;
}

/* A key and its colon. */
static enum step scan_key(struct scanner *scanner)
{
    const char *quote = scanner->at;
    if (!is_at(scanner, '"', '"')) {
        fault(scanner, quote,
              scanner->at == scanner->end ? "the text ends inside an object" : "a key in quotes was expected");
        return STEP_FAULT;
    }
    struct ab_str inside;
    bool escaped;
    if (!scan_string(scanner, &inside, &escaped)) {
        return STEP_FAULT;
    }
    if (!json_key_set_add(&scanner->keys, &innermost(scanner)->keys, inside, escaped)) {
        scanner->twice = inside;
        fault(scanner, quote, "a key stands twice");
        return STEP_FAULT;
    }
    skip_blanks(scanner);
    if (!is_at(scanner, ':', ':')) {
        fault(scanner, scanner->at, "a colon was expected behind the key");
        return STEP_FAULT;
    }
    scanner->at++;
    skip_blanks(scanner);
    return STEP_VALUE;
}

static enum step begin_object(struct scanner *scanner)
{
    if (!push(scanner, true)) {
        return STEP_FAULT;
    }
    return is_at(scanner, '}', '}') ? pop(scanner) : scan_key(scanner);
}

static enum step begin_array(struct scanner *scanner)
{
    if (!push(scanner, false)) {
        return STEP_FAULT;
    }
    return is_at(scanner, ']', ']') ? pop(scanner) : STEP_VALUE;
}

static bool scan_nothing(struct scanner *scanner)
{
    if (scanner->at < scanner->end) {
        return fault(scanner, scanner->at, "a value was expected");
    }
    return fault(scanner, scanner->at,
                 scanner->depth == 0 ? "the text is empty" : "the text ends where a value was expected");
}

static enum step scan_value(struct scanner *scanner)
{
    struct ab_str inside;
    bool escaped;
    bool good;
    switch (scanner->at < scanner->end ? *scanner->at : '\0') {
    case '{':
        return begin_object(scanner);
    case '[':
        return begin_array(scanner);
    case '"':
        good = scan_string(scanner, &inside, &escaped);
        break;
    case 't':
        good = scan_word(scanner, "true");
        break;
    case 'f':
        good = scan_word(scanner, "false");
        break;
    case 'n':
        good = scan_word(scanner, "null");
        break;
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        good = scan_number(scanner);
        break;
    default:
        good = scan_nothing(scanner);
        break;
    }
    return good ? STEP_ENDED : STEP_FAULT;
}

/* Behind a value inside a container: a comma, or the container's end. */
static enum step scan_behind(struct scanner *scanner)
{
    bool object = innermost(scanner)->object;
    skip_blanks(scanner);
    if (scanner->at == scanner->end) {
        fault(scanner, scanner->at, object ? "the text ends inside an object" : "the text ends inside an array");
        return STEP_FAULT;
    }
    if (*scanner->at == (object ? '}' : ']')) {
        return pop(scanner);
    }
    if (*scanner->at != ',') {
        fault(scanner, scanner->at, object ? "a comma or } was expected" : "a comma or ] was expected");
        return STEP_FAULT;
    }
    scanner->at++;
    skip_blanks(scanner);
    return object ? scan_key(scanner) : STEP_VALUE;
}

static bool scan(struct scanner *scanner, struct ab_json *out)
{
    skip_blanks(scanner);
    const char *first = scanner->at;
    enum step step = STEP_VALUE;
    while (step == STEP_VALUE || (step == STEP_ENDED && scanner->depth > 0)) {
        step = step == STEP_VALUE ? scan_value(scanner) : scan_behind(scanner);
    }
    if (step == STEP_FAULT) {
        return false;
    }
    out->text = (struct ab_str){ first, (size_t)(scanner->at - first) };
    skip_blanks(scanner);
    return scanner->at == scanner->end ? true : fault(scanner, scanner->at, "something stands behind the value");
}

/* --- telling what is wrong --- */

/* Columns count characters, as editors do. */
static void describe(const struct scanner *scanner, struct ab_json_error *error)
{
    unsigned long line = 1;
    unsigned long column = 1;
    for (const char *at = scanner->start; at < scanner->where; at++) {
        if (*at == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)*at & 0xc0) != 0x80) {
            column++;
        }
    }
    error->offset = (size_t)(scanner->where - scanner->start);
    if (scanner->twice.data == NULL) {
        snprintf(error->text, sizeof(error->text), "line %lu, column %lu: %s", line, column, scanner->what);
        return;
    }
    struct ab_str key = scanner->twice;
    bool cut = key.size > 60;
    key.size = cut ? 60 : key.size;
    key.size = ab_utf8_valid_prefix(key);
    snprintf(error->text, sizeof(error->text), "line %lu, column %lu: %s: \"%.*s%s\"", line, column, scanner->what,
             AB_STR_ARGS(key), cut ? "..." : "");
}

bool ab_json_check(struct ab_str text, unsigned max_depth, struct ab_json *out, struct ab_json_error *error)
{
    struct scanner scanner;
    const char *start = text.data == NULL ? "" : text.data;
    scanner.start = start;
    scanner.at = start;
    scanner.end = start + text.size;
    scanner.depth = 0;
    scanner.max_depth = max_depth;
    scanner.frames = scanner.first;
    scanner.capacity = FRAMES_INLINE;
    scanner.twice = (struct ab_str){ NULL, 0 };
    json_keys_init(&scanner.keys);

    *out = (struct ab_json){ { NULL, 0 } };
    bool good = scan(&scanner, out);
    if (!good) {
        *out = (struct ab_json){ { NULL, 0 } };
        if (error != NULL) {
            describe(&scanner, error);
        }
    }
    for (; scanner.depth > 0; scanner.depth--) {
        json_key_set_end(&scanner.keys, &innermost(&scanner)->keys);
    }
    if (scanner.frames != scanner.first) {
        free(scanner.frames);
    }
    json_keys_deinit(&scanner.keys);
    return good;
}
