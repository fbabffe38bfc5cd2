-- Everything is known from now on: triggers were away until now. Index: history_horizon_pkey.
INSERT INTO assignment_reminders.history_horizon AS h (known_since) VALUES (clock_timestamp())
    ON CONFLICT (is_the_only) DO UPDATE SET known_since = greatest(h.known_since, excluded.known_since)
