//! Mail servers that answer as few do: what is believed of them, and what it costs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::odd_rows::due_to;
use crate::post::Post;
use crate::smtpd::{At, Features, Reply, Said, Smtpd, say};

fn raw(bytes: impl Into<Vec<u8>>) -> Reply {
    Reply::Raw(bytes.into())
}

const LOGIN: Option<(&str, &str)> = Some(("programme", "a secret"));

fn with_login(url: &str) -> String {
    format!(
        "ca_file = '{}/tests/deliver/keys/authority.pem'\nsmtp = '{url}'\nuser = 'programme'\npassword = 'a secret'",
        env!("CARGO_MANIFEST_DIR")
    )
}

#[test]
fn the_digits_of_a_reply_decide_whatever_its_text() {
    let lengthy = format!("250 {}\r\n", "x".repeat(5000));
    let texts: Vec<Vec<u8>> = vec![
        b"250\r\n".to_vec(),
        b"250 accept\xe9e\r\n".to_vec(),
        lengthy.into_bytes(),
        b"250\tok\r\n".to_vec(),
        b"250-one\r\n250\r\n".to_vec(),
        b"250 ok\n".to_vec(),
    ];
    let mut post = Post::due_to(texts.len());
    let server = Smtpd::start(move |said| match said.at {
        At::Content => raw(texts[said.nth - 1].clone()),
        _ => Reply::Usual,
    });
    let (log, all_went_well) = post.once(&server, "connections = 1");
    assert!(all_went_well, "{log}");
    assert_eq!((post.state(), server.connections()), (vec!["sent|1|f|6".to_string()], 1), "{log}");
}

#[test]
fn bare_codes_and_other_encodings_are_read_at_each_stage() {
    for text in [&b"\r\n"[..], b" Usu\xe1rio\r\n", b"\t\xff\r\n"] {
        let mut post = Post::due_to(2);
        let server = Smtpd::start(move |said| {
            let code = match said.at {
                At::Connect => "220",
                At::Mail | At::Rcpt => "250",
                At::Data => "354",
                _ => return Reply::Usual,
            };
            raw([code.as_bytes(), text].concat())
        });
        let (log, all_went_well) = post.once(&server, "connections = 1");
        assert!(all_went_well, "{log}");
        assert_eq!(post.state(), ["sent|1|f|2"], "{log}");
    }
}

#[test]
fn a_refusal_in_another_encoding_keeps_its_code() {
    let mut post = Post::due_to(1);
    let server = Smtpd::start(|said| match said.at {
        At::Rcpt => raw(*b"550 5.1.1 Usu\xe1rio inexistente\r\n"),
        _ => Reply::Usual,
    });
    let (log, _) = post.once(&server, "");
    assert_eq!(post.state(), ["failed|1|f|1"], "{log}");
    assert_eq!(post.row("SELECT count(*) FROM users WHERE contact_opt_out"), "1");
    assert_eq!(post.row("SELECT last_error FROM reminders"), "550 5.1.1 Usu\u{fffd}rio inexistente");
}

#[test]
fn a_code_that_means_nothing_there_is_no_success() {
    for (at, text, state) in [
        (At::Content, "354 go on", "pending|1|f|1"),
        (At::Rcpt, "354 go on", "pending|0|f|1"),
        (At::Data, "250 Ok", "pending|0|f|1"),
        (At::Mail, "334 ", "pending|0|f|1"),
    ] {
        let mut post = Post::due_to(1);
        let server = Smtpd::start(move |said| if said.at == at { say(text) } else { Reply::Usual });
        let (log, _) = post.once(&server, "");
        assert_eq!((post.state(), server.mails().len()), (vec![state.to_string()], 0), "{at:?} {text}: {log}");
    }
}

#[test]
fn what_stands_in_the_clear_after_the_220_of_starttls_is_not_believed() {
    let mut post = Post::due_to(1);
    let features = Features { starttls: true, ..Features::default() };
    let server = Smtpd::with(features, |said| match said.at {
        At::Encrypt => {
            raw("220 go ahead\r\n250-mail\r\n250 8BITMIME\r\n250 Ok\r\n250 Ok\r\n354 go on\r\n250 queued as EVIL\r\n")
        }
        _ => Reply::Usual,
    });
    let authority = format!("ca_file = '{}/tests/deliver/keys/authority.pem'\n", env!("CARGO_MANIFEST_DIR"));
    let (log, _) = post.once(&server, &format!("{authority}smtp = 'smtp://localhost:{{port}}?tls=required'"));
    assert_eq!((post.state(), server.mails().len()), (vec!["pending|0|f|1".to_string()], 0), "{log}");
    assert_eq!(post.pause(), ["transport"], "{log}");
}

