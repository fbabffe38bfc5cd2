//! No trick writes a count or a contact date: neither a trigger function put on another table, nor a row of our own history, nor
//! the owner's triggers, whatever they do to our writes.

use postgres::Client;
use uuid::Uuid;

use crate::support::{Database, People, assert_refused, refused, row, rows, run};

/// The rights that the README gives a worker, and more: what an app's role may have.
const RIGHTS: &str = "GRANT USAGE ON SCHEMA assignment_reminders TO {role}; GRANT ALL ON ALL TABLES IN SCHEMA assignment_reminders TO {role};
    REVOKE TRIGGER ON ALL TABLES IN SCHEMA assignment_reminders FROM {role};
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA assignment_reminders TO {role}";

fn programme() -> (Database, Client, People, Uuid) {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    let assignment = people.assignment(&mut client, "2026-01-01");
    (database, client, people, assignment)
}

const STATE: &str =
    "SELECT (SELECT string_agg(assignment_count::text, ',' ORDER BY assignment_count) FROM peer_mentors),
                            (SELECT string_agg(last_contact_date::text, ',') FROM assignments)";

#[test]
fn a_trigger_function_of_ours_does_nothing_on_a_table_of_somebody_elses() {
    let (database, mut owner, people, assignment) = programme();
    let (mut attacker, _) = database.connect_as_new_role(RIGHTS);
    let functions = rows(
        &mut owner,
        "SELECT proname FROM pg_proc WHERE pronamespace = 'assignment_reminders'::regnamespace AND prorettype = 'trigger'::regtype ORDER BY 1",
    );
    assert!(functions.len() >= 13, "{functions:?}");
    let before = row(&mut owner, STATE);
    run(
        &mut attacker,
        "CREATE TEMPORARY TABLE assignments (LIKE assignment_reminders.assignments INCLUDING DEFAULTS, CONSTRAINT assignments_pkey PRIMARY KEY (id), peer_mentor text, occurred_at timestamptz, assignment_id uuid, overruled_by uuid, number integer, new_date date)",
    );
    for function in functions {
        for (name, fires) in [
            (
                "assignments_count_inserted",
                "AFTER INSERT ON pg_temp.assignments REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT",
            ),
            (
                "activities_contact_inserted",
                "AFTER INSERT ON pg_temp.assignments REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT",
            ),
            ("assignments_set_updated_at", "BEFORE INSERT ON pg_temp.assignments FOR EACH ROW"),
            ("mine", "AFTER INSERT ON pg_temp.assignments FOR EACH ROW"),
        ] {
            run(
                &mut attacker,
                &format!("CREATE TRIGGER {name} {fires} EXECUTE FUNCTION assignment_reminders.{function}()"),
            );
            assert_refused(
                &mut attacker,
                &format!(
                    "INSERT INTO pg_temp.assignments (id, organization_id, title, student_id, peer_mentor_id, assigned_on, assignment_id, occurred_at)
                     SELECT gen_random_uuid(), '00000000-0000-0000-0000-000000000001', 'x', '{}', '{}', '2026-01-01', '{assignment}', '5000-01-01' FROM generate_series(1, 1000)",
                    people.student, people.mentor
                ),
                "39P01",
                name,
            );
            run(&mut attacker, &format!("DROP TRIGGER {name} ON pg_temp.assignments"));
        }
    }
    assert_eq!(row(&mut owner, STATE), before);
}

#[test]
fn a_trigger_function_of_ours_does_nothing_under_another_name_event_or_level() {
    let (_database, mut owner, people, _) = programme();
    let before = row(&mut owner, STATE);
    // As the owner, who may: each would count twice, or another way.
    for trigger in [
        "CREATE TRIGGER twice AFTER INSERT ON assignments REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION maintain_assignment_count()",
        "CREATE OR REPLACE TRIGGER assignments_count_inserted AFTER INSERT OR UPDATE ON assignments FOR EACH STATEMENT EXECUTE FUNCTION maintain_assignment_count()",
        "CREATE OR REPLACE TRIGGER assignments_count_inserted AFTER INSERT ON assignments REFERENCING NEW TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION maintain_assignment_count()",
        "CREATE OR REPLACE TRIGGER assignments_count_inserted AFTER INSERT ON assignments FOR EACH ROW EXECUTE FUNCTION maintain_assignment_count()",
        "CREATE OR REPLACE TRIGGER assignments_count_inserted AFTER INSERT ON assignments REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION maintain_last_contact_date()",
    ] {
        let refusal = refused(
            &mut owner,
            &format!(
                "BEGIN; {trigger}; INSERT INTO assignments (title, student_id, peer_mentor_id) VALUES ('x', '{}', '{}')",
                people.student, people.mentor
            ),
        );
        assert_eq!(refusal.sqlstate, "39P01", "{trigger}: {refusal:?}");
        run(&mut owner, "ROLLBACK");
    }
    assert_eq!(row(&mut owner, STATE), before);
}

