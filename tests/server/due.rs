//! Due reminders and daily summaries: enqueued once, on time or late, right across time zones and changes of clocks.

use postgres::Client;
use uuid::Uuid;

use crate::support::{Database, People, assert_refused, has_pg_cron, home, refused, row, rows, run};

const NOW: &str = "2026-11-22 12:00+00";

/// One assignment, due at a moment, created long ago.
fn due(due_at: &str) -> (Database, Client, People, Uuid) {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    let assignment = people.assignment(&mut client, "2026-01-01");
    run(&mut client, &format!("UPDATE assignments SET due_at = '{due_at}', created_at = '2026-01-01'"));
    (database, client, people, assignment)
}

/// What enqueueing at a moment enqueues: type and time.
fn enqueue(client: &mut Client, as_of: &str) -> Vec<String> {
    rows(
        client,
        &format!("SELECT reminder_type, scheduled_for FROM enqueue_due_reminders('{as_of}') ORDER BY scheduled_for"),
    )
}

/// The types that a worker is handed at a moment and sends.
fn send(client: &mut Client, as_of: &str) -> Vec<String> {
    rows(
        client,
        &format!(
            "SELECT reminder_type FROM claim_reminders(as_of => '{as_of}') WHERE mark_reminder_sent(reminder_id, claim_id, as_of => '{as_of}')"
        ),
    )
}

fn states(client: &mut Client) -> Vec<String> {
    rows(client, "SELECT reminder_type, status, skip_reason FROM reminders ORDER BY scheduled_for")
}

#[test]
fn each_offset_is_enqueued_once_when_the_first_ones_time_has_come() {
    let (_database, mut client, _, assignment) = due("2026-11-23 12:00+00");
    assert_eq!(enqueue(&mut client, "2026-11-22 11:59:59+00"), [""; 0]);
    assert_eq!(enqueue(&mut client, NOW), ["24h|2026-11-22 12:00:00+00", "2h|2026-11-23 10:00:00+00"]);
    assert_eq!(
        rows(&mut client, "SELECT assignment_id, recipient_id, anchor, status FROM reminders"),
        vec![format!("{assignment}|-|2026-11-23 12:00:00+00|pending"); 2]
    );
    assert_eq!(enqueue(&mut client, NOW), [""; 0]);
    assert_eq!(send(&mut client, NOW), ["24h"]);
    assert_eq!(enqueue(&mut client, "2026-11-22 12:01+00"), [""; 0]);
    assert_eq!(send(&mut client, "2026-11-23 09:59+00"), [""; 0]);
    assert_eq!(send(&mut client, "2026-11-23 10:00+00"), ["2h"]);
    for later in ["2026-11-23 10:01+00", "2026-11-23 11:59+00", "2026-11-23 12:00+00", "2026-12-01 12:00+00"] {
        assert_eq!(enqueue(&mut client, later), [""; 0], "{later}");
        assert_eq!(send(&mut client, later), [""; 0], "{later}");
    }
}

#[test]
fn a_reminder_goes_to_the_student_in_their_own_time() {
    let (_database, mut client, people, _) = due("2026-11-23 12:00+00");
    run(&mut client, "UPDATE users SET timezone = 'Asia/Kolkata'");
    enqueue(&mut client, NOW);
    assert_eq!(
        row(
            &mut client,
            &format!("SELECT recipient_id, recipient_timezone, due_at_local FROM claim_reminders(as_of => '{NOW}')")
        ),
        format!("{}|Asia/Kolkata|2026-11-23 17:30:00", people.student)
    );
}

#[test]
fn after_an_outage_one_late_reminder_is_sent_if_the_assignment_is_not_yet_due() {
    let (_database, mut client, ..) = due("2026-11-22 13:00+00");
    assert_eq!(enqueue(&mut client, NOW).len(), 2, "both times have passed unseen");
    assert_eq!(send(&mut client, NOW), ["2h"], "one message, the closest");
    assert_eq!(states(&mut client), ["24h|skipped|superseded", "2h|sent|-"]);
    for later in ["2026-11-22 12:01+00", "2026-11-22 12:59+00"] {
        assert_eq!(enqueue(&mut client, later), [""; 0]);
        assert_eq!(send(&mut client, later), [""; 0]);
    }
}

