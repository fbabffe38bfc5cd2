//! Scheduling with pg_cron: from its home database, where jobs really run, and from others.

use std::time::{Duration, Instant};

use crate::support::{Database, People, assert_refused, has_pg_cron, home, refused, row, rows, run};

#[test]
fn pg_cron_runs_the_evaluation_and_its_reminders_are_in_the_table() {
    if !has_pg_cron() {
        return;
    }
    let (_home, mut client) = home();
    run(&mut client, "CREATE EXTENSION assignment_reminders");
    run(&mut client, "SELECT assignment_reminders.install()");
    let people = People::new(&mut client);
    let assignment = people.assignment(&mut client, "2020-01-01");

    // Without pg_cron in the database: an error that says what to do.
    let refusal = refused(&mut client, "SELECT * FROM schedule_daily_evaluation()");
    assert_eq!(refusal.sqlstate, "55000");
    assert!(refusal.hint.contains("CREATE EXTENSION IF NOT EXISTS pg_cron"), "{refusal:?}");

    run(&mut client, "SET search_path = pg_catalog; CREATE EXTENSION pg_cron; SET search_path = assignment_reminders");
    let jobs = "SELECT jobname, schedule, command, database FROM cron.job ORDER BY jobname";
    run(&mut client, "SELECT * FROM schedule_daily_evaluation()");
    let scheduled = rows(&mut client, jobs);
    assert_eq!(
        scheduled,
        [
            "assignment_reminders daily evaluation|0 6 * * *|SELECT * FROM assignment_reminders.run_daily_evaluation()|reminders",
            "assignment_reminders daily evaluation watchdog|30 * * * *|SELECT assignment_reminders.watch_daily_evaluation(interval '26:00:00')|reminders",
        ]
    );
    run(&mut client, "SELECT * FROM schedule_daily_evaluation()");
    assert_eq!(rows(&mut client, jobs), scheduled, "twice is once");
    assert_refused(&mut client, "SELECT * FROM schedule_daily_evaluation(' ')", "22023", "schedule is empty");
    assert_refused(&mut client, "SELECT * FROM schedule_daily_evaluation(NULL)", "22004", "schedule");
    assert!(
        refused(&mut client, "SELECT * FROM schedule_daily_evaluation('at dawn')").message.contains("invalid schedule")
    );

    assert_eq!(rows(&mut client, "SELECT job_name, schedule FROM schedule_daily_evaluation('* * * * *')").len(), 2);
    let deadline = Instant::now() + Duration::from_secs(130);
    let done = "SELECT (SELECT count(*) >= 1 FROM cron.job_run_details d JOIN cron.job j USING (jobid) WHERE d.status = 'succeeded' AND j.jobname NOT LIKE '%watchdog'),
                       (SELECT count(*) = 1 FROM reminders WHERE status = 'pending')";
    while row(&mut client, done) != "t|t" {
        assert!(Instant::now() < deadline, "{:?}", rows(&mut client, "SELECT * FROM cron.job_run_details"));
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(row(&mut client, "SELECT assignment_id, status FROM reminders"), format!("{assignment}|pending"));
    assert_eq!(
        row(&mut client, "SELECT status, reminders FROM evaluation_runs ORDER BY started_at LIMIT 1"),
        "succeeded|1"
    );

    assert_eq!(row(&mut client, "SELECT unschedule_daily_evaluation()"), "2");
    assert_eq!(row(&mut client, "SELECT unschedule_daily_evaluation()"), "0");

    // The watchdog's own statement, as pg_cron would run it two days after the last run.
    run(
        &mut client,
        "UPDATE evaluation_runs SET started_at = started_at - interval '2 days', finished_at = finished_at - interval '2 days'",
    );
    assert_refused(
        &mut client,
        "SELECT watch_daily_evaluation(interval '26 hours')",
        "55000",
        "the last run is missing",
    );
}

#[test]
fn from_another_database_the_hint_can_be_run_in_pg_crons_home() {
    let database = Database::installed();
    let mut client = database.connect();
    let refusal = refused(&mut client, "SELECT * FROM schedule_daily_evaluation('15 5 * * *')");
    assert_eq!(refusal.sqlstate, "55000");
    assert!(refusal.detail.contains("reminders"), "{refusal:?}");
    let commands = refusal.hint.split_once("then ").expect("commands").1;
    assert!(
        commands.contains("cron.schedule_in_database('assignment_reminders daily evaluation in test_"),
        "{commands}"
    );
    assert!(commands.contains("'15 5 * * *'"), "{commands}");
    // The commands parse and plan wherever pg_cron's function is: a stand-in of its signature is enough here.
    run(
        &mut client,
        "CREATE SCHEMA cron; CREATE FUNCTION cron.schedule_in_database(text, text, text, text) RETURNS text LANGUAGE sql AS 'SELECT $1 || $4'",
    );
    run(&mut client, commands);
}