#[test]
fn a_correction_that_a_client_inserts_is_numbered_and_signed_by_us_and_takes_effect() {
    let (database, mut owner, _, assignment) = programme();
    run(
        &mut owner,
        &format!("INSERT INTO activities (assignment_id, occurred_at) VALUES ('{assignment}', '2026-03-01 12:00+00')"),
    );
    let (mut client, role) = database.connect_as_new_role(
        "GRANT USAGE ON SCHEMA assignment_reminders TO {role}; GRANT INSERT ON contact_corrections TO {role}",
    );
    run(&mut client, "SET request.jwt.claims = '{\"sub\": \"person-7\"}'");
    run(
        &mut client,
        &format!(
            "INSERT INTO contact_corrections (assignment_id, number, new_date, previous_date, reason, corrected_by, corrected_by_subject, created_at)
             VALUES ('{assignment}', 2147483647, '2026-02-01', '1999-01-01', 'a mistake', 'the director', 'person-1', '1999-01-01')"
        ),
    );
    assert_eq!(
        row(
            &mut owner,
            "SELECT number, previous_date, new_date, corrected_by, corrected_by_subject, created_at > now() - interval '1 hour' FROM contact_corrections"
        ),
        format!("1|2026-03-01|2026-02-01|{role}|person-7|t")
    );
    assert_eq!(row(&mut owner, "SELECT last_contact_date FROM assignments"), "2026-02-01");
    assert_eq!(row(&mut owner, "SELECT overruled_by IS NOT NULL FROM activities"), "t");
    assert_eq!(rows(&mut owner, "SELECT * FROM verify_contact_dates()"), [""; 0]);
    run(&mut owner, &format!("SELECT correct_last_contact_date('{assignment}', '2026-02-03', 'the next one')"));
    assert_eq!(row(&mut owner, "SELECT max(number), count(*) FROM contact_corrections"), "2|2");
    let unknown = format!(
        "INSERT INTO contact_corrections (assignment_id, number, reason) VALUES ('{}', 1, 'x')",
        Uuid::new_v4()
    );
    assert_eq!(refused(&mut client, &unknown).sqlstate, "23503");
}

#[test]
fn two_clients_that_correct_at_once_get_numbers_of_their_own() {
    let (database, mut owner, _, assignment) = programme();
    let (mut first, mut second) = (database.connect(), database.connect());
    let correction = |date: &str| {
        format!(
            "INSERT INTO contact_corrections (assignment_id, number, new_date, reason) VALUES ('{assignment}', 1, '{date}', 'x')"
        )
    };
    run(&mut first, &format!("BEGIN; {}", correction("2026-02-01")));
    let pid = crate::support::pid(&mut second);
    let waiting = std::thread::spawn({
        let sql = correction("2026-02-02");
        move || run(&mut second, &sql)
    });
    crate::support::wait_until_blocked(&mut owner, pid);
    run(&mut first, "COMMIT");
    waiting.join().expect("the second");
    assert_eq!(
        rows(&mut owner, "SELECT number, previous_date, new_date FROM contact_corrections ORDER BY number"),
        ["1|-|2026-02-01", "2|2026-02-01|2026-02-02"]
    );
}

