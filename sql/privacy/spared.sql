-- Where addresses ($2) of a person ($1) are another person's now: there they stay. Reads users whole: an address is unique within an
-- organization, and indexed by it.
SELECT u.organization_id, lower(u.email) AS address
  FROM assignment_reminders.users u
 WHERE lower(u.email) = ANY ($2) AND u.id <> $1
