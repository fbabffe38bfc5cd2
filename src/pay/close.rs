//! Closing periods: freezing the statement that mentors were paid by, and keeping it as it is.

use pgrx::datum::{Date, TimestampWithTimeZone};
use pgrx::prelude::*;
use pgrx::{PgSqlErrorCode, Uuid};

use super::statement::{Bounds, WHOLE};
use crate::access::administers;
use crate::arguments::require_order;
use crate::history::writer;
use crate::organization::chosen_organization;
use crate::row_triggers::{OriginalRow, Triggered};
use crate::server::calendar::calendar_date;
use crate::server::errors::{Result, broken_statement, error, invalid_argument, null_argument, raised, wrong_trigger};
use crate::server::own_trigger::require;
use crate::server::owner::as_owner_of;
use crate::server::random;
use crate::server::result::{Columns, Composite, Value, returns, value};
use crate::server::row_security::is_active;
use crate::server::search_path::without_temporary_first;
use crate::server::setting::require_read_committed;
use crate::server::statement::{Statement, types};

returns!(ClosedPeriod: Composite, "assignment_reminders.closed_period");

/// A period that was closed.
struct ClosedPeriod {
    id: Uuid,
    organization: Uuid,
    first_day: Date,
    last_day: Date,
    peer_mentors: i32,
    adjustments: i32,
    checksum: String,
}

impl Columns for ClosedPeriod {
    fn columns(self) -> impl AsRef<[Value]> + Into<Vec<Value>> {
        [
            value("closed_period_id", self.id),
            value("organization_id", self.organization),
            value("first_day", self.first_day),
            value("last_day", self.last_day),
            value("peer_mentors", self.peer_mentors),
            value("adjustments", self.adjustments),
            value("checksum", self.checksum),
        ]
    }
}

/// Closes a period of an organization: keeps its mentor_statement() in closed_periods and closed_statements, where nothing changes it any more.
/// It begins with the day after the last closed one. The first one begins with the day on which the history does, or with first_day, a
/// later one; so does one after days of which not everything is known, which says that by first_day. What is recorded into it later (by a
/// transaction that was at work when it was closed, or behind the triggers) is told in the statement after it. Returns the period, and its
/// checksum: note it elsewhere, and verify_closed_periods() proves all up to it. NULL organization: the one that the session speaks for.
///
/// Of two at once, one waits, and is told that the day is closed. 55000 for a day that has not ended in the organization's time zone, or was closed
/// before; 22023 where first_day leaves out days that are known, is after last_day, or before what is known; 22004 for a NULL last_day, 02000 for an
/// unknown organization, 22008 for an infinite day, 25001 in a transaction that is not READ COMMITTED, 42501 for whom row security binds
/// and who is no admin of the organization.
#[pg_extern(volatile)]
fn close_period(
    organization_id: Option<Uuid>,
    last_day: Option<Date>,
    first_day: default!(Option<Date>, "NULL"),
) -> Result<Composite<ClosedPeriod>> {
    // Whoever may not read what a statement tells is not shown it by closing.
    static READABLE: Statement = Statement::kept(
        "SELECT FROM assignment_reminders.organizations, assignment_reminders.peer_mentors, assignment_reminders.assignments,
                     assignment_reminders.row_history, assignment_reminders.closed_periods, assignment_reminders.closed_statements LIMIT 0",
        &[],
    );
    let last_day = last_day.ok_or_else(|| null_argument("last_day"))?;
    calendar_date("last_day", last_day)?;
    if let Some(first_day) = first_day {
        require_order(first_day, last_day)?;
    }
    let organization = chosen_organization(organization_id)?;
    WHOLE.require_in(|| Ok(Some(organization)))?;
    READABLE.run(&[])?;
    if is_active("closed_periods") && !administers(organization)? {
        return Err(error(
            PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
            format!("periods of organization {organization} are closed by its admins"),
            "What is closed is paid by, and cannot be opened again.",
            "Ask an admin of the organization, or the tables' owner.",
        ));
    }
    require_read_committed("close_period()", "In a stricter one it would not see what was closed while it waited.")?;
    let (role, user) = writer();
    as_owner_of("closed_periods", || {
        without_temporary_first(|| close(organization, first_day, last_day, role, user).map(Composite))
    })
}

