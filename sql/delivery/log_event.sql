-- Logs what the provider reported ($2: status, $3: error, $4: event, $5: verdict) of the message that a log ($1) is of, once per event (without
-- an id: per message, status and verdict). Returns whether it is new, and whether a bounce of the message was counted before. Where the log has no address (any more),
-- the text goes, which may quote it. Indexes: send_logs_pkey, send_logs_message_idx, send_logs_event_key.
WITH message AS MATERIALIZED (
    SELECT l.*, coalesce(l.message_id, l.provider_message_id) AS name FROM assignment_reminders.send_logs l WHERE l.id = $1
), event AS (
    INSERT INTO assignment_reminders.send_logs
           (id, organization_id, reminder_id, assignment_id, reminder_type, anchor, to_email, from_inbox, message_id, event_id,
            status, verdict, error, attempt)
    SELECT assignment_reminders.time_ordered_id(), m.organization_id, m.reminder_id, m.assignment_id, m.reminder_type, m.anchor, m.to_email, m.from_inbox,
           m.name, coalesce($4, concat_ws('/', m.name, $2, $5)), $2, $5,
           CASE WHEN m.to_email IS NULL THEN assignment_reminders.without_text($3) ELSE $3 END, m.attempt
      FROM message m
        ON CONFLICT (organization_id, event_id) WHERE event_id IS NOT NULL DO NOTHING
    RETURNING id
)
SELECT EXISTS (SELECT FROM event) AS is_new,
       EXISTS (SELECT FROM assignment_reminders.send_logs l
                 JOIN message m ON m.organization_id = l.organization_id AND m.name = l.message_id
                WHERE l.status IN ('bounced', 'rejected') AND l.verdict IS DISTINCT FROM 'sender') AS was_counted
