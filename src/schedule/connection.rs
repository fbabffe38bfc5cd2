//! Warning whoever schedules jobs that pg_cron will not be able to start. Owns the facts; the verdict is the rules'.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{PgLogLevel, PgSqlErrorCode};

use crate::rules::connection::{Demand, Doubt, Facts, doubt};
use crate::server::errors::{Result, broken_statement};
use crate::server::setting::setting;
use crate::server::statement::{Statement, types};

/// Warns where the jobs will fail, and gives notice where they may.
pub fn warn_of_doubts() -> Result<()> {
    let Some(Doubt { is_warning, message, detail, hint }) = doubt(&facts()?) else { return Ok(()) };
    let (code, level) = if is_warning {
        (PgSqlErrorCode::ERRCODE_WARNING, PgLogLevel::WARNING)
    } else {
        (PgSqlErrorCode::ERRCODE_SUCCESSFUL_COMPLETION, PgLogLevel::NOTICE)
    };
    ErrorReport::new(code, message, "assignment_reminders").set_detail(detail).set_hint(hint).report(level);
    Ok(())
}

fn facts() -> Result<Facts> {
    static ROLE: Statement = Statement::kept(include_str!("../../sql/schedule/role.sql"), &[]);
    let host = setting(c"cron.host").unwrap_or_default();
    let (role, can_log_in, may_read_rules) = ROLE.read(&[], |mut rows| {
        let row = rows.next().ok_or_else(|| broken_statement("the current role is not in pg_roles"))?;
        Ok((row.not_null("role")?, row.not_null("can_log_in")?, row.not_null::<bool>("may_read_rules")?))
    })?;
    Ok(Facts {
        role,
        can_log_in,
        uses_background_workers: setting(c"cron.use_background_workers").is_some_and(|value| value == "on"),
        listen_addresses: setting(c"listen_addresses").unwrap_or_default(),
        demands: if may_read_rules { Some(demands(&host)?) } else { None },
        host,
    })
}

/// What pg_hba.conf asks of the current role.
fn demands(host: &str) -> Result<Vec<Demand>> {
    static DEMANDS: Statement =
        Statement::kept(include_str!("../../sql/schedule/demands.sql"), &[types::TEXTS, types::BOOL, types::TEXT]);
    let arguments = [Facts::addresses(host).into(), Facts::uses_socket(host).into(), host.into()];
    DEMANDS.read(&arguments, |rows| {
        rows.map(|row| Ok(Demand { line: row.not_null("line_number")?, method: row.not_null("auth_method")? }))
            .collect()
    })
}
