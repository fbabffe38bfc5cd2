-- Holds people ($1) that digests are for until the transaction ends, against other claims of digests and nobody's foreign keys; whoever is held by others is
-- left out, and waited for by none. In one order, as all that lock more than one. Index: users_pkey.
SELECT u.id FROM assignment_reminders.users u WHERE u.id = ANY ($1) ORDER BY u.id FOR NO KEY UPDATE SKIP LOCKED
