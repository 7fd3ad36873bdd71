/* Escapes what JSON demands and nothing else; runs of plain bytes are copied whole. */
#include "base/escape.h"

#include "base/str.h"

/* How many bytes at the start may be copied as they are. */
static size_t plain_run(struct ab_str text)
{
    size_t at = 0;
    while (at < text.size) {
        unsigned char byte = (unsigned char)text.data[at];
        if (byte < 0x20 || byte == '"' || byte == '\\') {
            break;
        }
        size_t size = byte < 0x80 ? 1 : ab_utf8_character((struct ab_str){ text.data + at, text.size - at });
        if (size == 0) {
            break;
        }
        at += size;
    }
    return at;
}

static char short_escape(unsigned char byte)
{
    switch (byte) {
    case '"':
        return '"';
    case '\\':
        return '\\';
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return '\0';
    }
}

/* One byte that cannot stand as it is. */
static void escape_byte(struct ab_buf *out, unsigned char byte)
{
    char letter = short_escape(byte);
    if (letter != '\0') {
        char text[2] = { '\\', letter };
        ab_buf_append(out, text, sizeof(text));
    } else if (byte < 0x20) {
        ab_buf_printf(out, "\\u%04x", byte);
    } else {
        ab_buf_append_text(out, "\xef\xbf\xbd");
    }
}

void ab_escape_json(struct ab_buf *out, struct ab_str text)
{
    while (text.size > 0) {
        size_t run = plain_run(text);
        ab_buf_append(out, text.data, run);
        if (run < text.size) {
            escape_byte(out, (unsigned char)text.data[run]);
            run++;
        }
        text.data += run;
        text.size -= run;
    }
}
