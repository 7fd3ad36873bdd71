/* A list of sentences; nothing else. */
#include "app/problems.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>

void ab_problems_deinit(struct ab_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++)
        free(problems->items[i].text);
    free(problems->items);
    *problems = (struct ab_problems){ 0 };
}

__attribute__((format(printf, 4, 0))) static void add(struct ab_problems *problems, bool warning, const char *where,
                                                      const char *format, va_list arguments)
{
    char sentence[1024];
    bool whole = where == NULL || where[0] == '\0';

    (void)vsnprintf(sentence, sizeof sentence, format, arguments);
    problems->items = ab_realloc(problems->items, (problems->count + 1) * sizeof *problems->items);
    problems->items[problems->count++] = (struct ab_problem){
        .warning = warning,
        .text = ab_format("%s%s%s", whole ? "" : where, whole ? "" : ": ", sentence),
    };
    if (!warning)
        problems->errors++;
}

void ab_problem_error(struct ab_problems *problems, const char *where, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add(problems, false, where, format, arguments);
    va_end(arguments);
}

void ab_problem_warning(struct ab_problems *problems, const char *where, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add(problems, true, where, format, arguments);
    va_end(arguments);
}

void ab_problems_render(const struct ab_problems *problems, const char *name, struct ab_buf *out)
{
    for (size_t i = 0; i < problems->count; i++)
        ab_buf_printf(out, "%s: %s%s\n", name, problems->items[i].warning ? "warning: " : "", problems->items[i].text);
}

void ab_problem_path(const char *pointer, struct ab_buf *out)
{
    if (*pointer == '/')
        pointer++;
    for (; *pointer != '\0'; pointer++) {
        if (*pointer == '/')
            ab_buf_append_char(out, '.');
        else if (pointer[0] == '~' && (pointer[1] == '0' || pointer[1] == '1'))
            ab_buf_append_char(out, *++pointer == '0' ? '~' : '/');
        else
            ab_buf_append_char(out, *pointer);
    }
}
