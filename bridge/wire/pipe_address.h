/* The address of a local socket, whatever the length of its path. */
#ifndef AB_WIRE_PIPE_ADDRESS_H
#define AB_WIRE_PIPE_ADDRESS_H

#include "agentbridge/types.h"

#include <sys/un.h>

/* Fills `out` for the socket `name` in `directory`. The system takes about 100 characters; a longer path is named
 * through an open descriptor of the directory, which is returned in `directory_fd` (else -1) and must stay open until
 * bind or connect is done. False with errno set when the directory cannot be opened. */
AB_MUST bool ab_pipe_address(const char *directory, const char *name, struct sockaddr_un *out, int *directory_fd);

#endif
