//! The SQL bindings of the rules: their values, their errors, and that they agree with an independent SQL formulation.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::{Database, assert_refused, row, rows, run};

#[test]
fn the_examples_of_the_contract_hold() {
    let database = Database::installed();
    let mut client = database.connect();
    let mut holds = |sql: &str, expected: &str| assert_eq!(row(&mut client, sql), expected, "{sql}");
    holds("SELECT days_since_last_contact(date '2026-11-01', date '2026-11-22')", "21");
    holds("SELECT days_since_last_contact(NULL, date '2026-11-22')", "-");
    holds("SELECT days_since_last_contact(current_date - 3)", "3");
    holds("SELECT is_reminder_due(13, 14), is_reminder_due(14, 14), is_reminder_due(15, 14)", "f|t|t");
    holds("SELECT is_reminder_due(NULL, 14), is_reminder_due(14, NULL)", "f|f");
    holds(
        "SELECT is_escalation_due(28, 28, NULL), is_escalation_due(28, 28, now()), is_escalation_due(27, 28, now())",
        "f|t|f",
    );
    holds(
        "SELECT action, days_since FROM evaluate_assignment(
             last_contact_date => date '2026-10-20', assigned_on => date '2026-09-01',
             last_reminder_sent_at => timestamptz '2026-11-05 08:00+00',
             reminder_after_days => 14, escalate_after_days => 28, as_of => date '2026-11-22')",
        "escalate|33",
    );
    holds("SELECT (evaluate_assignment(NULL, date '2026-11-08', NULL, 14, 28, date '2026-11-22')).*", "remind|14");
    holds(
        "SELECT (evaluate_assignment(date '2026-11-22', date '2026-09-01', NULL, 14, 28, date '2026-11-22')).*",
        "none|0",
    );
}

#[test]
fn actions_compare_as_text_with_an_empty_search_path() {
    let database = Database::installed();
    let mut client = database.connect();
    run(&mut client, "SET search_path = ''");
    let sql = "SELECT e.action = 'remind', e.action IN ('none', 'remind', 'escalate'), pg_typeof(e.action), e
                 FROM assignment_reminders.evaluate_assignment(NULL, '2026-01-01', NULL, 14, NULL, '2026-11-22') AS e";
    assert_eq!(row(&mut client, sql), "t|t|text|(remind,325)");
    // Through the binary protocol too.
    let found = client.query_one(
        "SELECT (assignment_reminders.evaluate_assignment(NULL, '2026-01-01', NULL, 14, NULL, '2026-11-22')).action",
        &[],
    );
    assert_eq!(found.expect("one row").get::<_, String>(0), "remind");
    assert_eq!(row(&mut client, "SELECT count(*) FROM assignment_reminders.evaluate_assignments()"), "0");
    assert_eq!(row(&mut client, "SELECT count(*) FROM assignment_reminders.run_daily_evaluation()"), "0");
}

#[test]
fn dates_that_cannot_be_counted_are_refused_by_name() {
    let database = Database::installed();
    let mut client = database.connect();
    for date in ["infinity", "-infinity", "300000-01-01", "5874897-12-31"] {
        assert_refused(&mut client, &format!("SELECT days_since_last_contact('{date}', '2026-01-01')"), "22008", date);
        assert_refused(&mut client, &format!("SELECT days_since_last_contact('2026-01-01', '{date}')"), "22008", date);
        let evaluation = format!("SELECT evaluate_assignment('{date}', '2026-01-01', NULL, 14, 28, '2026-01-01')");
        assert_refused(&mut client, &evaluation, "22008", date);
    }
    let infinite = "SELECT evaluate_assignment(NULL, '2026-01-01', 'infinity', 14, 28, '2026-01-01')";
    assert_refused(&mut client, infinite, "22008", "last_reminder_sent_at infinity");
    let ancient =
        "SELECT days_since_last_contact('4713-01-01 BC', '2026-11-22') = date '2026-11-22' - date '4713-01-01 BC'";
    assert_eq!(row(&mut client, ancient), "t");
}

