//! What our statements mean, whatever the session's search_path: they are analysed under one of our own. And whatever of the user's
//! they fire or evaluate, triggers, constraints, policies, runs under the session's, as it does elsewhere.
//!
//! SPI makes a plan or looks it up, and executes it, in one call. Hooks tell the moments between which the path is ours: it ends
//! as the executor starts, and makes way while the planner works, which may evaluate functions of the user's.

use std::cell::Cell;
use std::ffi::{CStr, CString};

use pgrx::pg_sys::panic::ErrorReportable;
use pgrx::{pg_guard, pg_sys};

use super::errors::{Result, broken_statement};
use super::setting::{Nested, setting};

/// Has a plan made, and may change what it is made by.
type Planner = fn(&mut dyn FnMut() -> *mut pg_sys::PlannedStmt) -> *mut pg_sys::PlannedStmt;

/// Under which path a statement is planned, and how.
#[derive(Clone, Copy)]
pub enum Planned {
    /// The session's. The functions in SQL that the statement calls are analysed as they are made (RETURN), or pin their own.
    UnderSessions(Planner),
    /// Ours, since it calls functions whose text the planner analyses: evaluate_assignments.
    UnderOurs,
}

/// Does `work`, in which every name is looked up in pg_catalog unless it is qualified. Nothing of the user's is called meanwhile,
/// or it runs under this path, too.
pub fn with_ours<T>(work: impl FnOnce() -> T) -> Result<T> {
    let path = ours()?;
    let result = work();
    path.end();
    Ok(result)
}

/// Does `work`, which executes this statement of ours by SPI: until its execution starts, the path is ours.
pub fn until_execution<T>(sql: &'static str, planned: Planned, work: impl FnOnce() -> Result<T>) -> Result<T> {
    if Waiting::is_there() {
        // Its execution would end the path of the other one. Nothing that is called while a statement is analysed gets here.
        return Err(broken_statement("a statement was begun while another was analysed"));
    }
    Waiting { sql, planned, path: Path::begin(planned)? }.begin();
    let _hooks_back = HooksBack;
    let result = work();
    // Nothing was executed where a rule does nothing instead, and where an error is returned.
    if let Some(waiting) = Waiting::end() {
        waiting.path.end();
    }
    result
}

/// Does `work` under the session's path, but with temporary objects last, where it does not say so itself.
pub fn without_temporary_first<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    let path = setting(c"search_path").unwrap_or_default();
    let is_temporary = |schema: &&str| schema.trim().trim_matches('"').to_ascii_lowercase().starts_with("pg_temp");
    let schemas: Vec<&str> = path.split(',').collect();
    if schemas.iter().position(is_temporary).is_some_and(|at| at + 1 == schemas.len()) {
        return work();
    }
    let mut kept: Vec<&str> =
        schemas.into_iter().filter(|schema| !is_temporary(schema) && !schema.trim().is_empty()).collect();
    kept.push("pg_temp");
    let path = CString::new(kept.join(",")).map_err(broken_statement)?;
    Nested::during(c"search_path", &path, work)?
}

fn ours() -> Result<Nested> {
    // pg_temp is named, since it would be searched first otherwise.
    Nested::begin(c"search_path", c"pg_catalog, pg_temp")
}

/// A statement that is analysed, and whose execution has not started.
struct Waiting {
    sql: &'static str,
    planned: Planned,
    path: Path,
}

/// Our path while a statement is analysed.
enum Path {
    Set(Nested),
    /// Costs a tenth, and is put back by an error as a setting is. While it is there, a path that a function sets is passed over,
    /// so nothing of the user's must be evaluated. Postgres 17 has it no more, and changes settings faster.
    #[cfg(any(feature = "pg15", feature = "pg16"))]
    Overriding,
}

impl Path {
    #[cfg_attr(not(any(feature = "pg15", feature = "pg16")), allow(unused_variables))]
    fn begin(planned: Planned) -> Result<Self> {
        #[cfg(any(feature = "pg15", feature = "pg16"))]
        if matches!(planned, Planned::UnderSessions(_)) {
            let mut catalog_only = pg_sys::OverrideSearchPath { addCatalog: true, ..Default::default() };
            // SAFETY: the path is copied.
            unsafe { pg_sys::PushOverrideSearchPath(&raw mut catalog_only) };
            return Ok(Self::Overriding);
        }
        ours().map(Self::Set)
    }

