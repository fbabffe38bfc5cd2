//! Rate limits: what an organization with messages_per_minute may still get in this claim, and what it has got. How much that is, is the
//! rules' to say.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use pgrx::Uuid;
use pgrx::datum::TimestampWithTimeZone;

use super::asked::with_questions;
use crate::rules::rate::{self, Claims};
use crate::server::calendar::{nearest_moment, timestamp};
use crate::server::errors::Result;
use crate::server::rows::Row;
use crate::server::setting::with_lock_timeout;
use crate::server::size::blocks;
use crate::server::statement::{Statement, types};
use crate::server::subtransaction::{attempt_where, is_lock_not_available};

/// What limits the messages of organizations.
#[derive(Default)]
pub struct Limits {
    /// Those of which nothing is to be claimed for now.
    pub paused: HashSet<[u8; 16]>,
    pub limited: Vec<Limited>,
}

impl Limits {
    pub fn of(organizations: Vec<Uuid>, as_of: TimestampWithTimeZone) -> Result<Self> {
        static LIMITS: Statement =
            Statement::by_index(include_str!("../../sql/delivery/limits.sql"), &[types::UUIDS, types::MOMENT]);
        if organizations.is_empty() || !limits_anybody() {
            return Ok(Self::default());
        }
        LIMITS.write(&[organizations.into(), as_of.into()], |rows| {
            let mut limits = Self::default();
            for row in rows {
                let organization: Uuid = row.not_null("organization_id")?;
                if row.not_null("is_paused")? {
                    limits.paused.insert(*organization.as_bytes());
                } else if let Some(per_minute) = row.get("messages_per_minute")? {
                    let is_counted = row.not_null("is_counted")?;
                    limits.limited.push(Limited { organization, per_minute, is_counted });
                }
            }
            Ok(limits)
        })
    }

    /// Whether nothing of this organization is handed out now, whatever it is: its sending is paused, or limited to nothing.
    pub fn stop(&self, organization: Uuid) -> bool {
        let is_it = |limited: &Limited| limited.organization.as_bytes() == organization.as_bytes();
        self.paused.contains(organization.as_bytes())
            || self.limited.iter().any(|limited| is_it(limited) && limited.per_minute == 0)
    }
}

/// An organization that limits its messages.
pub struct Limited {
    pub organization: Uuid,
    pub per_minute: i32,
    pub is_counted: bool,
}

/// What an organization with a rate limit has claimed lately, locked until this transaction ends.
pub struct Limit {
    organization: Uuid,
    claims: Vec<Claims>,
    allowance: i32,
}

impl Limit {
    /// Locks what these have claimed. One that another claim holds gets nothing here: that claim is serving it.
    pub fn lock(limited: Vec<Limited>, as_of: TimestampWithTimeZone) -> Result<Vec<Self>> {
        static LOCK: Statement =
            Statement::by_index(include_str!("../../sql/delivery/lock_rates.sql"), &[types::UUIDS]);
        if limited.is_empty() {
            return Ok(Vec::new());
        }
        let uncounted: Vec<Uuid> =
            limited.iter().filter(|limit| !limit.is_counted).map(|limit| limit.organization).collect();
        if !uncounted.is_empty() {
            count(uncounted)?;
        }
        let organizations: Vec<Uuid> = limited.iter().map(|limit| limit.organization).collect();
        let mut locked: HashMap<Uuid, Vec<Claims>> = LOCK.write(&[organizations.into()], |rows| {
            rows.map(|row| Ok((row.not_null("organization_id")?, claims(row)?))).collect()
        })?;
        Ok(limited
            .into_iter()
            .map(|Limited { organization, per_minute, .. }| {
                let held = locked.remove(&organization);
                let allowance =
                    held.as_ref().map_or(0, |claims| rate::allowance(claims, per_minute, nearest_moment(as_of)));
                Self { organization, claims: held.unwrap_or_default(), allowance }
            })
            .collect())
    }

    /// The organization, and how many messages of it may be claimed.
    pub fn allowance(&self) -> ([u8; 16], i32) {
        (*self.organization.as_bytes(), self.allowance)
    }

    /// Counts the messages that were claimed of organizations with a limit.
    pub fn save(limits: &[Self], messages: &HashMap<[u8; 16], i32>, as_of: TimestampWithTimeZone) -> Result<()> {
        static SAVE: Statement = Statement::by_index(
            include_str!("../../sql/delivery/save_rate.sql"),
            &[types::UUID, types::MOMENTS, types::INTS],
        );
        if limits.is_empty() {
            return Ok(());
        }
        for limit in limits {
            let Some(&messages) = messages.get(limit.organization.as_bytes()) else { continue };
            let counting = rate::after_claim(&limit.claims, messages, nearest_moment(as_of));
            let at: Vec<TimestampWithTimeZone> = counting.iter().filter_map(|claims| timestamp(claims.at)).collect();
            let messages: Vec<i32> = counting.iter().map(|claims| claims.messages).collect();
            SAVE.run(&[limit.organization.into(), at.into(), messages.into()])?;
        }
        Ok(())
    }
}

/// Makes the rows in which these organizations' claims are counted and their sending is paused, where there are none. While somebody else does, and has
/// not ended, or deletes an organization, it has none.
pub fn count(organizations: Vec<Uuid>) -> Result<()> {
    static COUNT: Statement = Statement::by_index(include_str!("../../sql/delivery/count_claims.sql"), &[types::UUIDS]);
    const WAIT: Duration = Duration::from_millis(50);
    let count = || with_lock_timeout(WAIT, || with_questions(|| COUNT.run(&[organizations.into()])))?;
    attempt_where(is_lock_not_available, count).map(drop)
}

/// Whether any organization may limit or pause its messages, without reading: most programmes have none. An index has a block before anything is in it.
fn limits_anybody() -> bool {
    blocks(c"reminder_settings_limited_idx") > 1 || blocks(c"claim_rates") > 0
}

/// What an organization has claimed, from its pairwise columns.
fn claims(row: Row) -> Result<Vec<Claims>> {
    let at: Vec<Option<TimestampWithTimeZone>> = row.not_null("claimed_at")?;
    let messages: Vec<Option<i32>> = row.not_null("messages")?;
    let pairs = at.into_iter().zip(messages);
    Ok(pairs.filter_map(|(at, messages)| Some(Claims { at: nearest_moment(at?), messages: messages? })).collect())
}
