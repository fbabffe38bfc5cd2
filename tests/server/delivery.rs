//! The outbox: who is handed what, in which order, how answers are recorded, what providers report.

use postgres::Client;
use postgres::fallible_iterator::FallibleIterator;
use uuid::Uuid;

use crate::support::{Database, People, assert_refused, enqueue_follow_ups, refused, row, rows, run};

const NOW: &str = "2026-11-22 12:00+00";
const SECOND: &str = "00000000-0000-0000-0000-000000000002";
const THIRD: &str = "00000000-0000-0000-0000-000000000003";

/// What a claim at a moment hands out: `columns` of each row.
fn claim(client: &mut Client, columns: &str, batch: i32, as_of: &str) -> Vec<String> {
    rows(client, &format!("SELECT {columns} FROM claim_reminders({batch}, as_of => '{as_of}')"))
}

/// The claimed reminder and its claim.
fn claimed(client: &mut Client, as_of: &str) -> (String, String) {
    let row = row(client, &format!("SELECT reminder_id, claim_id FROM claim_reminders(1, as_of => '{as_of}')"));
    let (reminder, claim) = row.split_once('|').expect("two columns");
    (reminder.to_string(), claim.to_string())
}

/// The notifications that this session heard since it was last asked.
fn notified(client: &mut Client) -> Vec<String> {
    run(client, "SELECT");
    client.notifications().iter().map(|n| Ok(n.payload().to_string())).collect().expect("notifications")
}

/// One assignment, silent since 1 November, whose mentor's reminder is due.
fn one_follow_up() -> (Database, Client, People, Uuid) {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    let assignment = people.assignment(&mut client, "2026-11-01");
    enqueue_follow_ups(&mut client, "2026-11-22 06:00+00");
    (database, client, people, assignment)
}

#[test]
fn a_claim_brings_all_that_a_mailer_needs() {
    let (_database, mut client, people, assignment) = one_follow_up();
    run(
        &mut client,
        "UPDATE users SET timezone = 'Europe/Oslo'; UPDATE assignments SET due_at = '2026-11-30 12:00+00', assigned_on = '2026-11-01'",
    );
    let (reminder, name) = (row(&mut client, "SELECT id FROM reminders"), |who: Uuid| {
        format!("(SELECT name FROM users WHERE id = '{who}')")
    });
    let expected = format!(
        "SELECT '{reminder}', true, '2026-11-22 12:05:00+00'::timestamptz, '{reminder}-1793491200000000', o.id, 'contact-reminder', u.id, u.email,
                u.name, 'Europe/Oslo', '{assignment}', 'Essay', {}, {}, NULL, 21, '2026-11-30 12:00:00+00'::timestamptz,
                '2026-11-30 13:00:00'::timestamp, '2026-11-01 00:00:00+00'::timestamptz, '2026-11-22 06:00:00+00'::timestamptz, 0
           FROM organizations o, users u WHERE u.id = '{}'",
        name(people.student),
        name(people.mentor_user),
        people.mentor_user
    );
    let expected = row(&mut client, &expected);
    let columns = "reminder_id, claim_id IS NOT NULL, claimed_until, idempotency_key, organization_id, reminder_type, recipient_id, recipient_email,
                   recipient_name, recipient_timezone, assignment_id, assignment_title, student_name, peer_mentor_name, last_contact_date, days_since,
                   due_at, due_at_local, anchor, scheduled_for, attempts";
    assert_eq!(claim(&mut client, columns, 10, NOW), [expected]);
    assert_eq!(claim(&mut client, "1", 10, NOW), [""; 0], "and nobody else gets it");
}

#[test]
fn the_oldest_due_are_handed_out_first_and_none_before_its_time() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    people.assignments(&mut client, "2026-11-01", 5);
    enqueue_follow_ups(&mut client, "2026-11-22 06:00+00");
    run(
        &mut client,
        "UPDATE reminders r SET scheduled_for = '2026-11-22 11:57+00'::timestamptz + substr(a.title, 6)::integer * interval '1 minute' FROM assignments a WHERE a.id = r.assignment_id",
    );
    assert_eq!(claim(&mut client, "assignment_title", 2, NOW), ["000001", "000002"]);
    assert_eq!(claim(&mut client, "assignment_title", 9, NOW), ["000003"], "the boundary is due");
    assert_eq!(claim(&mut client, "assignment_title", 9, NOW), [""; 0]);
    assert_eq!(claim(&mut client, "assignment_title", 9, "2026-11-22 12:02+00"), ["000004", "000005"]);
}

#[test]
fn a_burst_of_one_organization_does_not_hold_up_the_others() {
    let database = Database::installed();
    let mut client = database.connect();
    People::new(&mut client).assignments(&mut client, "2026-11-01", 500);
    enqueue_follow_ups(&mut client, "2026-11-20 06:00+00");
    run(
        &mut client,
        &format!("INSERT INTO organizations (id, name) VALUES ('{SECOND}', 'Second'), ('{THIRD}', 'Third')"),
    );
    for (organization, number) in [(SECOND, 3), (THIRD, 30)] {
        let people = People::in_organization(&mut client, organization);
        people.assignments(&mut client, "2026-11-01", number);
    }
    run(
        &mut client,
        "INSERT INTO reminders (organization_id, assignment_id, recipient_id, reminder_type, anchor, scheduled_for)
         SELECT a.organization_id, a.id, a.coordinator_id, 'contact-escalation', '2026-11-01 00:00+00', '2026-11-22 10:00+00'
           FROM assignments a WHERE a.organization_id <> current_organization()",
    );
    let shares = |client: &mut Client| {
        rows(
            client,
            &format!(
                "SELECT right(organization_id::text, 1), count(*) FROM claim_reminders(20, as_of => '{NOW}') GROUP BY 1 ORDER BY 1"
            ),
        )
    };
    assert_eq!(
        shares(&mut client),
        ["1|9", "2|3", "3|8"],
        "an equal part each, and what one cannot fill to the others"
    );
    assert_eq!(shares(&mut client), ["1|10", "3|10"]);
    assert_eq!(shares(&mut client), ["1|10", "3|10"]);
    assert_eq!(shares(&mut client), ["1|18", "3|2"], "until one has no more");
    assert_eq!(shares(&mut client), ["1|20"]);
}

#[test]
fn a_worker_may_ask_for_one_organization_only() {
    let (_database, mut client, ..) = one_follow_up();
    run(&mut client, &format!("INSERT INTO organizations (id, name) VALUES ('{SECOND}', 'Second')"));
    let of = |organization: &str| {
        format!("SELECT count(*) FROM claim_reminders(organization_id => '{organization}', as_of => '{NOW}')")
    };
    assert_eq!(row(&mut client, &of(SECOND)), "0");
    assert_eq!(row(&mut client, &of("00000000-0000-0000-0000-000000000001")), "1");
    assert_refused(&mut client, &of(&Uuid::nil().to_string()), "02000", "00000000-0000-0000-0000-000000000000");
}

