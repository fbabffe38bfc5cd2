-- Marks as overruled the activities that a correction contradicts: contacts later than the corrected date.
-- $1: assignment, $2: new date, $3: correction. Index: activities_assignment_idx.
UPDATE assignment_reminders.activities t
   SET overruled_by = $3, updated_at = now()
  FROM assignment_reminders.organizations o
 WHERE t.assignment_id = $1
   AND o.id = t.organization_id
   AND t.is_contact
   AND t.overruled_by IS NULL
   AND ($2 IS NULL OR (t.occurred_at AT TIME ZONE o.timezone)::date > $2)
