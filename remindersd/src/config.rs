//! The configuration: a TOML file, and before it environment variables (REMINDERSD_JWT__SECRET for secret in [jwt]).

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Env, Format, Toml};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::logs;
use crate::texts::Links;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub database: Database,
    #[serde(default)]
    pub http: Http,
    /// `serve` needs it.
    pub jwt: Option<Jwt>,
    #[serde(default)]
    pub webhooks: Webhooks,
    #[serde(default)]
    pub unsubscribe: Unsubscribe,
    /// `deliver` needs it.
    pub deliver: Option<Deliver>,
    #[serde(default)]
    pub texts: Texts,
    #[serde(default, rename = "log")]
    _log: Log,
}

/// What the log is like.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Log {
    format: logs::Format,
}

/// All that is read of the file before anything can be logged.
#[derive(Default, Deserialize)]
struct Logging {
    #[serde(default)]
    log: Log,
}

/// What texts are made by: all that `preview` and `check-templates` read of the file.
#[derive(Deserialize)]
pub struct Texting {
    database: Option<Database>,
    deliver: Option<Connecting>,
    #[serde(default)]
    pub texts: Texts,
}

#[derive(Deserialize)]
struct Connecting {
    database_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// As psql takes it: a URL or "host=... dbname=...". The role needs nothing but membership in `jwt.roles`, without inheriting them.
    pub url: String,
    #[serde(default = "ten")]
    pub max_connections: usize,
    #[serde(default = "five")]
    pub statement_timeout_seconds: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    pub listen: SocketAddr,
    pub max_body_bytes: usize,
    pub max_open_connections: usize,
    pub request_timeout_seconds: u64,
    /// Of one caller. 0: no limit.
    pub requests_per_minute: u32,
    /// Origins of browsers that may read answers, such as https://app.example.org. None: only our own.
    pub cors_origins: Vec<String>,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            max_body_bytes: 64 * 1024,
            max_open_connections: 1000,
            request_timeout_seconds: 10,
            requests_per_minute: 600,
            cors_origins: Vec::new(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jwt {
    /// The secret of HS256, at least 32 bytes. Either this or `jwks_file`.
    pub secret: Option<String>,
    /// Public keys (RFC 7517) of RS256 and ES256.
    pub jwks_file: Option<PathBuf>,
    /// What `aud` must name.
    pub audience: String,
    /// What `iss` must be, where it is given here.
    pub issuer: Option<String>,
    /// The database roles that a token's `role` may name.
    pub roles: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Webhooks {
    /// The database role that records events.
    pub role: Option<String>,
    pub max_body_bytes: usize,
    /// An event of an unknown message that happened no longer ago is to be sent again. 0: none is.
    pub retry_unknown_seconds: u64,
    pub sources: Vec<Source>,
}

impl Default for Webhooks {
    fn default() -> Self {
        // SendGrid sends up to 768 KiB.
        Self { role: None, max_body_bytes: 1024 * 1024, retry_unknown_seconds: 15 * 60, sources: Vec::new() }
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Unsubscribe {
    /// The database role that unsubscribes whoever has a link. None: there is no such link.
    pub role: Option<String>,
}

/// The words of messages.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Texts {
    /// Templates that come before those that are shipped.
    pub directory: Option<PathBuf>,
    /// So many lines a digest has at most; then it says how many more there are.
    pub lines: usize,
    pub links: Links,
}

impl Default for Texts {
    fn default() -> Self {
        Self { directory: None, lines: 20, links: Links::default() }
    }
}

/// A mail provider that reports of an organization's messages, and by what its requests are known.
#[derive(Deserialize)]
#[serde(tag = "provider", rename_all = "lowercase", deny_unknown_fields)]
pub enum Source {
    Generic {
        organization: Uuid,
        secret: String,
        max_age_seconds: Option<u64>,
    },
    Mailgun {
        organization: Uuid,
        signing_key: String,
        max_age_seconds: Option<u64>,
    },
    Postmark {
        organization: Uuid,
        user: String,
        password: String,
    },
    Sendgrid {
        organization: Uuid,
        public_key: String,
        max_age_seconds: Option<u64>,
    },
    Ses {
        organization: Uuid,
        topic_arn: String,
        /// None: certificates are fetched from SNS.
        #[serde(default)]
        certificate_files: Vec<PathBuf>,
        max_age_seconds: Option<u64>,
    },
}

impl Source {
    pub const fn organization(&self) -> Uuid {
        match self {
            Self::Generic { organization, .. }
            | Self::Mailgun { organization, .. }
            | Self::Postmark { organization, .. }
            | Self::Sendgrid { organization, .. }
            | Self::Ses { organization, .. } => *organization,
        }
    }
}

/// What delivers messages.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deliver {
    /// Where the database is for whoever delivers; none: `database.url`. Its role is one of workers.
    pub database_url: Option<String>,
    /// smtp://host, smtp://host?tls=required (STARTTLS), or smtps://host: of all organizations that name none of their own.
    pub smtp: Option<String>,
    /// https://host/path, to which messages are posted instead.
    pub webhook: Option<String>,
    /// By which they are signed: `whsec_` and base64.
    pub webhook_secret: Option<String>,
    pub webhook_secret_file: Option<PathBuf>,
    pub user: Option<String>,
    pub password: Option<String>,
    /// A file that holds the password, such as a credential of systemd's.
    pub password_file: Option<PathBuf>,
    /// An address, or `Name <address>`; without a name, the organization's is.
    pub from: Option<String>,
    pub reply_to: Option<String>,
    /// How the mail server is greeted; none: by the machine's name.
    pub hello_name: Option<String>,
    /// Certificates (PEM) that are trusted beside the system's.
    pub ca_file: Option<PathBuf>,
    /// How long the mail server may take for an answer.
    #[serde(default = "a_minute")]
    pub timeout_seconds: u64,
    /// How many messages are sent at once.
    #[serde(default = "four")]
    pub connections: usize,
    /// How many messages are claimed at once.
    #[serde(default = "a_hundred")]
    pub batch: i32,
    /// After so long, other workers may take over what was not answered.
    #[serde(default = "five_minutes")]
    pub lease_seconds: u32,
    /// How long to wait when nothing is due and nobody notifies.
    #[serde(default = "ten_seconds")]
    pub poll_seconds: u64,
    /// False: nobody is listened to, which a pooler in transaction mode makes useless.
    #[serde(default = "yes")]
    pub listen: bool,
    /// Where /metrics and /healthz are served; none: nowhere.
    pub metrics: Option<SocketAddr>,
    #[serde(default)]
    pub organization: Vec<OrganizationMail>,
}

/// What an organization has of its own; what is not said is as for all, but a login belongs to its server.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrganizationMail {
    pub id: Uuid,
    pub smtp: Option<String>,
    pub webhook: Option<String>,
    pub webhook_secret: Option<String>,
    pub webhook_secret_file: Option<PathBuf>,
    pub user: Option<String>,
    pub password: Option<String>,
    pub password_file: Option<PathBuf>,
    pub from: Option<String>,
    pub reply_to: Option<String>,
}

const fn a_minute() -> u64 {
    60
}

const fn four() -> usize {
    4
}

const fn a_hundred() -> i32 {
    100
}

const fn five_minutes() -> u32 {
    300
}

const fn ten_seconds() -> u64 {
    10
}

const fn yes() -> bool {
    true
}

fn ten() -> usize {
    10
}

fn five() -> u32 {
    5
}

impl Config {
    /// Reads and checks it; says what is wrong where, without its secrets.
    pub fn read(file: Option<&Path>) -> Result<Self, String> {
        extracted::<Self>(file)?.checked()
    }

    /// What `serve` needs.
    pub fn jwt(&self) -> Result<&Jwt, String> {
        self.jwt.as_ref().ok_or_else(|| "configuration: serve needs the section [jwt]".to_string())
    }

    /// What `deliver` needs.
    pub fn deliver(&self) -> Result<&Deliver, String> {
        self.deliver.as_ref().ok_or_else(|| "configuration: deliver needs the section [deliver]".to_string())
    }

    fn checked(self) -> Result<Self, String> {
        let wrong = |what: &str| Err(format!("configuration: {what}"));
        if let Some(what) = self.jwt.as_ref().and_then(Jwt::complaint) {
            return wrong(what);
        }
        if let Some(what) = self.deliver.as_ref().and_then(Deliver::complaint) {
            return wrong(what);
        }
        if !self.webhooks.sources.is_empty() && self.webhooks.role.as_ref().is_none_or(String::is_empty) {
            return wrong("webhooks.role names no database role");
        }
        if self.unsubscribe.role.as_ref().is_some_and(String::is_empty) {
            return wrong("unsubscribe.role names no database role");
        }
        if self.database.max_connections == 0 || self.http.max_open_connections == 0 {
            return wrong("a limit of 0 connections serves nobody");
        }
        if self.http.request_timeout_seconds == 0 || self.database.statement_timeout_seconds == 0 {
            return wrong("a timeout of 0 seconds serves nobody");
        }
        Ok(self)
    }
}

impl Jwt {
    fn complaint(&self) -> Option<&'static str> {
        match (&self.secret, &self.jwks_file) {
            (Some(_), Some(_)) => return Some("jwt.secret and jwt.jwks_file: one of them, not both"),
            (None, None) => return Some("jwt.secret or jwt.jwks_file is missing"),
            (Some(secret), None) if secret.len() < 32 => {
                return Some("jwt.secret has fewer than 32 bytes, which HS256 asks for (RFC 7518, 3.2)");
            }
            _ => {}
        }
        if self.roles.is_empty() {
            return Some("jwt.roles names no database role");
        }
        self.audience.is_empty().then_some("jwt.audience is empty")
    }
}

impl Deliver {
    fn complaint(&self) -> Option<&'static str> {
        if !(1..=10_000).contains(&self.batch) {
            return Some("deliver.batch: 1 to 10,000");
        }
        if self.connections == 0 || self.connections > 1000 {
            return Some("deliver.connections: 1 to 1,000");
        }
        if !(1..=86_400).contains(&self.lease_seconds) {
            return Some("deliver.lease_seconds: 1 to 86,400, a day");
        }
        if !(1..=86_400).contains(&self.timeout_seconds) || !(1..=86_400).contains(&self.poll_seconds) {
            return Some("deliver.timeout_seconds and deliver.poll_seconds: 1 to 86,400, a day");
        }
        if u64::from(self.lease_seconds) < self.timeout_seconds {
            return Some(
                "deliver.lease_seconds is less than deliver.timeout_seconds: others would send what a slow server is taking",
            );
        }
        self.hello_name.as_ref().is_some_and(|name| name.trim().is_empty()).then_some("deliver.hello_name is empty")
    }
}

