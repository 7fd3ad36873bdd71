/* What went wrong, from an answer of the agent platform that is no task, in one line that a person understands. */
#ifndef AB_REST_CLIENT_ERROR_H
#define AB_REST_CLIENT_ERROR_H

#include "wire/json.h"

/* Appends the line: what the status means, and the answer's own words ("detail" as a text, as a list of fields with
 * what is wrong with each, or as an object), shortened and without line breaks. `body` may be anything. */
void ab_rest_error_describe(struct ab_buf *out, unsigned status, struct ab_str body);

/* Whether the platform never began what it was asked for, so that it may be asked once more. */
bool ab_rest_error_is_before_work(unsigned status);
/* Whether it may go away by itself: too many requests, or a fault there. */
bool ab_rest_error_is_passing(unsigned status);

/* How long to wait before the next try, in ms; 0 when nothing was said. Values of the headers Retry-After (seconds, or
 * a date) and X-RateLimit-Reset (seconds since the epoch), empty when absent; at most `longest`. */
int64_t ab_rest_retry_after(struct ab_str retry_after, struct ab_str rate_limit_reset, int64_t now_ms, int64_t longest);
/* An HTTP date (RFC 9110, 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT") in ms since the epoch. */
AB_MUST bool ab_rest_http_date(struct ab_str text, int64_t *wall_ms);

#endif
