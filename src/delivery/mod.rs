//! The outbox: what workers claim, how they answer, what providers report, what operators may do.

mod answer;
mod claim;
mod events;
mod ids;
pub mod notify;
mod operate;
mod progress;
