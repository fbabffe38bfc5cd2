//! What organizations have stored is told by a process of its own. Whoever may store a template may write one that never ends, fills the memory or overflows the
//! stack; that ends this process, and nobody else's message waits for it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::{Rendered, Template, Texts};
use crate::config;
use crate::deliver::message::Message;
use crate::logs;

/// The command that does it; nobody else calls it.
pub const COMMAND: &str = "tell";
/// A message takes a thousandth of that.
const PATIENCE: Duration = Duration::from_secs(3);
/// So long the words of an organization that ended the process are left out.
const LEFT_OUT: Duration = Duration::from_mins(10);

#[derive(Deserialize, Serialize)]
struct Order<'a> {
    rows: Cow<'a, [Template]>,
    message: Cow<'a, Message>,
}

pub struct Sandbox {
    settings: config::Texts,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    teller: Option<Teller>,
    left_out: HashMap<Uuid, Instant>,
}

struct Teller {
    /// Ends with us.
    _child: Child,
    orders: ChildStdin,
    told: BufReader<ChildStdout>,
}

impl Sandbox {
    pub fn new(settings: &config::Texts) -> Self {
        Self { settings: settings.clone(), state: Mutex::default() }
    }

    /// A message in an organization's own words; none where these cannot be used: then others tell it.
    pub async fn told(&self, rows: &[Template], message: &Message) -> Option<Rendered> {
        let organization = message.organization_id;
        let mut state = self.state.lock().await;
        if state.left_out.get(&organization).is_some_and(|since| since.elapsed() < LEFT_OUT) {
            return None;
        }
        let teller = match state.teller.take() {
            Some(teller) => Ok(teller),
            None => Teller::start(&self.settings).await,
        };
        let told = match teller {
            Ok(mut teller) => match timeout(PATIENCE, teller.tell(rows, message)).await {
                Ok(Ok(rendered)) => {
                    state.teller = Some(teller);
                    state.left_out.remove(&organization);
                    return rendered;
                }
                Ok(Err(why)) => why,
                Err(_) => format!("it took more than {} s", PATIENCE.as_secs()),
            },
            Err(why) => why,
        };
        state.left_out.insert(organization, Instant::now());
        tracing::warn!(
            %organization, "the templates that it has stored cannot be used, and are left out for {} minutes: {told}", LEFT_OUT.as_secs() / 60
        );
        None
    }
}

impl Teller {
    async fn start(settings: &config::Texts) -> Result<Self, String> {
        let of = |error: std::io::Error| format!("the process that tells them does not start: {error}");
        // Ourselves, also where the file was replaced by another version meanwhile.
        let mut child = Command::new("/proc/self/exe")
            .arg(COMMAND)
            .env("REMINDERSD_LOG_FORMAT", logs::format().name())
            // Ctrl-C is for us.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(of)?;
        let (Some(orders), Some(told)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("the process that tells them has no pipes".to_string());
        };
        let mut teller = Self { _child: child, orders, told: BufReader::new(told) };
        teller.order(settings).await?;
        Ok(teller)
    }

    async fn order(&mut self, what: &impl Serialize) -> Result<(), String> {
        let mut line = serde_json::to_vec(what).map_err(|error| error.to_string())?;
        line.push(b'\n');
        let gone = |_| "they ended the process that tells them".to_string();
        self.orders.write_all(&line).await.map_err(gone)?;
        self.orders.flush().await.map_err(gone)
    }

    async fn tell(&mut self, rows: &[Template], message: &Message) -> Result<Option<Rendered>, String> {
        self.order(&Order { rows: Cow::Borrowed(rows), message: Cow::Borrowed(message) }).await?;
        let mut line = Vec::new();
        match self.told.read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => Err("they ended the process that tells them".to_string()),
            Ok(_) => serde_json::from_slice(&line).map_err(|error| error.to_string()),
        }
    }
}

/// What that process does: the settings, then an order a line, each answered by a line, until nobody orders any more.
pub fn serve() -> Result<(), String> {
    let mut orders = std::io::stdin().lock().lines();
    let mut next = || orders.next().transpose().map_err(|error| error.to_string());
    let Some(settings) = next()? else { return Ok(()) };
    let settings: config::Texts = serde_json::from_str(&settings).map_err(|error| error.to_string())?;
    let mut texts = Texts::new(&settings).map_err(|complaints| complaints.join("\n"))?;
    while let Some(order) = next()? {
        let order: Order = serde_json::from_str(&order).map_err(|error| error.to_string())?;
        texts.store(order.message.organization_id, order.rows.into_owned());
        let rendered = texts.render(&order.message).ok();
        let mut line = serde_json::to_vec(&rendered).map_err(|error| error.to_string())?;
        line.push(b'\n');
        std::io::stdout().write_all(&line).map_err(|error| error.to_string())?;
    }
    Ok(())
}
