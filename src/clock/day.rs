//! The organization's day, and what an assignment that is inserted without one gets.

use std::cell::Cell;

use pgrx::datum::Date;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pgbox::AllocatedByRust;
use pgrx::prelude::*;
use pgrx::{Uuid, WhoAllocated};

use crate::row_triggers::{Triggered, column, new_row};
use crate::server::errors::{Result, raised, wrong_trigger};
use crate::server::own_trigger::require;
use crate::server::owner::as_table_owner;
use crate::server::snapshot::Seen;
use crate::server::statement::{Statement, types};

/// Trigger: gives an assignment what its writer left out: the organization's day, and whether its silence is followed up, which it is from
/// the moment it has a mentor or coordinator.
#[pg_trigger]
fn fill_assignment<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<PgHeapTuple<'a, impl WhoAllocated>> {
    raised(require(trigger, "fill_assignment").and_then(|()| filled(trigger)))
}

fn filled<'a>(trigger: &'a PgTrigger<'a>) -> Result<Option<PgHeapTuple<'a, AllocatedByRust>>> {
    let mut row = new_row(trigger)?.into_owned();
    if trigger.old().is_some() {
        row.set_by_name("follow_up", true).map_err(wrong_trigger)?;
        return Ok(Some(row));
    }
    let organization = row.get_by_name::<Uuid>("organization_id").map_err(wrong_trigger)?;
    if row.get_by_name::<Date>("assigned_on").map_err(wrong_trigger)?.is_none()
        && let Some(organization) = organization
        && let Some(today) = as_table_owner(trigger, || today(organization))?
    {
        row.set_by_name("assigned_on", today).map_err(wrong_trigger)?;
    }
    let has = |name| row.get_by_name::<Uuid>(name).map_err(wrong_trigger).map(|id| id.is_some());
    if !has("peer_mentor_id")? && !has("coordinator_id")? && column::<bool, _>(&row, "follow_up")? {
        let id = column(&row, "id")?;
        let is_followed_up = as_table_owner(trigger, || stored(id))?.unwrap_or(false);
        row.set_by_name("follow_up", is_followed_up).map_err(wrong_trigger)?;
    }
    Ok(Some(row))
}

/// What the row says already that is inserted with this id, as an upsert of the whole row does.
fn stored(id: Uuid) -> Result<Option<bool>> {
    static STORED: Statement = Statement::by_index(
        "SELECT a.follow_up FROM assignment_reminders.assignments a WHERE a.id = $1",
        &[types::UUID],
    );
    STORED.read(&[id.into()], |rows| rows.one("follow_up"))
}

/// Today in an organization's time zone. `None` where there is no such organization that the current role sees.
pub fn today(organization: Uuid) -> Result<Option<Date>> {
    thread_local! {
        /// What was looked up last, and what was seen then: a statement that inserts many rows asks for each.
        static LAST: Cell<Option<(Seen, Uuid, Date)>> = const { Cell::new(None) };
    }
    static TODAY: Statement = Statement::by_index(
        "SELECT (now() AT TIME ZONE o.timezone)::date AS today FROM assignment_reminders.organizations o WHERE o.id = $1",
        &[types::UUID],
    );
    let seen = Seen::now();
    if let Some((last_seen, last_organization, today)) = LAST.get()
        && (Some(last_seen), last_organization) == (seen, organization)
    {
        return Ok(Some(today));
    }
    let today: Option<Date> = TODAY.write(&[organization.into()], |rows| rows.one("today"))?;
    LAST.set(seen.zip(today).map(|(seen, today)| (seen, organization, today)));
    Ok(today)
}
