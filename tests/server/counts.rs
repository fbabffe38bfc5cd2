//! Assignment counts: equal to count(*) at every commit, whatever the statement, and written by no client.

use std::thread;

use postgres::Client;

use crate::support::{Database, People, assert_refused, refused, row, rows, run};

/// Asserts that every count is right, and returns them in the order of the mentors' ids.
fn counts(client: &mut Client) -> Vec<String> {
    assert_eq!(rows(client, "SELECT * FROM verify_assignment_counts()"), [""; 0]);
    rows(client, "SELECT assignment_count FROM peer_mentors ORDER BY user_id")
}

/// A database with three mentors whose ids order as their numbers, and their student.
fn three_mentors() -> (Database, Client) {
    let database = Database::installed();
    let mut client = database.connect();
    run(
        &mut client,
        "INSERT INTO users (id, email) SELECT ('00000000-0000-0000-0000-00000000000' || n)::uuid, n || '@example.org' FROM generate_series(0, 3) AS n;
         INSERT INTO peer_mentors (id, user_id) SELECT id, id FROM users WHERE email <> '0@example.org'",
    );
    (database, client)
}

const MENTOR: &str = "00000000-0000-0000-0000-00000000000";

fn insert(mentors: &str) -> String {
    format!(
        "INSERT INTO assignments (title, student_id, assigned_on, peer_mentor_id) SELECT 'x', '{MENTOR}0', '2026-01-01', nullif('{MENTOR}' || n, '{MENTOR}0')::uuid \
         FROM unnest(string_to_array('{mentors}', ',')) AS n"
    )
}

#[test]
fn every_kind_of_statement_is_counted() {
    let (_database, mut client) = three_mentors();
    let mut after = |sql: &str, expected: [&str; 3]| {
        run(&mut client, sql);
        assert_eq!(counts(&mut client), expected, "{sql}");
    };
    after(&insert("1"), ["1", "0", "0"]);
    after(&insert("1,2,2,3,0"), ["2", "2", "1"]);
    after(
        &format!("UPDATE assignments SET peer_mentor_id = '{MENTOR}3' WHERE peer_mentor_id = '{MENTOR}2'"),
        ["2", "0", "3"],
    );
    after(
        &format!("UPDATE assignments SET peer_mentor_id = '{MENTOR}2' WHERE peer_mentor_id IS NULL"),
        ["2", "1", "3"],
    );
    after("UPDATE assignments SET title = 'y', status = 'completed'", ["2", "1", "3"]);
    after(&format!("UPDATE assignments SET peer_mentor_id = NULL WHERE peer_mentor_id = '{MENTOR}2'"), ["2", "0", "3"]);
    // Mentors swapped within one statement.
    after(
        &format!(
            "UPDATE assignments SET peer_mentor_id = CASE peer_mentor_id WHEN '{MENTOR}1' THEN '{MENTOR}3' ELSE '{MENTOR}1' END::uuid WHERE peer_mentor_id IS NOT NULL"
        ),
        ["3", "0", "2"],
    );
    after(
        &format!(
            "MERGE INTO assignments a USING (VALUES (1), (2)) AS s (n) ON a.peer_mentor_id = ('{MENTOR}' || s.n)::uuid \
             WHEN MATCHED THEN DELETE \
             WHEN NOT MATCHED THEN INSERT (title, student_id, peer_mentor_id) VALUES ('m', '{MENTOR}0', ('{MENTOR}' || s.n)::uuid)"
        ),
        ["0", "1", "2"],
    );
    after(
        &format!(
            "INSERT INTO assignments (id, title, student_id, peer_mentor_id) SELECT id, 'u', student_id, uuid '{MENTOR}1' FROM assignments \
             UNION ALL SELECT gen_random_uuid(), 'u', '{MENTOR}0', '{MENTOR}2' \
             ON CONFLICT (id) DO UPDATE SET peer_mentor_id = excluded.peer_mentor_id"
        ),
        ["4", "1", "0"],
    );
    after("DELETE FROM assignments WHERE ctid = (SELECT max(ctid) FROM assignments)", ["4", "0", "0"]);
    after(
        &format!(
            "WITH gone AS (DELETE FROM assignments RETURNING *) INSERT INTO assignments (title, student_id, peer_mentor_id) SELECT title, student_id, uuid '{MENTOR}2' FROM gone"
        ),
        ["0", "4", "0"],
    );
    after("TRUNCATE assignments CASCADE", ["0", "0", "0"]);
    let mut copy = client.copy_in("COPY assignments (title, student_id, peer_mentor_id) FROM STDIN").expect("a copy");
    let lines = format!("c\t{MENTOR}0\t{MENTOR}1\nc\t{MENTOR}0\t{MENTOR}3\nc\t{MENTOR}0\t\\N\n");
    std::io::Write::write_all(&mut copy, lines.as_bytes()).expect("copied");
    assert_eq!(copy.finish().expect("copied"), 3);
    assert_eq!(counts(&mut client), ["1", "0", "1"]);
}