#[test]
fn no_path_takes_a_contact_in_the_future() {
    let (_database, mut owner, people, assignment) = programme();
    run(
        &mut owner,
        &format!("INSERT INTO activities (assignment_id, occurred_at) VALUES ('{assignment}', '2026-02-01 12:00+00')"),
    );
    run(
        &mut owner,
        "CREATE FUNCTION public.ahead() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.occurred_at := '2099-01-01'; RETURN NEW; END $$;
         CREATE TRIGGER ahead BEFORE UPDATE OF notes ON activities FOR EACH ROW EXECUTE FUNCTION public.ahead()",
    );
    let before = row(&mut owner, STATE);
    for path in [
        format!(
            "INSERT INTO contact_corrections (assignment_id, number, new_date, reason) VALUES ('{assignment}', 1, current_date + 3, 'x')"
        ),
        format!(
            "INSERT INTO assignments (title, student_id, last_contact_date) VALUES ('imported', '{}', current_date + 3)",
            people.student
        ),
        "UPDATE activities SET notes = 'moved by a trigger'".to_string(),
        "UPDATE activities SET occurred_at = now() + interval '2 days'".to_string(),
        format!(
            "INSERT INTO activities (assignment_id, occurred_at) VALUES ('{assignment}', now() + interval '2 days')"
        ),
        format!("SELECT correct_last_contact_date('{assignment}', current_date + 3, 'x')"),
        format!("SELECT update_last_contact_date('{assignment}', current_date + 3)"),
    ] {
        assert_refused(&mut owner, &path, "22008", "ahead");
    }
    assert_eq!(row(&mut owner, STATE), before);
    // Today, somewhere ahead of UTC, is no future.
    run(&mut owner, "UPDATE organizations SET timezone = 'Pacific/Kiritimati'");
    run(
        &mut owner,
        &format!(
            "INSERT INTO assignments (title, student_id, last_contact_date) VALUES ('imported', '{}', (now() AT TIME ZONE 'Pacific/Kiritimati')::date)",
            people.student
        ),
    );
}

#[test]
fn the_id_of_a_mentor_or_an_assignment_does_not_change() {
    let (_database, mut owner, people, assignment) = programme();
    let before = row(&mut owner, STATE);
    run(
        &mut owner,
        "ALTER TABLE assignments DROP CONSTRAINT assignments_peer_mentor_fkey,
             ADD CONSTRAINT assignments_peer_mentor_fkey FOREIGN KEY (organization_id, peer_mentor_id) REFERENCES peer_mentors (organization_id, id) ON UPDATE CASCADE",
    );
    let new = Uuid::new_v4();
    for (change, id) in [
        (format!("UPDATE peer_mentors SET id = '{new}'"), people.mentor),
        (
            format!(
                "WITH moved AS (UPDATE peer_mentors SET id = '{new}' RETURNING id) UPDATE assignments SET peer_mentor_id = moved.id FROM moved"
            ),
            people.mentor,
        ),
        (format!("UPDATE assignments SET id = '{new}'"), assignment),
    ] {
        assert_refused(&mut owner, &change, "428C9", &id.to_string());
    }
    // Not even by a trigger that runs after ours.
    run(
        &mut owner,
        "CREATE FUNCTION public.renamed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.id := gen_random_uuid(); RETURN NEW; END $$;
         CREATE TRIGGER zzz BEFORE UPDATE ON assignments FOR EACH ROW EXECUTE FUNCTION public.renamed()",
    );
    assert_eq!(refused(&mut owner, "UPDATE assignments SET title = 'y'").sqlstate, "428C9");
    assert_eq!(row(&mut owner, STATE), before);
}

/// A trigger of the owner's, on a table of ours.
fn owners_trigger(client: &mut Client, fires: &str, body: &str) {
    run(
        client,
        &format!(
            "CREATE OR REPLACE FUNCTION public.owners() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$;
             CREATE TRIGGER zzz {fires} FOR EACH ROW EXECUTE FUNCTION public.owners()"
        ),
    );
}

#[test]
fn a_trigger_of_the_owners_that_drops_or_changes_our_count_is_an_error_and_no_wrong_count() {
    for body in ["RETURN NULL;", "NEW.assignment_count := 99; RETURN NEW;"] {
        let (_database, mut owner, people, _) = programme();
        let before = row(&mut owner, STATE);
        owners_trigger(&mut owner, "BEFORE UPDATE ON peer_mentors", body);
        for change in [
            format!(
                "INSERT INTO assignments (title, student_id, peer_mentor_id) VALUES ('x', '{}', '{}')",
                people.student, people.mentor
            ),
            "DELETE FROM assignments".to_string(),
            "UPDATE assignments SET peer_mentor_id = NULL".to_string(),
            "TRUNCATE assignments CASCADE".to_string(),
        ] {
            assert_refused(&mut owner, &change, "55000", "assignment_count");
        }
        assert_eq!(row(&mut owner, STATE), before, "{body}");
        // Nor by the way of another column.
        if body.contains("99") {
            assert_refused(&mut owner, "UPDATE peer_mentors SET updated_at = now()", "428C9", "assignment_count");
        }
        run(
            &mut owner,
            "SET session_replication_role = replica; UPDATE peer_mentors SET assignment_count = 7; RESET session_replication_role",
        );
        assert_refused(&mut owner, "SELECT * FROM repair_assignment_counts()", "55000", "assignment_count");
        run(&mut owner, "DROP TRIGGER zzz ON peer_mentors; SELECT * FROM repair_assignment_counts()");
        assert_eq!(row(&mut owner, STATE), before);
    }
}

