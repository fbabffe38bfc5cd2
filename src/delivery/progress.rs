//! How far this session's claims have got in the queue of each organization. Only a hint for speed: what lies behind it is
//! never lost, only met a little later.
//!
//! A sent reminder leaves an entry in the index of pending ones until no transaction can see it as pending any more. An old
//! transaction can keep a million of them, and a claim that begins at the start reads them all, and looks for all organizations that have
//! something due. So a claim begins where the session's last one ended. Rows that come back or come late may lie behind that: a claim begins at the start again
//! before it says that nothing is due, and whenever that costs less than a fiftieth of the time.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::{Duration, Instant};

use pgrx::Uuid;
use pgrx::datum::TimestampWithTimeZone;

/// Beginning at the start may take one part in this many of the time.
const RARELY: u32 = 50;

/// A place in the queue of an organization.
#[derive(Clone, Copy)]
pub struct Place {
    pub organization: Uuid,
    /// When what was decided on last was due, and its number. `None`: nothing was.
    pub reached: Option<(TimestampWithTimeZone, i64)>,
}

impl Place {
    pub const fn start_of(organization: Uuid) -> Self {
        Self { organization, reached: None }
    }

    /// The further one of two places in one queue.
    pub fn further(self, other: Self) -> Self {
        let order = |place: &Self| place.reached.map(|(available_at, number)| (available_at.into_inner(), number));
        std::cmp::max_by_key(self, other, order)
    }

    /// Pairwise, as statements take them.
    #[allow(clippy::type_complexity)]
    pub fn columns(places: &[Self]) -> (Vec<Uuid>, Vec<Option<TimestampWithTimeZone>>, Vec<Option<i64>>) {
        let organizations = places.iter().map(|place| place.organization).collect();
        let available_at = places.iter().map(|place| place.reached.map(|(available_at, _)| available_at)).collect();
        let numbers = places.iter().map(|place| place.reached.map(|(_, number)| number)).collect();
        (organizations, available_at, numbers)
    }
}

#[derive(Default)]
struct Progress {
    places: HashMap<[u8; 16], Place>,
    begin_again_at: Option<Instant>,
}

thread_local! {
    static PROGRESS: RefCell<Progress> = RefCell::default();
}

/// Where the next claim goes on. `None`: it begins at the start, of all organizations.
pub fn places() -> Option<Vec<Place>> {
    PROGRESS.with_borrow(|progress| {
        let may_go_on = progress.begin_again_at.is_some_and(|at| Instant::now() < at);
        may_go_on.then(|| progress.places.values().copied().collect())
    })
}

/// A claim began at the start, with these places, which took so long to find.
pub fn began(took: Duration, places: &[Place]) {
    PROGRESS.with_borrow_mut(|progress| {
        progress.places = places.iter().map(|place| (*place.organization.as_bytes(), *place)).collect();
        progress.begin_again_at = Instant::now().checked_add(took * RARELY);
    });
}

/// A claim got as far as these.
pub fn ended(places: &[Place]) {
    PROGRESS.with_borrow_mut(|progress| {
        for place in places {
            let known = progress.places.entry(*place.organization.as_bytes()).or_insert(*place);
            *known = known.further(*place);
        }
    });
}
