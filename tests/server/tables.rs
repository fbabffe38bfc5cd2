//! The tables' own promises: constraints with readable names, tenancy, completed and status in step, histories.

use crate::support::{Database, People, assert_refused, refused, row, run};

#[test]
fn bad_values_are_refused_by_a_constraint_that_says_what_is_wrong() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    let assignment = people.assignment(&mut client, "2026-01-01");
    let mut refused_by = |sql: &str, constraint: &str| {
        let refusal = refused(&mut client, sql);
        assert_eq!(refusal.sqlstate, "23514", "{sql}: {refusal:?}");
        assert!(refusal.message.contains(constraint), "{sql}: {refusal:?}");
    };
    refused_by("UPDATE reminder_settings SET reminder_after_days = 0", "reminder_after_days_in_range");
    refused_by("UPDATE reminder_settings SET escalate_after_days = 7", "escalation_not_before_reminder");
    refused_by(
        "UPDATE reminder_settings SET due_offsets = '{}'::interval[] || interval '-1 hour'",
        "due_offsets_positive",
    );
    refused_by("UPDATE reminder_settings SET due_offsets = ARRAY[interval '1 hour', NULL]", "due_offsets_positive");
    refused_by("UPDATE reminder_settings SET max_attempts = 0", "max_attempts_in_range");
    refused_by("UPDATE reminder_settings SET retry_base = '0'", "retry_base_in_range");
    refused_by("UPDATE organizations SET timezone = 'CEST-2'", "timezone_is_iana");
    refused_by("UPDATE users SET timezone = 'EST5'", "timezone_is_iana");
    refused_by("UPDATE users SET email = 'nobody'", "email_has_at_sign");
    refused_by("UPDATE assignments SET status = 'done'", "status_known");
    refused_by("UPDATE assignments SET assigned_on = 'infinity'", "assigned_on_in_calendar");
    refused_by("UPDATE assignments SET due_at = 'infinity'", "due_at_in_calendar");
    refused_by("UPDATE assignments SET due_at = '10000-01-01'", "due_at_in_calendar");
    refused_by("UPDATE reminder_settings SET due_offsets = '{2 years}'", "due_offsets_within_a_year");
    refused_by(
        &format!("INSERT INTO activities (assignment_id, occurred_at) VALUES ('{assignment}', '-infinity')"),
        "occurred_at_in_calendar",
    );
    refused_by(
        &format!("INSERT INTO activities (assignment_id, registration) VALUES ('{assignment}', 'rumour')"),
        "registration_known",
    );
    refused_by(
        &format!("INSERT INTO reminders (assignment_id, reminder_type) VALUES ('{assignment}', 'contact-reminder')"),
        "follow_ups_name_their_recipient",
    );
    refused_by(
        &format!("INSERT INTO reminders (assignment_id, reminder_type) VALUES ('{assignment}', 'daily-summary')"),
        "only_summaries_and_notices_without_assignment",
    );
}

#[test]
fn an_unknown_time_zone_is_refused_by_name_and_a_real_one_taken() {
    let database = Database::installed();
    let mut client = database.connect();
    let refusal = refused(&mut client, "UPDATE organizations SET timezone = 'Europe/Olso'");
    assert_eq!(refusal.sqlstate, "22023");
    assert!(refusal.message.contains("Europe/Olso"), "{refusal:?}");
    for zone in ["Europe/Oslo", "America/Port-au-Prince", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "UTC"] {
        run(&mut client, &format!("UPDATE organizations SET timezone = '{zone}'"));
    }
}

#[test]
fn null_switches_an_action_off() {
    let database = Database::installed();
    let mut client = database.connect();
    run(
        &mut client,
        "UPDATE reminder_settings SET escalate_after_days = NULL; UPDATE reminder_settings SET reminder_after_days = NULL",
    );
}

#[test]
fn a_row_cannot_point_into_another_organization() {
    let database = Database::installed();
    let mut client = database.connect();
    let here = People::new(&mut client);
    run(&mut client, "INSERT INTO organizations (id, name) VALUES ('00000000-0000-0000-0000-00000000000b', 'Other')");
    let there = People::in_organization(&mut client, "00000000-0000-0000-0000-00000000000b");
    let assignment = here.assignment(&mut client, "2026-01-01");
    for sql in [
        format!("UPDATE assignments SET peer_mentor_id = '{}'", there.mentor),
        format!("UPDATE assignments SET student_id = '{}'", there.student),
        format!("UPDATE assignments SET coordinator_id = '{}'", there.coordinator),
        format!("INSERT INTO peer_mentors (user_id) VALUES ('{}')", there.student),
        format!(
            "INSERT INTO reminders (assignment_id, reminder_type, recipient_id) VALUES ('{assignment}', 'x', '{}')",
            there.student
        ),
        format!(
            "INSERT INTO activities (organization_id, assignment_id) VALUES ('00000000-0000-0000-0000-00000000000b', '{assignment}')"
        ),
    ] {
        assert_eq!(refused(&mut client, &sql).sqlstate, "23503", "{sql}");
    }
}

