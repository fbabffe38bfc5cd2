-- Records that sending reminders ($1) that a claim ($5) still holds failed, with their errors ($2) and either the wait in
-- seconds before the next attempt ($3) or NULL where they are given up, as of $4. Returns those recorded, and which were
-- given up. One that was withdrawn after its claim stays so. Written in order, as mark_sent.sql says. Indexes: primary keys.
WITH held AS MATERIALIZED (
    SELECT r.id, answer.error, answer.wait
      FROM unnest($1::uuid[], $2::text[], $3::double precision[]) AS answer (reminder_id, error, wait)
      JOIN assignment_reminders.reminders r ON r.id = answer.reminder_id
     WHERE r.claim_id = $5
     ORDER BY r.assignment_id, r.reminder_type
), failed AS (
    UPDATE assignment_reminders.reminders r
       SET status = CASE WHEN r.status = 'pending' AND held.wait IS NULL THEN 'failed' ELSE r.status END,
           retry_at = CASE WHEN r.status = 'pending' THEN $4 + make_interval(secs => held.wait) END,
           attempts = r.attempts + 1, last_error = held.error, claim_id = NULL, claimed_until = NULL, updated_at = now()
      FROM held
     WHERE r.id = held.id AND r.claim_id = $5 AND r.status IN ('pending', 'skipped')
    RETURNING r.id, r.organization_id, r.assignment_id, r.recipient_id, r.reminder_type, r.anchor, r.attempts, r.status,
              held.error
)
INSERT INTO assignment_reminders.send_logs
       (id, organization_id, reminder_id, assignment_id, reminder_type, anchor, to_email, status, error, attempt, given_up)
SELECT assignment_reminders.time_ordered_id(), failed.organization_id, failed.id, failed.assignment_id, failed.reminder_type,
       failed.anchor, u.email, 'failed', failed.error, failed.attempts, failed.status = 'failed'
  FROM failed
  LEFT JOIN assignment_reminders.assignments a ON a.id = CASE WHEN failed.recipient_id IS NULL THEN failed.assignment_id END
  LEFT JOIN assignment_reminders.users u ON u.id = coalesce(failed.recipient_id, a.student_id)
RETURNING reminder_id, given_up
