-- Logs, of the organization $1, a reminder ($2) that is deleted while a claim ($3) holds it: of the assignment $4, the type $5, the anchor $6, claimed for the
-- address $7 after $8 attempts. Index: send_logs_claim_key.
INSERT INTO assignment_reminders.send_logs
       (id, organization_id, claimed_reminder_id, claim_id, assignment_id, reminder_type, anchor, to_email, status, attempt)
VALUES (assignment_reminders.time_ordered_id(), $1, $2, $3, $4, $5, $6, nullif($7, ''), 'claimed', least($8, 2147483646) + 1)
    ON CONFLICT DO NOTHING
