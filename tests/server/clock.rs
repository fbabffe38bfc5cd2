//! The clock of silences: days that do not count, pauses, handovers, grace; and what an assignment that leaves its day out gets.

use postgres::Client;
use uuid::Uuid;

use crate::support::{Database, People, assert_refused, row, rows, run};

const ORGANIZATION: &str = "00000000-0000-0000-0000-000000000001";

fn one_assignment(assigned_on: &str) -> (Database, Client, People, Uuid) {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    let assignment = people.assignment(&mut client, assigned_on);
    (database, client, people, assignment)
}

fn set(client: &mut Client, settings: &str) {
    run(client, &format!("UPDATE reminder_settings SET {settings}"));
}

/// What a run at noon of a day enqueues: action, calendar days, to whom, reason for not sending.
fn run_on(client: &mut Client, day: &str) -> Vec<String> {
    rows(
        client,
        &format!(
            "SELECT f.action, f.days_since, u.name, f.skip_reason FROM run_daily_evaluation('{day} 12:00+00') AS f LEFT JOIN users u ON u.id = f.recipient_id"
        ),
    )
}

/// Everything that waits is claimed and sent at noon of a day; the types of what was.
fn send_on(client: &mut Client, day: &str) -> Vec<String> {
    let claimed = format!("SELECT * FROM claim_reminders(as_of => '{day} 12:30+00')");
    rows(
        client,
        &format!(
            "SELECT c.reminder_type FROM ({claimed}) AS c
              WHERE mark_reminder_sent(c.reminder_id, c.claim_id, as_of => '{day} 12:31+00') ORDER BY 1"
        ),
    )
}

fn evaluated_on(client: &mut Client, assignment: Uuid, day: &str) -> String {
    row(client, &format!("SELECT action, days_since FROM evaluate_assignment('{assignment}', date '{day}')"))
}

fn assert_violates(client: &mut Client, sql: &str, constraint: &str) {
    let refusal = crate::support::refused(client, sql);
    assert!(refusal.sqlstate.starts_with("23") && refusal.message.contains(constraint), "{sql}: {refusal:?}");
}

/// The first day, of those from one on, on which a run would enqueue something.
fn first_due_day(client: &mut Client, from: &str) -> String {
    row(
        client,
        &format!(
            "SELECT min(day)::date FROM generate_series(timestamptz '{from} 12:00+00', timestamptz '{from} 12:00+00' + interval '90 days', interval '1 day') AS day
              WHERE EXISTS (SELECT FROM evaluate_assignments(day))"
        ),
    )
}

/// 2026-11-02 is a Monday.
#[test]
fn days_off_do_not_count_and_nothing_is_enqueued_on_them() {
    let (_database, mut client, _, assignment) = one_assignment("2026-11-02");
    set(&mut client, "reminder_after_days = 5");
    assert_eq!(first_due_day(&mut client, "2026-11-02"), "2026-11-07");
    set(&mut client, "weekly_days_off = '{6,7}'");
    assert_eq!(first_due_day(&mut client, "2026-11-02"), "2026-11-09", "Tuesday to Friday, and Monday");
    run(
        &mut client,
        "INSERT INTO days_off (first_day, last_day, reason) VALUES ('2026-11-04', '2026-11-05', 'exams'), ('2026-11-05', '2026-11-08', 'overlapping')",
    );
    assert_eq!(first_due_day(&mut client, "2026-11-02"), "2026-11-12", "Tuesday 3rd, and Monday to Thursday");
    assert_eq!(evaluated_on(&mut client, assignment, "2026-11-12"), "remind|10", "days_since are calendar days");
    for off in ["2026-11-14", "2026-11-15"] {
        assert_eq!(run_on(&mut client, off), [""; 0], "{off}");
        assert_eq!(evaluated_on(&mut client, assignment, off).split('|').next(), Some("none"), "{off}");
    }
    assert_eq!(run_on(&mut client, "2026-11-16"), ["remind|14|mentor|-"]);
    run(&mut client, "DELETE FROM days_off");
    set(&mut client, "weekly_days_off = '{}', follow_up_from = '2026-11-20', reminder_after_days = 3");
    run(&mut client, "DELETE FROM reminders");
    assert_eq!(first_due_day(&mut client, "2026-11-02"), "2026-11-22", "the 20th is the first that counts");
}

#[test]
fn another_organizations_days_off_are_not_ours() {
    let (_database, mut client, _, _) = one_assignment("2026-11-02");
    run(
        &mut client,
        "INSERT INTO organizations (id, name) VALUES ('00000000-0000-0000-0000-00000000000b', 'other');
         INSERT INTO days_off (organization_id, first_day, last_day) VALUES ('00000000-0000-0000-0000-00000000000b', '2026-01-01', '2026-12-31')",
    );
    assert_eq!(first_due_day(&mut client, "2026-11-02"), "2026-11-16");
}

#[test]
fn settings_that_cannot_be_are_refused_by_name() {
    let (_database, mut client, _, _) = one_assignment("2026-11-02");
    for (setting, constraint) in [
        ("weekly_days_off = '{1,2,3,4,5,6,7}'", "weekly_days_off_leave_a_day"),
        ("weekly_days_off = '{0}'", "weekly_days_off_leave_a_day"),
        ("weekly_days_off = '{8}'", "weekly_days_off_leave_a_day"),
        ("weekly_days_off = '{6,NULL}'", "weekly_days_off_leave_a_day"),
        ("escalation_grace_days = -1", "escalation_grace_days_in_range"),
        ("follow_up_from = 'infinity'", "follow_up_from_in_calendar"),
    ] {
        assert_violates(&mut client, &format!("UPDATE reminder_settings SET {setting}"), constraint);
    }
    let reversed = "INSERT INTO days_off (first_day, last_day) VALUES ('2026-11-05', '2026-11-04')";
    assert_violates(&mut client, reversed, "days_off_in_order");
}

