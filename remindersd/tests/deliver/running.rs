//! How it runs: it waits, is woken, is stopped, keeps its leases; and what it would send.

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use crate::post::{Post, until};
use crate::smtpd::{At, Reply, Said, Smtpd};
use crate::support::{People, run};

/// A server at which the first message waits until the test says so.
fn holding(go_on: Receiver<()>) -> Smtpd {
    let go_on = Mutex::new(go_on);
    Smtpd::start(move |said: &Said| {
        if said.at == At::Content && said.connection == 1 && said.nth == 1 {
            // A test that ended says nothing.
            let _ = go_on.lock().unwrap_or_else(PoisonError::into_inner).recv();
        }
        Reply::Usual
    })
}

#[test]
fn asked_to_stop_it_finishes_what_is_on_the_wire_and_gives_the_rest_back() {
    for signal in ["-TERM", "-INT"] {
        let mut post = Post::due_to(50);
        let (say, go_on) = channel();
        let server = holding(go_on);
        let configuration = post.configuration(&server, "connections = 1");
        let mut worker = configuration.start();
        until(|| server.said("DATA") == 1, || worker.log());
        worker.signal(signal);
        worker.wait_for_log("stopping");
        say.send(()).expect("the server waits");
        assert!(worker.ended(), "{}", worker.log());
        assert_eq!(post.state(), ["pending|0|f|49", "sent|1|f|1"], "{}", worker.log());
        assert_eq!((server.mails().len(), server.said("QUIT")), (1, 1));
    }
}

#[test]
fn it_is_woken_by_a_notification() {
    let mut post = Post::empty();
    let server = Smtpd::start(|_| Reply::Usual);
    let configuration = post.configuration(&server, "poll_seconds = 3600");
    let worker = configuration.start();
    worker.wait_for_log("listening");
    People::new(&mut post.owner).assignment(&mut post.owner, "2026-01-01");
    post.enqueue();
    run(&mut post.owner, "SELECT pg_notify('assignment_reminders', 'enqueued')");
    until(|| server.mails().len() == 1, || worker.log());
}

#[test]
fn where_nobody_notifies_it_polls() {
    let mut post = Post::empty();
    let server = Smtpd::start(|_| Reply::Usual);
    let configuration = post.configuration(&server, "poll_seconds = 1\nlisten = false");
    let worker = configuration.start();
    worker.wait_for_log("polling only: deliver.listen is false");
    People::new(&mut post.owner).assignment(&mut post.owner, "2026-01-01");
    post.enqueue();
    until(|| server.mails().len() == 1, || worker.log());
    assert_eq!(
        post.row("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()"),
        "0"
    );
}

#[test]
fn what_is_not_wanted_any_more_when_half_of_the_lease_has_passed_is_not_sent() {
    let mut post = Post::empty();
    let mut assignments = Vec::new();
    for number in 0..3 {
        let people = People::new(&mut post.owner);
        assignments.push(people.assignment(&mut post.owner, "2026-01-01"));
        if number == 2 {
            // Two reminders in one message.
            assignments.push(people.assignment(&mut post.owner, "2026-01-01"));
        }
    }
    post.enqueue_in_turn(&assignments);
    let (say, go_on) = channel();
    let server = holding(go_on);
    let configuration = post.configuration(&server, "connections = 1\nlease_seconds = 4\ntimeout_seconds = 4");
    let worker = configuration.start();
    until(|| server.said("DATA") == 1, || worker.log());
    for contacted in [&assignments[1], &assignments[2]] {
        run(
            &mut post.owner,
            &format!("INSERT INTO activities (assignment_id, occurred_at) VALUES ('{contacted}', now())"),
        );
    }
    // Time has to pass: a lease is told by the clock.
    std::thread::sleep(Duration::from_millis(2500));
    say.send(()).expect("the server waits");
    until(|| post.row("SELECT count(*) FROM reminders WHERE status = 'pending'") == "0", || worker.log());
    assert_eq!(
        post.rows("SELECT status, count(*) FROM reminders GROUP BY 1 ORDER BY 1"),
        ["sent|2", "skipped|2"],
        "{}",
        worker.log()
    );
    assert_eq!(server.mails().len(), 2);
}

