#include "app/secret.h"

#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SECRET_BYTES 16384 /* far more than any key */

/* Without the line break that editors put at the end of a file. */
static void append_trimmed(struct ab_buf *out, char *piece, size_t size)
{
    while (size > 0 && (piece[size - 1] == '\n' || piece[size - 1] == '\r'))
        size--;
    ab_buf_append(out, piece, size);
}

static bool read_file(const char *path, struct ab_buf *out, char *reason, size_t reason_size)
{
    char piece[SECRET_BYTES];
    FILE *file = fopen(path, "re");
    size_t size;

    if (file == NULL) {
        snprintf(reason, reason_size, "the file %s cannot be opened: %s", path, strerror(errno));
        return false;
    }
    setvbuf(file, NULL, _IONBF, 0);
    size = fread(piece, 1, sizeof piece, file);
    (void)fclose(file);
    append_trimmed(out, piece, size);
    explicit_bzero(piece, sizeof piece);
    if (out->size == 0)
        snprintf(reason, reason_size, "the file %s is empty", path);
    return out->size > 0;
}

static bool read_variable(const char *name, struct ab_buf *out, char *reason, size_t reason_size)
{
    const char *value = getenv(name);

    if (value == NULL || value[0] == '\0') {
        snprintf(reason, reason_size, "the environment variable %s is %s", name, value == NULL ? "not set" : "empty");
        return false;
    }
    ab_buf_append_text(out, value);
    return true;
}

bool ab_secret_read(void *arg, struct ab_json reference, struct ab_buf *out, char *reason, size_t reason_size)
{
    AB_CLEANUP(ab_free_string) char *variable = ab_json_string_dup(ab_json_member(reference, "env"));
    AB_CLEANUP(ab_free_string) char *path = ab_json_string_dup(ab_json_member(reference, "file"));

    (void)arg;
    if (path != NULL)
        return read_file(path, out, reason, reason_size);
    if (variable != NULL)
        return read_variable(variable, out, reason, reason_size);
    snprintf(reason, reason_size, "it names neither an environment variable nor a file");
    return false;
}