#[test]
fn what_is_due_already_is_not_reminded_of() {
    let (_database, mut client, ..) = due("2026-11-22 12:00+00");
    assert_eq!(enqueue(&mut client, NOW), [""; 0]);
    // Enqueued in time, but no worker came until it was too late.
    assert_eq!(enqueue(&mut client, "2026-11-22 11:59+00").len(), 2);
    assert_eq!(send(&mut client, NOW), [""; 0]);
    assert_eq!(states(&mut client), ["24h|skipped|past_due", "2h|skipped|past_due"]);
    assert_eq!(enqueue(&mut client, "2026-11-22 11:59+00"), [""; 0]);
}

#[test]
fn an_assignment_created_inside_the_window_gets_just_the_offsets_still_ahead() {
    let (_database, mut client, ..) = due("2026-11-22 17:00+00");
    run(&mut client, "UPDATE assignments SET created_at = '2026-11-22 11:30+00'");
    assert_eq!(enqueue(&mut client, NOW), ["2h|2026-11-22 15:00:00+00"]);
    assert_eq!(enqueue(&mut client, "2026-11-22 14:00+00"), [""; 0]);
    assert_eq!(send(&mut client, "2026-11-22 15:00+00"), ["2h"]);
}

#[test]
fn a_due_date_that_moves_takes_waiting_reminders_along_and_arms_sent_ones_again() {
    let (_database, mut client, ..) = due("2026-11-23 12:00+00");
    enqueue(&mut client, NOW);
    assert_eq!(send(&mut client, NOW), ["24h"]);
    run(&mut client, "UPDATE assignments SET due_at = '2026-11-23 11:30+00'");
    assert_eq!(
        enqueue(&mut client, "2026-11-22 12:30+00"),
        ["24h|2026-11-22 11:30:00+00", "2h|2026-11-23 09:30:00+00"]
    );
    assert_eq!(send(&mut client, "2026-11-22 12:30+00"), ["24h"], "another due date is another reminder");
    // Far away: the waiting one is withdrawn, and comes back when its time does.
    run(&mut client, "UPDATE assignments SET due_at = '2026-12-23 13:00+00'");
    assert_eq!(enqueue(&mut client, "2026-11-22 14:00+00"), [""; 0]);
    assert_eq!(states(&mut client), ["24h|sent|-", "2h|skipped|due_moved"]);
    assert_eq!(enqueue(&mut client, "2026-12-22 13:00+00").len(), 2);
    assert_eq!(
        rows(&mut client, "SELECT status, attempts, sent_at FROM reminders"),
        ["pending|0|-", "pending|0|-"],
        "re-armed from the start"
    );
}

#[test]
fn a_due_date_moved_before_the_claim_is_not_sent_for() {
    let (_database, mut client, ..) = due("2026-11-23 12:00+00");
    enqueue(&mut client, NOW);
    run(&mut client, "UPDATE assignments SET due_at = '2026-11-24 12:00+00'");
    assert_eq!(send(&mut client, NOW), [""; 0]);
    assert_eq!(row(&mut client, "SELECT skip_reason FROM reminders WHERE reminder_type = '24h'"), "due_moved");
    run(&mut client, "UPDATE assignments SET due_at = NULL");
    assert_eq!(send(&mut client, "2026-11-23 10:00+00"), [""; 0]);
    assert_eq!(states(&mut client), ["24h|skipped|due_moved", "2h|skipped|due_moved"]);
}

#[test]
fn completing_skips_and_reopening_brings_back_what_was_not_sent() {
    let (_database, mut client, ..) = due("2026-11-23 12:00+00");
    enqueue(&mut client, NOW);
    assert_eq!(send(&mut client, NOW), ["24h"]);
    run(&mut client, "UPDATE assignments SET completed = true");
    assert_eq!(enqueue(&mut client, "2026-11-22 12:01+00"), [""; 0]);
    assert_eq!(states(&mut client), ["24h|sent|-", "2h|skipped|completed"]);
    run(&mut client, "UPDATE assignments SET completed = false");
    assert_eq!(enqueue(&mut client, "2026-11-22 12:02+00"), ["2h|2026-11-23 10:00:00+00"]);
}

