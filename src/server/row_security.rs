//! What a function must see whole to be right. Row security that hides rows from the caller would make it count, decide or
//! repair by what is left; so it is asked first, and says so instead. It is never switched off.

use std::ffi::CString;

use pgrx::prelude::*;
use pgrx::{PgSqlErrorCode, pg_sys};

use super::errors::{Result, error, null_argument};
use super::statement::{Statement, types};

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
        Self::require_all([self.reads, self.updates, self.inserts, self.deletes])
    }

    fn require_all(all: [&[&str]; 4]) -> Result<()> {
        static HIDDEN: Statement = Statement::kept(
            include_str!("../../sql/extension/hidden_table.sql"),
            &[types::TEXTS, types::TEXTS, types::TEXTS, types::TEXTS],
        );
        if !all.iter().copied().flatten().any(|table| is_active(table)) {
            return Ok(());
        }
        let arguments = all.map(|tables| tables.to_vec().into());
        let hidden: Option<(String, String, String)> = HIDDEN.read(&arguments, |mut rows| {
            let Some(row) = rows.next() else { return Ok(None) };
            Ok(Some((row.not_null("name")?, row.not_null("command")?, row.not_null("role")?)))
        })?;
        let Some((table, command, role)) = hidden else { return Ok(()) };
        Err(error(
            PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
            format!("row security on assignment_reminders.{table} may hide rows from the role {role}"),
            format!("This function is only right if it can {command} every row of that table."),
            "Call it as the tables' owner, as a role with BYPASSRLS, or as one whose policies on the table are simply true.",
        ))
    }
}

/// Whether row security applies to the current role. Cheap enough to ask at every call.
fn is_active(table: &str) -> bool {
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
/// whole ask it first.
///
/// 42501, naming the table. 22004 for NULL.
#[pg_extern(stable)]
fn require_whole(tables: Option<Vec<Option<String>>>) -> Result<bool> {
    let tables = tables.ok_or_else(|| null_argument("tables"))?;
    let tables: Vec<&str> = tables.iter().flatten().map(String::as_str).collect();
    Whole::require_all([&tables, &[], &[], &[]]).map(|()| true)
}
