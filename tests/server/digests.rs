//! Digests: one message for all that is due to a person, by one worker, answered as one; and what goes first where a rate limit binds.

use postgres::Client;

use crate::support::{self, Database, People, assert_refused, refused, row, rows, run};

const NOW: &str = "2026-11-22 12:00+00";
const OTHER: &str = "00000000-0000-0000-0000-000000000002";

/// A mentor with so many silent assignments, whose reminders wait.
fn waiting(number: i32) -> (Database, Client, People) {
    support::waiting(number, "2026-11-01", NOW)
}

/// What is claimed: the names of those whom it goes to, and of how many reminders their message is.
fn claim(client: &mut Client, number: i32, as_of: &str) -> Vec<String> {
    rows(
        client,
        &format!(
            "SELECT recipient_name, cardinality(reminder_ids) FROM assignment_reminders.claim_digests({number}, as_of => '{as_of}')"
        ),
    )
}

/// Claims into a table that is there for the session.
fn claim_into(client: &mut Client, table: &str, as_of: &str) {
    run(
        client,
        &format!(
            "CREATE TEMPORARY TABLE {table} AS SELECT * FROM assignment_reminders.claim_digests(as_of => '{as_of}')"
        ),
    );
}

/// Another mentor with so many silent assignments.
fn another_mentor(client: &mut Client, number: i32) -> People {
    let people = People::new(client);
    people.assignments(client, "2026-11-01", number);
    client.execute("UPDATE users SET name = 'another' WHERE id = $1", &[&people.mentor_user]).expect("another mentor");
    run(client, &format!("SELECT run_daily_evaluation('{NOW}')"));
    people
}

/// An assignment that is due in an hour and a half, of the student of these, and its reminders.
fn due_soon(client: &mut Client, people: &People) {
    client
        .execute(
            "INSERT INTO assignments (organization_id, title, student_id, due_at, created_at)
             SELECT organization_id, 'due', id, '2026-11-22 13:30+00', '2026-11-01' FROM users WHERE id = $1",
            &[&people.student],
        )
        .expect("an assignment");
    run(client, &format!("SELECT enqueue_due_reminders('{NOW}')"));
}

const ONE: &str = "00000000-0000-0000-0000-000000000001";

/// So many students of each of two organizations, each with a reminder that is due; those of the first are due earlier.
fn students(number: i32) -> (Database, Client) {
    let database = Database::installed();
    let mut client = database.connect();
    run(
        &mut client,
        &format!(
            "INSERT INTO organizations (id, name) VALUES ('00000000-0000-0000-0000-000000000002', 'two');
             UPDATE reminder_settings SET due_offsets = '{{2h}}';
             INSERT INTO users (organization_id, name, email)
             SELECT o.id, 'student' || n, 'student' || n || '@example.org' FROM organizations o, generate_series(1, {number}) AS n;
             INSERT INTO assignments (organization_id, title, student_id, due_at, created_at)
             SELECT u.organization_id, 'A', u.id,
                    timestamptz '{NOW}' + CASE WHEN u.organization_id = '{ONE}' THEN interval '30 minutes' ELSE interval '90 minutes' END, '2026-01-01'
               FROM users u;
             SELECT enqueue_due_reminders('{NOW}')"
        ),
    );
    (database, client)
}

#[test]
fn a_mentor_with_2000_due_assignments_gets_one_message_that_counts_as_one_and_is_answered_as_one() {
    let (database, mut client, _) = waiting(2000);
    another_mentor(&mut client, 3);
    run(&mut client, "UPDATE reminder_settings SET messages_per_minute = 2");
    let mut worker = database.connect_as_worker();
    claim_into(&mut worker, "c", NOW);
    assert_eq!(
        rows(&mut worker, "SELECT recipient_name, cardinality(reminder_ids), jsonb_array_length(items) FROM c"),
        ["mentor|2000|2000", "another|3|3"],
        "the one with the oldest first"
    );
    assert_eq!(row(&mut client, "SELECT messages FROM claim_rates"), "{2}");
    let answer = format!(
        "SELECT assignment_reminders.mark_digest_sent(reminder_ids, claim_id, '<' || recipient_name || '>', 'inbox@example.org', '{NOW}') FROM c"
    );
    assert_eq!(rows(&mut worker, &answer), [""; 0]);
    assert_eq!(
        rows(
            &mut client,
            "SELECT message_id, from_inbox, count(DISTINCT reminder_id) FROM send_logs GROUP BY 1, 2 ORDER BY 1"
        ),
        ["<another>|inbox@example.org|3", "<mentor>|inbox@example.org|2000"]
    );
    assert_eq!(rows(&mut client, "SELECT status, count(*) FROM reminders GROUP BY 1"), ["sent|2003"]);
    assert_eq!(rows(&mut worker, &answer).len(), 2003, "once");
    assert_refused(
        &mut worker,
        "SELECT assignment_reminders.mark_digest_sent(NULL, gen_random_uuid())",
        "22004",
        "ids",
    );
    assert_refused(&mut worker, "SELECT * FROM assignment_reminders.claim_digests(0)", "22023", "batch_size");
    run(&mut worker, "BEGIN ISOLATION LEVEL REPEATABLE READ");
    assert_eq!(refused(&mut worker, "SELECT * FROM assignment_reminders.claim_digests()").sqlstate, "25001");
}

