/* The HTTP client on libcurl's multi interface, a guest on the loop. */
#ifndef AB_IO_CLIENT_CURL_H
#define AB_IO_CLIENT_CURL_H

#include "base/log.h"
#include "io/loop_uv.h"
#include "wire/http_client.h"

/* `host_connections` bounds the connections to one host (0: 64). NULL when libcurl gives nothing. */
AB_MUST struct ab_http_client *ab_client_curl_new(struct ab_loop_uv *loop, const struct ab_log *log,
                                                  long host_connections);

#endif
