/* The real HTTP server on the real loop, with clients that are plain sockets, all in one thread. */
#ifndef AB_TESTS_HTTPD_RIG_H
#define AB_TESTS_HTTPD_RIG_H

#include "base/buf.h"
#include "base/metrics.h"
#include "io/httpd_lws.h"

/* What became of one exchange; freed with the rig. */
struct rig_exchange {
    struct rig_exchange *next;
    struct httpd_rig *rig;
    struct ab_http_exchange *exchange; /* NULL once closed */
    unsigned closed;
    unsigned writable;
    bool finished;
};

/* Its handler answers by path:
 *   /echo     200, "METHOD path?query|body"
 *   /header   200, the value of x-test, or "(none)"
 *   /bytes    200, as many "x" as the query says
 *   /later    200, "later", deferred by one turn
 *   /keep     nothing: the test answers */
struct httpd_rig {
    struct ab_loop_uv *loop;
    struct ab_httpd *httpd;
    struct ab_metrics *metrics;
    struct rig_exchange *exchanges; /* newest first */
    unsigned handled;
    unsigned closed;
    unsigned port;
};

/* `settings` may leave address and port out. */
struct httpd_rig *httpd_rig_new(struct ab_httpd_settings settings);
void httpd_rig_free(struct httpd_rig *rig);
/* Lets the loop run for so long. */
void httpd_rig_run(struct httpd_rig *rig, unsigned ms);
/* Runs the loop until *value reaches `wanted`; fails the test after 10 s. */
void httpd_rig_until(struct httpd_rig *rig, const unsigned *value, unsigned wanted);

/* --- clients --- */

int rig_connect(struct httpd_rig *rig);
/* All of it, with the loop running in between; false when the server closed. */
bool rig_send_bytes(struct httpd_rig *rig, int fd, const void *data, size_t size);
bool rig_send(struct httpd_rig *rig, int fd, const char *text);
/* Reads until `in` holds `mark` (NULL: until the server closes). False when it closed before; fails after 10 s. */
bool rig_read(struct httpd_rig *rig, int fd, struct ab_buf *in, const char *mark);
/* Sends, reads until the server closes or `mark` came; the caller frees. */
char *rig_ask(struct httpd_rig *rig, const char *request, const char *mark);

#endif
