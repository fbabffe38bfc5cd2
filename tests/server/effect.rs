//! After how many days contact came, of the follow-ups that were sent.

use postgres::Client;
use uuid::Uuid;

use crate::support::{Database, People, assert_refused, rows, run};

/// A programme in Oslo, whose follow-ups go at any hour and on any day.
fn programme() -> (Database, Client, People) {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    run(
        &mut client,
        "UPDATE organizations SET timezone = 'Europe/Oslo';
         UPDATE reminder_settings SET weekly_days_off = '{}', evaluation_hour = NULL",
    );
    (database, client, people)
}

/// As a worker logs it that knows of no episodes.
fn sent(client: &mut Client, assignment: Uuid, kind: &str, at: &str) {
    run(
        client,
        &format!(
            "INSERT INTO send_logs (organization_id, assignment_id, reminder_type, created_at)
             SELECT organization_id, id, reminder_type_of('{kind}'), '{at}' FROM assignments WHERE id = '{assignment}'"
        ),
    );
}

fn contact(client: &mut Client, assignment: Uuid, at: &str, is_contact: bool) {
    run(
        client,
        &format!(
            "INSERT INTO activities (organization_id, assignment_id, occurred_at, is_contact)
             SELECT organization_id, id, '{at}', {is_contact} FROM assignments WHERE id = '{assignment}'"
        ),
    );
}

/// Enqueues what is due now, and sends it.
fn run_and_send(client: &mut Client) {
    run(client, "SELECT count(*) FROM run_daily_evaluation()");
    run(client, "SELECT mark_reminder_sent(reminder_id, claim_id) FROM claim_reminders()");
}

fn effect(client: &mut Client, columns: &str, arguments: &str) -> Vec<String> {
    rows(client, &format!("SELECT {columns} FROM follow_up_effect({arguments})"))
}

const COUNTS: &str = "kind, sent, followed_by_contact, within_3_days, within_7_days, within_14_days, median_days, followed_by_message, still_silent, \
                      no_longer_awaited";

#[test]
fn each_message_was_followed_by_contact_or_by_the_next_or_is_awaited_or_is_no_longer() {
    let (_database, mut client, people) = programme();
    let mut reminded = || {
        let assignment = people.assignment(&mut client, "2026-02-01");
        sent(&mut client, assignment, "remind", "2026-03-02 07:00+01");
        assignment
    };
    let after_two_days = reminded();
    let on_the_day = reminded();
    let escalated = reminded();
    let _silent = reminded();
    let overruled = reminded();
    let completed = reminded();
    let corrected = reminded();
    let deleted = reminded();
    let left_alone = reminded();
    contact(&mut client, after_two_days, "2026-03-04 12:00+01", true);
    // Only the first after it tells.
    contact(&mut client, after_two_days, "2026-03-19 12:00+01", true);
    // Before that of another, it was no answer to this message.
    contact(&mut client, on_the_day, "2026-03-01 23:59+01", true);
    contact(&mut client, on_the_day, "2026-03-02 00:00+01", true);
    sent(&mut client, escalated, "escalate", "2026-03-12 07:00+01");
    contact(&mut client, escalated, "2026-03-12 00:00+01", false);
    contact(&mut client, escalated, "2026-03-20 12:00+01", true);
    contact(&mut client, overruled, "2026-03-05 12:00+01", true);
    run(&mut client, &format!("SELECT correct_last_contact_date('{overruled}', '2026-02-10', 'it was another')"));
    run(&mut client, &format!("UPDATE assignments SET completed = true WHERE id = '{completed}'"));
    run(&mut client, &format!("SELECT correct_last_contact_date('{corrected}', '2026-03-10', 'they met')"));
    run(&mut client, &format!("DELETE FROM assignments WHERE id = '{deleted}'"));
    run(&mut client, &format!("UPDATE assignments SET follow_up = false WHERE id = '{left_alone}'"));
    assert_eq!(
        effect(&mut client, COUNTS, "'2026-03-01', '2026-03-31'"),
        ["escalate|1|1|0|0|1|8|0|0|0", "remind|9|2|2|2|2|0|1|2|4"]
    );
    // What came after the period counts for what was sent in it.
    assert_eq!(effect(&mut client, COUNTS, "'2026-03-02', '2026-03-02'"), ["remind|9|2|2|2|2|0|1|2|4"]);
    assert_eq!(effect(&mut client, COUNTS, "'2026-03-03', '2026-03-11'"), [""; 0]);
    contact(&mut client, overruled, "2026-03-17 12:00+01", true);
    assert_eq!(
        effect(&mut client, COUNTS, "'2026-03-02', '2026-03-02'"),
        ["remind|9|3|2|2|2|2|1|1|4"],
        "after 0, 2 and 15 days"
    );
}

