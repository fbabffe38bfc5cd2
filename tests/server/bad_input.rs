//! Every function of ours with whatever a caller might hand it: a result or an error of a class of its own, never an
//! internal error, and nothing written by what only reads. `make torture` runs many more cases (PROPTEST_CASES).

use std::cell::RefCell;

use postgres::Client;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::support::{Database, People, content, major, rows, run};

/// Values of a type, as SQL.
#[allow(clippy::too_many_lines)] // a table
fn values(data_type: &str) -> &'static [&'static str] {
    match data_type {
        "boolean" => &["NULL", "true", "false"],
        "integer" => &["NULL", "0", "1", "-1", "100", "10000", "10001", "2147483647", "-2147483648"],
        "uuid" => &[
            "NULL",
            "'00000000-0000-0000-0000-000000000000'",
            "'00000000-0000-0000-0000-000000000001'",
            "'ffffffff-ffff-ffff-ffff-ffffffffffff'",
            "(SELECT min(id::text)::uuid FROM assignment_reminders.assignments)",
            "(SELECT max(id::text)::uuid FROM assignment_reminders.users)",
            "(SELECT min(id::text)::uuid FROM assignment_reminders.reminders WHERE status = 'pending')",
            "(SELECT min(id::text)::uuid FROM assignment_reminders.reminders WHERE claim_id IS NOT NULL)",
            "(SELECT min(claim_id::text)::uuid FROM assignment_reminders.reminders)",
        ],
        "date" => &[
            "NULL",
            "'2026-11-22'",
            "'2026-03-29'",
            "'infinity'",
            "'-infinity'",
            "'4713-01-01 BC'",
            "'5874897-12-31'",
            "'0001-01-01'",
            "'9999-12-31'",
            "'10000-01-01'",
        ],
        "timestamp with time zone" => &[
            "NULL",
            "'2026-11-22 12:00+00'",
            "'2026-10-25 00:59:59.999999+00'",
            "'infinity'",
            "'-infinity'",
            "'4713-01-01 00:00:00+00 BC'",
            "'294276-12-31 23:59:59.999999+00'",
            "'0001-01-01 00:00+00'",
            "'9999-12-31 23:59+00'",
        ],
        "interval" => &[
            "NULL",
            "'0'",
            "'1 microsecond'",
            "'5 minutes'",
            "'1 day'",
            "'-1 day'",
            "'1 month -30 days'",
            "'178000000 years'",
            "'-178000000 years'",
            "'2147483647 days'",
        ],
        "text" => &[
            "NULL",
            "''",
            "' '",
            "'hours'",
            "'days'",
            "'contact-reminder'",
            "'24h'",
            "'bounced'",
            "'delivered'",
            "'open'",
            "'Europe/Oslo'",
            "'No/Where'",
            "'30 6 * * *'",
            "$$'; DROP TABLE assignment_reminders.assignments; --\"\\$$",
            "'Øyvind 𝕏 שלום \u{202e}'",
            "'%s%n%1$s'",
            "repeat('é', 100000)",
        ],
        "integer[]" => &[
            "NULL",
            "'{}'",
            "'{24,2}'",
            "'{NULL}'",
            "'{-1,2147483647}'",
            "'{{1,2},{3,4}}'",
            "'[5:6]={1,2}'",
            "array_fill(7, ARRAY[100000])",
        ],
        "timestamp with time zone[]" => &[
            "NULL",
            "'{}'",
            "'{NULL}'",
            "'{2026-11-22 12:00+00,infinity}'",
            "'{-infinity,4713-01-01 BC}'",
            "array_fill(timestamptz '2026-11-22', ARRAY[20000])",
        ],
        "bigint" => &["NULL", "0", "101", "-9223372036854775808", "9223372036854775807"],
        "text[]" => &[
            "NULL",
            "'{}'",
            "'{NULL}'",
            "'{a}'",
            "'{a,b,c}'",
            "'{{a,b},{c,d}}'",
            "array_fill('x'::text, ARRAY[20000])",
        ],
        "boolean[]" => &["NULL", "'{}'", "'{NULL}'", "'{t}'", "'{t,f,t}'", "array_fill(true, ARRAY[20000])"],
        "uuid[]" => &[
            "NULL",
            "'{}'",
            "'{NULL}'",
            "ARRAY(SELECT id FROM assignment_reminders.reminders WHERE claim_id IS NOT NULL)",
            "ARRAY(SELECT id FROM assignment_reminders.reminders UNION ALL SELECT id FROM assignment_reminders.reminders)",
            "array_fill('00000000-0000-0000-0000-000000000000'::uuid, ARRAY[20000])",
            "'{{00000000-0000-0000-0000-000000000000},{00000000-0000-0000-0000-000000000001}}'",
        ],
        // Typed by themselves.
        "jsonb" => &[
            "NULL",
            "'{}'",
            "'[]'",
            "'null'",
            r#"'{"reminder_after_days": 2, "weekly_days_off": [1, null, 8]}'"#,
            r#"'{"escalate_after_days": null, "follow_up_from": "infinity"}'"#,
            r#"'{"reminder_after_days": 1e400}'"#,
        ],
        "anyelement" => &["NULL::date", "date 'infinity'", "''::text", "ARRAY[1, NULL]"],
        "assignment_reminders.reminder_facts" => &[
            "NULL",
            "ROW(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, true, true, false)",
            "ROW('24h', '2026-11-23', '2026-11-22', '2026-11-23', 'open', '2026-10-01', '2026-11-23', NULL, NULL, NULL, false, true, '2026-11-22', true, true, false, true, true, true)",
            "ROW('contact-reminder', 'infinity', '-infinity', 'infinity', 'open', 'infinity', '-infinity', NULL, NULL, NULL, true, NULL, '2026-11-22', NULL, false, true, true, true, true)",
            "ROW('daily-summary', '4713-01-01 BC', NULL, NULL, NULL, NULL, NULL, true, true, true, false, true, '294276-12-31', false, NULL, NULL, true, true, true)",
            "ROW(repeat('é', 100000), NULL, NULL, NULL, repeat('x', 100000), '5874897-12-31', NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-22', NULL, NULL, NULL, true, true, true)",
        ],
        "assignment_reminders.silence_facts" => &[
            "NULL",
            "ROW(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
            "ROW('2026-10-01', '2026-11-22', '{2026-10-05,NULL}', '{2026-10-06,infinity}', NULL, 'sent', NULL, '2026-10-20', NULL, 14, 28, 3, '{6,7}', '{2026-11-01}', '{2026-11-02}', '2026-01-01')",
            "ROW('-infinity', 'infinity', '{infinity,-infinity}', '{-infinity}', 'no_mentor', 'skipped', 'no_mentor', 'infinity', '-infinity', 0, 2147483647, 2147483647, '{1,2,3,4,5,6,7}', '{-infinity}', '{infinity}', 'infinity')",
            "ROW('4713-01-01 BC', '5874897-12-31', NULL, '{2026-10-06}', NULL, repeat('x', 100000), NULL, NULL, '2026-01-01', NULL, 1, 0, '{0}', NULL, NULL, '-infinity')",
        ],
        "assignment_reminders.assignment_facts" => &[
            "NULL",
            "ROW(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
            "ROW('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002', repeat('x', 100000), 'open', true, '00000000-0000-0000-0000-000000000003', '-infinity', NULL, 'infinity', '4713-01-01 BC')",
        ],
        "assignment_reminders.settings_facts" => &[
            "NULL",
            "ROW(true, 0, 2147483647, -1, '{8,NULL}', 'infinity', NULL, 99, NULL)",
            "ROW(true, 14, 28, 3, '{6,7}', '2026-01-01', '00000000-0000-0000-0000-000000000003', 7, false)",
        ],
        "assignment_reminders.person_facts" => &[
            "NULL",
            "ROW(NULL, NULL, NULL, NULL, NULL)",
            "ROW('00000000-0000-0000-0000-000000000003', '', false, true, '{NULL,x}')",
        ],
        "assignment_reminders.message_facts" => &[
            "NULL",
            "ROW('00000000-0000-0000-0000-000000000004', 'contact-reminder', 'infinity', 'sent', NULL, '-infinity', 'infinity', NULL, NULL)",
            "ROW('00000000-0000-0000-0000-000000000004', repeat('x', 100000), '2026-11-22', 'skipped', 'muted', NULL, '294276-12-31', NULL, NULL)",
        ],
        "assignment_reminders.stop_facts" => &[
            "NULL",
            "ROW('{infinity,NULL}', '{-infinity}', '{leave}', NULL)",
            "ROW('{2026-11-01}', '{2026-11-02}', '{pause}', '{ill}')",
        ],
        "interval[]" => &[
            "NULL",
            "'{}'",
            "'{NULL}'",
            "'{24 hours,-1 day,178000000 years}'",
            "array_fill(interval '1 day', ARRAY[20000])",
        ],
        "date[]" => &[
            "NULL",
            "'{}'",
            "'{NULL}'",
            "'{2026-11-22,infinity}'",
            "'{-infinity,4713-01-01 BC,5874897-12-31}'",
            "array_fill(date '2026-11-22', ARRAY[20000])",
        ],
        other => panic!("no values for {other}: add some"),
    }
}

