//! The outbox: what goes in, what workers claim, how they answer, what providers report, what operators may do.

mod answer;
mod asked;
mod claim;
mod deleted;
mod digest;
mod enqueue;
mod events;
mod ids;
mod limit;
mod notify;
mod operate;
mod pauses;
mod progress;
mod unsubscribe;

pub use enqueue::{Enqueued, enqueue_due_dates, enqueue_follow_ups, enqueue_notices, enqueue_summaries};
