-- The items of digests, as JSON, after lease.sql: what a claim returns of each reminder, and what else its text may say. One whose mentor was to be reminded
-- before says who was and when, or why nobody could be. These columns go to workers: a new one is a line here.
-- Indexes: primary keys; reminders_assignment_type_key.
)
SELECT c.*,
       CASE WHEN c.claim_id IS NOT NULL THEN jsonb_build_object(
           'reminder_id', c.reminder_id,
           'claim_id', c.claim_id,
           'claimed_until', c.claimed_until,
           'idempotency_key', c.idempotency_key,
           'organization_id', c.organization_id,
           'organization_name', o.name,
           'reminder_type', c.reminder_type,
           'recipient_id', c.recipient_id,
           'recipient_email', c.recipient_email,
           'recipient_name', c.recipient_name,
           'recipient_timezone', c.recipient_timezone,
           'assignment_id', c.assignment_id,
           'assignment_title', c.assignment_title,
           'metadata', a.metadata,
           'student_name', c.student_name,
           'peer_mentor_name', c.peer_mentor_name,
           'coordinator_name', coordinator.name,
           'coordinator_email', coordinator.email,
           'last_contact_date', c.last_contact_date,
           'days_since', c.days_since,
           'due_at', c.due_at,
           'due_at_local', c.due_at_local,
           'anchor', c.anchor,
           'scheduled_for', c.scheduled_for,
           'attempts', c.attempts,
           'reminded_name', CASE WHEN reminded.status = 'sent' THEN reminded.name END,
           'reminded_at', CASE WHEN reminded.status = 'sent' THEN reminded.sent_at END,
           'reminded_reason', CASE reminded.status WHEN 'failed' THEN 'failed' WHEN 'skipped' THEN reminded.skip_reason
                                                   ELSE mentor_now.unreachable_reason END
       )::text END AS item
  FROM claimed c
 CROSS JOIN LATERAL assignment_reminders.reminder_kind(c.reminder_type) AS kind
  -- LIMIT 1, of unique rows: look-ups by key.
  LEFT JOIN LATERAL (
       SELECT o.name FROM assignment_reminders.organizations o WHERE o.id = c.organization_id LIMIT 1
       ) AS o ON true
  LEFT JOIN LATERAL (
       SELECT s.fallback_coordinator_id, s.address_required FROM assignment_reminders.reminder_settings s WHERE s.organization_id = c.organization_id LIMIT 1
       ) AS s ON true
  LEFT JOIN LATERAL (
       SELECT a.metadata, a.coordinator_id, a.peer_mentor_id FROM assignment_reminders.assignments a
        WHERE a.id = c.assignment_id AND a.organization_id = c.organization_id LIMIT 1
       ) AS a ON true
  LEFT JOIN LATERAL (
       SELECT u.name, u.email FROM assignment_reminders.users u
        WHERE u.id = CASE WHEN c.assignment_id IS NOT NULL THEN coalesce(a.coordinator_id, s.fallback_coordinator_id) END
          AND u.organization_id = c.organization_id LIMIT 1
       ) AS coordinator ON true
  LEFT JOIN LATERAL (
       SELECT r.status, r.sent_at, r.skip_reason, mentor.name
         FROM assignment_reminders.reminders r
         LEFT JOIN LATERAL (
              SELECT u.name FROM assignment_reminders.users u
               WHERE u.id = r.recipient_id AND u.organization_id = r.organization_id LIMIT 1
              ) AS mentor ON true
        WHERE r.assignment_id = CASE WHEN kind.addressee = 'coordinator' THEN c.assignment_id END
          AND r.reminder_type = assignment_reminders.reminder_type_of('remind') AND r.anchor = c.anchor
        LIMIT 1
       ) AS reminded ON true
  -- Where nobody was to be reminded in this silence, it began to be followed with a mentor who could not be.
  LEFT JOIN LATERAL (
       SELECT assignment_reminders.unreachable_reason(
                  'mentor', u.contact_opt_out, assignment_reminders.address_of(u.email, s.address_required) IS NOT NULL,
                  assignment_reminders.is_muted(p.muted_types, assignment_reminders.reminder_type_of('remind'))) AS unreachable_reason
         FROM (SELECT WHERE kind.addressee = 'coordinator' AND c.assignment_id IS NOT NULL
                        AND (reminded.status IS NULL OR a.peer_mentor_id IS NULL)) AS asked
         LEFT JOIN LATERAL (
              SELECT m.user_id FROM assignment_reminders.peer_mentors m
               WHERE m.id = a.peer_mentor_id AND m.organization_id = c.organization_id LIMIT 1
              ) AS m ON true
         LEFT JOIN LATERAL (
              SELECT u.id, u.contact_opt_out, u.email FROM assignment_reminders.users u
               WHERE u.id = m.user_id AND u.organization_id = c.organization_id LIMIT 1
              ) AS u ON true
         LEFT JOIN LATERAL (
              SELECT p.muted_types FROM assignment_reminders.user_preferences p WHERE p.user_id = u.id LIMIT 1
              ) AS p ON true
       ) AS mentor_now ON true
