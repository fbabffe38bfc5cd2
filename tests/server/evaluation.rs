//! Evaluations: each organization's in its own morning; what a run holds and who is told; what other settings would do.

use postgres::Client;

use crate::support::{Database, People, assert_refused, refused, row, rows, run};

const ORGANIZATION: &str = "00000000-0000-0000-0000-000000000001";
const OTHER: &str = "00000000-0000-0000-0000-000000000002";

fn installed() -> (Database, Client) {
    let database = Database::installed();
    let client = database.connect();
    (database, client)
}

/// Another organization, in this time zone and with this evaluation hour.
fn organization(client: &mut Client, id: &str, timezone: &str, hour: &str) {
    run(
        client,
        &format!(
            "INSERT INTO organizations (id, name, timezone, created_at) VALUES ('{id}', '{timezone}', '{timezone}', '2025-12-01');
             UPDATE reminder_settings SET evaluation_hour = {hour} WHERE organization_id = '{id}'"
        ),
    );
}

/// An admin of an organization.
fn admin(client: &mut Client, organization: &str, name: &str) {
    run(
        client,
        &format!(
            "INSERT INTO users (organization_id, email, name, role) VALUES ('{organization}', '{name}@example.org', '{name}', 'admin')"
        ),
    );
}

/// How many follow-ups a run enqueues for each organization.
fn run_at(client: &mut Client, as_of: &str) -> Vec<String> {
    rows(
        client,
        &format!(
            "SELECT right(organization_id::text, 1), count(*) FROM run_daily_evaluation('{as_of}') GROUP BY 1 ORDER BY 1"
        ),
    )
}

/// Notices of runs that wait: their types, to whom.
fn notices(client: &mut Client) -> Vec<String> {
    rows(
        client,
        "SELECT r.reminder_type, u.name FROM reminders r JOIN users u ON u.id = r.recipient_id
          WHERE r.assignment_id IS NULL AND r.status = 'pending' AND r.reminder_type LIKE '%run' ORDER BY 1, 2",
    )
}

fn send_notices(client: &mut Client) {
    run(
        client,
        "UPDATE reminders SET status = 'sent', sent_at = scheduled_for, attempts = attempts + 1
          WHERE assignment_id IS NULL AND status = 'pending'",
    );
}

#[test]
fn an_organization_is_evaluated_from_its_local_hour_on_and_again_for_what_becomes_due_meanwhile() {
    let (_database, mut client) = installed();
    organization(&mut client, OTHER, "Pacific/Auckland", "7");
    let people = People::in_organization(&mut client, OTHER);
    people.assignments(&mut client, "2026-11-01", 1);
    // 15 November began in Auckland at 11:00 UTC of the 14th.
    for (as_of, enqueued) in [
        ("2026-11-14 10:00+00", [""; 0].to_vec()),
        ("2026-11-14 17:59+00", [""; 0].to_vec()),
        ("2026-11-14 18:00+00", vec!["2|1"]),
        ("2026-11-14 19:00+00", [""; 0].to_vec()),
    ] {
        assert_eq!(run_at(&mut client, as_of), enqueued, "{as_of}");
    }
    people.assignments(&mut client, "2026-11-01", 2);
    assert_eq!(run_at(&mut client, "2026-11-14 20:00+00"), ["2|2"]);
    assert_eq!(
        row(
            &mut client,
            "SELECT evaluated_at, turn_at FROM organization_evaluations WHERE evaluated_at = turn_at AND organization_id::text LIKE '%2'"
        ),
        "2026-11-14 20:00:00+00|2026-11-14 20:00:00+00"
    );
}

#[test]
fn what_a_run_would_do_is_shown_by_the_same_hour() {
    let (_database, mut client) = installed();
    organization(&mut client, OTHER, "UTC", "7");
    People::in_organization(&mut client, OTHER).assignments(&mut client, "2026-11-01", 1);
    run(&mut client, "SELECT run_daily_evaluation('2026-11-14 12:00+00')");
    assert_eq!(row(&mut client, "SELECT count(*) FROM evaluate_assignments('2026-11-15 06:59+00')"), "0");
    assert_eq!(row(&mut client, "SELECT count(*) FROM preview_follow_ups(as_of => '2026-11-15 06:59+00')"), "1");
    assert_eq!(
        row(&mut client, "SELECT action, due_on FROM evaluate_assignments('2026-11-15 07:00+00')"),
        "remind|2026-11-15"
    );
}

