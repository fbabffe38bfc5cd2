//! What a function must see whole to be right. Row security that hides rows from the caller would make it count, decide or
//! repair by what is left; so it is asked first, and says so instead. It is never switched off.

use std::ffi::CString;

use pgrx::prelude::*;
use pgrx::{PgSqlErrorCode, Uuid, pg_sys};

use super::errors::{Result, error, null_argument};
use super::search_path::with_ours;
use super::setting::Nested;
use super::statement::{Statement, types};
use crate::access;

/// The tables that a function must see whole, and what it writes there.
pub struct Whole {
    pub reads: &'static [&'static str],
    pub updates: &'static [&'static str],
    pub inserts: &'static [&'static str],
    pub deletes: &'static [&'static str],
}

impl Whole {
    /// One that reads these tables and writes none.
    pub const fn reads(reads: &'static [&'static str]) -> Self {
        Self { reads, updates: &[], inserts: &[], deletes: &[] }
    }

    /// 42501, naming the table, where row security may hide rows from the current role, or keep it from writing them: where it
    /// is active, and the role's policies are not simply true.
    pub fn require(&self) -> Result<()> {
        self.require_in(|| Ok(None))
    }

    /// As `require`, of what one organization holds (`None`: all of them): its coordinators pass, too, by the policies of
    /// enable_row_security().
    pub fn require_in(&self, organization: impl FnOnce() -> Result<Option<Uuid>>) -> Result<()> {
        Self::require_all([self.reads, self.updates, self.inserts, self.deletes], organization)
    }

    /// As `require_in`, of these tables, which are read.
    pub fn require_reads(tables: &[&str], organization: impl FnOnce() -> Result<Option<Uuid>>) -> Result<()> {
        Self::require_all([tables, &[], &[], &[]], organization)
    }

    fn require_all(all: [&[&str]; 4], organization: impl FnOnce() -> Result<Option<Uuid>>) -> Result<()> {
        static HIDDEN: Statement = Statement::kept(
            include_str!("../../sql/extension/hidden_table.sql"),
            &[types::TEXTS, types::TEXTS, types::TEXTS, types::TEXTS, types::BOOL],
        );
        if !all.iter().copied().flatten().any(|table| is_active(table)) {
            return Ok(());
        }
        let is_coordinator = organization()?.map_or(Ok(false), access::coordinates)?;
        let [reads, updates, inserts, deletes] = all.map(|tables| tables.to_vec().into());
        let arguments = [reads, updates, inserts, deletes, is_coordinator.into()];
        let hidden = || {
            HIDDEN.read(&arguments, |mut rows| {
                let Some(row) = rows.next() else { return Ok(None) };
                Ok(Some((row.not_null("name")?, row.not_null("command")?, row.not_null("role")?)))
            })
        };
        // It compares policies as Postgres writes them, by the path and by this setting.
        let hidden: Option<(String, String, String)> =
            Nested::during(c"quote_all_identifiers", c"off", || with_ours(hidden))???;
        let Some((table, command, role)) = hidden else { return Ok(()) };
        Err(error(
            PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
            format!("row security on assignment_reminders.{table} may hide rows from the role {role}"),
            format!("This function is only right if it can {command} every row of that table."),
            "Call it as the tables' owner, as a role with BYPASSRLS, or as one whose policies on the table are simply true; where it is about one organization (organization_id), as its coordinator or admin; where it is about an assignment that is there, also as its mentor.",
        ))
    }
}

/// Whether row security applies to the current role. Cheap enough to ask at every call.
pub fn is_active(table: &str) -> bool {
    let Ok(name) = CString::new(table) else { return false };
    // SAFETY: looks names and flags up in the catalog's caches. A table that is missing has no row security.
    unsafe {
        let schema = pg_sys::get_namespace_oid(c"assignment_reminders".as_ptr(), true);
        let relation = pg_sys::get_relname_relid(name.as_ptr(), schema);
        relation != pg_sys::InvalidOid
            && pg_sys::check_enable_rls(relation, pg_sys::InvalidOid, true)
                == pg_sys::CheckEnableRlsResult::RLS_ENABLED.cast_signed()
    }
}

/// True. Raises where row security may hide rows of these tables from the current role: SQL functions that must see them
/// whole ask it first. With an organization, its coordinators and admins pass, too: the function is about that one alone.
///
/// 42501, naming the table. 22004 for NULL tables.
#[pg_extern(stable)]
fn require_whole(tables: Option<Vec<Option<String>>>, organization_id: default!(Option<Uuid>, "NULL")) -> Result<bool> {
    let tables = tables.ok_or_else(|| null_argument("tables"))?;
    let tables: Vec<&str> = tables.iter().flatten().map(String::as_str).collect();
    Whole::require_reads(&tables, || Ok(organization_id)).map(|()| true)
}
