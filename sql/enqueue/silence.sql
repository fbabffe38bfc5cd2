-- What follows silence and is due at $1: as evaluate_assignments finds it.
SELECT f.organization_id, f.assignment_id, f.recipient_id, f.reminder_type, f.anchor, $1 AS scheduled_for, f.skip_reason,
       -- None is not the same as not known.
       coalesce(f.peer_mentor_id, '00000000-0000-0000-0000-000000000000') AS peer_mentor_id
  FROM assignment_reminders.evaluate_assignments($1) AS f
