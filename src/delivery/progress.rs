//! How far this session's claims have got in the queue of each organization. Only a hint for speed: what lies behind it is
//! never lost, only met a little later.
//!
//! A sent reminder leaves an entry in the index of pending ones until no transaction can see it as pending any more. An old
//! transaction can keep a million of them, and a claim that begins at the start reads them all. So a claim begins where
//! the session's last one ended. Rows that come back or come late may lie behind that: a claim begins at the start again
//! before it says that nothing is due, and whenever that costs less than a twentieth of the time.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::{Duration, Instant};

use pgrx::Uuid;
use pgrx::datum::TimestampWithTimeZone;

/// Beginning at the start may take one part in this many of the time.
const RARELY: u32 = 20;

/// Where the last claim ended, per organization. Empty: begin at the start.
#[derive(Default)]
pub struct Ended {
    pub organizations: Vec<Uuid>,
    pub available_at: Vec<TimestampWithTimeZone>,
    pub numbers: Vec<i64>,
}

impl Ended {
    pub fn is_empty(&self) -> bool {
        self.organizations.is_empty()
    }
}

#[derive(Default)]
struct Progress {
    ended: HashMap<[u8; 16], (TimestampWithTimeZone, i64)>,
    begin_again_at: Option<Instant>,
}

thread_local! {
    static PROGRESS: RefCell<Progress> = RefCell::default();
}

/// Where the next claim begins.
pub fn resume_point() -> Ended {
    PROGRESS.with_borrow(|progress| {
        if progress.begin_again_at.is_none_or(|at| Instant::now() >= at) {
            return Ended::default();
        }
        let mut ended = Ended::default();
        for (organization, (available_at, number)) in &progress.ended {
            ended.organizations.push(Uuid::from_bytes(*organization));
            ended.available_at.push(*available_at);
            ended.numbers.push(*number);
        }
        ended
    })
}

/// A claim began at the start, and took this long.
pub fn began(took: Duration) {
    PROGRESS.with_borrow_mut(|progress| {
        progress.ended.clear();
        progress.begin_again_at = Instant::now().checked_add(took * RARELY);
    });
}

/// A claim ended with these reminders, in order: organization, place in the queue.
pub fn ended(locked: impl Iterator<Item = (Uuid, TimestampWithTimeZone, i64)>) {
    PROGRESS.with_borrow_mut(|progress| {
        for (organization, available_at, number) in locked {
            let place = progress.ended.entry(*organization.as_bytes()).or_insert((available_at, number));
            if (available_at.into_inner(), number) > (place.0.into_inner(), place.1) {
                *place = (available_at, number);
            }
        }
    });
}
