//! Forgetting a person beside what others say meanwhile: nothing of another organization waits for it, and in whatever order things happen, no row
//! brings back an address, nor a text that quotes one.

use std::thread::{self, JoinHandle};

use postgres::Client;
use uuid::Uuid;

use crate::support::{Database, People, pid, program, refused, row, rows, run, wait_until_blocked};

const NOW: &str = "2026-03-01 12:00+00";
const OTHER: &str = "00000000-0000-0000-0000-00000000000b";
const SAM: &str = "sam.student@example.org";

/// What docs/security.md names for whoever reports delivery events, and no other.
const WEBHOOK: &str = "
    GRANT USAGE ON SCHEMA assignment_reminders TO {role};
    GRANT EXECUTE ON FUNCTION record_delivery_event TO {role};
    GRANT SELECT, INSERT ON send_logs TO {role}; GRANT SELECT ON reminder_settings TO {role}; GRANT SELECT, UPDATE ON users TO {role}";
const LINK: &str =
    "GRANT USAGE ON SCHEMA assignment_reminders TO {role}; GRANT EXECUTE ON FUNCTION unsubscribe TO {role}";

/// Two organizations, in each a student with a message that was sent, reminders that a worker has, and two of those deleted.
struct Programmes {
    database: Database,
    client: Client,
    sam: Uuid,
    olga: Uuid,
    worker: Client,
    webhook: Client,
    link: Client,
}

fn programmes() -> Programmes {
    let database = Database::installed();
    let mut client = database.connect();
    run(&mut client, &format!("INSERT INTO organizations (id, name) VALUES ('{OTHER}', 'other')"));
    let (home, other) = (People::new(&mut client), People::in_organization(&mut client, OTHER));
    for (people, name) in [(&home, "sam"), (&other, "olga")] {
        let assignment = people.assignment(&mut client, "2026-01-01");
        run(
            &mut client,
            &format!(
                "UPDATE users SET email = '{name}.student@example.org', name = '{name}' WHERE id = '{student}';
                 INSERT INTO reminders (organization_id, assignment_id, reminder_type, scheduled_for)
                 SELECT organization_id, id, '{name}-' || kind, '2026-02-01'
                   FROM assignments, unnest('{{sent,1,2,3,4,5,6,deleted-1,deleted-2,deleted-3}}'::text[]) AS kind WHERE id = '{assignment}'",
                student = people.student,
            ),
        );
    }
    run(
        &mut client,
        "CREATE TABLE public.claimed AS SELECT reminder_id, claim_id, reminder_type AS kind FROM claim_reminders(as_of => '2026-02-01');
         GRANT SELECT ON public.claimed TO PUBLIC;
         SELECT mark_reminder_sent(reminder_id, claim_id, split_part(kind, '-', 1) || '-message') FROM public.claimed WHERE kind LIKE '%-sent';
         DELETE FROM reminders WHERE reminder_type LIKE '%deleted%'",
    );
    assert_eq!(row(&mut client, "SELECT count(*) FROM public.claimed"), "20");
    let worker = database.connect_as_worker();
    let (webhook, _) = database.connect_as_new_role(WEBHOOK);
    let (link, _) = database.connect_as_new_role(LINK);
    Programmes { database, client, sam: home.student, olga: other.student, worker, webhook, link }
}

fn forget(client: &mut Client, user: Uuid) {
    run(client, &format!("SELECT * FROM forget_person('{user}')"));
}

/// The call of an answer for what was claimed of this kind.
fn answer(call: &str, kind: &str) -> String {
    let call = call.replace("(one", "(reminder_id, claim_id").replace("(many", "(ARRAY[reminder_id], claim_id");
    format!("SELECT count(*) FROM public.claimed, assignment_reminders.{call} AS answer WHERE kind = '{kind}'")
}

fn event(message: &str, status: &str, error: &str, id: &str) -> String {
    format!("SELECT assignment_reminders.record_delivery_event('{message}', '{status}', nullif('{error}', ''), '{id}')")
}

