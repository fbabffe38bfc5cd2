//! What of pg_cron's tables the current role may do. Owns that question, which must not fail wherever it is asked.

use crate::rules::job::Kind;
use crate::server::errors::Result;
use crate::server::setting::setting;
use crate::server::statement::Statement;

/// pg_cron is in this database, and the current role may do this.
pub struct Access {
    /// Whether it may make jobs.
    pub may_use: bool,
    /// Whether it may read its jobs and their runs.
    pub may_read: bool,
    /// Whether it may delete its runs.
    pub may_delete: bool,
}

/// `None` where pg_cron is not in this database.
pub fn access() -> Result<Option<Access>> {
    static ACCESS: Statement = Statement::kept(include_str!("../../sql/schedule/access.sql"), &[]);
    ACCESS.read(&[], |mut rows| {
        let Some(row) = rows.next() else { return Ok(None) };
        let access = Access {
            may_use: row.not_null("may_use")?,
            may_read: row.not_null("may_read")?,
            may_delete: row.not_null("may_delete")?,
        };
        Ok(Some(access))
    })
}

/// The database that pg_cron runs jobs from; `None` where it is not loaded. Its settings tell nothing of that: they may be left in
/// postgresql.conf without it.
pub fn home() -> Option<String> {
    let libraries = setting(c"shared_preload_libraries").unwrap_or_default();
    let names_pg_cron = |library: &str| library.trim_matches([' ', '"']).rsplit('/').next() == Some("pg_cron");
    if libraries.split(',').any(names_pg_cron) { setting(c"cron.database_name") } else { None }
}

/// The names of all our jobs, in the order of their kinds.
pub fn names() -> Vec<&'static str> {
    Kind::ALL.map(Kind::name).to_vec()
}

/// How the commands of all our jobs begin, in the order of their kinds.
pub fn commands() -> Vec<&'static str> {
    Kind::ALL.map(Kind::command).to_vec()
}
