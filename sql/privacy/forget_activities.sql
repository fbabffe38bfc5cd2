-- Empties the texts of locked activities ($1). Returns what forget_user.sql does. Index: activities_pkey.
WITH told AS MATERIALIZED (
    SELECT t.id FROM assignment_reminders.activities t WHERE t.id = ANY ($1)
), written AS (
    UPDATE assignment_reminders.activities t
       SET notes = NULL, metadata = '{}', updated_at = now()
      FROM told
     WHERE t.id = told.id
    RETURNING t.id, t.notes IS NULL AND t.metadata = '{}' AS is_as_told
)
SELECT coalesce(w.is_as_told, false) AS is_as_told FROM told LEFT JOIN written w ON w.id = told.id
