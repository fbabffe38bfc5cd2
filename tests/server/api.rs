//! install_api(): the schema that PostgREST exposes in place of ours. The SQL is what PostgREST makes of the supabase-js calls in
//! docs/clients.md and docs/http.md.

use postgres::Client;

use crate::programmes::programme_of;
use crate::support::{Database, assert_refused, refused, row, rows, run};

struct Exposed {
    database: Database,
    owner: Client,
    /// A session as PostgREST's, which becomes whoever asks.
    requests: Client,
    member: String,
    anon: String,
}

fn exposed() -> Exposed {
    let database = Database::installed();
    let mut owner = database.connect();
    programme_of(&mut owner, "a");
    programme_of(&mut owner, "b");
    let [member, anon] = [0; 2].map(|_| database.connect_as_new_role("").1);
    run(&mut owner, &format!("SELECT enable_row_security('{member}'); SELECT install_api('api')"));
    let gateway = format!("ALTER ROLE {{role}} NOINHERIT; GRANT {member}, {anon} TO {{role}}");
    let requests = database.connect_as_new_role(&gateway).0;
    Exposed { database, owner, requests, member, anon }
}

impl Exposed {
    /// The session, in which a request of a's person with these last digits has arrived.
    fn of(&mut self, digits: &str) -> &mut Client {
        let claims = format!(
            r#"{{"sub": "af000000-0000-4000-8000-0000000000{digits}", "organization_id": "a0000000-0000-4000-8000-000000000000"}}"#
        );
        run(
            &mut self.requests,
            &format!(
                "RESET ROLE; SET search_path = api; SET request.jwt.claims = '{claims}'; SET ROLE {}",
                self.member
            ),
        );
        &mut self.requests
    }
}

