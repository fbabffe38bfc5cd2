//! The log: on standard error, for people or as a JSON object a line.

use std::io::IsTerminal;
use std::sync::OnceLock;

use serde::Deserialize;
use tracing_subscriber::EnvFilter;

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    #[default]
    Text,
    Json,
}

static CHOSEN: OnceLock<Format> = OnceLock::new();

/// What the log is like, once it was started.
pub fn format() -> Format {
    CHOSEN.get().copied().unwrap_or_default()
}

impl Format {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }

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

/// What the database's driver and pool say is said by us, where it matters: notices may name people, and each lost connection has a line.
const QUIET: [&str; 2] = ["tokio_postgres", "deadpool"];

/// REMINDERSD_LOG says what is logged: info, where it says nothing.
pub fn start(format: Format) -> Result<(), String> {
    let format = *CHOSEN.get_or_init(|| format);
    let wanted = std::env::var("REMINDERSD_LOG").unwrap_or_default();
    let wanted = if wanted.trim().is_empty() { "info" } else { wanted.as_str() };
    // A word that is no level would be taken for a part of the program, and nothing else be logged.
    let is_level =
        |word: &str| word.contains('=') || word.parse::<tracing::Level>().is_ok() || word.eq_ignore_ascii_case("off");
    if let Some(word) = wanted.split(',').map(str::trim).find(|word| !is_level(word)) {
        return Err(format!("REMINDERSD_LOG: {word:?} is none of error, warn, info, debug, trace and off"));
    }
    let mut filter = EnvFilter::try_new(wanted).map_err(|error| format!("REMINDERSD_LOG: {error}"))?;
    if !wanted.contains("debug") && !wanted.contains("trace") {
        for target in QUIET {
            let directive = format!("{target}=off").parse().map_err(|error| format!("REMINDERSD_LOG: {error}"))?;
            filter = filter.add_directive(directive);
        }
    }
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        Format::Text => log.with_ansi(std::io::stderr().is_terminal()).init(),
        Format::Json => log.json().flatten_event(true).init(),
    }
    Ok(())
}
