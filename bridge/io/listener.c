#include "io/listener.h"

#include "base/list.h"
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

struct ab_listener {
    struct ab_listener_settings settings;
    uv_loop_t *loop;
    uv_poll_t poll;
    int fd;
    int spare_fd; /* given up for a moment when descriptors run out, so that a connection can be refused */
    bool open;
    char address[80];
    struct ab_list at_door;
    char *peeked; /* header_bytes + 1 */
};

/* A connection whose first head has not been seen whole. */
struct door {
    struct ab_listener *listener;
    struct ab_link link;
    uv_poll_t poll;
    uv_timer_t timer;
    int fd;
    unsigned n_open;
    bool began;
};

static void on_door_handle_closed(uv_handle_t *handle)
{
    struct door *door = handle->data;

    if (--door->n_open == 0)
        free(door);
}

static void leave_door(struct door *door)
{
    uv_poll_stop(&door->poll);
    ab_link_remove(&door->link);
    uv_close((uv_handle_t *)&door->poll, on_door_handle_closed);
    uv_close((uv_handle_t *)&door->timer, on_door_handle_closed);
}

/* Says why, in one packet, and takes what the peer still sends, so that the answer is not lost to a reset. */
static void refuse(struct door *door, const char *status, const char *text)
{
    char answer[512];
    char rest[4096];
    int size = snprintf(answer, sizeof(answer),
                        "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
                        "Connection: close\r\n\r\n{\"error\":\"%s\"}",
                        status, strlen(text) + 12, text);

    (void)send(door->fd, answer, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT);
    shutdown(door->fd, SHUT_WR);
    for (int i = 0; i < 64 && recv(door->fd, rest, sizeof(rest), MSG_DONTWAIT) > 0; i++)
        continue;
    leave_door(door);
    close(door->fd);
}

static void on_head_timeout(uv_timer_t *timer)
{
    struct door *door = timer->data;

    if (door->began) {
        refuse(door, "408 Request Timeout", "the request's head did not arrive in time");
        return;
    }
    leave_door(door);
    close(door->fd);
}

static void adopt(struct door *door)
{
    struct ab_listener *listener = door->listener;
    int lowat = 1;
    int fd = door->fd;

    setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &lowat, sizeof(lowat));
    leave_door(door);
    listener->settings.adopt(listener->settings.arg, fd);
}

/* Wakes only when more than this has come: what was looked at stays in the socket. */
static void wait_for_more(struct door *door, size_t seen)
{
    int lowat = (int)seen + 1;

    door->began = true;
    setsockopt(door->fd, SOL_SOCKET, SO_RCVLOWAT, &lowat, sizeof(lowat));
}

static void on_door_readable(uv_poll_t *poll, int status, int events)
{
    struct door *door = poll->data;
    struct ab_listener *listener = door->listener;
    size_t limit = listener->settings.header_bytes;
    ssize_t size;

    (void)events;
    size = status < 0 ? -1 : recv(door->fd, listener->peeked, limit + 1, MSG_PEEK | MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR) && status >= 0)
        return;
    if (size <= 0) {
        leave_door(door);
        close(door->fd);
    } else if (memmem(listener->peeked, (size_t)size, "\r\n\r\n", 4) != NULL) {
        adopt(door);
    } else if ((size_t)size > limit) {
        char text[128];
        snprintf(text, sizeof(text), "the request's head is larger than %zu bytes", limit);
        refuse(door, "431 Request Header Fields Too Large", text);
    } else if ((events & UV_DISCONNECT) != 0) {
        leave_door(door);
        close(door->fd);
    } else {
        wait_for_more(door, (size_t)size);
    }
}

static void open_door(struct ab_listener *listener, int fd)
{
    struct door *door = ab_alloc(1, sizeof(*door));
    int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    door->listener = listener;
    door->fd = fd;
    door->n_open = 2;
    ab_list_append(&listener->at_door, &door->link);
    uv_poll_init(listener->loop, &door->poll, fd);
    uv_timer_init(listener->loop, &door->timer);
    door->poll.data = door;
    door->timer.data = door;
    uv_poll_start(&door->poll, UV_READABLE | UV_DISCONNECT, on_door_readable);
    uv_timer_start(&door->timer, on_head_timeout, listener->settings.head_timeout_ms, 0);
    on_door_readable(&door->poll, 0, 0); /* the head is often there already */
}

static void refuse_for_lack_of_descriptors(struct ab_listener *listener)
{
    close(listener->spare_fd);
    int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0)
        close(fd);
    listener->spare_fd = dup3(listener->fd, listener->spare_fd, O_CLOEXEC);
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
    struct ab_listener *listener = poll->data;

    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPTS_AT_ONCE && listener->open; i++) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            open_door(listener, fd);
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
    listener->spare_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    listener->open = true;
    listener->peeked = ab_alloc(settings->header_bytes + 1, 1);
    ab_list_init(&listener->at_door);
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

    free(listener->peeked);
    free(listener);
}

void ab_listener_close(struct ab_listener *listener)
{
    struct ab_link *link;

    if (!listener->open)
        return;
    listener->open = false;
    uv_poll_stop(&listener->poll);
    close(listener->fd);
    close(listener->spare_fd);
    while ((link = ab_list_first(&listener->at_door)) != NULL) {
        struct door *door = AB_OWNER(link, struct door, link);
        leave_door(door);
        close(door->fd);
    }
}

void ab_listener_free(struct ab_listener *listener)
{
    if (listener == NULL)
        return;
    ab_listener_close(listener);
    uv_close((uv_handle_t *)&listener->poll, on_listener_closed);
}
