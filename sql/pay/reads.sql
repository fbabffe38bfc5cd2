-- What is told of pay without arithmetic: counts at a moment, and whether what was closed is as it was.

-- Indexes: row_history_organization_idx (of all organizations row_history whole); those of rows_as_of().
CREATE FUNCTION assignment_reminders.assignment_counts_as_of(moment timestamptz, organization_id uuid DEFAULT NULL)
RETURNS SETOF assignment_reminders.mentor_count
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
    WITH changed AS MATERIALIZED (
        -- What has no history since is read as it is: most of it has none.
        SELECT h.row_id FROM assignment_reminders.row_history h
         WHERE h.table_name = 'assignments' AND h.organization_id = $2 AND h.changed_at > $1
         UNION
        SELECT h.row_id FROM assignment_reminders.row_history h
         WHERE h.table_name = 'assignments' AND $2 IS NULL AND h.changed_at > $1
         UNION
        -- Nor what says that it was created later.
        SELECT a.id FROM assignment_reminders.assignments a
         WHERE a.created_at > $1 AND (a.organization_id = $2 OR $2 IS NULL)
    ), had AS (
        SELECT a.organization_id, a.peer_mentor_id
          FROM assignment_reminders.assignments a
         WHERE a.created_at <= $1 AND (a.organization_id = $2 OR $2 IS NULL)
           AND NOT EXISTS (SELECT FROM changed c WHERE c.row_id = a.id)
         UNION ALL
        SELECT (a.row_version ->> 'organization_id')::uuid, (a.row_version ->> 'peer_mentor_id')::uuid
          FROM assignment_reminders.rows_as_of('assignments', $1, $2, ARRAY(SELECT c.row_id FROM changed c)) AS a
    ), counted AS (
        SELECT h.organization_id, h.peer_mentor_id, count(*) AS number FROM had h WHERE h.peer_mentor_id IS NOT NULL GROUP BY 1, 2
    ), mentor AS (
        SELECT (m.row_version ->> 'organization_id')::uuid AS organization_id, m.row_id AS peer_mentor_id
          FROM assignment_reminders.rows_as_of('peer_mentors', $1, $2) AS m
    )
    -- Whoever was deleted a moment before the assignments were nobody's had them until then.
    SELECT organization_id, peer_mentor_id, coalesce(c.number, 0)::integer
      FROM mentor FULL JOIN counted c USING (organization_id, peer_mentor_id)
$$;
COMMENT ON FUNCTION assignment_reminders.assignment_counts_as_of(timestamptz, uuid) IS
    'How many assignments each mentor had at a moment, of every status, as peer_mentors.assignment_count says it of now; 0 for a mentor who had none. By when it was recorded: what was entered later had not been there, whatever its dates. NULL organization: all. A future moment is the present. 22023 for a moment before the history begins, naming it; 22004 for a NULL moment, 42501 where row security may hide rows.';

-- What is in it, one JSON array a line: none of it depends on the settings of a session. Index: closed_statements_pkey.
CREATE FUNCTION assignment_reminders.closed_period_checksum(
    closed_period_id uuid, organization_id uuid, number integer, first_day date, last_day date, began_at timestamptz, ended_at timestamptz,
    timezone text, closed_at timestamptz, closed_by text, closed_by_user uuid, previous_checksum text
) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
    SELECT encode(sha256(convert_to(concat_ws(E'\n',
               jsonb_build_array($1, $2, $3, $4, $5, extract(epoch FROM $6)::text, extract(epoch FROM $7)::text, $8,
                                 extract(epoch FROM $9)::text, $10, $11, $12)::text,
               string_agg(line.told, E'\n' ORDER BY line.told COLLATE "C")), 'UTF8')), 'hex')
      FROM (SELECT jsonb_build_array(l.organization_id, l.peer_mentor_id, l.item, l.adjusts, l.number, l.assignment_ids)::text AS told
              FROM assignment_reminders.closed_statements l WHERE l.closed_period_id = $1) AS line
$$;
COMMENT ON FUNCTION assignment_reminders.closed_period_checksum(uuid, uuid, integer, date, date, timestamptz, timestamptz, text, timestamptz, text, uuid, text) IS
    'The SHA-256, in hexadecimal digits, of a closed period with these values and the lines of that id in closed_statements: verify_closed_periods() compares it. The text that is hashed: a JSON array of the values in the order of the arguments, moments as seconds since 1970, then a line for each of the lines, sorted by their bytes: a JSON array of organization_id, peer_mentor_id, item, adjusts, number and assignment_ids. NULL values are null. Without the right to see all lines it is another.';

-- Indexes: closed_periods_organization_number_key, closed_statements_pkey.
CREATE FUNCTION assignment_reminders.verify_closed_periods(organization_id uuid DEFAULT NULL)
RETURNS SETOF assignment_reminders.closed_period_problem
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
    WITH period AS (
        SELECT p.*, lag(p.checksum) OVER chain AS checksum_before, coalesce(lag(p.number) OVER chain, 0) AS number_before
          FROM assignment_reminders.closed_periods p
         WHERE p.organization_id = $1 OR $1 IS NULL
        WINDOW chain AS (PARTITION BY p.organization_id ORDER BY p.number)
    )
    SELECT p.organization_id, p.id, p.first_day, p.last_day, found.problem
      FROM period p
     CROSS JOIN LATERAL (
           SELECT 'altered'
            WHERE p.checksum <> assignment_reminders.closed_period_checksum(
                      p.id, p.organization_id, p.number, p.first_day, p.last_day, p.began_at, p.ended_at, p.timezone, p.closed_at, p.closed_by,
                      p.closed_by_user, p.previous_checksum)
            UNION ALL
           SELECT 'missing_before' WHERE p.number <> p.number_before + 1
            UNION ALL
           SELECT 'unchained' WHERE p.number = p.number_before + 1 AND p.previous_checksum IS DISTINCT FROM p.checksum_before
           ) AS found (problem)
     UNION ALL
    SELECT DISTINCT l.organization_id, l.closed_period_id, NULL::date, NULL::date, 'without_period'
      FROM assignment_reminders.closed_statements l
     WHERE (l.organization_id = $1 OR $1 IS NULL)
       AND NOT EXISTS (SELECT FROM assignment_reminders.closed_periods p WHERE p.id = l.closed_period_id AND p.organization_id = l.organization_id)
     -- No limit, but evaluated also where the planner sees that nothing is shown.
     LIMIT CASE WHEN NOT assignment_reminders.require_whole('{closed_periods,closed_statements}', $1) THEN 0 END
$$;
COMMENT ON FUNCTION assignment_reminders.verify_closed_periods(uuid) IS
    'The closed periods that are not as they were closed, after a restore for example; none where all are. altered: the period or a line of it is another, or a line is missing. missing_before: the period before it is not there. unchained: the period before it is another than when it was closed. without_period: lines whose period is not there. That the last periods are missing, or that all was written anew with checksums that fit, only a checksum tells that was noted elsewhere. NULL organization: all. 42501 where row security may hide rows.';
