//! What rows may hold, and what a message carries.

use crate::post::Post;
use crate::smtpd::{Features, Reply, Smtpd};
use crate::support::{People, run};

/// One person more for each address and name, to whom a message is due.
pub fn due_to(people: &[(&str, &str)]) -> Post {
    let mut post = Post::empty();
    for (email, name) in people {
        let people = People::new(&mut post.owner);
        people.assignment(&mut post.owner, "2026-01-01");
        post.owner
            .execute("UPDATE users SET email = $1, name = $2 WHERE id = $3", &[email, name, &people.mentor_user])
            .expect("what the tables take");
    }
    post.enqueue();
    post
}

const OUTCOMES: &str = "SELECT u.email, r.status, l.given_up FROM reminders r JOIN users u ON u.id = r.recipient_id
                          JOIN send_logs l ON l.reminder_id = r.id ORDER BY u.email COLLATE \"C\"";

#[test]
fn an_address_that_no_mail_can_be_written_to_is_given_up_and_stops_nobody_elses_mail() {
    let name = "x".repeat(1200);
    let mut post = due_to(&[
        ("a@[", "Ann"),
        ("a,b@example.org", "Ann"),
        ("bo@exåmple.org", "Bo"),
        ("sam@example.org", "Sam\r\nBcc: all@example.org"),
        ("sid@example.org", &name),
        ("مريم@example.org", "مريم"),
        ("zoe@example.org", "Zoë \u{202e}👩‍👩‍👧\u{0085}\u{7}"),
    ]);
    let server = Smtpd::start(|_| Reply::Usual);
    let (log, all_went_well) = post.once(&server, "");
    assert!(!all_went_well);
    assert_eq!(
        post.rows(OUTCOMES),
        [
            "a,b@example.org|failed|t",
            "a@[|failed|t",
            "bo@exåmple.org|sent|f",
            "sam@example.org|sent|f",
            "sid@example.org|sent|f",
            "zoe@example.org|sent|f",
            "مريم@example.org|failed|t",
        ],
        "{log}"
    );
    assert_eq!(post.pause(), [""; 0]);
    assert_eq!(post.row("SELECT count(*) FROM users WHERE contact_opt_out"), "0");
    assert!(server.talk().contains(&"RCPT TO:<bo@xn--exmple-jua.org>".to_string()), "{:?}", server.talk());
    for mail in server.mails() {
        assert!(mail.header("Bcc").is_none() && mail.content.split("\r\n").all(|line| line.len() < 999));
    }
    assert!(
        post.row("SELECT last_error FROM reminders r JOIN users u ON u.id = r.recipient_id WHERE u.name = 'مريم'")
            .contains("SMTPUTF8")
    );
}

#[test]
fn an_address_beyond_ascii_is_written_to_where_the_server_takes_it() {
    let mut post = due_to(&[("ø@exåmple.org", "Ola"), ("sam@example.org", "Sam")]);
    let server = Smtpd::with(Features { smtputf8: true, ..Features::default() }, |_| Reply::Usual);
    let (log, all_went_well) = post.once(&server, "");
    assert!(all_went_well, "{log}");
    assert_eq!(post.rows(OUTCOMES), ["sam@example.org|sent|f", "ø@exåmple.org|sent|f"]);
    let mut froms: Vec<String> = server.mails().iter().map(|mail| format!("{} {}", mail.from, mail.to)).collect();
    froms.sort();
    assert_eq!(
        froms,
        [
            "MAIL FROM:<reminders@example.org> RCPT TO:<sam@example.org>",
            "MAIL FROM:<reminders@example.org> SMTPUTF8 BODY=8BITMIME RCPT TO:<ø@xn--exmple-jua.org>"
        ]
    );
}

