-- Reading contact dates. Each is one query, with a pinned search_path, and so never inlined into the caller's: what the caller
-- filters by cannot take away the error of a missing row, which the functions named require_ and raise_ raise.

-- Index: assignments_pkey.
CREATE FUNCTION assignment_reminders.get_last_contact_date(assignment_id uuid) RETURNS date
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT a.last_contact_date
      FROM (SELECT assignment_reminders.require_value(get_last_contact_date.assignment_id, 'assignment_id') AS id) AS wanted
      LEFT JOIN assignment_reminders.assignments a ON a.id = wanted.id
     WHERE coalesce(a.id, assignment_reminders.raise_unknown('assignment', wanted.id)) IS NOT NULL
$$;
COMMENT ON FUNCTION assignment_reminders.get_last_contact_date(uuid) IS
    'The assignment''s latest contact; NULL when there never was one. 02000 for an unknown assignment, 22004 for NULL.';

-- Index: assignments_open_contact_clock_idx, from the key on. What was never in contact has its place there by the day it was
-- assigned, so the last page goes through what was in contact since, too.
CREATE FUNCTION assignment_reminders.get_assignments_with_no_contact_since(
    cutoff_date date,
    after_silent_since date DEFAULT NULL,
    after_assignment_id uuid DEFAULT NULL,
    page_size integer DEFAULT NULL,
    organization_id uuid DEFAULT NULL
) RETURNS TABLE (
    assignment_id uuid, title text, student_id uuid, peer_mentor_id uuid, coordinator_id uuid, assigned_on date,
    last_contact_date date, silent_since date
)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT silent.*
      FROM (SELECT assignment_reminders.require_value(get_assignments_with_no_contact_since.cutoff_date, 'cutoff_date') AS cutoff_date,
                   assignment_reminders.chosen_organization(get_assignments_with_no_contact_since.organization_id) AS organization_id
            OFFSET 0) AS wanted
     CROSS JOIN LATERAL (
           SELECT a.id, a.title, a.student_id, a.peer_mentor_id, a.coordinator_id, a.assigned_on, a.last_contact_date,
                  assignment_reminders.silent_since(a.last_contact_date, a.assigned_on) AS silent_since
             FROM assignment_reminders.assignments a
            WHERE a.organization_id = wanted.organization_id
              AND a.status = 'open'
              AND (assignment_reminders.silent_since(a.last_contact_date, a.assigned_on), a.id)
                  > (coalesce(get_assignments_with_no_contact_since.after_silent_since, '-infinity'),
                     coalesce(get_assignments_with_no_contact_since.after_assignment_id, '00000000-0000-0000-0000-000000000000'))
              AND (a.last_contact_date < wanted.cutoff_date OR a.last_contact_date IS NULL)
            ORDER BY assignment_reminders.silent_since(a.last_contact_date, a.assigned_on), a.id
            LIMIT assignment_reminders.require_page_size(get_assignments_with_no_contact_since.page_size)
           ) AS silent
     ORDER BY silent.silent_since, silent.id
$$;
COMMENT ON FUNCTION assignment_reminders.get_assignments_with_no_contact_since(date, date, uuid, integer, uuid) IS
    'An organization''s open assignments whose last contact was before cutoff_date, and those that never had one, longest silent first (without any contact: from the day they were assigned). All, or a page of page_size: for the next one, pass the last row''s silent_since and assignment_id. NULL organization: the current one. 02000 for an unknown one, 22004 for a NULL cutoff_date and where the session speaks for no organization, 22023 for a page size outside 1 to 10000.';

CREATE FUNCTION assignment_reminders.get_open_assignments_with_contact_dates(
    after_silent_since date DEFAULT NULL,
    after_assignment_id uuid DEFAULT NULL,
    page_size integer DEFAULT NULL,
    organization_id uuid DEFAULT NULL
) RETURNS TABLE (
    assignment_id uuid, title text, student_id uuid, peer_mentor_id uuid, coordinator_id uuid, assigned_on date,
    last_contact_date date, silent_since date
)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    -- No contact was at the end of time.
    SELECT * FROM assignment_reminders.get_assignments_with_no_contact_since(
           'infinity', get_open_assignments_with_contact_dates.after_silent_since,
           get_open_assignments_with_contact_dates.after_assignment_id, get_open_assignments_with_contact_dates.page_size,
           get_open_assignments_with_contact_dates.organization_id)
$$;
COMMENT ON FUNCTION assignment_reminders.get_open_assignments_with_contact_dates(date, uuid, integer, uuid) IS
    'An organization''s open assignments with their contact dates, longest silent first; paged as get_assignments_with_no_contact_since is. NULL organization: the current one. 02000 for an unknown one, 22004 where the session speaks for none, 22023 for a page size outside 1 to 10000.';

-- Index: primary keys.
CREATE FUNCTION assignment_reminders.get_assignment_with_participants(assignment_id uuid) RETURNS TABLE (
    assignment_id uuid, organization_id uuid, title text, status text, due_at timestamptz, assigned_on date, last_contact_date date,
    student_id uuid, student_name text, student_email text,
    peer_mentor_id uuid, peer_mentor_user_id uuid, peer_mentor_name text, peer_mentor_email text,
    coordinator_id uuid, coordinator_name text, coordinator_email text
)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT a.id, a.organization_id, a.title, a.status, a.due_at, a.assigned_on, a.last_contact_date,
           student.id, student.name, student.email,
           a.peer_mentor_id, mentor.id, mentor.name, mentor.email,
           coordinator.id, coordinator.name, coordinator.email
      FROM (SELECT assignment_reminders.require_value($1, 'assignment_id') AS id) AS wanted
      LEFT JOIN assignment_reminders.assignments a ON a.id = wanted.id
      LEFT JOIN assignment_reminders.users student
        ON student.id = a.student_id AND student.organization_id = a.organization_id
      LEFT JOIN assignment_reminders.peer_mentors m ON m.id = a.peer_mentor_id AND m.organization_id = a.organization_id
      LEFT JOIN assignment_reminders.users mentor ON mentor.id = m.user_id AND mentor.organization_id = a.organization_id
      LEFT JOIN assignment_reminders.users coordinator
        ON coordinator.id = a.coordinator_id AND coordinator.organization_id = a.organization_id
     WHERE coalesce(a.id, assignment_reminders.raise_unknown('assignment', wanted.id)) IS NOT NULL
$$;
COMMENT ON FUNCTION assignment_reminders.get_assignment_with_participants(uuid) IS
    'The assignment with its student, mentor and coordinator; those it does not have are NULL. 02000 for an unknown assignment, 22004 for NULL.';
