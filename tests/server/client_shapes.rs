//! What clients send: the SQL that PostgREST makes of supabase-js calls, and what ORMs write back. None of it is refused for a
//! shape that means something, and none is ignored in silence.

use postgres::Client;
use serde_json::{Value, json};

use crate::support::{Database, People, assert_refused, refused, row, rows, run};

/// An insert or upsert as PostgREST sends it: the keys of the object are the columns, and all of them are written on a conflict.
fn upsert(table: &str, body: &Value, on_conflict: Option<&str>) -> String {
    let columns: Vec<String> = body.as_object().expect("an object").keys().map(|key| format!("\"{key}\"")).collect();
    let conflict = on_conflict.map_or(String::new(), |target| {
        let set: Vec<String> = columns.iter().map(|column| format!("{column} = EXCLUDED.{column}")).collect();
        format!("ON CONFLICT({target}) DO UPDATE SET {}", set.join(", "))
    });
    let list = columns.join(", ");
    let body = body.to_string().replace('\'', "''");
    format!(
        "WITH pgrst_source AS (
            INSERT INTO \"assignment_reminders\".\"{table}\"({list})
            SELECT {list} FROM json_populate_recordset(null::\"assignment_reminders\".\"{table}\", json_build_array('{body}'::json)) _ {conflict}
            RETURNING \"assignment_reminders\".\"{table}\".*)
         SELECT row_to_json(pgrst_source) FROM pgrst_source"
    )
}

/// A row as a client reads it.
fn read(client: &mut Client, table: &str, filter: &str) -> Value {
    let text = row(client, &format!("SELECT row_to_json(t) FROM {table} t WHERE {filter}"));
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn an_explicit_null_where_there_is_nothing_to_say_is_taken() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    let user = json!({"email": "x@example.org", "name": null, "timezone": null, "contact_opt_out": false, "auth_user_id": null});
    rows(&mut client, &upsert("users", &user, None));
    let assignment = json!({
        "title": "Essay", "description": null, "student_id": people.student.to_string(), "peer_mentor_id": people.mentor.to_string(), "coordinator_id": null,
        "due_at": null, "metadata": null, "last_contact_date": null, "assigned_on": "2026-01-01"
    });
    rows(&mut client, &upsert("assignments", &assignment, None));
    let id = row(&mut client, "SELECT id FROM assignments WHERE metadata IS NULL");
    let activity = json!({"assignment_id": id, "occurred_at": "2026-01-05T12:00:00Z", "notes": null, "metadata": null, "recorded_by": null});
    rows(&mut client, &upsert("activities", &activity, None));
    assert_eq!(row(&mut client, "SELECT last_contact_date FROM assignments"), "2026-01-05");
    // A message to somebody without a name goes out.
    run(
        &mut client,
        &format!(
            "UPDATE users SET name = NULL; UPDATE reminder_settings SET reminder_after_days = 1; SELECT * FROM run_daily_evaluation('2026-02-01');
             SELECT * FROM enqueue_due_reminders('2026-02-01'); UPDATE assignments SET coordinator_id = '{}'",
            people.coordinator
        ),
    );
    assert_eq!(
        row(
            &mut client,
            "SELECT recipient_email IS NOT NULL, recipient_name, student_name FROM claim_reminders(as_of => '2026-02-01')"
        ),
        "t|-|-"
    );
    assert_eq!(row(&mut client, &format!("SELECT student_name FROM get_assignment_with_participants('{id}')")), "-");
}

#[test]
fn a_whole_assignment_is_written_back_and_what_changed_in_it_holds() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    let id = people.assignment(&mut client, "2026-01-01");
    run(
        &mut client,
        &format!("INSERT INTO activities (assignment_id, occurred_at) VALUES ('{id}', '2026-01-05 12:00+00')"),
    );
    let mut becomes = |change: Value, expected: &str| {
        let mut whole = read(&mut client, "assignments", &format!("id = '{id}'"));
        for (key, value) in change.as_object().expect("an object") {
            whole[key] = value.clone();
        }
        assert_eq!(rows(&mut client, &upsert("assignments", &whole, Some("\"id\""))).len(), 1, "{change}");
        let stored = row(&mut client, "SELECT title, status, completed, completed_at IS NOT NULL FROM assignments");
        assert_eq!(stored, expected, "{change}");
    };
    becomes(json!({"title": "Poem"}), "Poem|open|f|f");
    becomes(json!({"status": "completed"}), "Poem|completed|t|t");
    becomes(json!({"title": "Ode"}), "Ode|completed|t|t");
    becomes(json!({"status": "open"}), "Ode|open|f|f"); // reopened, though completed still says true
    becomes(json!({"completed": true}), "Ode|completed|t|t");
    becomes(json!({"completed": false}), "Ode|open|f|f"); // though status still says completed
    becomes(json!({"completed": true}), "Ode|completed|t|t");
    becomes(json!({"status": "cancelled"}), "Ode|cancelled|f|f");
    becomes(json!({"status": "open"}), "Ode|open|f|f");
    assert_eq!(row(&mut client, "SELECT last_contact_date FROM assignments"), "2026-01-05");
    assert_eq!(row(&mut client, "SELECT assignment_count FROM peer_mentors"), "1");
    // A whole row that would move the contact date is still refused, by name.
    let mut whole = read(&mut client, "assignments", &format!("id = '{id}'"));
    whole["last_contact_date"] = json!("2026-01-09");
    assert_refused(&mut client, &upsert("assignments", &whole, Some("\"id\"")), "428C9", "last_contact_date");
}

