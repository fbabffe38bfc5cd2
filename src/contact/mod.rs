//! Contact dates: how they follow activities, how they are read, how they are corrected.

mod correction;
mod reads;
mod repair;
mod triggers;

pub use repair::repair;
