-- The next messages ($1: how many at most, $2: their lease in seconds).
SELECT d.claim_id, d.claimed_until, d.idempotency_key, d.organization_id, d.organization_name, d.recipient_id, d.recipient_email, d.recipient_name,
       d.recipient_timezone, d.recipient_locale, d.unsubscribe_token, d.reminder_ids, d.items
  FROM assignment_reminders.claim_digests($1, make_interval(secs => $2)) AS d
