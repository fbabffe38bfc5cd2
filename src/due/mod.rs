//! Reminders that come from the calendar rather than from silence: due dates, and the daily summary.

mod enqueue;
mod schedule;
mod windows;

pgrx::extension_sql_file!("../../sql/due/reads.sql", name = "due_reads", requires = ["evaluate_assignments"]);