#[test]
fn what_should_no_longer_be_sent_is_skipped_with_its_reason() {
    for (change, reason) in [
        ("UPDATE assignments SET completed = true", "completed"),
        ("UPDATE assignments SET status = 'paused'", "not_open"),
        ("UPDATE assignments SET status = 'cancelled'", "not_open"),
        ("INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-11-20' FROM assignments", "contacted"),
        ("UPDATE assignments SET assigned_on = '2026-10-01'", "contact_changed"),
        ("UPDATE users SET contact_opt_out = true", "opted_out"),
        ("UPDATE users SET email = NULL", "no_address"),
        ("UPDATE assignments SET peer_mentor_id = NULL", "no_mentor"),
    ] {
        let (_database, mut client, ..) = one_follow_up();
        run(&mut client, change);
        assert_eq!(claim(&mut client, "1", 10, NOW), [""; 0], "{change}");
        assert_eq!(
            row(&mut client, "SELECT status, skip_reason, attempts, sent_at FROM reminders"),
            format!("skipped|{reason}|0|-"),
            "{change}"
        );
    }
}

#[test]
fn a_row_with_the_strangest_moments_does_not_stop_the_others() {
    let (_database, mut client, _, assignment) = one_follow_up();
    run(
        &mut client,
        &format!(
            "INSERT INTO reminders (assignment_id, reminder_type, anchor, scheduled_for) VALUES
                 ('{assignment}', 'late', '294276-12-31 23:59:59+00', '2026-11-22'), ('{assignment}', 'early', '4713-01-01 00:00+00 BC', '4713-01-01 00:00+00 BC')"
        ),
    );
    assert_eq!(claim(&mut client, "reminder_type", 10, NOW), ["contact-reminder"]);
    assert_eq!(
        rows(&mut client, "SELECT reminder_type, skip_reason FROM reminders WHERE status = 'skipped' ORDER BY 1"),
        ["early|due_moved", "late|due_moved"]
    );
}

#[test]
fn a_row_with_the_strangest_number_of_attempts_does_not_stop_the_others() {
    let (_database, mut client, people, _) = one_follow_up();
    run(&mut client, "UPDATE reminders SET attempts = 2147483647");
    people.assignment(&mut client, "2026-11-02");
    run(&mut client, "SELECT count(*) FROM run_daily_evaluation('2026-11-22 06:00+00')");
    let batch = "SELECT mark_reminders_failed(array_agg(reminder_id), claim_id, NULL) FROM claim_reminders(as_of => '2026-11-22 12:00+00') GROUP BY claim_id";
    assert_eq!(rows(&mut client, &format!("BEGIN; {batch}; ROLLBACK")), [""; 0], "both are answered");
    assert_eq!(claim(&mut client, "1", 10, NOW).len(), 2);
    assert_eq!(claim(&mut client, "attempts", 10, "2026-11-22 12:05+00"), ["1"]);
    assert_eq!(row(&mut client, "SELECT attempts FROM reminders WHERE status = 'failed'"), "2147483647");
}

#[test]
fn a_batch_of_nothing_but_skipped_reminders_does_not_look_like_an_empty_outbox() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    people.assignments(&mut client, "2026-11-01", 30);
    enqueue_follow_ups(&mut client, "2026-11-22 06:00+00");
    run(&mut client, "UPDATE assignments SET status = 'paused' WHERE title <= '000024'");
    assert_eq!(claim(&mut client, "assignment_title", 4, NOW), ["000025", "000026", "000027", "000028"]);
    assert_eq!(row(&mut client, "SELECT count(*) FROM reminders WHERE status = 'skipped'"), "24");
}

#[test]
fn a_follow_up_goes_to_whoever_is_mentor_or_coordinator_now() {
    let (_database, mut client, people, assignment) = one_follow_up();
    let other = People::new(&mut client);
    run(
        &mut client,
        &format!(
            "UPDATE assignments SET peer_mentor_id = '{}', coordinator_id = '{}';
             INSERT INTO reminders (assignment_id, recipient_id, reminder_type, anchor) VALUES ('{assignment}', '{}', 'contact-escalation', '2026-11-01 00:00+00')",
            other.mentor, other.coordinator, people.coordinator
        ),
    );
    assert_eq!(
        rows(&mut client, "SELECT reminder_type, recipient_id FROM claim_reminders() ORDER BY 1"),
        [format!("contact-escalation|{}", other.coordinator), format!("contact-reminder|{}", other.mentor_user)]
    );
    assert_eq!(
        row(&mut client, "SELECT recipient_id FROM reminders WHERE reminder_type = 'contact-reminder'"),
        other.mentor_user.to_string(),
        "and the row says so"
    );
}

#[test]
fn sent_is_recorded_logged_and_final() {
    let (_database, mut client, people, assignment) = one_follow_up();
    let (reminder, claim_id) = claimed(&mut client, NOW);
    let mark = format!(
        "SELECT mark_reminder_sent('{reminder}', '{claim_id}', '<m1@x>', 'inbox@x', as_of => '2026-11-22 12:01+00')"
    );
    assert_eq!(row(&mut client, &mark), "t");
    assert_eq!(
        row(&mut client, "SELECT status, sent_at, attempts, claim_id, claimed_until, last_error FROM reminders"),
        "sent|2026-11-22 12:01:00+00|1|-|-|-"
    );
    let email = row(&mut client, &format!("SELECT email FROM users WHERE id = '{}'", people.mentor_user));
    let log = "SELECT reminder_id, assignment_id, reminder_type, anchor, to_email, from_inbox, message_id, status, error, attempt, given_up FROM send_logs";
    let logged =
        format!("{reminder}|{assignment}|contact-reminder|2026-11-01 00:00:00+00|{email}|inbox@x|<m1@x>|queued|-|1|f");
    assert_eq!(row(&mut client, log), logged);
    assert_eq!(row(&mut client, &mark), "f", "answered before");
    assert_eq!(row(&mut client, log), logged, "which changes nothing");
    assert_eq!(claim(&mut client, "1", 10, "2026-12-20"), [""; 0]);
}

#[test]
fn a_worker_that_dies_loses_nothing_and_its_late_answer_changes_nothing() {
    let (_database, mut client, ..) = one_follow_up();
    let (reminder, late) = claimed(&mut client, NOW);
    assert_eq!(claim(&mut client, "1", 1, "2026-11-22 12:04:59+00"), [""; 0], "the lease holds");
    let (again, current) = claimed(&mut client, "2026-11-22 12:05+00");
    assert_eq!(again, reminder);
    assert_ne!(late, current);
    let log = "SELECT status, error, attempt, given_up, to_email ~ '^mentor-' FROM send_logs";
    assert_eq!(row(&mut client, log), "failed|no answer before the lease ended|1|f|t", "the attempt was lost");
    let before = row(&mut client, "SELECT r.*::text FROM reminders r");
    for answer in ["mark_reminder_sent", "mark_reminder_failed", "extend_reminder_lease"] {
        let more = if answer == "mark_reminder_failed" { ", 'too late'" } else { "" };
        assert_eq!(row(&mut client, &format!("SELECT {answer}('{reminder}', '{late}'{more})")), "f", "{answer}");
    }
    assert_eq!(
        row(&mut client, &format!("SELECT mark_reminders_sent(ARRAY['{reminder}']::uuid[], '{late}')")),
        reminder,
        "a batch names the ones that were not recorded"
    );
    assert_eq!(row(&mut client, "SELECT r.*::text FROM reminders r"), before);
    assert_eq!(row(&mut client, "SELECT count(*) FROM send_logs"), "1");
    assert_eq!(row(&mut client, &format!("SELECT mark_reminder_sent('{reminder}', '{current}')")), "t");
    assert_eq!(row(&mut client, "SELECT status, attempts, last_error FROM reminders"), "sent|2|-");
}

