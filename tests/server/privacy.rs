//! Personal data: what is exported, what is forgotten, by whom, and that nothing that was on its way brings it back.

use std::thread;

use postgres::Client;
use serde_json::Value;
use uuid::Uuid;

use crate::support::{
    Database, People, assert_refused, content, enqueue_follow_ups, pid, program, refused, row, rows, run,
    wait_until_blocked,
};

const NOW: &str = "2026-03-01 12:00+00";
const GONE: &str = "00000000-0000-0000-0000-00000000000a";
const OTHER: &str = "00000000-0000-0000-0000-00000000000b";

/// Every right that docs/security.md names for it, and no other.
pub const RIGHTS: &str = "
    GRANT USAGE ON SCHEMA assignment_reminders TO {role};
    GRANT EXECUTE ON FUNCTION forget_person, export_person TO {role};
    GRANT SELECT ON peer_mentors, closed_periods, closed_statements, reminder_events TO {role};
    GRANT SELECT, UPDATE ON users, assignments, assignment_pauses, mentor_pauses, contact_corrections, activities, reminders, send_logs, evaluation_runs, row_history TO {role};
    GRANT SELECT, UPDATE, DELETE ON user_preferences TO {role}; GRANT SELECT, DELETE ON unsubscribe_tokens TO {role}";

/// Sam is a student and also mentors somebody; there are reminders to Sam that wait, that were sent, that failed and that are
/// claimed, under an address of now and one of before.
struct Programme {
    database: Database,
    client: Client,
    sam: Uuid,
    /// Sam is the student of the first, the mentor of the second; the third is other people's.
    assignments: [Uuid; 3],
    others: People,
}

const ADDRESSES: [&str; 2] = ["Sam.Student@Example.org", "sam.before@example.org"];

fn programme() -> Programme {
    let database = Database::installed();
    let mut client = database.connect();
    let others = People::new(&mut client);
    let sam = Uuid::new_v4();
    run(
        &mut client,
        &format!(
            "UPDATE users SET email = 'mia@example.org' WHERE id = '{mia}';
             UPDATE users SET email = 'cora@example.org' WHERE id = '{cora}';
             UPDATE users SET email = 'olga@example.org' WHERE id = '{olga}';
             INSERT INTO organizations (id, name) VALUES ('{GONE}', 'gone'), ('{OTHER}', 'other');
             INSERT INTO users (id, email, name, timezone) VALUES ('{sam}', 'sam.before@example.org', 'Sam Student', 'Europe/Oslo');
             INSERT INTO user_preferences (user_id, daily_summary) VALUES ('{sam}', true);
             INSERT INTO peer_mentors (user_id) VALUES ('{sam}')",
            mia = others.mentor_user,
            cora = others.coordinator,
            olga = others.student,
        ),
    );
    let people = |student, mentor| People { student, mentor, ..others };
    let mentor: Uuid =
        row(&mut client, &format!("SELECT id FROM peer_mentors WHERE user_id = '{sam}'")).parse().expect("an id");
    let assignments = [
        people(sam, others.mentor).assignment(&mut client, "2026-01-01"),
        people(others.student, mentor).assignment(&mut client, "2026-01-01"),
        others.assignment(&mut client, "2026-01-01"),
    ];
    run(
        &mut client,
        &format!(
            "UPDATE assignments SET title = 'Essay of Sam Student', description = 'write to sam.student@example.org', metadata = '{{\"phone\": \"Sam 555\"}}'
              WHERE id = '{0}';
             INSERT INTO activities (assignment_id, occurred_at, recorded_by, notes, metadata) VALUES
                 ('{0}', '2026-01-05 12:00+00', '{mia}', 'Sam Student was ill', '{{\"mood\": \"Sam 555\"}}'),
                 ('{1}', '2026-01-06 12:00+00', '{sam}', 'I, Sam Student, called', '{{}}'),
                 ('{2}', '2026-01-07 12:00+00', '{mia}', 'Olga was well', '{{\"mood\": \"good\"}}');
             SELECT correct_last_contact_date('{0}', '2026-01-04', 'Sam Student was not there');
             SELECT correct_last_contact_date('{2}', '2026-01-08', 'met in person')",
            assignments[0],
            assignments[1],
            assignments[2],
            mia = others.mentor_user,
        ),
    );
    // Sent to the address of before, and then the address is changed.
    run(
        &mut client,
        &format!(
            "INSERT INTO reminders (assignment_id, reminder_type, scheduled_for) VALUES ('{0}', 'first', '2026-02-01'), ('{0}', 'failed', '2026-02-02'),
                 ('{0}', 'waiting', '2027-01-01'), ('{1}', 'first', '2026-02-01');
             SELECT mark_reminder_sent(reminder_id, claim_id, 'before-' || CASE WHEN recipient_email ILIKE 'sam%' THEN 'theirs' ELSE 'olgas' END, 'Sam.Student@example.org') FROM claim_reminders(as_of => '2026-02-01');
             UPDATE users SET email = 'Sam.Student@Example.org' WHERE id = '{sam}';
             SELECT mark_reminder_failed(reminder_id, claim_id, '550 5.1.1 <sam.student@example.org> Sam unknown (expanded from <sam.home@example.net>)', true)
               FROM claim_reminders(as_of => '2026-02-02');
             INSERT INTO reminders (assignment_id, reminder_type, scheduled_for) VALUES ('{0}', 'second', '2026-02-03'), ('{1}', 'second', '2026-02-03');
             SELECT mark_reminder_sent(reminder_id, claim_id, 'now-' || CASE WHEN recipient_email ILIKE 'sam%' THEN 'theirs' ELSE 'olgas' END) FROM claim_reminders(as_of => '2026-02-03')",
            assignments[0],
            assignments[2],
        ),
    );
    Programme { database, client, sam, assignments, others }
}

