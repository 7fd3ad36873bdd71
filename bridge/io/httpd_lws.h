/* The HTTP/1.1 server on libwebsockets. */
#ifndef AB_IO_HTTPD_LWS_H
#define AB_IO_HTTPD_LWS_H

#include "base/log.h"
#include "base/metrics.h"
#include "io/loop_uv.h"
#include "wire/http_server.h"

struct ab_httpd;

/* Borrowed during ab_httpd_new. */
struct ab_httpd_settings {
    const char *address;        /* "127.0.0.1", "0.0.0.0", "::1" */
    uint16_t port;              /* 0: a free one */
    size_t request_bytes;       /* [4 MiB] larger bodies: 413 */
    size_t header_bytes;        /* [16 KiB] larger heads: 431 */
    size_t stream_bytes;        /* [256 KiB] a stream's unsent bytes above which write() gives AB_HTTP_BEHIND */
    uint32_t unread_ms;         /* [120 s] a peer that takes nothing for so long of what waits for it is gone */
    const char *const *hosts;   /* NULL-terminated: further names a Host header may give; or NULL */
    const char *const *origins; /* NULL-terminated: further origins that may call; or NULL */
    const struct ab_log *log;
    struct ab_metrics *metrics;
};

/* Listens at once. NULL when it cannot; `reason` (at least 256 bytes) says why ("127.0.0.1:7800: Address already in
 * use"). Requests that the server refuses itself (400, 403, 408, 411, 413, 431) get a JSON body {"error":"..."}. */
AB_MUST struct ab_httpd *ab_httpd_new(struct ab_loop_uv *loop, const struct ab_httpd_settings *settings,
                                      ab_http_handler_fn handler, void *arg, char *reason, size_t reason_size);
/* "127.0.0.1:7800", with the real port. */
const char *ab_httpd_address(const struct ab_httpd *httpd);
/* Takes no new connections; idle ones are closed; exchanges under way go on. `done` is called once when none is left
 * or `wait_ms` are over. */
void ab_httpd_drain(struct ab_httpd *httpd, uint64_t wait_ms, ab_loop_fn done, void *arg);
/* Closes what is open (their `closed` events are given), then frees. */
void ab_httpd_free(struct ab_httpd *httpd);

#endif
