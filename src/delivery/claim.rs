//! Claiming: which reminders a worker gets. Fair between organisations, oldest first, judged as they are handed out.

//! Claiming: which reminders a worker gets. Fair between organisations, oldest first, judged as they are handed out.

use std::time::Instant;

use pgrx::datum::{Date, Interval, Timestamp, TimestampWithTimeZone};
use pgrx::prelude::*;
use pgrx::spi::{SpiHeapTupleData, SpiResult};
use pgrx::{PgSqlErrorCode, Uuid};

use super::notify;
use super::progress::{self, Ended};
use crate::arguments;
use crate::organization::existing_organization;
use crate::rules::rate::{self, Claims};
use crate::server::calendar::{nearest_moment, timestamp};
use crate::server::errors::{Result, error};
use crate::server::setting::is_read_committed;
use crate::server::statement::{Statement, columns, given, no_rows};

/// The columns that a worker gets.
type Claimed = (
    Option<Uuid>,
    Option<Uuid>,
    Option<TimestampWithTimeZone>,
    Option<String>,
    Option<Uuid>,
    Option<String>,
    Option<Uuid>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<Uuid>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<Date>,
    Option<i32>,
    Option<TimestampWithTimeZone>,
    Option<Timestamp>,
    Option<TimestampWithTimeZone>,
    Option<TimestampWithTimeZone>,
    Option<i32>,
);

