#include "io/pipe_server_uv.h"

#include "base/list.h"
#include "base/mem.h"
#include "wire/lines.h"
#include "wire/pipe_address.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#define BACKLOG 128
#define READ_BYTES 65536

struct ab_pipe_server {
    uv_pipe_t uv;
    struct ab_pipe_server_settings settings;
    struct ab_pipe_events events;
    void *arg;
    char *path;
    struct ab_list connections;
    unsigned n_connections;
    char buffer[READ_BYTES]; /* what is read is taken over before the next read */
};

struct connection {
    struct ab_pipe port;
    uv_pipe_t uv;
    struct ab_pipe_server *server; /* not touched once closed: it may be gone before */
    struct ab_link link;
    struct ab_lines lines;
    size_t waiting; /* bytes on their way out */
    bool behind;
    bool ended; /* the peer sends no more */
    bool closed;
};

struct output {
    uv_write_t request;
    struct connection *connection;
    size_t size;
    char data[];
};

/* --- the end of a connection --- */

static void on_connection_closed(uv_handle_t *handle)
{
    struct connection *connection = handle->data;

    ab_lines_deinit(&connection->lines);
    free(connection);
}

static void close_connection(struct connection *connection)
{
    struct ab_pipe_server *server = connection->server;

    if (connection->closed)
        return;
    connection->closed = true;
    ab_link_remove(&connection->link);
    server->n_connections--;
    server->events.closed(server->arg, &connection->port);
    uv_close((uv_handle_t *)&connection->uv, on_connection_closed);
}

static void refuse(struct connection *connection, const char *why)
{
    connection->server->events.refused(connection->server->arg, &connection->port, why);
    close_connection(connection);
}

/* --- lines in --- */

/* Gives lines out until there is none, or the peer owes us its reading. */
static void give_lines(struct connection *connection)
{
    struct ab_pipe_server *server = connection->server;
    enum ab_lines_result found = AB_LINES_NONE;
    struct ab_str line;

    while (!connection->behind && (found = ab_lines_next(&connection->lines, &line)) == AB_LINES_LINE)
        server->events.line(server->arg, &connection->port, line);
    if (connection->behind)
        uv_read_stop((uv_stream_t *)&connection->uv);
    else if (found == AB_LINES_TOO_LONG)
        refuse(connection, "the line is too long");
    else if (connection->ended && connection->waiting == 0)
        close_connection(connection);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct connection *connection = handle->data;

    (void)suggested;
    *buffer = uv_buf_init(connection->server->buffer, READ_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct connection *connection = stream->data;

    if (size > 0) {
        ab_lines_feed(&connection->lines, buffer->base, (size_t)size);
        give_lines(connection);
    } else if (size == UV_EOF) {
        connection->ended = true;
        uv_read_stop(stream);
        give_lines(connection);
    } else if (size < 0) {
        close_connection(connection);
    }
}

/* --- bytes out --- */

static void on_written(uv_write_t *request, int status)
{
    struct output *output = AB_OWNER(request, struct output, request);
    struct connection *connection = output->connection;
    struct ab_pipe_server *server = connection->server;

    connection->waiting -= output->size;
    free(output);
    if (connection->closed)
        return;
    if (status < 0) {
        close_connection(connection);
        return;
    }
    if (connection->waiting > 0)
        return;
    if (connection->behind) {
        connection->behind = false;
        if (!connection->ended)
            uv_read_start((uv_stream_t *)&connection->uv, on_alloc, on_read);
        server->events.drained(server->arg, &connection->port);
    }
    give_lines(connection);
}

static void write_later(struct connection *connection, struct ab_str data)
{
    struct output *output = ab_alloc(1, sizeof(*output) + data.size);
    uv_buf_t buffer = uv_buf_init(output->data, (unsigned)data.size);

    memcpy(output->data, data.data, data.size);
    output->connection = connection;
    output->size = data.size;
    if (uv_write(&output->request, (uv_stream_t *)&connection->uv, &buffer, 1, on_written) != 0)
        free(output); /* it is closing */
    else
        connection->waiting += data.size;
}

static int write_pipe(struct ab_pipe *port, struct ab_str data)
{
    struct connection *connection = AB_OWNER(port, struct connection, port);

    if (connection->closed || data.size == 0)
        return AB_OK;
    if (connection->waiting == 0) {
        uv_buf_t buffer = uv_buf_init((char *)(uintptr_t)data.data, (unsigned)data.size);
        int sent = uv_try_write((uv_stream_t *)&connection->uv, &buffer, 1);

        if (sent > 0) {
            data.data += sent;
            data.size -= (size_t)sent;
        }
    }
    if (data.size > 0)
        write_later(connection, data);
    connection->behind = connection->behind || connection->waiting > connection->server->settings.behind_bytes;
    return connection->behind ? AB_PIPE_BEHIND : AB_OK;
}

static const struct ab_pipe_ops ops = { .write = write_pipe };

/* --- connections --- */

static bool is_same_user(struct connection *connection)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    uv_os_fd_t fd;

    return uv_fileno((uv_handle_t *)&connection->uv, &fd) == 0 &&
           getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && (peer.uid == geteuid() || peer.uid == 0);
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct ab_pipe_server *server = stream->data;
    struct connection *connection;

    if (status < 0)
        return;
    connection = ab_alloc(1, sizeof(*connection));
    connection->port.ops = &ops;
    connection->server = server;
    ab_lines_init(&connection->lines, server->settings.line_bytes);
    uv_pipe_init(stream->loop, &connection->uv, 0);
    connection->uv.data = connection;
    if (uv_accept(stream, (uv_stream_t *)&connection->uv) != 0) {
        uv_close((uv_handle_t *)&connection->uv, on_connection_closed);
        return;
    }
    ab_list_append(&server->connections, &connection->link);
    server->n_connections++;
    server->events.opened(server->arg, &connection->port);
    if (!is_same_user(connection))
        refuse(connection, "this socket is for the user who runs the bridge, and root");
    else if (server->n_connections > server->settings.connections)
        refuse(connection, "too many connections are open");
    else
        uv_read_start((uv_stream_t *)&connection->uv, on_alloc, on_read);
}

