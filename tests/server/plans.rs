//! Statements go by the indexes that their comments name, whatever the tables held when they were planned; and a plan made
//! under other rules of row security is not used.

use postgres::Client;

use crate::support::{Database, People, enqueue_follow_ups, refused, row, rows, run};

/// How many rows of the table this session's transaction has read.
fn rows_read_so_far(client: &mut Client, table: &str) -> i64 {
    let read = format!(
        "SELECT coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0) FROM pg_stat_xact_user_tables
          WHERE relid = 'assignment_reminders.{table}'::regclass"
    );
    row(client, &read).parse().expect("a number of rows")
}

/// How many rows of the table these statements read, in a transaction of their own.
fn rows_read(client: &mut Client, table: &str, statements: &str) -> i64 {
    run(client, "BEGIN");
    let before = rows_read_so_far(client, table);
    run(client, statements);
    let read = rows_read_so_far(client, table) - before;
    run(client, "COMMIT");
    read
}

const EVERY_TABLE: &str = "ANALYZE organizations, reminder_settings, users, peer_mentors, assignments, activities, \
                           contact_corrections, reminders, send_logs";

/// What makes every trigger statement of ours run, and each delivery statement.
const EVERYTHING: &str = "
    INSERT INTO assignments (id, title, student_id, peer_mentor_id, coordinator_id, assigned_on, last_contact_date)
         SELECT '00000000-0000-0000-0000-0000000000aa', 'probe', student_id, peer_mentor_id, coordinator_id, '2026-01-01', '2026-01-02'
           FROM assignments WHERE title = 'Essay';
    INSERT INTO assignments (title, student_id, peer_mentor_id)
         SELECT 'pair', a.student_id, m.id FROM assignments a, peer_mentors m WHERE a.title = 'Essay' ORDER BY m.id LIMIT 2;
    UPDATE assignments SET peer_mentor_id = NULL WHERE id = '00000000-0000-0000-0000-0000000000aa';
    INSERT INTO activities (assignment_id, occurred_at) VALUES ('00000000-0000-0000-0000-0000000000aa', '2026-02-01 12:00+00');
    INSERT INTO reminders (assignment_id, reminder_type, recipient_id, anchor, scheduled_for)
         SELECT id, 'contact-reminder', student_id, '2026-02-01', '2026-03-01' FROM assignments
          WHERE id = '00000000-0000-0000-0000-0000000000aa';
    UPDATE activities SET occurred_at = '2026-02-02 12:00+00' WHERE assignment_id = '00000000-0000-0000-0000-0000000000aa';
    DELETE FROM activities WHERE assignment_id = '00000000-0000-0000-0000-0000000000aa';
    SELECT correct_last_contact_date('00000000-0000-0000-0000-0000000000aa', '2026-01-05', 'for the plans');
    SELECT evaluate_assignment('00000000-0000-0000-0000-0000000000aa', date '2026-03-01');
    DELETE FROM assignments WHERE id = '00000000-0000-0000-0000-0000000000aa' OR title = 'pair'";

#[test]
fn trigger_statements_planned_on_a_small_table_go_by_index_when_it_has_grown() {
    let database = Database::installed();
    let mut client = database.connect();
    // For what the test itself looks for; later, it would make Postgres plan anew.
    run(&mut client, "CREATE INDEX test_title_idx ON assignments (title)");
    let people = People::new(&mut client);
    People::new(&mut client);
    people.assignment(&mut client, "2026-01-01");
    run(
        &mut client,
        "INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-01-02 12:00+00' FROM assignments",
    );
    run(&mut client, EVERY_TABLE);
    // One row in each table, and the statistics say so: whatever is planned now may read all of it.
    run(&mut client, EVERYTHING);

    let mut other = database.connect();
    People::assignments(&people, &mut other, "2026-01-01", 20_000);
    run(
        &mut other,
        "INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-01-02 12:00+00' FROM assignments;
         INSERT INTO reminders (assignment_id, reminder_type, recipient_id, anchor, status, sent_at)
              SELECT id, 'contact-reminder', student_id, '2026-01-01', 'sent', now() FROM assignments",
    );
    for table in ["assignments", "activities", "reminders"] {
        let read = rows_read(&mut client, table, EVERYTHING);
        assert!(read < 200, "{read} rows of {table} were read");
    }
}

