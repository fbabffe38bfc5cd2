//! The daily run: what is due, to whom, once per silence; that runs never overlap and a failed one leaves nothing.

use std::thread;

use postgres::Client;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use uuid::Uuid;

use crate::support::{Database, People, assert_refused, refused, row, rows, run};

const OTHER: &str = "00000000-0000-0000-0000-000000000002";
const AS_OF: &str = "2026-11-22 12:00+00";

/// What a run at a moment enqueues: action, days, type, reason for not sending.
fn run_at(client: &mut Client, as_of: &str) -> Vec<String> {
    rows(
        client,
        &format!(
            "SELECT action, days_since, reminder_type, skip_reason FROM assignment_reminders.run_daily_evaluation('{as_of}')"
        ),
    )
}

/// The last contact that many days before [`AS_OF`].
fn contact(client: &mut Client, assignment: Uuid, days_ago: i32) {
    let occurred_at = format!("timestamptz '{AS_OF}' - interval '{days_ago} days'");
    run(client, &format!("INSERT INTO activities (assignment_id, occurred_at) VALUES ('{assignment}', {occurred_at})"));
}

/// As the worker does.
fn send_all(client: &mut Client, at: &str) {
    run(
        client,
        &format!(
            "UPDATE reminders SET status = 'sent', sent_at = '{at}', attempts = attempts + 1 WHERE status = 'pending'"
        ),
    );
}

fn one_assignment(assigned_on: &str) -> (Database, Client, People, Uuid) {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    let assignment = people.assignment(&mut client, assigned_on);
    // tests/server/clock.rs is about grace.
    run(&mut client, "UPDATE reminder_settings SET escalation_grace_days = 0");
    (database, client, people, assignment)
}

#[test]
fn a_silence_is_reminded_of_once_then_escalated_once() {
    let (_database, mut client, people, assignment) = one_assignment("2026-11-01");
    assert_eq!(run_at(&mut client, "2026-11-14 12:00+00"), [""; 0]);
    assert_eq!(run_at(&mut client, "2026-11-15 12:00+00"), ["remind|14|contact-reminder|-"]);
    assert_eq!(
        row(
            &mut client,
            "SELECT assignment_id, recipient_id, reminder_type, status, anchor, scheduled_for, attempts FROM reminders"
        ),
        format!(
            "{assignment}|{}|contact-reminder|pending|2026-11-01 00:00:00+00|2026-11-15 12:00:00+00|0",
            people.mentor_user
        )
    );
    assert_eq!(run_at(&mut client, "2026-11-15 12:00+00"), [""; 0], "already enqueued");
    assert_eq!(run_at(&mut client, "2026-11-29 12:00+00"), [""; 0], "not sent yet, so not escalated");
    send_all(&mut client, "2026-11-29 13:00+00");
    assert_eq!(run_at(&mut client, "2026-11-30 12:00+00"), ["escalate|29|contact-escalation|-"]);
    assert_eq!(
        row(&mut client, "SELECT recipient_id FROM reminders WHERE reminder_type = 'contact-escalation'"),
        people.coordinator.to_string()
    );
    send_all(&mut client, "2026-11-30 13:00+00");
    for day in ["2026-12-01", "2027-01-01", "2028-01-01"] {
        assert_eq!(run_at(&mut client, &format!("{day} 12:00+00")), [""; 0], "at most one of each in a silence");
    }
}

#[test]
fn a_contact_ends_the_silence_and_the_next_one_starts_anew() {
    let (_database, mut client, _, assignment) = one_assignment("2026-09-01");
    assert_eq!(run_at(&mut client, "2026-09-15 12:00+00"), ["remind|14|contact-reminder|-"]);
    send_all(&mut client, "2026-09-15 13:00+00");
    assert_eq!(run_at(&mut client, "2026-09-29 12:00+00"), ["escalate|28|contact-escalation|-"]);
    contact(&mut client, assignment, 30);
    assert_eq!(
        rows(&mut client, "SELECT reminder_type, status, skip_reason FROM reminders ORDER BY 1"),
        ["contact-escalation|skipped|contacted", "contact-reminder|sent|-"],
        "the pending one is cancelled at once, what was sent stays"
    );
    // 2026-10-23 on: silent again. The old reminder does not count for the new silence.
    assert_eq!(run_at(&mut client, "2026-11-05 12:00+00"), [""; 0]);
    assert_eq!(run_at(&mut client, "2026-11-21 12:00+00"), ["remind|29|contact-reminder|-"]);
    assert_eq!(
        row(&mut client, "SELECT status, attempts, sent_at FROM reminders WHERE reminder_type = 'contact-reminder'"),
        "pending|0|-"
    );
    send_all(&mut client, "2026-11-21 13:00+00");
    assert_eq!(run_at(&mut client, "2026-11-22 12:00+00"), ["escalate|30|contact-escalation|-"]);
}

