/* Random bytes that are the same in every run of a test. */
#ifndef AB_TESTS_FAKE_RANDOM_H
#define AB_TESTS_FAKE_RANDOM_H

#include "base/id.h"

struct fake_random {
    uint64_t state;
};

/* `fake` must outlive the source. Two with the same seed give the same bytes. */
struct ab_random fake_random(struct fake_random *fake, uint64_t seed);

#endif
