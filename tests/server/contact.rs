//! Contact dates: every way to register a contact, forward only, recomputed when history changes, corrected on record.

use std::thread;

use postgres::Client;
use uuid::Uuid;

use crate::support::{
    Database, People, assert_refused, enqueue_follow_ups, pid, refused, row, rows, run, wait_until_blocked,
};

fn contact_date(client: &mut Client, assignment: Uuid) -> String {
    row(client, &format!("SELECT last_contact_date FROM assignment_reminders.assignments WHERE id = '{assignment}'"))
}

fn contact(client: &mut Client, assignment: Uuid, occurred_at: &str) {
    run(
        client,
        &format!("INSERT INTO activities (assignment_id, occurred_at) VALUES ('{assignment}', '{occurred_at}')"),
    );
}

/// A database with one assignment, assigned on 2026-01-01.
fn one_assignment() -> (Database, Client, People, Uuid) {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    let assignment = people.assignment(&mut client, "2026-01-01");
    (database, client, people, assignment)
}

#[test]
fn every_registration_moves_the_date_forward() {
    let (_database, mut client, people, assignment) = one_assignment();
    for (day, registration) in ["direct", "proxy", "bulk", "coordinator_proxy"].iter().enumerate() {
        run(
            &mut client,
            &format!(
                "INSERT INTO activities (assignment_id, occurred_at, registration, recorded_by)
                 VALUES ('{assignment}', '2026-02-0{} 12:00+00', '{registration}', '{}')",
                day + 1,
                people.coordinator
            ),
        );
        assert_eq!(contact_date(&mut client, assignment), format!("2026-02-0{}", day + 1), "{registration}");
    }
}

#[test]
fn every_kind_of_statement_moves_the_dates_of_all_that_it_touches() {
    let (_database, mut client, people, first) = one_assignment();
    let second = people.assignment(&mut client, "2026-01-01");
    let mut both = |sql: &str, expected: &str| {
        run(&mut client, &sql.replace("{first}", &first.to_string()).replace("{second}", &second.to_string()));
        assert_eq!(contact_date(&mut client, first), expected, "{sql}");
        assert_eq!(contact_date(&mut client, second), expected, "{sql}");
    };
    both(
        "INSERT INTO activities (assignment_id, occurred_at) VALUES ('{first}', '2026-02-01 12:00+00'), \
         ('{second}', '2026-01-15 12:00+00'), ('{second}', '2026-02-01 12:00+00'), ('{second}', '2026-01-20 12:00+00')",
        "2026-02-01",
    );
    both(
        "INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-02-02 12:00+00' FROM assignments",
        "2026-02-02",
    );
    both(
        "INSERT INTO activities (id, assignment_id, occurred_at) VALUES \
         ('00000000-0000-0000-0000-000000000001', '{first}', '2026-02-02 12:00+00'), \
         ('00000000-0000-0000-0000-000000000002', '{second}', '2026-02-03 12:00+00'); \
         INSERT INTO activities (id, assignment_id, occurred_at) VALUES \
         ('00000000-0000-0000-0000-000000000001', '{first}', '2026-02-03 12:00+00'), \
         ('00000000-0000-0000-0000-000000000003', '{second}', '2026-02-03 12:00+00') \
         ON CONFLICT (id) DO UPDATE SET occurred_at = excluded.occurred_at",
        "2026-02-03",
    );
    both(
        "MERGE INTO activities t USING (SELECT id, CASE id WHEN '{first}' THEN uuid '00000000-0000-0000-0000-000000000001' \
         ELSE gen_random_uuid() END AS activity FROM assignments) AS s ON t.id = s.activity \
         WHEN MATCHED THEN UPDATE SET occurred_at = '2026-02-04 12:00+00' \
         WHEN NOT MATCHED THEN INSERT (assignment_id, occurred_at) VALUES (s.id, '2026-02-04 12:00+00')",
        "2026-02-04",
    );
    both(
        "PREPARE p AS WITH a AS (INSERT INTO activities (assignment_id, occurred_at) VALUES ('{first}', '2026-02-05 12:00+00')) \
         INSERT INTO activities (assignment_id, occurred_at) VALUES ('{second}', '2026-02-05 12:00+00'); EXECUTE p",
        "2026-02-05",
    );
    let mut copy =
        client.copy_in("COPY activities (assignment_id, occurred_at, registration) FROM STDIN").expect("a copy");
    std::io::Write::write_all(
        &mut copy,
        format!("{first}\t2026-02-06 12:00+00\tbulk\n{second}\t2026-02-06 12:00+00\tbulk\n").as_bytes(),
    )
    .expect("copied");
    assert_eq!(copy.finish().expect("copied"), 2);
    assert_eq!([contact_date(&mut client, first), contact_date(&mut client, second)], ["2026-02-06", "2026-02-06"]);
}

#[test]
fn the_date_is_the_one_in_the_organizations_time_zone() {
    let (_database, mut client, _, assignment) = one_assignment();
    run(&mut client, "UPDATE organizations SET timezone = 'Asia/Kolkata'; SET TimeZone = 'America/Los_Angeles'");
    contact(&mut client, assignment, "2026-02-01 18:29:59+00");
    assert_eq!(contact_date(&mut client, assignment), "2026-02-01");
    contact(&mut client, assignment, "2026-02-01 18:30:00+00");
    assert_eq!(contact_date(&mut client, assignment), "2026-02-02");
}

#[test]
fn late_and_duplicate_activities_are_kept_and_change_nothing() {
    let (_database, mut client, _, assignment) = one_assignment();
    contact(&mut client, assignment, "2026-02-10 12:00+00");
    let written = "SELECT xmin, ctid, updated_at FROM assignments";
    let before = row(&mut client, written);
    contact(&mut client, assignment, "2026-02-01 12:00+00");
    contact(&mut client, assignment, "2026-02-10 12:00+00");
    contact(&mut client, assignment, "2026-02-10 20:00+00");
    assert_eq!(row(&mut client, written), before, "a row whose date does not advance is not written");
    assert_eq!(row(&mut client, "SELECT count(*) FROM activities"), "4");
}

