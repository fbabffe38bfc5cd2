//! What people say by the token in their messages, what they mute, and who is told instead of a coordinator who cannot be.

use std::thread;

use postgres::Client;

use crate::support::{Database, People, assert_refused, pid, program, refused, row, rows, run, wait_until_blocked};

const NOW: &str = "2026-11-22 12:00+00";
/// Everything that docs/delivery.md grants to whoever serves the link, and no more.
const LINK: &str =
    "GRANT USAGE ON SCHEMA assignment_reminders TO {role}; GRANT EXECUTE ON FUNCTION unsubscribe TO {role}";

/// An assignment that has been silent since then.
fn silent_since(day: &str) -> (Database, Client, People) {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    people.assignment(&mut client, day);
    run(&mut client, "UPDATE reminder_settings SET escalation_grace_days = 0");
    (database, client, people)
}

fn token(client: &mut Client, name: &str) -> String {
    row(client, &format!("SELECT unsubscribe_token(id) FROM users WHERE name = '{name}'"))
}

/// The person's mutes, as if they had said so.
fn mute(client: &mut Client, name: &str, muted: &str) {
    let token = token(client, name);
    assert_eq!(row(client, &format!("SELECT unsubscribe('{token}', '{muted}')")), "t", "{muted}");
}

/// What a run on this day enqueues: what it does, to whom, and why that does not go out.
fn run_on(client: &mut Client, day: &str) -> Vec<String> {
    let run = format!(
        "SELECT e.action, u.name, e.skip_reason FROM run_daily_evaluation('{day} 12:00+00') AS e LEFT JOIN users u ON u.id = e.recipient_id"
    );
    rows(client, &run)
}

/// Whom a worker sends what is due on this day.
fn send_on(client: &mut Client, day: &str) -> Vec<String> {
    let claimed = rows(
        client,
        &format!(
            "SELECT reminder_id, claim_id, reminder_type, recipient_name FROM claim_reminders(as_of => '{day} 12:00+00')"
        ),
    );
    let sent = claimed.iter().map(|claimed| {
        let claimed: Vec<&str> = claimed.split('|').collect();
        run(
            client,
            &format!("SELECT mark_reminder_sent('{}', '{}', as_of => '{day} 12:00+00')", claimed[0], claimed[1]),
        );
        claimed[2..].join("|")
    });
    sent.collect()
}

/// What health says first.
fn health(client: &mut Client) -> String {
    run(client, "UPDATE evaluation_runs SET started_at = now(), finished_at = now()");
    row(client, "SELECT status, split_part(reasons[1], ';', 1) FROM evaluation_health()")
}

#[test]
fn whoever_has_the_token_opts_the_person_out_without_signing_in_and_nobody_else() {
    let (database, mut owner, _) = silent_since("2026-11-01");
    run_on(&mut owner, "2026-11-22");
    let token = token(&mut owner, "mentor");
    let (mut link, role) = database.connect_as_new_role(LINK);
    let (_, member) = database.connect_as_new_role("");
    run(&mut owner, &format!("SELECT enable_row_security('{member}')"));
    run(
        &mut owner,
        "ALTER TABLE users FORCE ROW LEVEL SECURITY; ALTER TABLE unsubscribe_tokens FORCE ROW LEVEL SECURITY",
    );
    run(
        &mut link,
        "SET search_path = ''; SET request.jwt.claims = '{\"sub\": \"af000000-0000-4000-8000-000000000001\"}'",
    );
    assert_eq!(
        refused(&mut link, "SELECT FROM assignment_reminders.users").sqlstate,
        "42501",
        "{role} may read nothing"
    );
    let unsubscribe = format!("SELECT assignment_reminders.unsubscribe('{token}')");
    assert_eq!([row(&mut link, &unsubscribe), row(&mut link, &unsubscribe)], ["t", "f"]);
    let opted_out = "SELECT name, contact_opt_out_reason FROM users WHERE contact_opt_out";
    assert_eq!(rows(&mut owner, opted_out), ["mentor|unsubscribed"]);
    assert_eq!(send_on(&mut owner, "2026-11-22"), [""; 0]);
    assert_eq!(rows(&mut owner, "SELECT skip_reason FROM reminders"), ["opted_out"]);
    // A reason of before stays.
    run(&mut owner, "UPDATE users SET contact_opt_out_reason = 'hard bounce'");
    assert_eq!(row(&mut link, &unsubscribe), "f");
    assert_eq!(rows(&mut owner, opted_out), ["mentor|hard bounce"]);
}

