//! Webhooks of mail providers: which requests are genuine, and what they report, in the database's words. What follows from it, the
//! database decides.

mod certificates;
mod event;
mod generic;
mod mailgun;
mod postmark;
mod sendgrid;
mod ses;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::{HeaderMap, StatusCode};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;
use uuid::Uuid;

pub use event::{Event, Report};

use crate::config;
use crate::problem::Problem;
use crate::token::Claims;

/// How far ahead a provider's clock may be, in seconds.
const LEEWAY: i64 = 300;

/// Why a request is not taken.
#[derive(Debug, PartialEq)]
pub enum Refused {
    /// 401, and what to tell.
    Forged(&'static str),
    /// 400.
    Malformed(String),
    /// 400: the member of the body that is at fault, and what is wrong with it.
    Wrong(&'static str, &'static str),
    /// 422: it is of a type that has no meaning here.
    Undefined(String),
    /// 503: it cannot be told now whether it is genuine.
    Undecided(&'static str),
}

/// A request of a provider's, as it came.
pub struct Delivery<'a> {
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
    /// In seconds since 1970.
    pub now: i64,
}

impl Delivery<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn json(&self) -> Result<serde_json::Value, Refused> {
        serde_json::from_slice(self.body).map_err(|error| Refused::Malformed(format!("the body is not JSON: {error}")))
    }

    /// Whether something was signed lately. Providers may sign a repeat as they signed the first attempt, so `max_age` reaches over their
    /// repeats; an event that is repeated within it is recorded once all the same.
    fn require_fresh(&self, timestamp: Option<i64>, max_age: u64) -> Result<(), Refused> {
        let timestamp = timestamp.ok_or(Refused::Forged("the timestamp is missing or no number"))?;
        let age = self.now.saturating_sub(timestamp);
        if age < -LEEWAY || age > i64::try_from(max_age).unwrap_or(i64::MAX) {
            return Err(Refused::Forged("the timestamp is too old, or in the future"));
        }
        Ok(())
    }
}

enum Source {
    Generic(generic::Source),
    Mailgun(mailgun::Source),
    Postmark(postmark::Source),
    Sendgrid(sendgrid::Source),
    Ses(ses::Source),
}

impl Source {
    /// What it reports, if it is genuine.
    async fn reports(&self, delivery: &Delivery<'_>) -> Result<Vec<Report>, Refused> {
        match self {
            Self::Generic(source) => source.reports(delivery),
            Self::Mailgun(source) => source.reports(delivery),
            Self::Postmark(source) => source.reports(delivery),
            Self::Sendgrid(source) => source.reports(delivery),
            Self::Ses(source) => source.reports(delivery).await,
        }
    }

    /// How it authenticates (RFC 9110, 11.6.1).
    const fn scheme(&self) -> &'static str {
        match self {
            Self::Postmark(_) => "Basic realm=\"webhooks\"",
            _ => "Signature",
        }
    }
}

/// What a genuine request reports.
pub struct Genuine {
    pub provider: &'static str,
    pub organization: Uuid,
    /// In whose name it is recorded.
    pub claims: Claims,
    pub reports: Vec<Report>,
    /// In seconds since 1970.
    pub now: i64,
}

/// Those that the configuration names. Several of one provider and organization are tried one after the other, so that a secret can be
/// replaced while both are in use.
#[derive(Clone)]
pub struct Webhooks {
    role: Arc<str>,
    max_body_bytes: usize,
    retry_unknown_seconds: u64,
    sources: Arc<HashMap<(&'static str, Uuid), Vec<Source>>>,
    /// The connections that the events of each organization may use at once.
    places: Arc<HashMap<Uuid, Semaphore>>,
    /// How long one is waited for.
    patience: Duration,
}

impl Webhooks {
    pub fn new(config: &config::Webhooks, database: &config::Database) -> Result<Self, String> {
        let mut sources: HashMap<(&'static str, Uuid), Vec<Source>> = HashMap::new();
        for (number, source) in config.sources.iter().enumerate() {
            let (provider, organization, source) = built(source)
                .map_err(|wrong| format!("configuration: webhooks.sources, number {}: {wrong}", number + 1))?;
            sources.entry((provider, organization)).or_default().push(source);
        }
        let role = config.role.as_deref().unwrap_or_default().into();
        // What keeps the events of one organization waiting leaves the others half of the connections.
        let most = (database.max_connections / 2).max(1);
        let places = sources.keys().map(|(_, organization)| (*organization, Semaphore::new(most))).collect();
        Ok(Self {
            places: Arc::new(places),
            patience: Duration::from_secs(database.statement_timeout_seconds.into()),
            role,
            max_body_bytes: config.max_body_bytes,
            retry_unknown_seconds: config.retry_unknown_seconds,
            sources: Arc::new(sources),
        })
    }

    fn of(&self, provider: &str, organization: &str) -> Option<(&'static str, Uuid, &[Source])> {
        let organization = organization.parse().ok()?;
        let provider = PROVIDERS.into_iter().find(|name| *name == provider)?;
        Some((provider, organization, self.sources.get(&(provider, organization))?))
    }

    /// How long a body may be that is sent to this path. None: it is no webhook of ours.
    pub fn longest(&self, path: &str) -> Option<usize> {
        let (provider, organization) = path.strip_prefix("/webhooks/")?.split_once('/')?;
        self.of(provider, organization).map(|_| self.max_body_bytes)
    }

    /// Whether an event of a message that nobody knows is to be sent again: it is so young that its worker may not have answered yet.
    pub fn may_become_known(&self, event: &Event, now: i64) -> bool {
        event.is_within(self.retry_unknown_seconds, now)
    }

    /// The right to use one more connection for an event of this organization, as long as it is kept.
    pub async fn place(&self, organization: Uuid) -> Result<Option<SemaphorePermit<'_>>, Problem> {
        // An organization without a source has no events.
        let Some(places) = self.places.get(&organization) else { return Ok(None) };
        match timeout(self.patience, places.acquire()).await {
            // It is closed by nobody.
            Ok(place) => Ok(place.ok()),
            Err(_) => Err(Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "too many events of this organization are being recorded",
            )),
        }
    }

