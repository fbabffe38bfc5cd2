-- Extends the leases of locked reminders ($1) to $2 + $3. A statement of its own, as mark_sent.sql says. Index: reminders_pkey.
UPDATE assignment_reminders.reminders r
   SET claimed_until = $2 + $3, updated_at = now()
 WHERE r.id = ANY ($1)
