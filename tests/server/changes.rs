//! What changes between enqueue, claim and send: what is no longer wanted is not sent, and nothing is sent twice.

use postgres::Client;
use postgres::fallible_iterator::FallibleIterator;
use uuid::Uuid;

use crate::support::{Database, People, assert_refused, enqueue_follow_ups, refused, row, rows, run};

const CLAIM: &str = "SELECT reminder_id, claim_id FROM claim_reminders(as_of => '2026-11-22 12:00+00')";
const STANDS: &str = "SELECT status, skip_reason, attempts FROM reminders";

/// One assignment, silent since 1 November and due at 13:00.
fn one() -> (Database, Client, People, Uuid) {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    let assignment = people.assignment(&mut client, "2026-11-01");
    run(&mut client, "UPDATE assignments SET due_at = '2026-11-22 13:00+00', created_at = '2026-01-01'");
    (database, client, people, assignment)
}

fn enqueue_due(client: &mut Client, as_of: &str) -> Vec<String> {
    rows(client, &format!("SELECT reminder_type FROM enqueue_due_reminders('{as_of}') ORDER BY 1"))
}

/// Claims the one reminder, and returns what asks for a longer lease.
fn extend(client: &mut Client, as_of: &str) -> String {
    let claimed = row(client, CLAIM);
    let (reminder, claim) = claimed.split_once('|').expect("two columns");
    format!("SELECT extend_reminder_lease('{reminder}', '{claim}', as_of => '{as_of}')")
}

#[test]
fn a_lease_is_extended_by_the_rule_that_claims_go_by() {
    let sent = "SELECT mark_reminder_sent(id, claim_id) FROM reminders";
    for (event, reason) in [
        ("UPDATE users SET contact_opt_out = true", "opted_out"),
        ("UPDATE users SET email = NULL", "no_address"),
        ("UPDATE assignments SET status = 'completed'", "completed"),
        ("UPDATE assignments SET follow_up = false", "not_followed_up"),
        (
            "INSERT INTO user_preferences (user_id, muted_types) SELECT user_id, '{contact-reminder}' FROM peer_mentors",
            "muted",
        ),
        ("SELECT pause_assignment(id, '2026-12-01', 'ill', as_of => '2026-11-22 12:00+00') FROM assignments", "paused"),
        ("UPDATE reminder_settings SET reminder_after_days = 98, escalate_after_days = 99", "not_due"),
    ] {
        let (_database, mut client, ..) = one();
        enqueue_follow_ups(&mut client, "2026-11-22 06:00+00");
        let extend = extend(&mut client, "2026-11-22 12:01+00");
        assert_eq!(row(&mut client, &extend), "t");
        run(&mut client, event);
        assert_eq!(row(&mut client, &extend), "f", "{event}");
        assert_eq!(row(&mut client, STANDS), format!("skipped|{reason}|0"), "{event}");
        // A worker that has sent it all the same may say so.
        assert_eq!(row(&mut client, sent), "t", "{event}");
    }
    let (_database, mut client, ..) = one();
    assert_eq!(enqueue_due(&mut client, "2026-11-22 11:30+00"), ["24h", "2h"]);
    run(&mut client, "DELETE FROM reminders WHERE reminder_type = '24h'");
    let extend = extend(&mut client, "2026-11-22 12:01+00");
    run(&mut client, "UPDATE assignments SET due_at = due_at + interval '1 hour'");
    assert_eq!(row(&mut client, &extend), "f");
    assert_eq!(row(&mut client, STANDS), "skipped|due_moved|0");
}

#[test]
fn what_is_for_somebody_else_now_goes_back_without_an_attempt() {
    for event in [
        "UPDATE users SET email = 'new@example.org' WHERE id = (SELECT user_id FROM peer_mentors)",
        "WITH other AS (INSERT INTO users (email, name) VALUES ('other@example.org', 'Other') RETURNING id),
              mentor AS (INSERT INTO peer_mentors (user_id) SELECT id FROM other RETURNING id)
         UPDATE assignments SET peer_mentor_id = mentor.id FROM mentor",
    ] {
        let (_database, mut client, ..) = one();
        enqueue_follow_ups(&mut client, "2026-11-22 06:00+00");
        let extend = extend(&mut client, "2026-11-22 12:01+00");
        run(&mut client, event);
        assert_eq!(row(&mut client, &extend), "f", "{event}");
        assert_eq!(row(&mut client, STANDS), "pending|-|0");
        let again = "SELECT recipient_email IN ('new@example.org', 'other@example.org'), attempts FROM claim_reminders(as_of => '2026-11-22 12:02+00')";
        assert_eq!(row(&mut client, again), "t|0", "{event}");
    }
}

