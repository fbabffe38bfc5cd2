//! Watching the daily run. Owns the facts and the alarm; the verdict is the rules'.

use pgrx::datum::{DatumWithOid, Interval, TimestampWithTimeZone};
use pgrx::prelude::*;
use pgrx::{PgSqlErrorCode, Uuid};

use super::jobs;
use crate::arguments;
use crate::install;
use crate::organization::chosen_organization;
use crate::rules::health::{Facts, Held, LastRun, Paused, Running, Status, Unattended, judge};
use crate::rules::job;
use crate::server::advisory_lock::AdvisoryLock;
use crate::server::errors::{Result, broken_statement, error, null_argument};
use crate::server::owner::as_owner_of;
use crate::server::result::{SetOf, returns, value};
use crate::server::row_security::Whole;
use crate::server::rows::{Row, Rows};
use crate::server::statement::{Statement, types};

returns!(
    /// How the daily run stands.
    Health: SetOf, "TABLE (status text, reasons text[], last_run_at timestamptz)"
);

/// Whether the daily run does its work: ok, warning or critical, with the reasons, worst first, and the start of the
/// last run that was not skipped. Critical: the last run failed, is missing, took over 30 minutes, or a run hangs. One is missing
/// when the last is longer ago than max_age; where the caller can see an active pg_cron job that makes the runs, only if one was due
/// by its schedule since then. Where the caller may read pg_cron's tables, it also tells which of its jobs fail, are late, missing,
/// or of a database that has another name now; elsewhere these are not judged.
///
/// 22004 for NULL, 22023 for an infinite max_age.
#[pg_extern(stable)]
fn evaluation_health(
    max_age: default!(Option<Interval>, "interval '26 hours'"),
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<SetOf<Health>> {
    whole_verdict(max_age, as_of).map(Verdict::shown)
}

/// How the daily run stands, for one organization (NULL: the session's): as evaluation_health says it, of what concerns that organization.
/// Critical: runs fail, are missing (by the schedule that the tables' owner sees, whoever calls) or hang, or it has no settings to be
/// evaluated by. Of a run that failed, the SQLSTATE is told; what concerns other organizations or the installation is not. For the
/// organization's coordinators and admins, too, who need not see the runs themselves.
///
/// 02000 for an unknown organization, 22004 for NULL and where the session speaks for none, 22023 for an infinite max_age, 42501 for
/// whoever row security binds and is not its coordinator or admin.
#[pg_extern(stable)]
fn organization_health(
    organization_id: default!(Option<Uuid>, "NULL"),
    max_age: default!(Option<Interval>, "interval '26 hours'"),
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<SetOf<Health>> {
    const WHOLE: Whole = Whole::reads(&["organizations", "reminder_settings"]);
    let organization = chosen_organization(organization_id)?;
    WHOLE.require_in(|| Ok(Some(organization)))?;
    let (max_age, as_of) = (arguments::length("max_age", max_age)?, as_of.ok_or_else(|| null_argument("as_of"))?);
    let verdict = as_owner_of("evaluation_runs", || {
        verdict(max_age, as_of, Some(organization), |row| {
            let mut facts = facts_of_runs(row)?;
            if facts.is_overdue {
                // Whether a run was due, and nothing else of the jobs: they are the owner's.
                facts.has_missed_run = has_missed_run(Some(max_age), as_of)?;
            }
            if let Some(run) = &mut facts.last_run {
                // Whose rows an error names, the run does not say.
                let sqlstate: Option<String> = row.get("sqlstate")?;
                run.failed_with = run.failed_with.take().map(|_| format!("SQLSTATE {}", sqlstate.unwrap_or_default()));
            }
            Ok(facts)
        })
    })?;
    Ok(verdict.shown())
}

/// Raises when evaluation_health is critical, so that pg_cron's own job list shows it; returns the status otherwise.
///
/// 55000 with the reasons, 22004 for NULL, 22023 for an infinite max_age.
#[pg_extern(stable)]
fn watch_daily_evaluation(max_age: default!(Option<Interval>, "interval '26 hours'")) -> Result<String> {
    let verdict = whole_verdict(max_age, Some(pgrx::datum::datetime_support::now()))?;
    if verdict.status < Status::Critical {
        return Ok(verdict.status.name().to_string());
    }
    Err(error(
        PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        format!("{}: {}", job::ALARM, verdict.reasons.join("; ")),
        "assignment_reminders.evaluation_runs holds the runs, cron.job_run_details what pg_cron saw of them.",
        "Mend the cause. Where a run is missing or failed, SELECT * FROM assignment_reminders.run_daily_evaluation() makes up for it; what is held waits for release_held_run().",
    ))
}

struct Verdict {
    status: Status,
    reasons: Vec<String>,
    last_run_at: Option<TimestampWithTimeZone>,
}

impl Verdict {
    fn shown(self) -> SetOf<Health> {
        SetOf::values([[
            value("status", self.status.name()),
            value("reasons", self.reasons),
            value("last_run_at", self.last_run_at),
        ]])
    }
}

/// Of everything that there is.
fn whole_verdict(max_age: Option<Interval>, as_of: Option<TimestampWithTimeZone>) -> Result<Verdict> {
    const WHOLE: Whole = Whole::reads(&["evaluation_runs", "organizations", "reminder_settings", "migrations"]);
    let max_age = arguments::length("max_age", max_age)?;
    let as_of = as_of.ok_or_else(|| null_argument("as_of"))?;
    WHOLE.require()?;
    let jobs = jobs::facts(as_of, max_age)?;
    verdict(max_age, as_of, None, |row| {
        let (altered_triggers, altered_others) = install::altered_names()?;
        let outstanding_migrations = install::number_outstanding()?;
        let has_missed_run = jobs.as_ref().and_then(job::has_missed_run);
        Ok(Facts {
            has_missed_run,
            altered_triggers,
            altered_others,
            outstanding_migrations,
            jobs,
            ..facts_of_runs(row)?
        })
    })
}

/// How the runs stand, for all organizations.
pub fn of_runs(max_age: Option<Interval>, as_of: TimestampWithTimeZone) -> Result<Facts> {
    // Writing, so that the run that asks sees what it has logged.
    let found = FACTS.write_rows(&arguments_of_facts(max_age, as_of, None))?;
    let mut facts = facts_of_runs(found.rows().next().ok_or_else(|| broken_statement(NO_FACTS))?)?;
    if facts.is_overdue {
        facts.has_missed_run = has_missed_run(max_age, as_of)?;
    }
    Ok(facts)
}

static FACTS: Statement = Statement::kept(
    include_str!("../../sql/daily/health_facts.sql"),
    &[types::MOMENT, types::INTERVAL, types::INT, types::INT, types::UUID],
);
const NO_FACTS: &str = "no facts about the runs";

fn arguments_of_facts(
    max_age: Option<Interval>,
    as_of: TimestampWithTimeZone,
    organization: Option<Uuid>,
) -> [DatumWithOid<'static>; 5] {
    let (class, number) = AdvisoryLock::DailyRun.key();
    [as_of.into(), max_age.into(), class.into(), number.into(), organization.into()]
}

/// Whether a run has been missed by the schedule of the job that makes them, as far as the current role can see it.
pub fn has_missed_run(max_age: Option<Interval>, as_of: TimestampWithTimeZone) -> Result<Option<bool>> {
    let Some(max_age) = max_age else { return Ok(None) };
    Ok(jobs::facts(as_of, max_age)?.as_ref().and_then(job::has_missed_run))
}

/// By what the rows say, of one organization or (`None`) of all, and what the caller makes of that.
fn verdict(
    max_age: Interval,
    as_of: TimestampWithTimeZone,
    organization: Option<Uuid>,
    facts: impl FnOnce(&Row) -> Result<Facts>,
) -> Result<Verdict> {
    static UNHEARD: Statement =
        Statement::kept(include_str!("../../sql/daily/unheard_escalations.sql"), &[types::UUID]);
    static FORGOTTEN: Statement =
        Statement::kept(include_str!("../../sql/daily/last_forgotten.sql"), &[types::UUID, types::MOMENT]);
    static REFUSED: Statement =
        Statement::kept(include_str!("../../sql/daily/sender_refusals.sql"), &[types::UUID, types::MOMENT]);
    static LOST: Statement =
        Statement::kept(include_str!("../../sql/daily/lost_attempts.sql"), &[types::UUID, types::MOMENT]);
    static PAUSED: Statement =
        Statement::kept(include_str!("../../sql/daily/paused_sending.sql"), &[types::UUID, types::MOMENT]);
    static UNATTENDED: Statement =
        Statement::kept(include_str!("../../sql/daily/unattended.sql"), &[types::UUID, types::MOMENT, types::INTERVAL]);
    let found = FACTS.read_rows(&arguments_of_facts(Some(max_age), as_of, organization))?;
    let row = found.rows().next().ok_or_else(|| broken_statement(NO_FACTS))?;
    // Numbers, which whoever may ask for the verdict may know.
    let (unheard, forgotten, refused, lost, paused, unattended) = as_owner_of("reminders", || {
        let unheard: Option<i64> = UNHEARD.read(&[organization.into()], |rows| rows.one("unheard"))?;
        let forgotten: Option<i64> =
            FORGOTTEN.read(&[organization.into(), as_of.into()], |rows| rows.one("forgotten"))?;
        let refused: Option<i64> = REFUSED.read(&[organization.into(), as_of.into()], |rows| rows.one("refused"))?;
        let lost: Option<i64> = LOST.read(&[organization.into(), as_of.into()], |rows| rows.one("lost"))?;
        let paused =
            PAUSED.read(&[organization.into(), as_of.into()], |mut rows| rows.next().map(paused_in).transpose())?;
        let unattended = UNATTENDED.read(&[organization.into(), as_of.into(), max_age.into()], |mut rows| {
            rows.next().map(unattended_in).transpose()
        })?;
        Ok((unheard.unwrap_or(0), forgotten.unwrap_or(0), refused.unwrap_or(0), lost.unwrap_or(0), paused, unattended))
    })?;
    let facts = facts(row)?;
    let (status, reasons) = judge(&Facts {
        unheard_escalations: unheard,
        forgotten,
        held: held(organization)?,
        sender_refusals: refused,
        lost_attempts: lost,
        paused,
        unattended,
        ..facts
    });
    Ok(Verdict { status, reasons, last_run_at: row.get("started_at")? })
}

fn paused_in(row: Row) -> Result<Paused> {
    Ok(Paused {
        number: row.not_null("paused")?,
        one: row.not_null("organization")?,
        fault: row.not_null("paused_for")?,
        code: row.get("paused_code")?,
        until: row.not_null("until")?,
    })
}

fn unattended_in(row: Row) -> Result<Unattended> {
    Ok(Unattended {
        number: row.not_null("unattended")?,
        one: row.not_null("organization")?,
        since: row.not_null("since")?,
    })
}

static HELD: Statement = Statement::kept(include_str!("../../sql/daily/held_organizations.sql"), &[types::UUID]);

/// Whose follow-ups are held, of one organization or (`None`) of all.
fn held(organization: Option<Uuid>) -> Result<Option<Held>> {
    as_owner_of("organization_evaluations", || HELD.read(&[organization.into()], held_in))
}

/// Whose follow-ups are held, as the run that asks has left it.
pub fn held_by_run() -> Result<Option<Held>> {
    as_owner_of("organization_evaluations", || HELD.write(&[None::<Uuid>.into()], held_in))
}

fn held_in(mut rows: Rows) -> Result<Option<Held>> {
    let Some(row) = rows.next() else { return Ok(None) };
    let (number, one) = (row.not_null("held")?, row.get::<String>("one")?);
    Ok(one.map(|one| Held { number, one }))
}

/// What the rows say of the runs and the settings.
fn facts_of_runs(row: &Row) -> Result<Facts> {
    let last_run = match row.get::<String>("status")? {
        None => None,
        Some(status) => Some(LastRun {
            failed_with: if status == "failed" { row.get("error")? } else { None },
            took_too_long: row.get("took_too_long")?.unwrap_or(false),
        }),
    };
    let running = match row.get("pid")? {
        None => None,
        Some(pid) => Some(Running { pid, is_stuck: row.get("is_stuck")? }),
    };
    Ok(Facts {
        last_run,
        is_overdue: row.get("is_overdue")?.unwrap_or(false),
        has_missed_run: None,
        running,
        organizations_without_settings: row.not_null("without_settings")?,
        unheard_escalations: 0,
        forgotten: 0,
        held: None,
        sender_refusals: 0,
        lost_attempts: 0,
        paused: None,
        unattended: None,
        altered_triggers: Vec::new(),
        altered_others: Vec::new(),
        outstanding_migrations: None,
        jobs: None,
    })
}
