-- The rows of a versioned table at a moment: those that are there, or were deleted since, with what was changed since put back. Of the tables
-- only the one that is asked for is read, all of it, those of an organization, or those with these ids (each by an index of its own).
-- Indexes: row_history_table_idx or row_history_pkey; primary keys.
CREATE FUNCTION assignment_reminders.rows_as_of(
    table_name text, moment timestamptz, organization_id uuid DEFAULT NULL, row_ids uuid[] DEFAULT NULL
) RETURNS TABLE (row_id uuid, row_version jsonb, valid_from timestamptz, valid_to timestamptz)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
    WITH change AS MATERIALIZED (
        SELECT h.row_id, h.number, h.changed_at, h.operation, h.old_values, h.changed_at > rows_as_of.moment AS is_after
          FROM assignment_reminders.row_history h
         WHERE h.table_name = rows_as_of.table_name AND rows_as_of.row_ids IS NULL
           AND (h.organization_id = rows_as_of.organization_id OR rows_as_of.organization_id IS NULL)
         UNION ALL
        SELECT h.row_id, h.number, h.changed_at, h.operation, h.old_values, h.changed_at > rows_as_of.moment
          FROM assignment_reminders.row_history h
         WHERE h.row_id = ANY (rows_as_of.row_ids) AND h.table_name = rows_as_of.table_name
           AND (h.organization_id = rows_as_of.organization_id OR rows_as_of.organization_id IS NULL)
    ), changed AS MATERIALIZED (
        SELECT c.row_id,
               max(c.changed_at) FILTER (WHERE NOT c.is_after) AS changed_before,
               (array_agg(c.operation ORDER BY c.changed_at DESC, c.number DESC) FILTER (WHERE NOT c.is_after))[1] AS last_before,
               min(c.changed_at) FILTER (WHERE c.is_after) AS changed_after,
               (array_agg(c.operation ORDER BY c.changed_at, c.number) FILTER (WHERE c.is_after))[1] AS first_after
          FROM change c
         GROUP BY c.row_id
    ), deleted AS MATERIALIZED (
        SELECT DISTINCT ON (c.row_id) c.row_id, c.changed_at, c.number, c.old_values
          FROM change c
         WHERE c.is_after AND c.operation = 'delete'
         ORDER BY c.row_id, c.changed_at, c.number
    ), put_back AS MATERIALIZED (
        -- Of several changes of a column, the value before the first: jsonb_object_agg keeps the last that it is given.
        SELECT c.row_id, jsonb_object_agg(old.name, old.value ORDER BY c.changed_at DESC, c.number DESC) AS old_values
          FROM change c
          LEFT JOIN deleted d ON d.row_id = c.row_id
         CROSS JOIN LATERAL jsonb_each(c.old_values) AS old (name, value)
         WHERE c.is_after AND c.operation = 'update' AND (d.row_id IS NULL OR (c.changed_at, c.number) < (d.changed_at, d.number))
         GROUP BY c.row_id
    ), present AS (
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.organizations t
         WHERE rows_as_of.table_name = 'organizations' AND rows_as_of.row_ids IS NULL AND rows_as_of.organization_id IS NULL
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.organizations t
         WHERE rows_as_of.table_name = 'organizations' AND rows_as_of.row_ids IS NULL AND t.id = rows_as_of.organization_id
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.organizations t
         WHERE rows_as_of.table_name = 'organizations' AND t.id = ANY (rows_as_of.row_ids) AND (t.id = rows_as_of.organization_id OR rows_as_of.organization_id IS NULL)
         UNION ALL
        SELECT t.organization_id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.reminder_settings t
         WHERE rows_as_of.table_name = 'reminder_settings' AND rows_as_of.row_ids IS NULL AND rows_as_of.organization_id IS NULL
         UNION ALL
        SELECT t.organization_id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.reminder_settings t
         WHERE rows_as_of.table_name = 'reminder_settings' AND rows_as_of.row_ids IS NULL AND t.organization_id = rows_as_of.organization_id
         UNION ALL
        SELECT t.organization_id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.reminder_settings t
         WHERE rows_as_of.table_name = 'reminder_settings' AND t.organization_id = ANY (rows_as_of.row_ids) AND (t.organization_id = rows_as_of.organization_id OR rows_as_of.organization_id IS NULL)
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.days_off t
         WHERE rows_as_of.table_name = 'days_off' AND rows_as_of.row_ids IS NULL AND rows_as_of.organization_id IS NULL
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.days_off t
         WHERE rows_as_of.table_name = 'days_off' AND rows_as_of.row_ids IS NULL AND t.organization_id = rows_as_of.organization_id
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.days_off t
         WHERE rows_as_of.table_name = 'days_off' AND t.id = ANY (rows_as_of.row_ids) AND (t.organization_id = rows_as_of.organization_id OR rows_as_of.organization_id IS NULL)
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.users t
         WHERE rows_as_of.table_name = 'users' AND rows_as_of.row_ids IS NULL AND rows_as_of.organization_id IS NULL
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.users t
         WHERE rows_as_of.table_name = 'users' AND rows_as_of.row_ids IS NULL AND t.organization_id = rows_as_of.organization_id
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.users t
         WHERE rows_as_of.table_name = 'users' AND t.id = ANY (rows_as_of.row_ids) AND (t.organization_id = rows_as_of.organization_id OR rows_as_of.organization_id IS NULL)
         UNION ALL
        SELECT t.user_id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.user_preferences t
         WHERE rows_as_of.table_name = 'user_preferences' AND rows_as_of.row_ids IS NULL AND rows_as_of.organization_id IS NULL
         UNION ALL
        SELECT t.user_id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.user_preferences t
         WHERE rows_as_of.table_name = 'user_preferences' AND rows_as_of.row_ids IS NULL AND t.organization_id = rows_as_of.organization_id
         UNION ALL
        SELECT t.user_id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.user_preferences t
         WHERE rows_as_of.table_name = 'user_preferences' AND t.user_id = ANY (rows_as_of.row_ids) AND (t.organization_id = rows_as_of.organization_id OR rows_as_of.organization_id IS NULL)
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.peer_mentors t
         WHERE rows_as_of.table_name = 'peer_mentors' AND rows_as_of.row_ids IS NULL AND rows_as_of.organization_id IS NULL
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.peer_mentors t
         WHERE rows_as_of.table_name = 'peer_mentors' AND rows_as_of.row_ids IS NULL AND t.organization_id = rows_as_of.organization_id
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.peer_mentors t
         WHERE rows_as_of.table_name = 'peer_mentors' AND t.id = ANY (rows_as_of.row_ids) AND (t.organization_id = rows_as_of.organization_id OR rows_as_of.organization_id IS NULL)
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.assignments t
         WHERE rows_as_of.table_name = 'assignments' AND rows_as_of.row_ids IS NULL AND rows_as_of.organization_id IS NULL
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.assignments t
         WHERE rows_as_of.table_name = 'assignments' AND rows_as_of.row_ids IS NULL AND t.organization_id = rows_as_of.organization_id
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.assignments t
         WHERE rows_as_of.table_name = 'assignments' AND t.id = ANY (rows_as_of.row_ids) AND (t.organization_id = rows_as_of.organization_id OR rows_as_of.organization_id IS NULL)
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.assignment_pauses t
         WHERE rows_as_of.table_name = 'assignment_pauses' AND rows_as_of.row_ids IS NULL AND rows_as_of.organization_id IS NULL
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.assignment_pauses t
         WHERE rows_as_of.table_name = 'assignment_pauses' AND rows_as_of.row_ids IS NULL AND t.organization_id = rows_as_of.organization_id
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.assignment_pauses t
         WHERE rows_as_of.table_name = 'assignment_pauses' AND t.id = ANY (rows_as_of.row_ids) AND (t.organization_id = rows_as_of.organization_id OR rows_as_of.organization_id IS NULL)
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.mentor_pauses t
         WHERE rows_as_of.table_name = 'mentor_pauses' AND rows_as_of.row_ids IS NULL AND rows_as_of.organization_id IS NULL
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.mentor_pauses t
         WHERE rows_as_of.table_name = 'mentor_pauses' AND rows_as_of.row_ids IS NULL AND t.organization_id = rows_as_of.organization_id
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.mentor_pauses t
         WHERE rows_as_of.table_name = 'mentor_pauses' AND t.id = ANY (rows_as_of.row_ids) AND (t.organization_id = rows_as_of.organization_id OR rows_as_of.organization_id IS NULL)
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.contact_corrections t
         WHERE rows_as_of.table_name = 'contact_corrections' AND rows_as_of.row_ids IS NULL AND rows_as_of.organization_id IS NULL
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.contact_corrections t
         WHERE rows_as_of.table_name = 'contact_corrections' AND rows_as_of.row_ids IS NULL AND t.organization_id = rows_as_of.organization_id
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.contact_corrections t
         WHERE rows_as_of.table_name = 'contact_corrections' AND t.id = ANY (rows_as_of.row_ids) AND (t.organization_id = rows_as_of.organization_id OR rows_as_of.organization_id IS NULL)
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.activities t
         WHERE rows_as_of.table_name = 'activities' AND rows_as_of.row_ids IS NULL AND rows_as_of.organization_id IS NULL
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.activities t
         WHERE rows_as_of.table_name = 'activities' AND rows_as_of.row_ids IS NULL AND t.organization_id = rows_as_of.organization_id
         UNION ALL
        SELECT t.id AS row_id, t.created_at, to_jsonb(t.*) AS version FROM assignment_reminders.activities t
         WHERE rows_as_of.table_name = 'activities' AND t.id = ANY (rows_as_of.row_ids) AND (t.organization_id = rows_as_of.organization_id OR rows_as_of.organization_id IS NULL)
    ), then_there AS (
        SELECT row_id, c.last_before, c.changed_before, c.changed_after, v.version,
               CASE WHEN d.row_id IS NULL AND NOT coalesce(b.old_values ? 'created_at', false) THEN p.created_at
                    ELSE (v.version ->> 'created_at')::timestamptz END AS created_at
          FROM present p
          FULL JOIN deleted d USING (row_id)
          LEFT JOIN changed c USING (row_id)
          LEFT JOIN put_back b USING (row_id)
         CROSS JOIN LATERAL (
               SELECT CASE WHEN b.row_id IS NULL THEN coalesce(d.old_values, p.version) ELSE coalesce(d.old_values, p.version) || b.old_values END AS version
               ) AS v
         WHERE (c.first_after IN ('insert', 'early insert')) IS NOT TRUE
    )
    SELECT t.row_id,
           CASE rows_as_of.table_name
                WHEN 'assignments' THEN t.version - 'last_contact_date'
                WHEN 'peer_mentors' THEN t.version - 'assignment_count'
                ELSE t.version END,
           -- In a SELECT of its own it is asked once.
           greatest(since.moment, (SELECT assignment_reminders.history_known_since())), t.changed_after
      FROM then_there t
     CROSS JOIN LATERAL (
           -- A row that no change tells of is from when it was created: one that was inserted as if it were older is told of.
           SELECT CASE WHEN t.last_before IN ('insert', 'early insert', 'update') THEN t.changed_before
                       ELSE greatest(t.changed_before, t.created_at) END AS moment
           ) AS since
     WHERE since.moment <= rows_as_of.moment
     -- No limit, but evaluated also where the planner sees that nothing is shown.
     LIMIT CASE WHEN NOT assignment_reminders.require_history(rows_as_of.table_name, rows_as_of.moment, rows_as_of.organization_id) THEN 0 END