#[test]
fn a_message_holds_all_that_is_due_to_its_person_and_says_what_a_text_needs() {
    let (database, mut client, people) = waiting(1);
    run(
        &mut client,
        "UPDATE assignments SET metadata = '{\"subject\": \"maths\", \"price\": 1.10}';
         UPDATE organizations SET locale = 'nb-NO', name = 'Programme'; UPDATE users SET locale = 'se' WHERE name = 'mentor';
         INSERT INTO user_preferences (user_id, daily_summary, summary_hour, created_at, updated_at)
         SELECT id, true, 7, '2026-11-01', '2026-11-01' FROM users WHERE name = 'student'",
    );
    due_soon(&mut client, &people);
    run(&mut client, &format!("SELECT enqueue_daily_summaries('{NOW}')"));
    let mut worker = database.connect_as_worker();
    claim_into(&mut worker, "c", NOW);
    assert_eq!(
        rows(
            &mut worker,
            "SELECT organization_name, recipient_name, recipient_email ~ ('^' || recipient_name), recipient_timezone, recipient_locale,
                    (SELECT string_agg(item ->> 'reminder_type', ' ' ORDER BY item ->> 'reminder_type') FROM jsonb_array_elements(items) AS item),
                    unsubscribe_token ~ '^[0-9a-f]{64}$', claimed_until - now() > interval '-1 year'
               FROM c ORDER BY 2"
        ),
        [
            "Programme|mentor|t|UTC|se|contact-reminder|t|t",
            "Programme|student|t|UTC|nb-NO|2h daily-summary|t|t"
        ]
    );
    assert_eq!(
        row(
            &mut worker,
            "SELECT i ->> 'assignment_title', i ->> 'metadata', i ->> 'coordinator_name', i ->> 'coordinator_email' ~ '^coordinator', i ->> 'days_since',
                    i ->> 'student_name', i ->> 'peer_mentor_name', i ->> 'attempts', (i ->> 'reminder_id')::uuid = ALL (reminder_ids),
                    i ->> 'idempotency_key' = idempotency_key, i ->> 'reminded_name'
               FROM c, jsonb_array_elements(items) AS i WHERE recipient_name = 'mentor'"
        ),
        "000001|{\"price\": 1.10, \"subject\": \"maths\"}|coordinator|t|21|student|mentor|0|t|t|-",
        "and a message of one item has its key"
    );
    assert_eq!(
        row(
            &mut client,
            "SELECT string_agg(t.token, ' ' ORDER BY u.name) FROM unsubscribe_tokens t JOIN users u ON u.id = t.user_id WHERE u.name <> 'coordinator'"
        ),
        row(&mut worker, "SELECT string_agg(unsubscribe_token, ' ' ORDER BY recipient_name) FROM c"),
        "to each their own"
    );
    // Every column of a claim is in an item.
    let columns = "SELECT proargnames[5:] FROM pg_proc WHERE oid = 'assignment_reminders.claim_reminders'::regproc";
    assert_eq!(
        row(
            &mut worker,
            &format!(
                "SELECT count(*) FROM c, jsonb_array_elements(items) AS i, unnest(({columns})) AS name WHERE NOT i ? name"
            )
        ),
        "0"
    );
    assert_eq!(
        rows(&mut client, "SELECT reminder_type, skip_reason FROM reminders WHERE status = 'skipped'"),
        ["24h|superseded"],
        "what is no longer to be sent is skipped, as ever"
    );
}

