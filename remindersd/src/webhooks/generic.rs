//! A webhook for every other sender of events, signed as Standard Webhooks has it.

use serde_json::Value;

use super::event::{Event, Report, Status, moment, text};
use super::{Delivery, Refused};
use crate::standard_webhooks::Key;

/// Each attempt is signed anew.
const MAX_AGE: u64 = 300;

pub struct Source {
    key: Key,
    max_age: u64,
}

impl Source {
    /// With whsec_ and the base64 of 24 bytes or more.
    pub fn new(secret: &str, max_age: Option<u64>) -> Result<Self, String> {
        let key = Key::new(secret).map_err(|what| format!("secret {what}"))?;
        Ok(Self { key, max_age: max_age.unwrap_or(MAX_AGE) })
    }

    pub fn reports(&self, delivery: &Delivery) -> Result<Vec<Report>, Refused> {
        let id = self.verify(delivery)?;
        match report(&delivery.json()?, id)? {
            Report::Malformed(what) => Err(Refused::Malformed(what.to_string())),
            report => Ok(vec![report]),
        }
    }

    /// The webhook's id.
    fn verify<'a>(&self, delivery: &'a Delivery) -> Result<&'a str, Refused> {
        let header = |name| delivery.header(name).filter(|value| !value.is_empty());
        let (Some(id), Some(timestamp), Some(signatures)) =
            (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"))
        else {
            return Err(Refused::Forged("webhook-id, webhook-timestamp or webhook-signature is missing"));
        };
        if !self.key.has_signed(id, timestamp, delivery.body, signatures) {
            return Err(Refused::Forged("the signature is wrong"));
        }
        delivery.require_fresh(timestamp.parse().ok(), self.max_age)?;
        Ok(id)
    }
}

const NO_MOMENT: Refused = Refused::Wrong("timestamp", "is no moment as RFC 3339 has it, such as 2026-11-26T12:00:00Z");

/// A type of no meaning here is refused: whoever sends it writes it, and should not believe that it is heard.
fn report(body: &Value, id: &str) -> Result<Report, Refused> {
    let Some(kind) = text(body, "/type") else { return Err(Refused::Wrong("type", "is missing")) };
    let error = text(body, "/data/error").map(ToString::to_string);
    let permanent = match body.pointer("/data/permanent") {
        None | Some(Value::Null) => None,
        Some(Value::Bool(is_permanent)) => Some(*is_permanent),
        Some(_) => return Err(Refused::Wrong("data.permanent", "is neither true nor false")),
    };
    // One that nobody can read would be taken as none, and an early event would be lost.
    let at = match body.pointer("/timestamp") {
        None | Some(Value::Null) => None,
        Some(Value::String(_)) => Some(moment(body, "/timestamp").ok_or(NO_MOMENT)?),
        Some(_) => return Err(NO_MOMENT),
    };
    let said = match kind {
        "delivered" => (Status::Delivered, error, permanent),
        "bounced" => (Status::Bounced, error, permanent),
        "delayed" => (Status::Bounced, error, Some(false)),
        "rejected" => (Status::Rejected, error, permanent),
        "complained" => (Status::Complained, error, permanent),
        "unsubscribed" => (Status::Unsubscribed, error, permanent),
        _ => {
            let kind: String = kind.chars().take(64).collect();
            return Err(Refused::Undefined(format!(
                "type {kind:?} is none of delivered, bounced, delayed, rejected, complained and unsubscribed"
            )));
        }
    };
    let id = Some(format!("generic:{id}"));
    let (message, provider_message) = (text(body, "/data/message_id"), text(body, "/data/provider_message_id"));
    Ok(Event::report(said, message, provider_message, id, at))
}