/// Those that a server of this major version knows, too.
fn newer_values(data_type: &str, major: u32) -> &'static [&'static str] {
    match data_type {
        "interval" if major >= 17 => &["'infinity'", "'-infinity'"],
        _ => &[],
    }
}

const ZONES: [&str; 6] =
    ["UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia", "<+13:45>-13:45", "Antarctica/Troll"];

struct Function {
    name: String,
    reads: bool,
    arguments: Vec<String>,
}

fn functions(client: &mut Client) -> Vec<Function> {
    rows(
        client,
        "SELECT 'assignment_reminders.' || proname, provolatile <> 'v', array_to_string(ARRAY(SELECT format_type(t, NULL) FROM unnest(proargtypes) AS t), ';')
           FROM pg_proc p WHERE pronamespace = 'assignment_reminders'::regnamespace AND prorettype <> 'trigger'::regtype ORDER BY p.oid",
    )
    .iter()
    .map(|row| {
        let parts: Vec<&str> = row.split('|').collect();
        Function {
            name: parts[0].to_string(),
            reads: parts[1] == "t",
            arguments: parts[2].split(';').filter(|part| !part.is_empty()).map(str::to_string).collect(),
        }
    })
    .collect()
}

fn programme() -> (Database, Client) {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    people.assignments(&mut client, "2026-10-01", 6);
    run(&mut client, "UPDATE assignments SET due_at = '2026-11-23 12:00+00', created_at = '2026-01-01'");
    run(&mut client, "UPDATE users SET timezone = 'America/St_Johns'");
    run(
        &mut client,
        "INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-10-05 12:00+00' FROM assignments WHERE title < '000003'",
    );
    run(&mut client, "INSERT INTO user_preferences (user_id, daily_summary) SELECT id, true FROM users");
    run(&mut client, "SELECT count(*) FROM run_daily_evaluation('2026-11-22 12:00+00')");
    run(&mut client, "SELECT count(*) FROM enqueue_due_reminders('2026-11-22 12:00+00')");
    run(&mut client, "SELECT count(*) FROM claim_reminders(3, as_of => '2026-11-22 12:00+00')");
    (database, client)
}

