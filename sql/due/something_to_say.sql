-- The moment a day before as_of, by the clock of a time zone: from then on, what was completed is news.
CREATE FUNCTION assignment_reminders.day_before(as_of timestamptz, timezone text) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT (as_of AT TIME ZONE timezone - interval '1 day') AT TIME ZONE timezone
$$;

-- Whether a student's daily summary at as_of would hold anything: an open assignment, or one completed within the day.
-- Index: assignments_student_due_at_idx.
CREATE FUNCTION assignment_reminders.has_something_to_say(student_id uuid, as_of timestamptz, timezone text) RETURNS boolean
LANGUAGE sql STABLE
AS $$
    SELECT EXISTS (
           SELECT FROM assignment_reminders.assignments a
            WHERE a.student_id = has_something_to_say.student_id
              AND (a.status = 'open'
                   OR (a.completed_at > assignment_reminders.day_before(has_something_to_say.as_of, has_something_to_say.timezone)
                       AND a.completed_at <= has_something_to_say.as_of)))
$$;
