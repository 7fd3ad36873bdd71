-- Tasks whose callers went away are stopped after a while, also when a restart comes between.

ALTER TABLE task ADD COLUMN abandon_ms INTEGER NOT NULL DEFAULT 0;
