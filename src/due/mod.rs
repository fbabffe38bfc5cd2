//! Reminders that come from the calendar rather than from silence: due dates, and the daily summary.

mod due_dates;
mod schedule;
mod summary;

pgrx::extension_sql_file!(
    "../../sql/due/something_to_say.sql",
    name = "has_something_to_say",
    requires = ["evaluate_assignments"]
);
