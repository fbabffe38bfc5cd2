-- The team's task with pgmq, after it sent: one statement, and so one transaction, does what team_record.sql does ($1 to $5) and deletes the
-- messages ($6), also those that were not to be sent any more.
WITH sent AS (
    INSERT INTO bench.sent_reminders (assignment_id, recipient_id, reminder_type, silent_since, to_email, message_id)
    SELECT assignment_id, recipient_id, 'contact-reminder', silent_since, to_email, message_id
      FROM unnest($1::uuid[], $2::uuid[], $3::text[]::date[], $4::text[], $5::text[])
        AS m (assignment_id, recipient_id, silent_since, to_email, message_id)
        ON CONFLICT DO NOTHING
    RETURNING id, to_email, message_id
), logged AS (
    INSERT INTO bench.mail_log (sent_reminder_id, to_email, from_inbox, message_id, status)
    SELECT id, to_email, 'bench@example.org', message_id, 'queued' FROM sent
)
SELECT count(*) FROM pgmq.delete('deliver', $6::bigint[])
