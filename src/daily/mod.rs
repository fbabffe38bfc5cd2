//! The daily run: what it enqueues, when it is scheduled, how it is watched.

mod health;
mod run;
mod schedule;

/// The advisory lock of a run: the first number spells "asrm", the second names the lock.
const RUN_LOCK: (i32, i32) = (0x6173_726D, 1);

// In a chain: pgrx would write independent blocks in an order of its own, another one every time.
pgrx::extension_sql_file!(
    "../../sql/daily/dispatched_at.sql",
    name = "dispatched_at",
    requires = ["verify_contact_dates"]
);
pgrx::extension_sql_file!("../../sql/daily/follow_up_type.sql", name = "follow_up_type", requires = ["dispatched_at"]);
pgrx::extension_sql_file!(
    "../../sql/daily/evaluate_assignments.sql",
    name = "evaluate_assignments",
    requires = ["follow_up_type"]
);
