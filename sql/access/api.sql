-- The commands that make the schema $1 with a view of each of these tables and views ($2) and a function for each of ours of these names ($3).
-- Both run with the rights of whoever uses them, which the tables and functions behind them check; so everybody may use them.
-- No type of the extension is named, so that its functions can go without them.
WITH ours AS (
    SELECT p.oid, p.proname, p.provolatile, p.proretset,
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
), command (place, command) AS (
    SELECT 1, format('CREATE SCHEMA %I', $1) WHERE NOT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = $1)
    UNION ALL
    SELECT 2, format('GRANT USAGE ON SCHEMA %I TO PUBLIC', $1)
    UNION ALL
    SELECT 3, format('CREATE OR REPLACE VIEW %I.%I WITH (security_invoker = true) AS SELECT %s FROM assignment_reminders.%2$I', $1, c.relname,
                     (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
                        FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))
      FROM pg_class c
     WHERE c.relnamespace = 'assignment_reminders'::regnamespace AND c.relname = ANY ($2)
    UNION ALL
    SELECT 4, format('COMMENT ON VIEW %I.%I IS %L', $1, c.relname, obj_description(c.oid, 'pg_class'))
      FROM pg_class c
     WHERE c.relnamespace = 'assignment_reminders'::regnamespace AND c.relname = ANY ($2)
    UNION ALL
    SELECT 5, format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I.%I TO PUBLIC', $1, c.relname)
      FROM pg_class c
     WHERE c.relnamespace = 'assignment_reminders'::regnamespace AND c.relname = ANY ($2)
    UNION ALL
    SELECT 6, format('CREATE OR REPLACE FUNCTION %I.%I(%s) RETURNS %s LANGUAGE sql %s SET search_path = pg_catalog, pg_temp AS %L', $1, o.proname,
                     o.arguments, o.result, CASE o.provolatile WHEN 'v' THEN 'VOLATILE' ELSE 'STABLE' END,
                     format(CASE WHEN o.result LIKE 'TABLE%' OR o.proretset THEN 'SELECT * FROM assignment_reminders.%I(%s)'
                                 ELSE 'SELECT assignment_reminders.%I(%s)' END, o.proname, o.passed))
      FROM ours o
    UNION ALL
    SELECT 7, format('COMMENT ON FUNCTION %I.%I(%s) IS %L', $1, o.proname, o.identity, obj_description(o.oid, 'pg_proc'))
      FROM ours o
)
SELECT command.command FROM command ORDER BY command.place, command.command
