-- Everything is known from now on: triggers were away until now.
INSERT INTO assignment_reminders.history_horizon (known_since, cause) VALUES (clock_timestamp(), 'triggers were away') ON CONFLICT DO NOTHING
