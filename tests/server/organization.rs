//! current_organization(): the setting, then the claims, then the default; malformed is an error, never a fallback.

use crate::support::{Database, People, assert_refused, row, run};

const DEFAULT: &str = "00000000-0000-0000-0000-000000000001";
const SETTING: &str = "aaaaaaaa-0000-4000-8000-00000000000a";
const CLAIM: &str = "bbbbbbbb-0000-4000-8000-00000000000b";

#[test]
fn the_setting_wins_over_the_claims_and_those_over_the_default() {
    let database = Database::installed();
    let mut client = database.connect();
    let mut becomes = |sql: &str, expected: &str| {
        run(&mut client, sql);
        assert_eq!(row(&mut client, "SELECT current_organization()"), expected, "{sql}");
    };
    becomes("SELECT", DEFAULT);
    becomes(r#"SET request.jwt.claims = '{"sub": "x", "role": "authenticated"}'"#, DEFAULT);
    becomes(&format!(r#"SET request.jwt.claims = '{{"app_metadata": {{"organization_id": "{CLAIM}"}}}}'"#), CLAIM);
    becomes(
        &format!(
            r#"SET request.jwt.claims = '{{"organization_id": "{SETTING}", "app_metadata": {{"organization_id": "{CLAIM}"}}}}'"#
        ),
        SETTING,
    );
    becomes(&format!("SET assignment_reminders.organization_id = '{CLAIM}'"), CLAIM);
    becomes("SET assignment_reminders.organization_id = ''; SET request.jwt.claims = ''", DEFAULT);
    becomes(&format!("SET assignment_reminders.organization_id = '{}'", CLAIM.to_uppercase()), CLAIM);
    becomes(
        &format!(
            "BEGIN; SET LOCAL assignment_reminders.organization_id = '{SETTING}'; COMMIT; RESET assignment_reminders.organization_id"
        ),
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
        assert_refused(&mut client, "SELECT current_organization()", "22P02", value);
    }
    run(&mut client, "RESET assignment_reminders.organization_id");
    for claims in [
        r#"{"organization_id": 7}"#,
        r#"{"organization_id": null}"#,
        r#"{"app_metadata": {"organization_id": ["x"]}}"#,
        r#"{"organization_id": ""}"#,
    ] {
        run(&mut client, &format!("SET request.jwt.claims = '{claims}'"));
        assert_refused(&mut client, "SELECT current_organization()", "22P02", "organization_id in request.jwt.claims");
    }
    for claims in ["not json", "[1, 2]"] {
        run(&mut client, &format!("SET request.jwt.claims = '{claims}'"));
        assert_refused(&mut client, "SELECT current_organization()", "22P02", "request.jwt.claims");
    }
}

#[test]
fn inserts_belong_to_the_current_organization() {
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
