//! follow_up_effect: after how many days contact came, of the follow-ups that were sent. What is counted as what is its statement's to say.

use pgrx::Uuid;
use pgrx::datum::Date;
use pgrx::prelude::*;

use crate::arguments::require_order;
use crate::organization::existing_organization;
use crate::server::errors::{Result, null_argument};
use crate::server::result::{SetOf, returns};
use crate::server::row_security::Whole;
use crate::server::statement::{Statement, types};

returns!(
    /// What came of the follow-ups about each mentor's assignments.
    FollowUpEffect: SetOf,
    "TABLE (organization_id uuid, peer_mentor_id uuid, kind text, sent integer, followed_by_contact integer, within_3_days integer, \
     within_7_days integer, within_14_days integer, median_days integer, followed_by_message integer, still_silent integer, no_longer_awaited integer)"
);

/// After how many days contact came, of the reminders and escalations that were sent from first_day to last_day in their organization's time zone: a row for
/// each organization, mentor and kind (as in reminder_kinds()) of which any was. peer_mentor_id: whoever was mentor when it was sent; NULL: nobody, or it is
/// not known any more. sent: messages that were handed to the provider, whatever became of them then, each once. Of these, followed_by_contact: there was
/// contact, on the day it was sent or later, and before the day of the next reminder or escalation about the assignment, so that each contact tells of one
/// message; within_3_days, within_7_days and within_14_days: so many days after it at most, 0 being the same day; median_days: within so many days were half of
/// those, NULL: there were none. Contacts count by when they took place, whoever registered them; attempts, and what a correction overruled, do not.
/// followed_by_message: the next message came first. still_silent: nothing came yet, and the assignment is open and followed up. no_longer_awaited: nothing
/// came, and it was closed, paused by its status, deleted or is not followed up any more, or its contact date was set without a contact. These four make up
/// sent. All as it is known now; what prune() took away is not counted. NULL organization: all.
///
/// 22004 for a NULL day, 22008 for an infinite one, 22023 where first_day is after last_day, 02000 for an unknown organization, 42501 where row security may
/// hide rows: coordinators and admins have it of their organization.
#[pg_extern(stable)]
fn follow_up_effect(
    first_day: Option<Date>,
    last_day: Option<Date>,
    organization_id: default!(Option<Uuid>, "NULL"),
) -> Result<SetOf<FollowUpEffect>> {
    static EFFECT: Statement =
        Statement::at_each_call(include_str!("../../sql/explain/effect.sql"), &[types::DATE, types::DATE, types::UUID]);
    const WHOLE: Whole =
        Whole::reads(&["organizations", "send_logs", "reminders", "reminder_events", "assignments", "activities"]);
    let first = first_day.ok_or_else(|| null_argument("first_day"))?;
    let last = last_day.ok_or_else(|| null_argument("last_day"))?;
    require_order(first, last)?;
    let organization = existing_organization(organization_id)?;
    WHOLE.require_in(|| Ok(organization))?;
    Ok(SetOf::statement(EFFECT.read_rows(&[Some(first).into(), Some(last).into(), organization.into()])?))
}