#[test]
fn students_who_opted_out_or_have_no_address_are_left_alone() {
    for (unreachable, reachable) in
        [("contact_opt_out = true", "contact_opt_out = false"), ("email = NULL", "email = 'a@b'")]
    {
        let (_database, mut client, people, _) = due("2026-11-23 12:00+00");
        let student = |change: &str| format!("UPDATE users SET {change} WHERE id = '{}'", people.student);
        run(&mut client, &student(unreachable));
        assert_eq!(enqueue(&mut client, NOW), [""; 0]);
        run(&mut client, &student(reachable));
        assert_eq!(enqueue(&mut client, "2026-11-22 12:05+00").len(), 2, "late, but not lost");
        run(&mut client, &student(unreachable));
        assert_eq!(send(&mut client, "2026-11-22 12:05+00"), [""; 0]);
        assert_eq!(enqueue(&mut client, "2026-11-22 12:06+00"), [""; 0]);
    }
}

#[test]
fn each_organization_has_its_own_offsets() {
    let (_database, mut client, ..) = due("2026-11-23 12:00+00");
    run(
        &mut client,
        "INSERT INTO organizations (id, name) VALUES ('00000000-0000-0000-0000-000000000002', 'Second');
         UPDATE reminder_settings SET due_offsets = '{2 days,90 minutes,36 hours}' WHERE organization_id <> current_organization();
         UPDATE reminder_settings SET due_offsets = '{2 minutes,1 minute,60 seconds}' WHERE organization_id = current_organization()",
    );
    let other = People::in_organization(&mut client, "00000000-0000-0000-0000-000000000002")
        .assignment(&mut client, "2026-01-01");
    run(
        &mut client,
        &format!(
            "UPDATE assignments SET due_at = '2026-11-24 12:00+00', created_at = '2026-01-01' WHERE id = '{other}'"
        ),
    );
    assert_eq!(
        enqueue(&mut client, NOW),
        ["2d|2026-11-22 12:00:00+00", "36h|2026-11-23 00:00:00+00", "90m|2026-11-24 10:30:00+00"]
    );
    assert_eq!(
        enqueue(&mut client, "2026-11-23 11:58+00"),
        ["2m|2026-11-23 11:58:00+00", "1m|2026-11-23 11:59:00+00"],
        "equal offsets count once"
    );
    run(&mut client, "UPDATE reminder_settings SET due_offsets = '{}'");
    assert_eq!(enqueue(&mut client, "2026-11-23 11:59+00"), [""; 0]);
    for bad in ["{0}", "{-1 hour}", "{NULL}", "{400 days}"] {
        assert_eq!(
            refused(&mut client, &format!("UPDATE reminder_settings SET due_offsets = '{bad}'")).sqlstate,
            "23514"
        );
    }
}

#[test]
fn offsets_are_exact_lengths_in_every_session_time_zone() {
    let (_database, mut client, ..) = due("2026-10-25 12:00+00");
    run(&mut client, "SET timezone = 'Europe/Oslo'; UPDATE reminder_settings SET due_offsets = '{1 day}'");
    assert_eq!(
        row(
            &mut client,
            "SELECT reminder_type, scheduled_for AT TIME ZONE 'UTC' FROM enqueue_due_reminders('2026-10-24 12:00+00')"
        ),
        "1d|2026-10-24 12:00:00",
        "24 hours, although the clocks change in between"
    );
}

#[test]
fn a_row_that_was_inserted_by_hand_stands_for_itself() {
    let (_database, mut client, _, assignment) = due("2026-11-23 12:00+00");
    run(
        &mut client,
        &format!(
            "INSERT INTO reminders (assignment_id, reminder_type, scheduled_for, status, sent_at) VALUES ('{assignment}', '24h', '{NOW}', 'sent', '{NOW}');
             INSERT INTO reminders (assignment_id, reminder_type, scheduled_for) VALUES ('{assignment}', 'welcome', '{NOW}')"
        ),
    );
    assert_eq!(
        enqueue(&mut client, NOW),
        ["2h|2026-11-23 10:00:00+00"],
        "the worker's contract: once per assignment and type"
    );
    assert_eq!(send(&mut client, NOW), ["welcome"]);
}

