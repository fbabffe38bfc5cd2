-- A page of the assignments that the caller sees, by id.
-- $1: limit, $2: the last id of the page before; filters, each NULL for any: $3 status, $4 peer mentor, $5 student, $6 coordinator,
-- $7 without contact since this date (before it, or never). Index: the filter's, or assignments_pkey from the key on.
SELECT to_jsonb(a) AS row
  FROM assignment_reminders.assignments a
 WHERE ($2::uuid IS NULL OR a.id > $2)
   AND ($3::text IS NULL OR a.status = $3)
   AND ($4::uuid IS NULL OR a.peer_mentor_id = $4)
   AND ($5::uuid IS NULL OR a.student_id = $5)
   AND ($6::uuid IS NULL OR a.coordinator_id = $6)
   AND ($7::date IS NULL OR a.last_contact_date < $7 OR a.last_contact_date IS NULL)
 ORDER BY a.id
 LIMIT $1