/// Zones from the first to the last to see a day, with and without changes of clocks, and hours that these skip or repeat.
const ZONES: [(&str, i32); 17] = [
    ("Pacific/Kiritimati", 7),
    ("Pacific/Chatham", 7),
    ("Pacific/Auckland", 2),
    ("Australia/Lord_Howe", 2),
    ("Asia/Kathmandu", 23),
    ("Asia/Beirut", 0),
    ("Europe/Berlin", 2),
    ("Europe/Berlin", 3),
    ("Europe/London", 7),
    ("Europe/London", 6),
    ("Africa/Casablanca", 7),
    ("UTC", 0),
    ("America/St_Johns", 23),
    ("America/New_York", 1),
    ("America/Santiago", 0),
    ("America/Los_Angeles", 22),
    ("Pacific/Pago_Pago", 7),
];

/// Runs at these moments, and keeps when each organization was evaluated: in a table evaluated (organization_id, at, local).
fn evaluate_at(client: &mut Client, moments: &str) {
    run(
        client,
        "CREATE TABLE IF NOT EXISTS evaluated (organization_id uuid, at timestamptz, local timestamp);
         TRUNCATE evaluated, organization_evaluations, evaluation_runs",
    );
    // Each in a transaction of its own, as jobs are.
    run(
        client,
        &format!(
            "DO $$
             DECLARE moment timestamptz; moments timestamptz[] := ARRAY({moments});
             BEGIN
                 FOREACH moment IN ARRAY moments LOOP
                     PERFORM run_daily_evaluation(moment);
                     INSERT INTO evaluated
                     SELECT e.organization_id, moment, moment AT TIME ZONE o.timezone
                       FROM organization_evaluations e JOIN organizations o ON o.id = e.organization_id
                      WHERE e.evaluated_at = moment;
                     COMMIT;
                 END LOOP;
             END $$"
        ),
    );
}

#[test]
fn over_a_year_each_organization_is_evaluated_on_each_of_its_days_and_never_before_its_hour() {
    let (_database, mut client) = installed();
    for (number, (zone, hour)) in ZONES.iter().enumerate() {
        organization(&mut client, &format!("00000000-0000-0000-0000-0000000001{number:02}"), zone, &hour.to_string());
    }
    run(&mut client, &format!("DELETE FROM organizations WHERE id = '{ORGANIZATION}'"));

    // Hourly; on 10 June nothing runs for a day.
    evaluate_at(
        &mut client,
        "SELECT at FROM generate_series(timestamptz '2026-01-01 00:00+00', '2027-01-01 00:00+00', '1 hour') AS at
          WHERE at < '2026-06-10 03:00+00' OR at >= '2026-06-11 03:00+00'",
    );
    let early =
        "SELECT o.name, s.evaluation_hour, e.local FROM evaluated e JOIN organizations o ON o.id = e.organization_id
                   JOIN reminder_settings s USING (organization_id)
                  WHERE e.at > (SELECT min(at) + interval '1 day' FROM evaluated)
                    AND e.at < ((e.local::date + make_time(s.evaluation_hour, 0, 0)) AT TIME ZONE o.timezone)
                    AND e.at <> '2026-06-11 03:00+00'";
    assert_eq!(rows(&mut client, early), [""; 0], "before its hour");
    let left_out = "SELECT o.name, s.evaluation_hour, day::date FROM organizations o JOIN reminder_settings s ON s.organization_id = o.id,
                           generate_series(timestamp '2026-01-02', '2026-12-30', '1 day') AS day
                     WHERE NOT EXISTS (SELECT FROM evaluated e WHERE e.organization_id = o.id AND e.local::date = day)";
    let of_the_outage = rows(&mut client, &format!("{left_out} AND day NOT BETWEEN '2026-06-09' AND '2026-06-11'"));
    assert_eq!(of_the_outage, [""; 0], "left out");
    let made_up_for = "SELECT count(DISTINCT organization_id) FROM evaluated WHERE at BETWEEN '2026-06-11 03:00+00' AND '2026-06-12 02:00+00'";
    assert_eq!(row(&mut client, made_up_for), ZONES.len().to_string());

    // Daily, at six by UTC.
    let daily = "generate_series(timestamptz '2026-01-01 06:00+00', '2026-12-31 06:00+00', '1 day') AS at";
    evaluate_at(&mut client, &format!("SELECT at FROM {daily}"));
    let not_once = format!(
        "SELECT o.name, at FROM organizations o, {daily} WHERE at > '2026-01-01 06:00+00'
            AND (SELECT count(*) FROM evaluated e WHERE e.organization_id = o.id AND e.at = {daily_at}) <> 1",
        daily_at = "at.at"
    );
    assert_eq!(rows(&mut client, &not_once), [""; 0], "once a day");
}

#[test]
fn hours_and_limits_that_are_none_are_refused() {
    let (_database, mut client) = installed();
    for (setting, constraint) in [
        ("evaluation_hour = 24", "evaluation_hour_of_day"),
        ("evaluation_hour = -1", "evaluation_hour_of_day"),
        ("follow_up_limit = -1", "follow_up_limit_not_negative"),
    ] {
        let refusal = refused(&mut client, &format!("UPDATE reminder_settings SET {setting}"));
        assert!(refusal.sqlstate == "23514" && refusal.message.contains(constraint), "{refusal:?}");
    }
}

