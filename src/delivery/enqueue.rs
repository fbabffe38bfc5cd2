//! Enqueueing: what is due goes to the outbox. One statement for each thing that reminders follow: its own query of what is due,
//! and one way to write it. Owns how long it waits for what others hold, and that one organization's rows keep nobody else's back.

use std::time::Duration;

use pgrx::datum::TimestampWithTimeZone;
use pgrx::{Uuid, warning};

use super::asked::with_questions;
use super::notify;
use crate::install::{Lock, lock_tables};
use crate::server::errors::Result;
use crate::server::owner::as_owner_of;
use crate::server::rows::ResultSet;
use crate::server::setting::with_lock_timeout;
use crate::server::statement::{Statement, types};
use crate::server::subtransaction::{attempt_where, is_lock_not_available};

/// The statement that enqueues what a query of sql/enqueue finds due, by an insert of sql/enqueue. What comes `before` the query may keep
/// things out of it.
macro_rules! enqueue {
    ($(before $before:literal;)? $query:literal, $insert:literal) => {
        Statement::at_each_call(
            concat!(
                "WITH ",
                $(include_str!(concat!("../../sql/enqueue/", $before)),)?
                "due AS MATERIALIZED (\n",
                include_str!(concat!("../../sql/enqueue/", $query)),
                "), ",
                include_str!("../../sql/enqueue/free.sql"),
                "enqueued AS (\n",
                include_str!(concat!("../../sql/enqueue/", $insert)),
                ")\n",
                include_str!("../../sql/enqueue/enqueued.sql")
            ),
            &[types::MOMENT, types::UUIDS],
        )
    };
}

static SILENCE: Statement = enqueue!(before "guard.sql"; "silence.sql", "about_assignment.sql");
static DUE_DATE: Statement = enqueue!("due_date.sql", "about_assignment.sql");
static OCCURRENCE: Statement = enqueue!("occurrence.sql", "about_person.sql");
static DAY: Statement = enqueue!("day.sql", "about_person.sql");

/// How long a row that another transaction is inserting is waited for: first, and by one call after that altogether. Nothing else is waited for.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const FURTHER_WAITS: Duration = Duration::from_millis(1_400);

/// What a call enqueued, and the organizations of which it could enqueue nothing.
pub struct Enqueued {
    pub rows: ResultSet,
    pub left_out: Vec<Uuid>,
}

/// Enqueues the follow-ups of these organizations that are due at `as_of` and not held. Workers are notified.
pub fn enqueue_follow_ups(as_of: TimestampWithTimeZone, organizations: Vec<Uuid>) -> Result<Enqueued> {
    enqueue(&SILENCE, as_of, Some(organizations))
}

/// Enqueues the reminders of due dates that are due at `as_of`, and returns them. Workers are notified.
pub fn enqueue_due_dates(as_of: TimestampWithTimeZone) -> Result<ResultSet> {
    enqueue(&DUE_DATE, as_of, None).map(|enqueued| enqueued.rows)
}

/// Enqueues the summaries that are due at `as_of`, and returns them. Workers are notified.
pub fn enqueue_summaries(as_of: TimestampWithTimeZone) -> Result<ResultSet> {
    enqueue(&DAY, as_of, None).map(|enqueued| enqueued.rows)
}

/// Enqueues the notices that are due at `as_of`, and returns them. Workers are notified.
pub fn enqueue_notices(as_of: TimestampWithTimeZone) -> Result<ResultSet> {
    enqueue(&OCCURRENCE, as_of, None).map(|enqueued| enqueued.rows)
}

/// Rows that are there and held by somebody are left out by the statement. What cannot be seen is a row of the same key that another
/// transaction has inserted and not committed: it is waited for, and then its organization is found by halves and left out.
fn enqueue(statement: &Statement, as_of: TimestampWithTimeZone, organizations: Option<Vec<Uuid>>) -> Result<Enqueued> {
    let mut enqueued = Enqueued { rows: ResultSet::empty(), left_out: Vec::new() };
    match enqueue_within(FIRST_WAIT, statement, as_of, organizations.clone())? {
        Some(rows) => enqueued.rows = rows,
        None => enqueue_by_halves(statement, as_of, organizations, &mut enqueued)?,
    }
    if !enqueued.left_out.is_empty() {
        warning!(
            "reminders of {} organization(s) wait for the next call: another transaction that has not ended is writing them",
            enqueued.left_out.len()
        );
    }
    notified(&enqueued.rows)?;
    Ok(enqueued)
}

fn enqueue_by_halves(
    statement: &Statement,
    as_of: TimestampWithTimeZone,
    organizations: Option<Vec<Uuid>>,
    enqueued: &mut Enqueued,
) -> Result<()> {
    static ALL: Statement = Statement::kept("SELECT o.id FROM assignment_reminders.organizations o ORDER BY o.id", &[]);
    // An ALTER TABLE concerns all of them: that is waited for as any statement does.
    as_owner_of("reminders", || lock_tables(Lock::Readers))?;
    let all = match organizations {
        Some(organizations) => organizations,
        None => ALL.write(&[], |rows| rows.column("id"))?,
    };
    let mut waits = FURTHER_WAITS;
    let mut parts = vec![all];
    while let Some(mut part) = parts.pop() {
        // Shorter and shorter, so that many that are held take no longer than one.
        let wait = waits / 8;
        if let Some(rows) = enqueue_within(wait, statement, as_of, Some(part.clone()))? {
            enqueued.rows.append(rows);
            continue;
        }
        waits = waits.saturating_sub(wait);
        let second = part.split_off(part.len() / 2);
        if part.is_empty() {
            enqueued.left_out.extend(second);
        } else {
            parts.extend([second, part]);
        }
    }
    Ok(())
}

/// `None`: what somebody else is inserting was waited for in vain, and nothing was enqueued.
fn enqueue_within(
    wait: Duration,
    statement: &Statement,
    as_of: TimestampWithTimeZone,
    organizations: Option<Vec<Uuid>>,
) -> Result<Option<ResultSet>> {
    let arguments = [as_of.into(), organizations.into()];
    let work = || with_lock_timeout(wait, || with_questions(|| statement.write_rows(&arguments)))?;
    attempt_where(is_lock_not_available, work).map(std::result::Result::ok)
}

fn notified(enqueued: &ResultSet) -> Result<()> {
    for row in enqueued.rows() {
        if row.get::<String>("skip_reason")?.is_none() {
            return notify::enqueued();
        }
    }
    Ok(())
}
