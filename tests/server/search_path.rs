//! Two promises about the search_path. A trigger or function of the user's runs under the session's, also where a statement of ours
//! fires it. And what our statements mean does not depend on the session's, whoever's rights they run with.

use postgres::Client;

use crate::support::{Database, People, refused, row, rows, run};

const ORGANIZATION: &str = "00000000-0000-0000-0000-000000000001";
const OTHER: &str = "00000000-0000-0000-0000-000000000002";
const AS_OF: &str = "2026-11-22 12:00+00";
const ASSIGNMENT: &str = "30000000-0000-0000-0000-000000000001";

/// A statement, which names everything in full and uses no operator, and the writes of ours that it leads to.
struct Case {
    /// Done before, by others.
    before: String,
    sql: String,
    writes: &'static [&'static str],
}

fn case(before: impl Into<String>, sql: impl Into<String>, writes: &'static [&'static str]) -> Case {
    Case { before: before.into(), sql: sql.into(), writes }
}

/// Every kind of write of ours, in an order in which each has something to do.
fn cases(people: &People, other: &People) -> impl Iterator<Item = Case> {
    trigger_cases(people, other).into_iter().chain(function_cases(people))
}

const RESET: &str = "UPDATE reminders SET status = 'pending', skip_reason = NULL, attempts = 0, retry_at = NULL";

fn trigger_cases(people: &People, other: &People) -> Vec<Case> {
    let s = "assignment_reminders";
    let values = |mentor: uuid::Uuid| format!("('{ORGANIZATION}', 'x', '{}', '{mentor}')", people.student);
    let insert = format!("INSERT INTO {s}.assignments (organization_id, title, student_id, peer_mentor_id) VALUES");
    vec![
        case("", format!("{insert} {}", values(people.mentor)), &["UPDATE peer_mentors"]),
        case("", format!("{insert} {}, {}", values(people.mentor), values(other.mentor)), &["UPDATE peer_mentors"]),
        case("", format!("UPDATE {s}.assignments SET peer_mentor_id = '{}'", other.mentor), &["UPDATE peer_mentors"]),
        case("", format!("DELETE FROM {s}.assignments"), &["UPDATE peer_mentors"]),
        case("", format!("{insert} {}", values(people.mentor)), &["UPDATE peer_mentors"]),
        case("", format!("TRUNCATE {s}.assignments CASCADE"), &["UPDATE peer_mentors"]),
        case(
            "",
            format!(
                "INSERT INTO {s}.assignments (id, organization_id, title, student_id, peer_mentor_id, assigned_on, last_contact_date)
                 VALUES ('{ASSIGNMENT}', '{ORGANIZATION}', 'x', '{}', '{}', '2026-01-01', '2026-02-01')",
                people.student, people.mentor
            ),
            &["INSERT contact_corrections", "UPDATE peer_mentors"],
        ),
        case(
            format!(
                "INSERT INTO reminders (assignment_id, recipient_id, reminder_type, anchor, scheduled_for)
                 SELECT id, '{}', 'contact-reminder', '2026-02-01', '2026-02-20' FROM assignments",
                people.mentor_user
            ),
            format!("INSERT INTO {s}.activities (organization_id, assignment_id, occurred_at) VALUES ('{ORGANIZATION}', '{ASSIGNMENT}', '2026-03-01 12:00+00')"),
            &["UPDATE assignments", "UPDATE reminders"],
        ),
        case(RESET, format!("UPDATE {s}.activities SET occurred_at = '2026-03-02 12:00+00'"), &["UPDATE assignments", "UPDATE reminders"]),
        // It brings the silence back that the reminder is about.
        case(RESET, format!("DELETE FROM {s}.activities"), &["UPDATE assignments"]),
        case(
            "DELETE FROM reminders; INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-03-01 12:00+00' FROM assignments",
            format!("SELECT {s}.correct_last_contact_date('{ASSIGNMENT}', '2026-02-20', 'a mistake')"),
            &["INSERT contact_corrections", "UPDATE activities", "UPDATE assignments"],
        ),
        case("", format!("SELECT {s}.update_last_contact_date('{ASSIGNMENT}', '2026-02-21')"), &["INSERT contact_corrections", "UPDATE assignments"]),
        case(
            "",
            format!("INSERT INTO {s}.contact_corrections (organization_id, assignment_id, number, new_date, reason) VALUES ('{ORGANIZATION}', '{ASSIGNMENT}', 1, '2026-02-22', 'x')"),
            &["UPDATE assignments"],
        ),
        case(
            "DELETE FROM activities; DELETE FROM contact_corrections; INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-03-01 12:00+00' FROM assignments",
            format!("TRUNCATE {s}.activities"),
            &["UPDATE assignments"],
        ),
    ]
}

