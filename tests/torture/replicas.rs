//! Replica mode, logical replication and physical standbys: nothing is counted twice, and what cannot be done says so.

use postgres::Client;

use crate::cluster::{Cluster, wait_for};
use crate::support::{Database, People, content, refused, row, rows, run, tables};

/// A programme with something in every table.
fn history(client: &mut Client) {
    let people = People::new(client);
    people.assignments(client, "2026-10-01", 50);
    run(
        client,
        "UPDATE assignments SET due_at = '2026-11-23 12:00+00', created_at = '2026-01-01';
         UPDATE reminder_settings SET messages_per_minute = 1000;
         INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-11-01 12:00+00' FROM assignments WHERE title < '000010'",
    );
    run(
        client,
        "SELECT correct_last_contact_date(id, '2026-10-20', 'a mistake') FROM assignments WHERE title < '000005'",
    );
    run(client, "SELECT count(*) FROM run_daily_evaluation('2026-11-22 12:00+00')");
    run(client, "SELECT count(*) FROM enqueue_due_reminders('2026-11-22 12:00+00')");
    run(
        client,
        "SELECT mark_reminder_sent(reminder_id, claim_id, idempotency_key, as_of => '2026-11-22 12:01+00')
           FROM claim_reminders(30, as_of => '2026-11-22 12:00+00')",
    );
    run(client, "DELETE FROM assignments WHERE title = '000050'");
    run(client, "INSERT INTO user_preferences (user_id, daily_summary) SELECT id, true FROM users");
}

/// What both sides must hold: everything but the record of migrations, which install() keeps on either.
fn replicated(client: &mut Client) -> Vec<String> {
    content(client).into_iter().filter(|row| !row.starts_with("migrations|")).collect()
}

#[test]
fn what_was_written_in_replica_mode_is_found_and_repaired() {
    let database = Database::installed();
    let mut client = database.connect();
    history(&mut client);
    let people = People::new(&mut client);
    run(&mut client, "SET session_replication_role = replica");
    people.assignments(&mut client, "2026-10-01", 20);
    run(
        &mut client,
        "INSERT INTO activities (organization_id, assignment_id, occurred_at) SELECT organization_id, id, '2026-11-15 12:00+00' FROM assignments;
         UPDATE assignments SET peer_mentor_id = NULL WHERE title = '000030';
         SET session_replication_role = origin",
    );
    assert_eq!(
        row(&mut client, "SELECT count(*) FROM verify_assignment_counts()"),
        "2",
        "both mentors' counts are wrong"
    );
    assert_eq!(row(&mut client, "SELECT count(*) FROM repair_assignment_counts()"), "2");
    assert_eq!(row(&mut client, "SELECT count(*) FROM verify_assignment_counts()"), "0");
    let wrong = row(&mut client, "SELECT count(*) FROM verify_contact_dates()");
    assert_eq!(wrong, row(&mut client, "SELECT count(*) FROM assignments"), "every contact was missed");
    assert_eq!(
        row(
            &mut client,
            "SELECT count(*), count(wrong_date), min(actual_date), max(actual_date) FROM repair_contact_dates()"
        ),
        format!("{wrong}|9|2026-11-15|2026-11-15")
    );
    assert_eq!(row(&mut client, "SELECT count(*) FROM verify_contact_dates()"), "0");
    assert_eq!(row(&mut client, "SELECT count(*) FROM repair_contact_dates()"), "0");
    assert_eq!(
        row(&mut client, "SELECT count(*) FROM assignments WHERE last_contact_date IS DISTINCT FROM '2026-11-15'"),
        "0"
    );
    assert_eq!(
        row(&mut client, "SELECT count(*) FROM reminders WHERE status = 'pending' AND reminder_type LIKE 'contact-%'"),
        "0",
        "what waited for a silence that was none is withdrawn"
    );
    assert_eq!(row(&mut client, "SELECT count(*) FROM run_daily_evaluation('2026-11-22 13:00+00')"), "0");
}

