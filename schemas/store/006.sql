-- The same condition without IN: for a list of three SQLite makes a table of its own each time a row is written.

DROP INDEX task_open;
CREATE INDEX task_open ON task (owner, created_at, id)
    WHERE status = 'pending' OR status = 'executing' OR status = 'paused';
