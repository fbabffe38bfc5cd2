//! The pg_cron jobs that enqueue due reminders and daily summaries. Owns their schedules.

use pgrx::prelude::*;

use crate::rules::job::Kind;
use crate::schedule::{self, Job, Jobs};
use crate::server::errors::Result;
use crate::server::result::SetOf;

/// Schedules the enqueueing of due reminders and of daily summaries with pg_cron. Both schedules are pg_cron's, in its
/// time zone; summaries need one run in each hour, soon after it begins, in every time zone: some are off by half or a
/// quarter. Calling it again replaces the current role's jobs. Returns the jobs; warns where pg_cron will not be able to
/// start them.
///
/// 22004 for NULL, 22023 for an empty schedule, 55000 where pg_cron is not in this database, with a hint how to
/// schedule from the one where it is, 42501 without USAGE on the schema cron.
#[pg_extern(volatile)]
fn schedule_delivery_jobs(
    due_schedule: default!(Option<&str>, "'* * * * *'"),
    summary_schedule: default!(Option<&str>, "'*/15 * * * *'"),
) -> Result<SetOf<Jobs>> {
    schedule::make(vec![
        Job {
            kind: Kind::DueReminders,
            schedule: schedule::required("due_schedule", due_schedule)?,
            command: Kind::DueReminders.command().to_string(),
        },
        Job {
            kind: Kind::Summaries,
            schedule: schedule::required("summary_schedule", summary_schedule)?,
            command: Kind::Summaries.command().to_string(),
        },
    ])
}

/// Removes the jobs that `schedule_delivery_jobs` made for the current role, and returns how many there were.
///
/// 55000 where pg_cron is not in this database, 42501 without USAGE on the schema cron.
#[pg_extern(volatile)]
fn unschedule_delivery_jobs() -> Result<i32> {
    schedule::remove(&[Kind::DueReminders, Kind::Summaries])
}