#[test]
fn what_nobody_answers_for_is_handed_out_max_attempts_times_and_then_given_up() {
    let (_database, mut client, ..) = one_follow_up();
    run(&mut client, "UPDATE reminder_settings SET max_attempts = 3; LISTEN assignment_reminders");
    for (as_of, attempts) in [("12:00", 0), ("12:05", 1), ("12:10", 2)] {
        let as_of = format!("2026-11-22 {as_of}+00");
        assert_eq!(claim(&mut client, "attempts", 10, &as_of), [attempts.to_string()]);
    }
    assert_eq!(notified(&mut client), [""; 0]);
    assert_eq!(claim(&mut client, "1", 10, "2026-11-22 12:15+00"), [""; 0]);
    let no_answer = "no answer before the lease ended";
    assert_eq!(
        row(&mut client, "SELECT status, attempts, last_error, claim_id, claimed_until FROM reminders"),
        format!("failed|3|{no_answer}|-|-")
    );
    assert_eq!(
        rows(&mut client, "SELECT status, error, attempt, given_up FROM send_logs ORDER BY attempt"),
        [1, 2, 3].map(|attempt| format!("failed|{no_answer}|{attempt}|{}", if attempt == 3 { "t" } else { "f" }))
    );
    assert_eq!(notified(&mut client), ["failed"]);
    run(&mut client, "SELECT retry_failed_reminders(as_of => '2026-11-22 13:00+00')");
    assert_eq!(claim(&mut client, "attempts", 10, "2026-11-22 13:00+00"), ["0"], "and starts over on demand");
}

#[test]
fn a_message_that_kills_workers_takes_no_other_along() {
    let database = Database::installed();
    let mut client = database.connect();
    run(&mut client, "UPDATE reminder_settings SET max_attempts = 3");
    let people = People::new(&mut client);
    people.assignments(&mut client, "2026-11-01", 10);
    enqueue_follow_ups(&mut client, "2026-11-22 06:00+00");
    let killer = row(&mut client, "SELECT id FROM reminders ORDER BY number LIMIT 1");
    // Its worker dies before it has answered for any.
    for as_of in ["2026-11-22 12:00+00", "2026-11-22 12:05+00"] {
        assert_eq!(claim(&mut client, "1", 100, as_of).len(), 10);
    }
    people.assignment(&mut client, "2026-11-02");
    run(&mut client, "SELECT count(*) FROM run_daily_evaluation('2026-11-22 12:06+00')");
    let mut sizes = Vec::new();
    for as_of in ["2026-11-22 12:10+00", "2026-11-22 12:15+00"] {
        loop {
            let batch = claim(&mut client, "reminder_id, claim_id", 100, as_of);
            if batch.is_empty() {
                break;
            }
            sizes.push(batch.len());
            if batch.iter().any(|row| row.starts_with(&killer)) {
                continue;
            }
            for (reminder, claim) in batch.iter().filter_map(|row| row.split_once('|')) {
                assert_eq!(row(&mut client, &format!("SELECT mark_reminder_sent('{reminder}', '{claim}')")), "t");
            }
        }
    }
    assert_eq!(sizes, [1; 11], "each on its last attempt alone, and what was enqueued meanwhile");
    assert_eq!(rows(&mut client, "SELECT id FROM reminders WHERE status = 'failed'"), [killer]);
    assert_eq!(row(&mut client, "SELECT count(*) FROM reminders WHERE status = 'sent'"), "10");
}

#[test]
fn what_should_no_longer_be_sent_is_skipped_and_not_given_up() {
    let (_database, mut client, ..) = one_follow_up();
    run(&mut client, "UPDATE reminder_settings SET max_attempts = 1");
    claimed(&mut client, NOW);
    run(&mut client, "UPDATE assignments SET status = 'paused'; LISTEN assignment_reminders");
    assert_eq!(claim(&mut client, "1", 10, "2026-11-22 12:05+00"), [""; 0]);
    assert_eq!(row(&mut client, "SELECT status, skip_reason, attempts FROM reminders"), "skipped|not_open|1");
    assert_eq!(row(&mut client, "SELECT error, given_up FROM send_logs"), "no answer before the lease ended|f");
    assert_eq!(notified(&mut client), [""; 0]);
}

#[test]
fn health_warns_of_attempts_that_no_worker_answered_for() {
    let (_database, mut client, ..) = one_follow_up();
    run(&mut client, "UPDATE reminders SET scheduled_for = now()");
    let other = row(&mut client, "INSERT INTO organizations (name) VALUES ('other') RETURNING id");
    let reasons = "SELECT reasons FROM organization_health()";
    let claim = "SELECT count(*) FROM claim_reminders(1, as_of => now() + interval '6 minutes')";
    assert_eq!(row(&mut client, "SELECT count(*) FROM claim_reminders(1)"), "1");
    assert!(!row(&mut client, reasons).contains("no worker"), "its lease has not ended");
    assert_eq!(row(&mut client, claim), "1");
    assert!(row(&mut client, reasons).contains("no worker answered for before its lease ended: 1;"));
    assert!(row(&mut client, "SELECT reasons FROM evaluation_health()").contains("lease ended: 1;"));
    assert!(!row(&mut client, &format!("SELECT reasons FROM organization_health('{other}')")).contains("no worker"));
    let later = "SELECT reasons FROM organization_health(as_of => now() + interval '25 hours')";
    assert!(!row(&mut client, later).contains("no worker answered"), "a day later it is forgotten");
}

#[test]
fn the_idempotency_key_is_the_same_for_an_anchor_and_another_for_the_next() {
    let (_database, mut client, ..) = one_follow_up();
    let key = |client: &mut Client, as_of: &str| claim(client, "idempotency_key", 1, as_of).remove(0);
    let first = key(&mut client, NOW);
    assert_eq!(key(&mut client, "2026-11-22 13:00+00"), first, "after the lease");
    run(
        &mut client,
        "INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-11-20' FROM assignments;
         SELECT * FROM run_daily_evaluation('2026-12-20 12:00+00')",
    );
    assert_ne!(key(&mut client, "2026-12-20 12:00+00"), first);
}

