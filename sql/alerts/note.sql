-- Notes what the admins of each organization must see to at $1, forgets what is over, and says whether anything goes on. $2: what is wrong with
-- the runs, which are for all; $3: the cause of what is held, $4: of nothing having been sent for $5 hours while something was due for as long,
-- notices ($6) aside; $7: the organizations, locked. Of what is due, the oldest thousand are looked at, where retries may stand before it. A notice of
-- what was held that waits is withdrawn with it, for the reason $8: it asks for what nobody need do any more. $9: whether to look at what was sent, too:
-- a run does not, which costs as much as there are organizations.
-- Index: organization_evaluations_held_idx; per organization send_logs_organization_idx and reminders_pending_idx, from the end and the start;
-- users_admin_idx and reminders_recipient_summary_key.
WITH organization AS MATERIALIZED (
    SELECT unnest($7::uuid[]) AS id
), going_on AS MATERIALIZED (
    SELECT o.id AS organization_id, wide.cause
      FROM organization o
     CROSS JOIN unnest($2::text[]) AS wide (cause)
     UNION ALL
    SELECT e.organization_id, $3
      FROM assignment_reminders.organization_evaluations e
      JOIN organization o ON o.id = e.organization_id
     WHERE e.held_at IS NOT NULL AND e.released_at IS NULL
     UNION ALL
    SELECT o.id, $4
      FROM organization o
     WHERE $9 AND NOT EXISTS (SELECT FROM assignment_reminders.send_logs l
                               WHERE l.organization_id = o.id AND l.created_at > $1 - make_interval(hours => $5) AND l.created_at <= $1
                                 AND l.status IN ('queued', 'delivered') AND (l.reminder_type = ANY ($6)) IS NOT TRUE)
       AND (SELECT min(oldest.scheduled_for)
              FROM (SELECT r.scheduled_for FROM assignment_reminders.reminders r
                     WHERE r.organization_id = o.id AND r.status = 'pending' AND r.reminder_type <> ALL ($6)
                     ORDER BY greatest(r.scheduled_for, r.retry_at), r.number LIMIT 1000) AS oldest) <= $1 - make_interval(hours => $5)
), over AS (
    DELETE FROM assignment_reminders.alerts a
     USING organization o
     WHERE o.id = a.organization_id AND (a.cause <> $4 OR $9)
       AND NOT EXISTS (SELECT FROM going_on g WHERE g.organization_id = a.organization_id AND g.cause = a.cause)
    RETURNING a.organization_id, a.cause
), withdrawn AS (
    UPDATE assignment_reminders.reminders r
       SET status = 'skipped', skip_reason = $8, updated_at = now()
      FROM over
      JOIN assignment_reminders.users u ON u.organization_id = over.organization_id AND u.role = 'admin'
     WHERE over.cause = $3 AND r.recipient_id = u.id AND r.reminder_type = over.cause AND r.assignment_id IS NULL AND r.status = 'pending'
), noted AS (
    INSERT INTO assignment_reminders.alerts (organization_id, cause, began_at)
    SELECT g.organization_id, g.cause, $1
      FROM going_on g
     ORDER BY g.organization_id, g.cause
        ON CONFLICT (organization_id, cause) DO NOTHING
)
SELECT count(*) > 0 AS goes_on FROM going_on
