//! What mail providers report: checked, put into the database's words, and recorded, each event by itself.

use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode};
use serde::{Deserialize, Serialize};
use tokio_postgres::types::Type;
use utoipa::ToSchema;

use crate::caller::App;
use crate::database::Parameter;
use crate::openapi::WebhookRefusals;
use crate::problem::Problem;
use crate::token::Claims;
use crate::webhooks::{Event, Genuine, Report};

/// What became of the events of one request.
#[derive(Default, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"recorded": 2, "repeated": 1, "unknown": 0, "ignored": 1, "refused": 0}))]
pub struct Outcomes {
    pub recorded: u32,
    /// That were recorded before.
    pub repeated: u32,
    /// Of messages that no reminder was sent with.
    pub unknown: u32,
    /// Of a kind that changes nothing, such as that a message was opened.
    pub ignored: u32,
    /// That cannot be read or recorded, now or later; the log says why.
    pub refused: u32,
}

/// In how many seconds an event is to be sent again whose message may be known by then, or whose person may not be locked any more.
const LATER: &str = "60";
/// How long an event waits for what somebody else has locked, and the others of its request once one has waited in vain.
const PATIENCE: Duration = Duration::from_secs(1);
const IMPATIENCE: Duration = Duration::from_millis(10);

/// Takes what a mail provider (generic, mailgun, postmark, sendgrid or ses) reports of an organization's messages, authenticated as the
/// provider documents it.
#[utoipa::path(post, path = "/webhooks/{provider}/{organization}", operation_id = "record_events", tag = "webhooks", security(()),
    params(("provider" = String, Path, example = "sendgrid"),
           ("organization" = String, Path, example = "00000000-0000-0000-0000-000000000001")),
    request_body(content((serde_json::Value = "application/json", example = json!({"type": "delivered", "data": {"message_id": "<1@example.org>"}})),
                         (String = "text/plain", example = "{\"Type\": \"Notification\"}")),
                 description = "As the provider sends it"),
    responses((status = 200, description = "Recorded, as far as it can be: nothing of it needs to be sent again", body = Outcomes), WebhookRefusals))]
pub async fn record(
    State(app): State<App>,
    path: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Outcomes>, Problem> {
    // A path that cannot be read names no webhook.
    let (provider, organization) = path.map(|Path(names)| names).unwrap_or_default();
    let genuine = app.webhooks.read(&provider, &organization, &headers, &body).await?;
    let provider = genuine.provider;
    let (mut recorded, mut early, mut locked) = (Outcomes::default(), 0, 0);
    for report in &genuine.reports {
        // One request waits once: what is locked is asked for again in any case.
        let patience = if locked == 0 { PATIENCE } else { IMPATIENCE };
        let (outcome, number) = match outcome(&app, &genuine, report, patience).await? {
            Outcome::Recorded => ("recorded", &mut recorded.recorded),
            Outcome::Repeated => ("repeated", &mut recorded.repeated),
            Outcome::Unknown => ("unknown", &mut recorded.unknown),
            Outcome::Early => ("early", &mut early),
            Outcome::Locked => ("locked", &mut locked),
            Outcome::Ignored => ("ignored", &mut recorded.ignored),
            Outcome::Refused(why) => {
                tracing::warn!(provider, "an event was refused: {why}");
                ("refused", &mut recorded.refused)
            }
        };
        *number += 1;
        metrics::counter!("remindersd_webhook_events_total", "provider" => provider, "outcome" => outcome).increment(1);
    }
    let mut again = Vec::new();
    if early > 0 {
        again.push(format!("{early} of the events are of messages that are not known, or not yet"));
    }
    if locked > 0 {
        again.push(format!("{locked} of the events are about what another transaction has locked"));
    }
    if again.is_empty() {
        return Ok(Json(recorded));
    }
    // What was recorded is known by its id when it comes again.
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, format!("{}: send them again", again.join(", ")))
        .retry_after(LATER);
    Err(if early > 0 {
        problem.hint("A message is known once its worker has answered for it. Events that are older are taken, and change nothing.")
    } else {
        problem
    })
}

enum Outcome {
    Recorded,
    Repeated,
    Unknown,
    /// Unknown, and so young that it may become known.
    Early,
    /// Somebody else has locked what it changes, or came between again and again.
    Locked,
    Ignored,
    Refused(String),
}

/// In a transaction of its own: what was recorded stays recorded, whatever comes after it, and a repeat of the request records the rest.
async fn outcome(app: &App, genuine: &Genuine, report: &Report, patience: Duration) -> Result<Outcome, Problem> {
    let event = match report {
        Report::Event(event) => event,
        Report::Ignored => {
            tracing::debug!(genuine.provider, organization = %genuine.organization, "an event changes nothing");
            return Ok(Outcome::Ignored);
        }
        Report::Malformed(what) => return Ok(Outcome::Refused(what.to_string())),
    };
    let place = app.webhooks.place(genuine.organization).await?;
    let is_new = is_new(app, &genuine.claims, event, patience).await;
    drop(place);
    match is_new {
        Ok(true) => Ok(Outcome::Recorded),
        Ok(false) => Ok(Outcome::Repeated),
        Err(problem) => match problem.status() {
            StatusCode::NOT_FOUND => {
                let (provider, organization, message_id) = (genuine.provider, genuine.organization, event.names());
                tracing::info!(provider, %organization, message_id, "an event is of no message that a reminder was sent with");
                let may_become_known = app.webhooks.may_become_known(event, genuine.now);
                Ok(if may_become_known { Outcome::Early } else { Outcome::Unknown })
            }
            // The event is at fault; to repeat it would not help.
            StatusCode::UNPROCESSABLE_ENTITY | StatusCode::CONFLICT => Ok(Outcome::Refused(problem.to_string())),
            StatusCode::SERVICE_UNAVAILABLE if problem.is_of_class("55P03") || problem.is_of_class("40") => {
                tracing::info!(genuine.provider, organization = %genuine.organization, message_id = event.names(), "an event waits for another transaction");
                Ok(Outcome::Locked)
            }
            StatusCode::SERVICE_UNAVAILABLE => Err(problem),
            // We are: the provider may repeat it until that is mended.
            _ => {
                tracing::error!("an event cannot be recorded: {problem}");
                Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "events cannot be recorded now"))
            }
        },
    }
}

/// By the message's Message-ID, which also notes what the provider calls it, or else by that.
async fn is_new(app: &App, claims: &Claims, event: &Event, patience: Duration) -> Result<bool, Problem> {
    let by_message = event.message_id.as_ref().map(|name| (name, event.provider_message_id.as_ref()));
    let by_provider = event.provider_message_id.as_ref().map(|name| (name, None));
    let mut unknown = Problem::new(StatusCode::NOT_FOUND, "the event names no message");
    for (name, other_name) in [by_message, by_provider].into_iter().flatten() {
        let parameters: [Parameter; 6] = [
            (&name, Type::TEXT),
            (&other_name, Type::TEXT),
            (&event.status.name(), Type::TEXT),
            (&event.error, Type::TEXT),
            (&event.id, Type::TEXT),
            (&event.permanent, Type::BOOL),
        ];
        let sql = include_str!("../../sql/record_event.sql");
        let recorded = app.database.rows_within(Some(patience), claims, &Method::POST, sql, &parameters).await;
        match recorded {
            Err(problem) if problem.status() == StatusCode::NOT_FOUND => unknown = problem,
            rows => {
                let is_new = rows?.first().map_or(Ok(false), |row| row.try_get("is_new"));
                return is_new.map_err(|error| Problem::unexpected(&error));
            }
        }
    }
    Err(unknown)
}
