/* http-parser calls back piece by piece; a message gathers the pieces in one text of NUL-terminated strings, and its
 * fields point into it by offset, since the text moves while it grows. */
#include "wire/http1.h"

#include "base/mem.h"

#include <http_parser.h>
#include <stdio.h>
#include <string.h>

struct ab_http1_field {
    uint32_t name;
    uint32_t name_size;
    uint32_t value;
    uint32_t value_size;
};

enum part { PART_NONE, PART_TARGET, PART_NAME, PART_VALUE };

struct ab_http1_reader {
    http_parser parser;
    size_t header_bytes;
    size_t body_bytes;
    struct ab_http1_message *message; /* NULL between requests */
    enum part part;
    size_t part_start; /* in message->text */
    size_t head_size;  /* bytes of this head so far */
    char head_last;    /* the last of them */
    bool head_whole;
    bool whole;
    unsigned status; /* of a refusal */
    char reason[160];
};

/* --- messages --- */

static struct ab_http1_message *message_new(size_t text_bytes, size_t body_bytes)
{
    struct ab_http1_message *message = ab_alloc(1, sizeof(*message));

    ab_buf_init(&message->text, text_bytes);
    ab_buf_init(&message->body, body_bytes);
    return message;
}

void ab_http1_message_free(struct ab_http1_message *message)
{
    if (message == NULL)
        return;
    ab_buf_deinit(&message->text);
    ab_buf_deinit(&message->body);
    free(message->fields);
    free(message);
}

static struct ab_str slice(const struct ab_http1_message *message, size_t start, size_t size)
{
    return (struct ab_str){ message->text.data + start, size };
}

bool ab_http1_header(const struct ab_http1_message *message, const char *name, struct ab_str *value)
{
    return ab_http1_header_at(message, name, 0, value);
}

bool ab_http1_header_at(const struct ab_http1_message *message, const char *name, size_t nth, struct ab_str *value)
{
    struct ab_str wanted = ab_str(name);

    for (size_t i = 0; i < message->n_fields; i++) {
        const struct ab_http1_field *field = &message->fields[i];
        if (field->name_size == wanted.size &&
            memcmp(message->text.data + field->name, wanted.data, wanted.size) == 0 && nth-- == 0) {
            *value = ab_str_trim(slice(message, field->value, field->value_size));
            return true;
        }
    }
    return false;
}

/* --- gathering --- */

static void refuse(struct ab_http1_reader *reader, unsigned status, const char *text)
{
    if (reader->status != 0)
        return;
    reader->status = status;
    snprintf(reader->reason, sizeof(reader->reason), "%s", text);
}

static struct ab_http1_field *add_field(struct ab_http1_message *message)
{
    if (message->n_fields == message->fields_room) {
        message->fields_room = message->fields_room > 0 ? 2 * message->fields_room : 16;
        message->fields = ab_realloc(message->fields, message->fields_room * sizeof(*message->fields));
    }
    message->fields[message->n_fields] = (struct ab_http1_field){ 0 };
    return &message->fields[message->n_fields++];
}

/* A part has come whole: the one that was open gets its end. */
static void end_part(struct ab_http1_reader *reader)
{
    struct ab_http1_message *message = reader->message;
    uint32_t start = (uint32_t)reader->part_start;
    uint32_t size = (uint32_t)(message->text.size - reader->part_start);
    struct ab_http1_field *field;

    if (reader->part == PART_NAME) {
        field = add_field(message);
        field->name = start;
        field->name_size = size;
        for (uint32_t i = start; i < start + size; i++)
            if (message->text.data[i] >= 'A' && message->text.data[i] <= 'Z')
                message->text.data[i] = (char)(message->text.data[i] + ('a' - 'A'));
    } else if (reader->part == PART_VALUE && message->n_fields > 0) {
        field = &message->fields[message->n_fields - 1];
        field->value = start;
        field->value_size = size;
    }
    if (reader->part != PART_NONE)
        ab_buf_append_char(&message->text, '\0');
    reader->part = PART_NONE;
}

/* Debian builds http-parser lenient: what RFC 9110, 5.1 and 5.5 forbid in names and values is looked for here, since
 * another reader of the same bytes might find another header in them. */
static bool is_clean(enum part part, const char *at, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)at[i];
        bool letter = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (part == PART_NAME && !letter && (c == 0 || strchr("!#$%&'*+-.^_`|~", c) == NULL))
            return false;
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static int add_to_part(http_parser *parser, enum part part, const char *at, size_t size)
{
    struct ab_http1_reader *reader = parser->data;

    if (!is_clean(part, at, size)) {
        refuse(reader, 400, "a header's name or value, or the target, has a character that cannot be there");
        return -1;
    }
    /* Trailers: nobody here reads them, they must not pass for headers (RFC 9110, 6.5.1), and path and query point into
     * the text already. */
    if (reader->head_whole)
        return 0;
    if (reader->part != part) {
        end_part(reader);
        reader->part = part;
        reader->part_start = reader->message->text.size;
    }
    ab_buf_append(&reader->message->text, at, size);
    return reader->message->text.full ? -1 : 0;
}