/// Another mentor, another student, another address of the same, and another coordinator.
const READDRESSED: [(&str, &str); 4] = [
    (
        "contact-reminder",
        "WITH other AS (INSERT INTO users (email, name) VALUES ('other@example.org', 'Other') RETURNING id),
              mentor AS (INSERT INTO peer_mentors (user_id) SELECT id FROM other RETURNING id)
         UPDATE assignments SET peer_mentor_id = mentor.id FROM mentor",
    ),
    (
        "2h",
        "WITH other AS (INSERT INTO users (email, name) VALUES ('other@example.org', 'Other') RETURNING id)
         UPDATE assignments SET student_id = other.id FROM other",
    ),
    ("contact-reminder", "UPDATE users SET email = 'other@example.org' WHERE id = (SELECT user_id FROM peer_mentors)"),
    (
        "contact-escalation",
        "WITH other AS (INSERT INTO users (email, name, role) VALUES ('other@example.org', 'Other', 'coordinator') RETURNING id)
         UPDATE assignments SET coordinator_id = other.id FROM other",
    ),
];

/// The outbox with one reminder of this type, which is due.
fn only(reminder_type: &str) -> (Database, Client) {
    let (database, mut client, ..) = one();
    if reminder_type == "2h" {
        assert_eq!(enqueue_due(&mut client, "2026-11-22 11:30+00"), ["24h", "2h"]);
        run(&mut client, "DELETE FROM reminders WHERE reminder_type = '24h'");
    } else {
        enqueue_follow_ups(&mut client, "2026-11-22 06:00+00");
    }
    if reminder_type == "contact-escalation" {
        let goes_to = "UPDATE reminders SET reminder_type = 'contact-escalation', recipient_id = (SELECT coordinator_id FROM assignments)";
        run(&mut client, goes_to);
    }
    (database, client)
}

#[test]
fn whoever_gets_what_another_may_have_got_gets_a_message_with_a_key_of_its_own() {
    for (reminder_type, event) in READDRESSED {
        let (_database, mut client) = only(reminder_type);
        let claim = |client: &mut Client, minute: u32| {
            let claim = format!(
                "SELECT recipient_email, idempotency_key FROM claim_reminders(as_of => '2026-11-22 12:{minute:02}+00')"
            );
            let claimed = row(client, &claim);
            let (address, key) = claimed.split_once('|').expect("two columns");
            (address.to_string(), key.to_string())
        };
        let first = claim(&mut client, 0);
        assert_eq!(claim(&mut client, 10), first, "{event}: whoever is the same gets the same");
        run(&mut client, event);
        let second = claim(&mut client, 20);
        assert_eq!(second.0, "other@example.org", "{event}");
        assert_ne!(second.1, first.1, "{event}");
        assert_eq!(claim(&mut client, 30), second, "{event}");
        // What the first one's server still says of it is nothing of the second's.
        let sent = format!(
            "SELECT mark_reminder_sent(id, claim_id, '<{}@example.org>', as_of => '2026-11-22 12:31+00') FROM reminders",
            second.1
        );
        assert_eq!(row(&mut client, &sent), "t", "{event}");
        let bounced =
            format!("SELECT record_delivery_event('<{}@example.org>', 'bounced', '550 5.1.1 User unknown')", first.1);
        assert_eq!(refused(&mut client, &bounced).sqlstate, "02000", "{event}");
    }
}

