-- Logs what the provider reported ($2: status, $3: error, $4: event) of a message ($1), once per event (without an id: per
-- message and status), of an organization ($5; NULL: of the only one that sent such a message). Returns the message's organization
-- and address, and whether the event is new; where the log has no address (any more), the text goes, which may quote it; or that several organizations have sent such a message, and logs nothing.
-- Indexes: send_logs_message_idx, send_logs_event_key.
WITH message AS MATERIALIZED (
    SELECT l.*, min(l.organization_id::text) OVER () <> max(l.organization_id::text) OVER () AS is_ambiguous
      FROM assignment_reminders.send_logs l
     WHERE l.message_id = $1 AND l.status = 'queued' AND ($5 IS NULL OR l.organization_id = $5)
     ORDER BY l.created_at DESC LIMIT 1
), event AS (
    INSERT INTO assignment_reminders.send_logs
           (id, organization_id, reminder_id, assignment_id, reminder_type, anchor, to_email, from_inbox, message_id, event_id,
            status, error, attempt)
    SELECT assignment_reminders.time_ordered_id(), m.organization_id, m.reminder_id, m.assignment_id, m.reminder_type, m.anchor, m.to_email, m.from_inbox,
           m.message_id, coalesce($4, m.message_id || '/' || $2), $2,
           CASE WHEN m.to_email IS NULL THEN assignment_reminders.without_text($3) ELSE $3 END, m.attempt
      FROM message m
     WHERE NOT m.is_ambiguous
        ON CONFLICT (organization_id, event_id) WHERE event_id IS NOT NULL DO NOTHING
    RETURNING id
)
SELECT message.organization_id, message.to_email, message.is_ambiguous, EXISTS (SELECT FROM event) AS is_new
  FROM message
