//! The daily run: what it enqueues, when it is scheduled, how it is watched.

mod health;
mod jobs;
mod run;
mod schedule;

// In a chain: pgrx would write independent blocks in an order of its own, another one every time.
pgrx::extension_sql_file!(
    "../../sql/daily/evaluate_assignments.sql",
    name = "evaluate_assignments",
    requires = ["contact_reads"]
);
