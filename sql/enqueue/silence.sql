-- What follows silence and is due at $1, but for what is held (guard.sql). Index: reminders_assignment_type_key, for the row that is there.
SELECT f.organization_id, f.assignment_id, f.recipient_id, f.reminder_type, f.anchor, $1 AS scheduled_for, f.skip_reason,
       -- None is not the same as not known.
       coalesce(f.peer_mentor_id, '00000000-0000-0000-0000-000000000000') AS peer_mentor_id, r.id AS reminder_id
  FROM found f
  LEFT JOIN LATERAL (
       SELECT r.id FROM assignment_reminders.reminders r
        WHERE r.assignment_id = f.assignment_id AND r.reminder_type = f.reminder_type LIMIT 1
       ) AS r ON true
 WHERE NOT EXISTS (SELECT FROM held h WHERE h.organization_id = f.organization_id)
