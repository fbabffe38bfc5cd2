//! install(): makes what the design names, owned by the caller, once; and puts back what DROP EXTENSION took.

use std::path::Path;
use std::{fs, thread};

use postgres::Client;

use crate::support::{Database, People, assert_refused, enqueue_follow_ups, refused, row, rows, run, tables};

const TABLES: &str = "activities alerts assignment_pauses assignments claim_rates closed_periods closed_statements contact_corrections days_off evaluation_runs history_horizon mentor_pauses message_templates migrations organization_evaluations organizations peer_mentors reminder_events reminder_settings reminders row_history send_logs unsubscribe_tokens user_preferences users";

/// Everything that install() makes, as the catalog shows it.
const CATALOG: &str = "
    SELECT 'class ' || c.relname || ' ' || c.relkind::text || ' ' || coalesce(c.relacl::text, '') || ' ' || c.relfilenode
      FROM pg_class c WHERE c.relnamespace = 'assignment_reminders'::regnamespace
    UNION ALL SELECT 'constraint ' || conname || ' ' || pg_get_constraintdef(oid) || ' ' || oid
      FROM pg_constraint WHERE connamespace = 'assignment_reminders'::regnamespace
    UNION ALL SELECT 'trigger ' || tgname || ' ' || pg_get_triggerdef(t.oid) || ' ' || t.oid || ' ' || t.xmin
      FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = 'assignment_reminders'::regnamespace
    UNION ALL SELECT 'default ' || adrelid::regclass || ' ' || pg_get_expr(adbin, adrelid) || ' ' || oid
      FROM pg_attrdef
    ORDER BY 1";

/// The files of migrations, in order.
fn migrations() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql/install");
    let names = fs::read_dir(folder).expect("sql/install").map(|entry| entry.expect("an entry").file_name());
    let mut files: Vec<String> = names
        .filter_map(|name| Some(name.to_str()?.strip_suffix(".sql")?.to_string()))
        .filter(|name| name.starts_with(|first: char| first.is_ascii_digit()))
        .collect();
    files.sort();
    files
}

