//! What the tests share: databases of their own, sessions, a small programme of people, and errors as users see them.

use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use postgres::{Client, Config, NoTls};
use uuid::Uuid;

fn variable(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: these tests need a throwaway cluster, run `make test`"))
}

/// Where a program of Postgres's is, such as pg_dump.
pub fn program(name: &str) -> std::process::Command {
    let mut command = std::process::Command::new(format!("{}/{name}", variable("PGBIN")));
    command.env("PGUSER", "postgres");
    command
}

/// Says that the test that runs is skipped, past the runner, which shows nothing of tests that pass.
pub fn skip(why: &str) {
    let thread = std::thread::current();
    // Nobody to tell is no reason to fail.
    let _ = writeln!(std::io::stderr(), "skipped: {}: {why}", thread.name().unwrap_or("a test"));
}

/// The major version of the server.
pub fn major() -> u32 {
    static MAJOR: OnceLock<u32> = OnceLock::new();
    *MAJOR.get_or_init(|| {
        let version = row(&mut connect("postgres"), "SHOW server_version_num");
        version.parse::<u32>().expect("a number") / 10_000
    })
}

/// Whether the server is of this major version or newer. Says that the test is skipped if not.
pub fn is_at_least(needed: u32) -> bool {
    let is_new_enough = major() >= needed;
    if !is_new_enough {
        skip(&format!("it needs Postgres {needed}, and this is {}", major()));
    }
    is_new_enough
}

/// Whether the server has pg_cron. Says that the test is skipped if not.
pub fn has_pg_cron() -> bool {
    let sql = "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_cron')";
    let is_there = row(&mut connect("postgres"), sql) == "t";
    if !is_there {
        skip("it needs pg_cron, and this Postgres has none");
    }
    is_there
}

fn config(database: &str) -> Config {
    let mut config = Config::new();
    config
        .host_path(variable("PGHOST"))
        .port(variable("PGPORT").parse().expect("PGPORT is a number"))
        .user("postgres")
        .dbname(database)
        .options("-c search_path=assignment_reminders -c client_min_messages=error");
    config
}

/// A session in the given database, as the superuser.
pub fn connect(database: &str) -> Client {
    config(database).connect(NoTls).unwrap_or_else(|error| panic!("{database}: {error}"))
}

fn connect_as(database: &str, role: &str) -> Client {
    config(database).user(role).connect(NoTls).unwrap_or_else(|error| panic!("{role}: {error}"))
}

/// A session as a role that is made for this test, with the rights that the given statements grant to {role}.
pub fn connect_as_new_role(database: &str, grants: &str) -> (Client, String) {
    let role = format!("role_{}", Uuid::new_v4().simple());
    let mut owner = connect(database);
    run(&mut owner, &format!("CREATE ROLE {role} LOGIN"));
    run(&mut owner, &grants.replace("{role}", &role));
    (connect_as(database, &role), role)
}

/// A database of one test's own, dropped with it.
pub struct Database {
    pub name: String,
}

impl Database {
    /// An empty one.
    pub fn empty() -> Self {
        Self::from("template1")
    }

    /// One in which the extension and its tables are installed.
    pub fn installed() -> Self {
        static TEMPLATE: OnceLock<String> = OnceLock::new();
        Self::from(TEMPLATE.get_or_init(|| {
            let name = format!("template_{}", std::process::id());
            run(&mut connect("postgres"), &format!("CREATE DATABASE {name}"));
            run(&mut connect(&name), "CREATE EXTENSION assignment_reminders; SELECT install()");
            name
        }))
    }

    /// An empty one of this name.
    pub fn named(name: &str) -> Self {
        Self::copy("template1", name.to_string())
    }

