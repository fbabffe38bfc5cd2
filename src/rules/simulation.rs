//! What settings would have caused on a history: the runs of a period, one after the other, each by what was known then.
//!
//! ```text
//!   runs        0    1    2    3    4    5    6  ...      hourly, from the evaluation hour on; each on a day
//!   settings    |---------------|--------------
//!   assignment  |--------------------|---------           each fact holds from a run to another: `Held`
//!   contact     |  10 Nov  |  12 Nov |  11 Nov            (it was corrected)
//! ```
//!
//! Where nothing changes, what comes next is asked once (follow_up.rs), and the days until then are leapt over.

use std::collections::HashMap;
use std::ops::Range;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

use super::calendar::{Calendar, Span};
use super::contact::{days_between, silent_since};
use super::delivery::SkipReason;
use super::follow_up::{self, Action, MentorsReminder, Silence, Thresholds};
use super::kind::{ESCALATE, Follows, Kind, REMIND};
use super::outbox::{Due, Enqueued, is_rearmed};
use super::recipient::{Recipient, goes_to_fallback, unreachable_reason};

pub type Id = u128;

/// A mentor that nobody is: none is not the same as not known.
pub const NOBODY: Id = 0;

/// What the runs of this range knew; one that is empty held between two runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held<T> {
    pub runs: Range<usize>,
    pub value: T,
}

/// Settings and days off, as a run knew them.
#[derive(Clone, Debug)]
pub struct Rules {
    pub thresholds: Thresholds,
    pub calendar: Calendar,
    pub fallback: Option<Id>,
    /// Whether people without an address are left out.
    pub is_address_required: bool,
}

/// An assignment, as a run knew it.
#[derive(Clone, Debug)]
pub struct Facts {
    pub is_followed_up: bool,
    pub assigned_on: NaiveDate,
    pub peer_mentor: Option<Id>,
    pub mentor_since: NaiveDate,
    pub coordinator: Option<Id>,
}

/// A correction of an assignment's contact date; the one with the highest number holds.
#[derive(Clone, Copy, Debug)]
pub struct Correction {
    pub number: i32,
    pub date: Option<NaiveDate>,
}

/// Days on which an assignment was paused, or not open.
#[derive(Clone, Copy, Debug)]
pub struct Pause {
    pub span: Span,
    /// Of one that was closed, and is not open again.
    pub is_while_closed: bool,
}

/// A row of the outbox.
#[derive(Clone, Debug)]
pub struct Message {
    pub anchor: Option<DateTime<Utc>>,
    pub status: String,
    pub skip_reason: Option<String>,
    pub sent_on: Option<NaiveDate>,
    pub scheduled_on: NaiveDate,
    pub peer_mentor: Option<Id>,
    pub recipient: Option<Id>,
}

/// What a period's runs knew of an assignment.
#[derive(Clone, Debug, Default)]
pub struct Assignment {
    /// In their order.
    pub facts: Vec<Held<Facts>>,
    pub contacts: Vec<Held<NaiveDate>>,
    pub corrections: Vec<Held<Correction>>,
    pub pauses: Vec<Held<Pause>>,
    /// What the outbox held before the first run.
    pub reminder: Option<Message>,
    pub escalation: Option<Message>,
}

/// Somebody who may be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Person {
    pub is_opted_out: bool,
    pub has_address: bool,
}

/// What a person muted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Muted {
    pub reminders: bool,
    pub escalations: bool,
}

/// What an organization's runs knew, but for its assignments.
#[derive(Clone, Debug, Default)]
pub struct Period {
    /// The days of the runs, in their order.
    pub runs: Vec<NaiveDate>,
    pub rules: Vec<Held<Rules>>,
    pub people: HashMap<Id, Vec<Held<Person>>>,
    pub muted: HashMap<Id, Vec<Held<Muted>>>,
    /// Which users mentors were.
    pub mentors: HashMap<Id, Vec<Held<Id>>>,
    pub leave: HashMap<Id, Vec<Held<Span>>>,
}

