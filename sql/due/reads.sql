-- Reading what is due.

-- Index: assignments_open_due_at_idx, from the key on, once per target.
CREATE FUNCTION assignment_reminders.due_assignments(
    unit text,
    targets integer[],
    tolerance integer DEFAULT 1,
    as_of timestamptz DEFAULT now(),
    after_target integer DEFAULT NULL,
    after_due_at timestamptz DEFAULT NULL,
    after_assignment_id uuid DEFAULT NULL,
    page_size integer DEFAULT NULL,
    organization_id uuid DEFAULT NULL
) RETURNS TABLE (
    target integer, reminder_type text, organization_id uuid, assignment_id uuid, title text, due_at timestamptz,
    due_at_local timestamp, timezone text, student_id uuid, email text, name text
)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
    SELECT due.target, due.reminder_type, a.organization_id, a.id, a.title, a.due_at, a.due_at AT TIME ZONE a.timezone, a.timezone,
           a.student_id, a.email, a.name
      FROM (SELECT assignment_reminders.existing_organization(due_assignments.organization_id) AS id OFFSET 0) AS organization
     CROSS JOIN LATERAL assignment_reminders.due_windows(
           due_assignments.unit, due_assignments.targets, due_assignments.tolerance, due_assignments.as_of) AS due
     CROSS JOIN LATERAL (
           SELECT CASE WHEN due.target = due_assignments.after_target THEN due_assignments.after_due_at END AS due_at,
                  CASE WHEN due.target = due_assignments.after_target THEN due_assignments.after_assignment_id END AS id
           ) AS after
     CROSS JOIN LATERAL (
           SELECT a.organization_id, a.id, a.title, a.due_at, a.student_id, u.email, u.name, coalesce(u.timezone, assignment_reminders.organization_timezone(u.organization_id)) AS timezone
             FROM assignment_reminders.assignments a
            -- LIMIT 1, of a unique row, keeps this a look-up by key.
            CROSS JOIN LATERAL (
                  SELECT * FROM assignment_reminders.users u
                   WHERE u.id = a.student_id AND u.organization_id = a.organization_id LIMIT 1
                  ) AS u
            WHERE a.status = 'open'
              AND a.due_at BETWEEN due.due_from AND due.due_to
              AND (a.due_at, a.id) > (coalesce(after.due_at, '-infinity'), coalesce(after.id, '00000000-0000-0000-0000-000000000000'))
              AND assignment_reminders.is_reachable(
                      u.contact_opt_out,
                      assignment_reminders.address_of(u.email, (SELECT s.address_required FROM assignment_reminders.reminder_settings s
                                                                  WHERE s.organization_id = a.organization_id LIMIT 1)))
              AND (organization.id IS NULL OR a.organization_id = organization.id)
            ORDER BY a.due_at, a.id
            LIMIT assignment_reminders.require_page_size(due_assignments.page_size)
           ) AS a
     WHERE due_assignments.after_target IS NULL OR due.target >= due_assignments.after_target
     ORDER BY due.target, a.due_at, a.id
     LIMIT assignment_reminders.require_page_size(due_assignments.page_size)
$$;
COMMENT ON FUNCTION assignment_reminders.due_assignments(text, integer[], integer, timestamptz, integer, timestamptz, uuid, integer, uuid) IS
    'The open assignments that are due targets units (minutes, hours or days) after as_of, give or take tolerance minutes, and whose students can be written to; an assignment near two targets comes once for each. Ordered by target, due date and id. All, or a page of page_size: for the next one, pass the last row''s. NULL organization: all that the caller sees. 22004 for NULL, 22023 for another unit, a negative target or tolerance, or a page size outside 1 to 10000; 22008 for an infinite as_of or a target beyond the calendar; 02000 for an unknown organization.';

CREATE FUNCTION assignment_reminders.day_before(as_of timestamptz, timezone text) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (as_of AT TIME ZONE timezone - interval '1 day') AT TIME ZONE timezone;
COMMENT ON FUNCTION assignment_reminders.day_before(timestamptz, text) IS
    'The moment a day before as_of, by the clock of a time zone: from then on, what was completed is news.';

CREATE FUNCTION assignment_reminders.summary_since(last_sent_at timestamptz, as_of timestamptz, timezone text) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN greatest(CASE WHEN last_sent_at <= as_of THEN last_sent_at ELSE assignment_reminders.day_before(as_of, timezone) END,
                as_of - interval '31 days');
COMMENT ON FUNCTION assignment_reminders.summary_since(timestamptz, timestamptz, text) IS
    'Since when what was completed is news in a summary at as_of: since the last one was sent, but for 31 days at most; where there was none, since a day before, by the clock of a time zone.';

-- Whoever may not read reminders sees what was completed within a day. Index: reminders_recipient_summary_key.
CREATE FUNCTION assignment_reminders.last_summary_sent(student_id uuid, as_of timestamptz, timezone text) RETURNS timestamptz
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN r.anchor = (last_summary_sent.as_of AT TIME ZONE last_summary_sent.timezone)::date::timestamp AT TIME ZONE 'UTC'
                THEN r.previous_sent_at ELSE coalesce(r.sent_at, r.previous_sent_at) END
      FROM assignment_reminders.reminders r
     WHERE r.recipient_id = last_summary_sent.student_id AND r.assignment_id IS NULL
       AND r.reminder_type = assignment_reminders.reminder_type_of('summary')
