//! Postmark's webhooks. They are not signed: the URL that Postmark calls holds a user and a password.
//!
//! <https://postmarkapp.com/developer/webhooks/webhooks-overview>, and the pages of each webhook there.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::event::{Event, Report, Said, Status, moment, shown, text, words};
use super::{Delivery, Refused};

pub struct Source {
    /// Of user:password, so that comparing takes as long whatever was sent.
    credentials: [u8; 32],
}

impl Source {
    pub fn new(user: &str, password: &str) -> Result<Self, String> {
        if user.contains(':') {
            return Err("user has a colon in it, which HTTP does not allow (RFC 7617)".to_string());
        }
        if password.len() < 16 {
            return Err("password has fewer than 16 bytes, and is all that keeps others out".to_string());
        }
        Ok(Self { credentials: Sha256::digest(format!("{user}:{password}")).into() })
    }

    pub fn reports(&self, delivery: &Delivery) -> Result<Vec<Report>, Refused> {
        let given = delivery
            .header("authorization")
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))
            .and_then(|(_, value)| STANDARD.decode(value.trim()).ok())
            .ok_or(Refused::Forged("the request carries no user and password"))?;
        if !bool::from(Sha256::digest(given).as_slice().ct_eq(&self.credentials)) {
            return Err(Refused::Forged("the user or password is wrong"));
        }
        match report(&delivery.json()?) {
            Report::Malformed(what) => Err(Refused::Malformed(what.to_string())),
            report => Ok(vec![report]),
        }
    }
}

fn report(event: &Value) -> Report {
    let Some(name) = text(event, "/RecordType") else { return Report::Malformed("RecordType is missing") };
    let Some(said) = said(name, event) else { return Report::Ignored };
    let message = text(event, "/MessageID");
    let which = shown(event, "/ID")
        .or_else(|| text(event, "/DeliveredAt").or_else(|| text(event, "/ChangedAt")).map(ToString::to_string));
    let id = message.zip(which).map(|(message, which)| format!("postmark:{name}/{message}/{which}"));
    let at = ["/DeliveredAt", "/BouncedAt", "/ChangedAt"].into_iter().find_map(|member| moment(event, member));
    Event::report(said, None, message, id, at)
}

fn said(name: &str, event: &Value) -> Option<Said> {
    Some(match name {
        "Delivery" => (Status::Delivered, text(event, "/Details").map(ToString::to_string), None),
        "Bounce" => bounce(text(event, "/Type").unwrap_or_default(), event)?,
        "SpamComplaint" => (Status::Complained, None, None),
        "SubscriptionChange" if event.pointer("/SuppressSending") == Some(&Value::Bool(true)) => {
            match (text(event, "/SuppressionReason"), text(event, "/Origin")) {
                (Some("SpamComplaint"), _) => (Status::Complained, None, None),
                (Some("HardBounce"), _) => (Status::Bounced, None, Some(true)),
                (Some("ManualSuppression"), Some("Recipient")) => (Status::Unsubscribed, None, None),
                // By whoever administers the account.
                _ => return None,
            }
        }
        _ => return None,
    })
}

/// By <https://postmarkapp.com/developer/api/bounce-api#bounce-types>.
fn bounce(kind: &str, event: &Value) -> Option<Said> {
    let details = text(event, "/Details").or_else(|| text(event, "/Description"));
    let told = Some(format!("{}: {}", words(kind), details.unwrap_or_default()));
    Some(match kind {
        "HardBounce" | "BadEmailAddress" => (Status::Bounced, told, Some(true)),
        "Transient" | "SoftBounce" | "DnsError" => (Status::Bounced, told, Some(false)),
        "SpamComplaint" => (Status::Complained, None, None),
        "Unsubscribe" => (Status::Unsubscribed, None, None),
        // Answers of machines and people.
        "AutoResponder" | "Subscribe" | "AddressChange" | "OpenRelayTest" | "ChallengeVerification" | "Unconfirmed" => {
            return None;
        }
        "SMTPApiError" | "InboundError" | "TemplateRenderingFailed" => {
            (Status::Rejected, told.map(|told| format!("message rejected: {told}")), None)
        }
        _ => (Status::Rejected, told, None),
    })
}
