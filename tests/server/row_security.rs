//! Row security changes no answer: a function that must see everything says so when policies hide rows from its caller, and
//! otherwise answers as it does the owner.

use postgres::Client;
use uuid::Uuid;

use crate::support::{Database, People, assert_refused, enqueue_follow_ups, refused, row, rows, run};

const RIGHTS: &str = "GRANT USAGE ON SCHEMA assignment_reminders TO {role}; GRANT ALL ON ALL TABLES IN SCHEMA assignment_reminders TO {role};
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA assignment_reminders TO {role}";

/// Functions that must see everything, and the tables that they must see.
const WHOLE: [(&str, &[&str]); 24] = [
    ("SELECT * FROM repair_assignment_counts()", &["peer_mentors", "assignments"]),
    ("SELECT * FROM verify_assignment_counts()", &["peer_mentors", "assignments"]),
    ("SELECT * FROM repair_contact_dates()", &["assignments", "activities", "contact_corrections", "organizations"]),
    ("SELECT * FROM verify_contact_dates()", &["assignments", "activities", "contact_corrections", "organizations"]),
    (
        "SELECT * FROM claim_reminders(as_of => '2026-03-01')",
        &[
            "organizations",
            "reminder_settings",
            "reminders",
            "assignments",
            "peer_mentors",
            "users",
            "user_preferences",
            "claim_rates",
            "send_logs",
        ],
    ),
    (
        "SELECT mark_reminder_sent(gen_random_uuid(), gen_random_uuid())",
        &["reminders", "assignments", "users", "send_logs"],
    ),
    (
        "SELECT mark_reminder_failed(gen_random_uuid(), gen_random_uuid(), 'x')",
        &["reminders", "reminder_settings", "send_logs"],
    ),
    ("SELECT extend_reminder_lease(gen_random_uuid(), gen_random_uuid())", &["reminders"]),
    (
        "SELECT * FROM run_daily_evaluation('2026-03-01')",
        &[
            "organizations",
            "reminder_settings",
            "assignments",
            "peer_mentors",
            "users",
            "user_preferences",
            "reminders",
            "evaluation_runs",
        ],
    ),
    (
        "SELECT * FROM evaluate_assignments('2026-03-01')",
        &[
            "organizations",
            "reminder_settings",
            "assignments",
            "peer_mentors",
            "users",
            "user_preferences",
            "reminders",
        ],
    ),
    (
        "SELECT * FROM enqueue_due_reminders('2026-03-01')",
        &["organizations", "reminder_settings", "assignments", "users", "user_preferences", "reminders"],
    ),
    ("SELECT * FROM enqueue_daily_summaries('2026-03-01')", &["users", "user_preferences", "assignments", "reminders"]),
    ("SELECT retry_failed_reminders()", &["reminders"]),
    ("SELECT * FROM prune_history('2026-01-01')", &["row_history", "reminder_events"]),
    ("SELECT * FROM rows_as_of('days_off', 'infinity')", &["days_off", "row_history"]),
    ("SELECT * FROM row_versions('days_off', 'infinity', 'infinity')", &["days_off", "row_history"]),
    (
        "SELECT * FROM simulate_follow_ups('00000000-0000-0000-0000-000000000001', current_date, current_date)",
        &[
            "activities",
            "assignments",
            "assignment_pauses",
            "mentor_pauses",
            "reminders",
            "reminder_events",
            "send_logs",
            "users",
            "user_preferences",
        ],
    ),
    (
        "SELECT * FROM contact_dates_as_of('infinity')",
        &["activities", "contact_corrections", "organizations", "row_history"],
    ),
    ("SELECT * FROM prune('1 year')", &["send_logs", "evaluation_runs"]),
    (
        "SELECT status FROM evaluation_health()",
        &["evaluation_runs", "organizations", "reminder_settings", "migrations"],
    ),
    ("SELECT record_provider_message('m', 'p')", &["send_logs"]),
    ("SELECT record_delivery_event('m', 'delivered')", &["send_logs", "reminder_settings", "users"]),
    (
        "SELECT * FROM forget_person('00000000-0000-0000-0000-0000000000f1')",
        &[
            "users",
            "user_preferences",
            "peer_mentors",
            "assignments",
            "contact_corrections",
            "activities",
            "reminders",
            "send_logs",
            "evaluation_runs",
            "row_history",
        ],
    ),
    (
        "SELECT export_person('00000000-0000-0000-0000-0000000000f1')",
        &[
            "users",
            "user_preferences",
            "peer_mentors",
            "assignments",
            "contact_corrections",
            "activities",
            "reminders",
            "send_logs",
            "row_history",
            "reminder_events",
        ],
    ),
];

