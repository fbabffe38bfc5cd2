-- How many escalations reach nobody, of silences that go on. $1: organization (NULL: all).
-- Index: reminders_unreachable_idx and reminders_failed_idx, and assignments_pkey for what it finds.
SELECT count(*) AS unheard
  FROM assignment_reminders.reminders r
  JOIN assignment_reminders.assignments a ON a.id = r.assignment_id
 WHERE r.reminder_type = assignment_reminders.reminder_type_of('escalate')
   AND ($1::uuid IS NULL OR r.organization_id = $1)
   -- Given up, as to an address that is dead; or, as the index has it, why a coordinator is not reached.
   AND (r.status = 'failed'
        OR r.status = 'skipped' AND r.skip_reason IN ('no_coordinator', 'opted_out', 'muted', 'no_address')
           AND assignment_reminders.is_unreachable(r.skip_reason))
   AND a.status = 'open' AND a.follow_up AND (r.peer_mentor_id <> a.peer_mentor_id) IS NOT TRUE
   AND EXISTS (SELECT FROM assignment_reminders.reminder_settings s
                WHERE s.organization_id = r.organization_id AND s.escalate_after_days IS NOT NULL)
   AND r.anchor = assignment_reminders.silence_anchor(assignment_reminders.silent_since(a.last_contact_date, a.assigned_on))
