-- How many escalations reach nobody, of silences that go on. $1: organization (NULL: all).
-- Indexes: reminders_unreachable_idx and reminders_failed_idx; send_logs_returned_idx and reminders_pkey for what came back, and
-- send_logs_sent_once_key; assignments_pkey for what is found.
WITH unheard AS (
    -- Given up, as to an address that is dead; or, as the index has it, why a coordinator is not reached.
    SELECT r.*
      FROM assignment_reminders.reminders r
     WHERE (r.status = 'failed'
            OR r.status = 'skipped' AND r.skip_reason IN ('no_coordinator', 'opted_out', 'muted', 'no_address')
               AND assignment_reminders.is_unreachable(r.skip_reason))
     UNION ALL
    -- Sent, and came back. These are few, and looked at first: OFFSET 0 keeps the planner from going through all that was ever sent.
    SELECT r.*
      FROM (SELECT DISTINCT l.reminder_id FROM assignment_reminders.send_logs l
             WHERE l.status IN ('bounced', 'rejected') AND l.reminder_id IS NOT NULL AND ($1::uuid IS NULL OR l.organization_id = $1) OFFSET 0) AS back
     CROSS JOIN LATERAL (
           SELECT r.* FROM assignment_reminders.reminders r
            WHERE r.id = back.reminder_id AND r.status = 'sent' AND r.reminder_type = assignment_reminders.reminder_type_of('escalate')
           OFFSET 0
           ) AS r
     WHERE assignment_reminders.was_returned(r.id, r.sent_at, 'infinity', NULL, NULL)
)
SELECT count(*) AS unheard
  FROM unheard r
  JOIN assignment_reminders.assignments a ON a.id = r.assignment_id
 WHERE r.reminder_type = assignment_reminders.reminder_type_of('escalate')
   AND ($1::uuid IS NULL OR r.organization_id = $1)
   AND a.status = 'open' AND a.follow_up AND (r.peer_mentor_id <> a.peer_mentor_id) IS NOT TRUE
   AND EXISTS (SELECT FROM assignment_reminders.reminder_settings s
                WHERE s.organization_id = r.organization_id AND s.escalate_after_days IS NOT NULL)
   AND r.anchor = assignment_reminders.silence_anchor(assignment_reminders.silent_since(a.last_contact_date, a.assigned_on))
