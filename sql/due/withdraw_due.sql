-- Withdraws due reminders that still wait for their time and whose assignment is no longer open or has another due date, or whose offset the organization has no more:
-- the claim would skip them, but only then. $1: as_of, $2: the types that follow something else than a due date. Claimed and locked ones are left to their workers.
-- Index: reminders_pending_idx, from as_of on, once per organization; primary keys.
WITH overtaken AS MATERIALIZED (
    SELECT r.id, reason.reason
      FROM assignment_reminders.organizations o
     CROSS JOIN LATERAL (
           SELECT * FROM assignment_reminders.reminders r
            WHERE r.organization_id = o.id AND r.status = 'pending' AND greatest(r.scheduled_for, r.retry_at) > $1
              AND r.assignment_id IS NOT NULL AND r.reminder_type <> ALL ($2)
              AND (r.claimed_until IS NULL OR r.claimed_until <= $1)
           OFFSET 0
           ) AS r
      JOIN assignment_reminders.assignments a ON a.id = r.assignment_id
      LEFT JOIN assignment_reminders.reminder_settings s ON s.organization_id = o.id
     CROSS JOIN LATERAL (
           -- Whom it goes to, and which of several is sent, is for the claim to see.
           SELECT assignment_reminders.skip_reason(ROW(
                      r.reminder_type, r.anchor, r.scheduled_for, NULL, a.status,
                      assignment_reminders.silent_since(a.last_contact_date, a.assigned_on), a.due_at,
                      NULL, NULL, NULL, false, true, $1, NULL, NULL, NULL, NULL, NULL,
                      assignment_reminders.is_of_due_offset(r.reminder_type, s.due_offsets))::assignment_reminders.reminder_facts) AS reason
           OFFSET 0
           ) AS reason
     WHERE reason.reason IS NOT NULL
), locked AS MATERIALIZED (
    -- = ANY, and no status beside it: by reminders_pkey, whatever the planner makes of what is pending.
    SELECT r.id, r.status, r.claimed_until
      FROM assignment_reminders.reminders r
     WHERE r.id = ANY (ARRAY(SELECT o.id FROM overtaken o))
       FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE assignment_reminders.reminders r
   SET status = 'skipped', skip_reason = overtaken.reason, updated_at = now()
  FROM locked
  JOIN overtaken ON overtaken.id = locked.id
 WHERE r.id = locked.id
   AND locked.status = 'pending' AND (locked.claimed_until IS NULL OR locked.claimed_until <= $1)
