/* The contract of agentbridge/store.h as tests that every store must pass, and what tests of one store borrow. */
#ifndef AB_TESTS_STORE_CONTRACT_H
#define AB_TESTS_STORE_CONTRACT_H

#include "agentbridge/store.h"
#include "wire/loop.h"

/* How the tests come by a store. */
struct store_maker {
    const char *name;
    struct ab_store *(*open)(struct ab_loop *loop, const char *directory);
    bool has_directory; /* a fresh one is made for each test and removed with all in it */
};

struct store_rig {
    const struct store_maker *maker;
    struct ab_loop *loop; /* a real_loop */
    struct ab_store *store;
    char *directory;
};

/* The SQLite store; when it does not open, standard error says why. */
extern const struct store_maker store_sqlite_maker;

/* Runs the contract's tests; returns how many failed. */
int store_contract_run(const struct store_maker *maker);

/* One test of the contract; `state` is a struct store_rig. */
struct store_case {
    const char *name;
    void (*test)(void **state);
};
/* Those about reads, the sweep and records. */
const struct store_case *store_read_cases(size_t *count);
/* Those about lists and totals. */
const struct store_case *store_list_cases(size_t *count);
/* Those about the outbox. */
const struct store_case *store_outbox_cases(size_t *count);

/* cmocka's setup and teardown: the test's initial state is the struct store_maker, its state the struct store_rig. */
int store_rig_setup(void **state);
int store_rig_teardown(void **state);
/* Frees the store: rig->store is NULL afterwards. */
void store_rig_close(struct store_rig *rig);
/* Frees the store and opens it again. */
void store_rig_reopen(struct store_rig *rig);

/* What a commit came to. */
struct store_wait {
    bool done;
    enum ab_store_outcome outcome;
    char text[256];
};
/* An ab_store_done_fn; `arg` is a struct store_wait. */
void store_wait_done(void *arg, enum ab_store_outcome outcome, const char *text);

/* A task whose id is `number` in hexadecimal digits, pending, of owner "alice" and agent "report", created at
 * 1,000,000 + number, without events. The caller owns it (ab_task_deinit). */
void store_sample_task(struct ab_task *out, unsigned number);
/* `n` events numbered from `first`, chunks; the body of each says its number and is padded to about `bytes`. */
struct ab_event *store_sample_events(uint64_t first, size_t n, size_t bytes);
void store_free_events(struct ab_event *events, size_t n);
/* The request of every sample; `key` may be NULL. The caller owns it. */
void store_sample_request(struct ab_task_request *out, const char *key);

/* Creates the task with `n_events` events, as a commit that is waited for. */
enum ab_store_outcome store_create(struct store_rig *rig, struct ab_task *task, const char *key, size_t n_events);
/* Adds `n_events` events to a task as it stands in `task`, whose last_event moves on when that is done. */
enum ab_store_outcome store_update(struct store_rig *rig, struct ab_task *task, size_t n_events, size_t bytes);
/* Sweeps and waits. */
enum ab_store_outcome store_sweep(struct store_rig *rig, int64_t finished_before, size_t limit);
/* Removes the task of this id and waits. */
enum ab_store_outcome store_remove(struct store_rig *rig, const char *id);
/* Events of a task must be numbered 1, 2, 3 ... up to its row's last_event: fails the test otherwise. */
void store_check_dense(struct ab_store *store, const char *id);
/* The ids of a list as one text of their numbers in decimal digits, "3 2 1". The caller frees it. */
char *store_list_text(struct ab_store *store, const struct ab_store_filter *filter);

#endif
