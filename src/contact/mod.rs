//! Contact dates: how they follow activities, how they are read, how they are corrected.

mod correction;
mod reads;
mod triggers;

pub use triggers::catch_up;
