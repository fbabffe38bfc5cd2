//! What becomes of each silence, and why: explanations, the coordinator's list, and whom nobody will hear of.

use postgres::Client;
use uuid::Uuid;

use crate::support::{Database, People, assert_refused, row, rows, run};

/// One assignment, given on 1 November, a Sunday. Weekends are off, and the 9th and 10th.
fn one() -> (Database, Client, People, Uuid) {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    run(
        &mut client,
        "UPDATE reminder_settings SET weekly_days_off = '{6,7}', reminder_after_days = 5, escalate_after_days = 10, escalation_grace_days = 2, evaluation_hour = 7;
         INSERT INTO days_off (first_day, last_day, reason) VALUES ('2026-11-09', '2026-11-10', 'break');
         INSERT INTO evaluation_runs (as_of, started_at, status) VALUES ('2026-10-31 11:00+00', '2026-10-31 11:00+00', 'succeeded'),
                                                                        ('2026-10-31 12:00+00', '2026-10-31 12:00+00', 'succeeded')",
    );
    let assignment = people.assignment(&mut client, "2026-11-01");
    (database, client, people, assignment)
}

fn explained(client: &mut Client, assignment: Uuid, at: &str, columns: &str) -> String {
    row(client, &format!("SELECT {columns} FROM explain_assignment('{assignment}', '{at}')"))
}

fn enqueued(client: &mut Client, at: &str) -> Vec<String> {
    rows(client, &format!("SELECT action FROM run_daily_evaluation('{at}')"))
}

fn send(client: &mut Client, at: &str) {
    run(
        client,
        &format!(
            "SELECT mark_reminder_sent(reminder_id, claim_id, as_of => '{at}') FROM claim_reminders(as_of => '{at}')"
        ),
    );
}

const CODES: &str = "(SELECT string_agg(s ->> 'code', ' ') FROM jsonb_array_elements(sentences) AS s)";

#[test]
fn the_day_that_is_foretold_is_the_one_on_which_a_run_acts() {
    let (_database, mut client, _, assignment) = one();
    let mut acted = Vec::new();
    let mut foretold: Option<String> = None;
    for day in 1..=30 {
        let day = format!("2026-11-{day:02}");
        // Before the hour of evaluation nothing happens, and the day stays the same.
        assert_eq!(enqueued(&mut client, &format!("{day} 06:00+00")), [""; 0], "{day}");
        let next = explained(&mut client, assignment, &format!("{day} 06:00+00"), "next_action, next_on");
        assert!(foretold.as_ref().is_none_or(|before| *before == next), "{foretold:?} {next} {day}");
        let would = explained(&mut client, assignment, &format!("{day} 08:00+00"), "would_enqueue, action");
        let done = enqueued(&mut client, &format!("{day} 08:00+00"));
        assert_eq!(done.first().map_or("f".to_string(), |_| "t".to_string()), would[..1], "{day}");
        foretold = Some(next);
        if let Some(action) = done.first() {
            assert_eq!(foretold, Some(format!("{action}|{day}")));
            send(&mut client, &format!("{day} 09:00+00"));
            acted.push(format!("{action} {day}"));
            foretold = None;
        }
        // Runs that are a day apart would evaluate at any hour.
        for late in ["21:00+00", "22:00+00"] {
            assert_eq!(enqueued(&mut client, &format!("{day} {late}")), [""; 0], "{day}");
        }
    }
    // Counted days are the 2nd to 6th; then the 11th to 13th, and the 16th and 17th.
    assert_eq!(acted, ["remind 2026-11-06", "escalate 2026-11-17"]);
    assert_eq!(explained(&mut client, assignment, "2026-11-30 08:00+00", "state, next_on, forgotten"), "escalated|-|-");
}

