//! What touches Postgres itself: statements, rows, results, errors, rights. All `unsafe` is here; decisions are not.

pub mod advisory_lock;
pub mod argument;
mod backtrace;
pub mod calendar;
pub mod changes;
pub mod errors;
pub mod own_trigger;
pub mod owner;
pub mod permit;
pub mod random;
pub mod result;
pub mod row_security;
pub mod rows;
pub mod search_path;
pub mod setting;
pub mod size;
pub mod snapshot;
pub mod statement;
pub mod subtransaction;
pub mod swap;
pub mod transaction;
pub mod transition;