#[test]
fn completed_and_status_follow_whichever_is_written() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    let id = people.assignment(&mut client, "2026-01-01");
    let mut becomes = |change: &str, expected: &str| {
        run(&mut client, &format!("UPDATE assignments SET {change} WHERE id = '{id}'"));
        assert_eq!(
            row(&mut client, &format!("SELECT status, completed FROM assignments WHERE id = '{id}'")),
            expected,
            "{change}"
        );
    };
    becomes("completed = true", "completed|t");
    becomes("completed = false", "open|f");
    becomes("status = 'completed'", "completed|t");
    becomes("status = 'cancelled'", "cancelled|f");
    becomes("completed = true", "completed|t");
    becomes("status = 'open', completed = false", "open|f");
    becomes("status = 'completed', completed = true", "completed|t");
    becomes("status = 'open'", "open|f");
    becomes("title = 'other'", "open|f");
    let contradiction = refused(&mut client, "UPDATE assignments SET status = 'paused', completed = true");
    assert_eq!(contradiction.sqlstate, "23514");

    for (columns, values, expected) in [
        ("completed", "true", "completed|t"),
        ("status", "'completed'", "completed|t"),
        ("status", "'paused'", "paused|f"),
        ("completed", "false", "open|f"),
    ] {
        let inserted = format!(
            "INSERT INTO assignments (title, student_id, {columns}) VALUES ('x', '{}', {values}) RETURNING status, completed",
            people.student
        );
        assert_eq!(row(&mut client, &inserted), expected, "{inserted}");
    }
}

#[test]
fn updated_at_follows_unless_the_writer_sets_it() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    people.assignment(&mut client, "2026-01-01");
    for table in ["organizations", "reminder_settings", "users", "peer_mentors", "assignments"] {
        let column = row(
            &mut client,
            &format!("SELECT attname FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum = 1"),
        );
        run(&mut client, &format!("UPDATE {table} SET updated_at = '2020-01-01'"));
        assert_eq!(row(&mut client, &format!("SELECT DISTINCT updated_at < '2021-01-01' FROM {table}")), "t");
        let in_one = format!(
            "BEGIN; UPDATE {table} SET {column} = {column}; SELECT DISTINCT updated_at = now() FROM {table}; COMMIT"
        );
        assert_eq!(row(&mut client, &in_one), "t", "{table}");
    }
}

#[test]
fn histories_cannot_be_rewritten_and_outlive_what_they_tell_of() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    let id = people.assignment(&mut client, "2026-01-01");
    run(
        &mut client,
        &format!(
            "SELECT correct_last_contact_date('{id}', '2026-02-01', 'from the paper diary');
             INSERT INTO reminders (id, assignment_id, reminder_type) VALUES ('00000000-0000-0000-0000-0000000000aa', '{id}', '24h');
             INSERT INTO send_logs (reminder_id, assignment_id, to_email) VALUES ('00000000-0000-0000-0000-0000000000aa', '{id}', 'a@b')"
        ),
    );
    assert_refused(&mut client, "UPDATE contact_corrections SET reason = 'another'", "2F002", "contact_corrections");
    assert_refused(&mut client, "UPDATE send_logs SET status = 'delivered'", "2F002", "send_logs");
    run(&mut client, "DELETE FROM assignments");
    assert_eq!(row(&mut client, "SELECT to_email, reminder_id, assignment_id FROM send_logs"), format!("a@b|-|{id}"));
}

#[test]
fn the_due_date_workers_statements_work_word_for_word() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    let assignment = people.assignment(&mut client, "2026-01-01");
    let reminder = uuid::Uuid::new_v4();
    let insert = "INSERT INTO reminders (id, assignment_id, reminder_type, scheduled_for) VALUES ($1, $2, '24h', now()) ON CONFLICT
(assignment_id, reminder_type) DO NOTHING";
    assert_eq!(client.execute(insert, &[&reminder, &assignment]).expect("inserted"), 1);
    assert_eq!(client.execute(insert, &[&uuid::Uuid::new_v4(), &assignment]).expect("ignored"), 0);
    let sent = "UPDATE reminders SET status='sent', sent_at=now(),
attempts=attempts+1 WHERE id=$1";
    assert_eq!(client.execute(sent, &[&reminder]).expect("sent"), 1);
    assert_eq!(row(&mut client, "SELECT status, attempts FROM reminders"), "sent|1");
    let logged =
        "INSERT INTO send_logs (reminder_id, assignment_id, reminder_type, to_email, from_inbox, message_id, status)
                  VALUES ($1, $2, '24h', 's@example.org', 'inbox-1', 'm-1', 'queued')";
    assert_eq!(client.execute(logged, &[&reminder, &assignment]).expect("logged"), 1);
}