    fn end(self) {
        match self {
            Self::Set(setting) => setting.end(),
            // SAFETY: the path that was pushed is the last one.
            #[cfg(any(feature = "pg15", feature = "pg16"))]
            Self::Overriding => unsafe { pg_sys::PopOverrideSearchPath() },
        }
    }
}

/// The hooks that others have.
#[derive(Clone, Copy)]
struct Others {
    planner: pg_sys::planner_hook_type,
    executor: pg_sys::ExecutorStart_hook_type,
}

thread_local! {
    /// While it is there, the hooks are ours.
    static WAITING: Cell<Option<(Waiting, Others)>> = const { Cell::new(None) };
}

impl Waiting {
    fn is_there() -> bool {
        let found = WAITING.take();
        let is_there = found.is_some();
        WAITING.set(found);
        is_there
    }

    fn begin(self) {
        // SAFETY: the hooks are variables of this backend, which has one thread; `end` puts others' back.
        let others = unsafe {
            Others {
                planner: (&raw mut pg_sys::planner_hook).replace(Some(plan)),
                executor: (&raw mut pg_sys::ExecutorStart_hook).replace(Some(start)),
            }
        };
        WAITING.set(Some((self, others)));
    }

    fn end() -> Option<Self> {
        let (waiting, others) = WAITING.take()?;
        // SAFETY: as for `begin`.
        unsafe {
            pg_sys::planner_hook = others.planner;
            pg_sys::ExecutorStart_hook = others.executor;
        }
        Some(waiting)
    }
}

/// Puts others' hooks back while an error unwinds. The path is back when the error has ended its transaction or subtransaction.
struct HooksBack;

impl Drop for HooksBack {
    fn drop(&mut self) {
        Waiting::end();
    }
}

/// Plans a statement of ours. What is evaluated meanwhile of the user's may plan and execute other statements.
#[pg_guard]
unsafe extern "C-unwind" fn plan(
    query: *mut pg_sys::Query,
    text: *const core::ffi::c_char,
    options: core::ffi::c_int,
    parameters: pg_sys::ParamListInfo,
) -> *mut pg_sys::PlannedStmt {
    let Some(Waiting { sql, planned, path }) = Waiting::end() else {
        // SAFETY: the arguments are those that Postgres gave.
        return unsafe { pg_sys::standard_planner(query, text, options, parameters) };
    };
    // SAFETY: as above, and the hook is another extension's.
    let mut make = || unsafe {
        match pg_sys::planner_hook {
            Some(others) => pg_sys::ffi::pg_guard_ffi_boundary(|| others(query, text, options, parameters)),
            None => pg_sys::standard_planner(query, text, options, parameters),
        }
    };
    let (kept, plan) = match planned {
        Planned::UnderOurs => (Some(path), make()),
        Planned::UnderSessions(planner) => {
            path.end();
            (None, planner(&mut make))
        }
    };
    // Postgres may go on to analyse: a plan that something has made invalid meanwhile is made again.
    Waiting { sql, planned, path: kept.map_or_else(|| Path::begin(planned), Ok).unwrap_or_report() }.begin();
    plan
}

/// Starts the execution of a statement of ours. Other extensions may execute statements while ours is analysed: then it goes on
/// waiting.
#[pg_guard]
unsafe extern "C-unwind" fn start(query: *mut pg_sys::QueryDesc, flags: core::ffi::c_int) {
    // SAFETY: the query has a text, and the hook is another extension's.
    unsafe {
        let text = CStr::from_ptr((*query).sourceText).to_bytes();
        let others = match Waiting::end() {
            Some(waiting) if waiting.sql.as_bytes() == text => {
                waiting.path.end();
                pg_sys::ExecutorStart_hook
            }
            Some(waiting) => {
                let others = pg_sys::ExecutorStart_hook;
                waiting.begin();
                others
            }
            None => None,
        };
        match others {
            Some(others) => pg_sys::ffi::pg_guard_ffi_boundary(|| others(query, flags)),
            None => pg_sys::standard_ExecutorStart(query, flags),
        }
    }
}