#[test]
fn trigger_statements_planned_for_a_large_batch_go_by_index_for_a_single_row() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    run(
        &mut client,
        "INSERT INTO users (id, email) SELECT ('00000000-0000-0000-0001-' || lpad(n::text, 12, '0'))::uuid, n || '@example.org' FROM generate_series(1, 5000) AS n;
         INSERT INTO peer_mentors (user_id) SELECT id FROM users WHERE email ~ '^[0-9]+@'",
    );
    people.assignments(&mut client, "2026-01-01", 5000);
    run(&mut client, EVERY_TABLE);
    run(
        &mut client,
        "INSERT INTO assignments (title, student_id, peer_mentor_id) SELECT 'batch', u.id, m.id FROM users u JOIN peer_mentors m ON m.user_id = u.id;
         INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-01-02 12:00+00' FROM assignments",
    );
    let one = "INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-01-03 12:00+00' FROM assignments WHERE id = (SELECT min(id::text)::uuid FROM assignments);";
    run(&mut client, one);
    let id = row(&mut client, "SELECT id FROM assignments WHERE title = '000001'");
    let mentor = row(&mut client, "SELECT id FROM peer_mentors ORDER BY 1 LIMIT 1");
    let activity =
        format!("INSERT INTO activities (assignment_id, occurred_at) VALUES ('{id}', '2026-01-04 12:00+00')");
    let read = rows_read(&mut client, "assignments", &activity);
    assert!(read < 20, "{read} assignments were read for one activity");
    let assignment = format!("UPDATE assignments SET peer_mentor_id = '{mentor}' WHERE id = '{id}'");
    let read = rows_read(&mut client, "peer_mentors", &assignment);
    assert!(read < 20, "{read} mentors were read for one assignment");
}

#[test]
fn a_claim_and_its_answers_planned_on_an_empty_outbox_go_by_index_when_it_has_grown() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    people.assignments(&mut client, "2026-01-01", 3);
    for organization in ["00000000-0000-0000-0000-0000000000b0", "00000000-0000-0000-0000-0000000000c0"] {
        run(&mut client, &format!("INSERT INTO organizations (id, name) VALUES ('{organization}', 'another')"));
        People::in_organization(&mut client, organization).assignments(&mut client, "2026-01-01", 3);
    }
    enqueue_follow_ups(&mut client, "2026-03-01 06:00+00");
    run(&mut client, EVERY_TABLE);
    let deliver = |client: &mut Client, batch: i32| {
        run(
            client,
            &format!(
                "CREATE TEMPORARY TABLE batch ON COMMIT DROP AS
                        SELECT *, row_number() OVER () AS place FROM claim_reminders({batch}, as_of => '2026-03-01 12:00+00');
                 SELECT extend_reminder_leases(array_agg(reminder_id), claim_id, as_of => '2026-03-01 12:00+00') FROM batch GROUP BY claim_id;
                 SELECT mark_reminders_failed(array_agg(reminder_id), claim_id, array_agg('451 later'::text), as_of => '2026-03-01 12:00+00')
                   FROM batch WHERE place = 1 GROUP BY claim_id;
                 SELECT mark_reminders_sent(array_agg(reminder_id), claim_id, as_of => '2026-03-01 12:00+00')
                   FROM batch WHERE place > 1 GROUP BY claim_id"
            ),
        );
    };
    run(&mut client, "BEGIN");
    deliver(&mut client, 3);
    run(&mut client, "COMMIT");

    let mut other = database.connect();
    people.assignments(&mut other, "2026-01-01", 20_000);
    run(
        &mut other,
        "INSERT INTO reminders (assignment_id, reminder_type, recipient_id, anchor, scheduled_for, status, sent_at)
         SELECT a.id, 'contact-reminder', m.user_id, '2026-01-01', '2026-03-01 06:00+00',
                CASE WHEN a.title > '000010' THEN 'sent' ELSE 'pending' END, CASE WHEN a.title > '000010' THEN now() END
           FROM assignments a JOIN peer_mentors m ON m.id = a.peer_mentor_id
             ON CONFLICT DO NOTHING",
    );
    let few_are_read = |client: &mut Client, when: &str| {
        for table in ["reminders", "assignments", "users", "send_logs"] {
            run(client, "BEGIN");
            let before = rows_read_so_far(client, table);
            deliver(client, 5);
            let read = rows_read_so_far(client, table) - before;
            run(client, "ROLLBACK");
            assert!(read < 200, "{read} rows of {table} were read for 5 reminders, {when}");
        }
    };
    few_are_read(&mut client, "planned on an empty outbox");
    // And where nearly everything waits, and the statistics know it.
    run(&mut other, "UPDATE reminders SET status = 'pending', sent_at = NULL");
    run(&mut other, "VACUUM ANALYZE reminders");
    few_are_read(&mut database.connect(), "planned on a full one");
}