#[test]
fn what_supabase_js_sends_works_through_the_schema() {
    let mut exposed = exposed();
    let coordinator = exposed.of("05");
    let body = r#"[{"id": "a0000000-0000-4000-8000-00000000abcd", "title": "Poem", "student_id": "a0000000-0000-4000-8000-000000000001"}]"#;
    let upsert = |conflict: &str| {
        format!(
            r#"WITH pgrst_source AS (
                INSERT INTO "api"."assignments"("id", "student_id", "title")
                SELECT pgrst_body."id", pgrst_body."student_id", pgrst_body."title"
                  FROM (SELECT '{body}'::json AS json_data) pgrst_payload,
                       LATERAL (SELECT "id", "student_id", "title" FROM json_to_recordset(pgrst_payload.json_data) AS _("id" uuid, "student_id" uuid, "title" text)) pgrst_body
                {conflict} RETURNING "api"."assignments".*)
               SELECT title, status, organization_id FROM pgrst_source"#
        )
    };
    let stored = "Poem|open|a0000000-0000-4000-8000-000000000000";
    // insert, and upsert
    assert_eq!(row(coordinator, &upsert("")), stored);
    let again = r#"ON CONFLICT("id") DO UPDATE SET "id" = EXCLUDED."id", "student_id" = EXCLUDED."student_id", "title" = EXCLUDED."title""#;
    assert_eq!(row(coordinator, &upsert(again)), stored);
    // select with embedded people
    assert_eq!(
        row(
            coordinator,
            r#"SELECT "api"."assignments"."title", row_to_json("assignments_student_1".*)::jsonb AS "student", row_to_json("assignments_mentor_1".*)::jsonb
                 FROM "api"."assignments"
                 LEFT JOIN LATERAL (SELECT "users_1"."name" FROM "api"."users" AS "users_1" WHERE "users_1"."id" = "api"."assignments"."student_id") AS "assignments_student_1" ON TRUE
                 LEFT JOIN LATERAL (SELECT "peer_mentors_1"."assignment_count" FROM "api"."peer_mentors" AS "peer_mentors_1" WHERE "peer_mentors_1"."id" = "api"."assignments"."peer_mentor_id") AS "assignments_mentor_1" ON TRUE
                WHERE "api"."assignments"."id" = 'a0000000-0000-4000-8000-000000001101'"#
        ),
        r#"Essay|{"name": "student"}|{"assignment_count": 1}"#
    );
    // update, and delete
    let update = r#"WITH pgrst_source AS (UPDATE "api"."assignments" SET "status" = 'completed' WHERE "api"."assignments"."title" = 'Poem' RETURNING "api"."assignments".*) SELECT completed FROM pgrst_source"#;
    assert_eq!(row(coordinator, update), "t");
    let delete = r#"WITH pgrst_source AS (DELETE FROM "api"."assignments" WHERE "api"."assignments"."title" = 'Poem' RETURNING 1) SELECT count(*) FROM pgrst_source"#;
    assert_eq!(row(coordinator, delete), "1");
    // rpc, by named arguments
    let call = |function: &str, parameters: &str, arguments: &str, json: &str| {
        format!(
            r#"SELECT pgrst_call.* FROM (SELECT * FROM json_to_record('{json}'::json) AS _({parameters})) pgrst_args, LATERAL "api"."{function}"({arguments}) pgrst_call"#
        )
    };
    let assignment = "a0000000-0000-4000-8000-000000001101";
    for (sql, expected) in [
        (
            call(
                "correct_last_contact_date",
                r#""assignment_id" uuid, "new_date" date, "reason" text"#,
                r#""assignment_id" := pgrst_args."assignment_id", "new_date" := pgrst_args."new_date", "reason" := pgrst_args."reason""#,
                &format!(r#"{{"assignment_id": "{assignment}", "new_date": "2026-01-01", "reason": "x"}}"#),
            ),
            "2026-01-01",
        ),
        (
            call(
                "get_last_contact_date",
                r#""assignment_id" uuid"#,
                r#""assignment_id" := pgrst_args."assignment_id""#,
                &format!(r#"{{"assignment_id": "{assignment}"}}"#),
            ),
            "2026-01-01",
        ),
        (r#"SELECT "api"."current_user_id"()"#.to_string(), "a0000000-0000-4000-8000-000000000005"),
        (
            format!(
                r#"SELECT student_name, peer_mentor_name FROM "api"."get_assignment_with_participants"("assignment_id" := '{assignment}')"#
            ),
            "student|mentor",
        ),
        (r#"SELECT count(*) FROM "api"."due_assignments"("unit" := 'days', "targets" := '{1,2}')"#.to_string(), "0"),
        (
            r#"SELECT count(*) FROM "api"."get_assignments_with_no_contact_since"("cutoff_date" := '2027-01-01')"#
                .to_string(),
            "2",
        ),
    ] {
        assert_eq!(row(coordinator, &sql), expected, "{sql}");
    }
    let unknown = r#"SELECT "api"."get_last_contact_date"("assignment_id" := 'c0000000-0000-4000-8000-000000000000')"#;
    assert_eq!(refused(coordinator, unknown).sqlstate, "02000");
}

#[test]
fn everybody_sees_and_does_through_it_what_their_own_rights_allow() {
    let mut exposed = exposed();
    for (digits, assignments, mentors) in [("01", "1", "0"), ("03", "1", "1"), ("05", "2", "2"), ("99", "0", "0")] {
        let person = exposed.of(digits);
        assert_eq!(row(person, "SELECT count(*) FROM api.assignments"), assignments, "{digits}");
        assert_eq!(row(person, "SELECT count(*) FROM api.peer_mentors"), mentors, "{digits}");
    }
    let student = exposed.of("01");
    for statement in [
        "INSERT INTO api.assignments (title, student_id) VALUES ('x', 'a0000000-0000-4000-8000-000000000001')",
        "SELECT api.correct_last_contact_date('a0000000-0000-4000-8000-000000001101', '2026-01-01', 'x')",
        "SELECT * FROM api.claim_reminders()",
        "UPDATE api.users SET role = 'admin'",
    ] {
        assert_eq!(refused(student, statement).sqlstate, "42501", "{statement}");
    }
    assert_eq!(refused(exposed.of("05"), "UPDATE api.peer_mentors SET assignment_count = 7").sqlstate, "428C9");
    let anon = format!("RESET ROLE; RESET request.jwt.claims; SET ROLE {}", exposed.anon);
    run(&mut exposed.requests, &anon);
    for relation in rows(&mut exposed.owner, "SELECT relname FROM pg_class WHERE relnamespace = 'api'::regnamespace") {
        // Nor a lock on it, that others would wait for.
        for statement in [format!("SELECT * FROM api.{relation}"), format!("BEGIN; LOCK TABLE api.{relation}")] {
            let refusal = refused(&mut exposed.requests, &statement);
            assert_eq!(refusal.sqlstate, "42501", "{statement}: {refusal:?}");
            run(&mut exposed.requests, "ROLLBACK");
        }
    }
}

/// Every column of every table and view that is exposed, and every argument.
#[test]
fn it_is_made_again_with_the_owners_columns_and_stays_when_the_extension_goes() {
    let mut exposed = exposed();
    let objects = "SELECT string_agg(o, ' ' ORDER BY o) FROM (
        SELECT format('%s(%s)', relname, (SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0)) AS o
          FROM pg_class c WHERE relnamespace = 'api'::regnamespace AND reloptions @> '{security_invoker=true}'
         UNION ALL SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'api'::regnamespace AND NOT prosecdef) AS o";
    let made = row(&mut exposed.owner, objects);
    assert_eq!(made.matches("api.").count(), 52, "{made}");
    run(&mut exposed.owner, "SELECT install_api('api')");
    assert_eq!(row(&mut exposed.owner, objects), made);
    run(&mut exposed.owner, "ALTER TABLE assignments ADD COLUMN room text; SELECT install_api('api')");
    assert!(row(&mut exposed.owner, objects).contains(",room)"));
    assert_eq!(
        row(
            &mut exposed.owner,
            "SELECT count(*) FROM pg_proc p WHERE pronamespace = 'api'::regnamespace AND obj_description(oid, 'pg_proc') IS NULL"
        ),
        "0"
    );
    let restored = exposed.database.restored_by("postgres");
    assert_eq!(row(&mut restored.connect(), "SELECT count(*) FROM api.assignments"), "4");
    run(&mut exposed.owner, "SELECT uninstall(); DROP EXTENSION assignment_reminders");
    assert_eq!(row(&mut exposed.owner, "SELECT count(*) FROM api.assignments"), "4");
}

#[test]
fn nothing_that_is_there_is_replaced_and_nobody_else_owns_a_part_of_it() {
    let database = Database::installed();
    let (mut mallory, role) =
        database.connect_as_new_role("CREATE SCHEMA web; GRANT CREATE, USAGE ON SCHEMA web TO {role}");
    let mut owner = database.connect();
    let planted = "CREATE FUNCTION {schema}.current_user_id() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'";
    run(&mut mallory, &planted.replace("{schema}", "web"));
    run(&mut owner, "CREATE VIEW public.users AS SELECT 1 AS mine");
    for schema in ["web", "public"] {
        assert_refused(&mut owner, &format!("SELECT install_api('{schema}')"), "42P06", "is there already");
    }
    assert_eq!(row(&mut owner, "SELECT mine FROM public.users"), "1");
    // In one that was made: what a later version would add.
    run(
        &mut owner,
        &format!(
            "SELECT install_api('api'); GRANT CREATE, USAGE ON SCHEMA api TO {role}; DROP FUNCTION api.current_user_id()"
        ),
    );
    run(&mut mallory, &planted.replace("{schema}", "api"));
    assert_refused(&mut owner, "SELECT install_api('api')", "42501", "another role's");
    run(&mut mallory, "DROP FUNCTION api.current_user_id()");
    // One of an earlier version, with other arguments and another result, is made anew.
    run(
        &mut owner,
        "DROP FUNCTION api.daily_summary(uuid, timestamptz); CREATE FUNCTION api.daily_summary(student uuid) RETURNS text LANGUAGE sql AS 'SELECT 1';
         DROP FUNCTION api.get_last_contact_date(uuid); CREATE FUNCTION api.get_last_contact_date(other uuid) RETURNS text LANGUAGE sql AS 'SELECT 1';
         SELECT install_api('api')",
    );
    assert_eq!(
        rows(
            &mut owner,
            "SELECT oid::regprocedure, proargnames FROM pg_proc WHERE pronamespace = 'api'::regnamespace AND proname = 'get_last_contact_date'"
        ),
        ["api.get_last_contact_date(uuid)|{assignment_id}"]
    );
}

/// A trigger of the owner's that names its table as it would anywhere.
#[test]
fn a_trigger_of_the_owners_has_the_sessions_search_path_behind_it() {
    let mut exposed = exposed();
    run(
        &mut exposed.owner,
        "CREATE TABLE public.audit (what text);
         CREATE FUNCTION public.audited() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit VALUES (NEW.reason); RETURN NULL; END $$;
         CREATE TRIGGER audited AFTER INSERT ON contact_corrections FOR EACH ROW EXECUTE FUNCTION public.audited();
         GRANT INSERT ON public.audit TO PUBLIC",
    );
    let coordinator = exposed.of("05");
    run(
        coordinator,
        "SET search_path = api, public; SELECT api.correct_last_contact_date('a0000000-0000-4000-8000-000000001101', '2026-01-01', 'x')",
    );
    assert_eq!(row(&mut exposed.owner, "SELECT string_agg(what, ',') FROM public.audit"), "x");
}

#[test]
fn only_the_tables_owner_makes_it_and_not_in_a_schema_that_is_taken() {
    let mut exposed = exposed();
    for schema in ["''", "'assignment_reminders'", "'pg_catalog'", "'information_schema'", "'pg_temp'"] {
        assert_refused(&mut exposed.owner, &format!("SELECT install_api({schema})"), "22023", "cannot be the schema");
    }
    assert_refused(&mut exposed.owner, "SELECT install_api(NULL)", "22004", "schema_name");
    // A name that wants quoting is quoted.
    run(&mut exposed.owner, r#"SELECT install_api('an "api"')"#);
    assert_eq!(row(&mut exposed.owner, r#"SELECT count(*) FROM "an ""api""".assignments"#), "4");
    let (mut other, _) = exposed.database.connect_as_new_role(
        "GRANT USAGE ON SCHEMA assignment_reminders TO {role}; GRANT EXECUTE ON FUNCTION install_api(text) TO {role}",
    );
    assert_refused(&mut other, "SELECT install_api('mine')", "42501", "install_api()");
}