#[test]
fn actions_of_foreign_keys_are_counted() {
    let (_database, mut client) = three_mentors();
    run(&mut client, &insert("1,1,2,3,3,3"));
    // A mentor goes: the assignments stay, without one.
    run(&mut client, &format!("DELETE FROM peer_mentors WHERE id = '{MENTOR}1'"));
    assert_eq!(counts(&mut client), ["1", "3"]);
    assert_eq!(row(&mut client, "SELECT count(*), count(peer_mentor_id) FROM assignments"), "6|4");
    // A user goes, and with it the mentor.
    run(&mut client, &format!("DELETE FROM users WHERE id = '{MENTOR}2'"));
    assert_eq!(counts(&mut client), ["3"]);
    // Two mentors in one statement, one of them assigned while the other is deleted.
    run(
        &mut client,
        &format!(
            "INSERT INTO users (id, email) VALUES ('{MENTOR}8', '8@x'), ('{MENTOR}9', '9@x'); INSERT INTO peer_mentors (id, user_id) SELECT id, id FROM users WHERE id IN ('{MENTOR}8', '{MENTOR}9')"
        ),
    );
    run(&mut client, &insert("8,8,9"));
    run(&mut client, &format!("DELETE FROM peer_mentors WHERE id IN ('{MENTOR}8', '{MENTOR}9')"));
    assert_eq!(counts(&mut client), ["3"]);
}

#[test]
fn rollbacks_and_savepoints_take_the_count_back() {
    let (_database, mut client) = three_mentors();
    run(&mut client, &insert("1"));
    run(
        &mut client,
        &format!("BEGIN; {}; SAVEPOINT a; {}; SAVEPOINT b; DELETE FROM assignments", insert("1,2"), insert("2,3")),
    );
    assert_eq!(counts(&mut client), ["0", "0", "0"]);
    run(&mut client, "ROLLBACK TO b");
    assert_eq!(counts(&mut client), ["2", "2", "1"]);
    run(&mut client, "ROLLBACK TO a");
    assert_eq!(counts(&mut client), ["2", "1", "0"]);
    run(&mut client, "ROLLBACK");
    assert_eq!(counts(&mut client), ["1", "0", "0"]);
}

#[test]
fn a_statement_that_fails_counts_nothing() {
    let (_database, mut client) = three_mentors();
    let refusal = refused(&mut client, &insert("1,2,7"));
    assert_eq!(refusal.sqlstate, "23503");
    assert_eq!(counts(&mut client), ["0", "0", "0"]);
}

#[test]
fn no_client_writes_the_count_not_even_the_owner() {
    let (database, mut client) = three_mentors();
    run(&mut client, &insert("1,1"));
    for sql in [
        "UPDATE peer_mentors SET assignment_count = 7".to_string(),
        "UPDATE peer_mentors SET assignment_count = assignment_count + 1".to_string(),
        format!("INSERT INTO peer_mentors (id, user_id, assignment_count) VALUES (gen_random_uuid(), '{MENTOR}0', 3)"),
        format!(
            "INSERT INTO peer_mentors (id, user_id) VALUES ('{MENTOR}1', '{MENTOR}1') ON CONFLICT (id) DO UPDATE SET assignment_count = 9"
        ),
    ] {
        assert_refused(&mut client, &sql, "428C9", "assignment_count of peer mentor");
    }
    run(&mut client, "UPDATE peer_mentors SET assignment_count = assignment_count, created_at = now()");
    let (mut writer, _) = database.connect_as_new_role(
        "GRANT USAGE ON SCHEMA assignment_reminders TO {role}; GRANT ALL ON ALL TABLES IN SCHEMA assignment_reminders TO {role}",
    );
    assert_refused(&mut writer, "UPDATE peer_mentors SET assignment_count = 7", "428C9", "assignment_count");
    assert_eq!(counts(&mut client), ["2", "0", "0"]);
}

