-- Records an event of the message of this name ($1), after it has noted what the provider calls it, too ($2; NULL: nothing). $3: status, $4: error, $5: the
-- event's id, $6: permanent.
SELECT CASE WHEN $2 IS NOT NULL THEN assignment_reminders.record_provider_message($1, $2) END AS is_named,
       assignment_reminders.record_delivery_event(message_id => $1, status => $3, error => $4, event_id => $5, permanent => $6) AS is_new
