//! kill -9 of backends and of the postmaster under mixed load: what was acknowledged is there, what was not is whole or
//! absent, and everything goes on.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use postgres::Client;
use uuid::Uuid;

use crate::cluster::Cluster;
use crate::support::{People, kill, row, rows, run};

const ROUNDS: u32 = 20;
const SESSIONS: u64 = 8;
/// How many statements succeed in a round before something is killed, at least.
const STATEMENTS: u32 = 400;

/// What the server has acknowledged. All that is known of anything else is that it may have happened.
#[derive(Default)]
struct Acknowledged {
    assignments: Mutex<HashSet<Uuid>>,
    activities: Mutex<HashSet<Uuid>>,
    /// Idempotency keys of reminders that were marked as sent.
    sent: Mutex<HashSet<String>>,
    deadlocks: AtomicU32,
    statements: AtomicU32,
}

#[test]
fn killed_backends_and_postmasters_lose_double_and_miscount_nothing() {
    let mut cluster = Cluster::new("deadlock_timeout = 100ms");
    let mut client = cluster.installed();
    let people: Vec<People> = (0..4).map(|_| People::new(&mut client)).collect();
    for people in &people {
        people.assignments(&mut client, "2026-11-01", 250);
    }
    // What comes in late is not to be held.
    run(&mut client, "UPDATE reminder_settings SET follow_up_limit = NULL");
    drop(client);

    let acknowledged = Acknowledged::default();
    for round in 0..ROUNDS {
        let takes_postmaster = round % 4 == 3;
        // A day later each time: new silences are due, leases have run out.
        let as_of = format!("2026-11-{:02} 12:00+00", 2 + round);
        let before = acknowledged.statements.load(Ordering::Relaxed);
        let stop = AtomicBool::new(false);
        let deadline = Instant::now() + Duration::from_mins(1);
        thread::scope(|scope| {
            for session in 0..SESSIONS {
                let client = cluster.connect("reminders");
                let (acknowledged, people, as_of, stop) = (&acknowledged, &people, &as_of, &stop);
                let mut random = fastrand::Rng::with_seed(u64::from(round) * SESSIONS + session);
                scope.spawn(move || {
                    let mut load = Load { client, acknowledged, people, as_of, round };
                    while !stop.load(Ordering::Relaxed) && load.step(&mut random) {}
                });
            }
            let mut random = fastrand::Rng::with_seed(u64::from(round));
            let mut observer = cluster.connect("reminders");
            while acknowledged.statements.load(Ordering::Relaxed) < before + STATEMENTS {
                // A session that found something wrong has ended with it.
                if Instant::now() > deadline {
                    stop.store(true, Ordering::Relaxed);
                    panic!("the load came to a standstill");
                }
                thread::yield_now();
            }
            if takes_postmaster {
                drop(observer);
                cluster.kill_postmaster();
            } else {
                let pids = rows(
                    &mut observer,
                    "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY pid",
                );
                kill("-9", &pids[random.usize(..pids.len())]);
            }
            stop.store(true, Ordering::Relaxed);
        });
        if takes_postmaster {
            cluster.start();
        }
        cluster.wait();
        verify(&mut cluster.connect("reminders"), &acknowledged);
    }
    // A tenth of a second of waiting in a circle, seen and resolved by the server, is not a fault, but a common one would be.
    let (deadlocks, statements) =
        (acknowledged.deadlocks.into_inner(), acknowledged.statements.load(Ordering::Relaxed));
    println!("{statements} statements acknowledged, {deadlocks} deadlocks");
    assert!(deadlocks * 1000 < statements, "{deadlocks} deadlocks in {statements} statements");
    drain(&mut cluster.connect("reminders"), &acknowledged.sent);
    cluster.assert_log_is_clean();
}

struct Load<'a> {
    client: Client,
    acknowledged: &'a Acknowledged,
    people: &'a [People],
    as_of: &'a str,
    round: u32,
}

impl<'a> Load<'a> {
    /// One random piece of work. False: the session is gone.
    fn step(&mut self, random: &mut fastrand::Rng) -> bool {
        let done = match random.u32(..12) {
            0..=2 => self.assign(random),
            3..=5 => self.contact(random),
            6 => self.change(random),
            7 => self.query("SELECT count(*) FROM run_daily_evaluation($1::text::timestamptz)"),
            8 => self.query("SELECT count(*) FROM enqueue_due_reminders($1::text::timestamptz)"),
            _ => self.deliver(random),
        };
        match done {
            Ok(()) => {
                self.acknowledged.statements.fetch_add(1, Ordering::Relaxed);
                true
            }
            Err(error) => match error.code().map(|code| code.code().to_string()) {
                None => false,
                Some(code) if code.starts_with("57P") => false,
                Some(code) if code == "40P01" => {
                    self.acknowledged.deadlocks.fetch_add(1, Ordering::Relaxed);
                    true
                }
                Some(code) => panic!("{code}: {error:?}"),
            },
        }
    }

