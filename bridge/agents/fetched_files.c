#include "agents/fetched_files.h"

#include "base/mem.h"
#include "wire/receiver.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MOST_FILES = 64,
    FILE_BYTES = 32 << 20,
    CONNECT_MS = 10000,
    FIRST_BYTE_MS = 30000,
    IDLE_MS = 30000,
    NAME_BYTES = 64, /* of the URL's last segment, in a file's name */
    REASON_SIZE = 512
};

struct item {
    char *url;
    char *path;
    char *media_type; /* or NULL */
    size_t bytes;
};

struct ab_fetched_files {
    struct ab_fetch_settings settings;
    char *folder;
    struct item *items;
    size_t n_items;
    size_t at; /* which is being fetched */
    struct fetch *fetch;
    struct ab_timer *begin;
    ab_fetched_fn done;
    void *arg;
};

/* One request; it may outlive the files it was for. */
struct fetch {
    struct ab_fetched_files *files; /* NULL: nobody waits any more */
    struct ab_http_call *call;
    int file; /* -1: none yet */
    unsigned status;
    int fault; /* of writing */
};

/* --- removing --- */

static void remove_tree(int parent, const char *name)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *entry;
    if (folder == NULL) {
        if (fd >= 0) {
            close(fd);
        }
        (void)unlinkat(parent, name, 0);
        return;
    }
    while ((entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            remove_tree(fd, entry->d_name);
        }
    }
    closedir(folder);
    (void)unlinkat(parent, name, AT_REMOVEDIR);
}

void ab_fetched_files_sweep(const char *folder)
{
    remove_tree(AT_FDCWD, folder);
}

/* --- names --- */

/* "3-report.pdf": its place, and what the URL ends with as far as that is harmless. */
static char *file_name(size_t place, const char *url)
{
    const char *path = strstr(url, "://");
    size_t size = path != NULL ? strcspn(path + 3, "?#") : 0;
    struct ab_buf name = AB_BUF_INIT(NAME_BYTES + 32);
    ab_buf_printf(&name, "%zu-", place + 1);
    const char *slash = path != NULL ? memrchr(path + 3, '/', size) : NULL;
    const char *end = path != NULL ? path + 3 + size : NULL;
    for (const char *at = slash != NULL ? slash + 1 : end; at < end && name.size < NAME_BYTES; at++) {
        bool harmless = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') ||
                        *at == '.' || *at == '_' || *at == '-';
        ab_buf_append_char(&name, harmless ? *at : '_');
    }
    if (end == NULL || slash == NULL || slash + 1 >= end) {
        ab_buf_append_text(&name, "file");
    }
    return ab_buf_steal(&name);
}

/* --- fetching --- */

static void fetch_next(struct ab_fetched_files *files);

/* The host is named, the rest of the URL may hold what is nobody's business. */
AB_PRINTF(2, 3) static void give_up(struct ab_fetched_files *files, const char *format, ...)
{
    char reason[REASON_SIZE];
    char text[REASON_SIZE + 128];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    (void)snprintf(text, sizeof text, "file %zu of %zu could not be fetched: %s", files->at + 1, files->n_items,
                   reason);
    files->done(files->arg, text);
}

/* The type without its parameters, as far as it is one. */
static char *media_type(struct ab_str value)
{
    size_t size = 0;
    while (size < value.size && value.data[size] > ' ' && value.data[size] < 0x7f && value.data[size] != ';') {
        size++;
    }
    return size > 0 ? ab_strndup(value.data, size) : NULL;
}

static void on_head(void *arg, struct ab_http_call *call, unsigned status)
{
    struct fetch *fetch = arg;
    struct ab_str type;
    fetch->status = status;
    if (fetch->files != NULL && fetch->files->settings.client->ops->header(call, "content-type", &type)) {
        fetch->files->items[fetch->files->at].media_type = media_type(type);
    }
}

static void on_body(void *arg, struct ab_http_call *call, struct ab_str data)
{
    struct fetch *fetch = arg;
    (void)call;
    while (fetch->files != NULL && fetch->status == 200 && fetch->fault == 0 && data.size > 0) {
        ssize_t written = write(fetch->file, data.data, data.size);
        if (written < 0 && errno != EINTR) {
            fetch->fault = errno;
        } else if (written > 0) {
            fetch->files->items[fetch->files->at].bytes += (size_t)written;
            data.data += written;
            data.size -= (size_t)written;
        }
    }
}

static const char *why(const struct fetch *fetch, enum ab_http_call_outcome outcome, const char *text)
{
    if (outcome == AB_HTTP_CALL_TOO_LARGE) {
        return "it is larger than limits.file_bytes allows";
    }
    if (outcome == AB_HTTP_CALL_FORBIDDEN) {
        return "its address may not be reached from here (outbound.allow)";
    }
    if (outcome != AB_HTTP_CALL_DONE) {
        return text != NULL ? text : "the connection failed";
    }
    return fetch->fault != 0 ? strerror(fetch->fault) : NULL;
}