#[test]
fn an_activity_more_than_a_day_ahead_is_refused_with_its_time() {
    let (_database, mut client, _, assignment) = one_assignment();
    let sql = format!(
        "INSERT INTO activities (assignment_id, occurred_at) VALUES ('{assignment}', now() + interval '25 hours')"
    );
    assert_refused(&mut client, &sql, "22008", "more than a day ahead");
    run(&mut client, &sql.replace("25 hours", "23 hours"));
    assert_refused(
        &mut client,
        "UPDATE activities SET occurred_at = occurred_at + interval '9 days'",
        "22008",
        "more than a day ahead",
    );
}

#[test]
fn an_activity_of_another_organization_is_refused() {
    let (_database, mut client, _, assignment) = one_assignment();
    run(
        &mut client,
        "INSERT INTO organizations (id, name) VALUES ('00000000-0000-0000-0000-00000000000b', 'Other');
         SET assignment_reminders.organization_id = '00000000-0000-0000-0000-00000000000b'",
    );
    let refusal = refused(&mut client, &format!("INSERT INTO activities (assignment_id) VALUES ('{assignment}')"));
    assert_eq!(refusal.sqlstate, "23503");
    assert_eq!(contact_date(&mut client, assignment), "-");
}

#[test]
fn contact_with_a_closed_assignment_is_recorded() {
    let (_database, mut client, _, assignment) = one_assignment();
    for (status, day) in [("paused", "2026-02-01"), ("completed", "2026-02-02"), ("cancelled", "2026-02-03")] {
        run(&mut client, &format!("UPDATE assignments SET status = '{status}'"));
        contact(&mut client, assignment, &format!("{day} 12:00+00"));
        assert_eq!(contact_date(&mut client, assignment), day, "{status}");
    }
}

#[test]
fn a_rollback_takes_the_date_back() {
    let (_database, mut client, _, assignment) = one_assignment();
    contact(&mut client, assignment, "2026-02-01 12:00+00");
    run(&mut client, "BEGIN");
    contact(&mut client, assignment, "2026-02-02 12:00+00");
    run(&mut client, "SAVEPOINT s");
    contact(&mut client, assignment, "2026-02-03 12:00+00");
    assert_eq!(contact_date(&mut client, assignment), "2026-02-03");
    run(&mut client, "ROLLBACK TO s");
    assert_eq!(contact_date(&mut client, assignment), "2026-02-02");
    run(&mut client, "ROLLBACK");
    assert_eq!(contact_date(&mut client, assignment), "2026-02-01");
}

#[test]
fn deleting_or_changing_activities_recomputes_back_as_well_as_forward() {
    let (_database, mut client, people, assignment) = one_assignment();
    let other = people.assignment(&mut client, "2026-01-01");
    contact(&mut client, assignment, "2026-02-01 12:00+00");
    contact(&mut client, assignment, "2026-02-10 12:00+00");
    run(&mut client, "DELETE FROM activities WHERE occurred_at = '2026-02-10 12:00+00'");
    assert_eq!(contact_date(&mut client, assignment), "2026-02-01");
    run(&mut client, "UPDATE activities SET occurred_at = '2026-01-20 12:00+00'");
    assert_eq!(contact_date(&mut client, assignment), "2026-01-20");
    run(&mut client, &format!("UPDATE activities SET assignment_id = '{other}'"));
    assert_eq!([contact_date(&mut client, assignment), contact_date(&mut client, other)], ["-", "2026-01-20"]);
    run(&mut client, "UPDATE activities SET notes = 'met at the library'");
    assert_eq!(contact_date(&mut client, other), "2026-01-20");
    run(&mut client, "TRUNCATE activities");
    assert_eq!(contact_date(&mut client, other), "-");
}

#[test]
fn deleting_an_assignment_takes_its_activities_and_corrections_along() {
    let (_database, mut client, _, assignment) = one_assignment();
    contact(&mut client, assignment, "2026-02-10 12:00+00");
    run(&mut client, &format!("SELECT correct_last_contact_date('{assignment}', '2026-02-01', 'typo')"));
    run(&mut client, "DELETE FROM assignments");
    assert_eq!(
        row(&mut client, "SELECT (SELECT count(*) FROM activities), (SELECT count(*) FROM contact_corrections)"),
        "0|0"
    );
}

#[test]
fn a_role_that_may_insert_activities_and_nothing_else_moves_the_date() {
    let (database, mut client, _, assignment) = one_assignment();
    for row_security in
        ["", "ALTER TABLE assignments ENABLE ROW LEVEL SECURITY; ALTER TABLE assignments FORCE ROW LEVEL SECURITY;"]
    {
        run(&mut client, &format!("UPDATE organizations SET name = name; {row_security}"));
        let (mut worker, _) = database.connect_as_new_role(
            "GRANT USAGE ON SCHEMA assignment_reminders TO {role}; GRANT INSERT ON activities TO {role}",
        );
        let day = if row_security.is_empty() { "2026-02-01" } else { "2026-02-02" };
        contact(&mut worker, assignment, &format!("{day} 12:00+00"));
        assert_eq!(contact_date(&mut client, assignment), day);
        assert_eq!(refused(&mut worker, "SELECT * FROM assignments").sqlstate, "42501", "no right is gained");
        assert_eq!(row(&mut worker, "SELECT current_user = session_user"), "t", "and the role is itself again");
    }
}

