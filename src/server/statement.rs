//! Statements: their plans, made at first use and kept for the life of the backend. Owns how a statement is planned; the
//! SQL is its caller's.
//!
//! SPI is called directly, since pgrx's own calls can neither ask for a generic plan nor plan before they execute.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::CString;

use pgrx::datum::DatumWithOid;
use pgrx::pg_sys::BuiltinOid;
use pgrx::{PgTrigger, Spi, pg_guard, pg_sys};

use super::errors::{Result, broken_statement};
use super::rows::{ResultSet, Rows};
use super::search_path::{Planned, until_execution};
use super::setting::{require_writable, without_jit};

/// The types that statements take.
pub mod types {
    pub use pgrx::pg_sys::BuiltinOid::{
        BOOLARRAYOID as BOOLS, BOOLOID as BOOL, DATEARRAYOID as DATES, DATEOID as DATE, FLOAT8ARRAYOID as FLOATS,
        INT4ARRAYOID as INTS, INT4OID as INT, INT8ARRAYOID as BIGINTS, INTERVALOID as INTERVAL, TEXTARRAYOID as TEXTS,
        TEXTOID as TEXT, TIMESTAMPTZARRAYOID as MOMENTS, TIMESTAMPTZOID as MOMENT, UUIDARRAYOID as UUIDS,
        UUIDOID as UUID,
    };
}

/// A statement, from a file of sql/, with the types of its parameters and how it is planned. Always a `static`: its plans
/// are found by its address.
pub struct Statement {
    sql: &'static str,
    parameters: &'static [BuiltinOid],
    planning: Planning,
}

/// How a statement is planned.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Planning {
    ByIndex,
    Kept,
    AtEachCall,
}

/// Transition tables are described by the table that the trigger is on. Row security that is forced on a table's owner
/// is part of a plan, and Postgres does not plan anew when it is lifted.
#[derive(PartialEq, Eq, Hash)]
struct PlanKey {
    statement: *const Statement,
    transition_tables_of: pg_sys::Oid,
    is_row_security_forced: bool,
}

thread_local! {
    static PLANS: RefCell<HashMap<PlanKey, pg_sys::SPIPlanPtr>> = RefCell::default();
}

impl Statement {
    /// One whose look-ups go by the indexes that its comment names, in every session and whatever the tables held when
    /// it was planned. For what runs often, on few rows of tables of any size.
    pub const fn by_index(sql: &'static str, parameters: &'static [BuiltinOid]) -> Self {
        Self { sql, parameters, planning: Planning::ByIndex }
    }

    /// One whose plan is kept, and is Postgres's choice. For tables that are read whole, and for small ones.
    pub const fn kept(sql: &'static str, parameters: &'static [BuiltinOid]) -> Self {
        Self { sql, parameters, planning: Planning::Kept }
    }

    /// One that is planned at every call, for its arguments and the tables as they are then. For what goes over large
    /// tables once in a while.
    pub const fn at_each_call(sql: &'static str, parameters: &'static [BuiltinOid]) -> Self {
        Self { sql, parameters, planning: Planning::AtEachCall }
    }

    /// Reads in the caller's snapshot, and hands the rows to `read`.
    pub fn read<T>(&self, arguments: &[DatumWithOid], read: impl FnOnce(Rows) -> Result<T>) -> Result<T> {
        self.execute(Access::Read, arguments, read)
    }

    /// Writes, or locks, in a snapshot of its own, and hands the rows to `read`. 25006 where nothing may be written.
    pub fn write<T>(&self, arguments: &[DatumWithOid], read: impl FnOnce(Rows) -> Result<T>) -> Result<T> {
        require_writable()?;
        self.execute(Access::Write, arguments, read)
    }

    /// Reads as [`Statement::read`] does, and keeps the rows.
    pub fn read_rows(&self, arguments: &[DatumWithOid]) -> Result<ResultSet> {
        self.read(arguments, |rows| Ok(rows.kept()))
    }

    /// Writes as [`Statement::write`] does, and keeps the rows.
    pub fn write_rows(&self, arguments: &[DatumWithOid]) -> Result<ResultSet> {
        self.write(arguments, |rows| Ok(rows.kept()))
    }

    /// Writes as [`Statement::write`] does; the rows do not matter.
    pub fn run(&self, arguments: &[DatumWithOid]) -> Result<()> {
        self.write(arguments, |_| Ok(()))
    }

    /// Writes as [`Statement::write`] does, with the trigger's transition tables in reach.
    pub fn write_in<T>(&self, trigger: &PgTrigger, read: impl FnOnce(Rows) -> Result<T>) -> Result<T> {
        self.execute(Access::WriteInTrigger(trigger), &[], read)
    }

