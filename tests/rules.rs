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
use rules::statement::{
    Change, Id, Item, Lines, Period, Row, Stated, Status, Step, Version, adjustments, contributions, statements, steps,
};
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

/// What an assignment was from each moment on, with what the table and the history hold of it.
#[derive(Clone, Debug)]
struct Life {
    steps: Vec<Step>,
    present: Option<Row>,
    changes: Vec<(i64, Change)>,
}

/// Lives in which anything may follow anything: inserted, changed, deleted, and there again with the same id.
fn life() -> impl Strategy<Value = Life> {
    let version = (proptest::option::weighted(0.8, 0..3u8), 0..4usize).prop_map(|(mentor, status)| Version {
        mentor: mentor.map(|mentor| [mentor; 16]),
        status: [Status::Open, Status::Completed, Status::Cancelled, Status::Other][status],
    });
    // After how long, what it is then, and whether an insert says that it was created at another moment.
    proptest::collection::vec(
        (1..40i64, proptest::option::weighted(0.85, version), proptest::option::weighted(0.2, -300..300i64)),
        0..12,
    )
    .prop_map(|happened| {
        let mut life = Life { steps: Vec::new(), present: None, changes: Vec::new() };
        let mut now = 0;
        for (after, version, pretended) in happened {
            now += after;
            match (life.present, version) {
                (None, None) => continue,
                (None, Some(version)) => {
                    life.present = Some(Row { version, created_at: pretended.unwrap_or(now) });
                    if pretended.is_some() {
                        life.changes.push((now, Change::Inserted));
                    }
                }
                (Some(before), Some(version)) => {
                    life.present = Some(Row { version, ..before });
                    life.changes.push((
                        now,
                        Change::Updated {
                            mentor: (before.version.mentor != version.mentor).then_some(before.version.mentor),
                            status: (before.version.status != version.status).then_some(before.version.status),
                            created_at: None,
                        },
                    ));
                }
                (Some(before), None) => {
                    life.present = None;
                    life.changes.push((now, Change::Deleted(before)));
                }
            }
            life.steps.push(Step { from: now, version });
        }
        life
    })
}

/// How often a mentor has an item in a period, of one assignment.
fn counted(steps: &[Step], begin: i64, end: i64) -> impl Fn(u8, Item) -> i32 + use<> {
    let mut told = Vec::new();
    contributions(steps, Period { begin, end }, |mentor, item| told.push((mentor, item)));
    move |mentor, item| i32::try_from(told.iter().filter(|told| **told == ([mentor; 16], item)).count()).expect("few")
}

proptest! {
    #[test]
    fn what_the_history_replaced_put_back_is_what_was(life in life()) {
        prop_assert_eq!(steps(life.present, &life.changes), life.steps);
    }

    /// Of a row that was created before, no older change is needed.
    #[test]
    fn changes_before_a_period_are_not_needed_where_it_was_created_before(life in life(), since in 0..300i64) {
        let Some(first) = life.changes.iter().position(|(at, _)| *at >= since) else { return Ok(()) };
        let later = &life.changes[first..];
        let created = later.iter().find_map(|(_, change)| match change { Change::Deleted(row) => Some(row.created_at), _ => None });
        if created.or(life.present.map(|row| row.created_at)).is_none_or(|created| created >= since) {
            return Ok(());
        }
        let whole = counted(&life.steps, since, 400);
        let part = counted(&steps(life.present, later), since, 400);
        for mentor in 0..3 {
            for item in Item::ALL {
                prop_assert_eq!(part(mentor, item), whole(mentor, item), "{:?}", item);
            }
        }
    }

    #[test]
    fn the_count_at_the_end_is_that_of_the_beginning_and_what_happened(life in life(), one in 0..300i64, other in 0..300i64) {
        let (begin, end) = (one.min(other), one.max(other));
        let count = counted(&life.steps, begin, end);
        let at = |moment: i64, mentor: u8| {
            let version = life.steps.iter().rev().find(|step| step.from < moment).and_then(|step| step.version);
            i32::from(version.and_then(|version| version.mentor) == Some([mentor; 16]))
        };
        for mentor in 0..3 {
            prop_assert_eq!(count(mentor, Item::AtBeginning), at(begin, mentor));
            prop_assert_eq!(count(mentor, Item::AtEnd), at(end, mentor));
            let came = count(mentor, Item::Recorded) + count(mentor, Item::TakenOver);
            let went = count(mentor, Item::HandedOver) + count(mentor, Item::Deleted);
            prop_assert_eq!(count(mentor, Item::AtBeginning) + came - went, count(mentor, Item::AtEnd));
            prop_assert!(count(mentor, Item::OpenAtEnd) <= count(mentor, Item::AtEnd));
            prop_assert!((0..3).map(|mentor| count(mentor, Item::Completed) + count(mentor, Item::Cancelled)).sum::<i32>() <= 1);
        }
    }

    #[test]
    fn a_period_is_the_sum_of_its_parts(life in life(), mut days in proptest::array::uniform3(0..300i64)) {
        days.sort_unstable();
        let [begin, middle, end] = days;
        let (whole, first, second) =
            (counted(&life.steps, begin, end), counted(&life.steps, begin, middle), counted(&life.steps, middle, end));
        for mentor in 0..3 {
            for item in [Item::Recorded, Item::TakenOver, Item::HandedOver, Item::Deleted] {
                prop_assert_eq!(whole(mentor, item), first(mentor, item) + second(mentor, item), "{:?}", item);
            }
            prop_assert_eq!(first(mentor, Item::AtEnd), second(mentor, Item::AtBeginning));
            prop_assert_eq!(whole(mentor, Item::OpenAtEnd), second(mentor, Item::OpenAtEnd));
        }
        // What nobody mentored when it was finished is in neither.
        if life.steps.iter().filter_map(|step| step.version).all(|version| version.mentor.is_some()) {
            let total = |count: &dyn Fn(u8, Item) -> i32| (0..3).map(|mentor| count(mentor, Item::Completed)).sum::<i32>();
            prop_assert!(total(&whole) <= total(&first) + total(&second), "what a period counts, one of its parts does");
        }
    }

    /// Whatever was closed, and whatever is told now, again and again: closed and adjusted are what is told, and an adjustment comes once.
    #[test]
    fn closed_lines_and_their_adjustments_are_what_is_told_now(lives in proptest::collection::vec(proptest::collection::vec(life(), 0..6), 1..5)) {
        let period = [Period { begin: 40, end: 160 }];
        let told = |lives: &[Life]| -> Lines {
            let histories: Vec<(Id, Vec<Step>)> = lives.iter().zip(1..).map(|(life, id)| ([id; 16], life.steps.clone())).collect();
            statements(&histories, &period).remove(0)
        };
        let mut stated = std::collections::BTreeMap::<(Id, Item), Stated>::new();
        for lives in &lives {
            let now = told(lives);
            for adjustment in adjustments(&now, &stated) {
                prop_assert!(!adjustment.more.iter().any(|id| adjustment.less.contains(id)));
                let line = stated.entry((adjustment.mentor, adjustment.item)).or_default();
                line.more.extend(adjustment.more);
                line.less.extend(adjustment.less);
            }
            prop_assert_eq!(adjustments(&now, &stated), []);
            for (key, line) in &stated {
                let mut left = line.more.clone();
                for id in &line.less {
                    let at = left.iter().position(|other| other == id);
                    prop_assert!(at.is_some(), "nothing is taken that was not stated");
                    left.remove(at.unwrap_or_default());
                }
                left.sort_unstable();
                prop_assert_eq!(left, now.get(key).cloned().unwrap_or_default());
            }
        }
    }
}
