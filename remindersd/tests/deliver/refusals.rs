//! Whose fault it was: what the database knows after each refusal.

use crate::post::{DEFAULT, Post, until};
use crate::smtpd::{At, Reply, Said, Smtpd, say};
use crate::support::{People, run};

/// A server that says this at that stage, and takes all else.
fn refusing(at: At, text: &'static str) -> Smtpd {
    Smtpd::start(move |said: &Said| if said.at == at { say(text) } else { Reply::Usual })
}

/// Whether the person with this address is meant.
fn is_to(said: &Said, address: &str) -> bool {
    said.at == At::Rcpt && said.text.contains(address)
}

#[test]
fn a_refusal_costs_whose_fault_it_was() {
    for (at, text, expected, opted_out, pause) in [
        (At::Rcpt, "550 5.1.1 User unknown", "failed|1", 2, None),
        (At::Rcpt, "452 4.2.2 Mailbox full", "pending|1", 0, None),
        (At::Rcpt, "450 4.7.1 Greylisted", "pending|0", 0, Some("transport")),
        (At::Rcpt, "451 4.3.0 Temporary lookup failure", "pending|0", 0, Some("transport")),
        (At::Rcpt, "550 5.1.8 Sender address rejected", "pending|0", 0, Some("sender")),
        (At::Rcpt, "550 Access denied, sender IP blocked", "pending|0", 0, Some("sender")),
        (At::Content, "554 Message rejected: Email address is not verified.", "pending|0", 0, Some("sender")),
        (At::Content, "550 5.4.5 Daily user sending limit exceeded", "pending|0", 0, Some("sender")),
        (At::Content, "451 4.3.0 Try again", "pending|0", 0, Some("transport")),
        (At::Data, "451 4.3.0 Try again", "pending|0", 0, Some("transport")),
        (At::Mail, "550 5.7.1 You may not send", "pending|0", 0, Some("sender")),
        (At::Mail, "530 5.7.0 Authentication required", "pending|0", 0, Some("sender")),
        (At::Rcpt, "530 5.7.0 Authentication required", "pending|0", 0, Some("sender")),
        (At::Content, "550 5.7.26 Unauthenticated", "pending|0", 0, Some("sender")),
        (At::Rcpt, "554 5.7.1 Relay access denied", "pending|0", 0, Some("sender")),
        (At::Mail, "451 4.3.0 Try again", "pending|0", 0, Some("transport")),
        (At::Mail, "421 4.3.2 Closing", "pending|0", 0, Some("transport")),
        (At::Rcpt, "421 4.3.2 Closing", "pending|0", 0, Some("transport")),
        (At::Connect, "554 5.3.2 Not for you", "pending|0", 0, Some("sender")),
        (At::Connect, "421 4.3.2 Too busy", "pending|0", 0, Some("transport")),
    ] {
        let mut post = Post::due_to(2);
        let server = refusing(at, text);
        let (log, all_went_well) = post.once(&server, "");
        assert!(!all_went_well && server.mails().is_empty(), "{at:?} {text}: {log}");
        assert_eq!(
            post.rows("SELECT DISTINCT status, attempts FROM reminders WHERE claim_id IS NULL"),
            [expected],
            "{at:?} {text}: {log}"
        );
        assert_eq!(post.row("SELECT count(*) FROM reminders WHERE claim_id IS NOT NULL"), "0", "{at:?} {text}");
        assert_eq!(
            post.row("SELECT count(*) FROM users WHERE contact_opt_out"),
            opted_out.to_string(),
            "{at:?} {text}"
        );
        assert_eq!(post.row("SELECT sum(soft_bounces) FROM users"), "0", "{at:?} {text}: nothing was given up for it");
        assert_eq!(post.pause(), Vec::from_iter(pause), "{at:?} {text}");
        assert!(!log.contains("@example.org>"), "an address in the log: {log}");
    }
}

#[test]
fn of_three_hundred_that_the_sender_may_not_send_none_is_failed_and_few_are_tried() {
    let mut post = Post::due_to(300);
    let server = refusing(At::Rcpt, "530 5.7.0 Authentication required");
    let (log, _) = post.once(&server, "batch = 300");
    assert_eq!(post.state(), ["pending|0|f|300"]);
    // Three, and what was on the wire with them.
    assert!(server.said("RCPT") <= 6, "{}", server.said("RCPT"));
    assert_eq!(log.matches("nothing can be sent").count(), 1, "{log}");
}

#[test]
fn a_server_that_nobody_answers_at_costs_nobody_an_attempt() {
    let mut post = Post::due_to(5);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let server = Smtpd::start(|_| Reply::Usual);
    let (log, all_went_well) = post.once(&server, &format!("smtp = 'smtp://127.0.0.1:{closed}'"));
    assert!(!all_went_well);
    assert_eq!(post.state(), ["pending|0|f|5"], "{log}");
    assert_eq!(post.pause(), ["transport"]);
}

