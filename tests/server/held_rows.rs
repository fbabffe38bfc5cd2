//! What others hold: a lock on some rows, a row that is not committed, a burst of another organization. Runs, enqueues and claims leave it
//! for the next time, wait for it no longer than two seconds, and the others go out.

use postgres::Client;
use postgres::fallible_iterator::FallibleIterator;

use crate::support::{Database, People, enqueue_follow_ups, row, rows, run};

const SECOND: &str = "00000000-0000-0000-0000-000000000002";
const RUN: &str = "SELECT count(*) FROM run_daily_evaluation('2026-11-22 12:00+00')";
const DUE: &str = "SELECT count(*) FROM enqueue_due_reminders('2026-11-22 12:00+00')";
const SUMMARIES: &str = "SELECT count(*) FROM enqueue_daily_summaries('2026-11-22 12:00+00')";
const CLAIM: &str = "SELECT count(*) FROM claim_reminders(as_of => '2026-11-22 12:00+00')";

/// Two organizations; in the first three assignments that are silent, due in an hour and of three students who want a summary; in the second one.
/// The session gives up what takes longer than promised.
fn programme() -> (Database, Client, Client) {
    let database = Database::installed();
    let (mut client, other) = (database.connect(), database.connect());
    run(&mut client, &format!("INSERT INTO organizations (id, name) VALUES ('{SECOND}', 'Second')"));
    for (organization, number) in [("00000000-0000-0000-0000-000000000001", 3), (SECOND, 1)] {
        for _ in 0..number {
            People::in_organization(&mut client, organization).assignment(&mut client, "2026-11-01");
        }
    }
    run(
        &mut client,
        "UPDATE assignments SET title = numbered.number FROM (SELECT id, row_number() OVER (ORDER BY organization_id, id) AS number FROM assignments) AS numbered
          WHERE assignments.id = numbered.id;
         UPDATE assignments SET due_at = '2026-11-22 13:00+00', created_at = '2026-01-01';
         INSERT INTO user_preferences (organization_id, user_id, daily_summary, updated_at)
         SELECT organization_id, student_id, true, '2026-01-01' FROM assignments;
         SET statement_timeout = '4s'",
    );
    (database, client, other)
}

/// Statements that hold what the reminders of the assignment titled 1 refer to; and what a run, due reminders and summaries bring meanwhile, and
/// after they were committed.
const HOLDERS: [(&str, [&str; 3], [&str; 3]); 5] = [
    ("DELETE FROM assignments WHERE title = '1'", ["3", "6", "4"], ["0", "0", "0"]),
    ("SELECT FROM assignments WHERE title = '1' FOR UPDATE", ["3", "6", "4"], ["1", "2", "0"]),
    (
        "SELECT FROM users WHERE id = (SELECT m.user_id FROM peer_mentors m JOIN assignments a ON a.peer_mentor_id = m.id WHERE title = '1') FOR UPDATE",
        ["3", "8", "4"],
        ["1", "0", "0"],
    ),
    (
        "SELECT FROM users WHERE id = (SELECT student_id FROM assignments WHERE title = '1') FOR UPDATE",
        ["4", "8", "3"],
        ["0", "0", "1"],
    ),
    (
        "DELETE FROM users WHERE id = (SELECT student_id FROM assignments WHERE title = '1')",
        ["3", "6", "3"],
        ["0", "0", "0"],
    ),
];

#[test]
fn nothing_is_waited_for_that_somebody_deletes_or_locks_and_the_others_go_out() {
    for (holder, meanwhile, afterwards) in HOLDERS {
        let (_database, mut client, mut other) = programme();
        run(&mut other, "BEGIN");
        run(&mut other, holder);
        let enqueue = |client: &mut Client| [RUN, DUE, SUMMARIES].map(|call| row(client, call));
        assert_eq!(enqueue(&mut client), meanwhile, "{holder}");
        assert_ne!(row(&mut client, CLAIM), "0", "{holder}");
        run(&mut other, "COMMIT");
        assert_eq!(enqueue(&mut client), afterwards, "{holder}, committed");
        assert_eq!(rows(&mut client, "SELECT DISTINCT status FROM evaluation_runs"), ["succeeded"], "{holder}");
    }
}

