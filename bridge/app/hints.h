/* How to connect, for the person who just started the bridge. */
#ifndef AB_APP_HINTS_H
#define AB_APP_HINTS_H

#include "base/buf.h"

/* `url` is the bridge's address without a path: "http://127.0.0.1:7800". */
void ab_hints_write(struct ab_buf *out, const char *url);

#endif
