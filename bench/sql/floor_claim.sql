-- The floor: the least that a claim of $1 reminders must do on our tables: take what is due and free, oldest first, and lease it.
-- It checks nothing, looks nobody up, and knows neither organizations nor attempts, limits or leases that were lost.
UPDATE assignment_reminders.reminders r
   SET claim_id = due.claim_id, claimed_until = now() + interval '5 minutes', updated_at = now()
  FROM (SELECT d.ctid AS row_ctid, claim.id AS claim_id
          FROM (SELECT gen_random_uuid() AS id OFFSET 0) AS claim,
               LATERAL (SELECT p.ctid FROM assignment_reminders.reminders p
                         WHERE p.status = 'pending' AND greatest(p.retry_at, p.scheduled_for) <= now()
                           AND (p.claimed_until IS NULL OR p.claimed_until <= now())
                         ORDER BY greatest(p.retry_at, p.scheduled_for)
                         LIMIT $1::integer FOR UPDATE SKIP LOCKED) AS d
       ) AS due
 WHERE r.ctid = due.row_ctid
RETURNING r.id, r.claim_id