fn programme() -> (Database, Client, People, Uuid) {
    let database = Database::installed();
    let mut owner = database.connect();
    let people = People::new(&mut owner);
    let assignment = people.assignment(&mut owner, "2026-01-01");
    people.assignments(&mut owner, "2026-01-01", 3);
    run(
        &mut owner,
        &format!("INSERT INTO activities (assignment_id, occurred_at) VALUES ('{assignment}', '2026-01-05 12:00+00')"),
    );
    enqueue_follow_ups(&mut owner, "2026-02-01");
    run(&mut owner, "INSERT INTO users (id) VALUES ('00000000-0000-0000-0000-0000000000f1')");
    run(
        &mut owner,
        "SELECT mark_reminder_sent(reminder_id, claim_id, message_id => 'm', as_of => '2026-02-02') FROM claim_reminders(1, as_of => '2026-02-02')",
    );
    (database, owner, people, assignment)
}

#[test]
fn what_must_see_everything_refuses_a_role_from_whom_policies_hide_rows() {
    let (database, mut owner, _, _) = programme();
    let (mut caller, role) = database.connect_as_new_role(RIGHTS);
    let (_, other) = database.connect_as_new_role("");
    for (call, tables) in WHOLE {
        for table in tables {
            for policy in [
                "SELECT 1".to_string(), // none: nothing is shown
                format!("CREATE POLICY p ON {table} TO {role} USING (random() < 2)"),
                format!("CREATE POLICY p ON {table} TO {other} USING (true)"),
                format!(
                    "CREATE POLICY p ON {table} USING (true); CREATE POLICY q ON {table} AS RESTRICTIVE TO {role} USING (random() < 2)"
                ),
            ] {
                run(&mut owner, &format!("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; {policy}"));
                let refusal = refused(&mut caller, call);
                assert_eq!(refusal.sqlstate, "42501", "{call}, {policy}: {refusal:?}");
                assert!(
                    refusal.message.contains(&format!("assignment_reminders.{table} "))
                        && refusal.message.contains(&role),
                    "{call}, {policy}: {refusal:?}"
                );
                run(
                    &mut owner,
                    &format!(
                        "ALTER TABLE {table} DISABLE ROW LEVEL SECURITY; DROP POLICY IF EXISTS p ON {table}; DROP POLICY IF EXISTS q ON {table}"
                    ),
                );
            }
        }
    }
    assert_eq!(
        row(&mut owner, "SELECT count(*) FROM evaluation_runs"),
        "0",
        "nothing was logged as if it had succeeded"
    );
}

#[test]
fn a_role_whose_policies_are_simply_true_gets_the_owners_answers() {
    let (database, mut owner, _, _) = programme();
    let (mut caller, role) = database.connect_as_new_role(RIGHTS);
    let tables = rows(
        &mut owner,
        "SELECT relname FROM pg_class WHERE relnamespace = 'assignment_reminders'::regnamespace AND relkind = 'r'",
    );
    for table in &tables {
        run(
            &mut owner,
            &format!(
                "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; CREATE POLICY worker ON {table} TO {role} USING (true)"
            ),
        );
    }
    for (call, _) in WHOLE {
        let call = format!("BEGIN; {call}");
        let by_owner = rows(&mut owner, &call);
        run(&mut owner, "ROLLBACK");
        let by_caller = rows(&mut caller, &call);
        run(&mut caller, "ROLLBACK");
        // Ids and moments are others each time.
        assert_eq!(by_caller.len(), by_owner.len(), "{call}");
    }
    assert_eq!(rows(&mut caller, "SELECT * FROM claim_reminders(as_of => '2026-03-01')").len(), 3);
}

#[test]
fn an_owner_under_forced_row_security_is_told_and_nothing_is_logged() {
    let (database, mut superuser, _, _) = programme();
    let (mut owner, role) = database.connect_as_new_role("GRANT ALL ON SCHEMA assignment_reminders TO {role}; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA assignment_reminders TO {role}");
    for table in rows(
        &mut superuser,
        "SELECT relname FROM pg_class WHERE relnamespace = 'assignment_reminders'::regnamespace AND relkind = 'r'",
    ) {
        run(&mut superuser, &format!("ALTER TABLE {table} OWNER TO {role}"));
    }
    run(&mut owner, "ALTER TABLE assignments ENABLE ROW LEVEL SECURITY");
    assert_eq!(
        rows(&mut owner, "SELECT * FROM evaluate_assignments('2026-03-01')").len(),
        1,
        "an owner is not bound by it"
    );
    run(&mut owner, "ALTER TABLE assignments FORCE ROW LEVEL SECURITY");
    assert_refused(
        &mut owner,
        "SELECT * FROM run_daily_evaluation('2026-03-01')",
        "42501",
        "assignment_reminders.assignments",
    );
    assert_eq!(row(&mut owner, "SELECT count(*) FROM evaluation_runs"), "0");
    run(&mut superuser, &format!("REASSIGN OWNED BY {role} TO postgres"));
}