/// Two organizations that were evaluated on 20 November, with so many assignments that were then 8 days silent.
fn evaluated(number: i32) -> (Database, Client) {
    let (database, mut client) = installed();
    organization(&mut client, OTHER, "UTC", "NULL");
    for organization in [ORGANIZATION, OTHER] {
        People::in_organization(&mut client, organization).assignments(&mut client, "2026-11-12", number);
    }
    admin(&mut client, ORGANIZATION, "ada");
    admin(&mut client, OTHER, "olga");
    assert_eq!(run_at(&mut client, "2026-11-20 12:00+00"), [""; 0]);
    (database, client)
}

#[test]
fn a_backlog_is_held_and_told_of_until_it_is_released_and_nobody_elses_is() {
    let (_database, mut client) = evaluated(101);
    run(
        &mut client,
        &format!("UPDATE reminder_settings SET reminder_after_days = 5 WHERE organization_id = '{ORGANIZATION}'"),
    );
    run(
        &mut client,
        &format!(
            "UPDATE assignments SET assigned_on = '2026-11-08' WHERE organization_id = '{OTHER}' AND title <= '000003'"
        ),
    );
    assert_eq!(run_at(&mut client, "2026-11-22 12:00+00"), ["2|3"], "the other one's go out");
    assert_eq!(
        rows(
            &mut client,
            "SELECT status, organization_id IS NOT NULL, backlog, reminders, escalations, undeliverable FROM evaluation_runs
              WHERE as_of = '2026-11-22 12:00+00' ORDER BY 1"
        ),
        ["held|t|101|101|0|0", "succeeded|f|-|3|0|0"]
    );
    assert_eq!(
        rows(&mut client, "SELECT held_at, evaluated_at FROM organization_evaluations ORDER BY organization_id"),
        ["2026-11-22 12:00:00+00|2026-11-20 12:00:00+00", "-|2026-11-22 12:00:00+00"]
    );
    assert_eq!(notices(&mut client), ["held-run|ada"]);
    // Not of whether anybody has sent them since then.
    run(
        &mut client,
        "INSERT INTO send_logs (organization_id, reminder_type, status) SELECT id, 'x', 'queued' FROM organizations",
    );
    let health = |client: &mut Client, which: &str| row(client, &format!("SELECT status, reasons[1] FROM {which}"));
    for which in ["evaluation_health()".to_string(), format!("organization_health('{ORGANIZATION}')")] {
        let verdict = health(&mut client, &which);
        assert!(
            verdict.starts_with("critical|follow-ups are held")
                && verdict.contains(&format!("release_held_run('{ORGANIZATION}')")),
            "{verdict}"
        );
    }
    assert_eq!(health(&mut client, &format!("organization_health('{OTHER}')")), "ok|-");
    assert!(refused(&mut client, "SELECT watch_daily_evaluation()").message.contains("held"));
    assert_eq!(
        row(&mut client, "SELECT count(*), min(due_on) FROM evaluate_assignments('2026-11-22 12:00+00')"),
        "101|2026-11-17",
        "which"
    );

    // Told once, held on.
    send_notices(&mut client);
    assert_eq!(run_at(&mut client, "2026-11-23 12:00+00"), [""; 0]);
    assert_eq!(notices(&mut client), [""; 0]);

    assert_eq!(row(&mut client, &format!("SELECT release_held_run('{ORGANIZATION}')")), "t");
    assert_eq!(row(&mut client, &format!("SELECT release_held_run('{ORGANIZATION}')")), "f", "it is released");
    assert_eq!(health(&mut client, "evaluation_health()"), "ok|-");
    run(&mut client, "UPDATE reminder_settings SET evaluation_hour = 7");
    assert_eq!(run_at(&mut client, "2026-11-24 03:00+00"), ["1|101"], "by the next run, at whatever hour");
    assert_eq!(
        rows(&mut client, "SELECT held_at, released_at FROM organization_evaluations ORDER BY organization_id"),
        ["-|-", "-|-"]
    );
    assert_eq!(row(&mut client, "SELECT count(*) FROM alerts WHERE cause LIKE '%run'"), "0");

    // Another occurrence is told of again.
    People::new(&mut client).assignments(&mut client, "2026-09-01", 101);
    assert_eq!(run_at(&mut client, "2026-11-24 08:00+00"), [""; 0], "an import, after the evaluation of that day");
    assert_eq!(notices(&mut client), ["held-run|ada"]);
}

