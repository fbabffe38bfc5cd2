//! A mail server that takes everything and keeps nothing: a thread for each connection, a write for each answer, at once or after a while, as servers far away
//! answer.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

pub fn serve(after: Duration) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    println!("{}", listener.local_addr().expect("an address").port());
    for stream in listener.incoming().flatten() {
        // A client that is gone is no reason to end.
        thread::spawn(move || talk(stream, after));
    }
}

fn talk(mut stream: TcpStream, after: Duration) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut lines = BufReader::with_capacity(1 << 16, stream.try_clone()?);
    let mut say = move |answer: &[u8]| {
        if !after.is_zero() {
            thread::sleep(after);
        }
        stream.write_all(answer)
    };
    say(b"220 sink ESMTP\r\n")?;
    let mut line = Vec::new();
    while read(&mut lines, &mut line)? {
        match line.get(..4).unwrap_or_default().to_ascii_uppercase().as_slice() {
            b"EHLO" => say(b"250-sink\r\n250 8BITMIME\r\n")?,
            b"DATA" => {
                say(b"354 go on\r\n")?;
                while read(&mut lines, &mut line)? && line != b".\r\n" {}
                say(b"250 2.0.0 Ok\r\n")?;
            }
            b"QUIT" => return say(b"221 bye\r\n"),
            _ => say(b"250 Ok\r\n")?,
        }
    }
    Ok(())
}

fn read(lines: &mut BufReader<TcpStream>, line: &mut Vec<u8>) -> std::io::Result<bool> {
    line.clear();
    Ok(lines.read_until(b'\n', line)? > 0)
}
