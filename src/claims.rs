//! The claims of the JWT on whose behalf a session works, as `PostgREST` and Supabase hand them over in the setting
//! request.jwt.claims. Owns reading them. What they say is never shown in an error: it comes from a token.

use std::cell::RefCell;
use std::ffi::{CStr, CString};
use std::rc::Rc;

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{PgSqlErrorCode, Uuid};
use serde::Deserialize;
use serde_json::Value;

use crate::server::errors::{Result, error};
use crate::server::setting::with_setting;

/// The claims, as far as they matter here.
pub struct Claims {
    /// The person: sub.
    pub subject: Option<String>,
    organization: Claimed,
}

#[derive(Clone, Copy)]
enum Claimed {
    Nothing,
    Organization(Uuid),
    Malformed,
}

#[derive(Deserialize)]
struct Token {
    sub: Option<Value>,
    organization_id: Option<Value>,
    app_metadata: Option<Value>,
}

impl Claims {
    /// The organization that the claims name: `organization_id` at the top level, else in `app_metadata`. One that is null names none.
    ///
    /// 22P02 when what is there is no UUID.
    pub fn organization(&self) -> Result<Option<Uuid>> {
        match self.organization {
            Claimed::Nothing => Ok(None),
            Claimed::Organization(id) => Ok(Some(id)),
            Claimed::Malformed => Err(error(
                PgSqlErrorCode::ERRCODE_INVALID_TEXT_REPRESENTATION,
                "organization_id in request.jwt.claims is not a UUID",
                "The organization of this session is unknown. What the token says is not shown.",
                "Have the token issued with the id of a row of assignment_reminders.organizations, or without organization_id.",
            )),
        }
    }

    fn parse(text: &CStr) -> Result<Self> {
        // What is not an object has no claims; serde would read an array as one.
        let json = text.to_bytes().trim_ascii();
        let token: Token =
            serde_json::from_slice(if json.starts_with(b"{") { json } else { b"" }).map_err(malformed)?;
        let claimed = token
            .organization_id
            .or_else(|| token.app_metadata?.get("organization_id").filter(|value| !value.is_null()).cloned());
        Ok(Self {
            subject: token.sub.and_then(|subject| subject.as_str().map(str::to_string)),
            organization: claimed.map_or(Claimed::Nothing, |value| {
                value.as_str().and_then(parse_uuid).map_or(Claimed::Malformed, Claimed::Organization)
            }),
        })
    }
}

/// The claims of the request; none where there is no JWT, or an empty one.
///
/// 22P02 when they are no JSON object.
pub fn claims() -> Result<Option<Rc<Claims>>> {
    thread_local! {
        /// What was read last. A default is asked for with every row that is inserted.
        static LAST: RefCell<Option<(CString, Rc<Claims>)>> = const { RefCell::new(None) };
    }
    with_setting(c"request.jwt.claims", |text| {
        let last = LAST.with_borrow(|last| {
            last.as_ref().filter(|(read, _)| read.as_c_str() == text).map(|(_, claims)| Rc::clone(claims))
        });
        if let Some(claims) = last {
            return Ok(claims);
        }
        let claims = Rc::new(Claims::parse(text)?);
        LAST.set(Some((text.to_owned(), Rc::clone(&claims))));
        Ok(claims)
    })
    .transpose()
}

/// A UUID as Postgres writes it, with or without hyphens.
pub fn parse_uuid(text: &str) -> Option<Uuid> {
    let digits: String = text.trim().chars().filter(|&character| character != '-').collect();
    let is_hexadecimal = digits.len() == 32 && digits.chars().all(|character| character.is_ascii_hexdigit());
    let number = is_hexadecimal.then(|| u128::from_str_radix(&digits, 16).ok()).flatten();
    number.map(|number| Uuid::from_bytes(number.to_be_bytes()))
}

/// serde's own words may quote a claim.
fn malformed(cause: serde_json::Error) -> ErrorReport {
    error(
        PgSqlErrorCode::ERRCODE_INVALID_TEXT_REPRESENTATION,
        "the setting request.jwt.claims is not a JSON object of claims",
        format!(
            "It cannot be read from line {}, column {} on. What it says is not shown.",
            cause.line(),
            cause.column()
        ),
        "Set it to the claims of a JWT, or leave it empty.",
    )
}
