-- Releases what is held of an organization ($1). Index: organization_evaluations_pkey.
UPDATE assignment_reminders.organization_evaluations e
   SET released_at = now(), updated_at = now()
 WHERE e.organization_id = $1 AND e.held_at IS NOT NULL AND e.released_at IS NULL
RETURNING true AS was_held