fn token(client: &mut Client, user: Uuid) -> String {
    row(client, &format!("SELECT token FROM unsubscribe_tokens WHERE user_id = '{user}'"))
}

fn assert_forgotten(database: &Database, case: &str) {
    let dumped = program("pg_dump").args(["--data-only", "--dbname", &database.name]).output().expect("pg_dump runs");
    assert!(dumped.status.success(), "{}", String::from_utf8_lossy(&dumped.stderr));
    let dump = String::from_utf8(dumped.stdout).expect("text").to_lowercase();
    let found: Vec<&str> = dump.lines().filter(|line| line.contains(SAM)).collect();
    assert_eq!(found, [""; 0], "{case}");
}

/// Says it in a session of its own, which waits until somebody lets it go on.
fn blocked(observer: &mut Client, mut session: Client, sql: String) -> JoinHandle<(Client, Result<String, String>)> {
    let waiting = pid(&mut session);
    let said = thread::spawn(move || {
        let told = match session.query(&sql, &[]) {
            Ok(_) => Ok("done".to_string()),
            Err(error) => Err(error.code().map_or_else(|| error.to_string(), |code| code.code().to_string())),
        };
        (session, told)
    });
    wait_until_blocked(observer, waiting);
    said
}

#[test]
fn what_a_forgotten_student_was_written_is_nothing_of_the_next_ones() {
    for answer in [
        "SELECT mark_reminder_sent(reminder_id, claim_id, '<m>') FROM public.claimed;
         SELECT record_delivery_event('<m>', 'bounced', '550 5.1.1 User unknown')",
        "SELECT record_delivery_failure(reminder_id, claim_id, 'recipient', '550 5.1.1 <sam.student@example.org> User unknown') FROM public.claimed",
        "SELECT mark_reminder_failed(reminder_id, claim_id, '451 <sam.student@example.org> is full') FROM public.claimed",
        "SELECT record_digest_failure(ARRAY[reminder_id], claim_id, 'recipient', '550 5.1.1 User unknown') FROM public.claimed",
    ] {
        let Programmes { database, mut client, sam, .. } = programmes();
        run(&mut client, "DELETE FROM public.claimed WHERE kind <> 'sam-1'");
        run(
            &mut client,
            "WITH next AS (INSERT INTO users (email, name) VALUES ('next@example.org', 'next') RETURNING id)
             UPDATE assignments a SET student_id = next.id FROM next WHERE a.organization_id <> '00000000-0000-0000-0000-00000000000b'",
        );
        forget(&mut client, sam);
        run(&mut client, answer);
        let logged =
            "SELECT DISTINCT to_email FROM send_logs WHERE reminder_id = (SELECT reminder_id FROM public.claimed)";
        assert_eq!(rows(&mut client, logged), ["-"], "{answer}");
        let next = "SELECT contact_opt_out, soft_bounces FROM users WHERE name = 'next'";
        assert_eq!(row(&mut client, next), "f|0", "{answer}");
        assert_forgotten(&database, answer);
    }
}

#[test]
fn whoever_was_deleted_is_forgotten_where_their_address_stands_still() {
    let Programmes { database, mut client, sam, .. } = programmes();
    run(
        &mut client,
        &format!(
            "UPDATE reminders SET last_error = '550 <{SAM}>' WHERE reminder_type = 'olga-1';
             DELETE FROM assignments WHERE student_id = '{sam}'; DELETE FROM users WHERE id = '{sam}'"
        ),
    );
    assert_ne!(row(&mut client, &format!("SELECT count(*) FROM send_logs WHERE to_email = '{SAM}'")), "0");
    let counted = "SELECT users, send_logs > 0, reminders, row_history > 0 FROM forget_person";
    assert_eq!(row(&mut client, &counted.replace("forget_person", &format!("forget_person('{sam}')"))), "0|t|1|t");
    assert_forgotten(&database, "deleted");
    assert_eq!(row(&mut client, &format!("SELECT send_logs, row_history FROM forget_person('{sam}')")), "0|0");
}

