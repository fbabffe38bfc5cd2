//! A talk with a mail server, command by command.
//!
//! lettre, which writes the messages, has a connection of its own. It is not used, since it believes what it should not: what stands in the clear after the
//! 220 of STARTTLS, answers that nobody asked for, and 354 where a message is to be taken; and since it does not take what SMTP allows, such as 250 alone. Of
//! mail-send the same holds in part: it fails a message whose 250 is long, and leaves what a server says unasked to the next command.

use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::FutureExt as _;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::answer::{Answer, Reading};
use super::authority;
use super::failure::{Failure, Said, Stage};
use crate::problem::explained;

const YES: RangeInclusive<u16> = 200..=299;
/// More is to be said of the login.
const MORE: RangeInclusive<u16> = 334..=334;
/// The message is to come.
const GO_ON: RangeInclusive<u16> = 354..=354;

const OUT_OF_TURN: &str = "the server said more than it was asked for";
const CLOSED: &str = "the connection was closed";

pub struct Credentials {
    pub user: String,
    pub password: String,
}

/// Whom a server is to prove to be.
pub struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Tls {
    pub fn new(host: &str, authority: Option<&Path>) -> Result<Self, String> {
        let name = ServerName::try_from(host.to_string()).map_err(|error| format!("{host}: {error}"))?;
        Ok(Self { connector: TlsConnector::from(Arc::new(authority::client(authority)?)), name })
    }
}

trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// What a server says it can do.
#[derive(Default)]
struct Features {
    starttls: bool,
    smtputf8: bool,
    auth: Option<Mechanism>,
}

/// How to log in; the one that needs fewer answers comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Mechanism {
    Login,
    Plain,
}

impl Features {
    fn of(answer: &Answer) -> Self {
        let mut features = Self::default();
        // The first line greets.
        for line in answer.lines.iter().skip(1) {
            let line = line.to_ascii_uppercase();
            // "AUTH=" is how it was once written.
            let mut words = line.split(|character: char| character.is_whitespace() || character == '=');
            match words.next() {
                Some("STARTTLS") => features.starttls = true,
                Some("SMTPUTF8") => features.smtputf8 = true,
                Some("AUTH") => {
                    let known = words.filter_map(|word| match word {
                        "PLAIN" => Some(Mechanism::Plain),
                        "LOGIN" => Some(Mechanism::Login),
                        _ => None,
                    });
                    features.auth = features.auth.max(known.max());
                }
                _ => {}
            }
        }
        features
    }
}

pub struct Session {
    stream: Box<dyn Wire>,
    features: Features,
    timeout: Duration,
    /// When what is under way is to be over.
    deadline: Instant,
    reading: Reading,
    /// All was answered, and no more was said than that.
    is_ready: bool,
}

