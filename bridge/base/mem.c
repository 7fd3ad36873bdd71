/* Memory that is never missing: see mem.h for why. */
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

__attribute__((noreturn)) static void out_of_memory(void)
{
    static const char line[] = "agentbridge: out of memory, ending; what was acknowledged is stored\n";
    ssize_t ignored = write(STDERR_FILENO, line, sizeof(line) - 1);
    (void)ignored;
    abort();
}

void *ab_alloc(size_t count, size_t size)
{
    /* calloc may give NULL for nothing, which is no lack of memory. */
    void *memory = count == 0 || size == 0 ? calloc(1, 1) : calloc(count, size);
    if (memory == NULL) {
        out_of_memory();
    }
    return memory;
}

void *ab_realloc(void *memory, size_t size)
{
    void *moved = realloc(memory, size == 0 ? 1 : size);
    if (moved == NULL) {
        out_of_memory();
    }
    return moved;
}

char *ab_strdup(const char *text)
{
    return text == NULL ? NULL : ab_strndup(text, strlen(text));
}

char *ab_strndup(const char *data, size_t size)
{
    if (data == NULL) {
        return NULL;
    }
    if (size == SIZE_MAX) {
        out_of_memory();
    }
    char *copy = ab_realloc(NULL, size + 1);
    memcpy(copy, data, size);
    copy[size] = '\0';
    return copy;
}

char *ab_format(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int size = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (size < 0) {
        out_of_memory();
    }
    return text;
}

char **ab_strings_dup(const char *const *strings)
{
    size_t n = 0;
    while (strings != NULL && strings[n] != NULL) {
        n++;
    }
    char **copy = ab_alloc(n + 1, sizeof *copy);
    for (size_t i = 0; i < n; i++) {
        copy[i] = ab_strdup(strings[i]);
    }
    return copy;
}

void ab_strings_free(char **strings)
{
    for (size_t i = 0; strings[i] != NULL; i++) {
        free(strings[i]);
    }
    free(strings);
}

void ab_replace(char **slot, const char *text)
{
    char *copy = ab_strdup(text);
    free(*slot);
    *slot = copy;
}

void ab_free_string(char **text)
{
    free(*text);
    *text = NULL;
}

void ab_free_secret(char **text)
{
    if (*text != NULL) {
        explicit_bzero(*text, strlen(*text));
    }
    ab_free_string(text);
}
