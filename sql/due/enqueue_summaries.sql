-- Enqueues the daily summary of everybody who asked for one, whose hour has come on their local day, who has not had one
-- for that day, and for whom there is something to say. $1: as_of.
-- Postgres resolves an hour that a change of clocks skips to the one after it, and one that it repeats to its second pass.
-- Index: user_preferences_daily_summary_idx, primary keys, reminders_recipient_summary_key, assignments_student_due_at_idx.
WITH wanted AS MATERIALIZED (
    SELECT u.organization_id, u.id AS recipient_id, local.day::timestamp AT TIME ZONE 'UTC' AS anchor, hour.scheduled_for
      FROM assignment_reminders.user_preferences p
      JOIN assignment_reminders.users u ON u.id = p.user_id AND u.organization_id = p.organization_id
     CROSS JOIN LATERAL (SELECT coalesce(u.timezone, 'UTC') AS timezone) AS zone
     CROSS JOIN LATERAL (SELECT ($1::timestamptz AT TIME ZONE zone.timezone)::date AS day) AS local
     CROSS JOIN LATERAL (
           SELECT (local.day + make_time(p.summary_hour, 0, 0)) AT TIME ZONE zone.timezone AS scheduled_for
           ) AS hour
      LEFT JOIN assignment_reminders.reminders r
        ON r.recipient_id = u.id AND r.reminder_type = 'daily-summary' AND r.assignment_id IS NULL
     WHERE p.daily_summary AND NOT u.contact_opt_out AND u.email IS NOT NULL
       AND hour.scheduled_for <= $1
       -- Asked for, or moved, after today's hour: from tomorrow on.
       AND NOT (p.updated_at > hour.scheduled_for AND p.updated_at <= $1)
       AND (r.id IS NULL OR r.anchor < local.day::timestamp AT TIME ZONE 'UTC')
       AND assignment_reminders.has_something_to_say(u.id, $1, zone.timezone)
)
INSERT INTO assignment_reminders.reminders AS r (id, organization_id, recipient_id, reminder_type, anchor, scheduled_for)
SELECT assignment_reminders.time_ordered_id(), wanted.organization_id, wanted.recipient_id, 'daily-summary', wanted.anchor, wanted.scheduled_for
  FROM wanted
 ORDER BY wanted.recipient_id
    ON CONFLICT (recipient_id, reminder_type) WHERE assignment_id IS NULL DO UPDATE
   SET anchor = excluded.anchor, scheduled_for = excluded.scheduled_for, sent_at = NULL, status = 'pending', attempts = 0,
       last_error = NULL, skip_reason = NULL, retry_at = NULL, claim_id = NULL, claimed_until = NULL, updated_at = now()
 WHERE r.anchor < excluded.anchor
RETURNING r.id, r.organization_id, r.recipient_id, r.anchor, r.scheduled_for
