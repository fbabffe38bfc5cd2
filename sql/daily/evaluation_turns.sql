-- Whose turn it is in a run. src/rules/evaluation.rs says when; this gathers what decides it. Postgres resolves an hour that a change of
-- clocks skips to the one after it, and one that it repeats to its second pass. Index: primary keys.
CREATE FUNCTION assignment_reminders.evaluation_turns(as_of timestamptz DEFAULT now())
RETURNS TABLE (organization_id uuid, timezone text, today date, last_evaluated_on date, is_due boolean, is_released boolean)
LANGUAGE sql STABLE
AS $$
    SELECT o.id, o.timezone, local.today,
           -- One that is yet to come, by a simulated clock, was none.
           coalesce((CASE WHEN e.evaluated_at <= evaluation_turns.as_of THEN e.evaluated_at END AT TIME ZONE o.timezone)::date, local.today - 1),
           assignment_reminders.is_evaluation_due(
               evaluation_turns.as_of,
               (local.today + hour.of_day) AT TIME ZONE o.timezone, (local.today - 1 + hour.of_day) AT TIME ZONE o.timezone,
               coalesce(e.evaluated_at, o.created_at), e.considered_at, e.released_at IS NOT NULL),
           e.released_at IS NOT NULL
      FROM assignment_reminders.organizations o
      JOIN assignment_reminders.reminder_settings s ON s.organization_id = o.id
      LEFT JOIN assignment_reminders.organization_evaluations e ON e.organization_id = o.id
     CROSS JOIN LATERAL (SELECT (evaluation_turns.as_of AT TIME ZONE o.timezone)::date AS today) AS local
     CROSS JOIN LATERAL (SELECT make_time(s.evaluation_hour, 0, 0) AS of_day) AS hour
$$;
COMMENT ON FUNCTION assignment_reminders.evaluation_turns(timestamptz) IS
    'Per organization, at as_of: its time zone and day, the day of its last evaluation (yesterday, where there was none), whether a run evaluates it, and whether what was held has been released.';