/* --- the socket --- */

/* What a bridge that was killed left behind; anything else in its place is somebody's file. */
static bool remove_stale(const char *path, char *reason, size_t reason_size)
{
    struct stat found;

    if (lstat(path, &found) != 0)
        return true;
    if (!S_ISSOCK(found.st_mode)) {
        snprintf(reason, reason_size, "%s is in the way and is no socket: move it elsewhere", path);
        return false;
    }
    return unlink(path) == 0;
}

/* The mode is set before the socket can be seen. */
static int bind_socket(const struct ab_pipe_server_settings *settings, const char *path)
{
    struct sockaddr_un address;
    int directory = -1;
    int fd = -1;
    int why;

    if (!ab_pipe_address(settings->directory, settings->name, &address, &directory))
        return -1;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && (fchmod(fd, 0600) != 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
                    chmod(path, 0600) != 0)) {
        why = errno;
        close(fd);
        errno = why;
        fd = -1;
    }
    why = errno;
    if (directory >= 0)
        close(directory);
    errno = why;
    return fd;
}

struct ab_pipe_server *ab_pipe_server_new(struct ab_loop_uv *loop, const struct ab_pipe_server_settings *settings,
                                          const struct ab_pipe_events *events, void *arg, char *reason,
                                          size_t reason_size)
{
    char *path = ab_format("%s/%s", settings->directory, settings->name);
    struct ab_pipe_server *server;
    int fd;

    snprintf(reason, reason_size, "%s cannot be replaced", path);
    fd = remove_stale(path, reason, reason_size) ? bind_socket(settings, path) : -2;
    if (fd < 0) {
        if (fd == -1)
            snprintf(reason, reason_size, "%s: %s", path, strerror(errno));
        free(path);
        return NULL;
    }
    server = ab_alloc(1, sizeof(*server));
    server->settings = *settings;
    server->events = *events;
    server->arg = arg;
    server->path = path;
    ab_list_init(&server->connections);
    uv_pipe_init(ab_loop_uv_raw(loop), &server->uv, 0);
    server->uv.data = server;
    int opened = uv_pipe_open(&server->uv, fd);
    if (opened != 0)
        close(fd);
    if (opened != 0 || uv_listen((uv_stream_t *)&server->uv, BACKLOG, on_connection) != 0) {
        snprintf(reason, reason_size, "%s: the system lets nobody listen there", path);
        ab_pipe_server_free(server);
        return NULL;
    }
    return server;
}

static void on_server_closed(uv_handle_t *handle)
{
    struct ab_pipe_server *server = handle->data;

    free(server->path);
    free(server);
}

void ab_pipe_server_free(struct ab_pipe_server *server)
{
    struct ab_link *link;

    if (server == NULL)
        return;
    (void)unlink(server->path);
    while ((link = ab_list_first(&server->connections)) != NULL)
        close_connection(AB_OWNER(link, struct connection, link));
    uv_close((uv_handle_t *)&server->uv, on_server_closed);
}
