-- Keeps organizations ($1) that reminders are about to refer to from being deleted, as a foreign key does, but waits for nobody. In one order, as all that
-- lock more than one. Index: organizations_pkey.
SELECT o.id FROM assignment_reminders.organizations o WHERE o.id = ANY ($1) ORDER BY o.id FOR KEY SHARE SKIP LOCKED
