#include "support/fuzz.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

/* As deep as the program reads itself. */
#define DEPTH 64

_Noreturn void fuzz_broken(const char *condition, const char *file, int line)
{
    (void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

struct ab_str fuzz_text(const uint8_t *data, size_t size)
{
    return (struct ab_str){ (const char *)data, size };
}

struct ab_str fuzz_line(struct ab_str *rest)
{
    const char *end = rest->size > 0 ? memchr(rest->data, '\n', rest->size) : NULL;
    struct ab_str line = { rest->data, end != NULL ? (size_t)(end - rest->data) : rest->size };
    size_t taken = line.size + (end != NULL ? 1 : 0);

    if (taken > 0)
        *rest = (struct ab_str){ rest->data + taken, rest->size - taken };
    return line;
}

bool fuzz_json(struct ab_str text, struct ab_json *out)
{
    return ab_json_check(text, DEPTH, out, NULL);
}

void fuzz_wrote_json(const struct ab_buf *text)
{
    struct ab_json value;

    HOLDS(!text->full);
    /* What wraps a value of the greatest depth is deeper than that. */
    HOLDS(ab_json_check(ab_buf_str(text), DEPTH + 8, &value, NULL));
}

void fuzz_in_pieces(struct ab_str text, fuzz_tell_fn tell)
{
    struct fuzz_pieces ways[] = { { text, text.size }, { text, 7 }, { text, 1 } };
    struct ab_buf told[] = { AB_BUF_INIT(AB_BUF_UNBOUNDED), AB_BUF_INIT(AB_BUF_UNBOUNDED),
                             AB_BUF_INIT(AB_BUF_UNBOUNDED) };

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        tell(&ways[i], &told[i]);
        HOLDS(ab_str_equal(ab_buf_str(&told[0]), ab_buf_str(&told[i])));
    }
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        ab_buf_deinit(&told[i]);
}

bool fuzz_next_piece(struct fuzz_pieces *pieces, char **data, size_t *size)
{
    struct ab_str *rest = &pieces->rest;

    if (rest->size == 0)
        return false;
    *size = rest->size < pieces->piece ? rest->size : pieces->piece;
    *data = ab_alloc(1, *size);
    memcpy(*data, rest->data, *size);
    *rest = (struct ab_str){ rest->data + *size, rest->size - *size };
    return true;
}
