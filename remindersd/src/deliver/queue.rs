//! The outbox: claims, and answers. Statements are unnamed, and leave nothing in a session, so that a pooler in transaction mode may stand between.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime, Timeouts};
use tokio::sync::{Notify, Semaphore};
use tokio_postgres::types::{Json, Type};
use tokio_postgres::{NoTls, Row};
use uuid::Uuid;

use super::message::{Held, Item, Message, Summary, SummaryLine};
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
    late: Mutex<Late>,
    /// How many late answers may hold a connection.
    may_wait: Semaphore,
    is_settled: Notify,
    /// How many answers were given up, or refused.
    unrecorded: AtomicUsize,
}

/// Answers that wait, for others' locks or for the database.
#[derive(Default)]
struct Late {
    /// How many of each organization there are.
    of: HashMap<Uuid, usize>,
    /// How often the database went away meanwhile.
    outages: u64,
    /// How many have not been tried since.
    untried: usize,
}

/// One of them, until it is settled.
struct Waiting {
    queue: Arc<Queue>,
    whose: Uuid,
    /// The last outage after which it was tried.
    tried: u64,
}

impl Waiting {
    fn new(queue: &Arc<Queue>, whose: Uuid) -> Self {
        let mut late = queue.late();
        *late.of.entry(whose).or_default() += 1;
        let tried = late.outages;
        drop(late);
        Self { queue: Arc::clone(queue), whose, tried }
    }

    /// The database is away: all have to be tried anew.
    fn is_cut_off(&mut self) {
        let mut late = self.queue.late();
        late.outages += 1;
        late.untried = late.of.values().sum();
    }

    fn is_tried(&mut self) {
        let mut late = self.queue.late();
        if std::mem::replace(&mut self.tried, late.outages) != late.outages {
            late.untried = late.untried.saturating_sub(1);
        }
        drop(late);
        self.queue.is_settled.notify_one();
    }

    /// Tells it, in turn with the others, until a minute after its lease: while it is locked, or the database away, nobody else can claim it.
    async fn tell(&mut self, held: &Held, answer: &Answer, mut is_first: bool) {
        tracing::debug!(claim_id = %held.claim_id, "the answer for a message waits, as where another transaction has locked its reminders");
        let queue = Arc::clone(&self.queue);
        let until = held.claimed_until + PATIENCE;
        let mut wait = WAIT.0;
        loop {
            let permit = queue.may_wait.acquire().await;
            let Err(trouble) = queue.tell(held, answer, is_first).await else { return };
            is_first = false;
            if Utc::now() > until {
                queue.give_up(held, answer, &trouble);
                return;
            }
            if matches!(trouble, Trouble::Passing(_)) {
                self.is_cut_off();
                // With the permit: the others need not learn of it one by one.
                tokio::time::sleep(wait).await;
                wait = longer(wait).min(SOON);
                continue;
            }
            self.is_tried();
            drop(permit);
            wait = WAIT.0;
            if matches!(trouble, Trouble::Locked(_)) {
                tokio::time::sleep(wait).await;
            }
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.is_tried();
        if let Entry::Occupied(mut of) = self.queue.late().of.entry(self.whose) {
            *of.get_mut() -= 1;
            if *of.get() == 0 {
                of.remove();
            }
        }
        self.queue.is_settled.notify_one();
    }
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

impl Answer {
    const fn what(&self) -> &'static str {
        match self {
            Self::Returned => "that a message was not sent",
            Self::Sent { .. } => "that a message was sent",
            Self::Failed { .. } => "that a message failed",
        }
    }
}

/// Why a statement did nothing.
#[derive(Debug)]
pub enum Trouble {
    /// It may do later: no connection, a standby.
    Passing(String),
    /// Others were in its way, and the database says so.
    Locked(String),
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
            Self::Passing(why) | Self::Locked(why) => formatter.write_str(why),
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
            Some(refusal) if is_of_a_lock(refusal.code().code()) => Self::Locked(explained(&error)),
            Some(refusal) if !is_passing(refusal.code().code()) => {
                Self::Refused { code: refusal.code().code().to_string(), message: refusal.message().to_string() }
            }
            _ => Self::Passing(explained(&error)),
        }
    }
}

/// Whether others were in its way; 57014: for longer than the role's statement_timeout allows.
fn is_of_a_lock(code: &str) -> bool {
    matches!(code, "40001" | "40P01" | "55P03" | "57014")
}

