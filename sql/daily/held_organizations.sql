-- How many organizations' follow-ups are held, and one of them. $1: the one that is asked about (NULL: all). Index: organization_evaluations_held_idx.
SELECT count(*) AS held, min(e.organization_id::text) AS one
  FROM assignment_reminders.organization_evaluations e
 WHERE ($1::uuid IS NULL OR e.organization_id = $1) AND e.held_at IS NOT NULL AND e.released_at IS NULL
