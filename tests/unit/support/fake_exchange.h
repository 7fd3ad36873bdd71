/* An HTTP exchange without a network: keeps what was answered, and can be slow or leave. */
#ifndef AB_TESTS_FAKE_EXCHANGE_H
#define AB_TESTS_FAKE_EXCHANGE_H

#include "base/buf.h"
#include "wire/http_server.h"
#include "wire/loop.h"

/* The fields are for tests to look at; the pointers stay valid until fake_exchange_free. */
struct fake_exchange {
    struct ab_http_exchange base; /* to be given to a handler */
    struct ab_loop *loop;
    struct ab_http_request request;
    char *method;
    char *path;
    char *query;
    char *body;
    char **header_names;
    char **header_values;
    size_t n_headers;

    bool answered; /* respond or begin was called */
    bool streamed; /* begin was called */
    bool ended;    /* the whole answer is there */
    unsigned status;
    char *content_type; /* or NULL */
    char **answer_names;
    char **answer_values;
    size_t n_answer_headers;
    struct ab_buf answer; /* the body, or all that was streamed */
    size_t writes;

    bool behind; /* set by fake_exchange_behind */
    bool over;   /* `closed` was given, or is on its way */
    bool told;   /* `closed` was given */
    bool waits;  /* a write returned AB_HTTP_BEHIND and `writable` is owed */
    const struct ab_http_events *events;
    void *arg;
};

/* `target` is "/path?query". `headers` are pairs of name and value ended by NULL, or NULL. `closed` is given through
 * the loop, in a later turn, as a real server does; breaches of the port's contract fail the test. */
struct fake_exchange *fake_exchange_new(struct ab_loop *loop, const char *method, const char *target,
                                        const char *const *headers, const char *body);
/* Runs the loop's ready work when `closed` is still on its way. NULL is accepted. */
void fake_exchange_free(struct fake_exchange *fake);
/* From now on each write returns AB_HTTP_BEHIND; with false, `writable` is given in a later turn if it is owed. */
void fake_exchange_behind(struct fake_exchange *fake, bool behind);
/* The peer leaves: `closed` with finished = false in a later turn, unless the exchange is over already. */
void fake_exchange_leave(struct fake_exchange *fake);
/* A header of the answer, by its name in any case; NULL when absent. */
const char *fake_exchange_header(const struct fake_exchange *fake, const char *name);
/* The body, or all that was streamed so far; never NULL. */
const char *fake_exchange_body(const struct fake_exchange *fake);
/* Drops what was streamed so far, to look only at what follows. */
void fake_exchange_forget(struct fake_exchange *fake);

#endif
