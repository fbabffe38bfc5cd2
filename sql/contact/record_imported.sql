-- Keeps the contact date that an assignment was inserted with, so that later recomputations start from it. Number 0: corrections that the
-- same statement makes come after it.
-- $1: assignment, $2: organization, $3: the date, $4: who.
INSERT INTO assignment_reminders.contact_corrections
       (number, organization_id, assignment_id, previous_date, new_date, reason, corrected_by)
VALUES (0, $2, $1, NULL, $3, 'set when the assignment was inserted', $4)