#[test]
fn days_are_those_of_each_organization() {
    let (_database, mut client, people) = programme();
    let other = "00000000-0000-0000-0000-0000000000b0";
    run(
        &mut client,
        &format!("INSERT INTO organizations (id, name, timezone) VALUES ('{other}', 'South', 'Pacific/Auckland')"),
    );
    let south = People::in_organization(&mut client, other);
    for people in [&people, &south] {
        // 1 March in Oslo, and half past midnight of the 2nd in Auckland.
        let assignment = people.assignment(&mut client, "2026-02-01");
        sent(&mut client, assignment, "remind", "2026-03-01 11:30+00");
        // The 3rd in both; half an hour later it is the 4th in Auckland.
        contact(&mut client, assignment, "2026-03-03 10:59+00", true);
        let assignment = people.assignment(&mut client, "2026-02-01");
        sent(&mut client, assignment, "remind", "2026-03-01 11:30+00");
        contact(&mut client, assignment, "2026-03-03 11:00+00", true);
        let assignment = people.assignment(&mut client, "2026-02-01");
        // Midnight in Auckland: the first moment of the 3rd.
        sent(&mut client, assignment, "remind", "2026-03-02 11:00+00");
    }
    let columns = "organization_id::text = '00000000-0000-0000-0000-0000000000b0', sent, within_3_days, median_days";
    assert_eq!(effect(&mut client, columns, "'2026-03-01', '2026-03-01'"), ["f|2|2|2"]);
    assert_eq!(effect(&mut client, columns, "'2026-03-02', '2026-03-02'"), ["f|1|0|-", "t|2|2|1"]);
    assert_eq!(effect(&mut client, columns, "'2026-03-03', '2026-03-03'"), ["t|1|0|-"]);
    assert_eq!(effect(&mut client, columns, &format!("'2026-03-01', '2026-03-31', '{other}'")), ["t|3|2|1"]);
}

#[test]
fn a_message_is_about_whoever_was_mentor_when_it_was_sent() {
    let (_database, mut client, people) = programme();
    let next = People::new(&mut client);
    people.assignment(&mut client, "2026-02-01");
    run(&mut client, "UPDATE assignments SET assigned_on = current_date - 20");
    run_and_send(&mut client);
    let period = "current_date - 1, current_date + 1";
    let names = format!(
        "CASE peer_mentor_id WHEN '{}' THEN 'first' WHEN '{}' THEN 'next' END, kind, sent, followed_by_message, still_silent",
        people.mentor, next.mentor
    );
    assert_eq!(effect(&mut client, &names, period), ["first|remind|1|0|1"]);
    run(&mut client, &format!("UPDATE assignments SET peer_mentor_id = '{}'", next.mentor));
    run_and_send(&mut client);
    let both = |client: &mut Client| {
        let mut found = effect(client, &names, period);
        found.sort();
        found
    };
    let expected = ["first|remind|1|1|0", "next|remind|1|0|1"];
    assert_eq!(both(&mut client), expected);
    run(&mut client, "DELETE FROM reminders");
    assert_eq!(both(&mut client), expected, "also when the reminder is gone");

    // Of what was sent before the history began, the reminder tells, as long as it is the same message.
    let old = people.assignment(&mut client, "2026-01-01");
    run(
        &mut client,
        &format!(
            "INSERT INTO reminders (assignment_id, recipient_id, reminder_type, anchor, status, sent_at, peer_mentor_id)
                  VALUES ('{old}', '{}', reminder_type_of('remind'), '2026-01-01', 'sent', '2026-01-20', '{}')",
            people.mentor_user, people.mentor
        ),
    );
    let logged = |client: &mut Client, at: &str, anchor: &str, episode: &str| {
        run(
            client,
            &format!(
                "INSERT INTO send_logs (reminder_id, assignment_id, reminder_type, anchor, episode, created_at)
                 SELECT id, assignment_id, reminder_type, '{anchor}', {episode}, '{at}' FROM reminders WHERE assignment_id = '{old}'"
            ),
        );
    };
    logged(&mut client, "2026-01-20 12:00+00", "2026-01-01", "NULL");
    logged(&mut client, "2026-01-10 12:00+00", "2025-12-01", "NULL");
    logged(&mut client, "2026-01-05 12:00+00", "2026-01-01", "episode + 1");
    assert_eq!(effect(&mut client, &names, "'2026-01-20', '2026-01-20'"), ["first|remind|1|0|1"]);
    assert_eq!(effect(&mut client, &names, "'2026-01-10', '2026-01-10'"), ["-|remind|1|1|0"], "it is not known");
    assert_eq!(effect(&mut client, &names, "'2026-01-05', '2026-01-05'"), ["-|remind|1|1|0"]);
}