#[test]
fn an_escalation_says_who_was_reminded_and_when_or_why_nobody_could_be() {
    for (before, expected) in [
        (
            "SELECT mark_reminder_sent(reminder_id, claim_id, as_of => '2026-11-22 12:00+00') FROM claim_reminders(as_of => '2026-11-22 12:00+00')",
            "mentor|2026-11-22 12:00:00+00|-",
        ),
        (
            "UPDATE users SET contact_opt_out = true WHERE name = 'mentor'; SELECT claim_reminders(as_of => '2026-11-22 12:00+00')",
            "-|-|opted_out",
        ),
        (
            "SELECT mark_reminder_failed(reminder_id, claim_id, 'no', true, '2026-11-22 12:00+00') FROM claim_reminders(as_of => '2026-11-22 12:00+00')",
            "-|-|failed",
        ),
    ] {
        let (_database, mut client, _) = waiting(1);
        run(&mut client, "SET timezone = 'UTC'");
        run(&mut client, before);
        run(&mut client, "SELECT run_daily_evaluation('2026-12-10 12:00+00')");
        assert_eq!(
            rows(
                &mut client,
                "SELECT i ->> 'reminded_name', (i ->> 'reminded_at')::timestamptz, i ->> 'reminded_reason'
                   FROM claim_digests(as_of => '2026-12-10 12:00+00'), jsonb_array_elements(items) AS i"
            ),
            [expected],
            "{before}"
        );
    }
}

/// An import, or missed days: the first run finds it past both thresholds.
#[test]
fn an_escalation_says_why_nobody_could_be_reminded_where_none_was_to_be() {
    for (mentor, expected) in [
        ("UPDATE users SET contact_opt_out = true WHERE name = 'mentor'", "opted_out"),
        ("UPDATE users SET email = NULL WHERE name = 'mentor'", "no_address"),
        (
            "INSERT INTO user_preferences (user_id, muted_types) SELECT id, '{remind}' FROM users WHERE name = 'mentor'",
            "muted",
        ),
        ("UPDATE assignments SET peer_mentor_id = NULL", "no_mentor"),
    ] {
        let database = Database::installed();
        let mut client = database.connect();
        People::new(&mut client).assignments(&mut client, "2026-10-01", 1);
        run(&mut client, mentor);
        run(&mut client, "SELECT run_daily_evaluation('2026-11-22 12:00+00')");
        let mut worker = database.connect_as_worker();
        assert_eq!(
            rows(
                &mut worker,
                "SELECT i ->> 'reminder_type', i ->> 'reminded_name', i ->> 'reminded_reason'
                   FROM assignment_reminders.claim_digests(as_of => '2026-11-22 12:00+00'), jsonb_array_elements(items) AS i"
            ),
            [format!("contact-escalation|-|{expected}")],
            "{mentor}"
        );
    }
}

#[test]
fn people_who_turned_digests_off_get_a_message_for_each_reminder() {
    let (_database, mut client, _) = waiting(4);
    another_mentor(&mut client, 3);
    run(
        &mut client,
        "INSERT INTO user_preferences (user_id, digest) SELECT id, false FROM users WHERE name = 'mentor'",
    );
    run(&mut client, "UPDATE reminder_settings SET messages_per_minute = 4");
    assert_eq!(claim(&mut client, 3, NOW), ["mentor|1", "mentor|1", "mentor|1"]);
    assert_eq!(claim(&mut client, 3, NOW), ["mentor|1"], "each counts");
    assert_eq!(claim(&mut client, 3, "2026-11-22 12:01+00"), ["another|3"]);
}

#[test]
fn what_is_due_to_one_person_is_never_split_over_two_workers() {
    let (database, mut client, people) = waiting(30);
    another_mentor(&mut client, 3);
    let (mut first, mut second) = (database.connect_as_worker(), database.connect_as_worker());
    run(&mut second, "SET lock_timeout = '5s'");
    run(&mut first, "BEGIN");
    assert_eq!(claim(&mut first, 1, NOW), ["mentor|30"]);
    // More comes due to them while that claim has not committed.
    run(
        &mut client,
        &format!("INSERT INTO reminders (assignment_id, recipient_id, reminder_type, scheduled_for)
                  SELECT id, '{}', 'by hand', '2026-11-22 06:00+00' FROM assignments WHERE title < '000004' AND peer_mentor_id = '{}'",
            people.mentor_user, people.mentor),
    );
    assert_eq!(claim(&mut second, 100, NOW), ["another|3"], "somebody else has them");
    assert_eq!(claim(&mut second, 100, NOW), [""; 0]);
    run(&mut first, "COMMIT");
    assert_eq!(claim(&mut second, 100, NOW), ["mentor|3"], "what has come due since makes another");
    assert_eq!(claim(&mut first, 100, NOW), [""; 0]);
}