#[test]
fn a_message_is_found_by_index_also_where_nothing_is_known_of_the_logs() {
    let database = Database::installed();
    let mut client = database.connect();
    run(&mut client, "ALTER TABLE send_logs SET (autovacuum_enabled = off)");
    People::new(&mut client).assignment(&mut client, "2026-01-01");
    enqueue_follow_ups(&mut client, "2026-03-01 06:00+00");
    run(
        &mut client,
        "SELECT mark_reminder_sent(reminder_id, claim_id, 'ours') FROM claim_reminders(1, as_of => '2026-03-01 12:00+00')",
    );
    let look_up =
        "SELECT record_provider_message('ours', 'theirs'); SELECT record_delivery_event('theirs', 'delivered')";
    run(&mut client, look_up);
    run(
        &mut database.connect(),
        "INSERT INTO send_logs (organization_id, reminder_id, assignment_id, reminder_type, anchor, message_id, status, attempt, episode)
         SELECT l.organization_id, l.reminder_id, l.assignment_id, l.reminder_type, l.anchor, 'other-' || n, 'queued', n, n
           FROM send_logs l, generate_series(2, 10000) AS n WHERE l.message_id = 'ours' AND l.status = 'queued'",
    );
    let read = rows_read(&mut client, "send_logs", look_up);
    assert!(read < 20, "{read} logs were read for one message");
}

/// The rows that a plan expects.
fn estimates(plan: &str) -> impl Iterator<Item = f64> {
    plan.split("rows=").skip(1).filter_map(|rest| rest.split(' ').next()?.parse().ok())
}

/// They are planned as if every table held 100,000,000,000 rows: a hash or a sort of that size costs each call milliseconds, however
/// small the table is.
#[test]
fn no_statement_that_is_planned_by_index_hashes_or_sorts_a_whole_table() {
    let database = Database::installed();
    let (mut client, notices) = database.connect_with_notices();
    let people = People::new(&mut client);
    people.assignments(&mut client, "2026-01-01", 10);
    people.assignment(&mut client, "2026-01-01");
    enqueue_follow_ups(&mut client, "2026-02-01 06:00+00");
    run(
        &mut client,
        "LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0; SET auto_explain.log_nested_statements = on; SET client_min_messages = log",
    );
    run(&mut client, EVERYTHING);
    run(
        &mut client,
        "SELECT mark_reminder_sent(reminder_id, claim_id) FROM claim_reminders(2, as_of => '2026-02-02');
         SELECT mark_reminder_failed(reminder_id, claim_id, 'x') FROM claim_reminders(2, as_of => '2026-02-02');
         SELECT extend_reminder_lease(reminder_id, claim_id) FROM claim_reminders(2, as_of => '2026-02-02');
         SELECT correct_last_contact_date(id, '2026-01-02', 'x'), (evaluate_assignment(id, '2026-03-01')).action FROM assignments LIMIT 1",
    );
    let notices = notices.lock().expect("the notices");
    let is_large = |notice: &&str| estimates(notice).any(|rows| rows > 1e8);
    let plans: Vec<&str> = notices.iter().map(String::as_str).filter(is_large).collect();
    assert!(!plans.is_empty(), "nothing was planned by index: {}", notices.len());
    for plan in plans {
        for line in plan.lines().filter(|line| line.contains("(cost=")) {
            let is_large = estimates(line).any(|rows| rows > 1e9);
            let is_whole = ["->  Hash  (cost", "->  Sort  (cost"].iter().any(|node| line.contains(node));
            assert!(!(is_large && is_whole), "{line}\nof\n{plan}");
        }
    }
}

