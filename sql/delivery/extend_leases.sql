-- Extends the leases of reminders ($1) that a claim ($4) still holds to $2 + $3, but not of those withdrawn after it. Returns
-- the extended. Written in order, as mark_sent.sql says. Index: reminders_pkey.
WITH held AS MATERIALIZED (
    SELECT r.id
      FROM assignment_reminders.reminders r
     WHERE r.id = ANY ($1) AND r.claim_id = $4
     ORDER BY r.assignment_id, r.reminder_type
)
UPDATE assignment_reminders.reminders r
   SET claimed_until = $2 + $3, updated_at = now()
  FROM held
 WHERE r.id = held.id AND r.claim_id = $4 AND r.status = 'pending'
RETURNING r.id
