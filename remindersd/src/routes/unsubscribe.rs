//! The link by which people unsubscribe: a GET asks, and a POST does it, also the one click of a mail program (RFC 8058).

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, Multipart, Path, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::sync::{Mutex, Semaphore};
use tokio::time::timeout;
use tokio_postgres::types::Type;
use utoipa::ToSchema;

use crate::caller::App;
use crate::config;
use crate::openapi::UnsubscribeRefusals;
use crate::problem::Problem;
use crate::token::Claims;
use crate::unsubscribe::{Language, Told, Topic};

/// Below this are links; no other site's script has any business here.
const LINKS: &str = "/unsubscribe/";
/// What a form or a mail program sends has some hundred bytes.
const LONGEST: usize = 4096;
/// A link's token or type that is longer is none.
const LONGEST_NAME: usize = 256;
/// How long a link waits for its turn, for a connection, and for what somebody else has locked.
const PATIENCE: Duration = Duration::from_secs(1);

/// Those who may unsubscribe, and how many at once. Nobody who has a link, or a guess, keeps the others waiting.
pub struct Links {
    /// Whom it is done as.
    claims: Claims,
    /// The connections that they may use at once: half of all.
    places: Semaphore,
    /// By token: each has one at a time.
    turns: std::sync::Mutex<HashMap<String, Arc<Mutex<()>>>>,
}

impl Links {
    pub fn new(role: &str, database: &config::Database) -> Self {
        let places = Semaphore::new((database.max_connections / 2).max(1));
        Self { claims: Claims::of_role(role, None), places, turns: std::sync::Mutex::default() }
    }

    /// Of this token.
    fn turn(&self, token: &str) -> Arc<Mutex<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        Arc::clone(turns.entry(token.to_string()).or_default())
    }

    /// Unsubscribes whoever has this token.
    async fn stop(&self, app: &App, token: &str, reminder_type: Option<&str>) -> Result<(), Problem> {
        let turn = self.turn(token);
        let (Ok(_turn), Ok(_place)) =
            (timeout(PATIENCE, turn.lock()).await, timeout(PATIENCE, self.places.acquire()).await)
        else {
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many are being saved"));
        };
        let parameters: [crate::database::Parameter; 2] = [(&token, Type::TEXT), (&reminder_type, Type::TEXT)];
        let sql = include_str!("../../sql/unsubscribe.sql");
        app.database.rows_within(Some(PATIENCE), &self.claims, &Method::POST, sql, &parameters).await.map(drop)
    }
}

/// What the form of the page or a mail program sends.
#[derive(Deserialize, ToSchema)]
#[allow(dead_code)] // only described
#[schema(example = json!({"List-Unsubscribe": "One-Click"}))]
pub struct Wish {
    /// One-Click: by a mail program, of what the link is for.
    #[serde(rename = "List-Unsubscribe")]
    one_click: Option<String>,
    /// By the form: `type`, the type that the link names, or `all`.
    stop: Option<String>,
}

/// How it is asked, and of what.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Asked {
    OneClick,
    Type,
    All,
}

/// Whether this is such a link.
pub fn is_link(path: &str) -> bool {
    path.starts_with(LINKS)
}

/// How long a body may be that is sent to this path, if it is such a link.
pub fn longest(path: &str) -> Option<usize> {
    is_link(path).then_some(LONGEST)
}

/// The page that asks what to unsubscribe from. It changes nothing and asks the database nothing, so it is the same for every token.
#[utoipa::path(get, path = "/unsubscribe/{token}", operation_id = "ask_to_unsubscribe", tag = "unsubscribe", security(()),
    params(("token" = String, Path, example = "5d41402abc4b2a76b9719d911017c592"),
           ("type" = Option<String>, Query, description = "The reminder type that the link is for", example = "contact-reminder")),
    responses((status = 200, description = "The page", body = String, content_type = "text/html", example = "<!doctype html>"),
              (status = 422, description = "The link names more than one type: the page offers to stop everything", body = String, content_type = "text/html", example = "<!doctype html>"),
              (status = 404, description = "Nothing of this is configured", body = Problem, content_type = "application/problem+json",
               example = json!({"type": "about:blank", "title": "Not Found", "status": 404, "detail": "there is nothing here"}))))]
pub async fn ask(State(app): State<App>, request: Request) -> Result<Response, Problem> {
    links(&app)?;
    let told = named(&request).map_or(Told::UnknownType, |named| Told::Question(named.as_deref().map(Topic::of)));
    Ok(told.page(Language::of(request.headers())))
}

/// Unsubscribes whoever has this token from the type that the link names, or from everything. It may be repeated. Mail programs are answered in plain text,
/// people by a page.
#[utoipa::path(post, path = "/unsubscribe/{token}", operation_id = "unsubscribe", tag = "unsubscribe", security(()),
    params(("token" = String, Path, example = "5d41402abc4b2a76b9719d911017c592"),
           ("type" = Option<String>, Query, description = "The reminder type that the link is for", example = "contact-reminder")),
    request_body(content((Wish = "application/x-www-form-urlencoded"), (Wish = "multipart/form-data")), description = "RFC 8058: List-Unsubscribe=One-Click"),
    responses((status = 200, description = "It is so from now on, or was before",
               content((String = "text/html", example = "<!doctype html>"), (String = "text/plain", example = "unsubscribed"))),
              (status = 404, description = "Nobody has this token, or nothing of this is configured",
               content((String = "text/html", example = "<!doctype html>"),
                       (Problem = "application/problem+json", example = json!({"type": "about:blank", "title": "Not Found", "status": 404, "detail": "nobody has this token to unsubscribe by"})))),
              (status = 422, description = "The link names a type that the person has no reminder of, or more than one",
               content((String = "text/html", example = "<!doctype html>"),
                       (Problem = "application/problem+json", example = json!({"type": "about:blank", "title": "Unprocessable Entity", "status": 422, "detail": "the link names no type of this person's reminders"})))),
              (status = 503, description = "It cannot be saved now, and may be sent again",
               content((String = "text/html", example = "<!doctype html>"),
                       (Problem = "application/problem+json", example = json!({"type": "about:blank", "title": "Service Unavailable", "status": 503, "detail": "it cannot be saved now"})))),
              UnsubscribeRefusals))]
