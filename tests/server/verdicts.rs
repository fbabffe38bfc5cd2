//! What a provider reports, against whom it counts, and to which address a message went.

use postgres::Client;

use crate::support::{self, Database, People, assert_refused, pid, refused, row, rows, run, wait_until_blocked};

const NOW: &str = "2026-11-22 12:00+00";
const OTHER: &str = "00000000-0000-0000-0000-000000000002";

/// A mentor with so many silent assignments, each on its own, whose reminders wait.
fn waiting(number: i32) -> (Database, Client, People) {
    support::waiting(number, "2026-11-08", NOW)
}

/// Claims all that waits, and marks each as sent, as messages m1, m2 and so on.
fn send_all(client: &mut Client) {
    run(
        client,
        &format!(
            "SELECT mark_reminder_sent(reminder_id, claim_id, 'm' || row_number() OVER (), as_of => '{NOW}') FROM claim_reminders(as_of => '{NOW}')"
        ),
    );
}

fn report(client: &mut Client, message: i32, status: &str, error: &str) -> String {
    row(client, &format!("SELECT record_delivery_event('m{message}', '{status}', '{error}')"))
}

/// Whether the mentor is opted out, why, and how many soft bounces count.
fn mentor(client: &mut Client) -> String {
    row(client, "SELECT contact_opt_out, contact_opt_out_reason, soft_bounces FROM users WHERE name = 'mentor'")
}

#[test]
fn a_verdict_on_the_sender_or_the_message_counts_against_nobody_and_health_tells_of_it() {
    let (_database, mut client, _) = waiting(6);
    send_all(&mut client);
    run(&mut client, &format!("INSERT INTO organizations (id, name) VALUES ('{OTHER}', 'other')"));
    for (message, error) in [
        (1, "550 5.7.26 This mail has been blocked because the sender is unauthenticated"),
        (2, "554 5.7.1 Message rejected as spam"),
        (3, "550 5.7.1 Relay access denied"),
        (4, "550 SPF check failed"),
        (5, "550"),
        (6, "553 5.1.8 Sender address rejected: Domain not found"),
    ] {
        assert_eq!(report(&mut client, message, "bounced", error), "t");
        assert_eq!(mentor(&mut client).split('|').next(), Some("f"), "{error}");
    }
    assert_eq!(mentor(&mut client), "f|-|1", "a bare 550 is one soft bounce");
    assert_eq!(
        rows(&mut client, "SELECT verdict, count(*) FROM send_logs WHERE status = 'bounced' GROUP BY 1 ORDER BY 1"),
        ["sender|5", "soft|1"]
    );
    let verdict = row(&mut client, "SELECT status, reasons[1] FROM evaluation_health()");
    assert!(
        verdict.starts_with("warning|messages of the last 24 hours that were refused for the sender's sake")
            && verdict.contains(": 5;"),
        "{verdict}"
    );
    assert!(row(&mut client, "SELECT reasons FROM organization_health()").contains("sender's sake"));
    assert_eq!(row(&mut client, &format!("SELECT status FROM organization_health('{OTHER}')")), "ok");
}

#[test]
fn one_message_counts_once_however_often_it_is_delayed_and_a_harder_verdict_gets_through() {
    let (_database, mut client, _) = waiting(1);
    send_all(&mut client);
    assert_eq!(report(&mut client, 1, "bounced", "452 4.2.2 mailbox full"), "t");
    assert_eq!(report(&mut client, 1, "bounced", "452 4.2.2 mailbox full"), "f", "the same without an id");
    for event in ["e1", "e2", "e3"] {
        let delayed = format!("SELECT record_delivery_event('m1', 'bounced', '451 4.4.1 delayed', '{event}')");
        assert_eq!(row(&mut client, &delayed), "t");
    }
    assert_eq!(mentor(&mut client), "f|-|1");
    assert_eq!(report(&mut client, 1, "bounced", "550 5.1.1 User unknown"), "t");
    assert_eq!(mentor(&mut client), "t|hard bounce: 550 5.1.1 User unknown|1");
}

