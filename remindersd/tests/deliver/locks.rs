//! Somebody else has locked what a worker sends and answers for, and the database goes away meanwhile: each message goes out once, and none pays for it.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};

use postgres::Client;

use crate::post::{Post, Worker, until};
use crate::smtpd::{At, Reply, Said, Smtpd};
use crate::support::{People, run};

const ALL_SENT: &str = "SELECT bool_and(status = 'sent') FROM reminders";

/// So many messages that go out one after the other, and a server that takes the first and the second when the test says so.
fn in_turn(messages: usize) -> (Post, Smtpd, Sender<()>) {
    let mut post = Post::empty();
    let assignments: Vec<_> =
        (0..messages).map(|_| People::new(&mut post.owner).assignment(&mut post.owner, "2026-01-01")).collect();
    post.enqueue_in_turn(&assignments);
    let (say, go_on) = channel();
    let go_on = Mutex::new(go_on);
    let server = Smtpd::start(move |said: &Said| {
        if said.at == At::Content && said.nth <= 2 {
            // A test that ended says nothing.
            let _ = go_on.lock().unwrap_or_else(PoisonError::into_inner).recv();
        }
        Reply::Usual
    });
    (post, server, say)
}

fn lines(lease: u32) -> String {
    format!("connections = 1\npoll_seconds = 1\nlease_seconds = {lease}\ntimeout_seconds = {lease}")
}

/// Locks the message that goes out as that, from 0.
fn lock(post: &Post, nth: u32) -> Client {
    let mut holder = post.database.connect();
    run(
        &mut holder,
        &format!("BEGIN; SELECT FROM reminders WHERE scheduled_for = '2026-01-20 00:00:0{nth}' FOR UPDATE"),
    );
    holder
}

/// Those of the worker's statements that call this function and wait for a lock.
fn those_that_wait(function: &str) -> String {
    format!(
        "FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'remindersd deliver' \
            AND wait_event_type = 'Lock' AND query LIKE '%{function}%'"
    )
}

fn waiting(post: &mut Post, function: &str) -> usize {
    post.row(&format!("SELECT count(*) {}", those_that_wait(function))).parse().expect("a number")
}

/// Ends all of its sessions once this waits for a lock, as a restart of the database does.
fn end(post: &mut Post, worker: &Worker, function: &str) {
    until(|| waiting(post, function) == 1, || worker.log());
    post.row("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'remindersd deliver'");
    worker.wait_for_log("the database cannot be used");
}

/// Waits until so much time has passed since the lease of what is locked.
fn wait_for_lease(post: &mut Post, worker: &Worker, nth: u32, more: &str) {
    let sql = format!(
        "SELECT claimed_until + interval '{more}' < clock_timestamp() FROM reminders WHERE scheduled_for = '2026-01-20 00:00:0{nth}'"
    );
    until(|| post.row(&sql) == "t", || worker.log());
}

#[test]
fn what_went_on_the_wire_while_its_lease_was_asked_for_is_not_given_back() {
    let (mut post, server, say) = in_turn(2);
    let configuration = post.configuration(&server, &lines(8));
    let worker = configuration.start();
    until(|| server.said("DATA") == 1, || worker.log());
    let mut holder = lock(&post, 1);
    until(|| waiting(&mut post, "extend_reminder_leases") == 1, || worker.log());
    // It goes on the wire, and asks for itself.
    say.send(()).expect("the server waits");
    until(|| waiting(&mut post, "extend_reminder_leases") == 2, || worker.log());
    // What asked first is refused.
    until(|| waiting(&mut post, "extend_reminder_leases") == 1, || worker.log());
    run(&mut holder, "ROLLBACK");
    until(|| server.said("DATA") == 2, || worker.log());
    until(|| waiting(&mut post, "return_reminders") == 0, || worker.log());
    say.send(()).expect("the server waits");
    until(|| post.row(ALL_SENT) == "t", || worker.log());
    assert_eq!((post.state(), server.mails().len()), (vec!["sent|1|f|2".to_string()], 2), "{}", worker.log());
}

#[test]
fn an_answer_that_waits_for_a_lock_outlives_its_lease_and_a_restart() {
    let (mut post, server, say) = in_turn(1);
    let configuration = post.configuration(&server, &lines(2));
    let worker = configuration.start();
    until(|| server.said("DATA") == 1, || worker.log());
    let mut holder = lock(&post, 0);
    say.send(()).expect("the server waits");
    wait_for_lease(&mut post, &worker, 0, "0");
    end(&mut post, &worker, "mark_digest_sent");
    run(&mut holder, "ROLLBACK");
    until(|| post.row(ALL_SENT) == "t", || worker.log());
    assert_eq!((post.state(), server.mails().len()), (vec!["sent|1|f|1".to_string()], 1), "{}", worker.log());
    assert!(!worker.log().contains("not recorded"), "{}", worker.log());
}