/// A follow-up that a run would have enqueued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FollowUp {
    pub run: usize,
    pub kind: Kind,
    /// Whether anybody could be written to.
    pub can_be_sent: bool,
}

/// What holds at a run.
fn at<T>(held: &[Held<T>], run: usize) -> impl Iterator<Item = &T> {
    held.iter().filter(move |held| held.runs.contains(&run)).map(|held| &held.value)
}

fn of<T>(all: &HashMap<Id, Vec<Held<T>>>, id: Id) -> &[Held<T>] {
    all.get(&id).map_or(&[], Vec::as_slice)
}

/// The follow-ups that the runs of a period would have enqueued about an assignment. What a run enqueues is sent on its day, before the next run.
#[must_use]
pub fn follow_ups(period: &Period, assignment: &Assignment) -> Vec<FollowUp> {
    let mut outbox = Outbox { reminder: assignment.reminder.clone(), escalation: assignment.escalation.clone() };
    let mut found = Vec::new();
    for runs in unchanging(period, assignment) {
        outbox.follow(period, assignment, runs.start);
        if let Some(known) = Known::at(period, assignment, runs.start) {
            known.run_through(period, runs, &mut outbox, &mut found);
        }
    }
    found
}

/// Ranges of runs within which nothing changes that decides about an assignment.
fn unchanging(period: &Period, assignment: &Assignment) -> Vec<Range<usize>> {
    fn changes<T>(bounds: &mut Vec<usize>, held: &[Held<T>]) {
        bounds.extend(held.iter().flat_map(|held| [held.runs.start, held.runs.end]));
    }
    let mut bounds = vec![0, period.runs.len()];
    let people = |bounds: &mut Vec<usize>, id| {
        changes(bounds, of(&period.people, id));
        changes(bounds, of(&period.muted, id));
    };
    changes(&mut bounds, &period.rules);
    changes(&mut bounds, &assignment.facts);
    changes(&mut bounds, &assignment.contacts);
    changes(&mut bounds, &assignment.corrections);
    changes(&mut bounds, &assignment.pauses);
    let mut mentors: Vec<Id> = assignment.facts.iter().filter_map(|held| held.value.peer_mentor).collect();
    let mut coordinators: Vec<Id> = assignment.facts.iter().filter_map(|held| held.value.coordinator).collect();
    coordinators.extend(period.rules.iter().filter_map(|held| held.value.fallback));
    coordinators
        .extend([&assignment.reminder, &assignment.escalation].into_iter().flatten().filter_map(|row| row.recipient));
    for ids in [&mut mentors, &mut coordinators] {
        ids.sort_unstable();
        ids.dedup();
    }
    for mentor in mentors {
        changes(&mut bounds, of(&period.leave, mentor));
        changes(&mut bounds, of(&period.mentors, mentor));
        for user in of(&period.mentors, mentor) {
            people(&mut bounds, user.value);
        }
    }
    for user in coordinators {
        people(&mut bounds, user);
    }
    bounds.retain(|&bound| bound <= period.runs.len());
    between(bounds)
}

/// The ranges between bounds, in their order.
#[must_use]
pub fn between(mut bounds: Vec<usize>) -> Vec<Range<usize>> {
    bounds.sort_unstable();
    bounds.dedup();
    bounds.windows(2).map(|bounds| bounds[0]..bounds[1]).collect()
}

/// What a run knows of a silence.
struct Known<'a> {
    rules: &'a Rules,
    since: NaiveDate,
    stopped: Vec<Span>,
    peer_mentor: Option<Id>,
    mentor: Addressed,
    /// Whoever is told instead of the mentor.
    coordinator: Addressed,
}

/// Who would be written to, if anybody is there, and why they cannot be.
#[derive(Clone, Copy)]
struct Addressed {
    user: Option<Id>,
    unreachable: Option<&'static str>,
}

