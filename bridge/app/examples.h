/* The example agents that are served when nobody names a configuration. */
#ifndef AB_APP_EXAMPLES_H
#define AB_APP_EXAMPLES_H

#include "agentbridge/types.h"

/* The path of their configuration, owned by the caller: beside the build folder, or where `make install` put it. NULL
 * when it is nowhere; `reason` (at least 512 bytes) says where it was looked for. */
AB_MUST char *ab_examples_find(char *reason, size_t reason_size);

#endif
