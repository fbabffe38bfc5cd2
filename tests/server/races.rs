//! Races between two statements that change the same things, forced with locks: the second one waits where it must, and
//! not where it need not, and the outcome is that of one after the other. Races of claims are in delivery_races.rs; the
//! README says where each one is.

use std::thread;

use postgres::Client;

use crate::support::{Database, People, pid, row, rows, run, wait_until_blocked};

const RUN: &str = "SELECT count(*) FROM run_daily_evaluation('2026-11-22 12:00+00')";

/// An assignment for each mentor, in the order opposite to that in which mentors are locked.
const INSERT_FOR_BOTH: &str = "INSERT INTO assignments (title, student_id, peer_mentor_id)
    SELECT 'new', (SELECT id FROM users LIMIT 1), id FROM peer_mentors ORDER BY peer_mentors.id DESC";

/// What a statement of another session returns that must wait for `holder`'s transaction, and does its work when that
/// commits. Or its SQLSTATE.
fn after_commit(database: &Database, holder: &mut Client, statement: &'static str) -> Result<(), String> {
    let mut waiting = database.connect();
    let waiting_pid = pid(&mut waiting);
    let statement = thread::spawn(move || {
        waiting
            .batch_execute(statement)
            .map_err(|error| error.code().expect("an error of the server").code().to_string())
    });
    wait_until_blocked(&mut database.connect(), waiting_pid);
    run(holder, "COMMIT");
    statement.join().expect("the other session")
}

fn two_mentors() -> (Database, Client) {
    let database = Database::installed();
    let mut client = database.connect();
    for people in [People::new(&mut client), People::new(&mut client)] {
        people.assignments(&mut client, "2026-11-01", 10);
    }
    (database, client)
}

fn counts(client: &mut Client) -> Vec<String> {
    assert_eq!(rows(client, "SELECT * FROM verify_assignment_counts()"), [""; 0]);
    rows(client, "SELECT assignment_count FROM peer_mentors ORDER BY 1")
}

#[test]
fn a_contact_that_commits_around_a_run_prevents_the_message_in_either_order() {
    let contact =
        "INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-11-20 12:00+00' FROM assignments";
    for contact_first in [true, false] {
        let (database, mut client) = two_mentors();
        let mut other = database.connect();
        run(&mut client, "SET lock_timeout = '2s'");
        run(&mut other, "SET lock_timeout = '2s'");
        if contact_first {
            // The run cannot see the contact, and does not wait for it either.
            run(&mut other, "BEGIN");
            run(&mut other, contact);
            assert_eq!(row(&mut client, RUN), "20");
            run(&mut other, "COMMIT");
        } else {
            // The contact cannot see what the run enqueued.
            run(&mut client, "BEGIN");
            assert_eq!(row(&mut client, RUN), "20");
            run(&mut other, contact);
            run(&mut client, "COMMIT");
        }
        assert_eq!(row(&mut client, "SELECT count(*) FROM claim_reminders(as_of => '2026-11-22 12:00+00')"), "0");
        assert_eq!(row(&mut client, "SELECT count(*) FROM reminders WHERE skip_reason = 'contacted'"), "20");
        assert_eq!(row(&mut client, RUN), "0");
    }
}

#[test]
fn a_run_uses_the_settings_that_were_committed_when_it_began_and_does_not_wait_for_others() {
    let (database, mut client) = two_mentors();
    let mut other = database.connect();
    run(&mut client, "SET lock_timeout = '2s'");
    run(&mut other, "SET lock_timeout = '2s'");
    run(&mut other, "BEGIN; UPDATE reminder_settings SET reminder_after_days = 100, escalate_after_days = 200");
    run(&mut client, "BEGIN");
    assert_eq!(row(&mut client, RUN), "20");
    run(&mut other, "COMMIT");
    run(&mut client, "ROLLBACK");
    assert_eq!(row(&mut client, RUN), "0", "the next one uses the new ones");
    // And settings can be changed while a run has not ended.
    run(&mut other, "UPDATE reminder_settings SET reminder_after_days = 14");
    run(&mut client, "BEGIN");
    assert_eq!(row(&mut client, RUN), "20");
    run(&mut other, "UPDATE reminder_settings SET reminder_after_days = 15");
    run(&mut client, "COMMIT");
}

#[test]
fn an_insert_waits_for_a_reassignment_and_both_count() {
    let (database, mut client) = two_mentors();
    run(&mut client, "BEGIN; UPDATE assignments SET peer_mentor_id = (SELECT max(id::text)::uuid FROM peer_mentors)");
    assert_eq!(after_commit(&database, &mut client, INSERT_FOR_BOTH), Ok(()));
    assert_eq!(counts(&mut client), ["1", "21"]);
}

#[test]
fn a_reassignment_waits_for_an_insert_and_both_count() {
    let (database, mut client) = two_mentors();
    run(&mut client, "BEGIN");
    run(&mut client, INSERT_FOR_BOTH);
    let reassign = "UPDATE assignments SET peer_mentor_id = (SELECT max(id::text)::uuid FROM peer_mentors)";
    assert_eq!(after_commit(&database, &mut client, reassign), Ok(()));
    // The new ones were not committed when the reassignment began: they stay where they are.
    assert_eq!(counts(&mut client), ["1", "21"]);
}

#[test]
fn an_insert_waits_for_a_delete_and_both_count() {
    let (database, mut client) = two_mentors();
    run(&mut client, "BEGIN; DELETE FROM assignments");
    assert_eq!(after_commit(&database, &mut client, INSERT_FOR_BOTH), Ok(()));
    assert_eq!(counts(&mut client), ["1", "1"]);
}

#[test]
fn an_insert_for_a_mentor_who_is_being_deleted_is_refused_and_counts_nothing() {
    let (database, mut client) = two_mentors();
    run(&mut client, "BEGIN; DELETE FROM peer_mentors WHERE id = (SELECT max(id::text)::uuid FROM peer_mentors)");
    let insert = "INSERT INTO assignments (title, student_id, peer_mentor_id)
                  SELECT 'new', (SELECT id FROM users LIMIT 1), max(id::text)::uuid FROM peer_mentors";
    assert_eq!(after_commit(&database, &mut client, insert), Err("23503".to_string()));
    assert_eq!(counts(&mut client), ["10"]);
}

#[test]
fn an_activity_of_an_assignment_that_is_being_deleted_is_refused() {
    let (database, mut client) = two_mentors();
    run(&mut client, "BEGIN; DELETE FROM assignments");
    let contact = "INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-11-20' FROM assignments";
    assert_eq!(after_commit(&database, &mut client, contact), Err("23503".to_string()));
    assert_eq!(counts(&mut client), ["0", "0"]);
    assert_eq!(row(&mut client, "SELECT count(*) FROM activities"), "0");
}

#[test]
fn an_activity_that_waits_for_a_correction_counts_on_top_of_it() {
    let (database, mut client) = two_mentors();
    run(
        &mut client,
        "INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-11-15 12:00+00' FROM assignments",
    );
    run(&mut client, "BEGIN");
    run(&mut client, "SELECT correct_last_contact_date(id, '2026-11-05', 'a mistake') FROM assignments");
    // Earlier than what the correction overrules, later than what it sets.
    let contact =
        "INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-11-10 12:00+00' FROM assignments";
    assert_eq!(after_commit(&database, &mut client, contact), Ok(()));
    assert_eq!(rows(&mut client, "SELECT DISTINCT last_contact_date FROM assignments"), ["2026-11-10"]);
    assert_eq!(rows(&mut client, "SELECT * FROM verify_contact_dates()"), [""; 0]);
}