/// All that other places hold of Sam: logs of an organization that is gone, texts about others that quote Sam's address.
fn scatter(programme: &mut Programme) {
    run(
        &mut programme.client,
        &format!(
            "INSERT INTO users (organization_id, email) VALUES ('{GONE}', 'sam.student@example.org');
             INSERT INTO send_logs (organization_id, to_email, message_id, status, error) VALUES
                 ('{GONE}', 'sam.student@example.org', 'message-gone', 'queued', NULL),
                 ('{GONE}', 'SAM.STUDENT@example.org', 'message-gone', 'bounced', '452 4.2.2 sam.student@example.org is full'),
                 ('{GONE}', 'somebody@example.org', 'message-2', 'queued', NULL),
                 (current_organization(), 'olga@example.org', NULL, 'failed', '451 refused: olga@example.org, sam.student@example.org'),
                 (current_organization(), 'Sam <sam.before@example.org>', NULL, 'failed', NULL),
                 (current_organization(), 'mailto:sam.before@example.org', NULL, 'failed', NULL),
                 (current_organization(), '(sam.before@example.org)', NULL, 'failed', NULL),
                 (current_organization(), 'olga@example.org|sam.before@example.org.', NULL, 'failed', NULL),
                 (current_organization(), 'olga@example.org,sam.student@example.org', NULL, 'failed', NULL);
             DELETE FROM users WHERE organization_id = '{GONE}';
             DELETE FROM organizations WHERE id = '{GONE}';
             UPDATE reminders SET last_error = '451 refused: olga@example.org, <sam.student@example.org>'
              WHERE assignment_id = '{}' AND reminder_type = 'second';
             UPDATE users SET contact_opt_out = true, contact_opt_out_reason = 'hard bounce: 550 <sam.before@example.org>'
              WHERE id = '{cora}';
             INSERT INTO evaluation_runs (as_of, started_at, status, error, sqlstate)
             VALUES ('2026-02-01', '2026-02-01', 'failed', 'cannot write to sam.student@example.org', 'P0001')",
            programme.assignments[2],
            cora = programme.others.coordinator,
        ),
    );
    enqueue_follow_ups(&mut programme.client, "2026-02-20");
}

fn forget(client: &mut Client, user: Uuid) -> String {
    row(client, &format!("SELECT * FROM forget_person('{user}')"))
}

/// A dump of the data, as whoever gets hold of one reads it.
fn dump(database: &Database) -> String {
    let dumped = program("pg_dump").args(["--data-only", "--dbname", &database.name]).output().expect("pg_dump runs");
    assert!(dumped.status.success(), "{}", String::from_utf8_lossy(&dumped.stderr));
    String::from_utf8(dumped.stdout).expect("text")
}

fn assert_forgotten(database: &Database) {
    let dump = dump(database).to_lowercase();
    for trace in ["sam.student", "sam.before", "sam.home", "sam student", "sam 555"] {
        let found: Vec<&str> = dump.lines().filter(|line| line.contains(trace)).collect();
        assert_eq!(found, [""; 0], "{trace}");
    }
}

