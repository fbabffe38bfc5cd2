-- Keeps assignments ($1) that reminders are about to refer to from being deleted, as a foreign key does, but waits for nobody. In one order, as all that
-- lock more than one. Index: assignments_pkey.
SELECT a.id FROM assignment_reminders.assignments a WHERE a.id = ANY ($1) ORDER BY a.id FOR KEY SHARE SKIP LOCKED
