-- The local operator lists everybody's tasks, newest first, page by page.

CREATE INDEX task_in_order ON task (created_at, id);
