//! Races between claims, answers and what happens to assignments meanwhile, forced with locks: each side in turn commits
//! first.

use std::thread;

use postgres::Client;

use crate::support::{Database, People, enqueue_follow_ups, pid, row, rows, run, wait_until_blocked};

const CLAIM: &str = "SELECT count(*) FROM claim_reminders(as_of => '2026-11-22 12:00+00')";

fn follow_ups(number: i32) -> (Database, Client) {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    people.assignments(&mut client, "2026-11-01", number);
    run(&mut client, "UPDATE assignments SET due_at = '2026-11-22 13:00+00', created_at = '2026-01-01'");
    enqueue_follow_ups(&mut client, "2026-11-22 06:00+00");
    (database, client)
}

/// Every event that ends a reminder's reason, and what enqueues the reminder that it ends.
const EVENTS: [(&str, &str, &str); 5] = [
    ("", "INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-11-20' FROM assignments", "contacted"),
    ("", "UPDATE assignments SET completed = true", "completed"),
    ("", "UPDATE users SET contact_opt_out = true", "opted_out"),
    ("", "SELECT unsubscribe(unsubscribe_token(id), 'contact-reminder') FROM users WHERE name = 'mentor'", "muted"),
    (
        "DELETE FROM reminders; SELECT * FROM enqueue_due_reminders('2026-11-22 11:30+00'); DELETE FROM reminders WHERE reminder_type = '24h'",
        "UPDATE assignments SET due_at = due_at + interval '1 hour'",
        "due_moved",
    ),
];

#[test]
fn whatever_was_committed_before_a_claim_prevents_the_send() {
    for (enqueue, event, reason) in EVENTS {
        let (database, mut client) = follow_ups(1);
        run(&mut client, enqueue);
        let mut other = database.connect();
        run(&mut other, "BEGIN");
        run(&mut other, event);
        run(&mut other, "COMMIT");
        assert_eq!(row(&mut client, CLAIM), "0", "{event}");
        assert_eq!(row(&mut client, "SELECT status, skip_reason FROM reminders"), format!("skipped|{reason}"));
    }
}

#[test]
fn whatever_commits_while_a_claim_is_on_its_way_to_the_row_prevents_the_send_too() {
    // The claim waits at the organisation's rate, after it began and before it judges: what commits now still counts.
    for (enqueue, event, reason) in EVENTS {
        let (database, mut client) = follow_ups(1);
        run(&mut client, enqueue);
        run(&mut client, "UPDATE reminder_settings SET messages_per_minute = 100");
        let mut holder = database.connect();
        // An uncommitted row of the same key makes the claim's own insert wait.
        run(&mut holder, "BEGIN; INSERT INTO claim_rates (organization_id) SELECT id FROM organizations");
        let mut worker = database.connect();
        let worker_pid = pid(&mut worker);
        let claiming = thread::spawn(move || row(&mut worker, CLAIM));
        wait_until_blocked(&mut client, worker_pid);
        run(&mut client, event);
        run(&mut holder, "COMMIT");
        assert_eq!(claiming.join().expect("the claim"), "0", "{event}");
        assert_eq!(row(&mut client, "SELECT status, skip_reason FROM reminders"), format!("skipped|{reason}"));
    }
}

#[test]
fn a_claim_never_waits_for_a_transaction_that_has_not_ended() {
    let (database, mut client) = follow_ups(3);
    let mut other = database.connect();
    run(
        &mut other,
        "BEGIN; INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-11-20' FROM assignments WHERE title = '000001'",
    );
    run(&mut client, "SET lock_timeout = '2s'");
    assert_eq!(row(&mut client, CLAIM), "2", "the one whose contact is being registered is left alone");
    run(&mut other, "ROLLBACK");
    assert_eq!(row(&mut client, CLAIM), "1", "and comes back when it was not");
}

#[test]
fn two_claims_at_once_share_and_never_hand_out_the_same() {
    let (database, mut client) = follow_ups(50);
    let mut other = database.connect();
    run(&mut client, "BEGIN");
    let first = rows(&mut client, "SELECT assignment_title FROM claim_reminders(20, as_of => '2026-11-22 12:00+00')");
    let second = rows(&mut other, "SELECT assignment_title FROM claim_reminders(20, as_of => '2026-11-22 12:00+00')");
    run(&mut client, "COMMIT");
    assert_eq!((first.len(), second.len()), (20, 20));
    assert!(first.iter().all(|title| !second.contains(title)));
    assert_eq!(first[0], "000001");
    assert_eq!(second[0], "000021");
}

#[test]
fn a_claim_that_is_rolled_back_hands_its_rows_to_the_next() {
    let (_database, mut client) = follow_ups(5);
    run(&mut client, "BEGIN");
    assert_eq!(row(&mut client, CLAIM), "5");
    run(&mut client, "ROLLBACK");
    assert_eq!(row(&mut client, CLAIM), "5", "also to the same session, whose claims begin where the last one ended");
}

#[test]
fn what_comes_in_behind_a_sessions_place_in_the_queue_is_claimed_all_the_same() {
    let (_database, mut client) = follow_ups(10);
    run(
        &mut client,
        "UPDATE reminders SET scheduled_for = '2026-11-22 10:00+00' WHERE assignment_id IN (SELECT id FROM assignments WHERE title > '000005')",
    );
    let claim = |client: &mut Client| {
        rows(client, "SELECT assignment_title FROM claim_reminders(5, as_of => '2026-11-22 12:00+00')")
    };
    assert_eq!(claim(&mut client).len(), 5);
    run(&mut client, "UPDATE reminders SET claimed_until = NULL, claim_id = NULL");
    let mut all = Vec::new();
    for _ in 0..3 {
        all.extend(claim(&mut client));
    }
    all.sort();
    assert_eq!(all.len(), 10, "{all:?}");
}

