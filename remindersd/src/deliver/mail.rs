//! Whose messages are sent by which way, and by whom.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lettre::message::Mailbox;
use uuid::Uuid;

use super::letter::{Sender, address};
use super::outage::Outage;
use super::smtp::Server;
use super::webhook::Hook;
use crate::config;

/// The way of an organization's messages.
#[derive(Clone)]
pub enum Way {
    Smtp { server: Arc<Server>, sender: Sender },
    Webhook(Arc<Hook>),
}

impl Way {
    fn outage(&self) -> &Outage {
        match self {
            Self::Smtp { server, .. } => server.outage(),
            Self::Webhook(hook) => hook.outage(),
        }
    }

    async fn close(&self, all: bool) {
        match self {
            Self::Smtp { server, .. } => server.close(all).await,
            // What it keeps is closed by itself.
            Self::Webhook(_) => {}
        }
    }
}

/// What carries messages, before it is known who sends them.
#[derive(Clone)]
enum Carrier {
    Smtp(Arc<Server>),
    Webhook(Arc<Hook>),
}

/// A server or webhook, or none.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct WayId(usize);

pub struct Mail {
    usual: Option<Way>,
    of: HashMap<Uuid, Way>,
    /// How many servers and webhooks there are.
    ways: usize,
}

impl Mail {
    pub fn new(config: &config::Deliver) -> Result<Self, String> {
        let wrong = |of: &str, what: String| format!("configuration: {of}: {what}");
        let usual_carrier = Named::all(config).carrier(config).map_err(|what| wrong("deliver", what))?;
        let from = mailbox(config.from.as_deref()).map_err(|what| wrong("deliver.from", what))?;
        let reply_to = mailbox(config.reply_to.as_deref()).map_err(|what| wrong("deliver.reply_to", what))?;
        let mut of = HashMap::new();
        for own in &config.organization {
            let name = format!("deliver.organization {}", own.id);
            let carrier = Named::own(own).carrier(config).map_err(|what| wrong(&name, what))?;
            let carrier = carrier
                .or_else(|| usual_carrier.clone())
                .ok_or_else(|| wrong(&name, "smtp or webhook is missing, here and in deliver".to_string()))?;
            let way = match carrier {
                Carrier::Webhook(hook) => Way::Webhook(hook),
                Carrier::Smtp(server) => {
                    let own_from = mailbox(own.from.as_deref()).map_err(|what| wrong(&name, what))?;
                    let from = own_from.or_else(|| from.clone());
                    let from = from.ok_or_else(|| wrong(&name, "from is missing, here and in deliver".to_string()))?;
                    let own_reply_to = mailbox(own.reply_to.as_deref()).map_err(|what| wrong(&name, what))?;
                    Way::Smtp { server, sender: Sender { from, reply_to: own_reply_to.or_else(|| reply_to.clone()) } }
                }
            };
            if of.insert(own.id, way).is_some() {
                return Err(wrong(&name, "it is there twice".to_string()));
            }
        }
        let usual = match (usual_carrier, from) {
            (Some(Carrier::Webhook(hook)), _) => Some(Way::Webhook(hook)),
            (Some(Carrier::Smtp(server)), Some(from)) => Some(Way::Smtp { server, sender: Sender { from, reply_to } }),
            (Some(Carrier::Smtp(_)), None) if of.is_empty() => {
                return Err(wrong("deliver.from", "it is missing".to_string()));
            }
            _ => None,
        };
        if usual.is_none() && of.is_empty() {
            return Err(wrong("deliver", "smtp or webhook is missing".to_string()));
        }
        let mut mail = Self { usual, of, ways: 0 };
        mail.ways = mail.outages().count();
        Ok(mail)
    }

    /// Of the way of an organization's messages; the same for all that share a server or webhook.
    pub fn id_of(&self, organization: Uuid) -> WayId {
        WayId(self.of(organization).map_or(0, |way| std::ptr::from_ref(way.outage()).addr()))
    }

    /// How many servers and webhooks there are.
    pub const fn ways(&self) -> usize {
        self.ways
    }

