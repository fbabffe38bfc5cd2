//! What an upgrade must leave, and what it must not.

use std::process::Command;
use std::thread;

use crate::catalog::{assert_same, dump};
use crate::programme::{Content, assert_goes_on, at_0_1_0, update};
use crate::support::{Database, connect, pid, program, refused, row, rows, run, wait_until_blocked};

const THIS: &str = env!("CARGO_PKG_VERSION");

fn version(client: &mut postgres::Client) -> String {
    row(client, "SELECT extversion FROM pg_extension WHERE extname = 'assignment_reminders'")
}

#[test]
fn an_upgraded_database_is_as_a_fresh_one_with_every_row_and_goes_on() {
    let (database, fresh) = (at_0_1_0(), Database::installed());
    let mut client = database.connect();
    let before = Content::of(&mut client);
    update(&mut client);
    assert_eq!(version(&mut client), THIS);
    before.assert_unchanged(&mut client);
    assert_same(&dump(&mut client), &dump(&mut fresh.connect()));
    assert_eq!(rows(&mut client, "SELECT * FROM altered_definitions()"), [""; 0]);
    // As the session that upgraded, and as one that knows nothing of before.
    assert_goes_on(&mut database.connect());
}

#[test]
fn an_activity_that_was_moved_while_it_was_overruled_counts_where_it_is() {
    let database = at_0_1_0();
    let mut client = database.connect();
    run(
        &mut client,
        "CREATE TABLE public.pair AS
             SELECT f.organization_id, f.id AS first, s.id AS second
               FROM (SELECT organization_id, id FROM assignments WHERE last_contact_date IS NOT NULL ORDER BY title LIMIT 1) AS f
              CROSS JOIN LATERAL (SELECT id FROM assignments WHERE organization_id = f.organization_id AND last_contact_date IS NULL
                                   ORDER BY title LIMIT 1) AS s;
         SELECT correct_last_contact_date(first, NULL, 'another student') FROM public.pair;
         UPDATE activities t SET assignment_id = second FROM public.pair WHERE t.assignment_id = first",
    );
    let dates = "SELECT (SELECT last_contact_date IS NULL FROM assignments WHERE id = first),
                        (SELECT last_contact_date = (SELECT max((t.occurred_at AT TIME ZONE o.timezone)::date)
                                                       FROM activities t JOIN organizations o ON o.id = t.organization_id WHERE t.assignment_id = second)
                           FROM assignments WHERE id = second)
                   FROM public.pair";
    assert_eq!(row(&mut client, dates), "t|-", "it counted for nobody");
    update(&mut client);
    assert_eq!(row(&mut client, dates), "t|t");
    assert_eq!(rows(&mut client, "SELECT * FROM verify_contact_dates()"), [""; 0]);
    assert_eq!(row(&mut client, "SELECT count(overruled_by) FROM activities"), "0");
}