#[test]
fn what_comes_in_behind_is_not_starved_by_a_queue_that_never_runs_empty() {
    let (database, mut client) = follow_ups(2001);
    run(
        &mut client,
        "UPDATE reminders SET scheduled_for = '2026-11-23' WHERE assignment_id = (SELECT id FROM assignments WHERE title = '002001')",
    );
    let mut claim =
        || row(&mut client, "SELECT assignment_title FROM claim_reminders(1, '1 day', as_of => '2026-11-22 12:00+00')");
    assert_eq!(claim(), "000001");
    run(
        &mut database.connect(),
        "UPDATE reminders SET scheduled_for = '2026-11-21' WHERE scheduled_for = '2026-11-23'",
    );
    let behind = (0..1999).position(|_| claim() == "002001");
    assert!(behind.is_some_and(|claims| claims < 1900), "{behind:?}: a claim begins at the start now and again");
}

#[test]
fn an_answer_waits_for_a_contact_on_its_way_and_is_recorded() {
    let (database, mut client) = follow_ups(2);
    run(&mut client, "CREATE TABLE c AS SELECT * FROM claim_reminders(as_of => '2026-11-22 12:00+00')");
    let mut other = database.connect();
    run(
        &mut other,
        "BEGIN; INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-11-20' FROM assignments",
    );
    let mut worker = database.connect();
    let worker_pid = pid(&mut worker);
    let answering = thread::spawn(move || {
        rows(&mut worker, "SELECT mark_reminders_sent(array_agg(reminder_id), claim_id) FROM c GROUP BY claim_id")
    });
    wait_until_blocked(&mut client, worker_pid);
    run(&mut other, "COMMIT");
    assert_eq!(answering.join().expect("the answer"), [""; 0], "none was stale");
    assert_eq!(rows(&mut client, "SELECT status, attempts FROM reminders"), ["sent|1", "sent|1"]);
    assert_eq!(row(&mut client, "SELECT count(*) FROM send_logs"), "2");
}

/// Answers of one transaction lock in the order they come in, as of `SELECT mark_reminder_sent(...) FROM batch`, which is the queue's.
#[test]
fn a_contact_waits_for_no_worker_whatever_the_order_of_its_answers() {
    for end in ["COMMIT", "ROLLBACK"] {
        let (database, mut client) = follow_ups(3);
        run(&mut client, "CREATE TABLE c AS SELECT * FROM claim_reminders(as_of => '2026-11-22 12:00+00')");
        let mut worker = database.connect();
        run(
            &mut worker,
            "BEGIN;
             SELECT mark_reminder_sent(reminder_id, claim_id, as_of => '2026-11-22 12:00+00') FROM c WHERE assignment_title = '000003';
             SELECT mark_reminder_failed(reminder_id, claim_id, NULL, as_of => '2026-11-22 12:00+00') FROM c WHERE assignment_title = '000002'",
        );
        run(&mut client, "SET lock_timeout = '2s'");
        run(
            &mut client,
            "INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-11-20' FROM assignments",
        );
        run(
            &mut worker,
            "SELECT mark_reminder_sent(reminder_id, claim_id, as_of => '2026-11-22 12:00+00') FROM c WHERE assignment_title = '000001'",
        );
        run(&mut worker, end);
        let after = "2026-11-22 13:00+00";
        assert_eq!(
            row(&mut client, &format!("SELECT count(*) FROM claim_reminders(as_of => '{after}')")),
            "0",
            "{end}"
        );
        let fates = rows(
            &mut client,
            "SELECT a.title, r.status, r.skip_reason FROM reminders r JOIN assignments a ON a.id = r.assignment_id ORDER BY a.title",
        );
        let sent = if end == "COMMIT" { "sent|-" } else { "skipped|contacted" };
        assert_eq!(
            fates,
            [format!("000001|{sent}"), "000002|skipped|contacted".into(), format!("000003|{sent}")],
            "{end}"
        );
    }
}

#[test]
fn answers_and_contacts_over_the_same_reminders_do_not_deadlock() {
    let (database, mut client) = follow_ups(200);
    run(&mut client, "CREATE TABLE c AS SELECT * FROM claim_reminders(200, '1 day', as_of => '2026-11-22 12:00+00')");
    let workers: Vec<_> = (0..4)
        .map(|worker| {
            let mut client = database.connect();
            thread::spawn(move || {
                run(&mut client, &format!("SELECT setseed(0.{worker})"));
                for round in 1..=15 {
                    run(&mut client, "SELECT extend_reminder_leases(array_agg(reminder_id ORDER BY random()), claim_id, '1 day') FROM c GROUP BY claim_id");
                    run(
                        &mut client,
                        &format!("INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-11-{:02}'::timestamptz FROM assignments ORDER BY random() LIMIT 100", 1 + round),
                    );
                    run(&mut client, "SELECT mark_reminders_failed(array_agg(reminder_id ORDER BY random()), claim_id, NULL) FROM c WHERE random() < 0.1 GROUP BY claim_id");
                }
            })
        })
        .collect();
    for worker in workers {
        worker.join().expect("no deadlock");
    }
}
