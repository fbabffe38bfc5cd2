//! One message: kept where its lease grows old, written, handed over, and answered for where it was taken.

use std::time::Instant;

use chrono::Utc;

use super::Office;
use super::lane::{Failed, Outcome};
use super::letter::{Letter, provider_id};
use super::mail::Way;
use super::message::Message;
use super::meters;
use super::parcel::parcel;
use super::queue::{Answer, Trouble};
use super::smtp::Server;
use super::verdict::{Fault, REFUSED, Verdict};
use super::webhook::Hook;
use crate::texts::Kind;

/// Why there is no letter.
pub enum NoLetter {
    /// The database could not be asked, or its student is gone: it is given back.
    NotNow(String),
    /// It can never be written: why, and what logs may hold of that.
    Never(String, &'static str),
}

pub async fn send(office: &Office, mut message: Message) -> Outcome {
    if let Err(trouble) = keep(office, &mut message).await {
        tracing::warn!(claim_id = %message.claim_id, "not sent, since its lease was not prolonged: {trouble}");
        meters::returned(1);
        office.queue.answer(message.into(), Answer::Returned).await;
        return Outcome::Settled;
    }
    if message.reminder_ids.is_empty() {
        return Outcome::Settled;
    }
    let Some(way) = office.mail.of(message.organization_id) else {
        let why = "no mail server or webhook is configured for the organization".to_string();
        let failed = Failed { message, told: why.clone(), why };
        return Outcome::Failed(Box::new(failed), Verdict::Everybodys(Fault::Sender));
    };
    let written = match write(office, way, &mut message).await {
        Ok(written) => written,
        Err(NoLetter::NotNow(why)) => {
            tracing::info!(claim_id = %message.claim_id, "given back: {why}");
            meters::returned(1);
            office.queue.answer(message.into(), Answer::Returned).await;
            return Outcome::Settled;
        }
        Err(NoLetter::Never(why, told)) => {
            return Outcome::Failed(Box::new(Failed { message, why, told: told.to_string() }), Verdict::Own(REFUSED));
        }
    };
    let started = Instant::now();
    let done = match written {
        Written::Letter(server, letter) => mailed(server, &letter, started).await,
        Written::Parcel(hook, body) => posted(hook, &message.idempotency_key, body, started).await,
    };
    match done {
        Ok(Taken { message_id, from, provider_id }) => {
            meters::sent();
            tracing::debug!(message_id, recipient = %message.recipient_id, "taken");
            office.queue.answer(message.into(), Answer::Sent { message_id, from, provider_id }).await;
            Outcome::Taken
        }
        Err(Refused { why, told, verdict }) => Outcome::Failed(Box::new(Failed { message, why, told }), verdict),
    }
}

/// What is answered of a message that was taken.
struct Taken {
    message_id: String,
    from: Option<String>,
    provider_id: Option<String>,
}

struct Refused {
    why: String,
    told: String,
    verdict: Verdict,
}

async fn mailed(server: &Server, letter: &Letter, started: Instant) -> Result<Taken, Refused> {
    let done = server.send(&letter.envelope, &letter.bytes).await;
    meters::took("smtp", started.elapsed());
    match done {
        Ok(reply) => Ok(Taken {
            message_id: letter.message_id.clone(),
            from: Some(letter.envelope.from.to_string()),
            provider_id: provider_id(&reply).map(ToString::to_string),
        }),
        Err(failure) => {
            tracing::debug!(server = server.name(), "{failure}");
            Err(Refused { why: failure.to_string(), told: failure.told(), verdict: Verdict::of(&failure) })
        }
    }
}

async fn posted(hook: &Hook, key: &str, body: Vec<u8>, started: Instant) -> Result<Taken, Refused> {
    let reply = hook.post(key, body).await;
    meters::took("webhook", started.elapsed());
    match reply.verdict() {
        None => Ok(Taken { message_id: key.to_string(), from: None, provider_id: reply.id() }),
        Some(verdict) => {
            tracing::debug!(webhook = hook.name(), "{}", reply.why());
            Err(Refused { why: reply.why(), told: reply.told(), verdict })
        }
    }
}

/// Asks once half of the lease has passed. Without an answer it is not sent: it may be somebody else's by now.
async fn keep(office: &Office, message: &mut Message) -> Result<(), Trouble> {
    let mut wait = std::time::Duration::ZERO;
    while Utc::now() > message.claimed_until - office.lease / 2 {
        match office.queue.extend(message).await {
            Ok(()) => break,
            Err(Trouble::Passing(_)) if Utc::now() < message.claimed_until => {
                wait = super::queue::longer(wait);
                tokio::time::sleep(wait).await;
            }
            Err(trouble) => return Err(trouble),
        }
    }
    Ok(())
}

/// A message as its way takes it.
pub enum Written<'a> {
    Letter(&'a Server, Letter),
    Parcel(&'a Hook, Vec<u8>),
}

pub async fn write<'a>(office: &Office, way: &'a Way, message: &mut Message) -> Result<Written<'a>, NoLetter> {
    if message.items.iter().any(|item| Kind::of(item) == Kind::DailySummary) {
        message.summary = match office.queue.summary(message.recipient_id).await {
            Ok(Some(summary)) => Some(summary),
            Ok(None) => return Err(NoLetter::NotNow("the student of a daily summary is gone".to_string())),
            Err(trouble) => return Err(NoLetter::NotNow(trouble.to_string())),
        };
    }
    let own = office.words.told(&office.queue, message).await;
    let rendered = match own.map_err(|trouble| NoLetter::NotNow(trouble.to_string()))? {
        Some(rendered) => rendered,
        None => office
            .texts
            .render(message)
            .map_err(|error| NoLetter::Never(format!("the text cannot be made: {error}"), "the text cannot be made"))?,
    };
    match way {
        Way::Smtp { server, sender } => Letter::new(message, &rendered, sender)
            .map(|letter| Written::Letter(server, letter))
            .map_err(|why| NoLetter::Never(why.0, "no mail can be written to the address")),
        Way::Webhook(hook) => parcel(message, &rendered)
            .map(|body| Written::Parcel(hook, body))
            .map_err(|why| NoLetter::Never(why, "the message is too long to be posted")),
    }
}