    /// As [`Statement::run`], with the trigger's transition tables in reach.
    pub fn run_in(&self, trigger: &PgTrigger, arguments: &[DatumWithOid]) -> Result<()> {
        self.execute(Access::WriteInTrigger(trigger), arguments, |_| Ok(()))
    }

    fn execute<T>(
        &self,
        access: Access,
        arguments: &[DatumWithOid],
        read: impl FnOnce(Rows) -> Result<T>,
    ) -> Result<T> {
        let is_as_declared = arguments.iter().map(DatumWithOid::oid).eq(self.parameters.iter().map(|&oid| oid.into()));
        if !is_as_declared {
            return Err(broken_statement(format!("its arguments are not those that it declares: {}", self.sql)));
        }
        let (mut values, nulls): (Vec<pg_sys::Datum>, Vec<core::ffi::c_char>) = arguments
            .iter()
            .map(|argument| match argument.datum() {
                // SPI's mark of a NULL is the letter n.
                None => (pg_sys::Datum::null(), b'n'.cast_signed()),
                Some(datum) => (datum.sans_lifetime(), b' '.cast_signed()),
            })
            .unzip();
        // SAFETY: reads a variable of this backend.
        let outside = unsafe { pg_sys::CurrentMemoryContext };
        Spi::connect_mut(|_| {
            let mut relation = pg_sys::InvalidOid;
            if let Access::WriteInTrigger(trigger) = access {
                // SAFETY: Postgres only reads the trigger data, which lives as long as the trigger call. The result can
                // only tell that a name is taken, which a fresh SPI connection rules out.
                unsafe {
                    pg_sys::SPI_register_trigger_data(std::ptr::from_ref(trigger.trigger_data()).cast_mut());
                    relation = (*trigger.trigger_data().tg_relation).rd_id;
                }
            }
            let status = self.execute_with(&mut values, &nulls, relation, matches!(access, Access::Read))?;
            if status < 0 {
                return Err(broken_statement(format!("SPI failed with status {status}: {}", self.sql)));
            }
            // SAFETY: the statement has just been executed.
            read(unsafe { Rows::of_last_statement(outside) })
        })
    }

    /// What SPI says of it.
    fn execute_with(
        &self,
        values: &mut [pg_sys::Datum],
        nulls: &[core::ffi::c_char],
        transition_tables_of: pg_sys::Oid,
        is_read: bool,
    ) -> Result<i32> {
        let values = values.as_mut_ptr();
        // SAFETY: there are as many values as parameters, of their types, and SPI is connected.
        let execute_kept = || unsafe {
            let plan = self.plan(transition_tables_of)?;
            Ok(pg_sys::SPI_execute_plan(plan, values, nulls.as_ptr(), is_read, 0))
        };
        let planned = match self.planning {
            Planning::ByIndex => Planned::UnderSessions(by_index),
            Planning::Kept => Planned::UnderSessions(as_it_is),
            Planning::AtEachCall => Planned::UnderOurs,
        };
        if self.planning != Planning::AtEachCall {
            return until_execution(self.sql, planned, execute_kept);
        }
        let (sql, mut types) = self.text_and_types()?;
        let count = i32::try_from(types.len()).map_err(broken_statement)?;
        let (sql, types, nulls) = (sql.as_ptr(), types.as_mut_ptr(), nulls.as_ptr());
        // SAFETY: as above.
        let execute_once =
            || unsafe { Ok(pg_sys::SPI_execute_with_args(sql, count, types, values, nulls, is_read, 0)) };
        without_jit(|| until_execution(self.sql, planned, execute_once))?
    }

    /// The kept plan, which is made when it is first asked for.
    fn plan(&self, transition_tables_of: pg_sys::Oid) -> Result<pg_sys::SPIPlanPtr> {
        let key = PlanKey {
            statement: std::ptr::from_ref(self),
            transition_tables_of,
            // SAFETY: reads a flag of this backend.
            is_row_security_forced: !unsafe { pg_sys::InNoForceRLSOperation() },
        };
        if let Some(plan) = PLANS.with_borrow(|plans| plans.get(&key).copied()) {
            return Ok(plan);
        }
        let (sql, mut types) = self.text_and_types()?;
        let count = i32::try_from(types.len()).map_err(broken_statement)?;
        let options = if self.planning == Planning::ByIndex { pg_sys::CURSOR_OPT_GENERIC_PLAN } else { 0 };
        // SAFETY: text and types are read during the call only; a kept plan lives as long as the backend.
        let plan = unsafe {
            let plan = pg_sys::SPI_prepare_cursor(sql.as_ptr(), count, types.as_mut_ptr(), options.cast_signed());
            if plan.is_null() {
                return Err(broken_statement(format!("SPI could not prepare {}", self.sql)));
            }
            pg_sys::SPI_keepplan(plan);
            plan
        };
        PLANS.with_borrow_mut(|plans| plans.insert(key, plan));
        Ok(plan)
    }