#[test]
fn a_part_of_an_assignment_is_upserted_and_the_rest_stays() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    let id = people.assignment(&mut client, "2026-01-01");
    let mut becomes = |change: Value, expected: &str| {
        let mut part = json!({"id": id.to_string(), "title": "Essay", "student_id": people.student.to_string()});
        for (key, value) in change.as_object().expect("an object") {
            part[key] = value.clone();
        }
        rows(&mut client, &upsert("assignments", &part, Some("\"id\"")));
        assert_eq!(row(&mut client, "SELECT status, completed FROM assignments"), expected, "{change}");
    };
    becomes(json!({"completed": true}), "completed|t");
    becomes(json!({"status": "open"}), "open|f");
    becomes(json!({"status": "completed"}), "completed|t");
    becomes(json!({"completed": false}), "open|f");
    becomes(json!({}), "open|f");
}

#[test]
fn a_whole_reminder_is_written_back() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    let id = people.assignment(&mut client, "2026-01-01");
    run(&mut client, &format!("INSERT INTO reminders (assignment_id, reminder_type) VALUES ('{id}', '24h')"));
    let mut whole = read(&mut client, "reminders", "true");
    let number = whole["number"].clone();
    whole["scheduled_for"] = json!("2026-03-01T00:00:00+00:00");
    for target in ["\"id\"", "\"assignment_id\",\"reminder_type\""] {
        rows(&mut client, &upsert("reminders", &whole, Some(target)));
    }
    let stored = read(&mut client, "reminders", "true");
    assert_eq!((&stored["number"], &stored["scheduled_for"]), (&number, &whole["scheduled_for"]));
}

#[test]
fn a_reminder_is_skipped_without_a_reason() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    let id = people.assignment(&mut client, "2026-01-01");
    run(
        &mut client,
        &format!(
            "INSERT INTO reminders (assignment_id, recipient_id, reminder_type, anchor)
             VALUES ('{id}', '{}', 'contact-reminder', '2026-01-01 00:00+00'); UPDATE reminders SET status = 'skipped'",
            people.mentor_user
        ),
    );
    assert_eq!(row(&mut client, "SELECT status, skip_reason FROM reminders"), "skipped|-");
    assert_eq!(rows(&mut client, "SELECT * FROM claim_reminders(as_of => '2026-02-01')"), [""; 0]);
    // It reached nobody, so nobody is escalated to for it; a later silence is followed up as ever.
    let evaluate = format!("SELECT (evaluate_assignment('{id}', '2026-03-01')).action");
    assert_eq!(row(&mut client, &evaluate), "remind");
    run(
        &mut client,
        &format!(
            "INSERT INTO activities (assignment_id, occurred_at) VALUES ('{id}', '2026-02-05 12:00+00'); SELECT * FROM run_daily_evaluation('2026-03-01')"
        ),
    );
    assert_eq!(row(&mut client, "SELECT status, skip_reason FROM reminders"), "pending|-");
}

#[test]
fn every_zone_in_the_time_zone_database_is_taken_as_what_it_is() {
    let database = Database::installed();
    let mut client = database.connect();
    // Names that AT TIME ZONE takes for abbreviations, and files that are no zones.
    let names = rows(
        &mut client,
        "SELECT name FROM pg_timezone_names WHERE name !~ '^(posix|right)/' AND name NOT IN ('posixrules', 'localtime', 'Factory', 'CET', 'EET', 'MET', 'WET')
           UNION VALUES ('EST5EDT'), ('PST8PDT'), ('Etc/GMT+12')",
    );
    assert!(names.len() > 300, "{}", names.len());
    for name in names {
        run(&mut client, &format!("UPDATE organizations SET timezone = '{name}'"));
        let agrees = format!(
            "SET timezone = '{name}';
             SELECT bool_and(moment::timestamp = moment AT TIME ZONE '{name}') FROM generate_series(timestamptz '2026-01-15 00:00+00', '2026-12-15', '1 month') AS moment"
        );
        assert_eq!(row(&mut client, &agrees), "t", "{name}");
        run(&mut client, "RESET timezone");
    }
    for name in ["CET", "PDT", "X5", "EST5", "CEST-2", "posixrules", "+01", "", "UTC+3", "Utc+3"] {
        assert!(
            ["23514", "22023"].contains(
                &refused(
                    &mut client,
                    &format!("UPDATE users SET timezone = '{name}'; INSERT INTO users (timezone) VALUES ('{name}')")
                )
                .sqlstate
                .as_str()
            ),
            "{name}"
        );
    }
}