fn close(
    organization: Uuid,
    first_day: Option<Date>,
    last_day: Date,
    role: String,
    user: Option<Uuid>,
) -> Result<ClosedPeriod> {
    // Nobody else closes meanwhile, nor moves the organization into another time zone.
    static LOCK: Statement = Statement::by_index(
        "SELECT o.id FROM assignment_reminders.organizations o WHERE o.id = $1 FOR NO KEY UPDATE",
        &[types::UUID],
    );
    static LINES: Statement = Statement::at_each_call(
        include_str!("../../sql/pay/close_lines.sql"),
        &[types::UUID, types::DATE, types::DATE, types::UUID],
    );
    static CLOSE: Statement = Statement::kept(
        include_str!("../../sql/pay/close.sql"),
        &[
            types::UUID,
            types::UUID,
            types::INT,
            types::DATE,
            types::DATE,
            types::MOMENT,
            types::MOMENT,
            types::TEXT,
            types::TEXT,
            types::TEXT,
            types::UUID,
        ],
    );
    LOCK.run(&[organization.into()])?;
    let bounds = Bounds::as_it_is(organization, first_day, last_day)?;
    require_next(&bounds, first_day, last_day)?;
    let id = random::uuid()?;
    LINES.run(&[organization.into(), bounds.first_day.into(), last_day.into(), id.into()])?;
    let arguments = [
        id.into(),
        organization.into(),
        bounds.number.unwrap_or(0).saturating_add(1).into(),
        bounds.first_day.into(),
        last_day.into(),
        bounds.begins_at.into(),
        bounds.ends_at.into(),
        bounds.timezone.into(),
        bounds.checksum.into(),
        role.into(),
        user.into(),
    ];
    CLOSE.write(&arguments, |mut rows| {
        let row = rows.next().ok_or_else(|| broken_statement("a period was not closed"))?;
        Ok(ClosedPeriod {
            id,
            organization,
            first_day: bounds.first_day,
            last_day,
            peer_mentors: row.not_null("peer_mentors")?,
            adjustments: row.not_null("adjustments")?,
            checksum: row.not_null("checksum")?,
        })
    })
}

/// 55000 or 22023 where these days are not those that are to be closed next.
fn require_next(bounds: &Bounds, asked: Option<Date>, last_day: Date) -> Result<()> {
    let state = PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE;
    if let Some(closed_until) = bounds.closed_until
        && (last_day <= closed_until || bounds.first_day <= closed_until)
    {
        let day = if last_day <= closed_until { last_day } else { bounds.first_day };
        return Err(error(
            state,
            format!("{day} was closed before: the organization's periods are closed up to {closed_until}"),
            "A closed period stays as it is; what was recorded into it later is told in the next statement.",
            format!("Close from the day after {closed_until} on, or read assignment_reminders.closed_statements."),
        ));
    }
    if bounds.first_day > last_day {
        return Err(invalid_argument(
            format!("{last_day} is before {}, the first day that may be closed", bounds.first_day),
            "The history of the organization begins there.",
            "Give that day or a later one as last_day.",
        ));
    }
    if !bounds.has_ended {
        return Err(error(
            state,
            format!("{last_day} has not ended, so it cannot be closed"),
            format!("It ends at {}, in the organization's time zone, {}.", bounds.ends_at, bounds.timezone),
            "Close it then, or a day that has ended. assignment_reminders.mentor_statement() tells the period so far.",
        ));
    }
    if bounds.first_day < bounds.history_day || bounds.leaves_a_gap && asked.is_none() {
        return Err(invalid_argument(
            format!(
                "a period from {} cannot be closed: the history begins on {}",
                bounds.first_day, bounds.history_day
            ),
            "It begins with the installation or the upgrade that brought it, when triggers that were away are put back, and where it was pruned.",
            format!(
                "Close from that day or a later one: first_day => '{}'. What was before is not told.",
                bounds.history_day
            ),
        ));
    }
    // Days that are known are left out before none but the first period.
    match bounds.closed_until {
        Some(closed_until) if !follows(bounds, closed_until)? => Err(invalid_argument(
            format!("{} does not follow {closed_until}, up to which periods are closed", bounds.first_day),
            "What was recorded on the days between would be in no statement.",
            "Leave first_day out: a period begins with the day after the last closed one.",
        )),
        _ => Ok(()),
    }
}

/// Whether the period begins with the day after the last closed one, or after days of which not everything is known.
fn follows(bounds: &Bounds, closed_until: Date) -> Result<bool> {
    let next = calendar_date("last_day", closed_until)?.succ_opt();
    let first = calendar_date("first_day", bounds.first_day)?;
    let known_from = calendar_date("first_day", bounds.history_day)?;
    Ok(next.is_some_and(|next| first == next || next < known_from))
}

/// Since when the history is needed for periods that are yet to be closed, in organizations that close them: since the moment before the
/// earliest of them begins. What is closed needs none. `None`: no organization closes any.
pub fn needed_since() -> Result<Option<TimestampWithTimeZone>> {
    static NEEDED: Statement = Statement::kept(include_str!("../../sql/pay/needed_since.sql"), &[]);
    as_owner_of("closed_periods", || NEEDED.write(&[], |rows| rows.one("needed_since")))
}

/// Trigger: refuses to change or delete what was closed. 2F002.
#[pg_trigger]
fn protect_closed_period<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<OriginalRow<'a>> {
    raised(require(trigger, "protect_closed_period").and_then(|()| {
        let table = trigger.table_name().map_err(wrong_trigger)?;
        Err(error(
            PgSqlErrorCode::ERRCODE_S_R_E_MODIFYING_SQL_DATA_NOT_PERMITTED,
            format!("rows of {table} cannot be changed or deleted"),
            "They are what mentors were paid by, and hold ids and numbers only.",
            "Leave them: what was recorded into a closed period later is told in the statement after it.",
        ))
    }))
}