/// A coordinator is told of no silence that was another mentor's to end.
#[test]
fn a_new_mentor_is_reminded_first_and_has_the_days_of_grace() {
    let (_database, mut client, people, assignment) = one_assignment("2026-10-01");
    let keys = |client: &mut Client| {
        row(client, "SELECT string_agg(r.episode::text, ' ' ORDER BY reminder_type) FROM reminders r")
    };
    assert_eq!(run_on(&mut client, "2026-10-15"), ["remind|14|mentor|-"]);
    assert_eq!(send_on(&mut client, "2026-10-15"), ["contact-reminder"]);
    assert_eq!(run_on(&mut client, "2026-10-28"), [""; 0]);
    assert_eq!(run_on(&mut client, "2026-10-29"), ["escalate|28|coordinator|-"]);
    let other = People::new(&mut client);
    run(
        &mut client,
        &format!(
            "UPDATE users SET name = 'new mentor' WHERE id = '{}'; UPDATE assignments SET peer_mentor_id = '{}' WHERE id = '{assignment}'",
            other.mentor_user, other.mentor
        ),
    );
    assert_eq!(send_on(&mut client, "2026-10-29"), [""; 0], "what waits is about the mentor before");
    assert_eq!(
        row(&mut client, "SELECT status, skip_reason FROM reminders WHERE reminder_type = 'contact-escalation'"),
        "skipped|new_mentor"
    );
    assert_eq!(evaluated_on(&mut client, assignment, "2026-10-30"), "remind|29");
    assert_eq!(run_on(&mut client, "2026-10-30"), ["remind|29|new mentor|-"]);
    assert_eq!(keys(&mut client), "0 1");
    let key = row(&mut client, "SELECT idempotency_key FROM claim_reminders(as_of => '2026-10-30 12:30+00')");
    assert!(key.ends_with("-1"), "a mailbox that had the first one takes this one, too: {key}");
    run(&mut client, "UPDATE reminders SET claim_id = NULL, claimed_until = NULL");
    assert_eq!(send_on(&mut client, "2026-10-30"), ["contact-reminder"]);
    for day in ["2026-10-31", "2026-11-01"] {
        assert_eq!(run_on(&mut client, day), [""; 0], "{day}");
    }
    assert_eq!(run_on(&mut client, "2026-11-02"), ["escalate|32|coordinator|-"], "three days later");
    assert_eq!(send_on(&mut client, "2026-11-02"), ["contact-escalation"]);
    assert_eq!(run_on(&mut client, "2026-12-01"), [""; 0], "once");
    // Back to the first mentor: reminded anew, since the other was reminded last.
    run(&mut client, &format!("UPDATE assignments SET peer_mentor_id = '{}'", people.mentor));
    assert_eq!(run_on(&mut client, "2026-12-02"), ["remind|62|mentor|-"]);
}

#[test]
fn a_mentor_who_is_replaced_before_the_claim_is_not_the_one_who_is_reminded() {
    let (_database, mut client, _, _) = one_assignment("2026-10-01");
    run_on(&mut client, "2026-10-15");
    let other = People::new(&mut client);
    run(&mut client, &format!("UPDATE assignments SET peer_mentor_id = '{}'", other.mentor));
    assert_eq!(send_on(&mut client, "2026-10-15"), ["contact-reminder"]);
    assert_eq!(
        row(&mut client, "SELECT recipient_id, peer_mentor_id FROM reminders"),
        format!("{}|{}", other.mentor_user, other.mentor)
    );
    assert_eq!(run_on(&mut client, "2026-10-16"), [""; 0], "they have been");
    assert_eq!(run_on(&mut client, "2026-10-29"), ["escalate|28|coordinator|-"]);
}

#[test]
fn a_worker_who_answers_for_the_mentor_before_does_not_answer_for_the_new_one() {
    let (_database, mut client, _, _) = one_assignment("2026-10-01");
    run_on(&mut client, "2026-10-15");
    run(&mut client, "CREATE TEMPORARY TABLE held AS SELECT * FROM claim_reminders(as_of => '2026-10-15 12:30+00')");
    let other = People::new(&mut client);
    run(&mut client, &format!("UPDATE assignments SET peer_mentor_id = '{}'", other.mentor));
    assert_eq!(run_on(&mut client, "2026-10-16").len(), 1);
    let answer = "SELECT mark_reminder_sent(reminder_id, claim_id, as_of => '2026-10-16 12:01+00') FROM held";
    assert_eq!(row(&mut client, answer), "f");
    assert_eq!(send_on(&mut client, "2026-10-16"), ["contact-reminder"]);
    // What comes back for the same mentor and silence is the same message: its key, and who is sending it, stay.
    run(&mut client, "UPDATE reminders SET status = 'pending', sent_at = NULL, attempts = 0");
    run(
        &mut client,
        "DROP TABLE held; CREATE TEMPORARY TABLE held AS SELECT * FROM claim_reminders(as_of => '2026-10-17 12:30+00')",
    );
    run(
        &mut client,
        "INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-10-16 12:00+00' FROM assignments; DELETE FROM activities",
    );
    assert_eq!(run_on(&mut client, "2026-10-18").len(), 1);
    let key = "SELECT held.idempotency_key = c.idempotency_key FROM held, claim_reminders(as_of => '2026-10-19 12:30+00') AS c";
    let answer = "SELECT mark_reminder_sent(reminder_id, claim_id, as_of => '2026-10-18 12:01+00') FROM held";
    assert_eq!(row(&mut client, &format!("BEGIN; {key}")), "t");
    run(&mut client, "ROLLBACK");
    assert_eq!(row(&mut client, answer), "t");
}