#[test]
fn a_person_who_is_forgotten_leaves_nothing_in_any_table_and_counts_dates_and_histories_stay() {
    let mut programme = programme();
    scatter(&mut programme);
    let Programme { database, mut client, sam, assignments, .. } = programme;
    for address in ADDRESSES {
        assert!(dump(&database).contains(address), "or this test tests nothing");
    }
    let kept = "SELECT (SELECT count(*) FROM assignments), (SELECT count(*) FROM activities), (SELECT count(*) FROM contact_corrections),
                       (SELECT count(*) FROM reminders), (SELECT count(*) FROM send_logs), (SELECT count(*) FROM users),
                       (SELECT string_agg(status, ' ' ORDER BY id) FROM send_logs), (SELECT string_agg(id::text, ' ' ORDER BY id) FROM send_logs),
                       (SELECT string_agg(coalesce(last_contact_date::text, '-'), ' ' ORDER BY id) FROM assignments),
                       (SELECT string_agg(assignment_count::text, ' ' ORDER BY id) FROM peer_mentors)";
    let before = row(&mut client, kept);
    // The reminder that waits for Sam as a mentor is claimed; the one as a student waits.
    let done = forget(&mut client, sam);
    assert_forgotten(&database);
    assert_eq!(row(&mut client, kept), before);
    assert_eq!(rows(&mut client, "SELECT * FROM verify_assignment_counts()"), [""; 0]);
    assert_eq!(rows(&mut client, "SELECT * FROM verify_contact_dates()"), [""; 0]);
    assert_eq!(
        row(
            &mut client,
            &format!(
                "SELECT email, coalesce(name, ''), timezone, contact_opt_out, contact_opt_out_reason, soft_bounces FROM users WHERE id = '{sam}'"
            )
        ),
        "-||-|t|forgotten|0"
    );
    let mine = format!(
        "SELECT reminder_type, status, skip_reason, last_error FROM reminders WHERE assignment_id = '{}' ORDER BY 1",
        assignments[0]
    );
    assert_eq!(
        rows(&mut client, &mine),
        [
            "contact-reminder|pending|-|-", // Mia's
            "failed|failed|-|550 5.1.1 (text removed)",
            "first|sent|-|-",
            "second|sent|-|-",
            "waiting|skipped|opted_out|-"
        ]
    );
    // Row by row: two people, the preferences, the assignment, the correction, two activities, six reminders of which two
    // waited, twelve logs, a run.
    assert!(done.starts_with("2|1|1|1|0|0|1|2|6|2|12|1|"), "{done}");
    assert_eq!(
        rows(&mut client, "SELECT status, error FROM send_logs WHERE error IS NOT NULL ORDER BY 1, 2"),
        [
            "bounced|452 4.2.2 (text removed)",
            "failed|451 refused: olga@example.org, forgotten",
            "failed|550 5.1.1 (text removed)"
        ]
    );
}

#[test]
fn other_people_are_left_as_they_were() {
    let programme = programme();
    let Programme { mut client, sam, assignments, others, .. } = programme;
    // An address that was Sam's is Olga's now; in another organization, somebody has Sam's.
    run(
        &mut client,
        &format!(
            "UPDATE users SET email = 'sam.before@example.org' WHERE id = '{}';
             INSERT INTO users (organization_id, email, name) VALUES ('{OTHER}', 'sam.student@example.org', 'Sam, too');
             INSERT INTO send_logs (organization_id, to_email, status, error) VALUES
                 ('{OTHER}', 'sam.student@example.org', 'failed', '550 <sam.student@example.org>'),
                 (current_organization(), 'sam.before@example.org', 'failed', '550 <sam.before@example.org>'),
                 (current_organization(), 'jo.sam.student@example.org', 'failed', '550 <jo.sam.student@example.org>')",
            others.student
        ),
    );
    let theirs = |client: &mut Client| -> Vec<String> {
        let of = format!("assignment_id IN ('{}', '{}')", assignments[1], assignments[2]);
        [
            format!("SELECT * FROM users WHERE id <> '{sam}' ORDER BY id"),
            "SELECT * FROM peer_mentors ORDER BY id".to_string(),
            format!("SELECT * FROM assignments WHERE id <> '{}' ORDER BY id", assignments[0]),
            format!("SELECT * FROM activities WHERE {of} AND recorded_by <> '{sam}' ORDER BY id"),
            format!("SELECT * FROM contact_corrections WHERE {of} ORDER BY id"),
            format!("SELECT * FROM reminders WHERE {of} ORDER BY id"),
            format!(
                "SELECT * FROM send_logs WHERE assignment_id = '{}' OR reminder_id IS NULL ORDER BY id",
                assignments[2]
            ),
        ]
        .iter()
        .flat_map(|sql| rows(client, sql))
        .collect()
    };
    run(&mut client, "SELECT set_config('timezone', 'UTC', false)");
    let before = theirs(&mut client);
    forget(&mut client, sam);
    let after = theirs(&mut client);
    // But for the inbox that a message of Olga's was sent from, which was Sam's address.
    let but_for_the_inbox: Vec<String> =
        before.iter().map(|row| row.replace("Sam.Student@example.org", "forgotten")).collect();
    assert_eq!(after, but_for_the_inbox);
}