#[test]
fn an_address_is_upserted_by_the_index_of_a_single_programme() {
    let database = Database::installed();
    let mut client = database.connect();
    // The recipe of docs/operations.md.
    run(&mut client, "CREATE UNIQUE INDEX users_email_idx ON assignment_reminders.users (email)");
    for name in ["Ada", "Ada Lovelace"] {
        let body = json!({"email": "ada@example.org", "name": name});
        rows(&mut client, &upsert("users", &body, Some("\"email\"")));
    }
    assert_eq!(row(&mut client, "SELECT count(*), min(name) FROM users"), "1|Ada Lovelace");
    assert!(row(&mut client, "SELECT install()").ends_with("nothing to do"));
    // Without it, the address together with the organization.
    run(&mut client, "DROP INDEX users_email_idx");
    let organization = row(&mut client, "SELECT current_organization()");
    let body = json!({"organization_id": organization, "email": "ada@example.org", "name": "Countess"});
    rows(&mut client, &upsert("users", &body, Some("\"organization_id\",\"email\"")));
    assert_eq!(row(&mut client, "SELECT count(*), min(name) FROM users"), "1|Countess");
}

#[test]
fn a_student_who_is_deleted_takes_their_assignments_along_and_the_counts_follow() {
    let database = Database::installed();
    let mut client = database.connect();
    let (one, other) = (People::new(&mut client), People::new(&mut client));
    one.assignments(&mut client, "2026-01-01", 3);
    other.assignments(&mut client, "2026-01-01", 2);
    run(
        &mut client,
        &format!(
            "UPDATE assignments SET peer_mentor_id = '{}';
             INSERT INTO activities (assignment_id) SELECT id FROM assignments;
             INSERT INTO reminders (assignment_id, reminder_type) SELECT id, '24h' FROM assignments;
             INSERT INTO send_logs (reminder_id, to_email) SELECT id, 'x@example.org' FROM reminders",
            one.mentor
        ),
    );
    run(&mut client, &format!("DELETE FROM users WHERE id = '{}'", one.student));
    assert_eq!(
        row(
            &mut client,
            "SELECT (SELECT count(*) FROM assignments), (SELECT count(*) FROM activities), (SELECT count(*) FROM reminders),
                    (SELECT count(*) FROM send_logs), (SELECT sum(assignment_count) FROM peer_mentors)"
        ),
        "2|2|2|5|2"
    );
    assert_eq!(rows(&mut client, "SELECT * FROM verify_assignment_counts()"), [""; 0]);
    run(&mut client, "DELETE FROM users");
    assert_eq!(row(&mut client, "SELECT count(*) FROM assignments"), "0");
}

/// As PostgREST embeds users in assignments, by the names of the foreign keys.
#[test]
fn the_people_of_an_assignment_can_be_embedded_by_the_foreign_keys_that_the_docs_name() {
    let database = Database::installed();
    let mut client = database.connect();
    let paths = rows(
        &mut client,
        "SELECT c.conname, c.confrelid::regclass FROM pg_constraint c
          WHERE c.contype = 'f' AND c.conrelid IN ('assignments'::regclass, 'peer_mentors'::regclass) ORDER BY 1",
    );
    assert_eq!(
        paths,
        [
            "assignments_coordinator_fkey|users",
            "assignments_peer_mentor_fkey|peer_mentors",
            "assignments_student_fkey|users",
            "peer_mentors_user_fkey|users"
        ]
    );
}

#[test]
fn the_reads_return_everything_unless_a_page_is_asked_for() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    people.assignments(&mut client, "2026-01-01", 1200);
    run(&mut client, "UPDATE assignments SET due_at = '2026-03-02 12:00+00'");
    for (read, page) in [
        ("get_open_assignments_with_contact_dates()", "get_open_assignments_with_contact_dates(page_size => 10)"),
        (
            "get_assignments_with_no_contact_since('2026-02-01')",
            "get_assignments_with_no_contact_since('2026-02-01', page_size => 10)",
        ),
        (
            "due_assignments('days', '{1}', as_of => '2026-03-01 12:00+00')",
            "due_assignments('days', '{1}', as_of => '2026-03-01 12:00+00', page_size => 10)",
        ),
    ] {
        assert_eq!(row(&mut client, &format!("SELECT count(*) FROM {read}")), "1200", "{read}");
        assert_eq!(row(&mut client, &format!("SELECT count(*) FROM {page}")), "10", "{page}");
    }
}

