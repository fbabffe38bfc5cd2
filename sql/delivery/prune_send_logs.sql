-- Deletes up to $2 log rows older than $1, and returns how many. Index: send_logs_organization_idx, once per organization.
WITH old AS MATERIALIZED (
    SELECT l.id
      FROM assignment_reminders.organizations o
     CROSS JOIN LATERAL (
           SELECT l.id FROM assignment_reminders.send_logs l
            WHERE l.organization_id = o.id AND l.created_at BETWEEN '-infinity' AND $1 AND l.created_at < $1
            LIMIT $2
           ) AS l
     LIMIT $2
), deleted AS (
    DELETE FROM assignment_reminders.send_logs l USING old WHERE l.id = old.id RETURNING l.id
)
SELECT count(*) AS deleted FROM deleted
