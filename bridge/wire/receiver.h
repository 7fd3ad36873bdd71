/* Addresses that others want things posted to: whom they lead to, as far as the text alone says it. */
#ifndef AB_WIRE_RECEIVER_H
#define AB_WIRE_RECEIVER_H

#include "wire/guard.h"

/* Longer ones are refused. */
#define AB_RECEIVER_URL_BYTES 2048
/* "https://host:port" and the NUL. */
#define AB_RECEIVER_SIZE 300

/* Whether things may be posted to this URL: http or https, a host, neither credentials nor a fragment, nothing but
 * printable ASCII. Where the host is an address (or localhost), the guard is asked at once, over plain http only for
 * what its networks name; names are judged when they are connected to. Fills `receiver`: scheme, host and port, in
 * lower case. False: `reason` (at least 256 bytes) says what is wrong, to stand behind the name of the member. */
AB_MUST bool ab_receiver_read(const char *url, const struct ab_guard *guard, char receiver[AB_RECEIVER_SIZE],
                              char *reason, size_t reason_size);

#endif
