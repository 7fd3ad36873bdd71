-- The store's first schema. Rows are small and change often; what is big is written once and stands in tables of its
-- own. Every index below answers one question whose cost must not grow with the number of finished tasks.
-- Statuses, reasons and kinds stand as their names. Times are milliseconds since 1970, 0 for "not yet".

CREATE TABLE task (
    seq              INTEGER PRIMARY KEY,
    id               TEXT NOT NULL UNIQUE,
    thread_id        TEXT NOT NULL,
    owner            TEXT NOT NULL,
    agent            TEXT NOT NULL,
    surface          TEXT NOT NULL,
    surface_json     TEXT,
    title            TEXT,
    status           TEXT NOT NULL,
    reason           TEXT NOT NULL,
    status_message   TEXT,
    progress_value   REAL,
    progress_total   REAL,
    progress_message TEXT,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    finished_at      INTEGER NOT NULL,
    last_event       INTEGER NOT NULL,
    turn             INTEGER NOT NULL,
    attempt          INTEGER NOT NULL,
    n_artifacts      INTEGER NOT NULL,
    idempotency_key  TEXT,
    questions_json   TEXT,
    result_json      TEXT,
    error_json       TEXT
) STRICT;

CREATE INDEX task_of_owner ON task (owner, created_at, id);
CREATE INDEX task_of_agent ON task (owner, agent, created_at, id);
CREATE INDEX task_of_thread ON task (thread_id, owner, created_at, id);
CREATE INDEX task_open ON task (owner, created_at, id) WHERE status IN ('pending', 'executing', 'paused');
CREATE INDEX task_finished ON task (finished_at) WHERE finished_at > 0;
CREATE UNIQUE INDEX task_of_key ON task (owner, agent, idempotency_key) WHERE idempotency_key IS NOT NULL;

-- What the caller handed over, read only when the task is run; its idempotency key stands in the task's row.
CREATE TABLE request (
    task             INTEGER PRIMARY KEY,
    message_json     TEXT NOT NULL,
    arguments_json   TEXT,
    input_json       TEXT NOT NULL,
    options_json     TEXT NOT NULL
) STRICT;

CREATE TABLE event (
    task             INTEGER NOT NULL,
    number           INTEGER NOT NULL,
    at               INTEGER NOT NULL,
    kind             TEXT NOT NULL,
    body_json        TEXT NOT NULL,
    PRIMARY KEY (task, number)
) STRICT, WITHOUT ROWID;

-- How many tasks stand in each status, kept by the same transactions that move them.
CREATE TABLE task_count (
    status           TEXT PRIMARY KEY,
    n                INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE record (
    kind             TEXT NOT NULL,
    id               TEXT NOT NULL,
    owner            TEXT,
    expires_at       INTEGER NOT NULL,
    body             BLOB NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX record_expired ON record (expires_at) WHERE expires_at > 0;
