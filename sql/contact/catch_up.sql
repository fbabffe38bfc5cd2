-- The assignments whose contact dates install() must look at after the triggers were away: all that activities or
-- corrections say something about.
SELECT a.id
  FROM assignment_reminders.assignments a
 WHERE EXISTS (SELECT FROM assignment_reminders.activities t WHERE t.assignment_id = a.id)
    OR EXISTS (SELECT FROM assignment_reminders.contact_corrections c WHERE c.assignment_id = a.id)
