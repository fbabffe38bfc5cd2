//! What was: versions that updates and deletes leave, and the rows as they stood at a moment.

use postgres::Client;
use uuid::Uuid;

use crate::support::{
    Database, People, Random, assert_refused, number_ids, pid, refused, row, rows, run, wait_until_blocked,
};

/// How many updates each session makes.
const EACH: usize = 40;
const ORGANIZATION: &str = "00000000-0000-0000-0000-000000000001";
const OTHER: &str = "00000000-0000-0000-0000-00000000000b";
const VERSIONED: [&str; 11] = [
    "organizations",
    "reminder_settings",
    "days_off",
    "users",
    "user_preferences",
    "peer_mentors",
    "assignments",
    "assignment_pauses",
    "mentor_pauses",
    "contact_corrections",
    "activities",
];

fn one_assignment() -> (Database, Client, People, Uuid) {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    let assignment = people.assignment(&mut client, "2026-01-01");
    (database, client, people, assignment)
}

/// The moment between what was done and what comes.
fn moment(client: &mut Client) -> String {
    row(client, "SELECT clock_timestamp()")
}

/// What was kept of a table, in order: the operation and the old values.
fn kept(client: &mut Client, table: &str) -> Vec<String> {
    rows(
        client,
        &format!(
            "SELECT operation, old_values - 'created_at' - 'updated_at' FROM row_history WHERE table_name = '{table}' ORDER BY changed_at, number"
        ),
    )
}

/// A column of an assignment at a moment.
fn was(client: &mut Client, column: &str, assignment: Uuid, moment: &str) -> Vec<String> {
    rows(
        client,
        &format!(
            "SELECT row_version ->> '{column}' FROM rows_as_of('assignments', '{moment}') WHERE row_id = '{assignment}'"
        ),
    )
}

#[test]
fn a_column_of_the_users_may_have_any_name() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    people.assignment(&mut client, "2026-11-01");
    run(
        &mut client,
        "ALTER TABLE assignments ADD t text DEFAULT 'x', ADD a text DEFAULT 'x'; ALTER TABLE users ADD p text DEFAULT 'x'",
    );
    assert_eq!(
        row(&mut client, "SELECT row_version ->> 't', row_version ? 'title' FROM rows_as_of('assignments', now())"),
        "x|t"
    );
    let exported = format!("SELECT export_person('{}') -> 'user' ? 'email'", people.student);
    assert_eq!(row(&mut client, &exported), "t");
    run(&mut client, "TRUNCATE assignments CASCADE");
    assert_eq!(row(&mut client, "SELECT old_values ? 'title' FROM row_history WHERE table_name = 'assignments'"), "t");
}