fn function_cases(people: &People) -> Vec<Case> {
    let s = "assignment_reminders";
    let claimed = format!("{RESET}, claim_id = '{OTHER}', claimed_until = '2026-11-22 13:00+00'");
    let reminders = "(SELECT pg_catalog.array_agg(r.id) FROM assignment_reminders.reminders r)";
    let reminder = "(SELECT r.id FROM assignment_reminders.reminders r LIMIT 1)";
    vec![
        case(
            "DELETE FROM reminders",
            format!("SELECT {s}.run_daily_evaluation('{AS_OF}')"),
            &["INSERT evaluation_runs", "INSERT reminders"],
        ),
        case(
            "UPDATE assignments SET due_at = '2026-11-23 12:00+00'; DELETE FROM reminders",
            format!("SELECT {s}.enqueue_due_reminders('{AS_OF}')"),
            &["INSERT reminders"],
        ),
        case(
            "UPDATE assignments SET due_at = '2026-12-23 12:00+00'; UPDATE reminders SET scheduled_for = '2027-01-01'",
            format!("SELECT {s}.enqueue_due_reminders('{AS_OF}')"),
            &["UPDATE reminders"],
        ),
        case(
            format!(
                "DELETE FROM reminders; INSERT INTO user_preferences (user_id, daily_summary, updated_at) VALUES ('{}', true, '2026-01-01')",
                people.student
            ),
            format!("SELECT {s}.enqueue_daily_summaries('{AS_OF}')"),
            &["INSERT reminders"],
        ),
        case("", format!("SELECT {s}.claim_reminders(as_of => '{AS_OF}')"), &["UPDATE reminders"]),
        case(
            "UPDATE reminder_settings SET messages_per_minute = 10",
            format!("SELECT {s}.claim_reminders(as_of => '2026-11-22 13:00+00')"),
            &["INSERT claim_rates", "INSERT send_logs", "UPDATE claim_rates", "UPDATE reminders"],
        ),
        case(
            claimed.clone(),
            format!("SELECT {s}.extend_reminder_leases({reminders}, '{OTHER}', as_of => '{AS_OF}')"),
            &["UPDATE reminders"],
        ),
        case(
            claimed.clone(),
            format!("SELECT {s}.mark_reminder_sent({reminder}, '{OTHER}', 'message-1', as_of => '{AS_OF}')"),
            &["INSERT send_logs", "UPDATE reminders"],
        ),
        case(
            claimed,
            format!("SELECT {s}.mark_reminder_failed({reminder}, '{OTHER}', 'no such mailbox', true, '{AS_OF}')"),
            &["INSERT send_logs", "UPDATE reminders"],
        ),
        case("", format!("SELECT {s}.retry_failed_reminders(as_of => '{AS_OF}')"), &["UPDATE reminders"]),
        case(
            "",
            format!("SELECT {s}.record_delivery_event('message-1', 'bounced', '550 5.1.1', 'event-1')"),
            &["INSERT send_logs", "UPDATE users"],
        ),
        case(
            "UPDATE users SET contact_opt_out = false",
            format!("SELECT {s}.unsubscribe({s}.unsubscribe_token('{}'))", people.student),
            &["UPDATE users"],
        ),
        case(
            "DELETE FROM user_preferences",
            format!("SELECT {s}.unsubscribe({s}.unsubscribe_token('{}'), '24h')", people.student),
            &["INSERT user_preferences"],
        ),
        case("", format!("SELECT {s}.record_provider_message('message-1', 'provider-1')"), &["UPDATE send_logs"]),
        case("", format!("SELECT {s}.restore_contact('{}')", people.student), &["UPDATE users"]),
        case("", format!("SELECT {s}.prune('1 day', as_of => '2030-01-01')"), &["DELETE send_logs"]),
        case(
            "",
            format!("INSERT INTO {s}.organizations (id, name) VALUES ('{OTHER}', 'Other')"),
            &["INSERT reminder_settings"],
        ),
        case(
            "SET session_replication_role = replica; UPDATE peer_mentors SET assignment_count = 7; RESET session_replication_role",
            format!("SELECT {s}.repair_assignment_counts()"),
            &["UPDATE peer_mentors"],
        ),
        case(
            format!(
                "SET session_replication_role = replica; INSERT INTO activities (assignment_id, occurred_at) VALUES ('{ASSIGNMENT}', '2026-03-01 12:00+00'); RESET session_replication_role"
            ),
            format!("SELECT {s}.repair_contact_dates()"),
            &["UPDATE assignments"],
        ),
        case(
            format!("DELETE FROM reminder_settings WHERE organization_id = '{OTHER}'"),
            format!("SELECT {s}.install()"),
            &["INSERT reminder_settings"],
        ),
    ]
}

