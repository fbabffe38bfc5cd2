//! The clock of silences: the organization's day, and the days on which an assignment's clock stands still. Which days count is the
//! rules' to say.

mod day;
mod kept;
mod pause;

pub use day::today;
