//! The pg_cron jobs that enqueue due reminders and daily summaries. Owns their names and commands.

use pgrx::prelude::*;

use crate::schedule::{self, Job, Jobs};
use crate::server::errors::Result;
use crate::server::result::SetOf;

const DUE_JOB: &str = "assignment_reminders due reminders";
const SUMMARY_JOB: &str = "assignment_reminders daily summaries";

/// Schedules the enqueueing of due reminders and of daily summaries with pg_cron. Both schedules are pg_cron's, in its
/// time zone; summaries need one run in each hour, soon after it begins, in every time zone: some are off by half or a
/// quarter. Calling it again changes the schedules. Returns the jobs.
///
/// 22004 for NULL, 22023 for an empty schedule, 55000 where pg_cron is not in this database, with a hint how to
/// schedule from the one where it is.
#[pg_extern(volatile)]
#[search_path(pg_catalog, pg_temp)]
fn schedule_delivery_jobs(
    due_schedule: default!(Option<&str>, "'* * * * *'"),
    summary_schedule: default!(Option<&str>, "'*/15 * * * *'"),
) -> Result<SetOf<Jobs>> {
    schedule::make(vec![
        Job {
            name: DUE_JOB,
            schedule: schedule::required("due_schedule", due_schedule)?,
            command: "SELECT count(*) FROM assignment_reminders.enqueue_due_reminders()".to_string(),
        },
        Job {
            name: SUMMARY_JOB,
            schedule: schedule::required("summary_schedule", summary_schedule)?,
            command: "SELECT count(*) FROM assignment_reminders.enqueue_daily_summaries()".to_string(),
        },
    ])
}

/// Removes the jobs that `schedule_delivery_jobs` made for the current role, and returns how many there were.
///
/// 55000 where pg_cron is not in this database.
#[pg_extern(volatile)]
#[search_path(pg_catalog, pg_temp)]
fn unschedule_delivery_jobs() -> Result<i32> {
    schedule::remove(vec![DUE_JOB, SUMMARY_JOB])
}
