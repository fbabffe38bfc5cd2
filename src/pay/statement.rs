//! Statements of mentors: gathers what the history holds of an organization's assignments, and has the rules count.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use pgrx::Uuid;
use pgrx::datum::{Date, TimestampWithTimeZone};
use pgrx::prelude::*;

use crate::access::Mentor;
use crate::arguments::require_order;
use crate::organization::chosen_organization;
use crate::rules::statement::{
    Adjustment, Change, Id, Item, Lines, Moment, Period, Row, Stated, Status, Step, Version, adjustments, statements,
    steps,
};
use crate::server::errors::{Result, broken_statement, invalid_argument, null_argument};
use crate::server::owner::as_owner_of;
use crate::server::result::{SetOf, Value, returns, value};
use crate::server::row_security::Whole;
use crate::server::rows::{Row as Found, Rows};
use crate::server::statement::{Statement, types};

returns!(
    /// The lines of a statement.
    MentorStatement: SetOf,
    "TABLE (peer_mentor_id uuid, item text, number integer, assignment_ids uuid[], adjusts date)"
);

/// What a statement reads.
pub const WHOLE: Whole = Whole::reads(&[
    "organizations",
    "peer_mentors",
    "assignments",
    "row_history",
    "closed_periods",
    "closed_statements",
]);

/// What each mentor of an organization had, was given, gave away and finished from the beginning of first_day to the end of last_day in the
/// organization's time zone, by when it was recorded, whatever its dates say: a row for each mentor and item, with the assignments that were
/// counted, as often as each was. at_beginning + recorded + taken_over - handed_over - deleted = at_end, as assignment_counts_as_of() says it
/// of both ends. recorded: inserted, and given to the mentor with it. taken_over, handed_over: every change of mentor, from or to nobody
/// included. open_at_end: those of at_end whose status is open. completed, cancelled: what is so at the end, or was when it was deleted, and
/// was not at the beginning, for whoever was mentor when it last became so. There are all items of each mentor who is there at the end, and
/// of whoever else has one.
///
/// Of a period after the last closed one, what came into closed periods since they were closed (close_period) follows: with adjusts, the last
/// day of the period that it adds to, or takes from (a negative number). Closed days keep the bounds that they were closed with. A last
/// day that has not ended: a statement so far. NULL organization: the one that the session speaks for.
///
/// 22004 for a NULL day, or where the session speaks for no organization; 02000 for an unknown one, 22008 for an infinite day, 22023 where
/// first_day is after last_day or has not begun, or lies before the day on which the history begins (on that day, the statement begins when
/// the history does), 42501 where row security may hide rows: coordinators and admins have the statement of theirs, and
/// mentors their own lines of it.
#[pg_extern(stable)]
fn mentor_statement(
    first_day: Option<Date>,
    last_day: Option<Date>,
    organization_id: default!(Option<Uuid>, "NULL"),
) -> Result<SetOf<MentorStatement>> {
    let first = first_day.ok_or_else(|| null_argument("first_day"))?;
    let last = last_day.ok_or_else(|| null_argument("last_day"))?;
    require_order(first, last)?;
    let organization = chosen_organization(organization_id)?;
    if let Some(mentor) = Mentor::within(organization)? {
        let own = |(of, _): &(Id, Vec<Value>)| of == mentor.id.as_bytes();
        let lines = as_owner_of("assignments", || lines(organization, first, last))?;
        return Ok(SetOf::values(lines.into_iter().filter(own).map(|(_, line)| line).collect::<Vec<_>>()));
    }
    WHOLE.require_in(|| Ok(Some(organization)))?;
    Ok(SetOf::values(lines(organization, first, last)?.into_iter().map(|(_, line)| line).collect::<Vec<_>>()))
}

/// Every line, and whose it is.
fn lines(organization: Uuid, first: Date, last: Date) -> Result<Vec<(Id, Vec<Value>)>> {
    let bounds = Bounds::of(organization, first, last)?;
    bounds.require_known(organization)?;
    let closed = if bounds.is_after_closed { Closed::of(organization)? } else { Vec::new() };
    let since = closed.iter().map(|closed| closed.began_at).fold(bounds.begins_at, earlier);
    let histories = histories(organization, since)?;
    let periods: Vec<Period> =
        std::iter::once(bounds.period()).chain(closed.iter().map(|closed| closed.period)).collect();
    let mut told = statements(&histories, &periods);
    let lines = told.remove(0);
    let mut rows = rows_of(&lines, mentors(organization, bounds.ends_at)?);
    if !closed.is_empty() {
        let mut stated = stated(organization)?;
        for (closed, now) in closed.iter().zip(&told) {
            let stated = stated.remove(&closed.last_day.to_pg_epoch_days()).unwrap_or_default();
            rows.extend(
                adjustments(now, &stated).into_iter().flat_map(|found| rows_of_adjustment(found, closed.last_day)),
            );
        }
    }
    Ok(rows)
}

