-- Logs what the provider reported ($2: status, $3: event, $4: verdict, $5: error) of a message (reported_message.sql), once per event (without
-- an id: per message, status and verdict). Returns whether it is new, and whether it was counted before. Where the log has no address (any more),
-- the text goes, which may quote it. Index: send_logs_event_key.
), event AS (
    INSERT INTO assignment_reminders.send_logs
           (id, organization_id, reminder_id, assignment_id, reminder_type, anchor, to_email, from_inbox, message_id, event_id,
            status, verdict, error, attempt)
    SELECT assignment_reminders.time_ordered_id(), m.organization_id, m.reminder_id, m.assignment_id, m.reminder_type, m.anchor, m.to_email, m.from_inbox,
           m.name, coalesce($3, concat_ws('/', m.name, $2, $4)), $2, $4,
           CASE WHEN m.to_email IS NULL THEN assignment_reminders.without_text($5) ELSE $5 END, m.attempt
      FROM message m
        ON CONFLICT (organization_id, event_id) WHERE event_id IS NOT NULL DO NOTHING
    RETURNING id
)
SELECT EXISTS (SELECT FROM event) AS is_new, c.was_counted FROM counted c
