//! What a backend holds in memory, at most, while it works on a million rows.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use postgres::Client;

use crate::support::{Database, People, pid, row, run};

/// Most bytes of private memory (RssAnon: without shared buffers) that the session had while it did the work.
fn peak(client: &mut Client, work: impl FnOnce(&mut Client)) -> u64 {
    let status = format!("/proc/{}/status", pid(client));
    let (done, most) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let now = fs::read_to_string(&status).unwrap_or_default();
                let kilobytes = now
                    .lines()
                    .find_map(|line| line.strip_prefix("RssAnon:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
                most.fetch_max(kilobytes.unwrap_or(0) * 1024, Ordering::Relaxed);
                thread::sleep(Duration::from_millis(2));
            }
        });
        work(client);
        done.store(true, Ordering::Relaxed);
    });
    most.into_inner()
}

fn assert_within(what: &str, peak: u64, megabytes: u64) {
    println!("{what}: {} MB at most", peak / (1 << 20));
    assert!(peak > 0, "{what} was not measured");
    assert!(peak < megabytes << 20, "{what} took {} MB, more than {megabytes}", peak / (1 << 20));
}

#[test]
fn a_run_over_a_million_assignments_and_the_claims_of_its_reminders_stay_within_their_bounds() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    run(&mut client, "SET session_replication_role = replica");
    people.assignments(&mut client, "2026-11-20", 1_000_000);
    run(&mut client, "UPDATE assignments SET assigned_on = '2026-11-01' WHERE title::integer % 100 = 0");
    run(&mut client, "SET session_replication_role = origin");
    run(&mut client, "UPDATE reminder_settings SET follow_up_limit = NULL");
    run(&mut client, "VACUUM ANALYZE assignments");

    let enqueued = "SELECT count(*) FROM run_daily_evaluation('2026-11-22 12:00+00')";
    let mut session = database.connect();
    let run_one_percent = peak(&mut session, |session| assert_eq!(row(session, enqueued), "10000"));
    assert_within("a run over 1,000,000 assignments, 1 % due", run_one_percent, 64);

    run(
        &mut client,
        "SET session_replication_role = replica; UPDATE assignments SET assigned_on = '2026-11-01'; SET session_replication_role = origin",
    );
    run(&mut client, "VACUUM ANALYZE assignments");
    let mut session = database.connect();
    let run_all = peak(&mut session, |session| assert_eq!(row(session, enqueued), "990000"));
    assert_within("a run over 1,000,000 assignments, all due", run_all, 1024);

    // 10,000 is as many as one claim gives.
    let mut session = database.connect();
    let claims = peak(&mut session, |session| {
        for _ in 0..10 {
            assert_eq!(
                row(session, "SELECT count(*) FROM claim_reminders(10000, as_of => '2026-11-22 12:00+00')"),
                "10000"
            );
        }
    });
    assert_within("ten claims of 10,000 in one session", claims, 128);
}
