//! sql/install/definitions.txt is what a fresh installation has, and install() and evaluation_health() notice and put right what
//! differs from it.

use postgres::Client;

use crate::support::{Database, People, assert_refused, refused, row, rows, run};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/sql/install/definitions.txt");

/// Not the views: Postgres 16 writes them in other words than 15.
const INSTALLED: &str = "SELECT concat_ws(E'\\t', kind, relation, name, definition) FROM installed_definitions()
                          WHERE kind <> 'view' ORDER BY kind, relation COLLATE \"C\", name COLLATE \"C\"";

#[test]
fn the_definitions_are_those_of_a_fresh_installation() {
    let database = Database::installed();
    let installed = rows(&mut database.connect(), INSTALLED);
    if std::env::var_os("WRITE_REFERENCE").is_some() {
        std::fs::write(PATH, format!("{}\n", installed.join("\n"))).expect("definitions.txt can be written");
        return;
    }
    let written = std::fs::read_to_string(PATH).unwrap_or_default();
    for (written, installed) in written.lines().zip(&installed) {
        assert_eq!(written, installed, "sql/install/definitions.txt is out of date: run 'make reference'");
    }
    assert_eq!(
        written.lines().count(),
        installed.len(),
        "sql/install/definitions.txt is out of date: run 'make reference'"
    );
    assert!(installed.len() > 90, "triggers, defaults, constraints and indexes: {}", installed.len());
}

/// Runs as a session does that writes dates and names in other ways.
#[test]
fn nothing_is_altered_in_the_eyes_of_any_session() {
    let database = Database::installed();
    let mut client = database.connect();
    run(
        &mut client,
        "SET timezone = 'Pacific/Apia'; SET datestyle = 'German'; SET intervalstyle = 'iso_8601'; SET quote_all_identifiers = on; SET standard_conforming_strings = off; SET search_path = ''",
    );
    assert_eq!(rows(&mut client, "SELECT * FROM assignment_reminders.altered_definitions()"), [""; 0]);
    assert!(row(&mut client, "SELECT assignment_reminders.install()").ends_with("nothing to do"));
}

/// Breaks something, sees that health and install() say so, and that it is as before afterwards.
fn is_put_right(client: &mut Client, broken: &str, named: &str, is_critical: bool) {
    let before = rows(client, INSTALLED_WHOLE);
    run(client, broken);
    assert!(rows(client, INSTALLED_WHOLE) != before, "{broken} changed nothing");
    let health = row(client, "SELECT status, reasons FROM evaluation_health()");
    assert_eq!(health.starts_with("critical") && health.contains(named), is_critical, "{broken}: {health}");
    let done = row(client, "SELECT install()");
    assert!(!done.contains("nothing to do"), "{broken}: {done}");
    assert!(rows(client, INSTALLED_WHOLE) == before, "{broken}");
    assert!(row(client, "SELECT install()").ends_with("nothing to do"), "{broken}");
    assert!(!row(client, "SELECT reasons FROM evaluation_health()").contains(named), "{broken}");
}

const INSTALLED_WHOLE: &str = "SELECT * FROM installed_definitions() ORDER BY 1, 2, 3";

#[test]
fn a_trigger_that_is_disabled_altered_or_gone_is_noticed_and_put_right() {
    let database = Database::installed();
    let mut client = database.connect();
    let count = "assignments_count_inserted";
    for broken in [
        format!("ALTER TABLE assignments DISABLE TRIGGER {count}"),
        "ALTER TABLE assignments DISABLE TRIGGER USER".to_string(),
        format!("ALTER TABLE assignments ENABLE REPLICA TRIGGER {count}"),
        format!("DROP TRIGGER {count} ON assignments"),
        format!(
            "CREATE OR REPLACE TRIGGER {count} BEFORE INSERT ON assignments FOR EACH ROW EXECUTE FUNCTION set_updated_at()"
        ),
        format!(
            "DROP TRIGGER {count} ON assignments;
             CREATE CONSTRAINT TRIGGER {count} AFTER INSERT ON assignments FOR EACH ROW EXECUTE FUNCTION refuse_update()"
        ),
        // Under another name it would count a second time.
        format!("ALTER TRIGGER {count} ON assignments RENAME TO another"),
    ] {
        is_put_right(&mut client, &broken, count, true);
    }
    is_put_right(
        &mut client,
        "CREATE OR REPLACE TRIGGER activities_refuse_future AFTER INSERT OR UPDATE OF occurred_at ON activities
             FOR EACH ROW WHEN (NEW.occurred_at > now() + interval '9 days') EXECUTE FUNCTION refuse_future_activity()",
        "activities_refuse_future",
        true,
    );
}

