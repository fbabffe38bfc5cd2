-- How many organizations' sending is paused at $2, and of the one that is paused longest, for what and until when. $1: the one that is asked about
-- (NULL: all). Index: claim_rates_paused_idx. In force as sql/delivery/limits.sql says.
SELECT count(*) OVER () AS paused, c.organization_id::text AS organization, c.paused_for, c.paused_code, c.paused_until::text AS until
  FROM assignment_reminders.claim_rates c
 WHERE c.paused_until > $2 AND c.paused_until <= $2 + interval '1 hour' AND ($1::uuid IS NULL OR c.organization_id = $1)
 ORDER BY c.paused_until DESC, c.organization_id LIMIT 1
