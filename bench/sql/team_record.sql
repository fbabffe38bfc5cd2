-- The team's task, after it sent: keeps what was sent and logs it. $1: assignments, $2: recipients, $3: silent since, $4: addresses, $5: message
-- ids, pairwise. A job that runs again after a crash changes nothing.
WITH sent AS (
    INSERT INTO bench.sent_reminders (assignment_id, recipient_id, reminder_type, silent_since, to_email, message_id)
    SELECT assignment_id, recipient_id, 'contact-reminder', silent_since, to_email, message_id
      FROM unnest($1::uuid[], $2::uuid[], $3::text[]::date[], $4::text[], $5::text[])
        AS m (assignment_id, recipient_id, silent_since, to_email, message_id)
        ON CONFLICT DO NOTHING
    RETURNING id, to_email, message_id
)
INSERT INTO bench.mail_log (sent_reminder_id, to_email, from_inbox, message_id, status)
SELECT id, to_email, 'bench@example.org', message_id, 'queued' FROM sent
