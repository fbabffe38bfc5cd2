-- The statement of a peer mentor ($1) whom the caller sees, from $2 to $3: a row for each line, or one without. Index: peer_mentors_pkey; the function
-- reads the organization's history.
SELECT u.name, CASE WHEN s.item IS NOT NULL THEN to_jsonb(s) - 'peer_mentor_id' - 'ordinality' END AS row
  FROM assignment_reminders.peer_mentors m
  LEFT JOIN assignment_reminders.users u ON u.id = m.user_id AND u.organization_id = m.organization_id
  LEFT JOIN LATERAL assignment_reminders.mentor_statement($2, $3, m.organization_id) WITH ORDINALITY
       AS s (peer_mentor_id, item, number, assignment_ids, adjusts, ordinality) ON s.peer_mentor_id = m.id
 WHERE m.id = $1
 ORDER BY s.ordinality