#[test]
fn a_logical_replica_counts_nothing_twice_and_goes_on_when_it_takes_over() {
    let publisher = Cluster::new("wal_level = logical");
    let subscriber = Cluster::new("");
    let mut there = publisher.installed();
    let mut here = subscriber.installed();
    history(&mut there);
    // The copy brings the organisations and settings that install() has made here too.
    // What that leaves in its own history, and when that began, is of this server: for the comparison it goes, too.
    run(&mut here, "TRUNCATE organizations CASCADE; TRUNCATE row_history; TRUNCATE history_horizon");
    let mut replicated_tables = tables(&mut there);
    replicated_tables.retain(|table| table != "migrations");
    run(&mut there, &format!("CREATE PUBLICATION everything FOR TABLE {}", replicated_tables.join(", ")));
    run(
        &mut here,
        &format!(
            "CREATE SUBSCRIPTION everything CONNECTION 'host={} port=5432 user=postgres dbname=reminders' PUBLICATION everything",
            publisher.home.display()
        ),
    );
    wait_for(&mut here, "SELECT count(*) FROM pg_subscription_rel WHERE srsubstate <> 'r'", "0");
    assert_eq!(replicated(&mut here), replicated(&mut there), "the copy");

    // And what happens from now on, by every kind of statement.
    let more = People::new(&mut there);
    more.assignments(&mut there, "2026-10-02", 30);
    run(
        &mut there,
        "INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-11-10 12:00+00' FROM assignments WHERE title < '000020';
         UPDATE assignments SET peer_mentor_id = (SELECT max(id::text)::uuid FROM peer_mentors) WHERE title > '000025';
         DELETE FROM assignments WHERE title = '000007'",
    );
    run(&mut there, "SELECT count(*) FROM run_daily_evaluation('2026-11-23 12:00+00')");
    run(
        &mut there,
        "SELECT mark_reminder_sent(reminder_id, claim_id, as_of => '2026-11-23 12:01+00')
           FROM claim_reminders(10, as_of => '2026-11-23 12:00+00')",
    );
    let written = row(&mut there, "SELECT pg_current_wal_lsn()");
    wait_for(&mut there, &format!("SELECT confirmed_flush_lsn >= '{written}' FROM pg_replication_slots"), "t");
    assert_eq!(replicated(&mut here), replicated(&mut there), "what followed");
    assert_eq!(row(&mut here, "SELECT count(*) FROM verify_assignment_counts()"), "0");

    // The replica takes over. Sequences are not replicated; nothing may depend on that.
    run(&mut here, "ALTER SUBSCRIPTION everything DISABLE");
    run(&mut here, "ALTER SUBSCRIPTION everything SET (slot_name = NONE)");
    run(&mut here, "DROP SUBSCRIPTION everything");
    let corrected = row(&mut here, "SELECT max(assignment_id::text) FROM contact_corrections");
    let date = format!("SELECT last_contact_date FROM assignments WHERE id = '{corrected}'");
    assert_eq!(row(&mut here, &date), "2026-11-10");
    run(&mut here, &format!("SELECT correct_last_contact_date('{corrected}', '2026-10-15', 'again')"));
    run(
        &mut here,
        &format!("INSERT INTO activities (assignment_id, occurred_at) VALUES ('{corrected}', '2026-10-05')"),
    );
    run(&mut here, "DELETE FROM activities WHERE occurred_at = '2026-10-05'");
    assert_eq!(row(&mut here, &date), "2026-10-15", "the newest correction counts, also after a recomputation");
    People::new(&mut here).assignments(&mut here, "2026-10-03", 10);
    run(&mut here, "SELECT count(*) FROM run_daily_evaluation('2026-11-24 12:00+00')");
    assert_eq!(row(&mut here, "SELECT count(*) FROM verify_assignment_counts()"), "0");
    assert_eq!(row(&mut here, "SELECT count(*) > 0 FROM claim_reminders(1000, as_of => '2026-11-24 12:00+00')"), "t");
    publisher.assert_log_is_clean();
    subscriber.assert_log_is_clean();
}

