#include "io/peerwatch.h"

#include "base/list.h"
#include "base/mem.h"

#include <fcntl.h>
#include <unistd.h>
#include <uv.h>

struct ab_peerwatch {
    uv_poll_t poll;
    int fd;
    ab_loop_fn gone;
    void *arg;
};

static void on_event(uv_poll_t *poll, int status, int events)
{
    struct ab_peerwatch *watch = poll->data;

    if (status >= 0 && (events & UV_DISCONNECT) == 0)
        return;
    uv_poll_stop(poll);
    watch->gone(watch->arg);
}

struct ab_peerwatch *ab_peerwatch_new(struct ab_loop_uv *loop, int fd, ab_loop_fn gone, void *arg)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    struct ab_peerwatch *watch;

    if (copy < 0)
        return NULL;
    watch = ab_alloc(1, sizeof(*watch));
    watch->fd = copy;
    watch->gone = gone;
    watch->arg = arg;
    uv_poll_init(ab_loop_uv_raw(loop), &watch->poll, copy);
    watch->poll.data = watch;
    uv_poll_start(&watch->poll, UV_DISCONNECT, on_event);
    return watch;
}

static void on_closed(uv_handle_t *handle)
{
    free(AB_OWNER(handle, struct ab_peerwatch, poll));
}

void ab_peerwatch_free(struct ab_peerwatch *watch)
{
    if (watch == NULL)
        return;
    uv_poll_stop(&watch->poll);
    close(watch->fd);
    uv_close((uv_handle_t *)&watch->poll, on_closed);
}