#[test]
fn answers_for_others_reminders_go_on_while_their_coordinator_or_mentor_is_forgotten() {
    for person in [
        "coordinator_id FROM assignments a",
        "m.user_id FROM assignments a JOIN peer_mentors m ON m.id = a.peer_mentor_id",
    ] {
        let Programmes { database, mut client, mut worker, .. } = programmes();
        let person = row(&mut client, &format!("SELECT {person} WHERE a.organization_id <> '{OTHER}'"));
        let mut holder = database.connect();
        run(&mut holder, &format!("BEGIN; SELECT * FROM forget_person('{person}')"));
        run(&mut worker, "SET statement_timeout = '5s'");
        assert_eq!(rows(&mut worker, &answer("mark_reminder_sent(one)", "sam-1")), ["1"]);
        assert_eq!(rows(&mut worker, &answer("return_reminders(many)", "sam-2")), ["0"]);
        run(&mut holder, "ROLLBACK");
    }
}

#[test]
fn nothing_of_another_organization_waits_while_somebody_is_forgotten() {
    let Programmes { database, mut client, sam, olga, mut worker, mut webhook, mut link } = programmes();
    let token = token(&mut client, olga);
    for session in [&mut worker, &mut webhook, &mut link] {
        run(session, "SET lock_timeout = '300ms'");
    }
    run(&mut client, "BEGIN");
    forget(&mut client, sam);
    assert_eq!(row(&mut link, &format!("SELECT assignment_reminders.unsubscribe('{token}', 'due')")), "t");
    for (number, (status, error)) in [
        ("bounced", "452 4.2.2 <olga.home@example.net> is full"),
        ("bounced", "452 4.2.2 is full"),
        ("rejected", "550 5.7.1 spam from office@example.org"),
        ("delivered", ""),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(
            row(&mut webhook, &event("olga-message", status, error, &format!("event-{number}"))),
            "t",
            "{error}"
        );
    }
    for (kind, call) in [
        ("olga-deleted-1", "mark_reminder_sent(one, 'late')"),
        ("olga-deleted-2", "record_delivery_failure(one, 'recipient', '452 4.2.2 <olga.student@example.org> is full')"),
        ("olga-deleted-3", "record_delivery_failure(one, 'recipient', '452 4.2.2 is full')"),
        ("olga-1", "record_delivery_failure(one, 'recipient', '452 4.2.2 <olga.student@example.org> is full', true)"),
        ("olga-2", "record_digest_failure(many, 'recipient', '452 4.2.2 is full', true)"),
        ("olga-3", "mark_reminder_failed(one, '451 <olga.student@example.org>')"),
        ("olga-4", "mark_reminder_sent(one, 'other')"),
        ("olga-5", "extend_reminder_lease(one, as_of => '2026-02-01')"),
        ("olga-5", "return_reminders(many)"),
        ("olga-6", "record_delivery_failures(many, ARRAY['transport'], ARRAY['421 4.4.2 from [192.0.2.1]'])"),
    ] {
        let expected = if call.contains("many") { "0" } else { "1" };
        assert_eq!(row(&mut worker, &answer(call, kind)), expected, "{kind}: {call}");
    }
    assert_eq!(row(&mut link, &format!("SELECT assignment_reminders.unsubscribe('{token}')")), "t");
    run(&mut client, "COMMIT");
    // What quotes an address is kept by its codes alone: it might be of whoever was being forgotten. What it says counts all the same.
    let logged = format!(
        "SELECT status, verdict, error FROM send_logs WHERE organization_id = '{OTHER}' AND error IS NOT NULL ORDER BY number"
    );
    let logged = logged.replace("ORDER BY number", "ORDER BY status, error");
    assert_eq!(
        rows(&mut client, &logged),
        [
            "bounced|soft|452 4.2.2 (text removed)",
            "bounced|soft|452 4.2.2 is full",
            "failed|-|421 4.4.2 from [192.0.2.1]",
            "failed|-|451 (text removed)",
            "failed|soft|452 4.2.2 (text removed)",
            "failed|soft|452 4.2.2 (text removed)",
            "failed|soft|452 4.2.2 is full",
            "failed|soft|452 4.2.2 is full",
            "rejected|sender|550 5.7.1 (text removed)",
        ]
    );
    assert_forgotten(&database, "");
    // And whole from now on.
    let later = "452 4.2.2 <olga.home@example.net> is full";
    assert_eq!(row(&mut webhook, &event("olga-message", "bounced", later, "later")), "t");
    assert_eq!(row(&mut client, "SELECT error FROM send_logs WHERE event_id = 'later'"), later);
}