/// An organization of its own at 0.1.0: who was reminded, who was handed over, what began with an old call, and homework.
#[test]
fn what_was_sent_before_the_upgrade_is_not_sent_again_and_only_a_new_mentor_is_reminded() {
    const ORGANIZATION: &str = "c1000000-0000-0000-0000-000000000000";
    let database = at_0_1_0();
    let mut client = database.connect();
    run(
        &mut client,
        &format!(
            "INSERT INTO organizations (id, name) VALUES ('{ORGANIZATION}', 'handed over');
             SET assignment_reminders.organization_id = '{ORGANIZATION}';
             INSERT INTO users (id, email, name) SELECT ('c1000000-0000-0000-0000-00000000000' || n)::uuid, n || '@c.example.org', n FROM generate_series(1, 4) AS n;
             INSERT INTO peer_mentors (id, user_id) SELECT ('c1000000-0000-0000-0000-0000000000a' || n)::uuid, ('c1000000-0000-0000-0000-00000000000' || n)::uuid FROM generate_series(2, 3) AS n;
             INSERT INTO assignments (title, student_id, peer_mentor_id, coordinator_id, assigned_on)
             SELECT title, 'c1000000-0000-0000-0000-000000000001', 'c1000000-0000-0000-0000-0000000000a2', 'c1000000-0000-0000-0000-000000000004', day::date
               FROM (VALUES ('handed over', '2026-10-01'), ('old call', '2026-10-01'), ('reminded', '2026-10-01')) AS a (title, day);
             INSERT INTO assignments (title, student_id, assigned_on) VALUES ('homework', 'c1000000-0000-0000-0000-000000000001', '2026-11-01');
             INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-09-01 12:00+00' FROM assignments WHERE title = 'old call';
             SELECT run_daily_evaluation('2026-10-15 12:00+00');
             UPDATE reminders SET status = 'sent', sent_at = '2026-10-15 12:30+00' WHERE organization_id = '{ORGANIZATION}';
             UPDATE assignments SET peer_mentor_id = 'c1000000-0000-0000-0000-0000000000a3' WHERE title = 'handed over'"
        ),
    );
    let sent = format!(
        "SELECT count(*), count(DISTINCT anchor) FROM reminders WHERE organization_id = '{ORGANIZATION}' AND status = 'sent'"
    );
    assert_eq!(row(&mut client, &sent), "3|2", "in 0.1.0 the silence of one began with the old call");
    update(&mut client);
    assert_eq!(row(&mut client, &sent), "3|1");
    let due = |client: &mut postgres::Client, day: &str| {
        rows(
            client,
            &format!(
                "SELECT a.title, f.action, u.name FROM evaluate_assignments('{day} 12:00+00', '{ORGANIZATION}') AS f
                   JOIN assignments a ON a.id = f.assignment_id LEFT JOIN users u ON u.id = f.recipient_id ORDER BY 1"
            ),
        )
    };
    assert_eq!(due(&mut client, "2026-10-16"), ["handed over|remind|3"]);
    assert_eq!(
        due(&mut client, "2026-10-29"),
        ["handed over|remind|3", "old call|escalate|4", "reminded|escalate|4"],
        "without days of grace, which 0.1.0 did not have"
    );
    assert_eq!(
        row(
            &mut client,
            &format!(
                "SELECT string_agg(title, ',') FROM assignments WHERE NOT follow_up AND organization_id = '{ORGANIZATION}'"
            )
        ),
        "homework"
    );
    assert_eq!(
        row(
            &mut client,
            &format!("SELECT escalation_grace_days FROM reminder_settings WHERE organization_id = '{ORGANIZATION}'")
        ),
        "0"
    );
    assert_eq!(
        row(
            &mut client,
            &format!(
                "SELECT e.evaluated_at = (SELECT as_of FROM evaluation_runs ORDER BY started_at DESC LIMIT 1), s.evaluation_hour, s.follow_up_limit
                   FROM organization_evaluations e JOIN reminder_settings s USING (organization_id) WHERE organization_id = '{ORGANIZATION}'"
            )
        ),
        "t|-|100",
        "runs of 0.1.0 evaluated all"
    );
    run(&mut client, "INSERT INTO organizations (id, name) VALUES ('c2000000-0000-0000-0000-000000000000', 'new')");
    let new = "SELECT escalation_grace_days FROM reminder_settings WHERE organization_id = 'c2000000-0000-0000-0000-000000000000'";
    assert_eq!(row(&mut client, new), "3");
}

#[test]
fn a_database_that_stays_at_0_1_0_is_answered_by_its_own_library() {
    let database = at_0_1_0();
    let mut client = database.connect();
    let libraries = "SELECT DISTINCT probin FROM pg_proc WHERE pronamespace = 'assignment_reminders'::regnamespace AND probin IS NOT NULL";
    assert_eq!(rows(&mut client, libraries), ["$libdir/assignment_reminders"]);
    assert_eq!(row(&mut client, "SELECT install()"), "assignment_reminders 0.1.0: nothing to do");
    assert_goes_on(&mut client);
    run(&mut client, "ALTER EXTENSION assignment_reminders UPDATE");
    assert_eq!(rows(&mut client, libraries), [format!("$libdir/assignment_reminders-{THIS}")]);
}