#[test]
fn twice_is_once_and_somebody_who_comes_back_is_forgotten_again() {
    let mut programme = programme();
    scatter(&mut programme);
    let Programme { database, mut client, sam, .. } = programme;
    forget(&mut client, sam);
    let once = content(&mut client);
    assert_eq!(forget(&mut client, sam), "0|0|0|0|0|0|0|0|0|0|0|0|0");
    assert_eq!(content(&mut client), once, "not even updated_at");
    run(
        &mut client,
        &format!(
            "SELECT restore_contact('{sam}'); UPDATE users SET email = 'sam.student@example.org' WHERE id = '{sam}'"
        ),
    );
    assert!(forget(&mut client, sam).starts_with("1|0|0|"));
    assert_forgotten(&database);
}

#[test]
fn what_a_worker_or_a_provider_says_later_brings_nothing_back() {
    let Programme { database, mut client, sam, assignments, .. } = {
        let mut programme = programme();
        scatter(&mut programme);
        programme
    };
    run(
        &mut client,
        &format!(
            "INSERT INTO reminders (assignment_id, reminder_type, scheduled_for) VALUES ('{0}', 'late-1', '2026-02-05'), ('{0}', 'late-2', '2026-02-05'), ('{0}', 'late-3', '2026-02-05');
             CREATE TABLE public.claimed AS SELECT reminder_id, claim_id, reminder_type FROM claim_reminders(as_of => '2026-02-05')",
            assignments[0]
        ),
    );
    forget(&mut client, sam);
    let answer = |client: &mut Client, call: &str, kind: &str| {
        row(client, &format!("SELECT {call} FROM public.claimed WHERE reminder_type = '{kind}'"))
    };
    assert_eq!(answer(&mut client, "extend_reminder_lease(reminder_id, claim_id)", "late-1"), "f", "do not send it");
    assert_eq!(answer(&mut client, "mark_reminder_sent(reminder_id, claim_id, 'late')", "late-1"), "t", "it was sent");
    assert_eq!(
        answer(
            &mut client,
            "mark_reminder_failed(reminder_id, claim_id, '550 <Sam.Student@example.org> Sam Student unknown')",
            "late-2"
        ),
        "t"
    );
    assert_eq!(
        rows(
            &mut client,
            "SELECT reminder_type, status, last_error FROM reminders WHERE reminder_type LIKE 'late%' ORDER BY 1"
        ),
        ["late-1|sent|-", "late-2|skipped|550 (text removed)", "late-3|skipped|-"]
    );
    for message in ["late", "now-theirs", "before-theirs", "message-gone"] {
        let event = format!(
            "SELECT record_delivery_event('{message}', 'rejected', '550 5.1.1 <sam.student@example.org> Sam Student')"
        );
        assert_eq!(row(&mut client, &event), "t", "{message}");
    }
    // The lease of what nobody answers for ends, and whoever claims finds nothing to send to Sam.
    run(&mut client, "UPDATE reminders SET scheduled_for = '2026-02-05' WHERE reminder_type = 'waiting'");
    run(
        &mut client,
        "UPDATE reminders SET status = 'pending', claimed_until = '2026-02-06' WHERE reminder_type = 'late-3'",
    );
    assert_eq!(
        rows(
            &mut client,
            &format!("SELECT reminder_type FROM claim_reminders(as_of => '{NOW}') WHERE recipient_id = '{sam}'")
        ),
        [""; 0]
    );
    run(
        &mut client,
        &format!(
            "SELECT run_daily_evaluation('{NOW}'); SELECT enqueue_due_reminders('{NOW}'); SELECT enqueue_daily_summaries('{NOW}')"
        ),
    );
    assert_eq!(
        row(
            &mut client,
            &format!("SELECT count(*) FROM reminders WHERE recipient_id = '{sam}' AND status = 'pending'")
        ),
        "0"
    );
    run(&mut client, "DROP TABLE public.claimed");
    assert_forgotten(&database);
}