#[test]
fn only_follow_ups_that_were_handed_over_count_and_each_once() {
    let (_database, mut client, people) = programme();
    let assignment = people.assignment(&mut client, "2026-01-01");
    run(
        &mut client,
        &format!(
            "INSERT INTO reminders (assignment_id, recipient_id, reminder_type, anchor, status, sent_at, peer_mentor_id)
             SELECT '{assignment}', '{}', t, '2026-01-01', 'sent', '2026-01-20', '{}'
               FROM unnest(ARRAY[reminder_type_of('remind'), '24h']) AS t",
            people.mentor_user, people.mentor
        ),
    );
    // Twice of one silence, as 0.1.0 could log it; what the provider said of it; an attempt that failed; and one of another silence.
    run(
        &mut client,
        "INSERT INTO send_logs (reminder_id, assignment_id, reminder_type, anchor, status, created_at)
         SELECT r.id, r.assignment_id, r.reminder_type, l.anchor::timestamptz, l.status, l.created_at::timestamptz
           FROM reminders r, (VALUES ('2026-01-01', 'queued', '2026-01-20 12:00+00'), ('2026-01-01', 'queued', '2026-01-21 12:00+00'),
                                     ('2026-01-01', 'bounced', '2026-01-20 13:00+00'), ('2026-01-01', 'failed', '2026-01-19 12:00+00'),
                                     ('2026-02-01', 'queued', '2026-02-20 12:00+00')) AS l (anchor, status, created_at)",
    );
    let columns = "kind, sent, followed_by_message, still_silent";
    // Of the last, the reminder tells nothing: the mentor is another line's.
    assert_eq!(effect(&mut client, columns, "'2026-01-01', '2026-03-01'"), ["remind|1|1|0", "remind|1|0|1"]);
    assert_eq!(effect(&mut client, columns, "'2026-01-21', '2026-01-21'"), [""; 0]);
    // Another worker, which names the reminder alone.
    run(
        &mut client,
        "INSERT INTO send_logs (reminder_id, created_at) SELECT id, '2026-03-10 12:00+00' FROM reminders WHERE reminder_type <> '24h'",
    );
    assert_eq!(effect(&mut client, columns, "'2026-03-10', '2026-03-10'"), ["remind|1|0|1"]);
}

#[test]
fn a_period_that_is_none_is_refused() {
    let (_database, mut client, _) = programme();
    for (arguments, sqlstate, text) in [
        ("NULL, '2026-03-01'", "22004", "first_day"),
        ("'2026-03-01', NULL", "22004", "last_day"),
        ("'2026-03-02', '2026-03-01'", "22023", "first_day 2026-03-02 is after last_day 2026-03-01"),
        ("'-infinity', '2026-03-01'", "22008", "first_day"),
        ("'2026-03-01', 'infinity'", "22008", "last_day"),
        ("'2026-03-01', '2026-03-01', 'ffffffff-ffff-ffff-ffff-ffffffffffff'", "02000", "ffffffff"),
    ] {
        assert_refused(&mut client, &format!("SELECT * FROM follow_up_effect({arguments})"), sqlstate, text);
    }
    assert_eq!(effect(&mut client, COUNTS, "'2199-01-01', '9999-12-31'"), [""; 0]);
}

#[test]
fn what_was_sent_of_an_assignment_without_mentor_is_of_nobody() {
    let (_database, mut client, people) = programme();
    let id = people.assignment(&mut client, "2026-01-01");
    run(
        &mut client,
        &format!(
            "UPDATE assignments SET peer_mentor_id = NULL WHERE id = '{id}'; UPDATE reminder_settings SET follow_up_limit = NULL;
             SELECT run_daily_evaluation(); SELECT mark_reminder_sent(reminder_id, claim_id) FROM claim_reminders()"
        ),
    );
    let told = "SELECT peer_mentor_id, kind, sent FROM follow_up_effect(current_date - 1, current_date + 1)";
    assert_eq!(rows(&mut client, told), ["-|escalate|1"]);
}