#[test]
fn negative_thresholds_and_missing_dates_are_refused_by_name() {
    let database = Database::installed();
    let mut client = database.connect();
    assert_refused(&mut client, "SELECT is_reminder_due(1, -1)", "22023", "-1 days");
    assert_refused(&mut client, "SELECT is_escalation_due(1, -2147483648, now())", "22023", "-2147483648");
    assert_refused(&mut client, "SELECT evaluate_assignment(NULL, '2026-01-01', NULL, -5, 28)", "22023", "-5");
    assert_refused(&mut client, "SELECT evaluate_assignment(NULL, NULL::date, NULL, 14, 28)", "22004", "assigned_on");
    assert_refused(&mut client, "SELECT evaluate_assignment(NULL, '2026-01-01', NULL, 14, 28, NULL)", "22004", "as_of");
    assert_refused(&mut client, "SELECT evaluate_assignment(assignment_id => NULL)", "22004", "assignment_id");
    let unknown = "SELECT evaluate_assignment(assignment_id => '00000000-0000-0000-0000-00000000dead')";
    assert_refused(&mut client, unknown, "02000", "00000000-0000-0000-0000-00000000dead");
}

#[test]
fn one_call_site_may_see_many_rows() {
    let database = Database::installed();
    let mut client = database.connect();
    let sql = "SELECT e.action, count(*), sum(e.days_since) FROM generate_series(0, 999) AS day,
                      LATERAL evaluate_assignment(date '2026-11-22' - day, '2020-01-01', NULL, 14, 28, date '2026-11-22') AS e
                GROUP BY 1 ORDER BY 1";
    assert_eq!(rows(&mut client, sql), ["none|14|91", "remind|986|499409"]);
}

/// The rules in SQL, written from the design and not from the Rust.
const INDEPENDENT: &str = "
    SELECT CASE WHEN $3::timestamptz IS NOT NULL AND ($3 AT TIME ZONE 'UTC')::date >= greatest($1::date, $2::date)
                     AND $6::date - greatest($1, $2) >= $5::integer THEN 'escalate'
                WHEN $6 - greatest($1, $2) >= $4::integer THEN 'remind'
                ELSE 'none' END,
           $6 - greatest($1, $2), $6 - $1, coalesce($6 - $1 >= $4, false)";

#[test]
fn the_rules_agree_with_an_independent_formulation_in_sql() {
    let database = Database::installed();
    let mut client = database.connect();
    let ours = client
        .prepare(
            "SELECT e.action, e.days_since, days_since_last_contact($1, $6), is_reminder_due(days_since_last_contact($1, $6), $4)
               FROM evaluate_assignment($1::date, $2::date, $3::timestamptz, $4::integer, $5::integer, $6::date) AS e",
        )
        .expect("our formulation");
    let theirs = client.prepare(INDEPENDENT).expect("the independent formulation");

    let day =
        || (0..4000i32).prop_map(|day| chrono::NaiveDate::from_num_days_from_ce_opt(738_000 + day).expect("a day"));
    let moment = || {
        (day(), 0..86_400u32).prop_map(|(day, second)| {
            day.and_time(chrono::NaiveTime::from_num_seconds_from_midnight_opt(second, 0).expect("a time")).and_utc()
        })
    };
    let threshold = || proptest::option::of(prop_oneof![0..40i32, Just(14), Just(28)]);
    let facts = (proptest::option::of(day()), day(), proptest::option::of(moment()), threshold(), threshold(), day());

    // Half of the cases lie near a boundary: as_of is a threshold, more or less a day, after the contact.
    let near = (facts, -1..=1i64, any::<bool>()).prop_map(
        |((contact, assigned, sent, remind, escalate, as_of), off, snap)| {
            let since = contact.map_or(assigned, |date| date.max(assigned));
            let snapped = since + chrono::Duration::days(i64::from(remind.or(escalate).unwrap_or(14)) + off);
            (contact, assigned, sent, remind, escalate, if snap { snapped } else { as_of })
        },
    );
    let mut runner = TestRunner::new(Config { cases: 2000, failure_persistence: None, ..Config::default() });
    let client = std::cell::RefCell::new(client);
    runner
        .run(&near, |(contact, assigned, sent, remind, escalate, as_of)| {
            let arguments: [&(dyn postgres::types::ToSql + Sync); 6] =
                [&contact, &assigned, &sent, &remind, &escalate, &as_of];
            let mut client = client.borrow_mut();
            let answer = |row: postgres::Row| {
                (row.get::<_, String>(0), row.get::<_, i32>(1), row.get::<_, Option<i32>>(2), row.get::<_, bool>(3))
            };
            let ours = answer(client.query_one(&ours, &arguments).expect("ours"));
            let theirs = answer(client.query_one(&theirs, &arguments).expect("theirs"));
            prop_assert_eq!(ours, theirs);
            Ok(())
        })
        .expect("both formulations agree");
}