#[test]
fn a_full_cycle_in_minutes_runs_by_as_of_alone() {
    let (_database, mut client, ..) = due("2026-11-22 12:02:30+00");
    run(&mut client, "UPDATE reminder_settings SET due_offsets = '{1 minute, 2 minutes}'");
    let mut sent = Vec::new();
    for second in (0..=180).step_by(10) {
        let as_of = row(&mut client, &format!("SELECT '{NOW}'::timestamptz + interval '{second} seconds'"));
        enqueue(&mut client, &as_of);
        sent.extend(send(&mut client, &as_of).into_iter().map(|kind| format!("{kind} at {second}")));
    }
    assert_eq!(sent, ["2m at 30", "1m at 90"]);
}

#[test]
fn due_assignments_lists_what_is_due_around_each_target() {
    let (_database, mut client, people, first) = due("2026-11-22 12:02:00+00");
    let more: Vec<Uuid> = (0..4).map(|_| people.assignment(&mut client, "2026-01-01")).collect();
    for (id, change) in more.iter().zip([
        "due_at = '2026-11-22 12:03:01+00'",
        "due_at = '2026-11-22 12:02:00+00', status = 'completed'",
        "due_at = '2026-11-22 14:00:30+00'",
        "due_at = '2026-11-24 12:00:00+00'",
    ]) {
        run(&mut client, &format!("UPDATE assignments SET {change} WHERE id = '{id}'"));
    }
    run(&mut client, "UPDATE users SET timezone = 'Europe/Oslo'");
    let mut list = |arguments: &str| {
        rows(
            &mut client,
            &format!(
                "SELECT target, reminder_type, assignment_id, due_at_local FROM due_assignments({arguments}, as_of => '{NOW}')"
            ),
        )
    };
    assert_eq!(
        list("'minutes', '{1,2}'"),
        [format!("1|1m|{first}|2026-11-22 13:02:00"), format!("2|2m|{first}|2026-11-22 13:02:00")],
        "within a minute of both"
    );
    assert_eq!(list("'minutes', '{2}', 0"), [format!("2|2m|{first}|2026-11-22 13:02:00")]);
    assert_eq!(list("'minutes', '{2}', 2").len(), 2);
    assert_eq!(list("'hours', '{2}'"), [format!("2|2h|{}|2026-11-22 15:00:30", more[2])], "tolerance is in minutes");
    assert_eq!(list("'days', '{2,1}'"), [format!("2|2d|{}|2026-11-24 13:00:00", more[3])]);
    assert_eq!(list("'days', '{}'"), [""; 0]);
    let student = format!(
        "SELECT email, name, timezone FROM due_assignments('days', '{{2}}', as_of => '{NOW}') EXCEPT SELECT email, name, timezone FROM users WHERE id = '{}'",
        people.student
    );
    assert_eq!(rows(&mut client, &student), [""; 0]);
    run(&mut client, "UPDATE users SET contact_opt_out = true");
    assert_eq!(
        rows(&mut client, &format!("SELECT 1 FROM due_assignments('days', '{{2}}', as_of => '{NOW}')")),
        [""; 0]
    );
}

#[test]
fn due_assignments_are_read_page_by_page_and_none_twice() {
    let (_database, mut client, people, _) = due("2026-11-22 12:01:00+00");
    people.assignments(&mut client, "2026-01-01", 50);
    run(
        &mut client,
        "UPDATE assignments SET due_at = '2026-11-22 12:01:00+00'::timestamptz + (substr(id::text, 1, 1) < '8')::integer * interval '30 seconds'",
    );
    let all = rows(
        &mut client,
        &format!("SELECT target, due_at, assignment_id FROM due_assignments('minutes', '{{1,2}}', as_of => '{NOW}')"),
    );
    assert_eq!(all.len(), 102);
    let (mut paged, mut key) = (Vec::new(), "NULL, NULL, NULL".to_string());
    loop {
        let page = rows(
            &mut client,
            &format!(
                "SELECT target, due_at, assignment_id FROM due_assignments('minutes', '{{1,2}}', 1, '{NOW}', {key}, 7)"
            ),
        );
        let Some(last) = page.last() else { break };
        key = last.split('|').map(|value| format!("'{value}'")).collect::<Vec<_>>().join(", ");
        paged.extend(page);
    }
    assert_eq!(paged, all);
}

