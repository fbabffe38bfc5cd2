//! A webhook for every other sender of events, signed as Standard Webhooks has it.
//!
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>: HMAC-SHA256 over id, timestamp and body
//! with a dot between them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::Sha256;

use super::event::{Event, Report, Status, moment, text};
use super::{Delivery, Refused};

/// Each attempt is signed anew.
const MAX_AGE: u64 = 300;

pub struct Source {
    key: Hmac<Sha256>,
    max_age: u64,
}

impl Source {
    /// With whsec_ and the base64 of 24 bytes or more.
    pub fn new(secret: &str, max_age: Option<u64>) -> Result<Self, String> {
        let secret = STANDARD
            .decode(secret.strip_prefix("whsec_").unwrap_or(secret))
            .map_err(|_| "secret is not whsec_ and base64".to_string())?;
        if secret.len() < 24 {
            return Err("secret has fewer than 24 bytes, which Standard Webhooks asks for".to_string());
        }
        let key = Hmac::new_from_slice(&secret).map_err(|error| error.to_string())?;
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
        let mac = self.key.clone().chain_update(id).chain_update(".").chain_update(timestamp).chain_update(".");
        let mac = mac.chain_update(delivery.body);
        // Several where a secret is being replaced; other versions are not ours to read.
        let is_signed =
            signatures.split_whitespace().filter_map(|signature| signature.strip_prefix("v1,")).any(|encoded| {
                STANDARD.decode(encoded).is_ok_and(|signature| mac.clone().verify_slice(&signature).is_ok())
            });
        if !is_signed {
            return Err(Refused::Forged("the signature is wrong"));
        }
        delivery.require_fresh(timestamp.parse().ok(), self.max_age)?;
        Ok(id)
    }
}

/// A type of no meaning here is refused: whoever sends it writes it, and should not believe that it is heard.
fn report(body: &Value, id: &str) -> Result<Report, Refused> {
    let Some(kind) = text(body, "/type") else { return Ok(Report::Malformed("type is missing")) };
    let error = text(body, "/data/error").map(ToString::to_string);
    let permanent = match body.pointer("/data/permanent") {
        None | Some(Value::Null) => None,
        Some(Value::Bool(is_permanent)) => Some(*is_permanent),
        Some(_) => return Ok(Report::Malformed("data.permanent is neither true nor false")),
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
    Ok(Event::report(said, message, provider_message, id, moment(body, "/timestamp")))
}
