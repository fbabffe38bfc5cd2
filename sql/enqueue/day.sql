-- What follows a person's day and is due at $1, in organizations $2 (NULL: all): the summary of everybody who asked for one, whose hour has come on their
-- local day, who has not had one for that day, and for whom there is something to say.
-- Postgres resolves an hour that a change of clocks skips to the one after it, and one that it repeats to its second pass.
-- Index: user_preferences_daily_summary_idx, primary keys, reminders_recipient_summary_key, assignments_student_due_at_idx.
SELECT u.organization_id, NULL::uuid AS assignment_id, u.id AS recipient_id, kind.reminder_type, today.anchor, hour.scheduled_for,
       NULL::text AS skip_reason, r.id AS reminder_id
  FROM assignment_reminders.user_preferences p
  JOIN assignment_reminders.users u ON u.id = p.user_id AND u.organization_id = p.organization_id
 CROSS JOIN LATERAL (SELECT assignment_reminders.reminder_type_of('summary') AS reminder_type) AS kind
 CROSS JOIN LATERAL (SELECT coalesce(u.timezone, assignment_reminders.organization_timezone(u.organization_id)) AS timezone) AS zone
 CROSS JOIN LATERAL (SELECT ($1 AT TIME ZONE zone.timezone)::date AS day) AS local
 CROSS JOIN LATERAL (SELECT local.day::timestamp AT TIME ZONE 'UTC' AS anchor) AS today
 CROSS JOIN LATERAL (
       SELECT (local.day + make_time(p.summary_hour, 0, 0)) AT TIME ZONE zone.timezone AS scheduled_for
       ) AS hour
  CROSS JOIN LATERAL (SELECT coalesce(p.summary_changed_at, least(p.created_at, p.updated_at)) AS at) AS asked
  LEFT JOIN assignment_reminders.reminders r
    ON r.recipient_id = u.id AND r.reminder_type = kind.reminder_type AND r.assignment_id IS NULL
  LEFT JOIN LATERAL (
       SELECT s.address_required FROM assignment_reminders.reminder_settings s WHERE s.organization_id = u.organization_id LIMIT 1
       ) AS s ON true
 WHERE ($2::uuid[] IS NULL OR p.organization_id = ANY ($2))
   AND p.daily_summary
   AND assignment_reminders.is_reachable(u.contact_opt_out, assignment_reminders.address_of(u.email, s.address_required), assignment_reminders.is_muted(p.muted_types, kind.reminder_type))
   AND hour.scheduled_for <= $1
   -- Asked for, or moved, after today's hour: from tomorrow on.
   AND NOT (asked.at > hour.scheduled_for AND asked.at <= $1)
   AND (r.id IS NULL
        OR assignment_reminders.is_rearmed(r.reminder_type, r.anchor, r.status, r.skip_reason, today.anchor, NULL))
   -- As has_something_to_say asks it of one person; here, inlined for many.
   AND EXISTS (SELECT FROM assignment_reminders.assignments a
                WHERE a.student_id = u.id AND a.organization_id = u.organization_id
                  AND assignment_reminders.is_in_daily_summary(
                          a.status, a.due_at, a.completed_at,
                          assignment_reminders.summary_since(coalesce(r.sent_at, r.previous_sent_at), $1, zone.timezone), $1))