#[test]
fn a_summary_says_what_is_current_overdue_and_just_completed() {
    let (_database, mut client, people, _) = due("2026-11-21 12:00+00");
    people.assignments(&mut client, "2026-01-01", 4);
    run(
        &mut client,
        "UPDATE users SET timezone = 'Europe/Oslo';
         UPDATE assignments SET due_at = '2026-11-25 12:00+00' WHERE title = '000002';
         UPDATE assignments SET due_at = '2026-11-25 12:00+00' WHERE title IN ('000003', '000004');
         UPDATE assignments SET status = 'completed', completed_at = '2026-11-21 13:00+00' WHERE title = '000003';
         UPDATE assignments SET status = 'completed', completed_at = '2026-11-21 12:00+00' WHERE title = '000004'",
    );
    let titles = "ARRAY(SELECT e ->> 'title' FROM jsonb_array_elements";
    assert_eq!(
        row(
            &mut client,
            &format!(
                "SELECT {titles}(current) AS e), {titles}(overdue) AS e), {titles}(completed) AS e) FROM daily_summary('{}', '{NOW}')",
                people.student
            )
        ),
        "{000002}|{Essay}|{000003}"
    );
    assert_eq!(
        row(
            &mut client,
            &format!("SELECT overdue -> 0 ->> 'due_at_local' FROM daily_summary('{}', '{NOW}')", people.student)
        ),
        "2026-11-21T13:00:00"
    );
    assert_eq!(
        row(&mut client, &format!("SELECT * FROM daily_summary('{}', '{NOW}')", people.coordinator)),
        "[]|[]|[]"
    );
}

/// A student in a time zone who wants a summary at an hour.
fn wants_summary(timezone: &str, hour: i32) -> (Database, Client, People) {
    let (database, mut client, people, _) = due("2027-12-31 12:00+00");
    run(
        &mut client,
        &format!(
            "UPDATE users SET timezone = '{timezone}';
             INSERT INTO user_preferences (user_id, daily_summary, summary_hour, created_at, updated_at) VALUES ('{}', true, {hour}, '2026-01-01', '2026-01-01')",
            people.student
        ),
    );
    (database, client, people)
}

fn summaries(client: &mut Client, as_of: &str) -> Vec<String> {
    rows(
        client,
        &format!(
            "SELECT scheduled_for AT TIME ZONE 'UTC', (anchor AT TIME ZONE 'UTC')::date FROM enqueue_daily_summaries('{as_of}')"
        ),
    )
}

#[test]
fn a_summary_is_enqueued_once_a_local_day_from_the_preferred_hour() {
    let (_database, mut client, people) = wants_summary("America/Los_Angeles", 8);
    assert_eq!(summaries(&mut client, "2026-11-22 15:59+00"), [""; 0]);
    assert_eq!(summaries(&mut client, "2026-11-22 16:00+00"), ["2026-11-22 16:00:00|2026-11-22"]);
    assert_eq!(summaries(&mut client, "2026-11-22 16:15+00"), [""; 0]);
    assert_eq!(summaries(&mut client, "2026-11-23 07:59+00"), [""; 0], "still the 22nd there");
    assert_eq!(
        row(
            &mut client,
            "SELECT reminder_type, recipient_id, assignment_id FROM claim_reminders(as_of => '2026-11-22 16:01+00')"
        ),
        format!("daily-summary|{}|-", people.student)
    );
    assert_eq!(
        summaries(&mut client, "2026-11-23 20:00+00"),
        ["2026-11-23 16:00:00|2026-11-23"],
        "late, after an outage"
    );
    assert_eq!(row(&mut client, "SELECT count(*) FROM reminders"), "1", "one row per person");
}

