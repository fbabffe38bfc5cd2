-- Enqueues the due reminders of every assignment whose first one's time has come and that is not yet due, one for each of
-- its organisation's offsets. $1: as_of. Offsets are exact lengths: a day is 24 hours, whatever the time zone.
--
-- Index: assignments_open_due_at_idx for the range up to the longest offset of all; reminders_assignment_type_key for each
-- of its assignments and offsets. A row is written when there is none, when its due date moved, or when what it was
-- skipped for no longer holds; one without an anchor was inserted by hand and stands for itself. The condition on the
-- update holds against the row as it is then.
WITH due_offset AS MATERIALIZED (
    SELECT DISTINCT ON (s.organization_id, exact.length) s.organization_id, exact.length,
           assignment_reminders.due_reminder_type(given.length) AS reminder_type,
           max(exact.length) OVER (PARTITION BY s.organization_id) AS longest
      FROM assignment_reminders.reminder_settings s
     CROSS JOIN unnest(s.due_offsets) AS given (length)
     CROSS JOIN LATERAL (SELECT make_interval(secs => extract(epoch FROM given.length)::double precision) AS length) AS exact
     ORDER BY s.organization_id, exact.length, reminder_type
), due AS MATERIALIZED (
    SELECT a.organization_id, a.id AS assignment_id, o.reminder_type, a.due_at, a.due_at - o.length AS scheduled_for
      FROM assignment_reminders.assignments a
      JOIN due_offset o ON o.organization_id = a.organization_id
      JOIN assignment_reminders.users u ON u.id = a.student_id AND u.organization_id = a.organization_id
      LEFT JOIN LATERAL (
           SELECT * FROM assignment_reminders.reminders r
            WHERE r.assignment_id = a.id AND r.reminder_type = o.reminder_type
            LIMIT 1
           ) AS r ON true
     WHERE a.status = 'open'
       AND a.due_at > $1 AND a.due_at <= $1 + (SELECT max(o.length) FROM due_offset o)
       AND a.due_at - o.longest <= $1
       -- Created after an offset's time: that one is not caught up on.
       AND NOT (a.created_at > a.due_at - o.length AND a.created_at <= $1)
       AND NOT u.contact_opt_out AND u.email IS NOT NULL
       AND (r.id IS NULL
            OR r.anchor <> a.due_at
            OR (r.anchor = a.due_at AND r.status = 'skipped' AND r.skip_reason NOT IN ('superseded', 'past_due')))
)
INSERT INTO assignment_reminders.reminders AS r (id, organization_id, assignment_id, reminder_type, anchor, scheduled_for)
SELECT assignment_reminders.time_ordered_id(), due.organization_id, due.assignment_id, due.reminder_type, due.due_at, due.scheduled_for
  FROM due
 ORDER BY due.assignment_id, due.reminder_type
    ON CONFLICT (assignment_id, reminder_type) DO UPDATE
   SET anchor = excluded.anchor, scheduled_for = excluded.scheduled_for, sent_at = NULL, status = 'pending', attempts = 0,
       last_error = NULL, skip_reason = NULL, retry_at = NULL, updated_at = now(),
       -- A worker may still be sending for this anchor.
       claim_id = CASE WHEN r.anchor = excluded.anchor THEN r.claim_id END,
       claimed_until = CASE WHEN r.anchor = excluded.anchor THEN r.claimed_until END
 WHERE r.anchor <> excluded.anchor
    OR (r.status = 'skipped' AND r.skip_reason NOT IN ('superseded', 'past_due'))
RETURNING r.id, r.organization_id, r.assignment_id, r.reminder_type, r.anchor, r.scheduled_for
