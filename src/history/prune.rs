//! Letting go of old history.

use pgrx::Uuid;
use pgrx::datum::TimestampWithTimeZone;
use pgrx::datum::datetime_support::now;
use pgrx::prelude::*;

use super::horizon;
use crate::arguments;
use crate::pay;
use crate::server::errors::{Result, invalid_argument, null_argument};
use crate::server::owner::as_owner_of;
use crate::server::result::{SetOf, returns, value};
use crate::server::row_security::Whole;
use crate::server::statement::{Statement, types};

returns!(
    /// How much history was deleted.
    PrunedHistory: SetOf, "TABLE (row_history bigint, reminder_events bigint)"
);

/// Deletes what row_history and reminder_events hold of before a moment: up to batch_size rows of each. Returns how many; call it until
/// both are 0. What somebody else holds stays for the next time. What came of a reminder's episode of that moment stays. From then on the history begins with that moment, and questions about before raise. Where an organization closes periods, what
/// came after its last closed one stays, whatever the moment: the next is told from it.
///
/// 22004 for NULL, 22023 for a moment that lies ahead or is infinite, or a size outside 1 to 10,000, 42501 where row security may hide rows.
#[pg_extern(volatile)]
fn prune_history(
    before: Option<TimestampWithTimeZone>,
    batch_size: default!(Option<i32>, 10_000),
) -> Result<SetOf<PrunedHistory>> {
    static EVENTS: Statement =
        Statement::kept(include_str!("../../sql/history/prune_events.sql"), &[types::MOMENT, types::INT]);
    const WHOLE: Whole =
        Whole { deletes: &["row_history", "reminder_events"], ..Whole::reads(&["row_history", "reminder_events"]) };
    let before = before.ok_or_else(|| null_argument("before"))?;
    WHOLE.require()?;
    let size = arguments::size("batch_size", batch_size)?;
    if before.is_finite() && before.into_inner() > now().into_inner() || !before.is_finite() {
        return Err(invalid_argument(
            format!("before {before} is not a moment of the past"),
            "What happens until then is not known yet, and would be missing.",
            "Give a moment such as now() - interval '3 years'.",
        ));
    }
    let before = needed_until(before)?;
    let changes = delete_changes(before, size)?;
    let events: Option<i64> = EVENTS.write(&[before.into(), size.into()], |rows| rows.one("deleted"))?;
    if changes > Some(0) || events > Some(0) {
        horizon::move_to(before)?;
    }
    Ok(SetOf::values([[value("row_history", changes), value("reminder_events", events)]]))
}

/// Those that others hold stay: they are of any organization, and nobody waits for another's.
fn delete_changes(before: TimestampWithTimeZone, size: i32) -> Result<Option<i64>> {
    static LOCK: Statement =
        Statement::kept(include_str!("../../sql/history/lock_old.sql"), &[types::MOMENT, types::INT]);
    static DELETE: Statement = Statement::by_index(
        include_str!("../../sql/history/prune.sql"),
        &[types::UUIDS, types::MOMENTS, types::BIGINTS],
    );
    // As the owner: to lock, one would need a right to update. Whether the caller may see and delete them, what deletes them asks.
    let locked: Vec<(Uuid, (TimestampWithTimeZone, i64))> = as_owner_of("row_history", || {
        LOCK.write(&[before.into(), size.into()], |rows| {
            rows.map(|row| Ok((row.not_null("row_id")?, (row.not_null("changed_at")?, row.not_null("number")?))))
                .collect()
        })
    })?;
    let (ids, (moments, numbers)): (Vec<_>, (Vec<_>, Vec<_>)) = locked.into_iter().unzip();
    DELETE.write(&[ids.into(), moments.into(), numbers.into()], |rows| rows.one("deleted"))
}

/// Up to when nothing is needed any more, and no further than asked for. Whatever needs older history, such as a period that is yet to
/// be closed, says so here.
fn needed_until(before: TimestampWithTimeZone) -> Result<TimestampWithTimeZone> {
    let needed = pay::needed_since()?.filter(|needed| needed.into_inner() < before.into_inner());
    Ok(needed.unwrap_or(before))
}
