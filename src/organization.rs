//! Which organization a session speaks for. Owns the look-up in the settings; tenancy itself is declared in the tables.

use pgrx::prelude::*;
use pgrx::{PgSqlErrorCode, Uuid};
use serde::Deserialize;

use crate::server::errors::{Result, error, unknown};
use crate::server::setting::setting;
use crate::server::statement::{Statement, types};

/// The organization that install() makes: 00000000-0000-0000-0000-000000000001.
const DEFAULT_ORGANIZATION: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

/// What `PostgREST` and Supabase put into request.jwt.claims, as far as it matters here.
#[derive(Default, Deserialize)]
pub struct Claims {
    /// The person behind a shared role.
    pub sub: Option<String>,
    #[serde(default, deserialize_with = "present")]
    organization_id: Option<serde_json::Value>,
    #[serde(default)]
    app_metadata: Option<AppMetadata>,
}

#[derive(Default, Deserialize)]
struct AppMetadata {
    #[serde(default, deserialize_with = "present")]
    organization_id: Option<serde_json::Value>,
}

/// A key that is there counts even where its value is null: null is a malformed id, not a missing one.
fn present<'de, D: serde::Deserializer<'de>>(value: D) -> std::result::Result<Option<serde_json::Value>, D::Error> {
    serde_json::Value::deserialize(value).map(Some)
}

/// The organization that the session speaks for: the setting assignment_reminders.organization_id, else organization_id
/// in request.jwt.claims (top level, then app_metadata), else the default organization.
///
/// 22P02 when what is there is malformed: never a silent fallback.
#[pg_extern(stable, parallel_safe)]
fn current_organization() -> Result<Uuid> {
    Ok(named_organization()?.unwrap_or(Uuid::from_bytes(DEFAULT_ORGANIZATION)))
}

/// The organization that the session names, by its setting or by the claims of its request.
pub fn named_organization() -> Result<Option<Uuid>> {
    if let Some(text) = setting(c"assignment_reminders.organization_id") {
        return parse(&text, "the setting assignment_reminders.organization_id").map(Some);
    }
    let claims = claims()?;
    match claims.organization_id.or(claims.app_metadata.and_then(|metadata| metadata.organization_id)) {
        Some(serde_json::Value::String(text)) => parse(&text, "organization_id in request.jwt.claims").map(Some),
        Some(other) => Err(malformed(&other.to_string(), "organization_id in request.jwt.claims")),
        None => Ok(None),
    }
}

/// The claims of the request; empty ones when there are none.
pub fn claims() -> Result<Claims> {
    let Some(text) = setting(c"request.jwt.claims") else { return Ok(Claims::default()) };
    serde_json::from_str(&text).map_err(|cause| {
        error(
            PgSqlErrorCode::ERRCODE_INVALID_TEXT_REPRESENTATION,
            "the setting request.jwt.claims is not a JSON object of claims",
            format!("{cause}, in: {text}"),
            "Set it to the claims of a JWT, or leave it empty.",
        )
    })
}

/// The id itself if an organization has it, NULL for NULL.
///
/// P0002 when none has.
#[pg_extern(stable)]
pub fn existing_organization(organization_id: Option<Uuid>) -> Result<Option<Uuid>> {
    static EXISTS: Statement =
        Statement::kept("SELECT o.id FROM assignment_reminders.organizations o WHERE o.id = $1", &[types::UUID]);
    let Some(id) = organization_id else { return Ok(None) };
    let found: Option<Uuid> = EXISTS.read(&[id.into()], |rows| rows.one("id"))?;
    found.map(Some).ok_or_else(|| unknown("organization", "organizations", id))
}

/// A UUID as Postgres writes it, with or without hyphens.
fn parse(text: &str, source: &str) -> Result<Uuid> {
    let digits: String = text.trim().chars().filter(|&character| character != '-').collect();
    let is_hexadecimal = digits.len() == 32 && digits.chars().all(|character| character.is_ascii_hexdigit());
    let number = is_hexadecimal.then(|| u128::from_str_radix(&digits, 16).ok()).flatten();
    number.map(|number| Uuid::from_bytes(number.to_be_bytes())).ok_or_else(|| malformed(text, source))
}

fn malformed(value: &str, source: &str) -> pgrx::pg_sys::panic::ErrorReport {
    error(
        PgSqlErrorCode::ERRCODE_INVALID_TEXT_REPRESENTATION,
        format!("{source} is not a UUID: {value}"),
        "The organization of this session is unknown.",
        "Set it to the id of a row of assignment_reminders.organizations, or leave it unset for the default organization.",
    )
}