#[test]
fn a_mentor_who_comes_after_an_escalation_about_none_is_reminded_and_told_of_in_their_turn() {
    let (_database, mut client, people, _) = one_assignment("2026-10-01");
    run(&mut client, "UPDATE assignments SET peer_mentor_id = NULL");
    assert_eq!(run_on(&mut client, "2026-10-29"), ["escalate|28|coordinator|-"], "nobody waits for nobody");
    assert_eq!(send_on(&mut client, "2026-10-29"), ["contact-escalation"]);
    run(&mut client, &format!("UPDATE assignments SET peer_mentor_id = '{}'", people.mentor));
    assert_eq!(run_on(&mut client, "2026-10-30"), ["remind|29|mentor|-"]);
    assert_eq!(send_on(&mut client, "2026-10-30"), ["contact-reminder"]);
    assert_eq!(run_on(&mut client, "2026-11-02"), ["escalate|32|coordinator|-"]);
    assert_eq!(send_on(&mut client, "2026-11-02"), ["contact-escalation"]);
    // Who goes is no new mentor, and neither is who comes back.
    run(&mut client, "UPDATE assignments SET peer_mentor_id = NULL");
    assert_eq!(run_on(&mut client, "2026-11-03"), [""; 0]);
    run(&mut client, &format!("UPDATE assignments SET peer_mentor_id = '{}'", people.mentor));
    assert_eq!(run_on(&mut client, "2026-11-04"), [""; 0]);
}

#[test]
fn a_mentor_who_was_away_from_an_assignment_while_it_was_escalated_comes_back_to_silence() {
    let (_database, mut client, people, _) = one_assignment("2026-10-01");
    run_on(&mut client, "2026-10-15");
    send_on(&mut client, "2026-10-15");
    run(&mut client, "UPDATE assignments SET peer_mentor_id = NULL");
    assert_eq!(run_on(&mut client, "2026-10-29"), ["escalate|28|coordinator|-"]);
    assert_eq!(send_on(&mut client, "2026-10-29"), ["contact-escalation"]);
    run(&mut client, &format!("UPDATE assignments SET peer_mentor_id = '{}'", people.mentor));
    assert_eq!(run_on(&mut client, "2026-10-30"), [""; 0], "they were reminded, and the coordinator was told");
}

#[test]
fn a_handover_undone_at_once_leaves_nothing_of_another_mentors_absence() {
    let (_database, mut client, people, assignment) = one_assignment("2026-01-01");
    run(&mut client, "SET timezone = UTC; UPDATE assignments SET assigned_on = current_date - 20");
    let away = People::new(&mut client);
    run(
        &mut client,
        &format!(
            "INSERT INTO mentor_pauses (peer_mentor_id, paused_from) VALUES ('{}', current_date - 300)",
            away.mentor
        ),
    );
    for mentor in [away.mentor, people.mentor] {
        run(&mut client, &format!("UPDATE assignments SET peer_mentor_id = '{mentor}'"));
    }
    assert_eq!(rows(&mut client, "SELECT * FROM assignment_pauses"), [""; 0]);
    assert_eq!(row(&mut client, &format!("SELECT * FROM evaluate_assignment('{assignment}')")), "remind|20");
    // While it is theirs, it is paused from the day on which they took it over.
    run(&mut client, &format!("UPDATE assignments SET peer_mentor_id = '{}'", away.mentor));
    assert_eq!(row(&mut client, &format!("SELECT * FROM evaluate_assignment('{assignment}')")), "none|20");
    run(&mut client, "UPDATE mentor_pauses SET paused_until = current_date - 1");
    assert_eq!(row(&mut client, &format!("SELECT * FROM evaluate_assignment('{assignment}')")), "remind|20");
}

#[test]
fn an_assignment_that_is_open_is_followed_up_whoever_opened_it() {
    let (_database, mut client, _, assignment) = one_assignment("2026-01-01");
    run(
        &mut client,
        "CREATE FUNCTION public.reopen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             UPDATE assignment_reminders.assignments SET status = 'open' WHERE id = NEW.id AND status = 'paused'; RETURN NULL; END $$;
         CREATE TRIGGER aa AFTER UPDATE OF status ON assignments FOR EACH ROW EXECUTE FUNCTION public.reopen();
         UPDATE assignments SET status = 'paused'",
    );
    assert_eq!(row(&mut client, "SELECT status, (SELECT count(*) FROM assignment_pauses) FROM assignments"), "open|0");
    run(
        &mut client,
        "DROP TRIGGER aa ON assignments; UPDATE assignments SET status = 'paused'; SET session_replication_role = replica",
    );
    run(&mut client, "UPDATE assignments SET status = 'open'; RESET session_replication_role");
    assert_eq!(row(&mut client, "SELECT count(*) FROM assignment_pauses"), "1");
    assert!(evaluated_on(&mut client, assignment, "2027-06-01").starts_with("remind"));
}

#[test]
fn a_nightly_sync_that_knows_no_day_leaves_it_as_it_is() {
    let (_database, mut client, _, _) = one_assignment("2026-01-01");
    run(
        &mut client,
        "INSERT INTO assignments (id, title, student_id, peer_mentor_id, assigned_on) SELECT id, title, student_id, peer_mentor_id, NULL FROM assignments
             ON CONFLICT (id) DO UPDATE SET title = EXCLUDED.title, assigned_on = EXCLUDED.assigned_on",
    );
    assert_eq!(row(&mut client, "SELECT assigned_on FROM assignments"), "2026-01-01");
}