/// What days of an organization are.
#[allow(clippy::struct_excessive_bools)] // facts, as the statement finds them
pub struct Bounds {
    pub timezone: String,
    /// The day on which the history begins.
    pub history_day: Date,
    /// Of the last closed period: its number, its last day and its checksum.
    pub number: Option<i32>,
    pub closed_until: Option<Date>,
    pub checksum: Option<String>,
    pub first_day: Date,
    pub begins_at: TimestampWithTimeZone,
    pub ends_at: TimestampWithTimeZone,
    eve: TimestampWithTimeZone,
    has_begun: bool,
    pub has_ended: bool,
    is_after_closed: bool,
    /// Whether it begins later than the last closed one ended.
    pub leaves_a_gap: bool,
}

static BOUNDS: Statement =
    Statement::kept(include_str!("../../sql/pay/bounds.sql"), &[types::UUID, types::DATE, types::DATE]);

impl Bounds {
    /// Of the days from `first` to `last`, as the caller's statement sees them.
    fn of(organization: Uuid, first: Date, last: Date) -> Result<Self> {
        BOUNDS.read(&[organization.into(), Some(first).into(), last.into()], Self::found)
    }

    /// Of the days from `first` (`None`: the first that may be closed) to `last`, as they are by now.
    pub fn as_it_is(organization: Uuid, first: Option<Date>, last: Date) -> Result<Self> {
        BOUNDS.write(&[organization.into(), first.into(), last.into()], Self::found)
    }

    fn found(mut rows: Rows) -> Result<Self> {
        let row = rows.next().ok_or_else(|| broken_statement("a period has no bounds"))?;
        Ok(Self {
            timezone: row.not_null("timezone")?,
            history_day: row.not_null("history_day")?,
            number: row.get("number")?,
            closed_until: row.get("closed_until")?,
            checksum: row.get("checksum")?,
            first_day: row.not_null("first_day")?,
            begins_at: row.not_null("begins_at")?,
            ends_at: row.not_null("ends_at")?,
            eve: row.not_null("eve")?,
            has_begun: row.not_null("has_begun")?,
            has_ended: row.not_null("has_ended")?,
            is_after_closed: row.not_null("is_after_closed")?,
            leaves_a_gap: row.not_null("leaves_a_gap")?,
        })
    }

    fn period(&self) -> Period {
        Period { begin: self.begins_at.into_inner(), end: self.ends_at.into_inner() }
    }

    /// 22023 for a period of which not everything is known, or nothing yet.
    fn require_known(&self, organization: Uuid) -> Result<()> {
        static REQUIRE: Statement = Statement::kept(
            "SELECT assignment_reminders.require_history('assignments', $1, $2) AS is_known",
            &[types::MOMENT, types::UUID],
        );
        if !self.has_begun {
            return Err(invalid_argument(
                format!("first_day {} has not begun", self.first_day),
                format!("Days are those of the organization's time zone, {}.", self.timezone),
                "Give a day that has: a statement tells what was recorded.",
            ));
        }
        REQUIRE.read(&[self.eve.into(), organization.into()], |_| Ok(()))
    }
}

/// A closed period that is told once more, to be compared.
struct Closed {
    last_day: Date,
    began_at: TimestampWithTimeZone,
    period: Period,
}

impl Closed {
    fn of(organization: Uuid) -> Result<Vec<Self>> {
        static CLOSED: Statement = Statement::kept(include_str!("../../sql/pay/closed.sql"), &[types::UUID]);
        CLOSED.read(&[organization.into()], |rows| {
            let closed = rows.map(|row| {
                let (began_at, ended_at): (TimestampWithTimeZone, TimestampWithTimeZone) =
                    (row.not_null("began_at")?, row.not_null("ended_at")?);
                let period = Period { begin: began_at.into_inner(), end: ended_at.into_inner() };
                Ok(Self { last_day: row.not_null("last_day")?, began_at, period })
            });
            closed.collect()
        })
    }
}

fn earlier(one: TimestampWithTimeZone, other: TimestampWithTimeZone) -> TimestampWithTimeZone {
    if other.into_inner() < one.into_inner() { other } else { one }
}

/// The steps of every assignment that was there since a moment.
fn histories(organization: Uuid, since: TimestampWithTimeZone) -> Result<Vec<(Id, Vec<Step>)>> {
    static PRESENT: Statement = Statement::at_each_call(include_str!("../../sql/pay/assignments.sql"), &[types::UUID]);
    static CHANGES: Statement =
        Statement::at_each_call(include_str!("../../sql/pay/changes.sql"), &[types::UUID, types::MOMENT]);
    let mut changes: HashMap<Id, Vec<(Moment, Change)>> = HashMap::new();
    CHANGES.read(&[organization.into(), since.into()], |rows| {
        for row in rows {
            changes.entry(id(&row, "row_id")?).or_default().push((moment(&row, "changed_at")?, change(&row)?));
        }
        Ok(())
    })?;
    let mut histories = PRESENT.read(&[organization.into()], |rows| {
        rows.map(|row| {
            let id = id(&row, "id")?;
            let present = Row { version: version(&row)?, created_at: moment(&row, "created_at")? };
            Ok((id, steps(Some(present), &changes.remove(&id).unwrap_or_default())))
        })
        .collect::<Result<Vec<_>>>()
    })?;
    histories.extend(changes.into_iter().map(|(id, changes)| (id, steps(None, &changes))));
    Ok(histories)
}