#[test]
fn the_role_is_itself_again_after_an_error_in_the_trigger() {
    let (database, mut client, _, assignment) = one_assignment();
    run(&mut client, "ALTER TABLE assignments ADD CHECK (last_contact_date < '2026-03-01')");
    let (mut worker, role) = database.connect_as_new_role(
        "GRANT USAGE ON SCHEMA assignment_reminders TO {role}; GRANT INSERT ON activities TO {role}",
    );
    run(&mut worker, "BEGIN; SAVEPOINT s");
    let sql =
        format!("INSERT INTO activities (assignment_id, occurred_at) VALUES ('{assignment}', '2026-03-02 12:00+00')");
    assert_eq!(refused(&mut worker, &sql).sqlstate, "23514");
    run(&mut worker, "ROLLBACK TO s");
    assert_eq!(row(&mut worker, "SELECT current_user"), role);
    run(&mut worker, "ROLLBACK");
    contact(&mut worker, assignment, "2026-02-02 12:00+00");
}

#[test]
fn a_hostile_search_path_cannot_get_in_between() {
    let (database, mut client, _, assignment) = one_assignment();
    let (mut worker, role) = database.connect_as_new_role(
        "GRANT USAGE ON SCHEMA assignment_reminders TO {role}; GRANT INSERT ON activities TO {role}; \
         GRANT CREATE ON DATABASE {database} TO {role}"
            .replace("{database}", &database.name)
            .as_str(),
    );
    // An operator that would run as the table's owner if the trigger looked it up in the caller's path.
    run(
        &mut worker,
        &format!(
            "CREATE SCHEMA evil AUTHORIZATION {role};
             CREATE FUNCTION evil.eq(uuid, uuid) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'run as %', current_user; END $$;
             CREATE OPERATOR evil.= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = evil.eq);
             SET search_path = evil, pg_catalog"
        ),
    );
    run(
        &mut worker,
        &format!(
            "INSERT INTO assignment_reminders.activities (assignment_id, occurred_at) VALUES ('{assignment}', '2026-02-01 12:00+00')"
        ),
    );
    assert_eq!(contact_date(&mut client, assignment), "2026-02-01");
}

#[test]
fn no_client_writes_the_date_directly() {
    let (_database, mut client, _, assignment) = one_assignment();
    contact(&mut client, assignment, "2026-02-01 12:00+00");
    for date in ["'2026-02-09'", "'2026-01-09'", "NULL"] {
        let sql = format!("UPDATE assignments SET last_contact_date = {date}");
        assert_refused(&mut client, &sql, "428C9", &format!("last_contact_date of assignment {assignment}"));
    }
    run(&mut client, "UPDATE assignments SET last_contact_date = last_contact_date, title = 'same date'");
}

#[test]
fn a_date_that_an_assignment_was_imported_with_is_kept_and_recorded() {
    let (_database, mut client, people, _) = one_assignment();
    let imported: Uuid = row(
        &mut client,
        &format!("INSERT INTO assignments (title, student_id, last_contact_date) VALUES ('x', '{}', '2026-01-10') RETURNING id", people.student),
    )
    .parse()
    .expect("an id");
    contact(&mut client, imported, "2026-02-01 12:00+00");
    run(&mut client, "DELETE FROM activities");
    assert_eq!(contact_date(&mut client, imported), "2026-01-10");
    assert_eq!(
        row(&mut client, "SELECT previous_date, new_date, reason FROM contact_corrections"),
        "-|2026-01-10|set when the assignment was inserted"
    );
}

