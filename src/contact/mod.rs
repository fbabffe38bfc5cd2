//! Contact dates: how they follow activities, how they are read, how they are corrected.

mod asked;
mod correction;
mod repair;
mod signed;
mod triggers;

pub use repair::{release_moved, repair};

pgrx::extension_sql_file!(
    "../../sql/contact/verify.sql",
    name = "verify_contact_dates",
    requires = ["verify_assignment_counts"]
);
pgrx::extension_sql_file!("../../sql/contact/reads.sql", name = "contact_reads", requires = ["verify_contact_dates"]);
