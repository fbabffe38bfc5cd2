-- Adds differences to the counts of mentors that lock.sql has locked. $1: mentors, $2: differences.
-- That locks in id order, so that batches over the same mentors wait for each other and do not deadlock.
--
-- The lock and the write are two statements, and must be. In one, the write would look for the rows in the snapshot
-- from before it waited, and come to the newest versions by way of old ones. Foreign key checks of other sessions keep
-- those busy, so it would queue for an old version behind somebody who waits for the new one, which we hold: a deadlock
-- (measured: over 6 % of transactions, 8 sessions inserting and deleting over 3 mentors). This one sees the locked versions.
-- Index: peer_mentors_pkey.
UPDATE assignment_reminders.peer_mentors m
   SET assignment_count = m.assignment_count + change.difference, updated_at = now()
  FROM unnest($1, $2) AS change (id, difference)
 WHERE m.id = change.id
RETURNING m.id, m.assignment_count