#[test]
fn nobody_else_changes_a_history() {
    let Programme { database: _database, mut client, sam, .. } = programme();
    for update in [
        "UPDATE send_logs SET to_email = NULL",
        "UPDATE send_logs SET error = 'x'",
        "UPDATE contact_corrections SET reason = 'x'",
    ] {
        assert_refused(&mut client, update, "2F002", "cannot be changed");
    }
    // Nor does a trigger of the owner's on what forget_person() writes.
    run(
        &mut client,
        "CREATE FUNCTION public.forge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF pg_trigger_depth() = 1 THEN UPDATE assignment_reminders.send_logs SET status = 'delivered' WHERE id <> NEW.id; END IF; RETURN NEW; END $$;
         CREATE TRIGGER forge BEFORE UPDATE ON send_logs FOR EACH ROW EXECUTE FUNCTION public.forge()",
    );
    assert_refused(&mut client, &format!("SELECT forget_person('{sam}')"), "2F002", "send_logs");
    run(
        &mut client,
        "CREATE OR REPLACE FUNCTION public.forge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
    );
    assert_refused(&mut client, &format!("SELECT forget_person('{sam}')"), "55000", "send_logs");
    run(&mut client, "DROP TRIGGER forge ON send_logs");
    assert!(forget(&mut client, sam).starts_with("1|1|1|"), "and nothing was half done");
}

#[test]
fn a_role_with_the_rights_that_are_named_can_and_without_one_of_them_cannot() {
    let mut programme = programme();
    scatter(&mut programme);
    let Programme { database, mut client, sam, .. } = programme;
    let (mut officer, role) = database.connect_as_new_role(RIGHTS);
    for (right, table) in [
        ("SELECT", "peer_mentors"),
        ("UPDATE", "users"),
        ("UPDATE", "assignments"),
        ("UPDATE", "assignment_pauses"),
        ("UPDATE", "mentor_pauses"),
        ("UPDATE", "contact_corrections"),
        ("UPDATE", "activities"),
        ("UPDATE", "reminders"),
        ("UPDATE", "send_logs"),
        ("UPDATE", "evaluation_runs"),
        ("DELETE", "user_preferences"),
        ("DELETE", "unsubscribe_tokens"),
    ] {
        run(&mut client, &format!("REVOKE {right} ON {table} FROM {role}"));
        let refusal = refused(&mut officer, &format!("SELECT * FROM forget_person('{sam}')"));
        assert_eq!(refusal.sqlstate, "42501", "{right} on {table}: {refusal:?}");
        run(&mut client, &format!("GRANT {right} ON {table} TO {role}"));
    }
    assert_eq!(refused(&mut officer, "UPDATE send_logs SET to_email = NULL").sqlstate, "2F002");
    assert!(row(&mut officer, &format!("SELECT export_person('{sam}')")).contains("Sam Student"));
    assert!(forget(&mut officer, sam).starts_with("2|1|1|1|0|0|1|2|"));
    assert_forgotten(&database);
    // Who was not granted them may not, though they have all rights on the tables.
    let (mut member, _) = database.connect_as_new_role(
        "GRANT USAGE ON SCHEMA assignment_reminders TO {role}; GRANT ALL ON ALL TABLES IN SCHEMA assignment_reminders TO {role}",
    );
    for call in ["forget_person", "export_person"] {
        assert_eq!(refused(&mut member, &format!("SELECT {call}('{sam}')")).sqlstate, "42501");
    }
}

#[test]
fn impossible_calls_are_refused() {
    let database = Database::installed();
    let mut client = database.connect();
    let unknown = refused(&mut client, "SELECT restore_contact('00000000-0000-0000-0000-00000000dead')");
    for call in ["forget_person", "export_person"] {
        let none = format!("SELECT {call}('00000000-0000-0000-0000-00000000dead')");
        assert_refused(&mut client, &none, &unknown.sqlstate, "user 00000000-0000-0000-0000-00000000dead");
        assert_refused(&mut client, &format!("SELECT {call}(NULL)"), "22004", "user_id");
    }
    let sam = People::new(&mut client).student;
    run(&mut client, "BEGIN ISOLATION LEVEL REPEATABLE READ");
    assert_refused(&mut client, &format!("SELECT forget_person('{sam}')"), "25001", "forget_person()");
    run(&mut client, "ROLLBACK; BEGIN READ ONLY");
    assert_eq!(refused(&mut client, &format!("SELECT forget_person('{sam}')")).sqlstate, "25006");
}

// Beside others