    fn text_and_types(&self) -> Result<(CString, Vec<pg_sys::Oid>)> {
        let sql = CString::new(self.sql).map_err(broken_statement)?;
        Ok((sql, self.parameters.iter().map(|&oid| oid.into()).collect()))
    }
}

enum Access<'a> {
    Read,
    Write,
    WriteInTrigger(&'a PgTrigger<'a>),
}

/// Plans as Postgres does.
fn as_it_is(plan: &mut dyn FnMut() -> *mut pg_sys::PlannedStmt) -> *mut pg_sys::PlannedStmt {
    plan()
}

/// Makes the plan of a statement as if every table were large.
///
/// A kept plan outlives the statistics that it was made with. One made while `assignments` held one analysed row would go on
/// scanning when there are 300,000, and one made for a batch of 100,000 rows would read the whole table for a single row. So the
/// plan is made for the largest tables there may be, where nothing but look-ups by index is cheap; on small ones, those
/// cost next to nothing. The statement then executes under the session's own settings, and so do the triggers it fires.
fn by_index(plan: &mut dyn FnMut() -> *mut pg_sys::PlannedStmt) -> *mut pg_sys::PlannedStmt {
    // SAFETY: hook and flag are variables of this backend, and put back when these go out of scope, also by an error.
    unsafe {
        // Planning may evaluate functions, of a policy for example, that ask for another plan: the hook is there then.
        let _hook = (!IS_PLANNING.get()).then(|| {
            PREVIOUS_HOOK.set(pg_sys::get_relation_info_hook);
            let is_planning = IS_PLANNING.with(Cell::as_ptr);
            (
                Override::of(&raw mut pg_sys::get_relation_info_hook, Some(as_if_large)),
                Override::of(is_planning, true),
                // Of large tables, few rows of a statement look up the same: remembering them costs more than it spares.
                Override::of(&raw mut pg_sys::enable_memoize, false),
                // Where nothing is known of a column's values, Postgres takes them for few, and an index for no better than the whole.
                Override::of(&raw mut pg_sys::enable_seqscan, false),
            )
        });
        let planned = plan();
        // It only seems to be expensive enough to be compiled.
        (*planned).jitFlags = 0;
        planned
    }
}

thread_local! {
    /// Another extension's hook, which goes on being called.
    static PREVIOUS_HOOK: Cell<pg_sys::get_relation_info_hook_type> = const { Cell::new(None) };
    static IS_PLANNING: Cell<bool> = const { Cell::new(false) };
}

/// Tells the planner that a table and its indexes are as large as any will ever be.
#[pg_guard]
unsafe extern "C-unwind" fn as_if_large(
    root: *mut pg_sys::PlannerInfo,
    relation: pg_sys::Oid,
    is_parent: bool,
    info: *mut pg_sys::RelOptInfo,
) {
    const PAGES: pg_sys::BlockNumber = 1_000_000_000;
    const ROWS: f64 = 1e11;
    // SAFETY: the planner hands over its own structures, for such changes.
    unsafe {
        if let Some(previous) = PREVIOUS_HOOK.get() {
            pg_sys::ffi::pg_guard_ffi_boundary(|| previous(root, relation, is_parent, info));
        }
        ((*info).pages, (*info).tuples) = (PAGES, ROWS);
        for index in pgrx::PgList::<pg_sys::IndexOptInfo>::from_pg((*info).indexlist).iter_ptr() {
            ((*index).pages, (*index).tuples) = (PAGES, ROWS);
        }
    }
}

/// A variable of Postgres that has another value until this is dropped.
struct Override<T: Copy> {
    variable: *mut T,
    previous: T,
}

impl<T: Copy> Override<T> {
    /// # Safety
    /// `variable` lives as long as the backend, and any code may meet it with this value.
    unsafe fn of(variable: *mut T, value: T) -> Self {
        // SAFETY: as the caller promises; a backend has one thread.
        Self { variable, previous: unsafe { variable.replace(value) } }
    }
}

impl<T: Copy> Drop for Override<T> {
    fn drop(&mut self) {
        // SAFETY: as for `of`.
        unsafe { self.variable.write(self.previous) }
    }
}
