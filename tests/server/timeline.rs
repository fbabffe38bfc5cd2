//! What happened to an assignment, as its timeline tells it: everything, once, in order.

use postgres::Client;
use uuid::Uuid;

use crate::support::{Database, People, assert_refused, row, rows, run};

fn told(client: &mut Client, assignment: Uuid, columns: &str) -> Vec<String> {
    rows(client, &format!("SELECT {columns} FROM assignment_timeline('{assignment}')"))
}

fn one() -> (Database, Client, People, Uuid) {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    run(
        &mut client,
        "UPDATE reminder_settings SET evaluation_hour = NULL, escalation_grace_days = 0, follow_up_limit = NULL",
    );
    let assignment = people.assignment(&mut client, "2026-01-01");
    (database, client, people, assignment)
}

#[test]
fn everything_that_happened_is_told_once_and_in_order() {
    let (_database, mut client, people, id) = one();
    let others = People::new(&mut client);
    run(&mut client, &format!("UPDATE users SET name = 'Per' WHERE id = '{}'", others.mentor_user));
    let mut act = |sql: String| run(&mut client, &sql);
    act(format!("INSERT INTO activities (assignment_id, occurred_at, is_contact) VALUES ('{id}', now(), false)"));
    act("SELECT run_daily_evaluation(now())".to_string());
    act("SELECT mark_reminder_sent(reminder_id, claim_id, message_id => 'm1') FROM claim_reminders()".to_string());
    act(format!("SELECT pause_assignment('{id}', NULL, 'ill')"));
    act(format!("SELECT resume_assignment('{id}')"));
    act(format!("SELECT pause_mentor('{}', NULL, 'exams')", people.mentor));
    // Not theirs: told from when it becomes so.
    act(format!("SELECT pause_mentor('{}', NULL, 'abroad')", others.mentor));
    act(format!("UPDATE assignments SET peer_mentor_id = '{}' WHERE id = '{id}'", others.mentor));
    // Not theirs any more.
    act(format!("DELETE FROM mentor_pauses WHERE peer_mentor_id = '{}'", people.mentor));
    act(format!("UPDATE assignments SET coordinator_id = NULL, title = 'Thesis' WHERE id = '{id}'"));
    act(format!("UPDATE assignments SET due_at = '2026-12-24 12:00+01', follow_up = false WHERE id = '{id}'"));
    act(format!("SELECT correct_last_contact_date('{id}', '2026-01-02', 'entered for another')"));
    act(format!("UPDATE assignments SET status = 'completed' WHERE id = '{id}'"));
    // Of notes and what follows from other rows, nothing is told.
    act(format!(
        "UPDATE assignments SET description = 'x', metadata = '{{}}' WHERE id = '{id}'; UPDATE activities SET notes = 'x'"
    ));
    assert_eq!(
        told(&mut client, id, "event, old_value, new_value, reason, reminder_type"),
        [
            "created|-|open|-|-".to_string(),
            "attempt|-|direct|-|-".to_string(),
            "reminder_enqueued|-|-|-|contact-reminder".to_string(),
            "message_sent|-|-|-|contact-reminder".to_string(),
            format!("paused|-|{}/|ill|-", row(&mut client, "SELECT current_date")),
            format!("pause_deleted|{}/|-|-|-", row(&mut client, "SELECT current_date")),
            format!("mentor_paused|-|{}/|exams|-", row(&mut client, "SELECT current_date")),
            format!("mentor_changed|{}|{}|-|-", people.mentor, others.mentor),
            format!("mentor_paused|-|{}/|abroad|-", row(&mut client, "SELECT current_date")),
            format!("coordinator_changed|{}|-|-|-", people.coordinator),
            "title_changed|Essay|Thesis|-|-".to_string(),
            "due_date_changed|-|2026-12-24T11:00:00+00:00|-|-".to_string(),
            "follow_up_changed|true|false|-|-".to_string(),
            "contact_corrected|-|2026-01-02|entered for another|-".to_string(),
            "status_changed|open|completed|-|-".to_string(),
        ]
    );
    let texts = told(&mut client, id, "text");
    for text in [
        "It was created, with mentor mentor and coordinator coordinator.",
        "There was an attempt at contact, which nobody answered.",
        "The message contact-reminder to mentor was sent.",
        "Its mentor changed from mentor to Per.",
        "It lost its coordinator coordinator.",
        "Its due date is 24 December 2026 11:00 from now on.",
        "The date of the last contact was corrected from never to 2026-01-02.",
        "Its status changed from open to completed.",
    ] {
        assert!(texts.iter().any(|told| told == text), "{text} {texts:?}");
    }
    assert_eq!(
        told(
            &mut client,
            id,
            "count(*) FILTER (WHERE happened_at > recorded_at), count(*) FILTER (WHERE changed_by IS NULL)"
        ),
        // Who made the assignment, recorded the attempt and the pauses, and reminders, is nobody's in this session.
        ["0|7"]
    );
}

