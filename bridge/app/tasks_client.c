#include "app/tasks_client.h"

#include "app/control.h"
#include "app/tasks_look.h"
#include "app/webhooks_look.h"
#include "base/mem.h"
#include "io/loop_uv.h"
#include "store/sqlite.h"
#include "wire/jsonrpc.h"
#include "wire/lines.h"
#include "wire/pipe_address.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DEPTH 128
#define LINE_BYTES ((size_t)1 << 30)
#define READ_BYTES 65536

struct ab_tasks_client {
    char *data;
    int fd; /* of the control socket; -1: the store is open instead */
    struct ab_lines lines;
    struct ab_buf result; /* of the store's own answers */

    struct ab_loop_uv *loop;
    struct ab_log log;
    struct ab_tasks_look look;
};

/* --- beginning --- */

/* The descriptor, or -1 with errno. */
static int connect_to(const char *data)
{
    struct sockaddr_un address;
    int directory = -1;
    int fd = -1;
    int why;

    if (!ab_pipe_address(data, AB_CONTROL_SOCKET, &address, &directory))
        return -1;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
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

/* An engine that is never started: it only looks. */
static bool open_store(struct ab_tasks_client *client, char *reason, size_t reason_size)
{
    struct ab_engine_settings settings = { .random = ab_random_system(), .log = &client->log };

    ab_log_init(&client->log, AB_LOG_WARNING);
    client->loop = ab_loop_uv_new();
    if (client->loop == NULL) {
        snprintf(reason, reason_size, "the system gives no event loop");
        return false;
    }
    settings.loop = ab_loop_uv_port(client->loop);
    settings.store = ab_store_sqlite_new(settings.loop, client->data, &client->log, NULL, reason, reason_size);
    if (settings.store == NULL) {
        ab_loop_uv_free(client->loop);
        client->loop = NULL;
        return false;
    }
    client->look.store = settings.store;
    client->look.engine = ab_engine_new(&settings);
    return true;
}

static bool has_store(const char *data)
{
    AB_CLEANUP(ab_free_string) char *path = ab_format("%s/agentbridge.db", data);
    struct stat found;

    return stat(path, &found) == 0;
}

/* A bridge that is just starting holds the directory before it answers, so both are tried for a while. */
static bool reach(struct ab_tasks_client *client, struct ab_buf *reason)
{
    const struct timespec pause = { .tv_nsec = 100 * 1000 * 1000 };
    char why[2048] = "";

    for (int tries = 0; tries < 3; tries++) {
        client->fd = connect_to(client->data);
        if (client->fd >= 0)
            return true;
        if (errno != ENOENT && errno != ECONNREFUSED) {
            ab_buf_printf(reason, "%s/%s: %s", client->data, AB_CONTROL_SOCKET, strerror(errno));
            return false;
        }
        if (!has_store(client->data)) {
            ab_buf_printf(reason,
                          "%s holds no tasks: say with --data or --config where the bridge keeps them, or start one "
                          "with \"agentbridge serve\"",
                          client->data);
            return false;
        }
        if (open_store(client, why, sizeof why))
            return true;
        (void)nanosleep(&pause, NULL);
    }
    ab_buf_append_text(reason, why);
    return false;
}

struct ab_tasks_client *ab_tasks_client_new(const char *data, struct ab_buf *reason)
{
    struct ab_tasks_client *client = ab_alloc(1, sizeof *client);

    client->data = ab_strdup(data);
    client->fd = -1;
    ab_lines_init(&client->lines, LINE_BYTES);
    ab_buf_init(&client->result, AB_BUF_UNBOUNDED);
    if (reach(client, reason))
        return client;
    ab_tasks_client_free(client);
    return NULL;
}

void ab_tasks_client_free(struct ab_tasks_client *client)
{
    if (client == NULL)
        return;
    if (client->fd >= 0)
        close(client->fd);
    if (client->look.engine != NULL)
        ab_engine_free(client->look.engine);
    if (client->look.store != NULL)
        client->look.store->ops->free(client->look.store);
    ab_loop_uv_free(client->loop);
    ab_lines_deinit(&client->lines);
    ab_buf_deinit(&client->result);
    free(client->data);
    free(client);
}

bool ab_tasks_client_is_served(const struct ab_tasks_client *client)
{
    return client->fd >= 0;
}

/* --- asking the store --- */

/* What was sent again without a bridge: the next one delivers it. */
struct resent {
    struct ab_tasks_client *client;
    struct ab_buf *reason;
};

static void on_resent(void *arg, size_t n_resent, const char *text)
{
    struct resent *resent = arg;

    ab_webhooks_write_resent(n_resent, &resent->client->result);
    if (text != NULL)
        ab_buf_append_text(resent->reason, text);
    ab_loop_uv_stop(resent->client->loop);
}

static bool resend(struct ab_tasks_client *client, struct ab_json params, struct ab_buf *reason)
{
    int64_t now = ab_clock_wall_ms(&ab_loop_uv_port(client->loop)->clock);
    struct resent resent = { client, reason };

    if (ab_webhooks_resend(client->look.store, params, now, on_resent, &resent, reason) != NULL)
        ab_loop_uv_run(client->loop);
    else
        ab_webhooks_write_resent(0, &client->result);
    return reason->size == 0;
}

static bool ask_store(struct ab_tasks_client *client, const char *method, struct ab_json params, struct ab_json *result,
                      struct ab_buf *reason)
{
    bool good = false;

    ab_buf_clear(&client->result);
    if (strcmp(method, "tasks/list") == 0)
        good = ab_tasks_list(&client->look, params, &client->result, reason);
    else if (strcmp(method, "tasks/show") == 0)
        good = ab_tasks_show(&client->look, params, &client->result, reason);
    else if (strcmp(method, "webhooks/list") == 0)
        good = ab_webhooks_list(client->look.store, params, &client->result, reason);
    else if (strcmp(method, "webhooks/show") == 0)
        good = ab_webhooks_show(client->look.store, params, &client->result, reason);
    else if (strcmp(method, "webhooks/resend") == 0)
        good = resend(client, params, reason);
    else
        ab_buf_printf(reason, "no bridge serves %s", client->data);
    if (good)
        *result = ab_json_trusted(client->result.data);
    return good;
}

/* --- asking the bridge --- */

static bool send_all(int fd, struct ab_str text)
{
    while (text.size > 0) {
        ssize_t sent = send(fd, text.data, text.size, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return false;
        text.data += sent;
        text.size -= (size_t)sent;
    }
    return true;
}

static bool next_line(struct ab_tasks_client *client, struct ab_str *line)
{
    char piece[READ_BYTES / 4];

    for (;;) {
        enum ab_lines_result found = ab_lines_next(&client->lines, line);
        ssize_t size;

        if (found != AB_LINES_NONE)
            return found == AB_LINES_LINE;
        do
            size = recv(client->fd, piece, sizeof piece, 0);
        while (size < 0 && errno == EINTR);
        if (size <= 0)
            return false;
        ab_lines_feed(&client->lines, piece, (size_t)size);
    }
}

static void tell_events(struct ab_json message, ab_tasks_event_fn event, void *arg)
{
    struct ab_json_iterator events = ab_json_iterate(ab_json_at(message, "params", "events", NULL));
    struct ab_json each;

    while (event != NULL && ab_json_next(&events, NULL, &each))
        event(arg, each);
}

static bool read_error(struct ab_json error, struct ab_buf *reason)
{
    if (!ab_json_unescape(ab_json_member(error, "message"), reason))
        ab_buf_append_text(reason, "the bridge answered with an error without words");
    return false;
}

static bool wait_for_answer(struct ab_tasks_client *client, ab_tasks_event_fn event, void *arg, struct ab_json *result,
                            struct ab_buf *reason)
{
    struct ab_json message;
    struct ab_str line;

    while (next_line(client, &line)) {
        if (!ab_json_check(line, DEPTH, &message, NULL))
            break;
        *result = ab_json_member(message, "result");
        if (ab_json_exists(ab_json_member(message, "error")))
            return read_error(ab_json_member(message, "error"), reason);
        if (ab_json_exists(*result))
            return true;
        tell_events(message, event, arg);
    }
    ab_buf_printf(reason, "the bridge that serves %s has ended or hung up", client->data);
    return false;
}

bool ab_tasks_client_ask(struct ab_tasks_client *client, const char *method, struct ab_str params,
                         ab_tasks_event_fn event, void *arg, struct ab_json *result, struct ab_buf *reason)
{
    AB_CLEANUP(ab_free_string) char *text = ab_strndup(params.data, params.size);
    struct ab_buf line = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    if (client->fd < 0)
        return ask_store(client, method, ab_json_trusted(text), result, reason);
    ab_jsonrpc_write_call(&line, ab_json_trusted("1"), method, text);
    ab_buf_append_char(&line, '\n');
    /* What it said before it hung up is worth reading, whether it took all of ours or not. */
    (void)send_all(client->fd, ab_buf_str(&line));
    ab_buf_deinit(&line);
    return wait_for_answer(client, event, arg, result, reason);
}

/* --- lists --- */

/* The parameters again, with the place where the page before ended. */
static void write_page_params(struct ab_json params, const char *after, struct ab_buf *out)
{
    struct ab_json_iterator each = ab_json_iterate(params);
    struct ab_json_writer writer;
    struct ab_json key;
    struct ab_json value;

    ab_json_writer_init(&writer, out);
    ab_json_object_begin(&writer);
    while (ab_json_next(&each, &key, &value)) {
        AB_CLEANUP(ab_free_string) char *name = ab_json_string_dup(key);
        if (name != NULL)
            ab_json_put_value(&writer, name, value);
    }
    ab_json_put_optional_text(&writer, "after", after);
    ab_json_object_end(&writer);
}

bool ab_tasks_client_list(struct ab_tasks_client *client, const char *method, struct ab_str params,
                          ab_tasks_page_fn page, void *arg, struct ab_buf *reason)
{
    AB_CLEANUP(ab_free_string) char *given = ab_strndup(params.data, params.size);
    struct ab_json result;
    char *after = NULL;
    bool good;

    do {
        struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
        write_page_params(ab_json_trusted(given), after, &text);
        good = ab_tasks_client_ask(client, method, ab_buf_str(&text), NULL, NULL, &result, reason);
        ab_buf_deinit(&text);
        free(after);
        after = good ? ab_json_string_dup(ab_json_member(result, "next")) : NULL;
        if (good)
            page(arg, result);
    } while (after != NULL);
    return good;
}
