-- Sets the contact dates of locked assignments ($1) to $2, pairwise. Returns, for each row that was written, whether it holds the
-- date: a trigger of the owner's may have put in another. Index: assignments_pkey, once per assignment.
UPDATE assignment_reminders.assignments a
   SET last_contact_date = contact.contact_date, updated_at = now()
  FROM unnest($1::uuid[], $2::date[]) AS contact (assignment_id, contact_date)
 WHERE a.id = contact.assignment_id
RETURNING a.last_contact_date IS NOT DISTINCT FROM contact.contact_date AS is_as_told