#[test]
fn a_contact_taken_back_brings_the_reminder_back() {
    let (_database, mut client, _, assignment) = one_assignment("2026-11-01");
    run_at(&mut client, AS_OF);
    contact(&mut client, assignment, 2);
    assert_eq!(row(&mut client, "SELECT status, skip_reason FROM reminders"), "skipped|contacted");
    assert_eq!(run_at(&mut client, AS_OF), [""; 0]);
    run(&mut client, "DELETE FROM activities");
    assert_eq!(run_at(&mut client, AS_OF), ["remind|21|contact-reminder|-"], "it was never sent");
    send_all(&mut client, AS_OF);
    contact(&mut client, assignment, 2);
    run(&mut client, &format!("SELECT correct_last_contact_date('{assignment}', NULL, 'wrong student')"));
    assert_eq!(run_at(&mut client, AS_OF), [""; 0], "it was sent for this silence");
}

#[test]
fn a_run_after_missed_days_catches_up_with_one_message() {
    let (_database, mut client, _, _) = one_assignment("2026-01-01");
    assert_eq!(run_at(&mut client, AS_OF), ["remind|325|contact-reminder|-"]);
    send_all(&mut client, AS_OF);
    assert_eq!(run_at(&mut client, "2026-11-23 12:00+00"), ["escalate|326|contact-escalation|-"]);
}

#[test]
fn only_open_assignments_are_followed_up() {
    for status in ["paused", "completed", "cancelled"] {
        let (_database, mut client, _, assignment) = one_assignment("2026-01-01");
        run(&mut client, &format!("UPDATE assignments SET status = '{status}'"));
        assert_eq!(run_at(&mut client, AS_OF), [""; 0], "{status}");
        let evaluation =
            format!("SELECT * FROM evaluate_assignment(assignment_id => '{assignment}', as_of => date '2026-11-22')");
        assert_eq!(row(&mut client, &evaluation), "none|325", "{status}");
        run(&mut client, "UPDATE assignments SET status = 'open'");
        assert_eq!(run_at(&mut client, AS_OF).len(), 1, "open again after {status}");
    }
}

#[test]
fn each_organization_has_its_own_thresholds_and_time_zone() {
    let database = Database::installed();
    let mut client = database.connect();
    for (number, zone, days) in [(1, "Asia/Kolkata", 3), (2, "America/Los_Angeles", 3), (3, "Europe/Oslo", 4)] {
        let organization = format!("00000000-0000-0000-0000-0000000000{number}0");
        run(
            &mut client,
            &format!(
                "INSERT INTO organizations (id, name, timezone) VALUES ('{organization}', '{zone}', '{zone}');
                 UPDATE reminder_settings SET reminder_after_days = {days}, escalate_after_days = 9 WHERE organization_id = '{organization}'"
            ),
        );
        People::in_organization(&mut client, &organization).assignment(&mut client, "2026-11-20");
    }
    let due = |client: &mut Client, as_of: &str| {
        rows(
            client,
            &format!(
                "SELECT o.name, days_since FROM evaluate_assignments('{as_of}') JOIN organizations o ON o.id = organization_id ORDER BY 1"
            ),
        )
    };
    assert_eq!(due(&mut client, "2026-11-22 18:29:59+00"), [""; 0]);
    assert_eq!(due(&mut client, "2026-11-22 18:30:00+00"), ["Asia/Kolkata|3"], "midnight there");
    assert_eq!(due(&mut client, "2026-11-23 07:59:59+00"), ["Asia/Kolkata|3"]);
    assert_eq!(due(&mut client, "2026-11-23 08:00:00+00"), ["America/Los_Angeles|3", "Asia/Kolkata|3"]);
    assert_eq!(
        due(&mut client, "2026-11-23 23:00:00+00"),
        ["America/Los_Angeles|3", "Asia/Kolkata|4", "Europe/Oslo|4"]
    );
    let one =
        "SELECT count(*) FROM evaluate_assignments('2026-11-23 23:00+00', '00000000-0000-0000-0000-000000000010')";
    assert_eq!(row(&mut client, one), "1");
    let unknown = "SELECT * FROM evaluate_assignments(organization_id => '00000000-0000-0000-0000-00000000dead')";
    assert_refused(&mut client, unknown, "02000", "00000000-0000-0000-0000-00000000dead");
}

