-- One round of a claim, after what picks and judge.sql: what is to be sent, and what is not, with its reason. lease.sql writes it.
-- $8: how many to hand out, $9: the claim.
), outcome AS MATERIALIZED (
    SELECT judged.*, decided.status, row_number() OVER (PARTITION BY decided.status = 'pending' ORDER BY judged.available_at, judged.number) AS turn
      FROM judged
     CROSS JOIN LATERAL (
           SELECT CASE WHEN judged.skip_reason IS NOT NULL THEN 'skipped'
                       WHEN judged.after_loss = 'give_up' THEN 'failed' ELSE 'pending' END AS status
           ) AS decided