#[test]
fn a_token_mutes_one_type_and_nothing_else_once() {
    let (database, mut owner, people) = silent_since("2026-11-01");
    let token = token(&mut owner, "mentor");
    let (mut link, _) = database.connect_as_new_role(LINK);
    let say = |link: &mut Client, reminder_type: &str| {
        row(
            link,
            &format!("SELECT assignment_reminders.unsubscribe(token => '{token}', reminder_type => '{reminder_type}')"),
        )
    };
    assert_eq!([say(&mut link, "contact-reminder"), say(&mut link, "contact-reminder")], ["t", "f"]);
    assert_eq!(
        [say(&mut link, "24h"), say(&mut link, "2h"), say(&mut link, "due")],
        ["t", "f", "f"],
        "the reminders of due dates are one"
    );
    let muted = "SELECT p.muted_types FROM user_preferences p JOIN users u ON u.id = p.user_id WHERE u.name = 'mentor'";
    assert_eq!(row(&mut owner, muted), "{contact-reminder,due}");
    assert_eq!(row(&mut owner, "SELECT count(*) FROM users WHERE contact_opt_out"), "0");
    assert_eq!(
        row(&mut owner, "SELECT daily_summary FROM user_preferences"),
        "f",
        "what else is asked for stays as it was"
    );

    // A type of the programme's own, of a reminder that this person has.
    run(
        &mut owner,
        &format!(
            "INSERT INTO reminders (assignment_id, recipient_id, reminder_type, scheduled_for) SELECT id, '{}', 'welcome', now() FROM assignments",
            people.mentor_user
        ),
    );
    assert_eq!(say(&mut link, "welcome"), "f", "which due covers, as whatever is no other kind's");
    run(&mut owner, "UPDATE user_preferences SET muted_types = '{contact-reminder}'");
    assert_eq!(say(&mut link, "welcome"), "t");
    assert_eq!(row(&mut owner, muted), "{contact-reminder,welcome}");
    // What is muted by another name already is not new.
    for (first, then) in
        [("contact-escalation", "escalate"), ("escalate", "contact-escalation"), ("notice", "held-run")]
    {
        run(&mut owner, "UPDATE user_preferences SET muted_types = '{}'");
        assert_eq!([say(&mut link, first), say(&mut link, then)], ["t", "f"], "{first}, {then}");
        assert_eq!(row(&mut owner, muted), format!("{{{first}}}"));
    }
    run(&mut owner, "UPDATE user_preferences SET muted_types = '{}'");
    assert_eq!(
        [say(&mut link, "held-run"), say(&mut link, "notice")],
        ["t", "t"],
        "a kind is more than one of its types"
    );
}

#[test]
fn what_cannot_be_meant_is_refused_and_reveals_nothing() {
    let (database, mut owner, _) = silent_since("2026-11-01");
    let token = token(&mut owner, "mentor");
    let (mut link, _) = database.connect_as_new_role(LINK);
    run(&mut link, "SET search_path = assignment_reminders");
    for unknown in
        [String::new(), token[1..].to_string(), token.to_uppercase(), format!("{token} "), "'' OR true".to_string()]
    {
        for arguments in [format!("'{unknown}'"), format!("'{unknown}', 'nonsense'")] {
            let refusal = refused(&mut link, &format!("SELECT unsubscribe({arguments})"));
            assert_eq!(refusal.sqlstate, "02000", "{refusal:?}");
            assert!(!refusal.hint.is_empty() && !refusal.detail.is_empty());
            let told = format!("{refusal:?}");
            assert!(unknown.len() < 20 || !told.contains(&unknown), "no token in the log: {told}");
        }
    }
    for none in ["nonsense", "", "contact_reminder", "welcome", "24 hours"] {
        assert_refused(&mut link, &format!("SELECT unsubscribe('{token}', '{none}')"), "22023", none);
    }
    assert_refused(&mut link, "SELECT unsubscribe(NULL)", "22004", "token");
    assert_refused(&mut link, &format!("BEGIN READ ONLY; SELECT unsubscribe('{token}')"), "25006", "read-only");
    run(&mut link, "ROLLBACK");
    assert_eq!(row(&mut owner, "SELECT count(*) FROM user_preferences"), "0");
    assert_eq!(row(&mut owner, "SELECT count(*) FROM users WHERE contact_opt_out"), "0");
    assert_refused(
        &mut owner,
        "SELECT unsubscribe_token('00000000-0000-0000-0000-00000000000a')",
        "02000",
        "00000000-0000-0000-0000-00000000000a",
    );
    assert_refused(&mut owner, "SELECT unsubscribe_token(NULL)", "22004", "user_id");
}