    fn from(template: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Self::copy(template, format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    fn copy(template: &str, name: String) -> Self {
        // Copying a template fails while another test copies it: only then is it worth trying again.
        let mut postgres = connect("postgres");
        for _ in 0..600 {
            match postgres.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {template}")) {
                Ok(()) => return Self { name },
                Err(error) if error.code().map(postgres::error::SqlState::code) == Some("55006") => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(error) => panic!("{error}"),
            }
        }
        panic!("{template} was in use for too long");
    }

    pub fn connect(&self) -> Client {
        connect(&self.name)
    }

    /// A session as the superuser, and what the server tells it beside its results.
    pub fn connect_with_notices(&self) -> (Client, std::sync::Arc<Mutex<Vec<String>>>) {
        let notices = std::sync::Arc::new(Mutex::new(Vec::new()));
        let told = std::sync::Arc::clone(&notices);
        let mut config = config(&self.name);
        config.notice_callback(move |notice| {
            told.lock().unwrap_or_else(PoisonError::into_inner).push(notice.message().to_string());
        });
        (config.connect(NoTls).unwrap_or_else(|error| panic!("{}: {error}", self.name)), notices)
    }

    /// A session as a role that is made for this test, with the rights that the given statements grant to {role}.
    pub fn connect_as_new_role(&self, grants: &str) -> (Client, String) {
        connect_as_new_role(&self.name, grants)
    }

    /// A session as a role with the rights that examples/worker/role.sql gives.
    #[allow(dead_code)] // not every test program has workers
    pub fn connect_as_worker(&self) -> Client {
        let grants = include_str!("../../examples/worker/role.sql").replace("reminder_worker", "{role}");
        self.connect_as_new_role(&grants).0
    }

    /// A session as a role that is made for this test, owns the database and is no superuser; and its name.
    pub fn connect_as_new_owner(&self) -> (Client, String) {
        self.connect_as_new_role(&format!("ALTER DATABASE {} OWNER TO {{role}}", self.name))
    }

    /// Another one, which this role owns, from a plain dump that it made of this one and restored.
    #[allow(dead_code)] // not every test program restores
    pub fn restored_by(&self, role: &str) -> Self {
        let restored = Self::empty();
        run(&mut self.connect(), &format!("ALTER DATABASE {} OWNER TO {role}", restored.name));
        let file = format!("{}/{}.sql", std::env::temp_dir().display(), self.name);
        for (name, arguments) in [
            ("pg_dump", vec!["--file", &file, &self.name]),
            ("psql", vec!["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file", &file, &restored.name]),
        ] {
            let output = program(name).env("PGUSER", role).args(arguments).output().expect("the program starts");
            assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        }
        std::fs::remove_file(file).expect("the dump");
        restored
    }

    /// A session as a role that is there.
    pub fn connect_as(&self, role: &str) -> Client {
        connect_as(&self.name, role)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A test that fails leaves sessions; the cluster is thrown away with whatever is left.
        let _ = connect("postgres").batch_execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

/// The database in which pg_cron runs jobs, emptied; for one test at a time, until the guard is dropped. What creates
/// pg_cron there asks [`has_pg_cron`] first.
pub fn home() -> (MutexGuard<'static, ()>, Client) {
    static HOME: Mutex<()> = Mutex::new(());
    // A test that failed while it held the database has left nothing that is not dropped here.
    let guard = HOME.lock().unwrap_or_else(PoisonError::into_inner);
    let mut client = connect("reminders");
    run(&mut client, "DROP SCHEMA IF EXISTS assignment_reminders CASCADE; DROP EXTENSION IF EXISTS pg_cron CASCADE");
    (guard, client)
}

/// Runs statements that must succeed.
pub fn run(client: &mut Client, sql: &str) {
    if let Err(error) = client.batch_execute(sql) {
        panic!("{sql}\n{}", described(&error));
    }
}

fn described(error: &postgres::Error) -> String {
    match error.as_db_error() {
        Some(error) => format!("{} {} {:?} {:?}", error.code().code(), error.message(), error.detail(), error.hint()),
        None => error.to_string(),
    }
}

/// The rows of a query as text, columns joined by '|', NULL shown as '-'.
pub fn rows(client: &mut Client, sql: &str) -> Vec<String> {
    let messages = match client.simple_query(sql) {
        Ok(messages) => messages,
        Err(error) => panic!("{sql}\n{}", described(&error)),
    };
    messages
        .iter()
        .filter_map(|message| match message {
            postgres::SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|index| row.get(index).unwrap_or("-")).collect::<Vec<_>>().join("|"))
            }
            _ => None,
        })
        .collect()
}

