-- Of locked pauses ($1) of a person as a mentor, the reasons go. Returns what forget_user.sql does. Index: mentor_pauses_pkey.
WITH told AS MATERIALIZED (
    SELECT p.id FROM assignment_reminders.mentor_pauses p WHERE p.id = ANY ($1)
), written AS (
    UPDATE assignment_reminders.mentor_pauses p
       SET reason = NULL, updated_at = now()
      FROM told
     WHERE p.id = told.id
    RETURNING p.id, p.reason IS NULL AS is_as_told
)
SELECT coalesce(w.is_as_told, false) AS is_as_told FROM told LEFT JOIN written w ON w.id = told.id
