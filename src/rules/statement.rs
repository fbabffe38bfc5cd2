//! Statements: what each mentor had, was given, gave away and finished in a period, told from the versions of each assignment; and
//! what differs now from what was closed. Owns the arithmetic that is paid by; it reads nothing.

use std::collections::BTreeMap;

/// An assignment or a mentor, in the order of their ids.
pub type Id = [u8; 16];

/// Microseconds since whenever: moments are only compared.
pub type Moment = i64;

/// As far as it is counted by: paused, for example, is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Open,
    Completed,
    Cancelled,
    Other,
}

impl Status {
    #[must_use]
    pub fn named(name: &str) -> Self {
        match name {
            "open" => Self::Open,
            "completed" => Self::Completed,
            "cancelled" => Self::Cancelled,
            _ => Self::Other,
        }
    }
}

/// An assignment for as long as neither changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    pub mentor: Option<Id>,
    pub status: Status,
}

/// A row as the table has it, or as it was deleted.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub version: Version,
    pub created_at: Moment,
}

/// What is kept of a change.
#[derive(Clone, Copy, Debug)]
pub enum Change {
    /// Kept only of rows that say that they were created at another moment.
    Inserted,
    /// What it replaced; `None`: not changed by it.
    #[allow(clippy::option_option)] // nobody's, and not changed
    Updated {
        mentor: Option<Option<Id>>,
        status: Option<Status>,
        created_at: Option<Moment>,
    },
    Deleted(Row),
}

/// What an assignment was from a moment on, up to the next step. No version: it was not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub from: Moment,
    pub version: Option<Version>,
}

/// The steps of an assignment, in order, from what it is now (`None`: gone) and its changes, in order: what they replaced is put back,
/// from the last to the first. Before the first step it was not there.
#[must_use]
pub fn steps(present: Option<Row>, changes: &[(Moment, Change)]) -> Vec<Step> {
    let mut backwards = Vec::with_capacity(changes.len() + 1);
    let mut row = present;
    let mut until = Moment::MAX;
    for &(at, change) in changes.iter().rev() {
        let version = row.map(|row| row.version);
        match change {
            Change::Inserted => {
                backwards.push(Step { from: at, version });
                row = None;
            }
            Change::Updated { mentor, status, created_at } => {
                backwards.push(Step { from: at, version });
                row = row.map(|row| Row {
                    version: Version {
                        mentor: mentor.unwrap_or(row.version.mentor),
                        status: status.unwrap_or(row.version.status),
                    },
                    created_at: created_at.unwrap_or(row.created_at),
                });
            }
            Change::Deleted(old) => {
                // What came after it was inserted again, of which nothing is kept.
                backwards.extend(row.and_then(|row| inserted(row, at, until)));
                backwards.push(Step { from: at, version: None });
                row = Some(old);
            }
        }
        until = at;
    }
    backwards.extend(row.and_then(|row| inserted(row, Moment::MIN, until)));
    backwards.reverse();
    backwards
}

/// The step with which a row begins of which no insert is kept: not before it could have been inserted, nor after it was changed.
fn inserted(row: Row, not_before: Moment, until: Moment) -> Option<Step> {
    let from = row.created_at.max(not_before);
    (from < until || until == Moment::MAX).then_some(Step { from, version: Some(row.version) })
}

/// From a moment on, and up to another one, which is the next period's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    pub begin: Moment,
    pub end: Moment,
}

/// What is counted of a mentor, in the order of an account: at the beginning, and what was recorded and taken over, less what was handed
/// over and deleted, is at the end. Of those, what is open; and what was finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    AtBeginning,
    Recorded,
    TakenOver,
    HandedOver,
    Deleted,
    AtEnd,
    OpenAtEnd,
    Completed,
    Cancelled,
}

impl Item {
    pub const ALL: [Self; 9] = [
        Self::AtBeginning,
        Self::Recorded,
        Self::TakenOver,
        Self::HandedOver,
        Self::Deleted,
        Self::AtEnd,
        Self::OpenAtEnd,
        Self::Completed,
        Self::Cancelled,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AtBeginning => "at_beginning",
            Self::Recorded => "recorded",
            Self::TakenOver => "taken_over",
            Self::HandedOver => "handed_over",
            Self::Deleted => "deleted",
            Self::AtEnd => "at_end",
            Self::OpenAtEnd => "open_at_end",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
        }
    }

    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|item| item.name() == name)
    }
}

