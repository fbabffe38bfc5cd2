-- Deletes up to $2 log rows older than $1, and returns how many. The organizations are those that the logs name, found one after
-- the other: a log outlives its organization. Indexes: send_logs_organization_idx, twice per organization;
-- send_logs_pkey, by an array: joined, the planner reads the whole table for a large batch.
WITH RECURSIVE organization AS (
    (SELECT l.organization_id AS id FROM assignment_reminders.send_logs l ORDER BY l.organization_id LIMIT 1)
    UNION ALL
    SELECT (SELECT l.organization_id FROM assignment_reminders.send_logs l
             WHERE l.organization_id > o.id ORDER BY l.organization_id LIMIT 1)
      FROM organization o
     WHERE o.id IS NOT NULL
), old AS MATERIALIZED (
    SELECT l.id
      FROM organization o
     CROSS JOIN LATERAL (
           SELECT l.id FROM assignment_reminders.send_logs l
            WHERE l.organization_id = o.id AND l.created_at BETWEEN '-infinity' AND $1 AND l.created_at < $1
            LIMIT $2
           ) AS l
     LIMIT $2
), deleted AS (
    DELETE FROM assignment_reminders.send_logs l WHERE l.id = ANY (ARRAY(SELECT old.id FROM old)) RETURNING l.id
)
SELECT count(*) AS deleted FROM deleted
