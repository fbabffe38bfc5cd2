//! The outlook of an assignment that is followed up: how far its silence has got, what comes next and when, if nothing changes; and whether
//! anybody will ever hear of it. Every such assignment is in exactly one state; one that has no next day, or nobody to write to, is forgotten.
//!
//! ```text
//!   silent --> reminder_waits --> reminded --> escalation_waits --> escalated
//! ```

use chrono::NaiveDate;

use super::calendar::Calendar;
use super::follow_up::{Action, MentorsReminder, Silence, Thresholds, next_escalation, next_reminder};
use super::recipient::is_unreachable;

/// How far a silence has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nobody was reminded of it.
    Silent,
    /// The mentor's reminder waits to be sent.
    ReminderWaits,
    /// The mentor was reminded, or could not be.
    Reminded,
    /// The message to the coordinator waits to be sent.
    EscalationWaits,
    /// The coordinator was told, or could not be.
    Escalated,
}

/// Why nobody will ever hear of a silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgotten {
    /// Neither the mentor nor the coordinator nor the fallback can be written to.
    NoRecipient,
    /// The message to the coordinator was given up, and there is nobody else.
    EscalationFailed,
    /// It was sent, and came back.
    EscalationReturned,
    /// The organization's follow-ups are held as a backlog.
    Held,
    /// The organization has no settings.
    NoSettings,
    /// No day reaches the threshold.
    NeverDue,
    /// Somebody paused it until further notice.
    PausedForGood,
    /// The organization reminds no mentors.
    RemindersOff,
    /// The organization tells no coordinators.
    EscalationsOff,
}

/// The message to the coordinator about this silence and whoever is mentor now, as it stands in the outbox.
#[derive(Clone, Copy, Debug)]
pub struct Escalation<'a> {
    pub status: &'a str,
    pub skip_reason: Option<&'a str>,
    /// Whether it was sent and never arrived.
    pub has_come_back: bool,
    /// Whether it went to somebody else than it would go to now.
    pub is_for_another: bool,
}

/// Everything that decides what comes next.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub silence: Silence<'a>,
    pub thresholds: Thresholds,
    pub calendar: &'a Calendar,
    pub as_of: NaiveDate,
    /// Why the mentor cannot be written to.
    pub mentor_unreachable: Option<&'a str>,
    /// Why whoever is told instead (the coordinator, or the fallback) cannot be.
    pub coordinator_unreachable: Option<&'a str>,
    pub escalation: Option<Escalation<'a>>,
    pub is_held: bool,
    /// Whether the organization has its row of settings: runs evaluate none without.
    pub has_settings: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outlook {
    pub state: State,
    /// The next message that somebody can get, and the day on which it is enqueued or, if it waits already, sent.
    pub next: Option<(Action, NaiveDate)>,
    pub forgotten: Option<Forgotten>,
}

/// What comes next, if nothing changes.
#[must_use]
pub fn outlook(facts: &Facts) -> Outlook {
    // Where no coordinator is to be told, none is missing.
    let is_off = facts.thresholds.escalate_after.is_none();
    let unless_off = |why| if is_off { Forgotten::EscalationsOff } else { why };
    let nobody_to_tell = facts.coordinator_unreachable.map(|_| unless_off(Forgotten::NoRecipient));
    let escalated = |forgotten| Outlook { state: State::Escalated, next: None, forgotten };
    if let Some(escalation) = facts.escalation {
        match escalation.status {
            "pending" => {
                let next = Some((Action::Escalate, facts.as_of));
                return Outlook { state: State::EscalationWaits, next, forgotten: nobody_to_tell };
            }
            "sent" => {
                let forgotten = escalation.has_come_back.then_some(unless_off(Forgotten::EscalationReturned));
                return Outlook { next: next_reminder_of_a_told_silence(facts), ..escalated(forgotten) };
            }
            "failed" if !escalation.is_for_another || nobody_to_tell.is_some() => {
                return escalated(Some(unless_off(Forgotten::EscalationFailed)));
            }
            "skipped" if nobody_to_tell.is_some() && escalation.skip_reason.is_some_and(is_unreachable) => {
                return escalated(nobody_to_tell);
            }
            // It is enqueued once more.
            _ => {}
        }
    }
    let reminder = facts.silence.reminder.map(|reminder| (reminder.status, reminder.skip_reason));
    if let Some(("pending", _)) = reminder {
        let next = Some((Action::Remind, facts.as_of));
        return Outlook { state: State::ReminderWaits, next, forgotten: None };
    }
    let was_tried = match reminder {
        Some(("sent" | "failed", _)) => true,
        Some(("skipped", Some(reason))) => is_unreachable(reason) && facts.mentor_unreachable.is_some(),
        _ => false,
    };
    let next = next(facts, was_tried);
    let forgotten = match next {
        None => Some(why_never(facts, was_tried)),
        Some((_, day)) if facts.is_held && day == facts.as_of => Some(Forgotten::Held),
        Some((Action::Escalate, _)) => nobody_to_tell,
        Some(_) => None,
    };
    Outlook { state: if was_tried { State::Reminded } else { State::Silent }, next, forgotten }
}

