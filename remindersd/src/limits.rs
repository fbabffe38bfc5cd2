//! How much one caller may ask for.

use std::num::NonZeroU32;

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
