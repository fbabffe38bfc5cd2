//! One message: kept where its lease grows old, rendered, handed over, and answered for where it was taken.

use chrono::Utc;

use super::Office;
use super::lane::{Failed, Outcome};
use super::letter::{Letter, provider_id};
use super::mail::Way;
use super::message::Message;
use super::meters;
use super::queue::Trouble;
use super::verdict::{Fault, Verdict};

/// Why there is no letter.
pub enum NoLetter {
    /// The database could not be asked, or its student is gone: it is given back.
    NotNow(String),
    /// It can never be written: why, and what logs may hold of that.
    Never(String, &'static str),
}

pub async fn send(office: &Office, mut message: Message) -> Outcome {
    if !is_still_ours(office, &mut message).await {
        return Outcome::Settled;
    }
    let Some(way) = office.mail.of(message.organization_id) else {
        let why = "no mail server is configured for the organization".to_string();
        let failed = Failed { message, told: why.clone(), why };
        return Outcome::Failed(Box::new(failed), Verdict::Everybodys(Fault::Sender));
    };
    let letter = match write(office, way, &mut message).await {
        Ok(letter) => letter,
        Err(NoLetter::NotNow(why)) => {
            tracing::info!(claim_id = %message.claim_id, "given back: {why}");
            meters::returned(1);
            office.queue.give_back(message.claim_id, &message.reminder_ids).await;
            return Outcome::Settled;
        }
        Err(NoLetter::Never(why, told)) => {
            return Outcome::Failed(
                Box::new(Failed { message, why, told: told.to_string() }),
                Verdict::Own { fault: None, permanent: Some(true) },
            );
        }
    };
    let started = std::time::Instant::now();
    let done = way.server.send(&letter.envelope, &letter.bytes).await;
    meters::took("smtp", started.elapsed());
    match done {
        Ok(reply) => {
            meters::sent();
            let name = provider_id(&reply);
            tracing::debug!(message_id = letter.message_id, recipient = %message.recipient_id, "taken: {reply}");
            office.queue.sent(&message, &letter.message_id, letter.envelope.from.as_ref(), name).await;
            Outcome::Taken
        }
        Err(failure) => {
            tracing::debug!(recipient = %message.recipient_id, server = way.server.name(), "{failure}");
            let verdict = Verdict::of(&failure);
            Outcome::Failed(Box::new(Failed { message, why: failure.to_string(), told: failure.told() }), verdict)
        }
    }
}

/// Asks once half of the lease has passed. Without an answer it is not sent: it may be somebody else's by now.
async fn is_still_ours(office: &Office, message: &mut Message) -> bool {
    let mut wait = std::time::Duration::ZERO;
    while Utc::now() > message.claimed_until - office.lease / 2 {
        match office.queue.extend(message).await {
            Ok(()) => break,
            Err(Trouble::Passing(_)) if Utc::now() < message.claimed_until => {
                wait = super::queue::longer(wait);
                tokio::time::sleep(wait).await;
            }
            Err(trouble) => {
                tracing::warn!(claim_id = %message.claim_id, "not sent, since its lease was not prolonged: {trouble}");
                return false;
            }
        }
    }
    !message.reminder_ids.is_empty()
}

/// The mail of a message.
pub async fn write(office: &Office, way: &Way, message: &mut Message) -> Result<Letter, NoLetter> {
    if message.items.iter().any(|item| item.reminder_type == "daily-summary") {
        message.summary = match office.queue.summary(message.recipient_id).await {
            Ok(Some(summary)) => Some(summary),
            Ok(None) => return Err(NoLetter::NotNow("the student of a daily summary is gone".to_string())),
            Err(trouble) => return Err(NoLetter::NotNow(trouble.to_string())),
        };
    }
    let rendered = office
        .texts
        .render(message)
        .map_err(|error| NoLetter::Never(format!("the text cannot be made: {error}"), "the text cannot be made"))?;
    Letter::new(message, &rendered, &way.sender)
        .map_err(|why| NoLetter::Never(why.0, "no mail can be written to the address"))
}
