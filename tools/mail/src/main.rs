//! Both ends of SMTP, as fast as they can be, for bench/run: neither does anything with a message.
//!
//! usage: mail sink <milliseconds>                            takes whatever comes, answers after so long, and prints its port
//!        mail send <port> <connections> <messages> <bytes>   hands over messages of that size; prints how many seconds that took

mod sender;
mod sink;

use std::time::Duration;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| -> u32 { arguments[at].parse().expect("a number") };
    match (arguments.first().map(String::as_str), arguments.len()) {
        (Some("sink"), 2) => sink::serve(Duration::from_millis(number(1).into())),
        (Some("send"), 5) => {
            let port = u16::try_from(number(1)).expect("a port");
            println!(
                "{:.3}",
                sender::send(port, number(2), number(3), usize::try_from(number(4)).expect("bytes")).as_secs_f64()
            );
        }
        _ => panic!("sink <milliseconds>, or send <port> <connections> <messages> <bytes>"),
    }
}