#[test]
fn what_waits_is_not_sent_once_the_assignment_is_not_followed_up() {
    let (_database, mut client, _, _) = one_assignment("2026-10-01");
    run_on(&mut client, "2026-10-15");
    run(&mut client, "UPDATE assignments SET follow_up = false");
    assert_eq!(send_on(&mut client, "2026-10-15"), [""; 0]);
    assert_eq!(row(&mut client, "SELECT status, skip_reason FROM reminders"), "skipped|not_followed_up");
    run(&mut client, "UPDATE assignments SET follow_up = true");
    assert_eq!(run_on(&mut client, "2026-10-16"), ["remind|15|mentor|-"]);
}

#[test]
fn two_records_of_one_mentor_are_made_one_and_nobody_is_reminded_again() {
    let (_database, mut client, people, _) = one_assignment("2026-10-01");
    run_on(&mut client, "2026-10-15");
    send_on(&mut client, "2026-10-15");
    let other = People::new(&mut client);
    run(
        &mut client,
        &format!("SELECT pause_mentor('{}', '2026-10-20', as_of => '2026-10-20 12:00+00')", people.mentor),
    );
    let merge = |from, into| format!("SELECT merge_peer_mentors('{from}', '{into}')");
    assert_eq!(row(&mut client, &merge(people.mentor, other.mentor)), "1");
    assert_eq!(row(&mut client, "SELECT id, assignment_count FROM peer_mentors"), format!("{}|1", other.mentor));
    assert_eq!(row(&mut client, "SELECT count(*) FROM verify_assignment_counts()"), "0");
    assert_eq!(
        row(&mut client, "SELECT peer_mentor_id, recipient_id, status FROM reminders"),
        format!("{}|{}|sent", other.mentor, other.mentor_user)
    );
    assert_eq!(
        row(&mut client, "SELECT (SELECT count(*) FROM mentor_pauses), (SELECT count(*) FROM assignment_pauses)"),
        "1|0"
    );
    run(&mut client, &format!("DELETE FROM users WHERE id = '{}'", people.mentor_user));
    assert_eq!(run_on(&mut client, "2026-10-29"), [""; 0], "28 days, one of them away");
    assert_eq!(run_on(&mut client, "2026-10-30"), ["escalate|29|coordinator|-"], "they have been reminded");
    for (from, into, sqlstate) in [
        (people.mentor, other.mentor, "02000"),
        (other.mentor, people.mentor, "02000"),
        (other.mentor, other.mentor, "22023"),
    ] {
        assert_eq!(crate::support::refused(&mut client, &merge(from, into)).sqlstate, sqlstate);
    }
    run(&mut client, "INSERT INTO organizations (id, name) VALUES ('00000000-0000-0000-0000-00000000000b', 'other')");
    let theirs = People::in_organization(&mut client, "00000000-0000-0000-0000-00000000000b");
    assert_refused(&mut client, &merge(other.mentor, theirs.mentor), "22023", "cannot be made one");
}

#[test]
fn the_first_run_after_an_import_reminds_and_gives_mentors_their_days() {
    let (_database, mut client, people, _) = one_assignment("2026-01-01");
    people.assignments(&mut client, "2026-01-01", 20);
    assert_eq!(run_on(&mut client, "2026-11-22").len(), 21);
    assert_eq!(send_on(&mut client, "2026-11-22").len(), 21);
    for day in ["2026-11-22", "2026-11-23", "2026-11-24"] {
        assert_eq!(run_on(&mut client, day), [""; 0], "{day}");
    }
    assert_eq!(run_on(&mut client, "2026-11-25").len(), 21);
}

#[test]
fn who_has_no_coordinator_is_told_of_to_the_fallback_and_health_warns_while_nobody_is() {
    let (_database, mut client, people, _) = one_assignment("2026-10-01");
    run(&mut client, "UPDATE assignments SET coordinator_id = NULL");
    run_on(&mut client, "2026-10-15");
    send_on(&mut client, "2026-10-15");
    assert_eq!(run_on(&mut client, "2026-10-29"), ["escalate|28|-|no_coordinator"]);
    let health = |client: &mut Client| {
        run(client, "UPDATE evaluation_runs SET started_at = now(), finished_at = now()");
        row(client, "SELECT status, split_part(reasons[1], ';', 1) FROM evaluation_health()")
    };
    assert_eq!(health(&mut client), "warning|escalations that reach nobody: 1");
    assert_eq!(run_on(&mut client, "2026-10-30"), [""; 0]);
    assert_eq!(health(&mut client), "warning|escalations that reach nobody: 1", "on the second day as on the first");
    set(&mut client, "escalate_after_days = NULL");
    assert_eq!(health(&mut client).split('|').next(), Some("ok"), "where nobody is to be told, nobody is missing");
    set(&mut client, "escalate_after_days = 28");
    assert_eq!(
        row(&mut client, "SELECT status FROM organization_health()"),
        "warning",
        "and so does the organization's own"
    );
    let fallback = People::new(&mut client).coordinator;
    run(&mut client, &format!("UPDATE users SET name = 'fallback' WHERE id = '{fallback}'"));
    set(&mut client, &format!("fallback_coordinator_id = '{fallback}'"));
    assert_eq!(run_on(&mut client, "2026-10-31"), ["escalate|30|fallback|-"]);
    assert_eq!(health(&mut client).split('|').next(), Some("ok"));
    // A coordinator of its own comes first, up to the claim.
    run(&mut client, &format!("UPDATE assignments SET coordinator_id = '{}'", people.coordinator));
    send_on(&mut client, "2026-10-31");
    let told = "SELECT recipient_id FROM reminders WHERE reminder_type = 'contact-escalation'";
    assert_eq!(row(&mut client, told), people.coordinator.to_string());
    // Whose fallback is deleted has none.
    run(&mut client, &format!("DELETE FROM users WHERE id = '{fallback}'"));
    assert_eq!(row(&mut client, "SELECT fallback_coordinator_id FROM reminder_settings"), "-");
    let foreign = "INSERT INTO organizations (id, name) VALUES ('00000000-0000-0000-0000-00000000000b', 'other')";
    run(&mut client, foreign);
    let theirs = People::in_organization(&mut client, "00000000-0000-0000-0000-00000000000b").coordinator;
    let refused = format!(
        "UPDATE reminder_settings SET fallback_coordinator_id = '{theirs}' WHERE organization_id = '{ORGANIZATION}'"
    );
    assert_violates(&mut client, &refused, "reminder_settings_fallback_coordinator_fkey");
}