impl Session {
    /// Connects, encrypts from the beginning where that is wanted, and says hello.
    pub async fn open(to: (&str, u16), tls: Option<&Tls>, hello: &str, timeout: Duration) -> Result<Self, Failure> {
        let deadline = Instant::now() + timeout;
        let connecting = async {
            let stream = TcpStream::connect(to).await?;
            stream.set_nodelay(true)?;
            match tls {
                Some(tls) => encrypted(Box::new(stream), tls).await,
                None => Ok(Box::new(stream) as Box<dyn Wire>),
            }
        };
        let stream = match timeout_at(deadline, connecting).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(Failure::broken(Stage::Connect, &explained(&error))),
            Err(_) => return Err(Failure::broken(Stage::Connect, "no connection in time")),
        };
        let mut session = Self {
            stream,
            features: Features::default(),
            timeout,
            deadline,
            reading: Reading::default(),
            is_ready: false,
        };
        meant(Stage::Connect, YES, session.exchange(Stage::Connect, b"").await?)?;
        session.hello(Stage::Connect, hello).await?;
        Ok(session)
    }

    /// Asks for encryption, and says hello again: what was said in the clear, anybody may have said.
    pub async fn encrypt(mut self, tls: &Tls, hello: &str) -> Result<Self, Failure> {
        let stage = Stage::Encryption;
        if !self.features.starttls {
            return Err(Failure { stage, said: Said::Lacking("the server offers no STARTTLS".to_string()) });
        }
        self.ask(stage, "STARTTLS").await?;
        if !self.is_ready {
            return Err(Failure::broken(stage, OUT_OF_TURN));
        }
        self.stream = match timeout_at(self.deadline, encrypted(self.stream, tls)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(Failure::broken(stage, &explained(&error))),
            Err(_) => return Err(Failure::broken(stage, "no encryption in time")),
        };
        self.hello(stage, hello).await?;
        Ok(self)
    }

    pub async fn login(&mut self, credentials: &Credentials) -> Result<(), Failure> {
        let stage = Stage::Login;
        let Credentials { user, password } = credentials;
        self.begin();
        match self.features.auth {
            Some(Mechanism::Plain) => {
                let both = STANDARD.encode(format!("\0{user}\0{password}"));
                self.say(stage, &format!("AUTH PLAIN {both}"), YES).await?;
            }
            Some(Mechanism::Login) => {
                self.say(stage, "AUTH LOGIN", MORE).await?;
                self.say(stage, &STANDARD.encode(user), MORE).await?;
                self.say(stage, &STANDARD.encode(password), YES).await?;
            }
            None => {
                let why = "the server offers neither AUTH PLAIN nor LOGIN";
                return Err(Failure { stage, said: Said::Lacking(why.to_string()) });
            }
        }
        Ok(())
    }

    /// A command, and the yes to it.
    pub async fn ask(&mut self, stage: Stage, command: &str) -> Result<Answer, Failure> {
        self.begin();
        self.say(stage, command, if stage == Stage::Data { GO_ON } else { YES }).await
    }

    /// The message, after DATA.
    pub async fn content(&mut self, message: &[u8]) -> Result<Answer, Failure> {
        self.begin();
        // Until now nothing was handed over.
        self.listen(Stage::Data).await?;
        meant(Stage::Content, YES, self.exchange(Stage::Content, &dotted(message)).await?)
    }

    /// Whether it may be used for another message.
    pub const fn is_ready(&self) -> bool {
        self.is_ready
    }

    pub const fn has_starttls(&self) -> bool {
        self.features.starttls
    }

    pub const fn has_smtputf8(&self) -> bool {
        self.features.smtputf8
    }

    fn begin(&mut self) {
        self.deadline = Instant::now() + self.timeout;
    }

    async fn hello(&mut self, stage: Stage, name: &str) -> Result<(), Failure> {
        let answer = self.say(stage, &format!("EHLO {name}"), YES).await?;
        self.features = Features::of(&answer);
        Ok(())
    }

    async fn say(&mut self, stage: Stage, command: &str, codes: RangeInclusive<u16>) -> Result<Answer, Failure> {
        self.listen(stage).await?;
        meant(stage, codes, self.exchange(stage, format!("{command}\r\n").as_bytes()).await?)
    }

    /// Whether the server waits for us: what it says unasked would be taken for the answer to what we say next.
    async fn listen(&mut self, stage: Stage) -> Result<(), Failure> {
        if !self.is_ready {
            return Err(Failure::broken(stage, OUT_OF_TURN));
        }
        // Gives the runtime a turn, which then knows what has come.
        tokio::task::yield_now().await;
        let why = match self.stream.read(&mut [0]).now_or_never() {
            None => return Ok(()),
            Some(Ok(0)) => CLOSED.to_string(),
            Some(Ok(_)) => OUT_OF_TURN.to_string(),
            Some(Err(error)) => explained(&error),
        };
        self.is_ready = false;
        Err(Failure::broken(stage, &why))
    }

    /// Of a message that was handed over, the beginning of an answer is one.
    async fn exchange(&mut self, stage: Stage, bytes: &[u8]) -> Result<Answer, Failure> {
        self.is_ready = false;
        self.reading = Reading::default();
        match self.write_and_read(bytes).await {
            Ok(answer) => Ok(answer),
            Err(why) => match self.reading.so_far() {
                Some(answer) if stage == Stage::Content => Ok(answer),
                _ => {
                    // It may repeat what it was told, and that is a password.
                    if stage != Stage::Login {
                        tracing::debug!(stage = stage.name(), read = self.reading.raw(), "{why}");
                    }
                    Err(Failure::broken(stage, &why))
                }
            },
        }
    }

    async fn write_and_read(&mut self, bytes: &[u8]) -> Result<Answer, String> {
        const LATE: &str = "no answer in time";
        let writing = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        timeout_at(self.deadline, writing).await.map_err(|_| LATE)?.map_err(|error| explained(&error))?;
        let mut came = [0; 4096];
        loop {
            let reading = timeout_at(self.deadline, self.stream.read(&mut came)).await.map_err(|_| LATE)?;
            let came = &came[..reading.map_err(|error| explained(&error))?];
            if came.is_empty() {
                return Err(CLOSED.to_string());
            }
            if let Some((answer, taken)) = self.reading.take(came)? {
                self.is_ready = taken == came.len();
                return Ok(answer);
            }
        }
    }
}