#[test]
fn a_trigger_of_the_owners_that_leaves_the_count_alone_does_no_harm() {
    let (_database, mut owner, people, _) = programme();
    owners_trigger(&mut owner, "BEFORE UPDATE ON peer_mentors", "NEW.updated_at := now(); RETURN NEW;");
    people.assignment(&mut owner, "2026-01-02");
    assert_eq!(row(&mut owner, "SELECT assignment_count FROM peer_mentors"), "2");
    run(&mut owner, "DELETE FROM assignments");
    assert_eq!(row(&mut owner, "SELECT assignment_count FROM peer_mentors"), "0");
}

#[test]
fn a_trigger_of_the_owners_that_drops_or_changes_our_contact_date_is_an_error_and_no_wrong_date() {
    for body in ["RETURN NULL;", "NEW.last_contact_date := '1999-01-01'; RETURN NEW;"] {
        let (_database, mut owner, _, assignment) = programme();
        run(
            &mut owner,
            &format!(
                "INSERT INTO activities (assignment_id, occurred_at) VALUES ('{assignment}', '2026-02-01 12:00+00')"
            ),
        );
        let before = row(&mut owner, STATE);
        owners_trigger(&mut owner, "BEFORE UPDATE ON assignments", body);
        for change in [
            format!(
                "INSERT INTO activities (assignment_id, occurred_at) VALUES ('{assignment}', '2026-02-05 12:00+00')"
            ),
            "DELETE FROM activities".to_string(),
            "UPDATE activities SET occurred_at = '2026-01-15 12:00+00'".to_string(),
            format!("SELECT correct_last_contact_date('{assignment}', '2026-01-20', 'x')"),
            format!("SELECT update_last_contact_date('{assignment}', '2026-02-06')"),
            format!(
                "INSERT INTO contact_corrections (assignment_id, number, new_date, reason) VALUES ('{assignment}', 1, '2026-01-20', 'x')"
            ),
        ] {
            assert_refused(&mut owner, &change, "55000", "last_contact_date");
        }
        assert_eq!(row(&mut owner, STATE), before, "{body}");
    }
}

#[test]
fn the_end_state_counts_when_a_trigger_of_the_owners_changes_the_row_just_written() {
    let (_database, mut owner, people, _) = programme();
    let other = People::new(&mut owner);
    let counts = |owner: &mut Client| {
        row(
            owner,
            &format!(
                "SELECT (SELECT assignment_count FROM peer_mentors WHERE id = '{}'), (SELECT assignment_count FROM peer_mentors WHERE id = '{}')",
                people.mentor, other.mentor
            ),
        )
    };
    let insert = format!(
        "INSERT INTO assignments (title, student_id, peer_mentor_id) VALUES ('x', '{}', '{}')",
        people.student, people.mentor
    );
    for (body, expected) in [
        (
            format!(
                "UPDATE assignment_reminders.assignments SET peer_mentor_id = '{}' WHERE id = NEW.id; RETURN NULL;",
                other.mentor
            ),
            "1|1",
        ),
        ("DELETE FROM assignment_reminders.assignments WHERE id = NEW.id; RETURN NULL;".to_string(), "1|0"),
    ] {
        owners_trigger(&mut owner, "AFTER INSERT ON assignments", &body);
        // Also where the count was zero before.
        run(&mut owner, "BEGIN");
        run(&mut owner, &insert);
        assert_eq!(counts(&mut owner), expected, "{body}");
        run(&mut owner, "DELETE FROM assignments");
        assert_eq!(counts(&mut owner), "0|0");
        run(&mut owner, &insert);
        assert_eq!(rows(&mut owner, "SELECT * FROM verify_assignment_counts()"), [""; 0], "{body}");
        run(&mut owner, "ROLLBACK; DROP TRIGGER zzz ON assignments");
    }
}

