-- Records that sending locked reminders ($1) failed, with their errors ($2) and either the wait in seconds before the next
-- attempt ($3) or NULL where they are given up, as of $4. Returns which were. One that was withdrawn after its claim stays so.
-- A statement of its own, and its indexes, as mark_sent.sql says.
WITH failed AS (
    UPDATE assignment_reminders.reminders r
       SET status = CASE WHEN r.status = 'pending' AND answer.wait IS NULL THEN 'failed' ELSE r.status END,
           retry_at = CASE WHEN r.status = 'pending' THEN $4 + make_interval(secs => answer.wait) END,
           attempts = r.attempts + 1, last_error = answer.error, claim_id = NULL, claimed_until = NULL, updated_at = now()
      FROM unnest($1::uuid[], $2::text[], $3::double precision[]) AS answer (reminder_id, error, wait)
     WHERE r.id = answer.reminder_id
    RETURNING r.id, r.organization_id, r.assignment_id, r.recipient_id, r.reminder_type, r.anchor, r.attempts, r.status, r.claimed_email,
              answer.error
)
INSERT INTO assignment_reminders.send_logs
       (id, organization_id, reminder_id, assignment_id, reminder_type, anchor, to_email, status, error, attempt, given_up)
SELECT assignment_reminders.time_ordered_id(), failed.organization_id, failed.id, failed.assignment_id, failed.reminder_type,
       failed.anchor, coalesce(failed.claimed_email, u.email), 'failed', failed.error, failed.attempts, failed.status = 'failed'
  FROM failed
  -- Whom 0.1.0 claimed it for.
  LEFT JOIN LATERAL (
       SELECT a.student_id FROM assignment_reminders.assignments a
        WHERE a.id = CASE WHEN failed.claimed_email IS NULL AND failed.recipient_id IS NULL THEN failed.assignment_id END LIMIT 1
       ) AS a ON true
  LEFT JOIN LATERAL (
       SELECT u.email FROM assignment_reminders.users u
        WHERE u.id = CASE WHEN failed.claimed_email IS NULL THEN coalesce(failed.recipient_id, a.student_id) END LIMIT 1
       ) AS u ON true
RETURNING given_up
