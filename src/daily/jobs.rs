//! What pg_cron shows the caller of our jobs. Owns the facts; the verdict is the rules'.

use chrono::NaiveDateTime;
use pgrx::datum::{Interval, TimestampWithTimeZone};

use crate::rules::job::{End, Facts, Job, Kind};
use crate::schedule::access::{access, commands, home, names};
use crate::server::calendar::nearest_moment;
use crate::server::errors::{Result, broken_statement};
use crate::server::owner::as_owner_of;
use crate::server::rows::Row;
use crate::server::setting::setting;
use crate::server::statement::{Statement, types};

/// `None` where pg_cron is not in this database, or the caller may not read its tables.
pub fn facts(as_of: TimestampWithTimeZone, max_age: Interval) -> Result<Option<Facts>> {
    static CLOCK: Statement =
        Statement::kept(include_str!("../../sql/daily/cron_clock.sql"), &[types::MOMENT, types::TEXT, types::INTERVAL]);
    static JOBS: Statement =
        Statement::kept(include_str!("../../sql/daily/job_facts.sql"), &[types::TEXTS, types::TEXT]);
    if !access()?.is_some_and(|access| access.may_read) {
        return Ok(None);
    }
    // pg_cron 1.4 has no such setting, and this time zone.
    let zone = setting(c"cron.timezone").unwrap_or_else(|| "GMT".to_string());
    let is_on = |value: Option<String>| value.is_none_or(|value| value == "on");
    // When runs were, whoever schedules them; the jobs themselves are the current role's to see.
    let (mut facts, recently) = as_owner_of("evaluation_runs", || {
        CLOCK.read(&[as_of.into(), zone.as_str().into(), max_age.into()], |mut rows| {
            let row = rows.next().ok_or_else(|| broken_statement("no time"))?;
            let facts = Facts {
                now: shown(row.get("now")?).ok_or_else(|| broken_statement("no time"))?,
                database: row.not_null("database")?,
                home: home(),
                is_launching: is_on(setting(c"cron.launch_active_jobs")),
                is_recording: is_on(setting(c"cron.log_run")),
                last_success: shown(row.get("last_success")?),
                without_run_since: shown(row.get("without_run_since")?),
                jobs: Vec::new(),
                gone: Vec::new(),
            };
            Ok((facts, row.get("recently")?))
        })
    })?;
    facts.jobs = JOBS.read(&[names().into(), zone.as_str().into()], |rows| rows.map(job).collect())?;
    let is_there = |kind: Kind| facts.jobs.iter().any(|job| job.kind.goes_with(kind));
    if !facts.jobs.is_empty() && !Kind::ALL.into_iter().all(is_there) {
        facts.gone = gone(recently)?;
    }
    Ok(Some(facts))
}

/// Jobs that ran since then, and are gone.
fn gone(since: Option<TimestampWithTimeZone>) -> Result<Vec<Kind>> {
    static GONE: Statement =
        Statement::kept(include_str!("../../sql/daily/gone_jobs.sql"), &[types::MOMENT, types::TEXTS]);
    GONE.read(&[since.into(), commands().into()], |rows| rows.map(kind).collect())
}

fn job(row: Row) -> Result<Job> {
    let last_end = match row.get("has_failed")? {
        None => None,
        Some(false) => Some(End::Succeeded),
        Some(true) => Some(End::Failed { message: row.not_null("message")?, at: shown(row.get("ended_at")?) }),
    };
    Ok(Job {
        kind: kind(row)?,
        id: row.not_null("id")?,
        name: row.not_null("name")?,
        role: row.not_null("role")?,
        schedule: row.not_null("schedule")?,
        database: row.not_null("database")?,
        is_active: row.not_null("is_active")?,
        is_running: row.not_null("is_running")?,
        last_end,
        last_start: shown(row.get("last_start")?),
        has_run: row.not_null("has_run")?,
        known_since: shown(row.get("known_since")?),
    })
}

/// The kind whose number, from 1, a row has.
fn kind(row: Row) -> Result<Kind> {
    let number: i32 = row.not_null("kind")?;
    let index = usize::try_from(number - 1).map_err(broken_statement)?;
    Kind::ALL.get(index).copied().ok_or_else(|| broken_statement(format!("no kind of job has the number {number}")))
}

/// What pg_cron's clock shows, which statements give as if it were UTC.
fn shown(moment: Option<TimestampWithTimeZone>) -> Option<NaiveDateTime> {
    moment.map(|moment| nearest_moment(moment).naive_utc())
}