#[test]
fn an_update_keeps_what_it_changed_and_a_delete_the_whole_row_and_an_insert_nothing() {
    let (_database, mut client, _, assignment) = one_assignment();
    assert_eq!(row(&mut client, "SELECT count(*) FROM row_history"), "0", "inserts");
    let inserted = moment(&mut client);
    run(&mut client, "UPDATE assignments SET title = 'Thesis', due_at = '2026-12-01 12:00+00'");
    assert_eq!(kept(&mut client, "assignments"), [r#"update|{"title": "Essay", "due_at": null}"#]);
    let updated = moment(&mut client);
    run(&mut client, "DELETE FROM assignments");
    assert_eq!(
        rows(
            &mut client,
            "SELECT operation, old_values ->> 'title', old_values ? 'metadata', row_id = (old_values ->> 'id')::uuid, changed_by
               FROM row_history WHERE operation = 'delete'"
        ),
        ["delete|Thesis|t|t|postgres"]
    );
    assert_eq!(was(&mut client, "title", assignment, &inserted), ["Essay"]);
    assert_eq!(was(&mut client, "title", assignment, &updated), ["Thesis"]);
    assert_eq!(was(&mut client, "title", assignment, "now"), [""; 0]);
}

#[test]
fn what_we_derive_ourselves_makes_no_version() {
    let (_database, mut client, people, assignment) = one_assignment();
    run(
        &mut client,
        &format!(
            "INSERT INTO activities (assignment_id) VALUES ('{assignment}');
             UPDATE assignments SET updated_at = now();
             UPDATE assignments SET title = title;
             UPDATE users SET soft_bounces = 1;
             SELECT repair_assignment_counts();
             SELECT claim_reminders(); SELECT run_daily_evaluation()"
        ),
    );
    assert_eq!(row(&mut client, "SELECT last_contact_date IS NOT NULL FROM assignments"), "t");
    assert_eq!(row(&mut client, "SELECT count(*) FROM row_history"), "0");
    run(&mut client, &format!("DELETE FROM assignments WHERE id = '{assignment}'"));
    assert_eq!(
        rows(&mut client, "SELECT table_name, operation FROM row_history ORDER BY number"),
        ["assignments|delete", "activities|delete"],
        "and the mentor's count, which went down, not: {}",
        people.mentor
    );
}

#[test]
fn a_long_value_that_stays_is_no_change() {
    let (_database, mut client, _, _) = one_assignment();
    run(
        &mut client,
        "ALTER TABLE assignments ALTER description SET STORAGE EXTERNAL;
         UPDATE assignments SET description = repeat('long ', 10000);
         TRUNCATE row_history;
         UPDATE assignments SET description = repeat('long ', 10000), updated_at = now()",
    );
    assert_eq!(row(&mut client, "SELECT count(*) FROM row_history"), "0");
    run(&mut client, "UPDATE assignments SET description = NULL");
    assert_eq!(row(&mut client, "SELECT length(old_values ->> 'description') FROM row_history"), "50000");
}

#[test]
fn columns_that_users_add_come_along_and_dropped_ones_break_nothing() {
    let (_database, mut client, _, assignment) = one_assignment();
    run(&mut client, "ALTER TABLE assignments ADD COLUMN room text DEFAULT 'A1', ADD COLUMN \"Odd name\" interval[]");
    let before = moment(&mut client);
    run(&mut client, "UPDATE assignments SET room = 'B2', \"Odd name\" = '{1 day}'");
    assert_eq!(kept(&mut client, "assignments"), [r#"update|{"room": "A1", "Odd name": null}"#]);
    assert_eq!(was(&mut client, "room", assignment, &before), ["A1"]);
    run(
        &mut client,
        "ALTER TABLE assignments DROP COLUMN room; UPDATE assignments SET title = 'Other', \"Odd name\" = NULL",
    );
    assert_eq!(kept(&mut client, "assignments")[1], r#"update|{"title": "Essay", "Odd name": ["1 day"]}"#);
    assert_eq!(was(&mut client, "title", assignment, &before), ["Essay"]);
    assert_eq!(
        row(
            &mut client,
            &format!(
                "SELECT (jsonb_populate_record(NULL::assignments, row_version)).title FROM rows_as_of('assignments', '{before}')"
            )
        ),
        "Essay"
    );
    run(&mut client, "DELETE FROM assignments");
    assert_eq!(was(&mut client, "title", assignment, &before), ["Essay"]);
}

#[test]
fn every_kind_of_statement_keeps_what_it_replaced() {
    let (_database, mut client, people, assignment) = one_assignment();
    let before = moment(&mut client);
    run(
        &mut client,
        &format!(
            "INSERT INTO assignments (id, title, student_id) VALUES ('{assignment}', 'Upserted', '{}')
                 ON CONFLICT (id) DO UPDATE SET title = excluded.title",
            people.student
        ),
    );
    run(
        &mut client,
        &format!(
            "MERGE INTO assignments a USING (VALUES ('{assignment}'::uuid)) AS v (id) ON a.id = v.id
              WHEN MATCHED THEN UPDATE SET title = 'Merged'"
        ),
    );
    run(
        &mut client,
        "WITH first AS (UPDATE assignments SET title = 'In a WITH' RETURNING id) UPDATE users SET name = 'Somebody' WHERE name = 'student'",
    );
    assert_eq!(
        kept(&mut client, "assignments"),
        [r#"update|{"title": "Essay"}"#, r#"update|{"title": "Upserted"}"#, r#"update|{"title": "Merged"}"#]
    );
    assert_eq!(kept(&mut client, "users"), [r#"update|{"name": "student"}"#]);
    run(&mut client, &format!("DELETE FROM peer_mentors WHERE id = '{}'", people.mentor));
    assert_eq!(
        kept(&mut client, "assignments")[3],
        format!(r#"update|{{"mentor_since": null, "peer_mentor_id": "{}"}}"#, people.mentor),
        "a foreign key's SET NULL"
    );
    run(&mut client, "TRUNCATE users, organizations CASCADE");
    for table in ["users", "organizations", "reminder_settings", "assignments"] {
        let left = row(&mut client, &format!("SELECT count(*) FROM {table}"));
        let kept = row(
            &mut client,
            &format!("SELECT count(*) FROM row_history WHERE table_name = '{table}' AND operation = 'delete'"),
        );
        let there = row(&mut client, &format!("SELECT count(*) FROM rows_as_of('{table}', '{before}')"));
        assert_eq!((left.as_str(), kept.as_str()), ("0", there.as_str()), "{table}");
    }
    assert_eq!(was(&mut client, "title", assignment, &before), ["Essay"]);
}

#[test]
fn a_deleted_organization_can_be_asked_about() {
    let database = Database::installed();
    let mut client = database.connect();
    run(&mut client, &format!("INSERT INTO organizations (id, name) VALUES ('{OTHER}', 'Other')"));
    let people = People::in_organization(&mut client, OTHER);
    let assignment = people.assignment(&mut client, "2026-01-01");
    let before = moment(&mut client);
    run(
        &mut client,
        &format!("DELETE FROM users WHERE organization_id = '{OTHER}'; DELETE FROM organizations WHERE id = '{OTHER}'"),
    );
    for (table, number) in [("organizations", "1"), ("reminder_settings", "1"), ("users", "3"), ("peer_mentors", "1")] {
        let asked = format!("SELECT count(*) FROM rows_as_of('{table}', '{before}', '{OTHER}')");
        assert_eq!(row(&mut client, &asked), number, "{table}");
    }
    assert_eq!(was(&mut client, "title", assignment, &before), ["Essay"]);
}

#[test]
fn what_is_rolled_back_leaves_no_version() {
    let (_database, mut client, _, _) = one_assignment();
    run(&mut client, "BEGIN; UPDATE assignments SET title = 'Other'; ROLLBACK");
    run(
        &mut client,
        "BEGIN; SAVEPOINT s; UPDATE assignments SET title = 'Other'; ROLLBACK TO s; UPDATE assignments SET title = 'Third'; COMMIT",
    );
    assert_eq!(kept(&mut client, "assignments"), [r#"update|{"title": "Essay"}"#]);
}

#[test]
fn concurrent_updates_of_one_row_leave_versions_in_order_without_a_gap() {
    let (database, mut client, _, assignment) = one_assignment();
    run(&mut client, "ALTER TABLE assignments ADD COLUMN turn integer NOT NULL DEFAULT 0");
    std::thread::scope(|scope| {
        for _ in 0..6 {
            let mut client = database.connect();
            scope.spawn(move || {
                for _ in 0..EACH {
                    run(&mut client, "UPDATE assignments SET turn = turn + 1");
                }
            });
        }
    });
    let turns = rows(
        &mut client,
        "SELECT old_values ->> 'turn' FROM row_history WHERE table_name = 'assignments' ORDER BY changed_at, number",
    );
    let expected: Vec<String> = (0..6 * EACH).map(|turn| turn.to_string()).collect();
    assert_eq!(turns, expected);
    // Each moment of a change is the end of one version and the beginning of the next.
    let wrong = rows(
        &mut client,
        &format!(
            "SELECT h.old_values ->> 'turn', f.row_version ->> 'turn' FROM row_history h
              CROSS JOIN LATERAL rows_as_of('assignments', h.changed_at, NULL, ARRAY['{assignment}'::uuid]) AS f
              WHERE (f.row_version ->> 'turn')::integer <> (h.old_values ->> 'turn')::integer + 1 OR f.valid_from <> h.changed_at"
        ),
    );
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn an_update_that_waited_for_another_is_kept_after_it() {
    let (database, mut client, _, _) = one_assignment();
    let mut first = database.connect();
    run(&mut first, "BEGIN; UPDATE assignments SET title = 'First'");
    let mut second = database.connect();
    let waiting = pid(&mut second);
    let thread = std::thread::spawn(move || run(&mut second, "UPDATE assignments SET title = 'Second'"));
    wait_until_blocked(&mut client, waiting);
    run(&mut first, "COMMIT");
    thread.join().expect("the second");
    assert_eq!(kept(&mut client, "assignments"), [r#"update|{"title": "Essay"}"#, r#"update|{"title": "First"}"#]);
}

#[test]
fn where_the_clock_went_back_versions_stay_in_order() {
    let (_database, mut client, _, assignment) = one_assignment();
    let before = moment(&mut client);
    run(&mut client, "UPDATE assignments SET title = 'First'");
    // As if the clock had been an hour ahead.
    run(
        &mut client,
        "ALTER TABLE row_history DISABLE TRIGGER USER; UPDATE row_history SET changed_at = changed_at + interval '1 hour'; ALTER TABLE row_history ENABLE TRIGGER USER;
         UPDATE assignments SET title = 'Second'; UPDATE users SET name = 'x' WHERE name = 'student'",
    );
    assert_eq!(kept(&mut client, "assignments"), [r#"update|{"title": "Essay"}"#, r#"update|{"title": "First"}"#]);
    assert_eq!(was(&mut client, "title", assignment, &before), ["Essay"]);
    let others = "SELECT bool_and(changed_at <= now()) FROM row_history WHERE table_name = 'users'";
    assert_eq!(row(&mut client, others), "t", "of other rows the clock is believed");
}

#[test]
fn a_row_that_says_that_it_is_older_is_known_from_its_insert_on() {
    let (_database, mut client, people, _) = one_assignment();
    let before = moment(&mut client);
    run(
        &mut client,
        &format!(
            "INSERT INTO assignments (title, student_id, created_at) VALUES ('Imported', '{}', '2020-01-01'), ('Ahead', '{0}', '2099-01-01')",
            people.student
        ),
    );
    let after = moment(&mut client);
    let titles = |client: &mut Client, moment: &str| {
        rows(client, &format!("SELECT row_version ->> 'title' FROM rows_as_of('assignments', '{moment}') ORDER BY 1"))
    };
    assert_eq!(titles(&mut client, &before), ["Essay"]);
    assert_eq!(titles(&mut client, &after), ["Ahead", "Essay", "Imported"]);
}

#[test]
fn a_row_that_came_back_with_its_id_was_away_meanwhile() {
    let (_database, mut client, people, assignment) = one_assignment();
    let first = moment(&mut client);
    run(&mut client, "DELETE FROM assignments");
    let away = moment(&mut client);
    let insert = format!(
        "INSERT INTO assignments (id, title, student_id) VALUES ('{assignment}', 'Back', '{}')",
        people.student
    );
    run(&mut client, &insert);
    let back = moment(&mut client);
    run(&mut client, "UPDATE assignments SET title = 'Changed'");
    let changed = moment(&mut client);
    run(&mut client, "DELETE FROM assignments");
    let asked = [&first, &away, &back, &changed].map(|moment| was(&mut client, "title", assignment, moment).concat());
    assert_eq!(asked, ["Essay", "", "Back", "Changed"]);
}

#[test]
fn a_row_that_gets_another_key_or_organization_ends_and_another_begins() {
    let database = Database::installed();
    let mut client = database.connect();
    run(
        &mut client,
        &format!(
            "INSERT INTO organizations (id, name) VALUES ('{OTHER}', 'Other');
             INSERT INTO days_off (id, first_day, last_day, reason) VALUES ('{ORGANIZATION}', '2026-01-01', '2026-01-01', 'one'), ('{OTHER}', '2026-01-02', '2026-01-02', 'two')"
        ),
    );
    let before = moment(&mut client);
    // The two ids change places.
    run(
        &mut client,
        &format!(
            "ALTER TABLE days_off DROP CONSTRAINT days_off_pkey, ADD CONSTRAINT days_off_pkey PRIMARY KEY (id) DEFERRABLE INITIALLY DEFERRED;
             UPDATE days_off SET id = CASE WHEN id = '{ORGANIZATION}' THEN '{OTHER}'::uuid ELSE '{ORGANIZATION}' END"
        ),
    );
    let swapped = moment(&mut client);
    run(&mut client, &format!("UPDATE days_off SET organization_id = '{OTHER}' WHERE reason = 'one'"));
    let moved = moment(&mut client);
    let asked = |client: &mut Client, moment: &str, organization: &str| {
        rows(
            client,
            &format!(
                "SELECT right(row_id::text, 1), row_version ->> 'reason' FROM rows_as_of('days_off', '{moment}', {organization}) ORDER BY 1"
            ),
        )
    };
    assert_eq!(asked(&mut client, &before, "NULL"), ["1|one", "b|two"]);
    assert_eq!(asked(&mut client, &swapped, "NULL"), ["1|two", "b|one"]);
    assert_eq!(asked(&mut client, &moved, "NULL"), ["1|two", "b|one"]);
    for (moment, there, here) in [(&swapped, &[][..], &["1|two", "b|one"][..]), (&moved, &["b|one"], &["1|two"])] {
        assert_eq!(asked(&mut client, moment, &format!("'{OTHER}'")), there);
        assert_eq!(asked(&mut client, moment, &format!("'{ORGANIZATION}'")), here);
    }
}

#[test]
fn who_changed_it_is_the_role_and_the_user_of_the_session_also_in_a_cascade() {
    let (database, mut client, people, _) = one_assignment();
    let subject = Uuid::new_v4();
    run(
        &mut client,
        &format!(
            "UPDATE users SET auth_user_id = '{subject}', role = 'coordinator' WHERE id = '{}'",
            people.coordinator
        ),
    );
    let (mut writer, role) = database.connect_as_new_role(
        "GRANT USAGE ON SCHEMA assignment_reminders TO {role}; GRANT SELECT, DELETE ON peer_mentors TO {role}; GRANT SELECT, UPDATE ON assignments TO {role}",
    );
    let claims = format!(r#"{{"sub": "{subject}", "organization_id": "{ORGANIZATION}"}}"#);
    run(&mut writer, &format!("SET request.jwt.claims = '{claims}'; DELETE FROM peer_mentors"));
    run(&mut writer, "SET request.jwt.claims = 'not JSON'; UPDATE assignments SET title = 'Other'");
    run(&mut client, &format!("SET ROLE {role}; UPDATE assignments SET title = 'Third'; RESET ROLE"));
    assert_eq!(
        rows(
            &mut client,
            "SELECT table_name, operation, changed_by, changed_by_user FROM row_history WHERE table_name <> 'users' ORDER BY number"
        )
        .iter()
        .map(|line| line.replace(&role, "role").replace(&people.coordinator.to_string(), "coordinator"))
        .collect::<Vec<_>>(),
        [
            "peer_mentors|delete|role|coordinator",
            "assignments|update|role|coordinator",
            "assignments|update|role|-",
            "assignments|update|role|-"
        ]
    );
}

#[test]
fn no_client_writes_the_history() {
    let (database, mut client, _, _) = one_assignment();
    run(&mut client, "UPDATE assignments SET title = 'Other'");
    assert_refused(&mut client, "UPDATE row_history SET changed_by = 'nobody'", "2F002", "row_history");
    let (mut member, _) = database.connect_as_new_role(
        "GRANT USAGE ON SCHEMA assignment_reminders TO {role}; GRANT ALL ON assignments TO {role};
         SELECT enable_row_security('{role}')",
    );
    for sql in [
        "INSERT INTO row_history (organization_id, table_name, row_id, operation, changed_at, changed_by) VALUES (gen_random_uuid(), 'users', gen_random_uuid(), 'insert', now(), 'me')",
        "UPDATE row_history SET changed_by = 'nobody'",
        "DELETE FROM row_history",
        "TRUNCATE row_history",
        "UPDATE history_horizon SET known_since = now()",
        "INSERT INTO reminder_events (organization_id, event, happened_at) VALUES (gen_random_uuid(), 'held', now())",
        "DELETE FROM reminder_events",
    ] {
        assert_eq!(refused(&mut member, sql).sqlstate, "42501", "{sql}");
    }
}

#[test]
fn what_somebody_without_rights_on_the_history_writes_is_kept() {
    let (database, mut client, _, _) = one_assignment();
    let (mut writer, _) = database.connect_as_new_role(
        "GRANT USAGE ON SCHEMA assignment_reminders TO {role}; GRANT SELECT, INSERT, UPDATE ON assignments TO {role}",
    );
    run(&mut writer, "UPDATE assignments SET title = 'Other'");
    assert_eq!(kept(&mut client, "assignments"), [r#"update|{"title": "Essay"}"#]);
}

#[test]
fn a_question_about_before_the_history_raises_and_names_its_beginning() {
    let (_database, mut client, _, _) = one_assignment();
    let refusal = refused(&mut client, "SELECT * FROM rows_as_of('assignments', '2020-01-01 12:00+00')");
    assert_eq!(refusal.sqlstate, "22023");
    let begins = row(&mut client, "SELECT history_known_since()::date");
    assert!(refusal.message.contains("2020-01-01") && refusal.message.contains(&begins), "{refusal:?}");
    assert_refused(&mut client, "SELECT * FROM contact_dates_as_of('2020-01-01')", "22023", "2020-01-01");
    assert_refused(&mut client, "SELECT * FROM rows_as_of('assignments', '-infinity')", "22023", "infinity");
    assert_refused(&mut client, "SELECT * FROM rows_as_of('assignments', NULL)", "22004", "moment");
    assert_refused(&mut client, "SELECT * FROM rows_as_of(NULL, now())", "22004", "table_name");
    let refusal = refused(&mut client, "SELECT * FROM rows_as_of('reminders', now())");
    assert_eq!(refusal.sqlstate, "22023");
    assert!(VERSIONED.iter().all(|table| refusal.hint.contains(table)), "{refusal:?}");
    run(&mut client, "UPDATE assignments SET title = 'Other'");
    assert_eq!(
        row(&mut client, "SELECT row_version ->> 'title', valid_to FROM rows_as_of('assignments', 'infinity')"),
        "Other|-",
        "a moment in the future is the present"
    );
}

#[test]
fn while_triggers_are_away_nothing_is_known_and_the_history_begins_anew_when_they_are_back() {
    let (_database, mut client, _, assignment) = one_assignment();
    let before = moment(&mut client);
    run(&mut client, "DROP EXTENSION assignment_reminders CASCADE; UPDATE assignments SET title = 'Unseen'");
    let meanwhile = moment(&mut client);
    run(&mut client, "CREATE EXTENSION assignment_reminders; SELECT install()");
    for moment in [before, meanwhile] {
        let refusal = refused(&mut client, &format!("SELECT * FROM rows_as_of('assignments', '{moment}')"));
        assert_eq!(refusal.sqlstate, "22023");
    }
    let known = moment(&mut client);
    assert_eq!(was(&mut client, "title", assignment, &known), ["Unseen"]);
    run(&mut client, "SELECT install(); UPDATE assignments SET title = 'Seen'");
    assert_eq!(was(&mut client, "title", assignment, &known), ["Unseen"], "install() that finds them leaves it");
    run(&mut client, "ALTER TABLE assignments DISABLE TRIGGER assignments_keep_updated; SELECT install()");
    assert_eq!(refused(&mut client, &format!("SELECT * FROM rows_as_of('assignments', '{known}')")).sqlstate, "22023");
    // What ties other things makes no difference.
    let known = moment(&mut client);
    run(&mut client, "DROP TRIGGER assignments_count_inserted ON assignments; SELECT install()");
    assert_eq!(was(&mut client, "title", assignment, &known), ["Seen"]);
}

/// Something that a client may do, to rows that it picks by chance.
fn deed(random: &mut Random) -> String {
    let n = random.below(1_000_000);
    let one =
        |table: &str, key: &str| format!("(SELECT {key} FROM {table} ORDER BY md5({key}::text || '{n}') LIMIT 1)");
    let some =
        |table: &str| format!("id IN (SELECT id FROM {table} ORDER BY md5(id::text || '{n}') LIMIT {})", 1 + n % 3);
    let (assignment, mentor, user, activity) =
        (one("assignments", "id"), one("peer_mentors", "id"), one("users", "id"), one("activities", "id"));
    let student = "(SELECT id FROM users WHERE email LIKE 'student%' LIMIT 1)";
    let day = 1 + n % 28;
    match random.below(34) {
        0..=3 => {
            format!("INSERT INTO assignments (title, student_id, peer_mentor_id) VALUES ('a{n}', {student}, {mentor})")
        }
        4 => format!(
            "INSERT INTO assignments (title, student_id, created_at) VALUES ('old{n}', {student}, '2020-01-01')"
        ),
        5 => format!(
            "INSERT INTO assignments (title, student_id, last_contact_date) VALUES ('contacted{n}', {student}, '2026-01-{day}')"
        ),
        6 => format!("UPDATE assignments SET title = 't{n}' WHERE {}", some("assignments")),
        7 => format!("UPDATE assignments SET peer_mentor_id = {mentor} WHERE {}", some("assignments")),
        8 => format!("UPDATE assignments SET status = 'completed' WHERE {}", some("assignments")),
        9 => format!("UPDATE assignments SET status = 'open', due_at = '2027-01-{day}' WHERE {}", some("assignments")),
        10 => format!("DELETE FROM assignments WHERE id = {assignment}"),
        11..=14 => format!(
            "INSERT INTO activities (assignment_id, occurred_at, recorded_by) VALUES ({assignment}, '2026-02-{day}', {user})"
        ),
        15 => format!(
            "INSERT INTO activities (assignment_id, occurred_at, created_at) VALUES ({assignment}, '2026-03-{day}', '2026-03-{day}')"
        ),
        16 => format!("UPDATE activities SET occurred_at = '2026-04-{day}', notes = 'n{n}' WHERE id = {activity}"),
        17 => format!("UPDATE activities SET assignment_id = {assignment} WHERE id = {activity}"),
        18 => format!("DELETE FROM activities WHERE id = {activity}"),
        19 => format!("UPDATE activities SET is_contact = NOT is_contact WHERE id = {activity}"),
        20 => format!("SELECT correct_last_contact_date({assignment}, '2026-02-{day}', 'because')"),
        21 => format!("DELETE FROM contact_corrections WHERE id = {}", one("contact_corrections", "id")),
        22 => format!(
            "INSERT INTO users (email) VALUES ('u{n}@example.org'); INSERT INTO peer_mentors (user_id) SELECT id FROM users WHERE email = 'u{n}@example.org'"
        ),
        23 => format!(
            "UPDATE users SET email = 'e{n}@example.org', soft_bounces = 0 WHERE id = {user} AND email NOT LIKE 'student%'"
        ),
        24 => format!("DELETE FROM users WHERE id = {user} AND email NOT LIKE 'student%'"),
        25 => format!(
            "INSERT INTO user_preferences (user_id, summary_hour) VALUES ({user}, {}) ON CONFLICT (user_id) DO UPDATE SET summary_hour = excluded.summary_hour",
            n % 24
        ),
        26 => format!("UPDATE reminder_settings SET reminder_after_days = {}, escalate_after_days = 40", 10 + n % 5),
        27 => format!(
            "INSERT INTO days_off (first_day, last_day, reason) VALUES ('2026-01-{day}', '2026-01-28', 'off{n}')"
        ),
        28 => format!("UPDATE days_off SET id = public.next_id() WHERE {}", some("days_off")),
        29 => format!("SELECT pause_assignment({assignment}, NULL, 'away{n}')"),
        30 => format!(
            "BEGIN; DELETE FROM assignments WHERE id = {assignment}; INSERT INTO assignments (title, student_id) VALUES ('b{n}', {student}); SAVEPOINT s; UPDATE assignments SET title = 'lost'; ROLLBACK TO s; UPDATE assignments SET description = 'd{n}' WHERE {}; COMMIT",
            some("assignments")
        ),
        31 => format!(
            "MERGE INTO assignments a USING (SELECT {assignment} AS id) AS v ON a.id = v.id WHEN MATCHED THEN UPDATE SET description = 'm{n}'"
        ),
        32 => ["TRUNCATE assignment_pauses", "TRUNCATE activities", "TRUNCATE user_preferences"]
            [usize::try_from(n % 3).expect("small")]
        .to_string(),
        _ => format!("SELECT pause_mentor({mentor}, '2099-01-{day}', 'leave{n}')"),
    }
}

const DERIVED: &str =
    "'{updated_at,soft_bounces,soft_bounced_at,last_contact_date,assignment_count,thresholds_changed_at}'::text[]";

/// Copies of all versioned tables, with the moment.
fn copy(client: &mut Client, number: usize) {
    for table in VERSIONED {
        let key = match table {
            "reminder_settings" => "organization_id",
            "user_preferences" => "user_id",
            _ => "id",
        };
        run(
            client,
            &format!("INSERT INTO public.copies SELECT {number}, '{table}', t.{key}, to_jsonb(t) FROM {table} t"),
        );
    }
    run(client, &format!("INSERT INTO public.moments VALUES ({number}, clock_timestamp())"));
}

/// The deeds up to the first that something is wrong after.
fn done(deeds: &[String], wrong: &[String]) -> String {
    let number = wrong.first().and_then(|line| line.split('|').next()?.parse().ok()).unwrap_or(0);
    deeds[..number].join(";\n")
}

#[test]
fn every_moment_of_a_random_history_is_as_a_copy_that_was_taken_then() {
    let mut changed = std::collections::BTreeSet::new();
    for seed in [20_261_126, 987_654_321] {
        let database = Database::installed();
        let mut client = database.connect();
        number_ids(&mut client);
        People::new(&mut client);
        run(
            &mut client,
            "CREATE TABLE public.copies (number integer, table_name text, row_id uuid, version jsonb); CREATE TABLE public.moments (number integer, moment timestamptz)",
        );
        let mut random = Random(seed);
        let mut deeds = Vec::new();
        copy(&mut client, 0);
        for number in 1..=100 {
            let deed = deed(&mut random);
            // What the rules refuse, such as the pause of somebody who is not there, changes nothing.
            if client.batch_execute(&deed).is_err() {
                run(&mut client, "ROLLBACK");
            }
            deeds.push(deed);
            copy(&mut client, number);
        }
        for table in VERSIONED {
            let wrong = rows(
                &mut client,
                &format!(
                    "SELECT m.number, f.* FROM public.moments m
                      CROSS JOIN LATERAL (
                            SELECT f.row_id, f.row_version, c.row_id AS copied, c.version
                              FROM (SELECT f.row_id, f.row_version - {DERIVED} AS row_version FROM rows_as_of('{table}', m.moment) AS f) AS f
                              FULL JOIN (SELECT c.row_id, c.version - {DERIVED} AS version FROM public.copies c
                                          WHERE c.number = m.number AND c.table_name = '{table}') AS c ON c.row_id = f.row_id
                             WHERE f.row_version IS DISTINCT FROM c.version
                            ) AS f
                      ORDER BY 1 LIMIT 3"
                ),
            );
            assert_eq!(wrong, [""; 0], "seed {seed}, {table}, after {}", done(&deeds, &wrong));
        }
        let wrong = rows(
            &mut client,
            "SELECT m.number, c.row_id, c.version ->> 'last_contact_date', f.last_contact_date
               FROM public.moments m
               JOIN public.copies c ON c.number = m.number AND c.table_name = 'assignments'
               LEFT JOIN LATERAL contact_dates_as_of(m.moment) AS f ON f.assignment_id = c.row_id
              WHERE (c.version ->> 'last_contact_date')::date IS DISTINCT FROM f.last_contact_date
              ORDER BY 1 LIMIT 3",
        );
        assert_eq!(wrong, [""; 0], "seed {seed}, contact dates, after {}", done(&deeds, &wrong));
        let wrong = rows(
            &mut client,
            "SELECT m.number, c.row_id FROM public.moments m
               JOIN public.copies c ON c.number = m.number AND c.table_name = 'assignments'
              CROSS JOIN LATERAL (SELECT count(*) AS number,
                                         min(f.last_contact_date) AS day FROM contact_dates_as_of(m.moment, NULL, ARRAY[c.row_id]) AS f) AS f
              WHERE m.number % 10 = 0 AND (c.version ->> 'last_contact_date')::date IS DISTINCT FROM f.day
              LIMIT 3",
        );
        assert_eq!(wrong, [""; 0], "seed {seed}, contact dates one by one");
        // And asked about some rows, or about one organization, it is the same.
        assert_eq!(
            row(&mut client, "SELECT count(*) > 30 FROM row_history"),
            "t",
            "seed {seed}: the deeds change something"
        );
        changed.extend(rows(&mut client, "SELECT DISTINCT table_name FROM row_history"));
        let narrower = row(
            &mut client,
            &format!(
                "SELECT count(*) FROM public.moments m
                  CROSS JOIN LATERAL (SELECT * FROM rows_as_of('assignments', m.moment) EXCEPT
                                      SELECT f.* FROM rows_as_of('assignments', m.moment, '{ORGANIZATION}',
                                          ARRAY(SELECT row_id FROM public.copies WHERE table_name = 'assignments')) AS f) AS f
                  WHERE m.number % 10 = 0"
            ),
        );
        assert_eq!(narrower, "0", "seed {seed}");
    }
    // No deed changes an organization.
    let mut others = VERSIONED.iter().filter(|table| **table != "organizations");
    assert!(others.all(|table| changed.contains(*table)), "{changed:?}");
}

/// What was noted of reminders, in order.
fn events(client: &mut Client) -> Vec<String> {
    rows(
        client,
        "SELECT event, reminder_type, episode, reason, run_id IS NOT NULL, as_of::date FROM reminder_events ORDER BY happened_at, number",
    )
}

#[test]
fn what_becomes_of_a_reminder_is_noted_with_the_reason_and_the_run() {
    let (_database, mut client, _, assignment) = one_assignment();
    run(&mut client, "SELECT run_daily_evaluation('2026-01-20 12:00+00')");
    let noted = row(
        &mut client,
        "SELECT e.organization_id, e.assignment_id, e.recipient_id = r.recipient_id, e.anchor = r.anchor, e.run_id = v.id
           FROM reminder_events e JOIN reminders r ON r.id = e.reminder_id CROSS JOIN evaluation_runs v",
    );
    assert_eq!(noted, format!("{ORGANIZATION}|{assignment}|t|t|t"));
    run(
        &mut client,
        &format!("INSERT INTO activities (assignment_id, occurred_at) VALUES ('{assignment}', '2026-01-21')"),
    );
    run(&mut client, "SELECT run_daily_evaluation('2026-02-20 12:00+00')");
    run(
        &mut client,
        "UPDATE assignments SET status = 'completed'; SELECT claim_reminders(as_of => '2026-02-20 13:00+00')",
    );
    run(
        &mut client,
        "UPDATE assignments SET status = 'open', due_at = '2026-03-10 12:00+00';
         SELECT enqueue_due_reminders('2026-03-09 13:00+00'); UPDATE assignments SET status = 'cancelled'; SELECT enqueue_due_reminders('2026-03-08')",
    );
    assert_eq!(
        events(&mut client),
        [
            "enqueued|contact-reminder|0|-|t|2026-01-20",
            "withdrawn|contact-reminder|0|contacted|f|-",
            "re-armed|contact-reminder|1|-|t|2026-02-20",
            "skipped|contact-reminder|1|completed|f|2026-02-20",
            "enqueued|24h|0|-|f|2026-03-09",
            "enqueued|2h|0|-|f|2026-03-09",
            "withdrawn|24h|0|not_open|f|2026-03-08",
            "withdrawn|2h|0|not_open|f|2026-03-08",
        ]
    );
}

#[test]
fn what_is_found_due_and_cannot_be_sent_is_noted_as_skipped() {
    let (_database, mut client, people, _) = one_assignment();
    run(&mut client, &format!("UPDATE users SET contact_opt_out = true WHERE id = '{}'", people.mentor_user));
    run(&mut client, "SELECT run_daily_evaluation('2026-01-20 12:00+00')");
    assert_eq!(events(&mut client), ["skipped|contact-reminder|0|opted_out|t|2026-01-20"]);
}

#[test]
fn claims_and_answers_note_nothing() {
    let (_database, mut client, _, _) = one_assignment();
    run(&mut client, "SELECT run_daily_evaluation('2026-01-20 12:00+00'); TRUNCATE reminder_events");
    run(
        &mut client,
        "CREATE TEMPORARY TABLE mail AS SELECT * FROM claim_reminders(as_of => '2026-01-20 13:00+00');
         SELECT extend_reminder_lease(reminder_id, claim_id, as_of => '2026-01-20 13:01+00') FROM mail;
         SELECT mark_reminder_failed(reminder_id, claim_id, '451 later', as_of => '2026-01-20 13:02+00') FROM mail;
         CREATE TEMPORARY TABLE again AS SELECT * FROM claim_reminders(as_of => '2026-01-21 13:00+00');
         SELECT mark_reminder_sent(reminder_id, claim_id, as_of => '2026-01-21 13:01+00') FROM again",
    );
    assert_eq!(row(&mut client, "SELECT status FROM reminders"), "sent");
    assert_eq!(events(&mut client), [""; 0]);
}

#[test]
fn what_clients_write_by_hand_is_noted_too() {
    let (database, mut client, _, assignment) = one_assignment();
    let (mut worker, _) = database.connect_as_new_role(
        "GRANT USAGE ON SCHEMA assignment_reminders TO {role}; GRANT SELECT, INSERT, UPDATE ON reminders TO {role}",
    );
    let insert = format!(
        "INSERT INTO reminders (id, assignment_id, reminder_type, scheduled_for) VALUES (gen_random_uuid(), '{assignment}', '48h', now()) ON CONFLICT (assignment_id, reminder_type) DO NOTHING"
    );
    run(&mut worker, &insert);
    run(&mut worker, &insert);
    run(&mut worker, "UPDATE reminders SET status = 'skipped'");
    run(&mut worker, "UPDATE reminders SET status = 'pending'");
    run(&mut worker, "UPDATE reminders SET status = 'sent', sent_at = now(), attempts = attempts + 1");
    run(&mut worker, "UPDATE reminders SET status = 'pending'");
    assert_eq!(
        events(&mut client),
        ["enqueued|48h|0|-|f|-", "skipped|48h|0|-|f|-", "re-armed|48h|0|-|f|-", "re-armed|48h|1|-|f|-"]
    );
}

#[test]
fn what_a_run_holds_is_noted_of_the_organization() {
    let (_database, mut client, people, _) = one_assignment();
    people.assignments(&mut client, "2026-01-01", 5);
    run(
        &mut client,
        "UPDATE reminder_settings SET follow_up_limit = 1, reminder_after_days = NULL, escalate_after_days = NULL;
         SELECT run_daily_evaluation('2026-02-01 12:00+00');
         UPDATE reminder_settings SET reminder_after_days = 14;
         SELECT run_daily_evaluation('2026-02-02 12:00+00')",
    );
    assert_eq!(events(&mut client)[0], "held|-|-|6|t|2026-02-02");
    let run_of_it = "SELECT v.status, v.organization_id = e.organization_id FROM reminder_events e JOIN evaluation_runs v ON v.id = e.run_id";
    assert_eq!(row(&mut client, run_of_it), "held|t");
}

#[test]
fn what_was_rolled_back_is_not_noted_by_what_comes_after_it() {
    let (_database, mut client, _, assignment) = one_assignment();
    run(
        &mut client,
        &format!(
            "INSERT INTO reminders (assignment_id, reminder_type) VALUES ('{assignment}', 'a'), ('{assignment}', 'b');
             TRUNCATE reminder_events;
             CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
             CREATE TRIGGER z_fail AFTER UPDATE ON reminders FOR EACH ROW WHEN (NEW.reminder_type = 'a') EXECUTE FUNCTION public.fail()"
        ),
    );
    run(
        &mut client,
        "DO $$ BEGIN UPDATE reminders SET status = 'skipped' WHERE reminder_type = 'a'; EXCEPTION WHEN OTHERS THEN NULL; END $$",
    );
    run(
        &mut client,
        "BEGIN; SAVEPOINT s; UPDATE reminders SET status = 'skipped' WHERE reminder_type = 'b'; ROLLBACK TO s; UPDATE reminders SET updated_at = now() WHERE reminder_type = 'b'; COMMIT",
    );
    run(
        &mut client,
        "BEGIN;
         DO $$ BEGIN UPDATE reminders SET status = 'skipped' WHERE reminder_type = 'a'; EXCEPTION WHEN OTHERS THEN NULL; END $$;
         UPDATE reminders SET status = 'skipped' WHERE reminder_type = 'b'; COMMIT",
    );
    assert_eq!(events(&mut client), ["skipped|b|0|-|f|-"]);
}

#[test]
fn pruning_moves_the_beginning_of_the_history_in_bounded_batches() {
    let (_database, mut client, people, assignment) = one_assignment();
    for title in ["One", "Two", "Three"] {
        run(&mut client, &format!("UPDATE assignments SET title = '{title}'"));
    }
    run(&mut client, &format!("INSERT INTO reminders (assignment_id, reminder_type) VALUES ('{assignment}', '24h')"));
    let before = moment(&mut client);
    run(&mut client, &format!("UPDATE users SET name = 'Later' WHERE id = '{}'", people.student));
    let prune = format!("SELECT * FROM prune_history('{before}', 2)");
    assert_eq!(row(&mut client, &prune), "2|0", "of a reminder that is there, its episode stays");
    assert_eq!(row(&mut client, &format!("SELECT history_known_since() = '{before}'")), "t");
    assert_eq!(row(&mut client, &prune), "1|0");
    assert_eq!(row(&mut client, &prune), "0|0");
    assert_eq!(was(&mut client, "title", assignment, &before), ["Three"]);
    let names = format!(
        "SELECT row_version ->> 'name' FROM rows_as_of('users', '{before}') WHERE row_id = '{}'",
        people.student
    );
    assert_eq!(row(&mut client, &names), "student", "what is younger stays");
    let earlier = format!("SELECT * FROM rows_as_of('assignments', timestamptz '{before}' - interval '1 microsecond')");
    assert_refused(&mut client, &earlier, "22023", "the history begins at");
    run(&mut client, "SELECT * FROM prune_history('2020-01-01')");
    assert_eq!(row(&mut client, &format!("SELECT history_known_since() = '{before}'")), "t", "it never goes back");
    assert_refused(&mut client, "SELECT prune_history(now() + interval '1 day')", "22023", "past");
    assert_refused(&mut client, "SELECT prune_history(NULL)", "22004", "before");
}

#[test]
fn a_row_that_says_that_it_is_yet_to_be_created_is_there_after_pruning() {
    let (_database, mut client, people, assignment) = one_assignment();
    for created_at in ["now() + interval '1 year'", "'infinity'"] {
        run(
            &mut client,
            &format!(
                "INSERT INTO assignments (title, student_id, created_at) VALUES ('ahead', '{}', {created_at})",
                people.student
            ),
        );
    }
    run(
        &mut client,
        &format!(
            "UPDATE assignments SET created_at = now() + interval '1 year' WHERE id = '{assignment}';
             INSERT INTO days_off (first_day, last_day, created_at) VALUES ('2026-01-01', '2026-01-01', 'infinity');
             UPDATE days_off SET id = gen_random_uuid()"
        ),
    );
    let before = moment(&mut client);
    let there = |client: &mut Client, moment: &str| {
        ["assignments", "days_off"]
            .map(|table| row(client, &format!("SELECT count(*) FROM rows_as_of('{table}', '{moment}')")))
    };
    assert_eq!(there(&mut client, &before), ["3", "1"]);
    run(&mut client, &format!("SELECT prune_history('{before}')"));
    assert_eq!(there(&mut client, &before), ["3", "1"]);
    let kept = "SELECT table_name, operation FROM row_history ORDER BY 1, 2";
    let early = "assignments|early insert";
    assert_eq!(rows(&mut client, kept), [early, early, "assignments|update", "days_off|early insert"]);
    run(&mut client, "DELETE FROM days_off; DELETE FROM assignments WHERE created_at = 'infinity'");
    let later = moment(&mut client);
    run(&mut client, &format!("SELECT prune_history('{later}')"));
    assert_eq!(rows(&mut client, kept), [early, "assignments|update"], "of what is gone, nothing");
    assert_eq!(there(&mut client, &later), ["2", "0"]);
}

#[test]
fn what_is_kept_is_the_same_whatever_the_settings_of_whoever_writes() {
    let (database, mut client, _, _) = one_assignment();
    run(
        &mut client,
        "ALTER TABLE reminder_settings ADD COLUMN weight double precision DEFAULT 0.1::double precision + 0.2, ADD COLUMN seal bytea DEFAULT '\\x00ff';
         UPDATE reminder_settings SET retry_base = '00:03:04.5'",
    );
    let before = moment(&mut client);
    let columns = ["retry_base", "weight", "seal", "created_at"];
    let at = |client: &mut Client| {
        columns.map(|column| {
            row(client, &format!("SELECT row_version ->> '{column}' FROM rows_as_of('reminder_settings', '{before}')"))
        })
    };
    let told = at(&mut client);
    let mut writer = database.connect();
    run(
        &mut writer,
        "SET IntervalStyle = 'iso_8601'; SET extra_float_digits = -12; SET bytea_output = 'escape'; SET TimeZone = 'Asia/Kathmandu';
         UPDATE reminder_settings SET retry_base = '1 minute', weight = 1, seal = '', created_at = created_at + interval '1 minute'",
    );
    assert_eq!(at(&mut client), told);
    assert_eq!(row(&mut writer, "SHOW IntervalStyle"), "iso_8601");
    run(&mut writer, "DELETE FROM reminder_settings");
    assert_eq!(at(&mut client), told);
}

#[test]
fn whoever_is_forgotten_is_forgotten_by_the_history_also_when_their_row_is_gone() {
    for is_deleted in [false, true] {
        let (database, mut client, people, assignment) = one_assignment();
        let student = people.student;
        run(
            &mut client,
            &format!(
                "UPDATE users SET email = 'sam@example.org', name = 'Sam Secret', timezone = 'Europe/Oslo' WHERE id = '{student}';
                 UPDATE users SET email = 'sam.secret@example.org' WHERE id = '{student}';
                 INSERT INTO user_preferences (user_id, muted_types) VALUES ('{student}', '{{secret-kind}}'); UPDATE user_preferences SET summary_hour = 9;
                 UPDATE assignments SET title = 'Help Sam Secret', description = 'Secret', metadata = '{{\"a\": \"Secret\"}}'; UPDATE assignments SET status = 'paused';
                 INSERT INTO activities (assignment_id, notes) VALUES ('{assignment}', 'Secret notes'); UPDATE activities SET notes = 'Secret, too'; DELETE FROM activities;
                 SELECT pause_assignment('{assignment}', NULL, 'Secret illness'); DELETE FROM assignment_pauses;
                 UPDATE users SET name = 'Mia' WHERE id = '{mia}'",
                mia = people.mentor_user
            ),
        );
        let before = moment(&mut client);
        run(
            &mut client,
            &format!(
                "SELECT correct_last_contact_date('{assignment}', '2026-01-05', 'Secret reason'); DELETE FROM contact_corrections"
            ),
        );
        if is_deleted {
            run(&mut client, &format!("DELETE FROM users WHERE id = '{student}'"));
        }
        let ids = "SELECT count(*), count(DISTINCT row_id) FROM row_history";
        let kept_before = row(&mut client, ids);
        let secrets = "SELECT count(*) FROM row_history h WHERE h::text ~* 'secret|sam@|Oslo'";
        assert_ne!(row(&mut client, secrets), "0", "or this test tests nothing");
        run(&mut client, &format!("SELECT forget_person('{student}')"));
        assert_eq!(rows(&mut client, "SELECT h FROM row_history h WHERE h::text ~* 'secret|sam@|Oslo'"), [""; 0]);
        assert_eq!(rows(&mut client, "SELECT t FROM assignments t WHERE t::text ~* 'secret'"), [""; 0]);
        if is_deleted {
            assert_eq!(row(&mut client, ids), kept_before, "the changes stay");
        }
        assert_eq!(was(&mut client, "title", assignment, &before), ["forgotten"], "that there was one stays");
        let email =
            format!("SELECT row_version ->> 'email' FROM rows_as_of('users', '{before}') WHERE row_id = '{student}'");
        assert_eq!(row(&mut client, &email), "forgotten");
        assert_eq!(
            row(
                &mut client,
                &format!(
                    "SELECT count(*) FROM row_history WHERE old_values ->> 'name' = 'mentor' AND row_id = '{}'",
                    people.mentor_user
                )
            ),
            "1",
            "others are left as they were"
        );
        assert!(row(&mut client, &format!("SELECT forget_person('{student}')")).ends_with(",0)"), "twice is once");
        assert_refused(&mut client, "SELECT forget_person(gen_random_uuid())", "02000", "does not exist");
        drop(database);
    }
}

#[test]
fn an_export_holds_the_history_of_a_person() {
    let (_database, mut client, people, _) = one_assignment();
    run(
        &mut client,
        &format!(
            "UPDATE users SET name = 'Sam' WHERE id = '{}'; UPDATE users SET name = 'Mia' WHERE id = '{}';
             UPDATE assignments SET title = 'Other'; SELECT run_daily_evaluation('2026-01-20 12:00+00'); DELETE FROM assignments",
            people.student, people.mentor_user
        ),
    );
    let of = |client: &mut Client, user: Uuid| {
        rows(
            client,
            &format!(
                "SELECT h ->> 'table_name', h ->> 'operation' FROM jsonb_array_elements(export_person('{user}') -> 'row_history') AS h"
            ),
        )
    };
    assert_eq!(of(&mut client, people.student), ["users|update", "assignments|update", "assignments|delete"]);
    assert_eq!(of(&mut client, people.mentor_user), ["users|update"]);
    let events = format!("SELECT export_person('{}') #>> '{{reminder_events,0,event}}'", people.mentor_user);
    assert_eq!(row(&mut client, &events), "enqueued");
}

#[test]
fn a_statement_that_changes_more_than_fits_into_memory_is_kept_whole_and_at_one_moment() {
    let (_database, mut client, people, _) = one_assignment();
    people.assignments(&mut client, "2026-01-01", 25_000);
    run(&mut client, "SET work_mem = '64kB'");
    let before = moment(&mut client);
    run(&mut client, "UPDATE assignments SET description = 'Other'");
    let after = moment(&mut client);
    run(&mut client, "DELETE FROM assignments");
    assert_eq!(
        rows(
            &mut client,
            "SELECT operation, count(*), count(DISTINCT row_id), count(DISTINCT changed_at) FROM row_history GROUP BY 1 ORDER BY 1"
        ),
        ["delete|25001|25001|1", "update|25001|25001|1"]
    );
    let descriptions = |client: &mut Client, moment: &str| {
        row(
            client,
            &format!(
                "SELECT count(*), count(row_version ->> 'description'), count(DISTINCT row_version ->> 'title') FROM rows_as_of('assignments', '{moment}')"
            ),
        )
    };
    assert_eq!(descriptions(&mut client, &before), "25001|0|25001");
    assert_eq!(descriptions(&mut client, &after), "25001|25001|25001");
}

/// What a reminder was at the moment to which was pruned is known, however it changes after.
#[test]
fn after_pruning_what_is_asked_about_later_moments_is_told_as_before() {
    let (_database, mut client, people, assignment) = one_assignment();
    let other = People::new(&mut client);
    run(
        &mut client,
        "UPDATE reminder_settings SET evaluation_hour = NULL, reminder_after_days = 5, escalate_after_days = 6, escalation_grace_days = 0, follow_up_limit = NULL",
    );
    // An episode that is over by then, and one that goes on.
    let act = "SELECT run_daily_evaluation(); SELECT mark_reminder_sent(reminder_id, claim_id) FROM claim_reminders()";
    run(&mut client, act);
    run(&mut client, &format!("UPDATE assignments SET assigned_on = assigned_on - 1 WHERE id = '{assignment}'"));
    run(&mut client, act);
    let horizon = moment(&mut client);
    let asked = moment(&mut client);
    let explained = format!(
        "SELECT state, action, would_enqueue, next_action, next_on FROM explain_assignment('{assignment}', '{asked}')"
    );
    let before = row(&mut client, &explained);
    assert!(before.starts_with("reminded|escalate"), "{before}");
    assert_eq!(row(&mut client, &format!("SELECT reminder_events FROM prune_history('{horizon}')")), "1");
    run(&mut client, &format!("UPDATE assignments SET peer_mentor_id = '{}' WHERE id = '{assignment}'", other.mentor));
    run(&mut client, act);
    assert_eq!(row(&mut client, &explained), before);
    let to = format!(
        "SELECT recipient_id FROM assignment_timeline('{assignment}') WHERE event = 'message_sent' AND recorded_at < '{asked}' ORDER BY recorded_at DESC LIMIT 1"
    );
    assert_eq!(row(&mut client, &to), people.mentor_user.to_string());
    // Of what is gone for good, nothing stays.
    run(&mut client, "DELETE FROM assignments");
    let all = moment(&mut client);
    run(&mut client, &format!("SELECT prune_history('{all}'), prune_history('{all}')"));
    assert_eq!(row(&mut client, "SELECT count(*) FROM reminder_events WHERE reminder_id IS NOT NULL"), "0");
}

/// The tables' owner may partition what keeps the history, and everything goes on.
#[test]
fn a_history_that_was_partitioned_is_written_read_pruned_and_forgotten() {
    let (_database, mut client, people, assignment) = one_assignment();
    run(&mut client, "UPDATE assignments SET title = 'One'");
    let before = moment(&mut client);
    run(
        &mut client,
        "SELECT DISTINCT set_config('test.indexes', string_agg(indexdef, ';'), false) FROM pg_indexes
          WHERE schemaname = 'assignment_reminders' AND tablename = 'row_history' AND indexname <> 'row_history_pkey';
         ALTER TABLE row_history RENAME TO kept;
         CREATE TABLE row_history (LIKE kept INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING IDENTITY) PARTITION BY RANGE (changed_at);
         CREATE TABLE row_history_old PARTITION OF row_history FOR VALUES FROM (MINVALUE) TO ('2026-01-01');
         CREATE TABLE row_history_new PARTITION OF row_history FOR VALUES FROM ('2026-01-01') TO (MAXVALUE);
         INSERT INTO row_history OVERRIDING SYSTEM VALUE SELECT * FROM kept; DROP TABLE kept;
         ALTER TABLE row_history ADD CONSTRAINT row_history_pkey PRIMARY KEY (row_id, changed_at, number);
         SELECT setval(pg_get_serial_sequence('row_history', 'number'), (SELECT max(number) FROM row_history))",
    );
    let indexes = row(&mut client, "SELECT current_setting('test.indexes')");
    run(&mut client, &indexes);
    run(&mut client, "SELECT install(); UPDATE assignments SET title = 'Two'");
    assert_eq!(was(&mut client, "title", assignment, &before), ["One"]);
    assert_eq!(rows(&mut client, "SELECT * FROM altered_definitions()"), [""; 0]);
    for refused in ["UPDATE row_history SET operation = 'delete'", "UPDATE row_history_new SET operation = 'delete'"] {
        assert_refused(&mut client, refused, "2F002", "row_history");
    }
    run(&mut client, &format!("SELECT forget_person('{}')", people.student));
    assert_eq!(was(&mut client, "title", assignment, &before), ["forgotten"]);
    let later = moment(&mut client);
    assert_ne!(row(&mut client, &format!("SELECT row_history FROM prune_history('{later}')")), "0");
}
