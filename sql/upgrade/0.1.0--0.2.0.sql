-- What CREATE OR REPLACE cannot do to the functions of 0.1.0. `make schema` puts it between the types and the functions of
-- sql/assignment_reminders--0.1.0--0.2.0.sql.

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
