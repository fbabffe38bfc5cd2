-- Records that a locked assignment's contact date was set otherwise than by an activity.
-- $1: assignment, $2: new date, $3: reason, $4: subject of the JWT. Index: assignments_pkey.
INSERT INTO assignment_reminders.contact_corrections
       (organization_id, assignment_id, previous_date, new_date, reason, corrected_by, corrected_by_subject)
SELECT a.organization_id, a.id, a.last_contact_date, $2, $3, session_user, $4
  FROM assignment_reminders.assignments a
 WHERE a.id = $1
RETURNING id
