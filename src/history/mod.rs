//! What was: the versions of rows that updates and deletes replaced, and asking for them. Owns the triggers that keep them and the
//! horizon before which nothing is known; what is versioned is the rules' to say.

mod events;
mod horizon;
mod keep;
mod prune;

pub use self::events::{about, in_run, withdrawing};
pub use self::horizon::{history_known_since, move_to_now};
pub use self::keep::{is_kept_by, writer};

pgrx::extension_sql_file!("../../sql/history/reads.sql", name = "history_reads", requires = ["privacy_reads"]);
