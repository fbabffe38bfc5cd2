-- One round of a claim, after what picks and judge.sql: what is to be sent, and what is not, with its reason. lease.sql writes it.
-- $8: how many to hand out, $9: the claim (NULL: a new one).
), outcome AS MATERIALIZED (
    SELECT judged.*, decided.status, row_number() OVER (PARTITION BY decided.status = 'pending' ORDER BY judged.available_at, judged.number) AS turn
      FROM judged
     CROSS JOIN LATERAL (
           SELECT CASE WHEN judged.skip_reason IS NOT NULL THEN 'skipped'
                       WHEN judged.after_loss = 'give_up' THEN 'failed' ELSE 'pending' END AS status
           ) AS decided
), addressed AS MATERIALIZED (
    -- Others than when they were enqueued: whoever is being deleted, or is locked otherwise, waits for the next claim, and is waited for by none.
    SELECT assignment_reminders.lock_for_reminders('users', array_agg(DISTINCT o.new_recipient_id)) AS users
      FROM outcome o
     WHERE o.new_recipient_id IS NOT NULL
), claim AS MATERIALIZED (
    SELECT coalesce($9, gen_random_uuid()) AS id
