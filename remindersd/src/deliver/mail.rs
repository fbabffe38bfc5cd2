//! Whose messages are sent by which server, and by whom.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lettre::message::Mailbox;
use uuid::Uuid;

use super::letter::{Sender, address};
use super::outage::Outage;
use super::smtp::Server;
use crate::config;

/// The way of an organization's messages.
#[derive(Clone)]
pub struct Way {
    pub server: Arc<Server>,
    pub sender: Sender,
}

pub struct Mail {
    usual: Option<Way>,
    of: HashMap<Uuid, Way>,
}

impl Mail {
    pub fn new(config: &config::Deliver) -> Result<Self, String> {
        let wrong = |of: &str, what: String| format!("configuration: {of}: {what}");
        let server = |url: &str, user: Option<&str>, password: Option<&str>, file: Option<&Path>| {
            let login = login(user, password, file)?;
            let timeout = Duration::from_secs(config.timeout_seconds);
            Server::new(url, login, config.hello_name.as_deref(), config.ca_file.as_deref(), timeout).map(Arc::new)
        };
        let file = config.password_file.as_deref();
        let usual_server = match &config.smtp {
            Some(url) => Some(
                server(url, config.user.as_deref(), config.password.as_deref(), file)
                    .map_err(|what| wrong("deliver.smtp", what))?,
            ),
            None => None,
        };
        let from = mailbox(config.from.as_deref()).map_err(|what| wrong("deliver.from", what))?;
        let reply_to = mailbox(config.reply_to.as_deref()).map_err(|what| wrong("deliver.reply_to", what))?;
        let mut of = HashMap::new();
        for own in &config.organization {
            let name = format!("deliver.organization {}", own.id);
            let server = match &own.smtp {
                Some(url) => server(url, own.user.as_deref(), own.password.as_deref(), own.password_file.as_deref())
                    .map_err(|what| wrong(&name, what))?,
                None => usual_server
                    .clone()
                    .ok_or_else(|| wrong(&name, "smtp is missing, here and in deliver".to_string()))?,
            };
            let own_from = mailbox(own.from.as_deref()).map_err(|what| wrong(&name, what))?;
            let from = own_from.or_else(|| from.clone());
            let from = from.ok_or_else(|| wrong(&name, "from is missing, here and in deliver".to_string()))?;
            let own_reply_to = mailbox(own.reply_to.as_deref()).map_err(|what| wrong(&name, what))?;
            let sender = Sender { from, reply_to: own_reply_to.or_else(|| reply_to.clone()) };
            if of.insert(own.id, Way { server, sender }).is_some() {
                return Err(wrong(&name, "it is there twice".to_string()));
            }
        }
        let usual = match (usual_server, from) {
            (Some(server), Some(from)) => Some(Way { server, sender: Sender { from, reply_to } }),
            (Some(_), None) if of.is_empty() => return Err(wrong("deliver.from", "it is missing".to_string())),
            _ => None,
        };
        if usual.is_none() && of.is_empty() {
            return Err(wrong("deliver.smtp", "it is missing".to_string()));
        }
        Ok(Self { usual, of })
    }

    /// None: nothing is configured for this organization.
    pub fn of(&self, organization: Uuid) -> Option<&Way> {
        self.of.get(&organization).or(self.usual.as_ref())
    }

    /// Of each server, once.
    pub fn outages(&self) -> impl Iterator<Item = &Outage> {
        let mut seen: Vec<*const Server> = Vec::new();
        let is_new = move |way: &&Way| {
            let server = Arc::as_ptr(&way.server);
            let is_new = !seen.contains(&server);
            seen.push(server);
            is_new
        };
        self.usual.iter().chain(self.of.values()).filter(is_new).map(|way| way.server.outage())
    }

    /// Closes connections that are not used any more.
    pub async fn close(&self, all: bool) {
        for way in self.usual.iter().chain(self.of.values()) {
            way.server.close(all).await;
        }
    }
}

/// A user and a password; the latter from a file, where one is named.
fn login(user: Option<&str>, password: Option<&str>, file: Option<&Path>) -> Result<Option<(String, String)>, String> {
    let password = match (password, file) {
        (Some(_), Some(_)) => return Err("password and password_file: one of them, not both".to_string()),
        (Some(password), None) => Some(password.to_string()),
        (None, Some(file)) => {
            let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
            Some(text.trim_end_matches(['\r', '\n']).to_string())
        }
        (None, None) => None,
    };
    match (user, password) {
        (Some(user), Some(password)) => Ok(Some((user.to_string(), password))),
        (None, None) => Ok(None),
        (Some(_), None) => Err("user without a password".to_string()),
        (None, Some(_)) => Err("a password without a user".to_string()),
    }
}

/// `address` or `Name <address>`, its domain by IDNA.
fn mailbox(written: Option<&str>) -> Result<Option<Mailbox>, String> {
    let Some(written) = written else { return Ok(None) };
    let mailbox: Mailbox = written.parse().map_err(|error| format!("{written:?}: {error}"))?;
    let email = address(mailbox.email.as_ref())?;
    if !email.user().is_ascii() {
        return Err(format!("{written:?}: the sender's address is to be ASCII"));
    }
    Ok(Some(Mailbox::new(mailbox.name, email)))
}