#[test]
fn what_never_had_mentor_or_coordinator_is_not_followed_up_and_what_lost_both_is() {
    let (_database, mut client, people, lost) = one_assignment("2026-10-01");
    let homework = row(
        &mut client,
        &format!(
            "INSERT INTO assignments (title, student_id, assigned_on) VALUES ('homework', '{}', '2026-10-01') RETURNING id",
            people.student
        ),
    );
    run(
        &mut client,
        &format!("UPDATE assignments SET peer_mentor_id = NULL, coordinator_id = NULL WHERE id = '{lost}'"),
    );
    let flags = "SELECT string_agg(follow_up::text, ' ' ORDER BY title) FROM assignments";
    assert_eq!(row(&mut client, flags), "true false");
    assert_eq!(run_on(&mut client, "2026-10-29"), ["escalate|28|-|no_coordinator"], "the one that lost both");
    assert_eq!(evaluated_on(&mut client, homework.parse().expect("an id"), "2026-10-29"), "none|28");
    // Written back whole, each stays what it is.
    for id in [&homework, &lost.to_string()] {
        run(
            &mut client,
            &format!(
                "INSERT INTO assignments SELECT a.* FROM assignments a WHERE id = '{id}'
                     ON CONFLICT (id) DO UPDATE SET follow_up = EXCLUDED.follow_up, title = EXCLUDED.title"
            ),
        );
    }
    assert_eq!(row(&mut client, flags), "true false");
    // From the moment it has one.
    run(
        &mut client,
        &format!("UPDATE assignments SET coordinator_id = '{}' WHERE id = '{homework}'", people.coordinator),
    );
    assert_eq!(row(&mut client, flags), "true true");
    // Due dates only, by its writer's word.
    run(&mut client, &format!("UPDATE assignments SET follow_up = false WHERE id = '{homework}'"));
    assert_eq!(row(&mut client, flags), "true false");
}

#[test]
fn where_mentors_are_not_reminded_the_coordinator_is_told_of_nobody_who_was_not() {
    let (_database, mut client, _, _) = one_assignment("2026-01-01");
    set(&mut client, "reminder_after_days = NULL");
    assert_eq!(run_on(&mut client, "2026-11-22"), [""; 0]);
    run(&mut client, "UPDATE users SET contact_opt_out = true WHERE name = 'mentor'");
    assert_eq!(run_on(&mut client, "2026-11-22"), [""; 0], "nor where they cannot be");
}

#[test]
fn a_silence_begins_no_earlier_than_the_assignment_whenever_an_old_call_is_entered() {
    let (_database, mut client, _, assignment) = one_assignment("2026-11-17");
    run(
        &mut client,
        &format!("INSERT INTO activities (assignment_id, occurred_at) VALUES ('{assignment}', '2026-10-13 12:00+00')"),
    );
    assert_eq!(evaluated_on(&mut client, assignment, "2026-11-22"), "none|5");
    assert_eq!(run_on(&mut client, "2026-11-22"), [""; 0]);
    assert_eq!(run_on(&mut client, "2026-12-01"), ["remind|14|mentor|-"]);
    // Nor does it end one: what waits goes on waiting, and what was sent stays sent.
    run(
        &mut client,
        &format!("INSERT INTO activities (assignment_id, occurred_at) VALUES ('{assignment}', '2026-10-14 12:00+00')"),
    );
    assert_eq!(send_on(&mut client, "2026-12-01"), ["contact-reminder"]);
    run(
        &mut client,
        &format!("INSERT INTO activities (assignment_id, occurred_at) VALUES ('{assignment}', '2026-10-15 12:00+00')"),
    );
    assert_eq!(run_on(&mut client, "2026-12-02"), [""; 0]);
    let read = "SELECT days_since FROM evaluate_assignment((SELECT id FROM assignments), date '2026-12-02')";
    assert_eq!(row(&mut client, read), "15");
}

