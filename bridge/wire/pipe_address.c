#include "wire/pipe_address.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

bool ab_pipe_address(const char *directory, const char *name, struct sockaddr_un *out, int *directory_fd)
{
    *out = (struct sockaddr_un){ .sun_family = AF_UNIX };
    *directory_fd = -1;
    if (snprintf(out->sun_path, sizeof out->sun_path, "%s/%s", directory, name) < (int)sizeof out->sun_path)
        return true;
    *directory_fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*directory_fd < 0)
        return false;
    if (snprintf(out->sun_path, sizeof out->sun_path, "/proc/self/fd/%d/%s", *directory_fd, name) <
        (int)sizeof out->sun_path)
        return true;
    close(*directory_fd);
    *directory_fd = -1;
    errno = ENAMETOOLONG;
    return false;
}
