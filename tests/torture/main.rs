//! The long fault tests: `make torture`. Most of them break a cluster of their own; README.md says what each does.

mod bare;
mod cluster;
mod cron;
mod kill;
mod memory;
mod replicas;
mod restore;
#[path = "../server/support.rs"]
#[allow(dead_code)]
mod support;
