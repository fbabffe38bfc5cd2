-- Keeps users ($1) that reminders are about to refer to from being deleted, as a foreign key does, but waits for nobody. In one order, as all that
-- lock more than one. Index: users_pkey.
SELECT u.id FROM assignment_reminders.users u WHERE u.id = ANY ($1) ORDER BY u.id FOR KEY SHARE SKIP LOCKED
