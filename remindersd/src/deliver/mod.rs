//! `remindersd deliver`: claims what is due, renders and sends it, and answers. It decides nothing: who gets what, when and whether is the database's.

mod answer;
mod authority;
mod dispatch;
mod failure;
mod health;
mod lane;
pub mod letter;
mod listen;
mod mail;
pub mod message;
mod meters;
mod outage;
mod parcel;
pub mod queue;
mod rehearsal;
mod reply;
mod send;
mod session;
mod smtp;
mod verdict;
mod webhook;
mod words;

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::sync::{Notify, watch};

use crate::config::Config;
use crate::measures;
use crate::signals;
use crate::texts::Texts;
use dispatch::{Dispatcher, Left};
use health::Watched;
use mail::Mail;
use queue::Queue;
use words::Words;

#[derive(Args, Clone, Copy)]
pub struct Options {
    /// End when nothing can be claimed any more: with 0 if all was sent and recorded, else with 1.
    #[arg(long)]
    once: bool,
    /// Say what would be sent, and give it back. It counts for messages_per_minute.
    #[arg(long)]
    dry_run: bool,
}

/// What delivering needs.
struct Office {
    queue: Arc<Queue>,
    mail: Mail,
    texts: Texts,
    words: Words,
    lease: Duration,
    batch: i32,
    connections: usize,
    poll: Duration,
}

/// For so many ways at most there are connections to the database of their own: each needs one only to answer.
const MOST: usize = 4;

impl Office {
    fn new(config: &Config) -> Result<Self, String> {
        let deliver = config.deliver()?;
        let lease = Duration::from_secs(deliver.lease_seconds.into());
        // Each message on the wire may have an answer to give, one claims, and somebody may ask after our health.
        let mail = Mail::new(deliver)?;
        let connections = deliver.connections * mail.ways().clamp(1, MOST) + 1 + usize::from(deliver.metrics.is_some());
        let queue = Queue::new(url(config)?, connections, lease)?;
        Ok(Self {
            queue: Arc::new(queue),
            mail,
            texts: Texts::new(&config.texts).map_err(|wrong| wrong.join("\n"))?,
            words: Words::new(&config.texts),
            lease,
            batch: deliver.batch,
            connections: deliver.connections,
            poll: Duration::from_secs(deliver.poll_seconds),
        })
    }

    async fn fits(&self) -> Result<(), String> {
        match self.queue.complaint().await {
            Ok(None) => Ok(()),
            Ok(Some(complaint)) => Err(complaint),
            Err(trouble) => Err(trouble.to_string()),
        }
    }

    /// Whether each organization that has a way of its own is there.
    async fn knows_its_organizations(&self) -> Result<(), String> {
        let strangers =
            self.queue.strangers(&self.mail.organizations()).await.map_err(|trouble| trouble.to_string())?;
        match strangers.first() {
            None => Ok(()),
            Some(id) => Err(format!("configuration: deliver.organization {id}: the role sees no such organization")),
        }
    }

    /// Says whose messages wait, though they are due; how many that are, as far as it is told.
    async fn tell_paused(&self) -> usize {
        let paused = self.queue.paused().await.unwrap_or_default();
        for (organization, fault, until) in &paused {
            tracing::warn!(%organization, fault, until = %until.to_rfc3339(), "sending is paused, while messages are due");
        }
        paused.len()
    }
}

fn url(config: &Config) -> Result<&str, String> {
    Ok(config.deliver()?.database_url.as_deref().unwrap_or(&config.database.url))
}

/// Checks what can be checked without sending.
pub async fn check(config: &Config) -> Result<(), String> {
    let office = Office::new(config)?;
    office.fits().await?;
    office.knows_its_organizations().await
}

pub async fn run(config: &Config, options: Options) -> Result<(), String> {
    // First, or what is counted from the beginning would not be.
    let watched = match config.deliver()?.metrics {
        Some(address) if !options.dry_run => Some(Watched::at(address, measures::record()?).await?),
        _ => None,
    };
    meters::begin();
    let office = Arc::new(Office::new(config)?);
    office.fits().await?;
    if let Some(watched) = watched {
        tokio::spawn(watched.serve(Arc::clone(&office)));
    }
    let signal = signals::stop()?;
    let (stopping, is_stopping) = watch::channel(false);
    tokio::spawn(async move {
        signal.await;
        // Nobody to hear is fine.
        let _ = stopping.send(true);
        // Kept, or whoever waits would take its end for a signal.
        std::future::pending::<()>().await;
    });
    if options.dry_run {
        return rehearsal::rehearse(&office, is_stopping).await;
    }
    office.tell_paused().await;
    let due = Arc::new(Notify::new());
    if !options.once {
        if config.deliver()?.listen {
            let connection = queue::parsed(url(config)?)?;
            tokio::spawn(listen::listen(connection, Arc::clone(&office.queue), Arc::clone(&due)));
        } else {
            tracing::info!("polling only: deliver.listen is false");
        }
    }
    tracing::info!(connections = office.connections, batch = office.batch, "delivering");
    let Left { unsent, unrecorded } = Dispatcher::new(Arc::clone(&office), due, is_stopping).run(options.once).await;
    office.mail.close(true).await;
    tracing::info!("finished");
    if !options.once {
        return Ok(());
    }
    let paused = office.tell_paused().await;
    match unrecorded {
        0 => {}
        1 => return Err("1 answer was not recorded, and what it was about may be sent again: the log says why".into()),
        _ => {
            return Err(format!(
                "{unrecorded} answers were not recorded, and what they were about may be sent again: the log says why"
            ));
        }
    }
    match (unsent, paused) {
        (0, 0) => Ok(()),
        (0, _) => Err("messages that are due wait, since sending is paused: the log says whose".to_string()),
        (1, _) => Err("1 message was not sent: the log says why".to_string()),
        (unsent, _) => Err(format!("{unsent} messages were not sent: the log says why")),
    }
}
