-- Gives locked reminders ($1) back as they were before their claim. A statement of its own, as mark_sent.sql says. Index: reminders_pkey.
UPDATE assignment_reminders.reminders r
   SET claim_id = NULL, claimed_until = NULL, updated_at = now()
 WHERE r.id = ANY ($1)