/// Whether somebody will hear of every silence of an organization that began by `as_of`, whose mentor and coordinator can be written to, which nothing
/// stops and which was not escalated: it comes to a reminder and, once that was sent or given up, to an escalation.
#[must_use]
pub fn every_silence_is_heard(thresholds: Thresholds, calendar: &Calendar, as_of: NaiveDate) -> bool {
    let silence = Silence { since: as_of, stopped: &[], is_mentor_unreachable: false, reminder: None };
    let sent = MentorsReminder { status: "sent", skip_reason: None, sent_at: Some(as_of), scheduled_for: as_of };
    let reminded = Silence { reminder: Some(sent), ..silence };
    next_reminder(silence, thresholds, calendar, as_of).is_some()
        && next_escalation(reminded, thresholds, calendar, as_of).is_some()
}

/// Escalation wins over reminding, and a mentor who cannot be reached is not reminded.
fn next(facts: &Facts, was_tried: bool) -> Option<(Action, NaiveDate)> {
    let Facts { silence, thresholds, calendar, as_of, .. } = *facts;
    let is_reminded = !was_tried && facts.mentor_unreachable.is_none();
    let remind = next_reminder(silence, thresholds, calendar, as_of).filter(|_| is_reminded);
    let escalate = next_escalation(silence, thresholds, calendar, as_of);
    match (remind, escalate) {
        (Some(remind), Some(escalate)) if remind < escalate => Some((Action::Remind, remind)),
        (_, Some(escalate)) => Some((Action::Escalate, escalate)),
        (remind, None) => remind.map(|day| (Action::Remind, day)),
    }
}

/// A mentor who could not be reached until the coordinator was told is reminded when they can be.
fn next_reminder_of_a_told_silence(facts: &Facts) -> Option<(Action, NaiveDate)> {
    let Facts { silence, thresholds, calendar, as_of, .. } = *facts;
    let day = match silence.reminder {
        Some(MentorsReminder { status: "pending", .. }) => Some(as_of),
        None if facts.mentor_unreachable.is_none() => next_reminder(silence, thresholds, calendar, as_of),
        _ => None,
    };
    day.map(|day| (Action::Remind, day))
}

fn why_never(facts: &Facts, was_tried: bool) -> Forgotten {
    let is_stopped_for_good = facts.calendar.first_day_on(facts.as_of, &[]).is_some()
        && facts.calendar.first_day_on(facts.as_of, facts.silence.stopped).is_none();
    if is_stopped_for_good {
        Forgotten::PausedForGood
    } else if !facts.has_settings {
        Forgotten::NoSettings
    } else if facts.thresholds.reminder_after.is_none() && !was_tried {
        Forgotten::RemindersOff
    } else if facts.thresholds.escalate_after.is_none() && (was_tried || facts.mentor_unreachable.is_some()) {
        Forgotten::EscalationsOff
    } else {
        Forgotten::NeverDue
    }
}

impl State {
    /// The name that SQL shows.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::ReminderWaits => "reminder_waits",
            Self::Reminded => "reminded",
            Self::EscalationWaits => "escalation_waits",
            Self::Escalated => "escalated",
        }
    }
}