#[test]
fn a_hold_ends_by_itself_where_what_made_it_is_put_right() {
    let (_database, mut client) = evaluated(101);
    run(&mut client, "UPDATE reminder_settings SET reminder_after_days = 5");
    assert_eq!(run_at(&mut client, "2026-11-22 12:00+00"), [""; 0]);
    run(&mut client, "UPDATE reminder_settings SET reminder_after_days = 14");
    // 26 November is the 14th day: what became due since the last evaluation is no backlog.
    assert_eq!(run_at(&mut client, "2026-11-26 12:00+00"), ["1|101", "2|101"]);
    let held = "SELECT reasons::text LIKE '%are held%' FROM evaluation_health()";
    assert_eq!(row(&mut client, held), "f");
    assert_eq!(row(&mut client, "SELECT count(*) FROM alerts WHERE cause LIKE '%run'"), "0");
}

#[test]
fn on_a_day_off_nothing_is_evaluated_and_neither_a_hold_ends_nor_a_release() {
    let (_database, mut client) = evaluated(101);
    run(&mut client, "UPDATE reminder_settings SET reminder_after_days = 5");
    run(
        &mut client,
        &format!(
            "UPDATE reminder_settings SET weekly_days_off = '{{6,7}}', evaluation_hour = 7 WHERE organization_id = '{ORGANIZATION}'"
        ),
    );
    run(&mut client, &format!("UPDATE reminder_settings SET follow_up_limit = NULL WHERE organization_id = '{OTHER}'"));
    // Friday the 20th was evaluated at noon.
    assert_eq!(run_at(&mut client, "2026-11-20 13:00+00"), ["2|101"]);
    assert_eq!(notices(&mut client), ["held-run|ada"]);
    send_notices(&mut client);
    for day in ["2026-11-21 12:00+00", "2026-11-22 12:00+00"] {
        assert_eq!(run_at(&mut client, day), [""; 0], "{day}");
        assert_eq!(row(&mut client, "SELECT status FROM evaluation_health()"), "critical", "{day}");
    }
    assert_eq!(notices(&mut client), [""; 0], "told once");
    assert_eq!(row(&mut client, &format!("SELECT release_held_run('{ORGANIZATION}')")), "t");
    assert_eq!(run_at(&mut client, "2026-11-22 13:00+00"), [""; 0], "a Sunday");
    assert_eq!(run_at(&mut client, "2026-11-23 07:00+00"), ["1|101"], "the release is still there");
}

#[test]
fn what_fell_due_on_a_day_without_a_run_before_a_weekend_is_not_held() {
    let (_database, mut client) = evaluated(150);
    run(&mut client, "UPDATE reminder_settings SET weekly_days_off = '{6,7}', reminder_after_days = 11");
    // By working days, the eleventh is Friday the 27th, when nothing runs.
    run(&mut client, "SELECT run_daily_evaluation('2026-11-26 07:00+00')");
    for day in ["2026-11-28", "2026-11-29"] {
        assert_eq!(run_at(&mut client, &format!("{day} 07:00+00")), [""; 0], "{day}");
    }
    assert_eq!(run_at(&mut client, "2026-11-30 07:00+00"), ["1|150", "2|150"]);
}

#[test]
fn with_one_daily_job_a_run_by_hand_beside_it_leaves_nobody_out() {
    let (_database, mut client) = installed();
    run(&mut client, "UPDATE reminder_settings SET evaluation_hour = 7");
    People::new(&mut client).assignments(&mut client, "2026-11-01", 3);
    for as_of in ["2026-11-12 06:00+00", "2026-11-13 06:00+00", "2026-11-14 15:00+00"] {
        assert_eq!(run_at(&mut client, as_of), [""; 0], "{as_of}");
    }
    assert_eq!(run_at(&mut client, "2026-11-15 06:00+00"), ["1|3"]);
    // Nor does a new organization miss its first day.
    organization(&mut client, OTHER, "UTC", "7");
    run(&mut client, &format!("UPDATE organizations SET created_at = '2026-11-16 12:00+00' WHERE id = '{OTHER}'"));
    People::in_organization(&mut client, OTHER).assignments(&mut client, "2026-11-03", 2);
    assert_eq!(run_at(&mut client, "2026-11-16 06:00+00"), [""; 0]);
    assert_eq!(run_at(&mut client, "2026-11-17 06:00+00"), ["2|2"]);
}

#[test]
fn an_organization_that_was_held_is_not_evaluated_at_night() {
    let (_database, mut client) = evaluated(101);
    run(&mut client, "UPDATE reminder_settings SET evaluation_hour = 7, reminder_after_days = 5");
    // Hourly, from this moment on.
    let every_hour = |client: &mut Client, from: &str, hours: i32| {
        row(
            client,
            &format!(
                "SELECT sum((SELECT count(*) FROM run_daily_evaluation(at)))
                   FROM generate_series(timestamptz '{from}', timestamptz '{from}' + interval '{hours} hours', '1 hour') AS at"
            ),
        )
    };
    assert_eq!(every_hour(&mut client, "2026-11-21 07:00+00", 16), "0", "held");
    run(&mut client, "UPDATE reminder_settings SET reminder_after_days = 10");
    assert_eq!(every_hour(&mut client, "2026-11-22 00:00+00", 6), "0", "before seven");
    assert_eq!(every_hour(&mut client, "2026-11-22 07:00+00", 0), "202", "due that day");
}