#[test]
fn a_lease_can_be_extended_until_it_is_lost() {
    let (_database, mut client, ..) = one_follow_up();
    let (reminder, claim_id) = claimed(&mut client, NOW);
    let extend = format!("SELECT extend_reminder_lease('{reminder}', '{claim_id}', '1 hour', '2026-11-22 12:04+00')");
    assert_eq!(row(&mut client, &extend), "t");
    assert_eq!(row(&mut client, "SELECT claimed_until FROM reminders"), "2026-11-22 13:04:00+00");
    assert_eq!(claim(&mut client, "1", 1, "2026-11-22 13:03+00"), [""; 0]);
    run(&mut client, "INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-11-20' FROM assignments");
    assert_eq!(row(&mut client, &extend), "f", "a contact withdrew it: do not send it");
    assert_eq!(
        rows(&mut client, &format!("SELECT extend_reminder_leases(ARRAY['{reminder}']::uuid[], '{claim_id}')")),
        [reminder]
    );
}

#[test]
fn a_message_that_was_out_before_the_contact_is_recorded_as_what_it_was() {
    let (_database, mut client, ..) = one_follow_up();
    let (reminder, claim_id) = claimed(&mut client, NOW);
    run(&mut client, "INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-11-20' FROM assignments");
    assert_eq!(row(&mut client, "SELECT status, skip_reason FROM reminders"), "skipped|contacted", "withdrawn at once");
    assert_eq!(row(&mut client, &format!("SELECT mark_reminder_sent('{reminder}', '{claim_id}')")), "t");
    assert_eq!(row(&mut client, "SELECT status, skip_reason, attempts FROM reminders"), "sent|-|1");
    // The contact was a mistake: the silence is back, and it was reminded of.
    run(&mut client, "DELETE FROM activities");
    assert_eq!(row(&mut client, "SELECT count(*) FROM run_daily_evaluation('2026-11-23 12:00+00')"), "0");
}

#[test]
fn a_failure_is_retried_after_a_growing_wait_and_then_given_up() {
    let (_database, mut client, ..) = one_follow_up();
    run(
        &mut client,
        "UPDATE reminder_settings SET max_attempts = 3, retry_base = '10 minutes'; LISTEN assignment_reminders",
    );
    let mut as_of = NOW.to_string();
    for (attempt, shortest, longest) in [(1, 600, 900), (2, 9000, 13_500)] {
        let (reminder, claim_id) = claimed(&mut client, &as_of);
        assert_eq!(
            row(
                &mut client,
                &format!(
                    "SELECT mark_reminder_failed('{reminder}', '{claim_id}', 'refused {attempt}', as_of => '{as_of}')"
                )
            ),
            "t"
        );
        assert_eq!(
            row(&mut client, "SELECT status, attempts, last_error, claim_id, scheduled_for FROM reminders"),
            format!("pending|{attempt}|refused {attempt}|-|2026-11-22 06:00:00+00")
        );
        let wait =
            row(&mut client, &format!("SELECT extract(epoch FROM retry_at - '{as_of}')::integer FROM reminders"));
        assert!((shortest..=longest).contains(&wait.parse::<i32>().expect("seconds")), "{wait}");
        let next = row(&mut client, "SELECT retry_at FROM reminders");
        let before = row(&mut client, &format!("SELECT '{next}'::timestamptz - interval '1 ms'"));
        assert_eq!(claim(&mut client, "1", 1, &before), [""; 0], "not before its time");
        as_of = next;
    }
    assert_eq!(notified(&mut client), [""; 0], "nothing was given up yet");
    let (reminder, claim_id) = claimed(&mut client, &as_of);
    run(
        &mut client,
        &format!("SELECT mark_reminder_failed('{reminder}', '{claim_id}', 'refused 3', as_of => '{as_of}')"),
    );
    assert_eq!(row(&mut client, "SELECT status, attempts, last_error FROM reminders"), "failed|3|refused 3");
    assert_eq!(
        rows(&mut client, "SELECT status, error, attempt, given_up FROM send_logs ORDER BY attempt"),
        ["failed|refused 1|1|f", "failed|refused 2|2|f", "failed|refused 3|3|t"]
    );
    assert_eq!(notified(&mut client), ["failed"]);
    assert_eq!(claim(&mut client, "1", 1, "2026-12-20"), [""; 0]);
}

#[test]
fn a_permanent_failure_is_given_up_at_once() {
    let (_database, mut client, ..) = one_follow_up();
    let (reminder, claim_id) = claimed(&mut client, NOW);
    run(
        &mut client,
        &format!("SELECT mark_reminder_failed('{reminder}', '{claim_id}', '550 no such user', permanent => true)"),
    );
    assert_eq!(row(&mut client, "SELECT status, attempts FROM reminders"), "failed|1");
    assert_eq!(
        row(&mut client, "SELECT action FROM run_daily_evaluation('2026-12-22 12:00+00')"),
        "escalate",
        "silence does not fall through because a mail bounced"
    );
}

#[test]
fn what_was_given_up_in_an_outage_is_sent_again_on_demand() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    people.assignments(&mut client, "2026-11-01", 10);
    enqueue_follow_ups(&mut client, "2026-11-22 06:00+00");
    run(
        &mut client,
        "SELECT mark_reminders_failed(array_agg(reminder_id), claim_id, array_agg('down'::text), array_agg(true)) FROM claim_reminders() GROUP BY claim_id",
    );
    assert_eq!(row(&mut client, "SELECT count(*) FROM reminders WHERE status = 'failed'"), "10");
    run(&mut client, "UPDATE assignments SET status = 'paused' WHERE title = '000001'; LISTEN assignment_reminders");
    assert_eq!(row(&mut client, "SELECT retry_failed_reminders(failed_since => now() + interval '1 hour')"), "0");
    assert_eq!(row(&mut client, "SELECT retry_failed_reminders(batch_size => 6)"), "6");
    assert_eq!(row(&mut client, "SELECT retry_failed_reminders(batch_size => 6)"), "4");
    assert_eq!(row(&mut client, "SELECT retry_failed_reminders()"), "0");
    assert_eq!(notified(&mut client), ["enqueued"; 2], "none for nothing");
    assert_eq!(
        row(&mut client, "SELECT count(*), sum(attempts) FROM claim_reminders()"),
        "9|0",
        "not of the paused one"
    );
}

