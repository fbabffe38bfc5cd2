//! Pauses of an organization's sending, for a fault of the sender or the transport that a worker told of. Claims leave out an organization that is paused.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use pgrx::Uuid;
use pgrx::datum::TimestampWithTimeZone;

use super::limit;
use crate::rules::answer::{Fault, Pause, pause};
use crate::rules::privacy::codes_of;
use crate::server::calendar::{nearest_moment, timestamp};
use crate::server::errors::Result;
use crate::server::rows::Row;
use crate::server::statement::{Statement, types};

/// The organizations that were stopped, and how long what failed there waits by itself: not at all, since claims leave out all of the organization until
/// the pause is over, or somebody ends it. Where the pause could not be saved, that alone holds it back.
#[derive(Default)]
pub struct Stopped(HashMap<[u8; 16], TimeDelta>);

impl Stopped {
    /// How long what failed in this organization waits, in seconds.
    pub fn wait(&self, organization: Uuid) -> Option<f64> {
        self.0.get(organization.as_bytes()).map(|wait| wait.as_seconds_f64())
    }
}

/// Stops organizations for what is at fault there, with what was said of it.
pub fn stop(faults: Vec<(Uuid, Fault, Option<&str>)>, as_of: TimestampWithTimeZone) -> Result<Stopped> {
    static LOCK: Statement = Statement::by_index(include_str!("../../sql/delivery/lock_pauses.sql"), &[types::UUIDS]);
    static SAVE: Statement = Statement::by_index(
        include_str!("../../sql/delivery/save_pause.sql"),
        &[types::UUID, types::MOMENT, types::MOMENT, types::TEXT, types::TEXT],
    );
    let mut stopped = Stopped::default();
    if faults.is_empty() {
        return Ok(stopped);
    }
    let now = nearest_moment(as_of);
    let organizations: Vec<Uuid> = faults.iter().map(|(organization, ..)| *organization).collect();
    limit::count(organizations.clone())?;
    let locked: Vec<(Uuid, Option<Pause>)> =
        LOCK.write(&[organizations.into()], |rows| rows.map(last_pause).collect())?;
    // What cannot be stopped now, since others hold it, is not tried again at once all the same.
    for (organization, fault, _) in &faults {
        if let Some(length) = fault.stops_for() {
            let wait = stopped.0.entry(*organization.as_bytes()).or_insert(length);
            *wait = length.max(*wait);
        }
    }
    for (organization, before) in locked {
        let (mut last, mut why) = (before, None);
        let here = faults.iter().filter(|(other, ..)| other.as_bytes() == organization.as_bytes());
        for (_, fault, error) in here {
            let Some(next) = pause(*fault, last, now) else { continue };
            if last != Some(next) {
                why = Some((*fault, error.and_then(codes_of)));
            }
            last = Some(next);
        }
        let Some(Pause { from, until }) = last else { continue };
        stopped.0.insert(*organization.as_bytes(), TimeDelta::zero());
        if let Some((fault, code)) = why {
            let [from, until] = [from, until].map(timestamp);
            SAVE.run(&[organization.into(), from.into(), until.into(), fault.name().into(), code.into()])?;
        }
    }
    Ok(stopped)
}

fn last_pause(row: Row) -> Result<(Uuid, Option<Pause>)> {
    let moment =
        |column| -> Result<Option<DateTime<Utc>>> { Ok(row.get::<TimestampWithTimeZone>(column)?.map(nearest_moment)) };
    let (from, until) = (moment("paused_at")?, moment("paused_until")?);
    Ok((row.not_null("organization_id")?, from.zip(until).map(|(from, until)| Pause { from, until })))
}