impl Addressed {
    fn at(period: &Period, kind: Kind, user: Option<Id>, run: usize) -> Self {
        let known = user.and_then(|user| Some((user, recipient(period, kind, user, run)?)));
        let unreachable = unreachable_reason(kind.addresses, known.map(|(_, recipient)| recipient));
        Self { user: known.map(|(user, _)| user), unreachable: unreachable.map(SkipReason::name) }
    }
}

impl<'a> Known<'a> {
    /// `None` where the run would not look at it.
    fn at(period: &'a Period, assignment: &Assignment, run: usize) -> Option<Self> {
        let rules = at(&period.rules, run).next()?;
        let facts = at(&assignment.facts, run).next().filter(|facts| facts.is_followed_up)?;
        let corrected = at(&assignment.corrections, run).max_by_key(|correction| correction.number);
        let contact =
            at(&assignment.contacts, run).copied().max().max(corrected.and_then(|correction| correction.date));
        let paused = at(&assignment.pauses, run).filter(|pause| !pause.is_while_closed).map(|pause| pause.span);
        let away =
            facts.peer_mentor.into_iter().flat_map(|mentor| at(of(&period.leave, mentor), run)).filter_map(|away| {
                let first = away.first.max(facts.mentor_since);
                (first <= away.last).then_some(Span { first, last: away.last })
            });
        let mentor = facts.peer_mentor.and_then(|mentor| at(of(&period.mentors, mentor), run).next().copied());
        let mut coordinator = Addressed::at(period, ESCALATE, facts.coordinator, run);
        if rules.fallback.is_some() {
            let fallback = Addressed::at(period, ESCALATE, rules.fallback, run);
            if goes_to_fallback(coordinator.unreachable, fallback.unreachable) {
                coordinator = fallback;
            }
        }
        Some(Self {
            rules,
            since: silent_since(contact, facts.assigned_on),
            stopped: paused.chain(away).collect(),
            peer_mentor: facts.peer_mentor,
            mentor: Addressed::at(period, REMIND, mentor, run),
            coordinator,
        })
    }

    fn run_through(&self, period: &Period, runs: Range<usize>, outbox: &mut Outbox, found: &mut Vec<FollowUp>) {
        let days = &period.runs[runs.clone()];
        let mut next = 0;
        while let Some(&today) = days.get(next) {
            match self.next_day(outbox, today, days[days.len() - 1]) {
                None => return,
                Some(day) if day > today => next += days[next..].partition_point(|run| *run < day),
                Some(_) => {
                    // None: the coordinator has been told already, and nobody else will be.
                    let Some(follow_up) = self.run(outbox, runs.start + next, today) else { return };
                    found.push(follow_up);
                    next += 1;
                }
            }
        }
    }

    /// The first day from `today` to `last` on which something may be enqueued. The day of contact is the first; fewer days count than pass.
    fn next_day(&self, outbox: &Outbox, today: NaiveDate, last: NaiveDate) -> Option<NaiveDate> {
        let Thresholds { reminder_after, escalate_after, .. } = self.rules.thresholds;
        let passed = days_between(self.since, last);
        let can_be_reached = |threshold: Option<follow_up::Days>| threshold.is_some_and(|days| days.number() <= passed);
        let silence = self.silence(outbox);
        let next = |kind, threshold, next: &dyn Fn() -> Option<NaiveDate>| {
            (can_be_reached(threshold) && self.is_enqueued(outbox, kind)).then(next).flatten()
        };
        let Rules { thresholds, calendar, .. } = self.rules;
        let reminder =
            next(REMIND, reminder_after, &|| follow_up::next_reminder(silence, *thresholds, calendar, today));
        let escalation =
            next(ESCALATE, escalate_after, &|| follow_up::next_escalation(silence, *thresholds, calendar, today));
        reminder.into_iter().chain(escalation).min().filter(|day| *day <= last)
    }