#[test]
fn a_server_that_says_nothing_is_not_waited_for_for_ever() {
    let mut post = Post::due_to(2);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let server = Smtpd::start(|_| Reply::Usual);
    let silent = listener.local_addr().expect("an address").port();
    let (log, _) = post.once(&server, &format!("timeout_seconds = 1\nsmtp = 'smtp://127.0.0.1:{silent}'"));
    assert_eq!(
        (post.state(), post.pause()),
        (vec!["pending|0|f|2".to_string()], vec!["transport".to_string()]),
        "{log}"
    );
}

#[test]
fn a_refusal_of_policy_is_one_persons_where_others_are_taken() {
    let mut post = Post::due_to(10);
    let refused = post.row(
        "SELECT u.email FROM reminders r JOIN users u ON u.id = r.recipient_id ORDER BY r.scheduled_for, r.number LIMIT 1",
    );
    let address = refused.clone();
    let server =
        Smtpd::start(move |said| if is_to(said, &address) { say("550 5.7.1 Members only") } else { Reply::Usual });
    let (log, _) = post.once(&server, "");
    assert_eq!(post.state(), ["pending|1|f|1", "sent|1|f|9"], "{log}");
    assert_eq!(post.pause(), [""; 0]);
    assert_eq!(
        post.row("SELECT u.email FROM reminders r JOIN users u ON u.id = r.recipient_id WHERE status = 'pending'"),
        refused
    );
    assert_eq!(post.row("SELECT count(*) FROM users WHERE contact_opt_out"), "0");
}

#[test]
fn what_one_message_alone_is_refused_for_is_its_own_and_pauses_nobody() {
    for (at, text, expected) in [
        (At::Content, "554 5.6.0 Malformed", "failed|1"),
        (At::Content, "550 5.7.26 Unauthenticated", "pending|1"),
        (At::Rcpt, "421 4.7.0 Try again later", "pending|1"),
        (At::Rcpt, "451 4.3.0 Temporary lookup failure", "pending|1"),
        (At::Rcpt, "550 5.7.26 Unauthenticated", "pending|1"),
    ] {
        let mut post = Post::due_to(30);
        let address = post.row(
            "SELECT u.email FROM reminders r JOIN users u ON u.id = r.recipient_id ORDER BY r.scheduled_for, r.number LIMIT 1",
        );
        let is_meant = move |said: &Said| said.at == at && (said.text.contains(&address));
        let server = Smtpd::start(move |said| if is_meant(said) { say(text) } else { Reply::Usual });
        let (log, _) = post.once(&server, "connections = 1");
        assert_eq!(
            post.rows("SELECT status, attempts, count(*) FROM reminders GROUP BY 1, 2 ORDER BY 3"),
            [format!("{expected}|1"), "sent|1|29".to_string()],
            "{at:?} {text}: {log}"
        );
        assert_eq!(post.pause(), [""; 0], "{at:?} {text}");
        assert_eq!(post.row("SELECT count(*) FROM users WHERE contact_opt_out"), "0", "{at:?} {text}");
    }
}

#[test]
fn one_that_is_alone_and_refused_again_pays_for_itself_and_waits_for_ever_no_more() {
    let mut post = Post::due_to(1);
    let server = refusing(At::Content, "554 5.6.0 Malformed");
    let configuration = post.configuration(&server, "poll_seconds = 1");
    let worker = configuration.start();
    until(|| !post.pause().is_empty(), || worker.log());
    assert_eq!(post.state(), ["pending|0|f|1"]);
    run(&mut post.owner, "UPDATE claim_rates SET paused_until = now()");
    until(|| post.state() == ["failed|1|f|1"], || worker.log());
    assert_eq!(server.said("DATA"), 2);
}

#[test]
fn a_server_that_hangs_stops_its_organization_and_no_other() {
    let mut post = Post::empty();
    let other = "b0000000-0000-4000-8000-000000000000";
    run(&mut post.owner, &format!("INSERT INTO organizations (id, name) VALUES ('{other}', 'Other')"));
    for organization in [DEFAULT, other] {
        for _ in 0..60 {
            People::in_organization(&mut post.owner, organization).assignment(&mut post.owner, "2026-01-01");
        }
    }
    post.enqueue();
    let hanging = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let taking = Smtpd::start(|_| Reply::Usual);
    let lines = format!(
        "smtp = 'smtp://127.0.0.1:{}'\nbatch = 20\npoll_seconds = 1\n[[deliver.organization]]\nid = '{other}'\nsmtp = 'smtp://127.0.0.1:{}'",
        hanging.local_addr().expect("an address").port(),
        taking.port
    );
    let configuration = post.configured_at(&post.url_of(&post.login), &lines);
    let worker = configuration.start();
    // The other one waits for a minute.
    until(|| taking.mails().len() == 60, || worker.log());
    assert_eq!(post.pause(), [""; 0], "{}", worker.log());
}

