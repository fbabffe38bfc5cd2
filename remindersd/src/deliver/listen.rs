//! Being told that something is due: LISTEN, on a connection of its own. Whoever hears nothing polls.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use tokio::sync::Notify;
use tokio_postgres::{AsyncMessage, NoTls};
use uuid::Uuid;

use super::queue::{Queue, longer};
use crate::problem::explained;

/// How long our own notification may take. A pooler in transaction mode loses it.
const HEARING: Duration = Duration::from_secs(5);
const PROBE: &str = "remindersd_probe";

enum End {
    /// The connection is gone.
    Lost(String),
    /// Nothing is heard on it, and never will be.
    Deaf,
}

/// Wakes `due` whenever somebody says so, and connects again when it has to; ends where nothing can be heard.
pub async fn listen(config: tokio_postgres::Config, queue: Arc<Queue>, due: Arc<Notify>) {
    let mut wait = Duration::ZERO;
    let mut is_away = false;
    loop {
        let since = Instant::now();
        match heard(&config, &queue, &due).await {
            End::Deaf => {
                tracing::warn!(
                    "notifications do not arrive, as behind a pooler in transaction mode: polling only (deliver.listen = false says so at once)"
                );
                return;
            }
            End::Lost(why) => {
                if since.elapsed() > HEARING * 2 {
                    (wait, is_away) = (Duration::ZERO, false);
                }
                if !is_away {
                    tracing::info!("not listening for the moment, but polling: {why}");
                    is_away = true;
                }
                wait = longer(wait);
                tokio::time::sleep(wait).await;
            }
        }
    }
}

async fn heard(config: &tokio_postgres::Config, queue: &Queue, due: &Notify) -> End {
    let (client, mut connection) = match config.connect(NoTls).await {
        Ok(both) => both,
        Err(error) => return End::Lost(explained(&error)),
    };
    let mut messages = stream::poll_fn(move |context| connection.poll_message(context));
    let word = Uuid::new_v4().to_string();
    let asking = async {
        client.batch_execute(include_str!("../../sql/deliver/listen.sql")).await.map_err(|error| explained(&error))?;
        queue.probe(&word).await.map_err(|error| error.to_string())
    };
    let mut asking = std::pin::pin!(asking);
    let (mut is_asked, mut hears) = (false, false);
    let mut patience = std::pin::pin!(tokio::time::sleep(Duration::MAX));
    loop {
        tokio::select! {
            message = messages.next() => match message {
                Some(Ok(AsyncMessage::Notification(notification))) if notification.channel() == PROBE => {
                    if notification.payload() == word && !hears {
                        hears = true;
                        tracing::info!("listening for notifications");
                        // What came before this is found now.
                        due.notify_one();
                    }
                }
                Some(Ok(AsyncMessage::Notification(_))) => due.notify_one(),
                Some(Ok(_)) => {}
                Some(Err(error)) => return End::Lost(explained(&error)),
                None => return End::Lost("the connection was closed".to_string()),
            },
            asked = &mut asking, if !is_asked => match asked {
                Ok(()) => {
                    is_asked = true;
                    patience.as_mut().reset(tokio::time::Instant::now() + HEARING);
                }
                Err(why) => return End::Lost(why),
            },
            () = &mut patience, if is_asked && !hears => return End::Deaf,
        }
    }
}
