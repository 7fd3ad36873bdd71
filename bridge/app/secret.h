/* Secrets by reference: a configuration and the store name where one is, never the secret itself. */
#ifndef AB_APP_SECRET_H
#define AB_APP_SECRET_H

#include "wire/json.h"

/* Appends the bytes that {"env":"NAME"} or {"file":"PATH"} names, read anew each time; of a file without the line break
 * at its end. False: `reason` says why they cannot be had. `arg` is not used. */
AB_MUST bool ab_secret_read(void *arg, struct ab_json reference, struct ab_buf *out, char *reason, size_t reason_size);

#endif
