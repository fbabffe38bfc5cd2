-- What became of the reminders of an assignment ($1): before they were sent, and then; by a moment ($3, NULL: all), of a silence (its anchor $4, NULL: of all).
-- Whom a message went to is told by the last event before it, or by the reminder; the student ($2) where it names nobody, and is of a kind that goes to students. $5: the time zone.
-- Indexes: reminder_events_assignment_idx, reminders_assignment_type_key, send_logs_sent_once_key, send_logs_deleted_idx.
WITH event AS MATERIALIZED (
    SELECT e.happened_at, e.number, e.event, e.reason, e.reminder_type, e.anchor, e.recipient_id, e.reminder_id, e.episode,
           -- One that is of another mentor now may go to the same person.
           e.event <> 're-addressed'
               OR e.recipient_id IS DISTINCT FROM lag(e.recipient_id) OVER (PARTITION BY e.reminder_id ORDER BY e.happened_at, e.number) AS is_told
      FROM assignment_reminders.reminder_events e
     WHERE e.assignment_id = $1 AND ($3 IS NULL OR e.happened_at <= $3)
), reminder AS MATERIALIZED (
    SELECT r.id, r.recipient_id FROM assignment_reminders.reminders r WHERE r.assignment_id = $1
), sent AS (
    SELECT l.* FROM reminder r JOIN assignment_reminders.send_logs l ON l.reminder_id = r.id
     UNION ALL
    SELECT l.* FROM assignment_reminders.send_logs l WHERE l.assignment_id = $1 AND l.reminder_id IS NULL
), happened AS (
    SELECT e.happened_at, e.number, NULL::uuid AS log_id, e.event, e.reason, e.reminder_type, e.anchor, e.recipient_id,
           e.reminder_id, false AS is_given_up
      FROM event e
     WHERE e.is_told
     UNION ALL
    SELECT greatest(l.created_at, before.happened_at + interval '1 microsecond'), 0, l.id, l.status, l.error, l.reminder_type, l.anchor,
           coalesce(before.recipient_id, r.recipient_id), coalesce(l.reminder_id, l.claimed_reminder_id), l.given_up
      FROM sent l
      LEFT JOIN reminder r ON r.id = l.reminder_id
      LEFT JOIN LATERAL (
           SELECT e.recipient_id, e.happened_at FROM event e
            -- What was sent of an episode comes after it began, and all that is logged after the reminder was enqueued, whenever the transaction began
            -- that says so.
            WHERE e.reminder_id = l.reminder_id
                  AND (e.happened_at <= l.created_at OR e.episode <= l.episode AND e.event <> 're-addressed' OR e.event = 'enqueued')
               OR l.reminder_id IS NULL AND e.reminder_type = l.reminder_type AND e.happened_at <= l.created_at
            ORDER BY e.happened_at DESC, e.number DESC LIMIT 1
           ) AS before ON true
     WHERE $3 IS NULL OR l.created_at <= $3
)
SELECT h.happened_at, (h.happened_at AT TIME ZONE $5)::date AS day, h.event, h.reason, h.reminder_type,
       coalesce(h.recipient_id, assignment_reminders.addressee_id((assignment_reminders.reminder_kind(h.reminder_type)).addressee, NULL, NULL, NULL, $2)) AS recipient_id,
       h.reminder_id, h.is_given_up
  FROM happened h
 WHERE $4 IS NULL OR h.anchor = $4
 ORDER BY h.happened_at, h.number, h.log_id