#[test]
fn users_grants_revokes_and_views_survive() {
    let database = at_0_1_0();
    let mut owner = database.connect();
    let (_, worker) = database.connect_as_new_role(
        "GRANT USAGE ON SCHEMA assignment_reminders TO {role}; GRANT ALL ON ALL TABLES IN SCHEMA assignment_reminders TO {role};
         GRANT EXECUTE ON FUNCTION claim_reminders, mark_reminder_sent, run_daily_evaluation TO {role}",
    );
    let (_, outsider) = database.connect_as_new_role("GRANT USAGE ON SCHEMA assignment_reminders TO {role}");
    run(
        &mut owner,
        "REVOKE EXECUTE ON FUNCTION daily_summary(uuid, timestamptz), due_reminder_type(interval) FROM PUBLIC;
         CREATE VIEW public.next_claim AS SELECT reminder_id, idempotency_key FROM claim_reminders(1);
         CREATE VIEW public.whole_claim AS SELECT * FROM claim_reminders(2);
         CREATE VIEW public.due AS SELECT * FROM due_assignments('hours', '{24}', 600);
         CREATE VIEW public.silent AS SELECT * FROM evaluate_assignments();
         CREATE VIEW public.reason AS SELECT skip_reason('24h', r.anchor, 'open', NULL, NULL, r.id IS NULL, NULL, NULL, NULL, false, true, now()) AS why FROM reminders r;
         CREATE FUNCTION public.claimed_by_function() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM assignment_reminders.claim_reminders(3); END",
    );
    let grants = format!(
        "SELECT p.oid::regprocedure, e.grantee::regrole, e.privilege_type, e.is_grantable
           FROM pg_proc p, aclexplode(p.proacl) AS e
          WHERE p.pronamespace = 'assignment_reminders'::regnamespace
            AND (e.grantee = '{worker}'::regrole OR p.proname IN ('claim_reminders', 'daily_summary', 'due_reminder_type')) ORDER BY p.oid::regprocedure::text COLLATE \"C\", e.grantee"
    );
    let before = rows(&mut owner, &grants);
    let views = [
        "SELECT count(*) FROM public.due",
        "SELECT count(*) FROM public.silent",
        "SELECT DISTINCT why FROM public.reason ORDER BY 1",
    ];
    let shown = views.map(|view| rows(&mut owner, view));
    update(&mut owner);
    assert_eq!(rows(&mut owner, &grants), before);
    assert_eq!(views.map(|view| rows(&mut owner, view)), shown);

    assert_eq!(row(&mut database.connect_as(&worker), "SELECT count(*) FROM claim_reminders(5)"), "5");
    assert_eq!(
        refused(&mut database.connect_as(&outsider), "SELECT due_reminder_type('1 hour')").sqlstate,
        "42501",
        "a revoke stays"
    );
    let new = refused(&mut database.connect_as(&outsider), "SELECT uninstall()");
    assert_eq!(new.sqlstate, "42501", "a new function that writes is nobody else's");
    assert_eq!(row(&mut database.connect_as(&outsider), "SELECT is_reachable(false, 'a@example.org')"), "t");
    assert_eq!(
        row(&mut owner, "SELECT count(*) FROM public.next_claim WHERE idempotency_key LIKE reminder_id || '-%'"),
        "1"
    );
    assert_eq!(row(&mut owner, "SELECT count(*), count(DISTINCT claim_id) FROM public.whole_claim"), "2|1");
    assert_eq!(row(&mut owner, "SELECT public.claimed_by_function()"), "3");
    run(
        &mut owner,
        "DROP VIEW public.next_claim, public.whole_claim, public.due, public.silent, public.reason; DROP FUNCTION public.claimed_by_function()",
    );
    run(&mut owner, &format!("DROP OWNED BY {worker}, {outsider}; DROP ROLE {worker}, {outsider}"));
}

#[test]
fn an_owner_who_is_no_superuser_upgrades() {
    let database = Database::empty();
    let (mut owner, role) = database.connect_as_new_owner();
    run(&mut owner, "CREATE EXTENSION assignment_reminders VERSION '0.1.0'");
    run(&mut owner, "SELECT install()");
    update(&mut owner);
    let fresh = Database::empty();
    let mut as_owner = fresh.connect();
    run(&mut as_owner, &format!("ALTER DATABASE {} OWNER TO {role}", fresh.name));
    let mut fresh_owner = fresh.connect_as(&role);
    run(&mut fresh_owner, "CREATE EXTENSION assignment_reminders");
    run(&mut fresh_owner, "SELECT install()");
    assert_same(&dump(&mut owner), &dump(&mut fresh_owner));
    assert_eq!(row(&mut owner, "SELECT count(*) FROM run_daily_evaluation()"), "0");
}