#[test]
fn two_reports_of_one_message_at_once_are_counted_one_after_the_other() {
    let (database, mut client, _) = waiting(1);
    send_all(&mut client);
    let mut other = database.connect();
    let blocked = pid(&mut other);
    run(&mut client, "BEGIN; SELECT record_delivery_event('m1', 'bounced', '452 4.2.2 mailbox full', 'e1')");
    let second = std::thread::spawn(move || {
        run(&mut other, "SELECT record_delivery_event('m1', 'bounced', '452 4.2.2 mailbox full', 'e2')");
    });
    wait_until_blocked(&mut database.connect(), blocked);
    run(&mut client, "COMMIT");
    second.join().expect("the second report");
    assert_eq!(mentor(&mut client), "f|-|1");
}

#[test]
fn what_changes_nothing_of_its_person_waits_for_nobody() {
    let (database, mut client, _) = waiting(2);
    send_all(&mut client);
    assert_eq!(report(&mut client, 1, "bounced", "452 4.2.2 mailbox full"), "t");
    let mut other = database.connect();
    run(&mut other, "BEGIN; SELECT FROM users WHERE name = 'mentor' FOR UPDATE");
    run(&mut client, "SET lock_timeout = '100ms'");
    for (status, error, expected) in [
        ("bounced", "550 5.7.1 blocked as spam", "t"),
        ("bounced", "452 4.2.2 mailbox full", "f"),
        ("rejected", "451 4.2.1 greylisted", "t"),
    ] {
        assert_eq!(report(&mut client, 1, status, error), expected, "{status} {error}");
    }
    run(&mut other, "UPDATE users SET soft_bounced_at = '{}', soft_bounces = 0 WHERE name = 'mentor'; COMMIT");
    run(&mut other, "BEGIN; SELECT FROM users WHERE name = 'mentor' FOR UPDATE");
    assert_eq!(report(&mut client, 1, "delivered", ""), "t");
    assert_eq!(report(&mut client, 1, "delivered", ""), "f");
    assert_eq!(report(&mut client, 2, "delivered", ""), "t");
    run(&mut other, "ROLLBACK");
    // Nor does it change anything.
    assert_eq!(mentor(&mut client), "f|-|0");
    assert_eq!(report(&mut client, 2, "bounced", "452 4.2.2 mailbox full"), "t");
    assert_eq!(mentor(&mut client), "f|-|1");
    run(&mut client, "SELECT record_delivery_event('m1', 'delivered', event_id => 'later')");
    assert_eq!(mentor(&mut client), "f|-|0");
}

#[test]
fn what_waits_for_somebody_waits_briefly_and_is_to_be_reported_again() {
    let (database, mut client, _) = waiting(1);
    send_all(&mut client);
    assert_eq!(report(&mut client, 1, "bounced", "452 4.2.2 mailbox full"), "t");
    let mut other = database.connect();
    run(&mut client, "SET statement_timeout = '20s'");
    for (held, event) in [
        ("SELECT FROM users WHERE name = 'mentor' FOR UPDATE", "'bounced', '550 5.1.1 User unknown'"),
        ("SELECT FROM users WHERE name = 'mentor' FOR UPDATE", "'complained'"),
        ("SELECT FROM users WHERE name = 'mentor' FOR UPDATE", "'delivered'"),
        // As whoever forgets a person does.
        ("SELECT FROM send_logs WHERE message_id = 'm1' FOR UPDATE", "'bounced', '550 5.7.1 spam'"),
        ("LOCK TABLE send_logs", "'delivered'"),
    ] {
        run(&mut other, &format!("BEGIN; {held}"));
        let refusal = refused(&mut client, &format!("SELECT record_delivery_event('m1', {event})"));
        assert_eq!(refusal.sqlstate, "55P03", "{held}: {refusal:?}");
        assert!(refusal.message.contains("message m1") && refusal.detail.contains("lock timeout"), "{refusal:?}");
        assert!(refusal.hint.contains("Report it again"), "{refusal:?}");
        run(&mut other, "ROLLBACK");
    }
    assert_eq!(rows(&mut client, "SELECT status FROM send_logs WHERE status <> 'queued'"), ["bounced"]);
    assert_eq!(report(&mut client, 1, "bounced", "550 5.1.1 User unknown"), "t");
    assert_eq!(mentor(&mut client), "t|hard bounce: 550 5.1.1 User unknown|1");
    assert_eq!(row(&mut client, "SHOW lock_timeout"), "0");
    // What is known waits for nobody.
    run(&mut other, "BEGIN; SELECT FROM users WHERE name = 'mentor' FOR UPDATE");
    assert_eq!(report(&mut client, 1, "bounced", "550 5.1.1 User unknown"), "f");
}

