//! The database goes away, becomes a standby, or lies behind a pooler: the process stays, and nothing is lost or sent twice.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::post::{Post, until};
use crate::smtpd::{At, Reply, Smtpd};
use crate::support::{connect, row, run};

/// How often each message arrived.
fn arrived(server: &Smtpd) -> HashMap<String, usize> {
    let mut arrived = HashMap::new();
    for mail in server.mails() {
        *arrived.entry(mail.header("Idempotency-Key").expect("a key")).or_default() += 1;
    }
    arrived
}

fn assert_each_once(post: &mut Post, server: &Smtpd, messages: usize) {
    assert_eq!(
        post.rows("SELECT status, attempts, count(*) FROM reminders GROUP BY 1, 2"),
        [format!("sent|1|{messages}")]
    );
    let arrived = arrived(server);
    assert_eq!((arrived.len(), arrived.values().max()), (messages, Some(&1)));
}

/// A server that takes ten messages at once, and each other one when the test says so.
fn gated() -> (std::sync::mpsc::Sender<()>, Smtpd) {
    let (say, go_on) = channel();
    let go_on = Mutex::new(go_on);
    let server = Smtpd::start(move |said| {
        if said.at == At::Content && said.nth == 10 {
            let _ = go_on.lock().unwrap_or_else(PoisonError::into_inner).recv();
        }
        Reply::Usual
    });
    (say, server)
}

#[test]
fn sessions_that_are_ended_cost_nothing_and_are_replaced() {
    let mut post = Post::due_to(40);
    let (say, server) = gated();
    let configuration = post.configuration(&server, "connections = 1\npoll_seconds = 1");
    let mut worker = configuration.start();
    worker.wait_for_log("listening");
    until(|| server.said("DATA") == 10, || worker.log());
    // Between the hand-over and its answer.
    let end = "SELECT count(pg_terminate_backend(pid)) > 0 FROM pg_stat_activity WHERE application_name = 'remindersd deliver' AND datname = current_database()";
    assert_eq!(post.row(end), "t");
    say.send(()).expect("the server waits");
    until(|| post.row("SELECT count(*) FROM reminders WHERE status = 'sent'") == "40", || worker.log());
    assert_each_once(&mut post, &server, 40);
    until(|| worker.log().matches("listening for notifications").count() == 2, || worker.log());
    assert!(
        worker.is_running() && worker.log().matches("the database cannot be used").count() <= 1,
        "{}",
        worker.log()
    );
}

#[test]
fn a_database_that_is_away_for_a_while_is_waited_for() {
    let mut post = Post::due_to(40);
    let (say, server) = gated();
    let configuration = post.configuration(&server, "connections = 1\npoll_seconds = 1");
    let mut worker = configuration.start();
    until(|| server.said("DATA") == 10, || worker.log());
    let name = post.database.name.clone();
    let mut elsewhere = connect("postgres");
    run(&mut elsewhere, &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"));
    run(
        &mut elsewhere,
        &format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'remindersd deliver' AND datname = '{name}'"
        ),
    );
    say.send(()).expect("the server waits");
    worker.wait_for_log("the database cannot be used");
    // Some tries fail.
    std::thread::sleep(Duration::from_secs(1));
    assert!(worker.is_running());
    run(&mut elsewhere, &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"));
    worker.wait_for_log("the database can be used again");
    until(|| post.row("SELECT count(*) FROM reminders WHERE status = 'sent'") == "40", || worker.log());
    assert_each_once(&mut post, &server, 40);
    assert_eq!(worker.log().matches("the database cannot be used").count(), 1, "{}", worker.log());
}

#[test]
fn a_server_that_becomes_read_only_is_waited_for() {
    let mut post = Post::due_to(40);
    let (say, server) = gated();
    let configuration = post.configuration(&server, "connections = 1\npoll_seconds = 1");
    let mut worker = configuration.start();
    until(|| server.said("DATA") == 10, || worker.log());
    let (name, login) = (post.database.name.clone(), post.login.clone());
    run(&mut post.owner, &format!("ALTER ROLE {login} IN DATABASE {name} SET default_transaction_read_only = on"));
    let end = "SELECT count(pg_terminate_backend(pid)) > 0 FROM pg_stat_activity WHERE application_name = 'remindersd deliver' AND datname = current_database()";
    assert_eq!(post.row(end), "t");
    say.send(()).expect("the server waits");
    worker.wait_for_log("the database cannot be used");
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(post.row("SELECT count(*) FROM reminders WHERE status = 'sent'"), "9");
    run(&mut post.owner, &format!("ALTER ROLE {login} IN DATABASE {name} RESET default_transaction_read_only"));
    until(|| post.row("SELECT count(*) FROM reminders WHERE status = 'sent'") == "40", || worker.log());
    assert_each_once(&mut post, &server, 40);
    assert!(worker.is_running());
    // Between the two it was away for one reason, then another.
    assert!(worker.log().matches("the database cannot be used").count() <= 2, "{}", worker.log());
}

/// pgbouncer in transaction mode, with fewer sessions than clients.
struct Pooler {
    process: Child,
    folder: PathBuf,
    port: u16,
}

impl Pooler {
    fn start(database: &str, login: &str) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        let folder = std::env::temp_dir().join(format!("pgbouncer-{database}"));
        std::fs::create_dir_all(&folder).expect("a folder");
        let (socket, server) = (std::env::var("PGHOST").expect("PGHOST"), std::env::var("PGPORT").expect("PGPORT"));
        let file = folder.join("pgbouncer.ini");
        let text = format!(
            "[databases]\n* = host={socket} port={server} user={login}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
             pool_mode = transaction\ndefault_pool_size = 3\n"
        );
        std::fs::write(&file, text).expect("a configuration");
        let mut command = Command::new("/usr/sbin/pgbouncer");
        command.arg("-q");
        if std::fs::metadata("/proc/self").is_ok_and(|us| std::os::unix::fs::MetadataExt::uid(&us) == 0) {
            command.args(["-u", "postgres"]);
        }
        let process = command.arg(&file).stderr(Stdio::null()).spawn().expect("pgbouncer starts");
        let pooler = Self { process, folder, port };
        until(|| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok(), || "pgbouncer does not listen".to_string());
        pooler
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn behind_a_pooler_in_transaction_mode_workers_poll_and_send_each_message_once() {
    let mut post = Post::due_to(200);
    let pooler = Pooler::start(&post.database.name, &post.login);
    let server = Smtpd::start(|_| Reply::Usual);
    let url = format!("host=127.0.0.1 port={} user={} dbname={}", pooler.port, post.login, post.database.name);
    let lines = format!("smtp = 'smtp://127.0.0.1:{}'\nbatch = 10\npoll_seconds = 1", server.port);
    let configuration = post.configured_at(&url, &lines);
    let workers = [configuration.start(), configuration.start()];
    until(
        || post.row("SELECT count(*) FROM reminders WHERE status = 'sent'") == "200",
        || workers[0].log() + &workers[1].log(),
    );
    assert_each_once(&mut post, &server, 200);
    for mut worker in workers {
        worker.wait_for_log("polling only");
        worker.signal("-TERM");
        assert!(worker.ended(), "{}", worker.log());
        assert!(!worker.log().contains("ERROR") && !worker.log().contains("cannot be used"), "{}", worker.log());
    }
    assert_eq!(
        row(
            &mut post.owner,
            "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in%' AND datname = current_database()"
        ),
        "0"
    );
}
