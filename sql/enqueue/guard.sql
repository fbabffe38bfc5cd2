-- What comes before silence.sql: what is due at $1 for organizations $2, what of it is held, and whose turn it was. A backlog is what could be
-- sent and became due by the day of the last evaluation, which would have found it so: not what was enqueued before it, nor escalations
-- of a reminder that was dispatched after it. src/rules/evaluation.rs says when it is held.
-- Index: primary keys; what is due is read once, and of a backlog reminders_assignment_type_key.
found AS MATERIALIZED (
    SELECT f.* FROM assignment_reminders.evaluate_assignments($1) AS f WHERE f.organization_id = ANY ($2)
), turn AS MATERIALIZED (
    SELECT t.* FROM assignment_reminders.evaluation_turns($1) AS t WHERE t.organization_id = ANY ($2) AND t.is_due
), held AS MATERIALIZED (
    SELECT found.*
      FROM (SELECT f.organization_id, t.is_released,
                   count(*) FILTER (
                       WHERE f.skip_reason IS NULL AND f.due_on <= t.last_evaluated_on
                         AND NOT EXISTS (
                             SELECT FROM assignment_reminders.reminders r
                              WHERE r.assignment_id = f.assignment_id
                                AND (r.reminder_type = f.reminder_type AND r.anchor = f.anchor AND r.scheduled_for <= t.evaluated_at
                                     AND (r.peer_mentor_id <> f.peer_mentor_id) IS NOT TRUE
                                     OR f.action = 'escalate' AND r.reminder_type = assignment_reminders.reminder_type_of('remind')
                                        AND CASE r.status WHEN 'sent' THEN r.sent_at WHEN 'failed' THEN r.updated_at END > t.evaluated_at))
                   ) AS backlog,
                   count(*) FILTER (WHERE f.skip_reason IS NULL AND kind.addressee = 'mentor') AS reminders,
                   count(*) FILTER (WHERE f.skip_reason IS NULL AND kind.addressee <> 'mentor') AS escalations,
                   count(f.skip_reason) AS undeliverable
              FROM found f
              JOIN turn t ON t.organization_id = f.organization_id
              JOIN assignment_reminders.reminder_kinds() AS kind ON kind.kind = f.action
             GROUP BY f.organization_id, t.is_released) AS found
      JOIN assignment_reminders.reminder_settings s ON s.organization_id = found.organization_id
     WHERE assignment_reminders.is_held(found.backlog, s.follow_up_limit, found.is_released)
), logged AS (
    INSERT INTO assignment_reminders.evaluation_runs
           (as_of, started_at, finished_at, status, organization_id, backlog, reminders, escalations, undeliverable)
    SELECT $1, now(), clock_timestamp(), 'held', h.organization_id, h.backlog, h.reminders, h.escalations, h.undeliverable
      FROM held h
), turned AS (
    -- On a day off nothing is evaluated: what is held stays so, and what is released.
    INSERT INTO assignment_reminders.organization_evaluations AS e (organization_id, turn_at, evaluated_at, held_at)
    SELECT t.organization_id, $1, CASE WHEN NOT t.is_day_off AND h.organization_id IS NULL THEN $1 END,
           CASE WHEN h.organization_id IS NOT NULL THEN $1 END
      FROM turn t
      LEFT JOIN held h ON h.organization_id = t.organization_id
     ORDER BY t.organization_id
        ON CONFLICT (organization_id) DO UPDATE
       SET turn_at = excluded.turn_at,
           evaluated_at = coalesce(excluded.evaluated_at, e.evaluated_at),
           held_at = CASE WHEN excluded.evaluated_at IS NULL THEN coalesce(e.held_at, excluded.held_at) END,
           released_at = CASE WHEN excluded.evaluated_at IS NULL THEN e.released_at END,
           updated_at = now()
     -- A replay of the past changes nothing of that. Where the last turn lies ahead of any clock, it was a simulation.
     WHERE excluded.turn_at >= least(e.turn_at, now())
),
