//! What mentors are paid by: statements of what they had and did in a period, told from the history, and periods that were closed, which
//! nothing changes any more. The arithmetic is the rules' (`rules::statement`).

mod close;
mod statement;

pub use self::close::needed_since;

pgrx::extension_sql_file!("../../sql/pay/reads.sql", name = "pay_reads", requires = ["history_reads"]);
