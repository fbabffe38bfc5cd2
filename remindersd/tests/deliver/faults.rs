//! Four workers, a mail server that refuses, rejects and hangs up, and kill -9 again and again: nothing is lost, and nothing recorded twice. A test program
//! of its own, since it takes all there is of the machine.

#[allow(dead_code)] // not every test program uses all of it
mod post;
#[allow(dead_code)]
mod smtpd;
#[allow(dead_code)]
#[path = "../../../tests/server/support.rs"]
mod support;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use post::{Post, Worker};
use smtpd::{At, Reply, Smtpd, say};
use support::run;

const REMINDERS: usize = 20_000;
const WORKERS: usize = 4;
/// A worker is killed whenever this many more messages were taken.
const KILL_EVERY: usize = 1500;

/// What a mail server has done, while it does it.
#[derive(Default)]
struct Done {
    taken: AtomicUsize,
    hung_up: AtomicUsize,
}

/// Refuses 4 of 100 for now, 1 of 100 for good, and hangs up on 1 of 200 when it has taken it.
fn failing(done: Arc<Done>) -> Smtpd {
    Smtpd::start(move |said| match (said.at, fastrand::u32(0..1000)) {
        (At::Rcpt, ..40) => say("451 4.3.0 Try again"),
        (At::Content, ..10) => say("550 5.6.0 Rejected"),
        (At::Content, 10..15) => {
            done.hung_up.fetch_add(1, Ordering::SeqCst);
            Reply::HangUp
        }
        (At::Content, _) => {
            done.taken.fetch_add(1, Ordering::SeqCst);
            // It names no id of its own, which would be noted by one more statement each.
            say("250 2.0.0 Ok")
        }
        _ => Reply::Usual,
    })
}

#[test]
fn workers_that_are_killed_and_a_mail_server_that_fails_lose_nothing_and_record_nothing_twice() {
    let mut post = Post::empty();
    // One person each, so that there are as many messages.
    run(
        &mut post.owner,
        &format!(
            "INSERT INTO users (email, name) SELECT 'student@example.org', 'student';
             INSERT INTO users (email, name) SELECT format('mentor-%s@example.org', n), 'mentor' FROM generate_series(1, {REMINDERS}) AS n;
             INSERT INTO peer_mentors (user_id) SELECT id FROM users WHERE name = 'mentor';
             INSERT INTO assignments (title, student_id, peer_mentor_id, assigned_on)
             SELECT 'Essay', s.id, m.id, '2026-01-01' FROM peer_mentors m CROSS JOIN users s WHERE s.name = 'student';
             UPDATE reminder_settings SET retry_base = '100 microseconds'"
        ),
    );
    post.enqueue();
    run(&mut post.owner, "ANALYZE");
    let done = Arc::new(Done::default());
    let server = failing(Arc::clone(&done));
    let configuration =
        post.configuration(&server, "lease_seconds = 3\ntimeout_seconds = 3\npoll_seconds = 1\nbatch = 100");
    let mut workers: Vec<Worker> = (0..WORKERS).map(|_| configuration.start()).collect();

    let began = Instant::now();
    let mut kills = 0;
    // Of the database only that is asked, so that it has its time for the workers.
    while post.row("SELECT EXISTS (SELECT FROM reminders WHERE status = 'pending')") == "t" {
        assert!(began.elapsed() < Duration::from_mins(5), "{:?} {}", post.state(), workers[0].log());
        std::thread::sleep(Duration::from_millis(20));
        if done.taken.load(Ordering::SeqCst) > (kills + 1) * KILL_EVERY {
            let victim = &mut workers[kills % WORKERS];
            victim.signal("-9");
            *victim = configuration.start();
            kills += 1;
        }
    }
    let took = began.elapsed();
    assert!(kills > 10, "{kills} workers were killed");
    for mut worker in workers {
        worker.signal("-TERM");
        assert!(worker.ended(), "{}", worker.log());
        assert!(!worker.log().contains("ERROR"), "{}", worker.log());
    }

    let mut arrived: HashMap<String, usize> = HashMap::new();
    for mail in server.mails() {
        *arrived.entry(mail.header("Idempotency-Key").expect("a key")).or_default() += 1;
    }
    // What a killed one had on the wire, on each of its four connections, and what the server hung up on.
    let unsure = kills * 4 + done.hung_up.load(Ordering::SeqCst);
    let doubles = arrived.values().filter(|&&times| times > 1).count();
    assert!(doubles <= unsure, "{doubles} doubles, {kills} kills");
    assert_eq!(post.row("SELECT count(*) FROM reminders WHERE status IN ('sent', 'failed')"), REMINDERS.to_string());
    assert_eq!(
        post.rows(
            "SELECT reminder_id, anchor FROM send_logs WHERE status = 'queued' GROUP BY 1, 2 HAVING count(*) > 1"
        ),
        [""; 0],
        "recorded as sent twice"
    );
    assert_eq!(
        post.row("SELECT count(*) FROM reminders r WHERE r.status = 'sent' AND NOT EXISTS (SELECT FROM send_logs l WHERE l.reminder_id = r.id AND l.status = 'queued')"),
        "0"
    );
    assert_eq!(
        post.row(
            "SELECT count(*) FROM reminders r WHERE r.status = 'failed'
                AND NOT EXISTS (SELECT FROM send_logs l WHERE l.reminder_id = r.id AND (l.given_up AND l.error LIKE '550%' OR l.attempt = 5))"
        ),
        "0",
        "given up without a reason"
    );
    let sent: HashSet<String> = post
        .rows("SELECT id || '-' || (extract(epoch FROM anchor) * 1000000)::bigint FROM reminders WHERE status = 'sent'")
        .into_iter()
        .collect();
    assert!(sent.iter().all(|key| arrived.contains_key(key)), "recorded as sent, but never arrived");
    let unrecorded = arrived.len() - arrived.keys().filter(|key| sent.contains(*key)).count();
    assert!(unrecorded <= unsure, "{unrecorded} arrived, but are recorded as failed");
    println!(
        "{} sent, {} given up, {kills} kills, {doubles} doubles, {unrecorded} unrecorded, {} s",
        sent.len(),
        REMINDERS - sent.len(),
        took.as_secs()
    );
}
