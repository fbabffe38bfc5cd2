//! A message as a webhook gets it: what it is about, and its words.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::message::{Item, Message, Summary};
use super::webhook::LONGEST;
use crate::texts::Rendered;

/// As Standard Webhooks has it: a type, a time, and data.
#[derive(Serialize)]
struct Parcel<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: DateTime<Utc>,
    data: Data<'a>,
}

/// Of the message all but what only answers need, and the token, which is in the link.
#[derive(Serialize)]
struct Data<'a> {
    idempotency_key: &'a str,
    organization_id: Uuid,
    organization_name: Option<&'a str>,
    recipient_id: Uuid,
    recipient_email: Option<&'a str>,
    recipient_name: Option<&'a str>,
    recipient_timezone: Option<&'a str>,
    recipient_locale: Option<&'a str>,
    reminder_ids: &'a [Uuid],
    items: &'a [Item],
    summary: Option<&'a Summary>,
    /// Of the words.
    locale: &'a str,
    subject: &'a str,
    text: &'a str,
    html: &'a str,
    unsubscribe: Option<&'a str>,
}

/// Its JSON; why there is none.
pub fn parcel(message: &Message, rendered: &Rendered) -> Result<Vec<u8>, String> {
    let data = Data {
        idempotency_key: &message.idempotency_key,
        organization_id: message.organization_id,
        organization_name: message.organization_name.as_deref(),
        recipient_id: message.recipient_id,
        recipient_email: message.recipient_email.as_deref(),
        recipient_name: message.recipient_name.as_deref(),
        recipient_timezone: message.recipient_timezone.as_deref(),
        recipient_locale: message.recipient_locale.as_deref(),
        reminder_ids: &message.reminder_ids,
        items: &message.items,
        summary: message.summary.as_ref(),
        locale: &rendered.locale,
        subject: &rendered.subject,
        text: &rendered.text,
        html: &rendered.html,
        unsubscribe: rendered.unsubscribe.as_deref(),
    };
    let parcel = Parcel { kind: "reminders.due", timestamp: Utc::now(), data };
    let body = serde_json::to_vec(&parcel).map_err(|error| error.to_string())?;
    if body.len() > LONGEST {
        return Err(format!("the message has {} bytes, and no more than {LONGEST} are posted", body.len()));
    }
    Ok(body)
}
