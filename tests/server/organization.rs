//! Which organization a session speaks for: where there is a JWT, it alone decides; malformed is an error, never a fallback.

use crate::support::{Database, People, assert_refused, refused, row, rows, run};

const DEFAULT: &str = "00000000-0000-0000-0000-000000000001";
const SETTING: &str = "aaaaaaaa-0000-4000-8000-00000000000a";
const CLAIM: &str = "bbbbbbbb-0000-4000-8000-00000000000b";

#[test]
fn a_jwt_alone_decides_and_without_one_the_setting_and_then_the_default() {
    let database = Database::installed();
    let mut client = database.connect();
    let mut becomes = |sql: &str, current: &str, default: &str| {
        run(&mut client, sql);
        assert_eq!(
            row(&mut client, "SELECT current_organization(), default_organization()"),
            format!("{current}|{default}"),
            "{sql}"
        );
    };
    becomes("SELECT", DEFAULT, DEFAULT);
    becomes(&format!("SET assignment_reminders.organization_id = '{SETTING}'"), SETTING, SETTING);
    // The setting stays on a pooled connection, and the next request brings a JWT.
    becomes(r#"SET request.jwt.claims = '{"sub": "x", "role": "authenticated"}'"#, "-", DEFAULT);
    becomes(r#"SET request.jwt.claims = '{"role": "anon"}'"#, "-", DEFAULT);
    becomes("SET request.jwt.claims = '{}'", "-", DEFAULT);
    becomes(r#"SET request.jwt.claims = '{"app_metadata": {"provider": "email"}}'"#, "-", DEFAULT);
    becomes(
        r#"SET request.jwt.claims = '{"organization_id": null, "app_metadata": {"organization_id": null}}'"#,
        "-",
        DEFAULT,
    );
    becomes(
        &format!(r#"SET request.jwt.claims = '{{"app_metadata": {{"organization_id": "{CLAIM}"}}}}'"#),
        CLAIM,
        CLAIM,
    );
    becomes(
        &format!(
            r#"SET request.jwt.claims = ' {{"organization_id": "{CLAIM}", "app_metadata": {{"organization_id": "{SETTING}"}}}}'"#
        ),
        CLAIM,
        CLAIM,
    );
    becomes("SET request.jwt.claims = ''", SETTING, SETTING);
    becomes("SET assignment_reminders.organization_id = ''", DEFAULT, DEFAULT);
    becomes(&format!("SET assignment_reminders.organization_id = '{}'", CLAIM.to_uppercase()), CLAIM, CLAIM);
    becomes(
        &format!(
            "BEGIN; SET LOCAL assignment_reminders.organization_id = '{SETTING}'; COMMIT; RESET assignment_reminders.organization_id"
        ),
        DEFAULT,
        DEFAULT,
    );
}

#[test]
fn a_malformed_organization_is_an_error() {
    let database = Database::installed();
    let mut client = database.connect();
    for value in [
        "1",
        "not-a-uuid",
        "aaaaaaaa-0000-4000-8000-00000000000",
        "zaaaaaaa-0000-4000-8000-00000000000a",
        "+aaaaaaa-0000-4000-8000-00000000000a",
    ] {
        run(&mut client, &format!("SET assignment_reminders.organization_id = '{value}'"));
        for function in ["current", "default", "named"] {
            assert_refused(&mut client, &format!("SELECT {function}_organization()"), "22P02", value);
        }
    }
    run(&mut client, "RESET assignment_reminders.organization_id");
    for claims in
        [r#"{"organization_id": 7}"#, r#"{"app_metadata": {"organization_id": ["x"]}}"#, r#"{"organization_id": ""}"#]
    {
        run(&mut client, &format!("SET request.jwt.claims = '{claims}'"));
        assert_refused(&mut client, "SELECT current_organization()", "22P02", "organization_id in request.jwt.claims");
    }
}

#[test]
fn malformed_claims_are_an_error_that_does_not_say_what_the_token_says() {
    let database = Database::installed();
    let mut client = database.connect();
    for claims in [
        "s3cret",
        r#"["s3cret"]"#,
        r#""s3cret""#,
        "null",
        "7",
        r#"{"sub": "s3cret""#,
        r#"{"sub": "s3cret", "sub": "s3cret"}"#,
        r#"{"organization_id": "s3cret"}"#,
        r#"{"organization_id": {"s3cret": 1}}"#,
        r#"{"app_metadata": {"organization_id": "s3cret"}}"#,
        r#"{"s3cret"}"#,
    ] {
        run(&mut client, &format!("SET request.jwt.claims = '{claims}'"));
        for call in [
            "SELECT current_organization()",
            "SELECT current_user_id()",
            "INSERT INTO users (email) VALUES ('a@example.org')",
        ] {
            // Who they are does not matter where the sub is missing.
            let Err(error) = client.batch_execute(call) else {
                assert!(call.contains("current_user_id") && claims.contains("organization_id"), "{claims}: {call}");
                continue;
            };
            let error = error.as_db_error().expect("an error of the server");
            assert_eq!(error.code().code(), "22P02", "{claims}: {call}");
            assert!(!format!("{error:?}").contains("s3cret"), "{claims}: {call}: {error:?}");
        }
    }
    // Some identity providers' subjects are no UUIDs: nobody we know.
    run(&mut client, &format!(r#"SET request.jwt.claims = '{{"sub": "auth0|7", "organization_id": "{DEFAULT}"}}'"#));
    assert_eq!(row(&mut client, "SELECT current_user_id()"), "-");
    run(&mut client, &format!(r#"SET request.jwt.claims = '{{"sub": 7, "organization_id": "{DEFAULT}"}}'"#));
    assert_eq!(row(&mut client, "SELECT current_user_id()"), "-");
}

#[test]
fn inserts_belong_to_the_organization_of_the_session() {
    let database = Database::installed();
    let mut client = database.connect();
    run(
        &mut client,
        &format!(
            "INSERT INTO organizations (id, name) VALUES ('{CLAIM}', 'Other'); SET assignment_reminders.organization_id = '{CLAIM}'"
        ),
    );
    run(&mut client, "INSERT INTO users (email) VALUES ('a@example.org')");
    assert_eq!(row(&mut client, "SELECT organization_id FROM users"), CLAIM);
    // The same address in another organisation is another person's row.
    run(&mut client, "RESET assignment_reminders.organization_id; INSERT INTO users (email) VALUES ('a@example.org')");
    assert_eq!(row(&mut client, "SELECT count(DISTINCT organization_id) FROM users"), "2");
    // A service's key names no organization.
    run(
        &mut client,
        r#"SET request.jwt.claims = '{"role": "service_role"}'; INSERT INTO users (email) VALUES ('b@example.org')"#,
    );
    assert_eq!(row(&mut client, "SELECT organization_id FROM users WHERE email = 'b@example.org'"), DEFAULT);
}

#[test]
fn where_it_is_required_nothing_lands_in_an_organization_that_nobody_named() {
    let database = Database::installed();
    let mut client = database.connect();
    let insert = "INSERT INTO users (email) VALUES (gen_random_uuid() || '@example.org')";
    run(&mut client, insert);
    assert_eq!(row(&mut client, "SELECT require_organization(true)"), "13");
    assert_eq!(row(&mut client, "SELECT require_organization(true)"), "0");
    for claims in ["", r#"{"role": "service_role"}"#] {
        run(&mut client, &format!("SET request.jwt.claims = '{claims}'"));
        assert_eq!(refused(&mut client, insert).sqlstate, "23502");
        // As PostgREST asks for the defaults of every column first.
        assert_eq!(row(&mut client, "SELECT named_organization()"), "-");
    }
    run(&mut client, "SET request.jwt.claims = ''");
    for table in ["send_logs", "reminders", "activities", "assignments"] {
        let refusal = refused(&mut client, &format!("INSERT INTO {table} DEFAULT VALUES"));
        assert_eq!(refusal.sqlstate, "23502", "{table}: {refusal:?}");
        assert!(refusal.message.contains("organization"), "{table}: {refusal:?}");
    }
    run(&mut client, &format!("SET assignment_reminders.organization_id = '{DEFAULT}'; {insert}"));
    run(&mut client, "RESET assignment_reminders.organization_id");

    // install() keeps it, also for a default that is put right.
    assert!(row(&mut client, "SELECT install()").ends_with("nothing to do"));
    assert_eq!(rows(&mut client, "SELECT * FROM altered_definitions()"), [""; 0]);
    run(&mut client, "ALTER TABLE users ALTER COLUMN organization_id DROP DEFAULT");
    assert!(row(&mut client, "SELECT install()").ends_with("1 triggers and defaults attached"));
    assert_eq!(refused(&mut client, insert).sqlstate, "23502");
    // And what uninstall() has left.
    run(&mut client, "SELECT uninstall()");
    assert_eq!(refused(&mut client, insert).sqlstate, "23502");
    run(&mut client, "DROP EXTENSION assignment_reminders; CREATE EXTENSION assignment_reminders; SELECT install()");
    assert_eq!(refused(&mut client, insert).sqlstate, "23502");
    assert_eq!(rows(&mut client, "SELECT * FROM altered_definitions()"), [""; 0]);

    assert_eq!(row(&mut client, "SELECT require_organization(false)"), "13");
    run(&mut client, insert);
    assert!(row(&mut client, "SELECT install()").ends_with("nothing to do"));
}

#[test]
fn a_read_without_an_organization_says_so() {
    let database = Database::installed();
    let mut client = database.connect();
    People::new(&mut client).assignment(&mut client, "2026-01-01");
    run(&mut client, r#"SET request.jwt.claims = '{"role": "service_role"}'"#);
    for read in ["get_open_assignments_with_contact_dates()", "get_assignments_with_no_contact_since('2027-01-01')"] {
        assert_refused(&mut client, &format!("SELECT * FROM {read}"), "22004", "organization_id");
    }
    let given = format!("SELECT count(*) FROM get_open_assignments_with_contact_dates(organization_id => '{DEFAULT}')");
    assert_eq!(row(&mut client, &given), "1");
}

#[test]
fn only_the_owner_of_the_tables_may_require_organizations() {
    let database = Database::installed();
    let (mut stranger, _) = database.connect_as_new_role(
        "GRANT USAGE ON SCHEMA assignment_reminders TO {role}; GRANT ALL ON ALL TABLES IN SCHEMA assignment_reminders TO {role};
         GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA assignment_reminders TO {role}",
    );
    assert_eq!(refused(&mut stranger, "SELECT require_organization(true)").sqlstate, "42501");
    let database = Database::empty();
    let (mut owner, _) = database.connect_as_new_owner();
    run(&mut owner, "CREATE EXTENSION assignment_reminders; SELECT install()");
    assert_eq!(row(&mut owner, "SELECT require_organization(true)"), "13");
    assert_eq!(refused(&mut owner, "INSERT INTO users (email) VALUES ('a@example.org')").sqlstate, "23502");
    assert_refused(&mut owner, "SELECT require_organization(NULL)", "22004", "is_required");
}

#[test]
fn every_organization_gets_its_settings_with_it() {
    let database = Database::installed();
    let mut client = database.connect();
    run(&mut client, "INSERT INTO organizations (name) SELECT 'o' || n FROM generate_series(1, 5) AS n");
    assert_eq!(
        row(
            &mut client,
            "SELECT count(*), min(reminder_after_days), min(escalate_after_days), min(due_offsets::text) FROM reminder_settings"
        ),
        "6|14|28|{24:00:00,02:00:00}"
    );
    run(&mut client, "DELETE FROM organizations WHERE name LIKE 'o_'");
    assert_eq!(row(&mut client, "SELECT count(*) FROM reminder_settings"), "1");
}

#[test]
fn the_paged_reads_keep_to_one_organization() {
    let database = Database::installed();
    let mut client = database.connect();
    run(&mut client, &format!("INSERT INTO organizations (id, name) VALUES ('{CLAIM}', 'Other')"));
    People::new(&mut client).assignment(&mut client, "2026-01-01");
    People::in_organization(&mut client, CLAIM).assignment(&mut client, "2026-01-01");
    let mut count = |arguments: &str| {
        row(
            &mut client,
            &format!("SELECT count(*), min(title) FROM get_open_assignments_with_contact_dates({arguments})"),
        )
    };
    assert_eq!(count(""), "1|Essay");
    assert_eq!(count(&format!("organization_id => '{CLAIM}'")), "1|Essay");
}