#[test]
fn a_reminder_that_somebody_holds_is_armed_again_the_next_time() {
    let (_database, mut client, mut other) = programme();
    assert_eq!([row(&mut client, RUN), row(&mut client, DUE), row(&mut client, SUMMARIES)], ["4", "8", "4"]);
    run(
        &mut client,
        "INSERT INTO activities (organization_id, assignment_id, occurred_at) SELECT organization_id, id, '2026-11-02' FROM assignments;
         UPDATE assignments SET due_at = '2026-11-22 13:30+00';
         UPDATE reminders SET anchor = anchor - interval '1 day' WHERE assignment_id IS NULL",
    );
    run(&mut other, "BEGIN; UPDATE reminders SET last_error = 'mine' WHERE organization_id <> current_organization()");
    assert_eq!([row(&mut client, RUN), row(&mut client, DUE), row(&mut client, SUMMARIES)], ["3", "6", "3"]);
    run(&mut other, "COMMIT");
    assert_eq!([row(&mut client, RUN), row(&mut client, DUE), row(&mut client, SUMMARIES)], ["1", "2", "1"]);
}

#[test]
fn a_reminder_that_somebody_is_inserting_keeps_only_its_organization_back() {
    for (call, reminder_type, number) in [(RUN, "contact-reminder", ["3", "1"]), (DUE, "24h", ["6", "2"])] {
        let (_database, mut client, mut other) = programme();
        run(
            &mut other,
            &format!(
                "BEGIN; INSERT INTO reminders (organization_id, assignment_id, recipient_id, reminder_type)
                 SELECT organization_id, id, student_id, '{reminder_type}' FROM assignments WHERE organization_id = '{SECOND}'"
            ),
        );
        assert_eq!(row(&mut client, call), number[0], "{call}");
        run(&mut other, "ROLLBACK");
        assert_eq!(row(&mut client, call), number[1], "{call}");
    }
    let (_database, mut client, mut other) = programme();
    run(
        &mut other,
        "BEGIN; INSERT INTO reminders (organization_id, recipient_id, reminder_type) SELECT organization_id, student_id, 'daily-summary' FROM assignments",
    );
    assert_eq!(row(&mut client, SUMMARIES), "0", "of all organizations: no longer than promised");
    run(&mut other, "ROLLBACK");
    assert_eq!(row(&mut client, SUMMARIES), "4");
}

#[test]
fn a_run_says_whom_it_left_to_the_next_one_which_evaluates_them() {
    let (_database, mut client, mut other) = programme();
    run(
        &mut other,
        "BEGIN; INSERT INTO reminders (organization_id, assignment_id, recipient_id, reminder_type)
         SELECT organization_id, id, student_id, 'contact-reminder' FROM assignments WHERE organization_id <> current_organization()",
    );
    assert_eq!(row(&mut client, RUN), "3");
    assert_eq!(
        row(&mut client, "SELECT status, sqlstate, error LIKE '%000002' FROM evaluation_runs"),
        "succeeded|55P03|t"
    );
    assert_eq!(row(&mut client, "SELECT count(*) FROM organization_evaluations"), "1");
    run(&mut other, "ROLLBACK");
    assert_eq!(row(&mut client, RUN), "1");
    assert_eq!(row(&mut client, "SELECT count(*) FROM organization_evaluations"), "2");
}

