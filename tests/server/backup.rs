//! Dump and restore: everything is as it was, triggers and users' own columns included, and goes on working.

use std::io::Write;
use std::process::{Command, Stdio};

use postgres::Client;

use crate::support::{Database, People, content, is_at_least, program, refused, row, rows, run};

/// Every row of every table, and what hangs on the tables.
fn everything(client: &mut Client) -> Vec<String> {
    let mut all = content(client);
    all.extend(rows(
        client,
        "SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
          WHERE c.relnamespace = 'assignment_reminders'::regnamespace AND NOT tgisinternal ORDER BY 1",
    ));
    all.extend(rows(
        client,
        "SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'assignment_reminders'::regnamespace ORDER BY 1, 2",
    ));
    all.extend(rows(client, "SELECT indexdef FROM pg_indexes WHERE schemaname = 'assignment_reminders' ORDER BY 1"));
    all.extend(rows(
        client,
        "SELECT d.adrelid::regclass, a.attname, pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d
           JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum ORDER BY 1, 2",
    ));
    all
}

/// A programme with a history: contacts, corrections, counts, reminders, a run, and a column of the user's own.
fn programme() -> (Database, Vec<String>) {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    let first = people.assignment(&mut client, "2026-01-01");
    let second = people.assignment(&mut client, "2026-01-02");
    run(
        &mut client,
        &format!(
            "ALTER TABLE assignments ADD COLUMN subject text DEFAULT 'maths';
             CREATE INDEX ours ON assignments (subject);
             INSERT INTO organizations (id, name, timezone) VALUES ('00000000-0000-0000-0000-0000000000aa', 'Øst \"x\"', 'Europe/Oslo');
             INSERT INTO activities (assignment_id, occurred_at, registration) VALUES ('{first}', '2026-02-01 12:00+00', 'proxy'), ('{second}', '2026-02-05 12:00+00', 'bulk');
             SELECT correct_last_contact_date('{second}', '2026-01-20', 'O''Brien said so');
             INSERT INTO user_preferences (user_id, daily_summary) VALUES ('{}', true);
             SELECT count(*) FROM run_daily_evaluation('2026-11-22 12:00+00');
             INSERT INTO send_logs (reminder_id, to_email) SELECT id, 'm@example.org' FROM reminders",
            people.student
        ),
    );
    let before = everything(&mut client);
    (database, before)
}

fn assert_goes_on(database: &Database, before: &[String]) {
    let mut client = database.connect();
    let after = everything(&mut client);
    let lost: Vec<&String> = before.iter().filter(|row| !after.contains(row)).collect();
    let new: Vec<&String> = after.iter().filter(|row| !before.contains(row)).collect();
    assert!(lost.is_empty() && new.is_empty(), "lost: {lost:#?}\nnew: {new:#?}");
    assert_eq!(after.len(), before.len());
    assert_eq!(
        row(&mut client, "SELECT install()"),
        concat!("assignment_reminders ", env!("CARGO_PKG_VERSION"), ": nothing to do")
    );
    assert_eq!(rows(&mut client, "SELECT * FROM verify_assignment_counts()"), [""; 0]);
    assert_eq!(row(&mut client, "SELECT count(*) FROM run_daily_evaluation('2026-11-22 12:00+00')"), "0");
    // Written to again: counts, contact, corrections and the guards.
    run(
        &mut client,
        "INSERT INTO assignments (title, student_id, peer_mentor_id) SELECT 'after', student_id, peer_mentor_id FROM assignments LIMIT 1;
         INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-11-01 12:00+00' FROM assignments;
         SELECT correct_last_contact_date(id, '2026-10-01', 'again') FROM assignments",
    );
    assert_eq!(row(&mut client, "SELECT assignment_count FROM peer_mentors"), "3");
    assert_eq!(
        row(&mut client, "SELECT count(*), min(last_contact_date), max(last_contact_date) FROM assignments"),
        "3|2026-10-01|2026-10-01"
    );
    assert_eq!(refused(&mut client, "UPDATE peer_mentors SET assignment_count = 0").sqlstate, "428C9");
}

fn output(command: &mut Command) -> Vec<u8> {
    let output = command.output().expect("the program starts");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn feed(command: &mut Command, input: &[u8]) {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program starts");
    child.stdin.take().expect("its input").write_all(input).expect("written");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_plain_dump_restores_everything_as_it_was() {
    let (database, before) = programme();
    let dump = output(program("pg_dump").args(["--dbname", &database.name]));
    let restored = Database::empty();
    feed(
        program("psql").args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "--single-transaction", "--dbname", &restored.name]),
        &dump,
    );
    assert_goes_on(&restored, &before);
}

#[test]
fn a_custom_dump_restores_everything_as_it_was() {
    let (database, before) = programme();
    let dump = output(program("pg_dump").args(["--format=custom", "--dbname", &database.name]));
    let restored = Database::empty();
    feed(program("pg_restore").args(["--exit-on-error", "--dbname", &restored.name]), &dump);
    assert_goes_on(&restored, &before);
}

#[test]
fn a_dump_of_our_schema_restores_when_it_names_the_extension_too() {
    let (database, before) = programme();
    let dump = output(program("pg_dump").args([
        "--schema=assignment_reminders",
        "--extension=assignment_reminders",
        "--dbname",
        &database.name,
    ]));
    let restored = Database::empty();
    feed(program("psql").args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "--dbname", &restored.name]), &dump);
    assert_goes_on(&restored, &before);
}

#[test]
fn a_dump_by_a_filter_restores_when_the_filter_names_the_extension_too() {
    if !is_at_least(17) {
        return;
    }
    let (database, before) = programme();
    let filter = std::env::temp_dir().join(format!("{}.filter", database.name));
    std::fs::write(&filter, "include schema assignment_reminders\ninclude extension assignment_reminders\n")
        .expect("a file");
    let dump = output(program("pg_dump").arg("--filter").arg(&filter).args(["--dbname", &database.name]));
    std::fs::remove_file(&filter).expect("it is there");
    let restored = Database::empty();
    feed(program("psql").args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "--dbname", &restored.name]), &dump);
    assert_goes_on(&restored, &before);
}

#[test]
fn data_alone_restores_into_installed_tables_with_triggers_disabled() {
    let (database, before) = programme();
    let dump = output(program("pg_dump").args(["--data-only", "--disable-triggers", "--dbname", &database.name]));
    let restored = Database::installed();
    let mut client = restored.connect();
    run(
        &mut client,
        "ALTER TABLE assignments ADD COLUMN subject text DEFAULT 'maths'; CREATE INDEX ours ON assignments (subject); TRUNCATE organizations, migrations, row_history, history_horizon CASCADE",
    );
    feed(program("psql").args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "--dbname", &restored.name]), &dump);
    assert_goes_on(&restored, &before);
}
