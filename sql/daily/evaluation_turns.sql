-- Whose turn it is in a run. src/rules/evaluation.rs says when; this gathers what decides it. Postgres resolves an hour that a change of
-- clocks skips to the one after it, and one that it repeats to its second pass. Index: primary keys, days_off_organization_idx.
CREATE FUNCTION assignment_reminders.evaluation_turns(as_of timestamptz DEFAULT now())
RETURNS TABLE (organization_id uuid, timezone text, today date, is_due boolean, is_day_off boolean, evaluated_at timestamptz,
               last_evaluated_on date, is_released boolean)
LANGUAGE sql STABLE
AS $$
    SELECT o.id, o.timezone, local.today,
           assignment_reminders.is_evaluation_due(
               evaluation_turns.as_of,
               (local.today + hour.of_day) AT TIME ZONE o.timezone, (local.today - 1 + hour.of_day) AT TIME ZONE o.timezone,
               coalesce(e.turn_at, o.created_at), before.runs, e.released_at IS NOT NULL),
           assignment_reminders.is_day_off(
               local.today, s.weekly_days_off,
               ARRAY(SELECT d.first_day FROM assignment_reminders.days_off d WHERE d.organization_id = o.id ORDER BY d.id),
               ARRAY(SELECT d.last_day FROM assignment_reminders.days_off d WHERE d.organization_id = o.id ORDER BY d.id),
               s.follow_up_from),
           last.evaluated_at,
           coalesce((last.evaluated_at AT TIME ZONE o.timezone)::date, local.today - 1),
           e.released_at IS NOT NULL
      FROM assignment_reminders.organizations o
     CROSS JOIN (SELECT assignment_reminders.last_runs(evaluation_turns.as_of) AS runs OFFSET 0) AS before
      JOIN assignment_reminders.reminder_settings s ON s.organization_id = o.id
      LEFT JOIN assignment_reminders.organization_evaluations e ON e.organization_id = o.id
     CROSS JOIN LATERAL (SELECT (evaluation_turns.as_of AT TIME ZONE o.timezone)::date AS today) AS local
     CROSS JOIN LATERAL (SELECT make_time(s.evaluation_hour, 0, 0) AS of_day) AS hour
      -- One that is yet to come, by a simulated clock, was none.
     CROSS JOIN LATERAL (SELECT CASE WHEN e.evaluated_at <= evaluation_turns.as_of THEN e.evaluated_at END AS evaluated_at) AS last
$$;
COMMENT ON FUNCTION assignment_reminders.evaluation_turns(timestamptz) IS
    'Per organization, at as_of: its time zone and day, whether it is its turn in a run, whether that day is off, its last evaluation and the day of it (yesterday, where there was none), and whether what was held has been released.';