static void on_done(void *arg, enum ab_http_call_outcome outcome, const char *text)
{
    struct fetch *fetch = arg;
    struct ab_fetched_files *files = fetch->files;
    struct fetch ended = *fetch;
    close(fetch->file);
    free(fetch);
    if (files == NULL) {
        return;
    }
    files->fetch = NULL;
    char receiver[AB_RECEIVER_SIZE] = "";
    char unused[256];
    (void)!ab_receiver_read(files->items[files->at].url, files->settings.guard, receiver, unused, sizeof unused);
    const char *reason = why(&ended, outcome, text);
    if (reason != NULL) {
        give_up(files, "%s: %s", receiver, reason);
    } else if (ended.status != 200) {
        give_up(files, "%s answered with HTTP status %u", receiver, ended.status);
    } else {
        files->at++;
        fetch_next(files);
    }
}

static void fetch_item(struct ab_fetched_files *files, struct item *item, int file)
{
    static const struct ab_http_call_events events = { .head = on_head, .body = on_body, .done = on_done };
    struct ab_http_call_settings settings = {
        .method = "GET",
        .url = item->url,
        .connect_timeout_ms = CONNECT_MS,
        .first_byte_timeout_ms = FIRST_BYTE_MS,
        .idle_timeout_ms = IDLE_MS,
        .max_body = files->settings.file_bytes,
        .guarded = true,
        .guard = files->settings.guard,
    };
    struct fetch *fetch = ab_alloc(1, sizeof *fetch);
    fetch->files = files;
    fetch->file = file;
    files->fetch = fetch;
    fetch->call = files->settings.client->ops->start(files->settings.client, &settings, &events, fetch);
}

static void fetch_next(struct ab_fetched_files *files)
{
    char receiver[AB_RECEIVER_SIZE];
    char reason[256];
    if (files->at == files->n_items) {
        files->done(files->arg, NULL);
        return;
    }
    struct item *item = &files->items[files->at];
    if (!ab_receiver_read(item->url, files->settings.guard, receiver, reason, sizeof reason)) {
        give_up(files, "its URL %s", reason);
        return;
    }
    int file = open(item->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0) {
        give_up(files, "%s", strerror(errno));
        return;
    }
    fetch_item(files, item, file);
}

/* --- life --- */

static void add_items(struct ab_fetched_files *files, struct ab_json urls)
{
    struct ab_json_iterator iterator = ab_json_iterate(urls);
    struct ab_json url;
    files->items = ab_alloc(ab_json_count(urls) + 1, sizeof *files->items);
    while (ab_json_next(&iterator, NULL, &url)) {
        struct item *item = &files->items[files->n_items];
        AB_CLEANUP(ab_free_string) char *text = ab_json_string_dup(url);
        item->url = ab_strdup(text != NULL ? text : "");
        AB_CLEANUP(ab_free_string) char *name = file_name(files->n_items++, item->url);
        item->path = ab_format("%s/%s", files->folder, name);
    }
}

static bool make_folder(struct ab_fetched_files *files)
{
    return (mkdir(files->settings.folder, 0700) == 0 || errno == EEXIST) && mkdir(files->folder, 0700) == 0;
}

static void begin(void *arg)
{
    struct ab_fetched_files *files = arg;
    if (files->n_items > MOST_FILES) {
        give_up(files, "more than %d files are not taken", (int)MOST_FILES);
    } else if (!make_folder(files)) {
        give_up(files, "the folder for it cannot be made: %s", strerror(errno));
    } else {
        fetch_next(files);
    }
}

struct ab_fetched_files *ab_fetched_files_new(const struct ab_fetch_settings *settings, const char *name,
                                              struct ab_json urls, ab_fetched_fn done, void *arg)
{
    struct ab_fetched_files *files = ab_alloc(1, sizeof *files);
    files->settings = *settings;
    files->settings.file_bytes = settings->file_bytes > 0 ? settings->file_bytes : FILE_BYTES;
    files->folder = ab_format("%s/%s", settings->folder, name);
    files->done = done;
    files->arg = arg;
    add_items(files, urls);
    files->begin = ab_timer_new(settings->loop, begin, files);
    ab_timer_start(files->begin, 0);
    return files;
}

void ab_fetched_files_write(const struct ab_fetched_files *files, struct ab_json_writer *writer)
{
    ab_json_array_begin(writer);
    for (size_t i = 0; i < files->n_items; i++) {
        const struct item *item = &files->items[i];
        ab_json_object_begin(writer);
        ab_json_put_text(writer, "url", item->url);
        ab_json_put_text(writer, "path", item->path);
        ab_json_put_optional_text(writer, "media_type", item->media_type);
        ab_json_put_int(writer, "bytes", (int64_t)item->bytes);
        ab_json_object_end(writer);
    }
    ab_json_array_end(writer);
}

size_t ab_fetched_files_count(const struct ab_fetched_files *files)
{
    return files->n_items;
}

const char *ab_fetched_files_path(const struct ab_fetched_files *files, size_t index)
{
    return files->items[index].path;
}

void ab_fetched_files_free(struct ab_fetched_files *files)
{
    if (files == NULL) {
        return;
    }
    if (files->fetch != NULL) {
        files->fetch->files = NULL;
        files->settings.client->ops->cancel(files->fetch->call);
    }
    ab_timer_free(files->begin);
    remove_tree(AT_FDCWD, files->folder);
    for (size_t i = 0; i < files->n_items; i++) {
        free(files->items[i].url);
        free(files->items[i].path);
        free(files->items[i].media_type);
    }
    free(files->items);
    free(files->folder);
    free(files);
}