#[test]
fn triggers_do_the_same_under_forced_row_security_in_a_session_with_a_past() {
    for has_past in [false, true] {
        let database = Database::empty();
        let (mut owner, role) = database.connect_as_new_owner();
        run(&mut owner, "CREATE EXTENSION assignment_reminders; SELECT install()");
        let people = People::new(&mut owner);
        let assignment = people.assignment(&mut owner, "2026-01-01");
        // The owner sees everything but one of the contacts.
        for table in ["assignments", "activities", "peer_mentors", "organizations", "contact_corrections", "reminders"]
        {
            let seen = if table == "activities" { "notes = 'seen'" } else { "true" };
            run(
                &mut owner,
                &format!(
                    "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
                     CREATE POLICY seen ON {table} USING ({seen}) WITH CHECK (true)"
                ),
            );
        }

        let mut session = database.connect_as(&role);
        if has_past {
            // Functions plan the statements that triggers share with them, under the policies.
            run(&mut session, &format!("SELECT correct_last_contact_date('{assignment}', '2026-01-15', 'a past')"));
        }
        run(
            &mut session,
            &format!(
                "INSERT INTO activities (assignment_id, occurred_at, notes) VALUES
                     ('{assignment}', '2026-02-01 12:00+00', 'hidden'), ('{assignment}', '2026-02-02 12:00+00', 'seen');
                 DELETE FROM activities"
            ),
        );
        let date = row(&mut database.connect(), "SELECT last_contact_date FROM assignments");
        assert_eq!(date, "2026-02-01", "with a past: {has_past}");
        drop((owner, session));
        run(
            &mut database.connect(),
            &format!(
                "REASSIGN OWNED BY {role} TO postgres; ALTER DATABASE {} OWNER TO postgres; DROP OWNED BY {role}; DROP ROLE {role}",
                database.name
            ),
        );
    }
}

#[test]
fn planning_that_asks_for_another_plan_does_not_end_the_server() {
    let database = Database::installed();
    let mut owner = database.connect();
    let people = People::new(&mut owner);
    let assignment = people.assignment(&mut owner, "2026-01-01");
    // The planner evaluates the policy's function, to estimate.
    run(
        &mut owner,
        &format!(
            "CREATE FUNCTION public.seen() RETURNS uuid LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
             BEGIN PERFORM assignment_reminders.evaluate_assignment('{assignment}'::uuid); RETURN '{assignment}'; END $$;
             ALTER TABLE assignments ENABLE ROW LEVEL SECURITY; CREATE POLICY seen ON assignments USING (id = public.seen())"
        ),
    );
    let (mut member, _) = database.connect_as_new_role(
        "GRANT USAGE ON SCHEMA assignment_reminders TO {role}; GRANT SELECT ON assignments TO {role}; GRANT INSERT ON contact_corrections TO {role};
         GRANT EXECUTE ON FUNCTION update_last_contact_date TO {role}",
    );
    let forward = format!("SELECT update_last_contact_date('{assignment}', '2026-01-20')");
    assert_eq!(row(&mut member, &forward), "2026-01-20");
}

#[test]
fn planning_that_fails_leaves_the_settings_of_the_session_as_they_were() {
    let database = Database::installed();
    let mut owner = database.connect();
    let people = People::new(&mut owner);
    let assignment = people.assignment(&mut owner, "2026-01-01");
    // A setting that a function made is put back to what it found when it raises.
    run(
        &mut owner,
        "CREATE FUNCTION public.seen() RETURNS uuid LANGUAGE plpgsql STABLE
             SET enable_seqscan = on SET enable_hashjoin = on SET jit = on AS $$ BEGIN RAISE 'not today'; END $$;
         ALTER TABLE assignments ENABLE ROW LEVEL SECURITY; CREATE POLICY seen ON assignments USING (id = public.seen())",
    );
    let (mut member, _) = database.connect_as_new_role(
        "GRANT USAGE ON SCHEMA assignment_reminders TO {role}; GRANT SELECT ON assignments TO {role}; GRANT INSERT ON contact_corrections TO {role};
         GRANT EXECUTE ON FUNCTION update_last_contact_date TO {role}",
    );
    let settings =
        "SELECT name, setting FROM pg_settings WHERE name IN ('enable_seqscan', 'enable_hashjoin', 'jit') ORDER BY 1";
    let before = rows(&mut member, settings);
    let refusal = refused(&mut member, &format!("SELECT update_last_contact_date('{assignment}', '2026-01-20')"));
    assert_eq!(refusal.message, "not today");
    assert_eq!(rows(&mut member, settings), before);
}