#[test]
fn a_session_with_a_past_goes_on_with_the_new_library() {
    let database = at_0_1_0();
    let mut session = database.connect();
    // Everything that it does has been done by the old one.
    let work = "INSERT INTO activities (organization_id, assignment_id, occurred_at)
                     SELECT organization_id, id, now() FROM assignments WHERE status = 'open' ORDER BY title LIMIT 5;
                UPDATE assignments SET due_at = now() + interval '3 days' WHERE id = (SELECT id FROM assignments ORDER BY title LIMIT 1);
                SELECT count(*) FROM claim_reminders(3); SELECT count(*) FROM run_daily_evaluation();
                SELECT count(*) FROM due_assignments('hours', '{24}'); SELECT count(*) FROM evaluate_assignments();
                SELECT current_organization(), (evaluate_assignment(id)).action FROM assignments LIMIT 1";
    run(&mut session, work);
    run(&mut session, "PREPARE claim AS SELECT reminder_id, idempotency_key FROM claim_reminders(2)");
    run(&mut session, "EXECUTE claim");
    update(&mut database.connect());
    run(&mut session, work);
    assert_eq!(rows(&mut session, "EXECUTE claim").len(), 2);
    assert_goes_on(&mut session);
}

#[test]
fn an_upgrade_that_is_rolled_back_leaves_0_1_0_at_work() {
    let database = at_0_1_0();
    let mut client = database.connect();
    run(
        &mut client,
        "BEGIN; ALTER EXTENSION assignment_reminders UPDATE; SELECT install(); SELECT count(*) FROM claim_reminders(1); ROLLBACK",
    );
    assert_eq!(version(&mut client), "0.1.0");
    assert_goes_on(&mut client);
}

