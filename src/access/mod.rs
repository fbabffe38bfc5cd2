//! Who may see and do what: the person on whose behalf a session works, and the policies that go by it.

mod api;
mod person;
mod policies;

pub use self::person::{Mentor, administers, coordinates, current_user};
pub use self::policies::{extend_to, let_go};