#[test]
fn what_a_coordinator_may_not_see_of_a_history_does_not_change_the_date_that_they_correct() {
    let (database, mut owner, _, assignment) = programme();
    let (mut coordinator, role) = database.connect_as_new_role(
        "GRANT USAGE ON SCHEMA assignment_reminders TO {role}; GRANT SELECT ON assignments TO {role}; GRANT INSERT ON contact_corrections TO {role};
         GRANT EXECUTE ON FUNCTION correct_last_contact_date, update_last_contact_date TO {role}",
    );
    // They see the assignment and nothing else; they may not update it.
    for table in ["assignments", "activities", "contact_corrections", "reminders", "organizations"] {
        run(&mut owner, &format!("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"));
    }
    run(
        &mut owner,
        &format!(
            "CREATE POLICY see ON assignments FOR SELECT TO {role} USING (true);
             CREATE POLICY correct ON contact_corrections FOR INSERT TO {role} WITH CHECK (true)"
        ),
    );
    for (call, expected) in [
        (format!("SELECT update_last_contact_date('{assignment}', '2026-01-03')"), "2026-01-05"), // earlier: nothing changes
        (format!("SELECT update_last_contact_date('{assignment}', '2026-01-20')"), "2026-01-20"),
        (format!("SELECT correct_last_contact_date('{assignment}', '2026-01-02', 'a mistake')"), "2026-01-02"),
        (format!("SELECT correct_last_contact_date('{assignment}', NULL, 'never')"), "-"),
    ] {
        assert_eq!(row(&mut coordinator, &call), expected, "{call}");
        assert_eq!(
            row(&mut owner, &format!("SELECT last_contact_date FROM assignments WHERE id = '{assignment}'")),
            expected,
            "{call}"
        );
        assert_eq!(rows(&mut owner, "SELECT * FROM verify_contact_dates()"), [""; 0], "{call}");
    }
    assert_eq!(
        row(&mut owner, "SELECT count(*), bool_and(corrected_by <> 'postgres') FROM contact_corrections"),
        "3|t"
    );
    // Where they may not correct, nothing is.
    run(&mut owner, "DROP POLICY correct ON contact_corrections");
    let refusal = refused(
        &mut coordinator,
        &format!("SELECT correct_last_contact_date('{assignment}', '2026-01-02', 'a mistake')"),
    );
    assert_eq!(refusal.sqlstate, "42501");
    assert_eq!(row(&mut owner, &format!("SELECT last_contact_date FROM assignments WHERE id = '{assignment}'")), "-");
}

#[test]
fn a_delivery_event_reaches_the_organization_that_the_session_names_and_no_other() {
    let database = Database::installed();
    let mut owner = database.connect();
    let organizations = ["00000000-0000-0000-0000-0000000000b0", "00000000-0000-0000-0000-0000000000c0"];
    for organization in organizations {
        run(&mut owner, &format!("INSERT INTO organizations (id, name) VALUES ('{organization}', 'another')"));
        run(
            &mut owner,
            &format!(
                "INSERT INTO users (organization_id, email) VALUES ('{organization}', 'a@example.org');
                 INSERT INTO send_logs (organization_id, message_id, to_email, status) VALUES ('{organization}', 'shared', 'a@example.org', 'queued')"
            ),
        );
    }
    assert_refused(
        &mut owner,
        "SELECT record_delivery_event('shared', 'bounced', '550 5.1.1 no such user')",
        "22023",
        "shared",
    );
    let opted_out = "SELECT string_agg(organization_id::text, ' ') FROM users WHERE contact_opt_out";
    assert_eq!(row(&mut owner, opted_out), "-");
    run(&mut owner, &format!("SET assignment_reminders.organization_id = '{}'", organizations[0]));
    assert_eq!(row(&mut owner, "SELECT record_delivery_event('shared', 'bounced', '550 5.1.1 no such user')"), "t");
    assert_eq!(row(&mut owner, opted_out), organizations[0]);
    assert_eq!(
        row(&mut owner, "SELECT record_delivery_event('shared', 'bounced', '550 5.1.1 no such user')"),
        "f",
        "once per event"
    );
}