#[test]
fn an_address_at_which_the_server_hangs_up_stops_nobody_elses_mail() {
    let mut post = Post::due_to(10);
    let address = post.row(
        "SELECT u.email FROM reminders r JOIN users u ON u.id = r.recipient_id ORDER BY r.scheduled_for, r.number LIMIT 1",
    );
    let server = Smtpd::start(move |said| if is_to(said, &address) { Reply::HangUp } else { Reply::Usual });
    let (log, _) = post.once(&server, "");
    assert_eq!(post.state(), ["pending|1|f|1", "sent|1|f|9"], "{log}");
}

#[test]
fn of_a_server_that_hangs_up_after_each_message_few_pay_and_the_rest_is_given_back() {
    let mut post = Post::due_to(26);
    let server = Smtpd::start(|said| if said.at == At::Content { Reply::HangUp } else { Reply::Usual });
    let (log, _) = post.once(&server, "connections = 1");
    assert_eq!(post.state(), ["pending|0|f|23", "pending|1|f|3"], "{log}");
    assert_eq!(post.pause(), ["transport"]);
}

#[test]
fn one_that_may_have_been_taken_when_the_connection_broke_is_an_attempt_and_the_others_are_sent() {
    let mut post = Post::due_to(26);
    let server = Smtpd::start(|said| {
        if said.at == At::Content && said.connection == 1 && said.nth == 3 { Reply::HangUp } else { Reply::Usual }
    });
    let (log, _) = post.once(&server, "connections = 1");
    assert_eq!(post.state(), ["pending|1|f|1", "sent|1|f|25"], "{log}");
    assert_eq!((server.mails().len(), server.connections()), (26, 2));
}

#[test]
fn a_server_that_is_tired_of_a_connection_gets_another_one() {
    for text in ["421 4.7.0 Too many messages", ""] {
        let mut post = Post::due_to(9);
        let server = Smtpd::start(move |said| match (said.at, said.nth) {
            (At::Mail, 4..) if text.is_empty() => Reply::HangUp,
            (At::Mail, 4..) => say(text),
            _ => Reply::Usual,
        });
        let (log, all_went_well) = post.once(&server, "connections = 1");
        assert!(all_went_well, "{log}");
        assert_eq!((post.state(), server.connections()), (vec!["sent|1|f|9".to_string()], 3), "{log}");
    }
}

#[test]
fn connections_are_kept() {
    let mut post = Post::due_to(50);
    let server = Smtpd::start(|_| Reply::Usual);
    let (log, all_went_well) = post.once(&server, "connections = 3");
    assert!(all_went_well, "{log}");
    assert_eq!(post.state(), ["sent|1|f|50"]);
    assert!(server.connections() <= 3, "{}", server.connections());
    assert_eq!(server.said("QUIT"), server.connections());
}

#[test]
fn where_one_organizations_server_refuses_the_others_messages_are_sent() {
    let mut post = Post::empty();
    let other = "b0000000-0000-4000-8000-000000000000";
    run(&mut post.owner, &format!("INSERT INTO organizations (id, name) VALUES ('{other}', 'Other')"));
    for organization in [DEFAULT, other] {
        for _ in 0..10 {
            People::in_organization(&mut post.owner, organization).assignment(&mut post.owner, "2026-01-01");
        }
    }
    post.enqueue();
    let refusing = refusing(At::Mail, "550 5.7.1 You may not send");
    let taking = Smtpd::start(|_| Reply::Usual);
    let own = format!(
        "[[deliver.organization]]\nid = '{other}'\nsmtp = 'smtp://127.0.0.1:{}'\nfrom = 'The other one <other@example.net>'\nreply_to = 'office@example.net'",
        taking.port
    );
    let (log, _) = post.once(&refusing, &own);
    assert_eq!(
        post.rows("SELECT o.name = 'Other', status, attempts, count(*) FROM reminders r JOIN organizations o ON o.id = r.organization_id GROUP BY 1, 2, 3 ORDER BY 1"),
        ["f|pending|0|10", "t|sent|1|10"],
        "{log}"
    );
    assert_eq!(taking.mails().len(), 10);
    let mail = &taking.mails()[0];
    assert_eq!(mail.from, "MAIL FROM:<other@example.net>");
    assert_eq!(mail.header("From").as_deref(), Some("\"The other one\" <other@example.net>"));
    assert_eq!(mail.header("Reply-To").as_deref(), Some("office@example.net"));
}