    /// What a run enqueues.
    fn run(&self, outbox: &mut Outbox, run: usize, today: NaiveDate) -> Option<FollowUp> {
        let action = follow_up::evaluate(self.silence(outbox), self.rules.thresholds, &self.rules.calendar, today);
        let kind = match action.evaluation.action {
            Action::None => return None,
            Action::Remind => REMIND,
            Action::Escalate => ESCALATE,
        };
        if !self.is_enqueued(outbox, kind) {
            return None;
        }
        let Addressed { user, unreachable } = self.addressed(kind);
        // Of one that has no mentor any more, the one who was reminded.
        let reminded =
            outbox.reminder.as_ref().filter(|row| row.anchor == Some(self.anchor())).and_then(|row| row.peer_mentor);
        *outbox.row_mut(kind) = Some(Message {
            anchor: Some(self.anchor()),
            status: if unreachable.is_none() { "sent" } else { "skipped" }.to_string(),
            skip_reason: unreachable.map(str::to_string),
            sent_on: unreachable.is_none().then_some(today),
            scheduled_on: today,
            peer_mentor: self.peer_mentor.or(reminded).or(Some(NOBODY)),
            recipient: user,
        });
        Some(FollowUp { run, kind, can_be_sent: unreachable.is_none() })
    }

    /// Whether a run that finds it due enqueues it: there is none yet, or it is armed again.
    fn is_enqueued(&self, outbox: &Outbox, kind: Kind) -> bool {
        let Addressed { user, unreachable } = self.addressed(kind);
        let Some(row) = outbox.row(kind) else { return true };
        let enqueued = Enqueued {
            anchor: row.anchor,
            status: &row.status,
            skip_reason: row.skip_reason.as_deref(),
            is_of_another_mentor: self.is_of_another_mentor(row),
            is_for_another: row.recipient.zip(user).is_some_and(|(before, now)| before != now),
        };
        is_rearmed(Follows::Silence, enqueued, Due { anchor: self.anchor(), skip_reason: unreachable })
    }

    fn addressed(&self, kind: Kind) -> Addressed {
        if kind == REMIND { self.mentor } else { self.coordinator }
    }

    fn silence<'b>(&'b self, outbox: &'b Outbox) -> Silence<'b> {
        let is_of_this = |row: &&Message| row.anchor == Some(self.anchor()) && !self.is_of_another_mentor(row);
        Silence {
            since: self.since,
            stopped: &self.stopped,
            is_mentor_unreachable: self.mentor.unreachable.is_some(),
            reminder: outbox.reminder.as_ref().filter(is_of_this).map(|row| MentorsReminder {
                status: &row.status,
                skip_reason: row.skip_reason.as_deref(),
                sent_at: row.sent_on,
                scheduled_for: row.scheduled_on,
            }),
        }
    }

    fn is_of_another_mentor(&self, row: &Message) -> bool {
        row.peer_mentor.zip(self.peer_mentor).is_some_and(|(before, now)| before != now)
    }

    /// As silence_anchor() says it.
    fn anchor(&self) -> DateTime<Utc> {
        self.since.and_time(NaiveTime::MIN).and_utc()
    }
}

fn recipient(period: &Period, kind: Kind, user: Id, run: usize) -> Option<Recipient> {
    let person = at(of(&period.people, user), run).next()?;
    let needs_none = at(&period.rules, run).next().is_some_and(|rules| !rules.is_address_required);
    let is_muted = at(of(&period.muted, user), run)
        .next()
        .is_some_and(|muted| if kind == REMIND { muted.reminders } else { muted.escalations });
    Some(Recipient { is_opted_out: person.is_opted_out, has_address: person.has_address || needs_none, is_muted })
}

/// What the outbox holds of an assignment.
struct Outbox {
    reminder: Option<Message>,
    escalation: Option<Message>,
}

impl Outbox {
    fn row(&self, kind: Kind) -> Option<&Message> {
        if kind == REMIND { self.reminder.as_ref() } else { self.escalation.as_ref() }
    }

    fn row_mut(&mut self, kind: Kind) -> &mut Option<Message> {
        if kind == REMIND { &mut self.reminder } else { &mut self.escalation }
    }

