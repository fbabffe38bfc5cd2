-- The versions of a versioned table's rows: of each row that is there, or was deleted since the first moment, what changes replaced is put back, change by
-- change. Of the tables only the one that is asked for is read, all of it, those of an organization, or those with these ids (each by an index of its own).
-- Indexes: row_history_organization_idx or row_history_pkey (of all organizations row_history whole); primary keys;
-- assignments_organization_id_key, activities_assignment_idx and assignment_pauses_assignment_idx for what belongs to the assignments of one:
-- OFFSET 0 keeps these look-ups, where the planner, which knows no organization's size, would read what all have.
CREATE AGGREGATE assignment_reminders.put_back(jsonb) (SFUNC = pg_catalog.jsonb_concat, STYPE = jsonb, INITCOND = '{}');
COMMENT ON AGGREGATE assignment_reminders.put_back(jsonb) IS
    'What row_versions asks: objects put into one, of several values of a name the last.';

CREATE FUNCTION assignment_reminders.row_versions(
    table_name text, first_moment timestamptz, last_moment timestamptz, organization_id uuid DEFAULT NULL, row_ids uuid[] DEFAULT NULL
) RETURNS TABLE (row_id uuid, row_version jsonb, valid_from timestamptz, valid_to timestamptz)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
    WITH change AS MATERIALIZED (
        SELECT h.row_id, h.number, h.changed_at, h.operation, h.old_values
          FROM assignment_reminders.row_history h
         WHERE h.table_name = row_versions.table_name AND row_versions.row_ids IS NULL AND row_versions.organization_id IS NULL
         UNION ALL
        SELECT h.row_id, h.number, h.changed_at, h.operation, h.old_values
          FROM assignment_reminders.row_history h
         WHERE h.organization_id = row_versions.organization_id AND h.table_name = row_versions.table_name AND row_versions.row_ids IS NULL
         UNION ALL
        SELECT h.row_id, h.number, h.changed_at, h.operation, h.old_values
          FROM assignment_reminders.row_history h
         WHERE h.row_id = ANY (row_versions.row_ids) AND h.table_name = row_versions.table_name
           AND (h.organization_id = row_versions.organization_id OR row_versions.organization_id IS NULL)
    ), ordered AS MATERIALIZED (
        SELECT c.row_id, c.changed_at, c.number, c.operation, c.old_values,
               lag(c.operation) OVER earlier AS operation_before, lag(c.changed_at) OVER earlier AS changed_before,
               lead(c.row_id) OVER earlier IS NULL AS is_last,
               -- From one delete back to the one before, it is one row.
               count(*) FILTER (WHERE c.operation = 'delete') OVER (PARTITION BY c.row_id ORDER BY c.changed_at DESC, c.number DESC) AS deletes
          FROM change c
        WINDOW earlier AS (PARTITION BY c.row_id ORDER BY c.changed_at, c.number)
    ), replaced AS MATERIALIZED (
        SELECT o.row_id, o.deletes, o.changed_at, o.operation, o.operation_before, o.changed_before,
               first_value(o.old_values) OVER later AS deleted_values,
               -- Of several changes of a column, the value before the first.
               assignment_reminders.put_back(o.old_values) FILTER (WHERE o.operation = 'update') OVER later AS old_values
          FROM ordered o
         WHERE o.changed_at > row_versions.first_moment
        WINDOW later AS (PARTITION BY o.row_id, o.deletes ORDER BY o.changed_at DESC, o.number DESC)
    ), present AS (
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.organizations t
         WHERE row_versions.table_name = 'organizations' AND row_versions.row_ids IS NULL AND row_versions.organization_id IS NULL
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.organizations t
         WHERE row_versions.table_name = 'organizations' AND row_versions.row_ids IS NULL AND t.id = row_versions.organization_id
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.organizations t
         WHERE row_versions.table_name = 'organizations' AND t.id = ANY (row_versions.row_ids) AND (t.id = row_versions.organization_id OR row_versions.organization_id IS NULL)
         UNION ALL
        SELECT t.organization_id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.reminder_settings t
         WHERE row_versions.table_name = 'reminder_settings' AND row_versions.row_ids IS NULL AND row_versions.organization_id IS NULL
         UNION ALL
        SELECT t.organization_id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.reminder_settings t
         WHERE row_versions.table_name = 'reminder_settings' AND row_versions.row_ids IS NULL AND t.organization_id = row_versions.organization_id
         UNION ALL
        SELECT t.organization_id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.reminder_settings t
         WHERE row_versions.table_name = 'reminder_settings' AND t.organization_id = ANY (row_versions.row_ids) AND (t.organization_id = row_versions.organization_id OR row_versions.organization_id IS NULL)
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.days_off t
         WHERE row_versions.table_name = 'days_off' AND row_versions.row_ids IS NULL AND row_versions.organization_id IS NULL
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.days_off t
         WHERE row_versions.table_name = 'days_off' AND row_versions.row_ids IS NULL AND t.organization_id = row_versions.organization_id
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.days_off t
         WHERE row_versions.table_name = 'days_off' AND t.id = ANY (row_versions.row_ids) AND (t.organization_id = row_versions.organization_id OR row_versions.organization_id IS NULL)
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.users t
         WHERE row_versions.table_name = 'users' AND row_versions.row_ids IS NULL AND row_versions.organization_id IS NULL
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.users t
         WHERE row_versions.table_name = 'users' AND row_versions.row_ids IS NULL AND t.organization_id = row_versions.organization_id
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.users t
         WHERE row_versions.table_name = 'users' AND t.id = ANY (row_versions.row_ids) AND (t.organization_id = row_versions.organization_id OR row_versions.organization_id IS NULL)
         UNION ALL
        SELECT t.user_id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.user_preferences t
         WHERE row_versions.table_name = 'user_preferences' AND row_versions.row_ids IS NULL AND row_versions.organization_id IS NULL
         UNION ALL
        SELECT t.user_id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.user_preferences t
         WHERE row_versions.table_name = 'user_preferences' AND row_versions.row_ids IS NULL AND t.organization_id = row_versions.organization_id
         UNION ALL
        SELECT t.user_id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.user_preferences t
         WHERE row_versions.table_name = 'user_preferences' AND t.user_id = ANY (row_versions.row_ids) AND (t.organization_id = row_versions.organization_id OR row_versions.organization_id IS NULL)
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.peer_mentors t
         WHERE row_versions.table_name = 'peer_mentors' AND row_versions.row_ids IS NULL AND row_versions.organization_id IS NULL
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.peer_mentors t
         WHERE row_versions.table_name = 'peer_mentors' AND row_versions.row_ids IS NULL AND t.organization_id = row_versions.organization_id
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.peer_mentors t
         WHERE row_versions.table_name = 'peer_mentors' AND t.id = ANY (row_versions.row_ids) AND (t.organization_id = row_versions.organization_id OR row_versions.organization_id IS NULL)
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.assignments t
         WHERE row_versions.table_name = 'assignments' AND row_versions.row_ids IS NULL AND row_versions.organization_id IS NULL
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.assignments t
         WHERE row_versions.table_name = 'assignments' AND row_versions.row_ids IS NULL AND t.organization_id = row_versions.organization_id
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.assignments t
         WHERE row_versions.table_name = 'assignments' AND t.id = ANY (row_versions.row_ids) AND (t.organization_id = row_versions.organization_id OR row_versions.organization_id IS NULL)
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.assignment_pauses t
         WHERE row_versions.table_name = 'assignment_pauses' AND row_versions.row_ids IS NULL AND row_versions.organization_id IS NULL
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version
          FROM assignment_reminders.assignments a
         CROSS JOIN LATERAL (SELECT t.* FROM assignment_reminders.assignment_pauses t WHERE t.assignment_id = a.id OFFSET 0) AS t
         WHERE row_versions.table_name = 'assignment_pauses' AND row_versions.row_ids IS NULL AND a.organization_id = row_versions.organization_id
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.assignment_pauses t
         WHERE row_versions.table_name = 'assignment_pauses' AND t.id = ANY (row_versions.row_ids) AND (t.organization_id = row_versions.organization_id OR row_versions.organization_id IS NULL)
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.mentor_pauses t
         WHERE row_versions.table_name = 'mentor_pauses' AND row_versions.row_ids IS NULL AND row_versions.organization_id IS NULL
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.mentor_pauses t
         WHERE row_versions.table_name = 'mentor_pauses' AND row_versions.row_ids IS NULL AND t.organization_id = row_versions.organization_id
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.mentor_pauses t
         WHERE row_versions.table_name = 'mentor_pauses' AND t.id = ANY (row_versions.row_ids) AND (t.organization_id = row_versions.organization_id OR row_versions.organization_id IS NULL)
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.contact_corrections t
         WHERE row_versions.table_name = 'contact_corrections' AND row_versions.row_ids IS NULL AND row_versions.organization_id IS NULL
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.contact_corrections t
         WHERE row_versions.table_name = 'contact_corrections' AND row_versions.row_ids IS NULL AND t.organization_id = row_versions.organization_id
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.contact_corrections t
         WHERE row_versions.table_name = 'contact_corrections' AND t.id = ANY (row_versions.row_ids) AND (t.organization_id = row_versions.organization_id OR row_versions.organization_id IS NULL)
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.activities t
         WHERE row_versions.table_name = 'activities' AND row_versions.row_ids IS NULL AND row_versions.organization_id IS NULL
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version
          FROM assignment_reminders.assignments a
         CROSS JOIN LATERAL (SELECT t.* FROM assignment_reminders.activities t WHERE t.assignment_id = a.id OFFSET 0) AS t
         WHERE row_versions.table_name = 'activities' AND row_versions.row_ids IS NULL AND a.organization_id = row_versions.organization_id
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.activities t
         WHERE row_versions.table_name = 'activities' AND t.id = ANY (row_versions.row_ids) AND (t.organization_id = row_versions.organization_id OR row_versions.organization_id IS NULL)
    ), version AS (
        SELECT p.row_id, p.version, p.created_at, l.operation AS operation_before, l.changed_at AS changed_before, NULL::timestamptz AS valid_to
          FROM present p
          LEFT JOIN (SELECT o.row_id, o.operation, o.changed_at FROM ordered o WHERE o.is_last) AS l USING (row_id)
         UNION ALL
        SELECT r.row_id, v.version,
               CASE WHEN r.deletes = 0 AND NOT r.old_values ? 'created_at' THEN p.created_at ELSE (v.version ->> 'created_at')::timestamptz END,
               r.operation_before, r.changed_before, r.changed_at
          FROM replaced r
          LEFT JOIN present p ON p.row_id = r.row_id AND r.deletes = 0
         CROSS JOIN LATERAL (SELECT CASE r.deletes WHEN 0 THEN p.version ELSE r.deleted_values END || r.old_values AS version) AS v
         WHERE r.operation NOT IN ('insert', 'early insert') AND v.version IS NOT NULL
    )
    SELECT v.row_id,
           CASE row_versions.table_name
                WHEN 'assignments' THEN v.version - 'last_contact_date'
                WHEN 'peer_mentors' THEN v.version - 'assignment_count'
                ELSE v.version END,
           -- In a SELECT of its own it is asked once.
           greatest(since.moment, (SELECT assignment_reminders.history_known_since())), v.valid_to
      FROM version v
     CROSS JOIN LATERAL (
           -- A row that no change tells of is from when it was created: one that was inserted as if it were older is told of.
           SELECT CASE WHEN v.operation_before IN ('insert', 'early insert', 'update') THEN v.changed_before
                       ELSE greatest(v.changed_before, v.created_at) END AS moment
           ) AS since
     WHERE since.moment <= row_versions.last_moment AND (since.moment < v.valid_to OR v.valid_to IS NULL)
     -- No limit, but evaluated also where the planner sees that nothing is shown.
     LIMIT CASE WHEN NOT assignment_reminders.require_history(row_versions.table_name, row_versions.first_moment, row_versions.organization_id)
                     OR assignment_reminders.require_value(row_versions.last_moment, 'last_moment') IS NULL THEN 0 END