/// What may come between an attempt that nobody answered for and the claim for somebody else.
#[test]
fn who_may_have_got_it_is_known_whatever_comes_between() {
    let nothing = "SELECT 1";
    for (between, then) in [
        ("SELECT return_reminders(ARRAY[id], claim_id) FROM reminders", nothing),
        // Given up by the next claim.
        (
            "UPDATE reminder_settings SET max_attempts = 1; SELECT count(*) FROM claim_reminders(as_of => '2026-11-22 12:20+00')",
            "SELECT retry_failed_reminders(as_of => '2026-11-22 12:25+00')",
        ),
        // Skipped by the next claim.
        (
            "UPDATE assignments SET status = 'paused'; SELECT count(*) FROM claim_reminders(as_of => '2026-11-22 12:20+00')",
            "UPDATE assignments SET status = 'open'; SELECT count(*) FROM enqueue_due_reminders('2026-11-22 12:25+00')",
        ),
    ] {
        for (reminder_type, event) in
            READDRESSED.iter().filter(|(_, event)| event.contains("UPDATE assignments SET student_id"))
        {
            let (_database, mut client) = only(reminder_type);
            let claim =
                |minute| format!("SELECT idempotency_key FROM claim_reminders(as_of => '2026-11-22 12:{minute}+00')");
            let first = row(&mut client, &claim("00"));
            assert_eq!(row(&mut client, &claim("10")), first, "{between}");
            run(&mut client, between);
            run(&mut client, event);
            run(&mut client, then);
            assert_ne!(row(&mut client, &claim("30")), first, "{between}");
        }
    }
}

#[test]
fn whoever_a_lease_was_not_extended_for_had_it_all_the_same() {
    let (_database, mut client) = only("contact-reminder");
    let claim = |minute| format!("SELECT idempotency_key FROM claim_reminders(as_of => '2026-11-22 12:{minute}+00')");
    let first = row(&mut client, &claim("00"));
    assert_eq!(row(&mut client, &claim("10")), first);
    run(&mut client, READDRESSED[0].1);
    let extend = "SELECT extend_reminder_lease(id, claim_id, as_of => '2026-11-22 12:11+00') FROM reminders";
    assert_eq!(row(&mut client, extend), "f");
    assert_ne!(row(&mut client, &claim("12")), first);
}

#[test]
fn people_without_an_address_are_told_apart_too() {
    let (_database, mut client) = only("2h");
    run(&mut client, "UPDATE reminder_settings SET address_required = false; UPDATE users SET email = NULL");
    let claim = |minute| format!("SELECT idempotency_key FROM claim_reminders(as_of => '2026-11-22 12:{minute}+00')");
    let first = row(&mut client, &claim("00"));
    run(&mut client, &READDRESSED[1].1.replace("'other@example.org'", "NULL"));
    let second = row(&mut client, &claim("10"));
    assert_ne!(second, first);
    assert_eq!(row(&mut client, &claim("20")), second);
}

#[test]
fn a_due_date_that_was_given_up_for_one_student_is_told_to_the_next_however_it_was() {
    for (fails, then) in [
        // Nobody answered.
        ("UPDATE reminder_settings SET max_attempts = 1", "SELECT 1"),
        (
            "UPDATE reminder_settings SET max_attempts = 1, address_required = false; UPDATE users SET email = NULL",
            "SELECT 1",
        ),
        // And the one was forgotten since.
        (
            "UPDATE reminder_settings SET max_attempts = 1",
            "SELECT count(*) FROM (SELECT forget_person(id) FROM users WHERE name = 'student') AS f",
        ),
    ] {
        let (_database, mut client) = only("2h");
        run(&mut client, fails);
        for minute in ["00", "10"] {
            run(&mut client, &format!("SELECT count(*) FROM claim_reminders(as_of => '2026-11-22 12:{minute}+00')"));
        }
        assert_eq!(row(&mut client, STANDS), "failed|-|1", "{fails}");
        run(&mut client, "UPDATE reminder_settings SET due_offsets = '{2 hours}'");
        assert!(enqueue_due(&mut client, "2026-11-22 12:11+00").is_empty(), "{fails}");
        run(&mut client, READDRESSED[1].1);
        run(&mut client, then);
        assert_eq!(enqueue_due(&mut client, "2026-11-22 12:12+00"), ["2h"], "{fails} {then}");
        assert!(enqueue_due(&mut client, "2026-11-22 12:13+00").is_empty(), "once");
    }
}

