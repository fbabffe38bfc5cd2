-- Of organizations ($2), those in which something is due at $1, the one with the oldest first.
-- $3, $4: where this session's last claim ended in each of them, pairwise: beginning there spares the index entries of rows sent since, which
-- stay for as long as any old transaction might see them (src/delivery/progress.rs says when to begin at the start).
-- Indexes: reminders_pending_idx, once per organization; reminder_settings by its key.
SELECT o.organization_id, o.after_available_at, o.after_number, oldest.is_alone
  FROM (SELECT o.organization_id, coalesce(o.available_at, '-infinity') AS after_available_at, coalesce(o.number, 0) AS after_number
          FROM unnest($2::uuid[], $3::timestamptz[], $4::bigint[]) AS o (organization_id, available_at, number)) AS o
 CROSS JOIN LATERAL (
       SELECT greatest(r.scheduled_for, r.retry_at) AS available_at,
              r.claim_id IS NOT NULL AND r.claimed_until <> 'epoch'
                  AND assignment_reminders.after_loss(
                          least(r.attempts, 2147483646) + 1,
                          coalesce((SELECT s.max_attempts FROM assignment_reminders.reminder_settings s
                                     WHERE s.organization_id = o.organization_id LIMIT 1), 5)) = 'retry_alone' AS is_alone
         FROM assignment_reminders.reminders r
        WHERE r.organization_id = o.organization_id AND r.status = 'pending'
          AND greatest(r.scheduled_for, r.retry_at) <= $1
          AND (greatest(r.scheduled_for, r.retry_at), r.number) > (o.after_available_at, o.after_number)
          AND (r.claimed_until IS NULL OR r.claimed_until <= $1)
        ORDER BY greatest(r.scheduled_for, r.retry_at), r.number
        LIMIT 1
       ) AS oldest
 ORDER BY oldest.available_at