/// Auckland and Kiritimati are ahead of UTC, Pago Pago is behind it.
#[test]
fn an_assignment_that_leaves_its_day_out_gets_its_organizations_whatever_the_sessions() {
    let database = Database::installed();
    let mut client = database.connect();
    for (number, zone) in
        [(1, "Pacific/Kiritimati"), (2, "Pacific/Pago_Pago"), (3, "Pacific/Auckland"), (4, "Europe/Oslo")]
    {
        let organization = format!("00000000-0000-0000-0000-0000000000a{number}");
        run(
            &mut client,
            &format!("INSERT INTO organizations (id, name, timezone) VALUES ('{organization}', '{zone}', '{zone}')"),
        );
        let people = People::in_organization(&mut client, &organization);
        for session in ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"] {
            run(&mut client, &format!("SET timezone = '{session}'"));
            for day in ["", "NULL", "DEFAULT"] {
                let (column, value) =
                    if day.is_empty() { ("", String::new()) } else { (", assigned_on", format!(", {day}")) };
                run(
                    &mut client,
                    &format!(
                        "INSERT INTO assignments (organization_id, title, student_id{column}) VALUES ('{organization}', '{zone}', '{}'{value})",
                        people.student
                    ),
                );
            }
        }
    }
    // Many at once, of all organizations.
    run(
        &mut client,
        "INSERT INTO assignments (organization_id, title, student_id) SELECT organization_id, title, student_id FROM assignments",
    );
    assert_eq!(
        row(
            &mut client,
            "SELECT count(*), bool_and(assigned_on = (now() AT TIME ZONE o.timezone)::date) FROM assignments a JOIN organizations o ON o.id = a.organization_id"
        ),
        "72|t"
    );
    let unknown = "INSERT INTO assignments (organization_id, title, student_id) SELECT '00000000-0000-0000-0000-0000000000ff', 'x', student_id FROM assignments LIMIT 1";
    assert_eq!(
        crate::support::refused(&mut client, unknown).sqlstate,
        "23502",
        "without an organization there is no day"
    );
}

#[test]
fn a_pause_stops_the_clock_from_its_first_day_to_its_last() {
    let (_database, mut client, _, assignment) = one_assignment("2026-11-01");
    let paused = row(
        &mut client,
        &format!("SELECT pause_assignment('{assignment}', '2026-11-20', ' ill ', as_of => '2026-11-11 12:00+00')"),
    );
    assert_eq!(
        row(&mut client, "SELECT id, paused_from, paused_until, cause, reason FROM assignment_pauses"),
        format!("{paused}|2026-11-11|2026-11-20|pause|ill")
    );
    assert_eq!(first_due_day(&mut client, "2026-11-01"), "2026-11-25", "ten days later than the 15th");
    assert_eq!(row(&mut client, "SELECT status FROM assignments"), "open");
    // Longer, by the same row.
    let again = format!("SELECT pause_assignment('{assignment}', NULL, as_of => '2026-11-20 12:00+00')");
    assert_eq!(row(&mut client, &again), paused);
    assert_eq!(first_due_day(&mut client, "2026-11-01"), "-", "until further notice");
    let resume = |day: &str| format!("SELECT resume_assignment('{assignment}', as_of => '{day} 12:00+00')");
    assert_eq!(row(&mut client, &resume("2026-11-23")), "t");
    assert_eq!(row(&mut client, "SELECT paused_until, reason FROM assignment_pauses"), "2026-11-22|ill");
    assert_eq!(first_due_day(&mut client, "2026-11-01"), "2026-11-27");
    assert_eq!(row(&mut client, &resume("2026-11-23")), "f", "it is not paused any more");
    // One that is taken back on its first day was none.
    run(&mut client, &format!("SELECT pause_assignment('{assignment}', as_of => '2026-11-25 12:00+00')"));
    assert_eq!(row(&mut client, &resume("2026-11-25")), "t");
    assert_eq!(row(&mut client, "SELECT count(*) FROM assignment_pauses"), "1");
}

#[test]
fn what_waits_when_a_pause_begins_is_skipped_and_comes_back_with_the_counted_days() {
    let (_database, mut client, _, assignment) = one_assignment("2026-11-01");
    run(&mut client, &format!("UPDATE assignments SET due_at = '2026-11-16 12:00+00' WHERE id = '{assignment}'"));
    assert_eq!(run_on(&mut client, "2026-11-15"), ["remind|14|mentor|-"]);
    run(&mut client, "SELECT enqueue_due_reminders('2026-11-15 12:00+00')");
    run(&mut client, &format!("SELECT pause_assignment('{assignment}', '2026-11-17', as_of => '2026-11-15 12:00+00')"));
    assert_eq!(send_on(&mut client, "2026-11-15"), ["24h"], "due dates are reminded of");
    let reminder = "SELECT status, skip_reason FROM reminders WHERE reminder_type = 'contact-reminder'";
    assert_eq!(row(&mut client, reminder), "skipped|paused");
    for day in ["2026-11-16", "2026-11-17"] {
        assert_eq!(run_on(&mut client, day), [""; 0], "{day}");
    }
    // Ten days until the pause, and then one each.
    assert_eq!(run_on(&mut client, "2026-11-18"), ["remind|17|mentor|-"], "13 days before it, and this one");
    assert_eq!(send_on(&mut client, "2026-11-18"), ["contact-reminder"]);
}

#[test]
fn a_pause_is_refused_where_it_cannot_be() {
    let (_database, mut client, _, assignment) = one_assignment("2026-11-01");
    let pause = |arguments: &str| format!("SELECT pause_assignment({arguments})");
    for (call, sqlstate, what) in [
        (pause("'00000000-0000-0000-0000-00000000dead'"), "02000", "00000000-0000-0000-0000-00000000dead"),
        (pause("NULL"), "22004", "assignment_id"),
        (pause(&format!("'{assignment}', as_of => NULL")), "22004", "as_of"),
        (pause(&format!("'{assignment}', as_of => 'infinity'")), "22008", "as_of"),
        (pause(&format!("'{assignment}', '2026-11-10', as_of => '2026-11-11 12:00+00'")), "22023", "2026-11-11"),
        ("SELECT resume_assignment('00000000-0000-0000-0000-00000000dead')".to_string(), "02000", "dead"),
        ("SELECT resume_assignment(NULL)".to_string(), "22004", "assignment_id"),
    ] {
        assert_refused(&mut client, &call, sqlstate, what);
    }
    assert_eq!(crate::support::refused(&mut client, &pause(&format!("'{assignment}', 'infinity'"))).sqlstate, "23514");
    // What is paused, claims look up with the owner's rights, and nobody else does.
    let peek = format!("SELECT paused_among(ARRAY['{assignment}']::uuid[], now())");
    assert_refused(&mut client, &peek, "42501", "claims and runs alone");
}

