/* The guard of wire/guard.h at libcurl's doors: asked before a socket is opened, and before anything is sent. */
#ifndef AB_IO_CURL_GUARD_H
#define AB_IO_CURL_GUARD_H

#include "wire/guard.h"

#include <curl/curl.h>

struct ab_curl_guard {
    bool guarded;
    const struct ab_guard *guard; /* or NULL: public addresses only */
    bool forbidden;               /* it said no */
};

/* Sets how this handle opens its sockets; `guard` stays where it is until the transfer is over. */
void ab_curl_guard_set(CURL *easy, struct ab_curl_guard *guard);

#endif
