-- Freezes the statement of an organization ($1), from $2 to $3, as the lines of a period ($4). In one statement, so of one moment.
INSERT INTO assignment_reminders.closed_statements (closed_period_id, line, organization_id, peer_mentor_id, item, adjusts, number, assignment_ids)
SELECT $4, row_number() OVER (ORDER BY s.ordinality), $1, s.peer_mentor_id, s.item, s.adjusts, s.number, s.assignment_ids
  FROM assignment_reminders.mentor_statement($2, $3, $1) WITH ORDINALITY AS s (peer_mentor_id, item, number, assignment_ids, adjusts, ordinality)