#[test]
fn a_mentor_who_is_away_pauses_all_that_is_theirs_and_a_new_one_begins_where_they_left() {
    let (_database, mut client, people, assignment) = one_assignment("2026-11-01");
    let pause = |until: &str, day: &str| {
        format!("SELECT pause_mentor('{}', {until}, 'holiday', as_of => '{day} 12:00+00')", people.mentor)
    };
    let id = row(&mut client, &pause("'2026-11-20'", "2026-11-11"));
    assert_eq!(
        row(&mut client, "SELECT id, paused_from, paused_until, reason FROM mentor_pauses"),
        format!("{id}|2026-11-11|2026-11-20|holiday")
    );
    // Also what they get meanwhile.
    people.assignment(&mut client, "2026-11-12");
    let due = "SELECT string_agg(DISTINCT day::date::text, ' ' ORDER BY day::date::text) FROM assignments a,
               LATERAL (SELECT min(day) FROM generate_series(timestamptz '2026-11-01 12:00+00', '2027-01-01', interval '1 day') AS day
                         WHERE EXISTS (SELECT FROM evaluate_assignments(day) AS f WHERE f.assignment_id = a.id)) AS first (day)";
    assert_eq!(row(&mut client, due), "2026-11-25 2026-12-04");
    let resume = |day: &str| format!("SELECT resume_mentor('{}', as_of => '{day} 12:00+00')", people.mentor);
    assert_eq!(row(&mut client, &resume("2026-11-16")), "t");
    assert_eq!(row(&mut client, &resume("2026-11-16")), "f");
    assert_eq!(row(&mut client, due), "2026-11-20 2026-11-29");
    for (call, sqlstate, what) in [
        ("SELECT pause_mentor('00000000-0000-0000-0000-00000000dead')".to_string(), "02000", "dead"),
        ("SELECT resume_mentor('00000000-0000-0000-0000-00000000dead')".to_string(), "02000", "dead"),
        ("SELECT pause_mentor(NULL)".to_string(), "22004", "peer_mentor_id"),
        (pause("'2026-11-10'", "2026-11-11"), "22023", "2026-11-11"),
    ] {
        assert_refused(&mut client, &call, sqlstate, what);
    }
    // What waits is skipped, and claims know it without a right on these tables.
    run(&mut client, "DELETE FROM mentor_pauses");
    assert_eq!(run_on(&mut client, "2026-11-20").len(), 1);
    row(&mut client, &pause("NULL", "2026-11-20"));
    assert_eq!(send_on(&mut client, "2026-11-20"), [""; 0]);
    assert_eq!(row(&mut client, "SELECT status, skip_reason FROM reminders"), "skipped|paused");
    assert_eq!(run_on(&mut client, "2026-11-21"), [""; 0]);
    // A handover, of today's: the days until yesterday stay with the assignment.
    run(
        &mut client,
        "SET timezone = UTC; UPDATE mentor_pauses SET paused_from = current_date - 10; UPDATE assignments SET assigned_on = current_date - 20",
    );
    let other = People::new(&mut client);
    run(&mut client, &format!("UPDATE assignments SET peer_mentor_id = '{}' WHERE id = '{assignment}'", other.mentor));
    assert_eq!(
        row(
            &mut client,
            "SELECT paused_from - current_date, paused_until - current_date, cause FROM assignment_pauses"
        ),
        "-10|-1|leave"
    );
    let first = format!(
        "SELECT min(day) FROM generate_series(0, 30) AS day WHERE (evaluate_assignment('{assignment}', current_date + day)).action = 'remind'"
    );
    assert_eq!(row(&mut client, &first), "4", "of 20 days, ten counted, and today does");
    // Also where the mentor goes altogether.
    run(&mut client, &format!("DELETE FROM peer_mentors WHERE id = '{}'", people.mentor));
    assert_eq!(row(&mut client, "SELECT count(*) FROM assignment_pauses WHERE cause = 'leave'"), "2");
    assert_eq!(row(&mut client, "SELECT count(*) FROM mentor_pauses"), "0");
}

