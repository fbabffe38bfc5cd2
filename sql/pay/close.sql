-- Closes a period whose lines are there: $1 its id, $2 its organization, $3 its number, its days ($4, $5) and their bounds ($6, $7) in the time
-- zone $8; $9 the checksum of the one before, $10 and $11 who closes it. Index: closed_statements_pkey.
INSERT INTO assignment_reminders.closed_periods
       (id, organization_id, number, first_day, last_day, began_at, ended_at, timezone, closed_at, closed_by, closed_by_user, previous_checksum, checksum)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now(), $10, $11, $9,
        assignment_reminders.closed_period_checksum($1, $2, $3, $4, $5, $6, $7, $8, now(), $10, $11, $9))
RETURNING checksum,
          (SELECT count(DISTINCT l.peer_mentor_id)::integer FROM assignment_reminders.closed_statements l WHERE l.closed_period_id = $1 AND l.adjusts IS NULL) AS peer_mentors,
          (SELECT count(*)::integer FROM assignment_reminders.closed_statements l WHERE l.closed_period_id = $1 AND l.adjusts IS NOT NULL) AS adjustments