#[test]
fn workers_read_tokens_and_members_do_not() {
    let (database, mut owner, people) = silent_since("2026-11-01");
    let (mut member, member_role) = database.connect_as_new_role("");
    let (mut worker, worker_role) = database.connect_as_new_role("");
    run(
        &mut owner,
        &format!(
            "UPDATE users SET auth_user_id = id; UPDATE users SET role = 'admin' WHERE id = '{}';
             GRANT ALL ON ALL TABLES IN SCHEMA assignment_reminders TO {member_role};
             SELECT enable_row_security('{member_role}', '{worker_role}')",
            people.coordinator
        ),
    );
    let ask = [
        format!("SELECT assignment_reminders.unsubscribe_token('{}')", people.student),
        format!("SELECT assignment_reminders.unsubscribe_tokens_of(ARRAY['{}']::uuid[])", people.student),
        "SELECT token FROM assignment_reminders.unsubscribe_tokens".to_string(),
    ];
    for person in [people.coordinator, people.student, people.mentor_user] {
        run(
            &mut member,
            &format!(
                "SET request.jwt.claims = '{{\"sub\": \"{person}\", \"organization_id\": \"00000000-0000-0000-0000-000000000001\"}}'"
            ),
        );
        for sql in &ask {
            assert_eq!(refused(&mut member, sql).sqlstate, "42501", "{person}: {sql}");
        }
    }
    let token = token(&mut owner, "student");
    assert_eq!(row(&mut worker, &ask[0]), token);
    let of = format!(
        "SELECT assignment_reminders.unsubscribe_tokens_of(ARRAY['{0}', NULL, '{1}', '{0}']::uuid[])",
        people.student, "00000000-0000-0000-0000-00000000000a"
    );
    assert_eq!(row(&mut worker, &of), format!("{{{token},NULL,NULL,{token}}}"));
    assert_eq!(row(&mut worker, &format!("SELECT assignment_reminders.unsubscribe('{token}')")), "t");
    assert_eq!(
        refused(&mut worker, "UPDATE assignment_reminders.unsubscribe_tokens SET token = DEFAULT").sqlstate,
        "42501"
    );
}

