           -- What a claim picked is looked at only, after pick_oldest.sql or pick_due_dates.sql: digests lock people first.
           ) AS r
     -- As pick_locked.sql says.
     LIMIT 10000
