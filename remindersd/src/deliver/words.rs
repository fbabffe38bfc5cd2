//! The words that organizations have stored: read when a message of theirs is written, and read again after a while.

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;
use uuid::Uuid;

use super::queue::{Queue, Trouble};
use crate::texts::Texts;

/// What coordinators change is told from then on.
const FRESH: Duration = Duration::from_mins(1);

#[derive(Default)]
pub struct Words {
    read: Mutex<HashMap<Uuid, Instant>>,
}

impl Words {
    /// Sees to it that texts know an organization's words. Those that were read before do for as long as the database is away.
    pub async fn learn(&self, texts: &Texts, queue: &Queue, organization: Uuid) -> Result<(), Trouble> {
        let mut read = self.read.lock().await;
        if read.get(&organization).is_some_and(|at| at.elapsed() < FRESH) {
            return Ok(());
        }
        match queue.templates(Some(organization)).await {
            Ok(mut stored) => {
                texts.store(organization, stored.remove(&organization).unwrap_or_default());
                read.insert(organization, Instant::now());
                Ok(())
            }
            Err(Trouble::Passing(_)) if read.contains_key(&organization) => Ok(()),
            Err(trouble) => Err(trouble),
        }
    }
}
