//! A programme with messages to send, and the program that sends them, as a role that is a member of the workers' and no more.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use postgres::Client;
use uuid::Uuid;

use crate::smtpd::Smtpd;
use crate::support::{Database, People, enqueue_follow_ups, kill, row, run};

/// The organization of those who name none.
pub const DEFAULT: &str = "00000000-0000-0000-0000-000000000001";

pub struct Post {
    pub database: Database,
    pub owner: Client,
    pub login: String,
}

impl Post {
    /// So many mentors, to each of whom a message is due.
    pub fn due_to(mentors: usize) -> Self {
        let mut post = Self::empty();
        for _ in 0..mentors {
            People::new(&mut post.owner).assignment(&mut post.owner, "2026-01-01");
        }
        post.enqueue();
        post
    }

    pub fn empty() -> Self {
        let database = Database::installed();
        let mut owner = database.connect();
        let member = database.connect_as_new_role("").1;
        let worker = database.connect_as_new_role("").1;
        run(&mut owner, &format!("SELECT enable_row_security('{member}', '{worker}')"));
        let login = database.connect_as_new_role(&format!("GRANT {worker} TO {{role}}")).1;
        Self { database, owner, login }
    }

    pub fn enqueue(&mut self) {
        enqueue_follow_ups(&mut self.owner, "2026-01-20");
    }

    /// Those of these assignments fall due one after the other, a second apart.
    pub fn enqueue_in_turn(&mut self, assignments: &[Uuid]) {
        self.enqueue();
        for (assignment, second) in assignments.iter().zip(0..) {
            run(
                &mut self.owner,
                &format!(
                    "UPDATE reminders SET scheduled_for = '2026-01-20 00:00:0{second}' WHERE assignment_id = '{assignment}'"
                ),
            );
        }
    }

    /// What is to be sent by another run.
    pub fn enqueue_again(&mut self) {
        run(&mut self.owner, "SELECT run_daily_evaluation('2026-01-21 12:00+00')");
    }

    pub fn row(&mut self, sql: &str) -> String {
        row(&mut self.owner, sql)
    }

    pub fn rows(&mut self, sql: &str) -> Vec<String> {
        crate::support::rows(&mut self.owner, sql)
    }

    /// How many reminders there are of each status, how many attempts they had, and whether somebody holds them.
    pub fn state(&mut self) -> Vec<String> {
        self.rows(
            "SELECT status, attempts, claim_id IS NOT NULL, count(*) FROM reminders GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        )
    }

    /// Whom it is paused for.
    pub fn pause(&mut self) -> Vec<String> {
        self.rows("SELECT paused_for FROM claim_rates WHERE paused_until > now() ORDER BY 1")
    }

    /// Where the database is, for this role.
    pub fn url_of(&self, role: &str) -> String {
        let (socket, number) = (std::env::var("PGHOST").expect("PGHOST"), std::env::var("PGPORT").expect("PGPORT"));
        format!("host={socket} port={number} user={role} dbname={}", self.database.name)
    }

    /// A configuration for this server, with `{port}` in these lines of [deliver].
    pub fn configuration(&self, server: &Smtpd, lines: &str) -> Configuration {
        let lines = lines.replace("{port}", &server.port.to_string());
        let smtp = if lines.contains("smtp =") && !lines.starts_with("[[") {
            String::new()
        } else {
            format!("smtp = 'smtp://127.0.0.1:{}'\n", server.port)
        };
        self.configured_at(&self.url_of(&self.login), &format!("{smtp}{lines}"))
    }

    pub fn configured_at(&self, url: &str, lines: &str) -> Configuration {
        static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let from = if lines.contains("from = 'nobody'") { "" } else { "from = 'reminders@example.org'\n" };
        let text = format!("[database]\nurl = '{url}'\n[deliver]\n{from}{lines}\n");
        let file = std::env::temp_dir().join(format!("deliver-{}-{number}.toml", self.database.name));
        std::fs::write(&file, text).expect("a configuration");
        Configuration(file)
    }

    /// Sends all there is; what it logged, and whether all went well.
    pub fn once(&self, server: &Smtpd, lines: &str) -> (String, bool) {
        self.configuration(server, lines).run(&["--once"])
    }
}

pub struct Configuration(PathBuf);

impl Drop for Configuration {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Configuration {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_remindersd"));
        command.arg("deliver").args(arguments).arg("--config").arg(&self.0).env("REMINDERSD_LOG", "info");
        command
    }

    /// Until it ends: its log and output, and whether all went well.
    pub fn run(&self, arguments: &[&str]) -> (String, bool) {
        self.run_with(arguments, &[])
    }

    /// In this environment.
    pub fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> (String, bool) {
        let output = self.command(arguments).envs(environment.iter().copied()).output().expect("it runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).to_string();
        (text(&output.stderr) + &text(&output.stdout), output.status.success())
    }

    /// What `remindersd check` says of it, and whether it fits.
    pub fn check(&self) -> (String, bool) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_remindersd"));
        let output = command.arg("check").arg("--config").arg(&self.0).output().expect("it runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).to_string();
        (text(&output.stderr) + &text(&output.stdout), output.status.success())
    }

    /// In the background.
    pub fn start(&self) -> Worker {
        let mut child = self.command(&[]).stderr(Stdio::piped()).spawn().expect("it starts");
        let log = Arc::new(Mutex::new(String::new()));
        let (stderr, written) = (child.stderr.take().expect("its log"), Arc::clone(&log));
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut log = written.lock().unwrap_or_else(PoisonError::into_inner);
                log.push_str(&line);
                log.push('\n');
            }
        });
        Worker { child, log }
    }
}

/// Ends with the test, however that ends.
pub struct Worker {
    child: Child,
    log: Arc<Mutex<String>>,
}

impl Worker {
    pub fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn signal(&self, signal: &str) {
        kill(signal, self.child.id());
    }

    /// Waits until it has ended; whether all went well.
    pub fn ended(&mut self) -> bool {
        self.child.wait().expect("it ends").success()
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a process").is_none()
    }

    pub fn wait_for_log(&self, text: &str) {
        until(|| self.log().contains(text), || format!("no {text:?} in\n{}", self.log()));
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks again and again, for a minute.
pub fn until(mut is_so: impl FnMut() -> bool, otherwise: impl Fn() -> String) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !is_so() {
        assert!(Instant::now() < deadline, "{}", otherwise());
        std::thread::sleep(Duration::from_millis(10));
    }
}