#[test]
fn due_assignments_reads_a_page_and_not_the_users() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    run(
        &mut client,
        "INSERT INTO users (id, email) SELECT gen_random_uuid(), n || '@example.org' FROM generate_series(1, 5000) AS n;
         INSERT INTO assignments (title, student_id, due_at) SELECT 'many', id, timestamptz '2026-11-22 12:00+00' + interval '1 minute' * row_number() OVER (ORDER BY id) FROM users",
    );
    people.assignments(&mut client, "2026-01-01", 100);
    run(&mut client, EVERY_TABLE);
    for call in ["'hours', '{2,24}'", "'days', '{2}', 100000, page_size => 10"] {
        let due = format!("SELECT count(*) FROM due_assignments({call}, as_of => '2026-11-22 12:00+00')");
        for table in ["users", "assignments"] {
            let read = rows_read(&mut client, table, &due);
            assert!(read < 100, "{read} rows of {table} were read by {due}");
        }
    }
}

/// Of one assignment's explanation, now and of the past, nothing is read of the others; what is small beside them is not counted.
#[test]
fn an_explanation_reads_what_it_explains_also_of_the_past() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    let id = people.assignment(&mut client, "2026-01-01");
    people.assignments(&mut client, "2026-01-01", 2000);
    run(
        &mut client,
        "UPDATE reminder_settings SET evaluation_hour = NULL, follow_up_limit = NULL;
         INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-01-02 12:00+00' FROM assignments;
         SELECT run_daily_evaluation();
         SELECT mark_reminder_sent(reminder_id, claim_id) FROM claim_reminders(1000);
         UPDATE assignments SET title = title || '!'; ANALYZE",
    );
    let moment = row(&mut client, "SELECT clock_timestamp()");
    run(&mut client, "UPDATE assignments SET title = title || '!'; ANALYZE");
    for arguments in ["", &format!(", '{moment}'")] {
        for table in ["assignments", "activities", "row_history", "reminder_events", "reminders", "send_logs"] {
            let read = rows_read(&mut client, table, &format!("SELECT * FROM explain_assignment('{id}'{arguments})"));
            assert!(read < 100, "{table}: {read} rows, explain_assignment({arguments})");
        }
    }
}

/// What is asked of one organization reads next to nothing of what the others have, and changed.
#[test]
fn the_past_of_one_organization_reads_no_other_organizations_history() {
    const ONE: &str = "00000000-0000-0000-0000-000000000030";
    let database = Database::installed();
    let mut client = database.connect();
    run(
        &mut client,
        "INSERT INTO organizations (id, name) SELECT ('00000000-0000-0000-0000-0000000000' || n)::uuid, n FROM generate_series(10, 99) AS n;
         INSERT INTO users (id, organization_id, email, name) SELECT id, id, name || '@example.org', name FROM organizations WHERE name ~ '^[0-9]+$';
         INSERT INTO assignments (organization_id, title, student_id) SELECT organization_id, 'many', id FROM users, generate_series(1, 100);
         INSERT INTO activities (organization_id, assignment_id, occurred_at)
             SELECT organization_id, id, now() - interval '1 hour' FROM assignments, generate_series(1, 4)",
    );
    let moment = row(&mut client, "SELECT clock_timestamp()");
    run(
        &mut client,
        "UPDATE assignments SET title = title || '!'; UPDATE activities SET occurred_at = occurred_at - interval '1 minute'; ANALYZE",
    );
    for ask in [
        format!("SELECT * FROM rows_as_of('assignments', '{moment}', '{ONE}')"),
        format!("SELECT * FROM rows_as_of('activities', '{moment}', '{ONE}')"),
        format!("SELECT * FROM contact_dates_as_of('{moment}', '{ONE}')"),
        format!("SELECT * FROM assignment_counts_as_of('{moment}', '{ONE}')"),
        format!("SELECT * FROM mentor_statement(current_date, current_date, '{ONE}')"),
        format!("SELECT * FROM simulate_follow_ups('{ONE}', current_date, current_date)"),
    ] {
        for table in ["row_history", "activities"] {
            let read = rows_read(&mut client, table, &ask);
            assert!(read < 1500, "{table}: {read} rows, {ask}");
        }
    }
}