#[test]
fn nobody_to_write_to_is_visible_and_still_escalates() {
    let cases = [
        ("UPDATE assignments SET peer_mentor_id = NULL", "no_mentor"),
        ("UPDATE users SET contact_opt_out = true WHERE name = 'mentor'", "opted_out"),
        ("UPDATE users SET email = NULL WHERE name = 'mentor'", "no_address"),
    ];
    for (unreachable, reason) in cases {
        let (_database, mut client, _, _) = one_assignment("2026-11-01");
        run(&mut client, unreachable);
        assert_eq!(run_at(&mut client, "2026-11-15 12:00+00"), [format!("remind|14|contact-reminder|{reason}")]);
        assert_eq!(row(&mut client, "SELECT status, skip_reason FROM reminders"), format!("skipped|{reason}"));
        assert_eq!(row(&mut client, "SELECT reminders, undeliverable FROM evaluation_runs"), "0|1");
        assert_eq!(
            row(&mut client, "SELECT status, reasons[1] FROM evaluation_health(as_of => now())"),
            "ok|-",
            "the coordinator will be told"
        );
        assert_eq!(run_at(&mut client, "2026-11-16 12:00+00"), [""; 0], "said once");
        assert_eq!(run_at(&mut client, "2026-11-29 12:00+00"), ["escalate|28|contact-escalation|-"], "{reason}");
    }
}

#[test]
fn a_long_silence_that_no_mentor_can_be_reminded_of_is_escalated_by_the_first_run() {
    let (_database, mut client, _, assignment) = one_assignment("2026-01-01");
    run(&mut client, "UPDATE assignments SET peer_mentor_id = NULL");
    let one =
        format!("SELECT action FROM evaluate_assignment(assignment_id => '{assignment}', as_of => date '2026-11-22')");
    assert_eq!(row(&mut client, &one), "escalate");
    assert_eq!(run_at(&mut client, AS_OF), ["escalate|325|contact-escalation|-"]);
    assert_eq!(run_at(&mut client, AS_OF), [""; 0]);
}

#[test]
fn an_escalation_without_a_coordinator_is_visible_and_made_good_when_there_is_one() {
    let (_database, mut client, people, _) = one_assignment("2026-11-01");
    run(&mut client, "UPDATE assignments SET coordinator_id = NULL");
    run_at(&mut client, "2026-11-15 12:00+00");
    send_all(&mut client, "2026-11-15 13:00+00");
    assert_eq!(run_at(&mut client, "2026-11-29 12:00+00"), ["escalate|28|contact-escalation|no_coordinator"]);
    assert_eq!(run_at(&mut client, "2026-11-30 12:00+00"), [""; 0]);
    run(&mut client, &format!("UPDATE assignments SET coordinator_id = '{}'", people.coordinator));
    assert_eq!(run_at(&mut client, "2026-12-01 12:00+00"), ["escalate|30|contact-escalation|-"]);
    assert_eq!(
        row(&mut client, "SELECT status, skip_reason FROM reminders WHERE reminder_type = 'contact-escalation'"),
        "pending|-"
    );
}

#[test]
fn a_reminder_given_up_counts_as_dispatched() {
    let (_database, mut client, _, _) = one_assignment("2026-11-01");
    run_at(&mut client, "2026-11-15 12:00+00");
    run(&mut client, "UPDATE reminders SET status = 'failed', last_error = 'mailbox full'");
    assert_eq!(run_at(&mut client, "2026-11-28 12:00+00"), [""; 0], "given up is not tried again by the run");
    assert_eq!(run_at(&mut client, "2026-11-29 12:00+00"), ["escalate|28|contact-escalation|-"]);
}

#[test]
fn thresholds_that_are_null_switch_their_action_off() {
    let (_database, mut client, _, _) = one_assignment("2026-01-01");
    run(&mut client, "UPDATE reminder_settings SET reminder_after_days = NULL");
    assert_eq!(run_at(&mut client, AS_OF), [""; 0]);
    run(&mut client, "UPDATE reminder_settings SET reminder_after_days = 14, escalate_after_days = NULL");
    assert_eq!(run_at(&mut client, AS_OF).len(), 1);
    send_all(&mut client, AS_OF);
    assert_eq!(run_at(&mut client, "2026-12-22 12:00+00"), [""; 0]);
}

