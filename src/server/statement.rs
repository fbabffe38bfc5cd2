//! Statements: prepared at first use and kept for the life of the backend. Owns the plans; the SQL is the rooms'.

use std::cell::RefCell;
use std::collections::HashMap;

use pgrx::datum::DatumWithOid;
use pgrx::spi::{OwnedPreparedStatement, SpiClient, SpiHeapTupleData, SpiResult, SpiTupleTable};
use pgrx::{PgSqlErrorCode, PgTrigger, Spi, pg_sys};

use super::errors::{Result, broken_statement, error};
use super::setting::is_read_only;

/// The text of a statement, from a file of sql/, and the types of its parameters; none where the plan is not kept.
pub struct Statement {
    sql: &'static str,
    parameters: Option<&'static [pg_sys::BuiltinOid]>,
}

/// A plan is kept per statement and, where it reads transition tables, per table that the trigger is on.
type PlanKey = (*const u8, pg_sys::Oid);

thread_local! {
    static PLANS: RefCell<HashMap<PlanKey, &'static OwnedPreparedStatement>> = RefCell::default();
}

impl Statement {
    pub const fn new(sql: &'static str, parameters: &'static [pg_sys::BuiltinOid]) -> Self {
        Self { sql, parameters: Some(parameters) }
    }

    /// One that is planned at every call, for its arguments and the tables as they are then: a statement that goes over
    /// large tables once in a while. (A setting of plan_cache_mode would plan every foreign key check anew, too.)
    pub const fn planned_at_each_call(sql: &'static str) -> Self {
        Self { sql, parameters: None }
    }

    /// Reads in the caller's snapshot, and hands the rows to `read`.
    pub fn read<T>(&self, arguments: &[DatumWithOid], read: impl FnOnce(SpiTupleTable) -> SpiResult<T>) -> Result<T> {
        Spi::connect(|client| {
            match self.parameters {
                Some(parameters) => client.select(self.plan(client, parameters, pg_sys::InvalidOid)?, None, arguments),
                None => client.select(self.sql, None, arguments),
            }
            .and_then(read)
        })
        .map_err(broken_statement)
    }

    /// Writes, or locks, in a snapshot of its own, and hands the rows to `read`. 25006 where nothing may be written.
    pub fn write<T>(&self, arguments: &[DatumWithOid], read: impl FnOnce(SpiTupleTable) -> SpiResult<T>) -> Result<T> {
        // Before SPI asks for a transaction id, for which a standby has no better answer than an internal error.
        if is_read_only() {
            return Err(error(
                PgSqlErrorCode::ERRCODE_READ_ONLY_SQL_TRANSACTION,
                "this function writes, which a read-only transaction may not",
                "The transaction was begun READ ONLY, or this server is a standby.",
                "Call it on the primary, in a transaction that may write.",
            ));
        }
        Spi::connect_mut(|client| {
            match self.parameters {
                Some(parameters) => client.update(self.plan(client, parameters, pg_sys::InvalidOid)?, None, arguments),
                None => client.update(self.sql, None, arguments),
            }
            .and_then(read)
        })
        .map_err(broken_statement)
    }

    /// Writes as [`Statement::write`] does, with the trigger's transition tables in reach.
    pub fn write_in<T>(&self, trigger: &PgTrigger, read: impl FnOnce(SpiTupleTable) -> SpiResult<T>) -> Result<T> {
        Spi::connect_mut(|client| {
            let data = std::ptr::from_ref(trigger.trigger_data()).cast_mut();
            // SAFETY: Postgres only reads the trigger data, which lives as long as the trigger call. The result can
            // only tell that a name is taken, which a fresh SPI connection rules out.
            let relation = unsafe {
                pg_sys::SPI_register_trigger_data(data);
                (*trigger.trigger_data().tg_relation).rd_id
            };
            client.update(self.plan(client, &[], relation)?, None, &[]).and_then(read)
        })
        .map_err(broken_statement)
    }

    fn plan(
        &self,
        client: &SpiClient,
        parameters: &[pg_sys::BuiltinOid],
        relation: pg_sys::Oid,
    ) -> SpiResult<&'static OwnedPreparedStatement> {
        let key = (self.sql.as_ptr(), relation);
        if let Some(plan) = PLANS.with_borrow(|plans| plans.get(&key).copied()) {
            return Ok(plan);
        }
        let types: Vec<pg_sys::PgOid> = parameters.iter().map(|&oid| pg_sys::PgOid::BuiltIn(oid)).collect();
        let prepared = client.prepare(self.sql, &types)?.keep();
        // Leaked on purpose: freeing a plan while the process exits would touch memory that Postgres has released.
        let plan: &'static OwnedPreparedStatement = Box::leak(Box::new(prepared));
        PLANS.with_borrow_mut(|plans| plans.insert(key, plan));
        Ok(plan)
    }
}

/// For statements whose rows do not matter.
#[allow(clippy::unnecessary_wraps)] // a reader of rows, like the others
pub fn no_rows(_: SpiTupleTable) -> SpiResult<()> {
    Ok(())
}

/// The first column of every row, NULLs left out.
pub fn first_column<T: pgrx::FromDatum + pgrx::IntoDatum>(rows: SpiTupleTable) -> SpiResult<Vec<T>> {
    rows.filter_map(|row| row.get(1).transpose()).collect()
}

/// A column that the statement never leaves NULL.
pub fn given<T: pgrx::FromDatum + pgrx::IntoDatum>(row: &SpiHeapTupleData, column: usize) -> SpiResult<T> {
    row.get(column)?.ok_or(pgrx::spi::Error::InvalidPosition)
}

/// The columns of a row, by their numbers, as a tuple.
macro_rules! columns {
    ($row:expr; $($column:literal)+) => { ($($row.get($column)?,)+) };
}
pub(crate) use columns;
