//! Mailgun's webhooks, signed with HMAC over a timestamp and a token. The body is not signed.
//!
//! Signature: <https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks>,
//! events: <https://documentation.mailgun.com/docs/mailgun/user-manual/events/events>.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::event::{Event, Report, Said, Status, joined, moment, shown, text};
use super::{Delivery, Refused};

/// Eight hours of repeats, and one.
const MAX_AGE: u64 = 9 * 3600;

pub struct Source {
    key: Hmac<Sha256>,
    max_age: u64,
    seen: Mutex<Seen>,
}

impl Source {
    pub fn new(signing_key: &str, max_age: Option<u64>) -> Result<Self, String> {
        let key = Some(signing_key).filter(|key| !key.is_empty()).ok_or("signing_key is empty")?;
        let key = Hmac::new_from_slice(key.as_bytes()).map_err(|error| error.to_string())?;
        Ok(Self { key, max_age: max_age.unwrap_or(MAX_AGE), seen: Mutex::default() })
    }

    pub fn reports(&self, delivery: &Delivery) -> Result<Vec<Report>, Refused> {
        let body = delivery.json()?;
        self.verify(delivery, &body)?;
        let event = body.get("event-data").filter(|event| event.is_object());
        let event = event.ok_or_else(|| Refused::Malformed("the body has no event-data".to_string()))?;
        match report(event) {
            Report::Malformed(what) => Err(Refused::Malformed(what.to_string())),
            report => Ok(vec![report]),
        }
    }

    fn verify(&self, delivery: &Delivery, body: &Value) -> Result<(), Refused> {
        let timestamp = shown(body, "/signature/timestamp").unwrap_or_default();
        let token = text(body, "/signature/token").unwrap_or_default();
        // The second is by the main account's key, of events of its subaccounts.
        let signatures = ["/signature/signature", "/signature/parent-signature"];
        let is_signed = signatures.iter().filter_map(|pointer| text(body, pointer)).any(|signature| {
            let Ok(signature) = base16ct::mixed::decode_vec(signature) else { return false };
            let mac = self.key.clone().chain_update(&timestamp).chain_update(token);
            mac.verify_slice(&signature).is_ok()
        });
        if !is_signed {
            return Err(Refused::Forged("the signature is missing or wrong"));
        }
        delivery.require_fresh(timestamp.parse().ok(), self.max_age)?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.is_first_or_same(token, delivery.body) {
            Ok(())
        } else {
            Err(Refused::Forged("the token was used for another body"))
        }
    }
}

/// Tokens that were used, and the bodies that they came with: whoever has seen one cannot send another body with it. The same body again
/// is a repeat.
#[derive(Default)]
struct Seen {
    bodies: HashMap<[u8; 32], [u8; 32]>,
    oldest_first: VecDeque<[u8; 32]>,
}

impl Seen {
    const MOST: usize = 65_536;

    fn is_first_or_same(&mut self, token: &str, body: &[u8]) -> bool {
        let token: [u8; 32] = Sha256::digest(token).into();
        let body: [u8; 32] = Sha256::digest(body).into();
        if let Some(known) = self.bodies.get(&token) {
            return *known == body;
        }
        if self.oldest_first.len() == Self::MOST
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.bodies.remove(&oldest);
        }
        self.oldest_first.push_back(token);
        self.bodies.insert(token, body);
        true
    }
}

fn report(event: &Value) -> Report {
    let Some(name) = text(event, "/event") else { return Report::Malformed("the event has no name") };
    let Some(said) = said(name, event) else { return Report::Ignored };
    let id = text(event, "/id").map(|id| format!("mailgun:{id}"));
    Event::report(said, text(event, "/message/headers/message-id"), None, id, moment(event, "/timestamp"))
}

fn said(name: &str, event: &Value) -> Option<Said> {
    let reason = text(event, "/reason");
    let told = |more: Option<&str>| {
        let code = shown(event, "/delivery-status/code");
        let of = |name| text(event, name);
        joined([
            code.as_deref(),
            of("/delivery-status/enhanced-code"),
            of("/delivery-status/message"),
            of("/delivery-status/description"),
            more,
        ])
    };
    Some(match (name, text(event, "/severity")) {
        ("delivered", _) => (Status::Delivered, told(None), None),
        ("failed", Some("temporary")) => (Status::Bounced, told(None), Some(false)),
        // Not even tried, for what was reported before.
        ("failed", _) => match reason {
            Some("suppress-unsubscribe") => (Status::Unsubscribed, told(None), None),
            Some("suppress-complaint") => (Status::Complained, told(None), None),
            Some("suppress-bounce" | "bounce" | "hardfail") => (Status::Bounced, told(None), Some(true)),
            Some("espblock") => (Status::Bounced, told(Some("blocked")), None),
            _ => (Status::Bounced, told(None), None),
        },
        ("rejected", _) => {
            let (reason, description) = (text(event, "/reject/reason"), text(event, "/reject/description"));
            (Status::Rejected, joined([Some("message rejected:"), reason, description]), None)
        }
        ("complained", _) => (Status::Complained, None, None),
        ("unsubscribed", _) => (Status::Unsubscribed, None, None),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_one_body_and_the_oldest_are_forgotten() {
        let mut seen = Seen::default();
        assert!(seen.is_first_or_same("a", b"1") && seen.is_first_or_same("a", b"1"));
        assert!(!seen.is_first_or_same("a", b"2"));
        for number in 0..Seen::MOST {
            assert!(seen.is_first_or_same(&format!("token {number}"), b"1"));
        }
        assert_eq!((seen.bodies.len(), seen.oldest_first.len()), (Seen::MOST, Seen::MOST));
        assert!(seen.is_first_or_same("a", b"2"), "forgotten");
    }
}
