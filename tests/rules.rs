//! Runs the unit tests of src/rules, and its property tests, without a server.
//! The library itself only links inside Postgres, so the rules are compiled here a second time.

#[path = "../src/rules/mod.rs"]
#[allow(dead_code)] // The names that only the SQL bindings use.
mod rules;

use chrono::NaiveDate;
use proptest::prelude::*;
use rules::calendar::{Calendar, DaysOfWeek, Span};
use rules::contact::silent_since;
use rules::follow_up::{Action, Days, MentorsReminder, Silence, Thresholds};
use rules::{bounce, due, rate, retry};

fn date() -> impl Strategy<Value = NaiveDate> {
    (0..40_000i32).prop_map(|day| NaiveDate::from_num_days_from_ce_opt(719_163 + day).expect("within the calendar"))
}

fn threshold() -> impl Strategy<Value = Option<Days>> {
    proptest::option::of((0..60i32).prop_map(|days| Days::try_from(days).expect("not negative")))
}

/// What a silence calls for whose reminder, if any, was sent on that day.
fn evaluate(
    contact: Option<NaiveDate>,
    assigned: NaiveDate,
    sent: Option<NaiveDate>,
    (reminder_after, escalate_after): (Option<Days>, Option<Days>),
    as_of: NaiveDate,
) -> rules::follow_up::Evaluation {
    let reminder = sent.map(|sent_on| MentorsReminder {
        status: "sent",
        skip_reason: None,
        sent_at: Some(sent_on),
        scheduled_for: sent_on,
    });
    let since = silent_since(contact, assigned);
    let silence = Silence { since, stopped: &[], is_mentor_unreachable: false, reminder };
    let thresholds = Thresholds { reminder_after, escalate_after, escalation_grace: Days::default() };
    rules::follow_up::evaluate(silence, thresholds, &Calendar::default(), as_of).evaluation
}

proptest! {
    #[test]
    fn more_silence_never_calls_for_less(
        contact in date(), assigned in date(), reminded in proptest::option::of(date()),
        reminder_after in threshold(), escalate_after in threshold(), as_of in date(), more in 0..100u64,
    ) {
        let weight = |action| match action { Action::None => 0, Action::Remind => 1, Action::Escalate => 2 };
        let thresholds = (reminder_after, escalate_after);
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
        let evaluation = evaluate(contact, assigned, reminded, (reminder_after, escalate_after), as_of);
        if evaluation.action == Action::Escalate {
            prop_assert!(reminded.is_some_and(|sent_on| sent_on >= silent_since(contact, assigned)));
        }
    }

    #[test]
    fn a_contact_today_ends_every_episode(
        assigned in date(), reminded in proptest::option::of(date()), as_of in date(), after in 1..60i32,
    ) {
        let after = Days::try_from(after).ok();
        prop_assert_eq!(evaluate(Some(as_of), assigned.min(as_of), reminded, (after, after), as_of).action, Action::None);
    }
}

/// Claims that take all they may, at these moments (milliseconds); returns moments and numbers.
fn claims_at(moments: &[i64], limit: i32) -> Vec<(i64, i32)> {
    let mut kept = Vec::new();
    moments
        .iter()
        .map(|&moment| {
            let now = chrono::DateTime::from_timestamp_millis(moment).expect("within the calendar");
            let messages = rate::allowance(&kept, limit, now);
            kept = rate::after_claim(&kept, messages, now);
            (moment, messages)
        })
        .collect()
}