impl Forgotten {
    /// The name that SQL shows.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoRecipient => "no_recipient",
            Self::EscalationFailed => "escalation_failed",
            Self::EscalationReturned => "escalation_returned",
            Self::Held => "held",
            Self::NoSettings => "no_settings",
            Self::NeverDue => "never_due",
            Self::PausedForGood => "paused_for_good",
            Self::RemindersOff => "reminders_off",
            Self::EscalationsOff => "escalations_off",
        }
    }

    /// Whether somebody decided that nobody is to hear of it.
    #[must_use]
    pub const fn is_decided(self) -> bool {
        matches!(self, Self::PausedForGood | Self::RemindersOff | Self::EscalationsOff)
    }
}

#[cfg(test)]
mod tests {
    use chrono::{Datelike, TimeDelta};
    use proptest::prelude::*;

    use super::super::calendar::{DaysOfWeek, Span};
    use super::super::follow_up::{Days, evaluate};
    use super::*;

    /// A Sunday.
    const TODAY: NaiveDate = match NaiveDate::from_ymd_opt(2026, 11, 22) {
        Some(date) => date,
        None => unreachable!(),
    };

    fn on(days: i64) -> NaiveDate {
        TODAY + TimeDelta::days(days)
    }

    fn threshold(days: i32) -> Option<Days> {
        Days::try_from(days).ok()
    }

