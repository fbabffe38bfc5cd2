//! The outbox: claims, and answers. Statements are unnamed, and leave nothing in a session, so that a pooler in transaction mode may stand between.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime, Timeouts};
use tokio::sync::{Notify, Semaphore};
use tokio_postgres::types::{Json, Type};
use tokio_postgres::{NoTls, Row};
use uuid::Uuid;

use super::message::{Item, Message, Summary, SummaryLine};
use super::outage::Outage;
use super::verdict::Fault;
use crate::database::Parameter;
use crate::problem::explained;
use crate::texts::{StoredTemplates, Template};

/// How long a statement, or a connection, may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// Of so many organizations that are paused it is told.
const TOLD: i64 = 20;
const SOON: Duration = Duration::from_secs(3);
/// For so long an answer is waited for before it is somebody's lock that it waits for.
const AT_ONCE: Duration = Duration::from_secs(1);
/// Between two tries while the database is away: the first and the longest.
const WAIT: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(30));

pub struct Queue {
    pool: Pool,
    lease: Duration,
    outage: Outage,
    /// Answers that wait for others' locks: how many of each organization there are, and how many may hold a connection meanwhile.
    late: Mutex<HashMap<Uuid, usize>>,
    may_wait: Semaphore,
    is_settled: Notify,
}

/// What became of a message.
pub enum Answer {
    /// It was not sent, and nobody tried.
    Returned,
    /// It was taken, under this id, from this address, and what the provider calls it.
    Sent {
        message_id: String,
        from: Option<String>,
        provider_id: Option<String>,
    },
    Failed {
        fault: Option<Fault>,
        why: String,
        permanent: Option<bool>,
    },
}

/// Why a statement did nothing.
#[derive(Debug)]
pub enum Trouble {
    /// It may do later: no connection, a standby, a lock.
    Passing(String),
    /// It took too long: somebody may have locked what it writes. It was cancelled.
    Slow,
    Refused {
        code: String,
        message: String,
    },
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Self::Passing(why) => formatter.write_str(why),
            Self::Slow => {
                formatter.write_str("no answer in time, as where another transaction has locked what it writes")
            }
            Self::Refused { code, message } => write!(formatter, "{code}: {message}"),
        }
    }
}

impl From<tokio_postgres::Error> for Trouble {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(refusal) if !is_passing(refusal.code().code()) => {
                Self::Refused { code: refusal.code().code().to_string(), message: refusal.message().to_string() }
            }
            _ => Self::Passing(explained(&error)),
        }
    }
}

/// Whether another connection, or another moment, may do: failover (25006: a standby), shutdown, limits, locks, what a pooler says of itself.
fn is_passing(code: &str) -> bool {
    matches!(code, "25006" | "40001" | "40P01" | "55P03" | "58000" | "3D000")
        || ["08", "53", "57"].iter().any(|class| code.starts_with(class))
}

/// A message that was claimed, or one that cannot be read.
pub enum Claimed {
    Readable(Box<Message>),
    Unreadable { claim_id: Uuid, reminder_ids: Vec<Uuid>, why: String },
}

