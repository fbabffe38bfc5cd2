//! Watching the daily run. Owns the facts and the alarm; the verdict is the rules'.

use pgrx::PgSqlErrorCode;
use pgrx::datum::{Interval, TimestampWithTimeZone};
use pgrx::prelude::*;

use super::jobs;
use crate::arguments;
use crate::install;
use crate::rules::health::{Facts, LastRun, Running, Status, judge};
use crate::rules::job;
use crate::server::advisory_lock::AdvisoryLock;
use crate::server::errors::{Result, broken_statement, error, null_argument};
use crate::server::result::{SetOf, returns, value};
use crate::server::row_security::Whole;
use crate::server::rows::Row;
use crate::server::statement::{Statement, types};

returns!(
    /// How the daily run stands.
    Health: SetOf, "TABLE (status text, reasons text[], last_run_at timestamptz)"
);

/// Whether the daily run does its work: ok, warning or critical, with the reasons, worst first, and the start of the
/// last run that was not skipped. Critical: the last run failed, is longer ago than max_age, took over 30 minutes, or a
/// run hangs. Where the caller may read pg_cron's tables, it also tells which of its jobs fail, are late, missing, or of a
/// database that has another name now; elsewhere these are not judged.
///
/// 22004 for NULL, 22023 for an infinite max_age.
#[pg_extern(stable)]
fn evaluation_health(
    max_age: default!(Option<Interval>, "interval '26 hours'"),
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<SetOf<Health>> {
    let verdict = verdict(max_age, as_of)?;
    Ok(SetOf::values([[
        value("status", verdict.status.name()),
        value("reasons", verdict.reasons),
        value("last_run_at", verdict.last_run_at),
    ]]))
}

/// Raises when evaluation_health is critical, so that pg_cron's own job list shows it; returns the status otherwise.
///
/// 55000 with the reasons, 22004 for NULL, 22023 for an infinite max_age.
#[pg_extern(stable)]
fn watch_daily_evaluation(max_age: default!(Option<Interval>, "interval '26 hours'")) -> Result<String> {
    let verdict = verdict(max_age, Some(pgrx::datum::datetime_support::now()))?;
    if verdict.status < Status::Critical {
        return Ok(verdict.status.name().to_string());
    }
    Err(error(
        PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        format!("{}: {}", job::ALARM, verdict.reasons.join("; ")),
        "assignment_reminders.evaluation_runs holds the runs, cron.job_run_details what pg_cron saw of them.",
        "Mend the cause. Where a run is missing or failed, SELECT * FROM assignment_reminders.run_daily_evaluation() makes up for it.",
    ))
}

struct Verdict {
    status: Status,
    reasons: Vec<String>,
    last_run_at: Option<TimestampWithTimeZone>,
}

fn verdict(max_age: Option<Interval>, as_of: Option<TimestampWithTimeZone>) -> Result<Verdict> {
    const WHOLE: Whole = Whole::reads(&["evaluation_runs", "organizations", "reminder_settings", "migrations"]);
    static FACTS: Statement = Statement::kept(
        include_str!("../../sql/daily/health_facts.sql"),
        &[types::MOMENT, types::INTERVAL, types::INT, types::INT],
    );
    let max_age = arguments::length("max_age", max_age)?;
    let as_of = as_of.ok_or_else(|| null_argument("as_of"))?;
    WHOLE.require()?;
    let (class, number) = AdvisoryLock::DailyRun.key();
    let jobs = jobs::facts(as_of, max_age)?;
    FACTS.read(&[as_of.into(), max_age.into(), class.into(), number.into()], |mut rows| {
        let row = rows.next().ok_or_else(|| broken_statement("no facts about the runs"))?;
        let (status, reasons) = judge(&facts(row, jobs)?);
        Ok(Verdict { status, reasons, last_run_at: row.get("started_at")? })
    })
}

fn facts(row: Row, jobs: Option<job::Facts>) -> Result<Facts> {
    let last_run = match row.get::<String>("status")? {
        None => None,
        Some(status) => Some(LastRun {
            failed_with: if status == "failed" { row.get("error")? } else { None },
            took_too_long: row.get("took_too_long")?.unwrap_or(false),
            undeliverable: row.not_null("undeliverable")?,
        }),
    };
    let running = match row.get("pid")? {
        None => None,
        Some(pid) => Some(Running { pid, is_stuck: row.get("is_stuck")? }),
    };
    let (altered_triggers, altered_others) = install::altered_names()?;
    Ok(Facts {
        last_run,
        is_overdue: row.get("is_overdue")?.unwrap_or(false),
        running,
        organizations_without_settings: row.not_null("without_settings")?,
        altered_triggers,
        altered_others,
        outstanding_migrations: install::number_outstanding()?,
        jobs,
    })
}