#[test]
fn an_explanation_says_what_counts_who_is_written_to_and_which_gate_stops_it() {
    let (_database, mut client, _, assignment) = one();
    run(&mut client, &format!("SELECT pause_assignment('{assignment}', '2026-11-12', 'ill', '2026-11-11 08:00+00')"));
    let at = "2026-11-15 08:00+00";
    assert_eq!(
        explained(
            &mut client,
            assignment,
            at,
            "silent_since, days_since, counted_days, mentor_name, coordinator_name, action, state"
        ),
        "2026-11-01|14|6|mentor|coordinator|none|silent"
    );
    let spans = "SELECT s ->> 'first_day', s ->> 'last_day', s ->> 'days', s ->> 'cause', s ->> 'reason'";
    assert_eq!(
        rows(
            &mut client,
            &format!(
                "{spans} FROM explain_assignment('{assignment}', '{at}'), jsonb_array_elements(days_not_counted) AS s"
            )
        ),
        [
            "2026-11-07|2026-11-08|2|weekly|-",
            "2026-11-09|2026-11-10|2|day_off|break",
            "2026-11-11|2026-11-12|2|pause|ill",
            "2026-11-14|2026-11-15|2|weekly|-",
        ]
    );
    let stopped_by = |client: &mut Client, at: &str| {
        let gates =
            "string_agg(g ->> 'gate' || '=' || (g ->> 'value'), ' ') FILTER (WHERE NOT (g ->> 'is_passed')::boolean)";
        row(
            client,
            &format!(
                "SELECT {gates} FROM explain_assignment('{assignment}', '{at}'), jsonb_array_elements(gates) AS g"
            ),
        )
    };
    let not_reminded = "mentor_reminded=no escalation_grace_days=- of 2";
    assert_eq!(stopped_by(&mut client, at), format!("day_on=weekly escalate_after_days=6 of 10 {not_reminded}"));
    assert_eq!(
        explained(&mut client, assignment, at, "explanation"),
        "There was no contact since it was assigned on 1 November 2026, 14 days ago. 6 of these days count; the others do not: \
         4 weekly days off; 9 November 2026 to 10 November 2026 (day off: break); 11 November 2026 to 12 November 2026 (paused: ill). \
         mentor is to be reminded: 5 counted days have passed. Nothing is enqueued today: weekly day off. If nothing changes, mentor is reminded on 16 November 2026."
    );
    enqueued(&mut client, "2026-11-15 21:00+00");
    enqueued(&mut client, "2026-11-15 22:00+00");
    assert_eq!(
        stopped_by(&mut client, "2026-11-16 06:00+00"),
        format!("escalate_after_days=7 of 10 {not_reminded} hour_reached=7")
    );
    let codes = explained(&mut client, assignment, "2026-11-16 08:00+00", CODES);
    assert_eq!(codes, "never_contacted days_not_counted reminder_due next_run");
    assert_eq!(enqueued(&mut client, "2026-11-16 08:00+00"), ["remind"]);
    assert!(stopped_by(&mut client, "2026-11-16 08:00+00").contains("not_enqueued=pending"));
    let codes = explained(&mut client, assignment, "2026-11-16 08:00+00", CODES);
    assert_eq!(codes, "never_contacted days_not_counted reminder_waits");
    send(&mut client, "2026-11-16 09:00+00");
    let codes = explained(&mut client, assignment, "2026-11-17 08:00+00", CODES);
    assert_eq!(codes, "never_contacted days_not_counted reminded escalation_not_due next");
    run(&mut client, "UPDATE assignments SET status = 'completed'");
    assert_eq!(
        explained(&mut client, assignment, "2026-11-17 08:00+00", "action, would_enqueue, state, next_on"),
        "none|f|-|-"
    );
    for (sql, sqlstate, text) in [
        ("SELECT * FROM explain_assignment('00000000-0000-0000-0000-00000000dead')", "02000", "dead"),
        ("SELECT * FROM explain_assignment(NULL)", "22004", "assignment_id"),
        ("SELECT * FROM explain_assignment('00000000-0000-0000-0000-00000000dead', 'infinity')", "22008", "infinity"),
    ] {
        assert_refused(&mut client, sql, sqlstate, text);
    }
}