pub async fn unsubscribe(
    State(app): State<App>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let links = Arc::clone(links(&app)?);
    let language = Language::of(request.headers());
    let named = named(&request);
    let asked = asked(request).await?;
    let stopped = match (asked, named) {
        (Asked::All, _) => None,
        (Asked::OneClick, named) => named?,
        (Asked::Type, Err(_)) => return Ok(Told::UnknownType.page(language)),
        (Asked::Type, Ok(named)) => {
            Some(named.ok_or_else(|| Problem::new(StatusCode::BAD_REQUEST, "the link names no type").at("type"))?)
        }
    };
    let topic = stopped.as_deref().map(Topic::of);
    // A path that cannot be read names nobody.
    let outcome = match path {
        Ok(Path(token)) if is_name(&token) => stop(&app, &links, &token, stopped.as_deref()).await,
        _ => Err(unknown()),
    };
    if asked == Asked::OneClick {
        return outcome.map(|()| (no_index(), "unsubscribed\n").into_response());
    }
    let told = match outcome {
        Ok(()) => Told::Stopped(topic),
        Err(problem) => match problem.status() {
            StatusCode::NOT_FOUND => Told::UnknownLink,
            StatusCode::UNPROCESSABLE_ENTITY => Told::UnknownType,
            _ => Told::Unavailable(topic),
        },
    };
    Ok(told.page(language))
}

/// Where it is done here.
fn links(app: &App) -> Result<&Arc<Links>, Problem> {
    app.links.as_ref().ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "there is nothing here"))
}

/// The type that the link names, if it names one. More than one is refused, rather than to stop a part of what was meant. Other parameters are of those who
/// count clicks.
fn named(request: &Request) -> Result<Option<String>, Problem> {
    let pairs = form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
    let mut types = pairs.filter(|(name, value)| name == "type" && !value.is_empty()).map(|(_, value)| value);
    let first = types.next();
    if types.any(|other| Some(&other) != first.as_ref()) {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "the link names more than one type").at("type"));
    }
    Ok(first.map(std::borrow::Cow::into_owned))
}

/// Whether it can be a name in the database.
fn is_name(text: &str) -> bool {
    text.len() <= LONGEST_NAME && !text.contains('\0')
}

/// Nothing is done for a body that does not say what: programs that follow links may POST, too.
async fn asked(request: Request) -> Result<Asked, Problem> {
    for (name, value) in fields(request).await? {
        match (name.as_str(), value.trim()) {
            (name, value)
                if name.eq_ignore_ascii_case("List-Unsubscribe") && value.eq_ignore_ascii_case("One-Click") =>
            {
                return Ok(Asked::OneClick);
            }
            ("stop", "type") => return Ok(Asked::Type),
            ("stop", "all") => return Ok(Asked::All),
            _ => {}
        }
    }
    Err(Problem::new(StatusCode::BAD_REQUEST, "the body does not say what to stop")
        .hint("Send List-Unsubscribe=One-Click, as RFC 8058 says."))
}

/// RFC 8058 allows both encodings. What is not multipart is read as the other one, whatever it calls itself.
async fn fields(request: Request) -> Result<Vec<(String, String)>, Problem> {
    if !is_multipart(request.headers()) {
        let bytes =
            axum::body::to_bytes(request.into_body(), LONGEST).await.map_err(|error| Problem::unexpected(&error))?;
        return Ok(form_urlencoded::parse(&bytes).into_owned().collect());
    }
    let malformed = || Problem::new(StatusCode::BAD_REQUEST, "the body is not multipart/form-data, as it says");
    let mut parts = Multipart::from_request(request, &()).await.map_err(|_| malformed())?;
    let mut fields = Vec::new();
    while let Some(part) = parts.next_field().await.map_err(|_| malformed())? {
        let name = part.name().unwrap_or_default().to_string();
        fields.push((name, part.text().await.map_err(|_| malformed())?));
    }
    Ok(fields)
}

fn is_multipart(headers: &HeaderMap) -> bool {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    media.trim_start().get(..10).is_some_and(|start| start.eq_ignore_ascii_case("multipart/"))
}

async fn stop(app: &App, links: &Links, token: &str, reminder_type: Option<&str>) -> Result<(), Problem> {
    if !reminder_type.is_none_or(is_name) {
        return Err(unknown_type());
    }
    // What the database says is not for whoever has a link.
    links.stop(app, token, reminder_type).await.map_err(|problem| match problem.status() {
        StatusCode::NOT_FOUND => unknown(),
        StatusCode::UNPROCESSABLE_ENTITY if problem.is_of_class("22") => unknown_type(),
        StatusCode::SERVICE_UNAVAILABLE => unavailable(),
        _ => {
            tracing::error!("nobody can unsubscribe: {problem}");
            unavailable()
        }
    })
}

fn unknown() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "nobody has this token to unsubscribe by")
}

fn unknown_type() -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "the link names no type of this person's reminders").at("type")
}

fn unavailable() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "it cannot be saved now")
}

fn no_index() -> [(&'static str, &'static str); 1] {
    [("x-robots-tag", "noindex, nofollow")]
}
