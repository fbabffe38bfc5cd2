-- The assignments of an organization ($1) as they were from $2 to $3. Index: those of row_versions.
SELECT v.row_id AS id, v.valid_from, v.valid_to, a.status = 'open' AND a.follow_up AS is_followed_up, a.assigned_on, a.peer_mentor_id, a.mentor_since,
       a.coordinator_id
  FROM assignment_reminders.row_versions('assignments', $2, $3, $1) AS v
 CROSS JOIN LATERAL jsonb_populate_record(NULL::assignment_reminders.assignments, v.row_version) AS a
 ORDER BY v.valid_from