    /// None: nothing is configured for this organization.
    pub fn of(&self, organization: Uuid) -> Option<&Way> {
        self.of.get(&organization).or(self.usual.as_ref())
    }

    /// The organizations that have ways of their own.
    pub fn organizations(&self) -> Vec<Uuid> {
        self.of.keys().copied().collect()
    }

    /// Of each server and webhook, once.
    pub fn outages(&self) -> impl Iterator<Item = &Outage> {
        let mut seen: Vec<*const Outage> = Vec::new();
        self.usual.iter().chain(self.of.values()).map(Way::outage).filter(move |outage| {
            let is_new = !seen.contains(&std::ptr::from_ref(*outage));
            seen.push(*outage);
            is_new
        })
    }

    /// Closes connections that are not used any more.
    pub async fn close(&self, all: bool) {
        for way in self.usual.iter().chain(self.of.values()) {
            way.close(all).await;
        }
    }
}

/// What a section of the configuration names.
struct Named<'a> {
    smtp: Option<&'a str>,
    user: Option<&'a str>,
    password: Option<&'a str>,
    password_file: Option<&'a Path>,
    webhook: Option<&'a str>,
    secret: Option<&'a str>,
    secret_file: Option<&'a Path>,
}

impl<'a> Named<'a> {
    fn all(all: &'a config::Deliver) -> Self {
        Self {
            smtp: all.smtp.as_deref(),
            user: all.user.as_deref(),
            password: all.password.as_deref(),
            password_file: all.password_file.as_deref(),
            webhook: all.webhook.as_deref(),
            secret: all.webhook_secret.as_deref(),
            secret_file: all.webhook_secret_file.as_deref(),
        }
    }

    fn own(own: &'a config::OrganizationMail) -> Self {
        Self {
            smtp: own.smtp.as_deref(),
            user: own.user.as_deref(),
            password: own.password.as_deref(),
            password_file: own.password_file.as_deref(),
            webhook: own.webhook.as_deref(),
            secret: own.webhook_secret.as_deref(),
            secret_file: own.webhook_secret_file.as_deref(),
        }
    }

    fn carrier(&self, config: &config::Deliver) -> Result<Option<Carrier>, String> {
        let (timeout, authority) = (Duration::from_secs(config.timeout_seconds), config.ca_file.as_deref());
        if let (None, true) = (self.webhook, self.secret.is_some() || self.secret_file.is_some()) {
            return Err("webhook_secret without a webhook".to_string());
        }
        match (self.smtp, self.webhook) {
            (Some(_), Some(_)) => Err("smtp and webhook: one of them, not both".to_string()),
            (None, None) => Ok(None),
            (Some(url), None) => {
                let login = login(self.user, secret("password", self.password, self.password_file)?)?;
                let server = Server::new(url, login, config.hello_name.as_deref(), authority, timeout);
                server.map(|server| Some(Carrier::Smtp(Arc::new(server)))).map_err(|what| format!("smtp: {what}"))
            }
            (None, Some(url)) => {
                let secret = secret("webhook_secret", self.secret, self.secret_file)?
                    .ok_or_else(|| "webhook_secret or webhook_secret_file is missing".to_string())?;
                let lease = Duration::from_secs(config.lease_seconds.into());
                Hook::new(url, &secret, authority, timeout, lease).map(|hook| Some(Carrier::Webhook(Arc::new(hook))))
            }
        }
    }
}

/// Written there, or in a file, where one is named.
fn secret(name: &str, written: Option<&str>, file: Option<&Path>) -> Result<Option<String>, String> {
    match (written, file) {
        (Some(_), Some(_)) => Err(format!("{name} and {name}_file: one of them, not both")),
        (Some(written), None) => Ok(Some(written.to_string())),
        (None, Some(file)) => {
            let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
            let secret = text.trim_end_matches(['\r', '\n']);
            if secret.is_empty() {
                Err(format!("{}: it is empty", file.display()))
            } else {
                Ok(Some(secret.to_string()))
            }
        }
        (None, None) => Ok(None),
    }
}

fn login(user: Option<&str>, password: Option<String>) -> Result<Option<(String, String)>, String> {
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