#[test]
fn evaluating_one_assignment_agrees_with_the_run() {
    let (_database, mut client, _, assignment) = one_assignment("2026-10-20");
    let one = |client: &mut Client, day: &str| {
        row(
            client,
            &format!("SELECT * FROM evaluate_assignment(assignment_id => '{assignment}', as_of => date '{day}')"),
        )
    };
    assert_eq!(one(&mut client, "2026-11-22"), "remind|33");
    run_at(&mut client, AS_OF);
    assert_eq!(one(&mut client, "2026-11-22"), "remind|33", "enqueued is not sent");
    send_all(&mut client, AS_OF);
    assert_eq!(one(&mut client, "2026-11-22"), "escalate|33");
    contact(&mut client, assignment, 20);
    assert_eq!(one(&mut client, "2026-11-22"), "remind|20");
}

#[test]
fn evaluating_is_read_only() {
    let (_database, mut client, _, _) = one_assignment("2026-01-01");
    run(&mut client, "SET default_transaction_read_only = on");
    assert_eq!(
        row(&mut client, &format!("SELECT action, days_since FROM evaluate_assignments('{AS_OF}')")),
        "remind|325"
    );
    assert_eq!(row(&mut client, "SELECT count(*) FROM get_open_assignments_with_contact_dates()"), "1");
    assert_eq!(row(&mut client, "SELECT status FROM evaluation_health()"), "warning");
    run(&mut client, "SET default_transaction_read_only = off");
    assert_eq!(
        row(&mut client, "SELECT (SELECT count(*) FROM reminders), (SELECT count(*) FROM evaluation_runs)"),
        "0|0"
    );
}

#[test]
fn a_second_run_returns_at_once_and_is_logged_as_skipped() {
    let (database, mut client, _, _) = one_assignment("2026-01-01");
    run(&mut client, "BEGIN");
    assert_eq!(run_at(&mut client, AS_OF).len(), 1);
    let mut second = database.connect();
    run(&mut second, "SET lock_timeout = '1ms'");
    assert_eq!(run_at(&mut second, AS_OF), [""; 0]);
    assert_eq!(row(&mut second, "SELECT status, finished_at >= started_at FROM evaluation_runs"), "skipped|t");
    run(&mut client, "ROLLBACK");
    assert_eq!(
        run_at(&mut second, AS_OF).len(),
        1,
        "nothing is left of the run that was rolled back, its lock least of all"
    );
}

#[test]
fn a_run_that_fails_is_logged_with_its_error_and_leaves_nothing() {
    let (_database, mut client, people, _) = one_assignment("2026-01-01");
    for _ in 1..20 {
        people.assignment(&mut client, "2026-01-01");
    }
    // The last of twenty rows fails: nineteen have been written by then.
    let last = row(&mut client, "SELECT max(id::text) FROM assignments");
    run(
        &mut client,
        &format!("ALTER TABLE reminders ADD CONSTRAINT not_this_assignment CHECK (assignment_id <> '{last}')"),
    );
    assert_eq!(run_at(&mut client, AS_OF), [""; 0]);
    assert_eq!(
        row(&mut client, "SELECT status, sqlstate, error LIKE '%not_this_assignment%', reminders FROM evaluation_runs"),
        "failed|23514|t|0"
    );
    assert_eq!(row(&mut client, "SELECT count(*) FROM reminders"), "0", "no half-enqueued work");
    assert_eq!(row(&mut client, "SELECT status FROM evaluation_health()"), "critical");
    assert_refused(&mut client, "SELECT watch_daily_evaluation()", "55000", "the last run failed");
    // An organization learns that it failed, and nothing of whose row it was.
    assert_eq!(
        row(&mut client, "SELECT status, reasons FROM organization_health()"),
        r#"critical|{"the last run failed: SQLSTATE 23514"}"#
    );
    run(&mut client, "ALTER TABLE reminders DROP CONSTRAINT not_this_assignment");
    assert_eq!(run_at(&mut client, AS_OF).len(), 20);
    run(&mut client, "UPDATE reminders SET scheduled_for = now()");
    assert_eq!(row(&mut client, "SELECT watch_daily_evaluation()"), "ok");
    assert_eq!(row(&mut client, "SELECT status, reasons, last_run_at IS NULL FROM organization_health()"), "ok|{}|f");
}