#[test]
fn an_answer_outlives_its_lease_where_the_role_waits_for_no_lock() {
    for setting in ["lock_timeout", "statement_timeout"] {
        let (mut post, server, say) = in_turn(1);
        let login = post.login.clone();
        run(&mut post.owner, &format!("ALTER ROLE {login} SET {setting} = '300ms'"));
        let configuration = post.configuration(&server, &lines(2));
        let worker = configuration.start();
        until(|| server.said("DATA") == 1, || worker.log());
        let mut holder = lock(&post, 0);
        say.send(()).expect("the server waits");
        wait_for_lease(&mut post, &worker, 0, "1 s");
        run(&mut holder, "ROLLBACK");
        until(|| post.row(ALL_SENT) == "t", || worker.log());
        assert_eq!((post.state(), server.mails().len()), (vec!["sent|1|f|1".to_string()], 1), "{}", worker.log());
        // It was there all the time.
        assert!(!worker.log().contains("cannot be used"), "{}", worker.log());
    }
}

#[test]
fn what_is_given_back_while_it_is_locked_outlives_a_restart() {
    let (mut post, server, say) = in_turn(2);
    let configuration = post.configuration(&server, &lines(20));
    let mut worker = configuration.start();
    until(|| server.said("DATA") == 1, || worker.log());
    let mut holder = lock(&post, 1);
    worker.signal("-TERM");
    end(&mut post, &worker, "return_reminders");
    run(&mut holder, "ROLLBACK");
    say.send(()).expect("the server waits");
    assert!(worker.ended(), "{}", worker.log());
    assert_eq!(post.state(), ["pending|0|f|1", "sent|1|f|1"], "{}", worker.log());
}

#[test]
fn what_was_locked_for_long_when_its_lease_was_asked_for_pays_nothing() {
    let (mut post, server, say) = in_turn(2);
    let configuration = post.configuration(&server, &lines(6));
    let worker = configuration.start();
    until(|| server.said("DATA") == 1, || worker.log());
    let mut holder = lock(&post, 1);
    until(|| waiting(&mut post, "return_reminders") == 1, || worker.log());
    say.send(()).expect("the server waits");
    wait_for_lease(&mut post, &worker, 1, "7 s");
    run(&mut holder, "ROLLBACK");
    say.send(()).expect("the server waits");
    until(|| post.row(ALL_SENT) == "t", || worker.log());
    assert_eq!((post.state(), server.mails().len()), (vec!["sent|1|f|2".to_string()], 2), "{}", worker.log());
}

#[test]
fn what_is_locked_at_the_end_of_a_dry_run_is_given_back_all_the_same() {
    let (mut post, server, _say) = in_turn(2);
    let mut holder = post.database.connect();
    run(
        &mut holder,
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END $$;
         CREATE TRIGGER wait BEFORE UPDATE ON reminders FOR EACH ROW WHEN (OLD.claim_id IS NOT NULL AND NEW.claim_id IS NULL) EXECUTE FUNCTION wait();
         SELECT pg_advisory_lock(1)",
    );
    let configuration = post.configuration(&server, &lines(20));
    std::thread::scope(|scope| {
        let dry = scope.spawn(|| configuration.run(&["--dry-run"]));
        let mut first = String::new();
        let pids = format!("SELECT coalesce(min(pid)::text, '') {}", those_that_wait("return_reminders"));
        until(
            || {
                first = post.row(&pids);
                !first.is_empty()
            },
            || "it does not wait".to_string(),
        );
        // What waits is cancelled.
        until(|| post.row(&pids) != first, || "it waits for ever".to_string());
        run(&mut holder, "SELECT pg_advisory_unlock(1)");
        let (said, all_went_well) = dry.join().expect("it ends");
        assert!(all_went_well, "{said}");
    });
    assert_eq!(post.state(), ["pending|0|f|2"]);
}

#[test]
fn once_does_not_end_well_where_an_answer_was_not_recorded() {
    // One that the database leaves out for the data's sake, and one that it refuses.
    for (code, says) in [("0A000", "the answer changed nothing"), ("42501", "the answer was not recorded")] {
        let mut post = Post::due_to(2);
        run(
            &mut post.owner,
            &format!(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no' USING ERRCODE = '{code}'; END $$;
                 CREATE TRIGGER refuse BEFORE UPDATE ON reminders FOR EACH ROW WHEN (NEW.status = 'sent') EXECUTE FUNCTION refuse()"
            ),
        );
        let server = Smtpd::start(|_| Reply::Usual);
        let (log, all_went_well) = post.once(&server, "");
        assert_eq!((server.mails().len(), log.matches(says).count()), (2, 2), "{log}");
        assert!(!all_went_well && log.contains("2 answers were not recorded"), "{log}");
    }
}