#[test]
fn a_batch_is_answered_pairwise() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    people.assignments(&mut client, "2026-11-01", 4);
    enqueue_follow_ups(&mut client, "2026-11-22 06:00+00");
    run(&mut client, "CREATE TEMPORARY TABLE c AS SELECT * FROM claim_reminders()");
    assert_eq!(row(&mut client, "SELECT count(DISTINCT claim_id) FROM c"), "1");
    assert_eq!(
        rows(
            &mut client,
            "SELECT mark_reminders_sent(array_agg(reminder_id ORDER BY assignment_title DESC) || gen_random_uuid(), min(claim_id::text)::uuid,
                    array_agg('m' || assignment_title ORDER BY assignment_title DESC) || NULL::text, 'inbox') FROM c WHERE assignment_title < '000003'"
        )
        .len(),
        1,
        "only the one that does not exist"
    );
    assert_eq!(
        rows(
            &mut client,
            "SELECT l.message_id, a.title FROM send_logs l JOIN assignments a ON a.id = l.assignment_id ORDER BY 1"
        ),
        ["m000001|000001", "m000002|000002"]
    );
    run(
        &mut client,
        "SELECT mark_reminders_failed(array_agg(reminder_id ORDER BY assignment_title), min(claim_id::text)::uuid, ARRAY['a', 'b'], ARRAY[false, true]) FROM c WHERE assignment_title > '000002'",
    );
    assert_eq!(
        rows(
            &mut client,
            "SELECT a.title, r.status, r.last_error FROM reminders r JOIN assignments a ON a.id = r.assignment_id WHERE last_error IS NOT NULL ORDER BY 1"
        ),
        ["000003|pending|a", "000004|failed|b"]
    );
    let two = "ARRAY[gen_random_uuid(), gen_random_uuid()], gen_random_uuid()";
    assert_refused(
        &mut client,
        &format!("SELECT mark_reminders_sent({two}, ARRAY['x'])"),
        "22023",
        "message_ids has 1 elements for 2",
    );
    assert_refused(
        &mut client,
        &format!("SELECT mark_reminders_failed({two}, ARRAY['x'])"),
        "22023",
        "errors has 1 elements for 2",
    );
    assert_eq!(rows(&mut client, "SELECT mark_reminders_sent('{}', gen_random_uuid())"), [""; 0]);
}

#[test]
fn no_minute_holds_more_claims_than_the_organization_allows() {
    let database = Database::installed();
    let mut client = database.connect();
    People::new(&mut client).assignments(&mut client, "2026-11-01", 40);
    enqueue_follow_ups(&mut client, "2026-11-22 06:00+00");
    run(&mut client, &format!("INSERT INTO organizations (id, name) VALUES ('{SECOND}', 'Unlimited')"));
    People::in_organization(&mut client, SECOND).assignments(&mut client, "2026-11-01", 40);
    run(
        &mut client,
        "INSERT INTO reminders (organization_id, assignment_id, recipient_id, reminder_type, anchor, scheduled_for)
         SELECT a.organization_id, a.id, a.coordinator_id, 'contact-escalation', '2026-11-01 00:00+00', '2026-11-22 10:00+00'
           FROM assignments a WHERE a.organization_id <> current_organization();
         UPDATE reminder_settings SET messages_per_minute = 10 WHERE organization_id = current_organization()",
    );
    let mut claimed = |as_of: &str| {
        row(
            &mut client,
            &format!(
                "SELECT count(*) FILTER (WHERE organization_id = current_organization()), count(*) FROM claim_reminders(20, as_of => '{as_of}')"
            ),
        )
    };
    assert_eq!(claimed("2026-11-22 12:00:00+00"), "10|20");
    assert_eq!(claimed("2026-11-22 12:00:30+00"), "0|20", "the others have all of the batch");
    assert_eq!(claimed("2026-11-22 12:00:59.999+00"), "0|10");
    assert_eq!(claimed("2026-11-22 12:01:00+00"), "10|10");
    assert_eq!(claimed("2026-11-22 12:01:59+00"), "0|0");
    run(&mut client, "UPDATE reminder_settings SET messages_per_minute = NULL");
    assert_eq!(row(&mut client, "SELECT count(*) FROM claim_reminders(as_of => '2026-11-22 12:01:59+00')"), "20");
}

#[test]
fn a_claim_that_another_one_counts_for_is_left_to_that_one() {
    let (database, mut client, ..) = one_follow_up();
    run(&mut client, "UPDATE reminder_settings SET messages_per_minute = 10");
    let mut other = database.connect();
    run(&mut other, "BEGIN; SELECT * FROM claim_reminders(1, as_of => '2026-11-22 11:59+00')");
    assert_eq!(claim(&mut client, "1", 10, NOW), [""; 0], "the first claim that counts is not waited for either");
    run(
        &mut other,
        "ROLLBACK; INSERT INTO claim_rates (organization_id) SELECT id FROM organizations; BEGIN; SELECT * FROM claim_rates FOR UPDATE",
    );
    assert_eq!(claim(&mut client, "1", 10, NOW), [""; 0], "neither waits nor exceeds the limit");
    run(&mut other, "COMMIT");
    assert_eq!(claim(&mut client, "1", 10, NOW), ["1"]);
}

/// A sent reminder; returns the mentor's user id.
fn sent_as(client: &mut Client, message: &str) {
    run(
        client,
        &format!(
            "SELECT mark_reminder_sent(reminder_id, claim_id, '{message}') FROM claim_reminders(1, as_of => '{NOW}')"
        ),
    );
}

#[test]
fn a_message_is_found_by_its_message_id_or_else_by_what_the_provider_calls_it() {
    let (_database, mut client, ..) = one_follow_up();
    sent_as(&mut client, "<m1@x>");
    run(&mut client, "INSERT INTO send_logs (message_id) VALUES ('<m2@x>')");
    let name = |client: &mut Client, message: &str, name: &str| {
        row(client, &format!("SELECT record_provider_message('{message}', '{name}')"))
    };
    assert_eq!(name(&mut client, "nobody sent this", "p0"), "f");
    assert_eq!(name(&mut client, "<m1@x>", "p1"), "t");
    // The first name stays; and what is a message's own id is no other's name.
    assert_eq!(name(&mut client, "m1@x", "p1-again"), "f", "and nobody is told that another one was noted");
    assert_eq!(name(&mut client, "m1@x", "p1"), "t");
    assert_eq!(name(&mut client, "<m2@x>", "<m2@x>"), "t");
    let names = "SELECT message_id, provider_message_id FROM send_logs WHERE status = 'queued' ORDER BY 1";
    assert_eq!(rows(&mut client, names), ["<m1@x>|p1", "<m2@x>|-"]);
    assert_eq!(name(&mut client, "<m2@x>", "<m1@x>"), "t");
    for (number, id) in ["p1", "<p1>", "m1@x", "<m1@x>"].into_iter().enumerate() {
        let event = format!("SELECT record_delivery_event('{id}', 'delivered', event_id => 'e{number}')");
        assert_eq!(row(&mut client, &event), "t");
    }
    assert_eq!(
        row(&mut client, "SELECT count(*), min(message_id), max(message_id) FROM send_logs WHERE status = 'delivered'"),
        "4|<m1@x>|<m1@x>",
        "its own id comes before what another is called"
    );
    // One that has no id of its own, as somebody else may have written it.
    run(&mut client, "INSERT INTO send_logs (provider_message_id) VALUES ('p3')");
    let event = "SELECT record_delivery_event('p3', 'bounced', '452 4.2.2 full')";
    assert_eq!((row(&mut client, event), row(&mut client, event)), ("t".to_string(), "f".to_string()));
    for change in ["provider_message_id = 'other'", "provider_message_id = NULL"] {
        assert_refused(
            &mut client,
            &format!("UPDATE send_logs SET {change} WHERE message_id = '<m1@x>'"),
            "2F002",
            "send_logs",
        );
    }
}