proptest! {
    #[test]
    fn no_minute_whatever_its_start_holds_more_claims_than_the_limit(
        mut moments in proptest::collection::vec(0..300_000i64, 1..80), limit in 1..20i32,
    ) {
        moments.sort_unstable();
        let claimed = claims_at(&moments, limit);
        for &(end, _) in &claimed {
            let within: i32 = claimed.iter().filter(|(at, _)| (end - 59_999..=end).contains(at)).map(|(_, n)| n).sum();
            prop_assert!(within <= limit, "{within} in the minute up to {end}");
        }
        prop_assert!(claimed[0].1 == limit, "and the first claim gets all of it");
    }

    #[test]
    fn what_is_due_has_been_due_since_the_first_day_on_which_a_run_would_have_found_it_so(
        silent in 0..60i64, reminded in proptest::option::of(0..60i64), unreachable: bool,
        after in proptest::option::of(1..20i32), more in proptest::option::of(0..20i32), grace in 0..6i32,
        weekend: bool, off in 0..60i64, paused in 0..60i64, length in 0..6i64,
    ) {
        let as_of = NaiveDate::from_ymd_opt(2026, 11, 26).expect("a Thursday");
        let ago = |days| as_of - chrono::TimeDelta::days(days);
        let days = |number| Days::try_from(number).expect("not negative");
        let thresholds = Thresholds {
            reminder_after: after.map(days), escalate_after: more.map(|more| days(after.unwrap_or(1) + more)), escalation_grace: days(grace),
        };
        let span = |first| Span { first: ago(first), last: ago(first - length) };
        let calendar = Calendar {
            weekly: DaysOfWeek::of(if weekend { &[6, 7] } else { &[] }).expect("a weekend"), off: vec![span(off)], from: None,
        };
        let stopped = [span(paused)];
        let reminder = reminded.filter(|reminded| *reminded <= silent).map(ago).map(|sent_on| MentorsReminder {
            status: "sent", skip_reason: None, sent_at: Some(sent_on), scheduled_for: sent_on,
        });
        let silence = Silence { since: ago(silent), stopped: &stopped, is_mentor_unreachable: unreachable, reminder };
        let on = |day| rules::follow_up::evaluate(silence, thresholds, &calendar, day);
        let called = on(as_of);
        prop_assert_eq!(called.due_on.is_none(), called.evaluation.action == Action::None);
        if let Some(due_on) = called.due_on {
            // A run knows nothing of a reminder that is yet to be sent, nor waits for one that cannot be.
            let is_unconditional = called.evaluation.action == Action::Remind || unreachable && after.is_some();
            let known = |day: NaiveDate| is_unconditional || reminder.is_none_or(|reminder| day >= reminder.scheduled_for);
            let first = (0..=silent).rev().map(ago).find(|&day| known(day) && on(day).evaluation.action == called.evaluation.action);
            let first = first.expect("as_of, if no day before");
            let is_off = |day: NaiveDate| calendar.is_off(day) || stopped[0].contains(day);
            prop_assert!(due_on <= first);
            prop_assert!(due_on.iter_days().take_while(|day| *day < first).all(is_off), "{due_on} to {first}");
        }
    }

    #[test]
    fn every_retry_waits_longer_than_the_one_before_whatever_the_jitter(
        attempts in 1..4i32, seconds in 1..15i64, earlier in 0.0..1.0f64, later in 0.0..1.0f64,
    ) {
        let base = chrono::TimeDelta::seconds(seconds);
        prop_assert!(retry::backoff(attempts, base, earlier) < retry::backoff(attempts + 1, base, later));
    }

    #[test]
    fn a_report_of_any_text_is_judged_and_what_is_not_permanent_is_never_hard(report in ".{0,200}") {
        let _ = bounce::judge(None, &report);
        prop_assert_ne!(bounce::judge(Some(false), &report), bounce::Verdict::Hard);
    }

    #[test]
    fn only_codes_of_a_dead_address_are_hard_whatever_the_text(
        reply in 400..600u16, class in 4..=5u16, subject in 1..9u16, detail in 0..30u16, text in "[a-z ]{0,40}",
    ) {
        let is_dead = [(1, 1), (1, 2), (1, 3), (1, 6), (1, 10), (2, 1)].contains(&(subject, detail));
        let report = format!("{reply} {class}.{subject}.{detail} user unknown {text}");
        let is_hard = bounce::judge(None, &report) == bounce::Verdict::Hard;
        prop_assert!(!is_hard || class == 5 && reply >= 500 && is_dead, "{report}");
    }

    #[test]
    fn two_offsets_of_different_length_never_share_a_name(one in 1..2_000_000i64, other in 1..2_000_000i64) {
        let named = |seconds| due::reminder_type(0, chrono::TimeDelta::seconds(seconds));
        prop_assert_eq!(named(one) == named(other), one == other);
    }
}
