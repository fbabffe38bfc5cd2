-- One page of an organisation's open assignments that have been silent since before a date, longest silent first.
-- $1: organisation, $2 and $3: silent_since and id of the last row of the page before (NULL: first page), $4: page size,
-- $5: the date. Index: assignments_open_contact_clock_idx, from the key to the date.
SELECT a.id, a.title, a.student_id, a.peer_mentor_id, a.coordinator_id, a.assigned_on, a.last_contact_date,
       coalesce(a.last_contact_date, a.assigned_on) AS silent_since
  FROM assignment_reminders.assignments a
 WHERE a.organization_id = $1
   AND a.status = 'open'
   AND (coalesce(a.last_contact_date, a.assigned_on), a.id)
       > (coalesce($2, '-infinity'::date), coalesce($3, '00000000-0000-0000-0000-000000000000'::uuid))
   AND coalesce(a.last_contact_date, a.assigned_on) < $5
 ORDER BY coalesce(a.last_contact_date, a.assigned_on), a.id
 LIMIT $4