#[test]
fn health_is_critical_while_reminders_are_due_that_no_worker_takes() {
    const ONE: &str = "00000000-0000-0000-0000-000000000001";
    let (database, mut client, _, _) = one_assignment("2026-01-01");
    run(&mut client, &format!("INSERT INTO organizations (id, name) VALUES ('{OTHER}', 'other')"));
    People::in_organization(&mut client, OTHER).assignment(&mut client, "2026-01-01");
    run(&mut client, "SELECT FROM run_daily_evaluation()");
    let (mut watcher, _) = database.connect_as_new_role(
        "GRANT USAGE ON SCHEMA assignment_reminders TO {role};
         GRANT SELECT ON evaluation_runs, organizations, reminder_settings, migrations TO {role}",
    );
    let mut health = |of: &str, as_of: &str| {
        row(
            &mut watcher,
            &format!(
                "SELECT status, reasons[1] LIKE '%organizations: 2, such as {of} since%' FROM evaluation_health(as_of => {as_of})"
            ),
        )
    };
    let of = |client: &mut Client, organization: &str| {
        row(
            client,
            &format!(
                "SELECT reasons::text LIKE '%nobody claims%' FROM organization_health('{organization}', as_of => now())"
            ),
        )
    };
    assert_eq!(health("%", "now()"), "ok|-", "it is due, and a worker may come");
    run(
        &mut client,
        "UPDATE reminders SET scheduled_for = now() - interval '27 hours' WHERE organization_id = (SELECT min(id::text)::uuid FROM organizations)",
    );
    run(
        &mut client,
        "UPDATE reminders SET scheduled_for = now() - interval '28 hours' WHERE scheduled_for > now() - interval '1 hour'",
    );
    assert_eq!(health(OTHER, "now()"), "critical|t", "the one that waits longest is named");
    assert!(refused(&mut client, "SELECT watch_daily_evaluation()").message.contains("nobody claims"));
    assert_eq!((of(&mut client, ONE), of(&mut client, OTHER)), ("t".into(), "t".into()));
    // What each of these says is that somebody works, or that nobody is to.
    for (put, back) in [
        (
            "UPDATE reminder_settings SET messages_per_minute = 0",
            "UPDATE reminder_settings SET messages_per_minute = NULL",
        ),
        (
            "UPDATE reminders SET claim_id = gen_random_uuid(), claimed_until = now() + interval '1 minute'",
            "UPDATE reminders SET claim_id = NULL, claimed_until = NULL",
        ),
        (
            "INSERT INTO send_logs (organization_id, reminder_type, status) SELECT id, 'x', 'failed' FROM organizations",
            "DELETE FROM send_logs",
        ),
        ("UPDATE reminders SET retry_at = now() + interval '1 hour'", "UPDATE reminders SET retry_at = NULL"),
    ] {
        run(&mut client, put);
        assert_eq!(health("%", "now()"), "ok|-", "{put}");
        run(&mut client, back);
        assert_eq!(health(OTHER, "now()"), "critical|t", "{back}");
    }
}

#[test]
fn an_organizations_health_is_about_its_own_settings_and_the_runs_alone() {
    let (_database, mut client, _, _) = one_assignment("2026-01-01");
    run(
        &mut client,
        "INSERT INTO organizations (id, name) VALUES ('00000000-0000-0000-0000-0000000000b0', 'other');
         SELECT FROM run_daily_evaluation(); DELETE FROM reminder_settings WHERE organization_id = '00000000-0000-0000-0000-0000000000b0'",
    );
    let of = |client: &mut Client, organization: &str| {
        row(
            client,
            &format!(
                "SELECT status, reasons[1] LIKE 'organizations without%' FROM organization_health('{organization}')"
            ),
        )
    };
    assert_eq!(of(&mut client, "00000000-0000-0000-0000-000000000001"), "ok|-");
    assert_eq!(of(&mut client, "00000000-0000-0000-0000-0000000000b0"), "critical|t");
    run(&mut client, "UPDATE reminders SET status = 'skipped'");
    assert_eq!(
        row(&mut client, "SELECT status, reasons FROM organization_health(as_of => now() + interval '3 days')"),
        r#"critical|{"the last run is missing"}"#
    );
    assert_refused(
        &mut client,
        "SELECT organization_health('00000000-0000-0000-0000-0000000000ff')",
        "02000",
        "organization",
    );
    assert_refused(&mut client, "SELECT organization_health(max_age => NULL)", "22004", "max_age");
}