    /// What a genuine request reports. The log tells why one is refused: whoever runs this seldom sees the answers that providers get.
    pub async fn read(
        &self,
        provider: &str,
        organization: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Genuine, Problem> {
        let (provider, organization, sources) = self.of(provider, organization).ok_or_else(unknown)?;
        let delivery = Delivery { headers, body, now: now() };
        let mut refused = unknown();
        for source in sources {
            refused = match source.reports(&delivery).await {
                Ok(reports) => {
                    let claims = self.claims(organization);
                    return Ok(Genuine { provider, organization, claims, reports, now: delivery.now });
                }
                Err(Refused::Forged(why)) => Problem::new(StatusCode::UNAUTHORIZED, why).challenge(source.scheme()),
                Err(Refused::Malformed(why)) => Problem::new(StatusCode::BAD_REQUEST, why),
                Err(Refused::Wrong(member, why)) => {
                    Problem::new(StatusCode::BAD_REQUEST, format!("{member} {why}")).at(member)
                }
                Err(Refused::Undefined(why)) => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why).at("type"),
                Err(Refused::Undecided(why)) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, why),
            };
            // Another secret changes nothing else.
            if refused.status() != StatusCode::UNAUTHORIZED {
                break;
            }
        }
        tracing::warn!(provider, %organization, "a webhook was refused: {refused}");
        Err(refused)
    }

    /// Of the role that webhooks run as, in one organization.
    fn claims(&self, organization: Uuid) -> Claims {
        Claims::of_role(&self.role, Some(organization))
    }
}

const PROVIDERS: [&str; 5] = ["generic", "mailgun", "postmark", "sendgrid", "ses"];

fn built(source: &config::Source) -> Result<(&'static str, Uuid, Source), String> {
    Ok(match source {
        config::Source::Generic { organization, secret, max_age_seconds } => {
            ("generic", *organization, Source::Generic(generic::Source::new(secret, *max_age_seconds)?))
        }
        config::Source::Mailgun { organization, signing_key, max_age_seconds } => {
            ("mailgun", *organization, Source::Mailgun(mailgun::Source::new(signing_key, *max_age_seconds)?))
        }
        config::Source::Postmark { organization, user, password } => {
            ("postmark", *organization, Source::Postmark(postmark::Source::new(user, password)?))
        }
        config::Source::Sendgrid { organization, public_key, max_age_seconds } => {
            ("sendgrid", *organization, Source::Sendgrid(sendgrid::Source::new(public_key, *max_age_seconds)?))
        }
        config::Source::Ses { organization, topic_arn, certificate_files, max_age_seconds } => {
            ("ses", *organization, Source::Ses(ses::Source::new(topic_arn, certificate_files, *max_age_seconds)?))
        }
    })
}

/// Not told apart: a provider that nobody knows, an organization that nobody knows, and the two without a configuration.
fn unknown() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "there is no such webhook")
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| i64::try_from(time.as_secs()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_signed_long_ago_or_in_the_future_is_refused() {
        let headers = HeaderMap::new();
        let delivery = Delivery { headers: &headers, body: b"", now: 1_000_000 };
        for (timestamp, is_fresh) in [
            (Some(1_000_000), true),
            (Some(999_700), true),
            (Some(999_699), false),
            (Some(1_000_300), true),
            (Some(1_000_301), false),
            (Some(i64::MIN), false),
            (Some(i64::MAX), false),
            (None, false),
        ] {
            assert_eq!(delivery.require_fresh(timestamp, 300).is_ok(), is_fresh, "{timestamp:?}");
        }
    }
}