#[test]
fn contacts_are_told_where_they_were_when_and_when_they_were_entered() {
    let (_database, mut client, people, id) = one();
    let other = people.assignment(&mut client, "2026-01-01");
    run(
        &mut client,
        &format!(
            "INSERT INTO activities (id, assignment_id, occurred_at, registration, recorded_by)
             VALUES ('70000000-0000-0000-0000-000000000001', '{id}', '2026-02-01 12:00+00', 'proxy', '{}')",
            people.mentor_user
        ),
    );
    run(&mut client, "UPDATE activities SET occurred_at = '2026-02-03 12:00+00'");
    run(&mut client, "UPDATE activities SET is_contact = false");
    run(&mut client, &format!("UPDATE activities SET assignment_id = '{other}'"));
    let moved = told(&mut client, other, "event, old_value, new_value");
    assert_eq!(moved, ["created|-|open".to_string(), format!("contact_moved|{id}|{other}")]);
    run(&mut client, &format!("UPDATE activities SET assignment_id = '{id}'"));
    run(&mut client, "DELETE FROM activities");
    let expected = [
        // It took place before the assignment was entered.
        format!("contact|-|proxy|{}|t", people.mentor_user),
        "created|-|open|-|t".to_string(),
        "contact_changed|2026-02-01T12:00:00+00:00|2026-02-03T12:00:00+00:00|-|t".to_string(),
        "contact_changed|contact|attempt|-|t".to_string(),
        format!("contact_moved|{id}|{other}|-|t"),
        format!("contact_moved|{other}|{id}|-|t"),
        "contact_deleted|2026-02-03T12:00:00+00:00|-|-|t".to_string(),
    ];
    let columns = "event, old_value, new_value, changed_by_user, recorded_at > now() - interval '1 hour'";
    assert_eq!(told(&mut client, id, columns), expected);
    assert_eq!(told(&mut client, id, "happened_at")[0], "2026-02-01 12:00:00+00");
}

#[test]
fn what_became_of_each_message_is_told_and_whom_it_went_to() {
    let (_database, mut client, people, id) = one();
    run(&mut client, "SELECT run_daily_evaluation(now()); UPDATE reminder_settings SET max_attempts = 1");
    run(
        &mut client,
        "SELECT mark_reminder_failed(reminder_id, claim_id, '550 5.1.1 no such user') FROM claim_reminders()",
    );
    run(&mut client, "SELECT run_daily_evaluation(now())");
    run(&mut client, "SELECT mark_reminder_sent(reminder_id, claim_id, message_id => 'm2') FROM claim_reminders()");
    run(&mut client, "SELECT record_delivery_event('m2', 'delivered')");
    let expected = [
        "created|-|-".to_string(),
        format!("reminder_enqueued|contact-reminder|{}", people.mentor_user),
        format!("message_given_up|contact-reminder|{}", people.mentor_user),
        format!("reminder_enqueued|contact-escalation|{}", people.coordinator),
        format!("message_sent|contact-escalation|{}", people.coordinator),
        format!("message_delivered|contact-escalation|{}", people.coordinator),
    ];
    assert_eq!(told(&mut client, id, "event, reminder_type, recipient_id"), expected);
    // Also when the assignment is gone, and its reminders with it.
    run(&mut client, &format!("DELETE FROM assignments WHERE id = '{id}'"));
    let gone = told(&mut client, id, "event, reminder_type, recipient_id");
    assert_eq!(gone[..6], expected);
    assert_eq!(gone[6..], ["deleted|-|-"]);
    assert_refused(&mut client, &format!("SELECT * FROM explain_assignment('{id}')"), "02000", &id.to_string());
}

