-- Records that a locked assignment's contact date was set otherwise than by an activity.
-- $1: assignment, $2: new date, $3: reason, $4: subject of the JWT. Index: assignments_pkey, contact_corrections_assignment_number_key.
INSERT INTO assignment_reminders.contact_corrections
       (number, organization_id, assignment_id, previous_date, new_date, reason, corrected_by, corrected_by_subject)
SELECT 1 + coalesce((SELECT max(c.number) FROM assignment_reminders.contact_corrections c WHERE c.assignment_id = a.id), 0),
       a.organization_id, a.id, a.last_contact_date, $2, $3, session_user, $4
  FROM assignment_reminders.assignments a
 WHERE a.id = $1
RETURNING id
