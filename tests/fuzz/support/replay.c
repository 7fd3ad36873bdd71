/* Runs a fuzzer over files, without libFuzzer: each whole, then cut short at every place. A finding ends the program;
 * the last line says in which file. */
#include "support/fuzz.h"

#include "base/mem.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

/* Beyond it the cuts are further apart, so that a large file does not take long. */
#define CUTS 400

/* A copy of its exact size, so that the sanitizer sees a read beyond it. */
static void run(const char *bytes, size_t size)
{
    uint8_t *copy = ab_alloc(1, size > 0 ? size : 1);

    if (size > 0)
        memcpy(copy, bytes, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static bool read_file(const char *path, struct ab_buf *out)
{
    FILE *file = fopen(path, "re");
    char piece[4096];
    size_t size;

    if (file == NULL)
        return false;
    while ((size = fread(piece, 1, sizeof piece, file)) > 0)
        ab_buf_append(out, piece, size);
    (void)fclose(file);
    return true;
}

static bool replay_file(const char *path)
{
    struct ab_buf bytes = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    size_t step;

    printf("%s\n", path);
    (void)fflush(stdout);
    if (!read_file(path, &bytes)) {
        perror(path);
        return false;
    }
    run(bytes.data, bytes.size);
    step = bytes.size / CUTS + 1;
    for (size_t size = 0; size < bytes.size; size += step)
        run(bytes.data, size);
    ab_buf_deinit(&bytes);
    return true;
}

/* How many files there were; a folder that is not there has none. */
static size_t replay_folder(const char *path)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    size_t count = 0;

    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        AB_CLEANUP(ab_free_string) char *name = ab_format("%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.' && replay_file(name))
            count++;
    }
    if (folder != NULL)
        closedir(folder);
    return count;
}

int main(int argc, char **argv)
{
    size_t count = 0;

    for (int i = 1; i < argc; i++)
        count += replay_folder(argv[i]);
    printf("%zu files held\n", count);
    return count > 0 ? 0 : 1;
}
