//! What functions return, and take, as composite types: an altered type is an error, never a crash and never a wrong column.

use postgres::Client;

use crate::support::{Database, assert_refused, row, rows, run};

const EVALUATE: &str = "SELECT (evaluate_assignment(NULL, date '2026-01-01', NULL, 14, 28, date '2026-11-22')).*";

fn alter(client: &mut Client, type_name: &str, change: &str) {
    run(client, &format!("ALTER TYPE assignment_reminders.{type_name} {change}"));
}

#[test]
fn a_result_type_with_more_attributes_is_refused_and_without_them_works_again() {
    let database = Database::installed();
    let mut client = database.connect();
    assert_eq!(row(&mut client, EVALUATE), "remind|325");
    let added = ["a integer", "b integer", "c integer", "d integer", "e bigint", "f bigint", "g text", "h text"];
    for attribute in added {
        alter(&mut client, "evaluation", &format!("ADD ATTRIBUTE {attribute}"));
    }
    assert_refused(&mut client, EVALUATE, "42804", "the result type evaluation");
    // In one call for many rows, too, and from a session that called it before.
    assert_refused(
        &mut client,
        "SELECT e.action FROM generate_series(1, 10) AS n, LATERAL evaluate_assignment(NULL, date '2026-01-01', NULL, 14, 28, date '2026-11-22') AS e",
        "42804",
        "\"a\"",
    );
    for attribute in added {
        alter(&mut client, "evaluation", &format!("DROP ATTRIBUTE {}", &attribute[..1]));
    }
    assert_eq!(row(&mut client, EVALUATE), "remind|325", "dropped attributes leave a gap in the type, and no more");
}

#[test]
fn a_result_type_with_fewer_or_other_attributes_is_refused() {
    let database = Database::installed();
    let mut client = database.connect();
    alter(&mut client, "evaluation", "ALTER ATTRIBUTE days_since TYPE bigint");
    assert_refused(&mut client, EVALUATE, "42804", "days_since");
    alter(&mut client, "evaluation", "ALTER ATTRIBUTE days_since TYPE integer");
    alter(&mut client, "evaluation", "RENAME ATTRIBUTE days_since TO days");
    assert_refused(&mut client, EVALUATE, "42804", "days");
    alter(&mut client, "evaluation", "DROP ATTRIBUTE days");
    assert_refused(&mut client, EVALUATE, "42804", "days_since");
}

#[test]
fn columns_are_found_by_their_names_whatever_their_order() {
    let database = Database::installed();
    let mut client = database.connect();
    alter(&mut client, "evaluation", "DROP ATTRIBUTE action");
    alter(&mut client, "evaluation", "ADD ATTRIBUTE action text");
    assert_eq!(row(&mut client, EVALUATE), "325|remind");
}

#[test]
fn a_function_that_declares_other_columns_is_refused_and_nothing_is_claimed() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = crate::support::People::new(&mut client);
    people.assignments(&mut client, "2026-01-01", 2);
    crate::support::enqueue_follow_ups(&mut client, "2026-11-22");
    // As a superuser may declare it, and as an install script of another version would.
    let declare = |client: &mut Client, name: &str, columns: &str| {
        run(
            client,
            &format!(
                "CREATE FUNCTION public.{name}(integer, interval, uuid, timestamptz) RETURNS TABLE ({columns})
                 LANGUAGE c AS '$libdir/assignment_reminders-{}', 'claim_reminders_wrapper'",
                env!("CARGO_PKG_VERSION")
            ),
        );
    };
    let call = |name: &str| format!("SELECT * FROM public.{name}(10, '5 minutes', NULL, now())");
    declare(&mut client, "more", "reminder_id uuid, priority integer");
    assert_refused(&mut client, &call("more"), "42804", "priority");
    declare(&mut client, "other", "reminder_id uuid, attempts text");
    assert_refused(&mut client, &call("other"), "42804", "attempts");
    assert_eq!(row(&mut client, "SELECT count(*) FROM reminders WHERE claim_id IS NOT NULL"), "0");
    // One with fewer columns hands out fewer.
    declare(&mut client, "fewer", "attempts integer, reminder_id uuid");
    assert_eq!(rows(&mut client, &call("fewer")).len(), 2);
}

#[test]
fn facts_of_an_altered_type_are_refused() {
    let database = Database::installed();
    let mut client = database.connect();
    let ask = "SELECT skip_reason(jsonb_populate_record(NULL::assignment_reminders.reminder_facts, \
               '{\"reminder_type\": \"24h\", \"as_of\": \"2026-11-22\"}'))";
    assert_eq!(row(&mut client, ask), "assignment_gone");
    alter(&mut client, "reminder_facts", "ADD ATTRIBUTE note text");
    assert_eq!(row(&mut client, ask), "assignment_gone", "what is not read does not matter");
    alter(&mut client, "reminder_facts", "RENAME ATTRIBUTE as_of TO at");
    let refusal = "SELECT skip_reason(jsonb_populate_record(NULL::assignment_reminders.reminder_facts, '{\"reminder_type\": \"24h\"}'))";
    assert_refused(&mut client, refusal, "42804", "as_of");
}

#[test]
fn columns_that_users_made_varchar_or_a_domain_are_taken_as_what_they_are() {
    let database = Database::installed();
    let mut client = database.connect();
    crate::support::People::new(&mut client);
    run(
        &mut client,
        "ALTER TABLE users ALTER COLUMN name TYPE varchar(100); ALTER TABLE assignments ALTER COLUMN title TYPE varchar(50);
         CREATE DOMAIN public.mentor AS uuid; ALTER TABLE assignments ALTER COLUMN student_id TYPE public.mentor",
    );
    run(
        &mut client,
        "INSERT INTO assignments (title, student_id, peer_mentor_id, assigned_on)
         SELECT n::text, u.id, m.id, '2026-01-01' FROM users u, peer_mentors m, generate_series(1, 2) AS n WHERE u.name = 'student'",
    );
    assert_eq!(row(&mut client, "SELECT assignment_count FROM peer_mentors"), "2");
    crate::support::enqueue_follow_ups(&mut client, "2026-11-22");
    assert_eq!(row(&mut client, "SELECT recipient_name, assignment_title FROM claim_reminders(1)"), "mentor|1");
}
