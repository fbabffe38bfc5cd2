//! Workers without mail, for bench/run: each side takes what is due and marks it as done, as fast as it can, over several connections, until
//! nothing is due or the time is up. Prints how many that were, how long it took, and how many microseconds of CPU the server spent on each in these
//! connections, after the first batch, which plans: a measure that does not depend on what else the machine does.
//!
//! usage: deliver <side> <connections> <batch size> [<seconds>]
//!
//! Sides: ours; floor (claim, mark and log by hand on our tables, without any check); floor-named (that, and
//! the claim hands out address, names and title); pgmq (read and delete); pgmq-work (the same work as ours,
//! as a team would write it around pgmq); pgmq-merged (the same, put into as few statements as there can be). One client for all that is SQL,
//! so that only the SQL differs.

use std::thread;
use std::time::{Duration, Instant};

use postgres::{Client, Config, NoTls, Row, Statement};
use uuid::Uuid;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let side = match arguments.next().as_deref() {
        Some("ours") => Ours::start,
        Some("floor") => |client| Floor::start(client, include_str!("../../../bench/sql/floor_claim.sql")),
        Some("floor-named") => |client| Floor::start(client, include_str!("../../../bench/sql/floor_named_claim.sql")),
        Some("pgmq") => Pgmq::start,
        Some("pgmq-work") => PgmqWork::start,
        Some("pgmq-merged") => PgmqMerged::start,
        other => panic!("a side: ours, floor, floor-named, pgmq, pgmq-work or pgmq-merged, not {other:?}"),
    };
    let mut numbers = arguments.map(|argument| argument.parse::<u32>().expect("a number"));
    let connections = numbers.next().expect("connections");
    let batch = i32::try_from(numbers.next().expect("a batch size")).expect("a batch size");
    let until = numbers.next().map(|seconds| Instant::now() + Duration::from_secs(seconds.into()));

    let clients: Vec<Client> = (0..connections).map(|_| connect()).collect();
    let started = Instant::now();
    let workers: Vec<_> = clients
        .into_iter()
        .map(|mut client| {
            thread::spawn(move || {
                let backend = Backend::of(&mut client);
                let mut worker = side(client);
                let (mut delivered, mut planned) = (0, None);
                while until.is_none_or(|until| Instant::now() < until) {
                    let count = worker.deliver(batch);
                    if count == 0 {
                        break;
                    }
                    delivered += count;
                    planned.get_or_insert_with(|| (delivered, backend.cpu()));
                }
                let (first, before) = planned.unwrap_or_default();
                Delivered { all: delivered, later: delivered - first, cpu: backend.cpu().saturating_sub(before) }
            })
        })
        .collect();
    let delivered: Vec<Delivered> = workers.into_iter().map(|worker| worker.join().expect("a worker")).collect();
    let seconds = started.elapsed().as_secs_f64();
    let all: usize = delivered.iter().map(|worker| worker.all).sum();
    let later: usize = delivered.iter().map(|worker| worker.later).sum();
    let cpu: Duration = delivered.iter().map(|worker| worker.cpu).sum();
    #[allow(clippy::cast_precision_loss)] // far fewer than 2^52
    let each = if later == 0 { 0.0 } else { cpu.as_secs_f64() * 1e6 / later as f64 };
    println!("{all} {seconds:.3} {each:.2}");
}

/// What one worker did.
struct Delivered {
    all: usize,
    /// After the first batch.
    later: usize,
    /// What the server spent on these.
    cpu: Duration,
}

/// The process that serves a connection.
struct Backend(i32);

impl Backend {
    fn of(client: &mut Client) -> Self {
        Self(client.query_one("SELECT pg_backend_pid()", &[]).expect("a backend").get(0))
    }

    /// For how long it has been running, in its own code and in the kernel.
    fn cpu(&self) -> Duration {
        let spent = std::fs::read_to_string(format!("/proc/{}/schedstat", self.0)).expect("Linux on this machine");
        let nanoseconds = spent.split_whitespace().next().and_then(|first| first.parse().ok());
        Duration::from_nanos(nanoseconds.expect("nanoseconds"))
    }
}

