-- One round of a claim, after what picks and judge.sql: what becomes of each. Goes on with claim_all.sql or claim_in_turn.sql.
), decided AS (
    SELECT judged.*, CASE WHEN judged.skip_reason IS NOT NULL THEN 'skipped'
                          WHEN judged.after_loss = 'give_up' THEN 'failed' ELSE 'pending' END AS status
      FROM judged
