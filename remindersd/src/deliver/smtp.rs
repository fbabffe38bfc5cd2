//! A mail server, and the connections to it that are kept. Commands are sent one by one, so that it is known at which of them something was refused.

use std::future::Future;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use lettre::address::Address;
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, Tls, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use url::{Host, Url};

use super::authority::certificates;
use super::content::Content;
use super::failure::{Failure, Said, Stage};
use super::outage::Outage;

/// A server that could not be reached is not tried again for so long: one that is down should not be waited for by every organization in turn.
const REST: Duration = Duration::from_secs(5);
/// Connections that were not used for so long are closed.
const IDLE: Duration = Duration::from_secs(30);
/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// Whether it is this machine, to which nothing need be encrypted.
pub fn is_near(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(host) => *host == "localhost",
        Host::Ipv4(host) => host.is_loopback(),
        Host::Ipv6(host) => host.is_loopback(),
    }
}

/// What is handed over.
pub struct Envelope {
    pub from: Address,
    pub to: Address,
}

pub struct Server {
    host: String,
    port: u16,
    tls: Tls,
    credentials: Option<Credentials>,
    hello: ClientId,
    timeout: Duration,
    kept: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
    unreachable: Mutex<Option<(Instant, Failure)>>,
    outage: Outage,
}

impl Server {
    /// By a URL: smtp://host for port 25 without encryption, smtp://host?tls=required (or opportunistic) for STARTTLS at port 587, smtps://host for port 465.
    pub fn new(
        url: &str,
        login: Option<(String, String)>,
        hello: Option<&str>,
        authority: Option<&Path>,
        timeout: Duration,
    ) -> Result<Self, String> {
        let url = Url::parse(url).map_err(|error| error.to_string())?;
        let host = url.host().ok_or("it names no host, as smtp://mail.example.org:587?tls=required does")?;
        let is_near = is_near(&host);
        let host = match host {
            Host::Ipv6(address) => address.to_string(),
            host => host.to_string(),
        };
        // Another scheme than http's keeps a host as it is written.
        let host = match idna::domain_to_ascii(&host) {
            Ok(ascii) if !ascii.is_empty() => ascii,
            _ => host,
        };
        let mut wanted = None;
        for (name, value) in url.query_pairs() {
            match name.as_ref() {
                "tls" => wanted = Some(value.into_owned()),
                other => return Err(format!("it knows tls=required and tls=opportunistic, not {other}")),
            }
        }
        let parameters = || {
            let mut builder = TlsParameters::builder(host.clone());
            if let Some(file) = authority {
                for certificate in certificates(file)? {
                    let certificate = Certificate::from_der(certificate.to_vec()).map_err(|error| error.to_string())?;
                    builder = builder.add_root_certificate(certificate);
                }
            }
            builder.build().map_err(|error| error.to_string())
        };
        let (port, tls) = match (url.scheme(), wanted.as_deref()) {
            ("smtp", None) => (25, Tls::None),
            ("smtp", Some("required")) => (587, Tls::Required(parameters()?)),
            ("smtp", Some("opportunistic")) => (587, Tls::Opportunistic(parameters()?)),
            ("smtps", None) => (465, Tls::Wrapper(parameters()?)),
            ("smtp", Some(other)) => return Err(format!("tls={other}: it is required or opportunistic")),
            ("smtps", Some(_)) => return Err("smtps:// is encrypted from the beginning: leave tls away".to_string()),
            (scheme, _) => return Err(format!("{scheme}:// is neither smtp:// nor smtps://")),
        };
        let login = login.or(written_login(&url)?);
        if login.is_some() && !is_near && matches!(tls, Tls::None | Tls::Opportunistic(_)) {
            return Err("a password would go unencrypted: add ?tls=required, or say smtps://".to_string());
        }
        let hello = match hello.or_else(|| Some(url.path().trim_matches('/')).filter(|path| !path.is_empty())) {
            Some(name) if name.chars().all(|character| character.is_ascii_graphic()) => {
                ClientId::Domain(name.to_string())
            }
            Some(name) => return Err(format!("{name:?} is no name to say hello with")),
            None => ClientId::default(),
        };
        let port = url.port().unwrap_or(port);
        Ok(Self {
            outage: Outage::new(format!("the mail server {host}:{port}")),
            host,
            port,
            tls,
            credentials: login.map(|(user, password)| Credentials::new(user, password)),
            hello,
            timeout,
            kept: Mutex::default(),
            unreachable: Mutex::default(),
        })
    }