#[test]
fn a_trigger_of_the_users_cannot_write_the_count_in_our_shadow() {
    let (_database, mut client) = three_mentors();
    run(
        &mut client,
        "CREATE FUNCTION public.pad() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN UPDATE assignment_reminders.peer_mentors SET assignment_count = 99; RETURN NULL; END $$;
         CREATE TRIGGER pad AFTER INSERT ON assignments FOR EACH STATEMENT EXECUTE FUNCTION public.pad()",
    );
    assert_refused(&mut client, &insert("1"), "428C9", "assignment_count");
    run(
        &mut client,
        "DROP TRIGGER pad ON assignments;
         CREATE TRIGGER pad AFTER UPDATE ON peer_mentors FOR EACH ROW WHEN (pg_trigger_depth() < 3) EXECUTE FUNCTION public.pad()",
    );
    assert_refused(&mut client, &insert("1"), "428C9", "assignment_count");
}

#[test]
fn a_role_that_may_insert_assignments_and_nothing_else_is_counted() {
    let (database, mut client) = three_mentors();
    let (mut inserter, _) = database.connect_as_new_role(
        "GRANT USAGE ON SCHEMA assignment_reminders TO {role}; GRANT INSERT ON assignments TO {role}",
    );
    run(&mut inserter, &insert("1,2"));
    assert_eq!(refused(&mut inserter, "SELECT * FROM peer_mentors").sqlstate, "42501");
    assert_eq!(counts(&mut client), ["1", "1", "0"]);
}

#[test]
fn ten_thousand_assignments_move_to_another_mentor_in_one_statement() {
    let (_database, mut client) = three_mentors();
    run(
        &mut client,
        &format!(
            "INSERT INTO assignments (title, student_id, peer_mentor_id) SELECT 'x', '{MENTOR}0', '{MENTOR}1' FROM generate_series(1, 10000)"
        ),
    );
    run(&mut client, &format!("UPDATE assignments SET peer_mentor_id = '{MENTOR}2'"));
    assert_eq!(counts(&mut client), ["0", "10000", "0"]);
}

#[test]
fn a_reader_sees_the_count_in_the_statement_after_the_commit() {
    let (database, mut client) = three_mentors();
    let mut reader = database.connect();
    run(&mut client, &format!("BEGIN; {}", insert("1")));
    assert_eq!(row(&mut reader, "SELECT sum(assignment_count) FROM peer_mentors"), "0");
    run(&mut client, "COMMIT");
    assert_eq!(row(&mut reader, "SELECT sum(assignment_count) FROM peer_mentors"), "1");
}

#[test]
fn mixed_batches_of_eight_sessions_over_few_mentors_neither_deadlock_nor_miscount() {
    let (database, mut client) = three_mentors();
    thread::scope(|scope| {
        for session in 0..8u32 {
            let database = &database;
            scope.spawn(move || {
                let mut client = database.connect();
                run(&mut client, &format!("SELECT setseed({})", f64::from(session) / 10.0));
                for round in 0..20 {
                    let some = "SELECT ctid FROM assignments ORDER BY random() LIMIT 7 FOR UPDATE SKIP LOCKED";
                    let any_mentor = format!("('{MENTOR}' || 1 + floor(random() * 3)::integer)::uuid");
                    // One batch a transaction, its rows over the mentors in random order; savepoints and rollbacks between.
                    let batch = match (round + session) % 4 {
                        0 | 1 => format!("INSERT INTO assignments (title, student_id, peer_mentor_id) SELECT 'b', '{MENTOR}0', {any_mentor} FROM generate_series(1, 20)"),
                        2 => format!("UPDATE assignments SET peer_mentor_id = {any_mentor} WHERE ctid = ANY (ARRAY({some}))"),
                        _ => format!("DELETE FROM assignments WHERE ctid = ANY (ARRAY({some}))"),
                    };
                    let end = if round % 5 == 4 { "ROLLBACK" } else { "COMMIT" };
                    run(&mut client, &format!("BEGIN; SAVEPOINT s; {batch}; ROLLBACK TO s; {batch}; {end}"));
                }
            });
        }
    });
    counts(&mut client);
    assert_eq!(
        row(
            &mut client,
            "SELECT sum(assignment_count) = (SELECT count(*) FROM assignments WHERE peer_mentor_id IS NOT NULL) FROM peer_mentors"
        ),
        "t"
    );
}

#[test]
fn what_replica_mode_missed_is_found_and_repaired() {
    let (_database, mut client) = three_mentors();
    run(&mut client, &insert("1,1,2"));
    run(
        &mut client,
        &format!(
            "SET session_replication_role = replica; DELETE FROM assignments WHERE peer_mentor_id = '{MENTOR}1'; {};
             UPDATE peer_mentors SET assignment_count = 5 WHERE id = '{MENTOR}2'; SET session_replication_role = origin",
            insert("3")
        ),
    );
    let wrong = ["1|2|0", "2|5|1", "3|0|1"];
    let short = format!("SELECT replace(peer_mentor_id::text, '{MENTOR}', ''), ");
    assert_eq!(
        rows(&mut client, &format!("{short} assignment_count, actual_count FROM verify_assignment_counts()")),
        wrong
    );
    assert_eq!(
        rows(&mut client, &format!("{short} wrong_count, actual_count FROM repair_assignment_counts() ORDER BY 1")),
        wrong
    );
    assert_eq!(counts(&mut client), ["0", "1", "1"]);
    assert_eq!(rows(&mut client, "SELECT * FROM repair_assignment_counts()"), [""; 0]);
}