#[test]
fn what_no_earlier_run_could_have_sent_is_no_backlog() {
    // Escalations without grace, of reminders that were sent since the last run.
    let (_database, mut client) = evaluated(150);
    run(&mut client, "UPDATE reminder_settings SET escalation_grace_days = 0, escalate_after_days = 14");
    assert_eq!(run_at(&mut client, "2026-11-26 16:00+00"), ["1|150", "2|150"]);
    run(&mut client, "UPDATE reminders SET status = 'sent', sent_at = '2026-11-26 16:05+00'");
    assert_eq!(run_at(&mut client, "2026-11-26 17:00+00"), ["1|150", "2|150"], "the coordinators");

    // What was enqueued in time, and skipped at the claim since the mentor was away.
    let (_database, mut client) = evaluated(150);
    assert_eq!(run_at(&mut client, "2026-11-26 07:00+00"), ["1|150", "2|150"]);
    run(
        &mut client,
        "SELECT pause_mentor(id, '2026-11-30', as_of => '2026-11-27 07:00+00') FROM peer_mentors;
         SELECT claim_reminders(10000, as_of => '2026-11-27 08:00+00')",
    );
    assert_eq!(row(&mut client, "SELECT count(*) FROM reminders WHERE skip_reason = 'paused'"), "300");
    for day in ["27", "28", "29", "30"] {
        assert_eq!(run_at(&mut client, &format!("2026-11-{day} 09:00+00")), [""; 0], "{day}");
    }
    assert_eq!(run_at(&mut client, "2026-12-01 09:00+00"), ["1|150", "2|150"]);
}

#[test]
fn a_replay_of_the_past_ends_no_hold_and_one_of_the_future_silences_no_alert() {
    let (_database, mut client) = evaluated(101);
    run(
        &mut client,
        &format!(
            "DELETE FROM reminder_settings WHERE organization_id = '{OTHER}'; UPDATE reminder_settings SET reminder_after_days = 5"
        ),
    );
    assert_eq!(run_at(&mut client, "2026-11-22 12:00+00"), [""; 0]);
    assert_eq!(run_at(&mut client, "2026-10-10 12:00+00"), [""; 0]);
    assert_eq!(run_at(&mut client, "2026-11-22 13:00+00"), [""; 0], "still held");
    assert_eq!(
        row(&mut client, "SELECT held_at, evaluated_at FROM organization_evaluations WHERE held_at IS NOT NULL"),
        "2026-11-22 12:00:00+00|2026-11-20 12:00:00+00"
    );
    assert_eq!(
        row(&mut client, "SELECT count(*), min(began_at) FROM alerts WHERE cause = 'held-run'"),
        "1|2026-11-22 12:00:00+00"
    );

    let (_database, mut client) = evaluated(0);
    People::new(&mut client).assignments(&mut client, "2026-01-01", 101);
    let count =
        |client: &mut Client, as_of: &str| row(client, &format!("SELECT count(*) FROM run_daily_evaluation({as_of})"));
    assert_eq!(count(&mut client, "now() + interval '10 years'"), "0");
    assert_eq!(notices(&mut client), ["held-run|ada"]);
    send_notices(&mut client);
    run(&mut client, &format!("SELECT release_held_run('{ORGANIZATION}')"));
    assert_eq!(count(&mut client, "now()"), "101");
    People::new(&mut client).assignments(&mut client, "2026-01-01", 101);
    assert_eq!(count(&mut client, "now()"), "0");
    assert_eq!(notices(&mut client), ["held-run|ada"], "another one, though the clock was ahead");
}

#[test]
fn a_notice_of_what_was_held_is_withdrawn_when_it_is_released() {
    let (_database, mut client) = evaluated(101);
    run(&mut client, "UPDATE reminder_settings SET reminder_after_days = 5");
    assert_eq!(run_at(&mut client, "2026-11-22 12:00+00"), [""; 0]);
    run(
        &mut client,
        "SELECT release_held_run(id) FROM organizations; SELECT run_daily_evaluation('2026-11-22 13:00+00')",
    );
    assert_eq!(
        rows(&mut client, "SELECT status, skip_reason FROM reminders WHERE reminder_type = 'held-run'"),
        ["skipped|over", "skipped|over"]
    );
}