#[test]
fn a_dry_run_says_what_would_be_sent_and_leaves_all_as_it_was() {
    let mut post = Post::due_to(30);
    let before = post.state();
    let server = Smtpd::start(|_| Reply::Usual);
    let (said, all_went_well) = post.configuration(&server, "batch = 7").run(&["--dry-run"]);
    assert!(all_went_well, "{said}");
    assert_eq!((said.matches("would send to mentor-").count(), server.connections()), (30, 0), "{said}");
    assert!(said.contains("30 messages, 0 of which could not be sent; all given back"), "{said}");
    assert_eq!(post.state(), before);
}

#[test]
fn once_ends_well_only_where_all_was_sent() {
    let mut post = Post::due_to(250);
    let server = Smtpd::start(|_| Reply::Usual);
    let (log, all_went_well) = post.once(&server, "");
    assert!(all_went_well, "{log}");
    assert_eq!((post.state(), server.mails().len()), (vec!["sent|1|f|250".to_string()], 250));
    assert!(!log.contains('@'), "an address in the log: {log}");
    let (log, all_went_well) = post.once(&server, "");
    assert!(all_went_well, "nothing to do is well: {log}");
}

#[test]
fn messages_go_out_side_by_side() {
    let mut post = Post::due_to(12);
    let (say, go_on) = channel();
    let server = holding(go_on);
    let configuration = post.configuration(&server, "connections = 2");
    let worker = configuration.start();
    // One waits; the other connection sends all the rest.
    until(|| server.mails().len() == 11, || worker.log());
    say.send(()).expect("the server waits");
    until(|| post.state() == ["sent|1|f|12"], || worker.log());
    assert_eq!(server.connections(), 2);
}

#[test]
fn a_role_that_may_not_deliver_is_told_so_at_once() {
    let post = Post::due_to(1);
    let server = Smtpd::start(|_| Reply::Usual);
    let stranger = post.database.connect_as_new_role("").1;
    let url = post.url_of(&stranger);
    let (log, went_well) =
        post.configured_at(&url, &format!("smtp = 'smtp://127.0.0.1:{}'", server.port)).run(&["--once"]);
    assert!(!went_well && log.contains("GRANT the role of workers"), "{log}");
}

#[test]
fn what_waits_behind_a_slow_server_is_kept_and_pays_nothing() {
    let mut post = Post::due_to(12);
    // Time has to pass: a lease is told by the clock.
    let server = Smtpd::start(|said| {
        if said.at == At::Content {
            std::thread::sleep(Duration::from_millis(500));
        }
        Reply::Usual
    });
    let lines = "connections = 1\nlease_seconds = 2\ntimeout_seconds = 2\npoll_seconds = 1";
    let (log, all_went_well) = post.once(&server, lines);
    assert!(all_went_well, "{log}");
    assert_eq!(post.rows("SELECT status, attempts, count(*) FROM reminders GROUP BY 1, 2"), ["sent|1|12"], "{log}");
    assert_eq!(server.mails().len(), 12);
}

#[test]
fn what_somebody_has_locked_holds_up_nobody_elses_messages_and_goes_out_once() {
    let mut post = Post::empty();
    let other = "b0000000-0000-4000-8000-000000000000";
    run(&mut post.owner, &format!("INSERT INTO organizations (id, name) VALUES ('{other}', 'Other')"));
    for (organization, number) in [("00000000-0000-0000-0000-000000000001", 20), (other, 40)] {
        for _ in 0..number {
            People::in_organization(&mut post.owner, organization).assignment(&mut post.owner, "2026-01-01");
        }
    }
    post.enqueue();
    let gate = Arc::new(RwLock::new(()));
    let shut = gate.write().expect("a gate");
    let behind = Arc::clone(&gate);
    let server = Smtpd::start(move |said: &Said| {
        if said.at == At::Content {
            drop(behind.read());
        }
        Reply::Usual
    });
    let configuration = post.configuration(&server, "poll_seconds = 1\nlease_seconds = 30\ntimeout_seconds = 10");
    let worker = configuration.start();
    let claimed = "SELECT count(*) FROM reminders WHERE claim_id IS NOT NULL";
    until(|| post.row(claimed) == "60", || worker.log());
    let mut holder = post.database.connect();
    run(&mut holder, &format!("BEGIN; SELECT FROM reminders WHERE organization_id <> '{other}' FOR UPDATE"));
    drop(shut);
    let sent = "SELECT count(*) FROM reminders WHERE status = 'sent'";
    until(|| post.row(sent) == "40", || worker.log());
    run(&mut holder, "ROLLBACK");
    until(|| post.row(sent) == "60", || worker.log());
    assert_eq!(server.mails().len(), 60, "{}", worker.log());
}