#[test]
fn titles_and_metadata_of_any_kind_are_sent() {
    let mut post = Post::empty();
    for (title, metadata) in [
        ("Line\r\nBcc: all@example.org\r\n\r\n.\r\nQUIT", "{}"),
        ("مرحبا \u{202e}gro.elpmaxe", "{\"number\": 1e400}"),
        ("🎉", "null"),
        ("<script>{{ 7 * 7 }}</script>", "[1, 2]"),
    ] {
        let assignment = People::new(&mut post.owner).assignment(&mut post.owner, "2026-01-01");
        post.owner
            .execute(
                "UPDATE assignments SET title = $1, metadata = $2::text::jsonb WHERE id = $3",
                &[&title, &metadata, &assignment],
            )
            .expect("what the tables take");
    }
    run(&mut post.owner, "UPDATE organizations SET name = E'The\\nprogramme, \"ours\"'");
    post.enqueue();
    let server = Smtpd::start(|_| Reply::Usual);
    let (log, all_went_well) = post.once(&server, "");
    assert!(all_went_well, "{log}");
    assert_eq!(server.mails().len(), 4);
    for mail in server.mails() {
        assert_eq!(
            mail.header("From").as_deref(),
            Some("=?utf-8?b?VGhlIHByb2dyYW1tZSwgIm91cnMi?= <reminders@example.org>")
        );
        assert!(mail.header("Bcc").is_none() && mail.content.trim_end().ends_with("--"));
    }
}

#[test]
fn a_message_carries_what_mail_programs_and_providers_ask_for() {
    let mut post = Post::empty();
    // Two reminders to one person are one message.
    let people = People::new(&mut post.owner);
    people.assignment(&mut post.owner, "2026-01-01");
    people.assignment(&mut post.owner, "2026-01-01");
    run(&mut post.owner, "UPDATE organizations SET name = 'Leksehjelp'");
    post.enqueue();
    let server = Smtpd::start(|_| Reply::Usual);
    let lines = "reply_to = 'office@example.org'\n[texts]\nlinks = { unsubscribe = 'https://mail.example.org/unsubscribe/{token}' }";
    let (log, all_went_well) = post.once(&server, lines);
    assert!(all_went_well, "{log}");
    let mails = server.mails();
    let [mail] = mails.as_slice() else { panic!("{} messages", mails.len()) };
    let token = post.row("SELECT DISTINCT unsubscribe_token(recipient_id) FROM reminders");
    let key = mail.header("Idempotency-Key").expect("a key");
    assert!(key.starts_with("digest-"), "{key}");
    for (name, value) in [
        ("From", "Leksehjelp <reminders@example.org>".to_string()),
        ("Reply-To", "office@example.org".to_string()),
        ("Message-ID", format!("<{key}@example.org>")),
        ("Auto-Submitted", "auto-generated".to_string()),
        ("List-Unsubscribe", format!("<https://mail.example.org/unsubscribe/{token}>")),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_string()),
        ("List-Id", "<00000000-0000-0000-0000-000000000001.reminders.example.org>".to_string()),
        ("MIME-Version", "1.0".to_string()),
    ] {
        assert_eq!(mail.header(name), Some(value), "{name}");
    }
    assert!(mail.header("Date").is_some());
    assert!(mail.header("Content-Type").expect("a type").starts_with("multipart/alternative"));
    assert!(mail.content.contains(&format!("\r\nMessage-ID: <{key}@example.org>\r\n")), "on one line");
    assert_eq!(
        post.rows("SELECT message_id, max(provider_message_id), from_inbox, count(*) FROM send_logs GROUP BY 1, 3"),
        [format!("<{key}@example.org>|Q1|reminders@example.org|2")]
    );
}

#[test]
fn whoever_turned_digests_off_gets_single_messages_and_a_summary_is_asked_for() {
    let mut post = Post::empty();
    let people = People::new(&mut post.owner);
    people.assignment(&mut post.owner, "2026-01-01");
    people.assignment(&mut post.owner, "2026-01-01");
    run(
        &mut post.owner,
        &format!("INSERT INTO user_preferences (user_id, digest) VALUES ('{}', false)", people.mentor_user),
    );
    post.enqueue();
    run(
        &mut post.owner,
        &format!(
            "UPDATE assignments SET due_at = now() + interval '10 days' WHERE student_id = '{0}';
             INSERT INTO user_preferences (user_id, daily_summary, summary_hour, updated_at) VALUES ('{0}', true, 0, '2026-01-01');
             SELECT count(*) FROM enqueue_daily_summaries()",
            people.student
        ),
    );
    assert_eq!(post.row("SELECT count(*) FROM reminders WHERE reminder_type = 'daily-summary'"), "1");
    let server = Smtpd::start(|_| Reply::Usual);
    let (log, all_went_well) = post.once(&server, "");
    assert!(all_went_well, "{log}");
    assert_eq!((server.mails().len(), post.state()), (3, vec!["sent|1|f|3".to_string()]), "{log}");
}
