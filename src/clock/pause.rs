//! Pauses that somebody makes, of an assignment or of all that a mentor has: the status stays, due dates are reminded of, and silence is
//! not counted.

use pgrx::datum::{Date, TimestampWithTimeZone};
use pgrx::prelude::*;
use pgrx::{PgSqlErrorCode, Uuid};

use crate::arguments;
use crate::server::errors::{Result, error, invalid_argument, null_argument, unknown};
use crate::server::statement::{Statement, types};

/// What can be paused, and how.
struct Kind {
    name: &'static str,
    table: &'static str,
    argument: &'static str,
    /// The day of a moment where it is.
    day: Statement,
    prolong: Statement,
    pause: Statement,
    resume: Statement,
}

static ASSIGNMENT: Kind = Kind {
    name: "assignment",
    table: "assignments",
    argument: "assignment_id",
    day: Statement::by_index(include_str!("../../sql/clock/day.sql"), &[types::UUID, types::MOMENT]),
    prolong: Statement::by_index(
        include_str!("../../sql/clock/prolong.sql"),
        &[types::UUID, types::DATE, types::DATE, types::TEXT],
    ),
    pause: Statement::by_index(
        include_str!("../../sql/clock/pause.sql"),
        &[types::UUID, types::DATE, types::DATE, types::TEXT],
    ),
    resume: Statement::by_index(include_str!("../../sql/clock/resume.sql"), &[types::UUID, types::DATE]),
};

static MENTOR: Kind = Kind {
    name: "peer mentor",
    table: "peer_mentors",
    argument: "peer_mentor_id",
    day: Statement::by_index(include_str!("../../sql/clock/mentor_day.sql"), &[types::UUID, types::MOMENT]),
    prolong: Statement::by_index(
        include_str!("../../sql/clock/prolong_mentor.sql"),
        &[types::UUID, types::DATE, types::DATE, types::TEXT],
    ),
    pause: Statement::by_index(
        include_str!("../../sql/clock/pause_mentor.sql"),
        &[types::UUID, types::DATE, types::DATE, types::TEXT],
    ),
    resume: Statement::by_index(include_str!("../../sql/clock/resume_mentor.sql"), &[types::UUID, types::DATE]),
};

/// Pauses an assignment from the day of as_of, in its organization's time zone, to until, both included (NULL: until further notice): these
/// days do not count, and nothing is enqueued on them. Follow-ups that wait are skipped as paused when they are claimed on one of them; due
/// dates are reminded of as always. Who paused it is kept (the user behind the JWT, if any), and the reason, if one is given. One that is paused already is
/// paused until then instead. Returns the id of the row in assignment_pauses. Nothing need run for it to end.
///
/// 02000 for an unknown assignment, 22004 for a NULL assignment_id or as_of, 22008 for an infinite as_of, 22023 for an until before
/// the day of as_of.
#[pg_extern(volatile)]
fn pause_assignment(
    assignment_id: Option<Uuid>,
    until: default!(Option<Date>, "NULL"),
    reason: default!(Option<&str>, "NULL"),
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<Option<Uuid>> {
    ASSIGNMENT.pause(assignment_id, until, reason, as_of)
}

/// Ends the pause of an assignment: the day of as_of, in its organization's time zone, counts again. Returns whether it was paused.
///
/// 02000 for an unknown assignment, 22004 for NULL, 22008 for an infinite as_of, 42501 where the caller sees a pause and may not end it.
#[pg_extern(volatile)]
fn resume_assignment(
    assignment_id: Option<Uuid>,
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<bool> {
    ASSIGNMENT.resume(assignment_id, as_of)
}

/// Pauses all assignments of a mentor who is away, from the day of as_of, in their organization's time zone, to until, both included (NULL:
/// until further notice), as pause_assignment does; also those that they get meanwhile. One that gets another mentor is not paused any
/// more: the days until then do not count, and the new mentor is reminded. Returns the id of the row in mentor_pauses.
///
/// 02000 for an unknown mentor, 22004 for a NULL peer_mentor_id or as_of, 22008 for an infinite as_of, 22023 for an until before the
/// day of as_of.
#[pg_extern(volatile)]
fn pause_mentor(
    peer_mentor_id: Option<Uuid>,
    until: default!(Option<Date>, "NULL"),
    reason: default!(Option<&str>, "NULL"),
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<Option<Uuid>> {
    MENTOR.pause(peer_mentor_id, until, reason, as_of)
}

/// A mentor is back: the day of as_of, in their organization's time zone, counts again. Returns whether they were away.
///
/// 02000 for an unknown mentor, 22004 for NULL, 22008 for an infinite as_of, 42501 where the caller sees a pause and may not end it.
#[pg_extern(volatile)]
fn resume_mentor(
    peer_mentor_id: Option<Uuid>,
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<bool> {
    MENTOR.resume(peer_mentor_id, as_of)
}

impl Kind {
    fn pause(
        &'static self,
        id: Option<Uuid>,
        until: Option<Date>,
        reason: Option<&str>,
        as_of: Option<TimestampWithTimeZone>,
    ) -> Result<Option<Uuid>> {
        let (id, today) = self.day_of(id, as_of)?;
        if until.is_some_and(|until| until < today) {
            return Err(invalid_argument(
                format!("a pause of {} {id} from {today} cannot end before it begins", self.name),
                "It begins with the day of as_of in the organization's time zone, and ends with until, that day included.",
                "Give that day or a later one, or NULL for until further notice.",
            ));
        }
        let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
        let arguments = [id.into(), today.into(), until.into(), reason.into()];
        let prolonged: Option<Uuid> = self.prolong.write(&arguments, |rows| rows.one("id"))?;
        match prolonged {
            Some(pause) => Ok(Some(pause)),
            None => self.pause.write(&arguments, |rows| rows.one("id")),
        }
    }

    fn resume(&'static self, id: Option<Uuid>, as_of: Option<TimestampWithTimeZone>) -> Result<bool> {
        let (id, today) = self.day_of(id, as_of)?;
        let ended: Vec<bool> = self.resume.write(&[id.into(), today.into()], |rows| rows.column("is_ended"))?;
        if ended.contains(&false) {
            return Err(error(
                PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
                format!("the pause of {} {id} is not the caller's to end", self.name),
                "The caller sees it, and may not change it.",
                "Ask a coordinator of the organization.",
            ));
        }
        Ok(!ended.is_empty())
    }

    /// Its id, and the day of a moment where it is.
    fn day_of(&'static self, id: Option<Uuid>, as_of: Option<TimestampWithTimeZone>) -> Result<(Uuid, Date)> {
        let id = id.ok_or_else(|| null_argument(self.argument))?;
        let as_of = arguments::as_of(as_of)?;
        let day = self.day.write(&[id.into(), as_of.into()], |rows| rows.one("day"))?;
        Ok((id, day.ok_or_else(|| unknown(self.name, self.table, id))?))
    }
}
