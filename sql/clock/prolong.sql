-- Pauses an assignment ($1) that is paused on $2 until $3 instead; with the reason $4, if there is one.
-- Index: assignment_pauses_assignment_idx.
UPDATE assignment_reminders.assignment_pauses p
   SET paused_until = $3, reason = coalesce($4, p.reason), updated_at = now()
 WHERE p.assignment_id = $1 AND p.cause = 'pause' AND $2 BETWEEN p.paused_from AND coalesce(p.paused_until, 'infinity')
RETURNING p.id