fn change(row: &Found) -> Result<Change> {
    let operation: String = row.not_null("operation")?;
    Ok(match operation.as_str() {
        "insert" | "early insert" => Change::Inserted,
        "update" => {
            let created_at: Option<TimestampWithTimeZone> = row.get("created_at")?;
            let mentor = optional_id(row, "peer_mentor_id")?;
            Change::Updated {
                mentor: row.not_null::<bool>("had_another_mentor")?.then_some(mentor),
                status: row.get::<String>("status")?.map(|status| Status::named(&status)),
                created_at: created_at.map(TimestampWithTimeZone::into_inner),
            }
        }
        _ => Change::Deleted(Row { version: version(row)?, created_at: moment(row, "created_at")? }),
    })
}

fn version(row: &Found) -> Result<Version> {
    let status: String = row.not_null("status")?;
    Ok(Version { mentor: optional_id(row, "peer_mentor_id")?, status: Status::named(&status) })
}

fn id(row: &Found, name: &str) -> Result<Id> {
    row.not_null::<Uuid>(name).map(|id| *id.as_bytes())
}

fn optional_id(row: &Found, name: &str) -> Result<Option<Id>> {
    Ok(row.get::<Uuid>(name)?.map(|id| *id.as_bytes()))
}

fn moment(row: &Found, name: &str) -> Result<Moment> {
    row.not_null::<TimestampWithTimeZone>(name).map(TimestampWithTimeZone::into_inner)
}

/// The mentors who are there before a moment.
fn mentors(organization: Uuid, before: TimestampWithTimeZone) -> Result<BTreeSet<Id>> {
    static MENTORS: Statement = Statement::at_each_call(
        "SELECT m.row_id FROM assignment_reminders.rows_as_of('peer_mentors', $2 - interval '1 microsecond', $1) AS m",
        &[types::UUID, types::MOMENT],
    );
    MENTORS.read(&[organization.into(), before.into()], |rows| rows.map(|row| id(&row, "row_id")).collect())
}

/// What was closed of each period, by its last day, in days since 2000.
fn stated(organization: Uuid) -> Result<HashMap<i32, BTreeMap<(Id, Item), Stated>>> {
    static STATED: Statement = Statement::at_each_call(include_str!("../../sql/pay/stated.sql"), &[types::UUID]);
    STATED.read(&[organization.into()], |rows| {
        let mut stated: HashMap<i32, BTreeMap<(Id, Item), Stated>> = HashMap::new();
        for row in rows {
            let (last_day, name): (Date, String) = (row.not_null("last_day")?, row.not_null("item")?);
            let item = Item::named(&name).ok_or_else(|| broken_statement(format!("a closed line is of {name}")))?;
            let assignments: Vec<Uuid> = row.not_null("assignment_ids")?;
            let lines = stated.entry(last_day.to_pg_epoch_days()).or_default();
            let line = lines.entry((id(&row, "peer_mentor_id")?, item)).or_default();
            let side = if row.not_null("is_less")? { &mut line.less } else { &mut line.more };
            side.extend(assignments.iter().map(|assignment| *assignment.as_bytes()));
        }
        Ok(stated)
    })
}

/// A row for each item of each mentor who is there, and of whoever else has one.
fn rows_of(lines: &Lines, there: BTreeSet<Id>) -> Vec<(Id, Vec<Value>)> {
    let mut mentors = there;
    mentors.extend(lines.keys().map(|(mentor, _)| *mentor));
    let nothing = Vec::new();
    let items = mentors.iter().flat_map(|mentor| Item::ALL.map(|item| (*mentor, item)));
    items.map(|key| line(key, lines.get(&key).unwrap_or(&nothing), 1, None)).collect()
}

fn rows_of_adjustment(found: Adjustment, of: Date) -> impl Iterator<Item = (Id, Vec<Value>)> {
    let Adjustment { mentor, item, more, less } = found;
    let sides = [(more, 1), (less, -1)].into_iter().filter(|(assignments, _)| !assignments.is_empty());
    sides.map(move |(assignments, sign)| line((mentor, item), &assignments, sign, Some(of)))
}

fn line((mentor, item): (Id, Item), assignments: &[Id], sign: i32, adjusts: Option<Date>) -> (Id, Vec<Value>) {
    let ids: Vec<Uuid> = assignments.iter().map(|assignment| Uuid::from_bytes(*assignment)).collect();
    let line = vec![
        value("peer_mentor_id", Uuid::from_bytes(mentor)),
        value("item", item.name()),
        value("number", i32::try_from(ids.len()).unwrap_or(i32::MAX).saturating_mul(sign)),
        value("assignment_ids", ids),
        value("adjusts", adjusts),
    ];
    (mentor, line)
}
