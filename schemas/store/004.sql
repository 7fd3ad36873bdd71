-- Agents whose work goes on elsewhere while the bridge is down: what they need to find it again, and answers that may
-- not have got through.

ALTER TABLE task ADD COLUMN notes_json TEXT;
ALTER TABLE task ADD COLUMN answers_json TEXT;