#[test]
fn a_standby_answers_what_reads_and_refuses_what_writes() {
    let primary = Cluster::new("wal_level = replica");
    let mut there = primary.installed();
    history(&mut there);
    let mut standby = Cluster::stopped(&crate::cluster::installation());
    let home = primary.home.display().to_string();
    standby.succeed(
        "pg_basebackup",
        &["--pgdata=data", "--write-recovery-conf", "--checkpoint=fast", "-h", &home, "-p", "5432", "-U", "postgres"],
    );
    standby.configure("hot_standby = on");
    standby.start();
    let mut here = standby.connect("reminders");
    let written = row(&mut there, "SELECT pg_current_wal_lsn()");
    wait_for(&mut here, &format!("SELECT pg_last_wal_replay_lsn() >= '{written}'"), "t");
    let assignment = row(&mut here, "SELECT id FROM assignments WHERE title = '000020'");
    let user = row(&mut here, "SELECT max(user_id::text) FROM user_preferences");
    let (reminder, claim) = ("SELECT id FROM reminders LIMIT 1", "gen_random_uuid()");

    let reads = [
        "evaluate_assignments('2026-11-30 12:00+00')".to_string(),
        format!("evaluate_assignment('{assignment}', '2026-11-30')"),
        "evaluate_assignment('2026-11-01', '2026-10-01', NULL, 14, 28, '2026-11-30')".to_string(),
        "days_since_last_contact('2026-11-01', '2026-11-30')".to_string(),
        "verify_assignment_counts()".to_string(),
        "verify_contact_dates()".to_string(),
        "evaluation_health()".to_string(),
        "watch_daily_evaluation(interval '100 years')".to_string(),
        "current_organization()".to_string(),
        format!("get_last_contact_date('{assignment}')"),
        format!("get_assignment_with_participants('{assignment}')"),
        "get_open_assignments_with_contact_dates()".to_string(),
        "get_assignments_with_no_contact_since('2026-11-01')".to_string(),
        "due_assignments('hours', '{24}', as_of => '2026-11-22 12:00+00')".to_string(),
        format!("daily_summary('{user}')"),
        // Without the age of the oldest, which grows.
        "(SELECT organization_id, pending, failed, sent_last_24_hours FROM reminder_queue) AS queue".to_string(),
    ];
    for read in reads {
        let query = format!("SELECT * FROM {read}");
        assert_eq!(rows(&mut here, &query), rows(&mut there, &query), "{read}");
    }
    let writes = [
        "install()".to_string(),
        "run_daily_evaluation()".to_string(),
        "enqueue_due_reminders()".to_string(),
        "enqueue_daily_summaries()".to_string(),
        "claim_reminders()".to_string(),
        format!("mark_reminder_sent(({reminder}), {claim})"),
        format!("mark_reminders_sent(ARRAY({reminder}), {claim})"),
        format!("mark_reminder_failed(({reminder}), {claim}, 'refused')"),
        format!("mark_reminders_failed(ARRAY({reminder}), {claim}, NULL)"),
        format!("extend_reminder_lease(({reminder}), {claim})"),
        format!("extend_reminder_leases(ARRAY({reminder}), {claim})"),
        "retry_failed_reminders()".to_string(),
        "record_delivery_event('message', 'delivered')".to_string(),
        "record_provider_message('message', 'name')".to_string(),
        format!("restore_contact('{user}')"),
        "repair_assignment_counts()".to_string(),
        "repair_contact_dates()".to_string(),
        "prune(interval '1 day')".to_string(),
        format!("correct_last_contact_date('{assignment}', '2026-11-01', 'a mistake')"),
        format!("update_last_contact_date('{assignment}', '2026-11-21')"),
    ];
    for write in writes {
        let refusal = refused(&mut here, &format!("SELECT * FROM {write}"));
        assert_eq!(refusal.sqlstate, "25006", "{write}: {refusal:?}");
        assert!(refusal.message.contains("read-only transaction"), "{write}: {refusal:?}");
    }
    standby.assert_log_is_clean();
}
