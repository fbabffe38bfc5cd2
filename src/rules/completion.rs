//! Completion: `completed` and `status = 'completed'` say the same; the one that a client writes leads.

/// The two columns, as a row has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completion<'a> {
    pub status: &'a str,
    pub completed: bool,
}

/// What makes the two agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adjustment {
    /// They agree, or both were written and contradict each other, which the constraint refuses.
    Nothing,
    SetStatus(&'static str),
    SetCompleted(bool),
}

/// How the row being written is adjusted, from what is stored under its id. Of a new row (`old` is `None`) whichever says
/// completed leads, since the other may be a default. An assignment that is no longer completed is open again.
#[must_use]
pub fn reconcile(old: Option<Completion>, new: Completion) -> Adjustment {
    let is_completed = new.status == "completed";
    if new.completed == is_completed {
        return Adjustment::Nothing;
    }
    let (status_led, completed_led) = match old {
        Some(old) => (old.status != new.status, old.completed != new.completed),
        None => (is_completed, new.completed),
    };
    match (status_led, completed_led) {
        (true, false) => Adjustment::SetCompleted(is_completed),
        (false, true) => Adjustment::SetStatus(if new.completed { "completed" } else { "open" }),
        _ => Adjustment::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: Completion = Completion { status: "open", completed: false };
    const DONE: Completion = Completion { status: "completed", completed: true };

    #[test]
    fn on_insert_whichever_says_completed_leads() {
        assert_eq!(reconcile(None, Completion { completed: true, ..OPEN }), Adjustment::SetStatus("completed"));
        assert_eq!(reconcile(None, Completion { completed: false, ..DONE }), Adjustment::SetCompleted(true));
    }

    #[test]
    fn on_update_the_one_that_changed_leads() {
        assert_eq!(reconcile(Some(OPEN), Completion { completed: true, ..OPEN }), Adjustment::SetStatus("completed"));
        assert_eq!(reconcile(Some(OPEN), Completion { status: "completed", ..OPEN }), Adjustment::SetCompleted(true));
        assert_eq!(reconcile(Some(DONE), Completion { completed: false, ..DONE }), Adjustment::SetStatus("open"));
        assert_eq!(reconcile(Some(DONE), Completion { status: "cancelled", ..DONE }), Adjustment::SetCompleted(false));
    }

    #[test]
    fn what_agrees_is_left_alone() {
        assert_eq!(reconcile(Some(OPEN), DONE), Adjustment::Nothing);
        assert_eq!(reconcile(None, OPEN), Adjustment::Nothing);
    }

    #[test]
    fn a_contradiction_is_left_to_the_constraint() {
        let paused = Completion { status: "paused", completed: false };
        assert_eq!(reconcile(Some(paused), Completion { status: "open", completed: true }), Adjustment::Nothing);
    }
}