#[test]
fn writers_at_work_during_an_upgrade_lose_nothing() {
    let database = at_0_1_0();
    let mut client = database.connect();
    let mut writer = database.connect();
    let before = row(&mut client, "SELECT count(*) FROM activities");
    // One that has written and not committed: the tables wait for it, and the others for the tables.
    run(
        &mut writer,
        "BEGIN; INSERT INTO activities (organization_id, assignment_id, occurred_at) SELECT organization_id, id, now() FROM assignments ORDER BY title LIMIT 10",
    );
    thread::scope(|scope| {
        let upgrade = scope.spawn(|| {
            let mut client = database.connect();
            run(&mut client, "ALTER TABLE activities DISABLE TRIGGER activities_set_updated_at");
            update(&mut client);
        });
        let writers: Vec<_> = (1..5)
            .map(|n| {
                let database = &database;
                scope.spawn(move || {
                    let mut client = database.connect();
                    for _ in 0..20 {
                        run(
                            &mut client,
                            &format!("INSERT INTO activities (organization_id, assignment_id, occurred_at)
                                           SELECT organization_id, id, now() FROM assignments WHERE title LIKE 'Assignment {n}%' ORDER BY title LIMIT 5"),
                        );
                    }
                })
            })
            .collect();
        let waiting = "SELECT min(pid) FROM pg_stat_activity WHERE query LIKE 'ALTER TABLE activities%' AND datname = current_database()";
        let waiting: i32 = loop {
            if let Ok(pid) = row(&mut client, waiting).parse() {
                break pid;
            }
        };
        wait_until_blocked(&mut client, waiting);
        run(&mut writer, "COMMIT");
        upgrade.join().expect("the upgrade");
        for writer in writers {
            writer.join().expect("a writer");
        }
    });
    let expected: i32 = before.parse::<i32>().expect("a number") + 10 + 4 * 20 * 5;
    assert_eq!(row(&mut client, "SELECT count(*) FROM activities"), expected.to_string());
    assert_eq!(rows(&mut client, "SELECT * FROM verify_contact_dates()"), [""; 0]);
    assert_eq!(version(&mut client), THIS);
}

#[test]
fn a_backend_that_is_killed_while_it_upgrades_leaves_0_1_0_whole() {
    let database = at_0_1_0();
    let mut client = database.connect();
    let before = Content::of(&mut client);
    let mut holder = database.connect();
    run(&mut holder, "BEGIN; LOCK TABLE activities IN ROW EXCLUSIVE MODE");
    let mut upgrading = database.connect();
    let upgrading_pid = pid(&mut upgrading);
    run(&mut client, "ALTER TABLE assignments DISABLE TRIGGER assignments_set_updated_at");
    let upgrade = thread::spawn(move || {
        upgrading.batch_execute("BEGIN; ALTER EXTENSION assignment_reminders UPDATE; SELECT install(); COMMIT")
    });
    wait_until_blocked(&mut client, upgrading_pid);
    run(&mut client, &format!("SELECT pg_terminate_backend({upgrading_pid})"));
    upgrade.join().expect("no panic").expect_err("it was ended");
    run(&mut holder, "ROLLBACK");
    run(&mut client, "ALTER TABLE assignments ENABLE TRIGGER assignments_set_updated_at");
    assert_eq!(version(&mut client), "0.1.0");
    before.assert_unchanged(&mut client);
    assert_goes_on(&mut database.connect());
}

#[test]
fn a_dump_of_0_1_0_restores_into_this_version() {
    let (database, fresh) = (at_0_1_0(), Database::installed());
    let before = Content::of(&mut database.connect());
    let restored = Database::empty();
    let dump_file = format!("{}/{}.dump", std::env::temp_dir().display(), database.name);
    let succeed = |mut command: Command| {
        let output = command.output().expect("the program starts");
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let mut pg_dump = program("pg_dump");
    pg_dump.args(["--format=custom", "--file", &dump_file, &database.name]);
    succeed(pg_dump);
    let mut pg_restore = program("pg_restore");
    pg_restore.args(["--exit-on-error", "--dbname", &restored.name, &dump_file]);
    succeed(pg_restore);
    std::fs::remove_file(dump_file).expect("the dump");
    let mut client = restored.connect();
    assert_eq!(version(&mut client), THIS);
    before.assert_unchanged(&mut client);
    run(&mut client, "SELECT install()");
    assert_same(&dump(&mut client), &dump(&mut fresh.connect()));
    assert_goes_on(&mut client);
    drop(connect("postgres"));
}

#[test]
fn nobody_becomes_superuser_by_what_they_leave_in_the_schema_for_an_upgrade() {
    let database = Database::empty();
    let (mut eve, role) = database.connect_as_new_owner();
    run(&mut eve, "CREATE EXTENSION assignment_reminders VERSION '0.1.0'");
    run(&mut eve, "SELECT install()");
    let trap = "BEGIN IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN EXECUTE 'ALTER ROLE {role} SUPERUSER'; END IF;";
    for (name, arguments, returns, result) in [
        ("format", "text, regclass", "text", "pg_catalog.format($1, $2)"),
        ("format", "text, regprocedure", "text", "pg_catalog.format($1, $2)"),
        ("format", "text, regprocedure, regrole", "text", "pg_catalog.format($1, $2, $3)"),
        ("trap", "oid, regclass", "boolean", "$1 = $2::oid"),
    ] {
        let trap = trap.replace("{role}", &role);
        run(
            &mut eve,
            &format!(
                "CREATE FUNCTION assignment_reminders.{name}({arguments}) RETURNS {returns} LANGUAGE plpgsql AS $$ {trap} RETURN {result}; END $$"
            ),
        );
    }
    run(
        &mut eve,
        "CREATE OPERATOR assignment_reminders.= (LEFTARG = oid, RIGHTARG = regclass, FUNCTION = assignment_reminders.trap)",
    );
    update(&mut eve);
    assert_eq!(row(&mut eve, &format!("SELECT rolsuper FROM pg_roles WHERE rolname = '{role}'")), "f");
}

#[test]
fn columns_that_users_added_do_not_change_what_functions_take_for_their_arguments() {
    let database = at_0_1_0();
    let mut client = database.connect();
    run(
        &mut client,
        "ALTER TABLE assignments ADD after_silent_since date, ADD after_assignment_id uuid, ADD page_size integer, ADD cutoff_date date,
                ADD unit text, ADD targets integer[], ADD tolerance integer, ADD as_of timestamptz, ADD after_target integer, ADD after_due_at timestamptz;
         ALTER TABLE users ADD page_size integer, ADD unit text, ADD as_of timestamptz, ADD after_due_at timestamptz",
    );
    let pages = [
        "SELECT count(*), min(silent_since), max(silent_since) FROM get_open_assignments_with_contact_dates(organization_id => '00000000-0000-0000-0000-00000000000a',
                after_silent_since => current_date - 20, after_assignment_id => '00000000-0000-0000-0000-000000000000', page_size => 100)",
        "SELECT count(*), min(silent_since), max(silent_since) FROM get_assignments_with_no_contact_since(current_date - 10, organization_id => '00000000-0000-0000-0000-00000000000a',
                after_silent_since => current_date - 20, after_assignment_id => '00000000-0000-0000-0000-000000000000', page_size => 100)",
        "SELECT count(*), min(due_at), max(due_at) FROM due_assignments('hours', '{24,48}', 600, after_target => 24, after_due_at => now() + interval '20 hours',
                after_assignment_id => '00000000-0000-0000-0000-000000000000', page_size => 50)",
    ];
    let before = pages.map(|page| row(&mut client, page));
    update(&mut client);
    for (page, before) in pages.iter().zip(before) {
        // due_assignments counts from now, which has moved on.
        let after = row(&mut client, page);
        assert_eq!(after.split('|').next(), before.split('|').next(), "{page}");
        assert!(page.contains("due_at") || after == before, "{page}: {after}, not {before}");
    }
}