#[test]
fn a_claim_of_digests_locks_people_before_their_reminders() {
    let (database, _client, people) = waiting(30);
    let mut holder = database.connect();
    run(&mut holder, &format!("BEGIN; SELECT FROM users WHERE id = '{}' FOR NO KEY UPDATE", people.mentor_user));
    let mut first = database.connect_as_worker();
    run(&mut first, "SET lock_timeout = '5s'; BEGIN");
    assert_eq!(claim(&mut first, 100, NOW), [""; 0]);
    run(&mut holder, "ROLLBACK");
    // The first has left no lock on any of their reminders.
    assert_eq!(claim(&mut database.connect_as_worker(), 100, NOW), ["mentor|30"]);
    run(&mut first, "COMMIT");
}

#[test]
fn runs_and_older_workers_go_on_beside_an_open_claim_of_digests() {
    let (database, mut client, _) = waiting(10);
    let (mut older, mut newer) = (database.connect(), database.connect_as_worker());
    run(&mut older, "BEGIN");
    assert_eq!(row(&mut older, &format!("SELECT count(*) FROM claim_reminders(4, as_of => '{NOW}')")), "4");
    run(&mut newer, "BEGIN");
    assert_eq!(claim(&mut newer, 1, NOW), ["mentor|6"], "what is left, and no reminder twice");
    run(&mut client, "SET lock_timeout = '5s'");
    // Enqueued, and claimed by an older worker: neither waits for whoever holds the person.
    run(
        &mut client,
        "INSERT INTO assignments (title, student_id, peer_mentor_id, assigned_on) SELECT 'new', student_id, peer_mentor_id, '2026-11-01' FROM assignments LIMIT 1",
    );
    run(&mut client, "SELECT run_daily_evaluation('2026-11-22 12:01+00')");
    assert_eq!(
        row(
            &mut client,
            "SELECT string_agg(assignment_title, ' ') FROM claim_reminders(as_of => '2026-11-22 12:02+00')"
        ),
        "new"
    );
    run(&mut older, "COMMIT");
    run(&mut newer, "COMMIT");
    assert_eq!(
        row(&mut client, "SELECT count(*), count(DISTINCT claim_id) FROM reminders WHERE claim_id IS NOT NULL"),
        "11|3"
    );
}

#[test]
fn a_failed_message_is_tried_again_as_one_and_counts_once_against_the_address() {
    let (database, mut client, _) = waiting(50);
    run(&mut client, "UPDATE reminder_settings SET bounce_limit = 2, max_attempts = 2");
    let mut worker = database.connect_as_worker();
    claim_into(&mut worker, "c", NOW);
    let answer = |table: &str, fault: &str, error: &str, as_of: &str| {
        format!(
            "SELECT assignment_reminders.record_digest_failure(reminder_ids, claim_id, '{fault}', '{error}', as_of => '{as_of}') FROM {table}"
        )
    };
    assert_eq!(rows(&mut worker, &answer("c", "recipient", "452 4.2.2 mailbox full", NOW)), [""; 0]);
    let mentor = "SELECT contact_opt_out, soft_bounces FROM users WHERE name = 'mentor'";
    assert_eq!(row(&mut client, mentor), "f|0", "it is tried again");
    assert_eq!(
        row(&mut client, "SELECT count(DISTINCT retry_at), max(attempts), min(attempts) FROM reminders"),
        "1|1|1"
    );
    claim_into(&mut worker, "again", "2026-11-22 12:10+00");
    assert_eq!(
        rows(
            &mut worker,
            "SELECT cardinality(again.reminder_ids), again.idempotency_key = c.idempotency_key, left(c.idempotency_key, 7) FROM again, c"
        ),
        ["50|t|digest-"],
        "the same message"
    );
    assert_eq!(
        rows(&mut worker, &answer("again", "recipient", "452 4.2.2 mailbox full", "2026-11-22 12:10+00")),
        [""; 0]
    );
    assert_eq!(row(&mut client, mentor), "f|1", "given up, and once for all of them");
    // With another item it is another message.
    run(
        &mut client,
        "UPDATE reminders SET status = 'pending', attempts = 1 WHERE assignment_id = (SELECT id FROM assignments WHERE title = '000001');
         DELETE FROM send_logs WHERE assignment_id = (SELECT id FROM assignments WHERE title = '000001')",
    );
    claim_into(&mut worker, "third", "2026-11-22 13:00+00");
    assert_eq!(
        rows(&mut worker, &answer("third", "recipient", "452 4.2.2 mailbox full", "2026-11-22 13:00+00")),
        [""; 0]
    );
    assert_eq!(row(&mut client, mentor), "t|2");
    assert_refused(&mut worker, &answer("c", "mine", "", NOW), "22023", "mine");
}