#[test]
fn triggers_that_fire_always_are_as_good_as_those_that_fire_on_the_origin() {
    let database = Database::installed();
    let mut client = database.connect();
    run(&mut client, "ALTER TABLE assignments ENABLE ALWAYS TRIGGER assignments_count_inserted");
    assert!(row(&mut client, "SELECT install()").ends_with("nothing to do"));
    // Also when something else is put right.
    run(
        &mut client,
        "ALTER TABLE users ALTER COLUMN organization_id DROP DEFAULT; DROP TRIGGER users_forget_bounces ON users",
    );
    assert!(row(&mut client, "SELECT install()").ends_with("2 triggers and defaults attached"));
    let fires = "SELECT tgenabled FROM pg_trigger WHERE tgname = 'assignments_count_inserted'";
    assert_eq!(row(&mut client, fires), "A");
}

#[test]
fn a_default_or_a_view_that_was_altered_or_dropped_is_put_right() {
    let database = Database::installed();
    let mut client = database.connect();
    for broken in [
        "ALTER TABLE users ALTER COLUMN organization_id SET DEFAULT gen_random_uuid()",
        "ALTER TABLE users ALTER COLUMN organization_id DROP DEFAULT",
        "DROP VIEW reminder_queue",
        "ALTER VIEW reminder_queue RESET (security_invoker)",
    ] {
        is_put_right(&mut client, broken, "altered", false);
    }
    let definition =
        row(&mut client, "SELECT pg_get_viewdef('reminder_queue'::regclass)").replace("01:00:00", "09:00:00");
    is_put_right(&mut client, &format!("CREATE OR REPLACE VIEW reminder_queue AS {definition}"), "altered", false);
}

#[test]
fn an_overruled_activity_that_was_moved_while_a_trigger_was_disabled_counts_where_it_is() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    let (first, second) = (people.assignment(&mut client, "2026-01-01"), people.assignment(&mut client, "2026-01-01"));
    run(
        &mut client,
        &format!(
            "INSERT INTO activities (assignment_id, occurred_at) VALUES ('{first}', '2026-02-10 12:00+00'), ('{first}', '2026-02-11 12:00+00');
             SELECT correct_last_contact_date('{first}', '2026-02-01', 'another student');
             ALTER TABLE activities DISABLE TRIGGER activities_forget_overruling;
             UPDATE activities SET assignment_id = '{second}' WHERE occurred_at = '2026-02-10 12:00+00'"
        ),
    );
    let dates = "SELECT last_contact_date FROM assignments ORDER BY 1";
    assert_eq!(rows(&mut client, dates), ["2026-02-01", "-"]);
    let done = row(&mut client, "SELECT install()");
    assert!(done.ends_with("1 triggers and defaults attached, 1 moved activities counted again"), "{done}");
    assert_eq!(rows(&mut client, dates), ["2026-02-01", "2026-02-10"]);
    assert_eq!(
        row(&mut client, "SELECT count(overruled_by) FROM activities"),
        "1",
        "what was not moved stays overruled"
    );
}

