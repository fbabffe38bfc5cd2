              -- What a claim picked is locked, after pick_oldest.sql or pick_due_dates.sql. What others hold is left to the next.
              FOR NO KEY UPDATE OF r SKIP LOCKED
           ) AS r
     -- As many as a round may hold: for the planner, which knows nothing of shares.
     LIMIT 10000
