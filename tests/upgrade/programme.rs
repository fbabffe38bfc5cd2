//! A programme that lived at 0.1.0, and what must be true of it afterwards.

use std::fs::File;
use std::process::Command;

use postgres::Client;

use crate::support::{Database, program, row, rows, run};

/// A database at 0.1.0 with the demonstration's data and a busy outbox.
pub fn at_0_1_0() -> Database {
    let database = Database::empty();
    fill(program("psql"), &database.name, &mut database.connect());
    database
}

/// Makes an empty database such a one, by a psql that finds its server.
pub fn fill(mut psql: Command, database: &str, client: &mut Client) {
    let programme = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/upgrade/programme_0.1.0.sql");
    let output = psql
        .args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname", database])
        // Opened here: psql may run as somebody who cannot read the sources.
        .stdin(File::open(programme).expect(programme))
        .output()
        .expect("psql");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let states = rows(
        client,
        "SELECT count(DISTINCT (kind, state)) FROM (
                SELECT CASE WHEN reminder_type LIKE 'contact-%' OR reminder_type = 'daily-summary' THEN reminder_type ELSE 'due' END AS kind,
                       CASE WHEN claim_id IS NOT NULL AND status = 'pending' THEN 'claimed' ELSE status END AS state FROM reminders) AS r",
    );
    assert_eq!(states, ["20"], "four kinds in each of pending, claimed, sent, failed and skipped");
}

pub fn update(client: &mut Client) {
    run(client, "BEGIN; ALTER EXTENSION assignment_reminders UPDATE; SELECT install(); COMMIT");
}

/// Every row of 0.1.0's tables, in the columns that it had.
pub struct Content {
    selects: Vec<String>,
    rows: Vec<String>,
}

impl Content {
    pub fn of(client: &mut Client) -> Self {
        let selects = rows(
            client,
            "SELECT format('SELECT %L || jsonb_build_array(%s)::text FROM assignment_reminders.%I ORDER BY 1', c.relname || ' ',
                           string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum), c.relname)
               FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
              WHERE c.relnamespace = 'assignment_reminders'::regnamespace AND c.relkind = 'r' AND c.relname <> 'migrations'
                AND a.attnum > 0 AND NOT a.attisdropped GROUP BY c.relname ORDER BY c.relname",
        );
        let rows = Self::read(client, &selects);
        assert!(rows.len() > 20_000, "{} rows", rows.len());
        Self { selects, rows }
    }

    fn read(client: &mut Client, selects: &[String]) -> Vec<String> {
        selects.iter().flat_map(|select| rows(client, select)).collect()
    }

    pub fn assert_unchanged(&self, client: &mut Client) {
        let now = Self::read(client, &self.selects);
        assert_eq!(now.len(), self.rows.len());
        for (now, before) in now.iter().zip(&self.rows) {
            assert_eq!(now, before);
        }
    }
}

/// Counts and dates are right, what was claimed can be answered, keys are what they were, and what was sent stays sent.
pub fn assert_goes_on(client: &mut Client) {
    assert_eq!(rows(client, "SELECT * FROM verify_assignment_counts()"), [""; 0]);
    assert_eq!(rows(client, "SELECT * FROM verify_contact_dates()"), [""; 0]);
    run(client, "CREATE TABLE public.before AS SELECT id, anchor, status FROM reminders");

    // Claims that were handed out before are answered.
    let claimed = "FROM public.claimed c JOIN reminders r ON r.id = c.reminder_id AND r.claim_id = c.claim_id";
    assert_eq!(row(client, &format!("SELECT count(*) > 100 {claimed}")), "t");
    assert_eq!(
        row(
            client,
            &format!("SELECT bool_and(mark_reminder_sent(c.reminder_id, c.claim_id)) {claimed} AND r.id::text < '8'")
        ),
        "t"
    );

    // Those that nobody answered return after their lease, as do those that wait: with the keys that they had.
    run(
        client,
        "CREATE TABLE public.again AS SELECT * FROM claim_reminders(10000, as_of => now() + interval '2 hours')",
    );
    assert_eq!(row(client, "SELECT count(*) > 100 FROM public.again"), "t");
    let other_keys = "SELECT a.reminder_id FROM public.again a JOIN public.claimed c ON c.reminder_id = a.reminder_id AND c.anchor = a.anchor
                       WHERE c.idempotency_key <> a.idempotency_key";
    assert_eq!(rows(client, other_keys), [""; 0]);
    run(client, "SELECT count(mark_reminder_sent(reminder_id, claim_id)) FROM public.again");

    // The day goes on, and nothing that was sent, or given up, for the same anchor is sent again.
    for enqueue in ["run_daily_evaluation", "enqueue_due_reminders", "enqueue_daily_summaries"] {
        run(client, &format!("SELECT count(*) FROM {enqueue}(now())"));
    }
    let again = "SELECT b.id FROM public.before b JOIN reminders r ON r.id = b.id AND r.anchor = b.anchor
                  WHERE b.status IN ('sent', 'failed') AND r.status <> b.status";
    assert_eq!(rows(client, again), [""; 0]);
    assert_eq!(row(client, "SELECT status FROM evaluation_runs ORDER BY started_at DESC LIMIT 1"), "succeeded");

    run(
        client,
        "INSERT INTO activities (organization_id, assignment_id, occurred_at) SELECT organization_id, id, now() FROM assignments WHERE status = 'open'",
    );
    assert_eq!(
        row(client, "SELECT count(*) FROM reminders WHERE status = 'pending' AND reminder_type LIKE 'contact-%'"),
        "0",
        "a contact withdraws what waits"
    );
    assert_eq!(rows(client, "SELECT * FROM verify_contact_dates()"), [""; 0]);
    run(client, "DELETE FROM assignments WHERE title LIKE '%7'");
    assert_eq!(rows(client, "SELECT * FROM verify_assignment_counts()"), [""; 0]);
    assert!(row(client, "SELECT install()").ends_with("nothing to do"));
}