    /// As logs call it.
    pub fn name(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    pub fn outage(&self) -> &Outage {
        &self.outage
    }

    /// Hands a message over; what the server said to that. A connection that was kept and turns out to be closed is replaced by another.
    pub async fn send(&self, envelope: &Envelope, message: &[u8]) -> Result<String, Failure> {
        if let Some(connection) = self.take() {
            match self.try_on(connection, envelope, message).await {
                Err(failure) if failure.is_of_old_connection() => {}
                done => return done,
            }
        }
        let connection = self.connect().await?;
        self.try_on(connection, envelope, message).await
    }

    async fn try_on(
        &self,
        mut connection: AsyncSmtpConnection,
        envelope: &Envelope,
        message: &[u8],
    ) -> Result<String, Failure> {
        let done = self.hand_over(&mut connection, envelope, message).await;
        let is_good = match &done {
            Ok(_) => {
                self.outage.ends();
                true
            }
            Err(failure) if failure.ends_connection() => false,
            Err(_) => self.within(Stage::Sender, connection.command(Rset)).await.is_ok(),
        };
        if is_good {
            self.keep(connection);
        }
        done
    }

    async fn hand_over(
        &self,
        connection: &mut AsyncSmtpConnection,
        envelope: &Envelope,
        message: &[u8],
    ) -> Result<String, Failure> {
        let mut parameters = Vec::new();
        if !envelope.to.user().is_ascii() {
            if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                // As the server would say it (RFC 6531, 3.5), of this address.
                let text = "5.6.7 the mail server takes no addresses beyond ASCII (SMTPUTF8)".to_string();
                return Err(Failure { stage: Stage::Content, said: Said::Reply { code: 553, text } });
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if !message.is_ascii() {
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        let mail = Mail::new(Some(envelope.from.clone()), parameters);
        self.within(Stage::Sender, connection.command(mail)).await?;
        self.within(Stage::Recipient, connection.command(Rcpt::new(envelope.to.clone(), Vec::new()))).await?;
        self.within(Stage::Data, connection.command(Data)).await?;
        let content = String::from_utf8_lossy(message);
        let response = self.within(Stage::Content, connection.command(Content(&content))).await?;
        Ok(response.message().collect::<Vec<_>>().join(" "))
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Failure> {
        if let Some((since, failure)) = &*self.unreachable.lock().unwrap_or_else(PoisonError::into_inner)
            && since.elapsed() < REST
        {
            return Err(failure.clone());
        }
        let connected = self.connect_now().await;
        match &connected {
            Ok(_) => self.outage.ends(),
            Err(failure) => self.outage.begins(&failure.told()),
        }
        *self.unreachable.lock().unwrap_or_else(PoisonError::into_inner) =
            connected.as_ref().err().map(|failure| (Instant::now(), failure.clone()));
        connected
    }

    async fn connect_now(&self) -> Result<AsyncSmtpConnection, Failure> {
        let wrapper = match &self.tls {
            Tls::Wrapper(parameters) => Some(parameters.clone()),
            _ => None,
        };
        let to = (self.host.as_str(), self.port);
        let connecting = AsyncSmtpConnection::connect_tokio1(to, Some(self.timeout), &self.hello, wrapper, None);
        let mut connection = self.within(Stage::Connect, connecting).await?;
        match &self.tls {
            Tls::Opportunistic(parameters) if connection.can_starttls() => {
                self.within(Stage::Encryption, connection.starttls(parameters.clone(), &self.hello)).await?;
            }
            Tls::Required(parameters) => {
                self.within(Stage::Encryption, connection.starttls(parameters.clone(), &self.hello)).await?;
            }
            _ => {}
        }
        if let Some(credentials) = &self.credentials {
            self.within(Stage::Login, connection.auth(DEFAULT_MECHANISMS, credentials)).await?;
        }
        Ok(connection)
    }

    async fn within<T>(&self, stage: Stage, talk: impl Future<Output = Result<T, smtp::Error>>) -> Result<T, Failure> {
        match tokio::time::timeout(self.timeout, talk).await {
            Ok(said) => said.map_err(|error| Failure::new(stage, &error)),
            Err(_) => Err(Failure::broken(stage, "no answer in time")),
        }
    }

    fn take(&self) -> Option<AsyncSmtpConnection> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).pop().map(|(connection, _)| connection)
    }

    fn keep(&self, connection: AsyncSmtpConnection) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).push((connection, Instant::now()));
    }

    /// Says goodbye on connections that nobody has used for a while; on all of them, where `all` is wanted.
    pub async fn close(&self, all: bool) {
        let old: Vec<AsyncSmtpConnection> = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            let mut old = Vec::new();
            for (connection, since) in std::mem::take(&mut *kept) {
                if all || since.elapsed() >= IDLE {
                    old.push(connection);
                } else {
                    kept.push((connection, since));
                }
            }
            old
        };
        for mut connection in old {
            // A server that does not answer has heard it, or is gone.
            let _ = tokio::time::timeout(GOODBYE, connection.quit()).await;
        }
    }
}

/// The login that a URL holds.
fn written_login(url: &Url) -> Result<Option<(String, String)>, String> {
    let Some(password) = url.password() else {
        return if url.username().is_empty() { Ok(None) } else { Err("a user without a password".to_string()) };
    };
    let decoded = |text: &str| {
        percent_encoding::percent_decode_str(text)
            .decode_utf8()
            .map(std::borrow::Cow::into_owned)
            .map_err(|_| "its login is not UTF-8".to_string())
    };
    Ok(Some((decoded(url.username())?, decoded(password)?)))
}