#[test]
fn a_due_date_of_which_one_student_could_not_be_told_is_told_to_the_next() {
    let (_database, mut client) = only("2h");
    let fail = "SELECT record_delivery_failure(reminder_id, claim_id, 'recipient', '550 5.1.1 User unknown', as_of => '2026-11-22 12:00+00')
                  FROM claim_reminders(as_of => '2026-11-22 12:00+00')";
    assert_eq!(row(&mut client, fail), "t");
    assert_eq!(row(&mut client, STANDS), "failed|-|1");
    run(&mut client, "UPDATE reminder_settings SET due_offsets = '{2 hours}'");
    assert!(enqueue_due(&mut client, "2026-11-22 12:05+00").is_empty(), "it goes to the same");
    run(&mut client, "UPDATE users SET email = upper(email)");
    run(&mut client, "SELECT restore_contact(id) FROM users");
    assert!(enqueue_due(&mut client, "2026-11-22 12:05+00").is_empty(), "at the same address");
    run(&mut client, READDRESSED[1].1);
    assert_eq!(enqueue_due(&mut client, "2026-11-22 12:10+00"), ["2h"]);
    let send =
        "SELECT recipient_email, attempts, mark_reminder_sent(reminder_id, claim_id, as_of => '2026-11-22 12:11+00')
                  FROM claim_reminders(as_of => '2026-11-22 12:11+00')";
    assert_eq!(row(&mut client, send), "other@example.org|0|t");
    run(&mut client, "UPDATE assignments SET student_id = (SELECT id FROM users WHERE name = 'student' LIMIT 1)");
    assert!(enqueue_due(&mut client, "2026-11-22 12:20+00").is_empty(), "what was sent of a due date is sent");
}

#[test]
fn a_due_date_that_moves_by_seconds_is_the_same_and_one_that_comes_back_is_another() {
    let (_database, mut client, ..) = one();
    assert_eq!(enqueue_due(&mut client, "2026-11-22 11:30+00"), ["24h", "2h"]);
    let send = |client: &mut Client, as_of: &str| {
        rows(
            client,
            &format!(
                "SELECT mark_reminder_sent(reminder_id, claim_id, as_of => '{as_of}'), idempotency_key FROM claim_reminders(as_of => '{as_of}')"
            ),
        )
    };
    let mut keys = send(&mut client, "2026-11-22 11:31+00");
    assert_eq!(keys.len(), 1);
    run(&mut client, "UPDATE assignments SET due_at = '2026-11-22 13:00:45+00'");
    assert!(enqueue_due(&mut client, "2026-11-22 11:32+00").is_empty());
    assert!(send(&mut client, "2026-11-22 11:33+00").is_empty());
    for due_at in ["2026-11-22 12:30+00", "2026-11-22 13:00+00"] {
        run(&mut client, &format!("UPDATE assignments SET due_at = '{due_at}'"));
        assert_eq!(enqueue_due(&mut client, "2026-11-22 11:34+00"), ["24h", "2h"], "{due_at}");
        let messages = send(&mut client, "2026-11-22 11:35+00");
        assert_eq!(messages.len(), 1, "{due_at}");
        keys.extend(messages);
    }
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 3, "{keys:?}: each has a key of its own");
}

#[test]
fn one_episode_is_recorded_as_sent_once_whoever_arms_it_again() {
    let (_database, mut client, ..) = one();
    enqueue_follow_ups(&mut client, "2026-11-22 06:00+00");
    let send = "SELECT mark_reminder_sent(reminder_id, claim_id), idempotency_key FROM claim_reminders(as_of => '2026-11-22 12:00+00')";
    let first = row(&mut client, send);
    // Somebody sends it once more, by hand.
    run(&mut client, "UPDATE reminders SET status = 'pending', sent_at = NULL");
    let second = row(&mut client, send);
    assert!(first.starts_with("t|") && second.starts_with("t|") && first != second, "{first} {second}");
    assert_eq!(rows(&mut client, "SELECT episode FROM send_logs ORDER BY 1"), ["0", "1"]);
    let twice = "INSERT INTO send_logs (reminder_id, reminder_type, status, episode) SELECT id, reminder_type, 'queued', 1 FROM reminders";
    assert_eq!(refused(&mut client, twice).sqlstate, "23505");
}