/// The one row of a query, as [`rows`] shows it.
pub fn row(client: &mut Client, sql: &str) -> String {
    let mut rows = rows(client, sql);
    assert_eq!(rows.len(), 1, "{sql} returns {rows:?}");
    rows.remove(0)
}

/// The names of our tables.
pub fn tables(client: &mut Client) -> Vec<String> {
    rows(
        client,
        "SELECT relname FROM pg_class WHERE relnamespace = 'assignment_reminders'::regnamespace AND relkind = 'r' ORDER BY 1",
    )
}

/// Every row of our tables, each behind the name of its table.
pub fn content(client: &mut Client) -> Vec<String> {
    let tables = tables(client);
    tables
        .iter()
        .flat_map(|table| {
            rows(client, &format!("SELECT '{table}', t::text FROM assignment_reminders.{table} AS t ORDER BY 2"))
        })
        .collect()
}

/// An error as a user sees it.
#[derive(Debug)]
pub struct Refusal {
    pub sqlstate: String,
    pub message: String,
    pub detail: String,
    pub hint: String,
}

/// The error of statements that must fail.
pub fn refused(client: &mut Client, sql: &str) -> Refusal {
    let error = client.batch_execute(sql).expect_err(sql);
    let error = error.as_db_error().unwrap_or_else(|| panic!("{sql}: {error}"));
    // The cluster has RUST_BACKTRACE=full in its environment.
    assert!(!error.detail().unwrap_or_default().contains("   0: "), "{sql}: a backtrace in {error:?}");
    Refusal {
        sqlstate: error.code().code().to_string(),
        message: error.message().to_string(),
        detail: error.detail().unwrap_or_default().to_string(),
        hint: error.hint().unwrap_or_default().to_string(),
    }
}

/// Asserts that statements fail with this SQLSTATE and a message that holds this text, with a DETAIL and a HINT.
pub fn assert_refused(client: &mut Client, sql: &str, sqlstate: &str, text: &str) {
    let refusal = refused(client, sql);
    assert_eq!(refusal.sqlstate, sqlstate, "{sql}: {refusal:?}");
    assert!(refusal.message.contains(text), "{sql}: {refusal:?}");
    assert!(!refusal.detail.is_empty() && !refusal.hint.is_empty(), "{sql}: {refusal:?}");
}

/// A small programme in the default organisation.
pub struct People {
    pub student: Uuid,
    pub mentor: Uuid,
    pub mentor_user: Uuid,
    pub coordinator: Uuid,
}

impl People {
    pub fn new(client: &mut Client) -> Self {
        Self::in_organization(client, "00000000-0000-0000-0000-000000000001")
    }

    pub fn in_organization(client: &mut Client, organization: &str) -> Self {
        let mut user = |name: &str| -> Uuid {
            let email = format!("{name}-{}@example.org", Uuid::new_v4().simple());
            client
                .query_one(
                    "INSERT INTO users (organization_id, email, name) VALUES ($1::text::uuid, $2, $3) RETURNING id",
                    &[&organization, &email, &name],
                )
                .expect("a user")
                .get(0)
        };
        let (student, mentor_user, coordinator) = (user("student"), user("mentor"), user("coordinator"));
        let mentor = mentor_of(client, organization, mentor_user);
        Self { student, mentor, mentor_user, coordinator }
    }

    /// Inserts many, titled by their number.
    pub fn assignments(&self, client: &mut Client, assigned_on: &str, number: i32) {
        client
            .execute(
                "INSERT INTO assignments (organization_id, title, student_id, peer_mentor_id, coordinator_id, assigned_on) \
                 SELECT organization_id, lpad(n::text, 6, '0'), $1, $2, $3, $4::text::date FROM users, generate_series(1, $5) AS n WHERE id = $1",
                &[&self.student, &self.mentor, &self.coordinator, &assigned_on, &number],
            )
            .expect("assignments");
    }

