/* What the JSON reader says of texts: one a line on standard input, in hexadecimal; for each, one line with its
 * canonical form in hexadecimal, or "-" when it is refused. */
#include "base/mem.h"
#include "wire/json.h"

#include <stdio.h>
#include <string.h>

#define DEPTH 64

static unsigned digit(char character)
{
    return (unsigned)(character >= 'a' ? character - 'a' + 10 : character - '0');
}

/* In place; how many bytes there are. */
static size_t from_hex(char *line)
{
    size_t size = strcspn(line, "\n") / 2;

    for (size_t i = 0; i < size; i++)
        line[i] = (char)(digit(line[2 * i]) * 16 + digit(line[2 * i + 1]));
    return size;
}

static void judge(char *line)
{
    struct ab_str text = { line, from_hex(line) };
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json value;

    if (ab_json_check(text, DEPTH, &value, NULL)) {
        ab_json_canonical(value, false, &out);
        for (size_t i = 0; i < out.size; i++)
            printf("%02x", (unsigned char)out.data[i]);
        putchar('\n');
    } else {
        puts("-");
    }
    ab_buf_deinit(&out);
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;

    while (getline(&line, &room, stdin) > 0)
        judge(line);
    free(line);
    return 0;
}