#[test]
fn the_end_state_is_the_contact_date_when_a_trigger_of_the_owners_changes_the_activity_just_inserted() {
    for (body, expected) in [
        (
            "UPDATE assignment_reminders.activities SET occurred_at = '2026-01-10 12:00+00' WHERE id = NEW.id; RETURN NULL;",
            "2026-01-10",
        ),
        ("DELETE FROM assignment_reminders.activities WHERE id = NEW.id; RETURN NULL;", "-"),
        ("RETURN NULL;", "2026-02-01"),
    ] {
        for level in ["ROW", "STATEMENT"] {
            let (_database, mut owner, _, assignment) = programme();
            // Fires before ours, in the order of names.
            let body = if level == "ROW" { body.to_string() } else { body.replace("WHERE id = NEW.id", "") };
            run(
                &mut owner,
                &format!(
                    "CREATE FUNCTION public.owners() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$;
                     CREATE TRIGGER aaa AFTER INSERT ON activities FOR EACH {level} EXECUTE FUNCTION public.owners()"
                ),
            );
            run(
                &mut owner,
                &format!(
                    "INSERT INTO activities (assignment_id, occurred_at) VALUES ('{assignment}', '2026-02-01 12:00+00')"
                ),
            );
            assert_eq!(row(&mut owner, "SELECT last_contact_date FROM assignments"), expected, "{level} {body}");
            assert_eq!(rows(&mut owner, "SELECT * FROM verify_contact_dates()"), [""; 0], "{level} {body}");
        }
    }
}

