//! The clock of silences: the organization's day, and the days on which an assignment's clock stands still. Which days count is the
//! rules' to say.

mod closed;
mod day;
mod pause;

pub use day::today;
