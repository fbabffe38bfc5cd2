//! Whom organizations write to that need no addresses, since a gateway knows their people by id.

use postgres::Client;

use crate::support::{Database, People, row, rows, run};

/// A silent assignment that is due tomorrow, of people none of whom has an address, in a programme where its student wants a summary.
fn without_addresses() -> (Database, Client) {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    people.assignment(&mut client, "2026-10-01");
    run(
        &mut client,
        "UPDATE users SET email = NULL, timezone = 'UTC';
         UPDATE assignments SET due_at = '2026-11-23 12:00+00', created_at = '2026-10-01';
         UPDATE reminder_settings SET address_required = false, escalation_grace_days = 0;
         INSERT INTO user_preferences (user_id, daily_summary, summary_hour, created_at, updated_at)
         SELECT id, true, 7, '2026-10-01', '2026-10-01' FROM users WHERE name = 'student'",
    );
    (database, client)
}

/// Claims all that is due at noon on that day, asks whether it is still wanted, and sends it; returns what was sent to whom.
fn sent_on(client: &mut Client, day: &str) -> Vec<String> {
    let claimed = rows(
        client,
        &format!(
            "SELECT reminder_id, claim_id, reminder_type, recipient_name, recipient_email FROM claim_reminders(as_of => '{day} 12:00+00') ORDER BY 3"
        ),
    );
    claimed
        .iter()
        .map(|claimed| {
            let claimed: Vec<&str> = claimed.split('|').collect();
            let (id, claim) = (claimed[0], claimed[1]);
            let answers = row(
                client,
                &format!(
                    "SELECT extend_reminder_lease('{id}', '{claim}', as_of => '{day} 12:01+00'), mark_reminder_sent('{id}', '{claim}', 'm-{id}', as_of => '{day} 12:02+00')"
                ),
            );
            assert_eq!(answers, "t|t", "{claimed:?}");
            claimed[2..].join("|")
        })
        .collect()
}

fn enqueue_on(client: &mut Client, day: &str) {
    run(
        client,
        &format!(
            "SELECT run_daily_evaluation('{day} 12:00+00'); SELECT enqueue_due_reminders('{day} 12:00+00'); SELECT enqueue_daily_summaries('{day} 12:00+00')"
        ),
    );
}

#[test]
fn people_without_an_address_are_sent_everything_where_none_is_required() {
    let (_database, mut client) = without_addresses();
    enqueue_on(&mut client, "2026-11-22");
    assert_eq!(
        sent_on(&mut client, "2026-11-22"),
        ["24h|student|-", "contact-reminder|mentor|-", "daily-summary|student|-"]
    );
    enqueue_on(&mut client, "2026-11-23");
    assert!(sent_on(&mut client, "2026-11-23").contains(&"contact-escalation|coordinator|-".to_string()));
    assert_eq!(
        row(&mut client, "SELECT count(*), count(to_email) FROM send_logs WHERE status = 'queued'").split('|').nth(1),
        Some("0")
    );
    assert_eq!(row(&mut client, "SELECT count(*) FROM reminders WHERE skip_reason = 'no_address'"), "0");
    assert_eq!(
        row(&mut client, "SELECT count(*) FROM due_assignments('hours', '{24}', 60, '2026-11-22 12:00+00')"),
        "1",
        "and due_assignments tells of them"
    );
    assert_eq!(rows(&mut client, "SELECT reason FROM forgotten_assignments(NULL, '2026-11-23 13:00+00')"), [""; 0]);
}

#[test]
fn an_address_that_is_required_again_or_comes_between_claim_and_answer_counts_at_once() {
    let (_database, mut client) = without_addresses();
    enqueue_on(&mut client, "2026-11-22");
    let claim = "SELECT reminder_id, claim_id FROM claim_reminders(as_of => '2026-11-22 12:00+00') WHERE reminder_type = 'contact-reminder'";
    let claimed = row(&mut client, claim);
    let (id, claim) = claimed.split_once('|').expect("a reminder");
    // The worker has none, and they have one now.
    run(&mut client, "UPDATE users SET email = 'new@example.org' WHERE name = 'mentor'");
    let extended = format!("SELECT extend_reminder_lease('{id}', '{claim}', as_of => '2026-11-22 12:01+00')");
    assert_eq!(row(&mut client, &extended), "f", "it goes back, to be claimed with the address");
    run(&mut client, "UPDATE users SET email = NULL; UPDATE reminder_settings SET address_required = true");
    run(&mut client, "SELECT claim_reminders(as_of => '2026-11-22 13:00+00')");
    assert_eq!(
        rows(&mut client, "SELECT reminder_type, status, skip_reason FROM reminders ORDER BY 1"),
        [
            "24h|skipped|no_address",
            "2h|pending|-",
            "contact-reminder|skipped|no_address",
            "daily-summary|skipped|no_address"
        ],
        "what is due is skipped"
    );
    let due = "SELECT count(*) FROM due_assignments('hours', '{24}', 60, '2026-11-22 12:00+00')";
    assert_eq!(row(&mut client, due), "0");
}

#[test]
fn whoever_is_told_of_without_an_address_pays_for_nothing_that_is_the_senders() {
    let (_database, mut client) = without_addresses();
    enqueue_on(&mut client, "2026-11-22");
    run(
        &mut client,
        "SELECT record_delivery_failure(reminder_id, claim_id, 'recipient', 'unknown user', as_of => '2026-11-22 12:01+00')
           FROM claim_reminders(as_of => '2026-11-22 12:00+00') WHERE reminder_type = 'contact-reminder'",
    );
    assert_eq!(
        rows(&mut client, "SELECT to_email, status, attempt, error FROM send_logs"),
        ["-|failed|1|unknown user"],
        "it is logged, and names no address"
    );
    assert_eq!(row(&mut client, "SELECT claimed_email FROM reminders WHERE reminder_type = 'contact-reminder'"), "");
}