#[test]
fn a_fault_of_the_sender_costs_a_message_no_attempt_and_pauses_once() {
    let (database, mut client, _) = waiting(5);
    let mut worker = database.connect_as_worker();
    claim_into(&mut worker, "c", NOW);
    let answer = format!(
        "SELECT assignment_reminders.record_digest_failure(reminder_ids, claim_id, 'sender', '535 5.7.8 no', as_of => '{NOW}') FROM c"
    );
    assert_eq!(rows(&mut worker, &answer), [""; 0]);
    assert_eq!(row(&mut client, "SELECT paused_until - paused_at FROM claim_rates"), "00:15:00");
    assert_eq!(claim(&mut worker, 1, "2026-11-22 12:14+00"), [""; 0]);
    assert_eq!(claim(&mut worker, 1, "2026-11-22 12:16+00"), ["mentor|5"]);
    assert_eq!(row(&mut client, "SELECT max(attempts) FROM reminders"), "0");
}

#[test]
fn a_bounce_of_a_message_counts_once_however_many_reminders_it_held() {
    let (_database, mut client, _) = waiting(5);
    run(
        &mut client,
        &format!(
            "SELECT mark_digest_sent(reminder_ids, claim_id, '<m@x>', as_of => '{NOW}') FROM claim_digests(as_of => '{NOW}')"
        ),
    );
    let bounce =
        |event: &str| format!("SELECT record_delivery_event('<m@x>', 'bounced', '452 4.2.2 mailbox full', {event})");
    assert_eq!(row(&mut client, &bounce("NULL")), "t");
    assert_eq!(row(&mut client, &bounce("NULL")), "f");
    assert_eq!(row(&mut client, &bounce("'e2'")), "t");
    assert_eq!(row(&mut client, "SELECT contact_opt_out, soft_bounces FROM users WHERE name = 'mentor'"), "f|1");
}

#[test]
fn what_is_tried_alone_is_a_message_of_its_own() {
    let (_database, mut client, _) = waiting(5);
    run(&mut client, "UPDATE reminder_settings SET max_attempts = 2");
    run(
        &mut client,
        "UPDATE reminders SET claim_id = gen_random_uuid(), claimed_until = '2026-11-22 11:59+00', scheduled_for = '2026-11-22 06:00+00'
          WHERE assignment_id IN (SELECT id FROM assignments WHERE title IN ('000002', '000003'))",
    );
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.extend(claim(&mut client, 100, NOW));
    }
    seen.sort();
    assert_eq!(seen, ["mentor|1", "mentor|1", "mentor|3"]);
    assert_eq!(row(&mut client, "SELECT count(*) FROM send_logs WHERE error LIKE '%before the lease ended%'"), "2");
}

#[test]
fn what_waits_for_a_mentor_who_was_replaced_comes_with_the_message_of_the_new_one() {
    let (database, mut client, people) = waiting(300);
    let new = another_mentor(&mut client, 4);
    run(
        &mut client,
        &format!(
            "UPDATE assignments SET peer_mentor_id = '{}' WHERE peer_mentor_id = '{}' AND title > '000010'",
            new.mentor, people.mentor
        ),
    );
    let mut claimed = claim(&mut database.connect_as_worker(), 2, NOW);
    claimed.sort();
    assert_eq!(claimed, ["another|294", "mentor|10"]);
    assert_eq!(row(&mut client, "SELECT count(*) FROM reminders WHERE claim_id IS NULL"), "0");
}