#[test]
fn what_is_sent_comes_after_its_reminder_and_went_to_whom_it_was_sent_also_within_one_transaction() {
    let (_database, mut client, people, id) = one();
    let other = People::new(&mut client);
    run(
        &mut client,
        &format!(
            "SELECT run_daily_evaluation();
             UPDATE assignments SET coordinator_id = '{}' WHERE id = '{id}';
             SELECT mark_reminder_sent(reminder_id, claim_id) FROM claim_reminders();
             SELECT run_daily_evaluation();
             SELECT mark_reminder_sent(reminder_id, claim_id) FROM claim_reminders();
             SELECT merge_peer_mentors('{}', '{}')",
            other.coordinator, people.mentor, other.mentor
        ),
    );
    assert_eq!(
        told(&mut client, id, "event, recipient_id")
            .into_iter()
            .filter(|line| line.contains("e_sent") || line.contains("reminder_"))
            .collect::<Vec<_>>(),
        [
            format!("reminder_enqueued|{}", people.mentor_user),
            format!("message_sent|{}", people.mentor_user),
            format!("reminder_enqueued|{}", other.coordinator),
            format!("message_sent|{}", other.coordinator),
            format!("reminder_readdressed|{}", other.mentor_user),
        ]
    );
}

#[test]
fn one_that_says_that_it_is_yet_to_be_created_was_created_when_it_was_inserted_and_once() {
    let (_database, mut client, people, _) = one();
    let id = Uuid::new_v4();
    run(
        &mut client,
        &format!(
            "INSERT INTO assignments (id, title, student_id, created_at) VALUES ('{id}', 'ahead', '{}', now() + interval '2 days')",
            people.student
        ),
    );
    run(&mut client, &format!("UPDATE assignments SET title = 'Essay' WHERE id = '{id}'"));
    assert_eq!(told(&mut client, id, "event, happened_at <= now()"), ["created|t", "title_changed|t"]);
}

#[test]
fn before_the_history_begins_nothing_is_made_up() {
    let (_database, mut client, people, id) = one();
    run(&mut client, "UPDATE history_horizon SET known_since = clock_timestamp()");
    run(&mut client, &format!("UPDATE assignments SET peer_mentor_id = NULL WHERE id = '{id}'"));
    let expected =
        ["created|-|-".to_string(), "history_begins|-|-".to_string(), format!("mentor_changed|{}|-", people.mentor)];
    assert_eq!(told(&mut client, id, "event, old_value, new_value"), expected);
    assert_eq!(told(&mut client, id, "text")[0], "It was created.");
    let begins = told(&mut client, id, "happened_at = history_known_since()");
    assert_eq!(begins, ["f", "t", "f"]);
}

#[test]
fn whoever_was_forgotten_has_no_name_in_a_timeline() {
    let (_database, mut client, people, id) = one();
    run(
        &mut client,
        &format!(
            "UPDATE users SET name = 'Mina Mentor', email = 'mina@example.org' WHERE id = '{user}';
             SELECT run_daily_evaluation(now());
             SELECT pause_mentor('{mentor}', NULL, 'Mina Mentor is ill');
             UPDATE assignments SET peer_mentor_id = NULL WHERE id = '{id}';
             SELECT correct_last_contact_date('{id}', '2026-01-02', 'said mina@example.org')",
            user = people.mentor_user,
            mentor = people.mentor
        ),
    );
    assert!(told(&mut client, id, "text").iter().any(|line| line.contains("Mina Mentor")));
    run(&mut client, &format!("SELECT forget_person('{}')", people.mentor_user));
    let lines = told(&mut client, id, "event, text, reason");
    assert!(lines.iter().any(|line| line.starts_with("mentor_changed|It lost its mentor.")), "{lines:?}");
    assert!(!lines.iter().any(|line| line.contains("Mina")), "{lines:?}");
}

#[test]
fn an_unknown_assignment_and_null_are_refused() {
    let (_database, mut client, _, id) = one();
    let nobody = "SELECT * FROM assignment_timeline('00000000-0000-0000-0000-00000000dead')";
    assert_refused(&mut client, nobody, "02000", "dead");
    assert_refused(&mut client, "SELECT * FROM assignment_timeline(NULL)", "22004", "assignment_id");
    run(&mut client, &format!("UPDATE assignments SET created_at = 'infinity' WHERE id = '{id}'"));
    assert_eq!(told(&mut client, id, "count(*)"), ["1"]);
}