#[test]
fn what_is_said_at_the_hand_over_and_changes_nothing_waits_for_nobody() {
    let (database, ..) = waiting(2);
    let (mut worker, notices) = database.connect_with_notices();
    let claimed = rows(&mut worker, &format!("SELECT reminder_id, claim_id FROM claim_reminders(as_of => '{NOW}')"));
    let mut other = database.connect();
    run(&mut other, "BEGIN; SELECT FROM users WHERE name = 'mentor' FOR UPDATE");
    run(&mut worker, "SET lock_timeout = '100ms'; SET client_min_messages = warning");
    for (answer, error, warnings) in
        [(&claimed[0], "550 5.7.1 blocked as spam", 0), (&claimed[1], "550 5.1.1 User unknown", 1)]
    {
        let (reminder, claim) = answer.split_once('|').expect("two columns");
        let failure = format!(
            "SELECT record_delivery_failure('{reminder}', '{claim}', 'recipient', '{error}', true, as_of => '{NOW}')"
        );
        assert_eq!(row(&mut worker, &failure), "t");
        let warned = notices.lock().expect("the notices").clone();
        assert_eq!(warned.len(), warnings, "{error}: {warned:?}");
    }
}

#[test]
fn a_message_that_failed_and_is_retried_by_hand_counts_once() {
    let (_database, mut client, _) = waiting(1);
    run(
        &mut client,
        &format!(
            "SELECT record_delivery_failure(reminder_id, claim_id, 'recipient', '452 4.2.2 mailbox full', true, as_of => '{NOW}') FROM claim_reminders(as_of => '{NOW}')"
        ),
    );
    assert_eq!(mentor(&mut client), "f|-|1");
    run(&mut client, &format!("SELECT retry_failed_reminders('-infinity', as_of => '{NOW}')"));
    send_all(&mut client);
    assert_eq!(report(&mut client, 1, "bounced", "452 4.2.2 mailbox full"), "t");
    assert_eq!(mentor(&mut client), "f|-|1");
    assert_eq!(report(&mut client, 1, "rejected", "550 5.1.1 User unknown"), "t");
    assert_eq!(mentor(&mut client).split('|').next(), Some("t"));
}

#[test]
fn soft_bounces_count_for_ninety_days() {
    let (_database, mut client, _) = waiting(3);
    send_all(&mut client);
    for message in [1, 2] {
        report(&mut client, message, "bounced", "452 4.2.2 mailbox full");
    }
    run(
        &mut client,
        "UPDATE users SET soft_bounced_at = ARRAY[now() - interval '91 days', now() - interval '89 days'] WHERE name = 'mentor'",
    );
    report(&mut client, 3, "bounced", "452 4.2.2 mailbox full");
    assert_eq!(mentor(&mut client), "f|-|2");
}

#[test]
fn whoever_complains_or_unsubscribes_is_opted_out_with_the_reason() {
    for (status, error, reason) in
        [("complained", "", "complained"), ("unsubscribed", "one click", "unsubscribed: one click")]
    {
        let (_database, mut client, _) = waiting(1);
        send_all(&mut client);
        let error = if error.is_empty() { "NULL".to_string() } else { format!("'{error}'") };
        assert_eq!(row(&mut client, &format!("SELECT record_delivery_event('m1', '{status}', {error})")), "t");
        assert_eq!(mentor(&mut client), format!("t|{reason}|0"));
        assert_eq!(
            row(
                &mut client,
                "SELECT count(*) FROM send_logs WHERE status IN ('complained', 'unsubscribed') AND verdict IS NULL"
            ),
            "1"
        );
    }
    let (_database, mut client, _) = waiting(1);
    assert_refused(
        &mut client,
        "SELECT record_delivery_event('m1', 'opened')",
        "22023",
        "opened is not a delivery status",
    );
}

