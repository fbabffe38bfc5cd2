-- How many attempts of the day before $2 no worker answered for (lease.sql says so). $1: organization (NULL: all). Index: send_logs_lost_idx.
SELECT count(*) AS lost
  FROM assignment_reminders.send_logs l
 WHERE l.error = 'no answer before the lease ended' AND ($1::uuid IS NULL OR l.organization_id = $1)
   AND l.created_at > $2 - interval '24 hours' AND l.created_at <= $2