#[test]
fn the_count_trigger_takes_nothing_from_the_clients_search_path() {
    let database = Database::installed();
    let mut owner = database.connect();
    let people = People::new(&mut owner);
    // Whatever the trigger's statements could resolve: operators, functions, types and tables that say so when they are used.
    run(
        &mut owner,
        "CREATE SCHEMA evil;
         CREATE FUNCTION evil.caught(anyelement, anyelement) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''caught''; END';
         CREATE FUNCTION evil.caught(integer, integer) RETURNS integer LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''caught''; END';
         CREATE OPERATOR evil.= (LEFTARG = anyelement, RIGHTARG = anyelement, FUNCTION = evil.caught);
         CREATE OPERATOR evil.<> (LEFTARG = anyelement, RIGHTARG = anyelement, FUNCTION = evil.caught);
         CREATE OPERATOR evil.+ (LEFTARG = integer, RIGHTARG = integer, FUNCTION = evil.caught);
         CREATE OPERATOR evil.- (LEFTARG = integer, RIGHTARG = integer, FUNCTION = evil.caught);
         CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''caught''; END';
         CREATE FUNCTION evil.unnest(anyarray) RETURNS SETOF anyelement LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''caught''; END';
         CREATE TABLE evil.peer_mentors (id uuid, assignment_count integer)",
    );
    let (mut client, _) = database.connect_as_new_role(
        "GRANT USAGE ON SCHEMA assignment_reminders, evil TO {role};
         GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA assignment_reminders TO {role}",
    );
    let other = People::new(&mut owner);
    run(&mut client, "SET search_path = evil, pg_catalog");
    assert_eq!(refused(&mut client, "SELECT 1 + 1").message, "caught", "the trap works");
    let insert = |mentor| {
        format!(
            "INSERT INTO assignment_reminders.assignments (organization_id, title, student_id, peer_mentor_id)
             VALUES ('00000000-0000-0000-0000-000000000001', 'x', '{}', '{mentor}')",
            people.student
        )
    };
    run(&mut client, &insert(people.mentor));
    run(
        &mut client,
        &format!(
            "{}, ('00000000-0000-0000-0000-000000000001', 'x', '{}', '{}')",
            insert(people.mentor),
            people.student,
            other.mentor
        ),
    );
    assert_eq!(rows(&mut owner, "SELECT assignment_count FROM peer_mentors ORDER BY 1"), ["1", "2"]);
    run(&mut client, &format!("UPDATE assignment_reminders.assignments SET peer_mentor_id = '{}'", other.mentor));
    assert_eq!(rows(&mut owner, "SELECT assignment_count FROM peer_mentors ORDER BY 1"), ["0", "3"]);
    run(&mut client, "DELETE FROM assignment_reminders.assignments");
    run(&mut client, &insert(other.mentor));
    run(&mut client, "TRUNCATE assignment_reminders.assignments CASCADE");
    assert_eq!(rows(&mut owner, "SELECT assignment_count FROM peer_mentors ORDER BY 1"), ["0", "0"]);
}

#[test]
fn a_session_that_holds_a_mentors_row_and_writes_an_assignment_does_not_deadlock_with_an_insert() {
    let database = Database::installed();
    let mut holder = database.connect();
    let people = People::new(&mut holder);
    let insert = format!(
        "INSERT INTO assignment_reminders.assignments (title, student_id, peer_mentor_id) VALUES ('x', '{}', '{}')",
        people.student, people.mentor
    );
    run(&mut holder, &format!("BEGIN; SELECT 1 FROM peer_mentors WHERE id = '{}' FOR NO KEY UPDATE", people.mentor));
    let mut other = database.connect();
    let waiting = crate::support::pid(&mut other);
    let statement = insert.clone();
    let inserted = thread::spawn(move || run(&mut other, &statement));
    crate::support::wait_until_blocked(&mut database.connect(), waiting);
    run(&mut holder, &insert);
    run(&mut holder, "COMMIT");
    inserted.join().expect("the other one inserts, too");
    assert_eq!(row(&mut holder, "SELECT assignment_count FROM peer_mentors"), "2");
}