#[test]
fn a_server_that_speaks_out_of_turn_shifts_no_reply() {
    let mut post = Post::due_to(2);
    let server = Smtpd::start(|said| match (said.at, said.connection) {
        (At::Rcpt, _) => raw("250 Ok\r\n250 Ok\r\n"),
        (At::Content, _) => say("554 5.6.0 Malformed"),
        _ => Reply::Usual,
    });
    let (log, _) = post.once(&server, "connections = 1");
    assert_eq!((post.state(), server.said("DATA")), (vec!["pending|0|f|2".to_string()], 0), "{log}");
    assert_eq!(post.pause(), ["transport"], "{log}");
}

#[test]
fn a_connection_on_which_more_was_said_than_asked_is_not_used_again() {
    let mut post = Post::due_to(3);
    let server = Smtpd::start(|said| match said.at {
        At::Content => raw("250 Ok\r\n421 closing\r\n"),
        _ => Reply::Usual,
    });
    let (log, all_went_well) = post.once(&server, "connections = 1");
    assert!(all_went_well, "{log}");
    assert_eq!((post.state(), server.connections()), (vec!["sent|1|f|3".to_string()], 3), "{log}");
}

#[test]
fn of_a_reply_without_end_the_beginning_is_read() {
    for (at, bytes, state) in [
        (At::Connect, "220 ", "pending|0|f|1"),
        (At::Connect, "220-x\r\n", "pending|0|f|1"),
        (At::Mail, "250 x", "pending|0|f|1"),
        (At::Content, "250 x", "sent|1|f|1"),
        (At::Content, "250-x\r\n", "sent|1|f|1"),
        (At::Content, "55", "pending|1|f|1"),
    ] {
        let mut post = Post::due_to(1);
        let server = Smtpd::start(move |said| match said.at {
            now if now == at => Reply::Flood(bytes.repeat(1000).into_bytes()),
            _ => Reply::Usual,
        });
        let began = Instant::now();
        let (log, _) = post.once(&server, "timeout_seconds = 20");
        assert_eq!(post.state(), [state], "{at:?} {bytes:?}: {log}");
        assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    }
}