#[test]
fn an_organization_that_somebody_deletes_or_releases_meanwhile_holds_nobody_up() {
    let (database, mut client) = evaluated(3);
    run(&mut client, "INSERT INTO organizations (id, name) VALUES ('00000000-0000-0000-0000-000000000003', 'bare')");
    let mut other = database.connect();
    run(&mut other, "BEGIN; DELETE FROM organizations WHERE name = 'bare'");
    let mut third = database.connect();
    run(
        &mut third,
        &format!("BEGIN; SELECT * FROM organization_evaluations WHERE organization_id = '{OTHER}' FOR UPDATE"),
    );
    run(&mut client, "SET lock_timeout = '2s'");
    assert_eq!(run_at(&mut client, "2026-11-26 12:00+00"), ["1|3"], "the others wait for the next run");
    assert_eq!(row(&mut client, "SELECT status FROM evaluation_runs ORDER BY started_at DESC LIMIT 1"), "succeeded");
    run(&mut client, "SELECT * FROM enqueue_alerts()");
    run(&mut other, "COMMIT");
    run(&mut third, "COMMIT");
    assert_eq!(run_at(&mut client, "2026-11-26 13:00+00"), ["2|3"]);
}

#[test]
fn a_notice_that_is_sent_ends_no_silence_and_is_told_once() {
    let (_database, mut client) = evaluated(1);
    run_at(&mut client, "2026-11-26 07:00+00");
    run(&mut client, "UPDATE reminders SET attempts = 1, retry_at = '2026-11-29 00:00+00'");
    let mut told = Vec::new();
    for hour in 0..48 {
        let at = format!("timestamptz '2026-11-26 08:00+00' + interval '{hour} hours'");
        told.extend(rows(&mut client, &format!("SELECT reminder_type FROM enqueue_alerts(as_of => {at})")));
        run(
            &mut client,
            &format!(
                "INSERT INTO send_logs (organization_id, reminder_type, status, created_at)
                 SELECT organization_id, reminder_type, 'queued', {at} FROM reminders WHERE assignment_id IS NULL AND status = 'pending';
                 UPDATE reminders SET status = 'sent', sent_at = {at} WHERE assignment_id IS NULL AND status = 'pending'"
            ),
        );
    }
    told.retain(|told| told == "nothing-sent");
    assert_eq!(told.len(), 2, "one for each organization");
}

#[test]
fn ordinary_days_are_never_held_however_many_fall_due() {
    // Of one day; after a weekend off; after days without a run; on the day itself, again.
    let (_database, mut client) = evaluated(400);
    assert_eq!(run_at(&mut client, "2026-11-26 12:00+00"), ["1|400", "2|400"]);

    let (_database, mut client) = evaluated(400);
    run(
        &mut client,
        "UPDATE reminder_settings SET weekly_days_off = '{6,7}'; SELECT run_daily_evaluation('2026-11-28 12:00+00')",
    );
    for day in ["2026-11-29", "2026-11-30", "2026-12-01"] {
        assert_eq!(run_at(&mut client, &format!("{day} 12:00+00")), [""; 0], "{day}");
    }
    assert_eq!(run_at(&mut client, "2026-12-02 12:00+00"), ["1|400", "2|400"], "14 working days");

    let (_database, mut client) = evaluated(400);
    assert_eq!(run_at(&mut client, "2026-12-20 12:00+00"), ["1|400", "2|400"], "after an outage");
}

#[test]
fn without_an_earlier_evaluation_what_became_due_before_today_is_a_backlog() {
    let (_database, mut client) = installed();
    let people = People::new(&mut client);
    people.assignments(&mut client, "2026-11-08", 300);
    assert_eq!(
        row(&mut client, "SELECT count(*) FROM run_daily_evaluation('2026-11-22 12:00+00')"),
        "300",
        "due today"
    );

    let (_database, mut client) = installed();
    People::new(&mut client).assignments(&mut client, "2026-11-07", 300);
    assert_eq!(
        row(&mut client, "SELECT count(*) FROM run_daily_evaluation('2026-11-22 12:00+00')"),
        "0",
        "due yesterday"
    );
    assert_eq!(row(&mut client, "SELECT backlog FROM evaluation_runs WHERE status = 'held'"), "300");
    // Up to the limit they go, and without one all do.
    for (limit, enqueued) in [("299", "0"), ("300", "300")] {
        run(&mut client, &format!("UPDATE reminder_settings SET follow_up_limit = {limit}"));
        assert_eq!(
            row(&mut client, "SELECT count(*) FROM run_daily_evaluation('2026-11-22 13:00+00')"),
            enqueued,
            "{limit}"
        );
    }
    let (_database, mut client) = installed();
    People::new(&mut client).assignments(&mut client, "2026-01-01", 300);
    run(&mut client, "UPDATE reminder_settings SET follow_up_limit = NULL");
    assert_eq!(row(&mut client, "SELECT count(*) FROM run_daily_evaluation('2026-11-22 12:00+00')"), "300");
}