async fn encrypted(stream: Box<dyn Wire>, tls: &Tls) -> std::io::Result<Box<dyn Wire>> {
    Ok(Box::new(tls.connector.connect(tls.name.clone(), stream).await?))
}

/// An answer that means something there.
fn meant(stage: Stage, codes: RangeInclusive<u16>, answer: Answer) -> Result<Answer, Failure> {
    match answer.code {
        code if codes.contains(&code) => Ok(answer),
        400..=599 => Err(Failure::reply(stage, &answer)),
        code => Err(Failure::broken(stage, &format!("{code} means nothing there"))),
    }
}

/// As a message goes over the wire (RFC 5321, 4.5.2): lines end with CR LF, a dot at the beginning of one is doubled, and one alone ends it.
fn dotted(message: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(message.len() + 128);
    let (mut begins, mut last) = (true, 0);
    for &byte in message {
        match byte {
            b'\n' if last == b'\r' => {}
            b'\r' | b'\n' => {
                wire.extend_from_slice(b"\r\n");
                begins = true;
            }
            _ => {
                if begins && byte == b'.' {
                    wire.push(b'.');
                }
                wire.push(byte);
                begins = false;
            }
        }
        last = byte;
    }
    if !begins {
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b".\r\n");
    wire
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_message_ends_where_it_ends() {
        for (message, wire) in [
            (&b""[..], &b".\r\n"[..]),
            (b"a", b"a\r\n.\r\n"),
            (b"a\r\n", b"a\r\n.\r\n"),
            (b".", b"..\r\n.\r\n"),
            (b"a\r\n.\r\nQUIT\r\n", b"a\r\n..\r\nQUIT\r\n.\r\n"),
            (b"a\n.\nQUIT\r.\r", b"a\r\n..\r\nQUIT\r\n..\r\n.\r\n"),
            (b"a.\r\n\r\n..b", b"a.\r\n\r\n...b\r\n.\r\n"),
        ] {
            assert_eq!(dotted(message), wire, "{}", message.escape_ascii());
        }
    }

    #[test]
    fn what_a_server_can_do_is_read_however_it_is_written() {
        let said = |lines: &[&str]| {
            Features::of(&Answer { code: 250, lines: lines.iter().map(ToString::to_string).collect() })
        };
        let features = said(&["mail STARTTLS", "smtputf8", "Auth=LOGIN", "SIZE 1000", ""]);
        assert!(features.smtputf8 && !features.starttls);
        assert_eq!(features.auth, Some(Mechanism::Login));
        let features = said(&["mail", "AUTH CRAM-MD5 PLAIN LOGIN", "AUTH=LOGIN", "STARTTLS"]);
        assert!(features.starttls && !features.smtputf8);
        assert_eq!(features.auth, Some(Mechanism::Plain));
        assert_eq!(said(&["AUTH PLAIN", "AUTH CRAM-MD5"]).auth, None);
    }

    proptest! {
        #[test]
        fn nothing_in_a_message_ends_it(message in proptest::collection::vec(prop_oneof![Just(b'.'), Just(b'\r'), Just(b'\n'), Just(b'a')], 0..60)) {
            let wire = String::from_utf8(dotted(&message)).expect("ASCII");
            let lines: Vec<&str> = wire.split("\r\n").collect();
            prop_assert_eq!(&lines[lines.len() - 2..], &[".", ""]);
            prop_assert!(lines[..lines.len() - 2].iter().all(|line| *line != "." && !line.contains(['\r', '\n'])));
        }
    }
}
