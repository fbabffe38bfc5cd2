//! A worker without mail: claims reminders and marks them as sent, over several connections, until none is due or the time
//! is up. Prints how many it delivered and how long that took. For bench/run.
//!
//! usage: deliver <connections> <batch size> [<seconds>]

use std::thread;
use std::time::{Duration, Instant};

use postgres::{Client, Config, NoTls};
use uuid::Uuid;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u32>().expect("a number"));
    let connections = arguments.next().expect("connections");
    let batch = i32::try_from(arguments.next().expect("a batch size")).expect("a batch size");
    let until = arguments.next().map(|seconds| Instant::now() + Duration::from_secs(seconds.into()));

    let clients: Vec<Client> = (0..connections).map(|_| connect()).collect();
    let started = Instant::now();
    let workers: Vec<_> =
        clients.into_iter().map(|client| thread::spawn(move || deliver(client, batch, until))).collect();
    let delivered: usize = workers.into_iter().map(|worker| worker.join().expect("a worker")).sum();
    println!("{delivered} {:.3}", started.elapsed().as_secs_f64());
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

fn deliver(mut client: Client, batch: i32, until: Option<Instant>) -> usize {
    let claim = client.prepare("SELECT * FROM assignment_reminders.claim_reminders($1)").expect("claim_reminders");
    let mark = client
        .prepare("SELECT * FROM assignment_reminders.mark_reminders_sent($1, $2, $3, 'bench@example.org')")
        .expect("mark_reminders_sent");
    let mut delivered = 0;
    while until.is_none_or(|until| Instant::now() < until) {
        let rows = client.query(&claim, &[&batch]).expect("a claim");
        let Some(first) = rows.first() else { break };
        let claim_id: Uuid = first.get("claim_id");
        let ids: Vec<Uuid> = rows.iter().map(|row| row.get("reminder_id")).collect();
        let messages: Vec<String> = rows.iter().map(|row| row.get("idempotency_key")).collect();
        let stale = client.query(&mark, &[&ids, &claim_id, &messages]).expect("a mark");
        assert!(stale.is_empty(), "nobody else answers for these");
        delivered += ids.len();
    }
    delivered
}
