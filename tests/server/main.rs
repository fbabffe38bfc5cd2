//! Tests through real connections to a throwaway server; `make test` starts it. README.md says what goes where.

mod backup;
mod bad_input;
mod catalog;
mod contact;
mod counts;
mod cron;
mod daily;
mod definitions;
mod delivery;
mod delivery_races;
mod due;
mod errors;
mod forgery;
mod install;
mod organization;
mod owner;
mod plans;
mod races;
mod readme;
mod reference;
mod results;
mod row_security;
mod rules;
mod support;
mod tables;
mod versions;