#[test]
fn what_was_missed_while_a_trigger_was_disabled_is_caught_up_on() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    run(&mut client, "ALTER TABLE assignments DISABLE TRIGGER USER; ALTER TABLE activities DISABLE TRIGGER USER");
    let assignment = people.assignment(&mut client, "2026-01-01");
    run(
        &mut client,
        &format!("INSERT INTO activities (assignment_id, occurred_at) VALUES ('{assignment}', '2026-02-01 12:00+00')"),
    );
    let state = "SELECT (SELECT sum(assignment_count) FROM peer_mentors), (SELECT last_contact_date FROM assignments)";
    assert_eq!(row(&mut client, state), "0|-");
    let done = row(&mut client, "SELECT install()");
    assert!(done.ends_with("1 counts corrected, 1 contact dates corrected"), "{done}");
    assert_eq!(row(&mut client, state), "1|2026-02-01");
}

#[test]
fn an_organization_that_lost_its_settings_gets_the_defaults() {
    let database = Database::installed();
    let mut client = database.connect();
    run(&mut client, "DELETE FROM reminder_settings");
    assert!(row(&mut client, "SELECT reasons FROM evaluation_health()").contains("install()"));
    assert!(row(&mut client, "SELECT install()").ends_with(": 1 organizations given settings"));
    assert_eq!(row(&mut client, "SELECT reminder_after_days, escalate_after_days FROM reminder_settings"), "14|28");
}

#[test]
fn a_table_that_was_renamed_moved_or_dropped_is_named() {
    let database = Database::installed();
    let mut client = database.connect();
    for change in [
        "ALTER TABLE activities RENAME TO contacts",
        "ALTER TABLE activities SET SCHEMA public",
        "DROP TABLE activities",
    ] {
        run(&mut client, &format!("BEGIN; {change}"));
        assert_refused(&mut client, "SELECT install()", "42P01", "assignment_reminders.activities is missing");
        run(&mut client, "ROLLBACK");
    }
}

#[test]
fn only_the_owner_of_the_tables_installs_and_so_everything_is_theirs() {
    let database = Database::empty();
    let (mut owner, role) = database.connect_as_new_owner();
    run(&mut owner, "CREATE EXTENSION assignment_reminders; SELECT install(); DROP VIEW reminder_queue");
    let mut superuser = database.connect();
    assert_refused(&mut superuser, "SELECT install()", "42501", &role);
    assert_eq!(row(&mut superuser, "SELECT count(*) FROM pg_views WHERE viewname = 'reminder_queue'"), "0");
    run(&mut superuser, &format!("SET ROLE {role}; SELECT install()"));
    assert_eq!(row(&mut superuser, "SELECT viewowner FROM pg_views WHERE viewname = 'reminder_queue'"), role);
}

#[test]
fn a_constraint_or_an_index_that_was_altered_is_reported_and_left() {
    let database = Database::installed();
    let mut client = database.connect();
    let altered = "SELECT kind, relation, name, actual IS NULL FROM altered_definitions()";
    for (broken, expected) in [
        (
            "ALTER TABLE reminders DROP CONSTRAINT reminders_attempts_not_negative",
            "constraint|reminders|reminders_attempts_not_negative|t",
        ),
        ("DROP INDEX assignments_open_due_at_idx", "index|assignments|assignments_open_due_at_idx|t"),
        (
            "ALTER TABLE reminder_settings DROP CONSTRAINT reminder_settings_max_attempts_in_range,
                 ADD CONSTRAINT reminder_settings_max_attempts_in_range CHECK (max_attempts < 7) NOT VALID",
            "constraint|reminder_settings|reminder_settings_max_attempts_in_range|f",
        ),
    ] {
        run(&mut client, &format!("BEGIN; {broken}"));
        assert_eq!(rows(&mut client, altered), [expected]);
        let health = row(&mut client, "SELECT status, reasons FROM evaluation_health()");
        assert!(
            health.starts_with("warning")
                && health.contains(&format!("{} ", expected.split('|').nth(2).unwrap_or_default())),
            "{health}"
        );
        let done = row(&mut client, "SELECT install()");
        assert!(done.contains("nothing to do, 1 differences left"), "{done}");
        assert_eq!(rows(&mut client, altered), [expected], "it is left");
        run(&mut client, "ROLLBACK");
    }
}