#[test]
fn an_empty_message_id_is_none() {
    let (_database, mut client, ..) = one_follow_up();
    sent_as(&mut client, "");
    assert_eq!(row(&mut client, "SELECT status, message_id FROM send_logs"), "queued|-");
    // What 0.1.0 has logged, or the programme itself: all of these messages would be one.
    run(&mut client, "INSERT INTO send_logs (to_email, message_id) VALUES ('student@example.org', '')");
    for message in ["", " ", "<>"] {
        let event = format!("SELECT record_delivery_event('{message}', 'complained')");
        assert_refused(&mut client, &event, "02000", "no reminder was sent");
        assert_eq!(row(&mut client, &format!("SELECT record_provider_message('{message}', 'p')")), "f");
    }
    assert_eq!(row(&mut client, "SELECT count(*) FROM users WHERE contact_opt_out"), "0");
}

#[test]
fn a_delivery_event_is_recorded_once() {
    let (_database, mut client, ..) = one_follow_up();
    sent_as(&mut client, "<m1@x>");
    let event = "SELECT record_delivery_event('<m1@x>', 'delivered', NULL, 'event-1')";
    assert_eq!(row(&mut client, event), "t");
    assert_eq!(row(&mut client, event), "f");
    assert_eq!(row(&mut client, "SELECT record_delivery_event('<m1@x>', 'bounced', '4.2.2 full')"), "t");
    assert_eq!(
        row(&mut client, "SELECT record_delivery_event('<m1@x>', 'bounced', '4.2.2 full')"),
        "f",
        "without an id: once per status"
    );
    assert_eq!(
        rows(
            &mut client,
            "SELECT status, error, reminder_id IS NOT NULL, to_email IS NOT NULL FROM send_logs ORDER BY created_at, status"
        ),
        ["queued|-|t|t", "delivered|-|t|t", "bounced|4.2.2 full|t|t"]
    );
    assert_eq!(row(&mut client, "SELECT status FROM reminders"), "sent");
}

#[test]
fn a_hard_bounce_opts_the_person_out_until_that_is_taken_back() {
    let (_database, mut client, people, _) = one_follow_up();
    sent_as(&mut client, "<m1@x>");
    run(&mut client, "SELECT record_delivery_event('<m1@x>', 'bounced', '550 5.1.1 User unknown', 'e1')");
    let of_mentor = format!(
        "SELECT contact_opt_out, contact_opt_out_reason, soft_bounces FROM users WHERE id = '{}'",
        people.mentor_user
    );
    assert_eq!(row(&mut client, &of_mentor), "t|hard bounce: 550 5.1.1 User unknown|0");
    assert_eq!(row(&mut client, "SELECT count(*) FROM users WHERE contact_opt_out"), "1");
    let restore = format!("SELECT restore_contact('{}')", people.mentor_user);
    assert_eq!(row(&mut client, &restore), "t");
    assert_eq!(row(&mut client, &of_mentor), "f|-|0");
    assert_eq!(row(&mut client, &restore), "f");
}

#[test]
fn soft_bounces_opt_out_at_the_limit_and_start_over_when_a_message_arrives_or_the_address_changes() {
    let (_database, mut client, people, _) = one_follow_up();
    sent_as(&mut client, "<m0@x>");
    // What else was sent to the same address.
    run(
        &mut client,
        "INSERT INTO send_logs (organization_id, to_email, message_id, status)
         SELECT l.organization_id, l.to_email, '<m' || n || '@x>', 'queued' FROM send_logs l, generate_series(1, 8) AS n",
    );
    let bounce = |client: &mut Client, number: i32| {
        run(client, &format!("SELECT record_delivery_event('<m{number}@x>', 'rejected', '452 4.2.2 full')"));
    };
    let bounces = format!(
        "SELECT contact_opt_out, soft_bounces, cardinality(soft_bounced_at) FROM users WHERE id = '{}'",
        people.mentor_user
    );
    bounce(&mut client, 1);
    bounce(&mut client, 2);
    assert_eq!(row(&mut client, &bounces), "f|2|2");
    run(&mut client, "SELECT record_delivery_event('<m1@x>', 'delivered', NULL, 'd1')");
    assert_eq!(row(&mut client, &bounces), "f|0|0");
    bounce(&mut client, 3);
    bounce(&mut client, 4);
    let old_address = row(&mut client, &format!("SELECT email FROM users WHERE id = '{}'", people.mentor_user));
    run(&mut client, &format!("UPDATE users SET email = 'new@example.org' WHERE id = '{}'", people.mentor_user));
    assert_eq!(row(&mut client, &bounces), "f|0|0");
    bounce(&mut client, 5);
    assert_eq!(row(&mut client, &bounces), "f|0|0", "it was the old address that bounced");
    run(&mut client, &format!("UPDATE users SET email = '{old_address}' WHERE id = '{}'", people.mentor_user));
    for number in 6..=8 {
        bounce(&mut client, number);
    }
    assert_eq!(row(&mut client, &bounces), "t|3|3");
    assert_eq!(
        row(&mut client, &format!("SELECT contact_opt_out_reason FROM users WHERE id = '{}'", people.mentor_user)),
        "3 soft bounces, the last one: 452 4.2.2 full"
    );
    run(&mut client, &format!("SELECT restore_contact('{}')", people.mentor_user));
    assert_eq!(row(&mut client, &bounces), "f|0|0");
}

#[test]
fn a_bounce_does_not_overwrite_somebodys_own_wish() {
    let (_database, mut client, people, _) = one_follow_up();
    sent_as(&mut client, "<m1@x>");
    run(&mut client, "UPDATE users SET contact_opt_out = true, contact_opt_out_reason = 'asked us by phone'");
    run(&mut client, "SELECT record_delivery_event('<m1@x>', 'bounced', 'gone', permanent => true)");
    assert_eq!(
        row(&mut client, &format!("SELECT contact_opt_out_reason FROM users WHERE id = '{}'", people.mentor_user)),
        "asked us by phone"
    );
}

#[test]
fn enqueueing_notifies_once_per_transaction_and_nothing_else_does() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    people.assignments(&mut client, "2026-11-01", 20);
    let mut listener = database.connect();
    run(&mut listener, "LISTEN assignment_reminders");
    run(
        &mut client,
        "BEGIN; SELECT * FROM run_daily_evaluation('2026-11-22 12:00+00'); UPDATE assignments SET due_at = '2026-11-23 12:00+00';
         SELECT * FROM enqueue_due_reminders('2026-11-22 12:00+00'); COMMIT",
    );
    assert_eq!(notified(&mut listener), ["enqueued"]);
    run(
        &mut client,
        "SELECT * FROM run_daily_evaluation('2026-11-22 12:00+00'); SELECT * FROM enqueue_due_reminders('2026-11-22 12:00+00');
         INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-11-21' FROM assignments;
         DELETE FROM activities; INSERT INTO assignments (title, student_id) SELECT 'x', student_id FROM assignments;
         SELECT mark_reminders_sent(array_agg(reminder_id), claim_id) FROM claim_reminders(as_of => '2026-11-22 12:00+00') GROUP BY claim_id",
    );
    assert_eq!(notified(&mut listener), [""; 0], "neither a run with nothing to do, nor triggers, claims and answers");
}

