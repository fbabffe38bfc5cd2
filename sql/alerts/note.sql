-- Notes what the admins of each organization must see to at $1, forgets what is over, and says whether anything goes on. $2: what is wrong with the runs, which are for all;
-- $3: the cause of what is held, $4: of nothing having been sent for $5 hours while something was due for as long. Of what is due, the oldest thousand
-- are looked at, where retries may stand before it.
-- Index: organization_evaluations_held_idx; per organization send_logs_organization_idx and reminders_pending_idx, from the end and the start.
WITH going_on AS MATERIALIZED (
    SELECT o.id AS organization_id, wide.cause
      FROM assignment_reminders.organizations o
     CROSS JOIN unnest($2::text[]) AS wide (cause)
     UNION ALL
    SELECT e.organization_id, $3
      FROM assignment_reminders.organization_evaluations e
     WHERE e.held_at IS NOT NULL AND e.released_at IS NULL
     UNION ALL
    SELECT o.id, $4
      FROM assignment_reminders.organizations o
     WHERE NOT EXISTS (SELECT FROM assignment_reminders.send_logs l
                        WHERE l.organization_id = o.id AND l.created_at > $1 - make_interval(hours => $5) AND l.created_at <= $1 AND l.status IN ('queued', 'delivered'))
       AND (SELECT min(oldest.scheduled_for)
              FROM (SELECT r.scheduled_for FROM assignment_reminders.reminders r
                     WHERE r.organization_id = o.id AND r.status = 'pending'
                     ORDER BY greatest(r.scheduled_for, r.retry_at), r.number LIMIT 1000) AS oldest) <= $1 - make_interval(hours => $5)
), over AS (
    DELETE FROM assignment_reminders.alerts a
     WHERE NOT EXISTS (SELECT FROM going_on g WHERE g.organization_id = a.organization_id AND g.cause = a.cause)
), noted AS (
    INSERT INTO assignment_reminders.alerts (organization_id, cause, began_at)
    SELECT g.organization_id, g.cause, $1
      FROM going_on g
     ORDER BY g.organization_id, g.cause
        ON CONFLICT (organization_id, cause) DO NOTHING
)
SELECT count(*) > 0 AS goes_on FROM going_on
