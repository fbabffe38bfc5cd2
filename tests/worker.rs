//! The example worker under faults: four of them, a mail server that refuses, rejects and hangs up, and kill -9 again and
//! again. A test program of its own, since it takes all there is of the machine.

#[path = "server/support.rs"]
#[allow(dead_code)]
mod support;

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use support::{Database, People, connect, enqueue_follow_ups, row, rows, run};

const REMINDERS: usize = 20_000;
const WORKERS: usize = 4;
/// A worker is killed whenever this many more messages have arrived.
const KILL_EVERY: usize = 900;

fn python(script: &str) -> Command {
    let mut command = Command::new(std::env::var("PYTHON").unwrap_or_else(|_| "/usr/bin/python3".to_string()));
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/worker").join(script));
    command
}

/// Ends with the test, however that ends.
struct Process(Child);

impl Process {
    fn signal(&self, signal: &str) {
        support::kill(signal, self.0.id());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A mail server; returns its port.
fn sink(mail: &Path, arguments: &[&str]) -> (Process, String) {
    let mut sink = python("sink.py").arg(mail).args(arguments).stdout(Stdio::piped()).spawn().expect("the sink starts");
    let mut port = String::new();
    BufReader::new(sink.stdout.take().expect("its output")).read_line(&mut port).expect("its port");
    (Process(sink), port.trim().to_string())
}

fn worker(database: &Database, port: &str, arguments: &[&str]) -> Process {
    let mut command = python("worker.py");
    command.args(["--smtp-port", port, "--quiet", "--poll", "0.5", "--database", &format!("dbname={}", database.name)]);
    Process(command.args(arguments).env("PGUSER", "postgres").stderr(Stdio::null()).spawn().expect("a worker starts"))
}

/// How often each idempotency key arrived.
fn arrived(mail: &Path) -> HashMap<String, usize> {
    let mut arrived = HashMap::new();
    for line in std::fs::read_to_string(mail).unwrap_or_default().lines() {
        let message: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        let key = message["idempotency_key"].as_str().expect("a key").to_string();
        *arrived.entry(key).or_default() += 1;
    }
    arrived
}

fn mail_file(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("asrm-{name}-{}.jsonl", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

#[test]
fn workers_that_are_killed_and_a_mail_server_that_fails_lose_nothing_and_record_nothing_twice() {
    let database = Database::installed();
    let mut client = database.connect();
    People::new(&mut client).assignments(
        &mut client,
        "2026-01-01",
        i32::try_from(REMINDERS).expect("a number of rows"),
    );
    run(&mut client, "UPDATE reminder_settings SET retry_base = '10 milliseconds'");
    enqueue_follow_ups(&mut client, "2026-01-20");
    run(&mut client, "ANALYZE");
    let mail = mail_file("faults");
    let (_sink, port) = sink(&mail, &["--refuse", "0.04", "--reject", "0.01", "--drop", "0.005"]);
    let start = || worker(&database, &port, &["--lease", "4"]);
    let mut workers: Vec<Process> = (0..WORKERS).map(|_| start()).collect();

    let deadline = Instant::now() + Duration::from_mins(5);
    let mut kills = 0;
    loop {
        assert!(
            Instant::now() < deadline,
            "{:?}",
            rows(&mut client, "SELECT status, count(*) FROM reminders GROUP BY 1")
        );
        std::thread::sleep(Duration::from_millis(20));
        let lines = row(&mut client, "SELECT count(*) FROM send_logs WHERE status = 'queued'");
        if lines.parse::<usize>().expect("a number") > (kills + 1) * KILL_EVERY {
            let victim = &mut workers[kills % WORKERS];
            victim.signal("-9");
            *victim = start();
            kills += 1;
        }
        if row(&mut client, "SELECT count(*) FROM reminders WHERE status = 'pending'") == "0" {
            break;
        }
    }
    assert!(kills > 10, "{kills} workers were killed");
    for worker in workers {
        worker.signal("-TERM");
    }

    let arrived = arrived(&mail);
    let doubles = arrived.values().filter(|&&times| times > 1).count();
    assert!(arrived.values().all(|&times| times <= 2) && doubles <= kills, "{doubles} doubles, {kills} kills");
    assert_eq!(
        row(&mut client, "SELECT count(*) FROM reminders WHERE status IN ('sent', 'failed')"),
        REMINDERS.to_string()
    );
    assert_eq!(
        rows(
            &mut client,
            "SELECT reminder_id, anchor FROM send_logs WHERE status = 'queued' GROUP BY 1, 2 HAVING count(*) > 1"
        ),
        [""; 0],
        "recorded as sent twice"
    );
    assert_eq!(
        row(
            &mut client,
            "SELECT count(*) FROM reminders r WHERE r.status = 'sent' AND NOT EXISTS (SELECT FROM send_logs l WHERE l.reminder_id = r.id AND l.status = 'queued')"
        ),
        "0"
    );
    assert_eq!(
        row(
            &mut client,
            "SELECT count(*) FROM reminders r WHERE r.status = 'failed' AND NOT EXISTS (SELECT FROM send_logs l WHERE l.reminder_id = r.id AND l.given_up AND l.error LIKE '550%' OR l.reminder_id = r.id AND l.attempt = 5)"
        ),
        "0",
        "given up without a reason"
    );
    let sent = rows(
        &mut client,
        "SELECT id || '-' || (extract(epoch FROM anchor) * 1000000)::bigint FROM reminders WHERE status = 'sent'",
    );
    assert!(sent.iter().all(|key| arrived.contains_key(key)), "recorded as sent, but never arrived");
    let unrecorded = arrived.len() - sent.len();
    assert!(unrecorded <= kills, "{unrecorded} arrived, but are recorded as failed");
    println!(
        "{} sent, {} given up, {kills} kills, {doubles} doubles, {unrecorded} unrecorded",
        sent.len(),
        REMINDERS - sent.len()
    );
    let _ = std::fs::remove_file(&mail);
}

#[test]
fn a_worker_that_is_asked_to_stop_finishes_its_message_and_gives_the_others_back() {
    let database = Database::installed();
    let mut client = database.connect();
    People::new(&mut client).assignments(&mut client, "2026-01-01", 500);
    enqueue_follow_ups(&mut client, "2026-01-20");
    let mail = mail_file("stop");
    let (_sink, port) = sink(&mail, &[]);
    let mut worker = worker(&database, &port, &["--batch", "300"]);
    let deadline = Instant::now() + Duration::from_mins(1);
    while row(&mut client, "SELECT count(*) > 5 FROM send_logs") == "f" {
        assert!(Instant::now() < deadline, "nothing was sent");
        std::thread::sleep(Duration::from_millis(5));
    }
    worker.signal("-INT");
    assert!(worker.0.wait().expect("it ends").success());
    let sent = arrived(&mail).len();
    assert!(sent < 300, "{sent}");
    assert_eq!(
        rows(
            &mut connect(&database.name),
            "SELECT status, claim_id IS NULL, attempts, count(*) FROM reminders GROUP BY 1, 2, 3 ORDER BY 1"
        ),
        [format!("pending|t|0|{}", 500 - sent), format!("sent|t|1|{sent}")]
    );
    let _ = std::fs::remove_file(&mail);
}

#[test]
fn an_address_that_no_mail_can_be_written_to_is_given_up_and_stops_nobody_elses_mail() {
    let database = Database::installed();
    let mut client = database.connect();
    for (email, name) in [
        ("a,b@example.org", "Ann"),
        ("ø@example.org", "Ola"),
        ("bo@exåmple.org", "Bo"),
        ("sam@example.org", "Sam\r\nBcc: all@example.org"),
    ] {
        let people = People::new(&mut client);
        people.assignment(&mut client, "2026-01-01");
        client
            .execute("UPDATE users SET email = $1, name = $2 WHERE id = $3", &[&email, &name, &people.mentor_user])
            .expect("what the tables take");
    }
    enqueue_follow_ups(&mut client, "2026-01-20");
    let mail = mail_file("addresses");
    let (_sink, port) = sink(&mail, &[]);
    assert!(worker(&database, &port, &["--drain"]).0.wait().expect("it ends").success());
    assert_eq!(
        rows(
            &mut client,
            "SELECT u.email, r.status, l.given_up FROM reminders r JOIN users u ON u.id = r.recipient_id
               JOIN send_logs l ON l.reminder_id = r.id ORDER BY 1"
        ),
        ["a,b@example.org|failed|t", "bo@exåmple.org|sent|f", "sam@example.org|sent|f", "ø@example.org|failed|t"]
    );
    assert_eq!(arrived(&mail).len(), 2);
    let _ = std::fs::remove_file(&mail);
}

#[test]
fn a_reminder_of_a_type_that_the_worker_does_not_know_is_sent_in_general_words() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    let without_due_date = people.assignment(&mut client, "2026-01-01");
    let with_due_date = people.assignment(&mut client, "2026-01-01");
    client
        .execute("UPDATE assignments SET due_at = '2999-05-01 12:00+00' WHERE id = $1", &[&with_due_date])
        .expect("a due date");
    for assignment in [without_due_date, with_due_date] {
        client
            .execute(
                "INSERT INTO reminders (assignment_id, reminder_type, scheduled_for) VALUES ($1, 'bring-your-books', '2026-01-20')",
                &[&assignment],
            )
            .expect("a row of the user's own");
    }
    let mail = mail_file("types");
    let (_sink, port) = sink(&mail, &[]);
    assert!(worker(&database, &port, &["--drain"]).0.wait().expect("it ends").success());

    let text = std::fs::read_to_string(&mail).expect("mail");
    let mut arrived: Vec<(String, String)> = text
        .lines()
        .map(|line| {
            let message: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
            assert_eq!(message["reminder_type"], "bring-your-books");
            let of = |field: &str| message[field].as_str().expect("text").replace("\r\n", "\n");
            (of("subject"), of("body"))
        })
        .collect();
    arrived.sort();
    let general = |subject: &str, words: &str| (subject.to_string(), format!("Hello student,\n\n{words}\n"));
    assert_eq!(
        arrived,
        [
            general("Due 2999-05-01 12:00 (UTC): Essay", "\"Essay\" is due 2999-05-01 12:00 (UTC)."),
            general("Reminder: Essay", "this is a reminder of \"Essay\"."),
        ]
    );
    let _ = std::fs::remove_file(&mail);
}

#[test]
fn a_refusal_costs_whose_fault_it_was() {
    for (arguments, expected) in [
        // The address's: its person is opted out.
        (["--answer-rcpt", "550 5.1.1 User unknown"], ["failed|1|t|0|-", "failed|1|t|0|-"]),
        // The mailbox's, once for each message.
        (["--answer-rcpt", "452 4.2.2 Mailbox full"], ["pending|1|f|2|-", "pending|1|f|2|-"]),
        // Everybody's of this sender: no attempt is lost, and what was not tried is given back.
        (["--answer-mail", "550 5.7.1 You may not send"], ["pending|0|f|0|sender", "pending|0|f|0|sender"]),
        (["--answer-mail", "421 4.3.2 Closing"], ["pending|0|f|0|transport", "pending|0|f|0|transport"]),
        // The message's own, or nobody knows whose.
        (["--reject", "1"], ["failed|1|f|0|-", "failed|1|f|0|-"]),
    ] {
        let database = Database::installed();
        let mut client = database.connect();
        People::new(&mut client).assignments(&mut client, "2026-01-01", 2);
        enqueue_follow_ups(&mut client, "2026-01-20");
        let mail = mail_file("faults-of");
        let (_sink, port) = sink(&mail, &arguments);
        assert!(worker(&database, &port, &["--drain"]).0.wait().expect("it ends").success());
        let found = rows(
            &mut client,
            "SELECT r.status, r.attempts, u.contact_opt_out, u.soft_bounces, (SELECT paused_for FROM claim_rates)
               FROM reminders r JOIN users u ON u.id = r.recipient_id WHERE r.claim_id IS NULL ORDER BY 1",
        );
        assert_eq!(found, expected, "{arguments:?}");
        let _ = std::fs::remove_file(&mail);
    }
}

#[test]
fn a_message_carries_the_link_by_which_its_recipient_unsubscribes() {
    let database = Database::installed();
    let mut client = database.connect();
    People::new(&mut client).assignment(&mut client, "2026-01-01");
    enqueue_follow_ups(&mut client, "2026-01-20");
    let mail = mail_file("links");
    let (_sink, port) = sink(&mail, &[]);
    let base = "https://mail.example.org/unsubscribe";
    assert!(worker(&database, &port, &["--drain", "--unsubscribe-url", base]).0.wait().expect("it ends").success());
    let token = row(&mut client, "SELECT unsubscribe_token(recipient_id) FROM reminders");
    let text = std::fs::read_to_string(&mail).expect("mail");
    let message: serde_json::Value = serde_json::from_str(text.trim()).expect("one line of JSON");
    assert_eq!(message["list_unsubscribe"], format!("<{base}/{token}>"));
    assert_eq!(message["list_unsubscribe_post"], "List-Unsubscribe=One-Click");
    let body = message["body"].as_str().expect("text").replace("\r\n", "\n");
    assert!(body.ends_with(&format!("\n-- \nNo more of these: {base}/{token}?type=contact-reminder\n")), "{body}");
    let _ = std::fs::remove_file(&mail);
}