$$;
COMMENT ON FUNCTION assignment_reminders.rows_as_of(text, timestamptz, uuid, uuid[]) IS
    'The rows of a versioned table (organizations, reminder_settings, days_off, users, user_preferences, peer_mentors, assignments, assignment_pauses, mentor_pauses, contact_corrections, activities) as they stood at a moment, a future one being the present: the row as JSON (jsonb_populate_record makes a row of it), from when on it was so, as far as that is known, and until when (NULL: still). NULL organization: all. row_ids: of these alone. Without what is derived and not versioned: last_contact_date, which contact_dates_as_of() gives, and assignment_count; other derived columns (updated_at, soft_bounces, thresholds_changed_at) are those of the next version. A change counts from the moment its statement wrote, an insert from the beginning of its transaction. 22023 for another table, naming these, or for a moment before the history begins, naming it; 22004 for a NULL table or moment, 42501 where row security may hide rows. It needs SELECT on row_history and every versioned table.';

-- The contact dates at a moment, as sql/contact/recompute.sql says them of the present, by the organization's time zone of that moment.
-- Indexes: row_history_table_idx or row_history_belongs_to_idx; activities_assignment_idx, contact_corrections_assignment_number_key where
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
           AND (h.organization_id = contact_dates_as_of.organization_id OR contact_dates_as_of.organization_id IS NULL)
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
           AND contact_dates_as_of.assignment_ids IS NULL
           AND (t.organization_id = contact_dates_as_of.organization_id OR contact_dates_as_of.organization_id IS NULL)
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
