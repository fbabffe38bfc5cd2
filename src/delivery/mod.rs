//! The outbox: what goes in, what workers claim, how they answer, what providers report, what operators may do.

mod answer;
mod claim;
mod deleted;
mod enqueue;
mod events;
mod ids;
mod notify;
mod operate;
mod pauses;
mod progress;

pub use enqueue::{enqueue_due_dates, enqueue_follow_ups, enqueue_notices, enqueue_summaries};