/// Tells what an assignment contributes to a period: to which mentor, and what. What nobody mentors contributes nothing.
///
/// Every change of mentor counts, also there and back again. What became of it counts once: it is completed (or cancelled) at the
/// end, or when it was deleted, and was not at the beginning; that is whose it was when it last became so.
pub fn contributions(steps: &[Step], period: Period, mut tell: impl FnMut(Id, Item)) {
    let mut tell = |version: Option<Version>, item| {
        if let Some(mentor) = version.and_then(|version| version.mentor) {
            tell(mentor, item);
        }
    };
    let first = steps.partition_point(|step| step.from < period.begin);
    let within = &steps[first..first + steps[first..].partition_point(|step| step.from < period.end)];
    let beginning = first.checked_sub(1).and_then(|last| steps[last].version);
    let mut version = beginning;
    // What it became last, and as whose.
    let mut became: Option<Version> = None;
    tell(beginning, Item::AtBeginning);
    for step in within {
        match (version, step.version) {
            (None, Some(_)) => tell(step.version, Item::Recorded),
            (Some(_), None) => tell(version, Item::Deleted),
            (Some(before), Some(after)) if before.mentor != after.mentor => {
                tell(version, Item::HandedOver);
                tell(step.version, Item::TakenOver);
            }
            _ => {}
        }
        if let Some(after) = step.version
            && version.is_none_or(|before| before.status != after.status)
        {
            became = Some(after);
        }
        version = step.version;
    }
    tell(version, Item::AtEnd);
    tell(version.filter(|version| version.status == Status::Open), Item::OpenAtEnd);
    if let Some(became) = became.filter(|became| beginning.is_none_or(|before| before.status != became.status)) {
        match became.status {
            Status::Completed => tell(Some(became), Item::Completed),
            Status::Cancelled => tell(Some(became), Item::Cancelled),
            Status::Open | Status::Other => {}
        }
    }
}

/// The assignments behind each number, as often as each counts, in their order.
pub type Lines = BTreeMap<(Id, Item), Vec<Id>>;

/// The lines of several periods, from the steps of every assignment.
#[must_use]
pub fn statements(histories: &[(Id, Vec<Step>)], periods: &[Period]) -> Vec<Lines> {
    let of = |&period: &Period| {
        let mut lines = Lines::new();
        for (assignment, steps) in histories {
            contributions(steps, period, |mentor, item| lines.entry((mentor, item)).or_default().push(*assignment));
        }
        for assignments in lines.values_mut() {
            assignments.sort_unstable();
        }
        lines
    };
    periods.iter().map(of).collect()
}

/// What was closed of one number, with what was adjusted since.
#[derive(Clone, Debug, Default)]
pub struct Stated {
    pub more: Vec<Id>,
    pub less: Vec<Id>,
}

/// What is to be added to what was stated of a number, and what is to be taken from it, as often as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjustment {
    pub mentor: Id,
    pub item: Item,
    pub more: Vec<Id>,
    pub less: Vec<Id>,
}

