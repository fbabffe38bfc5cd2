-- Locks, in id order, the assignments that inserted activities belong to, and returns those whose contact date they move
-- forward, with the new date. Everybody who touches the contact dates of several assignments locks them in this order
-- first, so batches cannot deadlock; a locked row is returned as others have left it.
-- Attempts move nothing, and lock nothing.
-- The write is a statement of its own for the reason that sql/counts/add.sql gives.
-- Index: organizations_pkey, once per activity, and assignments_pkey, once per assignment.
WITH contact AS MATERIALIZED (
    SELECT n.assignment_id, max((n.occurred_at AT TIME ZONE o.timezone)::date) FILTER (WHERE n.overruled_by IS NULL) AS contact_date
      FROM new_rows n
      JOIN assignment_reminders.organizations o ON o.id = n.organization_id
     WHERE n.is_contact
     GROUP BY n.assignment_id
), locked AS MATERIALIZED (
    SELECT a.id, a.last_contact_date, contact.contact_date
      FROM contact
      JOIN assignment_reminders.assignments a ON a.id = contact.assignment_id
     ORDER BY a.id
       FOR NO KEY UPDATE OF a
)
SELECT locked.id, locked.contact_date
  FROM locked
 WHERE locked.last_contact_date < locked.contact_date
    OR (locked.last_contact_date IS NULL AND locked.contact_date IS NOT NULL)
