//! TLS and logins: nothing goes in the clear that should not, and nobody is believed whose certificate is not trusted.

use crate::post::Post;
use crate::smtpd::{Features, Reply, Smtpd};

const LOGIN: Option<(&str, &str)> = Some(("programme", "a secret"));

fn authority() -> String {
    format!("ca_file = '{}/tests/deliver/keys/authority.pem'\n", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn starttls_and_a_login_and_smtps_are_spoken() {
    for (features, url) in [
        (Features { starttls: true, login: LOGIN, ..Features::default() }, "smtp://localhost:{port}?tls=required"),
        (Features { starttls: true, login: LOGIN, ..Features::default() }, "smtp://localhost:{port}?tls=opportunistic"),
        (Features { smtps: true, login: LOGIN, ..Features::default() }, "smtps://127.0.0.1:{port}"),
    ] {
        let mut post = Post::due_to(2);
        let server = Smtpd::with(features, |_| Reply::Usual);
        let lines = format!(
            "{}smtp = '{url}'\nuser = 'programme'\npassword = 'a secret'\nhello_name = 'worker.example.org'",
            authority()
        );
        let (log, all_went_well) = post.once(&server, &lines);
        assert!(all_went_well, "{url}: {log}");
        assert_eq!(post.state(), ["sent|1|f|2"]);
        assert!(server.mails().iter().all(|mail| mail.is_encrypted && mail.is_logged_in));
        assert!(server.talk().contains(&"EHLO worker.example.org".to_string()));
    }
}

#[test]
fn a_login_may_stand_in_the_url_or_in_a_file() {
    let features = Features { smtps: true, login: LOGIN, ..Features::default() };
    let file = std::env::temp_dir().join(format!("deliver-secret-{}", std::process::id()));
    std::fs::write(&file, "a secret\n").expect("a file");
    for lines in [
        "smtp = 'smtps://programme:a%20secret@localhost:{port}'".to_string(),
        format!("smtp = 'smtps://localhost:{{port}}'\nuser = 'programme'\npassword_file = '{}'", file.display()),
    ] {
        let post = Post::due_to(1);
        let server = Smtpd::with(features, |_| Reply::Usual);
        let (log, all_went_well) = post.once(&server, &format!("{}{lines}", authority()));
        assert!(all_went_well && server.mails()[0].is_logged_in, "{log}");
    }
    let _ = std::fs::remove_file(file);
}

#[test]
fn a_certificate_that_nobody_trusts_or_none_at_all_gets_no_mail_and_no_password() {
    let starttls = Features { starttls: true, login: LOGIN, ..Features::default() };
    for (features, url, authority) in [
        (starttls, "smtp://localhost:{port}?tls=required", String::new()),
        (Features { smtps: true, ..starttls }, "smtps://localhost:{port}", String::new()),
        // It offers no STARTTLS.
        (Features { starttls: false, ..starttls }, "smtp://localhost:{port}?tls=required", authority()),
    ] {
        let mut post = Post::due_to(2);
        let server = Smtpd::with(features, |_| Reply::Usual);
        let (log, all_went_well) =
            post.once(&server, &format!("{authority}smtp = '{url}'\nuser = 'programme'\npassword = 'a secret'"));
        assert!(!all_went_well);
        assert_eq!(post.state(), ["pending|0|f|2"], "{url}: {log}");
        assert_eq!((server.said("AUTH"), server.said("MAIL")), (0, 0), "{url}");
        assert_eq!(post.pause().len(), 1);
    }
}

#[test]
fn a_wrong_password_is_the_senders_fault() {
    let mut post = Post::due_to(3);
    let server = Smtpd::with(Features { smtps: true, login: LOGIN, ..Features::default() }, |_| Reply::Usual);
    let lines = format!("{}smtp = 'smtps://localhost:{{port}}'\nuser = 'programme'\npassword = 'another'", authority());
    let (log, _) = post.once(&server, &lines);
    assert_eq!((post.state(), post.pause()), (vec!["pending|0|f|3".to_string()], vec!["sender".to_string()]), "{log}");
    assert!(!log.contains("another"), "{log}");
}

#[test]
fn a_configuration_that_cannot_work_ends_it_at_once_and_shows_no_secret() {
    let post = Post::due_to(1);
    let server = Smtpd::start(|_| Reply::Usual);
    for (lines, what) in [
        ("smtp = 'http://localhost'", "neither smtp:// nor smtps://"),
        ("smtp = 'smtp://mail.example.org'\nuser = 'programme'\npassword = 'a secret'", "unencrypted"),
        ("smtp = 'smtp://programme:a%20secret@mail.example.org?tls=opportunistic'", "unencrypted"),
        ("smtp = 'smtp://localhost?tls=perhaps'", "perhaps"),
        ("smtp = 'smtp://localhost?tsl=required'", "tsl"),
        ("smtp = 'smtp://localhost'\nuser = 'programme'", "user without a password"),
        ("smtp = 'smtps://localhost'\nca_file = '/nowhere'", "/nowhere"),
        ("from = 'nobody'", "deliver.from"),
        ("batch = 0", "deliver.batch"),
        ("bacth = 1", "bacth"),
    ] {
        let (log, went_well) = post.once(&server, lines);
        assert!(log.contains(what) && !log.contains("a secret"), "{lines}: {log}");
        assert!(!went_well, "{lines}");
    }
}
