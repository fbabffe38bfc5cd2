//! Explaining: what becomes of each silence, and why. What decides is the rules' to say; here it is asked, and told.

mod assignment;
mod effect;
mod timeline;

pgrx::extension_sql_file!("../../sql/explain/silences.sql", name = "silences", requires = ["pay_reads"]);
pgrx::extension_sql_file!("../../sql/explain/silence_as_of.sql", name = "silence_as_of", requires = ["silences"]);
pgrx::extension_sql_file!("../../sql/explain/forgotten.sql", name = "forgotten", requires = ["silence_as_of"]);