impl Queue {
    pub fn new(url: &str, connections: usize, lease: Duration) -> Result<Self, String> {
        let config = parsed(url)?;
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let wait = Some(PATIENCE);
        let pool = Pool::builder(Manager::from_config(config, NoTls, recycling))
            .max_size(connections)
            .timeouts(Timeouts { wait, create: wait, recycle: wait })
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|error| error.to_string())?;
        let outage = Outage::new("the database");
        let may_wait = Semaphore::new((connections / 2).max(1));
        Ok(Self { pool, lease, outage, late: Mutex::default(), may_wait, is_settled: Notify::new() })
    }

    /// What keeps us from delivering.
    pub async fn complaint(&self) -> Result<Option<String>, Trouble> {
        let rows = self.ask(include_str!("../../sql/deliver/check.sql"), &[]).await?;
        Ok(rows.first().map(|row| row.try_get(0)).transpose()?)
    }

    /// Which of these organizations there are not, as far as our role sees them.
    pub async fn strangers(&self, organizations: &[Uuid]) -> Result<Vec<Uuid>, Trouble> {
        ids(&self.ask(include_str!("../../sql/deliver/strangers.sql"), &[(&organizations, Type::UUID_ARRAY)]).await?)
    }

    /// The organizations whose sending is paused while something is due, a few of them: for whose fault, and until when.
    pub async fn paused(&self) -> Result<Vec<(Uuid, String, DateTime<Utc>)>, Trouble> {
        let rows = self.ask(include_str!("../../sql/deliver/paused.sql"), &[(&TOLD, Type::INT8)]).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))).collect()
    }

    /// Whether it does, soon; whoever asks after our health does not wait for long.
    pub async fn answers(&self) -> Result<(), Trouble> {
        match tokio::time::timeout(SOON, self.ask("SELECT", &[])).await {
            Ok(answer) => answer.map(drop),
            Err(_) => Err(Trouble::Passing(format!("no answer within {} s", SOON.as_secs()))),
        }
    }

    pub async fn claim(&self, most: i32) -> Result<Vec<Claimed>, Trouble> {
        let lease = self.lease.as_secs_f64();
        let sql = include_str!("../../sql/deliver/claim.sql");
        let rows = self.ask(sql, &[(&most, Type::INT4), (&lease, Type::FLOAT8)]).await?;
        let mut claimed = Vec::with_capacity(rows.len());
        for row in &rows {
            claimed.push(match read(row) {
                Ok(message) => Claimed::Readable(Box::new(message)),
                Err(error) => Claimed::Unreadable {
                    claim_id: row.try_get("claim_id")?,
                    reminder_ids: row.try_get("reminder_ids")?,
                    why: explained(&error),
                },
            });
        }
        Ok(claimed)
    }

    /// What a daily summary says; none where its student is gone.
    pub async fn summary(&self, student: Uuid) -> Result<Option<Summary>, Trouble> {
        let sql = include_str!("../../sql/deliver/summary.sql");
        let rows = match self.ask(sql, &[(&student, Type::UUID)]).await {
            Err(Trouble::Refused { code, .. }) if code == "02000" => return Ok(None),
            rows => rows?,
        };
        let Some(row) = rows.first() else { return Ok(None) };
        let lines = |name: &str| row.try_get::<_, Json<Vec<SummaryLine>>>(name).map(|lines| lines.0);
        Ok(Some(Summary { current: lines("current")?, overdue: lines("overdue")?, completed: lines("completed")? }))
    }

    /// What would go out about an assignment now or next, as messages: nothing is claimed.
    pub async fn messages_about(&self, assignment: Uuid) -> Result<Vec<Message>, Trouble> {
        let sql = include_str!("../../sql/texts/messages_about.sql");
        let rows = self.ask(sql, &[(&assignment, Type::UUID)]).await?;
        rows.iter().map(|row| Ok(row.try_get::<_, Json<Message>>("message")?.0)).collect()
    }

    /// The words that an organization, or (none) each, has stored.
    pub async fn templates(&self, organization: Option<Uuid>) -> Result<StoredTemplates, Trouble> {
        let sql = include_str!("../../sql/deliver/templates.sql");
        let rows = self.ask(sql, &[(&organization, Type::UUID)]).await?;
        let mut stored = StoredTemplates::new();
        for row in &rows {
            let template =
                Template { locale: row.try_get("locale")?, name: row.try_get("name")?, body: row.try_get("body")? };
            stored.entry(row.try_get("organization_id")?).or_default().push(template);
        }
        Ok(stored)
    }

    /// Keeps a message for another lease, and leaves out of it what is not to be sent any more.
    pub async fn extend(self: &Arc<Self>, message: &mut Message) -> Result<(), Trouble> {
        let (until, lost) = self.keep(message.claim_id, &message.reminder_ids).await?;
        message.keep(until, &lost);
        Ok(())
    }

    /// Keeps reminders of a claim for another lease: until when, and which are not to be sent any more.
    pub async fn keep(
        self: &Arc<Self>,
        claim: Uuid,
        reminders: &[Uuid],
    ) -> Result<(DateTime<Utc>, Vec<Uuid>), Trouble> {
        let until = Utc::now() + self.lease;
        let lease = self.lease.as_secs_f64();
        let parameters: [Parameter; 3] = [(&reminders, Type::UUID_ARRAY), (&claim, Type::UUID), (&lease, Type::FLOAT8)];
        let lost = ids(&self.ask(include_str!("../../sql/deliver/extend.sql"), &parameters).await?)?;
        if !lost.is_empty() {
            self.give_back_lost(claim, lost.clone(), until);
        }
        Ok((until, lost))
    }

    /// Tells what became of a message. Where somebody has locked its reminders, that goes on beside, and nobody waits for it; nor for the next of the same
    /// organization.
    pub async fn answer(self: &Arc<Self>, message: Message, answer: Answer) {
        let organization = message.organization_id;
        let are_others_late = self.late().contains_key(&organization);
        if !are_others_late && self.tell(&message, &answer).await {
            return;
        }
        let queue = Arc::clone(self);
        self.beside(organization, async move { queue.tell_late(&message, &answer).await });
    }

    /// Does what has to wait, and counts it until it is done.
    fn beside(self: &Arc<Self>, whose: Uuid, work: impl Future<Output = ()> + Send + 'static) {
        *self.late().entry(whose).or_default() += 1;
        let queue = Arc::clone(self);
        tokio::spawn(async move {
            work.await;
            if let Entry::Occupied(mut late) = queue.late().entry(whose) {
                *late.get_mut() -= 1;
                if *late.get() == 0 {
                    late.remove();
                }
            }
            queue.is_settled.notify_one();
        });
    }

    fn late(&self) -> MutexGuard<'_, HashMap<Uuid, usize>> {
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many answers still wait for others' locks.
    pub fn late_answers(&self) -> usize {
        self.late().values().sum()
    }

    /// When one of them does not any more.
    pub async fn settles(&self) {
        self.is_settled.notified().await;
    }

    /// In turn with the others. While it is locked nobody else can claim it, so an answer counts for longer than its lease.
    async fn tell_late(&self, message: &Message, answer: &Answer) {
        tracing::debug!(claim_id = %message.claim_id, "another transaction has locked a message's reminders: its answer waits");
        let until = message.claimed_until + PATIENCE;
        loop {
            let permit = self.may_wait.acquire().await;
            if self.tell(message, answer).await {
                return;
            }
            drop(permit);
            if Utc::now() > until {
                tracing::error!(claim_id = %message.claim_id, "an answer was not recorded: another transaction keeps its reminders locked");
                return;
            }
        }
    }

    /// Tells it, and logs what came of that. False: somebody has locked its reminders, and nothing was told.
    async fn tell(&self, message: &Message, answer: &Answer) -> bool {
        let (what, late) = match answer {
            Answer::Returned => {
                ("that a message was not sent", self.returned(message.claim_id, &message.reminder_ids).await)
            }
            Answer::Sent { message_id, from, provider_id } => {
                let mut late = self.tell_sent(message, message_id, from.as_deref(), provider_id.as_deref()).await;
                if let (Err(Trouble::Refused { .. }), Some(_)) = (&late, provider_id) {
                    // That it was sent is to be known, whatever its name.
                    late = self.tell_sent(message, message_id, from.as_deref(), None).await;
                }
                ("that a message was sent", late)
            }
            Answer::Failed { fault, why, permanent } => {
                let fault = fault.map(Fault::name);
                let parameters: [Parameter; 5] = [
                    (&message.reminder_ids, Type::UUID_ARRAY),
                    (&message.claim_id, Type::UUID),
                    (&fault, Type::TEXT),
                    (why, Type::TEXT),
                    (permanent, Type::BOOL),
                ];
                let sql = include_str!("../../sql/deliver/failed.sql");
                let answered = self.ask_until(message, sql, &parameters).await;
                ("that a message failed", answered.and_then(|rows| ids(&rows)))
            }
        };
        match late {
            Err(Trouble::Slow) => return false,
            Ok(late) if late.is_empty() => {}
            // Somebody else has it, or it was answered and we were not told.
            Ok(late) => {
                tracing::info!(claim_id = %message.claim_id, reminders = late.len(), "{what}: the answer changed nothing");
            }
            Err(error) => tracing::error!(claim_id = %message.claim_id, "{what}: the answer was not recorded: {error}"),
        }
        true
    }

    async fn tell_sent(
        &self,
        message: &Message,
        message_id: &str,
        from: Option<&str>,
        provider_id: Option<&str>,
    ) -> Result<Vec<Uuid>, Trouble> {
        let parameters: [Parameter; 5] = [
            (&message.reminder_ids, Type::UUID_ARRAY),
            (&message.claim_id, Type::UUID),
            (&message_id, Type::TEXT),
            (&from, Type::TEXT),
            (&provider_id, Type::TEXT),
        ];
        let rows = self.ask_until(message, include_str!("../../sql/deliver/sent.sql"), &parameters).await?;
        rows.first().map_or_else(|| Ok(Vec::new()), |row| Ok(row.try_get("late")?))
    }

    /// Answers for what could not even be read.
    pub async fn failed_unread(&self, claim_id: Uuid, reminder_ids: &[Uuid], why: &str) {
        let (fault, permanent) = (None::<&str>, Some(true));
        let parameters: [Parameter; 5] = [
            (&reminder_ids, Type::UUID_ARRAY),
            (&claim_id, Type::UUID),
            (&fault, Type::TEXT),
            (&why, Type::TEXT),
            (&permanent, Type::BOOL),
        ];
        if let Err(error) = self.ask(include_str!("../../sql/deliver/failed.sql"), &parameters).await {
            tracing::error!(%claim_id, "an answer was not recorded: {error}");
        }
    }

    /// Gives back what was not sent, all of a claim together. Where that fails, it comes back when its lease ends. False: somebody has locked some of it.
    pub async fn give_back(&self, claim_id: Uuid, reminder_ids: &[Uuid]) -> bool {
        match self.returned(claim_id, reminder_ids).await {
            Ok(_) => true,
            Err(Trouble::Slow) => false,
            Err(error) => {
                tracing::warn!(%claim_id, reminders = reminder_ids.len(), "not given back, and so due again when the lease ends: {error}");
                true
            }
        }
    }

    /// Which of these were not ours any more.
    async fn returned(&self, claim_id: Uuid, reminder_ids: &[Uuid]) -> Result<Vec<Uuid>, Trouble> {
        let parameters: [Parameter; 2] = [(&reminder_ids, Type::UUID_ARRAY), (&claim_id, Type::UUID)];
        ids(&self.ask_within(AT_ONCE, include_str!("../../sql/deliver/return.sql"), &parameters).await?)
    }

    /// Gives back what is not to be sent any more, as far as it is ours: what was only locked when its lease was to be extended loses no attempt.
    fn give_back_lost(self: &Arc<Self>, claim_id: Uuid, reminder_ids: Vec<Uuid>, until: DateTime<Utc>) {
        let queue = Arc::clone(self);
        self.beside(claim_id, async move {
            while Utc::now() < until {
                let _permit = queue.may_wait.acquire().await;
                if queue.give_back(claim_id, &reminder_ids).await {
                    return;
                }
            }
        });
    }

    /// Asks the database to notify whoever listens to the probe.
    pub async fn probe(&self, word: &str) -> Result<(), Trouble> {
        self.ask(include_str!("../../sql/deliver/probe.sql"), &[(&word, Type::TEXT)]).await.map(drop)
    }

    /// Tries for as long as an answer counts, while the lease lasts; unless it is slow.
    async fn ask_until(&self, message: &Message, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, Trouble> {
        let mut wait = WAIT.0;
        loop {
            match self.ask_within(AT_ONCE, sql, parameters).await {
                Err(Trouble::Passing(_)) if Utc::now() + wait < message.claimed_until => {
                    tokio::time::sleep(wait).await;
                    wait = longer(wait);
                }
                done => return done,
            }
        }
    }

    async fn ask(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, Trouble> {
        match self.ask_within(PATIENCE, sql, parameters).await {
            Err(Trouble::Slow) => {
                let slow = Err(Trouble::Passing(format!("no answer within {} s", PATIENCE.as_secs())));
                self.note(&slow);
                slow
            }
            done => done,
        }
    }

    async fn ask_within(&self, limit: Duration, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, Trouble> {
        let asked = async {
            let client = self.pool.get().await.map_err(|error| Trouble::Passing(explained(&error)))?;
            match tokio::time::timeout(limit, client.query_typed(sql, parameters)).await {
                Ok(Ok(rows)) => Ok(rows),
                Ok(Err(error)) => {
                    let trouble = Trouble::from(error);
                    if matches!(trouble, Trouble::Passing(_)) {
                        // It may lead to a server that is a standby now, or to none.
                        drop(deadpool_postgres::Object::take(client));
                    }
                    Err(trouble)
                }
                Err(_) => {
                    // Or the server would go on with it, in a connection that nobody counts.
                    let cancelling = client.cancel_token();
                    drop(deadpool_postgres::Object::take(client));
                    let _ = tokio::time::timeout(SOON, cancelling.cancel_query(NoTls)).await;
                    Err(Trouble::Slow)
                }
            }
        };
        let done = asked.await;
        self.note(&done);
        done
    }

    fn note(&self, done: &Result<Vec<Row>, Trouble>) {
        match done {
            Ok(_) => self.outage.ends(),
            Err(Trouble::Passing(why)) => self.outage.begins(why),
            // It answers, or is asked again.
            Err(Trouble::Refused { .. } | Trouble::Slow) => {}
        }
    }
}

/// Doubled, up to the longest.
pub fn longer(wait: Duration) -> Duration {
    (wait * 2).clamp(WAIT.0, WAIT.1)
}

pub fn parsed(url: &str) -> Result<tokio_postgres::Config, String> {
    let mut config: tokio_postgres::Config =
        url.parse().map_err(|error| format!("configuration: the database's url: {error}"))?;
    config.application_name("remindersd deliver");
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(Duration::from_secs(10));
    }
    Ok(config)
}

fn ids(rows: &[Row]) -> Result<Vec<Uuid>, Trouble> {
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

fn read(row: &Row) -> Result<Message, tokio_postgres::Error> {
    Ok(Message {
        claim_id: row.try_get("claim_id")?,
        claimed_until: row.try_get("claimed_until")?,
        idempotency_key: row.try_get("idempotency_key")?,
        organization_id: row.try_get("organization_id")?,
        organization_name: row.try_get("organization_name")?,
        recipient_id: row.try_get("recipient_id")?,
        recipient_email: row.try_get("recipient_email")?,
        recipient_name: row.try_get("recipient_name")?,
        recipient_timezone: row.try_get("recipient_timezone")?,
        recipient_locale: row.try_get("recipient_locale")?,
        unsubscribe_token: row.try_get("unsubscribe_token")?,
        reminder_ids: row.try_get("reminder_ids")?,
        items: row.try_get::<_, Json<Vec<Item>>>("items")?.0,
        summary: None,
    })
}