/// "Add columns as you like": one of the name of one of ours is told, and nothing is half-done.
#[test]
fn a_column_of_the_owners_with_the_name_of_one_of_ours_is_told_and_left_alone() {
    let database = at_0_1_0();
    let mut client = database.connect();
    run(
        &mut client,
        "ALTER TABLE users ADD COLUMN role text NOT NULL DEFAULT 'tutor'; ALTER EXTENSION assignment_reminders UPDATE",
    );
    let refusal = refused(&mut client, "SELECT install()");
    assert_eq!(refusal.sqlstate, "42701", "{refusal:?}");
    assert!(refusal.message.contains("role") && refusal.hint.contains("RENAME COLUMN"), "{refusal:?}");
    // Nor is row security what it says, as long as that is so.
    let (_, member) = database.connect_as_new_role("");
    assert_eq!(refused(&mut client, &format!("SELECT enable_row_security('{member}')")).sqlstate, "55000");
    run(&mut client, "ALTER TABLE users RENAME COLUMN role TO duty; SELECT install()");
    assert_eq!(row(&mut client, "SELECT min(duty), min(role) FROM users"), "tutor|member");
    run(&mut client, &format!("SELECT enable_row_security('{member}')"));
}

#[test]
fn row_security_of_the_owners_is_theirs_after_an_upgrade() {
    let database = at_0_1_0();
    let mut client = database.connect();
    let (_, other) = database.connect_as_new_role("");
    run(
        &mut client,
        &format!(
            "ALTER TABLE activities ENABLE ROW LEVEL SECURITY; GRANT SELECT ON activities TO {other};
             CREATE POLICY member_select ON activities FOR SELECT TO {other} USING (true)"
        ),
    );
    let rights = "SELECT c.relname, c.relrowsecurity, (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid),
                         has_table_privilege('ROLE', c.oid, 'SELECT'), has_table_privilege('ROLE', c.oid, 'INSERT')
                    FROM pg_class c WHERE c.relnamespace = 'assignment_reminders'::regnamespace AND c.relkind = 'r' ORDER BY 1"
        .replace("ROLE", &other);
    let mut expected = rows(&mut client, &rights);
    // Nobody has a right on what is new.
    expected.extend(
        [
            "alerts",
            "assignment_pauses",
            "closed_periods",
            "closed_statements",
            "days_off",
            "history_horizon",
            "mentor_pauses",
            "message_templates",
            "organization_evaluations",
            "reminder_events",
            "row_history",
            "unsubscribe_tokens",
        ]
        .map(|table| format!("{table}|f|0|f|f")),
    );
    expected.sort();
    update(&mut client);
    assert_eq!(rows(&mut client, &rights), expected);
}

#[test]
fn the_history_begins_with_the_upgrade_and_the_upgrade_itself_leaves_no_version() {
    let database = at_0_1_0();
    let mut client = database.connect();
    let before = row(&mut client, "SELECT clock_timestamp()");
    update(&mut client);
    let tables = "SELECT count(*) FROM row_history WHERE table_name <> 'activities'";
    assert_eq!(row(&mut client, tables), "0", "what a migration gives to rows is no change of theirs");
    let refusal = refused(&mut client, &format!("SELECT * FROM rows_as_of('assignments', '{before}')"));
    assert!(refusal.sqlstate == "22023" && refusal.message.contains("the history begins at"), "{refusal:?}");
    let upgraded = row(&mut client, "SELECT clock_timestamp()");
    let titles = "SELECT string_agg(title, ' ' ORDER BY id) FROM assignments";
    let then = row(&mut client, titles);
    run(&mut client, "UPDATE assignments SET title = 'after'");
    let asked = format!(
        "SELECT string_agg(row_version ->> 'title', ' ' ORDER BY row_id) FROM rows_as_of('assignments', '{upgraded}')"
    );
    assert_eq!(row(&mut client, &asked), then);
}
