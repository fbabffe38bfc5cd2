//! The person on whose behalf a session works: the row of users that the JWT's sub names, in the session's organization. Policies
//! ask once per statement, as in (SELECT current_user_id()). The look-up itself runs with the rights of the table's owner: under
//! the caller's, a policy on users that asks who they are would ask itself.

use std::cell::Cell;

use pgrx::prelude::*;
use pgrx::{PgSqlErrorCode, Uuid};

use crate::claims::{claims, parse_uuid};
use crate::row_triggers::{OriginalRow, Triggered, column, new_row};
use crate::rules::role::{Role, may_assign};
use crate::server::errors::{Result, broken_statement, error, raised, wrong_trigger};
use crate::server::own_trigger::require;
use crate::server::owner::as_owner_of;
use crate::server::permit;
use crate::server::row_security::is_active;
use crate::server::snapshot::Seen;
use crate::server::statement::{Statement, types};

#[derive(Clone, Copy)]
struct Person {
    id: Uuid,
    organization: Uuid,
    /// sub of the JWT, and their auth_user_id.
    subject: Uuid,
    role: Role,
    peer_mentor: Option<Uuid>,
}

/// None without a JWT, for one that names no organization, and for somebody whom the organization does not know.
fn person() -> Result<Option<Person>> {
    thread_local! {
        /// Who was looked up last, by what they claim and what was seen then: a statement's policies ask again and again.
        static LAST: Cell<Option<(Seen, Uuid, Uuid, Option<Person>)>> = const { Cell::new(None) };
    }
    let Some(claims) = claims()? else { return Ok(None) };
    let subject = claims.subject.as_deref().and_then(parse_uuid);
    let (Some(subject), Some(organization)) = (subject, claims.organization()?) else { return Ok(None) };
    let seen = Seen::now();
    if let Some((last_seen, last_organization, last_subject, person)) = LAST.get()
        && (Some(last_seen), last_organization, last_subject) == (seen, organization, subject)
    {
        return Ok(person);
    }
    let person = look_up(organization, subject)?;
    LAST.set(seen.map(|seen| (seen, organization, subject, person)));
    Ok(person)
}

fn look_up(organization: Uuid, subject: Uuid) -> Result<Option<Person>> {
    static PERSON: Statement =
        Statement::by_index(include_str!("../../sql/access/person.sql"), &[types::UUID, types::UUID]);
    as_owner_of("users", || {
        PERSON.read(&[organization.into(), subject.into()], |mut rows| {
            let Some(row) = rows.next() else { return Ok(None) };
            let role: String = row.not_null("role")?;
            let role = Role::named(&role).ok_or_else(|| broken_statement(format!("a user has the role {role}")))?;
            let (id, peer_mentor) = (row.not_null("id")?, row.get("peer_mentor_id")?);
            Ok(Some(Person { id, organization, subject, role, peer_mentor }))
        })
    })
}

/// The user who the session works for: whose auth_user_id is the sub of the JWT (the setting request.jwt.claims), in the
/// organization that the JWT names. NULL where there is no such user, no JWT, or none that names an organization.
///
/// 22P02 for malformed claims.
#[pg_extern(stable, parallel_restricted)]
fn current_user_id() -> Result<Option<Uuid>> {
    Ok(person()?.map(|person| person.id))
}

/// The peer mentor that the current user (see current_user_id) is; NULL where they are none.
///
/// 22P02 for malformed claims.
#[pg_extern(stable, parallel_restricted)]
fn current_peer_mentor_id() -> Result<Option<Uuid>> {
    Ok(person()?.and_then(|person| person.peer_mentor))
}

/// The organization in which the current user (see current_user_id) sees and does all, as its coordinator or admin; NULL
/// for anybody else.
///
/// 22P02 for malformed claims.
#[pg_extern(stable, parallel_restricted)]
fn coordinated_organization() -> Result<Option<Uuid>> {
    Ok(person()?.filter(|person| person.role.coordinates()).map(|person| person.organization))
}

/// The organization whose settings the current user (see current_user_id) changes, as its admin; NULL for anybody else.
///
/// 22P02 for malformed claims.
#[pg_extern(stable, parallel_restricted)]
fn administered_organization() -> Result<Option<Uuid>> {
    Ok(person()?.filter(|person| person.role.administers()).map(|person| person.organization))
}

/// The user on whose behalf the session works.
pub fn current_user() -> Result<Option<Uuid>> {
    current_user_id()
}