/// What is said of others' messages, and quotes Sam.
const QUOTES: [(&str, &str); 10] = [
    ("", "event bounced"),
    ("", "event complained"),
    ("olga-1", "mark_reminder_failed(one, '451 <Sam.Student@example.org>')"),
    ("olga-1", "mark_reminders_failed(many, ARRAY['451 <Sam.Student@example.org>'])"),
    ("olga-1", "record_delivery_failure(one, NULL, '451 <Sam.Student@example.org>')"),
    ("olga-1", "record_delivery_failure(one, 'transport', '451 <Sam.Student@example.org>')"),
    ("olga-1", "record_delivery_failure(one, 'sender', '535 <Sam.Student@example.org>')"),
    ("olga-1", "record_delivery_failure(one, 'recipient', '550 5.1.1 <Sam.Student@example.org> unknown')"),
    ("olga-1", "record_digest_failure(many, 'recipient', '550 5.1.1 <Sam.Student@example.org> unknown')"),
    ("olga-deleted-1", "record_delivery_failure(one, 'recipient', '550 5.1.1 <Sam.Student@example.org> unknown')"),
];

fn quote(kind: &str, call: &str) -> String {
    match call.strip_prefix("event ") {
        Some(status) => event("olga-message", status, "550 5.1.1 <Sam.Student@example.org> unknown", "quoting"),
        None => answer(call, kind),
    }
}

#[test]
fn a_text_about_others_that_quotes_whoever_is_being_forgotten_brings_nothing_back_and_is_judged_all_the_same() {
    for (kind, call) in QUOTES {
        for end in ["COMMIT", "ROLLBACK"] {
            let Programmes { database, mut client, sam, olga, mut worker, mut webhook, .. } = programmes();
            let session = if kind.is_empty() { &mut webhook } else { &mut worker };
            run(session, "SET lock_timeout = '300ms'");
            run(&mut client, "BEGIN");
            forget(&mut client, sam);
            run(session, &quote(kind, call));
            run(&mut client, end);
            if end == "COMMIT" {
                assert_forgotten(&database, call);
            }
            let errors = "SELECT string_agg(DISTINCT error, '; ') FROM (SELECT error FROM send_logs UNION ALL SELECT last_error FROM reminders) AS e";
            assert!(row(&mut client, errors).ends_with("(text removed)"), "{call}");
            let opted_out = format!("SELECT contact_opt_out, contact_opt_out_reason FROM users WHERE id = '{olga}'");
            let expected = match call {
                "event complained" => "t|complained: 550 5.1.1 (text removed)",
                _ if call.contains("bounced") || call.contains("'recipient'") => {
                    "t|hard bounce: 550 5.1.1 (text removed)"
                }
                _ => "f|-",
            };
            assert_eq!(row(&mut client, &opted_out), expected, "{call}");
        }
    }
}

#[test]
fn a_text_that_quotes_somebody_and_is_on_its_way_is_waited_for_and_found() {
    for (kind, call) in QUOTES {
        for end in ["COMMIT", "ROLLBACK"] {
            let Programmes { database, mut client, sam, mut worker, mut webhook, .. } = programmes();
            let session = if kind.is_empty() { &mut webhook } else { &mut worker };
            run(session, "BEGIN");
            run(session, &quote(kind, call));
            let forgetting = blocked(&mut client, database.connect(), format!("SELECT * FROM forget_person('{sam}')"));
            run(session, end);
            assert_eq!(forgetting.join().expect("the other session").1, Ok("done".to_string()));
            assert_forgotten(&database, call);
        }
    }
}

