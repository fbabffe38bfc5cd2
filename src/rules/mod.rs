//! The decisions, as pure functions of their arguments. No pgrx, no SQL, no clock: a policy change is made here.

pub mod alert;
pub mod answer;
pub mod bounce;
pub mod calendar;
pub mod completion;
pub mod connection;
pub mod contact;
pub mod cron;
pub mod delivery;
pub mod due;
pub mod evaluation;
pub mod follow_up;
pub mod health;
pub mod history;
pub mod job;
pub mod kind;
pub mod message;
pub mod outbox;
pub mod privacy;
pub mod rate;
pub mod recipient;
pub mod retry;
pub mod role;
pub mod share;
pub mod statement;