#[test]
fn a_table_that_somebody_alters_is_waited_for_as_by_any_statement() {
    let (database, mut client, mut other) = programme();
    run(&mut client, "SET statement_timeout = 0");
    run(&mut other, "BEGIN; ALTER TABLE reminders ADD COLUMN mine text");
    let pid = crate::support::pid(&mut client);
    let running = std::thread::spawn(move || row(&mut client, RUN));
    let mut observer = database.connect();
    // It gives up what it waits for, and then waits for the table.
    let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'reminders'::regclass AND mode = 'RowShareLock' AND pid = ";
    while row(&mut observer, &format!("{waits}{pid}")) == "0" {
        std::thread::yield_now();
    }
    run(&mut other, "COMMIT");
    assert_eq!(running.join().expect("the run"), "4");
}

#[test]
fn a_worker_with_the_rights_of_the_readme_waits_for_nobody_either() {
    let (database, mut client, mut other) = programme();
    let mut worker = database.connect_as_worker();
    run(&mut worker, "SET statement_timeout = '4s'");
    assert_eq!(row(&mut client, RUN), "4");
    // Two reassigned, to one who is being deleted and to one who is not.
    let leaving = People::new(&mut client);
    let staying = People::new(&mut client);
    run(
        &mut client,
        &format!(
            "UPDATE assignments SET peer_mentor_id = '{}' WHERE title = '1'; UPDATE assignments SET peer_mentor_id = '{}' WHERE title = '2'",
            leaving.mentor, staying.mentor
        ),
    );
    run(&mut other, &format!("BEGIN; SELECT FROM users WHERE id = '{}' FOR UPDATE", leaving.mentor_user));
    assert_eq!(row(&mut worker, CLAIM), "3", "all but the one whose new addressee is held");
    run(&mut other, "ROLLBACK");
    assert_eq!(row(&mut worker, CLAIM), "1");
    assert_eq!(
        row(
            &mut client,
            &format!(
                "SELECT count(*) FROM reminders WHERE recipient_id IN ('{}', '{}')",
                leaving.mentor_user, staying.mentor_user
            )
        ),
        "2"
    );
    for call in ["SELECT lock_for_reminders('users', '{}')", "SELECT lock_for_reminders('users', NULL)"] {
        if call.contains("NULL") {
            assert_eq!(row(&mut worker, call), "-");
        } else {
            assert_eq!(crate::support::refused(&mut worker, call).sqlstate, "42501", "{call}");
        }
    }
}

#[test]
fn what_a_locked_share_cannot_fill_the_others_get_in_the_same_claim() {
    let (_database, mut client, mut other) = programme();
    enqueue_follow_ups(&mut client, "2026-11-22 07:00+00");
    run(
        &mut client,
        "UPDATE reminders SET scheduled_for = '2026-11-22 06:00+00' WHERE organization_id <> current_organization()",
    );
    run(&mut other, "BEGIN; SELECT FROM reminders WHERE organization_id <> current_organization() FOR UPDATE");
    for left in ["1", "2"] {
        let claim = format!("SELECT count(*) FROM claim_reminders({left}, as_of => '2026-11-22 12:00+00')");
        assert_eq!(row(&mut client, &claim), left, "the oldest is held, the others are not");
    }
    assert_eq!(row(&mut client, CLAIM), "0");
    run(&mut other, "ROLLBACK");
    assert_eq!(row(&mut client, CLAIM), "1");
}