/// What is said of Sam's own, as whom.
const OWN: [(&str, &str, &str); 5] = [
    ("webhook", "", "event bounced"),
    ("webhook", "", "event delivered"),
    ("worker", "sam-deleted-1", "mark_reminder_sent(one, 'late')"),
    (
        "worker",
        "sam-deleted-1",
        "record_delivery_failure(one, 'recipient', '550 5.1.1 <Sam.Student@example.org> unknown')",
    ),
    ("worker", "sam-1", "record_delivery_failure(one, 'recipient', '550 5.1.1 <Sam.Student@example.org> unknown')"),
];

fn own(kind: &str, call: &str) -> String {
    match call.strip_prefix("event ") {
        Some("delivered") => event("sam-message", "delivered", "", "own"),
        Some(status) => event("sam-message", status, "550 5.1.1 <Sam.Student@example.org> unknown", "own"),
        None => answer(call, kind),
    }
}

#[test]
fn what_is_said_of_their_own_messages_waits_for_it_and_is_logged_without_an_address_or_as_it_was() {
    for (who, kind, call) in OWN {
        for end in ["COMMIT", "ROLLBACK"] {
            let Programmes { database, mut client, sam, worker, webhook, .. } = programmes();
            let session = if who == "webhook" { webhook } else { worker };
            run(&mut client, "BEGIN");
            forget(&mut client, sam);
            let said = blocked(&mut database.connect(), session, own(kind, call));
            run(&mut client, end);
            assert_eq!(said.join().expect("the other session").1, Ok("done".to_string()), "{call}");
            let last = "SELECT status, to_email, error FROM send_logs WHERE status <> 'claimed' ORDER BY created_at DESC, id DESC LIMIT 1";
            let last = row(&mut client, last);
            if end == "COMMIT" {
                assert_forgotten(&database, call);
                assert!(last.contains("|-|"), "{call}: {last}");
                assert!(!last.contains("unknown"), "{call}: {last}");
            } else {
                assert!(last.contains(&format!("|{SAM}|")), "{call}: {last}");
                // Postgres lets go of a transaction's locks one by one: whoever waited for a row may still find the other one held.
                let has_text = call.contains("unknown") || call.contains("bounced");
                let is_kept =
                    last.contains("<Sam.Student@example.org> unknown") || last.contains("5.1.1 (text removed)");
                assert_eq!(is_kept, has_text, "{call}: {last}");
            }
        }
    }
}

/// Of what was deleted, nothing is kept when it is given back, or asked about.
#[test]
fn what_is_logged_of_nothing_waits_for_nobody() {
    let Programmes { database: _database, mut client, sam, mut worker, .. } = programmes();
    run(&mut worker, "SET lock_timeout = '300ms'");
    run(&mut client, "BEGIN");
    forget(&mut client, sam);
    for (call, told) in [
        ("extend_reminder_lease(one)", "false"),
        ("extend_reminder_leases(many)", "reminder_id::text"),
        ("return_reminders(many)", "reminder_id::text"),
    ] {
        let told = format!("SELECT answer::text = {told}::text");
        let call = answer(call, "sam-deleted-1").replace("SELECT count(*)", &told);
        assert_eq!(row(&mut worker, &call), "t", "{call}");
    }
}

/// Their reminder is deleted while a worker has it.
#[test]
fn a_claim_that_is_kept_meanwhile_keeps_no_address() {
    for end in ["COMMIT", "ROLLBACK"] {
        let Programmes { database, mut client, sam, .. } = programmes();
        run(&mut client, "BEGIN");
        forget(&mut client, sam);
        let delete = "DELETE FROM reminders WHERE reminder_type = 'sam-3'".to_string();
        let deleting = blocked(&mut database.connect(), database.connect(), delete);
        run(&mut client, end);
        assert_eq!(deleting.join().expect("the other session").1, Ok("done".to_string()));
        let kept = "SELECT status, to_email FROM send_logs WHERE reminder_type = 'sam-3'";
        assert_eq!(
            row(&mut client, kept),
            if end == "COMMIT" { "claimed|-".to_string() } else { format!("claimed|{SAM}") }
        );
        if end == "ROLLBACK" {
            forget(&mut client, sam);
        }
        assert_forgotten(&database, end);
    }
}

