//! A mail server that does what a test says at each stage, and keeps what came. It speaks SMTP over sockets, with STARTTLS and AUTH.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Where a talk has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    Connect,
    /// STARTTLS.
    Encrypt,
    Login,
    Mail,
    Rcpt,
    Data,
    /// The message has come, and waits for an answer.
    Content,
}

/// What a client says, and when.
pub struct Said<'a> {
    pub at: At,
    /// Which connection this is, from 1.
    pub connection: usize,
    /// How many of this stage there were on this connection, with this one.
    pub nth: usize,
    /// How many connections there are now, with this one.
    pub open: usize,
    pub text: &'a str,
}

pub enum Reply {
    /// As a server does to which all is well.
    Usual,
    Say(String),
    /// These bytes, and no end of a line after them.
    Raw(Vec<u8>),
    /// These bytes again and again, until the client hangs up.
    Flood(Vec<u8>),
    /// These bytes one by one, ten in a second.
    Trickle(Vec<u8>),
    /// The connection ends without a word.
    HangUp,
}

impl Reply {
    fn begins_with(&self, text: &str) -> bool {
        match self {
            Self::Say(said) => said.starts_with(text),
            Self::Raw(said) | Self::Flood(said) | Self::Trickle(said) => said.starts_with(text.as_bytes()),
            Self::Usual | Self::HangUp => false,
        }
    }

    /// Whether the talk goes on.
    fn give(&self, stream: &mut BufReader<Box<dyn Stream>>) -> std::io::Result<bool> {
        match self {
            Self::Usual => {}
            Self::Say(text) => tell(stream, text)?,
            Self::Raw(bytes) => write(stream, bytes)?,
            Self::Flood(bytes) => loop {
                write(stream, bytes)?;
            },
            Self::Trickle(bytes) => {
                for byte in bytes.chunks(1) {
                    write(stream, byte)?;
                    std::thread::sleep(std::time::Duration::from_millis(100));
                }
            }
            Self::HangUp => return Ok(false),
        }
        Ok(!self.begins_with("421"))
    }
}

pub fn say(text: &str) -> Reply {
    Reply::Say(text.to_string())
}

#[derive(Clone, Copy, Default)]
pub struct Features {
    pub starttls: bool,
    /// Encrypted from the beginning.
    pub smtps: bool,
    pub login: Option<(&'static str, &'static str)>,
    /// Where they are not PLAIN and LOGIN.
    pub mechanisms: Option<&'static str>,
    pub smtputf8: bool,
}

#[derive(Clone, Debug)]
pub struct Mail {
    pub from: String,
    pub to: String,
    pub content: String,
    pub is_encrypted: bool,
    pub is_logged_in: bool,
}

impl Mail {
    /// A header as it stands there, its folds undone.
    pub fn header(&self, name: &str) -> Option<String> {
        let head =
            self.content.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ").replace("\r\n\t", " ");
        let of = |line: &str| {
            line.split_once(": ")
                .filter(|(found, _)| found.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.to_string())
        };
        head.split("\r\n").find_map(of)
    }
}

type Script = Box<dyn Fn(&Said) -> Reply + Send + Sync>;

struct Shared {
    script: Script,
    features: Features,
    tls: Arc<ServerConfig>,
    mails: Mutex<Vec<Mail>>,
    talk: Mutex<Vec<String>>,
    connections: AtomicUsize,
    open: AtomicUsize,
}

