-- Deletes the assignment $1, where it still is one of the versions $2 (NULL: whichever it is).
-- A row where the caller sees it: its version as seen, and whether it was deleted.
WITH seen AS MATERIALIZED (
    SELECT a.xmin::text AS version FROM assignment_reminders.assignments a WHERE a.id = $1
), deleted AS (
    DELETE FROM assignment_reminders.assignments a
     WHERE a.id = $1 AND ($2::text[] IS NULL OR a.xmin::text = ANY ($2))
    RETURNING a.id
)
SELECT seen.version AS seen, deleted.id IS NOT NULL AS is_deleted FROM seen LEFT JOIN deleted ON true
