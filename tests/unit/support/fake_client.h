/* An HTTP client without a network: keeps what was asked, and answers what a test says. */
#ifndef AB_TESTS_FAKE_CLIENT_H
#define AB_TESTS_FAKE_CLIENT_H

#include "base/buf.h"
#include "wire/http_client.h"
#include "wire/loop.h"

enum { FAKE_CALLS = 256 };

/* One call, kept after its end for the test to look at. */
struct fake_call {
    char *method;
    char *url;
    char *body;
    char *headers; /* lines, each ended by a newline */
    bool guarded;
    bool listed_only; /* by its guard */
    bool alone;
    bool over;      /* its end was told, or is on its way */
    bool cancelled; /* by its owner */
    bool paused;
};

struct fake_client {
    struct ab_http_client client;
    struct ab_loop *loop;
    struct fake_call calls[FAKE_CALLS];
    struct ab_http_call *open[FAKE_CALLS]; /* NULL once over */
    size_t n_calls;
    unsigned answers; /* each call is answered with this status at once; 0: by hand */
};

AB_MUST struct fake_client *fake_client_new(struct ab_loop *loop);
/* How many calls have not ended. */
size_t fake_client_open(const struct fake_client *client);
/* The end of call number `at` with this status; `retry_after` (or NULL) is a header of the answer. */
void fake_client_answer(struct fake_client *client, size_t at, unsigned status, const char *retry_after);
/* The same piece by piece: the head with its headers (lines "name: value\n"), the body, the end. */
void fake_client_head(struct fake_client *client, size_t at, unsigned status, const char *headers);
void fake_client_body(struct fake_client *client, size_t at, const char *text);
void fake_client_end(struct fake_client *client, size_t at);
/* Its end without an answer. */
void fake_client_fail(struct fake_client *client, size_t at, enum ab_http_call_outcome outcome, const char *text);

#endif
