-- What CREATE OR REPLACE cannot do to the functions of 0.1.0. `make schema` puts it between the types and the functions of
-- sql/assignment_reminders--0.1.0--0.2.0.sql.

-- claim_reminders returns rows of the type claimed_reminder. CREATE OR REPLACE does not change what a function returns, and
-- DROP would take users' grants, and be refused for users' views. So the catalog is told; the function itself follows below.
UPDATE pg_catalog.pg_proc p
   SET prorettype = 'assignment_reminders.claimed_reminder'::pg_catalog.regtype,
       proallargtypes = NULL, proargmodes = NULL, proargnames = p.proargnames[1:p.pronargs]
 WHERE p.oid = 'assignment_reminders.claim_reminders(integer, interval, uuid, timestamptz)'::pg_catalog.regprocedure
   AND p.proallargtypes IS NOT NULL;

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
        silent_since, due_at, is_wanted, is_today, has_something_to_say, is_opted_out, has_address, as_of
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
