//! The words that organizations have stored: read when a message of theirs is written, and read again after a while.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;
use uuid::Uuid;

use super::message::Message;
use super::queue::{Queue, Trouble};
use crate::config;
use crate::texts::{Rendered, Sandbox, Template};

/// What coordinators change is told from then on.
const FRESH: Duration = Duration::from_mins(1);

/// When they were read, and what they were.
type Read = (Instant, Arc<Vec<Template>>);

pub struct Words {
    read: Mutex<HashMap<Uuid, Read>>,
    sandbox: Sandbox,
}

impl Words {
    pub fn new(settings: &config::Texts) -> Self {
        Self { read: Mutex::default(), sandbox: Sandbox::new(settings) }
    }

    /// A message in words that its organization has stored; none where there are none, or none that can be used.
    pub async fn told(&self, queue: &Queue, message: &Message) -> Result<Option<Rendered>, Trouble> {
        let rows = self.of(queue, message.organization_id).await?;
        if rows.is_empty() { Ok(None) } else { Ok(self.sandbox.told(&rows, message).await) }
    }

    /// Those that were read before do for as long as the database is away.
    async fn of(&self, queue: &Queue, organization: Uuid) -> Result<Arc<Vec<Template>>, Trouble> {
        let mut read = self.read.lock().await;
        let known = read.get(&organization);
        if let Some((at, rows)) = known
            && at.elapsed() < FRESH
        {
            return Ok(Arc::clone(rows));
        }
        let rows = match (queue.templates(Some(organization)).await, known) {
            (Ok(mut stored), _) => Arc::new(stored.remove(&organization).unwrap_or_default()),
            // The role may not read them, as one that was made for 0.1.0.
            (Err(Trouble::Refused { code, .. }), None) if code == "42501" => {
                tracing::info!(%organization, "message_templates is not read: the role has no SELECT on it");
                Arc::default()
            }
            (Err(_), Some((_, rows))) => Arc::clone(rows),
            (Err(trouble), None) => return Err(trouble),
        };
        read.insert(organization, (Instant::now(), Arc::clone(&rows)));
        Ok(rows)
    }
}
