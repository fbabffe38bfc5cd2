-- Without activities, only assignments that had a contact date can change.
SELECT a.id AS assignment_id FROM assignment_reminders.assignments a WHERE a.last_contact_date IS NOT NULL
