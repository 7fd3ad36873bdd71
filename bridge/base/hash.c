/* SipHash-1-3 (Aumasson, Bernstein): one round for each eight bytes, three at the end. */
#include "base/hash.h"

#include <string.h>
#include <sys/auxv.h>

struct state {
    uint64_t a, b, c, d;
};

static uint64_t rotate(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

static void mix(struct state *state)
{
    state->a += state->b;
    state->b = rotate(state->b, 13) ^ state->a;
    state->a = rotate(state->a, 32);
    state->c += state->d;
    state->d = rotate(state->d, 16) ^ state->c;
    state->a += state->d;
    state->d = rotate(state->d, 21) ^ state->a;
    state->c += state->b;
    state->b = rotate(state->b, 17) ^ state->c;
    state->c = rotate(state->c, 32);
}

static void absorb(struct state *state, uint64_t word)
{
    state->d ^= word;
    mix(state);
    state->a ^= word;
}

struct ab_hash_seed ab_hash_seed_process(void)
{
    struct ab_hash_seed seed = { 0, 0 };
    unsigned long address = getauxval(AT_RANDOM);
    if (address != 0) {
        /* The kernel hands the address over as a number. */
        memcpy(&seed, (const void *)(uintptr_t)address, sizeof(seed));
    }
    return seed;
}

uint64_t ab_hash(struct ab_hash_seed seed, struct ab_str data)
{
    struct state state = { seed.low ^ 0x736f6d6570736575U, seed.high ^ 0x646f72616e646f6dU,
                           seed.low ^ 0x6c7967656e657261U, seed.high ^ 0x7465646279746573U };
    size_t at = 0;
    for (; data.size - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, data.data + at, sizeof(word));
        absorb(&state, word);
    }
    uint64_t last = 0;
    if (at < data.size) {
        memcpy(&last, data.data + at, data.size - at);
    }
    absorb(&state, last | (uint64_t)data.size << 56);
    state.c ^= 0xff;
    mix(&state);
    mix(&state);
    mix(&state);
    return state.a ^ state.b ^ state.c ^ state.d;
}
