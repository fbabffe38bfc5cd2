//! Messages that are posted to a webhook instead: what is posted, how it is signed, and what its answers mean.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::Sha256;

use crate::httpd::{Answer, Httpd, Request, answer};
use crate::odd_rows::due_to;
use crate::post::{Configuration, DEFAULT, Post, until};
use crate::smtpd::{Reply, Smtpd};
use crate::support::{People, run};

const SECRET: [u8; 32] = [0x5a; 32];

fn secret() -> String {
    format!("whsec_{}", STANDARD.encode(SECRET))
}

fn configured(post: &Post, server: &Httpd, lines: &str) -> Configuration {
    let webhook =
        format!("webhook = 'http://127.0.0.1:{}/send?from=us'\nwebhook_secret = '{}'\n", server.port, secret());
    post.configured_at(&post.url_of(&post.login), &format!("{webhook}{lines}"))
}

fn once(post: &Post, server: &Httpd, lines: &str) -> (String, bool) {
    configured(post, server, lines).run(&["--once"])
}

/// Whether it is signed as Standard Webhooks has it.
fn is_signed(request: &Request) -> bool {
    let header = |name: &str| request.header(name).unwrap_or_default();
    let mut mac = Hmac::<Sha256>::new_from_slice(&SECRET).expect("a key");
    mac.update(format!("{}.{}.", header("webhook-id"), header("webhook-timestamp")).as_bytes());
    mac.update(&request.body);
    header("webhook-signature") == format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[test]
fn whoever_has_no_address_is_reached_by_a_gateway_where_none_is_required() {
    let mut post = due_to(&[("a@example.org", "Ann"), ("bo@example.org", "Bo")]);
    run(&mut post.owner, "UPDATE users SET email = NULL WHERE name = 'Bo'");
    let server = Httpd::start(|_| answer(200, "{}"));
    let (log, all_went_well) = once(&post, &server, "");
    assert!(all_went_well, "{log}");
    assert_eq!(post.rows("SELECT status, skip_reason FROM reminders ORDER BY 1"), ["sent|-", "skipped|no_address"]);
    run(&mut post.owner, "UPDATE reminder_settings SET address_required = false");
    post.enqueue_again();
    let (log, all_went_well) = once(&post, &server, "");
    assert!(all_went_well, "{log}");
    assert_eq!(post.rows("SELECT status, skip_reason FROM reminders ORDER BY 1"), ["sent|-", "sent|-"]);
    let requests = server.requests();
    let said = requests.last().expect("a request").json();
    let bo = post.row("SELECT id FROM users WHERE name = 'Bo'");
    assert_eq!((&said["data"]["recipient_email"], &said["data"]["recipient_id"]), (&Value::Null, &Value::from(bo)));
}

#[test]
fn each_message_is_posted_with_its_words_and_signed() {
    let mut post = due_to(&[("a@[", "Ann \"Quist\" مريم"), ("bo@example.org", "Bo")]);
    let server = Httpd::start(|request| {
        answer(202, &format!("{{\"id\": \"p-{}\"}}", request.header("webhook-id").expect("an id")))
    });
    let links = "[texts]\nlinks = { unsubscribe = 'https://example.org/unsubscribe/{token}' }";
    let (log, all_went_well) = once(&post, &server, links);
    assert!(all_went_well, "{log}");
    assert_eq!(post.state(), ["sent|1|f|2"], "{log}");
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time").as_secs();
    for request in &requests {
        assert_eq!(request.line, "POST /send?from=us HTTP/1.1");
        assert!(is_signed(request), "{request:?}");
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert_eq!(request.header("idempotency-key"), request.header("webhook-id"));
        let signed: u64 = request.header("webhook-timestamp").expect("a time").parse().expect("seconds");
        assert!(now.abs_diff(signed) < 60);
        let said = request.json();
        assert_eq!(said["type"], "reminders.due");
        let data = &said["data"];
        assert_eq!(data["idempotency_key"].as_str(), request.header("webhook-id"));
        for words in ["subject", "text", "html", "locale", "recipient_email", "organization_name"] {
            assert!(data[words].as_str().is_some_and(|words| !words.is_empty()), "{words}: {said}");
        }
        assert!(data["unsubscribe"].as_str().is_some_and(|link| link.starts_with("https://example.org/unsubscribe/")));
        assert_eq!(
            (&data["organization_id"], data["items"].as_array().map(Vec::len)),
            (&Value::from(DEFAULT), Some(1))
        );
        assert_eq!(data["items"][0]["reminder_id"], data["reminder_ids"][0]);
        // What only the database is told, and what is a key to more than one link.
        for none in ["claim_id", "claimed_until", "unsubscribe_token"] {
            assert_eq!(data.get(none), None);
        }
    }
    assert!(requests.iter().any(|request| request.json()["data"]["recipient_name"] == "Ann \"Quist\" مريم"));
    // What the provider calls it, and what we do: by both its events are found.
    assert_eq!(
        post.row("SELECT count(*) FROM send_logs WHERE provider_message_id = 'p-' || message_id AND status = 'queued'"),
        "2"
    );
}

#[test]
fn an_answer_costs_whose_fault_it_was() {
    const NO: &str = r#"{"fault": "recipient", "error": "550 5.1.1 User unknown"}"#;
    for (status, body, expected, opted_out, pause) in [
        (200, "", "sent|1", 0, None),
        (204, "", "sent|1", 0, None),
        (400, "", "pending|0", 0, Some("sender")),
        (413, NO, "pending|0", 0, Some("sender")),
        (410, "", "pending|0", 0, Some("sender")),
        (410, NO, "failed|1", 2, None),
        (422, NO, "failed|1", 2, None),
        (422, r#"{"fault": "recipient", "permanent": true}"#, "failed|1", 2, None),
        (422, r#"{"fault": "recipient", "error": "452 4.2.2 mailbox full"}"#, "pending|1", 0, None),
        (422, r#"{"error": "what"}"#, "pending|0", 0, Some("sender")),
        (401, NO, "pending|0", 0, Some("sender")),
        (403, "", "pending|0", 0, Some("sender")),
        (404, "", "pending|0", 0, Some("sender")),
        (405, "", "pending|0", 0, Some("sender")),
        (308, "", "pending|0", 0, Some("sender")),
        (429, "", "pending|0", 0, Some("transport")),
        (500, "", "pending|0", 0, Some("transport")),
        (502, "", "pending|0", 0, Some("transport")),
        (503, NO, "pending|0", 0, Some("transport")),
    ] {
        let mut post = Post::due_to(2);
        let server = Httpd::start(move |_| answer(status, body));
        let (log, all_went_well) = once(&post, &server, "");
        assert_eq!(all_went_well, status < 300, "{status} {body}: {log}");
        assert_eq!(
            post.rows("SELECT DISTINCT status, attempts FROM reminders WHERE claim_id IS NULL"),
            [expected],
            "{status} {body}: {log}"
        );
        assert_eq!(
            post.row("SELECT count(*) FROM users WHERE contact_opt_out"),
            opted_out.to_string(),
            "{status} {body}"
        );
        assert_eq!(post.pause(), Vec::from_iter(pause), "{status} {body}");
    }
}

#[test]
fn a_message_that_alone_is_answered_with_an_error_pays_for_itself() {
    let mut post = Post::due_to(10);
    let odd = post.row(
        "SELECT u.email FROM reminders r JOIN users u ON u.id = r.recipient_id ORDER BY r.scheduled_for, r.number LIMIT 1",
    );
    let server = Httpd::start(move |request| {
        if request.json()["data"]["recipient_email"] == odd.as_str() { answer(500, "") } else { answer(200, "") }
    });
    let (log, _) = once(&post, &server, "");
    assert_eq!(
        (post.state(), post.pause().len()),
        (vec!["pending|1|f|1".to_string(), "sent|1|f|9".to_string()], 0),
        "{log}"
    );
}

#[test]
fn of_one_that_hangs_up_or_says_nothing_few_pay_and_nobody_where_there_is_none() {
    let mut post = Post::due_to(10);
    let (log, _) = once(&post, &Httpd::start(|_| Answer::HangUp), "connections = 1");
    assert_eq!(
        (post.state(), post.pause()),
        (vec!["pending|0|f|7".to_string(), "pending|1|f|3".to_string()], vec!["transport".to_string()]),
        "{log}"
    );
    let mut post = Post::due_to(1);
    let (log, _) = once(&post, &Httpd::start(|_| Answer::Silence), "timeout_seconds = 1");
    assert_eq!(post.state(), ["pending|1|f|1"], "{log}");
    let mut post = Post::due_to(3);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let lines = format!("webhook = 'http://127.0.0.1:{closed}'\nwebhook_secret = '{}'", secret());
    let (log, _) = post.configured_at(&post.url_of(&post.login), &lines).run(&["--once"]);
    assert_eq!(
        (post.state(), post.pause()),
        (vec!["pending|0|f|3".to_string()], vec!["transport".to_string()]),
        "{log}"
    );
}

#[test]
fn a_redirect_is_not_followed_and_a_long_answer_not_read() {
    let mut post = Post::due_to(1);
    let elsewhere = Httpd::start(|_| answer(200, ""));
    let to = format!("location: http://127.0.0.1:{}/\r\n", elsewhere.port);
    let server = Httpd::start(move |_| Answer::Say(307, to.clone(), String::new()));
    let (log, _) = once(&post, &server, "");
    assert_eq!((post.state(), elsewhere.requests().len()), (vec!["pending|0|f|1".to_string()], 0), "{log}");
    let mut post = Post::due_to(2);
    let server = Httpd::start(|_| answer(200, &format!("{{\"id\": \"x\", \"more\": \"{}\"}}", "x".repeat(20_000_000))));
    let (log, all_went_well) = once(&post, &server, "");
    assert!(all_went_well, "{log}");
    assert_eq!(post.state(), ["sent|1|f|2"]);
    assert_eq!(post.row("SELECT count(provider_message_id) FROM send_logs"), "0");
}

#[test]
fn it_is_not_called_again_before_it_asks_to_be_or_a_lease_has_passed() {
    for (asked, lease, least, most) in [(3, 300, 3, 20), (3600, 2, 2, 20)] {
        let mut post = Post::due_to(1);
        let server = Httpd::start(move |_| Answer::Say(429, format!("retry-after: {asked}\r\n"), String::new()));
        let configuration =
            configured(&post, &server, &format!("lease_seconds = {lease}\ntimeout_seconds = 2\npoll_seconds = 1"));
        let worker = configuration.start();
        let again = || {
            // The database's own pause is longer.
            run(&mut post.owner, "UPDATE claim_rates SET paused_until = now()");
            server.requests().len() == 2
        };
        until(again, || worker.log());
        let requests = server.requests();
        let pause = requests[1].at - requests[0].at;
        assert!(
            pause + Duration::from_millis(50) >= Duration::from_secs(least) && pause < Duration::from_secs(most),
            "{pause:?}"
        );
        assert_eq!(requests[0].header("webhook-id"), requests[1].header("webhook-id"));
        assert!(requests.iter().all(is_signed));
    }
}

#[test]
fn an_organization_may_have_a_webhook_of_its_own_beside_a_mail_server() {
    let mut post = Post::empty();
    let other = "b0000000-0000-4000-8000-000000000000";
    run(&mut post.owner, &format!("INSERT INTO organizations (id, name) VALUES ('{other}', 'Other')"));
    for organization in [DEFAULT, other] {
        People::in_organization(&mut post.owner, organization).assignment(&mut post.owner, "2026-01-01");
    }
    post.enqueue();
    let (mail, web) = (Smtpd::start(|_| Reply::Usual), Httpd::start(|_| answer(200, "")));
    let own = format!(
        "[[deliver.organization]]\nid = '{other}'\nwebhook = 'http://localhost:{}/'\nwebhook_secret = '{}'",
        web.port,
        secret()
    );
    let (log, all_went_well) = post.once(&mail, &own);
    assert!(all_went_well, "{log}");
    assert_eq!((mail.mails().len(), web.requests().len()), (1, 1), "{log}");
    assert_eq!(web.requests()[0].json()["data"]["organization_id"], other);
}

#[test]
fn https_is_spoken_with_whom_is_trusted_and_the_secret_may_be_in_a_file() {
    let file = std::env::temp_dir().join(format!("deliver-webhook-{}", std::process::id()));
    std::fs::write(&file, format!("{}\n", secret())).expect("a file");
    let authority = format!("ca_file = '{}/tests/deliver/keys/authority.pem'\n", env!("CARGO_MANIFEST_DIR"));
    for (authority, posted, state) in [(authority.as_str(), 2, "sent|1|f|2"), ("", 0, "pending|0|f|2")] {
        let mut post = Post::due_to(2);
        let server = Httpd::with(true, |_| answer(200, ""));
        let lines = format!(
            "{authority}webhook = 'https://localhost:{}/'\nwebhook_secret_file = '{}'",
            server.port,
            file.display()
        );
        let (log, _) = post.configured_at(&post.url_of(&post.login), &lines).run(&["--once"]);
        assert_eq!((post.state(), server.requests().len()), (vec![state.to_string()], posted), "{log}");
        assert!(server.requests().iter().all(is_signed));
        assert_eq!(post.pause(), if posted == 0 { vec!["transport"] } else { vec![] });
    }
    let _ = std::fs::remove_file(file);
}

#[test]
fn neither_the_log_nor_a_dry_run_of_it_posts_or_names_what_it_should_not() {
    let post = due_to(&[("doris@example.org", "Doris Quist"), ("edvard@example.org", "Edvard Quist")]);
    let server = Httpd::start(|_| {
        answer(422, r#"{"fault": "recipient", "error": "550 5.1.1 Doris Quist <doris@example.org>"}"#)
    });
    let (said, all_went_well) = configured(&post, &server, "").run(&["--dry-run"]);
    assert!(all_went_well && said.contains("would send to doris@example.org by 127.0.0.1"), "{said}");
    assert_eq!(server.requests().len(), 0);
    let (log, _) = once(&post, &server, "");
    assert_eq!(server.requests().len(), 2);
    assert!(log.contains("HTTP 422"), "{log}");
    for word in ["@", "Quist", "doris", "whsec_", "from=us"] {
        assert!(!log.contains(word), "{word}: {log}");
    }
}

#[test]
fn a_webhook_that_cannot_work_is_told_at_once() {
    let post = Post::due_to(1);
    let with = |url: &str, secret: &str| format!("webhook = '{url}'\nwebhook_secret = '{secret}'");
    for (lines, what) in [
        (with("http://example.org/", &secret()), "unencrypted"),
        (with("https://example.org/", "whsec_c2hvcnQ="), "24 bytes"),
        (with("https://example.org/", "a secret!"), "base64"),
        ("webhook = 'https://example.org/'".to_string(), "webhook_secret"),
        (format!("{}\nsmtp = 'smtp://localhost'", with("https://example.org/", &secret())), "not both"),
        (format!("smtp = 'smtp://localhost'\nwebhook_secret = '{}'", secret()), "without a webhook"),
    ] {
        let (log, went_well) = post.configured_at(&post.url_of(&post.login), &lines).run(&["--once"]);
        assert!(!went_well && log.contains(what) && !log.contains("a secret!"), "{lines}: {log}");
    }
}
