//! Two mentor records of one person, made one: what was sent to the one was sent to the other.

use pgrx::Uuid;
use pgrx::prelude::*;

use super::day::of_the_same_person;
use crate::server::errors::{Result, invalid_argument, null_argument, unknown};
use crate::server::row_security::Whole;
use crate::server::setting::require_read_committed;
use crate::server::statement::{Statement, types};

/// Makes two mentor records of one person one: the assignments of the first become the second's, with what was sent about them, so that nobody
/// is reminded again; so do the days on which they were away. The first record is deleted; its user stays. Returns how many
/// assignments moved.
///
/// 02000 for an unknown mentor, 22004 for NULL, 22023 for twice the same, or mentors of two organizations, 25001 in a transaction that is
/// not READ COMMITTED, 42501 where row security may hide rows.
#[pg_extern(volatile)]
fn merge_peer_mentors(from_peer_mentor_id: Option<Uuid>, into_peer_mentor_id: Option<Uuid>) -> Result<i64> {
    const WHOLE: Whole = Whole {
        updates: &["assignments", "reminders", "mentor_pauses"],
        deletes: &["peer_mentors"],
        ..Whole::reads(&["peer_mentors", "assignments", "reminders", "mentor_pauses"])
    };
    static ORGANIZATION: Statement = Statement::by_index(
        "SELECT m.organization_id FROM assignment_reminders.peer_mentors m WHERE m.id = $1",
        &[types::UUID],
    );
    static LOCK: Statement = Statement::by_index(include_str!("../../sql/clock/merge_lock.sql"), &[types::UUID]);
    static LOCK_REMINDERS: Statement =
        Statement::by_index(include_str!("../../sql/clock/merge_lock_reminders.sql"), &[types::UUIDS]);
    static REMINDERS: Statement = Statement::by_index(
        include_str!("../../sql/clock/merge_reminders.sql"),
        &[types::UUIDS, types::UUID, types::UUID],
    );
    static PAUSES: Statement = Statement::by_index(
        "UPDATE assignment_reminders.mentor_pauses p SET peer_mentor_id = $2, updated_at = now() WHERE p.peer_mentor_id = $1",
        &[types::UUID, types::UUID],
    );
    static ASSIGNMENTS: Statement = Statement::by_index(
        "UPDATE assignment_reminders.assignments a SET peer_mentor_id = $2, updated_at = now() WHERE a.id = ANY ($1)",
        &[types::UUIDS, types::UUID],
    );
    static DELETE: Statement =
        Statement::by_index("DELETE FROM assignment_reminders.peer_mentors m WHERE m.id = $1", &[types::UUID]);
    let from = from_peer_mentor_id.ok_or_else(|| null_argument("from_peer_mentor_id"))?;
    let into = into_peer_mentor_id.ok_or_else(|| null_argument("into_peer_mentor_id"))?;
    let organization = |mentor: Uuid| -> Result<Uuid> {
        let found: Option<Uuid> = ORGANIZATION.write(&[mentor.into()], |rows| rows.one("organization_id"))?;
        found.ok_or_else(|| unknown("peer mentor", "peer_mentors", mentor))
    };
    let of = organization(from)?;
    if from == into || of != organization(into)? {
        return Err(invalid_argument(
            format!("the mentors {from} and {into} cannot be made one"),
            "They are two records of one person, in one organization.",
            "Give the ids of two mentors of the same organization.",
        ));
    }
    WHOLE.require_in(|| Ok(Some(of)))?;
    require_read_committed(
        "merge_peer_mentors()",
        "In a stricter one it would not see an assignment that was committed after the transaction began.",
    )?;
    // In the order of everybody: assignments by their ids, then their reminders, then mentors.
    let assignments: Vec<Uuid> = LOCK.write(&[from.into()], |rows| rows.column("id"))?;
    let reminders: Vec<Uuid> = LOCK_REMINDERS.write(&[assignments.clone().into()], |rows| rows.column("id"))?;
    REMINDERS.run(&[reminders.into(), from.into(), into.into()])?;
    // Before the assignments move: they keep nothing of a leave that moves along.
    PAUSES.run(&[from.into(), into.into()])?;
    let moved = i64::try_from(assignments.len()).unwrap_or(i64::MAX);
    of_the_same_person(|| ASSIGNMENTS.run(&[assignments.into(), into.into()]))?;
    DELETE.run(&[from.into()])?;
    Ok(moved)
}
