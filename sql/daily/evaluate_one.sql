-- What an assignment ($1) calls for, by the facts that runs decide by. $2: the day; where it is NULL, that of the moment $3 (NULL: now) in its
-- organization's time zone. Index: those of assignment_silences (sql/explain/silences.sql), for one.
SELECT f.status = 'open' AND f.follow_up AS is_followed_up, e.action, e.days_since
  FROM assignment_reminders.assignment_silences($3, $2) AS f
 CROSS JOIN LATERAL assignment_reminders.evaluate_silence(f.facts) AS e
 WHERE f.assignment_id = $1 AND f.has_settings
