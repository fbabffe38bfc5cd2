-- The organizations whose sending is paused while something is due, up to $1 of them. Index: claim_rates_paused_idx; reminders_pending_idx for each.
SELECT c.organization_id, c.paused_for, c.paused_until
  FROM assignment_reminders.claim_rates c
 WHERE c.paused_until > now() AND c.paused_until <= now() + interval '1 hour'
   AND EXISTS (SELECT FROM assignment_reminders.reminders r
                WHERE r.organization_id = c.organization_id AND r.status = 'pending' AND greatest(r.scheduled_for, r.retry_at) <= now())
 ORDER BY c.paused_until DESC LIMIT $1