/// Whether the current user sees and does all in this organization.
pub fn coordinates(organization: Uuid) -> Result<bool> {
    Ok(coordinated_organization()? == Some(organization))
}

/// Whether the current user changes what is this organization's.
pub fn administers(organization: Uuid) -> Result<bool> {
    Ok(administered_organization()? == Some(organization))
}

/// A mentor who asks of what is theirs.
#[derive(Clone, Copy)]
pub struct Mentor {
    pub user: Uuid,
    pub id: Uuid,
    organization: Uuid,
}

impl Mentor {
    /// Of this assignment, which they see and is theirs now.
    pub fn of(assignment: Uuid) -> Result<Option<Self>> {
        static MENTORED: Statement =
            Statement::by_index(include_str!("../../sql/access/mentored.sql"), &[types::UUID, types::UUID]);
        let Some(mentor) = Self::asking()? else { return Ok(None) };
        let is_theirs: bool =
            MENTORED.read(&[assignment.into(), mentor.id.into()], |rows| rows.one("is_theirs"))?.unwrap_or_default();
        Ok(is_theirs.then_some(mentor))
    }

    /// In this organization.
    pub fn within(organization: Uuid) -> Result<Option<Self>> {
        Ok(Self::asking()?.filter(|mentor| mentor.organization == organization))
    }

    /// Whom row security binds, and who is no coordinator: those see more. Where somebody else's role has policies and claims of its own, it is not
    /// one in which mentors ask.
    fn asking() -> Result<Option<Self>> {
        static MAY_ASK: Statement = Statement::kept(include_str!("../../sql/access/may_ask_as_mentor.sql"), &[]);
        if !is_active("assignments") {
            return Ok(None);
        }
        let Some(Person { id: user, organization, peer_mentor: Some(id), .. }) =
            person()?.filter(|person| !person.role.coordinates())
        else {
            return Ok(None);
        };
        let may_ask: bool = MAY_ASK.read(&[], |rows| rows.one("may_ask"))?.unwrap_or_default();
        Ok(may_ask.then_some(Self { user, id, organization }))
    }
}

/// Trigger: refuses what would make a person another one, by whom row security binds: role and auth_user_id, which an admin gives
/// to others in their organization, and an address, which its coordinators give. 42501.
#[pg_trigger]
fn protect_identity<'a>(trigger: &'a PgTrigger<'a>) -> Triggered<OriginalRow<'a>> {
    raised(require(trigger, "protect_identity").and_then(|()| protect(trigger)).map(Some))
}

fn protect<'a>(trigger: &'a PgTrigger<'a>) -> Result<OriginalRow<'a>> {
    let row = new_row(trigger)?;
    // What forgets a person takes all of it away.
    if permit::is_held() || !is_active("users") {
        return Ok(row);
    }
    let (new, old) = (Identity::of(&row)?, trigger.old().as_ref().map(Identity::of).transpose()?);
    // As it was before and as it is to be: nobody moves a person to where they may write them, or takes their place.
    let sides = || [Some(&new), old.as_ref()].into_iter().flatten();
    let writer = person()?.filter(|writer| sides().all(|side| side.organization == writer.organization));
    let is_own_row =
        writer.is_some_and(|writer| sides().any(|side| side.id == writer.id || side.sign_in == Some(writer.subject)));
    let role = writer.map(|writer| writer.role);
    let is_allowed = match &old {
        Some(old) if (&old.role, old.sign_in, old.id) == (&new.role, new.sign_in, new.id) => {
            role.is_some_and(Role::coordinates)
        }
        _ => may_assign(role, is_own_row),
    };
    if is_allowed {
        return Ok(row);
    }
    Err(error(
        PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
        format!("what user {} is known by cannot be written by whom row security binds", new.id),
        "role and auth_user_id decide what a person may see and do, and others find them by their email.",
        "Leave these as they are. Admins of the organization write role and auth_user_id of others, its coordinators addresses; \
         the tables' owner and roles with BYPASSRLS write all.",
    ))
}

/// What a row of users says of who somebody is, and where.
struct Identity {
    id: Uuid,
    organization: Uuid,
    role: String,
    sign_in: Option<Uuid>,
}

impl Identity {
    fn of(row: &OriginalRow) -> Result<Self> {
        Ok(Self {
            id: column(row, "id")?,
            organization: column(row, "organization_id")?,
            role: column(row, "role")?,
            sign_in: row.get_by_name("auth_user_id").map_err(wrong_trigger)?,
        })
    }
}
