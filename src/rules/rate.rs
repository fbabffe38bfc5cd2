//! Rate limits: how many messages of an organization may still be claimed in the minute that ends now.
//!
//! Exact for every window of 60 seconds, not only for those that start on the minute: what was claimed is kept per second
//! for as long as it counts.

use chrono::{DateTime, TimeDelta, Utc};

/// Claims count for this long.
const WINDOW: TimeDelta = TimeDelta::seconds(60);

/// Messages that were claimed within one second, and when the last of them were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims {
    pub at: DateTime<Utc>,
    pub messages: i32,
}

/// How many more may be claimed at `now`.
#[must_use]
pub fn allowance(claims: &[Claims], messages_per_minute: i32, now: DateTime<Utc>) -> i32 {
    let counted: i64 = still_counting(claims, now).map(|claim| i64::from(claim.messages)).sum();
    i32::try_from((i64::from(messages_per_minute) - counted).max(0)).unwrap_or(i32::MAX)
}

/// What counts once `messages` more have been claimed at `now`: at most one entry a second.
#[must_use]
pub fn after_claim(claims: &[Claims], messages: i32, now: DateTime<Utc>) -> Vec<Claims> {
    let mut counting: Vec<Claims> = still_counting(claims, now).collect();
    match counting.iter_mut().find(|claim| claim.at.timestamp() == now.timestamp()) {
        Some(claim) => *claim = Claims { at: claim.at.max(now), messages: claim.messages.saturating_add(messages) },
        None => counting.push(Claims { at: now, messages }),
    }
    counting
}

/// Claims shortly after `now` count too: a clock that is a little behind lifts no limit. One that was far ahead uses none up.
fn still_counting(claims: &[Claims], now: DateTime<Utc>) -> impl Iterator<Item = Claims> {
    claims.iter().copied().filter(move |claim| now.signed_duration_since(claim.at).abs() < WINDOW)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_795_341_600_000 + milliseconds).expect("a test's own moment")
    }

    #[test]
    fn a_limit_is_used_up_and_returns_a_minute_later() {
        let claims = after_claim(&[], 10, at(0));
        assert_eq!(allowance(&[], 10, at(0)), 10);
        assert_eq!(allowance(&claims, 10, at(0)), 0);
        assert_eq!(allowance(&claims, 10, at(59_999)), 0);
        assert_eq!(allowance(&claims, 10, at(60_000)), 10);
    }

    #[test]
    fn what_was_claimed_in_the_same_second_is_added_up_and_counts_from_its_last() {
        let claims = after_claim(&after_claim(&[], 3, at(100)), 4, at(900));
        assert_eq!(claims, [Claims { at: at(900), messages: 7 }]);
        let claims = after_claim(&claims, 1, at(1000));
        assert_eq!(claims.len(), 2, "the next second is counted apart");
    }

    #[test]
    fn what_no_longer_counts_is_forgotten() {
        let claims = after_claim(&after_claim(&[], 3, at(0)), 4, at(60_000));
        assert_eq!(claims, [Claims { at: at(60_000), messages: 4 }]);
    }

    #[test]
    fn a_limit_lowered_below_what_was_claimed_leaves_nothing() {
        assert_eq!(allowance(&[Claims { at: at(0), messages: 50 }], 10, at(1)), 0);
    }

    #[test]
    fn a_clock_that_is_a_little_behind_lifts_no_limit_and_one_that_was_far_ahead_uses_none_up() {
        assert_eq!(allowance(&[Claims { at: at(59_999), messages: 10 }], 10, at(0)), 0);
        assert_eq!(allowance(&[Claims { at: at(3_600_000), messages: 10 }], 10, at(0)), 10);
    }
}