/// Hands out up to `batch_size` reminders that are due at `as_of`, oldest first and in turn over the organisations, leased
/// to the caller until `lease` has passed; after that, another claim may take them. What should no longer be sent is
/// skipped with its reason instead. No row: nothing is due. Answer with `mark_reminder_sent` or `mark_reminder_failed`.
/// A claim that nobody answered for before its lease ended has cost an attempt; the last one after that is handed out alone,
/// and after `max_attempts` the reminder is given up (status failed, and a notification).
/// NULL organisation: all that the caller sees. 22004 for NULL, 22023 for a size outside 1 to 10,000 or a lease outside a
/// day, 22008 for an infinite `as_of`, P0002 for an unknown organisation, 25001 in a transaction that is not READ COMMITTED.
#[pg_extern(volatile)]
#[search_path(pg_catalog, pg_temp)]
fn claim_reminders(
    batch_size: default!(Option<i32>, 100),
    lease: default!(Option<Interval>, "interval '5 minutes'"),
    organization_id: default!(Option<Uuid>, "NULL"),
    as_of: default!(Option<TimestampWithTimeZone>, "now()"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(reminder_id, Option<Uuid>),
            name!(claim_id, Option<Uuid>),
            name!(claimed_until, Option<TimestampWithTimeZone>),
            name!(idempotency_key, Option<String>),
            name!(organization_id, Option<Uuid>),
            name!(reminder_type, Option<String>),
            name!(recipient_id, Option<Uuid>),
            name!(recipient_email, Option<String>),
            name!(recipient_name, Option<String>),
            name!(recipient_timezone, Option<String>),
            name!(assignment_id, Option<Uuid>),
            name!(assignment_title, Option<String>),
            name!(student_name, Option<String>),
            name!(peer_mentor_name, Option<String>),
            name!(last_contact_date, Option<Date>),
            name!(days_since, Option<i32>),
            name!(due_at, Option<TimestampWithTimeZone>),
            name!(due_at_local, Option<Timestamp>),
            name!(anchor, Option<TimestampWithTimeZone>),
            name!(scheduled_for, Option<TimestampWithTimeZone>),
            name!(attempts, Option<i32>),
        ),
    >,
> {
    let batch_size = arguments::size("batch_size", batch_size)?;
    let lease = arguments::lease(lease)?;
    let as_of = arguments::as_of(as_of)?;
    let organization = existing_organization(organization_id)?;
    require_read_committed()?;

    let limits = Limit::lock(organization, as_of)?;
    let claim = Claim { batch_size, as_of, lease, organization };
    let mut ended = progress::where_to_begin();
    loop {
        let (rows, is_exhausted) = claim.take(&limits, ended)?;
        // A batch of nothing but skipped reminders would look like an empty outbox.
        if !rows.is_empty() || is_exhausted {
            Limit::save(&limits, &rows, as_of)?;
            return Ok(TableIterator::new(rows));
        }
        ended = Ended::default();
    }
}

struct Claim {
    batch_size: i32,
    as_of: TimestampWithTimeZone,
    lease: Interval,
    organization: Option<Uuid>,
}

impl Claim {
    /// What one statement claims, and whether there was nothing at all from the beginning on.
    fn take(&self, limits: &[Limit], ended: Ended) -> Result<(Vec<Claimed>, bool)> {
        static CLAIM: Statement = Statement::new(
            include_str!("../../sql/delivery/claim.sql"),
            &[
                pg_sys::BuiltinOid::INT4OID,
                pg_sys::BuiltinOid::TIMESTAMPTZOID,
                pg_sys::BuiltinOid::INTERVALOID,
                pg_sys::BuiltinOid::UUIDOID,
                pg_sys::BuiltinOid::UUIDARRAYOID,
                pg_sys::BuiltinOid::INT4ARRAYOID,
                pg_sys::BuiltinOid::UUIDARRAYOID,
                pg_sys::BuiltinOid::TIMESTAMPTZARRAYOID,
                pg_sys::BuiltinOid::INT8ARRAYOID,
            ],
        );
        let limited: Vec<Uuid> = limits.iter().map(|limit| limit.organization).collect();
        let allowances: Vec<i32> = limits.iter().map(|limit| limit.allowance).collect();
        let is_from_the_beginning = ended.is_empty();
        let started = Instant::now();
        let locked = CLAIM.write(
            &[
                self.batch_size.into(),
                self.as_of.into(),
                self.lease.into(),
                self.organization.into(),
                limited.into(),
                allowances.into(),
                ended.organizations.into(),
                ended.available_at.into(),
                ended.numbers.into(),
            ],
            |rows| rows.map(Locked::read).collect::<SpiResult<Vec<_>>>(),
        )?;
        if is_from_the_beginning {
            progress::began(started.elapsed());
        }
        progress::ended(locked.iter().filter_map(Locked::place));
        log_lost(&locked)?;
        let is_exhausted = is_from_the_beginning && locked.is_empty();
        Ok((locked.into_iter().map(|locked| locked.row).filter(|row| row.1.is_some()).collect(), is_exhausted))
    }
}

/// A reminder that a claim has decided on.
struct Locked {
    /// What the worker gets; no claim id if it gets nothing.
    row: Claimed,
    available_at: TimestampWithTimeZone,
    number: i64,
    /// Nobody answered for its last claim.
    is_lost: bool,
    is_given_up: bool,
}

impl Locked {
    fn read(row: SpiHeapTupleData) -> SpiResult<Self> {
        Ok(Self {
            row: columns!(row; 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21),
            available_at: given(&row, 22)?,
            number: given(&row, 23)?,
            is_lost: given(&row, 24)?,
            is_given_up: given(&row, 25)?,
        })
    }

    fn place(&self) -> Option<(Uuid, TimestampWithTimeZone, i64)> {
        Some((self.row.4?, self.available_at, self.number))
    }
}

/// Logs the attempts that nobody answered for, and tells when a reminder was given up for it.
fn log_lost(locked: &[Locked]) -> Result<()> {
    static LOG: Statement = Statement::new(
        include_str!("../../sql/delivery/log_lost.sql"),
        &[pg_sys::BuiltinOid::UUIDARRAYOID, pg_sys::BuiltinOid::TEXTARRAYOID],
    );
    let lost = locked.iter().filter(|locked| locked.is_lost);
    let (reminders, addresses): (Vec<_>, Vec<_>) = lost.map(|lost| (lost.row.0, lost.row.7.clone())).unzip();
    if !reminders.is_empty() {
        LOG.write(&[reminders.into(), addresses.into()], no_rows)?;
    }
    if locked.iter().any(|locked| locked.is_given_up) {
        notify::failed()?;
    }
    Ok(())
}

/// What an organisation with a rate limit has claimed lately, locked until this transaction ends.
struct Limit {
    organization: Uuid,
    claims: Vec<Claims>,
    allowance: i32,
}

impl Limit {
    fn lock(organization: Option<Uuid>, as_of: TimestampWithTimeZone) -> Result<Vec<Self>> {
        static LIMITED: Statement = Statement::new(
            include_str!("../../sql/delivery/limited_organizations.sql"),
            &[pg_sys::BuiltinOid::UUIDOID],
        );
        static COUNT: Statement = Statement::new(
            "INSERT INTO assignment_reminders.claim_rates (organization_id) SELECT unnest($1) ON CONFLICT DO NOTHING",
            &[pg_sys::BuiltinOid::UUIDARRAYOID],
        );
        static LOCK: Statement =
            Statement::new(include_str!("../../sql/delivery/lock_rates.sql"), &[pg_sys::BuiltinOid::UUIDARRAYOID]);

        let limited: Vec<(Uuid, i32, bool)> = LIMITED.write(&[organization.into()], |rows| {
            rows.map(|row| Ok((given(&row, 1)?, given(&row, 2)?, given(&row, 3)?))).collect()
        })?;
        if limited.is_empty() {
            return Ok(Vec::new());
        }
        let uncounted: Vec<Uuid> = limited.iter().filter(|(_, _, counted)| !counted).map(|limit| limit.0).collect();
        if !uncounted.is_empty() {
            COUNT.write(&[uncounted.into()], no_rows)?;
        }
        let organizations: Vec<Uuid> = limited.iter().map(|limit| limit.0).collect();
        let locked: Vec<(Uuid, Vec<Claims>)> =
            LOCK.write(&[organizations.into()], |rows| rows.map(|row| Ok((given(&row, 1)?, claims(&row)?))).collect())?;
        Ok(limited
            .into_iter()
            .map(|(organization, per_minute, _)| {
                // One that another claim holds gets nothing here: that claim is serving it.
                let held = locked.iter().find(|(locked, _)| *locked == organization);
                let claims = held.map(|(_, claims)| claims.clone()).unwrap_or_default();
                let allowance = held.map_or(0, |_| rate::allowance(&claims, per_minute, nearest_moment(as_of)));
                Self { organization, claims, allowance }
            })
            .collect())
    }

    /// Counts what was claimed of organisations with a limit.
    fn save(limits: &[Self], rows: &[Claimed], as_of: TimestampWithTimeZone) -> Result<()> {
        static SAVE: Statement = Statement::new(
            include_str!("../../sql/delivery/save_rate.sql"),
            &[pg_sys::BuiltinOid::UUIDOID, pg_sys::BuiltinOid::TIMESTAMPTZARRAYOID, pg_sys::BuiltinOid::INT4ARRAYOID],
        );
        for limit in limits {
            let claimed = rows.iter().filter(|row| row.4 == Some(limit.organization)).count();
            let Ok(claimed @ 1..) = i32::try_from(claimed) else { continue };
            let counting = rate::after_claim(&limit.claims, claimed, nearest_moment(as_of));
            let at: Vec<TimestampWithTimeZone> = counting.iter().filter_map(|claims| timestamp(claims.at)).collect();
            let messages: Vec<i32> = counting.iter().map(|claims| claims.messages).collect();
            SAVE.write(&[limit.organization.into(), at.into(), messages.into()], no_rows)?;
        }
        Ok(())
    }
}

/// The second and third column, pairwise.
fn claims(row: &SpiHeapTupleData) -> SpiResult<Vec<Claims>> {
    let at: Vec<Option<TimestampWithTimeZone>> = given(row, 2)?;
    let messages: Vec<Option<i32>> = given(row, 3)?;
    let pairs = at.into_iter().zip(messages);
    Ok(pairs.filter_map(|(at, messages)| Some(Claims { at: nearest_moment(at?), messages: messages? })).collect())
}

/// A claim re-checks what others have committed, which an older snapshot would not see.
fn require_read_committed() -> Result<()> {
    if is_read_committed() {
        return Ok(());
    }
    Err(error(
        PgSqlErrorCode::ERRCODE_ACTIVE_SQL_TRANSACTION,
        "claim_reminders() needs a READ COMMITTED transaction",
        "In a stricter one it would not see a contact or an opt-out that was committed after the transaction began.",
        "Call it on its own, or after BEGIN ISOLATION LEVEL READ COMMITTED.",
    ))
}