    fn reminder(
        status: &'static str,
        skip_reason: Option<&'static str>,
        day: i64,
    ) -> MentorsReminder<'static, NaiveDate> {
        let sent_at = (status == "sent").then(|| on(day));
        MentorsReminder { status, skip_reason, sent_at, scheduled_for: on(day) }
    }

    fn escalation(status: &'static str, skip_reason: Option<&'static str>) -> Escalation<'static> {
        Escalation { status, skip_reason, has_come_back: false, is_for_another: false }
    }

    /// Silent for ten days, of 14 and 28, with everybody there.
    fn facts(calendar: &Calendar) -> Facts<'_> {
        let grace = threshold(3).unwrap_or_default();
        Facts {
            silence: Silence { since: on(-10), stopped: &[], is_mentor_unreachable: false, reminder: None },
            thresholds: Thresholds {
                reminder_after: threshold(14),
                escalate_after: threshold(28),
                escalation_grace: grace,
            },
            calendar,
            as_of: TODAY,
            mentor_unreachable: None,
            coordinator_unreachable: None,
            escalation: None,
            is_held: false,
            has_settings: true,
        }
    }

    fn reminded<'a>(facts: Facts<'a>, reminder: MentorsReminder<'a, NaiveDate>) -> Facts<'a> {
        Facts { silence: Silence { reminder: Some(reminder), ..facts.silence }, ..facts }
    }

    fn without_mentor(facts: Facts<'_>) -> Facts<'_> {
        let silence = Silence { is_mentor_unreachable: true, ..facts.silence };
        Facts { silence, mentor_unreachable: Some("no_mentor"), ..facts }
    }

    #[test]
    fn a_silence_goes_from_state_to_state_and_each_has_a_next_day() {
        let calendar = Calendar::default();
        let base = facts(&calendar);
        let stands = |facts: Facts| {
            let Outlook { state, next, forgotten } = outlook(&facts);
            assert_eq!(forgotten, None, "{state:?}");
            (state, next)
        };
        assert_eq!(stands(base), (State::Silent, Some((Action::Remind, on(4)))));
        let waits = reminded(base, reminder("pending", None, 0));
        assert_eq!(stands(waits), (State::ReminderWaits, Some((Action::Remind, on(0)))));
        for (status, reason) in [("sent", None), ("failed", None)] {
            let told = reminded(base, reminder(status, reason, 0));
            assert_eq!(stands(told), (State::Reminded, Some((Action::Escalate, on(18)))), "{status}");
        }
        let skipped = reminded(base, reminder("skipped", Some("contacted"), 0));
        assert_eq!(stands(skipped), (State::Silent, Some((Action::Remind, on(4)))), "it is enqueued anew");
        let escalated = |status, reason| Facts { escalation: Some(escalation(status, reason)), ..base };
        let pending = escalated("pending", None);
        assert_eq!(stands(pending), (State::EscalationWaits, Some((Action::Escalate, on(0)))));
        let told = reminded(escalated("sent", None), reminder("sent", None, 0));
        assert_eq!(stands(told), (State::Escalated, None), "the coordinator knows");
        let can_be_again = escalated("sent", None);
        assert_eq!(stands(can_be_again), (State::Escalated, Some((Action::Remind, on(4)))), "and the mentor does not");
        assert_eq!(stands(without_mentor(can_be_again)), (State::Escalated, None), "nor can they");
        let waits = reminded(can_be_again, reminder("pending", None, 0));
        assert_eq!(stands(waits), (State::Escalated, Some((Action::Remind, on(0)))));
    }

    #[test]
    fn where_both_are_due_on_one_day_the_escalation_is_next() {
        let calendar = Calendar::default();
        let base = facts(&calendar);
        // The mentor could not be reminded, and could be now; a run tells the coordinator.
        let given_up = reminder("skipped", Some("no_mentor"), -20);
        let silence = Silence { since: on(-40), reminder: Some(given_up), ..base.silence };
        assert_eq!(outlook(&Facts { silence, ..base }).next, Some((Action::Escalate, TODAY)));
        assert_eq!(evaluate(silence, base.thresholds, &calendar, TODAY).evaluation.action, Action::Escalate);
    }

    #[test]
    fn who_cannot_be_written_to_is_passed_over_and_where_nobody_can_it_is_forgotten() {
        let calendar = Calendar::default();
        let base = facts(&calendar);
        let orphan = without_mentor(base);
        assert_eq!(outlook(&orphan).next, Some((Action::Escalate, on(18))));
        assert_eq!(outlook(&orphan).forgotten, None);
        let unheard = |facts| Facts { coordinator_unreachable: Some("no_coordinator"), ..facts };
        assert_eq!(outlook(&unheard(base)).forgotten, None, "the mentor comes first");
        for facts in [
            orphan,
            reminded(base, reminder("sent", None, 0)),
            reminded(orphan, reminder("skipped", Some("no_mentor"), 0)),
            Facts { escalation: Some(escalation("pending", None)), ..base },
            Facts { escalation: Some(escalation("skipped", Some("opted_out"))), ..base },
        ] {
            assert_eq!(outlook(&unheard(facts)).forgotten, Some(Forgotten::NoRecipient), "{facts:?}");
            assert_eq!(outlook(&facts).forgotten, None, "{facts:?}");
        }
    }

    #[test]
    fn an_escalation_that_never_arrived_is_forgotten_unless_another_gets_it() {
        let calendar = Calendar::default();
        let base = reminded(facts(&calendar), reminder("sent", None, -5));
        let of = |escalation| outlook(&Facts { escalation: Some(escalation), ..base }).forgotten;
        let failed = escalation("failed", None);
        assert_eq!(of(failed), Some(Forgotten::EscalationFailed));
        assert_eq!(of(Escalation { is_for_another: true, ..failed }), None);
        let returned = Escalation { has_come_back: true, ..escalation("sent", None) };
        assert_eq!(of(returned), Some(Forgotten::EscalationReturned));
    }

    #[test]
    fn what_was_switched_off_paused_for_good_or_held_says_so() {
        let calendar = Calendar::default();
        let base = facts(&calendar);
        let of = |facts: Facts| outlook(&facts).forgotten;
        let off = |reminder_after, escalate_after| {
            let thresholds = Thresholds { reminder_after, escalate_after, ..base.thresholds };
            Facts { thresholds, ..base }
        };
        assert_eq!(of(off(None, threshold(28))), Some(Forgotten::RemindersOff));
        assert_eq!(of(Facts { has_settings: false, ..off(None, None) }), Some(Forgotten::NoSettings));
        assert_eq!(of(off(threshold(14), None)), None, "not yet");
        let told = reminder("sent", None, 0);
        assert_eq!(of(reminded(off(threshold(14), None), told)), Some(Forgotten::EscalationsOff));
        assert_eq!(of(without_mentor(off(threshold(14), None))), Some(Forgotten::EscalationsOff));
        assert_eq!(of(reminded(off(None, threshold(28)), told)), None, "one who was reminded nevertheless");
        let unheard = Some(escalation("skipped", Some("no_coordinator")));
        let unheard =
            Facts { escalation: unheard, coordinator_unreachable: Some("no_coordinator"), ..off(threshold(14), None) };
        assert_eq!(of(unheard), Some(Forgotten::EscalationsOff), "where nobody is to be told, nobody is missing");
        let stopped = [Span { first: on(-3), last: NaiveDate::MAX }];
        let paused = Facts { silence: Silence { stopped: &stopped, ..base.silence }, ..base };
        assert_eq!(of(paused), Some(Forgotten::PausedForGood));
        let never = Calendar { weekly: DaysOfWeek::of(&[1, 2, 3, 4, 5, 6, 7]).expect("a week"), ..Calendar::default() };
        assert_eq!(of(Facts { calendar: &never, ..base }), Some(Forgotten::NeverDue));
        let due = Facts { silence: Silence { since: on(-14), ..base.silence }, is_held: true, ..base };
        assert_eq!(of(due), Some(Forgotten::Held));
        assert_eq!(of(Facts { is_held: true, ..base }), None, "it is not due yet");
        assert!(Forgotten::PausedForGood.is_decided() && !Forgotten::Held.is_decided());
    }

    proptest! {
        /// Day by day, what a run would do: the next day is the first on which it does something.
        #[test]
        fn the_next_day_is_the_first_on_which_a_run_would_act(
            weekdays in proptest::collection::vec(1..=7i32, 0..3),
            off in proptest::collection::vec((-60..60i64, 0..20i64), 0..4),
            stopped in proptest::collection::vec((-60..60i64, 0..30i64), 0..3),
            from in proptest::option::of(-30..30i64),
            since in -60..5i64,
            thresholds in (proptest::option::of(0..40i32), proptest::option::of(0..40i32), 0..6i32),
            is_unreachable in any::<bool>(),
            sent in proptest::option::of(-60..1i64),
        ) {
            let span = |(first, length): (i64, i64)| Span { first: on(first), last: on(first + length) };
            let calendar = Calendar {
                weekly: DaysOfWeek::of(&weekdays).expect("weekdays"),
                off: off.into_iter().map(span).collect(),
                from: from.map(on),
            };
            let stopped: Vec<Span> = stopped.into_iter().map(span).collect();
            let (remind, escalate, grace) = thresholds;
            let thresholds = Thresholds {
                reminder_after: remind.and_then(threshold),
                escalate_after: escalate.and_then(threshold),
                escalation_grace: threshold(grace).unwrap_or_default(),
            };
            let sent = sent.filter(|day| *day >= since).map(|day| reminder("sent", None, day));
            let silence = Silence { since: on(since), stopped: &stopped, is_mentor_unreachable: is_unreachable, reminder: sent };
            let mentor_unreachable = is_unreachable.then_some("no_mentor");
            let facts = Facts { silence, thresholds, mentor_unreachable, ..facts(&calendar) };
            let acts = |day: NaiveDate| {
                let action = evaluate(silence, thresholds, &calendar, day).evaluation.action;
                let is_done = action == Action::Remind && (sent.is_some() || is_unreachable);
                (action != Action::None && !is_done).then_some((action, day))
            };
            let expected = TODAY.iter_days().take_while(|day| day.year() < 2030).find_map(acts);
            prop_assert_eq!(outlook(&facts).next, expected);
            if every_silence_is_heard(thresholds, &calendar, TODAY) {
                let of = |status, skip_reason, day| Some(reminder(status, skip_reason, day));
                let given_up = sent.map(|sent| MentorsReminder { status: "failed", sent_at: None, ..sent });
                for reminder in [None, sent, given_up, of("pending", None, 0), of("skipped", Some("no_mentor"), 0)] {
                    let plain = Silence { stopped: &[], is_mentor_unreachable: false, reminder, ..silence };
                    let found = outlook(&Facts { silence: plain, mentor_unreachable: None, ..facts });
                    prop_assert_eq!(found.forgotten, None, "{:?}", reminder);
                }
            }
        }
    }
}