#[test]
fn a_message_holds_at_most_10000_and_the_rest_comes_with_the_next() {
    let (_database, mut client, _) = waiting(10_050);
    assert_eq!(claim(&mut client, 100, NOW), ["mentor|10000"]);
    assert_eq!(claim(&mut client, 100, NOW), ["mentor|50"]);
    assert_eq!(claim(&mut client, 100, NOW), [""; 0]);
}

#[test]
fn organizations_share_the_messages_of_a_claim_whatever_they_hold() {
    let (_database, mut client, _) = waiting(500);
    run(&mut client, &format!("INSERT INTO organizations (id, name) VALUES ('{OTHER}', 'other')"));
    for _ in 0..3 {
        People::in_organization(&mut client, OTHER).assignments(&mut client, "2026-11-01", 7);
        for _ in 0..2 {
            another_mentor(&mut client, 2);
        }
    }
    run(&mut client, "SELECT run_daily_evaluation('2026-11-22 12:30+00')");
    let claimed = rows(
        &mut client,
        "SELECT right(organization_id::text, 1), count(*), sum(cardinality(reminder_ids)) FROM claim_digests(4, as_of => '2026-11-22 13:00+00') GROUP BY 1 ORDER BY 1",
    );
    assert_eq!(claimed, ["1|2|502", "2|2|14"]);
}

/// Locks of others, one organization's or a worker's, of people and of what is due to them.
#[test]
fn whoever_is_locked_keeps_nobody_elses_message_back() {
    for (lock, is_one_organizations) in [
        ("SELECT FROM users WHERE name LIKE 'student%' AND organization_id = '{one}' FOR UPDATE", true),
        ("UPDATE users SET locale = 'nb' WHERE name LIKE 'student%' AND organization_id = '{one}'", true),
        ("DELETE FROM assignments WHERE organization_id = '{one}'", true),
        ("SELECT FROM reminders WHERE organization_id = '{one}' FOR UPDATE", true),
        ("SELECT count(*) FROM claim_digests(40, organization_id => '{one}', as_of => '{NOW}')", true),
        ("SELECT count(*) FROM claim_digests(20, organization_id => '{one}', as_of => '{NOW}')", false),
    ] {
        for size in [1, 5, 30] {
            let (database, mut client) = students(40);
            let mut holder = database.connect();
            run(&mut holder, "BEGIN");
            run(&mut holder, &lock.replace("{one}", ONE).replace("{NOW}", NOW));
            let claimed = |client: &mut Client| {
                rows(client, &format!("SELECT organization_id FROM claim_digests({size}, as_of => '{NOW}')"))
            };
            let free = if is_one_organizations { 40 } else { 60 };
            let mut all = Vec::new();
            // Each claim hands out all that it was asked for, as long as there is so much.
            while all.len() < free {
                let mut worker = database.connect();
                run(&mut worker, "SET lock_timeout = '2s'");
                let now = claimed(&mut worker);
                assert_eq!(now.len(), size.min(free - all.len()), "{lock} {size}");
                all.extend(now);
            }
            assert_eq!(claimed(&mut client), [""; 0], "{lock} {size}");
            run(&mut holder, "ROLLBACK");
            assert!(!claimed(&mut client).is_empty(), "{lock} {size}: and then they come, too");
        }
    }
}

#[test]
fn nothing_is_claimed_where_nothing_a_minute_may_be() {
    let (_database, mut client, people) = waiting(3);
    due_soon(&mut client, &people);
    run(&mut client, "UPDATE reminders SET scheduled_for = '2026-11-22 06:00+00' WHERE recipient_id IS NOT NULL");
    run(&mut client, "UPDATE reminder_settings SET messages_per_minute = 0");
    assert_eq!(claim(&mut client, 100, NOW), [""; 0]);
    assert_eq!(row(&mut client, &format!("SELECT count(*) FROM claim_reminders(as_of => '{NOW}')")), "0");
    run(&mut client, "UPDATE reminder_settings SET messages_per_minute = 1");
    assert_eq!(claim(&mut client, 100, NOW), ["student|1"]);
    assert_eq!(claim(&mut client, 100, "2026-11-22 12:01+00"), ["mentor|3"]);
}