fn connect() -> Client {
    let variable = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is set by scripts/with-cluster"));
    Config::new()
        .host_path(variable("PGHOST"))
        .port(variable("PGPORT").parse().expect("a port"))
        .user("postgres")
        .dbname(&variable("PGDATABASE"))
        .connect(NoTls)
        .expect("the throwaway cluster")
}

trait Worker {
    /// Takes a batch and marks it as done. Returns how many it was.
    fn deliver(&mut self, batch: i32) -> usize;
}

/// Two statements and the connection that prepared them: what takes a batch and what marks it.
struct Prepared {
    client: Client,
    take: Statement,
    mark: Statement,
}

impl Prepared {
    fn new(mut client: Client, take: &str, mark: &str) -> Self {
        let take = client.prepare(take).expect("the statement that takes");
        let mark = client.prepare(mark).expect("the statement that marks");
        Self { client, take, mark }
    }

    fn take(&mut self, batch: i32) -> Vec<Row> {
        self.client.query(&self.take, &[&batch]).expect("a batch")
    }
}

fn column<'a, T: postgres::types::FromSql<'a>>(rows: &'a [Row], name: &str) -> Vec<T> {
    rows.iter().map(|row| row.get(name)).collect()
}

struct Ours {
    queue: Prepared,
    /// What a worker that takes them one by one answers with.
    mark_one: Statement,
}

impl Ours {
    fn start(mut client: Client) -> Box<dyn Worker> {
        let mark_one = "SELECT assignment_reminders.mark_reminder_sent($1, $2, $3, 'bench@example.org')";
        let mark_one = client.prepare(mark_one).expect("the statement that marks one");
        let queue = Prepared::new(
            client,
            "SELECT * FROM assignment_reminders.claim_reminders($1)",
            "SELECT * FROM assignment_reminders.mark_reminders_sent($1, $2, $3, 'bench@example.org')",
        );
        Box::new(Self { queue, mark_one })
    }
}

impl Worker for Ours {
    fn deliver(&mut self, batch: i32) -> usize {
        let rows = self.queue.take(batch);
        let Some(first) = rows.first() else { return 0 };
        let claim_id: Uuid = first.get("claim_id");
        let (ids, messages) = (column::<Uuid>(&rows, "reminder_id"), column::<String>(&rows, "idempotency_key"));
        let client = &mut self.queue.client;
        let is_recorded = if batch == 1 {
            client.query_one(&self.mark_one, &[&ids[0], &claim_id, &messages[0]]).expect("a mark").get(0)
        } else {
            client.query(&self.queue.mark, &[&ids, &claim_id, &messages]).expect("a mark").is_empty()
        };
        assert!(is_recorded, "nobody else answers for these");
        ids.len()
    }
}

struct Floor(Prepared);

impl Floor {
    fn start(mut client: Client, claim: &str) -> Box<dyn Worker> {
        // Planned once and by index, as our own statements are: else Postgres plans the claim anew at every call, for its batch size.
        client
            .batch_execute(
                "SET plan_cache_mode = force_generic_plan; SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off",
            )
            .expect("settings");
        Box::new(Self(Prepared::new(client, claim, include_str!("../../../bench/sql/floor_mark.sql"))))
    }
}

impl Worker for Floor {
    fn deliver(&mut self, batch: i32) -> usize {
        let rows = self.0.take(batch);
        let Some(first) = rows.first() else { return 0 };
        let claim_id: Uuid = first.get("claim_id");
        let ids = column::<Uuid>(&rows, "id");
        let messages: Vec<String> = ids.iter().map(Uuid::to_string).collect();
        let marked = self.0.client.execute(&self.0.mark, &[&ids, &claim_id, &messages]).expect("a mark");
        assert_eq!(marked, ids.len() as u64, "nobody else answers for these");
        ids.len()
    }
}

struct Pgmq(Prepared);

impl Pgmq {
    fn start(client: Client) -> Box<dyn Worker> {
        Box::new(Self(Prepared::new(
            client,
            "SELECT * FROM pgmq.read('deliver', 300, $1)",
            "SELECT * FROM pgmq.delete('deliver', $1::bigint[])",
        )))
    }
}

