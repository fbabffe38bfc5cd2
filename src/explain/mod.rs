//! Explaining: what becomes of each silence, and why. What decides is the rules' to say; here it is asked, and told.

mod assignment;
mod effect;
mod simulation;
mod timeline;

use pgrx::Uuid;

use crate::server::errors::Result;
use crate::server::statement::{Statement, types};

/// The organization of an assignment, also of one that was deleted, and its time zone.
fn organization_ever_of(assignment: Uuid) -> Result<Option<(Uuid, String)>> {
    static ORGANIZATION: Statement =
        Statement::by_index(include_str!("../../sql/explain/organization.sql"), &[types::UUID]);
    ORGANIZATION.read(&[assignment.into()], |mut rows| {
        let Some(row) = rows.next() else { return Ok(None) };
        Ok(Some((row.not_null("organization_id")?, row.not_null("timezone")?)))
    })
}

fn uuid(text: &str) -> Option<Uuid> {
    crate::claims::parse_uuid(text)
}

pgrx::extension_sql_file!("../../sql/explain/silences.sql", name = "silences", requires = ["pay_reads"]);
pgrx::extension_sql_file!("../../sql/explain/silence_as_of.sql", name = "silence_as_of", requires = ["silences"]);
pgrx::extension_sql_file!("../../sql/explain/forgotten.sql", name = "forgotten", requires = ["silence_as_of"]);
