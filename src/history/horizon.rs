//! Since when everything is known, and refusing questions about before.

use pgrx::datum::TimestampWithTimeZone;
use pgrx::prelude::*;
use pgrx::{PgSqlErrorCode, Uuid};

use crate::rules::history::{VERSIONED, Versioned};
use crate::server::errors::{Result, error, invalid_argument, null_argument};
use crate::server::owner::as_owner_of;
use crate::server::row_security::Whole;
use crate::server::statement::{Statement, types};

/// Since when every change of a versioned row is known (history_horizon): the installation, or the upgrade that brought the history, or
/// what came later: the last time that triggers were put back, or up to when it was pruned. No secret: whoever may call it is told.
///
/// 55000 where nothing says so.
#[pg_extern(stable)]
pub fn history_known_since() -> Result<TimestampWithTimeZone> {
    static KNOWN_SINCE: Statement =
        Statement::kept("SELECT max(h.known_since) AS known_since FROM assignment_reminders.history_horizon h", &[]);
    let known: Option<TimestampWithTimeZone> =
        as_owner_of("history_horizon", || KNOWN_SINCE.read(&[], |rows| rows.one("known_since")))?;
    known.ok_or_else(|| {
        error(
            PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            "since when the history is complete is not known",
            "assignment_reminders.history_horizon is empty.",
            "As the tables' owner, insert the moment since which no trigger of ours was away: INSERT INTO assignment_reminders.history_horizon (known_since, cause) VALUES (now(), 'triggers were away').",
        )
    })
}

/// True. Raises where the rows of a table at a moment cannot be told: SQL functions that tell them ask first.
///
/// 22023 for a table that is not versioned, and for a moment before the history begins; 22004 for NULL, 42501 where row security may hide
/// rows of the organization (NULL: of any) from the current role.
#[pg_extern(stable)]
fn require_history(
    table_name: Option<&str>,
    moment: Option<TimestampWithTimeZone>,
    organization_id: Option<Uuid>,
) -> Result<bool> {
    let name = table_name.ok_or_else(|| null_argument("table_name"))?;
    let versioned = Versioned::named(name).ok_or_else(|| {
        let names: Vec<&str> = VERSIONED.iter().map(|versioned| versioned.table).collect();
        invalid_argument(
            format!("{name:?} is not a versioned table"),
            "Versions are kept of what decides; reminders have reminder_events, and send_logs and runs are histories themselves.",
            format!("Give one of {}.", names.join(", ")),
        )
    })?;
    let moment = moment.ok_or_else(|| null_argument("moment"))?;
    let known_since = history_known_since()?;
    if moment.into_inner() < known_since.into_inner() {
        return Err(invalid_argument(
            format!("what was at {moment} is not known: the history begins at {known_since}"),
            "It begins with the installation or the upgrade that brought it, when triggers that were away are put back, and where it was pruned.",
            "Ask about that moment or a later one (assignment_reminders.history_known_since()).",
        ));
    }
    Whole::require_reads(&[versioned.table, "row_history"], || Ok(organization_id))?;
    Ok(true)
}

/// What was before this moment is not known any more.
pub fn move_to(moment: TimestampWithTimeZone) -> Result<()> {
    static MOVE: Statement = Statement::kept(include_str!("../../sql/history/move_horizon_to.sql"), &[types::MOMENT]);
    as_owner_of("history_horizon", || MOVE.run(&[moment.into()]))
}

/// Triggers were away: from now on, while nobody else writes, everything is known again.
pub fn move_to_now() -> Result<()> {
    static MOVE: Statement = Statement::kept(include_str!("../../sql/history/move_horizon.sql"), &[]);
    MOVE.run(&[])
}
