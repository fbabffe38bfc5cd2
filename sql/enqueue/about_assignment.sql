-- Enqueues what is due about assignments: the middle of a statement that src/delivery/enqueue.rs puts together, after a query of what is
-- due (silence.sql or due_date.sql) and of what of that nobody else holds (free.sql), and before enqueued.sql.
--
-- Rows are written in (assignment, type) order, as answers lock them, so that the two cannot deadlock. A row that is there is
-- re-armed where src/rules/outbox.rs says so, asked once more of the row as it is then, not as the query saw it.
INSERT INTO assignment_reminders.reminders AS r
       (id, organization_id, assignment_id, recipient_id, reminder_type, anchor, scheduled_for, status, skip_reason, peer_mentor_id)
SELECT assignment_reminders.time_ordered_id(), free.organization_id, free.assignment_id, free.recipient_id, free.reminder_type,
       free.anchor, free.scheduled_for, CASE WHEN free.skip_reason IS NULL THEN 'pending' ELSE 'skipped' END, free.skip_reason,
       free.peer_mentor_id
  FROM free
 ORDER BY free.assignment_id, free.reminder_type
    ON CONFLICT (assignment_id, reminder_type) DO UPDATE
   SET anchor = excluded.anchor, scheduled_for = excluded.scheduled_for,
       status = excluded.status, skip_reason = excluded.skip_reason, peer_mentor_id = excluded.peer_mentor_id,
       sent_at = NULL, attempts = 0, last_error = NULL, retry_at = NULL, updated_at = now(),
       -- A worker may still be sending for this anchor, and to this mentor: with its claim, and by its key. Where nobody else takes it over, whom it was
       -- claimed for stays with the claim, whose answer may make it sent.
       (episode, claim_id, claimed_until, claimed_email, recipient_id) = (
           SELECT CASE WHEN of.the_same THEN r.episode ELSE r.episode + 1 END,
                  CASE WHEN of.the_same THEN r.claim_id END, CASE WHEN of.the_same THEN r.claimed_until END,
                  CASE WHEN of.the_same THEN r.claimed_email END,
                  coalesce(excluded.recipient_id, CASE WHEN of.the_same AND r.claim_id IS NOT NULL THEN r.recipient_id END)
             FROM (SELECT r.anchor = excluded.anchor AND (r.peer_mentor_id <> excluded.peer_mentor_id) IS NOT TRUE
                          -- One that failed comes back for another alone.
                          AND r.status <> 'failed' AS the_same) AS of)
 WHERE assignment_reminders.is_rearmed(
           r.reminder_type, r.anchor, r.status, r.skip_reason, excluded.anchor, excluded.skip_reason,
           r.peer_mentor_id <> excluded.peer_mentor_id,
           CASE WHEN r.recipient_id IS NOT NULL THEN r.recipient_id <> excluded.recipient_id
                -- What is addressed to the student is told by whom it was handed out for, as in due_date.sql.
                WHEN r.status = 'failed' THEN (
                     SELECT r.claimed_for <> u.id OR lower(r.claimed_email) <> lower(coalesce(u.email, ''))
                       FROM assignment_reminders.assignments a
                       JOIN assignment_reminders.users u ON u.id = a.student_id
                      WHERE a.id = r.assignment_id) END)
RETURNING r.*
