//! A mail server, and the connections to it that are kept. Commands are sent one by one, so that it is known at which of them something was refused.

use std::path::Path;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lettre::address::Address;
use tokio::sync::Notify;
use url::{Host, Url};

use super::answer::{Answer, enhanced};
use super::failure::{Failure, Said, Stage};
use super::outage::Outage;
use super::session::{Credentials, Session, Tls};

/// A server that could not be reached is not tried again for so long: one that is down should not be waited for by every organization in turn.
const REST: Duration = Duration::from_secs(5);
/// Connections that were not used for so long are closed.
const IDLE: Duration = Duration::from_secs(30);
/// A server that refused one connection more is not asked for it again for so long.
const FEWER: Duration = Duration::from_mins(5);
/// A server may need so long to see that a connection is closed.
const SETTLE: Duration = Duration::from_secs(1);
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

/// How a connection is encrypted.
enum Encryption {
    None,
    /// By STARTTLS, where it is offered.
    Offered(Tls),
    /// By STARTTLS.
    Required(Tls),
    FromTheBeginning(Tls),
}

pub struct Server {
    host: String,
    port: u16,
    encryption: Encryption,
    credentials: Option<Credentials>,
    hello: String,
    timeout: Duration,
    connections: Mutex<Connections>,
    /// One works, or is somebody else's now.
    changed: Notify,
    unreachable: Mutex<Option<(Instant, Failure)>>,
    outage: Outage,
}

/// Those to a server, all of which are counted: so it is known how many it allows.
#[derive(Default)]
struct Connections {
    kept: Vec<(Session, Instant)>,
    /// On which messages are.
    used: usize,
    /// That are only tried.
    tried: usize,
    /// It refused more than so many, then.
    fewer: Option<(usize, Instant)>,
}

impl Connections {
    fn working(&self) -> usize {
        self.kept.len() + self.used
    }

    fn is_full(&self) -> bool {
        self.fewer.is_some_and(|(most, since)| since.elapsed() < FEWER && self.working() + self.tried >= most)
    }

    /// Whether one that is tried is the only one, where more were refused before: it follows upon others, which are closed.
    fn had_others(&self) -> bool {
        self.working() == 0 && self.tried == 1 && self.fewer.is_some_and(|(_, since)| since.elapsed() < FEWER)
    }

    /// No more than so many, for a while; whether that is news.
    fn allow(&mut self, most: usize) -> bool {
        let before = self.fewer.replace((most, Instant::now()));
        before.is_none_or(|(before, _)| before != most)
    }

    /// One that was kept, or none, since it may be opened; nothing, where neither is so. An old one, where another was wanted, rather than nothing.
    fn take(&mut self, is_old_wanted: bool) -> Option<Option<Session>> {
        let is_full = self.is_full();
        let kept = if is_old_wanted || is_full { self.kept.pop() } else { None };
        match kept {
            Some((session, _)) => {
                self.used += 1;
                Some(Some(session))
            }
            None if is_full => None,
            None => {
                self.tried += 1;
                Some(None)
            }
        }
    }
}

/// A message's place among the connections; it is another's when this ends.
struct Place<'a> {
    server: &'a Server,
    works: bool,
}

