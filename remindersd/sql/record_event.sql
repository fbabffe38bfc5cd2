-- Records an event of a message that the provider names by its Message-ID ($1), by an id of its own ($2), or by both, and keeps the second
-- then. $3: status, $4: error, $5: the event's id, $6: permanent.
SELECT assignment_reminders.record_delivery_event(
       message_id => CASE WHEN $1 IS NULL OR $2 IS NULL THEN coalesce($1, $2)
                          WHEN assignment_reminders.record_provider_message($1, $2) THEN $1
                          ELSE $2 END,
       status => $3, error => $4, event_id => $5, permanent => $6) AS is_new