pub struct Smtpd {
    pub port: u16,
    shared: Arc<Shared>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Smtpd {
    pub fn start(script: impl Fn(&Said) -> Reply + Send + Sync + 'static) -> Self {
        Self::with(Features::default(), script)
    }

    pub fn with(features: Features, script: impl Fn(&Said) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared {
            script: Box::new(script),
            features,
            tls: tls(),
            mails: Mutex::default(),
            talk: Mutex::default(),
            connections: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
        });
        let all = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&all);
                let number = shared.connections.fetch_add(1, Ordering::SeqCst) + 1;
                // As it came: of several at once, one is the first.
                let came_as = shared.open.fetch_add(1, Ordering::SeqCst) + 1;
                std::thread::spawn(move || {
                    let all = Arc::clone(&shared);
                    Talk { shared, number, came_as, is_encrypted: false, is_logged_in: false }.hold(stream);
                    all.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { port, shared }
    }

    pub fn mails(&self) -> Vec<Mail> {
        locked(&self.shared.mails).clone()
    }

    /// What all clients said, in order; messages left away.
    pub fn talk(&self) -> Vec<String> {
        locked(&self.shared.talk).clone()
    }

    pub fn said(&self, verb: &str) -> usize {
        self.talk().iter().filter(|line| line.starts_with(verb)).count()
    }

    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

pub fn tls() -> Arc<ServerConfig> {
    let key = |name: &str| format!("{}/tests/deliver/keys/{name}", env!("CARGO_MANIFEST_DIR"));
    let chain = vec![CertificateDer::from_pem_file(key("server.pem")).expect("a certificate")];
    let secret = PrivateKeyDer::from_pem_file(key("server.key.pem")).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .expect("a certificate and its key");
    Arc::new(config)
}

pub trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

struct Talk {
    shared: Arc<Shared>,
    number: usize,
    came_as: usize,
    is_encrypted: bool,
    is_logged_in: bool,
}

/// Why a talk ends.
enum End {
    Over,
    /// The client asked for encryption.
    Encrypt,
}

impl Talk {
    fn hold(mut self, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        if self.shared.features.smtps {
            self.is_encrypted = true;
            if let Ok(tls) = ServerConnection::new(Arc::clone(&self.shared.tls)) {
                let _ =
                    self.speak(&mut BufReader::new(Box::new(StreamOwned::new(tls, stream)) as Box<dyn Stream>), true);
            }
            return;
        }
        let Ok(plain) = stream.try_clone() else { return };
        let end = self.speak(&mut BufReader::new(Box::new(plain) as Box<dyn Stream>), true);
        if let Ok(End::Encrypt) = end {
            self.is_encrypted = true;
            if let Ok(tls) = ServerConnection::new(Arc::clone(&self.shared.tls)) {
                let _ =
                    self.speak(&mut BufReader::new(Box::new(StreamOwned::new(tls, stream)) as Box<dyn Stream>), false);
            }
        }
    }

    /// What the script says to that.
    fn answer(&self, at: At, nth: usize, text: &str, usual: &str) -> Reply {
        let open = if at == At::Connect { self.came_as } else { self.shared.open.load(Ordering::SeqCst) };
        match (self.shared.script)(&Said { at, connection: self.number, nth, open, text }) {
            Reply::Usual => say(usual),
            reply => reply,
        }
    }

    /// What is said to EHLO.
    fn features(&self) -> String {
        let features = self.shared.features;
        let auth;
        let mut words = vec!["mail.example.org", "8BITMIME"];
        if features.starttls && !self.is_encrypted {
            words.push("STARTTLS");
        }
        if features.login.is_some() && (self.is_encrypted || !features.starttls) {
            auth = format!("AUTH {}", features.mechanisms.unwrap_or("PLAIN LOGIN"));
            words.push(&auth);
        }
        if features.smtputf8 {
            words.push("SMTPUTF8");
        }
        words.iter().map(|word| format!("250-{word}\r\n")).chain(["250 PIPELINING".to_string()]).collect()
    }

    fn speak(&mut self, stream: &mut BufReader<Box<dyn Stream>>, greets: bool) -> std::io::Result<End> {
        let features = self.shared.features;
        if greets {
            let greeting = self.answer(At::Connect, 1, "", "220 mail.example.org ESMTP");
            if !greeting.give(stream)? || greeting.begins_with("5") {
                return Ok(End::Over);
            }
        }
        let (mut from, mut to) = (String::new(), String::new());
        let (mut mails, mut rcpts, mut datas, mut contents) = (0, 0, 0, 0);
        loop {
            let Some(line) = heard(stream)? else { return Ok(End::Over) };
            locked(&self.shared.talk).push(line.clone());
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            let reply = match verb.as_str() {
                "EHLO" => say(&self.features()),
                "STARTTLS" => {
                    self.answer(At::Encrypt, 1, &line, "220 go ahead").give(stream)?;
                    return Ok(End::Encrypt);
                }
                "AUTH" => {
                    let decoded = |text: &str| STANDARD.decode(text).unwrap_or_default();
                    let given = if let Some(text) = line.split(' ').nth(2) {
                        decoded(text)
                    } else {
                        // LOGIN, which asks for one after the other.
                        let mut given = Vec::new();
                        for question in ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"] {
                            tell(stream, question)?;
                            let Some(line) = heard(stream)? else { return Ok(End::Over) };
                            given.push(0);
                            given.extend(decoded(&line));
                        }
                        given
                    };
                    let is_right = features
                        .login
                        .is_some_and(|(user, password)| given == format!("\0{user}\0{password}").as_bytes());
                    self.is_logged_in = is_right;
                    self.answer(
                        At::Login,
                        1,
                        &line,
                        if is_right { "235 2.7.0 welcome" } else { "535 5.7.8 wrong password" },
                    )
                }
                "MAIL" => {
                    mails += 1;
                    from.clone_from(&line);
                    self.answer(At::Mail, mails, &line, "250 2.1.0 Ok")
                }
                "RCPT" => {
                    rcpts += 1;
                    to.clone_from(&line);
                    self.answer(At::Rcpt, rcpts, &line, "250 2.1.5 Ok")
                }
                "DATA" => {
                    datas += 1;
                    match self.answer(At::Data, datas, &line, "354 go on") {
                        reply if reply.begins_with("354") => {
                            reply.give(stream)?;
                            let mut content = String::new();
                            loop {
                                // What ends before its end is no message.
                                let Some(line) = heard(stream)? else { return Ok(End::Over) };
                                if line == "." {
                                    break;
                                }
                                content.push_str(line.strip_prefix('.').unwrap_or(&line));
                                content.push_str("\r\n");
                            }
                            contents += 1;
                            let number = locked(&self.shared.mails).len() + 1;
                            let reply = self.answer(
                                At::Content,
                                contents,
                                &content,
                                &format!("250 2.0.0 Ok: queued as Q{number}"),
                            );
                            if reply.begins_with("2") || matches!(reply, Reply::HangUp) {
                                locked(&self.shared.mails).push(Mail {
                                    from: from.clone(),
                                    to: to.clone(),
                                    content,
                                    is_encrypted: self.is_encrypted,
                                    is_logged_in: self.is_logged_in,
                                });
                            }
                            reply
                        }
                        reply => reply,
                    }
                }
                "QUIT" => {
                    tell(stream, "221 bye")?;
                    return Ok(End::Over);
                }
                _ => say("250 Ok"),
            };
            if !reply.give(stream)? {
                return Ok(End::Over);
            }
        }
    }
}

fn tell(stream: &mut BufReader<Box<dyn Stream>>, text: &str) -> std::io::Result<()> {
    write(stream, format!("{text}\r\n").as_bytes())
}

fn write(stream: &mut BufReader<Box<dyn Stream>>, bytes: &[u8]) -> std::io::Result<()> {
    stream.get_mut().write_all(bytes)?;
    stream.get_mut().flush()
}

/// A whole line; none where the client is gone.
fn heard(stream: &mut BufReader<Box<dyn Stream>>) -> std::io::Result<Option<String>> {
    let mut line = Vec::new();
    stream.read_until(b'\n', &mut line)?;
    if !line.ends_with(b"\n") {
        return Ok(None);
    }
    Ok(Some(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_string()))
}
