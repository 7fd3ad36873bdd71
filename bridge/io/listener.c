#include "io/listener.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#define BACKLOG 1024
/* Accepted in one turn; the rest waits for the next. */
#define ACCEPTS_AT_ONCE 64
#define UNREAD_MS 120000

struct ab_listener {
    struct ab_listener_settings settings;
    uv_loop_t *loop;
    uv_poll_t poll;
    int fd;
    unsigned unread_ms;
    int spare_fd; /* given up for a moment when descriptors run out, so that a connection can be refused */
    bool open;
    char address[80];
};

/* The spare one's number may be another thread's by the time a new spare is wanted: whichever is free is taken then. */
static void refuse_for_lack_of_descriptors(struct ab_listener *listener)
{
    if (listener->spare_fd >= 0)
        close(listener->spare_fd);
    int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        close(fd);
    listener->spare_fd = fcntl(listener->fd, F_DUPFD_CLOEXEC, 0);
}

static void accept_one(struct ab_listener *listener, int fd)
{
    int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &listener->unread_ms, sizeof(listener->unread_ms));
    listener->settings.accepted(listener->settings.arg, fd);
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
    struct ab_listener *listener = poll->data;

    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPTS_AT_ONCE && listener->open; i++) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            accept_one(listener, fd);
        else if (errno == EMFILE || errno == ENFILE)
            refuse_for_lack_of_descriptors(listener);
        else if (errno != EINTR && errno != ECONNABORTED)
            return;
    }
}

/* --- opening --- */

static int bind_address(const char *address, uint16_t port)
{
    struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_PASSIVE, .ai_socktype = SOCK_STREAM };
    struct addrinfo *found = NULL;
    char service[8];
    int on = 1;
    int fd = -1;

    snprintf(service, sizeof(service), "%u", port);
    if (getaddrinfo(address, service, &hints, &found) != 0) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
                    bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0)) {
        int why = errno;
        close(fd);
        errno = why;
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

static void name_address(struct ab_listener *listener)
{
    struct sockaddr_storage name = { 0 };
    socklen_t size = sizeof(name);
    char host[64] = "";
    char service[8] = "";

    getsockname(listener->fd, (struct sockaddr *)&name, &size);
    getnameinfo((struct sockaddr *)&name, size, host, sizeof(host), service, sizeof(service),
                NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(listener->address, sizeof(listener->address), name.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host,
             service);
}

struct ab_listener *ab_listener_new(struct ab_loop_uv *loop, const struct ab_listener_settings *settings, char *reason,
                                    size_t reason_size)
{
    struct ab_listener *listener;
    int fd = bind_address(settings->address, settings->port);

    if (fd < 0) {
        snprintf(reason, reason_size, "%s:%u: %s", settings->address, settings->port, strerror(errno));
        return NULL;
    }
    listener = ab_alloc(1, sizeof(*listener));
    listener->settings = *settings;
    listener->loop = ab_loop_uv_raw(loop);
    listener->fd = fd;
    listener->unread_ms = settings->unread_ms > 0 ? settings->unread_ms : UNREAD_MS;
    listener->spare_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    listener->open = true;
    name_address(listener);
    uv_poll_init(listener->loop, &listener->poll, fd);
    listener->poll.data = listener;
    uv_poll_start(&listener->poll, UV_READABLE, on_connection);
    return listener;
}

const char *ab_listener_address(const struct ab_listener *listener)
{
    return listener->address;
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct ab_listener *listener = handle->data;

    free(listener);
}

void ab_listener_close(struct ab_listener *listener)
{
    if (!listener->open)
        return;
    listener->open = false;
    uv_poll_stop(&listener->poll);
    close(listener->fd);
    if (listener->spare_fd >= 0)
        close(listener->spare_fd);
}

void ab_listener_free(struct ab_listener *listener)
{
    if (listener == NULL)
        return;
    ab_listener_close(listener);
    uv_close((uv_handle_t *)&listener->poll, on_listener_closed);
}
