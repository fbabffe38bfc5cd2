//! pg_cron as it is delivered, in front of a pg_hba.conf that asks for a password: jobs that cannot connect, and what is said of it.

use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use postgres::Client;

use crate::cluster::{Cluster, installation};
use crate::support::{People, has_pg_cron, refused, row, rows, run};

/// pg_cron 1.4 starts jobs at whole minutes; a server that has just been started waits for the next.
const TWO_MINUTES: Duration = Duration::from_secs(150);

const JOBS: [&str; 5] = [
    "assignment_reminders daily evaluation\"",
    "assignment_reminders daily evaluation watchdog\"",
    "assignment_reminders alerts\"",
    "assignment_reminders due reminders\"",
    "assignment_reminders daily summaries\"",
];

/// A cluster with pg_cron that listens on a port of its own, and whose pg_hba.conf holds these lines. No job can connect by
/// another way: sockets are for the test's own sessions.
fn cluster(rules: &str) -> Cluster {
    let mut cluster = Cluster::stopped(&installation());
    // Free until it is let go of, and nobody else asks for it by number.
    cluster.port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
    cluster.succeed("initdb", &["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync", "-D", "data"]);
    fs::write(cluster.home.join("data/pg_hba.conf"), rules).expect("pg_hba.conf");
    cluster.configure(
        "listen_addresses = 'localhost'\nshared_preload_libraries = 'pg_cron'\ncron.database_name = 'reminders'",
    );
    cluster.start();
    run(&mut cluster.connect("postgres"), "CREATE DATABASE reminders");
    cluster
}

/// Starts it again, with more settings. It listens no longer, unless they say so.
fn restart(cluster: &mut Cluster, settings: &str) -> Client {
    cluster.stop();
    cluster.configure(settings);
    cluster.start();
    cluster.connect("reminders")
}