#[test]
fn it_makes_every_table_owned_by_the_caller() {
    let database = Database::empty();
    let mut owner = database.connect();
    run(&mut owner, "CREATE EXTENSION assignment_reminders");
    let (mut caller, role) = database.connect_as_new_role(
        "GRANT USAGE, CREATE ON SCHEMA assignment_reminders TO {role}; \
         GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA assignment_reminders TO {role}",
    );
    assert!(row(&mut caller, "SELECT install()").contains(&format!("{} migrations applied", migrations().len())));
    let tables = rows(
        &mut owner,
        &format!(
            "SELECT relname FROM pg_class WHERE relnamespace = 'assignment_reminders'::regnamespace AND relkind = 'r' \
             AND relowner = '{role}'::regrole ORDER BY 1"
        ),
    );
    assert_eq!(tables.join(" "), TABLES);
    // The caller's tables work for the caller.
    let people = People::new(&mut caller);
    people.assignment(&mut caller, "2026-01-01");
    assert_eq!(row(&mut caller, "SELECT assignment_count FROM peer_mentors"), "1");
    drop(caller);
    run(&mut owner, &format!("REASSIGN OWNED BY {role} TO postgres; DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[test]
fn the_owner_of_a_database_may_create_the_extension_and_install() {
    let database = Database::empty();
    let (mut caller, role) = database.connect_as_new_owner();
    run(&mut caller, "CREATE EXTENSION assignment_reminders; SELECT install()");
    assert_eq!(row(&mut caller, "SELECT tableowner FROM pg_tables WHERE tablename = 'assignments'"), role);
}

#[test]
fn calling_it_twice_changes_nothing() {
    let database = Database::installed();
    let mut client = database.connect();
    let before = rows(&mut client, CATALOG);
    assert_eq!(
        row(&mut client, "SELECT install()"),
        concat!("assignment_reminders ", env!("CARGO_PKG_VERSION"), ": nothing to do")
    );
    assert_eq!(rows(&mut client, CATALOG), before);
}

#[test]
fn a_first_installation_tells_nothing_but_what_it_did() {
    let database = Database::empty();
    let (mut client, notices) = database.connect_with_notices();
    run(&mut client, "SET client_min_messages = notice; CREATE EXTENSION assignment_reminders; SELECT install()");
    assert_eq!(*notices.lock().expect("notices"), [""; 0]);
}

#[test]
fn concurrent_callers_do_not_collide() {
    let database = Database::empty();
    run(&mut database.connect(), "CREATE EXTENSION assignment_reminders");
    let results: Vec<String> = thread::scope(|scope| {
        let callers: Vec<_> = (0..6)
            .map(|_| {
                scope.spawn(|| {
                    let mut client = database.connect();
                    row(&mut client, "SELECT install()")
                })
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().expect("no caller fails")).collect()
    });
    assert_eq!(
        results.iter().filter(|result| result.contains(&format!("{} migrations applied", migrations().len()))).count(),
        1,
        "{results:?}"
    );
    assert_eq!(results.iter().filter(|result| result.contains("nothing to do")).count(), 5, "{results:?}");
}

#[test]
fn a_relation_that_is_not_ours_is_left_alone() {
    for table in ["assignments", "migrations"] {
        let database = Database::empty();
        let mut client = database.connect();
        run(&mut client, &format!("CREATE EXTENSION assignment_reminders; CREATE TABLE {table} (theirs integer)"));
        assert_refused(
            &mut client,
            "SELECT install()",
            "42P07",
            &format!("assignment_reminders.{table} already exists"),
        );
        assert_eq!(tables(&mut client), [table]);
    }
}

#[test]
fn it_refuses_an_isolation_level_in_which_it_could_miss_rows() {
    let database = Database::installed();
    let mut client = database.connect();
    assert_refused(&mut client, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT install()", "25001", "READ COMMITTED");
}

#[test]
fn public_gets_no_rights_on_tables() {
    let database = Database::installed();
    let mut client = database.connect();
    let granted = rows(
        &mut client,
        "SELECT c.relname FROM pg_class c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a \
         WHERE c.relnamespace = 'assignment_reminders'::regnamespace AND a.grantee = 0",
    );
    assert!(granted.is_empty(), "{granted:?}");
    let (mut stranger, _) = database.connect_as_new_role("GRANT USAGE ON SCHEMA assignment_reminders TO {role}");
    assert_eq!(refused(&mut stranger, "SELECT * FROM assignments").sqlstate, "42501");
    assert_eq!(refused(&mut stranger, "SELECT install()").sqlstate, "42501");
}

#[test]
fn drop_extension_refuses_while_triggers_depend_on_it() {
    let database = Database::installed();
    let refusal = refused(&mut database.connect(), "DROP EXTENSION assignment_reminders");
    assert_eq!(refusal.sqlstate, "2BP01");
}

#[test]
fn drop_cascade_loses_no_row_and_install_catches_up_on_what_was_missed() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    let contacted = people.assignment(&mut client, "2026-01-01");
    let gone = people.assignment(&mut client, "2026-01-01");
    let corrected = people.assignment(&mut client, "2026-01-01");
    run(
        &mut client,
        &format!(
            "INSERT INTO activities (assignment_id, occurred_at) VALUES
                 ('{contacted}', '2026-02-01 12:00+00'), ('{gone}', '2026-02-01 12:00+00'), ('{gone}', '2026-03-01 12:00+00'),
                 ('{corrected}', '2026-03-01 12:00+00');
             SELECT correct_last_contact_date('{corrected}', '2026-02-02', 'the call was not answered')"
        ),
    );
    let counts = "SELECT (SELECT count(*) FROM assignments), (SELECT count(*) FROM activities), (SELECT count(*) FROM users), \
                  (SELECT count(*) FROM contact_corrections), (SELECT count(*) FROM migrations)";
    let before = row(&mut client, counts);

    run(&mut client, "DROP EXTENSION assignment_reminders CASCADE");
    assert_eq!(row(&mut client, counts), before);
    assert_eq!(row(&mut client, "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal"), "0");

    // Life goes on without triggers.
    run(
        &mut client,
        &format!(
            "INSERT INTO activities (organization_id, assignment_id, occurred_at)
                  SELECT organization_id, id, '2026-04-01 12:00+00' FROM assignments WHERE id = '{contacted}';
             DELETE FROM activities WHERE assignment_id = '{gone}' AND occurred_at > '2026-02-15';
             INSERT INTO assignments (organization_id, title, student_id, peer_mentor_id, assigned_on, last_contact_date)
                  SELECT organization_id, 'new', student_id, peer_mentor_id, '2026-01-01', '2026-01-15' FROM assignments WHERE id = '{gone}';
             INSERT INTO organizations (id, name) VALUES ('00000000-0000-0000-0000-00000000000a', 'Late')"
        ),
    );

    run(&mut client, "CREATE EXTENSION assignment_reminders");
    assert!(
        row(&mut client, "SELECT install()").contains(": 0 migrations applied, 123 triggers and defaults attached")
    );
    assert_eq!(row(&mut client, "SELECT assignment_count FROM peer_mentors"), "4");
    let date_of = |client: &mut postgres::Client, id| {
        row(client, &format!("SELECT last_contact_date FROM assignments WHERE id = '{id}'"))
    };
    assert_eq!(date_of(&mut client, contacted), "2026-04-01", "an activity inserted meanwhile counts");
    assert_eq!(date_of(&mut client, gone), "2026-02-01", "an activity deleted meanwhile no longer counts");
    assert_eq!(date_of(&mut client, corrected), "2026-02-02", "a correction stays");
    assert_eq!(row(&mut client, "SELECT last_contact_date FROM assignments WHERE title = 'new'"), "2026-01-15");
    assert_eq!(row(&mut client, "SELECT count(*) FROM reminder_settings"), "2");

    // And the triggers work again.
    people.assignment(&mut client, "2026-01-01");
    assert_eq!(row(&mut client, "SELECT assignment_count FROM peer_mentors"), "5");
    run(
        &mut client,
        &format!("INSERT INTO activities (assignment_id, occurred_at) VALUES ('{gone}', '2026-05-01 12:00+00')"),
    );
    assert_eq!(date_of(&mut client, gone), "2026-05-01");
}

#[test]
fn migrations_are_recorded_with_their_number_and_version() {
    let database = Database::installed();
    let recorded = rows(
        &mut database.connect(),
        "SELECT lpad(number::text, 3, '0') || '_' || name, extension_version FROM migrations ORDER BY number",
    );
    let expected: Vec<String> =
        migrations().iter().map(|file| format!("{file}|{}", env!("CARGO_PKG_VERSION"))).collect();
    assert_eq!(recorded, expected, "every file of sql/install is a migration, in the order of the numbers");
}

/// Everything an app may do to rows.
fn an_app_goes_on(client: &mut Client) {
    run(
        client,
        "INSERT INTO users (email) VALUES ('new@example.org');
         INSERT INTO peer_mentors (user_id) SELECT id FROM users WHERE email = 'new@example.org';
         INSERT INTO assignments (title, student_id, peer_mentor_id)
              SELECT 'later', u.id, m.id FROM users u JOIN peer_mentors m ON m.user_id = u.id WHERE u.email = 'new@example.org';
         INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-04-01 12:00+00' FROM assignments;
         UPDATE assignments SET status = 'paused' WHERE title = 'later';
         INSERT INTO reminders (assignment_id, reminder_type) SELECT id, '24h' FROM assignments WHERE title = 'later'",
    );
}

#[test]
fn after_uninstall_the_extension_can_go_without_cascade_rows_stay_and_inserts_go_on() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    people.assignments(&mut client, "2026-01-01", 3);
    enqueue_follow_ups(&mut client, "2026-03-01");
    let content =
        "SELECT (SELECT count(*) FROM assignments), (SELECT count(*) FROM users), (SELECT count(*) FROM reminders),
                          (SELECT count(*) FROM migrations), (SELECT sum(assignment_count) FROM peer_mentors)";
    let before = row(&mut client, content);
    let constraints = "SELECT count(*) FROM installed_definitions() WHERE kind IN ('constraint', 'index')";
    let kept = row(&mut client, constraints);
    let done = row(&mut client, "SELECT uninstall()");
    assert!(done.contains("110 triggers, 0 policies and 2 views dropped, 15 defaults untied"), "{done}");
    assert_eq!(row(&mut client, constraints), kept);
    assert!(
        row(&mut client, "SELECT uninstall()").contains(" 0 triggers, 0 policies and 0 views dropped, 0 defaults"),
        "nothing is left"
    );

    run(&mut client, "DROP EXTENSION assignment_reminders");
    assert_eq!(row(&mut client, content), before);
    an_app_goes_on(&mut client);
    assert_eq!(
        row(&mut client, "SELECT DISTINCT organization_id FROM activities"),
        "00000000-0000-0000-0000-000000000001"
    );

    // And back: what was missed is caught up on.
    run(&mut client, "CREATE EXTENSION assignment_reminders; SELECT install()");
    assert_eq!(rows(&mut client, "SELECT * FROM altered_definitions()"), [""; 0]);
    assert_eq!(row(&mut client, "SELECT sum(assignment_count) FROM peer_mentors"), "4");
    assert_eq!(row(&mut client, "SELECT DISTINCT last_contact_date FROM assignments"), "2026-04-01");
    assert_eq!(row(&mut client, "SELECT count(*) FROM reminder_queue"), "1");
}

#[test]
fn uninstall_leaves_what_users_made_on_our_tables() {
    let database = Database::installed();
    let mut client = database.connect();
    run(
        &mut client,
        "CREATE FUNCTION public.mine() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
         CREATE TRIGGER mine BEFORE INSERT ON assignments FOR EACH ROW EXECUTE FUNCTION public.mine();
         CREATE VIEW public.waiting AS SELECT organization_id, pending FROM reminder_queue;
         CREATE TABLE notes (organization_id uuid DEFAULT current_organization(), body text)",
    );
    let done = row(&mut client, "SELECT uninstall()");
    assert!(done.contains("1 views dropped"), "a user's view stands on ours: {done}");
    let default = "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'notes'::regclass";
    assert_eq!(row(&mut client, default), "current_organization()", "a table of the user's in our schema");
    run(&mut client, "DROP TABLE notes; DROP EXTENSION assignment_reminders");
    assert_eq!(row(&mut client, "SELECT string_agg(tgname, ' ') FROM pg_trigger WHERE NOT tgisinternal"), "mine");
    assert_eq!(row(&mut client, "SELECT count(*) FROM public.waiting"), "1");
}

#[test]
fn only_the_owner_of_the_tables_may_uninstall() {
    let database = Database::installed();
    let (mut stranger, _) = database.connect_as_new_role(
        "GRANT USAGE ON SCHEMA assignment_reminders TO {role}; GRANT ALL ON ALL TABLES IN SCHEMA assignment_reminders TO {role};
         GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA assignment_reminders TO {role}",
    );
    assert_eq!(refused(&mut stranger, "SELECT uninstall()").sqlstate, "42501");
    assert!(row(&mut database.connect(), "SELECT install()").ends_with("nothing to do"), "nothing was taken away");
}

/// What somebody who may create in the schema could leave there for a script that runs as a superuser.
const TRAPS: &str = "
    CREATE FUNCTION assignment_reminders.format(text, regprocedure) RETURNS text LANGUAGE plpgsql AS $$
    BEGIN IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN EXECUTE 'ALTER ROLE {role} SUPERUSER'; END IF;
          RETURN pg_catalog.format($1, $2); END $$;
    CREATE FUNCTION assignment_reminders.format(text, regclass) RETURNS text LANGUAGE plpgsql AS $$
    BEGIN IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN EXECUTE 'ALTER ROLE {role} SUPERUSER'; END IF;
          RETURN pg_catalog.format($1, $2); END $$;
    CREATE FUNCTION assignment_reminders.format(text, regprocedure, regrole) RETURNS text LANGUAGE plpgsql AS $$
    BEGIN IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN EXECUTE 'ALTER ROLE {role} SUPERUSER'; END IF;
          RETURN pg_catalog.format($1, $2, $3); END $$;
    CREATE FUNCTION assignment_reminders.trap(oid, regclass) RETURNS boolean LANGUAGE plpgsql AS $$
    BEGIN IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN EXECUTE 'ALTER ROLE {role} SUPERUSER'; END IF;
          RETURN $1 = $2::oid; END $$;
    CREATE OPERATOR assignment_reminders.= (LEFTARG = oid, RIGHTARG = regclass, FUNCTION = assignment_reminders.trap)";

#[test]
fn nobody_becomes_superuser_by_what_they_leave_in_the_schema() {
    let database = Database::empty();
    let (mut eve, role) = database.connect_as_new_owner();
    run(&mut eve, "CREATE SCHEMA assignment_reminders");
    run(&mut eve, &TRAPS.replace("{role}", &role));
    run(&mut eve, "CREATE EXTENSION assignment_reminders");
    assert_eq!(row(&mut eve, &format!("SELECT rolsuper FROM pg_roles WHERE rolname = '{role}'")), "f");
}