#[test]
fn a_correction_moves_the_date_back_and_keeps_who_why_and_what_it_was() {
    let (_database, mut client, _, assignment) = one_assignment();
    contact(&mut client, assignment, "2026-02-01 12:00+00");
    contact(&mut client, assignment, "2026-02-20 12:00+00");
    run(&mut client, r#"SET request.jwt.claims = '{"sub": "ada"}'"#);
    let corrected = format!("SELECT correct_last_contact_date('{assignment}', '2026-02-05', ' wrong student ')");
    assert_eq!(row(&mut client, &corrected), "2026-02-05");
    assert_eq!(contact_date(&mut client, assignment), "2026-02-05");
    assert_eq!(
        row(
            &mut client,
            "SELECT previous_date, new_date, reason, corrected_by, corrected_by_subject, created_at <= now() FROM contact_corrections"
        ),
        "2026-02-20|2026-02-05|wrong student|postgres|ada|t"
    );
    assert_eq!(
        rows(&mut client, "SELECT occurred_at::date, overruled_by IS NOT NULL FROM activities ORDER BY 1"),
        ["2026-02-01|f", "2026-02-20|t"]
    );

    // What was declared wrong stays so, what comes later counts, and nothing goes below the correction.
    contact(&mut client, assignment, "2026-02-03 12:00+00");
    assert_eq!(contact_date(&mut client, assignment), "2026-02-05");
    contact(&mut client, assignment, "2026-02-10 12:00+00");
    assert_eq!(contact_date(&mut client, assignment), "2026-02-10");
    run(&mut client, "DELETE FROM activities WHERE occurred_at > '2026-02-09' AND overruled_by IS NULL");
    assert_eq!(contact_date(&mut client, assignment), "2026-02-05");

    assert_eq!(row(&mut client, &format!("SELECT correct_last_contact_date('{assignment}', NULL, 'never met')")), "-");
    assert_eq!(contact_date(&mut client, assignment), "-");
    contact(&mut client, assignment, "2026-01-02 12:00+00");
    assert_eq!(contact_date(&mut client, assignment), "2026-01-02");
}

#[test]
fn an_attempt_is_on_record_and_moves_no_date_by_any_kind_of_statement() {
    let (_database, mut client, people, first) = one_assignment();
    let second = people.assignment(&mut client, "2026-01-01");
    let mut dates = |sql: &str, expected: [&str; 2]| {
        run(&mut client, &sql.replace("{first}", &first.to_string()).replace("{second}", &second.to_string()));
        let dates = [contact_date(&mut client, first), contact_date(&mut client, second)];
        assert_eq!(dates, expected, "{sql}");
        assert_eq!(rows(&mut client, "SELECT * FROM verify_contact_dates()"), [""; 0], "{sql}");
    };
    dates(
        "INSERT INTO activities (assignment_id, occurred_at, is_contact) VALUES ('{first}', '2026-02-01 12:00+00', false)",
        ["-", "-"],
    );
    dates(
        "INSERT INTO activities (assignment_id, occurred_at, is_contact) VALUES ('{first}', '2026-02-02 12:00+00', true), \
         ('{first}', '2026-02-03 12:00+00', false), ('{second}', '2026-02-03 12:00+00', false)",
        ["2026-02-02", "-"],
    );
    let upsert = "INSERT INTO activities (id, assignment_id, occurred_at, is_contact) VALUES \
         ('00000000-0000-0000-0000-000000000001', '{first}', '2026-02-04 12:00+00', false), \
         ('00000000-0000-0000-0000-000000000002', '{second}', '2026-02-04 12:00+00', false) \
         ON CONFLICT (id) DO UPDATE SET occurred_at = excluded.occurred_at, is_contact = excluded.is_contact";
    dates(upsert, ["2026-02-02", "-"]);
    dates(&upsert.replace("02-04", "02-05").replacen("false", "true", 1), ["2026-02-05", "-"]);
    dates(&upsert.replace("02-04", "02-05"), ["2026-02-02", "-"]);
    dates(
        "MERGE INTO activities t USING (SELECT id FROM assignments) AS s ON t.assignment_id = s.id AND t.id = '00000000-0000-0000-0000-000000000001' \
         WHEN MATCHED THEN UPDATE SET occurred_at = '2026-02-06 12:00+00' \
         WHEN NOT MATCHED THEN INSERT (assignment_id, occurred_at, is_contact) VALUES (s.id, '2026-02-06 12:00+00', false)",
        ["2026-02-02", "-"],
    );
    dates("UPDATE activities SET occurred_at = '2026-02-07 12:00+00' WHERE NOT is_contact", ["2026-02-02", "-"]);
    dates("UPDATE activities SET assignment_id = '{second}' WHERE NOT is_contact", ["2026-02-02", "-"]);
    dates("DELETE FROM activities WHERE id = '00000000-0000-0000-0000-000000000001'", ["2026-02-02", "-"]);
    // An old client, which does not know of attempts, goes on.
    dates(
        "INSERT INTO activities (assignment_id, occurred_at) VALUES ('{second}', '2026-02-08 12:00+00')",
        ["2026-02-02", "2026-02-08"],
    );
    dates("DELETE FROM activities WHERE is_contact", ["-", "-"]);
    let mut copy =
        client.copy_in("COPY activities (assignment_id, occurred_at, is_contact) FROM STDIN").expect("a copy");
    std::io::Write::write_all(
        &mut copy,
        format!("{first}\t2026-02-09 12:00+00\tfalse\n{second}\t2026-02-09 12:00+00\ttrue\n").as_bytes(),
    )
    .expect("copied");
    assert_eq!(copy.finish().expect("copied"), 2);
    assert_eq!([contact_date(&mut client, first), contact_date(&mut client, second)], ["-", "2026-02-09"]);
}

#[test]
fn a_contact_that_was_an_attempt_takes_the_date_back_and_the_other_way_moves_it_forward() {
    let (_database, mut client, _, assignment) = one_assignment();
    contact(&mut client, assignment, "2026-02-01 12:00+00");
    contact(&mut client, assignment, "2026-02-10 12:00+00");
    let set = |is_contact: bool| {
        format!("UPDATE activities SET is_contact = {is_contact} WHERE occurred_at = '2026-02-10 12:00+00'")
    };
    run(&mut client, &set(false));
    assert_eq!(contact_date(&mut client, assignment), "2026-02-01");
    run(&mut client, &set(true));
    assert_eq!(contact_date(&mut client, assignment), "2026-02-10");
    run(&mut client, "UPDATE activities SET is_contact = false");
    assert_eq!(contact_date(&mut client, assignment), "-");
    assert_eq!(refused(&mut client, "UPDATE activities SET is_contact = NULL").sqlstate, "23502");
    // A statement whose own function says so, before its triggers do.
    run(
        &mut client,
        "CREATE FUNCTION unanswered(activity uuid) RETURNS void LANGUAGE sql AS
            'UPDATE assignment_reminders.activities SET is_contact = false WHERE id = activity'",
    );
    let insert = format!(
        "INSERT INTO activities (assignment_id, occurred_at) VALUES ('{assignment}', '2026-02-20 12:00+00') RETURNING unanswered(id)"
    );
    rows(&mut client, &insert);
    assert_eq!(contact_date(&mut client, assignment), "-");
    assert_eq!(rows(&mut client, "SELECT * FROM verify_contact_dates()"), [""; 0]);
}

#[test]
fn an_attempt_withdraws_no_reminder_until_it_turns_out_to_be_a_contact() {
    let (_database, mut client, people, assignment) = one_assignment();
    enqueue_follow_ups(&mut client, "2026-02-01 06:00+00");
    let waiting = "SELECT status, skip_reason FROM reminders WHERE assignment_id IS NOT NULL";
    assert_eq!(rows(&mut client, waiting), ["pending|-"]);
    let written = "SELECT xmin, ctid, updated_at FROM assignments";
    let before = row(&mut client, written);
    run(
        &mut client,
        &format!(
            "INSERT INTO activities (assignment_id, occurred_at, recorded_by, notes, is_contact)
             VALUES ('{assignment}', '2026-02-01 12:00+00', '{}', 'no answer', false);
             UPDATE activities SET notes = 'no answer, twice'",
            people.mentor_user
        ),
    );
    assert_eq!(rows(&mut client, waiting), ["pending|-"]);
    assert_eq!(row(&mut client, written), before, "an attempt does not write the assignment");
    run(&mut client, "UPDATE activities SET is_contact = true");
    assert_eq!(rows(&mut client, waiting), ["skipped|contact_changed"]);
    assert_eq!(contact_date(&mut client, assignment), "2026-02-01");
}

#[test]
fn an_attempt_more_than_a_day_ahead_is_refused_as_a_contact_is() {
    let (_database, mut client, _, assignment) = one_assignment();
    let insert = format!(
        "INSERT INTO activities (assignment_id, occurred_at, is_contact) VALUES ('{assignment}', now() + interval '25 hours', false)"
    );
    assert_refused(&mut client, &insert, "22008", "more than a day ahead");
}

#[test]
fn corrections_repairs_and_imported_dates_pass_over_attempts() {
    let (_database, mut client, people, assignment) = one_assignment();
    let attempt = |assignment: Uuid| {
        format!(
            "INSERT INTO activities (assignment_id, occurred_at, is_contact) VALUES ('{assignment}', '2026-02-20 12:00+00', false)"
        )
    };
    run(&mut client, &attempt(assignment));
    contact(&mut client, assignment, "2026-02-10 12:00+00");
    run(&mut client, &format!("SELECT correct_last_contact_date('{assignment}', '2026-02-05', 'another student')"));
    assert_eq!(contact_date(&mut client, assignment), "2026-02-05");
    assert_eq!(
        rows(&mut client, "SELECT is_contact, overruled_by IS NOT NULL FROM activities ORDER BY occurred_at"),
        ["t|t", "f|f"],
        "a correction contradicts contacts only"
    );
    // What is known only after the correction counts, as a contact that is registered then does.
    run(&mut client, "UPDATE activities SET is_contact = true WHERE NOT is_contact");
    assert_eq!(contact_date(&mut client, assignment), "2026-02-20");

    run(
        &mut client,
        &format!(
            "DELETE FROM activities; {}; SET session_replication_role = replica; UPDATE assignments SET last_contact_date = '2026-02-20';
             RESET session_replication_role",
            attempt(assignment)
        ),
    );
    assert_eq!(row(&mut client, "SELECT wrong_date, actual_date FROM repair_contact_dates()"), "2026-02-20|2026-02-05");

    // One that was imported without triggers, and of which nothing is on record, keeps its date.
    let imported: Uuid = row(
        &mut client,
        &format!(
            "SET session_replication_role = replica;
             INSERT INTO assignments (title, student_id, assigned_on, last_contact_date) VALUES ('x', '{}', '2026-01-01', '2026-01-10');
             RESET session_replication_role; SELECT id FROM assignments WHERE title = 'x'",
            people.student
        ),
    )
    .parse()
    .expect("an id");
    run(&mut client, &attempt(imported));
    for change in ["UPDATE activities SET occurred_at = '2026-02-21 12:00+00'", "DELETE FROM activities"] {
        run(&mut client, change);
        assert_eq!(contact_date(&mut client, imported), "2026-01-10", "{change}");
        assert_eq!(rows(&mut client, "SELECT * FROM verify_contact_dates()"), [""; 0], "{change}");
    }
}

/// Two assignments, the first of which had a contact on 2026-02-10 that a correction to 2026-02-01 overruled.
fn one_overruled() -> (Database, Client, People, Uuid, Uuid) {
    let (database, mut client, people, first) = one_assignment();
    let second = people.assignment(&mut client, "2026-01-01");
    contact(&mut client, first, "2026-02-10 12:00+00");
    run(&mut client, &format!("SELECT correct_last_contact_date('{first}', '2026-02-01', 'another student')"));
    assert_eq!(row(&mut client, "SELECT overruled_by IS NOT NULL FROM activities"), "t");
    (database, client, people, first, second)
}

#[test]
fn an_activity_that_was_overruled_counts_for_the_assignment_that_it_is_moved_to() {
    let (_database, mut client, _, first, second) = one_overruled();
    let moved = format!("UPDATE activities SET assignment_id = '{second}' RETURNING overruled_by");
    assert_eq!(row(&mut client, &moved), "-");
    let mut dates = || [contact_date(&mut client, first), contact_date(&mut client, second)];
    assert_eq!(dates(), ["2026-02-01", "2026-02-10"]);
    // Neither the correction nor its assignment has a part in it any more.
    run(&mut client, "DELETE FROM contact_corrections");
    assert_eq!([contact_date(&mut client, first), contact_date(&mut client, second)], ["-", "2026-02-10"]);
    run(&mut client, &format!("DELETE FROM assignments WHERE id = '{first}'"));
    assert_eq!(contact_date(&mut client, second), "2026-02-10");
    assert_eq!(rows(&mut client, "SELECT * FROM verify_contact_dates()"), [""; 0]);
}

#[test]
fn activities_that_were_overruled_are_moved_many_at_once_and_moved_and_dated_at_once() {
    let (_database, mut client, people, first, second) = one_overruled();
    let third = people.assignment(&mut client, "2026-01-01");
    contact(&mut client, first, "2026-02-15 12:00+00");
    contact(&mut client, first, "2026-02-20 12:00+00");
    run(
        &mut client,
        &format!(
            "SELECT correct_last_contact_date('{first}', '2026-02-02', 'two other students');
             UPDATE activities SET assignment_id = CASE occurred_at WHEN '2026-02-20 12:00+00' THEN uuid '{third}' ELSE '{second}' END,
                                   occurred_at = occurred_at + interval '1 day'"
        ),
    );
    let mut dates = [first, second, third].map(|assignment| contact_date(&mut client, assignment));
    assert_eq!(dates, ["2026-02-02", "2026-02-16", "2026-02-21"]);
    // Those that stay where they are stay overruled, whatever else is changed in them.
    contact(&mut client, first, "2026-02-25 12:00+00");
    run(
        &mut client,
        &format!(
            "SELECT correct_last_contact_date('{first}', '2026-02-02', 'no');
             UPDATE activities SET occurred_at = occurred_at + interval '1 day', assignment_id = assignment_id WHERE overruled_by IS NOT NULL"
        ),
    );
    dates = [first, second, third].map(|assignment| contact_date(&mut client, assignment));
    assert_eq!(dates, ["2026-02-02", "2026-02-16", "2026-02-21"]);
    assert_eq!(rows(&mut client, "SELECT * FROM verify_contact_dates()"), [""; 0]);
}

#[test]
fn an_activity_that_is_moved_counts_on_top_of_the_corrections_that_were_there_before() {
    let (_database, mut client, _, first, second) = one_overruled();
    run(&mut client, &format!("SELECT correct_last_contact_date('{second}', '2026-02-05', 'never later')"));
    run(&mut client, &format!("UPDATE activities SET assignment_id = '{second}'"));
    assert_eq!(contact_date(&mut client, second), "2026-02-10", "as one that is registered after the correction");
    // A correction that comes after it overrules it, and back it counts again.
    run(&mut client, &format!("SELECT correct_last_contact_date('{second}', '2026-02-06', 'not here either')"));
    assert_eq!(contact_date(&mut client, second), "2026-02-06");
    run(&mut client, &format!("UPDATE activities SET assignment_id = '{first}'"));
    assert_eq!([contact_date(&mut client, first), contact_date(&mut client, second)], ["2026-02-10", "2026-02-06"]);
}

#[test]
fn a_whole_row_that_is_written_back_moves_an_overruled_activity_and_a_writer_may_say_what_overrules_it() {
    let (_database, mut client, _, first, second) = one_overruled();
    run(&mut client, &format!("SELECT correct_last_contact_date('{second}', '2026-02-05', 'never later')"));
    run(
        &mut client,
        &format!(
            "INSERT INTO activities (id, organization_id, assignment_id, occurred_at, registration, overruled_by)
             SELECT id, organization_id, '{second}', occurred_at, registration, overruled_by FROM activities
                 ON CONFLICT (id) DO UPDATE SET organization_id = excluded.organization_id, assignment_id = excluded.assignment_id,
                    occurred_at = excluded.occurred_at, registration = excluded.registration, overruled_by = excluded.overruled_by"
        ),
    );
    assert_eq!([contact_date(&mut client, first), contact_date(&mut client, second)], ["2026-02-01", "2026-02-10"]);
    let overruled_here = "UPDATE activities SET assignment_id = '{to}',
                                 overruled_by = (SELECT id FROM contact_corrections WHERE assignment_id = '{to}')";
    run(&mut client, &overruled_here.replace("{to}", &first.to_string()));
    assert_eq!([contact_date(&mut client, first), contact_date(&mut client, second)], ["2026-02-01", "2026-02-05"]);
    run(&mut client, &overruled_here.replace("{to}", &second.to_string()));
    assert_eq!([contact_date(&mut client, first), contact_date(&mut client, second)], ["2026-02-01", "2026-02-05"]);
    assert_eq!(rows(&mut client, "SELECT * FROM verify_contact_dates()"), [""; 0]);
}

#[test]
fn an_overruled_activity_is_moved_to_another_organization() {
    let (_database, mut client, _, first, _) = one_overruled();
    let organization = "00000000-0000-0000-0000-00000000000b";
    run(&mut client, &format!("INSERT INTO organizations (id, name) VALUES ('{organization}', 'Other')"));
    let there = People::in_organization(&mut client, organization).assignment(&mut client, "2026-01-01");
    run(
        &mut client,
        &format!(
            "UPDATE activities SET organization_id = '{organization}', assignment_id = '{there}', recorded_by = NULL"
        ),
    );
    assert_eq!([contact_date(&mut client, first), contact_date(&mut client, there)], ["2026-02-01", "2026-02-10"]);
}

#[test]
fn a_role_that_may_move_activities_and_see_no_correction_moves_an_overruled_one() {
    let (database, mut client, _, first, second) = one_overruled();
    run(
        &mut client,
        "ALTER TABLE activities ENABLE ROW LEVEL SECURITY; CREATE POLICY visible ON activities USING (true);
         ALTER TABLE contact_corrections ENABLE ROW LEVEL SECURITY; ALTER TABLE contact_corrections FORCE ROW LEVEL SECURITY",
    );
    let (mut clerk, _) = database.connect_as_new_role(
        "GRANT USAGE ON SCHEMA assignment_reminders TO {role}; GRANT SELECT (id), UPDATE (assignment_id) ON activities TO {role}",
    );
    run(&mut clerk, &format!("UPDATE activities SET assignment_id = '{second}'"));
    assert_eq!([contact_date(&mut client, first), contact_date(&mut client, second)], ["2026-02-01", "2026-02-10"]);
}

#[test]
fn a_move_that_waits_for_the_correction_that_overrules_it_counts_where_it_goes() {
    let (database, mut observer, people, first) = one_assignment();
    let second = people.assignment(&mut observer, "2026-01-01");
    contact(&mut observer, first, "2026-02-10 12:00+00");
    let mut correcting = database.connect();
    run(
        &mut correcting,
        &format!("BEGIN; SELECT correct_last_contact_date('{first}', '2026-02-01', 'another student')"),
    );
    thread::scope(|scope| {
        let mut moving = database.connect();
        let waiting = pid(&mut moving);
        let sql = format!("UPDATE activities SET assignment_id = '{second}'");
        let moved = scope.spawn(move || run(&mut moving, &sql));
        wait_until_blocked(&mut observer, waiting);
        run(&mut correcting, "COMMIT");
        moved.join().expect("moved");
    });
    assert_eq!([contact_date(&mut observer, first), contact_date(&mut observer, second)], ["2026-02-01", "2026-02-10"]);
    assert_eq!(row(&mut observer, "SELECT overruled_by FROM activities"), "-");
}

#[test]
fn a_correction_needs_a_reason_a_possible_date_and_an_assignment() {
    let (_database, mut client, _, assignment) = one_assignment();
    for reason in ["NULL", "''", "'  '"] {
        let sql = format!("SELECT correct_last_contact_date('{assignment}', '2026-01-01', {reason})");
        assert_refused(&mut client, &sql, "22023", "no reason");
    }
    let sql = format!("SELECT correct_last_contact_date('{assignment}', current_date + 3, 'x')");
    assert_refused(&mut client, &sql, "22008", "more than a day ahead");
    let sql = format!("SELECT correct_last_contact_date('{assignment}', 'infinity', 'x')");
    assert_refused(&mut client, &sql, "22008", "infinity");
    let unknown = Uuid::new_v4();
    let sql = format!("SELECT correct_last_contact_date('{unknown}', '2026-01-01', 'x')");
    assert_refused(&mut client, &sql, "02000", &unknown.to_string());
    assert_refused(&mut client, "SELECT correct_last_contact_date(NULL, '2026-01-01', 'x')", "22004", "assignment_id");
    assert_eq!(row(&mut client, "SELECT count(*) FROM contact_corrections"), "0");
}

#[test]
fn update_last_contact_date_moves_forward_only() {
    let (_database, mut client, _, assignment) = one_assignment();
    let mut update =
        |date: &str| row(&mut client, &format!("SELECT update_last_contact_date('{assignment}', '{date}')"));
    assert_eq!(update("2026-02-01"), "2026-02-01");
    assert_eq!(update("2026-01-15"), "2026-02-01");
    assert_eq!(update("2026-02-02"), "2026-02-02");
    assert_eq!(contact_date(&mut client, assignment), "2026-02-02");
    assert_eq!(row(&mut client, "SELECT count(*) FROM contact_corrections"), "2", "only what moved is recorded");
    assert_refused(
        &mut client,
        &format!("SELECT update_last_contact_date('{assignment}', NULL)"),
        "22004",
        "contact_date",
    );
    assert_refused(
        &mut client,
        &format!("SELECT update_last_contact_date('{assignment}', current_date + 2)"),
        "22008",
        "a day ahead",
    );
    assert_refused(
        &mut client,
        "SELECT update_last_contact_date(gen_random_uuid(), current_date)",
        "02000",
        "does not exist",
    );
}

#[test]
fn the_reads_page_by_key_through_everything_once() {
    let (_database, mut client, people, first) = one_assignment();
    run(
        &mut client,
        &format!(
            "INSERT INTO assignments (title, student_id, assigned_on) SELECT 't', '{}', date '2026-01-01' + n % 7 FROM generate_series(1, 50) AS n;
             INSERT INTO assignments (title, student_id, status) VALUES ('closed', '{}', 'paused')",
            people.student, people.student
        ),
    );
    contact(&mut client, first, "2026-02-01 12:00+00");
    let (mut seen, mut key) = (Vec::new(), "NULL, NULL".to_string());
    loop {
        let page = rows(
            &mut client,
            &format!("SELECT silent_since, assignment_id FROM get_open_assignments_with_contact_dates({key}, 7)"),
        );
        let Some(last) = page.last().cloned() else { break };
        assert!(page.len() <= 7);
        let (date, id) = last.split_once('|').expect("two columns");
        key = format!("'{date}', '{id}'");
        seen.extend(page);
    }
    let mut sorted = seen.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(seen, sorted, "in order, none twice");
    assert_eq!(seen.len(), 51);
    assert_eq!(
        row(
            &mut client,
            "SELECT assigned_on, last_contact_date, silent_since, title FROM get_open_assignments_with_contact_dates() ORDER BY silent_since DESC LIMIT 1"
        ),
        "2026-01-01|2026-02-01|2026-02-01|Essay"
    );
    let silent =
        "SELECT count(*), max(silent_since) FROM get_assignments_with_no_contact_since(cutoff_date => '2026-01-03')";
    assert_eq!(row(&mut client, silent), "50|2026-01-07", "all but the one that was in contact");
}

#[test]
fn the_reads_refuse_what_they_cannot_answer() {
    let (_database, mut client, _, _) = one_assignment();
    let open = "SELECT * FROM get_open_assignments_with_contact_dates";
    for size in ["0", "-1", "10001"] {
        assert_refused(&mut client, &format!("{open}(page_size => {size})"), "22023", size);
    }
    assert_refused(&mut client, &format!("{open}(organization_id => gen_random_uuid())"), "02000", "organization");
    assert_refused(&mut client, "SELECT * FROM get_assignments_with_no_contact_since(NULL)", "22004", "cutoff_date");
    assert_refused(&mut client, "SELECT get_last_contact_date(gen_random_uuid())", "02000", "assignment");
    assert_refused(&mut client, "SELECT get_last_contact_date(NULL)", "22004", "assignment_id");
    assert_refused(
        &mut client,
        "SELECT * FROM get_assignment_with_participants(gen_random_uuid())",
        "02000",
        "assignment",
    );
}

#[test]
fn an_assignment_is_read_with_its_people_or_without() {
    let (_database, mut client, people, assignment) = one_assignment();
    contact(&mut client, assignment, "2026-02-01 12:00+00");
    assert_eq!(row(&mut client, &format!("SELECT get_last_contact_date('{assignment}')")), "2026-02-01");
    let read = format!(
        "SELECT title, student_name, peer_mentor_id, peer_mentor_user_id, peer_mentor_name, coordinator_name, last_contact_date
           FROM get_assignment_with_participants('{assignment}')"
    );
    assert_eq!(
        row(&mut client, &read),
        format!("Essay|student|{}|{}|mentor|coordinator|2026-02-01", people.mentor, people.mentor_user)
    );
    run(&mut client, "UPDATE assignments SET peer_mentor_id = NULL, coordinator_id = NULL");
    assert_eq!(row(&mut client, &read), "Essay|student|-|-|-|-|2026-02-01");
}

#[test]
fn batches_over_the_same_assignments_in_any_order_do_not_deadlock() {
    let (database, mut client, people, _) = one_assignment();
    let assignments: Vec<Uuid> = (0..12).map(|_| people.assignment(&mut client, "2026-01-01")).collect();
    thread::scope(|scope| {
        for session in 0..6usize {
            let (database, assignments) = (&database, &assignments);
            scope.spawn(move || {
                let mut client = database.connect();
                for round in 0..25usize {
                    let values: Vec<String> = (0..12)
                        .map(|index| {
                            let assignment = assignments[(index * (2 * session + 5) + round) % 12];
                            format!("('{assignment}', timestamptz '2026-02-01 12:00+00' + interval '{} hours')", (round * 7 + session * 3) % 600)
                        })
                        .collect();
                    let insert = format!("INSERT INTO activities (assignment_id, occurred_at) VALUES {}", values.join(", "));
                    run(&mut client, &insert);
                    if round % 5 == session % 5 {
                        run(&mut client, "DELETE FROM activities WHERE ctid IN (SELECT ctid FROM activities ORDER BY random() LIMIT 10)");
                    }
                }
            });
        }
    });
    let wrong = "SELECT count(*) FROM assignments a WHERE last_contact_date IS DISTINCT FROM
                 (SELECT max(occurred_at::date) FROM activities t WHERE t.assignment_id = a.id)";
    assert_eq!(row(&mut client, wrong), "0");
}

#[test]
fn an_insert_that_waits_for_a_delete_sees_what_it_left() {
    let (database, mut observer, _, assignment) = one_assignment();
    contact(&mut observer, assignment, "2026-02-01 12:00+00");
    contact(&mut observer, assignment, "2026-02-20 12:00+00");
    let mut deleting = database.connect();
    run(&mut deleting, "BEGIN; DELETE FROM activities WHERE occurred_at = '2026-02-20 12:00+00'");
    thread::scope(|scope| {
        let mut inserting = database.connect();
        let waiting = pid(&mut inserting);
        let insert = scope.spawn(move || contact(&mut inserting, assignment, "2026-02-15 12:00+00"));
        wait_until_blocked(&mut observer, waiting);
        run(&mut deleting, "COMMIT");
        insert.join().expect("inserted");
    });
    assert_eq!(contact_date(&mut observer, assignment), "2026-02-15");
}

#[test]
fn a_delete_that_waits_for_an_insert_sees_it() {
    let (database, mut observer, _, assignment) = one_assignment();
    contact(&mut observer, assignment, "2026-02-20 12:00+00");
    let mut inserting = database.connect();
    run(&mut inserting, "BEGIN");
    // Does not advance the date, and must count all the same once the later activity is gone.
    contact(&mut inserting, assignment, "2026-02-15 12:00+00");
    thread::scope(|scope| {
        let mut deleting = database.connect();
        let waiting = pid(&mut deleting);
        let delete =
            scope.spawn(move || run(&mut deleting, "DELETE FROM activities WHERE occurred_at = '2026-02-20 12:00+00'"));
        wait_until_blocked(&mut observer, waiting);
        run(&mut inserting, "COMMIT");
        delete.join().expect("deleted");
    });
    assert_eq!(contact_date(&mut observer, assignment), "2026-02-15");
}

#[test]
fn a_correction_that_waits_for_an_insert_overrules_it() {
    let (database, mut observer, _, assignment) = one_assignment();
    let mut inserting = database.connect();
    run(&mut inserting, "BEGIN");
    contact(&mut inserting, assignment, "2026-02-15 12:00+00");
    thread::scope(|scope| {
        let mut correcting = database.connect();
        let waiting = pid(&mut correcting);
        let sql = format!("SELECT correct_last_contact_date('{assignment}', '2026-02-01', 'x')");
        let correction = scope.spawn(move || run(&mut correcting, &sql));
        wait_until_blocked(&mut observer, waiting);
        run(&mut inserting, "COMMIT");
        correction.join().expect("corrected");
    });
    assert_eq!(contact_date(&mut observer, assignment), "2026-02-01");
    assert_eq!(row(&mut observer, "SELECT previous_date, new_date FROM contact_corrections"), "2026-02-15|2026-02-01");
    assert_eq!(row(&mut observer, "SELECT overruled_by IS NOT NULL FROM activities"), "t");
}

#[test]
fn what_the_caller_filters_by_takes_no_error_of_a_read_away() {
    let database = Database::installed();
    let mut client = database.connect();
    let unknown = "00000000-0000-0000-0000-00000000dead";
    for condition in ["title = 'x'", "status = 'open'", "assignment_id IS NOT NULL"] {
        let read = format!("SELECT * FROM get_assignment_with_participants('{unknown}') WHERE {condition}");
        assert_refused(&mut client, &read, "02000", unknown);
    }
    assert_refused(&mut client, "SELECT * FROM get_assignments_with_no_contact_since(NULL)", "22004", "cutoff_date");
    // Not even where there is no assignment at all.
    run(&mut client, "VACUUM ANALYZE assignments");
    for read in [
        format!("get_open_assignments_with_contact_dates(organization_id => '{unknown}')"),
        format!("get_assignments_with_no_contact_since('2026-01-01', organization_id => '{unknown}')"),
        format!("due_assignments('hours', '{{2}}', organization_id => '{unknown}')"),
    ] {
        assert_refused(&mut client, &format!("SELECT * FROM {read}"), "02000", unknown);
    }
}