/// What makes of the stated lines of a period those that it has now. Nothing where they are the same: what was adjusted once is stated.
#[must_use]
pub fn adjustments(now: &Lines, stated: &BTreeMap<(Id, Item), Stated>) -> Vec<Adjustment> {
    let mut keys: Vec<&(Id, Item)> = now.keys().chain(stated.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let nothing = (Vec::new(), Stated::default());
    let differing = keys.into_iter().filter_map(|key| {
        let now = now.get(key).unwrap_or(&nothing.0);
        let stated = stated.get(key).unwrap_or(&nothing.1);
        if stated.less.is_empty() && *now == stated.more {
            return None;
        }
        let mut difference: BTreeMap<Id, i32> = BTreeMap::new();
        for (assignments, by) in [(now, 1), (&stated.more, -1), (&stated.less, 1)] {
            for assignment in assignments {
                *difference.entry(*assignment).or_default() += by;
            }
        }
        let mut adjustment = Adjustment { mentor: key.0, item: key.1, more: Vec::new(), less: Vec::new() };
        for (assignment, by) in difference {
            let side = if by > 0 { &mut adjustment.more } else { &mut adjustment.less };
            side.extend((0..by.unsigned_abs()).map(|_| assignment));
        }
        (!adjustment.more.is_empty() || !adjustment.less.is_empty()).then_some(adjustment)
    });
    differing.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Id = [1; 16];
    const B: Id = [2; 16];
    const IT: Id = [9; 16];
    const PERIOD: Period = Period { begin: 100, end: 200 };

    #[allow(clippy::unnecessary_wraps)] // as the rules take versions
    fn version(mentor: Id, status: Status) -> Option<Version> {
        Some(Version { mentor: Some(mentor), status })
    }

    fn open(mentor: Id) -> Option<Version> {
        version(mentor, Status::Open)
    }

    /// What these steps contribute, as text: A+recorded.
    fn told(steps: &[(Moment, Option<Version>)]) -> String {
        let steps: Vec<Step> = steps.iter().map(|&(from, version)| Step { from, version }).collect();
        let mut told = Vec::new();
        contributions(&steps, PERIOD, |mentor, item| told.push((mentor, item)));
        told.sort_unstable();
        let name = |(mentor, item): &(Id, Item)| format!("{}:{}", if *mentor == A { "A" } else { "B" }, item.name());
        told.iter().map(name).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_moment_belongs_to_the_period_that_begins_with_it() {
        assert_eq!(told(&[(99, open(A))]), "A:at_beginning A:at_end A:open_at_end");
        assert_eq!(told(&[(100, open(A))]), "A:recorded A:at_end A:open_at_end");
        assert_eq!(told(&[(199, open(A))]), "A:recorded A:at_end A:open_at_end");
        assert_eq!(told(&[(200, open(A))]), "");
        assert_eq!(told(&[]), "");
    }

    #[test]
    fn every_change_of_mentor_counts_for_both() {
        assert_eq!(
            told(&[(50, open(A)), (150, open(B))]),
            "A:at_beginning A:handed_over B:taken_over B:at_end B:open_at_end"
        );
        assert_eq!(
            told(&[(150, open(A)), (160, open(B)), (170, open(A)), (180, open(B))]),
            "A:recorded A:taken_over A:handed_over A:handed_over B:taken_over B:taken_over B:handed_over B:at_end B:open_at_end"
        );
        let nobody = Some(Version { mentor: None, status: Status::Open });
        assert_eq!(told(&[(150, nobody), (160, open(A)), (170, nobody), (180, None)]), "A:taken_over A:handed_over");
    }

    #[test]
    fn what_was_finished_counts_once_for_whose_it_was_then() {
        let done = |mentor| version(mentor, Status::Completed);
        assert_eq!(
            told(&[(50, open(A)), (150, done(A)), (160, done(B))]),
            "A:at_beginning A:handed_over A:completed B:taken_over B:at_end"
        );
        assert_eq!(
            told(&[(50, open(A)), (150, done(A)), (160, open(A)), (170, open(B)), (180, done(B))]),
            "A:at_beginning A:handed_over B:taken_over B:at_end B:completed",
            "reopened and completed again"
        );
        assert_eq!(told(&[(50, open(A)), (150, done(A)), (160, open(A))]), "A:at_beginning A:at_end A:open_at_end");
        assert_eq!(told(&[(50, done(A)), (150, open(A)), (160, done(A))]), "A:at_beginning A:at_end", "it was before");
        assert_eq!(told(&[(50, done(A))]), "A:at_beginning A:at_end");
        assert_eq!(told(&[(150, done(A)), (160, None)]), "A:recorded A:deleted A:completed");
        assert_eq!(
            told(&[(50, done(A)), (150, version(A, Status::Cancelled))]),
            "A:at_beginning A:at_end A:cancelled",
            "it became something else"
        );
        let paused = version(A, Status::Other);
        assert_eq!(told(&[(50, open(A)), (150, paused)]), "A:at_beginning A:at_end", "neither open nor finished");
    }

    #[test]
    fn what_changes_replaced_is_put_back() {
        let row =
            |mentor, created_at| Row { version: Version { mentor: Some(mentor), status: Status::Open }, created_at };
        let to_b = Change::Updated { mentor: Some(Some(A)), status: None, created_at: None };
        let step = |from, version| Step { from, version };
        assert_eq!(steps(Some(row(B, 10)), &[(20, to_b)]), [step(10, open(A)), step(20, open(B))]);
        assert_eq!(steps(None, &[(20, Change::Deleted(row(A, 10)))]), [step(10, open(A)), step(20, None)]);
        assert_eq!(steps(Some(row(A, 10)), &[(20, Change::Inserted)]), [step(20, open(A))], "as if it were older");
        // It came back with its id, of which nothing is kept; also in the transaction that had deleted it.
        for (created_at, back) in [(30, 30), (15, 20)] {
            let changes = [(20, Change::Deleted(row(A, 10))), (40, to_b)];
            assert_eq!(
                steps(Some(row(B, created_at)), &changes),
                [step(10, open(A)), step(20, None), step(back, open(A)), step(40, open(B))]
            );
        }
        assert_eq!(steps(Some(row(B, 99)), &[(20, to_b)]), [step(20, open(B))], "created after it was changed");
    }

    #[test]
    fn an_adjustment_says_what_is_missing_and_what_is_too_much_and_once_stated_nothing() {
        let now: Lines = [((A, Item::Recorded), vec![IT, IT]), ((B, Item::Recorded), vec![A])].into();
        let mut stated: BTreeMap<(Id, Item), Stated> = [
            ((A, Item::Recorded), Stated { more: vec![IT], less: Vec::new() }),
            ((B, Item::Deleted), Stated { more: vec![IT], less: Vec::new() }),
        ]
        .into();
        let found = adjustments(&now, &stated);
        let adjustment = |mentor, item, more, less| Adjustment { mentor, item, more, less };
        assert_eq!(
            found,
            [
                adjustment(A, Item::Recorded, vec![IT], vec![]),
                adjustment(B, Item::Recorded, vec![A], vec![]),
                adjustment(B, Item::Deleted, vec![], vec![IT])
            ]
        );
        for Adjustment { mentor, item, more, less } in found {
            let stated = stated.entry((mentor, item)).or_default();
            stated.more.extend(more);
            stated.less.extend(less);
        }
        assert_eq!(adjustments(&now, &stated), []);
    }

    #[test]
    fn items_have_names_of_their_own() {
        for item in Item::ALL {
            assert_eq!(Item::named(item.name()), Some(item));
        }
        assert_eq!(Item::named("at"), None);
    }
}
