//! One daily run: take the lock, enqueue what is due, log how it went. What is due is the rules' to say.

use std::panic::AssertUnwindSafe;

use pgrx::Uuid;
use pgrx::datum::TimestampWithTimeZone;
use pgrx::datum::datetime_support::clock_timestamp;
use pgrx::prelude::*;
use pgrx::{notice, warning};

use super::{alerts, health, organizations};
use crate::arguments;
use crate::delivery::{Enqueued, enqueue_follow_ups};
use crate::history;
use crate::privacy::recordable;
use crate::rules::kind::{Addressee, Kind};
use crate::server::advisory_lock::AdvisoryLock;
use crate::server::errors::{Result, broken_statement};
use crate::server::owner::as_owner_of;
use crate::server::random;
use crate::server::result::{SetOf, returns};
use crate::server::row_security::Whole;
use crate::server::rows::ResultSet;
use crate::server::setting::require_writable;
use crate::server::statement::{Statement, types};
use crate::server::subtransaction::{Failure, attempt};

returns!(
    /// Follow-ups that a run enqueued.
    EnqueuedFollowUps: SetOf,
    "TABLE (reminder_id uuid, organization_id uuid, assignment_id uuid, action text, days_since integer, reminder_type text, \
     recipient_id uuid, skip_reason text, anchor timestamptz)"
);

/// How a run ended, as `evaluation_runs` keeps it.
#[derive(Default)]
struct Outcome {
    status: &'static str,
    reminders: i32,
    escalations: i32,
    undeliverable: i32,
    error: Option<String>,
    sqlstate: Option<String>,
    forgotten: Option<i32>,
}

/// Enqueues every follow-up that is due at as_of, of all organizations whose turn it is (reminder_settings.evaluation_hour), and returns what it
/// enqueued; logs the run. Called again on the same day, it enqueues what became due meanwhile. Of an organization where more than
/// follow_up_limit became due by its last evaluation (before today, where there was none), it enqueues nothing, and logs a run of its own as
/// held, until release_held_run(). While another run works, it returns no rows at once and is logged as skipped. A run that fails
/// enqueues nothing, is logged as failed with its error, and warns instead of raising, so that the log is kept.
///
/// 22004 for NULL, 22008 for an infinite as_of.
#[pg_extern(volatile)]
fn run_daily_evaluation(as_of: default!(Option<TimestampWithTimeZone>, "now()")) -> Result<SetOf<EnqueuedFollowUps>> {
    const WHOLE: Whole = Whole {
        updates: &["reminders", "organization_evaluations"],
        inserts: &["reminders", "evaluation_runs", "organization_evaluations"],
        ..Whole::reads(&[
            "organizations",
            "reminder_settings",
            "organization_evaluations",
            "days_off",
            "assignments",
            "assignment_pauses",
            "peer_mentors",
            "mentor_pauses",
            "users",
            "user_preferences",
            "reminders",
        ])
    };
    let as_of = arguments::as_of(as_of)?;
    require_writable()?;
    WHOLE.require()?;
    let (id, started_at) = (random::uuid()?, clock_timestamp());
    let (enqueued, outcome) = if AdvisoryLock::DailyRun.try_to_take() {
        let enqueue = || enqueue_follow_ups(as_of, organizations::lock_evaluations()?);
        match attempt(AssertUnwindSafe(|| history::in_run(id, as_of, enqueue)))? {
            Ok(enqueued) => {
                let outcome = Outcome { forgotten: forgotten(as_of)?, ..Outcome::succeeded(&enqueued)? };
                (enqueued.rows, outcome)
            }
            Err(failure) => {
                warning!("the daily evaluation failed: {} (SQLSTATE {})", failure.message, failure.sqlstate());
                (ResultSet::empty(), Outcome::failed(failure))
            }
        }
    } else {
        (ResultSet::empty(), Outcome { status: "skipped", ..Outcome::default() })
    };
    let has_run = outcome.status != "skipped";
    log(id, as_of, started_at, outcome)?;
    if has_run && !organizations::is_replay(as_of)? {
        history::about(as_of, || tell_admins(as_of))?;
    }
    Ok(SetOf::statement(enqueued))
}

/// How many assignments nobody will hear of, where it is time to count them. That they cannot be counted is no reason to lose the run.
fn forgotten(as_of: TimestampWithTimeZone) -> Result<Option<i32>> {
    static COUNT: Statement =
        Statement::at_each_call(include_str!("../../sql/daily/count_forgotten.sql"), &[types::MOMENT]);
    let count = || as_owner_of("evaluation_runs", || COUNT.write(&[as_of.into()], |rows| rows.one::<i32>("forgotten")));
    match attempt(AssertUnwindSafe(count))? {
        Ok(number) => Ok(number),
        Err(failure) => {
            warning!("who is forgotten was not counted: {} (SQLSTATE {})", failure.message, failure.sqlstate());
            Ok(None)
        }
    }
}

/// Of what was held, and of a failure. That they cannot be told is no reason to lose the run.
fn tell_admins(as_of: TimestampWithTimeZone) -> Result<()> {
    if let Err(failure) = attempt(AssertUnwindSafe(|| alerts::tell_admins(None, as_of)))? {
        warning!("the admins were not told of the run: {} (SQLSTATE {})", failure.message, failure.sqlstate());
    }
    if let Some(held) = health::held_by_run()? {
        notice!("{}", held.reason());
    }
    Ok(())
}

impl Outcome {
    /// What could be enqueued; organizations that were left out are told in its error.
    fn succeeded(enqueued: &Enqueued) -> Result<Self> {
        let mut outcome = Self { status: "succeeded", ..Self::default() };
        if !enqueued.left_out.is_empty() {
            let ids: Vec<String> = enqueued.left_out.iter().map(ToString::to_string).collect();
            outcome.error =
                Some(format!("left to the next run, since others were writing their reminders: {}", ids.join(", ")));
            outcome.sqlstate = Some("55P03".to_string());
        }
        for row in enqueued.rows.rows() {
            let action: String = row.not_null("action")?;
            match (row.get::<String>("skip_reason")?, Kind::named(&action).map(|kind| kind.addresses)) {
                (Some(_), _) => outcome.undeliverable += 1,
                (None, Some(Addressee::Mentor)) => outcome.reminders += 1,
                (None, Some(Addressee::Coordinator)) => outcome.escalations += 1,
                (None, Some(Addressee::Recipient | Addressee::Admin) | None) => {
                    return Err(broken_statement(format!("a run enqueued {action}")));
                }
            }
        }
        Ok(outcome)
    }

    fn failed(failure: Failure) -> Self {
        let sqlstate = Some(failure.sqlstate());
        // What stopped it may quote anybody.
        let error = Some(recordable(&failure.message).into_owned());
        Self { status: "failed", error, sqlstate, ..Self::default() }
    }
}

fn log(id: Uuid, as_of: TimestampWithTimeZone, started_at: TimestampWithTimeZone, outcome: Outcome) -> Result<()> {
    static LOG: Statement = Statement::kept(
        include_str!("../../sql/daily/log_run.sql"),
        &[
            types::MOMENT,
            types::MOMENT,
            types::TEXT,
            types::INT,
            types::INT,
            types::INT,
            types::TEXT,
            types::TEXT,
            types::UUID,
            types::INT,
        ],
    );
    LOG.run(&[
        as_of.into(),
        started_at.into(),
        outcome.status.into(),
        outcome.reminders.into(),
        outcome.escalations.into(),
        outcome.undeliverable.into(),
        outcome.error.into(),
        outcome.sqlstate.into(),
        id.into(),
        outcome.forgotten.into(),
    ])
}