static int on_begin(http_parser *parser)
{
    struct ab_http1_reader *reader = parser->data;

    /* Each of at most header_bytes gets two NULs at most: a name of one letter, an empty value. */
    reader->message = message_new(3 * reader->header_bytes + 16, reader->body_bytes);
    return 0;
}

static int on_target(http_parser *parser, const char *at, size_t size)
{
    return add_to_part(parser, PART_TARGET, at, size);
}

static int on_name(http_parser *parser, const char *at, size_t size)
{
    return add_to_part(parser, PART_NAME, at, size);
}

static int on_value(http_parser *parser, const char *at, size_t size)
{
    return add_to_part(parser, PART_VALUE, at, size);
}

/* --- the head --- */

static struct ab_str url_part(const struct http_parser_url *url, const struct ab_http1_message *message, int part)
{
    if ((url->field_set & (1U << part)) == 0)
        return AB_STR("");
    return slice(message, url->field_data[part].off, url->field_data[part].len);
}

/* The target is the first string of the text. A proxy's form, http://host/path, means its path (RFC 9112, 3.2.2). */
static bool read_target(const http_parser *parser, struct ab_http1_message *message)
{
    bool is_connect = parser->method == HTTP_CONNECT;
    size_t size = message->text.data != NULL ? strlen(message->text.data) : 0;
    struct http_parser_url url;

    http_parser_url_init(&url);
    if (size == 0 || http_parser_parse_url(message->text.data, size, is_connect, &url) != 0)
        return false;
    message->path = url_part(&url, message, UF_PATH);
    message->query = url_part(&url, message, UF_QUERY);
    if (message->path.size == 0)
        message->path = AB_STR("/");
    return true;
}

/* What two readers of one request could take in two ways is refused, for whoever stands in front of this server. */
static bool is_ambiguous(const struct ab_http1_message *message)
{
    unsigned hosts = 0;

    for (size_t i = 0; i < message->n_fields; i++) {
        const struct ab_http1_field *field = &message->fields[i];
        struct ab_str name = slice(message, field->name, field->name_size);
        hosts += ab_str_is(name, "host") ? 1 : 0;
    }
    return hosts > 1;
}

static int on_head(http_parser *parser)
{
    struct ab_http1_reader *reader = parser->data;
    struct ab_http1_message *message = reader->message;
    struct ab_str expect;

    end_part(reader);
    reader->head_whole = true;
    message->method = ab_str(http_method_str((enum http_method)parser->method));
    message->is_1_0 = parser->http_minor == 0;
    message->keep_alive = !message->is_1_0 && http_should_keep_alive(parser) != 0;
    message->chunked = parser->uses_transfer_encoding != 0;
    message->content_length = (parser->flags & F_CONTENTLENGTH) != 0 ? parser->content_length : 0;
    message->expects_continue = !message->is_1_0 && ab_http1_header(message, "expect", &expect) &&
                                ab_str_equal_nocase(expect, AB_STR("100-continue"));
    /* An offer to upgrade is not taken: the request is one like others (Java's client offers h2c). */
    parser->upgrade = 0;
    if (!read_target(parser, message))
        refuse(reader, 400, "the request's target is malformed");
    else if (parser->http_major != 1)
        refuse(reader, 505, "HTTP/1.1 is spoken here");
    else if (is_ambiguous(message))
        refuse(reader, 400, "there is more than one Host header");
    http_parser_pause(parser, 1);
    return 0;
}

/* --- the body --- */

static int on_body(http_parser *parser, const char *at, size_t size)
{
    struct ab_http1_reader *reader = parser->data;

    ab_buf_append(&reader->message->body, at, size);
    return reader->message->body.full ? -1 : 0;
}

static int on_whole(http_parser *parser)
{
    struct ab_http1_reader *reader = parser->data;

    reader->whole = true;
    http_parser_pause(parser, 1);
    return 0;
}

static const http_parser_settings callbacks = {
    .on_message_begin = on_begin,
    .on_url = on_target,
    .on_header_field = on_name,
    .on_header_value = on_value,
    .on_headers_complete = on_head,
    .on_body = on_body,
    .on_message_complete = on_whole,
};

/* --- reading --- */

