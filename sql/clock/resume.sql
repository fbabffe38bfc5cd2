-- Ends what pauses an assignment ($1) on $2: with the day before or, where it began no earlier, altogether. A row for
-- each, and whether it was the caller's to end.
-- Index: assignment_pauses_assignment_idx.
WITH paused AS MATERIALIZED (
    SELECT p.id, p.paused_from
      FROM assignment_reminders.assignment_pauses p
     WHERE p.assignment_id = $1 AND p.cause = 'pause' AND $2 BETWEEN p.paused_from AND coalesce(p.paused_until, 'infinity')
), ended AS (
    UPDATE assignment_reminders.assignment_pauses p
       SET paused_until = $2 - 1, updated_at = now()
      FROM paused
     WHERE p.id = paused.id AND paused.paused_from < $2
    RETURNING p.id
), undone AS (
    DELETE FROM assignment_reminders.assignment_pauses p
     USING paused
     WHERE p.id = paused.id AND paused.paused_from >= $2
    RETURNING p.id
)
SELECT coalesce(e.id, u.id) IS NOT NULL AS is_ended
  FROM paused p
  LEFT JOIN ended e ON e.id = p.id
  LEFT JOIN undone u ON u.id = p.id