/// Closed on a day and opened on a later one: the days in between are nobody's to act on.
#[test]
fn days_on_which_an_assignment_was_not_open_do_not_count() {
    let (_database, mut client, _, assignment) = one_assignment("2026-01-01");
    let status =
        |client: &mut Client, status: &str| run(client, &format!("UPDATE assignments SET status = '{status}'"));
    let pauses = "SELECT paused_from - current_date, paused_until - current_date, cause FROM assignment_pauses";
    run(&mut client, "SET timezone = UTC");
    status(&mut client, "paused");
    assert_eq!(row(&mut client, pauses), "1|-|closed");
    status(&mut client, "completed");
    assert_eq!(row(&mut client, pauses), "1|-|closed", "it still is");
    status(&mut client, "open");
    assert_eq!(rows(&mut client, pauses), [""; 0], "on the same day, it was open on each");
    // Closed ten days ago.
    status(&mut client, "cancelled");
    run(&mut client, "UPDATE assignment_pauses SET paused_from = current_date - 9");
    status(&mut client, "open");
    assert_eq!(row(&mut client, pauses), "-9|-1|closed");
    let days = "SELECT counted.days FROM assignments a,
                LATERAL (SELECT min(day) AS days FROM generate_series(1, 400) AS day
                          WHERE (evaluate_assignment(a.id, a.assigned_on + day)).action = 'remind') AS counted";
    run(&mut client, "UPDATE assignments SET assigned_on = current_date - 12");
    assert_eq!(row(&mut client, days), "23", "14 and the 9 days");
    // One that was inserted so counts from the day after its last change.
    run(&mut client, "DELETE FROM assignment_pauses");
    run(&mut client, "UPDATE assignments SET status = 'paused'");
    run(&mut client, "DELETE FROM assignment_pauses; UPDATE assignments SET updated_at = now() - interval '5 days'");
    status(&mut client, "open");
    assert_eq!(row(&mut client, pauses), "-4|-1|closed");
    assert_eq!(
        row(
            &mut client,
            &format!("SELECT organization_id FROM assignment_pauses WHERE assignment_id = '{assignment}'")
        ),
        ORGANIZATION
    );
}

#[test]
fn a_pause_by_status_ends_in_no_escalation_of_the_days_it_lasted() {
    let (_database, mut client, _, _) = one_assignment("2026-01-01");
    run(&mut client, "SET timezone = UTC; UPDATE assignments SET assigned_on = current_date - 66");
    run(&mut client, "SELECT run_daily_evaluation(now() - interval '52 days')");
    run(&mut client, "UPDATE reminders SET status = 'sent', sent_at = scheduled_for");
    run(&mut client, "UPDATE assignments SET status = 'paused'");
    // Since the day after the reminder.
    run(&mut client, "UPDATE assignment_pauses SET paused_from = current_date - 51");
    run(&mut client, "UPDATE assignments SET status = 'open'");
    assert_eq!(rows(&mut client, "SELECT action FROM evaluate_assignments()"), [""; 0]);
    assert_eq!(
        row(&mut client, "SELECT action, days_since FROM evaluate_assignments(now() + interval '13 days')"),
        "escalate|79",
        "14 days until the reminder, today, and 13 more"
    );
}

/// Every action of random silences, by the run and one by one: with weekends, holidays, pauses, grace and handovers.
#[test]
fn runs_and_single_evaluations_agree_whatever_stops_the_clock() {
    let (_database, mut client, people, _) = one_assignment("2026-11-01");
    let other = People::new(&mut client);
    run(
        &mut client,
        &format!(
            "DELETE FROM assignments;
             INSERT INTO days_off (first_day, last_day) SELECT d, d + (n % 3) FROM generate_series(0, 9) AS n, LATERAL (SELECT date '2026-08-01' + 11 * n AS d) AS day;
             UPDATE reminder_settings SET weekly_days_off = '{{7}}', follow_up_from = '2026-08-10', escalation_grace_days = 2,
                    reminder_after_days = 5, escalate_after_days = 9;
             INSERT INTO assignments (title, student_id, peer_mentor_id, coordinator_id, assigned_on, last_contact_date)
             SELECT n::text, '{student}', '{mentor}', CASE WHEN n % 5 > 0 THEN '{coordinator}'::uuid END, date '2026-11-15' - n % 37, CASE WHEN n % 3 = 0 THEN date '2026-11-20' - n % 29 END
               FROM generate_series(1, 500) AS n;
             INSERT INTO assignment_pauses (assignment_id, paused_from, paused_until)
             SELECT id, date '2026-10-20' + title::integer % 31, CASE WHEN title::integer % 7 > 0 THEN date '2026-10-20' + title::integer % 31 + title::integer % 6 END
               FROM assignments WHERE title::integer % 4 = 0;
             INSERT INTO reminders (assignment_id, recipient_id, peer_mentor_id, reminder_type, anchor, scheduled_for, sent_at, status)
             SELECT id, '{user}', CASE WHEN title::integer % 2 = 0 THEN '{mentor}'::uuid ELSE '{theirs}' END, 'contact-reminder', silence_anchor(silent_since(last_contact_date, assigned_on)),
                    '2026-11-18 12:00+00', '2026-11-18 12:00+00', 'sent'
               FROM assignments WHERE title::integer % 11 < 5",
            student = people.student, mentor = people.mentor, coordinator = people.coordinator, user = people.mentor_user, theirs = other.mentor
        ),
    );
    let mut seen = 0;
    for day in ["2026-11-18", "2026-11-20", "2026-11-21", "2026-11-22", "2026-11-25"] {
        let at_once =
            format!("SELECT assignment_id, action, days_since FROM evaluate_assignments('{day} 12:00+00') ORDER BY 1");
        let one_by_one = format!(
            "SELECT a.id, e.action, e.days_since FROM assignments a, LATERAL evaluate_assignment(a.id, date '{day}') AS e
              WHERE e.action <> 'none'
                AND NOT EXISTS (SELECT FROM reminders r WHERE r.assignment_id = a.id AND e.action = 'remind' AND r.reminder_type = 'contact-reminder'
                                   AND r.anchor = silence_anchor(silent_since(a.last_contact_date, a.assigned_on)) AND r.peer_mentor_id = a.peer_mentor_id)
              ORDER BY 1"
        );
        let found = rows(&mut client, &at_once);
        seen += found.len();
        assert_eq!(found, rows(&mut client, &one_by_one), "{day}");
        assert_eq!(found.is_empty(), day == "2026-11-22", "{day}, of which the last is a Sunday");
    }
    assert!(seen > 500, "{seen}");
}