#[test]
fn what_is_tried_alone_keeps_nobody_else_waiting_and_is_tried_in_turn() {
    let database = Database::installed();
    let mut client = database.connect();
    People::new(&mut client).assignments(&mut client, "2026-11-01", 30);
    enqueue_follow_ups(&mut client, "2026-11-22 06:00+00");
    // Their workers died on all attempts but the last.
    run(
        &mut client,
        "UPDATE reminders SET attempts = 3, claim_id = gen_random_uuid(), claimed_until = '2026-11-22 11:00+00'",
    );
    run(&mut client, &format!("INSERT INTO organizations (id, name) VALUES ('{SECOND}', 'Second')"));
    People::in_organization(&mut client, SECOND).assignments(&mut client, "2026-11-01", 3);
    run(
        &mut client,
        "INSERT INTO reminders (organization_id, assignment_id, recipient_id, reminder_type, anchor, scheduled_for)
         SELECT organization_id, id, coordinator_id, 'contact-escalation', '2026-11-01 00:00+00', '2026-11-22 11:59+00' FROM assignments
          WHERE organization_id <> current_organization()",
    );
    let mut claim = |batch: i32| {
        let claim = format!(
            "SELECT right(organization_id::text, 1), claim_id FROM claim_reminders({batch}, as_of => '2026-11-22 12:00+00')"
        );
        let claimed = rows(&mut client, &claim);
        let organizations: String = claimed.iter().filter_map(|row| row.chars().next()).collect();
        organizations
    };
    let two: [String; 2] = std::array::from_fn(|_| claim(100));
    assert!(two.contains(&"222".to_string()), "{two:?}: the others come with the first claim or the second");
    let alone: Vec<String> = (0..29).map(|_| claim(100)).collect();
    let mut alone: Vec<&str> =
        alone.iter().chain(&two).map(String::as_str).filter(|claimed| *claimed != "222").collect();
    alone.dedup();
    assert_eq!(alone, ["1"], "each of these has a claim of its own");
    assert_eq!(claim(100), "", "and none comes twice");
}

#[test]
fn a_claim_among_withdrawn_ones_is_bounded_moves_on_and_asks_to_be_called_again() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    people.assignments(&mut client, "2026-11-01", 25_000);
    enqueue_follow_ups(&mut client, "2026-11-22 06:00+00");
    run(
        &mut client,
        "UPDATE assignments SET status = 'completed' WHERE title <> '025000'; LISTEN assignment_reminders",
    );
    let mut claims = Vec::new();
    while claims.last().is_none_or(|claimed| claimed == "0") {
        let mut fresh = database.connect();
        claims.push(row(&mut fresh, "SELECT count(*) FROM claim_reminders(1, as_of => '2026-11-22 12:00+00')"));
        run(&mut client, "SELECT");
        let heard = client.notifications().iter().count().expect("notifications");
        assert!(heard > 0 || claims.last().is_some_and(|claimed| claimed == "1"), "{claims:?}");
    }
    assert!((2..=3).contains(&claims.len()), "{claims:?}");
    assert_eq!(row(&mut client, "SELECT count(*) FROM reminders WHERE skip_reason = 'completed'"), "24999");
}

#[test]
fn an_idle_claim_reads_nothing_of_organizations_with_nothing_due() {
    let database = Database::installed();
    let mut client = database.connect();
    run(
        &mut client,
        "INSERT INTO organizations (id, name) SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, n::text FROM generate_series(1, 500) AS n;
         INSERT INTO users (id, organization_id, email, name) SELECT id, id, 'a@example.org', 'A' FROM organizations;
         INSERT INTO assignments (id, organization_id, title, student_id) SELECT id, id, 'x', id FROM organizations;
         INSERT INTO reminders (organization_id, assignment_id, reminder_type, scheduled_for)
         SELECT organization_id, id, '24h', CASE title WHEN 'x' THEN timestamptz '2026-11-23' END FROM assignments",
    );
    run(&mut client, "VACUUM ANALYZE");
    let mut read = |due: &str| {
        run(&mut client, due);
        let mut worker = database.connect();
        run(&mut worker, "BEGIN");
        assert_eq!(row(&mut worker, CLAIM), if due.is_empty() { "0" } else { "1" });
        let read = "SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)), sum(coalesce(seq_scan, 0) + coalesce(idx_scan, 0))
                      FROM pg_stat_xact_user_tables WHERE schemaname = 'assignment_reminders'";
        row(&mut worker, read)
    };
    for due in ["", "UPDATE reminders SET scheduled_for = '2026-11-22' WHERE organization_id::text LIKE '%499'"] {
        let counters = read(due);
        let numbers: Vec<i64> = counters.split('|').map(|number| number.parse().expect("a number")).collect();
        assert!(numbers.iter().all(|number| *number < 40), "{counters} rows and scans, {due:?}");
    }
}

