//! Counts as they change, by server-sent events: looked at twice a second while somebody has them on a screen, so that inserts pay nothing.

use std::collections::HashMap;
use std::convert::Infallible;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::Stream as Events;
use futures_util::stream::unfold;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior, interval};
use uuid::Uuid;

use crate::caller::{App, Caller};
use crate::limits::Stream;
use crate::openapi::Refusals;
use crate::problem::Problem;

const EVERY: Duration = Duration::from_millis(500);

/// The counts of the peer mentors that the caller sees: all of them as a first event, then those that changed, within a second. Each event
/// `counts` is a JSON object of peer mentors' ids and counts, null for one that is gone. Ends when the token expires, or with the service.
#[utoipa::path(get, path = "/live", tag = "peer mentors", responses(
    (status = 200, description = "Events", body = String, content_type = "text/event-stream",
     example = "event: counts\ndata: {\"20000000-0000-0000-0000-000000000001\":8}\n\n"),
    Refusals,
))]
pub async fn live(
    caller: Caller,
    State(app): State<App>,
) -> Result<Sse<impl Events<Item = Result<Event, Infallible>>>, Problem> {
    let stream = app
        .streams
        .open(caller.identity())
        .ok_or_else(|| Problem::new(StatusCode::TOO_MANY_REQUESTS, "the caller has ten streams open already"))?;
    let counts = counts(&caller).await?;
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let watched =
        Watched { caller, known: HashMap::new(), found: Some(counts), ticks, stopping: app.stopping, _stream: stream };
    let events = unfold(watched, |mut watched| async move {
        let event = watched.next().await?;
        Some((Ok(event), watched))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(15))))
}

type Counts = HashMap<Uuid, i32>;

struct Watched {
    caller: Caller,
    known: Counts,
    /// What was found before the first look.
    found: Option<Counts>,
    ticks: Interval,
    stopping: watch::Receiver<bool>,
    /// Counted while this lives.
    _stream: Stream,
}

impl Watched {
    /// The next change; none at the end.
    async fn next(&mut self) -> Option<Event> {
        let is_first = self.found.is_some();
        loop {
            let found = match self.found.take() {
                Some(found) => found,
                None => self.look().await?,
            };
            let mut changed = serde_json::Map::new();
            for (id, count) in &found {
                if self.known.get(id) != Some(count) {
                    changed.insert(id.to_string(), json!(count));
                }
            }
            for id in self.known.keys().filter(|id| !found.contains_key(*id)) {
                changed.insert(id.to_string(), json!(null));
            }
            self.known = found;
            if is_first || !changed.is_empty() {
                return Event::default().event("counts").json_data(changed).ok();
            }
        }
    }

    /// At the next tick. A database that is away for a moment ends it, and the client asks again.
    async fn look(&mut self) -> Option<Counts> {
        tokio::select! {
            _ = self.ticks.tick() => {}
            _ = self.stopping.wait_for(|stopping| *stopping) => return None,
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(u64::MAX, |now| now.as_secs());
        if now >= self.caller.claims.expires {
            return None;
        }
        counts(&self.caller).await.ok()
    }
}

async fn counts(caller: &Caller) -> Result<Counts, Problem> {
    let rows = caller.rows(include_str!("../../sql/counts.sql"), &[]).await?;
    rows.iter()
        .map(|row| Ok((row.try_get("id")?, row.try_get("assignment_count")?)))
        .collect::<Result<_, tokio_postgres::Error>>()
        .map_err(|error| Problem::unexpected(&error))
}