#[test]
fn sql_and_rust_agree_on_when_a_silence_began_and_on_its_boundary() {
    let database = Database::installed();
    let mut client = database.connect();
    // evaluate_assignment counts the days from where the rules say that the silence began, silent_since says it for the index.
    let wrong = rows(
        &mut client,
        "SELECT contact, assigned FROM
                (SELECT CASE WHEN c < 40 THEN date '2026-01-01' + c END AS contact, date '2026-01-01' + a AS assigned
                   FROM generate_series(0, 40) AS c, generate_series(0, 40) AS a) AS dates
          WHERE (evaluate_assignment(contact, assigned, NULL, 14, 28, date '2026-03-01')).days_since
                <> date '2026-03-01' - silent_since(contact, assigned)
             OR silence_anchor(silent_since(contact, assigned)) AT TIME ZONE 'UTC' <> silent_since(contact, assigned)",
    );
    assert_eq!(wrong, [""; 0]);
    // The run looks no further than these days: from them on, no threshold is reached.
    let wrong = rows(
        &mut client,
        "SELECT remind, escalate FROM generate_series(0, 60, 7) AS remind, generate_series(0, 60, 7) AS escalate,
                latest_starts_of_silence(remind, escalate, '2026-03-01') AS latest
          WHERE latest.any_action <> date '2026-03-01' - least(remind, escalate) OR latest.beyond_reminder <> date '2026-03-01' - escalate",
    );
    assert_eq!(wrong, [""; 0]);
    assert_eq!(
        rows(
            &mut client,
            "SELECT l.* FROM (VALUES (14, NULL), (NULL, 28), (NULL, NULL)) AS t (remind, escalate), latest_starts_of_silence(remind, escalate, '2026-03-01') AS l"
        ),
        ["2026-02-15|-", "2026-02-01|2026-02-01", "-|-"]
    );
    assert_refused(&mut client, "SELECT latest_starts_of_silence(-1, NULL, '2026-03-01')", "22023", "-1");
    assert_refused(&mut client, "SELECT latest_starts_of_silence(14, 28, NULL)", "22004", "as_of");
}

#[test]
fn the_kinds_of_reminders_are_one_table_that_every_function_asks() {
    let database = Database::installed();
    let mut client = database.connect();
    assert_eq!(
        rows(&mut client, "SELECT * FROM reminder_kinds()"),
        [
            "remind|contact-reminder|silence|mentor",
            "escalate|contact-escalation|silence|coordinator",
            "summary|daily-summary|day|recipient",
            "notice|held-run|occurrence|admin",
            "notice|failed-run|occurrence|admin",
            "notice|slow-run|occurrence|admin",
            "notice|missing-run|occurrence|admin",
            "notice|nothing-sent|occurrence|admin",
            "due|-|due date|recipient",
        ]
    );
    let differing = "SELECT k.kind FROM reminder_kinds() AS k
                      WHERE k.kind <> (reminder_kind(coalesce(k.reminder_type, '24h'))).kind
                         OR (reminder_kind(k.reminder_type)).reminder_type <> k.reminder_type
                         OR reminder_type_of(k.kind) IS DISTINCT FROM CASE WHEN k.kind <> 'notice' THEN k.reminder_type END";
    assert_eq!(rows(&mut client, differing), [""; 0]);
    assert_eq!(
        row(&mut client, "SELECT (reminder_kind('24h')).kind, (reminder_kind('welcome')).follows, reminder_kind(NULL)"),
        "due|due date|-"
    );
    assert_eq!(
        row(
            &mut client,
            "SELECT reminder_type_of('escalate'), reminder_type_of('due'), reminder_type_of('none'), reminder_type_of(NULL)"
        ),
        "contact-escalation|-|-|-"
    );
    assert_refused(&mut client, "SELECT unreachable_reason('nobody', false, true, false)", "22023", "nobody");
}
