//! SendGrid's Event Webhook, signed with ECDSA.
//!
//! Signature: <https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features>,
//! events: <https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event>.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::pkcs8::DecodePublicKey;
use serde_json::Value;

use super::event::{Event, Report, Said, Status, joined, moment, text};
use super::{Delivery, Refused};

/// A day of repeats, and an hour.
const MAX_AGE: u64 = 25 * 3600;

pub struct Source {
    key: VerifyingKey,
    max_age: u64,
}

impl Source {
    /// With the verification key as SendGrid shows it: base64 of its SubjectPublicKeyInfo, here also as PEM.
    pub fn new(public_key: &str, max_age: Option<u64>) -> Result<Self, String> {
        let encoded: String = public_key.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
        let der = STANDARD.decode(encoded).map_err(|_| "public_key is not base64".to_string())?;
        let key = VerifyingKey::from_public_key_der(&der)
            .map_err(|_| "public_key is no public key of P-256 (SubjectPublicKeyInfo)".to_string())?;
        Ok(Self { key, max_age: max_age.unwrap_or(MAX_AGE) })
    }

    pub fn reports(&self, delivery: &Delivery) -> Result<Vec<Report>, Refused> {
        self.verify(delivery)?;
        let Value::Array(events) = delivery.json()? else {
            return Err(Refused::Malformed("the body is not an array of events".to_string()));
        };
        Ok(events.iter().map(report).collect())
    }

    fn verify(&self, delivery: &Delivery) -> Result<(), Refused> {
        let timestamp = delivery.header("x-twilio-email-event-webhook-timestamp").unwrap_or_default();
        let signature = delivery.header("x-twilio-email-event-webhook-signature");
        let signature = signature.ok_or(Refused::Forged("the request carries no signature"))?;
        let signature = STANDARD.decode(signature).ok().and_then(|der| Signature::from_der(&der).ok());
        let signature = signature.ok_or(Refused::Forged("the signature is not one"))?;
        self.key
            .verify(&[timestamp.as_bytes(), delivery.body].concat(), &signature)
            .map_err(|_| Refused::Forged("the signature is wrong"))?;
        delivery.require_fresh(timestamp.parse().ok(), self.max_age)
    }
}

fn report(event: &Value) -> Report {
    let Some(name) = text(event, "/event") else { return Report::Malformed("an event has no name") };
    let Some(said) = said(name, event) else { return Report::Ignored };
    let id = text(event, "/sg_event_id").map(|id| format!("sendgrid:{id}"));
    let at = moment(event, "/timestamp");
    Event::report(said, text(event, "/smtp-id"), text(event, "/sg_message_id").map(message_id), id, at)
}

/// The X-Message-Id that the API answered: sg_message_id has the way that the message took behind it.
fn message_id(sg_message_id: &str) -> &str {
    let end = [".filter", ".recvd"].iter().find_map(|way| sg_message_id.find(way)).or_else(|| sg_message_id.find('.'));
    &sg_message_id[..end.unwrap_or(sg_message_id.len())]
}

fn said(name: &str, event: &Value) -> Option<Said> {
    let (reason, status) = (text(event, "/reason"), text(event, "/status"));
    Some(match name {
        "delivered" => (Status::Delivered, text(event, "/response").map(ToString::to_string), None),
        "deferred" => (Status::Bounced, joined([status, text(event, "/response"), reason]), Some(false)),
        "bounce" => {
            let class = text(event, "/bounce_classification");
            let permanent = match (text(event, "/type"), class) {
                // Refused for now, or for the sender's sake: the text tells.
                (Some("blocked"), _) => Some(false),
                (_, None | Some("Invalid Address")) => Some(true),
                _ => None,
            };
            let blocked = text(event, "/type").filter(|kind| *kind == "blocked");
            let class = class.filter(|class| *class == "Reputation");
            (Status::Bounced, joined([status, reason, blocked, class]), permanent)
        }
        // Not even tried, for what was reported before.
        "dropped" => match reason {
            Some("Unsubscribed Address" | "Group Unsubscribe") => (Status::Unsubscribed, None, None),
            Some("Spam Reporting Address") => (Status::Complained, None, None),
            Some("Bounced Address" | "Invalid") => (Status::Rejected, joined([status, reason]), Some(true)),
            _ => (Status::Rejected, joined([Some("message rejected:"), status, reason]), None),
        },
        "spamreport" => (Status::Complained, None, None),
        "unsubscribe" | "group_unsubscribe" => (Status::Unsubscribed, None, None),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_the_one_that_the_api_answered() {
        for (long, short) in [
            ("14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0", "14c5d75ce93.dfd.64b469"),
            ("RDoNUoTqRAWrKl2bYMFNvQ.recvd-558bd9c9d8-x1x1x-1-63F0-1.0", "RDoNUoTqRAWrKl2bYMFNvQ"),
            ("sendgrid_internal_message_id", "sendgrid_internal_message_id"),
            ("a.b", "a"),
        ] {
            assert_eq!(message_id(long), short);
        }
    }
}