$$;
COMMENT ON FUNCTION assignment_reminders.last_summary_sent(uuid, timestamptz, text) IS
    'When a student''s summary before the one of as_of''s day (in a time zone) was sent. NULL: never, or none is visible to the caller.';

CREATE FUNCTION assignment_reminders.last_summary(student_id uuid, as_of timestamptz, timezone text) RETURNS timestamptz
LANGUAGE sql STABLE
RETURN assignment_reminders.summary_since(
           CASE WHEN has_table_privilege('assignment_reminders.reminders', 'SELECT')
                THEN assignment_reminders.last_summary_sent(student_id, as_of, timezone) END,
           as_of, timezone);
COMMENT ON FUNCTION assignment_reminders.last_summary(uuid, timestamptz, text) IS
    'Since when what was completed is news in a student''s summary at as_of.';

CREATE FUNCTION assignment_reminders.is_in_daily_summary(
    status text, due_at timestamptz, completed_at timestamptz, since timestamptz, as_of timestamptz
) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN due_at IS NOT NULL AND (status = 'open' OR coalesce(completed_at > since AND completed_at <= as_of, false));
COMMENT ON FUNCTION assignment_reminders.is_in_daily_summary(text, timestamptz, timestamptz, timestamptz, timestamptz) IS
    'Whether a student''s daily summary at as_of shows an assignment of this status: one with a due date, while it is open, and once after it was completed since then.';

-- Index: users_pkey, assignments_student_due_at_idx.
CREATE FUNCTION assignment_reminders.daily_summary(student_id uuid, as_of timestamptz DEFAULT now())
RETURNS TABLE (current jsonb, overdue jsonb, completed jsonb)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(jsonb_agg(item.item ORDER BY a.due_at, a.title, a.id)
                        FILTER (WHERE a.status = 'open' AND coalesce(a.due_at > wanted.as_of, true)), '[]'),
           coalesce(jsonb_agg(item.item ORDER BY a.due_at, a.title, a.id)
                        FILTER (WHERE a.status = 'open' AND a.due_at <= wanted.as_of), '[]'),
           coalesce(jsonb_agg(item.item ORDER BY a.completed_at, a.title, a.id) FILTER (WHERE a.completed), '[]')
      FROM (SELECT assignment_reminders.require_value(daily_summary.student_id, 'student_id') AS id,
                   assignment_reminders.require_moment(daily_summary.as_of) AS as_of
            OFFSET 0) AS wanted
      LEFT JOIN assignment_reminders.users u ON u.id = wanted.id
     CROSS JOIN LATERAL (SELECT coalesce(u.timezone, assignment_reminders.organization_timezone(u.organization_id)) AS timezone) AS local
     CROSS JOIN LATERAL (SELECT assignment_reminders.last_summary(u.id, wanted.as_of, local.timezone) AS since OFFSET 0) AS last
      LEFT JOIN assignment_reminders.assignments a
        ON a.student_id = u.id AND a.organization_id = u.organization_id
       AND assignment_reminders.is_in_daily_summary(a.status, a.due_at, a.completed_at, last.since, wanted.as_of)
     CROSS JOIN LATERAL (
           SELECT jsonb_build_object('assignment_id', a.id, 'title', a.title, 'due_at', a.due_at,
                                     'due_at_local', a.due_at AT TIME ZONE local.timezone) AS item
           ) AS item
     WHERE coalesce(u.id, assignment_reminders.raise_unknown('student', wanted.id)) IS NOT NULL
$$;
COMMENT ON FUNCTION assignment_reminders.daily_summary(uuid, timestamptz) IS
    'What a student''s summary at as_of says: their open assignments that are not yet due, the overdue ones, and those completed since the last summary (31 days at most; without one, within the day before), each as a JSON array of assignment_id, title, due_at and due_at_local (in the student''s time zone). 22004 for NULL, 22008 for an infinite as_of, 02000 for an unknown student.';

-- Index: assignments_student_due_at_idx.
CREATE FUNCTION assignment_reminders.has_something_to_say(student_id uuid, as_of timestamptz, timezone text) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT EXISTS (
           SELECT FROM assignment_reminders.assignments a
            WHERE a.student_id = has_something_to_say.student_id
              AND assignment_reminders.is_in_daily_summary(
                      a.status, a.due_at, a.completed_at,
                      assignment_reminders.last_summary(
                          has_something_to_say.student_id, has_something_to_say.as_of, has_something_to_say.timezone),
                      has_something_to_say.as_of))
$$;
COMMENT ON FUNCTION assignment_reminders.has_something_to_say(uuid, timestamptz, text) IS
    'Whether a student''s daily summary at as_of would hold anything: an open assignment with a due date, or one completed since the last summary.';