#[test]
fn a_worker_that_had_a_reminder_before_it_was_made_pending_by_hand_answers_for_nothing() {
    let (_database, mut client, ..) = one();
    enqueue_follow_ups(&mut client, "2026-11-22 06:00+00");
    let claimed = row(&mut client, CLAIM);
    let (reminder, claim) = claimed.split_once('|').expect("two columns");
    // As workers of 0.1.0 may: straight, and the claim stays.
    run(&mut client, "UPDATE reminders SET status = 'sent', sent_at = now()");
    run(&mut client, "UPDATE reminders SET status = 'pending', sent_at = NULL");
    assert_eq!(row(&mut client, &format!("SELECT mark_reminder_sent('{reminder}', '{claim}')")), "f");
    assert_eq!(row(&mut client, "SELECT status, episode, claim_id FROM reminders"), "pending|1|-");
    assert_eq!(rows(&mut client, CLAIM).len(), 1, "it is sent once more");
}

#[test]
fn what_waits_for_an_offset_that_is_gone_is_withdrawn_and_one_length_is_one_reminder() {
    let (_database, mut client, ..) = one();
    assert_eq!(enqueue_due(&mut client, "2026-11-22 10:00+00"), ["24h", "2h"]);
    let stands = "SELECT reminder_type, status, skip_reason FROM reminders ORDER BY 1";
    run(&mut client, "UPDATE reminder_settings SET due_offsets = '{1 day}'");
    assert!(enqueue_due(&mut client, "2026-11-22 10:01+00").is_empty(), "1 day is 24 hours");
    assert_eq!(rows(&mut client, stands), ["24h|pending|-", "2h|skipped|not_due"]);
    run(&mut client, "UPDATE reminder_settings SET due_offsets = '{2 hours}'");
    assert_eq!(row(&mut client, "SELECT count(*) FROM claim_reminders(as_of => '2026-11-22 10:03+00')"), "0");
    assert_eq!(enqueue_due(&mut client, "2026-11-22 11:02+00"), ["2h"], "it comes back with its offset");
    assert_eq!(rows(&mut client, stands), ["24h|skipped|not_due", "2h|pending|-"]);
    // What a programme calls otherwise is its own, and so is what it inserts.
    run(
        &mut client,
        "INSERT INTO reminders (assignment_id, reminder_type, anchor, scheduled_for) SELECT id, 'last-call', due_at, '2026-11-22 11:30+00' FROM assignments",
    );
    run(
        &mut client,
        "INSERT INTO reminders (assignment_id, reminder_type, scheduled_for) SELECT id, '3h', '2026-11-22' FROM assignments",
    );
    assert_eq!(
        rows(
            &mut client,
            "SELECT reminder_type FROM claim_reminders(as_of => '2026-11-22 12:00+00') WHERE reminder_type <> '2h' ORDER BY 1"
        ),
        ["3h", "last-call"]
    );
}

#[test]
fn what_was_sent_is_not_sent_again_when_its_offset_is_given_in_other_units() {
    let (_database, mut client, ..) = one();
    run(&mut client, "UPDATE reminder_settings SET due_offsets = '{1 day}'");
    assert_eq!(enqueue_due(&mut client, "2026-11-22 10:00+00"), ["1d"]);
    run(&mut client, "UPDATE reminders SET status = 'sent', sent_at = now()");
    run(&mut client, "UPDATE reminder_settings SET due_offsets = '{24 hours}'");
    assert!(enqueue_due(&mut client, "2026-11-22 10:01+00").is_empty());
    run(&mut client, "UPDATE assignments SET due_at = '2026-11-22 14:00+00'");
    assert_eq!(enqueue_due(&mut client, "2026-11-22 10:02+00"), ["1d"], "the row that is there is armed again");
}

