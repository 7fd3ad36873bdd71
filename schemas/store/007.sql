-- Lists whose cost does not grow with the number of finished tasks.
--
-- A task that has ended never changes again. It is put on the shelf of those that ended like it, and a shelf knows
-- how many it has: so a total is a sum over shelves, and a list a merge of their newest. Tasks that are open are few and
-- stand on no shelf. `latest` tells the last turn of a thread from those before it.

CREATE TABLE shelf (
    seq              INTEGER PRIMARY KEY,
    owner            TEXT NOT NULL,
    agent            TEXT NOT NULL,
    status           TEXT NOT NULL,
    reason           TEXT NOT NULL,
    latest           INTEGER NOT NULL,
    n                INTEGER NOT NULL,
    UNIQUE (owner, agent, status, reason, latest)
) STRICT;

ALTER TABLE task ADD COLUMN latest INTEGER NOT NULL DEFAULT 1;
ALTER TABLE task ADD COLUMN shelf INTEGER;

UPDATE task SET latest = 0 WHERE EXISTS (
    SELECT 1 FROM task AS newer INDEXED BY task_of_thread
    WHERE newer.thread_id = task.thread_id AND newer.owner = task.owner
    AND (newer.created_at, newer.id) > (task.created_at, task.id));

INSERT INTO shelf (owner, agent, status, reason, latest, n)
    SELECT owner, agent, status, reason, latest, count(*) FROM task WHERE finished_at > 0
    GROUP BY owner, agent, status, reason, latest;

-- With the indexes out of the way, which the lines below make anew.
DROP INDEX task_of_owner;
DROP INDEX task_of_agent;
DROP INDEX task_of_thread;
DROP INDEX task_in_order;
DROP INDEX task_open;
DROP TABLE task_count;

UPDATE task SET shelf = (
    SELECT seq FROM shelf WHERE shelf.owner = task.owner AND shelf.agent = task.agent
    AND shelf.status = task.status AND shelf.reason = task.reason AND shelf.latest = task.latest)
    WHERE finished_at > 0;

-- Conditions name only columns that change at a task's end: a commit before that touches no index. A thread that was
-- begun here has the id of its first task, which is found by that: most threads have no more than this one.
CREATE INDEX task_open ON task (owner) WHERE shelf IS NULL;
CREATE INDEX task_created ON task (shelf, created_at, id) WHERE shelf IS NOT NULL;
CREATE INDEX task_changed ON task (shelf, updated_at, id) WHERE shelf IS NOT NULL;
CREATE INDEX task_of_thread ON task (thread_id, owner, created_at, id) WHERE thread_id <> id;
