//! The daily run: what it enqueues, when it is scheduled, how it is watched.

mod health;
mod run;
mod schedule;

// In a chain: pgrx would write independent blocks in an order of its own, another one every time.
pgrx::extension_sql_file!(
    "../../sql/daily/follow_up_facts.sql",
    name = "follow_up_facts",
    requires = ["contact_reads"]
);
pgrx::extension_sql_file!(
    "../../sql/daily/evaluate_assignments.sql",
    name = "evaluate_assignments",
    requires = ["follow_up_facts"]
);