#[test]
fn what_can_be_sent_to_nobody_is_no_backlog() {
    let (_database, mut client) = installed();
    let people = People::new(&mut client);
    people.assignments(&mut client, "2026-11-01", 300);
    run(&mut client, &format!("UPDATE users SET contact_opt_out = true WHERE id = '{}'", people.mentor_user));
    assert_eq!(
        row(&mut client, "SELECT count(*), count(skip_reason) FROM run_daily_evaluation('2026-11-22 12:00+00')"),
        "300|300"
    );
}

#[test]
fn a_release_is_of_an_organization_that_there_is() {
    let (_database, mut client) = installed();
    assert_eq!(row(&mut client, &format!("SELECT release_held_run('{ORGANIZATION}')")), "f", "nothing is held");
    assert_refused(&mut client, "SELECT release_held_run(NULL)", "22004", "organization_id");
    assert_refused(&mut client, &format!("SELECT release_held_run('{OTHER}')"), "02000", OTHER);
}

#[test]
fn a_run_that_fails_is_told_to_every_admin_once_until_one_succeeds() {
    let (_database, mut client) = evaluated(1);
    let fail = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
                CREATE TRIGGER refuse BEFORE INSERT ON reminders FOR EACH ROW WHEN (NEW.assignment_id IS NOT NULL) EXECUTE FUNCTION refuse()";
    run(&mut client, fail);
    for hour in ["12", "13"] {
        assert_eq!(run_at(&mut client, &format!("2026-11-26 {hour}:00+00")), [""; 0]);
    }
    assert_eq!(notices(&mut client), ["failed-run|ada", "failed-run|olga"]);
    send_notices(&mut client);
    run_at(&mut client, "2026-11-26 14:00+00");
    assert_eq!(notices(&mut client), [""; 0], "once");
    run(&mut client, "DROP TRIGGER refuse ON reminders");
    assert_eq!(run_at(&mut client, "2026-11-26 15:00+00"), ["1|1", "2|1"]);
    assert_eq!(row(&mut client, "SELECT count(*) FROM alerts WHERE cause LIKE '%run'"), "0");
    run(
        &mut client,
        "CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON reminders FOR EACH ROW WHEN (NEW.assignment_id IS NOT NULL) EXECUTE FUNCTION refuse()",
    );
    People::new(&mut client).assignments(&mut client, "2026-11-12", 1);
    run_at(&mut client, "2026-11-27 15:00+00");
    assert_eq!(notices(&mut client), ["failed-run|ada", "failed-run|olga"], "another one");
}

#[test]
fn a_run_is_kept_whose_admins_cannot_be_told() {
    let (_database, mut client) = evaluated(101);
    run(
        &mut client,
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON reminders FOR EACH ROW WHEN (NEW.assignment_id IS NULL) EXECUTE FUNCTION refuse();
         UPDATE reminder_settings SET reminder_after_days = 5",
    );
    run(&mut client, &format!("UPDATE reminder_settings SET follow_up_limit = 500 WHERE organization_id = '{OTHER}'"));
    assert_eq!(run_at(&mut client, "2026-11-22 12:00+00"), ["2|101"]);
    assert_eq!(
        row(
            &mut client,
            "SELECT string_agg(status, ' ' ORDER BY status) FROM evaluation_runs WHERE as_of > '2026-11-21'"
        ),
        "held succeeded"
    );
}

#[test]
fn runs_that_are_slow_or_missing_are_told_by_the_job_for_alerts() {
    let (_database, mut client) = evaluated(1);
    let tell = "SELECT reminder_type, count(*) FROM enqueue_alerts() GROUP BY 1 ORDER BY 1";
    assert_eq!(rows(&mut client, tell), [""; 0]);
    run(&mut client, "UPDATE evaluation_runs SET started_at = started_at - interval '31 minutes'");
    assert_eq!(rows(&mut client, tell), ["slow-run|2"]);
    run(
        &mut client,
        "UPDATE evaluation_runs SET started_at = started_at - interval '2 days', finished_at = started_at - interval '2 days'",
    );
    assert_eq!(rows(&mut client, tell), ["missing-run|2"]);
    assert_eq!(rows(&mut client, tell), [""; 0], "once");
    assert_eq!(
        rows(&mut client, "SELECT cause FROM alerts ORDER BY 1"),
        ["missing-run", "missing-run"],
        "and it is slow no more"
    );
    assert_refused(&mut client, "SELECT enqueue_alerts(as_of => NULL)", "22004", "as_of");
    assert_refused(&mut client, "SELECT enqueue_alerts(NULL)", "22004", "max_age");
}

