-- Which users an organization's ($1) mentors were from $2 to $3. Index: those of row_versions.
SELECT v.row_id AS id, v.valid_from, v.valid_to, (v.row_version ->> 'user_id')::uuid AS user_id
  FROM assignment_reminders.row_versions('peer_mentors', $2, $3, $1) AS v
 ORDER BY v.valid_from