    /// Inserts an assignment of these people, assigned on this date, and returns its id.
    pub fn assignment(&self, client: &mut Client, assigned_on: &str) -> Uuid {
        client
            .query_one(
                "INSERT INTO assignments (organization_id, title, student_id, peer_mentor_id, coordinator_id, assigned_on) \
                 SELECT organization_id, 'Essay', $1, $2, $3, $4::text::date FROM users WHERE id = $1 RETURNING id",
                &[&self.student, &self.mentor, &self.coordinator, &assigned_on],
            )
            .expect("an assignment")
            .get(0)
    }
}

/// A mentor with so many assignments, silent since that day, whose reminders a run at that moment enqueued, however many.
#[allow(dead_code)] // not every test program delivers
pub fn waiting(number: i32, since: &str, run_at: &str) -> (Database, Client, People) {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    people.assignments(&mut client, since, number);
    run(
        &mut client,
        &format!("UPDATE reminder_settings SET follow_up_limit = NULL; SELECT run_daily_evaluation('{run_at}')"),
    );
    (database, client, people)
}

/// Inserts a follow-up to the mentor for every assignment, due at a moment, as a daily run would have.
pub fn enqueue_follow_ups(client: &mut Client, scheduled_for: &str) {
    run(
        client,
        &format!(
            "INSERT INTO reminders (organization_id, assignment_id, recipient_id, reminder_type, anchor, scheduled_for)
             SELECT a.organization_id, a.id, m.user_id, 'contact-reminder',
                    coalesce(a.last_contact_date, a.assigned_on)::timestamp AT TIME ZONE 'UTC', '{scheduled_for}'
               FROM assignments a JOIN peer_mentors m ON m.id = a.peer_mentor_id ORDER BY a.title, a.id"
        ),
    );
}

fn mentor_of(client: &mut Client, organization: &str, user: Uuid) -> Uuid {
    client
        .query_one(
            "INSERT INTO peer_mentors (organization_id, user_id) VALUES ($1::text::uuid, $2) RETURNING id",
            &[&organization, &user],
        )
        .expect("a mentor")
        .get(0)
}

/// Waits until another session waits for a lock that `pid` or anybody else holds.
pub fn wait_until_blocked(observer: &mut Client, pid: i32) {
    for _ in 0..1000 {
        if row(observer, &format!("SELECT cardinality(pg_blocking_pids({pid})) > 0")) == "t" {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("session {pid} does not wait for a lock");
}

pub fn pid(client: &mut Client) -> i32 {
    client.query_one("SELECT pg_backend_pid()", &[]).expect("a pid").get(0)
}

/// Sends a signal to a process, such as -9. By the shell: a bare Debian 12 has no program kill.
#[allow(dead_code)] // not every test program kills
pub fn kill(signal: &str, pid: impl std::fmt::Display) {
    let status = std::process::Command::new("sh").args(["-c", &format!("kill {signal} {pid}")]).status();
    assert!(status.expect("sh starts").success(), "kill {signal} {pid}");
}

/// A small generator of numbers: what it gives is the seed's alone.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// From now on ids follow from each other, so that which rows the deeds pick is the seed's alone.
pub fn number_ids(client: &mut Client) {
    run(
        client,
        "CREATE SEQUENCE public.numbers;
         CREATE FUNCTION public.next_id() RETURNS uuid LANGUAGE sql VOLATILE AS $$SELECT md5(nextval('public.numbers')::text)::uuid$$;
         DO $$
         DECLARE name text;
         BEGIN
             FOR name IN SELECT d.adrelid::regclass FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid
                          WHERE c.relnamespace = 'assignment_reminders'::regnamespace AND pg_get_expr(d.adbin, d.adrelid) = 'gen_random_uuid()' LOOP
                 EXECUTE format('ALTER TABLE %s ALTER COLUMN id SET DEFAULT public.next_id()', name);
             END LOOP;
         END $$",
    );
}