    fn query(&mut self, sql: &str) -> Result<(), postgres::Error> {
        self.client.execute(sql, &[&self.as_of]).map(drop)
    }

    fn people(&self, random: &mut fastrand::Rng) -> &'a People {
        &self.people[random.usize(..self.people.len())]
    }

    fn assign(&mut self, random: &mut fastrand::Rng) -> Result<(), postgres::Error> {
        let ids: Vec<Uuid> = (0..random.usize(1..20)).map(|_| Uuid::new_v4()).collect();
        let mentors: Vec<Uuid> = ids.iter().map(|_| self.people(random).mentor).collect();
        let people = self.people(random);
        self.client.execute(
            "INSERT INTO assignments (id, title, student_id, peer_mentor_id, coordinator_id, assigned_on, due_at)
             SELECT id, 'New', $3, mentor, $4, '2026-11-01', $5::text::timestamptz + interval '1 day' FROM unnest($1::uuid[], $2::uuid[]) AS new (id, mentor)",
            &[&ids, &mentors, &people.student, &people.coordinator, &self.as_of],
        )?;
        self.acknowledged.assignments.lock().expect("unpoisoned").extend(ids);
        Ok(())
    }

    fn contact(&mut self, random: &mut fastrand::Rng) -> Result<(), postgres::Error> {
        let ids: Vec<Uuid> = (0..random.usize(1..20)).map(|_| Uuid::new_v4()).collect();
        let occurred_at = format!("2026-11-{:02} {:02}:00+00", random.u32(1..3 + self.round), random.u32(..24));
        let written = self.client.query(
            "INSERT INTO activities (id, assignment_id, occurred_at)
             SELECT new.id, a.id, $2::text::timestamptz
               FROM unnest($1::uuid[]) WITH ORDINALITY AS new (id, n)
               JOIN (SELECT a.id, row_number() OVER () AS n FROM (SELECT id FROM assignments ORDER BY random() LIMIT 20) AS a) AS a USING (n)
             RETURNING id",
            &[&ids, &occurred_at],
        )?;
        self.acknowledged
            .activities
            .lock()
            .expect("unpoisoned")
            .extend(written.iter().map(|row| row.get::<_, Uuid>(0)));
        Ok(())
    }

    /// One assignment gets another mentor, is paused, completed, or its contact date corrected.
    fn change(&mut self, random: &mut fastrand::Rng) -> Result<(), postgres::Error> {
        let one = "(SELECT id FROM assignments ORDER BY random() LIMIT 1)";
        let sql = match random.u32(..4) {
            0 => format!(
                "UPDATE assignments SET peer_mentor_id = (SELECT id FROM peer_mentors ORDER BY random() LIMIT 1) WHERE id = {one}"
            ),
            1 => format!(
                "UPDATE assignments SET status = CASE status WHEN 'open' THEN 'paused' ELSE 'open' END WHERE id = {one}"
            ),
            2 => format!("UPDATE assignments SET completed = NOT completed WHERE id = {one}"),
            _ => format!(
                "SELECT correct_last_contact_date({one}, '2026-11-01'::date + {}, 'a mistake')",
                random.u32(..10)
            ),
        };
        self.client.simple_query(&sql).map(drop)
    }

    /// Claims, and then sends, fails or forgets each.
    fn deliver(&mut self, random: &mut fastrand::Rng) -> Result<(), postgres::Error> {
        let claimed = self.client.query(
            "SELECT reminder_id, claim_id, idempotency_key FROM claim_reminders($1, as_of => $2::text::timestamptz)",
            &[&random.i32(1..50), &self.as_of],
        )?;
        let (mut sent, mut keys, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for row in &claimed {
            match random.u32(..10) {
                0 => failed.push(row.get::<_, Uuid>(0)),
                1 => {}
                _ => {
                    sent.push(row.get::<_, Uuid>(0));
                    keys.push(row.get::<_, String>(2));
                }
            }
        }
        let Some(claim) = claimed.first().map(|row| row.get::<_, Uuid>(1)) else { return Ok(()) };
        let stale = self.client.query(
            "SELECT mark_reminders_sent($1, $2, $3, as_of => $4::text::timestamptz)",
            &[&sent, &claim, &keys, &self.as_of],
        )?;
        let stale: HashSet<Uuid> = stale.iter().map(|row| row.get(0)).collect();
        {
            let mut acknowledged = self.acknowledged.sent.lock().expect("unpoisoned");
            for (_, key) in sent.iter().zip(keys).filter(|(id, _)| !stale.contains(*id)) {
                assert!(acknowledged.insert(key.clone()), "{key} was recorded as sent twice");
            }
        }
        self.client.execute(
            "SELECT mark_reminders_failed($1, $2, NULL, as_of => $3::text::timestamptz)",
            &[&failed, &claim, &self.as_of],
        )?;
        Ok(())
    }
}