/// Forgets Sam in a session of its own while `holder` holds what it must have; then the holder goes on and ends. Returns what was
/// done.
fn forget_beside(programme: &Programme, holder: &mut Client, goes_on: &str) -> String {
    let mut session = programme.database.connect();
    let (sam, waiting) = (programme.sam, pid(&mut session));
    let forgetting = thread::spawn(move || forget(&mut session, sam));
    wait_until_blocked(&mut programme.database.connect(), waiting);
    run(holder, "SET lock_timeout = '10s'");
    run(holder, goes_on);
    run(holder, "COMMIT");
    forgetting.join().expect("Sam is forgotten")
}

#[test]
fn it_waits_for_what_is_on_its_way_and_finds_it() {
    // What begins before, and what the same transaction does while forgetting waits for it: each would wait for the other, if
    // forgetting held what it has.
    let mine = "(SELECT id FROM assignments WHERE title LIKE 'Essay of%')";
    let claimed = "SELECT reminder_id, claim_id FROM public.claimed";
    for (before, begins, goes_on) in [
        // An answer that quotes the address.
        (
            format!("INSERT INTO reminders (assignment_id, reminder_type, scheduled_for) VALUES ({mine}, 'x', '2026-02-05');
                     CREATE TABLE public.claimed AS SELECT * FROM claim_reminders(as_of => '2026-02-05')"),
            format!("SELECT mark_reminder_failed(reminder_id, claim_id, '451 <sam.student@example.org>') FROM ({claimed}) c"),
            "UPDATE users SET soft_bounces = 1 WHERE email ILIKE 'sam.%'".to_string(),
        ),
        // A delivery event.
        (
            String::new(),
            "SELECT record_delivery_event('now-theirs', 'bounced', '452 4.2.2 sam.student@example.org')".to_string(),
            "SELECT record_delivery_event('now-theirs', 'rejected', '452 4.2.2 sam.student@example.org')".to_string(),
        ),
        // A contact of Sam's own, whose check of who recorded it holds Sam, and which then wants the assignment.
        (
            String::new(),
            "INSERT INTO activities (assignment_id, recorded_by, occurred_at, notes) SELECT id, coordinator_id, '2026-01-01', 'Sam Student' FROM assignments WHERE title LIKE 'Essay of%'".to_string(),
            "UPDATE users SET timezone = 'UTC' WHERE email ILIKE 'sam.%'; INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-01-01' FROM assignments".to_string(),
        ),
        // A profile is saved.
        (
            String::new(),
            "UPDATE user_preferences SET summary_hour = 9".to_string(),
            "UPDATE users SET email = 'sam.before@example.org' WHERE email ILIKE 'sam.%'".to_string(),
        ),
        // A claim that loses an attempt, logs it under the address and holds the reminder; then an assignment of a row to Sam.
        (
            "SELECT count(*) FROM run_daily_evaluation('2026-03-01 12:00+00'); SELECT claim_reminders(as_of => '2026-03-01 12:00+00')".to_string(),
            "SELECT claim_reminders(as_of => '2026-03-01 13:00+00')".to_string(),
            "INSERT INTO activities (assignment_id, recorded_by, occurred_at) SELECT a.id, u.id, '2026-02-28' FROM assignments a, users u WHERE u.email ILIKE 'sam.%'".to_string(),
        ),
        // Old logs are pruned.
        (
            String::new(),
            "SELECT prune('0', as_of => '2027-01-01')".to_string(),
            "UPDATE users SET timezone = 'UTC' WHERE email ILIKE 'sam.%'".to_string(),
        ),
        // An assignment is deleted, with its reminders; by them an address of before would have been known.
        (
            "DELETE FROM send_logs WHERE to_email = 'sam.before@example.org'".to_string(),
            "DELETE FROM activities".to_string(),
            "DELETE FROM assignments WHERE title LIKE 'Essay of%'".to_string(),
        ),
    ] {
        let mut programme = programme();
        run(&mut programme.client, &before);
        let mut holder = programme.database.connect();
        run(&mut holder, "BEGIN");
        run(&mut holder, &begins);
        forget_beside(&programme, &mut holder, &goes_on);
        run(&mut programme.client, "DROP TABLE IF EXISTS public.claimed");
        assert_forgotten(&programme.database);
    }
}

#[test]
fn what_comes_meanwhile_waits_or_leaves_them_out_and_finds_nobody() {
    for (late, waits) in [
        ("SELECT record_delivery_event('now-theirs', 'bounced', '452 4.2.2 sam.student@example.org')", true),
        (
            "SELECT mark_reminder_failed(reminder_id, claim_id, '451 <sam.student@example.org>') FROM public.claimed",
            true,
        ),
        // Runs wait for nobody.
        ("SELECT count(*) FROM run_daily_evaluation('2026-06-01 12:00+00')", false),
        (
            "INSERT INTO activities (assignment_id, recorded_by, occurred_at) SELECT a.id, a.student_id, '2026-01-01' FROM assignments a",
            true,
        ),
    ] {
        let mut programme = programme();
        run(
            &mut programme.client,
            &format!(
                "INSERT INTO reminders (assignment_id, reminder_type, scheduled_for) VALUES ('{}', 'x', '2026-02-05');
                 CREATE TABLE public.claimed AS SELECT reminder_id, claim_id FROM claim_reminders(as_of => '2026-02-05')",
                programme.assignments[0]
            ),
        );
        run(&mut programme.client, "BEGIN");
        forget(&mut programme.client, programme.sam);
        let mut session = programme.database.connect();
        let waiting = pid(&mut session);
        let other = thread::spawn(move || run(&mut session, late));
        let mut other = Some(other);
        if waits {
            wait_until_blocked(&mut programme.database.connect(), waiting);
        } else if let Some(other) = other.take() {
            other.join().expect("the other session does not wait");
        }
        run(&mut programme.client, "COMMIT");
        if let Some(other) = other {
            other.join().expect("the other session goes on");
        }
        run(&mut programme.client, "DROP TABLE public.claimed");
        assert_forgotten(&programme.database);
    }
}

/// A follow-up goes to whoever is mentor or coordinator when it is claimed: its row may still name the one before.
#[test]
fn what_could_be_addressed_to_somebody_is_not_claimed_while_they_are_forgotten() {
    for (kind, before, now) in [
        ("contact-reminder", "mentor_user", "peer_mentor_id = (SELECT id FROM peer_mentors WHERE user_id = '{sam}')"),
        ("contact-escalation", "coordinator", "coordinator_id = '{sam}'"),
    ] {
        let Programme { database, mut client, sam, assignments, others } = programme();
        let before = if before == "coordinator" { others.coordinator } else { others.mentor_user };
        // Claimed once, and never answered for: the next claim logs it, under the address of whoever it goes to by then.
        run(
            &mut client,
            &format!(
                "INSERT INTO reminders (assignment_id, reminder_type, recipient_id, anchor, scheduled_for)
                 SELECT id, '{kind}', '{before}', last_contact_date::timestamp AT TIME ZONE 'UTC', '2026-02-20' FROM assignments WHERE id = '{1}';
                 SELECT claim_reminders(as_of => '2026-02-20');
                 UPDATE assignments SET {0} WHERE id = '{1}'",
                now.replace("{sam}", &sam.to_string()),
                assignments[2]
            ),
        );
        run(&mut client, "BEGIN");
        forget(&mut client, sam);
        let mut worker = database.connect();
        run(&mut worker, "SET lock_timeout = '2s'");
        assert_eq!(rows(&mut worker, &format!("SELECT * FROM claim_reminders(as_of => '{NOW}')")), [""; 0], "{kind}");
        run(&mut client, "COMMIT");
        assert_eq!(rows(&mut worker, &format!("SELECT * FROM claim_reminders(as_of => '{NOW}')")), [""; 0], "{kind}");
        assert_forgotten(&database);
    }
}

#[test]
fn many_are_forgotten_beside_runs_claims_answers_events_and_contacts_without_a_deadlock() {
    let database = Database::installed();
    let mut client = database.connect();
    let people: Vec<People> = (0..12).map(|_| People::new(&mut client)).collect();
    run(&mut client, "UPDATE users SET email = 'person.' || email");
    for person in &people {
        person.assignments(&mut client, "2026-01-01", 8);
    }
    run(&mut client, "SELECT count(*) FROM run_daily_evaluation('2026-02-01 12:00+00')");
    let sessions: Vec<_> = (0..4)
        .map(|number| {
            let mut session = database.connect();
            thread::spawn(move || {
                for round in 0..12 {
                    let day = format!("2026-0{}-{:02} 12:00+00", 3 + round / 6, 1 + 4 * (round % 6) + number);
                    run(
                        &mut session,
                        &format!(
                            "INSERT INTO activities (assignment_id, recorded_by, occurred_at) SELECT a.id, m.user_id, '2026-02-{:02}' FROM assignments a JOIN peer_mentors m ON m.id = a.peer_mentor_id WHERE a.title = '00000{}' ORDER BY a.id",
                            1 + round, 1 + (round + number) % 8
                        ),
                    );
                    run(&mut session, &format!("SELECT count(*) FROM run_daily_evaluation('{day}')"));
                    run(&mut session, &format!("CREATE TEMPORARY TABLE batch AS SELECT * FROM claim_reminders(20, as_of => '{day}')"));
                    run(
                        &mut session,
                        &format!("SELECT mark_reminder_sent(reminder_id, claim_id, 'm-' || reminder_id, as_of => '{day}') FROM batch WHERE reminder_id::text < '8';"),
                    );
                    run(
                        &mut session,
                        &format!("SELECT mark_reminder_failed(reminder_id, claim_id, '451 <' || recipient_email || '>', as_of => '{day}') FROM batch WHERE reminder_id::text >= '8'"),
                    );
                    for message in rows(&mut session, "SELECT 'm-' || reminder_id FROM batch WHERE reminder_id::text < '8' ORDER BY 1") {
                        let event = format!("SELECT record_delivery_event('{message}', 'bounced', '452 4.2.2 <person.x@example.org>', event_id => '{message}-{number}-{round}')");
                        // A reminder that another claim has taken since was not logged under this id.
                        let _ = session.batch_execute(&event);
                    }
                    run(&mut session, "DROP TABLE batch");
                }
            })
        })
        .collect();
    let mut forgotten = Vec::new();
    for person in &people {
        for user in [person.student, person.mentor_user, person.coordinator] {
            forgotten.push(user);
            run(&mut client, &format!("SELECT forget_person('{user}')"));
        }
    }
    for session in sessions {
        session.join().expect("a session without a deadlock");
    }
    for user in forgotten {
        assert!(forget(&mut client, user).ends_with("|0|0|0"), "nothing of theirs was logged since");
    }
    let dump = dump(&database);
    let left: Vec<&str> = dump.lines().filter(|line| line.contains("person.") && !line.contains("person.x@")).collect();
    assert_eq!(left, [""; 0]);
    assert_eq!(rows(&mut client, "SELECT * FROM verify_assignment_counts()"), [""; 0]);
    assert_eq!(rows(&mut client, "SELECT * FROM verify_contact_dates()"), [""; 0]);
}

// What is exported

fn exported(client: &mut Client, user: Uuid) -> Value {
    serde_json::from_str(&row(client, &format!("SELECT export_person('{user}')"))).expect("JSON")
}

#[test]
fn an_export_holds_every_row_about_a_person_with_the_columns_that_users_added() {
    let mut programme = programme();
    scatter(&mut programme);
    let Programme { database, mut client, sam, assignments, others } = programme;
    run(
        &mut client,
        &format!("ALTER TABLE users ADD COLUMN phone text; UPDATE users SET phone = '555' WHERE id = '{sam}'"),
    );
    let export = exported(&mut client, sam);
    assert_eq!(export["user"]["phone"], "555");
    assert_eq!(export["user"]["email"], "Sam.Student@Example.org");
    assert_eq!(export["preferences"]["daily_summary"], true);
    assert_eq!(export["peer_mentor"]["assignment_count"], 1);
    assert_eq!(export["addresses"], serde_json::json!(["sam.before@example.org", "sam.student@example.org"]));
    assert_eq!(export["assignments_as_student"][0]["id"], assignments[0].to_string());
    assert_eq!(export["assignments_as_mentor"][0]["id"], assignments[1].to_string());
    assert_eq!(export["assignments_as_coordinator"], serde_json::json!([]));
    assert_eq!(export["activities"].as_array().map(Vec::len), Some(2));
    assert_eq!(export["contact_corrections"][0]["reason"], "Sam Student was not there");
    let lengths = |key: &str| export[key].as_array().map(Vec::len);
    assert_eq!(lengths("reminders"), Some(5), "four as a student, one as a mentor: {:#}", export["reminders"]);
    // One each to the address of before and of now, one that failed, and two of an organization that is gone.
    assert_eq!(lengths("send_logs"), Some(5), "{:#}", export["send_logs"]);
    // What is not in it: others' people, and the messages to them.
    let text = export.to_string();
    for absent in ["mia@example.org", "cora@example.org", "olga@example.org", "Olga was well", "somebody@example.org"] {
        assert!(!text.contains(absent), "{absent}");
    }
    assert_eq!(
        exported(&mut client, others.coordinator)["assignments_as_coordinator"].as_array().map(Vec::len),
        Some(3)
    );

    forget(&mut client, sam);
    let after = exported(&mut client, sam);
    assert_eq!(after["addresses"], serde_json::json!([]));
    assert_eq!(after["preferences"], Value::Null);
    assert!(!after.to_string().to_lowercase().contains("sam"), "{after:#}");
    drop(database);
}