/// The SQLSTATE that a statement failed with, if it did.
fn sqlstate(client: &mut Client, sql: &str) -> Option<String> {
    let error = client.simple_query(sql).err()?;
    Some(error.code().unwrap_or_else(|| panic!("{sql}: {error}")).code().to_string())
}

/// Internal errors, a server that is out of something, a statement that ran for too long, and names that were not found.
fn is_a_fault(sqlstate: &str) -> bool {
    ["XX", "53", "57", "58", "42601", "42P01", "42883", "42703", "42725"]
        .iter()
        .any(|class| sqlstate.starts_with(class))
}

#[test]
fn every_function_answers_null_for_any_one_of_its_arguments_and_for_all() {
    let (_database, mut client) = programme();
    run(&mut client, "SET search_path = ''");
    let functions = functions(&mut client);
    run(&mut client, "RESET search_path");
    assert!(functions.len() > 40, "{} functions", functions.len());
    let typed = |data_type: &String, value: &str| match data_type.as_str() {
        "anyelement" => format!("({value})"),
        _ => format!("({value})::{data_type}"),
    };
    for function in &functions {
        let count = function.arguments.len();
        // One beyond the last: all of them.
        for null in 0..=count {
            let arguments = function.arguments.iter().enumerate().map(|(at, data_type)| {
                let is_null = null == at || null == count;
                typed(data_type, if is_null { "NULL" } else { values(data_type)[0] })
            });
            let call = format!("SELECT * FROM {}({})", function.name, arguments.collect::<Vec<_>>().join(", "));
            run(&mut client, "BEGIN");
            let code = sqlstate(&mut client, &call);
            assert!(!code.as_deref().is_some_and(is_a_fault), "{call}: {code:?}");
            run(&mut client, "ROLLBACK");
        }
    }
}

