//! The configuration: a TOML file, and before it environment variables (REMINDERSD_JWT__SECRET for secret in [jwt]).

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Env, Format, Toml};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::texts::Links;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub database: Database,
    #[serde(default)]
    pub http: Http,
    pub jwt: Jwt,
    #[serde(default)]
    pub webhooks: Webhooks,
    #[serde(default)]
    pub unsubscribe: Unsubscribe,
    #[serde(default)]
    pub texts: Texts,
}

/// What texts are made by: all that `preview` reads of the file.
#[derive(Deserialize)]
pub struct Texting {
    pub database: Option<Database>,
    #[serde(default)]
    pub texts: Texts,
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
#[derive(Deserialize)]
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

    fn checked(self) -> Result<Self, String> {
        let wrong = |what: &str| Err(format!("configuration: {what}"));
        match (&self.jwt.secret, &self.jwt.jwks_file) {
            (Some(_), Some(_)) => return wrong("jwt.secret and jwt.jwks_file: one of them, not both"),
            (None, None) => return wrong("jwt.secret or jwt.jwks_file is missing"),
            (Some(secret), None) if secret.len() < 32 => {
                return wrong("jwt.secret has fewer than 32 bytes, which HS256 asks for (RFC 7518, 3.2)");
            }
            _ => {}
        }
        if self.jwt.roles.is_empty() {
            return wrong("jwt.roles names no database role");
        }
        if self.jwt.audience.is_empty() {
            return wrong("jwt.audience is empty");
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

impl Texting {
    pub fn read(file: Option<&Path>) -> Result<Self, String> {
        extracted(file)
    }
}

fn extracted<T: DeserializeOwned>(file: Option<&Path>) -> Result<T, String> {
    let mut figment = Figment::new();
    if let Some(file) = file {
        figment = figment.merge(Toml::file_exact(file));
    }
    figment.merge(Env::prefixed("REMINDERSD_").ignore(&["log"]).split("__")).extract().map_err(|errors| {
        let errors: Vec<String> = errors.into_iter().map(|error| format!("configuration: {error}")).collect();
        errors.join("\n")
    })
}
