//! Claiming: which reminders a worker gets. Fair between organizations, oldest first, judged as they are handed out.

use std::cell::Cell;
use std::collections::HashMap;
use std::time::Instant;

use pgrx::datum::{Interval, TimestampWithTimeZone};
use pgrx::prelude::*;
use pgrx::{PgSqlErrorCode, Uuid};

use super::notify;
use super::progress::{self, Ended};
use crate::arguments;
use crate::organization::existing_organization;
use crate::rules::kind::Follows;
use crate::rules::rate::{self, Claims};
use crate::server::calendar::{nearest_moment, timestamp};
use crate::server::errors::{Result, error};
use crate::server::owner::as_owner_of;
use crate::server::result::{SetOf, returns};
use crate::server::row_security::Whole;
use crate::server::rows::{ResultSet, Row};
use crate::server::setting::require_read_committed;
use crate::server::size::blocks;
use crate::server::statement::{Statement, types};
use crate::server::swap;

returns!(
    /// What a worker gets. These columns since 0.1.0 and for good: a function that returns others is another function, which
    /// users' grants and views do not know. sql/delivery/claim.sql fills them, by their names.
    ClaimedReminders: SetOf,
    "TABLE (reminder_id uuid, claim_id uuid, claimed_until timestamptz, idempotency_key text, organization_id uuid, \
     reminder_type text, recipient_id uuid, recipient_email text, recipient_name text, recipient_timezone text, \
     assignment_id uuid, assignment_title text, student_name text, peer_mentor_name text, last_contact_date date, \
     days_since integer, due_at timestamptz, due_at_local timestamp, anchor timestamptz, scheduled_for timestamptz, \
     attempts integer)"
);

