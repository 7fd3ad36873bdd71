/* HTTP/1.1 requests from bytes (RFC 9112). The grammar is http-parser's; what is made of it, and every limit, is here.
 * Bytes may come in any pieces, several requests behind one another. */
#ifndef AB_WIRE_HTTP1_H
#define AB_WIRE_HTTP1_H

#include "base/buf.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

struct ab_http1_field;

/* One request. Everything in it lives as long as it does. */
struct ab_http1_message {
    struct ab_str method; /* "GET" */
    struct ab_str path;   /* before the "?", percent-encoding untouched; "*" for OPTIONS * */
    struct ab_str query;  /* behind the "?", without it */
    struct ab_buf body;
    uint64_t content_length; /* as announced; 0 when it was not */
    bool chunked;            /* Transfer-Encoding was given */
    bool expects_continue;   /* Expect: 100-continue */
    bool is_1_0;             /* HTTP/1.0: the answer cannot be chunked */
    bool keep_alive;         /* the connection may go on; never with HTTP/1.0 */
    struct ab_buf text;
    struct ab_http1_field *fields;
    size_t n_fields;
    size_t fields_room;
};

/* NULL is accepted. */
void ab_http1_message_free(struct ab_http1_message *message);
/* A header by its lower-case name, without the white space around it, a slice of the message; false when absent.
 * Several of one name: the first, or the one with this number, from 0. */
bool ab_http1_header(const struct ab_http1_message *message, const char *name, struct ab_str *value);
bool ab_http1_header_at(const struct ab_http1_message *message, const char *name, size_t nth, struct ab_str *value);

enum ab_http1_step {
    AB_HTTP1_MORE,   /* all bytes are used; more are needed */
    AB_HTTP1_HEAD,   /* the head is whole and can be looked at; read on for the body */
    AB_HTTP1_WHOLE,  /* the request is whole: take it, then read on for the next */
    AB_HTTP1_REFUSED /* this is no request to be served; nothing more can be read */
};

struct ab_http1_reader;

/* A head larger than `header_bytes` (at most 65535) is refused with 431, a body larger than `body_bytes` with 413. */
AB_MUST struct ab_http1_reader *ab_http1_reader_new(size_t header_bytes, size_t body_bytes);
/* NULL is accepted. */
void ab_http1_reader_free(struct ab_http1_reader *reader);
/* Reads on; takes what it used off the front of `bytes`. */
enum ab_http1_step ab_http1_read(struct ab_http1_reader *reader, struct ab_str *bytes);
/* Whether a request has begun and is not whole yet. */
bool ab_http1_is_inside(const struct ab_http1_reader *reader);
/* The request being read; borrowed. NULL before the head is whole. */
const struct ab_http1_message *ab_http1_head(const struct ab_http1_reader *reader);
/* After AB_HTTP1_WHOLE: hands the request to the caller, who frees it. */
AB_MUST struct ab_http1_message *ab_http1_take(struct ab_http1_reader *reader);
/* After AB_HTTP1_REFUSED: the status (400, 413, 431, 505), and a sentence for the person at the other end, borrowed. */
unsigned ab_http1_refusal(const struct ab_http1_reader *reader, const char **text);

#endif
