//! What is versioned: of which tables, by which key, and which columns follow from other rows. A change of those alone is no
//! version, since what they follow from is versioned, or never changes.

/// A table whose rows are versioned.
#[derive(Debug, PartialEq, Eq)]
pub struct Versioned {
    pub table: &'static str,
    /// By which its rows are known.
    pub key: &'static str,
    /// Whose row it is.
    pub organization: &'static str,
    /// What a row is about, by whose id its versions are found.
    pub belongs_to: Option<&'static str>,
    /// What triggers and runs of ours derive. `updated_at` is, everywhere.
    derived: &'static [&'static str],
}

const ORDINARY: Versioned =
    Versioned { table: "", key: "id", organization: "organization_id", belongs_to: None, derived: &[] };

/// Every table of which versions are kept. `completed_at` and `mentor_since` are not derived: clients may write them, and triggers
/// only together with a status or a mentor.
pub const VERSIONED: &[Versioned] = &[
    Versioned { table: "organizations", organization: "id", ..ORDINARY },
    // When the thresholds were changed is told by the versions.
    Versioned { table: "reminder_settings", key: "organization_id", derived: &["thresholds_changed_at"], ..ORDINARY },
    Versioned { table: "days_off", ..ORDINARY },
    // What an address bounced is the workers' to count; that it was given up is an opt-out.
    Versioned { table: "users", derived: &["soft_bounces", "soft_bounced_at"], ..ORDINARY },
    Versioned { table: "user_preferences", key: "user_id", ..ORDINARY },
    Versioned { table: "peer_mentors", derived: &["assignment_count"], ..ORDINARY },
    Versioned { table: "assignments", derived: &["last_contact_date"], ..ORDINARY },
    Versioned { table: "assignment_pauses", belongs_to: Some("assignment_id"), ..ORDINARY },
    Versioned { table: "mentor_pauses", belongs_to: Some("peer_mentor_id"), ..ORDINARY },
    Versioned { table: "contact_corrections", belongs_to: Some("assignment_id"), ..ORDINARY },
    Versioned { table: "activities", belongs_to: Some("assignment_id"), ..ORDINARY },
];

impl Versioned {
    pub fn named(table: &str) -> Option<&'static Self> {
        VERSIONED.iter().find(|versioned| versioned.table == table)
    }

    /// Whether a change of this column alone is no version.
    pub fn is_derived(&self, column: &str) -> bool {
        column == "updated_at" || self.derived.contains(&column)
    }
}

/// What a statement did to a row, as row_history has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// The row was not there before, whatever its `created_at` says.
    Insert,
    /// And it was there before its `created_at`.
    EarlyInsert,
    Update,
    Delete,
}

impl Operation {
    pub const fn inserted(is_created_later: bool) -> Self {
        if is_created_later { Self::EarlyInsert } else { Self::Insert }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::EarlyInsert => "early insert",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Versioned;

    #[test]
    fn what_we_derive_is_derived_and_what_clients_write_is_not() {
        for (table, column, is_derived) in [
            ("assignments", "last_contact_date", true),
            ("assignments", "updated_at", true),
            ("assignments", "status", false),
            ("assignments", "completed_at", false),
            ("assignments", "peer_mentor_id", false),
            ("peer_mentors", "assignment_count", true),
            ("peer_mentors", "user_id", false),
            ("users", "soft_bounces", true),
            ("users", "contact_opt_out", false),
            ("activities", "overruled_by", false),
            ("activities", "last_contact_date", false),
        ] {
            let versioned = Versioned::named(table).expect(table);
            assert_eq!(versioned.is_derived(column), is_derived, "{table}.{column}");
        }
    }

    #[test]
    fn what_is_not_versioned_is_not_named() {
        assert_eq!(Versioned::named("reminders"), None);
    }
}
