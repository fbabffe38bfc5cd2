//! Running a trigger's work with the rights of its table's owner, as Postgres runs its own foreign keys: a role that may
//! insert activities and nothing else still moves the contact date. Nobody gains a right by it: only the trigger's own
//! statements run so, and the owner has those rights anyway.

use std::ffi::{CStr, CString};

use pgrx::{PgSqlErrorCode, PgTrigger, pg_sys};

use super::errors::{Result, broken_statement, error};
use super::search_path::without_temporary_first;
use super::statement::Statement;

/// Does `work` as the owner of the table that the trigger is on, whatever the row security, and turns back after it.
///
/// Triggers of the owner's that this fires run as the owner, under the path of somebody else's session: temporary objects, which
/// anybody may make, are looked for last there.
pub fn as_table_owner<T>(trigger: &PgTrigger, work: impl FnOnce() -> Result<T>) -> Result<T> {
    // SAFETY: the relation is open while its trigger runs; the user is a variable of this backend.
    let (owner, caller) = unsafe { ((*(*trigger.trigger_data().tg_relation).rd_rel).relowner, pg_sys::GetUserId()) };
    let _restored = Identity::become_owner(owner);
    if owner == caller { work() } else { without_temporary_first(work) }
}

/// Does `work` as the owner of a table of ours, whatever the row security, and turns back after it. For look-ups that policies make:
/// under the caller's rights, a policy that asks would be asked again.
pub fn as_owner_of<T>(table: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let name = CString::new(table).map_err(broken_statement)?;
    // SAFETY: looks names and rows up in the catalog's caches; the row is copied from before it is released.
    let owner = unsafe {
        let schema = pg_sys::get_namespace_oid(c"assignment_reminders".as_ptr(), false);
        let relation = pg_sys::RelationIdGetRelation(pg_sys::get_relname_relid(name.as_ptr(), schema));
        if relation.is_null() {
            return work(); // which says that the table is missing
        }
        let owner = (*(*relation).rd_rel).relowner;
        pg_sys::RelationClose(relation);
        owner
    };
    let _restored = Identity::become_owner(owner);
    work()
}

/// The role that logged in, whatever it has become since.
pub fn session_user() -> String {
    // SAFETY: a role's name for its number, which Postgres copies; the role is there, since it is connected.
    unsafe {
        let name = pg_sys::GetUserNameFromId(pg_sys::GetSessionUserId(), false);
        CStr::from_ptr(name).to_string_lossy().into_owned()
    }
}

/// 42501 where the current role has not the rights of the tables' owner.
pub fn require_owner(function: &str) -> Result<()> {
    static OWNER: Statement = Statement::kept(
        "SELECT pg_get_userbyid(c.relowner)::text AS owner FROM pg_class c
          WHERE c.oid = 'assignment_reminders.users'::regclass AND NOT pg_has_role(c.relowner, 'USAGE')",
        &[],
    );
    let owner: Option<String> = OWNER.read(&[], |rows| rows.one("owner"))?;
    let Some(owner) = owner else { return Ok(()) };
    Err(error(
        PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
        format!("{function} is for the owner of the tables, {owner}"),
        "It alters the tables.",
        format!("Call it as {owner}, or as a member of that role."),
    ))
}

/// The identity to return to when dropped: after the work, and while an error unwinds.
struct Identity {
    user: pg_sys::Oid,
    context: i32,
}

impl Identity {
    fn become_owner(owner: pg_sys::Oid) -> Self {
        let mut identity = Self { user: pg_sys::InvalidOid, context: 0 };
        // SAFETY: Postgres's foreign keys switch identity by the same calls.
        unsafe {
            pg_sys::GetUserIdAndSecContext(&raw mut identity.user, &raw mut identity.context);
            let flags = pg_sys::SECURITY_LOCAL_USERID_CHANGE | pg_sys::SECURITY_NOFORCE_RLS;
            pg_sys::SetUserIdAndSecContext(owner, identity.context | flags.cast_signed());
        }
        identity
    }
}

impl Drop for Identity {
    fn drop(&mut self) {
        // SAFETY: these are the values that Postgres gave us.
        unsafe { pg_sys::SetUserIdAndSecContext(self.user, self.context) }
    }
}
