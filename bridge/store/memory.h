/* The store in memory: the reference for the port's contract, and enough where nothing has to last. */
#ifndef AB_STORE_MEMORY_H
#define AB_STORE_MEMORY_H

#include "agentbridge/store.h"
#include "wire/loop.h"

AB_MUST struct ab_store *ab_store_memory_new(struct ab_loop *loop);

#endif
