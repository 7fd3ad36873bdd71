/* What every fuzzer is: one function of bytes. libFuzzer calls it with bytes that it makes up, support/replay.c with
 * the files of seeds/ and regression/. */
#ifndef AB_TESTS_FUZZ_H
#define AB_TESTS_FUZZ_H

#include "base/buf.h"
#include "base/str.h"
#include "wire/json.h"

#include <stddef.h>
#include <stdint.h>

/* libFuzzer's name of it. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that must hold whatever the bytes are; ends the program where it does not. */
#define HOLDS(condition) ((condition) ? (void)0 : fuzz_broken(#condition, __FILE__, __LINE__))
_Noreturn void fuzz_broken(const char *condition, const char *file, int line);

/* The bytes as text. */
struct ab_str fuzz_text(const uint8_t *data, size_t size);
/* Takes the first line off the front of `rest`, without its "\n"; the whole when there is none. */
struct ab_str fuzz_line(struct ab_str *rest);
/* Whether it is one JSON value, which then stands in `out`. */
AB_MUST bool fuzz_json(struct ab_str text, struct ab_json *out);
/* What the code under test wrote is one JSON value; empty text is none. */
void fuzz_wrote_json(const struct ab_buf *text);

/* For readers of bytes that come in pieces: hands the text over whole, in pieces of seven bytes and byte by byte. What
 * `tell` writes down of what it read must be the same each time. `tell` takes the pieces by fuzz_next_piece. */
struct fuzz_pieces {
    struct ab_str rest;
    size_t piece;
};
typedef void (*fuzz_tell_fn)(struct fuzz_pieces *pieces, struct ab_buf *told);
void fuzz_in_pieces(struct ab_str text, fuzz_tell_fn tell);
/* False at the end. The piece is a copy of its exact size, which the caller frees. */
AB_MUST bool fuzz_next_piece(struct fuzz_pieces *pieces, char **data, size_t *size);

#endif
