/* Comments in configuration files. */
#include "wire/json.h"

/* The place behind the comment that begins at `at`, or `at` when none does or it never ends. */
static size_t comment_end(const char *text, size_t size, size_t at)
{
    if (size - at < 2 || text[at] != '/') {
        return at;
    }
    if (text[at + 1] == '/') {
        size_t end = at;
        while (end < size && text[end] != '\n') {
            end++;
        }
        return end;
    }
    for (size_t end = at + 2; text[at + 1] == '*' && end + 1 < size; end++) {
        if (text[end] == '*' && text[end + 1] == '/') {
            return end + 2;
        }
    }
    return at;
}

static size_t string_end(const char *text, size_t size, size_t at)
{
    at++;
    while (at < size && text[at] != '"' && text[at] != '\n') {
        at += text[at] == '\\' ? 2 : 1;
    }
    return at < size ? at + 1 : size;
}

void ab_json_strip_comments(char *text, size_t size)
{
    size_t at = 0;
    while (at < size) {
        if (text[at] == '"') {
            at = string_end(text, size, at);
            continue;
        }
        size_t end = comment_end(text, size, at);
        for (size_t i = at; i < end; i++) {
            if (text[i] != '\n' && text[i] != '\r') {
                text[i] = ' ';
            }
        }
        at = end > at ? end : at + 1;
    }
}