impl Texting {
    pub fn read(file: Option<&Path>) -> Result<Self, String> {
        extracted(file)
    }

    /// Where `deliver` connects.
    pub fn database_url(&self) -> Option<&str> {
        let own = self.deliver.as_ref().and_then(|deliver| deliver.database_url.as_deref());
        own.or(self.database.as_ref().map(|database| database.url.as_str()))
    }
}

/// What [log] says of its format; whatever is wrong there is told when all of the configuration is read.
pub fn log_format(file: Option<&Path>) -> logs::Format {
    extracted::<Logging>(file).unwrap_or_default().log.format
}

fn extracted<T: DeserializeOwned>(file: Option<&Path>) -> Result<T, String> {
    let mut figment = Figment::new();
    if let Some(file) = file {
        figment = figment.merge(Toml::file_exact(file));
    }
    figment.merge(Env::prefixed("REMINDERSD_").ignore(&["log", "log_format"]).split("__")).extract().map_err(|errors| {
        let errors: Vec<String> =
            errors.into_iter().map(|error| format!("configuration: {}", without_quotes(&error.to_string()))).collect();
        errors.join("\n")
    })
}

/// Without the lines that a parser quotes, which may hold a password: the first says where, and the last what.
fn without_quotes(error: &str) -> String {
    let lines: Vec<&str> = error.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    match lines.as_slice() {
        [first, .., last] => format!("{first}: {last}"),
        _ => error.to_string(),
    }
}