#[test]
fn follow_ups_that_the_settings_no_longer_call_for_are_not_sent_and_come_back_with_them() {
    for (setting, before) in [
        ("reminder_after_days = 30, escalate_after_days = 40", "reminder_after_days = 14"),
        ("reminder_after_days = NULL", "reminder_after_days = 14"),
        ("follow_up_from = '2026-11-20'", "follow_up_from = NULL"),
    ] {
        let (_database, mut client, ..) = one();
        let evaluate = "SELECT count(*) FROM run_daily_evaluation('2026-11-22 06:00+00')";
        assert_eq!(row(&mut client, evaluate), "1");
        run(&mut client, &format!("UPDATE reminder_settings SET {setting}"));
        assert!(rows(&mut client, CLAIM).is_empty(), "{setting}");
        assert_eq!(row(&mut client, STANDS), "skipped|not_due|0", "{setting}");
        run(&mut client, &format!("UPDATE reminder_settings SET {before}"));
        assert_eq!(row(&mut client, evaluate), "1", "{setting}");
        assert_eq!(rows(&mut client, CLAIM).len(), 1, "{setting}");
    }
    // Days off that are entered, or moved, after it was enqueued.
    for (days_off, then) in [
        ("('2026-11-02', '2026-11-15')", None),
        ("('2025-11-02', '2025-11-15')", Some("UPDATE days_off SET first_day = '2026-11-02', last_day = '2026-11-15'")),
    ] {
        let (_database, mut client, ..) = one();
        let enter = format!("INSERT INTO days_off (first_day, last_day) VALUES {days_off}");
        let evaluate = "SELECT count(*) FROM run_daily_evaluation('2026-11-22 06:00+00')";
        if then.is_some() {
            run(&mut client, &enter);
        }
        assert_eq!(row(&mut client, evaluate), "1");
        run(&mut client, then.unwrap_or(&enter));
        assert!(rows(&mut client, CLAIM).is_empty(), "{days_off}");
        assert_eq!(row(&mut client, STANDS), "skipped|not_due|0", "{days_off}");
    }
    // An escalation whose threshold was raised.
    let (_database, mut client, ..) = one();
    run(&mut client, "UPDATE reminder_settings SET escalate_after_days = 20, escalation_grace_days = 0");
    assert_eq!(row(&mut client, "SELECT count(*) FROM run_daily_evaluation('2026-11-20 06:00+00')"), "1");
    run(&mut client, "UPDATE reminders SET status = 'sent', sent_at = '2026-11-20 07:00+00'");
    assert_eq!(row(&mut client, "SELECT action FROM run_daily_evaluation('2026-11-22 06:00+00')"), "escalate");
    run(&mut client, "UPDATE reminder_settings SET escalate_after_days = 28");
    assert!(rows(&mut client, CLAIM).is_empty());
    assert_eq!(
        row(&mut client, "SELECT skip_reason FROM reminders WHERE status = 'skipped'"),
        "not_due",
        "the mentor's reminder is called for, the escalation is not"
    );
    let peek = "SELECT is_called_for('contact-reminder', gen_random_uuid(), now())";
    assert_refused(&mut client, peek, "42501", "claims and runs alone");
}

#[test]
fn who_has_no_time_zone_has_the_organizations() {
    let (_database, mut client, people, _) = one();
    run(&mut client, "UPDATE organizations SET timezone = 'Pacific/Auckland'");
    run(&mut client, "UPDATE reminder_settings SET due_offsets = '{2 hours}'");
    enqueue_due(&mut client, "2026-11-22 11:30+00");
    assert_eq!(
        row(
            &mut client,
            "SELECT recipient_timezone, due_at_local FROM claim_reminders(as_of => '2026-11-22 11:31+00')"
        ),
        "Pacific/Auckland|2026-11-23 02:00:00"
    );
    assert_eq!(
        row(&mut client, "SELECT timezone FROM due_assignments('hours', '{1}', as_of => '2026-11-22 12:00+00')"),
        "Pacific/Auckland"
    );
    run(
        &mut client,
        &format!(
            "INSERT INTO user_preferences (user_id, daily_summary, summary_hour, updated_at) VALUES ('{}', true, 8, '2026-01-01')",
            people.student
        ),
    );
    let summaries = |client: &mut Client, as_of: &str| {
        row(client, &format!("SELECT count(*) FROM enqueue_daily_summaries('{as_of}')"))
    };
    assert_eq!(summaries(&mut client, "2026-11-21 18:59+00"), "0", "7:59 there");
    assert_eq!(summaries(&mut client, "2026-11-21 19:00+00"), "1");
    let summary = format!(
        "SELECT current -> 0 ->> 'due_at_local' FROM daily_summary('{}', '2026-11-22 11:00+00')",
        people.student
    );
    assert_eq!(row(&mut client, &summary), "2026-11-23T02:00:00");
}

