//! The decisions, as pure functions of their arguments. No pgrx, no SQL, no clock: a policy change is made here.

pub mod completion;
pub mod contact;
pub mod follow_up;
pub mod health;