#[test]
fn due_dates_go_first_where_a_rate_limit_binds_and_other_organizations_have_their_share() {
    for (function, message) in
        [("claim_reminders", "reminder_type"), ("claim_digests", "items -> 0 ->> 'reminder_type'")]
    {
        let (_database, mut client, people) = waiting(2000);
        due_soon(&mut client, &people);
        run(
            &mut client,
            "INSERT INTO user_preferences (user_id, digest) SELECT id, false FROM users WHERE name = 'mentor'",
        );
        run(&mut client, "UPDATE reminder_settings SET messages_per_minute = 10");
        run(&mut client, &format!("INSERT INTO organizations (id, name) VALUES ('{OTHER}', 'other')"));
        let others = People::in_organization(&mut client, OTHER);
        others.assignments(&mut client, "2026-11-01", 20);
        run(
            &mut client,
            &format!(
                "INSERT INTO user_preferences (organization_id, user_id, digest) VALUES ('{OTHER}', '{}', false)",
                others.mentor_user
            ),
        );
        run(&mut client, &format!("SELECT run_daily_evaluation('{NOW}')"));
        run(&mut client, "UPDATE reminders SET scheduled_for = '2026-11-22 06:00+00' WHERE recipient_id IS NOT NULL");
        // Where a session's claims have gone on from.
        for (as_of, expected) in [
            (NOW, ["1|2h|1", "1|contact-reminder|9", "2|contact-reminder|10"]),
            ("2026-11-22 12:01+00", ["1|2h|1", "1|contact-reminder|9", "2|contact-reminder|10"]),
        ] {
            let claimed = rows(
                &mut client,
                &format!(
                    "SELECT right(organization_id::text, 1), {message}, count(*) FROM {function}(20, as_of => '{as_of}') GROUP BY 1, 2 ORDER BY 1, 2"
                ),
            );
            assert_eq!(claimed, expected, "{function} {as_of}");
            due_soon(&mut client, &people);
        }
    }
}

#[test]
fn each_pick_goes_by_its_own_index_also_on_analysed_tables_of_several_organizations() {
    let (database, mut client, people) = waiting(100);
    run(&mut client, "UPDATE reminder_settings SET messages_per_minute = 5");
    for organization in 2..7 {
        let id = format!("00000000-0000-0000-0000-00000000000{organization}");
        run(&mut client, &format!("INSERT INTO organizations (id, name) VALUES ('{id}', 'another')"));
        let people = People::in_organization(&mut client, &id);
        people.assignments(&mut client, "2026-11-01", 4000);
        client
            .execute("UPDATE assignments SET due_at = '2026-11-22 13:30+00', created_at = '2026-11-01' WHERE student_id = $1 AND title < '000100'", &[&people.student])
            .expect("due dates");
    }
    due_soon(&mut client, &people);
    run(&mut client, "SELECT run_daily_evaluation('2026-11-22 12:30+00')");
    run(
        &mut client,
        "UPDATE reminder_settings SET messages_per_minute = 5 WHERE organization_id::text > '00000000-0000-0000-0000-000000000004'",
    );
    run(&mut client, "ANALYZE");
    let (mut explained, notices) = database.connect_with_notices();
    run(
        &mut explained,
        "SET search_path = assignment_reminders; LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0;
         SET auto_explain.log_nested_statements = on; SET client_min_messages = log",
    );
    for function in ["claim_reminders", "claim_digests"] {
        notices.lock().expect("the notices").clear();
        run(&mut explained, &format!("SELECT count(*) FROM {function}(30, as_of => '2026-11-22 13:00+00')"));
        let notices = notices.lock().expect("the notices");
        let picks: Vec<&String> = notices.iter().filter(|notice| notice.contains("WITH share AS")).collect();
        assert!(picks.len() >= 2, "{function}: {}", picks.len());
        for pick in picks {
            let is_of_due_dates = pick.contains("AND r.recipient_id IS NULL\n");
            let index = if is_of_due_dates { "using reminders_students_idx" } else { "using reminders_pending_idx" };
            assert!(pick.contains(index), "{function}: {pick}");
            assert!(!pick.contains("Seq Scan"), "{function}: {pick}");
        }
        let others = notices
            .iter()
            .filter(|notice| notice.contains("-- What is due at $1") || notice.contains("-- What a digest takes"));
        for other in others {
            assert!(
                other.contains("using reminders_recipient_idx") || other.contains("using reminders_pkey"),
                "{other}"
            );
            let astray =
                ["Seq Scan", "using reminders_pending_idx", "using reminders_due_idx", "using reminders_students_idx"];
            assert!(!astray.iter().any(|wrong| other.contains(wrong)), "{other}");
        }
    }
}
