//! Messages in the words that an organization's coordinators have stored.

use crate::post::{DEFAULT, Post};
use crate::smtpd::{Reply, Smtpd};
use crate::support::run;

fn store(post: &mut Post, locale: &str, name: &str, body: &str) {
    post.owner
        .execute(
            "INSERT INTO message_templates (locale, name, body) VALUES ($1, $2, $3)
             ON CONFLICT (organization_id, locale, name) DO UPDATE SET body = excluded.body",
            &[&locale, &name, &body],
        )
        .expect("what the table takes");
}

/// The subject of a message to somebody who reads this, and what was logged.
fn subject(post: &mut Post, locale: &str) -> (String, String) {
    run(
        &mut post.owner,
        &format!(
            "UPDATE users SET locale = '{locale}'; UPDATE reminders SET status = 'pending', retry_at = NULL, claim_id = NULL, claimed_until = NULL"
        ),
    );
    let server = Smtpd::start(|_| Reply::Usual);
    let (log, all_went_well) = post.once(&server, "");
    assert!(all_went_well, "{log}");
    (server.mails()[0].header("Subject").expect("a subject"), log)
}

#[test]
fn what_coordinators_stored_comes_before_all_else_and_only_in_its_language() {
    let mut post = Post::due_to(1);
    store(&mut post, "en", "contact-reminder.subject", "Hello from {{ organization_name }}: {{ item.student_name }}");
    assert_eq!(subject(&mut post, "en-GB").0, "Hello from Default organisation: student");
    let told = subject(&mut post, "nb-NO").0;
    assert!(told.starts_with("Ingen kontakt"), "{told}");
    store(&mut post, "nb", "contact-reminder.subject", "Hei");
    assert_eq!(subject(&mut post, "nb-NO").0, "Hei");
    assert_eq!(subject(&mut post, "sv").0, "Hello from Default organisation: student");
    run(&mut post.owner, "DELETE FROM message_templates");
    assert!(subject(&mut post, "nb-NO").0.starts_with("Ingen kontakt"));
}

#[test]
fn what_cannot_be_used_is_left_out_and_told_without_what_it_holds() {
    let mut post = Post::due_to(1);
    store(&mut post, "en", "contact-reminder.subject", "{% if %}");
    let (told, log) = subject(&mut post, "en");
    assert!(told.starts_with("No contact"), "{told}");
    let place = format!("message_templates/{DEFAULT}/en/contact-reminder.subject:1: syntax error");
    assert!(log.contains(&place), "{log}");
    // It can be read, and fails when it is told.
    store(&mut post, "en", "contact-reminder.subject", "\n{{ item.student_name | date }}");
    let (told, log) = subject(&mut post, "en");
    assert!(told.starts_with("No contact"), "{told}");
    assert!(log.contains("contact-reminder.subject:2: invalid operation"), "{log}");
    assert!(!log.contains("student"), "{log}");
}

#[test]
fn a_role_that_may_not_read_them_sends_all_the_same() {
    let mut post = Post::due_to(1);
    store(&mut post, "en", "contact-reminder.subject", "Hello");
    let worker = post.row("SELECT grantee FROM information_schema.role_table_grants WHERE table_name = 'message_templates' AND privilege_type = 'SELECT' AND grantee LIKE 'role%' AND grantee NOT IN (SELECT grantee FROM information_schema.role_table_grants WHERE table_name = 'message_templates' AND privilege_type = 'INSERT')");
    run(&mut post.owner, &format!("REVOKE SELECT ON message_templates FROM {worker}"));
    assert!(subject(&mut post, "en").0.starts_with("No contact"));
}

#[test]
fn a_template_that_overflows_the_stack_never_ends_or_panics_costs_nobody_a_message() {
    let hostile = [
        "{% set ns=namespace() %}{% set ns.a=ns %}{{ ns }}".to_string(),
        format!("{{{{ 1{} }}}}", "+1".repeat(30_000)),
        "{% set ns = namespace(x=[1]) %}{% for i in range(34) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x|length }}"
            .to_string(),
        "{% for i in [1] %}{{ loop.cycle() }}{% endfor %}".to_string(),
    ];
    for body in hostile {
        let mut post = Post::due_to(3);
        store(&mut post, "en", "contact-reminder.subject", &body);
        let server = Smtpd::start(|_| Reply::Usual);
        let (log, all_went_well) = post.once(&server, "");
        let start = &body[..20];
        assert!(all_went_well, "{start}: {log}");
        assert_eq!(post.state(), ["sent|1|f|3"], "{start}: {log}");
        let said = "cannot be used, and are left out for 10 minutes: ";
        assert!(log.matches(said).count() == 1 && log.contains(DEFAULT), "{start}: {log}");
    }
}
