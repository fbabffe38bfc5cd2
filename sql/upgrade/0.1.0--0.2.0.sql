-- What CREATE OR REPLACE cannot do to the functions of 0.1.0. `make schema` puts it between the types and the functions of
-- sql/assignment_reminders--0.1.0--0.2.0.sql.

SET LOCAL search_path TO pg_catalog, pg_temp;

-- While a statement writes, its triggers must not change: one that began in the old library would end in the new one, which
-- knows nothing of what the old one permits itself. So writers are waited for first, and wait until this is done; in the order
-- in which they come to the tables (sql/install/lock_tables.sql).
DO $$
DECLARE
    written regclass;
BEGIN
    FOR written IN
        SELECT to_regclass('assignment_reminders.' || t.name)
          FROM unnest(ARRAY['activities', 'contact_corrections', 'assignments', 'peer_mentors', 'reminders', 'send_logs',
                            'claim_rates', 'user_preferences', 'users', 'organizations', 'reminder_settings'])
               WITH ORDINALITY AS t (name, place)
         WHERE to_regclass('assignment_reminders.' || t.name) IS NOT NULL
         ORDER BY t.place
    LOOP
        EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', written);
    END LOOP;
END
$$;

-- Follow-ups name the mentor whom they are about, and the day since which they are due.
ALTER TYPE assignment_reminders.follow_up ADD ATTRIBUTE peer_mentor_id uuid, ADD ATTRIBUTE due_on date;

-- skip_reason takes its facts as one row. The one that took them one by one goes, unless something of the user's stands on it:
-- then it stays, as an ordinary function, and asks the new one.
CREATE OR REPLACE FUNCTION assignment_reminders.skip_reason(
    reminder_type text, anchor timestamptz, assignment_status text, silent_since date, due_at timestamptz, is_superseded boolean,
    is_wanted boolean, is_today boolean, has_something_to_say boolean, is_opted_out boolean, has_address boolean, as_of timestamptz
) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT assignment_reminders.skip_reason(ROW(
        reminder_type, anchor, as_of, CASE WHEN is_superseded THEN as_of + interval '1 second' END, assignment_status,
        silent_since, due_at, is_wanted, is_today, has_something_to_say, is_opted_out, has_address, as_of, NULL, NULL, NULL, NULL, NULL, NULL
    )::assignment_reminders.reminder_facts)
$$;
DO $$
BEGIN
    DROP FUNCTION assignment_reminders.skip_reason(
        text, timestamptz, text, date, timestamptz, boolean, boolean, boolean, boolean, boolean, boolean, timestamptz);
EXCEPTION WHEN dependent_objects_still_exist THEN
    ALTER EXTENSION assignment_reminders DROP FUNCTION assignment_reminders.skip_reason(
        text, timestamptz, text, date, timestamptz, boolean, boolean, boolean, boolean, boolean, boolean, timestamptz);
END
$$;

-- Whoever created the extension could call its functions, and could not grant them to others. GRANT in this script makes all rights
-- on a function its initial ones, which dumps leave out; those that users granted must go on being dumped.
DO $$
DECLARE
    extension oid := (SELECT e.oid FROM pg_catalog.pg_extension e WHERE e.extname = 'assignment_reminders');
    owner regrole := (SELECT e.extowner FROM pg_catalog.pg_extension e WHERE e.oid = extension);
    known record;
BEGIN
    FOR known IN
        SELECT p.oid::regprocedure AS function, i.initprivs
          FROM pg_catalog.pg_depend d
          JOIN pg_catalog.pg_proc p ON p.oid = d.objid
          LEFT JOIN pg_catalog.pg_init_privs i
            ON i.classoid = 'pg_catalog.pg_proc'::regclass AND i.objoid = p.oid AND i.privtype = 'e'
         WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.refclassid = 'pg_catalog.pg_extension'::regclass
           AND d.deptype = 'e' AND d.refobjid = extension AND p.proowner <> owner
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s WITH GRANT OPTION', known.function, owner);
        UPDATE pg_catalog.pg_init_privs i
           SET initprivs = (SELECT array_agg(CASE WHEN a.grantee = owner
                                                  THEN makeaclitem(a.grantee, a.grantor, a.privilege_type, true)
                                                  ELSE makeaclitem(a.grantee, a.grantor, a.privilege_type, a.is_grantable) END)
                              FROM aclexplode(known.initprivs) AS a)
         WHERE i.classoid = 'pg_catalog.pg_proc'::regclass AND i.objoid = known.function::oid AND known.initprivs IS NOT NULL;
    END LOOP;
END
$$;

SET LOCAL search_path TO assignment_reminders, pg_temp;