#[test]
fn a_run_that_fails_spares_the_transaction_around_it() {
    let (_database, mut client, _, _) = one_assignment("2026-01-01");
    run(&mut client, "ALTER TABLE reminders ADD CHECK (reminder_type <> 'contact-reminder')");
    run(&mut client, "BEGIN; UPDATE assignments SET title = 'before the run'");
    assert_eq!(run_at(&mut client, AS_OF), [""; 0]);
    run(&mut client, "UPDATE assignments SET description = 'after the run'; COMMIT");
    assert_eq!(row(&mut client, "SELECT title, description FROM assignments"), "before the run|after the run");
    assert_eq!(row(&mut client, "SELECT status FROM evaluation_runs"), "failed");
}

#[test]
fn a_cancelled_run_is_cancelled() {
    let (_database, mut client, _, _) = one_assignment("2026-01-01");
    run(
        &mut client,
        "CREATE FUNCTION public.doze() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_catalog.pg_sleep(60); RETURN NEW; END $$;
         CREATE TRIGGER doze BEFORE INSERT ON reminders FOR EACH ROW EXECUTE FUNCTION public.doze();
         SET statement_timeout = '200ms'",
    );
    let refusal = crate::support::refused(&mut client, "SELECT * FROM run_daily_evaluation()");
    assert_eq!(refusal.sqlstate, "57014");
    run(&mut client, "SET statement_timeout = 0; DROP TRIGGER doze ON reminders");
    assert_eq!(
        row(&mut client, "SELECT (SELECT count(*) FROM reminders), (SELECT count(*) FROM evaluation_runs)"),
        "0|0"
    );
    assert_eq!(run_at(&mut client, AS_OF).len(), 1);
}

#[test]
fn health_tells_of_a_run_that_is_missing_or_slow() {
    let (_database, mut client, _, _) = one_assignment("2026-11-22");
    let health = |client: &mut Client, as_of: &str| {
        row(client, &format!("SELECT status, reasons FROM evaluation_health(as_of => {as_of})"))
    };
    assert_eq!(health(&mut client, "now()"), r#"warning|{"no run yet"}"#);
    assert_eq!(
        health(&mut client, "now() + interval '27 hours'"),
        r#"critical|{"the last run is missing","no run yet"}"#
    );
    run_at(&mut client, "2026-11-22 12:00+00");
    assert_eq!(health(&mut client, "now()"), "ok|{}");
    assert_eq!(health(&mut client, "now() + interval '25 hours'"), "ok|{}");
    assert_eq!(health(&mut client, "now() + interval '27 hours'"), r#"critical|{"the last run is missing"}"#);
    run(
        &mut client,
        "INSERT INTO evaluation_runs (as_of, started_at, status) VALUES (now(), now() + interval '27 hours', 'skipped')",
    );
    assert_eq!(
        health(&mut client, "now() + interval '27 hours'"),
        r#"critical|{"the last run is missing"}"#,
        "a skipped run is none"
    );
    run(
        &mut client,
        "UPDATE evaluation_runs SET started_at = finished_at - interval '31 minutes' WHERE status = 'succeeded'",
    );
    assert_eq!(health(&mut client, "now()"), r#"critical|{"the last run took over 30 minutes"}"#);
    assert_refused(&mut client, "SELECT * FROM evaluation_health(NULL)", "22004", "max_age");
    run(&mut client, "DELETE FROM reminder_settings");
    assert!(health(&mut client, "now()").contains("without reminder_settings, which are not evaluated: 1;"));
}

#[test]
fn health_sees_the_lock_of_a_run_that_hangs() {
    let (database, mut client, _, _) = one_assignment("2026-01-01");
    run(&mut client, "BEGIN");
    run_at(&mut client, AS_OF);
    let (mut stranger, _) = database.connect_as_new_role(
        "GRANT USAGE ON SCHEMA assignment_reminders TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA assignment_reminders TO {role}",
    );
    let seen = row(&mut stranger, "SELECT status, reasons FROM assignment_reminders.evaluation_health()");
    assert!(seen.contains("a run holds the lock"), "{seen}");
    let seen = row(&mut database.connect(), "SELECT status, reasons FROM evaluation_health()");
    assert_eq!(
        seen, r#"warning|{"no run yet"}"#,
        "a run of some milliseconds is no news to those who can see since when"
    );
    run(&mut client, "COMMIT");
}

#[test]
fn as_of_must_be_a_moment() {
    let (_database, mut client, _, _) = one_assignment("2026-01-01");
    assert_refused(&mut client, "SELECT * FROM run_daily_evaluation('infinity')", "22008", "infinity");
    assert_refused(&mut client, "SELECT * FROM run_daily_evaluation(NULL)", "22004", "as_of");
    assert_eq!(row(&mut client, "SELECT count(*) FROM evaluation_runs"), "0");
}

#[test]
fn the_lock_is_free_however_a_run_ends() {
    let (database, mut client, _, _) = one_assignment("2026-01-01");
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let mut client = database.connect();
                for _ in 0..20 {
                    run_at(&mut client, AS_OF);
                }
            });
        }
    });
    assert_eq!(
        row(
            &mut client,
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        ),
        "0"
    );
    assert_eq!(
        row(&mut client, "SELECT count(*), sum(reminders) FROM evaluation_runs"),
        "120|1",
        "one run enqueued it, once"
    );
    assert_eq!(row(&mut client, "SELECT count(*) FROM evaluation_runs WHERE status = 'failed'"), "0");
}