$$;
COMMENT ON FUNCTION assignment_reminders.row_versions(text, timestamptz, timestamptz, uuid, uuid[]) IS
    'Every version of the rows of a versioned table that held at any moment from first_moment to last_moment: what rows_as_of() says at each, with the same columns and errors.';

CREATE FUNCTION assignment_reminders.rows_as_of(
    table_name text, moment timestamptz, organization_id uuid DEFAULT NULL, row_ids uuid[] DEFAULT NULL
) RETURNS TABLE (row_id uuid, row_version jsonb, valid_from timestamptz, valid_to timestamptz)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT v.row_id, v.row_version, v.valid_from, v.valid_to
      FROM assignment_reminders.row_versions($1, $2, $2, $3, $4) AS v
$$;
COMMENT ON FUNCTION assignment_reminders.rows_as_of(text, timestamptz, uuid, uuid[]) IS
    'The rows of a versioned table (organizations, reminder_settings, days_off, users, user_preferences, peer_mentors, assignments, assignment_pauses, mentor_pauses, contact_corrections, activities) as they stood at a moment, a future one being the present: the row as JSON (jsonb_populate_record makes a row of it), from when on it was so, as far as that is known, and until when (NULL: still). NULL organization: all. row_ids: of these alone. Without what is derived and not versioned: last_contact_date, which contact_dates_as_of() gives, and assignment_count; other derived columns (updated_at, soft_bounces, thresholds_changed_at) are those of the next version. A change counts from the moment its statement wrote, an insert from the beginning of its transaction. 22023 for another table, naming these, or for a moment before the history begins, naming it; 22004 for a NULL table or moment, 42501 where row security may hide rows. It needs SELECT on row_history and every versioned table.';

