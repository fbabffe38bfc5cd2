//! `remindersd deliver` between a real database and mail servers that answer what a test says; `make test` starts the former.

#[allow(dead_code)] // not every test program uses all of it
#[path = "../../../tests/server/support.rs"]
mod support;

mod database;
mod encryption;
mod example;
mod httpd;
mod installing;
mod locks;
mod odd_rows;
mod odd_servers;
mod operating;
mod post;
mod refusals;
mod running;
mod smtpd;
mod webhook;
mod words;