#[test]
fn six_hours_in_which_nothing_is_sent_although_something_is_due_are_told_to_the_organizations_admins() {
    let (_database, mut client) = evaluated(2);
    run_at(&mut client, "2026-11-26 12:00+00");
    let tell = |client: &mut Client, at: &str| {
        rows(
            client,
            &format!(
                "SELECT u.name FROM enqueue_alerts(as_of => '2026-11-26 {at}+00') AS n JOIN users u ON u.id = n.recipient_id WHERE n.reminder_type = 'nothing-sent' ORDER BY 1"
            ),
        )
    };
    assert_eq!(tell(&mut client, "17:59"), [""; 0]);
    // One of the other organization's goes out, late.
    run(
        &mut client,
        &format!(
            "INSERT INTO send_logs (organization_id, reminder_type, status, created_at)
             VALUES ('{OTHER}', 'contact-reminder', 'queued', '2026-11-26 17:00+00')"
        ),
    );
    // A failing one that waits to be tried again is due, too.
    run(
        &mut client,
        &format!(
            "UPDATE reminders SET attempts = 1, retry_at = '2026-11-26 23:00+00' WHERE organization_id = '{ORGANIZATION}'"
        ),
    );
    assert_eq!(tell(&mut client, "18:00"), ["ada"]);
    assert_eq!(tell(&mut client, "22:59"), [""; 0]);
    assert_eq!(tell(&mut client, "23:00"), ["olga"]);
}

#[test]
fn a_notice_goes_to_whoever_is_an_admin_when_it_is_sent() {
    let (_database, mut client) = evaluated(101);
    admin(&mut client, ORGANIZATION, "bea");
    admin(&mut client, ORGANIZATION, "out");
    run(
        &mut client,
        "UPDATE users SET contact_opt_out = true WHERE name = 'out'; UPDATE reminder_settings SET reminder_after_days = 5",
    );
    assert_eq!(run_at(&mut client, "2026-11-22 12:00+00"), [""; 0]);
    assert_eq!(notices(&mut client), ["held-run|ada", "held-run|bea", "held-run|olga"]);
    run(&mut client, "UPDATE users SET role = 'coordinator' WHERE name = 'bea'");
    assert_eq!(
        rows(
            &mut client,
            "SELECT reminder_type, recipient_name, assignment_id, anchor FROM claim_reminders(as_of => '2026-11-22 12:01+00') ORDER BY 2"
        ),
        ["held-run|ada|-|2026-11-22 12:00:00+00", "held-run|olga|-|2026-11-22 12:00:00+00"]
    );
    assert_eq!(row(&mut client, "SELECT skip_reason FROM reminders WHERE status = 'skipped'"), "not_admin");
}

#[test]
fn a_preview_says_who_would_get_what_and_changes_nothing() {
    let (database, mut client) = evaluated(3);
    let people = People::new(&mut client);
    people.assignment(&mut client, "2026-10-01");
    run(&mut client, &format!("UPDATE reminder_settings SET evaluation_hour = 23 WHERE organization_id = '{OTHER}'"));
    let (mut reader, _) = database.connect_as_new_role("GRANT USAGE ON SCHEMA assignment_reminders TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA assignment_reminders TO {role}");
    let content = crate::support::content(&mut client);
    let mut preview = |settings: &str| {
        rows(
            &mut reader,
            &format!(
                "SELECT right(organization_id::text, 1), action, count(*), min(due_on) FROM preview_follow_ups({settings}, as_of => '2026-11-22 12:00+00') GROUP BY 1, 2 ORDER BY 1, 2"
            ),
        )
    };
    assert_eq!(preview("NULL"), ["1|remind|1|2026-10-15"], "as set");
    assert_eq!(preview("reminder_after_days => 10"), ["1|remind|4|2026-10-11", "2|remind|3|2026-11-22"]);
    assert_eq!(preview(&format!("organization_id => '{OTHER}', reminder_after_days => 10")), ["2|remind|3|2026-11-22"]);
    assert_eq!(
        preview("reminder_after_days => 10, weekly_days_off => '{6}'"),
        ["1|remind|1|2026-10-13"],
        "8 working days"
    );
    assert_eq!(preview("reminder_after_days => 10, weekly_days_off => '{7}'"), [""; 0], "a Sunday");
    assert_eq!(preview("reminder_after_days => 10, follow_up_from => '2026-11-20'"), [""; 0]);
    assert_eq!(preview("reminder_after_days => 0"), [""; 0], "off");
    assert_eq!(crate::support::content(&mut client), content);
    for (call, sqlstate, text) in [
        ("reminder_after_days => -1", "22023", "negative"),
        ("weekly_days_off => '{8}'", "22023", "8 is not a weekday"),
        ("organization_id => '00000000-0000-0000-0000-0000000000ff'", "02000", "0000000000ff"),
    ] {
        assert_refused(&mut reader, &format!("SELECT * FROM preview_follow_ups({call})"), sqlstate, text);
    }
}