#[test]
fn what_is_said_of_their_own_messages_first_is_waited_for_and_found() {
    for (who, kind, call) in OWN {
        for end in ["COMMIT", "ROLLBACK"] {
            let Programmes { database, mut client, sam, mut worker, mut webhook, .. } = programmes();
            let session = if who == "webhook" { &mut webhook } else { &mut worker };
            run(session, "BEGIN");
            run(session, &own(kind, call));
            let forgetting = blocked(&mut client, database.connect(), format!("SELECT * FROM forget_person('{sam}')"));
            run(session, end);
            assert_eq!(forgetting.join().expect("the other session").1, Ok("done".to_string()));
            assert_forgotten(&database, call);
        }
    }
}

#[test]
fn an_event_of_theirs_waits_a_second_and_is_to_be_reported_again() {
    let Programmes { database: _database, mut client, sam, mut webhook, .. } = programmes();
    run(&mut webhook, "SET statement_timeout = '20s'");
    run(&mut client, "BEGIN");
    forget(&mut client, sam);
    let refusal = refused(&mut webhook, &event("sam-message", "delivered", "", "own"));
    assert_eq!(refusal.sqlstate, "55P03", "{refusal:?}");
    assert!(refusal.hint.contains("Report it again"), "{refusal:?}");
    run(&mut client, "COMMIT");
    assert_eq!(row(&mut webhook, &event("sam-message", "delivered", "", "own")), "t");
}