#[test]
fn a_summary_comes_once_on_days_when_the_clocks_change() {
    for (timezone, hour, from, to, expected) in [
        // 02:00 to 03:00 does not exist on 29 March in Oslo, and comes twice on 25 October.
        (
            "Europe/Oslo",
            2,
            "2026-03-28 00:00+00",
            72,
            ["2026-03-28 01:00:00|2026-03-28", "2026-03-29 01:00:00|2026-03-29", "2026-03-30 00:00:00|2026-03-30"],
        ),
        (
            "Europe/Oslo",
            2,
            "2026-10-23 23:00+00",
            72,
            ["2026-10-24 00:00:00|2026-10-24", "2026-10-25 01:00:00|2026-10-25", "2026-10-26 01:00:00|2026-10-26"],
        ),
        // Midnight itself does not exist on 29 March in Beirut.
        (
            "Asia/Beirut",
            0,
            "2026-03-27 22:00+00",
            71,
            ["2026-03-27 22:00:00|2026-03-28", "2026-03-28 22:00:00|2026-03-29", "2026-03-29 21:00:00|2026-03-30"],
        ),
    ] {
        let (_database, mut client, _) = wants_summary(timezone, hour);
        let mut enqueued = Vec::new();
        for quarter in 0..to * 4 {
            let as_of = row(&mut client, &format!("SELECT '{from}'::timestamptz + {quarter} * interval '15 minutes'"));
            enqueued.extend(summaries(&mut client, &as_of));
        }
        assert_eq!(enqueued, expected, "{timezone} at {hour}");
    }
}

#[test]
fn only_those_who_asked_and_have_something_to_hear_get_a_summary() {
    for change in [
        "UPDATE user_preferences SET daily_summary = false, summary_changed_at = '2026-01-01'",
        "UPDATE users SET contact_opt_out = true",
        "UPDATE users SET email = NULL",
        "UPDATE assignments SET status = 'paused'",
        "UPDATE user_preferences SET summary_changed_at = '2026-11-22 09:00+00'",
    ] {
        let (_database, mut client, _) = wants_summary("UTC", 8);
        run(&mut client, change);
        assert_eq!(summaries(&mut client, NOW), [""; 0], "{change}");
        let (_database, mut client, _) = wants_summary("UTC", 8);
        assert_eq!(summaries(&mut client, NOW).len(), 1);
        run(&mut client, change);
        let expected = if change.contains("09:00") { "1" } else { "0" };
        assert_eq!(
            row(&mut client, &format!("SELECT count(*) FROM claim_reminders(as_of => '{NOW}')")),
            expected,
            "{change}"
        );
    }
    let (_database, mut client, _) = wants_summary("UTC", 8);
    summaries(&mut client, NOW);
    assert_eq!(row(&mut client, "SELECT count(*) FROM claim_reminders(as_of => '2026-11-23 00:00+00')"), "0");
    assert_eq!(row(&mut client, "SELECT skip_reason FROM reminders"), "day_over");
}

#[test]
fn whoever_changes_something_else_after_their_hour_still_gets_that_days_summary() {
    let (_database, mut client, _) = wants_summary("UTC", 8);
    run(
        &mut client,
        "UPDATE user_preferences SET muted_types = '{24h}', digest = false, updated_at = '2026-11-22 09:00+00'",
    );
    assert_eq!(summaries(&mut client, NOW).len(), 1);

    let changed = "SELECT summary_changed_at IS NULL, summary_changed_at = now() FROM user_preferences";
    assert_eq!(row(&mut client, changed), "t|-");
    for change in ["summary_hour = 9", "daily_summary = false"] {
        run(&mut client, "UPDATE user_preferences SET summary_changed_at = '2026-01-01'");
        let changed =
            row(&mut client, &format!("UPDATE user_preferences SET {change} RETURNING summary_changed_at = now()"));
        assert_eq!(changed, "t", "{change}");
    }
}

#[test]
fn completed_at_follows_completion_unless_the_client_gives_it() {
    let (_database, mut client, _, _) = due("2026-11-23 12:00+00");
    assert_eq!(row(&mut client, "UPDATE assignments SET completed = true RETURNING completed_at = now()"), "t");
    assert_eq!(row(&mut client, "UPDATE assignments SET status = 'open' RETURNING completed_at"), "-");
    assert_eq!(
        row(
            &mut client,
            "UPDATE assignments SET status = 'completed', completed_at = '2026-01-02 00:00+00' RETURNING completed_at"
        ),
        "2026-01-02 00:00:00+00"
    );
    assert_eq!(
        row(&mut client, "UPDATE assignments SET status = 'cancelled' RETURNING completed_at, completed"),
        "-|f"
    );
}