#[test]
fn the_queue_view_counts_what_waits_fails_and_was_sent() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    people.assignments(&mut client, "2026-11-01", 10);
    enqueue_follow_ups(&mut client, "2026-11-22 06:00+00");
    run(
        &mut client,
        "UPDATE reminders SET scheduled_for = now() - interval '10 minutes';
         UPDATE reminders r SET scheduled_for = now() + interval '1 hour' FROM assignments a WHERE a.id = r.assignment_id AND a.title = '000010';
         UPDATE reminders r SET scheduled_for = now() - interval '2 hours' FROM assignments a WHERE a.id = r.assignment_id AND a.title = '000001';
         CREATE TEMPORARY TABLE c AS SELECT * FROM claim_reminders(5);
         SELECT mark_reminder_sent(reminder_id, claim_id) FROM c WHERE assignment_title = '000002';
         SELECT mark_reminder_failed(reminder_id, claim_id, 'x') FROM c WHERE assignment_title = '000003';
         SELECT mark_reminder_failed(reminder_id, claim_id, 'x', true) FROM c WHERE assignment_title = '000004'",
    );
    assert_eq!(
        row(
            &mut client,
            "SELECT organization_name, pending, due_now, claimed, retrying, overdue, failed, sent_last_24_hours,
                    oldest_due_age BETWEEN interval '2 hours' AND interval '2 hours 1 minute' FROM reminder_queue"
        ),
        "Default organisation|8|4|2|1|1|1|1|t"
    );
}

#[test]
fn the_queue_view_tells_what_a_retry_waits_for_and_whether_sending_is_stopped() {
    let database = Database::installed();
    let mut client = database.connect();
    People::new(&mut client).assignments(&mut client, "2026-11-01", 3);
    enqueue_follow_ups(&mut client, "2026-11-22 06:00+00");
    run(
        &mut client,
        "UPDATE reminders SET scheduled_for = now() - interval '3 hours', retry_at = now() - interval '10 minutes'",
    );
    let mut worker = database.connect_as_worker();
    let queue = "SELECT due_now, overdue, oldest_due_age < interval '11 minutes', is_sending_stopped, sending_stopped_until > now()
                   FROM assignment_reminders.reminder_queue";
    assert_eq!(row(&mut worker, queue), "3|0|t|f|-");
    run(&mut client, "UPDATE reminders SET retry_at = now() + interval '10 minutes'");
    assert_eq!(row(&mut worker, queue), "0|0|-|f|-", "nothing is due before it is tried again");
    for (pause, is_told) in [("15 minutes", "t|t"), ("-1 minute", "f|-"), ("2 days", "f|-")] {
        run(
            &mut client,
            &format!(
                "DELETE FROM claim_rates;
                 INSERT INTO claim_rates (organization_id, paused_at, paused_until, paused_for) SELECT id, now(), now() + interval '{pause}', 'sender' FROM organizations"
            ),
        );
        assert_eq!(row(&mut worker, queue), format!("0|0|-|{is_told}"), "{pause}");
    }
    run(&mut client, "UPDATE reminder_settings SET messages_per_minute = 0");
    assert_eq!(row(&mut worker, queue), "0|0|-|t|-");
    run(&mut client, "UPDATE reminder_settings SET messages_per_minute = 1");
    assert_eq!(row(&mut worker, queue), "0|0|-|f|-");
}

#[test]
fn a_worker_by_the_examples_rights_tells_what_the_provider_calls_a_message_once() {
    let (database, mut client, ..) = one_follow_up();
    let mut worker = database.connect_as_worker();
    sent_as(&mut client, "<m1@x>");
    run(&mut client, "INSERT INTO send_logs (message_id) VALUES ('<digest@x>'), ('<digest@x>'), ('<digest@x>')");
    let name = |worker: &mut Client, message: &str, name: &str| {
        row(worker, &format!("SELECT assignment_reminders.record_provider_message('{message}', '{name}')"))
    };
    assert_eq!(name(&mut worker, "<m1@x>", "p1"), "t");
    assert_eq!(name(&mut worker, "<digest@x>", "p2"), "t");
    assert_eq!(name(&mut worker, "<digest@x>", "p3"), "f", "also where a message is of several reminders");
    assert_eq!(name(&mut worker, "<digest@x>", "p2"), "t");
    assert_eq!(
        rows(&mut client, "SELECT provider_message_id FROM send_logs WHERE provider_message_id IS NOT NULL ORDER BY 1"),
        ["p1", "p2"]
    );
}

#[test]
fn old_history_is_deleted_in_bounded_batches_and_the_last_run_stays() {
    let database = Database::installed();
    let mut client = database.connect();
    run(
        &mut client,
        "INSERT INTO send_logs (created_at) SELECT '2025-01-01' FROM generate_series(1, 25);
         INSERT INTO send_logs (created_at) VALUES ('2026-11-01');
         INSERT INTO evaluation_runs (as_of, started_at, status) SELECT '2025-01-01', '2025-01-01'::timestamptz + n * interval '1 day', 'succeeded' FROM generate_series(1, 12) n",
    );
    let mut prune = || row(&mut client, &format!("SELECT * FROM prune('1 year', 10, '{NOW}')"));
    assert_eq!([prune(), prune(), prune(), prune()], ["10|10", "10|1", "5|0", "0|0"]);
    assert_eq!(
        row(&mut client, "SELECT (SELECT count(*) FROM send_logs), (SELECT count(*) FROM evaluation_runs)"),
        "1|1"
    );
}

#[test]
fn the_history_of_organizations_that_were_deleted_is_pruned_too() {
    let database = Database::installed();
    let mut client = database.connect();
    run(
        &mut client,
        "INSERT INTO organizations (id, name) SELECT ('00000000-0000-0000-0000-00000000a' || lpad(n::text, 3, '0'))::uuid, 'gone' FROM generate_series(0, 9) n;
         INSERT INTO send_logs (organization_id, created_at) SELECT o.id, moment FROM organizations o, unnest('{2025-01-01,2025-02-01,2026-11-01}'::timestamptz[]) AS moment;
         DELETE FROM organizations WHERE name = 'gone'",
    );
    let mut prune = || row(&mut client, &format!("SELECT * FROM prune('1 year', 15, '{NOW}')"));
    assert_eq!([prune(), prune(), prune()], ["15|0", "7|0", "0|0"]);
    assert_eq!(row(&mut client, "SELECT count(*), min(created_at)::date FROM send_logs"), "11|2026-11-01");
}