impl Worker for Pgmq {
    fn deliver(&mut self, batch: i32) -> usize {
        let ids = column::<i64>(&self.0.take(batch), "msg_id");
        if !ids.is_empty() {
            let deleted = self.0.client.query(&self.0.mark, &[&ids]).expect("a delete");
            assert_eq!(deleted.len(), ids.len(), "nobody else deletes these");
        }
        ids.len()
    }
}

/// Read; check and look up; keep, log and delete in one transaction.
struct PgmqWork {
    queue: Prepared,
    check: Statement,
    record: Statement,
}

impl PgmqWork {
    fn start(mut client: Client) -> Box<dyn Worker> {
        let check = client.prepare(include_str!("../../../bench/sql/team_check.sql")).expect("the check");
        let record = client.prepare(include_str!("../../../bench/sql/team_record.sql")).expect("the record");
        let queue = Prepared::new(
            client,
            "SELECT msg_id, (message ->> 'assignment')::uuid AS assignment, (message ->> 'recipient')::uuid AS recipient,
                    message ->> 'silent_since' AS silent_since, message ->> 'due_at' AS due_at
               FROM pgmq.read('deliver', 300, $1)",
            "SELECT * FROM pgmq.delete('deliver', $1::bigint[])",
        );
        Box::new(Self { queue, check, record })
    }
}

impl Worker for PgmqWork {
    fn deliver(&mut self, batch: i32) -> usize {
        let jobs = self.queue.take(batch);
        let all = column::<i64>(&jobs, "msg_id");
        if all.is_empty() {
            return 0;
        }
        let (assignments, recipients) = (column::<Uuid>(&jobs, "assignment"), column::<Uuid>(&jobs, "recipient"));
        let (silences, due) = (column::<&str>(&jobs, "silent_since"), column::<Option<&str>>(&jobs, "due_at"));
        let wanted =
            self.queue.client.query(&self.check, &[&assignments, &recipients, &silences, &due]).expect("a check");
        let sent = Sent::of(&wanted);
        let mut transaction = self.queue.client.transaction().expect("a transaction");
        transaction
            .execute(&self.record, &[&sent.assignments, &sent.recipients, &sent.silences, &sent.emails, &sent.messages])
            .expect("a record");
        let deleted = transaction.query(&self.queue.mark, &[&all]).expect("a delete");
        transaction.commit().expect("a commit");
        assert_eq!(deleted.len(), all.len(), "nobody else deletes these");
        all.len()
    }
}

/// Reminders that were sent, column by column.
struct Sent<'a> {
    assignments: Vec<Uuid>,
    recipients: Vec<Uuid>,
    silences: Vec<&'a str>,
    emails: Vec<&'a str>,
    messages: Vec<String>,
}

impl<'a> Sent<'a> {
    fn of(rows: &'a [Row]) -> Self {
        let (assignments, silences) = (column::<Uuid>(rows, "assignment"), column::<&str>(rows, "silent_since"));
        let messages =
            assignments.iter().zip(&silences).map(|(assignment, since)| format!("{assignment}-{since}")).collect();
        Self { assignments, recipients: column(rows, "recipient"), silences, emails: column(rows, "email"), messages }
    }
}

/// Read, check and look up; keep, log and delete.
struct PgmqMerged(Prepared);

impl PgmqMerged {
    fn start(client: Client) -> Box<dyn Worker> {
        Box::new(Self(Prepared::new(
            client,
            include_str!("../../../bench/sql/pgmq_take.sql"),
            include_str!("../../../bench/sql/pgmq_record.sql"),
        )))
    }
}

impl Worker for PgmqMerged {
    fn deliver(&mut self, batch: i32) -> usize {
        let mut rows = self.0.take(batch);
        let all = column::<i64>(&rows, "msg_id");
        if all.is_empty() {
            return 0;
        }
        rows.retain(|row| row.get::<_, Option<&str>>("email").is_some());
        let sent = Sent::of(&rows);
        let deleted: i64 = self
            .0
            .client
            .query_one(
                &self.0.mark,
                &[&sent.assignments, &sent.recipients, &sent.silences, &sent.emails, &sent.messages, &all],
            )
            .expect("a record")
            .get(0);
        assert_eq!(usize::try_from(deleted), Ok(all.len()), "nobody else deletes these");
        all.len()
    }
}
