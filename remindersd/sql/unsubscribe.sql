-- Stops messages of a type ($2), or all (NULL), to whoever has this token ($1).
SELECT assignment_reminders.unsubscribe(token => $1, reminder_type => $2) AS is_new