/// As a time zone that changed since makes it.
#[test]
fn a_reminder_from_before_its_silence_is_of_none_whoever_asks() {
    let (_database, mut client, people, assignment) = one_assignment("2026-11-22");
    run(&mut client, "UPDATE reminder_settings SET reminder_after_days = 1, escalate_after_days = 1");
    run(
        &mut client,
        &format!(
            "INSERT INTO reminders (assignment_id, recipient_id, reminder_type, anchor, scheduled_for, sent_at, status)
             VALUES ('{assignment}', '{}', 'contact-reminder', '2026-11-22 00:00+00', '2026-11-21 12:00+00', '2026-11-21 12:00+00', 'sent')",
            people.mentor_user
        ),
    );
    for asked in [
        "SELECT forgotten FROM assignment_outlooks('2026-11-22 12:00+00')".to_string(),
        "SELECT reason FROM forgotten_assignments(as_of => '2026-11-22 12:00+00')".to_string(),
        format!("SELECT forgotten FROM explain_assignment('{assignment}', '2026-11-22 12:00+00', now())"),
    ] {
        assert_eq!(rows(&mut client, &asked), ["never_due"], "{asked}");
    }
}

#[test]
fn the_prefilter_and_the_rules_agree_on_random_assignments() {
    let database = Database::installed();
    let mut client = database.connect();
    run(
        &mut client,
        "INSERT INTO organizations (id, name, timezone) VALUES ('00000000-0000-0000-0000-0000000000b0', 'Far', 'Pacific/Kiritimati')",
    );
    let here = People::new(&mut client);
    let there = People::in_organization(&mut client, "00000000-0000-0000-0000-0000000000b0");
    let client = std::cell::RefCell::new(client);

    // last contact and assigned on (days before as_of), status, the reminder's state and its anchor's offset.
    let assignment = (proptest::option::of(-2..45i32), 0..45i32, 0..6u8, 0..6u8, -1..=1i32, any::<bool>());
    let threshold = proptest::option::of(1..40i32);
    let case = (proptest::collection::vec(assignment, 1..12), threshold.clone(), threshold, 0..24u32);
    let mut runner = TestRunner::new(Config { cases: 150, failure_persistence: None, ..Config::default() });
    runner
        .run(&case, |(assignments, first, second, hour)| {
            let mut client = client.borrow_mut();
            let (remind, escalate) = match (first, second) {
                (Some(a), Some(b)) => (Some(a.min(b)), Some(a.max(b))),
                other => other,
            };
            let or_null = |value: Option<i32>| value.map_or("NULL".to_string(), |value| value.to_string());
            run(
                &mut client,
                &format!("TRUNCATE assignments CASCADE; UPDATE reminder_settings SET reminder_after_days = {}, escalate_after_days = {}", or_null(remind), or_null(escalate)),
            );
            for (contact, assigned, status, reminder, offset, is_there) in assignments {
                let people = if is_there { &there } else { &here };
                let status = ["open", "open", "open", "paused", "cancelled", "completed"][usize::from(status)];
                let date = |days: i32| format!("(date '2026-11-22' - {days})");
                let contact = contact.map_or("NULL".to_string(), date);
                let id = row(
                    &mut client,
                    &format!(
                        "INSERT INTO assignments (organization_id, title, student_id, peer_mentor_id, coordinator_id, status, assigned_on, last_contact_date)
                         SELECT organization_id, 'p', '{}', '{}', '{}', '{status}', {}, {contact} FROM users WHERE id = '{}' RETURNING id",
                        people.student, people.mentor, people.coordinator, date(assigned), people.student
                    ),
                );
                let (status, sent_at, reason) = match reminder {
                    0 => ("sent", "'2026-11-22 00:10+00'", "NULL"),
                    1 => ("failed", "NULL", "NULL"),
                    2 => ("skipped", "NULL", "'no_address'"),
                    3 => ("skipped", "NULL", "'contacted'"),
                    4 => ("pending", "NULL", "NULL"),
                    _ => continue,
                };
                run(
                    &mut client,
                    &format!(
                        "INSERT INTO reminders (organization_id, assignment_id, recipient_id, reminder_type, anchor, scheduled_for, sent_at, status, skip_reason)
                         SELECT organization_id, id, '{}', 'contact-reminder',
                                (greatest(assigned_on, last_contact_date) + {offset})::timestamp AT TIME ZONE 'UTC', '2026-11-22 00:05+00', {sent_at}, '{status}', {reason}
                           FROM assignments WHERE id = '{id}'",
                        people.mentor_user
                    ),
                );
            }
            // Every assignment asked one by one, without the prefilter: what it calls for, where that is not enqueued yet.
            let as_of = format!("timestamptz '2026-11-22 {hour:02}:30+00'");
            let one_by_one = format!(
                "SELECT a.id, e.action, e.days_since
                   FROM assignments a JOIN organizations o ON o.id = a.organization_id,
                        LATERAL evaluate_assignment(assignment_id => a.id, as_of => ({as_of} AT TIME ZONE o.timezone)::date) AS e
                  WHERE e.action <> 'none'
                    AND NOT EXISTS (SELECT FROM reminders r
                                     WHERE r.assignment_id = a.id AND e.action = 'remind' AND r.reminder_type = 'contact-reminder'
                                       AND r.anchor = greatest(a.assigned_on, a.last_contact_date)::timestamp AT TIME ZONE 'UTC'
                                       AND r.status <> 'skipped')
                  ORDER BY 1"
            );
            let at_once = format!("SELECT assignment_id, action, days_since FROM evaluate_assignments({as_of}) ORDER BY 1");
            let expected = rows(&mut client, &one_by_one);
            prop_assert_eq!(&rows(&mut client, &at_once), &expected);
            let explained = format!(
                "SELECT a.id, x.action, x.days_since FROM assignments a, LATERAL explain_assignment(a.id, {as_of}, now()) AS x
                  WHERE x.would_enqueue ORDER BY 1"
            );
            prop_assert_eq!(&rows(&mut client, &explained), &expected);
            let forgotten = rows(&mut client, &format!("SELECT assignment_id, reason FROM forgotten_assignments(as_of => {as_of}) ORDER BY 1"));
            let by_outlook = format!("SELECT assignment_id, forgotten FROM assignment_outlooks({as_of}) WHERE forgotten IS NOT NULL ORDER BY 1");
            prop_assert_eq!(&rows(&mut client, &by_outlook), &forgotten);
            let explained = format!(
                "SELECT a.id, x.forgotten FROM assignments a, LATERAL explain_assignment(a.id, {as_of}, now()) AS x WHERE x.forgotten IS NOT NULL ORDER BY 1"
            );
            prop_assert_eq!(&rows(&mut client, &explained), &forgotten);
            let enqueued = format!("SELECT assignment_id, action, days_since FROM run_daily_evaluation({as_of}) ORDER BY 1");
            prop_assert_eq!(&rows(&mut client, &enqueued), &expected);
            prop_assert_eq!(rows(&mut client, &at_once), Vec::<String>::new());
            Ok(())
        })
        .expect("the prefilter and the rules agree");
}

#[test]
fn a_run_reads_only_what_is_due() {
    let (_database, mut client, people, _) = one_assignment("2026-11-20");
    run(
        &mut client,
        &format!(
            "INSERT INTO assignments (title, student_id, peer_mentor_id, coordinator_id, assigned_on)
             SELECT 'many', '{}', '{}', '{}', CASE WHEN n <= 200 THEN date '2026-10-01' ELSE date '2026-11-20' END
               FROM generate_series(1, 20000) AS n",
            people.student, people.mentor, people.coordinator
        ),
    );
    // With statistics and without: a table that was just filled must not be read whole either.
    for prepare in ["SELECT", "ANALYZE"] {
        run(&mut client, prepare);
        let plan = rows(
            &mut client,
            &format!("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) SELECT * FROM evaluate_assignments('{AS_OF}')"),
        );
        let scans: Vec<&String> = plan.iter().filter(|line| line.contains("on assignments")).collect();
        assert_eq!(scans.len(), 1, "{plan:#?}");
        assert!(scans[0].contains("assignments_open_silence_idx") && scans[0].contains("rows=200"), "{plan:#?}");
    }
}
