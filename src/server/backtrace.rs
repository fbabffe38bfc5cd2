//! Errors show no Rust backtrace, whatever environment the server was started in. pgrx would put one into the DETAIL of every error
//! where RUST_BACKTRACE is set.

use std::backtrace::Backtrace;

use pgrx::pg_guard;

/// Postgres calls this as it loads the library, before any function of ours.
///
/// std asks the environment when a backtrace is first wanted, and keeps the answer for this library, which has a std of its own.
/// So it is asked here, and the environment put back: others in this process have their own answers.
#[pg_guard]
extern "C-unwind" fn _PG_init() {
    const SWITCH: &str = "RUST_LIB_BACKTRACE";
    let before = std::env::var_os(SWITCH);
    // SAFETY: a backend has one thread, and so has a postmaster that preloads libraries: nobody else reads the environment
    // meanwhile.
    unsafe {
        std::env::set_var(SWITCH, "0");
        drop(Backtrace::capture());
        match before {
            Some(value) => std::env::set_var(SWITCH, value),
            None => std::env::remove_var(SWITCH),
        }
    }
}
