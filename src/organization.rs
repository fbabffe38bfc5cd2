//! Which organization a session speaks for. Owns the look-up in claims and settings, and the defaults of organization_id;
//! tenancy itself is declared in the tables.

use pgrx::prelude::*;
use pgrx::{PgSqlErrorCode, Uuid};

use crate::claims::{claims, parse_uuid};
use crate::install::{Lock, lock_tables, run_each};
use crate::server::advisory_lock::AdvisoryLock;
use crate::server::errors::{Result, error, null_argument, unknown};
use crate::server::owner::{as_owner_of, require_owner};
use crate::server::row_security::is_active;
use crate::server::setting::setting;
use crate::server::statement::{Statement, types};

/// The organization that install() makes: 00000000-0000-0000-0000-000000000001.
const DEFAULT_ORGANIZATION: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

/// The organization that the session speaks for, for policies. Where there is a JWT (the setting request.jwt.claims), it
/// alone decides: organization_id, at its top level or in app_metadata; NULL where it names none. Without a JWT: the setting
/// assignment_reminders.organization_id, else the default organization.
///
/// 22P02 when what is there is malformed.
#[pg_extern(stable, parallel_safe)]
fn current_organization() -> Result<Option<Uuid>> {
    match claims()? {
        Some(claims) => claims.organization(),
        None => Ok(Some(set_organization()?.unwrap_or(Uuid::from_bytes(DEFAULT_ORGANIZATION)))),
    }
}

/// What a view is about: where row security binds the current role, the organization that the session speaks for; else all of them, NULL.
///
/// 22P02 when what the session says of it is malformed.
#[pg_extern(stable)]
fn organization_in_sight() -> Result<Option<Uuid>> {
    if is_active("assignments") { current_organization() } else { Ok(None) }
}

/// The organization of an assignment. `None`: there is none such, or the caller may not see it.
pub fn organization_of(assignment: Uuid) -> Result<Option<Uuid>> {
    static ORGANIZATION: Statement = Statement::by_index(
        "SELECT a.organization_id FROM assignment_reminders.assignments a WHERE a.id = $1",
        &[types::UUID],
    );
    ORGANIZATION.read(&[assignment.into()], |rows| rows.one("organization_id"))
}

/// An organization's time zone, for people who have none of their own. With the rights of the tables' owner: whoever may read a due date may
/// know it. NULL for NULL and for an unknown organization.
#[pg_extern(stable)]
fn organization_timezone(organization_id: Uuid) -> Result<Option<String>> {
    static TIMEZONE: Statement = Statement::by_index(
        "SELECT o.timezone FROM assignment_reminders.organizations o WHERE o.id = $1",
        &[types::UUID],
    );
    as_owner_of("organizations", || TIMEZONE.read(&[organization_id.into()], |rows| rows.one("timezone")))
}

/// What organization_id defaults to: the organization that the session speaks for, else the default organization, so that
/// a service whose JWT names none goes on inserting. require_organization(true) takes that away.
///
/// 22P02 when what is there is malformed.
#[pg_extern(stable, parallel_safe)]
fn default_organization() -> Result<Uuid> {
    Ok(current_organization()?.unwrap_or(Uuid::from_bytes(DEFAULT_ORGANIZATION)))
}

/// The organization that the session names, which organization_id defaults to after require_organization(true): by its JWT
/// or, without one, by the setting assignment_reminders.organization_id. NULL where it names none, which the column refuses (23502).
///
/// 22P02 when what is there is malformed.
#[pg_extern(stable, parallel_safe)]
pub fn named_organization() -> Result<Option<Uuid>> {
    claims()?.map_or_else(set_organization, |claims| claims.organization())
}

/// The organization that a read is about: this one or, for NULL, the one that the session speaks for.
///
/// 02000 when there is none of this id, 22004 for NULL where the session speaks for none.
#[pg_extern(stable)]
pub fn chosen_organization(organization_id: Option<Uuid>) -> Result<Uuid> {
    if let Some(id) = existing_organization(organization_id)? {
        return Ok(id);
    }
    current_organization()?.ok_or_else(|| {
        error(
            PgSqlErrorCode::ERRCODE_NULL_VALUE_NOT_ALLOWED,
            "organization_id must be given: the session speaks for no organization",
            "Its JWT names none.",
            "Give organization_id, or have the JWT issued with it.",
        )
    })
}

/// The organization that the setting names.
fn set_organization() -> Result<Option<Uuid>> {
    let Some(text) = setting(c"assignment_reminders.organization_id") else { return Ok(None) };
    parse_uuid(&text).map(Some).ok_or_else(|| {
        error(
            PgSqlErrorCode::ERRCODE_INVALID_TEXT_REPRESENTATION,
            format!("the setting assignment_reminders.organization_id is not a UUID: {text}"),
            "The organization of this session is unknown.",
            "Set it to the id of a row of assignment_reminders.organizations, or leave it unset for the default organization.",
        )
    })
}

/// Whether inserts must name their organization, or have the session name it: with true, the default organization is no
/// longer what organization_id falls back to; with false, it is again. Returns how many tables were changed.
///
/// 42501 for anybody but the tables' owner, 22004 for NULL.
#[pg_extern(volatile)]
fn require_organization(is_required: Option<bool>) -> Result<i32> {
    let is_required = is_required.ok_or_else(|| null_argument("is_required"))?;
    require_owner("require_organization()")?;
    AdvisoryLock::Install.take();
    lock_tables(Lock::Everybody)?;
    let number = set_defaults(is_required)?;
    Ok(i32::try_from(number).unwrap_or(i32::MAX))
}

/// Makes the defaults of organization_id those that ask for an organization, or those that fall back.
pub fn set_defaults(is_required: bool) -> Result<usize> {
    static COMMANDS: Statement =
        Statement::kept(include_str!("../sql/install/organization_defaults.sql"), &[types::TEXT]);
    let wanted = if is_required { "named_organization" } else { "default_organization" };
    run_each(&COMMANDS, &[wanted.into()])
}

/// Whether inserts must name their organization; also as uninstall() has left it.
pub fn is_required() -> Result<bool> {
    static IS_REQUIRED: Statement = Statement::kept(
        "SELECT count(*) > 0 AS is_required FROM assignment_reminders.installed_definitions() AS d
          WHERE d.kind = 'default'
            AND (d.definition = 'assignment_reminders.named_organization()'
                 OR d.definition LIKE '%request.jwt.claims%' AND d.definition NOT LIKE '%00000000-0000-0000-0000-000000000001%')",
        &[],
    );
    Ok(IS_REQUIRED.write(&[], |rows| rows.one("is_required"))?.unwrap_or(false))
}

/// The id itself if an organization has it, NULL for NULL.
///
/// 02000 when none has.
#[pg_extern(stable)]
pub fn existing_organization(organization_id: Option<Uuid>) -> Result<Option<Uuid>> {
    static EXISTS: Statement =
        Statement::kept("SELECT o.id FROM assignment_reminders.organizations o WHERE o.id = $1", &[types::UUID]);
    let Some(id) = organization_id else { return Ok(None) };
    let found: Option<Uuid> = EXISTS.read(&[id.into()], |rows| rows.one("id"))?;
    found.map(Some).ok_or_else(|| unknown("organization", "organizations", id))
}
