-- Of organizations ($2), those in which something is due at $1, the one with the oldest first; and what limits their messages.
-- $3, $4: where this session's last claim ended in each of them, pairwise: beginning there spares the index entries of rows sent since, which
-- stay for as long as any old transaction might see them (src/delivery/progress.rs says when to begin at the start).
-- Indexes: reminders_pending_idx, once per organization; reminder_settings_limited_idx; primary keys.
SELECT o.organization_id, o.after_available_at, o.after_number, s.messages_per_minute, c.organization_id IS NOT NULL AS is_counted,
       oldest.is_alone
  FROM (SELECT o.organization_id, coalesce(o.available_at, '-infinity') AS after_available_at, coalesce(o.number, 0) AS after_number
          FROM unnest($2::uuid[], $3::timestamptz[], $4::bigint[]) AS o (organization_id, available_at, number)) AS o
  -- LIMIT 1, of unique rows: look-ups by key, where joining the tables whole would be planned for any number of organizations. Most programmes
  -- limit and pause nobody, which is known at once.
  LEFT JOIN LATERAL (
       SELECT s.messages_per_minute FROM assignment_reminders.reminder_settings s
        WHERE s.organization_id = CASE WHEN (SELECT EXISTS (SELECT FROM assignment_reminders.reminder_settings l WHERE l.messages_per_minute IS NOT NULL))
                                       THEN o.organization_id END
        LIMIT 1
       ) AS s ON true
  LEFT JOIN LATERAL (
       SELECT c.organization_id, c.paused_until FROM assignment_reminders.claim_rates c
        WHERE c.organization_id = CASE WHEN (SELECT EXISTS (SELECT FROM assignment_reminders.claim_rates)) THEN o.organization_id END
        LIMIT 1
       ) AS c ON true
 CROSS JOIN LATERAL (
       SELECT greatest(r.scheduled_for, r.retry_at) AS available_at,
              r.claim_id IS NOT NULL AND r.claimed_until <> '-infinity'
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
 -- One whose sending is paused has nothing to claim. A pause that ends later than any may was begun by a clock that was ahead
 -- (src/rules/answer.rs), and stops nobody.
 WHERE (c.paused_until > $1 AND c.paused_until <= $1 + interval '1 hour') IS NOT TRUE
 ORDER BY oldest.available_at
