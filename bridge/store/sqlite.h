/* The store in an SQLite database: one writer thread with group commit, reads on a connection of the loop's own. */
#ifndef AB_STORE_SQLITE_H
#define AB_STORE_SQLITE_H

#include "agentbridge/store.h"
#include "base/log.h"
#include "base/metrics.h"
#include "wire/loop.h"

/* Opens (or makes) `directory`/agentbridge.db, takes the directory's lock (`directory`/lock, flock), and brings the
 * schema up to date from schemas/store/NNN.sql. NULL when it cannot; `reason` (at least 512 bytes) says why and what
 * would help: in use by another agentbridge, made by a newer version, not writable, not a database, disk full. */
AB_MUST struct ab_store *ab_store_sqlite_new(struct ab_loop *loop, const char *directory, const struct ab_log *log,
                                             struct ab_metrics *metrics, char *reason, size_t reason_size);

#endif