#[test]
fn an_answer_is_logged_with_the_address_that_the_claim_handed_out() {
    let (_database, mut client, people) = waiting(2);
    let old = row(&mut client, &format!("SELECT email FROM users WHERE id = '{}'", people.mentor_user));
    run(&mut client, &format!("CREATE TABLE claimed AS SELECT * FROM claim_reminders(as_of => '{NOW}')"));
    run(&mut client, &format!("UPDATE users SET email = 'new@example.org' WHERE id = '{}'", people.mentor_user));
    run(
        &mut client,
        &format!(
            "SELECT mark_reminder_sent(reminder_id, claim_id, 'm1', as_of => '{NOW}') FROM (SELECT * FROM claimed ORDER BY reminder_id LIMIT 1) AS c;
             SELECT mark_reminder_failed(reminder_id, claim_id, '452 try later', as_of => '{NOW}') FROM (SELECT * FROM claimed ORDER BY reminder_id OFFSET 1) AS c"
        ),
    );
    assert_eq!(
        rows(&mut client, "SELECT status, to_email FROM send_logs ORDER BY 1"),
        [format!("failed|{old}"), format!("queued|{old}")]
    );
    // What comes back from the old address says nothing of the new one.
    report(&mut client, 1, "bounced", "550 5.1.1 User unknown");
    assert_eq!(mentor(&mut client), "f|-|0");
}

#[test]
fn what_nobody_answered_for_is_logged_with_the_address_it_was_claimed_for() {
    let (_database, mut client, people) = waiting(1);
    let old = row(&mut client, &format!("SELECT email FROM users WHERE id = '{}'", people.mentor_user));
    run(&mut client, &format!("SELECT claim_reminders(as_of => '{NOW}')"));
    run(&mut client, &format!("UPDATE users SET email = 'new@example.org' WHERE id = '{}'", people.mentor_user));
    assert_eq!(
        row(
            &mut client,
            &format!("SELECT recipient_email FROM claim_reminders(as_of => timestamptz '{NOW}' + interval '1 hour')")
        ),
        "new@example.org"
    );
    assert_eq!(row(&mut client, "SELECT status, to_email FROM send_logs"), format!("failed|{old}"));
    assert_eq!(row(&mut client, "SELECT claimed_email FROM reminders"), "new@example.org");
}

#[test]
fn what_was_withdrawn_and_not_sent_has_lost_no_attempt() {
    let (_database, mut client, _) = waiting(1);
    run(&mut client, "UPDATE reminder_settings SET max_attempts = 1");
    run(&mut client, &format!("CREATE TABLE claimed AS SELECT * FROM claim_reminders(as_of => '{NOW}')"));
    run(
        &mut client,
        "INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-11-22 12:00+00' FROM assignments",
    );
    let extend = format!("SELECT extend_reminder_lease(reminder_id, claim_id, as_of => '{NOW}') FROM claimed");
    assert_eq!(row(&mut client, &extend), "f", "do not send it");
    run(&mut client, "DELETE FROM activities");
    run(&mut client, "SELECT run_daily_evaluation('2026-11-22 13:00+00')");
    let again = "SELECT reminder_type, attempts FROM claim_reminders(as_of => '2026-11-22 14:00+00')";
    assert_eq!(row(&mut client, again), "contact-reminder|0");
    assert_eq!(row(&mut client, "SELECT count(*) FROM send_logs"), "0");
}

#[test]
fn an_answer_that_comes_after_the_worker_was_told_not_to_send_is_recorded_nevertheless() {
    let (_database, mut client, _) = waiting(1);
    run(&mut client, &format!("CREATE TABLE claimed AS SELECT * FROM claim_reminders(as_of => '{NOW}')"));
    run(
        &mut client,
        "INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-11-22 12:00+00' FROM assignments",
    );
    run(&mut client, &format!("SELECT extend_reminder_lease(reminder_id, claim_id, as_of => '{NOW}') FROM claimed"));
    assert_eq!(
        row(
            &mut client,
            &format!("SELECT mark_reminder_sent(reminder_id, claim_id, 'm1', as_of => '{NOW}') FROM claimed")
        ),
        "t"
    );
    assert_eq!(row(&mut client, "SELECT status FROM reminders"), "sent");
}