/// Of a snapshot from before, nothing is copied: a stricter transaction is refused.
#[test]
fn a_stricter_transaction_that_began_before_brings_nothing_back() {
    for (who, kind, call) in OWN {
        let Programmes { database, mut client, sam, mut worker, mut webhook, .. } = programmes();
        let session = if who == "webhook" { &mut webhook } else { &mut worker };
        run(session, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM assignment_reminders.send_logs");
        forget(&mut client, sam);
        let refusal = refused(session, &own(kind, call));
        assert_eq!(refusal.sqlstate, "40001", "{call}: {refusal:?}");
        run(session, "ROLLBACK");
        assert_forgotten(&database, call);
    }
}

#[test]
fn whoever_unsubscribes_meanwhile_is_heard_where_nobody_is_forgotten() {
    for reminder_type in ["NULL", "'due'"] {
        for end in ["COMMIT", "ROLLBACK"] {
            // Begun first.
            let Programmes { database, mut client, sam, mut link, .. } = programmes();
            let sql =
                format!("SELECT assignment_reminders.unsubscribe('{}', {reminder_type})", token(&mut client, sam));
            run(&mut link, "BEGIN");
            assert_eq!(row(&mut link, &sql), "t");
            let forgetting = blocked(&mut client, database.connect(), format!("SELECT * FROM forget_person('{sam}')"));
            run(&mut link, end);
            assert_eq!(forgetting.join().expect("the other session").1, Ok("done".to_string()));
            assert_eq!(row(&mut client, "SELECT count(*) FROM user_preferences"), "0");
            assert_eq!(
                row(&mut client, &format!("SELECT contact_opt_out_reason FROM users WHERE id = '{sam}'")),
                "forgotten"
            );

            // While somebody is forgotten.
            let Programmes { database, mut client, sam, link, .. } = programmes();
            let sql =
                format!("SELECT assignment_reminders.unsubscribe('{}', {reminder_type})", token(&mut client, sam));
            run(&mut client, "BEGIN");
            forget(&mut client, sam);
            let said = blocked(&mut database.connect(), link, sql.clone());
            run(&mut client, end);
            let (mut link, told) = said.join().expect("the other session");
            let heard = end == "ROLLBACK";
            assert_eq!(told, if heard { Ok("done".to_string()) } else { Err("02000".to_string()) }, "{sql}");
            let reason = if !heard {
                "forgotten"
            } else if reminder_type == "NULL" {
                "unsubscribed"
            } else {
                "-"
            };
            assert_eq!(
                row(&mut client, &format!("SELECT contact_opt_out_reason FROM users WHERE id = '{sam}'")),
                reason
            );
            let preferences = i32::from(heard && reminder_type != "NULL");
            assert_eq!(row(&mut client, "SELECT count(*) FROM user_preferences"), preferences.to_string());
            if !heard {
                assert_eq!(refused(&mut link, &sql).sqlstate, "02000");
            }
        }
    }
    // A snapshot from before does not help either.
    let Programmes { database: _database, mut client, sam, mut link, .. } = programmes();
    let sql = format!("SELECT assignment_reminders.unsubscribe('{}', 'due')", token(&mut client, sam));
    run(&mut link, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
    forget(&mut client, sam);
    assert_eq!(refused(&mut link, &sql).sqlstate, "40001");
    run(&mut link, "ROLLBACK");
    assert_eq!(row(&mut client, "SELECT count(*) FROM user_preferences"), "0");
}

/// A token that its owner replaces is worth nothing from then on, also to whoever waits with it.
#[test]
fn a_token_that_is_replaced_meanwhile_is_unknown() {
    let Programmes { database, mut client, sam, link, .. } = programmes();
    let sql = format!("SELECT assignment_reminders.unsubscribe('{}')", token(&mut client, sam));
    run(
        &mut client,
        &format!(
            "BEGIN; SELECT FROM users WHERE id = '{sam}' FOR UPDATE; UPDATE unsubscribe_tokens SET token = DEFAULT WHERE user_id = '{sam}'"
        ),
    );
    let said = blocked(&mut database.connect(), link, sql);
    run(&mut client, "COMMIT");
    assert_eq!(said.join().expect("the other session").1, Err("02000".to_string()));
    assert_eq!(row(&mut client, &format!("SELECT contact_opt_out FROM users WHERE id = '{sam}'")), "f");
}

/// Whoever replaces it goes on with the person: each would wait for the other, if forgetting held what it has.
#[test]
fn a_token_that_is_being_replaced_is_waited_for_before_anything_is_held() {
    let Programmes { database, mut client, sam, .. } = programmes();
    run(&mut client, &format!("BEGIN; UPDATE unsubscribe_tokens SET token = DEFAULT WHERE user_id = '{sam}'"));
    let forget = format!("SELECT * FROM forget_person('{sam}')");
    let (officer, _) = database.connect_as_new_role(crate::privacy::RIGHTS);
    let forgetting =
        blocked(&mut database.connect(), officer, forget.replace("forget_", "assignment_reminders.forget_"));
    run(&mut client, "SET lock_timeout = '10s'");
    run(&mut client, &format!("UPDATE users SET timezone = 'UTC' WHERE id = '{sam}'; COMMIT"));
    assert_eq!(forgetting.join().expect("the other session").1, Ok("done".to_string()));
    assert_eq!(row(&mut client, &format!("SELECT count(*) FROM unsubscribe_tokens WHERE user_id = '{sam}'")), "0");
}

/// All else that organizations do.
#[test]
fn runs_claims_and_upkeep_wait_for_nobody_who_is_forgotten() {
    let Programmes { mut client, sam, olga, mut worker, database, .. } = programmes();
    let mut owner = database.connect();
    run(&mut owner, "SET lock_timeout = '300ms'");
    run(&mut worker, "SET lock_timeout = '300ms'; SET search_path = assignment_reminders");
    run(&mut client, "BEGIN");
    forget(&mut client, sam);
    for sql in [
        "SELECT count(*) FROM run_daily_evaluation('2026-02-20 12:00+00')".to_string(),
        format!("SELECT count(*) FROM enqueue_due_reminders('{NOW}')"),
        format!("SELECT count(*) FROM enqueue_daily_summaries('{NOW}')"),
        "SELECT count(*) FROM evaluation_health()".to_string(),
        format!("SELECT restore_contact('{olga}')"),
        "SELECT record_provider_message('olga-message', 'provider-1')".to_string(),
        format!("SELECT count(*) FROM retry_failed_reminders('-infinity', as_of => '{NOW}')"),
        "SELECT * FROM repair_assignment_counts()".to_string(),
        format!("UPDATE users SET email = 'olga.new@example.org' WHERE id = '{olga}'"),
        format!(
            "INSERT INTO activities (organization_id, assignment_id, recorded_by) SELECT organization_id, id, student_id FROM assignments WHERE organization_id = '{OTHER}'"
        ),
        format!("DELETE FROM assignments WHERE organization_id = '{OTHER}'"),
        "SELECT * FROM prune('0', as_of => '2027-01-01')".to_string(),
        "SELECT * FROM prune_history(now())".to_string(),
    ] {
        run(&mut owner, &sql);
    }
    for sql in [
        format!("SELECT count(*) FROM claim_reminders(as_of => '{NOW}')"),
        format!("SELECT count(*) FROM claim_digests(as_of => '{NOW}')"),
    ] {
        run(&mut worker, &sql);
    }
}

/// A run whose failure quotes an address.
#[test]
fn the_error_of_a_run_that_quotes_whoever_is_being_forgotten_goes() {
    let Programmes { mut client, sam, database, .. } = programmes();
    run(
        &mut client,
        "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '%', 'no row for sam.student' || '@example.org'; END $$;
         CREATE TRIGGER refuse BEFORE INSERT ON reminders FOR EACH ROW EXECUTE FUNCTION public.refuse()",
    );
    let mut runner = database.connect();
    run(&mut runner, "SET lock_timeout = '300ms'");
    run(&mut client, "BEGIN");
    forget(&mut client, sam);
    run(&mut runner, "SELECT count(*) FROM run_daily_evaluation('2026-02-20 12:00+00')");
    run(&mut client, "COMMIT");
    assert_eq!(row(&mut client, "SELECT status, error, sqlstate FROM evaluation_runs"), "failed|(text removed)|P0001");
    run(&mut client, "DROP TRIGGER refuse ON reminders; DROP FUNCTION public.refuse()");
    assert_forgotten(&database, "a run");
}

/// An escalation whose coordinator cannot be told goes to the fallback, as the claim finds out; who may be forgotten before it has written that.
#[test]
fn a_claim_that_is_on_its_way_to_somebody_who_is_forgotten_meanwhile_does_not_hand_it_out() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    people.assignment(&mut client, "2026-01-01");
    let fallback = People::new(&mut client).student;
    run(
        &mut client,
        &format!(
            "UPDATE users SET email = '{SAM}' WHERE id = '{fallback}';
             UPDATE reminder_settings SET fallback_coordinator_id = '{fallback}', escalation_grace_days = 0;
             UPDATE reminder_settings SET thresholds_changed_at = NULL;
             INSERT INTO reminders (assignment_id, reminder_type, scheduled_for) SELECT id, 'first', '2026-01-31' FROM assignments;
             INSERT INTO reminders (assignment_id, recipient_id, reminder_type, anchor, scheduled_for)
             SELECT id, coordinator_id, 'contact-escalation', '2026-01-01 00:00+00', '2026-02-01' FROM assignments;
             UPDATE users SET contact_opt_out = true WHERE id = '{}';
             CREATE FUNCTION public.halt() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock(5); RETURN NEW; END $$;
             CREATE TRIGGER halt BEFORE UPDATE ON reminders FOR EACH ROW EXECUTE FUNCTION public.halt();
             SELECT pg_advisory_lock(5)",
            people.coordinator
        ),
    );
    let claiming = blocked(
        &mut database.connect(),
        database.connect(),
        format!("SELECT * FROM claim_reminders(as_of => '{NOW}')"),
    );
    let mut officer = database.connect();
    run(&mut officer, "SET lock_timeout = '300ms'");
    forget(&mut officer, fallback);
    run(&mut client, "SELECT pg_advisory_unlock(5)");
    assert_eq!(claiming.join().expect("the claim").1, Ok("done".to_string()));
    run(&mut client, "DROP TRIGGER halt ON reminders");
    assert_eq!(row(&mut client, "SELECT count(*) FROM reminders WHERE claim_id IS NOT NULL"), "1", "the first");
    assert_forgotten(&database, "a claim");
}
