//! Retrying: what follows a send that failed, and a claim that nobody answered for.
//!
//! ```text
//!   pending --claim--> claimed --sent--> sent
//!      ^                  |
//!      +--- backoff ------+ failed, and attempts are left
//!      +--- lease over ---+ no answer, and attempts are left
//!      +--- given back ---+ or a sender's or transport's fault (rules/answer.rs): costs no attempt
//!                         +-------------------------------> failed (permanent, or max_attempts reached)
//! ```

use chrono::TimeDelta;

/// No retry waits longer than this, jitter apart, unless the first one does.
pub const LONGEST_WAIT: TimeDelta = TimeDelta::hours(20);

/// How much longer each retry waits than the one before. Of the default, a minute: 1 min, 15 min, 4 h, 20 h, so that five attempts get
/// past a grey list, a server's restart, a full mailbox and a night.
const GROWTH: i32 = 15;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterFailure {
    RetryAfter(TimeDelta),
    GiveUp,
}

/// What follows the failure of the `attempts`-th attempt (counted from 1). A permanent failure is never retried.
/// `jitter` is a random number from 0 up to 1.
#[must_use]
pub fn after_failure(
    attempts: i32,
    max_attempts: i32,
    is_permanent: bool,
    retry_base: TimeDelta,
    jitter: f64,
) -> AfterFailure {
    if is_permanent || attempts >= max_attempts {
        return AfterFailure::GiveUp;
    }
    AfterFailure::RetryAfter(backoff(attempts, retry_base, jitter))
}

/// What becomes of a reminder that was claimed and never answered for. The names are those that claims compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterLoss {
    Retry,
    RetryAlone,
    GiveUp,
}

impl AfterLoss {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::RetryAlone => "retry_alone",
            Self::GiveUp => "give_up",
        }
    }
}

/// What follows the `attempts`-th attempt (counted from 1) when its lease ended without an answer: its worker died, was too
/// slow, or could not answer. It counts, since the message may have been sent, and nobody should get it over and over. And the message may be what kills
/// workers: the last attempt that is left after this one is made alone.
#[must_use]
pub fn after_loss(attempts: i32, max_attempts: i32) -> AfterLoss {
    if attempts >= max_attempts {
        AfterLoss::GiveUp
    } else if attempts.saturating_add(1) >= max_attempts {
        AfterLoss::RetryAlone
    } else {
        AfterLoss::Retry
    }
}

/// The wait after the `attempts`-th failure: `retry_base`, fifteen times as long with every further one, and up to half of that again,
/// so that what failed together does not come back together. Each wait is longer than the one before it, up to
/// [`LONGEST_WAIT`], or `retry_base` where that is longer.
#[must_use]
pub fn backoff(attempts: i32, retry_base: TimeDelta, jitter: f64) -> TimeDelta {
    let base = retry_base.clamp(TimeDelta::zero(), TimeDelta::days(1));
    let longest = LONGEST_WAIT.max(base);
    let mut wait = base;
    // Beyond, whatever the base is, in milliseconds: it has got there, or is zero.
    for _ in 1..attempts.min(10) {
        wait = (wait * GROWTH).min(longest);
    }
    let jitter = if jitter.is_finite() { jitter.clamp(0.0, 1.0) } else { 0.0 };
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)] // at most a day, in milliseconds
    let extra = (wait.num_milliseconds() as f64 / 2.0 * jitter) as i64;
    wait + TimeDelta::milliseconds(extra)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: TimeDelta = TimeDelta::minutes(1);

    #[test]
    fn retries_reach_over_a_day_by_default() {
        let waits: Vec<i64> = (1..=6).map(|attempts| backoff(attempts, MINUTE, 0.0).num_minutes()).collect();
        assert_eq!(waits, [1, 15, 225, 20 * 60, 20 * 60, 20 * 60], "1 min, 15 min, about 4 h, 20 h");
        assert!(waits[..4].iter().sum::<i64>() > 24 * 60);
    }

    #[test]
    fn another_first_wait_scales_those_after_it_and_is_never_shortened() {
        let waits = |base| -> Vec<i64> { (1..=4).map(|attempts| backoff(attempts, base, 0.0).num_seconds()).collect() };
        assert_eq!(waits(TimeDelta::seconds(10)), [10, 150, 2250, 33_750]);
        assert_eq!(waits(TimeDelta::hours(1)), [3600, 54_000, 72_000, 72_000]);
        assert_eq!(waits(TimeDelta::days(1)), [86_400; 4]);
    }

    #[test]
    fn jitter_adds_up_to_half_of_the_wait() {
        assert_eq!(backoff(1, MINUTE, 0.0).num_seconds(), 60);
        assert_eq!(backoff(1, MINUTE, 0.5).num_seconds(), 75);
        assert_eq!(backoff(1, MINUTE, 1.0).num_seconds(), 90);
    }

    #[test]
    fn a_wait_never_exceeds_twenty_hours_but_for_its_jitter_and_a_longer_first_one() {
        assert_eq!(backoff(40, MINUTE, 0.0), LONGEST_WAIT);
        assert_eq!(backoff(i32::MAX, TimeDelta::MAX, 0.0), TimeDelta::days(1));
        assert_eq!(backoff(i32::MAX, TimeDelta::milliseconds(1), 0.0), LONGEST_WAIT);
        assert_eq!(backoff(40, MINUTE, 1.0), LONGEST_WAIT + LONGEST_WAIT / 2);
    }

    #[test]
    fn impossible_arguments_give_a_wait_and_no_panic() {
        assert_eq!(backoff(i32::MIN, TimeDelta::MIN, f64::NAN), TimeDelta::zero());
        assert_eq!(backoff(0, MINUTE, -3.0), MINUTE);
        assert_eq!(backoff(1, MINUTE, f64::INFINITY), MINUTE);
    }

    #[test]
    fn what_nobody_answers_for_is_tried_alone_at_last_and_then_given_up() {
        let told: Vec<AfterLoss> = (1..=6).map(|attempts| after_loss(attempts, 5)).collect();
        let [retry, alone, give_up] = [AfterLoss::Retry, AfterLoss::RetryAlone, AfterLoss::GiveUp];
        assert_eq!(told, [retry, retry, retry, alone, give_up, give_up]);
        assert_eq!(after_loss(1, 2), alone);
        assert_eq!(after_loss(1, 1), give_up);
        assert_eq!(after_loss(i32::MAX, i32::MIN), give_up);
    }

    #[test]
    fn the_last_attempt_and_a_permanent_failure_give_up() {
        assert_eq!(after_failure(4, 5, false, MINUTE, 0.0), AfterFailure::RetryAfter(LONGEST_WAIT));
        assert_eq!(after_failure(5, 5, false, MINUTE, 0.0), AfterFailure::GiveUp);
        assert_eq!(after_failure(6, 5, false, MINUTE, 0.0), AfterFailure::GiveUp, "the limit was lowered meanwhile");
        assert_eq!(after_failure(1, 5, true, MINUTE, 0.0), AfterFailure::GiveUp);
    }
}
