-- Compares every contact date with what activities and corrections say, in one snapshot. Assignments of which neither says
-- anything are passed over: one that was imported while the triggers were away keeps its date. Reads the tables whole, as
-- verify_assignment_counts does.
CREATE FUNCTION assignment_reminders.verify_contact_dates()
RETURNS TABLE (organization_id uuid, assignment_id uuid, last_contact_date date, actual_date date)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT a.organization_id, a.id, a.last_contact_date, greatest(correction.new_date, activity.contact_date)
      FROM assignment_reminders.assignments a
      LEFT JOIN (SELECT DISTINCT ON (c.assignment_id) c.assignment_id, c.new_date
                   FROM assignment_reminders.contact_corrections c
                  ORDER BY c.assignment_id, c.number DESC) AS correction
        ON correction.assignment_id = a.id
      LEFT JOIN (SELECT t.assignment_id, max((t.occurred_at AT TIME ZONE o.timezone)::date) AS contact_date
                   FROM assignment_reminders.activities t
                   JOIN assignment_reminders.organizations o ON o.id = t.organization_id
                  WHERE t.is_contact AND t.overruled_by IS NULL
                  GROUP BY t.assignment_id) AS activity
        ON activity.assignment_id = a.id
     WHERE (correction.assignment_id IS NOT NULL OR activity.assignment_id IS NOT NULL)
       AND a.last_contact_date IS DISTINCT FROM greatest(correction.new_date, activity.contact_date)
     ORDER BY a.organization_id, a.id
     -- No limit, but evaluated also where the planner sees that nothing is shown.
     LIMIT CASE WHEN NOT assignment_reminders.require_whole('{assignments,organizations,activities,contact_corrections}') THEN 0 END
$$;
COMMENT ON FUNCTION assignment_reminders.verify_contact_dates() IS
    'Assignments whose last_contact_date differs from what activities and corrections say in the organization''s time zone; always empty, unless triggers were bypassed or that zone was changed since.';
