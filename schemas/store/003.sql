-- The outbox: what is to be told elsewhere, written with the change that it tells of. A delivered row is removed.

CREATE TABLE delivery (
    seq              INTEGER PRIMARY KEY AUTOINCREMENT,
    task             INTEGER NOT NULL,
    lane             INTEGER NOT NULL,
    event            INTEGER NOT NULL,
    kind             TEXT NOT NULL,
    receiver         TEXT NOT NULL,
    target_json      TEXT NOT NULL,
    state            TEXT NOT NULL,
    created_at       INTEGER NOT NULL,
    started_at       INTEGER NOT NULL,
    next_at          INTEGER NOT NULL,
    attempts         INTEGER NOT NULL,
    last_error       TEXT
) STRICT;

CREATE INDEX delivery_due ON delivery (receiver, next_at, seq) WHERE state = 'due';
CREATE INDEX delivery_of_task ON delivery (task, lane, seq);
CREATE INDEX delivery_in_state ON delivery (state, seq);

-- Whom this task's caller wants told, besides those whom the configuration names.
ALTER TABLE request ADD COLUMN webhooks_json TEXT;
