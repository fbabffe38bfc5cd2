//! Backups that come back under difficulties: several jobs at once, and a server that lacks the library.

use std::fs;

use postgres::Client;

use crate::bare::{Bare, THIS};
use crate::cluster::Cluster;
use crate::support::{People, content, refused, row, run};

fn programme(client: &mut Client) {
    let people = People::new(client);
    people.assignments(client, "2026-11-01", 2000);
    run(
        client,
        "INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-11-03 12:00+00' FROM assignments WHERE title < '001000'",
    );
    run(
        client,
        "SELECT correct_last_contact_date(id, '2026-11-02', 'a mistake') FROM assignments WHERE title < '000500'",
    );
    run(client, "SELECT count(*) FROM run_daily_evaluation('2026-11-22 12:00+00')");
    run(
        client,
        "SELECT mark_reminder_sent(reminder_id, claim_id, as_of => '2026-11-22 12:01+00')
           FROM claim_reminders(300, as_of => '2026-11-22 12:00+00')",
    );
}

fn assert_works(client: &mut Client) {
    assert_eq!(row(client, "SELECT count(*) FROM verify_assignment_counts()"), "0");
    assert_eq!(row(client, "SELECT count(*) FROM verify_contact_dates()"), "0");
    assert_eq!(row(client, "SELECT count(*) FROM run_daily_evaluation('2026-11-22 12:00+00')"), "0");
    run(
        client,
        "INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-11-20 12:00+00' FROM assignments",
    );
    assert_eq!(row(client, "SELECT count(*) FROM assignments WHERE last_contact_date = '2026-11-20'"), "2000");
    assert_eq!(row(client, "SELECT count(*) FROM reminders WHERE status = 'pending'"), "0");
    run(client, "DELETE FROM assignments WHERE title > '001900'");
    assert_eq!(row(client, "SELECT sum(assignment_count) FROM peer_mentors"), "1900");
}

#[test]
fn several_jobs_restore_everything_as_it_was() {
    let cluster = Cluster::new("");
    let mut client = cluster.installed();
    programme(&mut client);
    let before = content(&mut client);
    cluster.succeed("pg_dump", &["--format=directory", "--jobs=4", "--file=dump", "reminders"]);
    cluster.succeed("createdb", &["restored"]);
    cluster.succeed("pg_restore", &["--exit-on-error", "--jobs=4", "--dbname=restored", "dump"]);
    let mut restored = cluster.connect("restored");
    assert_eq!(content(&mut restored), before);
    assert_works(&mut restored);
    cluster.assert_log_is_clean();
}

#[test]
fn without_the_library_data_is_readable_writes_are_refused_and_all_is_well_when_it_is_back() {
    let bare = Bare::without(&THIS);
    let mut cluster = Cluster::new("");
    let mut client = cluster.installed();
    programme(&mut client);
    let before = content(&mut client);
    drop(client);
    cluster.stop();

    // The same data directory under a server without the library, as after an upgrade of the system's packages.
    let mut upgraded = Cluster::stopped(&bare.bin());
    fs::rename(cluster.home.join("data"), upgraded.home.join("data")).expect("the data");
    upgraded.configure("");
    upgraded.start();
    let mut client = upgraded.connect("reminders");
    assert_eq!(content(&mut client), before, "everything can be read");
    for write in [
        "INSERT INTO activities (organization_id, assignment_id, occurred_at) SELECT organization_id, id, '2026-11-21' FROM assignments",
        "DELETE FROM assignments",
        "UPDATE peer_mentors SET assignment_count = 0",
        "SELECT count(*) FROM run_daily_evaluation()",
    ] {
        let refusal = refused(&mut client, write);
        assert_eq!(refusal.sqlstate, "58P01", "{write}: {refusal:?}");
        assert!(refusal.message.contains("assignment_reminders"), "names the library: {refusal:?}");
    }
    assert_eq!(content(&mut client), before, "nothing was written half");
    let dump = upgraded.succeed("pg_dump", &["reminders"]);
    assert!(dump.contains("CREATE EXTENSION"), "and it can be backed up");

    bare.mend(&THIS);
    let mut client = upgraded.connect("reminders");
    assert_works(&mut client);
    upgraded.assert_log_is_clean();
}

#[test]
fn a_dump_restores_its_data_where_the_extension_is_missing_and_install_brings_the_rest_later() {
    let cluster = Cluster::new("");
    let mut client = cluster.installed();
    programme(&mut client);
    let before = content(&mut client);
    cluster.succeed("pg_dump", &["--format=custom", "--file=dump", "reminders"]);

    let bare = Bare::without(&THIS);
    let elsewhere = Cluster::of(&bare.bin(), "");
    let refused_extension =
        elsewhere.output("psql", &["-X", "-d", "reminders", "-c", "CREATE EXTENSION assignment_reminders"]);
    assert!(String::from_utf8_lossy(&refused_extension.stderr).contains("assignment_reminders"), "a clear error");

    // The recipe of docs/operations.md: columns' defaults call this function, so the tables want one of its name.
    let mut client = elsewhere.connect("reminders");
    run(
        &mut client,
        "CREATE SCHEMA assignment_reminders;
         CREATE FUNCTION assignment_reminders.default_organization() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'",
    );
    let dump = cluster.home.join("dump").display().to_string();
    let output = elsewhere.output("pg_restore", &["--dbname=reminders", &dump]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("extension \"assignment_reminders\" is not available"), "{errors}");
    assert!(
        errors.contains("function assignment_reminders.maintain_assignment_count() does not exist"),
        "triggers say why: {errors}"
    );
    assert_eq!(content(&mut client), before, "all data is there");

    // With the extension back: it, its triggers and defaults.
    bare.mend(&THIS);
    drop(client);
    let mut client = elsewhere.connect("reminders");
    run(&mut client, "DROP FUNCTION default_organization() CASCADE");
    run(&mut client, "CREATE EXTENSION assignment_reminders");
    assert!(
        row(&mut client, "SELECT install()").contains(": 0 migrations applied, 123 triggers and defaults attached")
    );
    assert_works(&mut client);
    elsewhere.assert_log_is_clean();
}
