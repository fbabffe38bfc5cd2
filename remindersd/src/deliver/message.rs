//! A message to send: what a row of claim_digests says, whatever the way it goes.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// All that is due to one person now.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Message {
    pub claim_id: Uuid,
    pub claimed_until: DateTime<Utc>,
    pub idempotency_key: String,
    pub organization_id: Uuid,
    pub organization_name: Option<String>,
    pub recipient_id: Uuid,
    pub recipient_email: Option<String>,
    pub recipient_name: Option<String>,
    /// An IANA name, by which `due_at_local` is told.
    pub recipient_timezone: Option<String>,
    /// Such as `nb-NO`; the organization's where the person has none.
    pub recipient_locale: Option<String>,
    pub unsubscribe_token: Option<String>,
    pub reminder_ids: Vec<Uuid>,
    /// The oldest first.
    pub items: Vec<Item>,
    /// What daily_summary() says, where an item is one.
    #[serde(default)]
    pub summary: Option<Summary>,
}

/// Reminders of a claim, as far as they are to be answered for.
#[derive(Clone, Debug)]
pub struct Held {
    pub organization_id: Uuid,
    pub claim_id: Uuid,
    pub claimed_until: DateTime<Utc>,
    pub reminder_ids: Vec<Uuid>,
}

impl From<Message> for Held {
    fn from(message: Message) -> Self {
        let Message { organization_id, claim_id, claimed_until, reminder_ids, .. } = message;
        Self { organization_id, claim_id, claimed_until, reminder_ids }
    }
}

impl Message {
    /// It is held until then, without these reminders. Returns those of them that it had, as they were held.
    pub fn keep(&mut self, until: DateTime<Utc>, lost: &[Uuid]) -> Option<Held> {
        let reminder_ids: Vec<Uuid> = self.reminder_ids.extract_if(.., |id| lost.contains(id)).collect();
        self.items.retain(|item| !lost.contains(&item.reminder_id));
        let claimed_until = std::mem::replace(&mut self.claimed_until, until);
        let Self { organization_id, claim_id, .. } = *self;
        (!reminder_ids.is_empty()).then_some(Held { organization_id, claim_id, claimed_until, reminder_ids })
    }
}

/// One reminder of a message: an object of claim_digests.items. What is not named here, the text does not need.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Item {
    pub reminder_id: Uuid,
    pub reminder_type: String,
    pub assignment_id: Option<Uuid>,
    pub assignment_title: Option<String>,
    #[serde(default)]
    pub metadata: serde_json::Value,
    pub student_name: Option<String>,
    pub peer_mentor_name: Option<String>,
    pub coordinator_name: Option<String>,
    pub coordinator_email: Option<String>,
    pub last_contact_date: Option<NaiveDate>,
    pub days_since: Option<i32>,
    pub due_at: Option<DateTime<Utc>>,
    /// In the recipient's time zone.
    pub due_at_local: Option<NaiveDateTime>,
    pub anchor: Option<DateTime<Utc>>,
    pub scheduled_for: Option<DateTime<Utc>>,
    /// Of an escalation: who was reminded in this silence, and when.
    pub reminded_name: Option<String>,
    pub reminded_at: Option<DateTime<Utc>>,
    /// Of an escalation: why nobody could be, a skip_reason or `failed`.
    pub reminded_reason: Option<String>,
}

/// A student's assignments, as daily_summary() tells them.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Summary {
    pub current: Vec<SummaryLine>,
    pub overdue: Vec<SummaryLine>,
    pub completed: Vec<SummaryLine>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct SummaryLine {
    pub assignment_id: Uuid,
    pub title: String,
    pub due_at: Option<DateTime<Utc>>,
    pub due_at_local: Option<NaiveDateTime>,
}
