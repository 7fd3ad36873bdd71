/* SplitMix64: small, and no two draws of a test are alike. */
#include "support/fake_random.h"

#include <string.h>

static uint64_t draw(struct fake_random *fake)
{
    fake->state += 0x9e3779b97f4a7c15U;
    uint64_t word = fake->state;
    word = (word ^ word >> 30) * 0xbf58476d1ce4e5b9U;
    word = (word ^ word >> 27) * 0x94d049bb133111ebU;
    return word ^ word >> 31;
}

static void fill(void *context, void *out, size_t size)
{
    unsigned char *bytes = out;
    while (size > 0) {
        uint64_t word = draw(context);
        size_t part = size < sizeof(word) ? size : sizeof(word);
        memcpy(bytes, &word, part);
        bytes += part;
        size -= part;
    }
}

struct ab_random fake_random(struct fake_random *fake, uint64_t seed)
{
    fake->state = seed;
    return (struct ab_random){ .fill = fill, .context = fake };
}
