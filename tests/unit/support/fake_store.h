/* A store around another one that can hold commits back, refuse them and pretend a backlog. */
#ifndef AB_TEST_FAKE_STORE_H
#define AB_TEST_FAKE_STORE_H

#include "agentbridge/store.h"
#include "base/list.h"
#include "wire/loop.h"

struct fake_store {
    struct ab_store store;
    struct ab_store *inner;
    struct ab_loop *loop;
    struct ab_list held;   /* struct ab_change */
    struct ab_list untold; /* struct untold */
    unsigned n_commits;    /* handed over so far */

    bool holding;                  /* commits wait for fake_store_release */
    bool quiet;                    /* commits are written, and told of by fake_store_tell */
    unsigned fail_from;            /* number of the first commit that fails, from 1; 0: none */
    unsigned fail_count;           /* how many fail from there on */
    enum ab_store_outcome fail_as; /* CONFLICT or REFUSED */
    bool fails_late;      /* what fails is written all the same, but for new tasks: only the word of it is lost */
    size_t backlog;       /* added to the inner one */
    bool unreadable;      /* get and events fail */
    unsigned unsettled;   /* so many settlements are still to be refused */
    unsigned event_reads; /* calls of events() */
};

/* Takes `inner` over. */
struct fake_store *fake_store_new(struct ab_store *inner, struct ab_loop *loop);
/* Lets all held commits go on, in order. */
void fake_store_release(struct fake_store *store);
/* Tells of all that was written while it was quiet, in order. */
void fake_store_tell(struct fake_store *store);

#endif