/// What must hold whenever nothing is running.
fn verify(client: &mut Client, acknowledged: &Acknowledged) {
    let there = |client: &mut Client, table: &str, ids: &Mutex<HashSet<Uuid>>| {
        let ids: Vec<Uuid> = ids.lock().expect("unpoisoned").iter().copied().collect();
        let found: i64 = client
            .query_one(&format!("SELECT count(*) FROM {table} WHERE id = ANY ($1)"), &[&ids])
            .expect(table)
            .get(0);
        assert_eq!(usize::try_from(found).expect("a count"), ids.len(), "acknowledged rows of {table}");
    };
    there(client, "assignments", &acknowledged.assignments);
    there(client, "activities", &acknowledged.activities);
    assert_eq!(
        rows(
            client,
            "SELECT m.id, m.assignment_count, count(a.id) FROM peer_mentors m LEFT JOIN assignments a ON a.peer_mentor_id = m.id
              GROUP BY m.id HAVING m.assignment_count <> count(a.id)"
        ),
        [""; 0],
        "counts"
    );
    // Told from the first principle, unlike the triggers: the last correction, or a later activity that it did not overrule.
    assert_eq!(
        rows(
            client,
            "SELECT a.id, a.last_contact_date, told.contact_date
               FROM assignments a JOIN organizations o ON o.id = a.organization_id
              CROSS JOIN LATERAL (
                    SELECT max(contact_date) AS contact_date FROM (
                        SELECT (t.occurred_at AT TIME ZONE o.timezone)::date FROM activities t
                         WHERE t.assignment_id = a.id AND t.is_contact AND t.overruled_by IS NULL
                        UNION ALL
                        SELECT (array_agg(c.new_date ORDER BY c.number DESC))[1] FROM contact_corrections c WHERE c.assignment_id = a.id
                    ) AS dates (contact_date)
              ) AS told
              WHERE a.last_contact_date IS DISTINCT FROM told.contact_date"
        ),
        [""; 0],
        "contact dates"
    );
    assert_eq!(
        rows(
            client,
            "SELECT reminder_id, anchor, count(*) FROM send_logs WHERE status = 'queued' GROUP BY 1, 2 HAVING count(*) > 1"
        ),
        [""; 0],
        "messages logged twice"
    );
    let sent: Vec<String> = acknowledged.sent.lock().expect("unpoisoned").iter().cloned().collect();
    let logged: i64 = client
        .query_one("SELECT count(*) FROM send_logs WHERE status = 'queued' AND message_id = ANY ($1)", &[&sent])
        .expect("the log")
        .get(0);
    assert_eq!(usize::try_from(logged).expect("a count"), sent.len(), "acknowledged messages in the log");
    assert_eq!(row(client, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), "0");
}

/// After it all, a run and workers bring everything to its end.
fn drain(client: &mut Client, sent: &Mutex<HashSet<String>>) {
    run(client, "SET TimeZone = 'UTC'");
    let as_of = "2026-12-24 12:00+00";
    row(client, &format!("SELECT count(*) FROM run_daily_evaluation('{as_of}')"));
    assert_eq!(
        row(client, &format!("SELECT count(*) FROM evaluate_assignments('{as_of}')")),
        "0",
        "nothing is left to enqueue"
    );
    loop {
        let claimed = client
            .query(
                &format!(
                    "SELECT claim_id, reminder_id, idempotency_key FROM claim_reminders(10000, as_of => '{as_of}')"
                ),
                &[],
            )
            .expect("a claim");
        let Some(first) = claimed.first() else { break };
        let ids: Vec<Uuid> = claimed.iter().map(|row| row.get(1)).collect();
        for row in &claimed {
            assert!(sent.lock().expect("unpoisoned").insert(row.get(2)), "a reminder that was sent came back");
        }
        let stale = client
            .query(
                &format!("SELECT mark_reminders_sent($1, $2, as_of => '{as_of}')"),
                &[&ids, &first.get::<_, Uuid>(0)],
            )
            .expect("an answer");
        assert_eq!(stale.len(), 0);
    }
    assert_eq!(
        row(client, &format!("SELECT count(*) FROM reminders WHERE status = 'pending' AND scheduled_for <= '{as_of}'")),
        "0",
        "no reminder is lost"
    );
    // Every silence that is long enough has its message: sent, or given up after its last attempt.
    assert_eq!(
        rows(
            client,
            "SELECT a.id FROM assignments a JOIN reminder_settings s USING (organization_id)
              WHERE a.status = 'open' AND date '2026-12-24' - coalesce(a.last_contact_date, a.assigned_on) >= s.reminder_after_days
                AND NOT EXISTS (SELECT FROM reminders r WHERE r.assignment_id = a.id AND r.reminder_type = 'contact-reminder'
                                   AND r.anchor = coalesce(a.last_contact_date, a.assigned_on) AND r.status IN ('sent', 'failed'))"
        ),
        [""; 0]
    );
}
