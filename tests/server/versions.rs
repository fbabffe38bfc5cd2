//! What newer versions of Postgres brought: counts and contact dates follow it, too. Each test says that it is skipped where the
//! server is older; `make test-versions` runs them on newer ones.

use std::io::Write;

use postgres::Client;
use uuid::Uuid;

use crate::support::{Database, assert_refused, is_at_least, row, rows, run};

const ID: &str = "00000000-0000-0000-0000-00000000000";

/// Two mentors with the ids 1 and 2, a student with the id 9, and assignments with the ids 1 to 3, silent since 2026-01-01:
/// two of the first mentor's, and one of the second's.
fn programme() -> (Database, Client) {
    let database = Database::installed();
    let mut client = database.connect();
    run(
        &mut client,
        &format!(
            "INSERT INTO users (id, email) SELECT ('{ID}' || n)::uuid, n || '@example.org' FROM unnest(ARRAY[1, 2, 9]) AS n;
             INSERT INTO peer_mentors (id, user_id) SELECT id, id FROM users WHERE email <> '9@example.org';
             INSERT INTO assignments (id, title, student_id, peer_mentor_id, assigned_on)
             SELECT ('{ID}' || n)::uuid, n, '{ID}9', ('{ID}' || CASE n WHEN 3 THEN 2 ELSE 1 END)::uuid, '2026-01-01' FROM generate_series(1, 3) AS n"
        ),
    );
    (database, client)
}

/// The mentors' counts, once they are seen to be right.
fn counts(client: &mut Client) -> String {
    assert_eq!(rows(client, "SELECT * FROM verify_assignment_counts()"), [""; 0]);
    rows(client, "SELECT assignment_count FROM peer_mentors ORDER BY id").join(" ")
}

/// The days of the last contacts by the assignments' titles, once they are seen to be right.
fn dates(client: &mut Client) -> String {
    assert_eq!(rows(client, "SELECT * FROM verify_contact_dates()"), [""; 0]);
    rows(client, "SELECT coalesce(to_char(last_contact_date, 'MM-DD'), 'none') FROM assignments ORDER BY title")
        .join(" ")
}

fn copy(client: &mut Client, sql: &str, lines: &str) {
    let mut copy = client.copy_in(sql).expect("a copy");
    copy.write_all(lines.as_bytes()).expect("written");
    copy.finish().expect("copied");
}

#[test]
fn a_merge_is_counted_that_deletes_what_its_source_lacks_and_returns_what_it_did() {
    if !is_at_least(17) {
        return;
    }
    let (_database, mut client) = programme();
    let merged = rows(
        &mut client,
        &format!(
            "MERGE INTO assignments a USING (VALUES (1, 2), (4, 2), (5, 1)) AS s (n, mentor) ON a.id = ('{ID}' || s.n)::uuid
             WHEN MATCHED THEN UPDATE SET peer_mentor_id = ('{ID}' || s.mentor)::uuid
             WHEN NOT MATCHED BY TARGET THEN INSERT (id, title, student_id, peer_mentor_id)
                  VALUES (('{ID}' || s.n)::uuid, s.n, '{ID}9', ('{ID}' || s.mentor)::uuid)
             WHEN NOT MATCHED BY SOURCE AND a.title = '2' THEN DELETE
             WHEN NOT MATCHED BY SOURCE THEN UPDATE SET peer_mentor_id = '{ID}1'
             RETURNING merge_action() || ' ' || a.title"
        ),
    );
    let mut merged: Vec<&str> = merged.iter().map(String::as_str).collect();
    merged.sort_unstable();
    assert_eq!(merged, ["DELETE 2", "INSERT 4", "INSERT 5", "UPDATE 1", "UPDATE 3"]);
    assert_eq!(counts(&mut client), "2 2");
    run(
        &mut client,
        "MERGE INTO assignments a USING (SELECT NULL::uuid AS id WHERE false) AS s ON a.id = s.id WHEN NOT MATCHED BY SOURCE THEN DELETE",
    );
    assert_eq!(counts(&mut client), "0 0");
}