#[test]
fn everybody_has_a_token_however_they_came_and_it_goes_with_them() {
    let (database, mut client, people) = silent_since("2026-11-01");
    let (mut importer, _) = database.connect_as_new_role(
        "GRANT USAGE ON SCHEMA assignment_reminders TO {role}; GRANT SELECT, INSERT, UPDATE, DELETE ON users TO {role}",
    );
    let organization = "00000000-0000-0000-0000-000000000001";
    run(
        &mut importer,
        &format!(
            "INSERT INTO assignment_reminders.users (organization_id, email) SELECT '{organization}', n || '@example.org' FROM generate_series(1, 100) AS n;
             INSERT INTO assignment_reminders.users (organization_id, email) VALUES ('{organization}', '1@example.org'), ('{organization}', 'new@example.org')
                 ON CONFLICT (organization_id, email) DO UPDATE SET name = 'again'"
        ),
    );
    let mut copy = client.copy_in("COPY users (email) FROM STDIN").expect("copy");
    std::io::Write::write_all(&mut copy, b"copied@example.org\n").expect("a line");
    copy.finish().expect("copied");
    let without =
        "SELECT count(*) FROM users u WHERE NOT EXISTS (SELECT FROM unsubscribe_tokens t WHERE t.user_id = u.id)";
    assert_eq!(row(&mut client, without), "0");
    assert_eq!(
        row(
            &mut client,
            "SELECT count(*) = count(DISTINCT token), count(*), bool_and(token ~ '^[0-9a-f]{64}$') FROM unsubscribe_tokens"
        ),
        "t|105|t"
    );
    run(&mut importer, "DELETE FROM assignment_reminders.users WHERE email = '1@example.org'");
    assert_eq!(row(&mut client, "SELECT count(*) FROM unsubscribe_tokens"), "104");

    // Past the triggers.
    run(
        &mut client,
        "SET session_replication_role = replica; INSERT INTO users (organization_id, email) VALUES (default_organization(), 'replicated@example.org'); RESET session_replication_role",
    );
    assert_eq!(row(&mut client, without), "1");
    let installed = row(&mut client, "SELECT install()");
    assert!(installed.contains("1 people given tokens"), "{installed}");
    assert_eq!(row(&mut client, without), "0");
    assert!(row(&mut client, "SELECT install()").ends_with("nothing to do"));

    // A person who is moved keeps theirs, and a restored one.
    let before = token(&mut client, "student");
    run(
        &mut client,
        &format!(
            "DELETE FROM assignments; INSERT INTO organizations (id, name) VALUES ('00000000-0000-0000-0000-00000000000b', 'other');
             UPDATE users SET organization_id = '00000000-0000-0000-0000-00000000000b' WHERE id = '{}'",
            people.student
        ),
    );
    assert_eq!(token(&mut client, "student"), before);
    let restored = Database::empty();
    let file = format!("{}/{}.sql", std::env::temp_dir().display(), database.name);
    for (name, arguments) in [
        ("pg_dump", vec!["--file", file.as_str(), database.name.as_str()]),
        ("psql", vec!["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file", &file, &restored.name]),
    ] {
        let output = program(name).args(arguments).output().expect("the program starts");
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
    std::fs::remove_file(file).expect("the dump");
    assert_eq!(token(&mut restored.connect(), "student"), before);
}

#[test]
fn two_who_mute_at_once_are_both_heard() {
    let (database, mut client, _) = silent_since("2026-11-01");
    let token = token(&mut client, "mentor");
    for already in [false, true] {
        run(&mut client, "DELETE FROM user_preferences");
        if already {
            mute(&mut client, "mentor", "daily-summary");
        }
        let mut other = database.connect();
        let blocked = pid(&mut other);
        run(&mut client, &format!("BEGIN; SELECT unsubscribe('{token}', 'contact-reminder')"));
        let sql = format!("SELECT unsubscribe('{token}', 'due')");
        let second = thread::spawn(move || row(&mut other, &sql));
        wait_until_blocked(&mut database.connect(), blocked);
        run(&mut client, "COMMIT");
        assert_eq!(second.join().expect("the second"), "t");
        let muted = row(
            &mut client,
            "SELECT muted_types @> '{contact-reminder,due}', cardinality(muted_types) FROM user_preferences",
        );
        assert_eq!(muted, if already { "t|3" } else { "t|2" });
    }
}

#[test]
fn a_mentor_who_muted_reminders_counts_as_one_who_cannot_be_reached() {
    let (_database, mut client, _) = silent_since("2026-10-01");
    run_on(&mut client, "2026-10-15");
    mute(&mut client, "mentor", "contact-reminder");
    assert_eq!(send_on(&mut client, "2026-10-15"), [""; 0], "said after it was enqueued");
    assert_eq!(row(&mut client, "SELECT status, skip_reason FROM reminders"), "skipped|muted");
    assert_eq!(run_on(&mut client, "2026-10-16"), [""; 0], "and it is not enqueued again");
    assert_eq!(
        row(&mut client, "SELECT action FROM evaluate_assignment((SELECT id FROM assignments), '2026-10-29')"),
        "escalate"
    );
    assert_eq!(run_on(&mut client, "2026-10-29"), ["escalate|coordinator|-"], "silence never falls through");
    assert_eq!(send_on(&mut client, "2026-10-29"), ["contact-escalation|coordinator"]);

    // From the beginning.
    let (_database, mut client, _) = silent_since("2026-10-01");
    mute(&mut client, "mentor", "remind");
    assert_eq!(run_on(&mut client, "2026-10-15"), ["remind|mentor|muted"]);
    assert_eq!(run_on(&mut client, "2026-10-16"), [""; 0]);
    // Whoever takes it back is reminded.
    run(&mut client, "UPDATE user_preferences SET muted_types = '{}'");
    assert_eq!(run_on(&mut client, "2026-10-17"), ["remind|mentor|-"]);
    mute(&mut client, "mentor", "contact-reminder");
    send_on(&mut client, "2026-10-17");
    assert_eq!(run_on(&mut client, "2026-10-29"), ["escalate|coordinator|-"]);
}

#[test]
fn what_the_coordinator_cannot_be_told_goes_to_the_fallback_or_stays_visible() {
    for (cannot, reason) in [
        (
            "INSERT INTO user_preferences (user_id, muted_types) SELECT id, '{contact-escalation}' FROM users WHERE name = 'coordinator'",
            "muted",
        ),
        ("UPDATE users SET contact_opt_out = true WHERE name = 'coordinator'", "opted_out"),
        ("UPDATE users SET email = NULL WHERE name = 'coordinator'", "no_address"),
    ] {
        let (_database, mut client, _) = silent_since("2026-10-01");
        let fallback = People::new(&mut client).coordinator;
        run(&mut client, &format!("UPDATE users SET name = 'fallback' WHERE id = '{fallback}'"));
        run_on(&mut client, "2026-10-15");
        send_on(&mut client, "2026-10-15");
        assert_eq!(run_on(&mut client, "2026-10-29"), ["escalate|coordinator|-"]);
        run(&mut client, cannot);
        // At the claim: nobody is there instead.
        assert_eq!(send_on(&mut client, "2026-10-29"), [""; 0], "{reason}");
        assert_eq!(
            row(&mut client, "SELECT skip_reason FROM reminders WHERE reminder_type = 'contact-escalation'"),
            reason
        );
        assert_eq!(health(&mut client), "warning|escalations that reach nobody: 1", "{reason}");
        assert_eq!(run_on(&mut client, "2026-10-30"), [""; 0], "{reason}");
        assert_eq!(health(&mut client), "warning|escalations that reach nobody: 1", "{reason}: as long as it stands");
        // A fallback that cannot be reached either changes nothing.
        run(
            &mut client,
            &format!(
                "UPDATE reminder_settings SET fallback_coordinator_id = '{fallback}'; UPDATE users SET contact_opt_out = true WHERE id = '{fallback}'"
            ),
        );
        assert_eq!(run_on(&mut client, "2026-10-31"), [""; 0], "{reason}");
        // One that can is told.
        run(&mut client, &format!("SELECT restore_contact('{fallback}')"));
        assert_eq!(run_on(&mut client, "2026-11-01"), ["escalate|fallback|-"], "{reason}");
        assert_eq!(health(&mut client).split('|').next(), Some("ok"), "{reason}");
        assert_eq!(send_on(&mut client, "2026-11-01"), ["contact-escalation|fallback"], "{reason}");
    }
}

#[test]
fn an_escalation_that_failed_goes_to_the_fallback_in_another_episode_and_one_that_came_back_stays_visible() {
    let (_database, mut client, _) = silent_since("2026-10-01");
    let fallback = People::new(&mut client).coordinator;
    run(&mut client, &format!("UPDATE users SET name = 'fallback' WHERE id = '{fallback}'"));
    run_on(&mut client, "2026-10-15");
    send_on(&mut client, "2026-10-15");
    assert_eq!(run_on(&mut client, "2026-10-29"), ["escalate|coordinator|-"]);
    let dead = "SELECT record_delivery_failure(reminder_id, claim_id, 'recipient', '550 5.1.1 User unknown', as_of => '2026-10-29 12:00+00'),
                       idempotency_key
                  FROM claim_reminders(as_of => '2026-10-29 12:00+00')";
    let key = row(&mut client, dead).replace("t|", "");
    assert_eq!(health(&mut client), "warning|escalations that reach nobody: 1");
    assert_eq!(run_on(&mut client, "2026-10-30"), [""; 0]);
    run(&mut client, &format!("UPDATE reminder_settings SET fallback_coordinator_id = '{fallback}'"));
    assert_eq!(run_on(&mut client, "2026-10-31"), ["escalate|fallback|-"]);
    let claimed = row(
        &mut client,
        "SELECT recipient_name, idempotency_key, mark_reminder_sent(reminder_id, claim_id, '<back@example.org>', as_of => '2026-10-31 12:00+00')
           FROM claim_reminders(as_of => '2026-10-31 12:00+00')",
    );
    assert_eq!(claimed, format!("fallback|{key}-1|t"), "another person's message has another key");
    assert_eq!(run_on(&mut client, "2026-11-01"), [""; 0], "once");
    assert_eq!(health(&mut client).split('|').next(), Some("ok"));

    run(&mut client, "SELECT record_delivery_event('<back@example.org>', 'bounced', '550 5.1.1 User unknown')");
    assert_eq!(health(&mut client), "warning|escalations that reach nobody: 1", "it was sent, and came back");
    run(&mut client, &format!("SELECT restore_contact('{fallback}')"));
    assert_eq!(health(&mut client), "warning|escalations that reach nobody: 1", "nobody heard of it yet");
    // Whoever put the address right has it sent once more.
    run(
        &mut client,
        "UPDATE reminders SET status = 'pending', scheduled_for = now() WHERE reminder_type = 'contact-escalation'",
    );
    assert_eq!(row(&mut client, "SELECT mark_reminder_sent(reminder_id, claim_id) FROM claim_reminders()"), "t");
    assert_eq!(health(&mut client).split('|').next(), Some("ok"));
}

#[test]
fn a_claim_hands_an_escalation_to_the_fallback_also_for_a_worker_with_the_rights_of_before() {
    let (database, mut client, people) = silent_since("2026-10-01");
    let fallback = People::new(&mut client).coordinator;
    run(
        &mut client,
        &format!(
            "UPDATE users SET name = 'fallback' WHERE id = '{fallback}'; UPDATE reminder_settings SET fallback_coordinator_id = '{fallback}'"
        ),
    );
    let (_, role) = database.connect_as_new_role("");
    let script =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/worker/role.sql")).expect("role.sql");
    run(&mut client, &script.replace("reminder_worker", &role));
    let mut worker = database.connect_as(&role);
    run_on(&mut client, "2026-10-15");
    send_on(&mut worker, "2026-10-15");
    assert_eq!(run_on(&mut client, "2026-10-29"), ["escalate|coordinator|-"]);
    run(
        &mut client,
        &format!(
            "INSERT INTO user_preferences (user_id, muted_types) VALUES ('{}', '{{escalate}}')",
            people.coordinator
        ),
    );
    assert_eq!(send_on(&mut worker, "2026-10-29"), ["contact-escalation|fallback"]);
    assert_eq!(
        row(&mut client, "SELECT recipient_id FROM reminders WHERE reminder_type = 'contact-escalation'"),
        fallback.to_string(),
        "whom it went to is kept"
    );
}

#[test]
fn muted_due_reminders_and_summaries_are_not_enqueued_and_others_are() {
    let (_database, mut client, people) = silent_since("2026-11-22");
    run(
        &mut client,
        &format!(
            "UPDATE assignments SET due_at = '2026-11-23 12:00+00', created_at = '2026-01-01';
             INSERT INTO user_preferences (user_id, daily_summary, muted_types, created_at, updated_at)
             VALUES ('{}', true, '{{2h}}', '2026-01-01', '2026-01-01')",
            people.student
        ),
    );
    let enqueue = |client: &mut Client, at: &str| {
        rows(client, &format!("SELECT reminder_type FROM enqueue_due_reminders('{at}') ORDER BY 1"))
    };
    assert_eq!(enqueue(&mut client, NOW), ["24h"]);
    mute(&mut client, "student", "24h");
    assert_eq!(send_on(&mut client, "2026-11-22"), [""; 0]);
    assert_eq!(row(&mut client, "SELECT status, skip_reason FROM reminders"), "skipped|muted");
    assert_eq!(enqueue(&mut client, "2026-11-22 12:01+00"), [""; 0], "no claim skips it again");
    let set = |client: &mut Client, muted: &str| {
        run(
            client,
            &format!("UPDATE user_preferences SET muted_types = '{muted}', updated_at = '2026-01-01 00:00:01+00'"),
        );
    };
    set(&mut client, "{}");
    assert_eq!(enqueue(&mut client, "2026-11-22 12:02+00"), ["24h", "2h"], "and comes back when it is wanted");

    let summaries =
        |client: &mut Client| rows(client, &format!("SELECT recipient_id FROM enqueue_daily_summaries('{NOW}')"));
    set(&mut client, "{daily-summary}");
    assert_eq!(summaries(&mut client), [""; 0]);
    set(&mut client, "{due}");
    assert_eq!(summaries(&mut client).len(), 1);
    set(&mut client, "{summary}");
    run(&mut client, "DELETE FROM reminders WHERE reminder_type <> 'daily-summary'");
    assert_eq!(send_on(&mut client, "2026-11-22"), [""; 0]);
    assert_eq!(row(&mut client, "SELECT skip_reason FROM reminders"), "muted");
}

#[test]
fn who_is_written_to_again_goes_on_muting_what_they_muted() {
    let (_database, mut client, people) = silent_since("2026-10-01");
    mute(&mut client, "mentor", "contact-reminder");
    let token = token(&mut client, "mentor");
    run(&mut client, &format!("SELECT unsubscribe('{token}')"));
    assert_eq!(row(&mut client, &format!("SELECT restore_contact('{}')", people.mentor_user)), "t");
    assert_eq!(row(&mut client, "SELECT muted_types FROM user_preferences"), "{contact-reminder}");
    assert_eq!(run_on(&mut client, "2026-10-15"), ["remind|mentor|muted"]);
}

#[test]
fn whoever_is_forgotten_has_no_token_any_more_and_no_export_shows_one() {
    let (database, mut client, people) = silent_since("2026-10-01");
    mute(&mut client, "mentor", "contact-reminder");
    let token = token(&mut client, "mentor");
    let exported = row(&mut client, &format!("SELECT export_person('{}')", people.mentor_user));
    assert!(exported.contains("contact-reminder") && !exported.contains(&token), "{exported}");
    let forget = format!("SELECT user_preferences, unsubscribe_tokens FROM forget_person('{}')", people.mentor_user);
    // Said while the person is forgotten, it comes too late.
    let mut other = database.connect();
    let blocked = pid(&mut other);
    run(&mut client, "BEGIN");
    assert_eq!(row(&mut client, &forget), "1|1");
    let sql = format!("SELECT unsubscribe('{token}', 'due')");
    let late = thread::spawn(move || refused(&mut other, &sql).sqlstate);
    wait_until_blocked(&mut database.connect(), blocked);
    run(&mut client, "COMMIT");
    assert_eq!(late.join().expect("the late one"), "02000");
    assert_eq!(row(&mut client, &forget), "0|0");
    assert_eq!(row(&mut client, "SELECT count(*) FROM user_preferences"), "0");
}

#[test]
fn an_escalation_that_was_given_up_stays_visible() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    people.assignment(&mut client, "2026-11-01");
    run(
        &mut client,
        "INSERT INTO reminders (assignment_id, recipient_id, reminder_type, anchor, scheduled_for)
         SELECT id, coordinator_id, reminder_type_of('escalate'), '2026-11-01 00:00+00', '2026-11-22' FROM assignments",
    );
    let health = "SELECT array_to_string(reasons, ' ') LIKE '%escalation%' FROM evaluation_health()";
    assert_eq!(row(&mut client, health), "f");
    run(
        &mut client,
        "SELECT mark_reminder_failed(reminder_id, claim_id, '550 5.1.1 user unknown', true) FROM claim_reminders(as_of => '2026-11-22 12:00+00')",
    );
    assert_eq!(row(&mut client, health), "t");
}