#[test]
fn impossible_arguments_are_refused_with_their_value() {
    let database = Database::installed();
    let mut client = database.connect();
    for (sql, sqlstate, text) in [
        ("SELECT * FROM due_assignments('weeks', '{1}')", "22023", "weeks"),
        ("SELECT * FROM due_assignments(NULL, '{1}')", "22004", "unit"),
        ("SELECT * FROM due_assignments('days', NULL)", "22004", "targets"),
        ("SELECT * FROM due_assignments('days', '{1,NULL}')", "22004", "an element of targets"),
        ("SELECT * FROM due_assignments('days', '{-1}')", "22023", "target -1"),
        ("SELECT * FROM due_assignments('days', '{1}', -1)", "22023", "tolerance -1"),
        ("SELECT * FROM due_assignments('days', '{1}', NULL)", "22004", "tolerance"),
        ("SELECT * FROM due_assignments('days', '{1}', page_size => 0)", "22023", "page_size 0"),
        ("SELECT * FROM due_assignments('days', '{1}', as_of => '-infinity')", "22008", "as_of -infinity"),
        (
            "SELECT * FROM due_assignments('days', '{1}', organization_id => '00000000-0000-0000-0000-00000000dead')",
            "02000",
            "dead",
        ),
        ("SELECT * FROM enqueue_due_reminders(NULL)", "22004", "as_of"),
        ("SELECT * FROM enqueue_due_reminders('infinity')", "22008", "infinity"),
        ("SELECT * FROM enqueue_daily_summaries(NULL)", "22004", "as_of"),
        ("SELECT * FROM enqueue_daily_summaries('infinity')", "22008", "infinity"),
        ("SELECT * FROM daily_summary(NULL)", "22004", "student_id"),
        ("SELECT * FROM daily_summary('00000000-0000-0000-0000-00000000dead')", "02000", "dead"),
    ] {
        assert_refused(&mut client, sql, sqlstate, text);
    }
    assert_eq!(refused(&mut client, "SELECT * FROM due_assignments('days', '{2147483647}')").sqlstate, "22008");
    assert_eq!(
        row(
            &mut client,
            "SELECT due_reminder_type(NULL), due_reminder_type('0'), due_reminder_type('1 month'), due_reminder_type('-1 day')"
        ),
        "-|-|30d|-"
    );
}

#[test]
fn pg_cron_gets_one_job_for_due_reminders_and_one_for_summaries() {
    if !has_pg_cron() {
        return;
    }
    let (_home, mut client) = home();
    run(&mut client, "CREATE EXTENSION assignment_reminders");
    run(&mut client, "SELECT assignment_reminders.install()");
    assert_eq!(refused(&mut client, "SELECT * FROM schedule_delivery_jobs()").sqlstate, "55000");
    run(&mut client, "CREATE EXTENSION pg_cron WITH SCHEMA pg_catalog");
    run(&mut client, "SELECT * FROM schedule_delivery_jobs()");
    run(&mut client, "SELECT * FROM schedule_delivery_jobs(summary_schedule => '0 * * * *')");
    assert_eq!(
        rows(&mut client, "SELECT jobname, schedule, command FROM cron.job ORDER BY 1"),
        [
            "assignment_reminders daily summaries|0 * * * *|SELECT count(*) FROM assignment_reminders.enqueue_daily_summaries()",
            "assignment_reminders due reminders|* * * * *|SELECT count(*) FROM assignment_reminders.enqueue_due_reminders()",
        ]
    );
    for command in rows(&mut client, "SELECT command FROM cron.job") {
        assert_eq!(row(&mut client, &command), "0");
    }
    assert_eq!(row(&mut client, "SELECT unschedule_delivery_jobs()"), "2");
    assert_refused(
        &mut client,
        "SELECT * FROM schedule_delivery_jobs(due_schedule => '')",
        "22023",
        "due_schedule is empty",
    );
}