/// Of everything else in the tables, nothing is read.
#[test]
fn a_timeline_reads_what_it_tells_of() {
    let (_database, mut client, people, id) = one();
    people.assignments(&mut client, "2026-01-01", 2000);
    run(
        &mut client,
        "INSERT INTO activities (assignment_id) SELECT id FROM assignments; UPDATE assignments SET due_at = '2026-12-24';
         INSERT INTO contact_corrections (assignment_id, new_date, reason) SELECT id, '2026-01-02', 'test' FROM assignments;
         SELECT pause_assignment(id) FROM assignments; ANALYZE",
    );
    for table in [
        "assignments",
        "activities",
        "contact_corrections",
        "assignment_pauses",
        "mentor_pauses",
        "row_history",
        "reminder_events",
        "reminders",
        "send_logs",
        "users",
    ] {
        run(&mut client, "BEGIN");
        let read = format!(
            "SELECT coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0) FROM pg_stat_xact_user_tables
              WHERE relid = 'assignment_reminders.{table}'::regclass"
        );
        let number = |client: &mut Client| row(client, &read).parse::<i64>().expect("a number");
        let before = number(&mut client);
        told(&mut client, id, "event");
        let after = number(&mut client);
        run(&mut client, "COMMIT");
        assert!(after - before < 20, "{table}: {} rows", after - before);
    }
}

/// Whatever a programme keeps beside an assignment: numbers that no double holds are numbers to Postgres.
#[test]
fn what_metadata_holds_is_in_nobodys_way() {
    let (_database, mut client, people, id) = one();
    let odd = r#"{"huge": 1e400, "deep": [[[{"a": null}]]], "long": 0.1234567890123456789012345678901234567890, "text": "\ud83d\ude00 \" \\"}"#;
    run(
        &mut client,
        &format!(
            "UPDATE assignments SET metadata = '{odd}' WHERE id = '{id}'; UPDATE assignments SET metadata = '{{}}', status = 'paused' WHERE id = '{id}';
             UPDATE assignments SET metadata = '{odd}', status = 'open' WHERE id = '{id}'"
        ),
    );
    let events = told(&mut client, id, "event");
    assert!(events.contains(&"status_changed".to_string()), "{events:?}");
    for ask in [
        format!("SELECT count(*) FROM explain_assignment('{id}')"),
        format!("SELECT count(*) FROM explain_assignment('{id}', now())"),
        "SELECT count(DISTINCT day) FROM organizations o, simulate_follow_ups(o.id, current_date, current_date)"
            .to_string(),
        format!("SELECT count(*) FROM export_person('{}') AS x WHERE x::text ~ '10{{255}}'", people.student),
        format!("SELECT count(*) FROM forget_person('{}')", people.student),
    ] {
        assert_eq!(row(&mut client, &ask), "1", "{ask}");
    }
}

#[test]
fn what_went_to_nobody_went_to_no_student_and_a_correction_was_made_by_whoever_signed_in() {
    let (_database, mut client, people, id) = one();
    run(
        &mut client,
        &format!(
            "UPDATE users SET auth_user_id = '30000000-0000-0000-0000-0000000000aa' WHERE id = '{}';
             UPDATE assignments SET peer_mentor_id = NULL, coordinator_id = NULL WHERE id = '{id}'; SELECT run_daily_evaluation(now());
             SELECT set_config('request.jwt.claims', '{{\"sub\": \"30000000-0000-0000-0000-0000000000aa\"}}', false);
             SELECT correct_last_contact_date('{id}', '2026-01-05', 'a mistake')",
            people.coordinator
        ),
    );
    let skipped = told(&mut client, id, "event, recipient_id, text");
    let skipped: Vec<&String> = skipped.iter().filter(|line| line.starts_with("reminder_skipped")).collect();
    assert!(
        !skipped.is_empty() && skipped.iter().all(|line| line.contains("|-|") && !line.contains("student")),
        "{skipped:?}"
    );
    let by = rows(
        &mut client,
        &format!("SELECT changed_by_user FROM assignment_timeline('{id}') WHERE event = 'contact_corrected'"),
    );
    assert_eq!(by, [people.coordinator.to_string()]);
}

#[test]
fn a_contact_that_was_moved_is_told_with_its_day() {
    let (_database, mut client, people, id) = one();
    let other = people.assignment(&mut client, "2026-01-01");
    run(
        &mut client,
        &format!(
            "INSERT INTO activities (assignment_id, occurred_at) VALUES ('{other}', '2026-02-03 12:00+00'); UPDATE activities SET assignment_id = '{id}'"
        ),
    );
    for (of, text) in [
        (id, "The record of a contact of 3 February 2026 was moved here from another assignment."),
        (other, "The record of a contact of 3 February 2026 was moved to another assignment."),
    ] {
        assert!(told(&mut client, of, "text").contains(&text.to_string()), "{text}");
    }
}
