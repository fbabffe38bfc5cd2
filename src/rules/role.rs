//! What a person is to their organization, and who may make them so.

/// `users.role`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Member,
    Coordinator,
    Admin,
}

impl Role {
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "member" => Some(Self::Member),
            "coordinator" => Some(Self::Coordinator),
            "admin" => Some(Self::Admin),
            _ => None,
        }
    }

    /// Sees and does all in their organization.
    #[must_use]
    pub fn coordinates(self) -> bool {
        matches!(self, Self::Coordinator | Self::Admin)
    }

    /// Changes the organization itself and its settings.
    #[must_use]
    pub fn administers(self) -> bool {
        self == Self::Admin
    }
}

/// Whether somebody who is bound by row security may write a person's role and sign-in: an admin of the organization may, of others
/// (`writer`: what the writer is there). Nobody makes themselves what they are.
#[must_use]
pub fn may_assign(writer: Option<Role>, is_own_row: bool) -> bool {
    writer.is_some_and(Role::administers) && !is_own_row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_admin_assigns_roles_and_only_to_others() {
        for writer in [None, Some(Role::Member), Some(Role::Coordinator), Some(Role::Admin)] {
            assert_eq!(may_assign(writer, false), writer == Some(Role::Admin));
            assert!(!may_assign(writer, true));
        }
    }

    #[test]
    fn an_admin_coordinates_and_a_coordinator_does_not_administer() {
        let powers = |name| Role::named(name).map(|role| (role.coordinates(), role.administers()));
        assert_eq!(powers("member"), Some((false, false)));
        assert_eq!(powers("coordinator"), Some((true, false)));
        assert_eq!(powers("admin"), Some((true, true)));
        assert_eq!(powers("owner"), None);
    }
}
