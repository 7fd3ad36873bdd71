/* Files that a caller named by their URLs, fetched one after the other into a folder of their own before a program is
 * started on them. Whoever may call may name any URL: the guard decides what is connected to, redirects are not
 * followed, and sizes are bounded. */
#ifndef AB_AGENTS_FETCHED_FILES_H
#define AB_AGENTS_FETCHED_FILES_H

#include "wire/http_client.h"
#include "wire/json.h"
#include "wire/loop.h"

/* Borrowed for as long as there are fetched files. */
struct ab_fetch_settings {
    struct ab_loop *loop;
    struct ab_http_client *client;
    const struct ab_guard *guard; /* or NULL: public addresses only */
    const char *folder;           /* the folder for all of them; made when it is first needed */
    size_t file_bytes;            /* [32 MiB] the largest file */
};

struct ab_fetched_files;

/* Once, in a later turn: all are there, or `reason` says which one is not and why, without credentials. */
typedef void (*ab_fetched_fn)(void *arg, const char *reason);

/* Begins to fetch `urls` (an array of strings) into `folder`/`name`, where `name` is safe as a file's name. */
AB_MUST struct ab_fetched_files *ab_fetched_files_new(const struct ab_fetch_settings *settings, const char *name,
                                                      struct ab_json urls, ab_fetched_fn done, void *arg);
/* Writes them as [{"url","path","media_type"?,"bytes"}...]. */
void ab_fetched_files_write(const struct ab_fetched_files *files, struct ab_json_writer *writer);
/* How many there are, and the path of each. */
size_t ab_fetched_files_count(const struct ab_fetched_files *files);
const char *ab_fetched_files_path(const struct ab_fetched_files *files, size_t index);
/* Removes the folder with all that is in it; what is still being fetched is dropped, `done` no longer called. NULL is
 * accepted. */
void ab_fetched_files_free(struct ab_fetched_files *files);
/* Removes what an earlier process left. */
void ab_fetched_files_sweep(const char *folder);

#endif