impl Place<'_> {
    fn works(&mut self) {
        let mut connections = self.server.connections();
        self.works = true;
        connections.tried -= 1;
        connections.used += 1;
        let working = connections.working();
        if let Some((most, _)) = &mut connections.fewer {
            *most = working.max(*most);
        }
        drop(connections);
        self.server.changed.notify_waiters();
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut connections = self.server.connections();
        if self.works {
            connections.used -= 1;
        } else {
            connections.tried -= 1;
        }
        drop(connections);
        self.server.changed.notify_waiters();
    }
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
        let tls = || Tls::new(&host, authority);
        let (port, encryption) = match (url.scheme(), wanted.as_deref()) {
            ("smtp", None) => (25, Encryption::None),
            ("smtp", Some("required")) => (587, Encryption::Required(tls()?)),
            ("smtp", Some("opportunistic")) => (587, Encryption::Offered(tls()?)),
            ("smtps", None) => (465, Encryption::FromTheBeginning(tls()?)),
            ("smtp", Some(other)) => return Err(format!("tls={other}: it is required or opportunistic")),
            ("smtps", Some(_)) => return Err("smtps:// is encrypted from the beginning: leave tls away".to_string()),
            (scheme, _) => return Err(format!("{scheme}:// is neither smtp:// nor smtps://")),
        };
        let login = match (login, written_login(&url)?) {
            (Some(_), Some(_)) => return Err("a login stands in the URL, and another beside it".to_string()),
            (beside, written) => beside.or(written),
        };
        if login.is_some() && !is_near && matches!(encryption, Encryption::None | Encryption::Offered(_)) {
            return Err("a password would go unencrypted: add ?tls=required, or say smtps://".to_string());
        }
        let hello = match hello.or_else(|| Some(url.path().trim_matches('/')).filter(|path| !path.is_empty())) {
            Some(name) if name.chars().all(|character| character.is_ascii_graphic()) => name.to_string(),
            Some(name) => return Err(format!("{name:?} is no name to say hello with")),
            None => own_name(),
        };
        let port = url.port().unwrap_or(port);
        if port == 0 {
            return Err("there is no port 0".to_string());
        }
        Ok(Self {
            outage: Outage::new(format!("the mail server {host}:{port}")),
            host,
            port,
            encryption,
            credentials: login.map(|(user, password)| Credentials { user, password }),
            hello,
            timeout,
            connections: Mutex::default(),
            changed: Notify::new(),
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

    /// Hands a message over; what the server said to that. A connection that was kept and turns out to be closed is replaced by another; one that the
    /// server refuses while others work is one too many, and the message waits for those.
    pub async fn send(&self, envelope: &Envelope, message: &[u8]) -> Result<String, Failure> {
        let mut is_old_wanted = true;
        loop {
            let (mut place, kept) = self.place(is_old_wanted).await;
            if let Some(session) = kept {
                match self.try_on(session, envelope, message).await {
                    Err(failure) if failure.is_of_old_connection() => is_old_wanted = false,
                    done => return done,
                }
                continue;
            }
            if let Some(failure) = self.unreachable() {
                return Err(failure);
            }
            let mut opened = self.connect().await;
            if opened.as_ref().is_err_and(Failure::is_of_further_connection) && self.connections().had_others() {
                tokio::time::sleep(SETTLE).await;
                opened = self.connect().await;
            }
            match opened {
                Ok(session) => {
                    place.works();
                    self.reached(None);
                    return self.try_on(session, envelope, message).await;
                }
                Err(failure) if failure.is_of_further_connection() => {
                    drop(place);
                    self.weigh(failure).await?;
                }
                Err(failure) => {
                    self.reached(Some(&failure));
                    return Err(failure);
                }
            }
        }
    }

    /// A place for a connection, and one that was kept; none: it is to be opened.
    async fn place(&self, is_old_wanted: bool) -> (Place<'_>, Option<Session>) {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            if let Some(session) = self.connections().take(is_old_wanted) {
                return (Place { server: self, works: session.is_some() }, session);
            }
            changed.await;
        }
    }

    /// What it means that a connection was refused: where others work, it was one too many; where others are being tried, they will tell.
    async fn weigh(&self, failure: Failure) -> Result<(), Failure> {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable();
            {
                let mut connections = self.connections();
                let working = connections.working();
                if working > 0 {
                    if connections.allow(working) {
                        let (server, told) = (self.name(), failure.told());
                        tracing::info!(connections = working, "the mail server {server} refuses more: {told}");
                    }
                    return Ok(());
                }
                if connections.tried == 0 {
                    connections.fewer = None;
                    self.reached(Some(&failure));
                    return Err(failure);
                }
            }
            changed.await;
        }
    }

    async fn try_on(&self, mut session: Session, envelope: &Envelope, message: &[u8]) -> Result<String, Failure> {
        let done = hand_over(&mut session, envelope, message).await;
        let is_good = match &done {
            Ok(_) => {
                self.outage.ends();
                session.is_ready()
            }
            Err(failure) if failure.ends_connection() || !session.is_ready() => false,
            Err(_) => session.ask(Stage::Sender, "RSET").await.is_ok() && session.is_ready(),
        };
        if is_good {
            self.connections().kept.push((session, Instant::now()));
        } else {
            goodbye(session).await;
        }
        done.map(|answer| answer.text())
    }

    async fn connect(&self) -> Result<Session, Failure> {
        let to = (self.host.as_str(), self.port);
        let tls = match &self.encryption {
            Encryption::FromTheBeginning(tls) => Some(tls),
            _ => None,
        };
        let mut session = Session::open(to, tls, &self.hello, self.timeout).await?;
        session = match &self.encryption {
            Encryption::Required(tls) => session.encrypt(tls, &self.hello).await?,
            Encryption::Offered(tls) if session.has_starttls() => session.encrypt(tls, &self.hello).await?,
            _ => session,
        };
        if let Some(credentials) = &self.credentials {
            session.login(credentials).await?;
        }
        Ok(session)
    }

    /// Why it could not be reached, which it is not asked again for a while.
    fn unreachable(&self) -> Option<Failure> {
        let unreachable = self.unreachable.lock().unwrap_or_else(PoisonError::into_inner);
        unreachable.as_ref().filter(|(since, _)| since.elapsed() < REST).map(|(_, failure)| failure.clone())
    }

    /// Whether it could be reached.
    fn reached(&self, failure: Option<&Failure>) {
        match failure {
            None => self.outage.ends(),
            Some(failure) => self.outage.begins(&failure.told()),
        }
        *self.unreachable.lock().unwrap_or_else(PoisonError::into_inner) =
            failure.map(|failure| (Instant::now(), failure.clone()));
    }

    fn connections(&self) -> MutexGuard<'_, Connections> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says goodbye on connections that nobody has used for a while; on all of them, where `all` is wanted.
    pub async fn close(&self, all: bool) {
        let is_old = |(_, since): &mut (Session, Instant)| all || since.elapsed() >= IDLE;
        let old: Vec<_> = self.connections().kept.extract_if(.., is_old).collect();
        for (session, _) in old {
            goodbye(session).await;
        }
    }
}