#[test]
fn no_contact_since_means_before_that_day_or_never() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    let add = |client: &mut Client, title: &str, assigned_on: &str, contact: &str| {
        run(
            client,
            &format!(
                "INSERT INTO assignments (title, student_id, assigned_on, last_contact_date) VALUES ('{title}', '{}', '{assigned_on}', {contact})",
                people.student
            ),
        );
    };
    add(&mut client, "before", "2026-01-01", "'2026-01-31'");
    add(&mut client, "on the day", "2026-01-01", "'2026-02-01'");
    add(&mut client, "after", "2026-01-01", "'2026-02-05'");
    add(&mut client, "never", "2026-01-01", "NULL");
    add(&mut client, "never, assigned since", "2026-02-20", "NULL");
    let titles =
        |arguments: &str| format!("SELECT title FROM get_assignments_with_no_contact_since('2026-02-01'{arguments})");
    assert_eq!(rows(&mut client, &titles("")), ["never", "before", "never, assigned since"]);
    assert_eq!(rows(&mut client, &titles(", page_size => 2")), ["never", "before"]);
    let before = row(&mut client, "SELECT id FROM assignments WHERE title = 'before'");
    assert_eq!(rows(&mut client, &titles(&format!(", '2026-01-31', '{before}', 2"))), ["never, assigned since"]);
    assert_eq!(row(&mut client, "SELECT count(*) FROM get_open_assignments_with_contact_dates()"), "5");
}

/// What PostgREST answers with status 5xx, by its published mapping, among what a client's values can cause.
#[test]
fn no_value_of_a_client_is_answered_as_a_fault_of_the_server() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    let id = people.assignment(&mut client, "2026-01-01");
    let unknown = "00000000-0000-0000-0000-00000000dead";
    run(
        &mut client,
        "INSERT INTO organizations (id, name) VALUES ('00000000-0000-0000-0000-00000000000b', 'B');
         INSERT INTO send_logs (organization_id, message_id) SELECT id, 'twice' FROM organizations",
    );
    for call in [
        format!("SELECT evaluate_assignment('{unknown}'::uuid)"),
        format!("SELECT get_last_contact_date('{unknown}')"),
        format!("SELECT * FROM get_assignment_with_participants('{unknown}')"),
        format!("SELECT update_last_contact_date('{unknown}', '2026-01-01')"),
        format!("SELECT correct_last_contact_date('{unknown}', '2026-01-01', 'x')"),
        format!("SELECT correct_last_contact_date('{id}', '2036-01-01', 'x')"),
        format!("SELECT * FROM daily_summary('{unknown}')"),
        format!("SELECT * FROM get_open_assignments_with_contact_dates(organization_id => '{unknown}')"),
        format!("SELECT * FROM evaluate_assignments(organization_id => '{unknown}')"),
        format!("SELECT restore_contact('{unknown}')"),
        "SELECT record_delivery_event('unknown', 'delivered')".to_string(),
        "SELECT record_delivery_event('twice', 'delivered')".to_string(),
        "SELECT record_delivery_event('m', 'lost')".to_string(),
        "UPDATE peer_mentors SET assignment_count = 7".to_string(),
        "UPDATE assignments SET last_contact_date = '2026-01-01'".to_string(),
        "UPDATE assignments SET id = gen_random_uuid()".to_string(),
        "UPDATE send_logs SET message_id = 'x'".to_string(),
        format!("INSERT INTO activities (assignment_id, occurred_at) VALUES ('{id}', '2036-01-01')"),
        format!("INSERT INTO activities (assignment_id) VALUES ('{unknown}')"),
        format!("INSERT INTO assignments (title, student_id) VALUES ('t', '{unknown}')"),
        "SET request.jwt.claims = 'not json'; INSERT INTO users (email) VALUES ('y@example.org')".to_string(),
    ] {
        let sqlstate = refused(&mut client, &call).sqlstate;
        let is_server_fault = [
            "08", "09", "21", "25", "2D", "38", "39", "3B", "40", "53", "54", "55", "57", "58", "F0", "HV", "P0", "XX",
        ]
        .contains(&&sqlstate[..2])
            || sqlstate == "42P17";
        assert!(!is_server_fault, "{call}: {sqlstate}");
    }
    for answer in ["mark_reminder_sent", "extend_reminder_lease"] {
        assert_eq!(
            row(&mut client, &format!("SELECT {answer}('{unknown}', '{unknown}')")),
            "f",
            "a claim that is no more"
        );
    }
}