#[test]
fn a_reminder_inserted_by_hand_wakes_workers_as_one_that_is_enqueued_does() {
    let (_database, mut client, ..) = one();
    run(&mut client, "LISTEN assignment_reminders");
    let mut heard = |sql: &str| -> Vec<String> {
        run(&mut client, sql);
        run(&mut client, "SELECT");
        client.notifications().iter().map(|n| Ok(n.payload().to_string())).collect().expect("notifications")
    };
    assert_eq!(
        heard("INSERT INTO reminders (assignment_id, reminder_type) SELECT id, 'last-call' FROM assignments"),
        ["enqueued"]
    );
    assert_eq!(heard("SELECT enqueue_due_reminders('2026-11-01')"), [""; 0], "nothing was enqueued");
    assert_eq!(heard("SELECT enqueue_due_reminders('2026-11-22 12:00+00')"), ["enqueued"]);
}

#[test]
fn a_summary_tells_what_was_completed_since_the_last_one_and_only_what_has_a_due_date() {
    let (_database, mut client, people, _) = one();
    let student = people.student;
    run(
        &mut client,
        &format!(
            "INSERT INTO user_preferences (user_id, daily_summary, summary_hour, updated_at) VALUES ('{student}', true, 8, '2026-01-01');
             INSERT INTO assignments (title, student_id, due_at) VALUES ('early', '{student}', '2026-12-24'), ('late', '{student}', '2026-12-24');
             INSERT INTO assignments (title, student_id) VALUES ('without', '{student}')"
        ),
    );
    let completed = |client: &mut Client, as_of: &str| {
        row(
            client,
            &format!(
                "SELECT (SELECT string_agg(item ->> 'title', ',') FROM jsonb_array_elements(completed) AS item) FROM daily_summary('{student}', '{as_of}')"
            ),
        )
    };
    let current = format!(
        "SELECT string_agg(item ->> 'title', ',' ORDER BY item ->> 'title') FROM daily_summary('{student}', '2026-11-10'), jsonb_array_elements(current) AS item"
    );
    assert_eq!(row(&mut client, &current), "Essay,early,late");
    let send = |client: &mut Client, as_of: &str| {
        assert_eq!(row(client, &format!("SELECT count(*) FROM enqueue_daily_summaries('{as_of}')")), "1", "{as_of}");
        let claim = format!(
            "SELECT mark_reminder_sent(reminder_id, claim_id, as_of => '{as_of}') FROM claim_reminders(as_of => '{as_of}')"
        );
        assert_eq!(row(client, &claim), "t", "{as_of}");
    };
    send(&mut client, "2026-11-10 08:00+00");
    run(
        &mut client,
        "UPDATE assignments SET status = 'completed', completed_at = '2026-11-10 09:00+00' WHERE title = 'early'",
    );
    run(
        &mut client,
        "UPDATE assignments SET status = 'completed', completed_at = '2026-11-12 09:00+00' WHERE title = 'late'",
    );
    // The job was down for two days, and for the last one has only what was completed.
    run(&mut client, "UPDATE assignments SET status = 'cancelled' WHERE title = 'Essay'");
    assert_eq!(completed(&mut client, "2026-11-13 07:59+00"), "early,late");
    send(&mut client, "2026-11-13 08:05+00");
    assert_eq!(completed(&mut client, "2026-11-13 08:06+00"), "early,late", "the one that is being sent, or was");
    assert_eq!(completed(&mut client, "2026-11-14 08:00+00"), "-", "told once");
    assert_eq!(row(&mut client, "SELECT count(*) FROM enqueue_daily_summaries('2026-11-14 08:00+00')"), "0");
    assert_eq!(completed(&mut client, "2027-01-20 08:00+00"), "-");
}
