/* Small values inside HTTP messages (RFC 9110): media types, Accept, Host, Origin, encoded header values. */
#ifndef AB_WIRE_HTTP_VALUES_H
#define AB_WIRE_HTTP_VALUES_H

#include "base/buf.h"
#include "base/str.h"

/* Whether a Content-Type value names this media type, whatever its parameters and case. */
bool ab_http_is_media_type(struct ab_str content_type, const char *media_type);
/* Whether an Accept value takes this media type: exact, type slash star, or star slash star, with q > 0. An absent
 * (empty) header takes everything. */
bool ab_http_accepts(struct ab_str accept, const char *media_type);
/* Splits "host:port", "[v6]:port", "host"; port 0 when absent. False when malformed. `host` has no brackets. */
AB_MUST bool ab_http_split_host(struct ab_str value, struct ab_str *host, uint16_t *port);
/* Splits an Origin value "scheme://host[:port]"; false for "null" and anything malformed. */
AB_MUST bool ab_http_split_origin(struct ab_str value, struct ab_str *scheme, struct ab_str *host, uint16_t *port);
/* "localhost", 127.0.0.0/8 or ::1, as a name or literal. */
bool ab_http_is_loopback_host(struct ab_str host);
/* MCP 2026-07-28, basic/transports: a plain value is itself, one that only begins or only ends like an
 * encoded one as well; "=?base64?...?=" is decoded strictly. False when the
 * encoding is broken. */
AB_MUST bool ab_http_decode_mcp_value(struct ab_str value, struct ab_buf *out);
/* One parameter of a query string, percent-decoded; false when absent or malformed. */
AB_MUST bool ab_http_query_value(struct ab_str query, const char *name, struct ab_buf *out);
/* One segment of a path, percent-decoded; false when malformed. */
AB_MUST bool ab_http_decode_segment(struct ab_str segment, struct ab_buf *out);
/* Retry-After: seconds, or a date of the one form that is still written (RFC 9110, 5.6.7). `*ms` is how long from
 * `now_ms` on, 0 for what is over; false when malformed. */
AB_MUST bool ab_http_retry_after(struct ab_str value, int64_t now_ms, int64_t *ms);
/* The reason phrase: 404 -> "Not Found". */
const char *ab_http_reason(unsigned status);

#endif
