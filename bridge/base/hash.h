/* A keyed hash (SipHash-1-3) for tables whose keys a peer may choose. */
#ifndef AB_BASE_HASH_H
#define AB_BASE_HASH_H

#include "agentbridge/types.h"

struct ab_hash_seed {
    uint64_t low;
    uint64_t high;
};

/* The process's own seed: the random bytes that the kernel gave it when it began. */
struct ab_hash_seed ab_hash_seed_process(void);
uint64_t ab_hash(struct ab_hash_seed seed, struct ab_str data);

#endif
