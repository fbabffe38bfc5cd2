//! The log: on standard error, for people or as a JSON object a line.

use std::io::IsTerminal;

use serde::Deserialize;
use tracing_subscriber::EnvFilter;

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    #[default]
    Text,
    Json,
}

impl Format {
    /// What REMINDERSD_LOG_FORMAT says; none where it says nothing.
    pub fn wanted() -> Result<Option<Self>, String> {
        match std::env::var("REMINDERSD_LOG_FORMAT").ok().as_deref() {
            None | Some("") => Ok(None),
            Some("text") => Ok(Some(Self::Text)),
            Some("json") => Ok(Some(Self::Json)),
            Some(other) => Err(format!("REMINDERSD_LOG_FORMAT: {other:?} is neither text nor json")),
        }
    }
}

/// REMINDERSD_LOG says what is logged: info, where it says nothing.
pub fn start(format: Format) {
    let filter = EnvFilter::try_from_env("REMINDERSD_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        Format::Text => log.with_ansi(std::io::stderr().is_terminal()).init(),
        Format::Json => log.json().flatten_event(true).init(),
    }
}