#[test]
fn contact_dates_follow_a_merge_of_activities_that_deletes_what_its_source_lacks() {
    if !is_at_least(17) {
        return;
    }
    let (_database, mut client) = programme();
    run(
        &mut client,
        &format!(
            "INSERT INTO activities (id, assignment_id, occurred_at)
             SELECT ('{ID}' || n)::uuid, ('{ID}' || n)::uuid, '2026-02-01 12:00+00' FROM generate_series(1, 3) AS n"
        ),
    );
    assert_eq!(dates(&mut client), "02-01 02-01 02-01");
    let merged = rows(
        &mut client,
        &format!(
            "MERGE INTO activities a USING (VALUES (1, '2026-01-20 12:00+00'::timestamptz), (4, '2026-02-20 12:00+00')) AS s (n, at)
                ON a.id = ('{ID}' || s.n)::uuid
             WHEN MATCHED THEN UPDATE SET occurred_at = s.at
             WHEN NOT MATCHED BY TARGET THEN INSERT (id, assignment_id, occurred_at) VALUES (('{ID}' || s.n)::uuid, '{ID}3', s.at)
             WHEN NOT MATCHED BY SOURCE THEN DELETE
             RETURNING merge_action()"
        ),
    );
    assert_eq!(merged.len(), 4, "{merged:?}");
    assert_eq!(dates(&mut client), "01-20 none 02-20");
}

#[test]
fn a_copy_that_skips_bad_rows_counts_the_good_ones() {
    if !is_at_least(17) {
        return;
    }
    let (_database, mut client) = programme();
    copy(
        &mut client,
        "COPY assignments (title, student_id, peer_mentor_id) FROM STDIN (ON_ERROR ignore)",
        &format!("4\t{ID}9\t{ID}2\n5\t{ID}9\tno uuid\n6\tno uuid\t{ID}1\n7\t{ID}9\t{ID}2\n"),
    );
    assert_eq!(counts(&mut client), "2 3");
    copy(
        &mut client,
        "COPY activities (assignment_id, occurred_at) FROM STDIN (ON_ERROR ignore)",
        &format!(
            "{ID}1\t2026-02-01 12:00+00\n{ID}1\t2026-02-31 12:00+00\n{ID}2\tyesterday or so\n{ID}3\t2026-02-03 12:00+00\n"
        ),
    );
    assert_eq!(dates(&mut client), "02-01 none 02-03 none none");
}

#[test]
fn an_infinite_interval_is_refused_in_words_and_has_no_reminder_type() {
    if !is_at_least(17) {
        return;
    }
    let (_database, mut client) = programme();
    for infinity in ["infinity", "-infinity"] {
        for (call, name) in [
            ("SELECT * FROM claim_reminders(lease => '{}')", "lease"),
            ("SELECT extend_reminder_lease(gen_random_uuid(), gen_random_uuid(), lease => '{}')", "lease"),
            ("SELECT extend_reminder_leases('{}', gen_random_uuid(), lease => '{}')", "lease"),
            ("SELECT * FROM prune(older_than => '{}')", "older_than"),
            ("SELECT * FROM evaluation_health(max_age => '{}')", "max_age"),
            ("SELECT watch_daily_evaluation(max_age => '{}')", "max_age"),
            ("SELECT * FROM schedule_daily_evaluation(max_age => '{}')", "max_age"),
        ] {
            let call = call.replace("=> '{}'", &format!("=> '{infinity}'"));
            assert_refused(&mut client, &call, "22023", &format!("{name} {infinity} is not a length of time"));
        }
        assert_eq!(row(&mut client, &format!("SELECT due_reminder_type('{infinity}')")), "-");
        assert_eq!(
            row(&mut client, &format!("SELECT is_due_offset_open(now(), now(), '{infinity}', '{infinity}', now())")),
            "f"
        );
        for setting in ["due_offsets = ARRAY[interval '{}']", "retry_base = '{}'"] {
            let sql = format!("UPDATE reminder_settings SET {}", setting.replace("{}", infinity));
            assert_eq!(crate::support::refused(&mut client, &sql).sqlstate, "23514", "{sql}");
        }
    }
}

#[test]
fn a_statement_that_returns_old_and_new_values_is_counted_and_moves_dates() {
    if !is_at_least(18) {
        return;
    }
    let (_database, mut client) = programme();
    assert_eq!(
        row(
            &mut client,
            &format!(
                "UPDATE assignments SET peer_mentor_id = '{ID}2' WHERE title = '1' RETURNING right(old.peer_mentor_id::text, 1), right(new.peer_mentor_id::text, 1)"
            )
        ),
        "1|2"
    );
    assert_eq!(counts(&mut client), "1 2");
    let upserted = rows(
        &mut client,
        &format!(
            "INSERT INTO assignments (id, title, student_id, peer_mentor_id) VALUES ('{ID}1', 'x', '{ID}9', '{ID}1'), ('{ID}4', '4', '{ID}9', '{ID}1')
             ON CONFLICT (id) DO UPDATE SET peer_mentor_id = excluded.peer_mentor_id RETURNING old.title, new.title"
        ),
    );
    assert_eq!(upserted, ["1|1", "-|4"]);
    assert_eq!(counts(&mut client), "3 1");
    assert_eq!(rows(&mut client, "DELETE FROM assignments WHERE title = '4' RETURNING old.title, new.title"), ["4|-"]);
    assert_eq!(counts(&mut client), "2 1");

    run(
        &mut client,
        &format!("INSERT INTO activities (assignment_id, occurred_at) VALUES ('{ID}1', '2026-02-01 12:00+00')"),
    );
    assert_eq!(
        row(
            &mut client,
            "UPDATE activities SET occurred_at = '2026-01-15 12:00+00' RETURNING old.occurred_at::date, new.occurred_at::date"
        ),
        "2026-02-01|2026-01-15"
    );
    assert_eq!(dates(&mut client), "01-15 none none");
    // What the trigger sets is in the new row.
    assert_eq!(
        row(
            &mut client,
            "UPDATE assignments SET completed = true WHERE title = '1' RETURNING old.status, new.status, new.completed_at IS NULL"
        ),
        "open|completed|f"
    );
}

