//! Killing a backend in the middle of a run. A test of its own: the server restarts every session after it, so nothing
//! else may run beside it. cargo runs one test program after the other.

#[path = "server/support.rs"]
#[allow(dead_code)]
mod support;

use std::time::{Duration, Instant};

use support::{Database, People, pid, row, rows, run};

#[test]
fn a_backend_killed_in_the_middle_of_a_run_leaves_no_half_enqueued_work_and_no_lock() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    for _ in 0..50 {
        people.assignment(&mut client, "2026-01-01");
    }
    // The run waits in the middle: one row of its fifty meets a row that we have inserted and not committed.
    let last = row(&mut client, "SELECT max(id::text) FROM assignments");
    run(
        &mut client,
        &format!(
            "BEGIN; INSERT INTO reminders (assignment_id, reminder_type, recipient_id) VALUES ('{last}', 'contact-reminder', '{}')",
            people.mentor_user
        ),
    );
    let name = database.name.clone();
    let mut running = database.connect();
    let victim = pid(&mut running);
    let run_in_background = std::thread::spawn(move || {
        running.simple_query("SELECT * FROM assignment_reminders.run_daily_evaluation()").is_err()
    });
    let mut observer = database.connect();
    support::wait_until_blocked(&mut observer, victim);
    assert_eq!(row(&mut observer, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"), "1");

    support::kill("-9", victim);
    assert!(run_in_background.join().expect("the thread ends"), "the run's session is gone");

    // The server ends all sessions and recovers.
    let deadline = Instant::now() + Duration::from_mins(1);
    let mut client = loop {
        assert!(Instant::now() < deadline, "the server did not come back");
        std::thread::sleep(Duration::from_millis(100));
        let probe = support::program("psql").args(["-X", "-c", "SELECT 1", "--dbname", &name]).output().expect("psql");
        if probe.status.success() {
            break database.connect();
        }
    };
    assert_eq!(
        row(&mut client, "SELECT (SELECT count(*) FROM reminders), (SELECT count(*) FROM evaluation_runs)"),
        "0|0"
    );
    assert_eq!(row(&mut client, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), "0");
    assert_eq!(rows(&mut client, "SELECT * FROM verify_assignment_counts()"), [""; 0]);
    assert_eq!(row(&mut client, "SELECT count(*) FROM run_daily_evaluation()"), "50", "the next run works");
}
