//! The daily run: what it enqueues, when it is scheduled, how it is watched.

mod alerts;
mod guard;
mod health;
mod jobs;
mod organizations;
mod run;
mod schedule;

// In a chain: pgrx would write independent blocks in an order of its own, another one every time.
pgrx::extension_sql_file!(
    "../../sql/daily/evaluation_turns.sql",
    name = "evaluation_turns",
    requires = ["contact_reads"]
);
pgrx::extension_sql_file!(
    "../../sql/daily/evaluate_assignments.sql",
    name = "evaluate_assignments",
    requires = ["evaluation_turns"]
);