/// Where it is still spoken on.
async fn goodbye(mut session: Session) {
    // A server that does not answer has heard it, or is gone.
    let _ = tokio::time::timeout(GOODBYE, session.ask(Stage::Connect, "QUIT")).await;
}

async fn hand_over(session: &mut Session, envelope: &Envelope, message: &[u8]) -> Result<Answer, Failure> {
    let Envelope { from, to } = envelope;
    let is_utf8 = !to.user().is_ascii();
    if is_utf8 && !session.has_smtputf8() {
        // As the server would say it (RFC 6531, 3.5), of this address.
        let text = "5.6.7 the mail server takes no addresses beyond ASCII (SMTPUTF8)".to_string();
        return Err(Failure { stage: Stage::Content, said: Said::Reply { code: 553, text } });
    }
    let utf8 = if is_utf8 { " SMTPUTF8" } else { "" };
    let body = if message.is_ascii() { "" } else { " BODY=8BITMIME" };
    let mail = session.ask(Stage::Sender, &format!("MAIL FROM:<{from}>{utf8}{body}")).await;
    mail.map_err(|failure| if is_utf8 { of_address(failure) } else { failure })?;
    session.ask(Stage::Recipient, &format!("RCPT TO:<{to}>")).await?;
    session.ask(Stage::Data, "DATA").await?;
    session.content(message).await
}

/// A refusal of MAIL FROM because of SMTPUTF8 (RFC 6531, 3.5, or of a parameter that it offered and does not know) is the message's: others do not ask for it.
fn of_address(failure: Failure) -> Failure {
    let is_of_address = match &failure.said {
        Said::Reply { code, text } => {
            matches!(code, 501 | 504 | 555)
                || enhanced(text).is_some_and(|code| code.ends_with(".6.7") || code == "5.5.4")
                || text.to_ascii_uppercase().contains("SMTPUTF8")
        }
        Said::Broken(_) | Said::Lacking(_) => false,
    };
    match &failure.said {
        Said::Reply { code, text } if is_of_address => {
            let text = format!("5.6.7 the mail server takes no addresses beyond ASCII: {code} {text}");
            Failure { stage: Stage::Content, said: Said::Reply { code: 553, text } }
        }
        _ => failure,
    }
}

/// The machine's, or an address as one says hello by without a name (RFC 5321, 4.1.4).
fn own_name() -> String {
    let name = hostname::get().ok().and_then(|name| name.into_string().ok());
    name.filter(|name| !name.is_empty() && name.chars().all(|character| character.is_ascii_graphic()))
        .unwrap_or_else(|| "[127.0.0.1]".to_string())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_are_tried_than_a_server_allows_for_a_while() {
        let mut connections = Connections { used: 2, ..Connections::default() };
        assert!(connections.take(true).is_some_and(|kept| kept.is_none()) && connections.tried == 1);
        assert!(connections.allow(3) && !connections.allow(3));
        assert!(connections.take(true).is_none() && connections.take(false).is_none());
        assert!(!connections.had_others());
        connections.used = 0;
        assert!(connections.had_others() && connections.take(false).is_some());
        connections.fewer = Instant::now().checked_sub(FEWER).map(|since| (1, since));
        assert!(connections.take(true).is_some());
    }

    #[test]
    fn a_refusal_of_smtputf8_is_the_messages_own_and_any_other_the_senders() {
        let of = |code, text: &str| {
            of_address(Failure { stage: Stage::Sender, said: Said::Reply { code, text: text.to_string() } }).stage
        };
        for (code, text) in [
            (555, ""),
            (501, "5.5.4 Invalid arguments"),
            (550, "5.6.7 no"),
            (553, "5.6.7 no"),
            (500, "smtputf8?"),
            (451, "4.6.7 no"),
        ] {
            assert_eq!(of(code, text), Stage::Content, "{code} {text}");
        }
        for (code, text) in [(550, "5.7.1 You may not send"), (530, ""), (451, "4.3.0 later"), (421, "")] {
            assert_eq!(of(code, text), Stage::Sender, "{code} {text}");
        }
    }
}
