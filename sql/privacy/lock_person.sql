-- Locks a person ($1) against every write, and against every row that would newly point to them, unless somebody else holds them.
-- Index: users_pkey.
SELECT u.id FROM assignment_reminders.users u WHERE u.id = $1 FOR UPDATE SKIP LOCKED
