//! Reading contact dates: single assignments, and an organisation's open ones page by page.

use pgrx::Uuid;
use pgrx::datum::{Date, DatumWithOid, TimestampWithTimeZone};
use pgrx::prelude::*;
use pgrx::spi::{SpiHeapTupleData, SpiResult};

use crate::arguments;
use crate::organization::given_or_current;
use crate::server::errors::{Result, null_argument, unknown};
use crate::server::statement::{Statement, columns};

/// The columns of both paged reads.
type OpenAssignment =
    (Option<Uuid>, Option<String>, Option<Uuid>, Option<Uuid>, Option<Uuid>, Option<Date>, Option<Date>, Option<Date>);

/// The assignment's latest contact; NULL when there never was one. P0002 for an unknown assignment.
#[pg_extern(stable)]
#[search_path(pg_catalog, pg_temp)]
fn get_last_contact_date(assignment_id: Option<Uuid>) -> Result<Option<Date>> {
    static DATE: Statement = Statement::new(
        "SELECT a.last_contact_date FROM assignment_reminders.assignments a WHERE a.id = $1",
        &[pg_sys::BuiltinOid::UUIDOID],
    );
    let id = assignment_id.ok_or_else(|| null_argument("assignment_id"))?;
    DATE.read(&[id.into()], |mut rows| rows.next().map(|row| row.get(1)).transpose())?
        .ok_or_else(|| unknown("assignment", "assignments", id))
}

/// One page of open assignments with their contact dates, longest silent first. For the next page, pass the last row's
/// `silent_since` and `assignment_id`. NULL organisation: the current one. P0002 for an unknown one, 22023 for a page size
/// outside 1 to 10,000.
#[pg_extern(stable)]
#[search_path(pg_catalog, pg_temp)]
fn get_open_assignments_with_contact_dates(
    after_silent_since: default!(Option<Date>, "NULL"),
    after_assignment_id: default!(Option<Uuid>, "NULL"),
    page_size: default!(Option<i32>, 1000),
    organization_id: default!(Option<Uuid>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(assignment_id, Option<Uuid>),
            name!(title, Option<String>),
            name!(student_id, Option<Uuid>),
            name!(peer_mentor_id, Option<Uuid>),
            name!(coordinator_id, Option<Uuid>),
            name!(assigned_on, Option<Date>),
            name!(last_contact_date, Option<Date>),
            name!(silent_since, Option<Date>),
        ),
    >,
> {
    static PAGE: Statement = Statement::new(
        include_str!("../../sql/contact/open_assignments.sql"),
        &[
            pg_sys::BuiltinOid::UUIDOID,
            pg_sys::BuiltinOid::DATEOID,
            pg_sys::BuiltinOid::UUIDOID,
            pg_sys::BuiltinOid::INT4OID,
        ],
    );
    let organization = given_or_current(organization_id)?;
    let size = arguments::size("page_size", page_size)?;
    page(&PAGE, &[organization.into(), after_silent_since.into(), after_assignment_id.into(), size.into()])
        .map(TableIterator::new)
}

/// One page of open assignments that were last in contact (without any: assigned) before `cutoff_date`, longest silent
/// first; paged as `get_open_assignments_with_contact_dates` is. 22004 for a NULL `cutoff_date`.
#[pg_extern(stable)]
#[search_path(pg_catalog, pg_temp)]
fn get_assignments_with_no_contact_since(
    cutoff_date: Option<Date>,
    after_silent_since: default!(Option<Date>, "NULL"),
    after_assignment_id: default!(Option<Uuid>, "NULL"),
    page_size: default!(Option<i32>, 1000),
    organization_id: default!(Option<Uuid>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(assignment_id, Option<Uuid>),
            name!(title, Option<String>),
            name!(student_id, Option<Uuid>),
            name!(peer_mentor_id, Option<Uuid>),
            name!(coordinator_id, Option<Uuid>),
            name!(assigned_on, Option<Date>),
            name!(last_contact_date, Option<Date>),
            name!(silent_since, Option<Date>),
        ),
    >,
> {
    static PAGE: Statement = Statement::new(
        include_str!("../../sql/contact/silent_assignments.sql"),
        &[
            pg_sys::BuiltinOid::UUIDOID,
            pg_sys::BuiltinOid::DATEOID,
            pg_sys::BuiltinOid::UUIDOID,
            pg_sys::BuiltinOid::INT4OID,
            pg_sys::BuiltinOid::DATEOID,
        ],
    );
    let cutoff = cutoff_date.ok_or_else(|| null_argument("cutoff_date"))?;
    let organization = given_or_current(organization_id)?;
    let size = arguments::size("page_size", page_size)?;
    let key = [organization.into(), after_silent_since.into(), after_assignment_id.into(), size.into(), cutoff.into()];
    page(&PAGE, &key).map(TableIterator::new)
}

/// The assignment with its student, mentor and coordinator; those it does not have are NULL. P0002 for an unknown one.
#[pg_extern(stable)]
#[search_path(pg_catalog, pg_temp)]
fn get_assignment_with_participants(
    assignment_id: Option<Uuid>,
) -> Result<
    TableIterator<
        'static,
        (
            name!(assignment_id, Option<Uuid>),
            name!(organization_id, Option<Uuid>),
            name!(title, Option<String>),
            name!(status, Option<String>),
            name!(due_at, Option<TimestampWithTimeZone>),
            name!(assigned_on, Option<Date>),
            name!(last_contact_date, Option<Date>),
            name!(student_id, Option<Uuid>),
            name!(student_name, Option<String>),
            name!(student_email, Option<String>),
            name!(peer_mentor_id, Option<Uuid>),
            name!(peer_mentor_user_id, Option<Uuid>),
            name!(peer_mentor_name, Option<String>),
            name!(peer_mentor_email, Option<String>),
            name!(coordinator_id, Option<Uuid>),
            name!(coordinator_name, Option<String>),
            name!(coordinator_email, Option<String>),
        ),
    >,
> {
    static PARTICIPANTS: Statement =
        Statement::new(include_str!("../../sql/contact/participants.sql"), &[pg_sys::BuiltinOid::UUIDOID]);
    let id = assignment_id.ok_or_else(|| null_argument("assignment_id"))?;
    let found = PARTICIPANTS.read(&[id.into()], |rows| {
        rows.map(|row| Ok(columns!(row; 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17))).collect::<SpiResult<Vec<_>>>()
    })?;
    if found.is_empty() {
        return Err(unknown("assignment", "assignments", id));
    }
    Ok(TableIterator::new(found))
}

fn page(statement: &Statement, arguments: &[DatumWithOid]) -> Result<Vec<OpenAssignment>> {
    statement.read(arguments, |rows| rows.map(open_assignment).collect())
}

fn open_assignment(row: SpiHeapTupleData) -> SpiResult<OpenAssignment> {
    Ok(columns!(row; 1 2 3 4 5 6 7 8))
}
