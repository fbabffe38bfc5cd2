//! Errors say what they are about, and nothing of the inside of the library, whatever the server's environment says: the cluster
//! has RUST_BACKTRACE=full, and `refused` looks for it in every test.

use crate::support::{Database, People, refused, row, run};

#[test]
fn no_error_shows_a_backtrace() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    let assignment = people.assignment(&mut client, "2026-01-01");
    run(&mut client, "CREATE TEMPORARY TABLE asked (value text); COPY asked FROM PROGRAM 'printenv RUST_BACKTRACE'");
    assert_eq!(row(&mut client, "SELECT value FROM asked"), "full");
    run(
        &mut client,
        "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no' USING DETAIL = 'theirs'; END $$;
         CREATE TRIGGER refuse BEFORE UPDATE ON assignments FOR EACH ROW EXECUTE FUNCTION public.refuse()",
    );
    let contact =
        format!("INSERT INTO activities (assignment_id, occurred_at) VALUES ('{assignment}', '2026-02-01 12:00+00')");
    for (from, sql, detail) in [
        ("a function", "SELECT days_since_last_contact('infinity', '2026-01-01')", "Infinite dates"),
        ("a trigger of ours", "UPDATE peer_mentors SET assignment_count = 7", "Payments rely on this count"),
        ("Postgres, below us", contact.as_str(), "theirs"),
        // No trigger calls it, which pgrx asserts.
        ("a panic", "SELECT set_updated_at()", ""),
    ] {
        let refusal = refused(&mut client, sql);
        assert!(refusal.detail.starts_with(detail), "{from}: {refusal:?}");
        assert!(from != "a panic" || refusal.sqlstate == "XX000" && refusal.detail.is_empty(), "{refusal:?}");
    }
}
