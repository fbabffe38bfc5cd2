-- What was before $1 is not known any more. Index: history_horizon_pkey.
UPDATE assignment_reminders.history_horizon h SET known_since = $1 WHERE h.known_since < $1
