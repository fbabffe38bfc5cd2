-- Compares every count with count(*) in one snapshot. Reads both tables whole (an index-only scan of
-- assignments_peer_mentor_idx does): it is a check, run when there is reason to doubt.
CREATE FUNCTION assignment_reminders.verify_assignment_counts()
RETURNS TABLE (organization_id uuid, peer_mentor_id uuid, assignment_count integer, actual_count integer)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT m.organization_id, m.id, m.assignment_count, coalesce(actual.assignments, 0)::integer
      FROM assignment_reminders.peer_mentors m
      LEFT JOIN (SELECT a.peer_mentor_id, count(*) AS assignments
                   FROM assignment_reminders.assignments a
                  WHERE a.peer_mentor_id IS NOT NULL
                  GROUP BY a.peer_mentor_id) AS actual
        ON actual.peer_mentor_id = m.id
     WHERE m.assignment_count <> coalesce(actual.assignments, 0)
     ORDER BY m.organization_id, m.id
     -- No limit, but evaluated also where the planner sees that nothing is shown.
     LIMIT CASE WHEN NOT assignment_reminders.require_whole('{peer_mentors,assignments}') THEN 0 END
$$;
COMMENT ON FUNCTION assignment_reminders.verify_assignment_counts() IS
    'Mentors whose assignment_count differs from count(*); always empty, unless triggers were bypassed.';
