//! Runs the unit tests of src/rules, and its property tests, without a server.
//! The library itself only links inside Postgres, so the rules are compiled here a second time.

#[path = "../src/rules/mod.rs"]
#[allow(dead_code)] // The names that only the SQL faces use.
mod rules;

use chrono::NaiveDate;
use proptest::prelude::*;
use rules::follow_up::{Action, Days, Thresholds, evaluate};

fn date() -> impl Strategy<Value = NaiveDate> {
    (0..40_000i32).prop_map(|day| NaiveDate::from_num_days_from_ce_opt(719_163 + day).expect("within the calendar"))
}

fn threshold() -> impl Strategy<Value = Option<Days>> {
    proptest::option::of((0..60i32).prop_map(|days| Days::try_from(days).expect("not negative")))
}

proptest! {
    #[test]
    fn more_silence_never_calls_for_less(
        contact in date(), assigned in date(), reminded in proptest::option::of(date()),
        reminder_after in threshold(), escalate_after in threshold(), as_of in date(), more in 0..100u64,
    ) {
        let weight = |action| match action { Action::None => 0, Action::Remind => 1, Action::Escalate => 2 };
        let thresholds = Thresholds { reminder_after, escalate_after };
        let later = as_of + chrono::Days::new(more);
        let now = evaluate(Some(contact), assigned, reminded, thresholds, as_of);
        let then = evaluate(Some(contact), assigned, reminded, thresholds, later);
        prop_assert!(weight(then.action) >= weight(now.action));
    }

    #[test]
    fn nobody_is_escalated_who_was_not_reminded_in_this_silence(
        contact in proptest::option::of(date()), assigned in date(), reminded in proptest::option::of(date()),
        reminder_after in threshold(), escalate_after in threshold(), as_of in date(),
    ) {
        let evaluation = evaluate(contact, assigned, reminded, Thresholds { reminder_after, escalate_after }, as_of);
        if evaluation.action == Action::Escalate {
            prop_assert!(reminded.is_some_and(|sent_on| sent_on >= contact.unwrap_or(assigned)));
        }
    }

    #[test]
    fn a_contact_today_ends_every_episode(
        assigned in date(), reminded in proptest::option::of(date()), as_of in date(), after in 1..60i32,
    ) {
        let after = Days::try_from(after).ok();
        let thresholds = Thresholds { reminder_after: after, escalate_after: after };
        prop_assert_eq!(evaluate(Some(as_of), assigned, reminded, thresholds, as_of).action, Action::None);
    }
}