/// Whether another connection, or another moment, may do: failover (25006: a standby), shutdown, limits, what a pooler says of itself.
fn is_passing(code: &str) -> bool {
    matches!(code, "25006" | "58000" | "3D000") || ["08", "53", "57"].iter().any(|class| code.starts_with(class))
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
        Ok(Self {
            pool,
            lease,
            outage,
            late: Mutex::default(),
            may_wait,
            is_settled: Notify::new(),
            unrecorded: AtomicUsize::new(0),
        })
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

    /// Keeps a message for another lease, and leaves out of it what is not to be sent any more, which is given back.
    pub async fn extend(self: &Arc<Self>, message: &mut Message) -> Result<(), Trouble> {
        let (until, lost) = self.keep(message.claim_id, &message.reminder_ids).await?;
        self.give_back_lost(message.keep(until, &lost).into_iter().collect());
        Ok(())
    }

    /// Keeps reminders of a claim for another lease: until when, and which are not to be sent any more. Whoever has these by then is to give them back, or not
    /// at all: they may be on the wire.
    pub async fn keep(&self, claim: Uuid, reminders: &[Uuid]) -> Result<(DateTime<Utc>, Vec<Uuid>), Trouble> {
        let until = Utc::now() + self.lease;
        let lease = self.lease.as_secs_f64();
        let parameters: [Parameter; 3] = [(&reminders, Type::UUID_ARRAY), (&claim, Type::UUID), (&lease, Type::FLOAT8)];
        Ok((until, ids(&self.ask(include_str!("../../sql/deliver/extend.sql"), &parameters).await?)?))
    }

    /// Tells what became of a message. Where somebody has locked its reminders, that goes on beside, and nobody waits for it; nor for the next of the same
    /// organization.
    pub async fn answer(self: &Arc<Self>, held: Held, answer: Answer) {
        let are_others_late = self.late().of.contains_key(&held.organization_id);
        if are_others_late {
            self.answer_beside(held, answer, None);
        } else if let Err(trouble) = self.tell_in_time(&held, &answer).await {
            self.answer_beside(held, answer, Some(trouble));
        }
    }

    /// Tells it while the lease lasts, unless it is locked: nothing else can be sent while the database is away. What is given back need not be waited for.
    async fn tell_in_time(&self, held: &Held, answer: &Answer) -> Result<(), Trouble> {
        let (mut wait, mut is_first) = (WAIT.0, true);
        loop {
            match self.tell(held, answer, is_first).await {
                Err(Trouble::Passing(_))
                    if Utc::now() + wait < held.claimed_until && !matches!(answer, Answer::Returned) =>
                {
                    tokio::time::sleep(wait).await;
                    (wait, is_first) = (longer(wait), false);
                }
                done => return done,
            }
        }
    }

    /// Tells it as soon as it can be told, after what kept it from that so far.
    fn answer_beside(self: &Arc<Self>, held: Held, answer: Answer, trouble: Option<Trouble>) {
        let mut waiting = Waiting::new(self, held.organization_id);
        if matches!(trouble, Some(Trouble::Passing(_))) {
            waiting.is_cut_off();
        }
        tokio::spawn(async move { waiting.tell(&held, &answer, trouble.is_none()).await });
    }

    fn late(&self) -> MutexGuard<'_, Late> {
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many answers still wait.
    pub fn late_answers(&self) -> usize {
        self.late().of.values().sum()
    }

    /// Whether the database went away while answers waited that were not tried since: what they are about may be due again, and they come first.
    pub fn was_cut_off(&self) -> bool {
        self.late().untried > 0
    }

    /// When one of them does not wait any more, or was tried.
    pub async fn settles(&self) {
        self.is_settled.notified().await;
    }

    /// How many answers were not recorded, and will not be.
    pub fn unrecorded(&self) -> usize {
        self.unrecorded.load(Ordering::Relaxed)
    }

    fn is_not_recorded(&self) {
        self.unrecorded.fetch_add(1, Ordering::Relaxed);
    }

    /// Tells it, and logs what came of that. Where it may be told later, nothing is logged, and it says why.
    async fn tell(&self, held: &Held, answer: &Answer, is_first: bool) -> Result<(), Trouble> {
        let late = match answer {
            Answer::Returned => self.returned(held.claim_id, &held.reminder_ids).await,
            Answer::Sent { message_id, from, provider_id } => {
                let mut late = self.tell_sent(held, message_id, from.as_deref(), provider_id.as_deref()).await;
                if let (Err(Trouble::Refused { .. }), Some(_)) = (&late, provider_id) {
                    // That it was sent is to be known, whatever its name.
                    late = self.tell_sent(held, message_id, from.as_deref(), None).await;
                }
                late
            }
            Answer::Failed { fault, why, permanent } => {
                let fault = fault.map(Fault::name);
                let parameters: [Parameter; 5] = [
                    (&held.reminder_ids, Type::UUID_ARRAY),
                    (&held.claim_id, Type::UUID),
                    (&fault, Type::TEXT),
                    (why, Type::TEXT),
                    (permanent, Type::BOOL),
                ];
                let answered =
                    self.ask_within(AT_ONCE, include_str!("../../sql/deliver/failed.sql"), &parameters).await;
                answered.and_then(|rows| ids(&rows))
            }
        };
        let what = answer.what();
        match late {
            Ok(late) if late.is_empty() => {}
            // Somebody else has it, or it was answered and we were not told.
            Ok(late) => {
                tracing::info!(claim_id = %held.claim_id, reminders = late.len(), "{what}: the answer changed nothing");
                if is_first && matches!(answer, Answer::Sent { .. }) {
                    self.is_not_recorded();
                }
            }
            Err(trouble @ Trouble::Refused { .. }) => self.give_up(held, answer, &trouble),
            Err(trouble) => return Err(trouble),
        }
        Ok(())
    }

    fn give_up(&self, held: &Held, answer: &Answer, trouble: &Trouble) {
        tracing::error!(claim_id = %held.claim_id, "{}: the answer was not recorded: {trouble}", answer.what());
        self.is_not_recorded();
    }

    async fn tell_sent(
        &self,
        held: &Held,
        message_id: &str,
        from: Option<&str>,
        provider_id: Option<&str>,
    ) -> Result<Vec<Uuid>, Trouble> {
        let parameters: [Parameter; 5] = [
            (&held.reminder_ids, Type::UUID_ARRAY),
            (&held.claim_id, Type::UUID),
            (&message_id, Type::TEXT),
            (&from, Type::TEXT),
            (&provider_id, Type::TEXT),
        ];
        let rows = self.ask_within(AT_ONCE, include_str!("../../sql/deliver/sent.sql"), &parameters).await?;
        rows.first().map_or_else(|| Ok(Vec::new()), |row| Ok(row.try_get("late")?))
    }

    /// Gives back what was not sent, all of a claim together. What cannot be given back now is tried beside, as an answer is.
    pub async fn give_back(self: &Arc<Self>, held: Vec<Held>) {
        let mut of: HashMap<Uuid, Vec<Held>> = HashMap::new();
        for held in held {
            of.entry(held.claim_id).or_default().push(held);
        }
        for (claim, all) in of {
            let reminders: Vec<Uuid> = all.iter().flat_map(|held| &held.reminder_ids).copied().collect();
            if let Err(trouble) = self.returned(claim, &reminders).await {
                // Each by itself, so that one that is locked, or refused, keeps none of the others.
                let is_cut_off = matches!(trouble, Trouble::Passing(_));
                for held in all {
                    let trouble = is_cut_off.then(|| Trouble::Passing(trouble.to_string()));
                    self.answer_beside(held, Answer::Returned, trouble);
                }
            }
        }
    }

    /// Which of these were not ours any more.
    async fn returned(&self, claim_id: Uuid, reminder_ids: &[Uuid]) -> Result<Vec<Uuid>, Trouble> {
        let parameters: [Parameter; 2] = [(&reminder_ids, Type::UUID_ARRAY), (&claim_id, Type::UUID)];
        ids(&self.ask_within(AT_ONCE, include_str!("../../sql/deliver/return.sql"), &parameters).await?)
    }

    /// Gives back, beside, what is not to be sent any more, as far as it is ours: what was only locked when its lease was to be extended loses no attempt.
    pub fn give_back_lost(self: &Arc<Self>, lost: Vec<Held>) {
        let Some(claim) = lost.first().map(|held| held.claim_id) else { return };
        let waiting = Waiting::new(self, claim);
        tokio::spawn(async move {
            let _permit = waiting.queue.may_wait.acquire().await;
            waiting.queue.give_back(lost).await;
        });
    }

    /// Asks the database to notify whoever listens to the probe.
    pub async fn probe(&self, word: &str) -> Result<(), Trouble> {
        self.ask(include_str!("../../sql/deliver/probe.sql"), &[(&word, Type::TEXT)]).await.map(drop)
    }

    async fn ask(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, Trouble> {
        match self.ask_within(PATIENCE, sql, parameters).await {
            Err(trouble @ (Trouble::Slow | Trouble::Locked(_))) => {
                let passing = Err(Trouble::Passing(match trouble {
                    Trouble::Locked(why) => why,
                    _ => format!("no answer within {} s", PATIENCE.as_secs()),
                }));
                self.note(&passing);
                passing
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
            Err(Trouble::Refused { .. } | Trouble::Slow | Trouble::Locked(_)) => {}
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