#[test]
fn an_organization_without_settings_counts_attempts_and_gives_up_as_others_do() {
    let (_database, mut client, _) = waiting(1);
    run(&mut client, "DELETE FROM reminder_settings");
    let fail = |client: &mut Client, at: &str| {
        row(
            client,
            &format!(
                "SELECT mark_reminder_failed(reminder_id, claim_id, 'refused', as_of => '{at}') FROM claim_reminders(as_of => '{at}')"
            ),
        )
    };
    for at in ["2026-11-22 12:00+00", "2026-11-22 13:00+00", "2026-11-22 14:00+00", "2026-11-23 00:00+00"] {
        assert_eq!(fail(&mut client, at), "t", "{at}");
    }
    assert_eq!(row(&mut client, "SELECT status, attempts FROM reminders"), "pending|4");
    assert_eq!(fail(&mut client, "2026-11-25 00:00+00"), "t");
    assert_eq!(row(&mut client, "SELECT status, attempts FROM reminders"), "failed|5");
    assert_eq!(row(&mut client, "SELECT count(*), count(*) FILTER (WHERE given_up) FROM send_logs"), "5|1");
    // And what nobody answers for.
    run(&mut client, "UPDATE reminders SET status = 'pending', attempts = 0, retry_at = NULL");
    for hour in 0..6 {
        run(
            &mut client,
            &format!("SELECT claim_reminders(as_of => timestamptz '2026-11-23 00:00+00' + interval '{hour} hours')"),
        );
    }
    assert_eq!(row(&mut client, "SELECT status, attempts FROM reminders"), "failed|5");
}

#[test]
fn a_claim_is_not_made_for_years_ahead_and_a_clock_that_is_ahead_uses_no_limit_up() {
    let (_database, mut client, _) = waiting(3);
    assert_refused(
        &mut client,
        "SELECT claim_reminders(as_of => now() + interval '32 days')",
        "22023",
        "31 days ahead",
    );
    run(&mut client, "UPDATE reminder_settings SET messages_per_minute = 1");
    let claim = |client: &mut Client, at: &str| {
        row(client, &format!("SELECT count(*) FROM claim_reminders(as_of => timestamptz '{NOW}' + interval '{at}')"))
    };
    assert_eq!(claim(&mut client, "1 hour"), "1");
    assert_eq!(claim(&mut client, "0"), "1");
    assert_eq!(claim(&mut client, "30 seconds"), "0");
    assert_eq!(claim(&mut client, "60 seconds"), "1");
}

#[test]
fn health_counts_messages_that_were_refused_not_their_reminders_nor_their_attempts() {
    let (database, mut client, _) = waiting(6);
    let refused = "SELECT substring(reasons::text FROM 'refused for the sender''s sake[^:]*: ([0-9]+)') FROM evaluation_health(as_of => now())";
    let mut worker = database.connect_as_worker();
    for _ in 0..2 {
        run(
            &mut worker,
            "SELECT assignment_reminders.record_digest_failure(reminder_ids, claim_id, 'sender', '535 5.7.8 no') FROM assignment_reminders.claim_digests()",
        );
        run(&mut client, "UPDATE claim_rates SET paused_until = now()");
        assert_eq!(row(&mut client, refused), "1", "a digest of six is one message, however often it is tried");
    }
    run(
        &mut client,
        "INSERT INTO user_preferences (user_id, digest) SELECT id, false FROM users WHERE name = 'mentor';
         INSERT INTO send_logs (to_email, message_id) VALUES ('a@example.org', 'm'), ('a@example.org', 'm');
         SELECT record_delivery_event('m', 'bounced', '550 5.7.1 no')",
    );
    assert_eq!(row(&mut client, refused), "2", "what was bounced later is another");
    run(
        &mut worker,
        "SELECT assignment_reminders.record_digest_failure(reminder_ids, claim_id, 'sender', '535 5.7.8 no') FROM assignment_reminders.claim_digests(1)",
    );
    assert_eq!(row(&mut client, refused), "3", "and so is one that is tried by itself");
}
