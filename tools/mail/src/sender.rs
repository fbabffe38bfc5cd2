//! What SMTP itself costs: the commands of `remindersd deliver`, one by one, and nothing else.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

pub fn send(port: u16, connections: u32, messages: u32, bytes: usize) -> Duration {
    let content = format!("Subject: bench\r\n\r\n{}.\r\n", format!("{}\r\n", "x".repeat(70)).repeat(bytes / 72));
    let sent = AtomicU32::new(0);
    let mut clients: Vec<Client> = (0..connections).map(|_| Client::new(port)).collect();
    let started = Instant::now();
    thread::scope(|scope| {
        for client in &mut clients {
            scope.spawn(|| {
                while sent.fetch_add(1, Ordering::Relaxed) < messages {
                    for command in [
                        "MAIL FROM:<reminders@example.org>\r\n",
                        "RCPT TO:<mentor@example.org>\r\n",
                        "DATA\r\n",
                        &content,
                    ] {
                        client.say(command);
                    }
                }
            });
        }
    });
    started.elapsed()
}

struct Client {
    stream: TcpStream,
    lines: BufReader<TcpStream>,
    line: String,
}

impl Client {
    fn new(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("the sink");
        stream.set_nodelay(true).expect("a socket");
        let lines = BufReader::new(stream.try_clone().expect("a socket"));
        let mut client = Self { stream, lines, line: String::new() };
        client.hear();
        client.say("EHLO bench\r\n");
        client
    }

    fn say(&mut self, command: &str) {
        self.stream.write_all(command.as_bytes()).expect("the sink");
        self.hear();
    }

    /// An answer, which must be a yes.
    fn hear(&mut self) {
        loop {
            self.line.clear();
            self.lines.read_line(&mut self.line).expect("the sink");
            assert!(self.line.starts_with(['2', '3']), "{}", self.line);
            if self.line.as_bytes().get(3) != Some(&b'-') {
                return;
            }
        }
    }
}
