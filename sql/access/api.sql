-- The commands that make the schema $1, with this comment ($4), and in it a view of each of these tables and views ($2) and a function for
-- each of ours of these names ($3). Both run with the rights of whoever uses them, and whoever has rights on what is behind them has the same
-- on them. No type of the extension is named, so that its functions can go without them. Functions that write have the session's
-- search_path, as triggers of the owner's want it; they name everything in full.
WITH ours AS (
    SELECT p.oid, p.proname, p.provolatile, p.proretset, p.proacl, p.proowner,
           pg_get_function_identity_arguments(p.oid) AS identity,
           pg_get_function_arguments(p.oid) AS arguments,
           CASE WHEN returned.typrelid <> 0
                THEN (SELECT format('TABLE(%s)', string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum))
                        FROM pg_attribute a WHERE a.attrelid = returned.typrelid AND a.attnum > 0 AND NOT a.attisdropped)
                ELSE pg_get_function_result(p.oid)
            END AS result,
           (SELECT coalesce(string_agg(format('%I => $%s', argument.name, argument.place), ', ' ORDER BY argument.place), '')
              FROM unnest(p.proargnames) WITH ORDINALITY AS argument (name, place)
             WHERE argument.place <= p.pronargs) AS passed
      FROM pg_proc p
      JOIN pg_type returned ON returned.oid = p.prorettype
     WHERE p.pronamespace = 'assignment_reminders'::regnamespace AND p.proname = ANY ($3)
       AND EXISTS (SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'assignment_reminders'
                    WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                      AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e')
), exposed AS (
    SELECT c.oid, c.relname, c.relacl, c.relowner,
           (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
              FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
      FROM pg_class c
     WHERE c.relnamespace = 'assignment_reminders'::regnamespace AND c.relname = ANY ($2)
), command (place, command) AS (
    SELECT 1, format('CREATE SCHEMA %I', $1) WHERE NOT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = $1)
    UNION ALL
    SELECT 2, format('COMMENT ON SCHEMA %I IS %L', $1, $4)
    UNION ALL
    SELECT 3, format('GRANT USAGE ON SCHEMA %I TO %s', $1, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END)
      FROM pg_namespace n
     CROSS JOIN LATERAL aclexplode(n.nspacl) AS a
     WHERE n.nspname = 'assignment_reminders' AND a.privilege_type = 'USAGE' AND a.grantee <> n.nspowner
    UNION ALL
    SELECT 4, format('CREATE OR REPLACE VIEW %I.%I WITH (security_invoker = true) AS SELECT %s FROM assignment_reminders.%2$I',
                     $1, e.relname, e.columns)
      FROM exposed e
    UNION ALL
    SELECT 5, format('COMMENT ON VIEW %I.%I IS %L', $1, e.relname, obj_description(e.oid, 'pg_class')) FROM exposed e
    UNION ALL
    SELECT 6, format('GRANT %s ON %I.%I TO %s', a.privilege_type, $1, e.relname,
                     CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END)
      FROM exposed e
     CROSS JOIN LATERAL aclexplode(e.relacl) AS a
     WHERE a.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE') AND a.grantee <> e.relowner
    UNION ALL
    -- Those of an earlier version may have had other arguments and results.
    SELECT 7, format('DROP FUNCTION %s', p.oid::regprocedure)
      FROM pg_proc p
      JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE n.nspname = $1 AND p.proname = ANY ($3)
    UNION ALL
    SELECT 8, format('CREATE FUNCTION %I.%I(%s) RETURNS %s LANGUAGE sql %s AS %L', $1, o.proname, o.arguments, o.result,
                     CASE o.provolatile WHEN 'v' THEN 'VOLATILE' ELSE 'STABLE SET search_path = pg_catalog, pg_temp' END,
                     format(CASE WHEN o.result LIKE 'TABLE%' OR o.proretset THEN 'SELECT * FROM assignment_reminders.%I(%s)'
                                 ELSE 'SELECT assignment_reminders.%I(%s)' END, o.proname, o.passed))
      FROM ours o
    UNION ALL
    SELECT 9, format('COMMENT ON FUNCTION %I.%I(%s) IS %L', $1, o.proname, o.identity, obj_description(o.oid, 'pg_proc'))
      FROM ours o
    UNION ALL
    SELECT 10, format('REVOKE ALL ON FUNCTION %I.%I(%s) FROM PUBLIC', $1, o.proname, o.identity) FROM ours o
    UNION ALL
    SELECT 11, format('GRANT EXECUTE ON FUNCTION %I.%I(%s) TO %s', $1, o.proname, o.identity,
                      CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END)
      FROM ours o
     CROSS JOIN LATERAL aclexplode(o.proacl) AS a
     WHERE a.grantee <> o.proowner
)
SELECT command.command FROM command ORDER BY command.place, command.command