/// Hands out up to batch_size reminders that are due at as_of, oldest first and in turn over the organizations, leased
/// to the caller until lease has passed; after that, another claim may take them. What should no longer be sent is
/// skipped with its reason instead. No row: nothing is due. Answer with mark_reminder_sent or mark_reminder_failed. A
/// claim that nobody answered for before its lease ended has cost an attempt; the last one after that is handed out
/// alone, and after max_attempts the reminder is given up (status failed, and a notification). NULL organization: all
/// that the caller sees.
///
/// 22004 for NULL, 22023 for a size outside 1 to 10,000, a lease outside a day or an as_of over 31 days ahead, 22008 for an infinite as_of, 02000
/// for an unknown organization, 25001 in a transaction that is not READ COMMITTED.
#[pg_extern(volatile)]
fn claim_reminders(
    batch_size: default!(Option<i32>, 100),
    lease: default!(Option<Interval>, "interval '5 minutes'"),
    organization_id: default!(Option<Uuid>, "NULL"),
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<SetOf<ClaimedReminders>> {
    const WHOLE: Whole = Whole {
        updates: &["reminders", "claim_rates"],
        inserts: &["send_logs", "claim_rates"],
        ..Whole::reads(&[
            "organizations",
            "reminder_settings",
            "reminders",
            "assignments",
            "peer_mentors",
            "users",
            "user_preferences",
            "claim_rates",
        ])
    };
    let batch_size = arguments::size("batch_size", batch_size)?;
    let lease = arguments::lease(lease)?;
    let as_of = arguments::as_of_claim(as_of)?;
    WHOLE.require()?;
    let organization = existing_organization(organization_id)?;
    require_read_committed(
        "claim_reminders()",
        "In a stricter one it would not see a contact or an opt-out that was committed after the transaction began.",
    )?;

    let limits = Limit::lock(organization, as_of)?;
    let claim = Claim { batch_size, as_of, lease, organization };
    let mut ended = progress::resume_point();
    loop {
        let (rows, is_exhausted) = claim.take(&limits, ended)?;
        // A batch of nothing but skipped reminders would look like an empty outbox.
        if !rows.is_empty() || is_exhausted {
            Limit::save(&limits, &rows, as_of)?;
            return Ok(SetOf::statement(rows));
        }
        ended = Ended::default();
    }
}

thread_local! {
    /// Whether a claim is at work, and may ask what is paused.
    static IS_CLAIMING: Cell<bool> = const { Cell::new(false) };
}

/// Which of these assignments are paused at as_of. Answers claims alone, with the rights of the tables' owner. NULL for NULL.
///
/// 42501 for anybody else.
#[pg_extern(stable)]
fn paused_among(assignment_ids: Vec<Option<Uuid>>, as_of: TimestampWithTimeZone) -> Result<Vec<Uuid>> {
    static PAUSED: Statement =
        Statement::by_index(include_str!("../../sql/delivery/paused.sql"), &[types::UUIDS, types::MOMENT]);
    if !IS_CLAIMING.get() {
        return Err(error(
            PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
            "paused_among() answers claims alone",
            "It looks with the rights of the tables' owner, whoever calls it.",
            "Read assignment_reminders.assignment_pauses, as far as you may.",
        ));
    }
    // An index has a block before anything is in it.
    if blocks(c"assignment_pauses_paused_idx") <= 1 && blocks(c"mentor_pauses") == 0 {
        return Ok(Vec::new());
    }
    let assignments: Vec<Uuid> = assignment_ids.into_iter().flatten().collect();
    as_owner_of("assignment_pauses", || {
        PAUSED.read(&[assignments.into(), as_of.into()], |rows| rows.column("assignment_id"))
    })
}

struct Claim {
    batch_size: i32,
    as_of: TimestampWithTimeZone,
    lease: Interval,
    organization: Option<Uuid>,
}

impl Claim {
    /// What one statement claims, and whether there was nothing at all from the beginning on.
    fn take(&self, limits: &[Limit], ended: Ended) -> Result<(ResultSet, bool)> {
        static CLAIM: Statement = Statement::by_index(
            include_str!("../../sql/delivery/claim.sql"),
            &[
                types::INT,
                types::MOMENT,
                types::INTERVAL,
                types::UUID,
                types::UUIDS,
                types::INTS,
                types::UUIDS,
                types::MOMENTS,
                types::BIGINTS,
                types::TEXTS,
            ],
        );
        let limited: Vec<Uuid> = limits.iter().map(|limit| limit.organization).collect();
        let allowances: Vec<i32> = limits.iter().map(|limit| limit.allowance).collect();
        let is_full_scan = ended.is_empty();
        let started = Instant::now();
        let arguments = [
            self.batch_size.into(),
            self.as_of.into(),
            self.lease.into(),
            self.organization.into(),
            limited.into(),
            allowances.into(),
            ended.organizations.into(),
            ended.available_at.into(),
            ended.numbers.into(),
            Follows::DueDate.other_types().into(),
        ];
        let mut decided = swap::with(&IS_CLAIMING, true, || CLAIM.write_rows(&arguments))?;
        if is_full_scan {
            progress::began(started.elapsed());
        }
        let positions: Result<Vec<_>> = decided.rows().map(queue_position).collect();
        progress::ended(positions?.into_iter());
        log_lost(&decided)?;
        let is_exhausted = is_full_scan && decided.is_empty();
        // What was skipped or given up has no claim, and is nothing for the worker.
        decided.retain(|row| Ok(row.get::<Uuid>("claim_id")?.is_some()))?;
        Ok((decided, is_exhausted))
    }
}

/// Where a reminder stands in the queue of its organization.
fn queue_position(row: &Row) -> Result<(Uuid, TimestampWithTimeZone, i64)> {
    Ok((row.not_null("organization_id")?, row.not_null("available_at")?, row.not_null("number")?))
}

/// Logs the attempts that nobody answered for, and notifies when a reminder was given up for it.
fn log_lost(decided: &ResultSet) -> Result<()> {
    static LOG: Statement =
        Statement::by_index(include_str!("../../sql/delivery/log_lost.sql"), &[types::UUIDS, types::TEXTS]);
    let (mut reminders, mut addresses, mut is_given_up) = (Vec::<Uuid>::new(), Vec::<Option<String>>::new(), false);
    for row in decided.rows() {
        is_given_up = is_given_up || row.not_null("is_given_up")?;
        if row.not_null("is_lost")? {
            reminders.push(row.not_null("reminder_id")?);
            addresses.push(row.get("lost_email")?);
        }
    }
    if !reminders.is_empty() {
        LOG.run(&[reminders.into(), addresses.into()])?;
    }
    if is_given_up {
        notify::failed()?;
    }
    Ok(())
}

/// What an organization with a rate limit has claimed lately, locked until this transaction ends.
struct Limit {
    organization: Uuid,
    claims: Vec<Claims>,
    allowance: i32,
}

impl Limit {
    fn lock(organization: Option<Uuid>, as_of: TimestampWithTimeZone) -> Result<Vec<Self>> {
        static LIMITED: Statement = Statement::kept(
            include_str!("../../sql/delivery/limited_organizations.sql"),
            &[types::UUID, types::MOMENT],
        );
        static COUNT: Statement = Statement::kept(
            "INSERT INTO assignment_reminders.claim_rates (organization_id) SELECT unnest($1) ON CONFLICT DO NOTHING",
            &[types::UUIDS],
        );
        static LOCK: Statement = Statement::kept(include_str!("../../sql/delivery/lock_rates.sql"), &[types::UUIDS]);

        /// An organization that limits its messages.
        struct Limited {
            organization: Uuid,
            per_minute: i32,
            is_counted: bool,
        }
        let limited: Vec<Limited> = LIMITED.write(&[organization.into(), as_of.into()], |rows| {
            rows.map(|row| {
                Ok(Limited {
                    organization: row.not_null("organization_id")?,
                    per_minute: row.not_null("messages_per_minute")?,
                    is_counted: row.not_null("is_counted")?,
                })
            })
            .collect()
        })?;
        if limited.is_empty() {
            return Ok(Vec::new());
        }
        let uncounted: Vec<Uuid> =
            limited.iter().filter(|limit| !limit.is_counted).map(|limit| limit.organization).collect();
        if !uncounted.is_empty() {
            COUNT.run(&[uncounted.into()])?;
        }
        let organizations: Vec<Uuid> = limited.iter().map(|limit| limit.organization).collect();
        let mut locked: HashMap<Uuid, Vec<Claims>> = LOCK.write(&[organizations.into()], |rows| {
            rows.map(|row| Ok((row.not_null("organization_id")?, claims(row)?))).collect()
        })?;
        Ok(limited
            .into_iter()
            .map(|Limited { organization, per_minute, .. }| {
                // One that another claim holds gets nothing here: that claim is serving it.
                let held = locked.remove(&organization);
                let allowance =
                    held.as_ref().map_or(0, |claims| rate::allowance(claims, per_minute, nearest_moment(as_of)));
                Self { organization, claims: held.unwrap_or_default(), allowance }
            })
            .collect())
    }

    /// Counts what was claimed of organizations with a limit.
    fn save(limits: &[Self], claimed: &ResultSet, as_of: TimestampWithTimeZone) -> Result<()> {
        static SAVE: Statement = Statement::kept(
            include_str!("../../sql/delivery/save_rate.sql"),
            &[types::UUID, types::MOMENTS, types::INTS],
        );
        if limits.is_empty() {
            return Ok(());
        }
        let mut messages: HashMap<Uuid, i32> = HashMap::new();
        for row in claimed.rows() {
            *messages.entry(row.not_null("organization_id")?).or_insert(0) += 1;
        }
        for limit in limits {
            let Some(&messages) = messages.get(&limit.organization) else { continue };
            let counting = rate::after_claim(&limit.claims, messages, nearest_moment(as_of));
            let at: Vec<TimestampWithTimeZone> = counting.iter().filter_map(|claims| timestamp(claims.at)).collect();
            let messages: Vec<i32> = counting.iter().map(|claims| claims.messages).collect();
            SAVE.run(&[limit.organization.into(), at.into(), messages.into()])?;
        }
        Ok(())
    }
}

/// What an organization has claimed, from its pairwise columns.
fn claims(row: Row) -> Result<Vec<Claims>> {
    let at: Vec<Option<TimestampWithTimeZone>> = row.not_null("claimed_at")?;
    let messages: Vec<Option<i32>> = row.not_null("messages")?;
    let pairs = at.into_iter().zip(messages);
    Ok(pairs.filter_map(|(at, messages)| Some(Claims { at: nearest_moment(at?), messages: messages? })).collect())
}
