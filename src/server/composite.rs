//! Returning the `evaluation` composite at the cost of one tuple. Owns that conversion; decides nothing.

use pgrx::callconv::{BoxRet, FcInfo};
use pgrx::datum::Datum;
use pgrx::{IntoDatum, pg_sys};

use crate::rules::follow_up::Evaluation;

/// The SQL type `assignment_reminders.evaluation`.
pub struct EvaluationRow(pub Evaluation);

pgrx::pgrx_sql_entity_graph::impl_sql_translatable!(EvaluationRow, "assignment_reminders.evaluation");

// SAFETY: the datum is a tuple of the function's declared result type, which types.sql declares with these two columns.
unsafe impl BoxRet for EvaluationRow {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        // SAFETY: Postgres passes a call with its FmgrInfo; the descriptor kept in fn_extra lives as long as that does.
        unsafe {
            let descriptor = result_descriptor(fcinfo.as_mut_ptr());
            let mut values = [
                self.0.action.name().into_datum().unwrap_or_else(|| pg_sys::Datum::from(0)),
                pg_sys::Datum::from(self.0.days_since),
            ];
            let mut nulls = [false, false];
            let tuple = pg_sys::heap_form_tuple(descriptor, values.as_mut_ptr(), nulls.as_mut_ptr());
            fcinfo.return_raw_datum(pg_sys::HeapTupleHeaderGetDatum((*tuple).t_data))
        }
    }
}

/// The result type's descriptor, looked up once per call site: the look-up costs more than the rest of the call.
unsafe fn result_descriptor(call: pg_sys::FunctionCallInfo) -> pg_sys::TupleDesc {
    // SAFETY: as for box_into, the only caller.
    unsafe {
        let function = (*call).flinfo;
        if (*function).fn_extra.is_null() {
            let mut descriptor: pg_sys::TupleDesc = std::ptr::null_mut();
            let kind = pg_sys::get_call_result_type(call, std::ptr::null_mut(), &raw mut descriptor);
            assert!(
                kind == pg_sys::TypeFuncClass::TYPEFUNC_COMPOSITE,
                "the function is not declared to return a composite"
            );
            let previous = pg_sys::MemoryContextSwitchTo((*function).fn_mcxt);
            (*function).fn_extra = pg_sys::BlessTupleDesc(pg_sys::CreateTupleDescCopy(descriptor)).cast();
            pg_sys::MemoryContextSwitchTo(previous);
        }
        (*function).fn_extra.cast()
    }
}
