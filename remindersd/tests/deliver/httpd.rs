//! A web server that answers what a test says, and keeps what came. It speaks HTTP/1.1 over sockets, encrypted where wanted.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rustls::{ServerConnection, StreamOwned};

use crate::smtpd::{Stream, tls};

#[derive(Clone, Debug)]
pub struct Request {
    pub at: Instant,
    /// Such as `POST /path HTTP/1.1`.
    pub line: String,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

pub enum Answer {
    /// A status, headers (each with its line's end), and a body.
    Say(u16, String, String),
    /// The connection ends without a word.
    HangUp,
    /// Nothing is said, for as long as the client waits.
    Silence,
}

pub fn answer(status: u16, body: &str) -> Answer {
    Answer::Say(status, String::new(), body.to_string())
}

type Script = Box<dyn Fn(&Request) -> Answer + Send + Sync>;

pub struct Httpd {
    pub port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Httpd {
    pub fn start(script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        Self::with(false, script)
    }

    pub fn with(is_encrypted: bool, script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let (script, all): (Arc<Script>, _) = (Arc::new(Box::new(script)), Arc::clone(&requests));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, requests) = (Arc::clone(&script), Arc::clone(&all));
                std::thread::spawn(move || {
                    let stream = wrapped(stream, is_encrypted);
                    // A client that goes away is no matter of ours.
                    let _ = hold(&mut BufReader::new(stream), &script, &requests);
                });
            }
        });
        Self { port, requests }
    }

    pub fn requests(&self) -> Vec<Request> {
        locked(&self.requests).clone()
    }
}

fn wrapped(stream: TcpStream, is_encrypted: bool) -> Box<dyn Stream> {
    let _ = stream.set_nodelay(true);
    if is_encrypted {
        Box::new(StreamOwned::new(ServerConnection::new(tls()).expect("a connection"), stream))
    } else {
        Box::new(stream)
    }
}

fn hold(
    stream: &mut BufReader<Box<dyn Stream>>,
    script: &Script,
    requests: &Mutex<Vec<Request>>,
) -> std::io::Result<()> {
    loop {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if line == "\r\n" {
                break;
            }
            lines.push(line.trim_end().to_string());
        }
        let headers: Vec<(String, String)> = lines
            .iter()
            .skip(1)
            .filter_map(|line| line.split_once(": ").map(|(name, value)| (name.to_string(), value.to_string())))
            .collect();
        let mut request = Request { at: Instant::now(), line: lines.swap_remove(0), headers, body: Vec::new() };
        let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        request.body = vec![0; length];
        stream.read_exact(&mut request.body)?;
        let answer = script(&request);
        locked(requests).push(request);
        match answer {
            Answer::HangUp => return Ok(()),
            Answer::Silence => {
                let _ = stream.read(&mut [0])?;
                return Ok(());
            }
            Answer::Say(status, headers, body) => {
                let length = body.len();
                let stream = stream.get_mut();
                write!(stream, "HTTP/1.1 {status} Said\r\ncontent-length: {length}\r\n{headers}\r\n{body}")?;
                stream.flush()?;
            }
        }
    }
}