#[test]
fn a_view_that_cannot_be_replaced_is_left_and_the_rest_is_put_right() {
    let database = Database::installed();
    let mut client = database.connect();
    run(
        &mut client,
        "DROP VIEW reminder_queue; CREATE VIEW reminder_queue AS SELECT 1 AS mine; ALTER TABLE activities DISABLE TRIGGER USER",
    );
    assert!(row(&mut client, "SELECT install()").contains("triggers and defaults attached"));
    assert_eq!(row(&mut client, "SELECT mine FROM reminder_queue"), "1");
    assert_eq!(rows(&mut client, "SELECT * FROM altered_definitions()"), [""; 0]);
}

#[test]
fn what_users_add_to_our_tables_is_no_alteration() {
    let database = Database::installed();
    let mut client = database.connect();
    run(
        &mut client,
        "ALTER TABLE assignments ADD COLUMN room text; CREATE INDEX mine ON assignments (room);
         ALTER TABLE assignments ADD CONSTRAINT rooms CHECK (room <> '');
         CREATE FUNCTION public.mine() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
         CREATE TRIGGER mine BEFORE INSERT ON assignments FOR EACH ROW EXECUTE FUNCTION public.mine();
         CREATE TRIGGER my_append_only BEFORE DELETE ON activities FOR EACH ROW EXECUTE FUNCTION refuse_update();
         CREATE VIEW mine_too AS SELECT * FROM assignments; CREATE TABLE theirs (organization_id uuid DEFAULT gen_random_uuid());
         ALTER TABLE reminder_settings ALTER COLUMN reminder_after_days SET DEFAULT 7",
    );
    assert!(row(&mut client, "SELECT install()").ends_with("nothing to do"));
    assert_eq!(row(&mut client, "SELECT count(*) FROM pg_trigger WHERE tgname IN ('mine', 'my_append_only')"), "2");
    assert!(!row(&mut client, "SELECT status FROM evaluation_health()").contains("critical"));
}

#[test]
fn under_forced_row_security_install_says_that_it_cannot_catch_up() {
    let database = Database::empty();
    let (mut owner, _) = database.connect_as_new_owner();
    run(&mut owner, "CREATE EXTENSION assignment_reminders; SELECT install()");
    run(
        &mut owner,
        "ALTER TABLE assignments ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; ALTER TABLE assignments DISABLE TRIGGER USER",
    );
    assert_refused(&mut owner, "SELECT install()", "42501", "assignment_reminders.assignments");
    run(&mut owner, "ALTER TABLE assignments NO FORCE ROW LEVEL SECURITY");
    assert!(row(&mut owner, "SELECT install()").contains("attached"));
}

#[test]
fn where_the_record_of_migrations_is_hidden_install_says_so_and_changes_nothing() {
    let database = Database::installed();
    let mut client = database.connect();
    let tables = "SELECT count(*) FROM pg_class WHERE relnamespace = 'assignment_reminders'::regnamespace";
    let before = row(&mut client, tables);
    let (mut stranger, role) = database.connect_as_new_role(
        "GRANT USAGE, CREATE ON SCHEMA assignment_reminders TO {role}; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA assignment_reminders TO {role}",
    );
    let refusal = refused(&mut stranger, "SELECT install()");
    assert_eq!(refusal.sqlstate, "42501");
    assert!(refusal.message.contains("cannot be read") && refusal.detail.contains(&role), "{refusal:?}");
    run(
        &mut client,
        &format!("GRANT SELECT ON migrations TO {role}; ALTER TABLE migrations ENABLE ROW LEVEL SECURITY"),
    );
    let refusal = refused(&mut stranger, "SELECT install()");
    assert_eq!(refusal.sqlstate, "42501");
    assert!(refusal.detail.contains("Row security"), "{refusal:?}");
    assert_eq!(row(&mut client, tables), before);
}

#[test]
fn tables_of_a_later_version_are_left_alone() {
    let database = Database::installed();
    let mut client = database.connect();
    run(&mut client, "INSERT INTO migrations (number, name, extension_version) VALUES (999, 'later', '9.9.9')");
    let refusal = refused(&mut client, "SELECT install()");
    assert_eq!(refusal.sqlstate, "55000");
    assert!(refusal.message.contains("999"), "{refusal:?}");
}