    /// What was sent to a mentor who is the same person as another was sent to the other; and what went to somebody who is not there any more went
    /// with them.
    fn follow(&mut self, period: &Period, assignment: &Assignment, run: usize) {
        for (before, after) in merged(period, assignment, run) {
            let user_of =
                |mentor| of(&period.mentors, mentor).iter().find(|user| user.runs.end >= run).map(|user| user.value);
            for row in [&mut self.reminder, &mut self.escalation].into_iter().flatten() {
                if row.peer_mentor == Some(before) {
                    row.peer_mentor = Some(after);
                }
                if row.recipient.is_some() && row.recipient == user_of(before) {
                    row.recipient = user_of(after);
                }
            }
        }
        let is_gone = |user: Id| at(of(&period.people, user), run).next().is_none();
        for row in [&mut self.reminder, &mut self.escalation] {
            row.take_if(|row| row.recipient.is_some_and(is_gone));
        }
    }
}

/// Which mentors were made one before a run, two by two: the assignment is another's since, but not since another day, and the record of the one is gone.
fn merged(period: &Period, assignment: &Assignment, run: usize) -> impl Iterator<Item = (Id, Id)> {
    let changes =
        assignment.facts.windows(2).filter(move |facts| facts[0].runs.end == run && facts[1].runs.start == run);
    changes.filter_map(move |facts| {
        let (before, after) = (&facts[0].value, &facts[1].value);
        let (from, into) = before.peer_mentor.zip(after.peer_mentor)?;
        let is_gone = of(&period.mentors, from).iter().any(|user| user.runs.end == run);
        (from != into && before.mentor_since == after.mentor_since && is_gone).then_some((from, into))
    })
}

#[cfg(test)]
mod tests {
    use chrono::Duration;
    use proptest::prelude::*;

    use super::super::calendar::DaysOfWeek;
    use super::super::follow_up::Days;
    use super::*;

    const MENTOR: Id = 1;
    const OTHER_MENTOR: Id = 2;
    const COORDINATOR: Id = 11;
    const FALLBACK: Id = 12;

