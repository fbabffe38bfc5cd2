//! A webhook: messages are posted to whoever sends them, each signed as Standard Webhooks has it.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::{HeaderMap, Request, Uri, header};
use chrono::{DateTime, Utc};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioTimer;
use tower::util::BoxCloneSyncService;
use url::Url;

use super::authority;
use super::outage::Outage;
use super::reply::{Reply, Said};
use super::smtp::is_near;
use super::verdict::Verdict;
use crate::problem::explained;
use crate::standard_webhooks::Key;

/// So much of an answer is read.
const LONGEST_ANSWER: usize = 64 * 1024;
/// A message that is longer is not posted: few take it, and hundreds of reminders fit.
pub const LONGEST: usize = 4 * 1024 * 1024;
/// Connections that were not used for so long are closed.
const IDLE: Duration = Duration::from_secs(30);
/// A webhook that could not be reached is not tried again for so long.
const REST: Duration = Duration::from_secs(5);

type Connector = BoxCloneSyncService<
    Uri,
    hyper_rustls::MaybeHttpsStream<hyper_util::rt::TokioIo<tokio::net::TcpStream>>,
    tower::BoxError,
>;

pub struct Hook {
    url: Uri,
    key: Key,
    client: Client<Connector, Full<Bytes>>,
    timeout: Duration,
    /// It asked not to be called again before this, or cannot be reached.
    resting: Mutex<Option<(Instant, Reply)>>,
    /// It is asked for no longer pauses than this.
    lease: Duration,
    outage: Outage,
}

impl Hook {
    pub fn new(
        url: &str,
        secret: &str,
        authority: Option<&Path>,
        timeout: Duration,
        lease: Duration,
    ) -> Result<Self, String> {
        let url = Url::parse(url).map_err(|error| error.to_string())?;
        let is_near = url.host().as_ref().map(is_near).ok_or("webhook names no host")?;
        match url.scheme() {
            "https" => {}
            "http" if is_near => {}
            "http" => return Err("what messages hold would go unencrypted: say https://".to_string()),
            scheme => return Err(format!("webhook: {scheme}:// is not https://")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("webhook: a login in the URL is not sent: webhook_secret signs".to_string());
        }
        // Nothing that may be secret, such as a query, stands in logs.
        let host = url.host_str().unwrap_or_default();
        let outage = Outage::new(match url.port_or_known_default() {
            Some(port) => format!("the webhook {host}:{port}"),
            None => format!("the webhook {host}"),
        });
        let url: Uri = url.as_str().parse().map_err(|_| "webhook is no URL".to_string())?;
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_timer(TokioTimer::new())
            .build(connector(authority, timeout)?);
        Ok(Self {
            url,
            key: Key::new(secret).map_err(|what| format!("webhook_secret {what}"))?,
            client,
            timeout,
            resting: Mutex::default(),
            lease,
            outage,
        })
    }

    pub fn outage(&self) -> &Outage {
        &self.outage
    }

    /// As logs call it.
    pub fn name(&self) -> String {
        self.url.authority().map(ToString::to_string).unwrap_or_default()
    }

    /// Posts a message under this id, which stays the same however often it is posted; what was said to that.
    pub async fn post(&self, id: &str, body: Vec<u8>) -> Reply {
        if let Some(reply) = self.rest() {
            return reply;
        }
        let reply = self.post_now(id, Bytes::from(body)).await;
        match (reply.verdict(), reply.pause()) {
            (Some(Verdict::Everybodys(_)), pause) => {
                self.outage.begins(&reply.told());
                let pause = pause.unwrap_or(REST).min(self.lease);
                *self.resting.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some((Instant::now() + pause, reply.clone()));
            }
            (Some(Verdict::MaybeTaken | Verdict::Doubtful { .. }), _) => {}
            (None | Some(Verdict::Own(_)), _) => self.outage.ends(),
        }
        reply
    }

    /// What is said while it is not called.
    fn rest(&self) -> Option<Reply> {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        match &*resting {
            Some((until, reply)) if Instant::now() < *until => Some(reply.clone()),
            _ => {
                *resting = None;
                None
            }
        }
    }

    async fn post_now(&self, id: &str, body: Bytes) -> Reply {
        let timestamp = Utc::now().timestamp().to_string();
        let signature = self.key.sign(id, &timestamp, &body);
        let request = Request::post(self.url.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, concat!("remindersd/", env!("CARGO_PKG_VERSION")))
            .header("idempotency-key", id)
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature)
            .body(Full::new(body));
        let request = match request {
            Ok(request) => request,
            Err(error) => return Reply::new(Said::Unwritable(error.to_string())),
        };
        // Connecting has a limit of its own, so that it is known whether anything may have been taken.
        match tokio::time::timeout(self.timeout * 2, self.client.request(request)).await {
            Err(_) => Reply::new(Said::Broken("no answer in time".to_string())),
            Ok(Err(error)) => Reply::new(of_error(&error)),
            Ok(Ok(response)) => {
                let (status, pause) = (response.status(), pause(response.headers(), Utc::now()));
                let body = tokio::time::timeout(self.timeout, read(response.into_body())).await;
                Reply::new(Said::Answer { status, body: body.unwrap_or_default() }).pausing(pause)
            }
        }
    }
}

