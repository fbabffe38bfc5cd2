-- What a digest takes, of those reminders ($4) that are due to people who are held: the beginning of a statement that goes on with judge.sql,
-- claim.sql, claim_all.sql and lease.sql, as pick.sql is of claims. $10: whether it is the one that is tried alone, as there. Index: primary keys.
WITH locked AS MATERIALIZED (
    SELECT o.timezone AS organization_timezone, s.fallback_coordinator_id, s.due_offsets, s.thresholds_changed_at, s.address_required,
           CASE WHEN r.is_lost THEN assignment_reminders.after_loss(r.attempts, coalesce(s.max_attempts, 5)) END AS after_loss, r.*
      FROM (SELECT greatest(r.scheduled_for, r.retry_at) AS available_at, r.number, r.ctid AS row_ctid, r.id AS reminder_id, r.organization_id,
                   r.assignment_id, r.recipient_id AS enqueued_recipient_id, r.peer_mentor_id AS enqueued_peer_mentor_id, r.reminder_type,
                   r.anchor, r.scheduled_for, r.claimed_email, lost.is_lost,
                   least(r.attempts, 2147483646) + lost.is_lost::integer AS attempts
              FROM assignment_reminders.reminders r
             CROSS JOIN LATERAL (SELECT r.claim_id IS NOT NULL AND r.claimed_until <> 'epoch' AS is_lost) AS lost
             WHERE r.id = ANY ($4) AND r.status = 'pending' AND greatest(r.scheduled_for, r.retry_at) <= $1
               AND (r.claimed_until IS NULL OR r.claimed_until <= $1)
               FOR NO KEY UPDATE OF r SKIP LOCKED
           ) AS r
      -- LIMIT 1, of unique rows: look-ups by key, where joining the tables whole would be planned for any number of organizations.
     CROSS JOIN LATERAL (
           SELECT o.timezone FROM assignment_reminders.organizations o WHERE o.id = r.organization_id LIMIT 1
           ) AS o
      LEFT JOIN LATERAL (
           SELECT s.max_attempts, s.fallback_coordinator_id, s.due_offsets, s.thresholds_changed_at, s.address_required
             FROM assignment_reminders.reminder_settings s
            WHERE s.organization_id = r.organization_id LIMIT 1
           ) AS s ON true
     WHERE $10 = (r.is_lost AND assignment_reminders.after_loss(r.attempts, coalesce(s.max_attempts, 5)) = 'retry_alone')
