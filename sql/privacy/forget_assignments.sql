-- Empties the texts of locked assignments ($1); $2: their title. Returns what forget_user.sql does. Index: assignments_pkey.
WITH told AS MATERIALIZED (
    SELECT a.id FROM assignment_reminders.assignments a WHERE a.id = ANY ($1)
), written AS (
    UPDATE assignment_reminders.assignments a
       SET title = $2, description = NULL, metadata = '{}', updated_at = now()
      FROM told
     WHERE a.id = told.id
    RETURNING a.id, a.title = $2 AND a.description IS NULL AND a.metadata = '{}' AS is_as_told
)
SELECT coalesce(w.is_as_told, false) AS is_as_told FROM told LEFT JOIN written w ON w.id = told.id
