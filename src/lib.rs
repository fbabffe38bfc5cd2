//! assignment_reminders: contact reminders, escalation and payable assignment counts, kept by the database.
//!
//! This page is the table of contents. Each room opens with what it owns; none is allowed logic of another.
//!
//! | room | owns |
//! |---|---|
//! | `rules` | every decision, pure: no pgrx, no SQL, no clock |
//! | `evaluation` | the SQL faces of the rules |
//! | `organization` | which organisation a session speaks for |
//! | `contact` | contact dates: triggers, reads, corrections |
//! | `counts` | the mentors' assignment counts |
//! | `daily` | the daily run, its schedule and its health |
//! | `due` | due-date reminders and daily summaries |
//! | `delivery` | the outbox: claims, answers, delivery events, retention |
//! | `schedule` | pg_cron jobs |
//! | `arguments` | what many functions ask of their arguments |
//! | `rows` | single-row triggers that adjust or refuse |
//! | `install` | making the tables, and bringing them up to date |
//! | `server` | what touches Postgres itself: statements, errors, owner's rights; all `unsafe` is here |

// pgrx hands arguments to functions by value and wants results even where nothing can fail.
#![allow(clippy::needless_pass_by_value)]

mod arguments;
mod contact;
mod counts;
mod daily;
mod delivery;
mod due;
mod evaluation;
mod install;
mod organization;
mod rows;
mod rules;
mod schedule;
mod server;

pgrx::pg_module_magic!(name, version);

// The types come before the functions that use them; grants and comments after everything.
pgrx::extension_sql_file!("../sql/extension/types.sql", name = "types", bootstrap);
pgrx::extension_sql_file!("../sql/extension/functions.sql", name = "functions", finalize);
