//! The clock of silences: the organization's day, the days on which an assignment's clock stands still, and whose reminders count. Which
//! days count is the rules' to say.

mod day;
mod kept;
mod merge;
mod pause;

pub use day::today;