struct ab_http1_reader *ab_http1_reader_new(size_t header_bytes, size_t body_bytes)
{
    struct ab_http1_reader *reader = ab_alloc(1, sizeof(*reader));

    reader->header_bytes = header_bytes < 65535 ? header_bytes : 65535;
    reader->body_bytes = body_bytes;
    http_parser_init(&reader->parser, HTTP_REQUEST);
    reader->parser.data = reader;
    return reader;
}

void ab_http1_reader_free(struct ab_http1_reader *reader)
{
    if (reader == NULL)
        return;
    ab_http1_message_free(reader->message);
    free(reader);
}

static void refuse_head_size(struct ab_http1_reader *reader)
{
    char text[96];

    snprintf(text, sizeof(text), "the request's head is larger than %zu bytes", reader->header_bytes);
    refuse(reader, 431, text);
}

static void refuse_body_size(struct ab_http1_reader *reader)
{
    char text[96];

    snprintf(text, sizeof(text), "the request's body is larger than %zu bytes", reader->body_bytes);
    refuse(reader, 413, text);
}

static void refuse_fault(struct ab_http1_reader *reader, enum http_errno fault)
{
    char text[160];

    if (fault == HPE_HEADER_OVERFLOW || (reader->message != NULL && reader->message->text.full)) {
        refuse_head_size(reader);
    } else if (fault == HPE_CB_body) {
        refuse_body_size(reader);
    } else if (fault == HPE_INVALID_CONTENT_LENGTH || fault == HPE_UNEXPECTED_CONTENT_LENGTH) {
        refuse(reader, 400, "Content-Length is no number, or was given twice, or beside Transfer-Encoding");
    } else {
        snprintf(text, sizeof(text), "this is no HTTP/1.1 request: %s", http_errno_description(fault));
        refuse(reader, 400, text);
    }
}

/* A line that begins with white space goes on with the one before (RFC 9112, 5.2). http-parser puts such lines
 * together, or takes the second for the value of an empty first; others may see two headers there, or none. */
static bool has_folded_line(struct ab_http1_reader *reader, const char *head, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        bool line_begins = reader->head_last == '\n';
        reader->head_last = head[i];
        if (line_begins && (head[i] == ' ' || head[i] == '\t'))
            return true;
    }
    return false;
}

/* A head is fed no more than it may have, so that one that is too large is refused before it is kept. */
static size_t piece_of(const struct ab_http1_reader *reader, size_t size)
{
    size_t left = reader->header_bytes + 1 - reader->head_size;

    return reader->head_whole || size < left ? size : left;
}

enum ab_http1_step ab_http1_read(struct ab_http1_reader *reader, struct ab_str *bytes)
{
    bool had_head = reader->head_whole;
    size_t size = piece_of(reader, bytes->size);
    const char *start = bytes->data;
    size_t used;
    enum http_errno fault;

    if (reader->status != 0)
        return AB_HTTP1_REFUSED;
    if (size == 0) /* http-parser takes no bytes for the peer's end */
        return AB_HTTP1_MORE;
    http_parser_pause(&reader->parser, 0);
    used = http_parser_execute(&reader->parser, &callbacks, start, size);
    fault = HTTP_PARSER_ERRNO(&reader->parser);
    *bytes = (struct ab_str){ bytes->data + used, bytes->size - used };
    if (!had_head)
        reader->head_size += used;
    if (!had_head && has_folded_line(reader, start, used))
        refuse(reader, 400, "a header is folded over lines");
    else if (fault != HPE_OK && fault != HPE_PAUSED)
        refuse_fault(reader, fault);
    else if (reader->head_size > reader->header_bytes)
        refuse_head_size(reader);
    else if (reader->head_whole && reader->message->content_length > reader->body_bytes)
        refuse_body_size(reader);
    if (reader->status != 0)
        return AB_HTTP1_REFUSED;
    if (reader->whole)
        return AB_HTTP1_WHOLE;
    return reader->head_whole && !had_head ? AB_HTTP1_HEAD : AB_HTTP1_MORE;
}

bool ab_http1_is_inside(const struct ab_http1_reader *reader)
{
    return reader->message != NULL && !reader->whole;
}

const struct ab_http1_message *ab_http1_head(const struct ab_http1_reader *reader)
{
    return reader->head_whole ? reader->message : NULL;
}

struct ab_http1_message *ab_http1_take(struct ab_http1_reader *reader)
{
    struct ab_http1_message *message = reader->message;

    reader->message = NULL;
    reader->head_size = 0;
    reader->head_last = '\0';
    reader->head_whole = false;
    reader->whole = false;
    return message;
}

unsigned ab_http1_refusal(const struct ab_http1_reader *reader, const char **text)
{
    *text = reader->reason;
    return reader->status;
}
