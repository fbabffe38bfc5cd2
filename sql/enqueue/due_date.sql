-- What follows a due date and is due at $1, in organizations $2 (NULL: all): a reminder for each of the organization's offsets, of every assignment whose first
-- one's time has come and that is not yet due. src/rules/due.rs says which offsets are open.
--
-- Index: assignments_open_due_at_idx for the range up to the longest offset of all; reminders_assignment_type_key for each
-- of its assignments and offsets; user_preferences_pkey. A recipient whom a row names already stays.
WITH due_offset AS MATERIALIZED (
    SELECT DISTINCT ON (s.organization_id, exact.length) s.organization_id, exact.length,
           assignment_reminders.due_reminder_type(setting.length) AS reminder_type,
           -- What was called otherwise, in other units, is the same.
           assignment_reminders.due_reminder_types(setting.length) AS reminder_types,
           s.address_required, max(exact.length) OVER (PARTITION BY s.organization_id) AS longest
      FROM assignment_reminders.reminder_settings s
     CROSS JOIN unnest(s.due_offsets) AS setting (length)
     CROSS JOIN LATERAL (SELECT make_interval(secs => extract(epoch FROM setting.length)::double precision) AS length) AS exact
     ORDER BY s.organization_id, exact.length, reminder_type
)
SELECT a.organization_id, a.id AS assignment_id, r.recipient_id, coalesce(r.reminder_type, o.reminder_type) AS reminder_type, a.due_at AS anchor,
       a.due_at - o.length AS scheduled_for, NULL::text AS skip_reason, NULL::uuid AS peer_mentor_id, r.id AS reminder_id
  FROM assignment_reminders.assignments a
  JOIN due_offset o ON o.organization_id = a.organization_id
 CROSS JOIN LATERAL (
       SELECT * FROM assignment_reminders.users u
        WHERE u.id = a.student_id AND u.organization_id = a.organization_id LIMIT 1
       ) AS u
  LEFT JOIN LATERAL (
       SELECT p.muted_types FROM assignment_reminders.user_preferences p WHERE p.user_id = u.id LIMIT 1
       ) AS p ON true
  LEFT JOIN LATERAL (
       SELECT * FROM assignment_reminders.reminders r
        WHERE r.assignment_id = a.id AND r.reminder_type = ANY (o.reminder_types)
        ORDER BY r.reminder_type <> o.reminder_type
        LIMIT 1
       ) AS r ON true
 WHERE ($2::uuid[] IS NULL OR a.organization_id = ANY ($2))
   AND a.status = 'open'
   AND a.due_at > $1 AND a.due_at <= $1 + (SELECT max(o.length) FROM due_offset o)
   AND assignment_reminders.is_due_offset_open(a.due_at, a.created_at, o.length, o.longest, $1)
   AND assignment_reminders.is_reachable(u.contact_opt_out, assignment_reminders.address_of(u.email, o.address_required), assignment_reminders.is_muted(p.muted_types, o.reminder_type))
   AND (r.id IS NULL
        OR assignment_reminders.is_rearmed(r.reminder_type, r.anchor, r.status, r.skip_reason, a.due_at, NULL, NULL,
                                           r.recipient_id IS NULL
                                           AND (r.claimed_for <> u.id OR lower(r.claimed_email) <> lower(coalesce(u.email, '')))))
