-- Locks up to $2 log rows older than $1, to be deleted, and returns them; not those that others hold, such as whoever forgets a person. The organizations are those that the logs name, found one after
-- the other: a log outlives its organization. Indexes: send_logs_organization_idx, twice per organization.
WITH RECURSIVE organization AS (
    (SELECT l.organization_id AS id FROM assignment_reminders.send_logs l ORDER BY l.organization_id LIMIT 1)
    UNION ALL
    SELECT (SELECT l.organization_id FROM assignment_reminders.send_logs l
             WHERE l.organization_id > o.id ORDER BY l.organization_id LIMIT 1)
      FROM organization o
     WHERE o.id IS NOT NULL
)
SELECT l.id
  FROM organization o
 CROSS JOIN LATERAL (
       SELECT l.id FROM assignment_reminders.send_logs l
        WHERE l.organization_id = o.id AND l.created_at BETWEEN '-infinity' AND $1 AND l.created_at < $1
        LIMIT $2
          FOR UPDATE SKIP LOCKED
       ) AS l
 LIMIT $2
