-- A schema with another operator for every one of pg_catalog's, another function for every one of its that takes and returns what
-- PL/pgSQL can, other types and other tables than ours. Whatever of it is used says so.
CREATE SCHEMA evil;
CREATE FUNCTION evil.caught() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'caught as %', current_user; END $$;
DO $$
DECLARE
    body text := 'LANGUAGE plpgsql AS ''BEGIN PERFORM evil.caught(); END''';
    trap record;
BEGIN
    FOR trap IN
        SELECT p.proname AS name, pg_get_function_identity_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result
          FROM pg_proc p
         WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f'
           AND pg_get_function_identity_arguments(p.oid) !~ 'internal|cstring|OUT |"any"|trigger|handler'
           AND pg_get_function_result(p.oid) !~ 'internal|cstring|record|trigger|handler|TABLE'
    LOOP
        BEGIN
            EXECUTE format('CREATE OR REPLACE FUNCTION evil.%I(%s) RETURNS %s %s', trap.name, trap.arguments, trap.result, body);
        EXCEPTION WHEN feature_not_supported THEN
            -- One that PL/pgSQL can not.
        END;
    END LOOP;
    FOR trap IN
        SELECT o.oprname AS name, format('evil.%I', 'o' || o.oid) AS function, format_type(o.oprleft, NULL) AS l,
               format_type(o.oprright, NULL) AS r, format_type(o.oprresult, NULL) AS result
          FROM pg_operator o
         WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND o.oprleft <> 0
           AND 'cstring'::regtype NOT IN (o.oprleft, o.oprright) AND 'internal'::regtype NOT IN (o.oprleft, o.oprright)
    LOOP
        EXECUTE format('CREATE FUNCTION %s(%s, %s) RETURNS %s %s', trap.function, trap.l, trap.r, trap.result, body);
        EXECUTE format('CREATE OPERATOR evil.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = %s)', trap.name, trap.l, trap.r, trap.function);
    END LOOP;
    FOR trap IN SELECT unnest(ARRAY['uuid', 'date', 'text', 'jsonb', 'timestamptz', 'oid', 'regclass', 'regnamespace', 'inet', 'name']) AS name
    LOOP
        EXECUTE format('CREATE DOMAIN evil.%I AS pg_catalog.%I CHECK (evil.caught())', trap.name, trap.name);
    END LOOP;
    FOR trap IN
        SELECT c.relname AS name FROM pg_class c WHERE c.relnamespace = 'assignment_reminders'::regnamespace AND c.relkind = 'r'
        UNION SELECT unnest(ARRAY['old_rows', 'new_rows', 'pg_class', 'pg_proc', 'pg_policy', 'pg_extension', 'pg_namespace'])
    LOOP
        EXECUTE format('CREATE VIEW evil.%I AS SELECT evil.caught()', trap.name);
    END LOOP;
END
$$;
GRANT USAGE ON SCHEMA evil TO PUBLIC;
GRANT SELECT ON ALL TABLES IN SCHEMA evil TO PUBLIC;