#[test]
fn every_function_answers_any_arguments_with_a_result_or_an_error_of_its_own() {
    let (_database, mut client) = programme();
    run(&mut client, "SET search_path = ''");
    let functions = functions(&mut client);
    run(&mut client, "RESET search_path");
    assert!(functions.len() > 40, "{} functions", functions.len());
    run(&mut client, "SET statement_timeout = '20s'");
    let before = content(&mut client);
    let major = major();
    let client = RefCell::new(client);
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(1500);
    let mut runner = TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() });
    let most = functions.iter().map(|function| function.arguments.len()).max().unwrap_or_default();
    let strategy = (0..functions.len(), prop::collection::vec(any::<u32>(), most), 0..ZONES.len());
    let outcome = runner.run(&strategy, |(function, picks, zone)| {
        let function = &functions[function];
        let arguments: Vec<String> = function
            .arguments
            .iter()
            .zip(picks)
            .map(|(data_type, pick)| {
                let values = [values(data_type), newer_values(data_type, major)].concat();
                let value = values[pick as usize % values.len()];
                if data_type == "anyelement" { format!("({value})") } else { format!("({value})::{data_type}") }
            })
            .collect();
        let call = format!("SELECT * FROM {}({})", function.name, arguments.join(", "));
        let client = &mut *client.borrow_mut();
        // A case that failed has left its transaction open to the smaller ones that follow it.
        run(client, "ROLLBACK");
        run(client, "BEGIN");
        // An empty search_path: nothing of ours finds what it does not name in full.
        run(client, &format!("SET LOCAL search_path = ''; SET LOCAL TimeZone = '{}'", ZONES[zone]));
        match sqlstate(client, &call) {
            Some(code) => prop_assert!(!is_a_fault(&code), "{call}: {code}"),
            None if function.reads => {
                let wrote = rows(client, "SELECT pg_current_xact_id_if_assigned()");
                prop_assert_eq!(&wrote, &["-"], "{}: only reads", call);
            }
            None => {}
        }
        run(client, "ROLLBACK");
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    let mut client = client.into_inner();
    assert_eq!(content(&mut client), before, "all was rolled back, and no session keeps what it did");
    assert_eq!(
        rows(&mut client, "SELECT count(*) FROM claim_reminders(3, as_of => '2026-11-22 12:00+00')"),
        ["3"],
        "and all is well"
    );
}

#[test]
fn trigger_functions_out_of_place_say_so() {
    let (database, mut client) = programme();
    let (mut stranger, _) = database.connect_as_new_role("GRANT USAGE ON SCHEMA assignment_reminders TO {role}");
    let triggers = rows(
        &mut client,
        "SELECT oid::regproc FROM pg_proc WHERE pronamespace = 'assignment_reminders'::regnamespace AND prorettype = 'trigger'::regtype",
    );
    assert!(triggers.len() >= 11);
    run(
        &mut client,
        "CREATE TABLE public.elsewhere (a integer); CREATE TABLE public.alike (id text, last_contact_date text, occurred_at text, completed text, email integer)",
    );
    for trigger in triggers {
        // pgrx itself refuses this, and leaves no say in the SQLSTATE. Nobody but the extension's owner gets that far.
        assert!(sqlstate(&mut client, &format!("SELECT {trigger}()")).is_some());
        assert_eq!(sqlstate(&mut stranger, &format!("SELECT {trigger}()")).as_deref(), Some("42501"));
        for table in ["elsewhere", "alike"] {
            for timing in [
                "BEFORE INSERT OR UPDATE OR DELETE ON {} FOR EACH ROW",
                "AFTER INSERT OR UPDATE OR DELETE ON {} FOR EACH ROW",
                "BEFORE INSERT OR UPDATE OR DELETE ON {} FOR EACH STATEMENT",
                "AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {} FOR EACH STATEMENT",
                "AFTER INSERT ON {} REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT",
            ] {
                let timing = timing.replace("{}", &format!("public.{table}"));
                run(&mut client, &format!("CREATE TRIGGER out_of_place {timing} EXECUTE FUNCTION {trigger}()"));
                for statement in [
                    "INSERT INTO {} DEFAULT VALUES",
                    "UPDATE {} SET ctid_is_no_column = 1",
                    "DELETE FROM {}",
                    "TRUNCATE {}",
                ] {
                    let statement = statement.replace("{}", &format!("public.{table}"));
                    let statement = statement
                        .replace("ctid_is_no_column = 1", if table == "alike" { "email = 1" } else { "a = 1" });
                    if let Some(code) = sqlstate(&mut client, &statement) {
                        // A statement of ours that misses its transition table or a column is a misuse, and says that.
                        assert!(
                            !code.starts_with("XX") && !code.starts_with("57"),
                            "{trigger} {timing}: {statement}: {code}"
                        );
                    }
                }
                run(&mut client, &format!("DROP TRIGGER out_of_place ON public.{table}"));
            }
        }
    }
}
