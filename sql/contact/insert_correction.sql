-- Inserts a correction of an assignment ($1) of an organization ($2): new date ($3), reason ($4). Its number is the trigger's to give.
INSERT INTO assignment_reminders.contact_corrections (number, organization_id, assignment_id, new_date, reason)
VALUES (0, $2, $1, $3, $4)