#[test]
fn an_answer_is_recorded_while_others_hold_what_counts_an_organizations_messages() {
    for holder in [
        "INSERT INTO claim_rates (organization_id) SELECT id FROM organizations ON CONFLICT DO NOTHING",
        "SELECT FROM claim_rates FOR UPDATE",
    ] {
        let (_database, mut client, mut other) = programme();
        enqueue_follow_ups(&mut client, "2026-11-22 07:00+00");
        if holder.starts_with("SELECT") {
            run(&mut client, "INSERT INTO claim_rates (organization_id) SELECT id FROM organizations");
        }
        run(&mut client, "CREATE TEMPORARY TABLE c AS SELECT * FROM claim_reminders(as_of => '2026-11-22 12:00+00')");
        run(&mut other, "BEGIN");
        run(&mut other, holder);
        let answer = "SELECT record_delivery_failures(array_agg(reminder_id), claim_id, array_agg('transport'::text), array_agg('451 later'::text), as_of => '2026-11-22 12:01+00') FROM c GROUP BY claim_id";
        assert!(rows(&mut client, answer).is_empty(), "{holder}");
        assert_eq!(
            rows(&mut client, "SELECT DISTINCT status, attempts, retry_at FROM reminders"),
            ["pending|0|2026-11-22 12:02:00+00"],
            "{holder}"
        );
        run(&mut other, "ROLLBACK");
    }
}

/// What two organizations' messages became, of a batch that a worker claimed with a lease of a minute; and somebody who holds one of the first's.
fn claimed_and_held() -> (Database, Client, Client) {
    let (database, mut client, mut holder) = programme();
    run(&mut client, "SELECT FROM run_daily_evaluation('2026-11-22 12:00+00')");
    run(
        &mut client,
        "CREATE TABLE c AS SELECT * FROM claim_reminders(100, '1 minute', as_of => '2026-11-22 12:00+00')",
    );
    assert_eq!(row(&mut client, "SELECT count(*) > 2, count(DISTINCT organization_id) > 1 FROM c"), "t|t");
    run(&mut holder, "BEGIN; SELECT FROM reminders WHERE id = (SELECT min(reminder_id::text)::uuid FROM c) FOR UPDATE");
    (database, client, holder)
}

#[test]
fn a_lease_is_extended_without_waiting_and_the_others_are_kept() {
    let (_database, mut client, mut holder) = claimed_and_held();
    run(&mut client, "SET statement_timeout = '30s'");
    let held = row(&mut client, "SELECT min(reminder_id::text) FROM c");
    let extend = "SELECT extend_reminder_leases(array_agg(reminder_id), claim_id, '1 hour', '2026-11-22 12:00+00') FROM c GROUP BY claim_id";
    assert_eq!(rows(&mut client, extend), [held.as_str()]);
    assert_eq!(
        row(&mut client, "SELECT count(*) FROM reminders WHERE claimed_until = '2026-11-22 13:00+00'"),
        row(&mut client, "SELECT count(*) - 1 FROM c")
    );
    let one =
        format!("SELECT extend_reminder_lease('{held}', claim_id, '1 hour', '2026-11-22 12:00+00') FROM c LIMIT 1");
    assert_eq!(row(&mut client, &one), "f");
    run(&mut holder, "ROLLBACK");
    assert_eq!(
        rows(
            &mut client,
            &format!(
                "SELECT return_reminders(ARRAY['{held}'::uuid], claim_id) FROM (SELECT claim_id FROM c LIMIT 1) AS c"
            )
        ),
        [""; 0],
        "and no attempt is lost"
    );
    assert_eq!(row(&mut client, &format!("SELECT claim_id, attempts FROM reminders WHERE id = '{held}'")), "-|0");
}