#[test]
fn pruning_looks_up_the_old_of_each_organization_and_reads_nothing_else() {
    let database = Database::installed();
    let mut client = database.connect();
    run(
        &mut client,
        "INSERT INTO send_logs (organization_id, created_at)
         SELECT ('00000000-0000-0000-0000-0000000000' || lpad((n % 20)::text, 2, '0'))::uuid, '2026-11-01'::timestamptz + n * interval '1 second'
           FROM generate_series(1, 50000) n;
         INSERT INTO send_logs (organization_id, created_at) SELECT '00000000-0000-0000-0000-000000000007', '2025-01-01' FROM generate_series(1, 6000)",
    );
    run(&mut client, "VACUUM ANALYZE send_logs");
    run(&mut client, "BEGIN");
    let read = "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables WHERE relid = 'send_logs'::regclass";
    assert_eq!(row(&mut client, &format!("SELECT * FROM prune('1 year', 5000, '{NOW}')")), "5000|0");
    let read: u32 = row(&mut client, read).parse().expect("a number");
    assert!(read < 11_000, "{read} rows were read to find and delete 5000, of 20 organizations");
}

#[test]
fn impossible_arguments_are_refused_with_their_value() {
    let database = Database::installed();
    let mut client = database.connect();
    for (sql, sqlstate, text) in [
        ("SELECT * FROM claim_reminders(0)", "22023", "batch_size 0"),
        ("SELECT * FROM claim_reminders(-1)", "22023", "batch_size -1"),
        ("SELECT * FROM claim_reminders(10001)", "22023", "batch_size 10001"),
        ("SELECT * FROM claim_reminders(NULL)", "22004", "batch_size"),
        ("SELECT * FROM claim_reminders(1, '0')", "22023", "a lease of 0"),
        ("SELECT * FROM claim_reminders(1, '-5 minutes')", "22023", "a lease of -300"),
        ("SELECT * FROM claim_reminders(1, '25 hours')", "22023", "a lease of 90000"),
        ("SELECT * FROM claim_reminders(1, NULL)", "22004", "lease"),
        ("SELECT * FROM claim_reminders(as_of => 'infinity')", "22008", "as_of infinity"),
        ("SELECT * FROM claim_reminders(as_of => NULL)", "22004", "as_of"),
        ("SELECT mark_reminder_sent(NULL, gen_random_uuid())", "22004", "reminder_id"),
        ("SELECT mark_reminder_sent(gen_random_uuid(), NULL)", "22004", "claim_id"),
        ("SELECT mark_reminders_sent(NULL, gen_random_uuid())", "22004", "reminder_ids"),
        ("SELECT mark_reminders_sent('{NULL}', gen_random_uuid())", "22004", "an element of reminder_ids"),
        ("SELECT mark_reminder_failed(NULL, gen_random_uuid(), 'x')", "22004", "reminder_id"),
        ("SELECT extend_reminder_lease(gen_random_uuid(), gen_random_uuid(), '0')", "22023", "a lease of 0"),
        ("SELECT record_delivery_event('nobody sent this', 'delivered')", "02000", "nobody sent this"),
        ("SELECT record_delivery_event('x', 'opened')", "22023", "opened"),
        ("SELECT record_delivery_event(NULL, 'delivered')", "22004", "message_id"),
        ("SELECT record_delivery_event('x', NULL)", "22004", "status"),
        ("SELECT record_delivery_event('x', 'delivered', NULL, '')", "22023", "event_id is empty"),
        ("SELECT record_provider_message(NULL, 'x')", "22004", "message_id"),
        ("SELECT record_provider_message('x', NULL)", "22004", "provider_message_id"),
        ("SELECT record_provider_message('x', '')", "22023", "provider_message_id is empty"),
        ("SELECT restore_contact('00000000-0000-0000-0000-00000000dead')", "02000", "00000000dead"),
        ("SELECT restore_contact(NULL)", "22004", "user_id"),
        ("SELECT retry_failed_reminders(batch_size => 0)", "22023", "batch_size 0"),
        ("SELECT retry_failed_reminders(NULL)", "22004", "failed_since"),
        ("SELECT * FROM prune('-1 day')", "22023", "older_than"),
        ("SELECT * FROM prune(NULL)", "22004", "older_than"),
    ] {
        assert_refused(&mut client, sql, sqlstate, text);
    }
    let refusal = refused(&mut client, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM claim_reminders()");
    assert_eq!(refusal.sqlstate, "25001");
}

#[test]
fn a_worker_role_with_the_rights_of_the_readme_can_do_its_work_and_nobody_else_can() {
    let (database, mut owner, ..) = one_follow_up();
    let mut worker = database.connect_as_worker();
    run(&mut owner, "UPDATE reminder_settings SET messages_per_minute = 100");
    let (reminder, claim_id) = claimed(&mut worker, NOW);
    assert_eq!(row(&mut worker, &format!("SELECT extend_reminder_lease('{reminder}', '{claim_id}')")), "t");
    assert_eq!(
        row(&mut worker, &format!("SELECT mark_reminder_failed('{reminder}', '{claim_id}', 'x', as_of => '{NOW}')")),
        "t"
    );
    run(
        &mut worker,
        "SELECT mark_reminder_sent(reminder_id, claim_id, '<m>') FROM claim_reminders(as_of => '2026-11-23'); SELECT * FROM daily_summary((SELECT id FROM users LIMIT 1))",
    );
    assert_eq!(row(&mut worker, "SELECT status FROM reminders"), "sent");
    assert_eq!(refused(&mut worker, "DELETE FROM reminders").sqlstate, "42501");
    let (mut nobody, _) = database.connect_as_new_role("GRANT USAGE ON SCHEMA assignment_reminders TO {role}");
    for call in ["claim_reminders()", "prune('1 day')", "retry_failed_reminders()", "enqueue_due_reminders()"] {
        assert_eq!(refused(&mut nobody, &format!("SELECT * FROM {call}")).sqlstate, "42501", "{call}");
    }
}

#[test]
fn sent_reminders_are_not_read_by_a_claim() {
    let database = Database::installed();
    let mut client = database.connect();
    People::new(&mut client).assignments(&mut client, "2026-11-01", 3000);
    enqueue_follow_ups(&mut client, "2026-11-22 06:00+00");
    run(&mut client, "UPDATE reminders SET status = 'sent', sent_at = now()");
    run(&mut client, "VACUUM ANALYZE reminders");
    run(&mut client, "UPDATE reminders SET status = 'pending' WHERE id IN (SELECT id FROM reminders LIMIT 10)");
    run(&mut client, "VACUUM reminders");
    let read = "SELECT seq_scan, seq_tup_read, idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'reminders'";
    let mut client = database.connect();
    run(&mut client, "BEGIN");
    assert_eq!(row(&mut client, "SELECT count(*) FROM claim_reminders()"), "10");
    let counters = row(&mut client, read);
    let numbers: Vec<i64> = counters.split('|').map(|number| number.parse().expect("a number")).collect();
    assert_eq!(numbers[0..2], [0, 0], "no sequential scan");
    assert!(numbers[2] <= 100, "{} of the 3,000 rows are looked at for 10", numbers[2]);
}
