//! Whether what is needed can be reached: one line in the log when it goes away, and one when it is back; /metrics and /healthz tell it, too.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

pub struct Outage {
    /// As logs call it.
    of: String,
    since: Mutex<Option<(Instant, String)>>,
}

impl Outage {
    pub fn new(of: impl Into<String>) -> Self {
        let outage = Self { of: of.into(), since: Mutex::default() };
        metrics::counter!("remindersd_outages_total", "of" => outage.of.clone()).increment(0);
        outage.tell(false);
        outage
    }

    pub fn begins(&self, why: &str) {
        let mut since = self.locked();
        if let Some((_, latest)) = since.as_mut() {
            *latest = why.to_string();
        } else {
            tracing::warn!("{} cannot be used, and is tried again: {why}", self.of);
            metrics::counter!("remindersd_outages_total", "of" => self.of.clone()).increment(1);
            self.tell(true);
            *since = Some((Instant::now(), why.to_string()));
        }
    }

    pub fn ends(&self) {
        if let Some((since, _)) = self.locked().take() {
            tracing::info!(seconds = since.elapsed().as_secs(), "{} can be used again", self.of);
            self.tell(false);
        }
    }

    /// Why it is away; none: it is there, as far as anybody knows.
    pub fn reason(&self) -> Option<String> {
        self.locked().as_ref().map(|(_, why)| why.clone())
    }

    pub fn of(&self) -> &str {
        &self.of
    }

    fn tell(&self, is_away: bool) {
        metrics::gauge!("remindersd_outage", "of" => self.of.clone()).set(if is_away { 1.0 } else { 0.0 });
    }

    fn locked(&self) -> MutexGuard<'_, Option<(Instant, String)>> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
