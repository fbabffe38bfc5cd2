//! assignment_reminders: contact reminders, escalation and assignment counts used for payment, kept by the database.
//!
//! This page is the table of contents. Each module opens with what it owns, and leaves the rest to the others.
//!
//! | module | owns |
//! |---|---|
//! | `rules` | every decision, pure: no pgrx, no SQL, no clock |
//! | `bindings` | the SQL bindings of the rules |
//! | `claims` | what the JWT of a request says |
//! | `organization` | which organization a session speaks for |
//! | `clock` | the organization's day, pauses, and the days on which an assignment was not open |
//! | `contact` | contact dates: triggers, reads, corrections |
//! | `counts` | the mentors' assignment counts |
//! | `history` | what was: versions of rows, and asking for them |
//! | `pay` | what mentors are paid by: statements, closed periods, counts at a moment |
//! | `daily` | the daily run, its schedule and its health |
//! | `due` | due-date reminders and daily summaries |
//! | `delivery` | the outbox: enqueueing, claims, answers, delivery events, retention |
//! | `explain` | what becomes of each silence, and why |
//! | `privacy` | what the tables hold of a person, and forgetting it |
//! | `schedule` | pg_cron jobs |
//! | `access` | the person behind a request, and the policies that go by it |
//! | `arguments` | what many functions ask of their arguments |
//! | `row_triggers` | single-row triggers that adjust or refuse |
//! | `install` | making the tables, and bringing them up to date |
//! | `server` | what touches Postgres itself: statements, rows, errors, owner's rights; all `unsafe` is here |

// pgrx hands arguments to functions by value and wants results even where nothing can fail.
#![allow(clippy::needless_pass_by_value)]

mod access;
mod arguments;
mod bindings;
mod claims;
mod clock;
mod contact;
mod counts;
mod daily;
mod delivery;
mod due;
mod explain;
mod history;
mod install;
mod organization;
mod pay;
mod privacy;
mod row_triggers;
mod rules;
mod schedule;
mod server;

pgrx::pg_module_magic!(name, version);

// The types come before the functions that use them, and rights after everything. What is written in SQL comes in a chain: pgrx
// would write independent blocks in an order of its own, another one every time.
pgrx::extension_sql_file!("../sql/extension/types.sql", name = "types", bootstrap);
pgrx::extension_sql_file!("../sql/rules/silence.sql", name = "silence");
pgrx::extension_sql_file!("../sql/rules/recipients.sql", name = "recipients", requires = ["silence"]);
pgrx::extension_sql_file!("../sql/extension/rights.sql", name = "rights", finalize);