    fn on(day: i64) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 3, 1).expect("a test's own date") + Duration::days(day)
    }

    fn always<T>(value: T) -> Vec<Held<T>> {
        vec![Held { runs: 0..usize::MAX, value }]
    }

    fn days(number: i32) -> Option<Days> {
        Days::try_from(number).ok()
    }

    /// Three runs a day.
    fn period(number_of_days: i64) -> Period {
        let reachable = always(Person { is_opted_out: false, has_address: true });
        let thresholds =
            Thresholds { reminder_after: days(14), escalate_after: days(28), escalation_grace: Days::default() };
        Period {
            runs: (0..number_of_days).flat_map(|day| [on(day); 3]).collect(),
            rules: always(Rules {
                thresholds,
                calendar: Calendar::default(),
                fallback: None,
                is_address_required: true,
            }),
            people: [MENTOR + 100, OTHER_MENTOR + 100, COORDINATOR, FALLBACK].map(|id| (id, reachable.clone())).into(),
            mentors: [MENTOR, OTHER_MENTOR].map(|id| (id, always(id + 100))).into(),
            ..Period::default()
        }
    }

    fn facts(peer_mentor: Option<Id>) -> Facts {
        Facts {
            is_followed_up: true,
            assigned_on: on(0),
            peer_mentor,
            mentor_since: on(0),
            coordinator: Some(COORDINATOR),
        }
    }

    fn assignment() -> Assignment {
        Assignment { facts: always(facts(Some(MENTOR))), ..Assignment::default() }
    }

    /// The days on which something was enqueued, by the name of its kind.
    fn found(period: &Period, assignment: &Assignment) -> Vec<(&'static str, i64)> {
        let day = |run: usize| (period.runs[run] - on(0)).num_days();
        follow_ups(period, assignment).iter().map(|found| (found.kind.name, day(found.run))).collect()
    }

    #[test]
    fn a_silence_is_followed_up_as_runs_would_and_then_no_more() {
        assert_eq!(found(&period(100), &assignment()), [("remind", 14), ("escalate", 28)]);
        assert_eq!(found(&period(20), &assignment()), [("remind", 14)]);
    }

    #[test]
    fn a_contact_that_a_run_knew_begins_a_new_silence_from_then_on() {
        // It was on day 10, and was entered on day 20.
        let contacts = vec![Held { runs: 60..usize::MAX, value: on(10) }];
        let entered_late = Assignment { contacts, ..assignment() };
        assert_eq!(found(&period(50), &entered_late), [("remind", 14), ("remind", 24), ("escalate", 38)]);
    }

    #[test]
    fn a_new_mentor_is_reminded_and_one_who_is_the_same_person_is_not() {
        let since = |mentor_since| {
            let after = Facts { mentor_since, ..facts(Some(OTHER_MENTOR)) };
            let before = Held { runs: 0..60, value: facts(Some(MENTOR)) };
            Assignment { facts: vec![before, Held { runs: 60..usize::MAX, value: after }], ..assignment() }
        };
        let mut merged = period(25);
        merged.mentors.insert(MENTOR, vec![Held { runs: 0..60, value: MENTOR + 100 }]);
        let twice = [("remind", 14), ("remind", 20)];
        assert_eq!(found(&merged, &since(on(0))), [("remind", 14)]);
        assert_eq!(found(&merged, &since(on(20))), twice, "handed over before the record was deleted");
        assert_eq!(found(&period(25), &since(on(0))), twice, "both are there");
        // And was nobody's for a while, both before the next run.
        let mut nobodys = since(on(0));
        nobodys.facts[1].runs = 60..60;
        nobodys.facts.push(Held { runs: 60..66, value: Facts { mentor_since: on(20), ..facts(None) } });
        nobodys
            .facts
            .push(Held { runs: 66..usize::MAX, value: Facts { mentor_since: on(22), ..facts(Some(OTHER_MENTOR)) } });
        assert_eq!(found(&merged, &nobodys), [("remind", 14)]);
    }

    #[test]
    fn where_nobody_can_be_written_to_it_is_found_and_said_so() {
        let nobody = Assignment { facts: always(facts(None)), ..assignment() };
        let all = follow_ups(&period(100), &nobody);
        assert_eq!(
            all.iter().map(|found| (found.kind, found.can_be_sent)).collect::<Vec<_>>(),
            [(REMIND, false), (ESCALATE, true)]
        );
    }

    #[test]
    fn what_the_outbox_held_before_counts() {
        let sent = Message {
            anchor: Some(on(0).and_time(NaiveTime::MIN).and_utc()),
            status: "sent".to_string(),
            skip_reason: None,
            sent_on: Some(on(-1)),
            scheduled_on: on(-1),
            peer_mentor: Some(MENTOR),
            recipient: None,
        };
        let reminded = Assignment { reminder: Some(Message { sent_on: Some(on(5)), ..sent.clone() }), ..assignment() };
        assert_eq!(found(&period(100), &reminded), [("escalate", 28)]);
        let both = Assignment { escalation: Some(sent), ..reminded };
        assert_eq!(found(&period(100), &both), []);
    }

    /// Run by run, as they would come.
    fn run_by_run(period: &Period, assignment: &Assignment) -> Vec<FollowUp> {
        let mut outbox = Outbox { reminder: assignment.reminder.clone(), escalation: assignment.escalation.clone() };
        let runs = period.runs.iter().enumerate();
        runs.filter_map(|(run, day)| {
            outbox.follow(period, assignment, run);
            Known::at(period, assignment, run)?.run(&mut outbox, run, *day)
        })
        .collect()
    }

    const RUNS: usize = 180;

    fn held<T: std::fmt::Debug>(value: impl Strategy<Value = T>, most: usize) -> impl Strategy<Value = Vec<Held<T>>> {
        let held =
            (0..RUNS, 0..RUNS, value).prop_map(|(from, length, value)| Held { runs: from..from + length, value });
        proptest::collection::vec(held, 0..=most)
    }

    /// One after the other, without a gap.
    fn versions<T: std::fmt::Debug>(
        value: impl Strategy<Value = T>,
        most: usize,
    ) -> impl Strategy<Value = Vec<Held<T>>> {
        (proptest::collection::vec((1..RUNS, value), 1..=most), 0..3usize).prop_map(|(values, from)| {
            let mut from = from;
            let mut all: Vec<_> = values
                .into_iter()
                .map(|(length, value)| {
                    let runs = from..from + length;
                    from = runs.end;
                    Held { runs, value }
                })
                .collect();
            if let Some(last) = all.last_mut() {
                last.runs.end = usize::MAX;
            }
            all
        })
    }

    fn span() -> impl Strategy<Value = Span> {
        (-20..60i64, 0..20i64).prop_map(|(first, length)| Span { first: on(first), last: on(first + length) })
    }

    fn rules() -> impl Strategy<Value = Rules> {
        let threshold = || proptest::option::of(0..20i32);
        (
            threshold(),
            threshold(),
            0..5i32,
            proptest::collection::vec(1..=7i32, 0..3),
            proptest::collection::vec(span(), 0..3),
            proptest::option::of(-10..20i64),
            any::<[bool; 2]>(),
        )
            .prop_map(|(remind, escalate, grace, weekly, off, from, [has_fallback, is_address_required])| {
                Rules {
                    thresholds: Thresholds {
                        reminder_after: remind.and_then(days),
                        escalate_after: escalate.and_then(days),
                        escalation_grace: days(grace).unwrap_or_default(),
                    },
                    calendar: Calendar { weekly: DaysOfWeek::of(&weekly).expect("weekdays"), off, from: from.map(on) },
                    fallback: has_fallback.then_some(FALLBACK),
                    is_address_required,
                }
            })
    }

    fn some_facts() -> impl Strategy<Value = Facts> {
        let mentor = prop_oneof![Just(None), Just(Some(MENTOR)), Just(Some(OTHER_MENTOR))];
        (proptest::bool::weighted(0.9), -20..10i64, mentor, -20..60i64, any::<bool>()).prop_map(
            |(is_followed_up, assigned, peer_mentor, since, has_coordinator)| Facts {
                is_followed_up,
                assigned_on: on(assigned),
                peer_mentor,
                mentor_since: on(since),
                coordinator: has_coordinator.then_some(COORDINATOR),
            },
        )
    }

    prop_compose! {
        fn some_assignment()(
            facts in versions(some_facts(), 4),
            contacts in held((-20..60i64).prop_map(on), 4),
            corrections in held((0..9i32, proptest::option::of(-20..60i64)).prop_map(|(number, day)| Correction { number, date: day.map(on) }), 2),
            pauses in held((span(), any::<bool>()).prop_map(|(span, is_while_closed)| Pause { span, is_while_closed }), 2),
        ) -> Assignment {
            Assignment { facts, contacts, corrections, pauses, ..Assignment::default() }
        }
    }

    prop_compose! {
        fn some_period()(
            rules in versions(rules(), 4),
            people in proptest::collection::vec(
                held((any::<bool>(), any::<bool>()).prop_map(|(is_opted_out, has_address)| Person { is_opted_out, has_address }), 3), 4),
            muted in held((any::<bool>(), any::<bool>()).prop_map(|(reminders, escalations)| Muted { reminders, escalations }), 1),
            leave in held(span(), 2),
        ) -> Period {
            let ids = [MENTOR + 100, OTHER_MENTOR + 100, COORDINATOR, FALLBACK];
            Period {
                rules,
                people: ids.into_iter().zip(people).collect(),
                muted: [(MENTOR + 100, muted)].into(),
                leave: [(MENTOR, leave)].into(),
                ..period(60)
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn leaping_over_the_days_on_which_nothing_comes_leaves_out_nothing(
            period in some_period(), assignment in some_assignment(),
        ) {
            prop_assert_eq!(follow_ups(&period, &assignment), run_by_run(&period, &assignment));
        }
    }
}