/// Schedules all jobs at every minute, as a role, and returns what is said to it.
fn schedule(cluster: &Cluster, role: &str) -> String {
    let sql = "SELECT job_id FROM assignment_reminders.schedule_daily_evaluation('* * * * *', '* * * * *');
               SELECT job_id FROM assignment_reminders.schedule_delivery_jobs('* * * * *', '* * * * *')";
    let output = cluster.output("psql", &["-XqAt", "-v", "ON_ERROR_STOP=1", "-U", role, "-c", sql, "reminders"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

/// Waits until health is as it should be.
fn wait_for_health(client: &mut Client, is_right: impl Fn(&str) -> bool) -> String {
    let deadline = Instant::now() + TWO_MINUTES;
    loop {
        let health = row(client, "SELECT status, array_to_string(reasons, '; ') FROM evaluation_health()");
        if is_right(&health) {
            return health;
        }
        assert!(
            Instant::now() < deadline,
            "{health}\n{:#?}",
            rows(client, "SELECT * FROM cron.job_run_details ORDER BY runid DESC LIMIT 20")
        );
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn jobs_that_cannot_connect_are_foretold_and_told_and_run_with_background_workers() {
    if !has_pg_cron() {
        return;
    }
    let mut cluster = cluster(
        "local all all trust\n# Debian's\nhost all all 127.0.0.1/32 scram-sha-256\nhost all all ::1/128 scram-sha-256\n",
    );
    let mut client = cluster.installed();
    // From midnight on: these jobs run at whatever hour it is.
    run(
        &mut client,
        "CREATE EXTENSION pg_cron WITH SCHEMA pg_catalog; SELECT * FROM run_daily_evaluation(); UPDATE reminder_settings SET evaluation_hour = 0",
    );
    assert_eq!(row(&mut client, "SELECT status FROM evaluation_health()"), "ok");

    let warning = schedule(&cluster, "postgres");
    assert_eq!(warning.matches("WARNING:  pg_cron will probably not be able to connect").count(), 2, "{warning}");
    assert!(warning.contains("Line 3 of pg_hba.conf asks for scram-sha-256"), "{warning}");
    assert!(warning.contains("HINT:  Set cron.use_background_workers = on"), "{warning}");
    let failed = wait_for_health(&mut client, |health| health.matches("connection failed").count() == 5);
    assert!(failed.starts_with("critical|"), "{failed}");
    for job in JOBS {
        assert!(failed.contains(&format!("{job} failed when it last ran: connection failed")), "{failed}");
    }
    assert_eq!(row(&mut client, "SELECT count(*) FROM cron.job_run_details WHERE status = 'succeeded'"), "0");

    // The same jobs, as they are.
    let mut client = restart(&mut cluster, "cron.use_background_workers = on");
    let assignment = People::new(&mut client).assignment(&mut client, "2020-01-01");
    assert_eq!(schedule(&cluster, "postgres"), "");
    wait_for_health(&mut client, |health| health == "ok|");
    let done = "SELECT count(DISTINCT jobid) FROM cron.job_run_details WHERE status = 'succeeded'";
    let deadline = Instant::now() + TWO_MINUTES;
    while row(&mut client, done) != "5" {
        assert!(Instant::now() < deadline, "not every job has run");
        std::thread::sleep(Duration::from_millis(100));
    }
    let enqueued = "SELECT assignment_id, status FROM reminders WHERE reminder_type = 'contact-reminder'";
    assert_eq!(row(&mut client, enqueued), format!("{assignment}|pending"), "its reminder is in the table");
    assert_eq!(row(&mut client, "SELECT status, reminders FROM evaluation_runs WHERE reminders > 0"), "succeeded|1");

    a_run_that_is_cut_off_is_told(&mut client);
    cluster.assert_log_is_clean();
}

/// It logs nothing: what ends the session ends the transaction that the log entry is written in.
fn a_run_that_is_cut_off_is_told(client: &mut Client) {
    let people = People::new(client);
    people.assignment(client, "2020-01-01");
    run(
        client,
        "CREATE FUNCTION public.doze() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_catalog.pg_sleep(600); RETURN NEW; END $$;
         CREATE TRIGGER doze BEFORE INSERT ON reminders FOR EACH ROW EXECUTE FUNCTION public.doze()",
    );
    let has_timeout = row(client, "SELECT count(*) FROM pg_settings WHERE name = 'transaction_timeout'") == "1";
    if has_timeout {
        run(client, "ALTER ROLE postgres IN DATABASE reminders SET transaction_timeout = '2s'");
    } else {
        // Before 17, somebody has to end the session.
        let end = "SELECT count(*) FROM (SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE query LIKE '%run_daily_evaluation()' AND wait_event = 'PgSleep') AS ended";
        let deadline = Instant::now() + TWO_MINUTES;
        while row(client, end) == "0" {
            assert!(Instant::now() < deadline, "the run has not begun");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    let told = "daily evaluation\" failed when it last ran: FATAL: terminating";
    let health = wait_for_health(client, |health| health.contains(told));
    assert!(health.starts_with("critical|"), "{health}");
    assert_eq!(row(client, "SELECT count(*) FROM evaluation_runs WHERE status = 'failed'"), "0");
}

#[test]
fn who_schedules_is_told_as_much_as_the_role_may_know() {
    if !has_pg_cron() {
        return;
    }
    let mut cluster = cluster("local all all trust\nhost all postgres,+app localhost trust\nhost all all all md5\n");
    let mut client = cluster.installed();
    run(
        &mut client,
        "CREATE EXTENSION pg_cron WITH SCHEMA pg_catalog; CREATE ROLE app; CREATE ROLE member LOGIN IN ROLE app; CREATE ROLE stranger LOGIN;
         GRANT USAGE ON SCHEMA assignment_reminders, cron TO member, stranger;
         GRANT SELECT, UPDATE ON reminder_settings TO member, stranger;
         GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA assignment_reminders TO member, stranger",
    );
    assert_eq!(schedule(&cluster, "postgres"), "", "it is let in");
    for role in ["member", "stranger"] {
        let notice = schedule(&cluster, role);
        assert_eq!(notice.matches("NOTICE:  pg_cron will have to connect").count(), 2, "{role}: {notice}");
    }
    run(&mut client, "GRANT EXECUTE ON FUNCTION pg_hba_file_rules() TO member, stranger");
    assert_eq!(schedule(&cluster, "member"), "");
    let warning = schedule(&cluster, "stranger");
    assert!(warning.contains("WARNING:") && warning.contains("Line 3 of pg_hba.conf asks for md5"), "{warning}");

    // No TCP at all, which anybody may know; and sockets, which need none.
    let mut client = restart(&mut cluster, "");
    run(&mut client, "REVOKE EXECUTE ON FUNCTION pg_hba_file_rules() FROM member, stranger");
    let warning = schedule(&cluster, "member");
    assert!(warning.contains("WARNING:") && warning.contains("listen_addresses is ''"), "{warning}");
    let directory = cluster.home.display().to_string();
    restart(&mut cluster, &format!("cron.host = '{directory}'"));
    assert_eq!(schedule(&cluster, "postgres"), "");
    cluster.assert_log_is_clean();
}

#[test]
fn jobs_of_a_database_that_was_renamed_are_told_and_made_anew_and_so_is_a_pg_cron_that_moved_or_was_unloaded() {
    if !has_pg_cron() {
        return;
    }
    let mut cluster = cluster("local all all trust\n");
    let mut client = cluster.installed();
    run(&mut client, "CREATE EXTENSION pg_cron WITH SCHEMA pg_catalog; SELECT * FROM run_daily_evaluation()");
    let never = "SELECT * FROM schedule_daily_evaluation('0 0 31 2 *', '0 0 31 2 *'); SELECT * FROM schedule_delivery_jobs('0 0 31 2 *', '0 0 31 2 *')";
    run(&mut client, never);
    let health = "SELECT status, array_to_string(reasons, '; ') FROM evaluation_health()";
    assert_eq!(row(&mut client, health), "ok|");
    drop(client);

    // The database cannot be renamed while pg_cron is in it.
    let mut client = restart(&mut cluster, "cron.database_name = 'postgres'\ncron.use_background_workers = on");
    assert_eq!(
        row(&mut client, health),
        "critical|pg_cron runs no job of this database: cron.database_name is postgres, not reminders"
    );
    let refusal = refused(&mut client, never);
    assert_eq!(refusal.message, "pg_cron does not run the jobs of this database");
    assert!(refusal.hint.contains("In postgres: CREATE EXTENSION IF NOT EXISTS pg_cron"), "{refusal:?}");
    drop(client);
    run(&mut cluster.connect("postgres"), "ALTER DATABASE reminders RENAME TO renamed");

    cluster.stop();
    cluster.configure("cron.database_name = 'renamed'");
    cluster.start();
    let mut client = cluster.connect("renamed");
    let told = row(&mut client, health);
    assert_eq!(told.matches("runs in the database reminders, not in this one, renamed").count(), 5, "{told}");
    run(&mut client, never);
    assert_eq!(row(&mut client, health), "ok|");
    assert_eq!(row(&mut client, "SELECT count(*), min(database), max(database) FROM cron.job"), "5|renamed|renamed");
    drop(client);

    cluster.stop();
    cluster.configure("shared_preload_libraries = ''");
    cluster.start();
    let mut client = cluster.connect("renamed");
    assert!(row(&mut client, health).starts_with("critical|pg_cron is not loaded and runs no job"));
    let refusal = refused(&mut client, "SELECT * FROM schedule_daily_evaluation()");
    assert_eq!(
        (refusal.sqlstate.as_str(), refusal.detail.as_str()),
        ("55000", "pg_cron is not loaded in this cluster.")
    );
    for setting in ["shared_preload_libraries", "cron.database_name = 'renamed'", "cron.use_background_workers = on"] {
        assert!(refusal.hint.contains(setting), "{refusal:?}");
    }
    assert_eq!(row(&mut client, "SELECT * FROM prune('1 year')"), "0|0");
    cluster.assert_log_is_clean();
}
