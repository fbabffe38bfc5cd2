-- What the outbox held of silences of an organization ($1) at $2, by days in the time zone $3. Index: those of messages_as_of.
SELECT m.assignment_id AS id, k.kind, (m.message).anchor, (m.message).status, (m.message).skip_reason,
       ((m.message).sent_at AT TIME ZONE $3)::date AS sent_on, ((m.message).scheduled_for AT TIME ZONE $3)::date AS scheduled_on,
       (m.message).peer_mentor_id, (m.message).recipient_id
  FROM assignment_reminders.reminder_kinds() AS k
 CROSS JOIN LATERAL assignment_reminders.messages_as_of(
           $2, $1, ARRAY(SELECT a.row_id FROM assignment_reminders.rows_as_of('assignments', $2, $1) AS a), k.reminder_type) AS m
 WHERE k.follows = 'silence'
