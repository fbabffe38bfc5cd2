//! The outbox: one row per assignment (or person) and type. Whether a row that is there is re-armed for what is due now.

use chrono::{DateTime, Utc};

use super::due::is_same_due_date;
use super::kind::Follows;

/// A row as it stands in the outbox.
#[derive(Clone, Copy, Debug)]
pub struct Enqueued<'a> {
    pub anchor: Option<DateTime<Utc>>,
    pub status: &'a str,
    pub skip_reason: Option<&'a str>,
    /// Whether it was about an assignment that had another mentor than it has now.
    pub is_of_another_mentor: bool,
    /// Whether it went to somebody else, or (of a due date) to another address, than it would go to now.
    pub is_for_another: bool,
}

/// What is due now.
#[derive(Clone, Copy, Debug)]
pub struct Due<'a> {
    pub anchor: DateTime<Utc>,
    /// Why it could not be sent, if so.
    pub skip_reason: Option<&'a str>,
}

/// Whether the row becomes pending again, with all its attempts: its anchor moved or, of a follow-up, the mentor is another, or what
/// it was skipped for no longer holds, or it failed for one and there is another who can be told, or (of a due date) another address. A row without an anchor was inserted by hand: only a follow-up takes it over.
#[must_use]
pub fn is_rearmed(follows: Follows, row: Enqueued, due: Due) -> bool {
    let was_skipped = row.status == "skipped";
    match (follows, row.anchor) {
        (Follows::Silence, anchor) => {
            anchor != Some(due.anchor)
                || row.is_of_another_mentor
                || (was_skipped && row.skip_reason != due.skip_reason)
                || (row.status == "failed" && row.is_for_another && due.skip_reason.is_none())
        }
        (_, None) => false,
        // One closer to the due date was sent in its place, or it was too late: neither comes back.
        (Follows::DueDate, Some(anchor)) => {
            !is_same_due_date(anchor, due.anchor)
                || (was_skipped && !matches!(row.skip_reason, Some("superseded" | "past_due")))
                || (row.status == "failed" && row.is_for_another)
        }
        // Days only go forward.
        (Follows::Day, Some(anchor)) => anchor < due.anchor,
        (Follows::Occurrence, Some(anchor)) => anchor != due.anchor,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    const NOW: DateTime<Utc> = match DateTime::from_timestamp(1_795_305_600, 0) {
        Some(now) => now,
        None => unreachable!(),
    };
    const DUE: Due = Due { anchor: NOW, skip_reason: None };

    fn row(days: i64, status: &'static str, skip_reason: Option<&'static str>) -> Enqueued<'static> {
        Enqueued {
            anchor: Some(NOW + TimeDelta::days(days)),
            status,
            skip_reason,
            is_of_another_mentor: false,
            is_for_another: false,
        }
    }

    #[test]
    fn while_the_anchor_stands_still_nothing_is_armed_again() {
        for follows in [Follows::Silence, Follows::DueDate, Follows::Day, Follows::Occurrence] {
            for status in ["pending", "sent", "failed"] {
                assert!(!is_rearmed(follows, row(0, status, None), DUE), "{follows:?} {status}");
            }
        }
    }

    #[test]
    fn an_anchor_that_moved_arms_again_whatever_became_of_the_row() {
        for status in ["pending", "sent", "failed", "skipped"] {
            for (follows, days) in [
                (Follows::Silence, 1),
                (Follows::Silence, -1),
                (Follows::DueDate, 1),
                (Follows::Day, -1),
                (Follows::Occurrence, -1),
            ] {
                assert!(is_rearmed(follows, row(days, status, Some("past_due")), DUE), "{follows:?} {status}");
            }
            assert!(!is_rearmed(Follows::Day, row(1, status, None), DUE), "a day does not come back");
        }
    }

    #[test]
    fn a_due_date_that_moves_by_seconds_arms_nothing_again() {
        let moved = |seconds| Due { anchor: NOW + TimeDelta::seconds(seconds), ..DUE };
        assert!(!is_rearmed(Follows::DueDate, row(0, "sent", None), moved(59)));
        assert!(is_rearmed(Follows::DueDate, row(0, "sent", None), moved(60)));
    }

    #[test]
    fn a_follow_up_is_armed_again_for_another_mentor_and_nothing_else_is() {
        for status in ["pending", "sent", "failed", "skipped"] {
            let of_another = Enqueued { is_of_another_mentor: true, ..row(0, status, Some("past_due")) };
            assert!(is_rearmed(Follows::Silence, of_another, DUE), "{status}");
            for follows in [Follows::DueDate, Follows::Day, Follows::Occurrence] {
                assert!(!is_rearmed(follows, of_another, DUE), "{follows:?} {status}");
            }
        }
    }

    #[test]
    fn what_was_skipped_is_armed_again_when_its_reason_no_longer_holds() {
        assert!(is_rearmed(Follows::Silence, row(0, "skipped", Some("no_mentor")), DUE));
        let still = Due { skip_reason: Some("no_mentor"), ..DUE };
        assert!(!is_rearmed(Follows::Silence, row(0, "skipped", Some("no_mentor")), still));
        assert!(is_rearmed(Follows::DueDate, row(0, "skipped", Some("not_open")), DUE));
        for for_good in ["superseded", "past_due"] {
            assert!(!is_rearmed(Follows::DueDate, row(0, "skipped", Some(for_good)), DUE));
        }
        assert!(!is_rearmed(Follows::Day, row(0, "skipped", Some("opted_out")), DUE));
    }

    #[test]
    fn what_failed_for_one_is_armed_again_for_another_who_can_be_told() {
        for status in ["pending", "sent", "failed", "skipped"] {
            let for_another = Enqueued { is_for_another: true, ..row(0, status, None) };
            assert_eq!(is_rearmed(Follows::Silence, for_another, DUE), status == "failed", "{status}");
            let unreachable = Due { skip_reason: Some("opted_out"), ..DUE };
            assert!(status == "skipped" || !is_rearmed(Follows::Silence, for_another, unreachable), "{status}");
            // Whom a due date goes to is looked for among those that can be told.
            assert_eq!(
                is_rearmed(Follows::DueDate, for_another, DUE),
                ["failed", "skipped"].contains(&status),
                "{status}"
            );
            for follows in [Follows::Day, Follows::Occurrence] {
                assert!(status == "skipped" || !is_rearmed(follows, for_another, DUE), "{follows:?} {status}");
            }
        }
    }

    #[test]
    fn what_was_inserted_by_hand_without_an_anchor_is_left_alone_but_by_a_follow_up() {
        let by_hand = |status| Enqueued { anchor: None, ..row(0, status, Some("opted_out")) };
        for status in ["pending", "sent", "failed", "skipped"] {
            assert!(!is_rearmed(Follows::DueDate, by_hand(status), DUE));
            assert!(!is_rearmed(Follows::Day, by_hand(status), DUE));
            assert!(is_rearmed(Follows::Silence, by_hand(status), DUE));
        }
    }
}
