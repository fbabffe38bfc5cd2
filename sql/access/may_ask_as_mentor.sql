-- Whether the current role is one in which mentors ask: it may call what policies ask.
SELECT has_function_privilege('assignment_reminders.current_peer_mentor_id()', 'EXECUTE') AS may_ask
