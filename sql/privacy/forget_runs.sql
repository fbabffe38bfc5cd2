-- Takes addresses ($2) out of the errors of locked runs ($1). Returns what forget_user.sql does. Index: evaluation_runs_pkey.
WITH told AS MATERIALIZED (
    SELECT e.id, assignment_reminders.without_addresses(e.error, $2, NULL) AS error
      FROM assignment_reminders.evaluation_runs e
     WHERE e.id = ANY ($1)
), written AS (
    UPDATE assignment_reminders.evaluation_runs e SET error = told.error FROM told WHERE e.id = told.id
    RETURNING e.id, e.error = told.error AS is_as_told
)
SELECT coalesce(w.is_as_told, false) AS is_as_told FROM told LEFT JOIN written w ON w.id = told.id
