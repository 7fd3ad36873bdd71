/* A task's things in the form of a version. Everything is written by its own name only: clients parse strictly. */
#ifndef AB_A2A_WRITE_H
#define AB_A2A_WRITE_H

#include "a2a/request.h"

enum ab_a2a_state ab_a2a_state_of(enum ab_task_status status, enum ab_task_reason reason);
bool ab_a2a_state_is_terminal(enum ab_a2a_state state);

/* Around one of the things that an answer or a stream may hold: `name` ("statusUpdate") where the form wraps, `kind`
 * ("status-update") where it has kinds. */
void ab_a2a_begin(struct ab_json_writer *writer, const struct ab_a2a_form *form, const char *name, const char *kind);
void ab_a2a_end(struct ab_json_writer *writer, const struct ab_a2a_form *form);

/* The value under this key, when it is of this type and not empty: default values are left out, as ProtoJSON does. */
void ab_a2a_put_filled(struct ab_json_writer *writer, const char *key, struct ab_json value, enum ab_json_type type);

/* Whose message it is; all borrowed. */
struct ab_a2a_message {
    const char *id;
    enum ab_a2a_role role;
    const char *context_id;
    const char *task_id; /* or NULL */
    struct ab_json parts;
    struct ab_json metadata; /* written when it is an object that is not empty */
    struct ab_json extensions;
    struct ab_json references;
};
/* Its members, inside an object that has been begun. */
void ab_a2a_write_message(struct ab_json_writer *writer, const struct ab_a2a_form *form,
                          const struct ab_a2a_message *message);

/* How a task stands. */
struct ab_a2a_status {
    enum ab_a2a_state state;
    int64_t at;
    const char *text;         /* for a person; or NULL */
    struct ab_json questions; /* those that are open; or no value */
    const char *context_id;
    const char *task_id;
    uint64_t number; /* of the event that led there */
};
/* As the row has it; fill text with something else to say more. The rest is borrowed from `task` and `open`, which
 * takes the text of the open questions. */
struct ab_a2a_status ab_a2a_status_of(const struct ab_task *task, struct ab_buf *open);
/* {"state","timestamp","message"?} */
void ab_a2a_write_status(struct ab_json_writer *writer, const struct ab_a2a_form *form,
                         const struct ab_a2a_status *status);

/* --- update.c: what happens to a task, as streams and push notifications tell it --- */

/* `final` where the form says so; `metadata_json` or NULL. */
void ab_a2a_write_status_update(struct ab_json_writer *writer, const struct ab_a2a_form *form,
                                const struct ab_a2a_status *status, bool final, const char *metadata_json);
/* An artifact or a piece of one, from an event of the engine. */
void ab_a2a_write_artifact_update(struct ab_json_writer *writer, const struct ab_a2a_form *form, const char *task_id,
                                  const char *context_id, struct ab_json artifact);
/* The same around an artifact that is written in between. */
void ab_a2a_begin_artifact_update(struct ab_json_writer *writer, const struct ab_a2a_form *form, const char *task_id,
                                  const char *context_id);
void ab_a2a_end_artifact_update(struct ab_json_writer *writer, const struct ab_a2a_form *form, bool append, bool last);

/* --- write.c --- */

/* Where a task's log is read, and how it is written. */
struct ab_a2a_view {
    struct ab_engine *engine;
    const struct ab_a2a_form *form;
};
struct ab_a2a_view ab_a2a_view_of(const struct ab_a2a_call *call);

struct ab_a2a_task_wish {
    int64_t history_length; /* < 0: all */
    bool artifacts;
    bool artifacts_always; /* an empty array where there are none: in lists; else the member is left out */
    const char *said;      /* in place of the status' words; or NULL */
};
/* Its members, inside an object that has been begun. < 0: the log cannot be read. */
AB_MUST int ab_a2a_write_task(struct ab_json_writer *writer, struct ab_a2a_view view, const struct ab_task *task,
                              const struct ab_a2a_task_wish *wish);
/* The members of an artifact but its parts, from an event or an artifact of the engine, then its parts. */
void ab_a2a_write_artifact(struct ab_json_writer *writer, const struct ab_a2a_form *form, struct ab_json artifact);
/* The result as an artifact; false when it holds nothing (then nothing was written). */
bool ab_a2a_write_result(struct ab_json_writer *writer, const struct ab_a2a_form *form, const struct ab_task *task);
/* The artifact id of the result, and of the answer that comes in pieces before it. */
AB_MUST char *ab_a2a_result_id(const char *task_id);

/* The member "history": at most `length` messages, the newest of them (< 0: all). */
AB_MUST int ab_a2a_write_history(struct ab_json_writer *writer, struct ab_a2a_view view, const struct ab_task *task,
                                 int64_t length);

#endif