/// A mentor who is deleted and comes back while assignments are counted.
#[test]
fn a_mentor_who_is_put_back_takes_no_count_along() {
    let (_database, mut client, people, _) = programme();
    people.assignments(&mut client, "2026-01-01", 2);
    let (mentor, user, student) = (people.mentor, people.mentor_user, people.student);
    run(
        &mut client,
        &format!(
            "CREATE FUNCTION public.put_back(n integer) RETURNS integer LANGUAGE sql AS $$
                 DELETE FROM assignment_reminders.peer_mentors WHERE id = '{mentor}';
                 INSERT INTO assignment_reminders.peer_mentors (id, user_id) VALUES ('{mentor}', '{user}'); SELECT n $$;
             CREATE FUNCTION public.keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 INSERT INTO assignment_reminders.peer_mentors (id, user_id) VALUES (OLD.id, OLD.user_id); RETURN NULL; END $$"
        ),
    );
    let counted = "SELECT assignment_count - (SELECT count(*) FROM assignments a WHERE a.peer_mentor_id = m.id) FROM peer_mentors m";
    let tricks = [
        format!("INSERT INTO assignments (title, student_id, peer_mentor_id) SELECT n::text, '{student}', '{mentor}' FROM generate_series(1, 9) AS n
                 RETURNING CASE WHEN title = '9' THEN public.put_back(9) END"),
        format!("WITH gone AS (DELETE FROM peer_mentors WHERE id = '{mentor}' RETURNING *)
                 INSERT INTO peer_mentors (id, organization_id, user_id) SELECT id, organization_id, user_id FROM gone"),
        format!("DELETE FROM peer_mentors WHERE id = '{mentor}'; INSERT INTO peer_mentors (id, user_id) VALUES ('{mentor}', '{user}')"),
        format!("CREATE TRIGGER \"A_keep\" AFTER DELETE ON peer_mentors FOR EACH ROW EXECUTE FUNCTION public.keep(); DELETE FROM peer_mentors WHERE id = '{mentor}'"),
    ];
    for trick in tricks {
        assert_refused(&mut client, &trick, "27000", &mentor.to_string());
        assert_eq!(row(&mut client, counted), "0", "{trick}");
        assert_eq!(row(&mut client, "SELECT assignment_count FROM peer_mentors"), "3", "{trick}");
    }
    // What was rolled back was not deleted.
    run(
        &mut client,
        &format!("BEGIN; SAVEPOINT a; DELETE FROM peer_mentors WHERE id = '{mentor}'; ROLLBACK TO a; UPDATE peer_mentors SET updated_at = now();
                  INSERT INTO users (id, email) VALUES ('00000000-0000-0000-0000-0000000000c0', 'c0@example.org'); SAVEPOINT b;
                  INSERT INTO peer_mentors (id, user_id) SELECT id, id FROM users WHERE email = 'c0@example.org'; DELETE FROM peer_mentors WHERE id = '00000000-0000-0000-0000-0000000000c0';
                  ROLLBACK TO b; INSERT INTO peer_mentors (id, user_id) SELECT id, id FROM users WHERE email = 'c0@example.org'; ROLLBACK"),
    );
    // In a transaction of its own, one may have the id again, also when both come in one message.
    run(
        &mut client,
        &format!(
            "BEGIN; DELETE FROM peer_mentors WHERE id = '{mentor}'; COMMIT; BEGIN; INSERT INTO peer_mentors (id, user_id) VALUES ('{mentor}', '{user}'); COMMIT"
        ),
    );
    run(&mut client, &format!("DELETE FROM peer_mentors WHERE id = '{mentor}'"));
    run(&mut client, &format!("INSERT INTO peer_mentors (id, user_id) VALUES ('{mentor}', '{user}')"));
    assert_eq!(row(&mut client, counted), "0");
}

/// What a statement inserted, and something in the same statement took back.
#[test]
fn the_end_state_is_the_contact_date_whatever_else_a_statement_does() {
    let (_database, mut client, _, assignment) = programme();
    run(
        &mut client,
        "CREATE FUNCTION public.take_back(activity uuid) RETURNS integer LANGUAGE sql AS $$
             DELETE FROM assignment_reminders.activities WHERE id = activity; SELECT 1 $$;
         CREATE FUNCTION public.keep_one() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             DELETE FROM assignment_reminders.activities WHERE assignment_id = NEW.assignment_id AND occurred_at > NEW.occurred_at; RETURN NEW; END $$",
    );
    for (statement, date) in [
        (format!("INSERT INTO activities (assignment_id) VALUES ('{assignment}') RETURNING correct_last_contact_date(assignment_id, NULL, 'x')"), "-"),
        (format!("WITH c AS (INSERT INTO activities (assignment_id) VALUES ('{assignment}') RETURNING assignment_id)
                  SELECT correct_last_contact_date(assignment_id, NULL, 'y') FROM c"), "-"),
        (format!("INSERT INTO activities (assignment_id) VALUES ('{assignment}') RETURNING public.take_back(id)"), "-"),
        (format!("CREATE TRIGGER keep_one BEFORE INSERT ON activities FOR EACH ROW EXECUTE FUNCTION public.keep_one();
                  INSERT INTO activities (assignment_id, occurred_at) VALUES ('{assignment}', '2026-03-09 12:00+00'), ('{assignment}', '2026-03-01 12:00+00')"), "2026-03-01"),
    ] {
        run(&mut client, &format!("BEGIN; {statement}"));
        assert_eq!(row(&mut client, "SELECT last_contact_date FROM assignments"), date, "{statement}");
        assert_eq!(rows(&mut client, "SELECT * FROM verify_contact_dates()"), [""; 0], "{statement}");
        run(&mut client, "ROLLBACK");
    }
    // A correction and an activity in one statement: what is written last holds, and nothing contradicts it.
    run(
        &mut client,
        &format!(
            "WITH c AS (INSERT INTO contact_corrections (assignment_id, new_date, reason) VALUES ('{assignment}', NULL, 'x') RETURNING assignment_id)
             INSERT INTO activities (assignment_id, occurred_at) SELECT assignment_id, '2026-03-01 12:00+00' FROM c"
        ),
    );
    assert_eq!(rows(&mut client, "SELECT * FROM verify_contact_dates()"), [""; 0]);
}

#[test]
fn a_trigger_of_the_owners_that_changes_or_drops_a_correction_is_an_error() {
    let (_database, mut client, people, assignment) = programme();
    let correct = format!("SELECT correct_last_contact_date('{assignment}', '2026-01-03', 'x')");
    let import = format!(
        "INSERT INTO assignments (title, student_id, last_contact_date) VALUES ('imported', '{}', '2026-01-03')",
        people.student
    );
    for change in [
        "NEW.new_date := current_date + 300; RETURN NEW",
        "NEW.number := 500; RETURN NEW",
        "NEW.corrected_by := 'somebody else'; RETURN NEW",
        "NEW.corrected_by_subject := 'somebody else'; RETURN NEW",
        "NEW.previous_date := '2025-01-01'; RETURN NEW",
        "NEW.created_at := '2025-01-01'; RETURN NEW",
        "RETURN NULL",
    ] {
        run(
            &mut client,
            &format!(
                "CREATE OR REPLACE FUNCTION public.change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {change}; END $$;
                 CREATE OR REPLACE TRIGGER zz BEFORE INSERT ON contact_corrections FOR EACH ROW EXECUTE FUNCTION public.change()"
            ),
        );
        for statement in [&correct, &import] {
            assert_refused(&mut client, statement, "55000", "contact_corrections");
        }
        assert_eq!(row(&mut client, "SELECT count(*), count(last_contact_date) FROM assignments"), "1|0", "{change}");
        assert_eq!(row(&mut client, "SELECT count(*) FROM contact_corrections"), "0", "{change}");
    }
    // One that leaves them alone does no harm, and nothing is corrected forward that is not.
    run(
        &mut client,
        "CREATE OR REPLACE FUNCTION public.change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.reason := upper(NEW.reason); RETURN NEW; END $$",
    );
    assert_eq!(row(&mut client, &correct), "2026-01-03");
    assert_eq!(
        row(&mut client, &format!("SELECT update_last_contact_date('{assignment}', '2026-01-02')")),
        "2026-01-03"
    );
    assert_eq!(row(&mut client, "SELECT reason, number FROM contact_corrections"), "X|1");
}

/// A trigger of the owner's that keeps a history of its own by further corrections.
#[test]
fn what_one_correction_is_asked_for_is_not_asked_of_another_that_it_brings_about() {
    let (_database, mut client, people, assignment) = programme();
    let other = people.assignment(&mut client, "2026-01-01");
    run(
        &mut client,
        &format!(
            "INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-03-10 12:00+00' FROM assignments;
             CREATE FUNCTION public.another() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                 IF NEW.assignment_id <> '{other}' THEN
                     INSERT INTO assignment_reminders.contact_corrections (assignment_id, new_date, reason) VALUES ('{other}', '2026-01-05', 'with it');
                 END IF; RETURN NEW; END $$;
             CREATE TRIGGER aa BEFORE INSERT ON contact_corrections FOR EACH ROW EXECUTE FUNCTION public.another()"
        ),
    );
    let forward = format!("SELECT update_last_contact_date('{assignment}', '2026-02-01')");
    assert_eq!(row(&mut client, &forward), "2026-03-10", "it moves no date back");
    assert_eq!(
        rows(&mut client, "SELECT last_contact_date FROM assignments ORDER BY 1"),
        ["2026-01-05", "2026-03-10"],
        "and the other, which may, does"
    );
    // The one that was asked for is dropped; the other is no answer to it.
    run(&mut client, "CREATE FUNCTION public.drop_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                          IF NEW.reason <> 'with it' THEN RETURN NULL; END IF; RETURN NEW; END $$;
                      CREATE TRIGGER ab BEFORE INSERT ON contact_corrections FOR EACH ROW EXECUTE FUNCTION public.drop_it()");
    let correct = format!("SELECT correct_last_contact_date('{assignment}', '2026-02-01', 'x')");
    assert_refused(&mut client, &correct, "55000", "contact_corrections");
}

#[test]
fn of_several_corrections_in_one_statement_each_says_what_was_before_it() {
    let (_database, mut client, _, assignment) = programme();
    run(
        &mut client,
        &format!(
            "INSERT INTO activities (assignment_id, occurred_at) VALUES ('{assignment}', '2026-03-10 12:00+00');
             INSERT INTO contact_corrections (assignment_id, new_date, reason)
             VALUES ('{assignment}', '2026-03-03', 'a'), ('{assignment}', NULL, 'b'), ('{assignment}', '2026-03-05', 'c')"
        ),
    );
    assert_eq!(
        rows(&mut client, "SELECT number, previous_date, new_date, reason FROM contact_corrections ORDER BY number"),
        ["1|2026-03-10|2026-03-03|a", "2|2026-03-03|-|b", "3|-|2026-03-05|c"]
    );
    assert_eq!(row(&mut client, "SELECT last_contact_date FROM assignments"), "2026-03-05");
    // What a part of the transaction that was rolled back had signed counts for nothing.
    run(
        &mut client,
        &format!(
            "BEGIN; SAVEPOINT s; INSERT INTO contact_corrections (assignment_id, new_date, reason) VALUES ('{assignment}', '2026-02-02', 'd');
             ROLLBACK TO s; SELECT correct_last_contact_date('{assignment}', '2026-02-03', 'e'); COMMIT"
        ),
    );
    assert_eq!(
        row(&mut client, "SELECT number, previous_date FROM contact_corrections WHERE reason = 'e'"),
        "4|2026-03-05"
    );
}

/// An assignment that is imported with a contact date, and what the same statement or transaction does beside it.
#[test]
fn an_imported_date_holds_as_far_as_nothing_later_says_otherwise() {
    let (_database, mut client, people, assignment) = programme();
    let student = people.student;
    run(
        &mut client,
        &format!("INSERT INTO activities (assignment_id, occurred_at) VALUES ('{assignment}', now() - interval '9 days');
                  CREATE FUNCTION public.there_and_back(imported uuid) RETURNS integer LANGUAGE sql AS $$
                      INSERT INTO assignment_reminders.activities (assignment_id, occurred_at) VALUES (imported, now() - interval '10 days');
                      DELETE FROM assignment_reminders.activities WHERE assignment_id = imported; SELECT 1 $$"),
    );
    let import = format!(
        "INSERT INTO assignments (title, student_id, last_contact_date) VALUES ('imported', '{student}', current_date - 5)"
    );
    for (statement, days) in [
        (format!("DELETE FROM activities; WITH a AS (INSERT INTO activities (assignment_id, occurred_at) VALUES ('00000000-0000-0000-0000-0000000000aa', now() - interval '10 days') RETURNING 1)
                  INSERT INTO assignments (id, title, student_id, last_contact_date)
                  SELECT '00000000-0000-0000-0000-0000000000aa', 'imported', '{student}', current_date - 5 FROM (SELECT count(*) FROM a) AS n"), "5"),
        (format!("{import} RETURNING public.there_and_back(id)"), "5"),
        (format!("WITH n AS ({import} RETURNING id) SELECT update_last_contact_date(id, current_date - 1) FROM n"), "1"),
        (format!("{import} RETURNING correct_last_contact_date(id, current_date - 8, 'x')"), "8"),
        (format!("WITH n AS ({import} RETURNING id) INSERT INTO contact_corrections (assignment_id, new_date, reason) SELECT id, current_date - 8, 'x' FROM n"), "8"),
    ] {
        run(&mut client, &format!("BEGIN; {statement}"));
        assert_eq!(row(&mut client, "SELECT current_date - last_contact_date FROM assignments WHERE title = 'imported'"), days, "{statement}");
        assert_eq!(rows(&mut client, "SELECT * FROM verify_contact_dates()"), [""; 0], "{statement}");
        run(&mut client, "ROLLBACK");
    }
}

#[test]
fn a_correction_that_is_deleted_holds_no_more() {
    let (_database, mut client, _, assignment) = programme();
    run(
        &mut client,
        &format!(
            "INSERT INTO activities (assignment_id, occurred_at) VALUES ('{assignment}', '2026-01-05 12:00+00');
             SELECT correct_last_contact_date('{assignment}', '2026-02-03', 'x'); SELECT correct_last_contact_date('{assignment}', '2026-02-09', 'y')"
        ),
    );
    for (statement, date) in [
        ("DELETE FROM contact_corrections WHERE reason = 'y'", "2026-02-03"),
        ("DELETE FROM contact_corrections", "2026-01-05"),
        ("TRUNCATE contact_corrections CASCADE", "-"),
    ] {
        run(&mut client, &format!("BEGIN; {statement}"));
        assert_eq!(row(&mut client, "SELECT last_contact_date FROM assignments"), date, "{statement}");
        assert_eq!(rows(&mut client, "SELECT * FROM verify_contact_dates()"), [""; 0], "{statement}");
        run(&mut client, "ROLLBACK");
    }
    run(&mut client, "DELETE FROM assignments");
}

/// Everybody may make temporary tables: an owner's trigger that runs as the owner does not find them before the owner's own.
#[test]
fn nobody_puts_a_temporary_table_in_the_way_of_an_owners_trigger() {
    let (database, mut owner, _, assignment) = programme();
    run(
        &mut owner,
        "CREATE TABLE public.audit_log (entry text);
         CREATE FUNCTION public.audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit_log VALUES (current_setting('search_path')); RETURN NULL; END $$;
         CREATE TRIGGER audit AFTER UPDATE ON assignments FOR EACH ROW EXECUTE FUNCTION public.audit()",
    );
    let (mut attacker, _) = database.connect_as_new_role(
        "GRANT USAGE ON SCHEMA assignment_reminders TO {role}; GRANT INSERT ON activities TO {role}",
    );
    run(
        &mut attacker,
        "CREATE TEMPORARY TABLE audit_log (entry text);
         CREATE FUNCTION pg_temp.take() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'as %', current_user; END $$;
         CREATE TRIGGER take BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION pg_temp.take()",
    );
    for (day, path) in ["public", "pg_temp, public", "\"pg_temp\", public", "public, pg_temp"].iter().enumerate() {
        run(
            &mut attacker,
            &format!(
                "SET search_path = {path}; INSERT INTO assignment_reminders.activities (assignment_id, occurred_at) VALUES ('{assignment}', '2026-02-0{} 12:00+00'); SELECT",
                day + 1
            ),
        );
        assert_eq!(row(&mut attacker, "SHOW search_path"), path.replace(char::from(34), ""), "and back");
    }
    assert_eq!(row(&mut owner, "SELECT count(*) FROM public.audit_log"), "4");
}
