//! What touches Postgres itself. Every other room asks here for statements, errors and rights.

pub mod calendar;
pub mod composite;
pub mod errors;
pub mod owner;
pub mod permit;
pub mod setting;
pub mod statement;
pub mod subtransaction;
