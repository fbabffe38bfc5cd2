//! Alerts: telling an organization's admins what they must see to. What that is, is the rules' to say.

use pgrx::datum::{Interval, TimestampWithTimeZone};
use pgrx::prelude::*;

use super::{health, organizations};
use crate::arguments;
use crate::delivery::enqueue_notices;
use crate::history;
use crate::rules::alert::{Cause, HOURS_WITHOUT_SENDING, with_runs};
use crate::rules::delivery::SkipReason;
use crate::server::advisory_lock::AdvisoryLock;
use crate::server::errors::Result;
use crate::server::owner::as_owner_of;
use crate::server::result::{SetOf, returns};
use crate::server::rows::ResultSet;
use crate::server::search_path::without_temporary_first;
use crate::server::setting::require_writable;
use crate::server::statement::{Statement, types};

returns!(
    /// Notices that were enqueued.
    EnqueuedNotices: SetOf,
    "TABLE (reminder_id uuid, organization_id uuid, recipient_id uuid, reminder_type text, anchor timestamptz)"
);

/// Enqueues a notice to each admin of an organization (users.role) of what they must see to, once for as long as it goes on: follow-ups
/// that are held; a run that failed, took over 30 minutes or hangs, or is missing (max_age, as evaluation_health has it); and six hours
/// without any message of the organization that was sent, while one is due. Runs do the same, but for a run that is missing, and for what
/// was not sent: these a job of its own tells, which schedule_daily_evaluation() makes. Returns what it enqueued; nothing while another session does it.
///
/// 22004 for NULL, 22008 for an infinite as_of, 22023 for an infinite max_age.
#[pg_extern(volatile)]
fn enqueue_alerts(
    max_age: default!(Option<Interval>, "interval '26 hours'"),
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<SetOf<EnqueuedNotices>> {
    let (max_age, as_of) = (arguments::length("max_age", max_age)?, arguments::as_of(as_of)?);
    require_writable()?;
    history::about(as_of, || tell_admins(Some(max_age), as_of)).map(SetOf::statement)
}

/// With the rights of the tables' owner, whoever runs: what is told is true of all, and depends on nobody's rights. Without max_age, by a run:
/// none is missing, and what was sent is not looked at.
pub fn tell_admins(max_age: Option<Interval>, as_of: TimestampWithTimeZone) -> Result<ResultSet> {
    static NOTE: Statement = Statement::at_each_call(
        include_str!("../../sql/alerts/note.sql"),
        &[
            types::MOMENT,
            types::TEXTS,
            types::TEXT,
            types::TEXT,
            types::INT,
            types::TEXTS,
            types::UUIDS,
            types::TEXT,
            types::BOOL,
        ],
    );
    if !AdvisoryLock::Alerts.try_to_take() {
        return Ok(ResultSet::empty());
    }
    // Jobs are seen by whoever scheduled them.
    let has_missed_run = health::has_missed_run(max_age, as_of)?;
    let work = || {
        let mut facts = health::of_runs(max_age, as_of)?;
        facts.has_missed_run = has_missed_run.or(facts.has_missed_run);
        let with_runs: Vec<&str> = with_runs(&facts).into_iter().map(Cause::reminder_type).collect();
        let arguments = [
            as_of.into(),
            with_runs.into(),
            Cause::HeldRun.reminder_type().into(),
            Cause::NothingSent.reminder_type().into(),
            HOURS_WITHOUT_SENDING.into(),
            Cause::TYPES.to_vec().into(),
            organizations::lock()?.into(),
            SkipReason::Over.name().into(),
            max_age.is_some().into(),
        ];
        if NOTE.write(&arguments, |rows| rows.one("goes_on"))? == Some(true) {
            enqueue_notices(as_of)
        } else {
            Ok(ResultSet::empty())
        }
    };
    as_owner_of("alerts", || without_temporary_first(work))
}
