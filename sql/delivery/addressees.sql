-- Whom what was picked goes to, after pick.sql and judge.sql: the end of a statement that only looks. Digests then lock these people.
-- Index: user_preferences_pkey.
)
SELECT j.reminder_id, j.organization_id, j.available_at, j.number, j.recipient_id, j.enqueued_recipient_id,
       j.skip_reason IS NULL AND j.after_loss IS DISTINCT FROM 'give_up' AS is_to_be_sent, coalesce(preference.digest, true) AS wants_digests
  FROM judged j
  LEFT JOIN LATERAL (
       SELECT p.digest FROM assignment_reminders.user_preferences p WHERE p.user_id = j.recipient_id LIMIT 1
       ) AS preference ON true
 ORDER BY j.available_at, j.number
