-- Deletes the assignment $1, where it still is one of the versions $2 (NULL: whichever it is).
-- A row where the caller sees it: its version as seen, and as deleted; NULL where it was not.
WITH seen AS MATERIALIZED (
    SELECT a.xmin::text AS version FROM assignment_reminders.assignments a WHERE a.id = $1
), deleted AS (
    DELETE FROM assignment_reminders.assignments a
     WHERE a.id = $1 AND ($2::text[] IS NULL OR a.xmin::text = ANY ($2))
    RETURNING a.xmin::text AS version
)
SELECT seen.version AS seen, deleted.version FROM seen LEFT JOIN deleted ON true
