//! `remindersd serve` as clients meet it: the program itself, over HTTP, in front of a throwaway server; `make test` starts that.

#[path = "../../../tests/server/programmes.rs"]
mod programmes;
#[allow(dead_code)] // not every test program uses all of it
#[path = "../../../tests/server/support.rs"]
mod support;

mod api;
mod concurrency;
mod contract;
mod errors;
mod service;
mod tokens;
mod unsubscribe;
mod webhooks;