#[test]
fn a_long_reply_takes_no_time_and_a_slow_one_no_longer_than_one_that_does_not_come() {
    let mut post = Post::due_to(1);
    let server = Smtpd::start(|said| match said.at {
        At::Connect => raw(format!("{}220 ready\r\n", "220-x\r\n".repeat(9000))),
        At::Content => Reply::Trickle(b"250 Ok, and so on, and so on, and so on, and so on\r\n".to_vec()),
        _ => Reply::Usual,
    });
    let began = Instant::now();
    let (log, all_went_well) = post.once(&server, "timeout_seconds = 1");
    // What it said was yes.
    assert!(all_went_well, "{log}");
    assert_eq!(post.state(), ["sent|1|f|1"], "{log}");
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

#[test]
fn what_a_server_says_stands_in_no_log() {
    for at in [At::Mail, At::Rcpt, At::Data, At::Content] {
        for text in ["550\t5.1.1 <p1@o0.example.org> NAME", "5.1.1 p1@o0.example.org NAME", "250x550 NAME", "999 NAME"]
        {
            let post = Post::due_to(1);
            let server = Smtpd::start(move |said| if said.at == at { say(text) } else { Reply::Usual });
            let (log, _) = post.once(&server, "");
            assert!(!log.contains("NAME") && !log.contains('@'), "{at:?} {text:?}: {log}");
        }
    }
}

#[test]
fn what_a_server_says_to_a_login_stands_nowhere() {
    for text in ["535 5.7.8 programme, a secret: wrong", "535\t5.7.8 programme, a secret", "programme, a secret"] {
        let mut post = Post::due_to(1);
        let features = Features { smtps: true, login: LOGIN, ..Features::default() };
        let server = Smtpd::with(features, move |said| if said.at == At::Login { say(text) } else { Reply::Usual });
        let (log, _) = post.once(&server, &with_login("smtps://localhost:{port}"));
        assert!(!log.contains("secret"), "{text:?}: {log}");
        assert_eq!(post.row("SELECT count(*) FROM send_logs WHERE error LIKE '%secret%'"), "0", "{text:?}");
        assert_eq!(post.row("SELECT count(*) FROM reminders WHERE last_error LIKE '%secret%'"), "0", "{text:?}");
        assert!(!text.contains("5.7.8") || log.contains("535 5.7.8 (AUTH)"), "{text:?}: {log}");
    }
}

#[test]
fn where_auth_login_is_all_there_is_it_is_spoken() {
    let mut post = Post::due_to(1);
    let features = Features { starttls: true, login: LOGIN, mechanisms: Some("LOGIN"), ..Features::default() };
    let server = Smtpd::with(features, |_| Reply::Usual);
    let (log, all_went_well) = post.once(&server, &with_login("smtp://localhost:{port}?tls=required"));
    assert!(all_went_well, "{log}");
    assert_eq!(post.state(), ["sent|1|f|1"]);
    assert!(server.mails()[0].is_encrypted && server.mails()[0].is_logged_in);
}

#[test]
fn a_server_that_allows_fewer_connections_gets_fewer() {
    for (allowed, text) in [(1, "421 4.7.0 Too many connections"), (2, "554 5.7.0 Too many connections"), (1, "")] {
        let mut post = Post::due_to(40);
        let server = Smtpd::start(move |said: &Said| match said.at {
            At::Connect if said.open > allowed && text.is_empty() => Reply::HangUp,
            At::Connect if said.open > allowed => say(text),
            At::Content => {
                // Long enough for the others to want a connection, too.
                std::thread::sleep(Duration::from_millis(5));
                Reply::Usual
            }
            _ => Reply::Usual,
        });
        let (log, all_went_well) = post.once(&server, "connections = 4");
        assert!(all_went_well, "{text}: {log}");
        assert_eq!((post.state(), post.pause()), (vec!["sent|1|f|40".to_string()], Vec::new()), "{text}: {log}");
        assert!(!log.contains("cannot be used") && server.connections() < 10, "{}: {log}", server.connections());
    }
}

#[test]
fn a_server_that_has_not_seen_yet_that_its_only_connection_is_closed_is_asked_again() {
    let mut post = Post::due_to(20);
    let is_behind = AtomicBool::new(false);
    let server = Smtpd::start(move |said| match said.at {
        At::Connect if said.open > 1 || is_behind.swap(false, Ordering::SeqCst) => {
            say("421 4.7.0 Too many connections")
        }
        At::Mail if said.nth == 15 => {
            is_behind.store(true, Ordering::SeqCst);
            say("421 4.7.0 Too many messages")
        }
        _ => Reply::Usual,
    });
    let (log, all_went_well) = post.once(&server, "connections = 4");
    assert!(all_went_well, "{log}");
    assert_eq!((post.state(), post.pause()), (vec!["sent|1|f|20".to_string()], Vec::new()), "{log}");
}

#[test]
fn a_server_that_refuses_all_is_away_however_many_try() {
    let mut post = Post::due_to(20);
    let server = Smtpd::start(|said| match said.at {
        At::Connect => {
            // All of them are there before the first is refused.
            std::thread::sleep(Duration::from_millis(100));
            say("421 4.3.2 Too busy")
        }
        _ => Reply::Usual,
    });
    let (log, _) = post.once(&server, "connections = 4");
    assert_eq!((post.state(), post.pause()), (vec!["pending|0|f|20".to_string()], vec!["transport".to_string()]));
    assert!(log.matches("cannot be used").count() == 1 && !log.contains("refuses more"), "{log}");
}

#[test]
fn a_server_that_takes_so_many_in_a_session_gets_another_one() {
    for at in [At::Mail, At::Rcpt] {
        let mut post = Post::due_to(9);
        let server = Smtpd::start(move |said| match said.nth {
            4.. if said.at == at => say("452 4.5.3 Too many recipients in this session"),
            _ => Reply::Usual,
        });
        let (log, all_went_well) = post.once(&server, "connections = 1");
        assert!(all_went_well, "{log}");
        assert_eq!((post.state(), server.connections()), (vec!["sent|1|f|9".to_string()], 3), "{log}");
    }
}

#[test]
fn a_server_that_offers_smtputf8_and_does_not_take_it_stops_nobody_elses_mail() {
    let mut post = due_to(&[("ø@example.org", "Ola"), ("sam@example.org", "Sam")]);
    let server = Smtpd::with(Features { smtputf8: true, ..Features::default() }, |said| match said.at {
        At::Mail if said.text.contains("SMTPUTF8") => say("555 5.5.4 Unsupported option: SMTPUTF8"),
        _ => Reply::Usual,
    });
    let (log, _) = post.once(&server, "connections = 1");
    assert_eq!(
        post.rows("SELECT u.name, status FROM reminders r JOIN users u ON u.id = r.recipient_id ORDER BY 1"),
        ["Ola|failed", "Sam|sent"],
        "{log}"
    );
    assert_eq!(post.pause(), [""; 0], "{log}");
}