#[test]
fn whoever_nobody_will_hear_of_is_listed_with_the_reason_counted_by_the_run_and_told_by_health() {
    let (_database, mut client, people, assignment) = one();
    let forgotten = |client: &mut Client, at: &str| {
        rows(client, &format!("SELECT reason, is_decided FROM forgotten_assignments(as_of => '{at}')"))
    };
    let at = "2026-11-05 08:00+00";
    assert_eq!(forgotten(&mut client, at), [""; 0]);
    for (change, expected, back) in [
        (
            "UPDATE assignments SET peer_mentor_id = NULL, coordinator_id = NULL".to_string(),
            "no_recipient|f",
            format!("UPDATE assignments SET peer_mentor_id = '{}', coordinator_id = '{}'", people.mentor, people.coordinator),
        ),
        (
            format!("SELECT pause_assignment('{assignment}', NULL, 'ill', '2026-11-03 08:00+00')"),
            "paused_for_good|t",
            format!("SELECT resume_assignment('{assignment}', '2026-11-03 08:00+00')"),
        ),
        (
            "UPDATE reminder_settings SET reminder_after_days = NULL".to_string(),
            "reminders_off|t",
            "UPDATE reminder_settings SET reminder_after_days = 5".to_string(),
        ),
        (
            "DELETE FROM reminder_settings".to_string(),
            "no_settings|f",
            "INSERT INTO reminder_settings (reminder_after_days, escalate_after_days, evaluation_hour) VALUES (5, 10, 7)".to_string(),
        ),
    ] {
        run(&mut client, &change);
        assert_eq!(forgotten(&mut client, at), [expected], "{change}");
        run(&mut client, &back);
        assert_eq!(forgotten(&mut client, at), [""; 0], "{back}");
    }
    let counted =
        "SELECT forgotten FROM evaluation_runs WHERE status = 'succeeded' ORDER BY started_at DESC, as_of DESC LIMIT 1";
    enqueued(&mut client, at);
    assert_eq!(row(&mut client, counted), "0");
    enqueued(&mut client, "2026-11-05 09:00+00");
    assert_eq!(row(&mut client, counted), "-", "once a day");
    run(&mut client, "UPDATE assignments SET peer_mentor_id = NULL, coordinator_id = NULL");
    enqueued(&mut client, "2026-11-06 08:00+00");
    assert_eq!(row(&mut client, counted), "1");
    let health = "SELECT count(*) FROM evaluation_health(as_of => '2026-11-06 10:00+00'), unnest(reasons) AS r WHERE r LIKE 'assignments that nobody will hear of: 1;%'";
    assert_eq!(row(&mut client, health), "1");
    run(&mut client, "UPDATE assignments SET follow_up = false");
    assert_eq!(row(&mut client, health), "0", "at once");
    run(&mut client, "UPDATE assignments SET follow_up = true");
    let mended = format!("UPDATE assignments SET coordinator_id = '{}'", people.coordinator);
    run(&mut client, &mended);
    enqueued(&mut client, "2026-11-06 09:00+00");
    assert_eq!(row(&mut client, counted), "0", "by the next run, while there are any");
    assert_eq!(row(&mut client, health), "0");
    assert_refused(
        &mut client,
        "SELECT * FROM forgotten_assignments('00000000-0000-0000-0000-00000000dead')",
        "02000",
        "dead",
    );
}

#[test]
fn the_coordinators_list_says_what_comes_next() {
    let (_database, mut client, people, _) = one();
    run(
        &mut client,
        "UPDATE assignments SET assigned_on = current_date - 1; UPDATE reminder_settings SET weekly_days_off = '{}'",
    );
    let list = "SELECT title, days_since, counted_days, peer_mentor_name, coordinator_name, last_reminder_sent_at, state, next_action,
                       next_on = current_date + 4, forgotten FROM silent_assignments";
    let expected = row(&mut client, &format!("SELECT title FROM assignments WHERE student_id = '{}'", people.student));
    assert_eq!(rows(&mut client, list), [format!("{expected}|1|1|mentor|coordinator|-|silent|remind|t|-")]);
    run(&mut client, "UPDATE assignments SET follow_up = false");
    assert_eq!(rows(&mut client, list), [""; 0]);
}