fn programme() -> (Database, Client, People, People) {
    let database = Database::installed();
    let mut owner = database.connect();
    let people = People::new(&mut owner);
    let other = People::new(&mut owner);
    (database, owner, people, other)
}

/// Takes back what the cases before have left, for them to be done again.
fn begin_again(owner: &mut Client) {
    run(
        owner,
        &format!(
            "TRUNCATE assignments CASCADE; DELETE FROM send_logs; DELETE FROM user_preferences; DELETE FROM claim_rates;
             DELETE FROM evaluation_runs; UPDATE reminder_settings SET messages_per_minute = NULL;
             DELETE FROM organizations WHERE id = '{OTHER}'"
        ),
    );
}

const RIGHTS: &str = "GRANT USAGE ON SCHEMA assignment_reminders TO {role}; GRANT ALL ON ALL TABLES IN SCHEMA assignment_reminders TO {role};
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA assignment_reminders TO {role}";

/// Has every table of ours call `public.note()`, before and after, for rows and statements.
fn take_notes(owner: &mut Client) {
    run(
        owner,
        "CREATE FUNCTION public.slugify(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower($1) $$;
         CREATE TABLE public.noted (what text, path text, schema text);
         GRANT SELECT, INSERT ON public.noted TO PUBLIC;
         CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF slugify('A') = 'a' THEN
                 INSERT INTO noted VALUES (TG_OP || ' ' || TG_TABLE_NAME, current_setting('search_path'), current_schema());
             END IF;
             RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
         END $$;",
    );
    for table in crate::support::tables(owner) {
        for (name, fires) in [
            ("a", "BEFORE INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW"),
            ("z", "AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW"),
            ("zz", "AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH STATEMENT"),
        ] {
            let fires = fires.replace("{table}", &table);
            run(owner, &format!("CREATE TRIGGER note_{name} {fires} EXECUTE FUNCTION public.note()"));
        }
    }
}

#[test]
fn a_trigger_of_the_users_runs_under_the_sessions_path_whatever_fires_it() {
    let (database, mut owner, people, other) = programme();
    take_notes(&mut owner);
    run(&mut owner, "SET search_path = assignment_reminders, public");
    let (mut worker, _) = database.connect_as_new_role(RIGHTS);
    // A session that has made its plans under another path, too.
    for (round, path) in
        ["public", "\"$user\", public, pg_catalog", "public, assignment_reminders, pg_temp"].iter().enumerate()
    {
        run(&mut worker, &format!("SET search_path = {path}"));
        let path = row(&mut worker, "SHOW search_path");
        begin_again(&mut owner);
        for (number, case) in cases(&people, &other).enumerate() {
            run(&mut owner, &format!("{}; TRUNCATE public.noted", case.before));
            // install() is its owner's.
            let is_owners = case.sql.contains("install()");
            if is_owners {
                run(
                    &mut owner,
                    &format!("SET search_path = {path}; {}; SET search_path = assignment_reminders, public", case.sql),
                );
            } else {
                run(&mut worker, &case.sql);
            }
            let noted = rows(&mut owner, "SELECT DISTINCT what FROM public.noted ORDER BY 1");
            for write in case.writes {
                assert!(noted.iter().any(|what| what == write), "{round}/{number}: {}: {noted:?}", case.sql);
            }
            // Where it runs as the owner and not as who writes, temporary objects come last.
            let paths =
                rows(&mut owner, "SELECT DISTINCT regexp_replace(path, ', *pg_temp$', ''), schema FROM public.noted");
            let expected = path.trim_end_matches(", pg_temp");
            assert_eq!(paths, [format!("{expected}|public")], "{round}/{number}: {}", case.sql);
            if !is_owners {
                assert_eq!(row(&mut worker, "SHOW search_path"), path, "{}", case.sql);
            }
        }
    }
}

