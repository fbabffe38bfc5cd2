//! Clusters of a test's own, which it may kill, copy and take apart.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use postgres::{Client, Config, NoTls};

use crate::support::{kill, row, run};

const PATIENCE: Duration = Duration::from_mins(1);

pub struct Cluster {
    /// Holds the data, the sockets and the log.
    pub home: PathBuf,
    /// Where the programs of its Postgres are.
    bin: PathBuf,
    /// Of its socket, and of TCP where a test has it listen.
    pub port: u16,
    postmaster: Option<Child>,
}

impl Cluster {
    /// A new cluster, running, with a database "reminders". `settings` are lines for postgresql.conf.
    pub fn new(settings: &str) -> Self {
        Self::of(&installation(), settings)
    }

    /// The same, of the Postgres whose programs are in `bin`.
    pub fn of(bin: &Path, settings: &str) -> Self {
        let mut cluster = Self::stopped(bin);
        cluster
            .succeed("initdb", &["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync", "-D", "data"]);
        cluster.configure(settings);
        cluster.start();
        run(&mut cluster.connect("postgres"), "CREATE DATABASE reminders");
        cluster
    }

    /// One with nothing in it yet, not even a data directory.
    pub fn stopped(bin: &Path) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        // A short path: that of a socket holds no more than 107 characters.
        let name = format!("/tmp/asrm.torture.{}.{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let home = PathBuf::from(name);
        fs::create_dir(&home).expect("a new directory");
        if is_root() {
            let chown = Command::new("chown").arg("postgres:").arg(&home).status();
            assert!(chown.expect("chown").success());
        }
        Self { home, bin: bin.to_path_buf(), port: 5432, postmaster: None }
    }

    /// Adds lines to postgresql.conf.
    pub fn configure(&self, settings: &str) {
        let file = self.home.join("data/postgresql.conf");
        let (home, port) = (self.home.display(), self.port);
        let all = format!(
            "{}\nlisten_addresses = ''\nunix_socket_directories = '{home}'\nport = {port}\nfsync = off\nfull_page_writes = off\n\
             max_connections = 50\ntimezone = 'UTC'\nlog_min_messages = warning\nlog_line_prefix = '%m [%p] %e '\n{settings}\n",
            fs::read_to_string(&file).expect("postgresql.conf"),
        );
        fs::write(&file, all).expect("postgresql.conf");
    }

    pub fn start(&mut self) {
        // After a kill -9 of the postmaster, its children need a moment to notice; until then a new one refuses to start.
        let deadline = Instant::now() + PATIENCE;
        loop {
            let log = File::options().create(true).append(true).open(self.home.join("log")).expect("the log");
            let mut postmaster = as_owner(&self.bin.join("postgres"))
                .args(["-D", "data"])
                // As scripts/with-cluster does.
                .env("RUST_BACKTRACE", "full")
                .current_dir(&self.home)
                .stdout(log.try_clone().expect("the log"))
                .stderr(log)
                .spawn()
                .expect("postgres starts");
            while postmaster.try_wait().expect("its state").is_none() {
                if self.answers() {
                    self.postmaster = Some(postmaster);
                    return;
                }
                assert!(Instant::now() < deadline, "{}", self.log());
                std::thread::sleep(Duration::from_millis(20));
            }
            assert!(Instant::now() < deadline, "{}", self.log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Waits until the server takes connections again, after it has restarted all sessions.
    pub fn wait(&self) {
        let deadline = Instant::now() + PATIENCE;
        while !self.answers() {
            assert!(Instant::now() < deadline, "{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn answers(&self) -> bool {
        self.config("template1").connect(NoTls).is_ok_and(|mut client| client.batch_execute("SELECT").is_ok())
    }

    /// kill -9: no goodbye, no checkpoint.
    pub fn kill_postmaster(&mut self) {
        let mut postmaster = self.postmaster.take().expect("it runs");
        postmaster.kill().expect("kill");
        postmaster.wait().expect("it is gone");
    }

    pub fn stop(&mut self) {
        let Some(mut postmaster) = self.postmaster.take() else { return };
        kill("-INT", i32::try_from(postmaster.id()).expect("a pid"));
        postmaster.wait().expect("it is gone");
    }

    fn config(&self, database: &str) -> Config {
        let mut config = Config::new();
        config
            .host_path(&self.home)
            .port(self.port)
            .user("postgres")
            .dbname(database)
            .connect_timeout(Duration::from_secs(10))
            .options("-c search_path=assignment_reminders -c client_min_messages=error");
        config
    }

    pub fn connect(&self, database: &str) -> Client {
        self.try_connect(database).unwrap_or_else(|error| panic!("{database}: {error}\n{}", self.log()))
    }

    pub fn try_connect(&self, database: &str) -> Result<Client, postgres::Error> {
        self.config(database).connect(NoTls)
    }

    /// In the database "reminders", with the extension and its tables.
    pub fn installed(&self) -> Client {
        let mut client = self.connect("reminders");
        run(&mut client, "CREATE EXTENSION assignment_reminders; SELECT install()");
        client
    }

    /// A program of this cluster's Postgres, which finds the cluster by its environment.
    pub fn program(&self, name: &str) -> Command {
        let mut command = as_owner(&self.bin.join(name));
        command
            .current_dir(&self.home)
            .env("PGHOST", &self.home)
            .env("PGPORT", self.port.to_string())
            .env("PGUSER", "postgres");
        command
    }

    pub fn output(&self, name: &str, arguments: &[&str]) -> Output {
        self.program(name).args(arguments).output().expect("the program starts")
    }

    /// What a program prints that must succeed.
    pub fn succeed(&self, name: &str, arguments: &[&str]) -> String {
        let output = self.output(name, arguments);
        assert!(output.status.success(), "{name} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.home.join("log")).unwrap_or_default()
    }

    /// No test may leave these behind, whatever it did to the server.
    pub fn assert_log_is_clean(&self) {
        let log = self.log();
        let bad = |line: &&str| line.contains("PANIC:") || line.contains("panicked at") || line.contains("XX000");
        assert_eq!(log.lines().filter(bad).collect::<Vec<_>>(), Vec::<&str>::new());
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop();
        let _ = fs::remove_dir_all(&self.home);
    }
}

/// Where the programs of the tested Postgres are.
pub fn installation() -> PathBuf {
    std::env::var("PGBIN").expect("PGBIN is set by scripts/with-cluster: run `make torture`").into()
}

fn is_root() -> bool {
    fs::metadata("/proc/self").expect("/proc").uid() == 0
}

/// Postgres does not run as root: for root, it runs as the system user postgres.
fn as_owner(program: &Path) -> Command {
    let mut command = if is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    for variable in ["PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGDATA", "RUST_BACKTRACE"] {
        command.env_remove(variable);
    }
    command
}

/// Waits until a query of `client` returns the one row `expected`.
pub fn wait_for(client: &mut Client, query: &str, expected: &str) {
    let deadline = Instant::now() + PATIENCE;
    let mut last = row(client, query);
    while last != expected {
        assert!(Instant::now() < deadline, "{query}\n{last}, not {expected}");
        std::thread::sleep(Duration::from_millis(20));
        last = row(client, query);
    }
}
