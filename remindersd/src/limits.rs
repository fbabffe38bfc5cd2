//! How much one caller may ask for.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use governor::{DefaultKeyedRateLimiter, Quota};

pub struct Limits(Option<DefaultKeyedRateLimiter<String>>);

impl Limits {
    /// 0: none.
    pub fn per_minute(requests: u32) -> Self {
        Self(NonZeroU32::new(requests).map(|requests| DefaultKeyedRateLimiter::keyed(Quota::per_minute(requests))))
    }

    /// Counts a request of this caller; false where it is one too many.
    pub fn allow(&self, identity: &str) -> bool {
        let Some(limiter) = &self.0 else { return true };
        // Callers that have been away for a minute count as new ones.
        if limiter.len() > 10_000 {
            limiter.retain_recent();
        }
        limiter.check_key(&identity.to_string()).is_ok()
    }
}

/// How many streams of events each caller has open.
#[derive(Clone, Default)]
pub struct Streams(Arc<Mutex<HashMap<String, usize>>>);

/// One of them, while it is open.
pub struct Stream {
    streams: Streams,
    identity: String,
}

impl Streams {
    /// One more; none where the caller has as many as anybody may.
    pub fn open(&self, identity: &str) -> Option<Stream> {
        const MOST: usize = 10;
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = open.entry(identity.to_string()).or_default();
        if *number >= MOST {
            return None;
        }
        *number += 1;
        Some(Stream { streams: self.clone(), identity: identity.to_string() })
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut open = self.streams.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = open.get_mut(&self.identity) {
            *number -= 1;
            if *number == 0 {
                open.remove(&self.identity);
            }
        }
    }
}
