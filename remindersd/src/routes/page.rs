//! What the URL says: parameters, and pages by key.

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use serde::de::DeserializeOwned;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::caller::shown;
use crate::problem::Problem;

const LARGEST: i32 = 1000;

/// The parameters of the URL, each of a known name.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let pairs = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs)).map(Self).map_err(|error| {
            let name = error.path().to_string();
            let problem = Problem::new(StatusCode::BAD_REQUEST, error.into_inner().to_string());
            if name == "." { problem } else { problem.at(name) }
        })
    }
}

/// The id in the path.
pub struct Id(pub Uuid);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        type Path = axum::extract::Path<String>;
        let axum::extract::Path(text) = <Path as FromRequestParts<S>>::from_request_parts(parts, state)
            .await
            .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, error.body_text()))?;
        text.parse()
            .map(Self)
            .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, format!("{text:?} is not a UUID")).at("id"))
    }
}

/// How many rows a page has.
pub fn limit(wanted: Option<i32>) -> Result<i32, Problem> {
    match wanted {
        None => Ok(100),
        Some(limit @ 1..=LARGEST) => Ok(limit),
        Some(limit) => {
            Err(Problem::new(StatusCode::BAD_REQUEST, format!("limit {limit} is not between 1 and {LARGEST}"))
                .at("limit"))
        }
    }
}

/// Refuses a part of the key of the page before: all of it, or nothing.
pub fn whole_key(parts: &[(&str, bool)]) -> Result<(), Problem> {
    match parts.iter().find(|(_, is_given)| !is_given) {
        Some((missing, _)) if parts.iter().any(|(_, is_given)| *is_given) => {
            let all: Vec<&str> = parts.iter().map(|(name, _)| *name).collect();
            Err(Problem::new(StatusCode::BAD_REQUEST, format!("{} go together", all.join(", "))).at(*missing))
        }
        _ => Ok(()),
    }
}

/// A page of at most `size` rows, of which one more was asked for, and where the next one is.
pub fn page<T: DeserializeOwned>(
    rows: &[Row],
    size: i32,
    uri: &Uri,
    key: impl Fn(&T) -> Vec<(&'static str, String)>,
) -> Result<(HeaderMap, Json<Vec<T>>), Problem> {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let found: Vec<T> = rows.iter().take(size).map(|row| shown(row, "row")).collect::<Result<_, _>>()?;
    let link = match found.last() {
        Some(last) if rows.len() > size => next(uri, &key(last)),
        _ => HeaderMap::new(),
    };
    Ok((link, Json(found)))
}

/// `Link: <...>; rel="next"` (RFC 8288): the same URL, from this key on.
fn next(uri: &Uri, key: &[(&str, String)]) -> HeaderMap {
    let others = uri.query().unwrap_or_default().split('&').filter(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        !pair.is_empty() && key.iter().all(|(of_key, _)| *of_key != name)
    });
    let query: Vec<String> =
        others.map(ToString::to_string).chain(key.iter().map(|(name, value)| format!("{name}={value}"))).collect();
    let mut headers = HeaderMap::new();
    if let Ok(link) = HeaderValue::from_str(&format!("<{}?{}>; rel=\"next\"", uri.path(), query.join("&"))) {
        headers.insert(header::LINK, link);
    }
    headers
}

/// The key that a client chose for a request that may come twice.
pub struct IdempotencyKey(pub Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get("idempotency-key") else { return Ok(Self(None)) };
        let key = value.to_str().ok().map(str::trim).filter(|key| (1..=255).contains(&key.len()));
        key.map(|key| Self(Some(key.to_string()))).ok_or_else(|| {
            Problem::new(StatusCode::BAD_REQUEST, "the Idempotency-Key is not 1 to 255 visible characters")
        })
    }
}
