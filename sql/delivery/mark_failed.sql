-- Records that sending locked reminders ($1) failed, with their errors ($2) and either the wait in seconds before the next
-- attempt ($3) or NULL where they are given up, as of $4, what it says of their addresses ($5) and the attempts that it costs ($6). Returns which were given up,
-- the addresses and the errors. One that was withdrawn after its claim stays so.
-- A statement of its own, and its indexes, as mark_sent.sql says.
WITH failed AS (
    UPDATE assignment_reminders.reminders r
       SET status = CASE WHEN r.status = 'pending' AND answer.wait IS NULL THEN 'failed' ELSE r.status END,
           retry_at = CASE WHEN r.status = 'pending' THEN $4 + make_interval(secs => answer.wait) END,
           attempts = least(r.attempts, 2147483647 - answer.cost) + answer.cost, last_error = answer.error, claim_id = NULL, claimed_until = NULL, updated_at = now()
      FROM unnest($1::uuid[], $2::text[], $3::double precision[], $5::text[], $6::integer[]) AS answer (reminder_id, error, wait, verdict, cost)
     WHERE r.id = answer.reminder_id
    RETURNING r.id, r.organization_id, r.assignment_id, r.recipient_id, r.reminder_type, r.anchor, r.attempts, r.status, r.claimed_email,
              answer.error, answer.verdict, answer.cost
)
INSERT INTO assignment_reminders.send_logs
       (id, organization_id, reminder_id, assignment_id, reminder_type, anchor, to_email, status, error, verdict, attempt, given_up)
SELECT assignment_reminders.time_ordered_id(), failed.organization_id, failed.id, failed.assignment_id, failed.reminder_type,
       failed.anchor,
       nullif(coalesce(failed.claimed_email,
                -- Whom 0.1.0 claimed it for.
                (SELECT u.email FROM assignment_reminders.users u
                  WHERE u.id = coalesce(failed.recipient_id,
                                        (SELECT a.student_id FROM assignment_reminders.assignments a WHERE a.id = failed.assignment_id)))), ''),
       'failed', failed.error, failed.verdict,
       -- One that cost nothing is told by the number that the next will have, too.
       least(failed.attempts, 2147483646) + 1 - failed.cost, failed.status = 'failed'
  FROM failed
RETURNING reminder_id, organization_id, to_email, error, given_up