fn of_error(error: &Error) -> Said {
    if error.is_connect() { Said::Unreachable(explained(error)) } else { Said::Broken(explained(error)) }
}

/// What was said, as far as it was read: the status is what counts.
async fn read(body: Incoming) -> Vec<u8> {
    Limited::new(body, LONGEST_ANSWER).collect().await.map(|body| body.to_bytes().to_vec()).unwrap_or_default()
}

/// How long not to call again (RFC 9110, 10.2.3): seconds, or a moment.
fn pause(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let said = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = said.parse() {
        return Some(Duration::from_secs(seconds));
    }
    (DateTime::parse_from_rfc2822(said).ok()?.to_utc() - now).to_std().ok()
}

fn connector(file: Option<&Path>, timeout: Duration) -> Result<Connector, String> {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    let https = HttpsConnectorBuilder::new()
        .with_tls_config(authority::client(file)?)
        .https_or_http()
        .enable_http1()
        .wrap_connector(http);
    Ok(BoxCloneSyncService::new(tower::timeout::Timeout::new(https, timeout)))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_moment_and_anything_else_is_none() {
        let now = DateTime::parse_from_rfc3339("2026-11-27T12:00:00Z").expect("a moment").to_utc();
        let said = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, text.parse().expect("a header"));
            pause(&headers, now).map(|pause| pause.as_secs())
        };
        assert_eq!(said("120"), Some(120));
        assert_eq!(said("Fri, 27 Nov 2026 12:01:00 GMT"), Some(60));
        for none in ["Fri, 27 Nov 2026 11:00:00 GMT", "soon", "", "-1", "1e3", "99999999999999999999999"] {
            assert_eq!(said(none), None, "{none}");
        }
        assert_eq!(pause(&HeaderMap::new(), now), None);
    }

    #[test]
    fn what_would_go_unencrypted_or_unsigned_is_not_taken() {
        let secret = format!("whsec_{}", STANDARD.encode([7; 24]));
        let hook = |url: &str, secret: &str| {
            Hook::new(url, secret, None, Duration::from_secs(1), Duration::from_secs(1)).map(drop)
        };
        for url in ["https://example.org/send?to=x", "http://localhost:1/", "http://127.0.0.1:1", "http://[::1]:1"] {
            assert_eq!(hook(url, &secret), Ok(()), "{url}");
        }
        for url in ["http://example.org", "ftp://example.org", "https://", "example.org", "https://a:b@example.org"] {
            assert!(hook(url, &secret).is_err(), "{url}");
        }
        for secret in ["", "whsec_", "whsec_short", "not base64!", &STANDARD.encode([7; 23])] {
            assert!(hook("https://example.org", secret).is_err(), "{secret}");
        }
    }
}
