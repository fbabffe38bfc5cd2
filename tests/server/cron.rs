//! Scheduling with pg_cron: from its home database, where jobs really run, and from others.

use std::sync::MutexGuard;

use postgres::Client;

use crate::support::{
    Database, assert_refused, connect_as_new_role, has_pg_cron, home, program, refused, row, rows, run,
};

#[test]
fn in_pg_crons_home_the_daily_jobs_are_made_changed_and_removed() {
    if !has_pg_cron() {
        return;
    }
    let (_home, mut client) = home();
    run(&mut client, "CREATE EXTENSION assignment_reminders");
    run(&mut client, "SELECT assignment_reminders.install()");

    // Without pg_cron in the database: an error that says what to do.
    let refusal = refused(&mut client, "SELECT * FROM schedule_daily_evaluation()");
    assert_eq!(refusal.sqlstate, "55000");
    assert_eq!(
        refusal.hint, "As a superuser: CREATE EXTENSION pg_cron WITH SCHEMA pg_catalog; then call this again.",
        "this is pg_cron's home: nothing is to be run elsewhere"
    );
    assert_eq!(refused(&mut client, "SELECT unschedule_daily_evaluation()").hint, refusal.hint);

    run(&mut client, CREATE_PG_CRON);
    let jobs = "SELECT jobname, schedule, command, database FROM cron.job ORDER BY jobname";
    run(&mut client, "SELECT * FROM schedule_daily_evaluation()");
    let scheduled = rows(&mut client, jobs);
    assert_eq!(
        scheduled,
        [
            "assignment_reminders alerts|30 * * * *|SELECT count(*) FROM assignment_reminders.enqueue_alerts(interval '26:00:00')|reminders",
            "assignment_reminders daily evaluation|0 * * * *|SELECT * FROM assignment_reminders.run_daily_evaluation()|reminders",
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

    // That pg_cron really runs them is tested in a cluster that no other test disturbs: tests/torture/cron.rs.
    run(&mut client, "SELECT count(*) FROM run_daily_evaluation()");
    assert_eq!(row(&mut client, "SELECT unschedule_daily_evaluation()"), "3");
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
    assert!(refusal.hint.contains("CREATE EXTENSION IF NOT EXISTS pg_cron WITH SCHEMA pg_catalog"), "{refusal:?}");
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

#[test]
fn jobs_of_databases_with_long_names_do_not_share_one() {
    // pg_cron 1.4 keeps 63 bytes of a name; these databases differ after that.
    let names = ["a", "b"].map(|last| {
        let database =
            Database::named(&format!("a_rather_long_name_for_a_database_of_test_{}_{last}", std::process::id()));
        let mut client = database.connect();
        run(&mut client, "CREATE EXTENSION assignment_reminders");
        let hint = refused(&mut client, "SELECT * FROM schedule_daily_evaluation()").hint;
        let commands = hint.split("schedule_in_database('").skip(1);
        commands.map(|command| command.split('\'').next().expect("a name").to_string()).collect::<Vec<_>>()
    });
    let mut kept: Vec<&str> = names.iter().flatten().map(|name| &name[..name.len().min(63)]).collect();
    kept.sort_unstable();
    kept.dedup();
    assert_eq!(kept.len(), 6, "{names:?}");
}

#[test]
fn from_another_database_the_jobs_of_this_one_can_be_removed_in_pg_crons_home() {
    let Some((_home, mut home)) = at_home() else { return };
    let database = Database::installed();
    let mut client = database.connect();
    // Never due: pg_cron 1.4 and 1.6 go on with a job that was being run when the extension was dropped, and see none of the next one's.
    for call in
        ["schedule_daily_evaluation('0 0 31 2 *', '0 0 31 2 *')", "schedule_delivery_jobs('0 0 31 2 *', '0 0 31 2 *')"]
    {
        let hint = refused(&mut client, &format!("SELECT * FROM {call}")).hint;
        run(&mut home, hint.split_once("then ").expect("commands").1);
    }
    run(
        &mut home,
        &format!(
            "SELECT * FROM schedule_daily_evaluation('{NEVER}', '{NEVER}'); SELECT * FROM schedule_delivery_jobs('{NEVER}', '{NEVER}');
             SELECT cron.schedule_in_database('assignment_reminders daily evaluation in postgres', '{NEVER}', 'SELECT 1', 'postgres')"
        ),
    );
    let here = format!("SELECT count(*) FROM cron.job WHERE database = '{}'", database.name);
    assert_eq!(row(&mut home, &here), "5");
    let hint = refused(&mut client, "SELECT unschedule_daily_evaluation()").hint;
    run(&mut home, hint.strip_prefix("In reminders: ").expect("commands"));
    assert_eq!(row(&mut home, &here), "2", "the other two are of other functions");
    let others = "SELECT count(*) FROM cron.job WHERE database IN ('reminders', 'postgres')";
    assert_eq!(row(&mut home, others), "6");
    assert_eq!(row(&mut client, "SELECT status, reasons FROM evaluation_health()"), r#"warning|{"no run yet"}"#);
}

const CREATE_PG_CRON: &str = "CREATE EXTENSION pg_cron WITH SCHEMA pg_catalog";

/// Never due: pg_cron starts none of these while a test looks at what the test itself has recorded.
const NEVER: &str = "0 0 31 2 *";

/// pg_cron's home with pg_cron and the extension, and a run that succeeded. None where there is no pg_cron.
fn at_home() -> Option<(MutexGuard<'static, ()>, Client)> {
    if !has_pg_cron() {
        return None;
    }
    let (guard, mut client) = home();
    run(&mut client, "CREATE EXTENSION assignment_reminders");
    run(&mut client, CREATE_PG_CRON);
    run(&mut client, "SELECT assignment_reminders.install(); SELECT * FROM run_daily_evaluation()");
    Some((guard, client))
}

/// Schedules all four jobs, never due.
fn schedule_all(client: &mut Client) {
    run(
        client,
        &format!(
            "SELECT * FROM schedule_daily_evaluation('{NEVER}', '{NEVER}'); SELECT * FROM schedule_delivery_jobs('{NEVER}', '{NEVER}')"
        ),
    );
}

/// Records a run of the job whose name ends so, as pg_cron does.
fn record(client: &mut Client, job: &str, status: &str, message: &str, started: &str) {
    let inserted = client.execute(
        &format!(
            "INSERT INTO cron.job_run_details (jobid, database, username, command, status, return_message, start_time, end_time)
             SELECT jobid, database, username, command, '{status}', '{message}', {started}, {started} + interval '1 second'
               FROM cron.job WHERE jobname LIKE '%{job}'"
        ),
        &[],
    );
    assert_eq!(inserted.expect("a run"), 1, "{job}");
}

fn health(client: &mut Client) -> String {
    row(client, "SELECT status, array_to_string(reasons, '; ') FROM assignment_reminders.evaluation_health()")
}

#[test]
fn health_tells_of_jobs_that_fail_with_their_message_until_they_succeed() {
    let Some((_home, mut client)) = at_home() else { return };
    schedule_all(&mut client);
    assert_eq!(health(&mut client), "ok|");
    record(&mut client, "due reminders", "failed", "connection failed", "now()");
    assert_eq!(
        health(&mut client),
        "critical|the pg_cron job \"assignment_reminders due reminders\" failed when it last ran: connection failed (pg_cron connects \
         as a client and was not let in: set cron.use_background_workers = on)"
    );
    // As pg_cron 1.4 records it: no times.
    record(&mut client, "daily summaries", "failed", "connection failed", "NULL::timestamptz");
    assert_eq!(health(&mut client).matches("connection failed").count(), 2);
    let refusal = refused(&mut client, "SELECT watch_daily_evaluation()");
    assert!(refusal.sqlstate == "55000" && refusal.message.contains("daily summaries"), "{refusal:?}");
    // A run that has begun has not succeeded.
    record(&mut client, "due reminders", "running", "", "now()");
    assert_eq!(health(&mut client).matches("connection failed").count(), 2);
    record(&mut client, "due reminders", "succeeded", "1 row", "now()");
    record(&mut client, "daily summaries", "succeeded", "1 row", "now()");
    assert_eq!(health(&mut client), "ok|");
}

#[test]
fn the_watchdogs_own_alarm_does_not_keep_it_alarmed() {
    let Some((_home, mut client)) = at_home() else { return };
    schedule_all(&mut client);
    run(
        &mut client,
        "UPDATE evaluation_runs SET started_at = started_at - interval '2 days', finished_at = finished_at - interval '2 days'",
    );
    let alarm = refused(&mut client, "SELECT watch_daily_evaluation()");
    record(&mut client, "watchdog", "failed", &format!("ERROR: {}", alarm.message.replace('\'', "''")), "now()");
    run(&mut client, "SELECT * FROM run_daily_evaluation()");
    assert_eq!(row(&mut client, "SELECT watch_daily_evaluation()"), "ok");
    record(&mut client, "watchdog", "failed", "connection failed", "now()");
    assert!(health(&mut client).starts_with("warning|the pg_cron job"), "{}", health(&mut client));
    assert_eq!(row(&mut client, "SELECT watch_daily_evaluation()"), "warning", "it runs, after all");
}

#[test]
fn health_tells_of_jobs_that_are_missing_late_switched_off_or_of_another_database() {
    let Some((_home, mut client)) = at_home() else { return };
    schedule_all(&mut client);
    let expect = |client: &mut Client, text: &str| {
        let health = health(client);
        assert_eq!(health.split("; ").count(), 1, "{health}");
        assert!(health.contains(text), "{health}");
        health
    };
    let unschedule = "SELECT cron.unschedule(jobid) FROM cron.job WHERE jobname";

    run(&mut client, &format!("{unschedule} LIKE '%due reminders'"));
    expect(&mut client, "due reminders\" is missing, though \"assignment_reminders daily summaries\"");
    run(&mut client, &format!("{unschedule} LIKE '%summaries'"));
    assert_eq!(health(&mut client), "ok|", "nobody says that this pair should be there");
    schedule_all(&mut client);
    record(&mut client, "due reminders", "succeeded", "1 row", "now() - interval '1 hour'");
    run(
        &mut client,
        &format!("{unschedule} IN ('assignment_reminders due reminders', 'assignment_reminders daily summaries')"),
    );
    expect(&mut client, "warning|the pg_cron job \"assignment_reminders due reminders\" ran not long ago and is gone");

    assert_eq!(
        row(&mut client, "SELECT status FROM evaluation_health(max_age => '30 minutes')"),
        "ok",
        "after max_age it may well have been somebody's intention"
    );

    schedule_all(&mut client);
    run(&mut client, "UPDATE cron.job SET active = false WHERE jobname LIKE '%due reminders'");
    expect(&mut client, "warning|the pg_cron job \"assignment_reminders due reminders\" is not active");

    // Scheduling makes the job anew: pg_cron itself would leave it switched off.
    schedule_all(&mut client);
    assert_eq!(health(&mut client), "ok|");
    run(&mut client, "UPDATE cron.job SET database = 'before' WHERE jobname LIKE '%due reminders'");
    expect(
        &mut client,
        "critical|the pg_cron job \"assignment_reminders due reminders\" runs in the database before, not in this one, reminders",
    );

    schedule_all(&mut client);
    assert_eq!(health(&mut client), "ok|");
    // Due once a year, so that pg_cron itself does not start it meanwhile.
    run(&mut client, "UPDATE cron.job SET schedule = '54 11 1 6 *' WHERE jobname LIKE '%due reminders'");
    let at = "SELECT status, array_to_string(reasons, '; ') FROM evaluation_health(as_of => '2027-06-01 12:00+00', max_age => '10 years')";
    record(&mut client, "due reminders", "succeeded", "", "timestamptz '2027-06-01 11:54:10+00'");
    assert_eq!(row(&mut client, at), "ok|");
    record(&mut client, "due reminders", "succeeded", "", "timestamptz '2027-06-01 11:53:10+00'");
    let late = row(&mut client, at);
    assert!(late.contains("has not run since 2027-06-01 11:53, although it was due at 2027-06-01 11:54"), "{late}");
    assert!(late.starts_with("critical|"), "{late}");
}

#[test]
fn health_tells_of_a_job_that_never_ran_although_one_that_is_younger_did() {
    let Some((_home, mut client)) = at_home() else { return };
    schedule_all(&mut client);
    run(&mut client, "UPDATE cron.job SET schedule = '0 3 1 6 *' WHERE jobname LIKE '%due reminders'");
    let at = "SELECT status, array_to_string(reasons, '; ') FROM evaluation_health(as_of => '2027-06-01 12:00+00', max_age => '10 years')";
    record(&mut client, "daily summaries", "succeeded", "", "timestamptz '2027-06-01 04:00+00'");
    record(&mut client, "daily evaluation", "succeeded", "", "timestamptz '2027-06-01 02:00+00'");
    assert_eq!(row(&mut client, at), "ok|", "nothing tells that it was there at three: the older job did not need it");
    record(&mut client, "daily summaries", "succeeded", "", "timestamptz '2027-06-01 02:00+00'");
    let late = row(&mut client, at);
    assert!(late.contains("due reminders\" has never run, although it was due at 2027-06-01 03:00"), "{late}");
}

/// How the daily run stands at this moment, by each of the functions that tell.
fn healths(client: &mut Client, as_of: &str) -> [String; 2] {
    ["evaluation_health", "organization_health"].map(|function| {
        let call = format!("assignment_reminders.{function}(as_of => '{as_of}')");
        row(client, &format!("SELECT status, array_to_string(reasons, '; ') FROM {call}"))
    })
}

#[test]
fn no_run_is_missing_on_days_for_which_its_job_plans_none() {
    let Some((_home, mut client)) = at_home() else { return };
    schedule_all(&mut client);
    // On a Friday and the Monday after it, once a year, so that pg_cron itself does not start it meanwhile.
    run(
        &mut client,
        "UPDATE cron.job SET schedule = '0 6 4,7 6 *' WHERE jobname LIKE '%daily evaluation';
         UPDATE evaluation_runs SET started_at = '2027-06-04 06:00:10+00', finished_at = '2027-06-04 06:00:20+00'",
    );
    let (before, after) = ("2027-06-07 06:04+00", "2027-06-07 06:05+00");
    let (fine, missing) = ("ok|", "critical|the last run is missing");
    assert_eq!(healths(&mut client, "2027-06-06 12:00+00"), [fine; 2]);
    assert_eq!(healths(&mut client, before), [fine; 2]);
    assert_eq!(healths(&mut client, after), [missing; 2]);

    // Whoever does not see the job judges by max_age; an organization's health is judged as the owner would, and tells no more.
    let (mut reader, role) = connect_as_new_role(
        "reminders",
        "GRANT USAGE ON SCHEMA assignment_reminders TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA assignment_reminders TO {role};
         GRANT EXECUTE ON FUNCTION organization_health TO {role}",
    );
    assert_eq!(healths(&mut reader, before), [missing, fine]);
    assert_eq!(healths(&mut reader, after), [missing; 2]);
    run(&mut client, "UPDATE cron.job SET active = false WHERE jobname LIKE '%due reminders'");
    assert!(healths(&mut client, before)[0].starts_with("warning|"));
    assert_eq!(healths(&mut reader, before)[1], fine);
    run(&mut client, &format!("UPDATE cron.job SET active = true; DROP OWNED BY {role}"));

    // A job that makes no runs here plans none.
    let but = |client: &mut Client, change: &str, back: &str| {
        run(client, &format!("UPDATE cron.job SET {change} WHERE jobname LIKE '%daily evaluation'"));
        let [evaluation, organization] = healths(client, before);
        assert!(evaluation.starts_with("critical|") && evaluation.contains("the last run is missing"), "{evaluation}");
        assert_eq!(organization, missing, "{change}");
        run(client, &format!("UPDATE cron.job SET {back} WHERE jobname LIKE '%daily evaluation'"));
    };
    but(&mut client, "active = false", "active = true");
    but(&mut client, "database = 'before'", "database = 'reminders'");

    // A run that failed is critical on whatever day.
    run(&mut client, "UPDATE evaluation_runs SET status = 'failed', error = 'boom', sqlstate = 'XX000'");
    let failed = ["critical|the last run failed: boom", "critical|the last run failed: SQLSTATE XX000"];
    assert_eq!(healths(&mut client, before), failed);

    // Before the first run, it counts since the installation.
    run(&mut client, "DELETE FROM evaluation_runs; UPDATE migrations SET applied_at = '2027-06-04 12:00+00'");
    assert_eq!(healths(&mut client, before), ["warning|no run yet"; 2]);
    assert_eq!(healths(&mut client, after), ["critical|the last run is missing; no run yet"; 2]);
}

#[test]
fn a_database_that_is_gone_is_told_where_its_job_is() {
    let Some((_home, mut client)) = at_home() else { return };
    schedule_all(&mut client);
    run(
        &mut client,
        &format!(
            "SELECT cron.schedule_in_database('assignment_reminders due reminders in postgres', '{NEVER}', 'SELECT 1', 'postgres')"
        ),
    );
    assert_eq!(health(&mut client), "ok|", "the job of another database is its own affair");
    run(&mut client, "UPDATE cron.job SET database = 'dropped' WHERE jobname LIKE '%in postgres'");
    let told = health(&mut client);
    assert!(
        told.starts_with("warning|") && told.contains("runs in the database dropped, which is not there"),
        "{told}"
    );
}

#[test]
fn health_is_silent_about_jobs_that_the_role_may_not_see_and_never_fails_for_it() {
    let Some((_home, mut client)) = at_home() else { return };
    schedule_all(&mut client);
    record(&mut client, "due reminders", "failed", "connection failed", "now()");
    let (mut reader, role) = connect_as_new_role(
        "reminders",
        "GRANT USAGE ON SCHEMA assignment_reminders TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA assignment_reminders TO {role}",
    );
    assert_eq!(health(&mut reader), "ok|", "no USAGE on cron");
    assert_eq!(refused(&mut reader, "SELECT * FROM cron.job").sqlstate, "42501");
    run(&mut client, &format!("GRANT USAGE ON SCHEMA cron TO {role}"));
    assert_eq!(health(&mut reader), "ok|", "row security shows none of the jobs");
    run(&mut reader, "SET row_security = off");
    assert_eq!(health(&mut reader), "ok|");
    run(&mut reader, "RESET row_security");
    // The owner of the job sees it.
    run(
        &mut client,
        &format!("UPDATE cron.job SET username = '{role}'; UPDATE cron.job_run_details SET username = '{role}'"),
    );
    assert!(health(&mut reader).contains("connection failed"));
    run(&mut client, "REVOKE SELECT ON cron.job_run_details FROM PUBLIC");
    assert_eq!(health(&mut reader), "ok|");
    run(&mut client, &format!("UPDATE cron.job SET username = 'postgres'; DROP OWNED BY {role}"));
}

#[test]
fn scheduling_replaces_the_roles_own_old_jobs_under_whatever_name() {
    let Some((_home, mut client)) = at_home() else { return };
    let jobs = "SELECT jobname, database, username, active FROM cron.job ORDER BY jobname, database, username";
    let (mut owner, role) = connect_as_new_role(
        "reminders",
        "GRANT USAGE ON SCHEMA assignment_reminders, cron TO {role}; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA assignment_reminders TO {role}",
    );
    // What 0.1.0 told to run before pg_cron was here, a job of before a rename that somebody switched off, and others' jobs.
    run(
        &mut client,
        &format!(
            "SELECT cron.schedule_in_database('assignment_reminders daily evaluation in reminders', '{NEVER}', 'SELECT 1', 'reminders', '{role}');
             SELECT cron.schedule_in_database('assignment_reminders daily evaluation', '{NEVER}', 'SELECT 1', 'postgres', '{role}', false);
             UPDATE cron.job SET database = 'before', nodename = '/before' WHERE database = 'postgres';
             SELECT cron.schedule_in_database('assignment_reminders daily evaluation in reminders', '{NEVER}', 'SELECT 1', 'reminders');
             SELECT cron.schedule_in_database('assignment_reminders daily evaluation in postgres', '{NEVER}', 'SELECT 1', 'postgres', '{role}');
             SELECT cron.schedule_in_database('assignment_reminders daily evaluation of mine', '{NEVER}', 'SELECT 1', 'reminders', '{role}')"
        ),
    );
    run(&mut owner, &format!("SELECT * FROM schedule_daily_evaluation('{NEVER}', '{NEVER}')"));
    let name = "assignment_reminders daily evaluation";
    let mut expected = vec![
        format!("assignment_reminders alerts|reminders|{role}|t"),
        format!("{name}|reminders|{role}|t"),
        format!("{name} in postgres|postgres|{role}|t"),
        format!("{name} in reminders|reminders|postgres|t"),
        format!("{name} of mine|reminders|{role}|t"),
        format!("{name} watchdog|reminders|{role}|t"),
    ];
    expected.sort();
    let mut found = rows(&mut client, jobs);
    found.sort();
    assert_eq!(found, expected);
    assert_eq!(row(&mut client, "SELECT count(*) FROM cron.job WHERE nodename = '/before'"), "0");
    assert_eq!(row(&mut owner, "SELECT unschedule_daily_evaluation()"), "3");
    assert_eq!(row(&mut client, "SELECT count(*) FROM cron.job"), "3");

    // A schedule that is none leaves the old jobs.
    run(&mut owner, &format!("SELECT * FROM schedule_daily_evaluation('{NEVER}', '{NEVER}')"));
    refused(&mut owner, "SELECT * FROM schedule_daily_evaluation('at dawn')");
    assert_eq!(row(&mut client, "SELECT count(*) FROM cron.job"), "6");

    run(&mut client, &format!("REVOKE USAGE ON SCHEMA cron FROM {role}"));
    for call in ["* FROM schedule_daily_evaluation()", "unschedule_delivery_jobs()"] {
        assert_refused(&mut owner, &format!("SELECT {call}"), "42501", "may not use pg_cron");
    }
    run(&mut client, &format!("DELETE FROM cron.job; DROP OWNED BY {role}"));
}

#[test]
fn whoever_schedules_as_a_role_that_may_not_log_in_is_warned() {
    let Some((_home, mut client)) = at_home() else { return };
    let role = format!("role_{}", uuid::Uuid::new_v4().simple());
    run(
        &mut client,
        &format!(
            "CREATE ROLE {role}; GRANT USAGE ON SCHEMA assignment_reminders, cron TO {role};
             GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA assignment_reminders TO {role}"
        ),
    );
    let schedule = |role: &str| {
        let sql = format!(
            "SET ROLE {role}; SELECT job_id FROM assignment_reminders.schedule_daily_evaluation('{NEVER}', '{NEVER}')"
        );
        let output = program("psql").args(["-XqAt", "-c", &sql, "reminders"]).output().expect("psql");
        assert!(output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let warning = schedule(&role);
    assert!(warning.contains(&format!("WARNING:  pg_cron will not be able to run the jobs as {role}")), "{warning}");
    assert!(warning.contains("DETAIL:") && warning.contains("HINT:  ALTER ROLE"), "{warning}");
    assert_eq!(schedule("postgres"), "", "with background workers there is nothing to warn of");
    run(&mut client, &format!("DELETE FROM cron.job; DROP OWNED BY {role}; DROP ROLE {role}"));
}

/// How many runs are left of each job, and how many without one.
fn runs(client: &mut Client) -> String {
    row(
        client,
        "SELECT coalesce(string_agg(n || ' ' || job, ', ' ORDER BY job), 'none')
           FROM (SELECT count(*) AS n, coalesce(regexp_replace(j.jobname, '^assignment_reminders ', ''), d.command) AS job
                   FROM cron.job_run_details d LEFT JOIN cron.job j USING (jobid) GROUP BY 2) AS runs",
    )
}

#[test]
fn pruning_bounds_what_pg_cron_recorded_of_our_jobs_and_of_no_others() {
    let Some((_home, mut client)) = at_home() else { return };
    schedule_all(&mut client);
    run(
        &mut client,
        &format!(
            "SELECT cron.schedule('mine', '{NEVER}', 'SELECT count(*) FROM assignment_reminders.enqueue_due_reminders()');
             SELECT cron.schedule_in_database('assignment_reminders due reminders in postgres', '{NEVER}', 'SELECT 1', 'postgres')"
        ),
    );
    for job in ["due reminders", "mine", "in postgres"] {
        for day in ["2025-01-01", "2025-01-02", "2025-01-03", "2026-11-20"] {
            record(&mut client, job, "succeeded", "1 row", &format!("timestamptz '{day}'"));
        }
    }
    // Too old as well, but the last of its job; and after it, one that is still running.
    record(&mut client, "daily evaluation", "succeeded", "1 row", "timestamptz '2025-01-01'");
    record(&mut client, "daily evaluation", "failed", "connection failed", "timestamptz '2025-01-02'");
    record(&mut client, "daily evaluation", "running", "", "timestamptz '2025-01-02'");
    // Of jobs that are gone: ours, ours of a database that is gone, another database's, somebody's.
    run(
        &mut client,
        "INSERT INTO cron.job_run_details (jobid, database, username, command, status, start_time)
         SELECT 999999, d.name, 'postgres', c.command, 'succeeded', '2025-01-01'
           FROM (VALUES ('reminders'), ('dropped'), ('postgres')) AS d (name),
                (VALUES ('SELECT assignment_reminders.watch_daily_evaluation(interval ''26:00:00'')'), ('VACUUM')) AS c (command)",
    );
    let all = "3 daily evaluation, 4 due reminders, 4 due reminders in postgres, 4 mine, \
               3 SELECT assignment_reminders.watch_daily_evaluation(interval '26:00:00'), 3 VACUUM";
    let sorted = |text: &str| {
        let mut parts: Vec<String> = text.split(", ").map(str::to_string).collect();
        parts.sort();
        parts
    };
    assert_eq!(sorted(&runs(&mut client)), sorted(all));
    let prune =
        |client: &mut Client, size: i32| row(client, &format!("SELECT * FROM prune('6 months', {size}, '2026-11-22')"));
    assert_eq!(prune(&mut client, 2), "0|0", "the columns are those of 0.1.0");
    assert_eq!(row(&mut client, "SELECT count(*) FROM cron.job_run_details"), "19", "no more than batch_size");
    prune(&mut client, 100);
    assert_eq!(
        sorted(&runs(&mut client)),
        sorted(
            "2 daily evaluation, 1 due reminders, 4 due reminders in postgres, 4 mine, \
             1 SELECT assignment_reminders.watch_daily_evaluation(interval '26:00:00'), 3 VACUUM"
        )
    );
}

#[test]
fn runs_that_pg_cron_did_not_date_are_pruned_by_what_came_after_them() {
    let Some((_home, mut client)) = at_home() else { return };
    schedule_all(&mut client);
    let undated = |client: &mut Client, count: i32| {
        for _ in 0..count {
            record(client, "due reminders", "failed", "connection failed", "NULL::timestamptz");
        }
    };
    undated(&mut client, 3);
    record(&mut client, "daily summaries", "succeeded", "1 row", "timestamptz '2025-01-01'");
    undated(&mut client, 10);
    record(&mut client, "daily summaries", "succeeded", "1 row", "now()");
    run(&mut client, "SELECT * FROM prune('1 month')");
    assert_eq!(runs(&mut client), "1 daily summaries, 10 due reminders", "three are older than one of last year");
    // Ten runs began in ten minutes at the least: those with more than five after them are older than five minutes.
    run(&mut client, "SELECT * FROM prune('5 minutes')");
    assert_eq!(runs(&mut client), "1 daily summaries, 6 due reminders");
    run(&mut client, "SELECT * FROM prune('0')");
    assert_eq!(runs(&mut client), "1 daily summaries, 1 due reminders", "never the last");
}

#[test]
fn a_role_prunes_only_the_runs_it_may_delete_and_its_history_either_way() {
    let Some((_home, mut client)) = at_home() else { return };
    schedule_all(&mut client);
    let (mut pruner, role) = connect_as_new_role(
        "reminders",
        "GRANT USAGE ON SCHEMA assignment_reminders TO {role}; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA assignment_reminders TO {role};
         GRANT SELECT, DELETE ON ALL TABLES IN SCHEMA assignment_reminders TO {role}",
    );
    for day in ["2025-01-01", "2025-01-02", "2025-01-03"] {
        record(&mut client, "due reminders", "succeeded", "1 row", &format!("timestamptz '{day}'"));
    }
    let prune = |pruner: &mut Client, client: &mut Client| {
        run(client, "INSERT INTO send_logs (created_at) VALUES ('2025-01-01')");
        assert_eq!(row(pruner, "SELECT * FROM assignment_reminders.prune('1 year', as_of => '2026-11-22')"), "1|0");
        runs(client)
    };
    assert_eq!(prune(&mut pruner, &mut client), "3 due reminders", "no USAGE on cron");
    run(&mut client, &format!("GRANT USAGE ON SCHEMA cron TO {role}"));
    assert_eq!(prune(&mut pruner, &mut client), "3 due reminders", "the job is not its own");
    run(
        &mut client,
        &format!("UPDATE cron.job SET username = '{role}'; UPDATE cron.job_run_details SET username = '{role}'"),
    );
    run(&mut client, "REVOKE DELETE ON cron.job_run_details FROM PUBLIC");
    assert_eq!(prune(&mut pruner, &mut client), "3 due reminders", "no right to delete");
    run(&mut client, "GRANT DELETE ON cron.job_run_details TO PUBLIC");
    assert_eq!(prune(&mut pruner, &mut client), "1 due reminders");
    run(&mut client, &format!("DELETE FROM cron.job; DROP OWNED BY {role}"));
}

#[test]
fn scheduling_gives_an_hour_to_those_without_one_and_to_new_ones() {
    let Some((_guard, mut client)) = at_home() else { return };
    run(&mut client, "INSERT INTO organizations (name) VALUES ('late'), ('other')");
    let hours = "SELECT evaluation_hour FROM reminder_settings ORDER BY evaluation_hour";
    assert_eq!(rows(&mut client, hours), ["-", "-", "-"], "without the job every run evaluates");
    run(
        &mut client,
        "UPDATE reminder_settings SET evaluation_hour = 20 WHERE organization_id = (SELECT id FROM organizations WHERE name = 'late')",
    );
    run(&mut client, &format!("SELECT schedule_daily_evaluation('{NEVER}', '{NEVER}')"));
    run(&mut client, "INSERT INTO organizations (name) VALUES ('new')");
    assert_eq!(rows(&mut client, hours), ["7", "7", "7", "20"]);
    run(&mut client, "SELECT uninstall(); DROP EXTENSION assignment_reminders CASCADE");
}

#[test]
fn uninstall_takes_our_jobs_along_and_leaves_the_others() {
    let Some((_guard, mut client)) = at_home() else { return };
    run(
        &mut client,
        "SELECT schedule_daily_evaluation('0 0 31 2 *', '0 0 31 2 *'); SELECT schedule_delivery_jobs('0 0 31 2 *', '0 0 31 2 *'); SELECT cron.schedule('mine', '0 0 1 1 *', 'SELECT 1')",
    );
    assert!(row(&mut client, "SELECT uninstall()").contains(": 5 jobs unscheduled"));
    assert_eq!(rows(&mut client, "SELECT jobname FROM cron.job"), ["mine"]);
    run(&mut client, "SELECT cron.unschedule('mine'); DROP EXTENSION assignment_reminders");
}
