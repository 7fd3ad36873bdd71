/* Random bytes and names. */
#include "base/id.h"

#include "base/mem.h"

#include <errno.h>
#include <sys/random.h>

static void fill_from_kernel(void *context, void *out, size_t size)
{
    (void)context;
    unsigned char *bytes = out;
    while (size > 0) {
        ssize_t got = getrandom(bytes, size, 0);
        if (got < 0) {
            if (errno != EINTR) {
                abort(); /* a guessable id would be worse than none */
            }
            continue;
        }
        bytes += got;
        size -= (size_t)got;
    }
}

struct ab_random ab_random_system(void)
{
    return (struct ab_random){ .fill = fill_from_kernel };
}

void ab_random_fill(const struct ab_random *source, void *out, size_t size)
{
    source->fill(source->context, out, size);
}

void ab_hex(const void *data, size_t size, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = '\0';
}

void ab_id_make(const struct ab_random *source, char out[33])
{
    unsigned char bytes[16];
    ab_random_fill(source, bytes, sizeof(bytes));
    ab_hex(bytes, sizeof(bytes), out);
}