-- The contact dates at a moment, as sql/contact/recompute.sql says them of the present, by the organization's time zone of that moment.
-- Indexes: row_history_organization_idx or row_history_belongs_to_idx (of all organizations row_history whole); activities_assignment_idx, contact_corrections_assignment_number_key where
-- assignments are named.
CREATE FUNCTION assignment_reminders.contact_dates_as_of(
    moment timestamptz, organization_id uuid DEFAULT NULL, assignment_ids uuid[] DEFAULT NULL
) RETURNS TABLE (assignment_id uuid, last_contact_date date)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
    WITH changed AS MATERIALIZED (
        -- What has no history is read as it is: most of it has none.
        SELECT h.table_name, h.row_id FROM assignment_reminders.row_history h
         WHERE h.table_name IN ('activities', 'contact_corrections') AND contact_dates_as_of.assignment_ids IS NULL
           AND contact_dates_as_of.organization_id IS NULL
         UNION
        SELECT h.table_name, h.row_id FROM assignment_reminders.row_history h
         WHERE h.organization_id = contact_dates_as_of.organization_id AND h.table_name IN ('activities', 'contact_corrections')
           AND contact_dates_as_of.assignment_ids IS NULL
         UNION
        SELECT h.table_name, h.row_id FROM assignment_reminders.row_history h
         WHERE h.belongs_to = ANY (contact_dates_as_of.assignment_ids) AND h.table_name IN ('activities', 'contact_corrections')
         UNION
        -- Those that came from another assignment.
        SELECT h.table_name, h.row_id
          FROM assignment_reminders.activities t
          JOIN assignment_reminders.row_history h ON h.row_id = t.id AND h.table_name = 'activities'
         WHERE t.assignment_id = ANY (contact_dates_as_of.assignment_ids)
    ), zone AS MATERIALIZED (
        SELECT o.row_id AS organization_id, o.row_version ->> 'timezone' AS timezone
          FROM assignment_reminders.rows_as_of('organizations', contact_dates_as_of.moment, contact_dates_as_of.organization_id) AS o
    ), activity AS (
        SELECT t.organization_id, t.assignment_id, t.occurred_at
          FROM assignment_reminders.activities t
         WHERE t.is_contact AND t.overruled_by IS NULL AND t.created_at <= contact_dates_as_of.moment
           AND contact_dates_as_of.assignment_ids IS NULL AND contact_dates_as_of.organization_id IS NULL
           AND t.id NOT IN (SELECT c.row_id FROM changed c WHERE c.table_name = 'activities')
         UNION ALL
        SELECT t.organization_id, t.assignment_id, t.occurred_at
          FROM assignment_reminders.assignments a
         CROSS JOIN LATERAL (SELECT t.* FROM assignment_reminders.activities t WHERE t.assignment_id = a.id OFFSET 0) AS t
         WHERE t.is_contact AND t.overruled_by IS NULL AND t.created_at <= contact_dates_as_of.moment
           AND contact_dates_as_of.assignment_ids IS NULL AND a.organization_id = contact_dates_as_of.organization_id
           AND t.id NOT IN (SELECT c.row_id FROM changed c WHERE c.table_name = 'activities')
         UNION ALL
        SELECT t.organization_id, t.assignment_id, t.occurred_at
          FROM assignment_reminders.activities t
         WHERE t.is_contact AND t.overruled_by IS NULL AND t.created_at <= contact_dates_as_of.moment
           AND t.assignment_id = ANY (contact_dates_as_of.assignment_ids)
           AND (t.organization_id = contact_dates_as_of.organization_id OR contact_dates_as_of.organization_id IS NULL)
           AND t.id NOT IN (SELECT c.row_id FROM changed c WHERE c.table_name = 'activities')
         UNION ALL
        SELECT (t.row_version ->> 'organization_id')::uuid, (t.row_version ->> 'assignment_id')::uuid, (t.row_version ->> 'occurred_at')::timestamptz
          FROM assignment_reminders.rows_as_of(
                   'activities', contact_dates_as_of.moment, contact_dates_as_of.organization_id,
                   ARRAY(SELECT c.row_id FROM changed c WHERE c.table_name = 'activities')) AS t
         WHERE (t.row_version ->> 'is_contact')::boolean AND t.row_version ->> 'overruled_by' IS NULL
    ), correction AS (
        SELECT c.assignment_id, c.number, c.new_date
          FROM assignment_reminders.contact_corrections c
         WHERE c.created_at <= contact_dates_as_of.moment AND contact_dates_as_of.assignment_ids IS NULL
           AND (c.organization_id = contact_dates_as_of.organization_id OR contact_dates_as_of.organization_id IS NULL)
           AND c.id NOT IN (SELECT c.row_id FROM changed c WHERE c.table_name = 'contact_corrections')
         UNION ALL
        SELECT c.assignment_id, c.number, c.new_date
          FROM assignment_reminders.contact_corrections c
         WHERE c.created_at <= contact_dates_as_of.moment AND c.assignment_id = ANY (contact_dates_as_of.assignment_ids)
           AND (c.organization_id = contact_dates_as_of.organization_id OR contact_dates_as_of.organization_id IS NULL)
           AND c.id NOT IN (SELECT c.row_id FROM changed c WHERE c.table_name = 'contact_corrections')
         UNION ALL
        SELECT (c.row_version ->> 'assignment_id')::uuid, (c.row_version ->> 'number')::integer, (c.row_version ->> 'new_date')::date
          FROM assignment_reminders.rows_as_of(
                   'contact_corrections', contact_dates_as_of.moment, contact_dates_as_of.organization_id,
                   ARRAY(SELECT c.row_id FROM changed c WHERE c.table_name = 'contact_corrections')) AS c
    ), told AS (
        SELECT a.assignment_id, max((a.occurred_at AT TIME ZONE z.timezone)::date) AS contact_date
          FROM activity a JOIN zone z ON z.organization_id = a.organization_id
         GROUP BY a.assignment_id
         UNION ALL
        SELECT last.assignment_id, last.new_date
          FROM (SELECT DISTINCT ON (c.assignment_id) c.assignment_id, c.new_date
                  FROM correction c ORDER BY c.assignment_id, c.number DESC) AS last
    )
    SELECT t.assignment_id, max(t.contact_date)
      FROM told t
     WHERE t.assignment_id = ANY (contact_dates_as_of.assignment_ids) OR contact_dates_as_of.assignment_ids IS NULL
     GROUP BY t.assignment_id
     LIMIT CASE WHEN NOT assignment_reminders.require_history(
                         'contact_corrections', contact_dates_as_of.moment, contact_dates_as_of.organization_id) THEN 0 END
$$;
COMMENT ON FUNCTION assignment_reminders.contact_dates_as_of(timestamptz, uuid, uuid[]) IS
    'The last contact dates of assignments as they were known at a moment: by the activities and corrections that rows_as_of() gives, in the organization''s time zone of then. None for an assignment of which neither says anything; NULL where a correction said that there was no contact. NULL organization, NULL ids: all. Errors as those of rows_as_of().';