#[test]
fn rows_whose_ids_are_uuidv7_are_counted_move_dates_and_are_reminded_of() {
    if !is_at_least(18) {
        return;
    }
    let (_database, mut client) = programme();
    run(
        &mut client,
        &format!(
            "ALTER TABLE assignments ALTER COLUMN id SET DEFAULT uuidv7();
             ALTER TABLE activities ALTER COLUMN id SET DEFAULT uuidv7();
             DELETE FROM assignments;
             INSERT INTO assignments (title, student_id, peer_mentor_id, assigned_on) SELECT n, '{ID}9', '{ID}2', '2026-01-01' FROM generate_series(1, 3) AS n;
             INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-02-01 12:00+00' FROM assignments WHERE title <> '3'"
        ),
    );
    assert_eq!(row(&mut client, "SELECT count(*) FROM assignments WHERE uuid_extract_version(id) = 7"), "3");
    assert_eq!(counts(&mut client), "0 3");
    assert_eq!(dates(&mut client), "02-01 02-01 none");
    assert_eq!(row(&mut client, "SELECT count(*) FROM run_daily_evaluation('2026-02-02 12:00+00')"), "1");
    assert_eq!(
        row(&mut client, "SELECT assignment_title, days_since FROM claim_reminders(as_of => '2026-02-02 12:00+00')"),
        "3|32"
    );
}

#[test]
fn virtual_columns_that_users_add_follow_counts_and_dates_and_are_in_nobodys_way() {
    if !is_at_least(18) {
        return;
    }
    let (_database, mut client) = programme();
    run(
        &mut client,
        "ALTER TABLE peer_mentors ADD COLUMN honorarium integer GENERATED ALWAYS AS (assignment_count * 50) VIRTUAL;
         ALTER TABLE assignments ADD COLUMN silent_since date GENERATED ALWAYS AS (greatest(assigned_on, last_contact_date)) VIRTUAL;
         ALTER TABLE activities ADD COLUMN day date GENERATED ALWAYS AS ((occurred_at AT TIME ZONE 'UTC')::date) VIRTUAL",
    );
    run(
        &mut client,
        &format!(
            "INSERT INTO assignments (id, title, student_id, peer_mentor_id, assigned_on) VALUES ('{ID}4', '4', '{ID}9', '{ID}2', '2026-01-01');
             UPDATE assignments SET peer_mentor_id = '{ID}2' WHERE title = '1';
             DELETE FROM assignments WHERE title = '3';
             UPDATE assignments SET completed = true WHERE title = '2';
             INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-02-01 12:00+00' FROM assignments;
             UPDATE activities SET occurred_at = '2026-02-03 12:00+00' WHERE assignment_id = '{ID}2';
             DELETE FROM activities WHERE assignment_id = '{ID}4'"
        ),
    );
    assert_eq!(counts(&mut client), "1 2");
    assert_eq!(rows(&mut client, "SELECT honorarium FROM peer_mentors ORDER BY id"), ["50", "100"]);
    assert_eq!(dates(&mut client), "02-01 02-03 none");
    assert_eq!(
        rows(&mut client, "SELECT silent_since FROM assignments ORDER BY title"),
        ["2026-02-01", "2026-02-03", "2026-01-01"]
    );
    assert_eq!(
        rows(&mut client, "SELECT title, status FROM assignments WHERE silent_since > '2026-02-01' ORDER BY title"),
        ["2|completed"]
    );
    let version = concat!("assignment_reminders ", env!("CARGO_PKG_VERSION"), ": nothing to do");
    assert_eq!(row(&mut client, "SELECT install()"), version);
    let silent = row(&mut client, "SELECT count(*) FROM run_daily_evaluation('2026-02-02 12:00+00')");
    assert_eq!(silent, "1", "only the last is silent and open");
    let _: Uuid = client.query_one("SELECT reminder_id FROM claim_reminders()", &[]).expect("a reminder").get(0);
}
