//! examples/worker/worker.py is documentation: this keeps it true.

use std::process::{Child, Command, Stdio};

use crate::odd_rows::due_to;
use crate::post::until;
use crate::smtpd::{At, Reply, Smtpd, say};
use crate::support::kill;

/// Ends with the test, however that ends.
struct Example(Child);

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_loop_that_is_to_be_read_sends_each_message_once_and_answers_for_it() {
    let mut post = due_to(&[
        ("ann@example.org", "Ann"),
        ("bo@example.org", "Bo"),
        ("gone@example.org", "Gone"),
        ("a@[", "Nobody"),
        ("ola@example.org", "Ola"),
    ]);
    let server = Smtpd::start(|said| match said.at {
        At::Rcpt if said.text.contains("gone@") => say("550 5.1.1 User unknown"),
        _ => Reply::Usual,
    });
    let link = "https://mail.example.org/unsubscribe";
    let child = Command::new(std::env::var("PYTHON").unwrap_or_else(|_| "/usr/bin/python3".to_string()))
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/worker/worker.py"))
        .args(["127.0.0.1", &server.port.to_string(), "reminders@example.org", link])
        .envs([("PGDATABASE", &post.database.name), ("PGUSER", &post.login)])
        .stderr(Stdio::inherit())
        .spawn()
        .expect("it starts");
    let mut worker = Example(child);
    let all =
        "SELECT u.email, r.status, r.attempts, u.contact_opt_out FROM reminders r JOIN users u ON u.id = r.recipient_id
                ORDER BY u.email COLLATE \"C\"";
    let answered = [
        "a@[|failed|1|f",
        "ann@example.org|sent|1|f",
        "bo@example.org|sent|1|f",
        "gone@example.org|failed|1|t",
        "ola@example.org|sent|1|f",
    ];
    let mut found = Vec::new();
    until(
        || {
            found = post.rows(all);
            found == answered
        },
        || "they are not answered for as they should be".to_string(),
    );
    kill("-TERM", worker.0.id());
    assert!(worker.0.wait().expect("it ends").success());

    let mut mails: Vec<String> = server
        .mails()
        .iter()
        // Each Python spells the command in its own way.
        .map(|mail| {
            let to = mail.to.get("rcpt to:".len()..).expect("an address");
            format!("{to} {}", mail.header("Message-ID").expect("an id"))
        })
        .collect();
    mails.sort();
    let sent = post.rows(
        "SELECT format('<%s> <%s@example.org>', to_email, message_id) FROM send_logs WHERE status = 'queued' ORDER BY to_email",
    );
    assert_eq!(mails, sent);
    let token = post.row("SELECT unsubscribe_token(id) FROM users WHERE email = 'ann@example.org'");
    let anns = server.mails().into_iter().find(|mail| mail.to.contains("ann@")).expect("Ann's");
    assert_eq!(anns.header("List-Unsubscribe"), Some(format!("<{link}/{token}>")));
    assert!(anns.content.contains("Essay"), "{}", anns.content);
}
