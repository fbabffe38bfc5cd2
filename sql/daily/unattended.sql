-- In how many organizations reminders have been due for longer than $3 at $2 that nobody claims, while nothing was handed over for as long; and of
-- the one that waits longest, since when. $1: the one that is asked about (NULL: all). Whose messages_per_minute is 0 wants nothing sent.
-- Indexes: reminders_pending_idx and send_logs_organization_idx, once per organization; reminder_settings by its key.
SELECT count(*) OVER () AS unattended, o.id::text AS organization, waiting.due_since::text AS since
  FROM assignment_reminders.organizations o
 CROSS JOIN LATERAL (
       SELECT greatest(r.scheduled_for, r.retry_at) AS due_since
         FROM assignment_reminders.reminders r
        WHERE r.organization_id = o.id AND r.status = 'pending' AND greatest(r.scheduled_for, r.retry_at) <= $2 - $3
          AND (r.claimed_until IS NULL OR r.claimed_until <= $2)
        ORDER BY greatest(r.scheduled_for, r.retry_at), r.number LIMIT 1
       ) AS waiting
 WHERE ($1::uuid IS NULL OR o.id = $1)
   AND NOT EXISTS (SELECT FROM assignment_reminders.reminder_settings s WHERE s.organization_id = o.id AND s.messages_per_minute = 0)
   AND NOT EXISTS (SELECT FROM assignment_reminders.send_logs l
                    WHERE l.organization_id = o.id AND l.created_at > $2 - $3 AND l.created_at <= $2)
 ORDER BY waiting.due_since, o.id LIMIT 1