#[test]
fn what_the_users_constraints_columns_policies_and_indexes_call_runs_under_the_sessions_path() {
    let (database, mut owner, people, _) = programme();
    // Each calls what only the session's path finds. A policy's is evaluated to plan by, too, and an index's inlined.
    run(
        &mut owner,
        "SET search_path = assignment_reminders, public;
         CREATE FUNCTION public.helper(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower($1) $$;
         CREATE FUNCTION public.mine() RETURNS uuid LANGUAGE plpgsql STABLE AS $$ BEGIN
             PERFORM helper('A'); RETURN '00000000-0000-0000-0000-000000000001'; END $$;
         CREATE FUNCTION public.slug(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT helper($1) $$;
         CREATE FUNCTION public.is_fine(text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN helper($1) IS NOT NULL; END $$;
         ALTER TABLE assignments ADD CHECK (public.is_fine(title)), ADD slug text GENERATED ALWAYS AS (public.slug(title)) STORED;
         ALTER TABLE reminders ADD CHECK (public.is_fine(status)), ADD slug text GENERATED ALWAYS AS (public.slug(status)) STORED;
         ALTER TABLE peer_mentors ADD CHECK (public.is_fine(assignment_count::text)), ADD label text DEFAULT public.slug('A');
         ALTER TABLE contact_corrections ADD label text DEFAULT public.slug('A'), ADD CHECK (public.is_fine(reason));
         ALTER TABLE users ADD CHECK (public.is_fine(email));
         CREATE POLICY mine ON assignments USING (organization_id = public.mine());
         CREATE POLICY mine ON contact_corrections USING (organization_id = public.mine());
         CREATE POLICY mine ON users USING (organization_id = public.mine());
         ALTER TABLE assignments ENABLE ROW LEVEL SECURITY;
         ALTER TABLE contact_corrections ENABLE ROW LEVEL SECURITY;
         ALTER TABLE users ENABLE ROW LEVEL SECURITY",
    );
    // Since 17, Postgres makes indexes under a path of its own, and takes no function that needs another.
    if crate::support::major() < 17 {
        run(
            &mut owner,
            "CREATE INDEX ON assignments (public.slug(title));
             CREATE INDEX ON contact_corrections (public.slug(reason)) WHERE public.is_fine(reason);
             CREATE INDEX ON users (public.slug(name))",
        );
    }
    let assignment = people.assignment(&mut owner, "2026-01-01");
    crate::support::enqueue_follow_ups(&mut owner, "2026-02-01");
    let (mut worker, _) = database.connect_as_new_role(RIGHTS);
    run(&mut worker, "SET search_path = public");
    let s = "assignment_reminders";
    for round in 1..3 {
        // Postgres describes the tables to the session anew, while it plans a statement of ours.
        for table in ["assignments", "users", "contact_corrections"] {
            run(
                &mut owner,
                &format!("ALTER TABLE {table} ADD COLUMN again integer; ALTER TABLE {table} DROP COLUMN again"),
            );
        }
        for sql in [
            format!("SELECT {s}.update_last_contact_date('{assignment}', '2026-02-0{round}')"),
            format!("SELECT {s}.correct_last_contact_date('{assignment}', '2026-02-1{round}', 'a mistake')"),
            format!(
                "INSERT INTO {s}.activities (organization_id, assignment_id, occurred_at)
                 VALUES ('{ORGANIZATION}', '{assignment}', '2026-03-0{round} 12:00+00')"
            ),
            format!("SELECT {s}.restore_contact('{}')", people.student),
        ] {
            run(&mut worker, &sql);
        }
    }
    assert_eq!(row(&mut owner, "SELECT last_contact_date, slug FROM assignments"), "2026-03-02|essay");
    assert_eq!(row(&mut owner, "SELECT slug FROM reminders"), "skipped");
}

/// What only reads, beside the cases.
const READS: &[&str] = &[
    "SELECT assignment_reminders.evaluate_assignment('30000000-0000-0000-0000-000000000001')",
    "SELECT * FROM assignment_reminders.explain_assignment('30000000-0000-0000-0000-000000000001')",
    "SELECT * FROM assignment_reminders.assignment_timeline('30000000-0000-0000-0000-000000000001')",
    "SELECT * FROM assignment_reminders.forgotten_assignments()",
    "SELECT * FROM assignment_reminders.follow_up_effect('2026-01-01', '2026-12-31')",
    "SELECT * FROM assignment_reminders.simulate_follow_ups('00000000-0000-0000-0000-000000000001', current_date, current_date)",
    "SELECT * FROM assignment_reminders.silent_assignments",
    "SELECT assignment_reminders.get_last_contact_date('30000000-0000-0000-0000-000000000001')",
    "SELECT assignment_reminders.get_open_assignments_with_contact_dates()",
    "SELECT assignment_reminders.get_assignments_with_no_contact_since('2030-01-01')",
    "SELECT assignment_reminders.get_assignment_with_participants('30000000-0000-0000-0000-000000000001')",
    "SELECT assignment_reminders.due_assignments('days', '{1,30}', as_of => '2026-11-22 12:00+00')",
    "SELECT assignment_reminders.verify_assignment_counts()",
    "SELECT assignment_reminders.verify_contact_dates()",
    "SELECT assignment_reminders.evaluation_health()",
    "SELECT assignment_reminders.altered_definitions()",
    "SELECT assignment_reminders.existing_organization('00000000-0000-0000-0000-000000000001')",
    "SELECT assignment_reminders.addressee_id('mentor', NULL, NULL, NULL, NULL)",
    "SELECT assignment_reminders.coordinator_to_tell('00000000-0000-0000-0000-000000000001', NULL, NULL, 'x')",
    "SELECT assignment_reminders.silent_since(NULL, '2026-01-01')",
    "SELECT assignment_reminders.silence_anchor('2026-01-01')",
    "SELECT assignment_reminders.day_before('2026-01-01', 'UTC')",
    "SELECT assignment_reminders.is_in_daily_summary('open', '2026-01-01', NULL, '2026-01-01', '2026-01-01')",
    "SELECT assignment_reminders.summary_since(NULL, '2026-01-01', 'UTC')",
    "SELECT assignment_reminders.is_same_due_date('2026-01-01', '2026-01-01')",
];

#[test]
fn what_our_statements_mean_does_not_depend_on_the_sessions_path() {
    let (database, mut owner, people, other) = programme();
    run(&mut owner, include_str!("traps.sql"));
    let (mut fresh, _) = database.connect_as_new_role(RIGHTS);
    let (mut used, _) = database.connect_as_new_role(RIGHTS);
    for trap in [
        "SELECT 1 + 1",
        "SELECT now() WHERE 'a'::pg_catalog.text = 'a'",
        "SELECT '1'::text",
        "SELECT * FROM peer_mentors",
    ] {
        run(&mut fresh, "SET search_path = evil, pg_catalog");
        assert!(refused(&mut fresh, trap).message.starts_with("caught as"), "{trap}");
    }
    // The other session makes its plans under a path without traps, and has them thrown away under the one with: first the path is
    // another, then the tables.
    run(&mut used, "SET search_path = public");
    for path in ["public", "evil, pg_catalog", "evil, pg_catalog"] {
        run(&mut used, &format!("SET search_path = {path}"));
        for worker in [&mut fresh, &mut used] {
            begin_again(&mut owner);
            for case in cases(&people, &other) {
                run(&mut owner, &case.before);
                if case.sql.contains("install()") {
                    run(
                        &mut owner,
                        &format!(
                            "SET search_path = evil, pg_catalog; {}; SET search_path = assignment_reminders",
                            case.sql
                        ),
                    );
                } else {
                    run(worker, &case.sql);
                }
                // A run only warns of its failure.
                assert_eq!(rows(&mut owner, "SELECT error FROM evaluation_runs WHERE status = 'failed'"), [""; 0]);
                let student = people.student;
                for read in READS {
                    // Without the assignment, some say that it is missing.
                    if let Err(error) = worker.batch_execute(read) {
                        assert_eq!(
                            error.code().map(postgres::error::SqlState::code),
                            Some("02000"),
                            "{read}: {error:?}"
                        );
                    }
                }
                run(worker, &format!("SELECT assignment_reminders.daily_summary('{student}')"));
            }
        }
        for table in crate::support::tables(&mut owner) {
            run(
                &mut owner,
                &format!("ALTER TABLE {table} ADD COLUMN again integer; ALTER TABLE {table} DROP COLUMN again"),
            );
        }
    }
}

#[test]
fn the_sessions_path_is_back_after_an_error_and_where_nothing_was_executed() {
    let (database, mut owner, people, _) = programme();
    let assignment = people.assignment(&mut owner, "2026-01-01");
    let (mut worker, _) = database.connect_as_new_role(RIGHTS);
    let claim = "SELECT assignment_reminders.claim_reminders()";
    run(&mut worker, "SET search_path = public");
    run(&mut worker, claim);

    // Refused a lock while it looks its plan up.
    run(&mut owner, "BEGIN; LOCK TABLE reminders");
    run(&mut worker, "BEGIN; SET LOCAL search_path = public, pg_temp; SAVEPOINT s");
    assert_eq!(refused(&mut worker, &format!("SET LOCAL lock_timeout = '10ms'; {claim}")).sqlstate, "55P03");
    run(&mut worker, "ROLLBACK TO s");
    assert_eq!(row(&mut worker, "SHOW search_path"), "public, pg_temp");
    run(
        &mut worker,
        &format!(
            "SET LOCAL lock_timeout = '10ms'; DO $$ BEGIN PERFORM {}; EXCEPTION WHEN lock_not_available THEN NULL; END $$",
            &claim[7..]
        ),
    );
    assert_eq!(row(&mut worker, "SHOW search_path"), "public, pg_temp");
    run(&mut owner, "COMMIT");
    run(&mut worker, &format!("{claim}; COMMIT"));
    assert_eq!(row(&mut worker, "SHOW search_path"), "public");

    // Refused by a policy's function, which is evaluated to plan by.
    run(
        &mut owner,
        "CREATE FUNCTION public.raises() RETURNS uuid LANGUAGE plpgsql STABLE AS $$ BEGIN RAISE 'no'; END $$;
         CREATE POLICY mine ON assignments USING (organization_id = public.raises());
         ALTER TABLE assignments ENABLE ROW LEVEL SECURITY",
    );
    let correct = format!("SELECT assignment_reminders.update_last_contact_date('{assignment}', '2026-02-01')");
    run(&mut worker, "BEGIN; SET LOCAL search_path = public, pg_temp; SAVEPOINT s");
    assert_eq!(refused(&mut worker, &correct).message, "no");
    run(&mut worker, "ROLLBACK TO s");
    assert_eq!(row(&mut worker, "SHOW search_path"), "public, pg_temp");
    run(&mut worker, "COMMIT");
    run(&mut owner, "ALTER TABLE assignments DISABLE ROW LEVEL SECURITY");

    // A rule that does nothing instead.
    run(&mut owner, "CREATE RULE nothing AS ON INSERT TO evaluation_runs DO INSTEAD NOTHING");
    run(&mut worker, "BEGIN; SELECT assignment_reminders.run_daily_evaluation()");
    assert_eq!(row(&mut worker, "SHOW search_path"), "public");
    run(&mut worker, &format!("COMMIT; {correct}"));
    assert_eq!(row(&mut worker, "SHOW search_path"), "public");
}

#[test]
fn a_trigger_of_the_owners_that_pins_its_path_is_out_of_reach_of_the_callers() {
    let (database, mut owner, people, _) = programme();
    run(&mut owner, include_str!("traps.sql"));
    // As docs/security.md asks of whoever lets others write.
    run(
        &mut owner,
        "CREATE TABLE public.noted (role text);
         CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$ BEGIN
             INSERT INTO noted SELECT lower(current_user) WHERE NEW.id = OLD.id; RETURN NULL; END $$;
         CREATE TRIGGER note AFTER UPDATE ON peer_mentors FOR EACH ROW EXECUTE FUNCTION public.note()",
    );
    let (mut worker, _) = database.connect_as_new_role(RIGHTS);
    run(&mut worker, "SET search_path = evil, pg_catalog");
    run(
        &mut worker,
        &format!(
            "INSERT INTO assignment_reminders.assignments (organization_id, title, student_id, peer_mentor_id)
             VALUES ('{ORGANIZATION}', 'x', '{}', '{}')",
            people.student, people.mentor
        ),
    );
    assert_eq!(rows(&mut owner, "SELECT role FROM public.noted"), ["postgres"]);
}
