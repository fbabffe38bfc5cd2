//! The organization's day, and what an assignment that is inserted without one gets.

use std::cell::Cell;

use pgrx::datum::Date;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::pgbox::AllocatedByRust;
use pgrx::prelude::*;
use pgrx::{Uuid, WhoAllocated};

use crate::row_triggers::{OriginalRow, Triggered, column, new_row};
use crate::server::errors::{Result, raised, wrong_trigger};
use crate::server::own_trigger::require;
use crate::server::owner::as_table_owner;
use crate::server::snapshot::Seen;
use crate::server::statement::{Statement, types};
use crate::server::swap;

/// Trigger: gives an assignment what its writer left out: the organization's day, and whether its silence is followed up, which it is from
/// the moment it has a mentor or coordinator; and keeps since when its mentor is.
#[pg_trigger]
fn fill_assignment<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<PgHeapTuple<'a, impl WhoAllocated>> {
    raised(require(trigger, "fill_assignment").and_then(|()| filled(trigger)))
}

thread_local! {
    /// Whether the mentors who are changed are two records of one person.
    static IS_THE_SAME_PERSON: Cell<bool> = const { Cell::new(false) };
}

/// Does `work`, in which assignments get another record of their mentor: since when they have them stays.
pub fn of_the_same_person<T>(work: impl FnOnce() -> T) -> T {
    swap::with(&IS_THE_SAME_PERSON, true, work)
}

/// Trigger: claims look once more at the follow-ups that waited while days off were entered or moved.
#[pg_trigger]
fn note_day_off<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<OriginalRow<'a>> {
    raised(require(trigger, "note_day_off").and_then(|()| noted(trigger)).map(|()| None))
}

fn noted(trigger: &PgTrigger) -> Result<()> {
    static NOTE: Statement = Statement::by_index(include_str!("../../sql/clock/note_day_off.sql"), &[types::UUID]);
    let organization: Uuid = column(&new_row(trigger)?, "organization_id")?;
    as_table_owner(trigger, || NOTE.run(&[organization.into()]))
}

fn filled<'a>(trigger: &'a PgTrigger<'a>) -> Result<Option<PgHeapTuple<'a, AllocatedByRust>>> {
    let mut row = new_row(trigger)?.into_owned();
    let person = |row: &Row, name| row.get_by_name::<Uuid>(name).map_err(wrong_trigger);
    let organization = person(&row, "organization_id")?;
    if let Some(old) = trigger.old() {
        let old_person = |name| old.get_by_name::<Uuid>(name).map_err(wrong_trigger);
        let (old_mentor, mentor) = (old_person("peer_mentor_id")?, person(&row, "peer_mentor_id")?);
        let had_nobody = old_mentor.is_none() && old_person("coordinator_id")?.is_none();
        if had_nobody && (mentor.is_some() || person(&row, "coordinator_id")?.is_some()) {
            row.set_by_name("follow_up", true).map_err(wrong_trigger)?;
        }
        if old_mentor != mentor
            && !IS_THE_SAME_PERSON.get()
            && let Some(organization) = organization
            && let Some(today) = as_table_owner(trigger, || today(organization))?
        {
            row.set_by_name("mentor_since", today).map_err(wrong_trigger)?;
        }
        return Ok(Some(row));
    }
    let id = column(&row, "id")?;
    let stored = as_table_owner(trigger, || stored(id))?;
    if row.get_by_name::<Date>("assigned_on").map_err(wrong_trigger)?.is_none() {
        let assigned_on = match (&stored, organization) {
            (Some((assigned_on, _)), _) => Some(*assigned_on),
            (None, Some(organization)) => as_table_owner(trigger, || today(organization))?,
            (None, None) => None,
        };
        row.set_by_name("assigned_on", assigned_on).map_err(wrong_trigger)?;
    }
    let has_nobody = person(&row, "peer_mentor_id")?.is_none() && person(&row, "coordinator_id")?.is_none();
    if has_nobody && column::<bool, _>(&row, "follow_up")? {
        let is_followed_up = stored.is_some_and(|(_, is_followed_up)| is_followed_up);
        row.set_by_name("follow_up", is_followed_up).map_err(wrong_trigger)?;
    }
    Ok(Some(row))
}

type Row<'a> = PgHeapTuple<'a, AllocatedByRust>;

/// What the row says already that is inserted with this id, as an upsert of the whole row does: when it was assigned, and whether it is
/// followed up.
fn stored(id: Uuid) -> Result<Option<(Date, bool)>> {
    static STORED: Statement = Statement::by_index(
        "SELECT a.assigned_on, a.follow_up FROM assignment_reminders.assignments a WHERE a.id = $1",
        &[types::UUID],
    );
    STORED.read(&[id.into()], |mut rows| {
        let Some(row) = rows.next() else { return Ok(None) };
        Ok(Some((row.not_null("assigned_on")?, row.not_null("follow_up")?)))
    })
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
