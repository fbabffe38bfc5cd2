//! Answers to a claim: none fails for another's row, whose fault a failure was, what is given back, how long a retry waits.

use postgres::Client;

use crate::support::{self, Database, People, assert_refused, refused, row, rows, run};

const NOW: &str = "2026-11-22 12:00+00";
const OTHER: &str = "00000000-0000-0000-0000-000000000002";

/// A mentor with so many silent assignments, whose reminders wait.
fn waiting(number: i32) -> (Database, Client, People) {
    support::waiting(number, "2026-11-01", NOW)
}

/// What is claimed, in a table that is there for the session.
fn claim(client: &mut Client, as_of: &str) {
    run(
        client,
        &format!("CREATE TEMPORARY TABLE c AS SELECT * FROM assignment_reminders.claim_reminders(as_of => '{as_of}')"),
    );
}

/// The titles of what a batch function did not record, of all that was claimed.
fn unrecorded(client: &mut Client, function: &str, arguments: &str) -> Vec<String> {
    rows(
        client,
        &format!(
            "SELECT a.title FROM (SELECT {function}(array_agg(c.reminder_id ORDER BY c.assignment_title), c.claim_id{arguments}) AS id
                                    FROM c GROUP BY c.claim_id) AS left_out
               JOIN reminders r USING (id) JOIN assignments a ON a.id = r.assignment_id ORDER BY 1"
        ),
    )
}

/// How many reminders have each status.
fn statuses(client: &mut Client) -> Vec<String> {
    rows(client, "SELECT status, count(*) FROM reminders GROUP BY 1 ORDER BY 1")
}

/// A worker as of 0.1.0, with the rights of examples/worker/role.sql and what that version granted for reports of providers.
const WORKER: &str = "GRANT USAGE ON SCHEMA assignment_reminders TO {role};
     GRANT SELECT ON ALL TABLES IN SCHEMA assignment_reminders TO {role};
     GRANT UPDATE ON reminders TO {role}; GRANT INSERT, UPDATE ON claim_rates TO {role}; GRANT INSERT ON send_logs TO {role};
     GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA assignment_reminders TO {role}";

#[test]
fn whoever_a_reminder_was_claimed_for_stays_with_its_claim_and_an_answer_fails_for_no_other() {
    for (function, arguments, expected) in [
        ("mark_reminders_sent", ", as_of => '2026-11-22 12:01+00'", "sent|6"),
        ("mark_reminders_failed", ", NULL, as_of => '2026-11-22 12:01+00'", "pending|5 skipped|1"),
        // Nor are the others called for, of which no mentor was reminded.
        ("extend_reminder_leases", ", as_of => '2026-11-22 12:01+00'", "skipped|6"),
    ] {
        let (_database, mut client, _) = waiting(6);
        run(
            &mut client,
            "UPDATE reminders SET reminder_type = reminder_type_of('escalate'), recipient_id = (SELECT id FROM users WHERE name = 'coordinator')",
        );
        claim(&mut client, NOW);
        run(
            &mut client,
            "INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-11-10' FROM assignments WHERE title = '000003';
             DELETE FROM activities;
             UPDATE assignments SET coordinator_id = NULL WHERE title = '000003';
             INSERT INTO reminders (assignment_id, recipient_id, reminder_type, anchor, status, sent_at, scheduled_for, peer_mentor_id)
             SELECT a.id, m.user_id, reminder_type_of('remind'), '2026-11-01 00:00+00', 'sent', '2026-11-12', '2026-11-12', m.id
               FROM assignments a JOIN peer_mentors m ON m.id = a.peer_mentor_id WHERE a.title = '000003';
             UPDATE reminder_settings SET escalate_after_days = 15;
             SELECT run_daily_evaluation('2026-11-22 12:00+00');
             DELETE FROM reminders WHERE reminder_type = reminder_type_of('remind')",
        );
        assert_eq!(
            row(
                &mut client,
                "SELECT status, skip_reason, claim_id IS NOT NULL FROM reminders WHERE status = 'skipped'"
            ),
            "skipped|no_coordinator|t",
            "the run that gives nobody to it leaves the claim"
        );
        let left_out = unrecorded(&mut client, function, arguments);
        assert_eq!(left_out.is_empty(), function != "extend_reminder_leases", "{function}: {left_out:?}");
        assert_eq!(statuses(&mut client).join(" "), expected, "{function}");
    }
}

#[test]
fn a_withdrawn_reminder_that_names_nobody_is_answered_without_becoming_the_students() {
    let (_database, mut client, _) = waiting(6);
    claim(&mut client, NOW);
    run(
        &mut client,
        "UPDATE reminders SET status = 'skipped', skip_reason = 'by hand', recipient_id = NULL, attempts = 2147483647
          WHERE id = (SELECT reminder_id FROM c WHERE assignment_title = '000002')",
    );
    assert_eq!(unrecorded(&mut client, "mark_reminders_sent", ""), [""; 0]);
    assert_eq!(statuses(&mut client), ["sent|5", "skipped|1"]);
    assert_eq!(
        rows(&mut client, "SELECT status, count(to_email) FROM send_logs GROUP BY 1"),
        ["queued|6"],
        "it is logged as sent to whom it was"
    );
}

#[test]
fn a_row_that_a_constraint_or_a_trigger_of_the_users_refuses_is_told_of_and_the_others_are_recorded() {
    for (refusal, sqlstate) in [
        ("ALTER TABLE reminders ADD CHECK (attempts = 0 OR metadata_title <> '000003')", "23514"),
        (
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not this one' USING ERRCODE = 'MY001'; END $$;
             CREATE TRIGGER refuse BEFORE UPDATE ON reminders FOR EACH ROW
                 WHEN (NEW.metadata_title = '000003' AND NEW.claim_id IS NULL) EXECUTE FUNCTION refuse()",
            "XX000",
        ),
    ] {
        for (function, arguments, others) in [
            ("mark_reminders_sent", "", "sent|5"),
            ("mark_reminders_failed", ", ARRAY['a', 'b', 'c', 'd', 'e', 'f']", "failed|5"),
            ("record_delivery_failures", ", NULL, NULL", "failed|5"),
        ] {
            let (database, mut client, _) = waiting(6);
            run(
                &mut client,
                "ALTER TABLE reminders ADD metadata_title text; UPDATE reminder_settings SET max_attempts = 1;
                 UPDATE reminders r SET metadata_title = a.title FROM assignments a WHERE a.id = r.assignment_id",
            );
            run(&mut client, refusal);
            claim(&mut client, NOW);
            run(&mut client, "CREATE TABLE public.c AS TABLE c; GRANT SELECT ON public.c TO PUBLIC");
            let (mut worker, notices) = database.connect_with_notices();
            run(&mut worker, "SET search_path = assignment_reminders, public; SET client_min_messages = warning");
            assert_eq!(unrecorded(&mut worker, function, arguments), ["000003"], "{function}");
            let refused_id = row(&mut client, "SELECT reminder_id FROM c WHERE assignment_title = '000003'");
            let told = notices.lock().expect("the notices").join("\n");
            assert!(told.contains(&refused_id) && told.contains(sqlstate), "{function}: {told}");
            assert_eq!(statuses(&mut client), if others.starts_with('f') { [others, "pending|1"] } else { ["pending|1", others] });
            assert_eq!(row(&mut client, "SELECT count(*) FROM send_logs"), "5", "and what was refused is not logged");
            let single = format!("SELECT mark_reminder_sent('{refused_id}', (SELECT min(claim_id::text)::uuid FROM c))");
            assert_eq!(refused(&mut client, &single).sqlstate, sqlstate, "a single one raises what refused it");
        }
    }
}

#[test]
fn what_is_no_fault_of_a_row_fails_the_whole_answer() {
    let (database, mut client, _) = waiting(3);
    claim(&mut client, NOW);
    run(&mut client, "CREATE TABLE public.c AS TABLE c");
    let mut holder = database.connect();
    run(&mut holder, "BEGIN; SELECT FROM reminders LIMIT 1 FOR UPDATE");
    let all = "SELECT mark_reminders_sent(array_agg(reminder_id), claim_id) FROM public.c GROUP BY claim_id";
    run(&mut client, "SET lock_timeout = '50ms'");
    assert_eq!(refused(&mut client, all).sqlstate, "55P03");
    run(&mut client, "SET lock_timeout = 0; SET statement_timeout = '50ms'");
    assert_eq!(refused(&mut client, all).sqlstate, "57014");
    run(&mut client, "SET statement_timeout = 0");
    run(&mut holder, "ROLLBACK");
    assert_eq!(rows(&mut client, all), [""; 0]);
    assert_eq!(statuses(&mut client), ["sent|3"]);
}

#[test]
fn what_is_given_back_waits_as_before_and_has_lost_no_attempt() {
    let (database, mut client, _) = waiting(3);
    run(&mut client, "UPDATE reminder_settings SET max_attempts = 1");
    let (mut worker, _) = database.connect_as_new_role(WORKER);
    run(&mut worker, "LISTEN assignment_reminders");
    let before = rows(&mut client, "SELECT id, status, attempts, scheduled_for, retry_at FROM reminders ORDER BY id");
    claim(&mut worker, NOW);
    run(
        &mut client,
        "INSERT INTO activities (assignment_id, occurred_at) SELECT id, '2026-11-20' FROM assignments WHERE title = '000003'",
    );
    let give_back = "SELECT return_reminders(array_agg(reminder_id), claim_id) FROM c GROUP BY claim_id";
    assert_eq!(rows(&mut worker, give_back), [""; 0]);
    assert_eq!(
        rows(
            &mut client,
            "SELECT status, skip_reason, count(*) FROM reminders WHERE claim_id IS NULL GROUP BY 1, 2 ORDER BY 1"
        ),
        ["pending|-|2", "skipped|contacted|1"],
        "what was withdrawn stays withdrawn"
    );
    let now = rows(&mut client, "SELECT id, status, attempts, scheduled_for, retry_at FROM reminders ORDER BY id");
    assert_eq!(now.iter().filter(|row| before.contains(row)).count(), 2, "{before:?} {now:?}");
    assert_eq!(row(&mut client, "SELECT count(*) FROM send_logs"), "0");
    assert_eq!(rows(&mut worker, give_back).len(), 3, "they are the caller's no more");
    run(&mut worker, "SELECT");
    assert!(worker.notifications().is_empty(), "nobody is woken to return it again");
    let again = format!("SELECT attempts FROM claim_reminders(as_of => '{NOW}')");
    assert_eq!(rows(&mut worker, &again), ["0", "0"], "at once, and on the only attempt");
    assert_refused(&mut worker, "SELECT return_reminders(NULL, gen_random_uuid())", "22004", "reminder_ids");
}

/// Says of the first `number` that are claimed at a moment what was said and whose fault it was.
fn fail(client: &mut Client, number: i32, fault: &str, error: &str, as_of: &str) -> Vec<String> {
    rows(
        client,
        &format!(
            "SELECT record_delivery_failure(reminder_id, claim_id, {fault}, '{error}', as_of => '{as_of}')
               FROM claim_reminders({number}, as_of => '{as_of}')"
        ),
    )
}

/// Whether the mentor is opted out, why, and how many soft bounces count.
fn mentor(client: &mut Client) -> String {
    row(client, "SELECT contact_opt_out, contact_opt_out_reason, soft_bounces FROM users WHERE name = 'mentor'")
}

#[test]
fn a_dead_address_is_given_up_and_not_written_to_again() {
    let (database, mut client, _) = waiting(2);
    let (mut worker, _) = database.connect_as_new_role(
        &format!("{WORKER}; GRANT UPDATE (soft_bounces, soft_bounced_at, contact_opt_out, contact_opt_out_reason, updated_at) ON users TO {{role}}"),
    );
    assert_eq!(fail(&mut worker, 1, "'recipient'", "550 5.1.1 User unknown", NOW), ["t"]);
    assert_eq!(mentor(&mut client), "t|hard bounce: 550 5.1.1 User unknown|0");
    assert_eq!(row(&mut client, "SELECT status, verdict, given_up FROM send_logs"), "failed|hard|t");
    assert_eq!(fail(&mut worker, 9, "'recipient'", "", NOW), [""; 0], "the other is skipped");
    assert_eq!(
        rows(&mut client, "SELECT status, skip_reason FROM reminders ORDER BY 1"),
        ["failed|-", "skipped|opted_out"]
    );
}

#[test]
fn an_answer_does_not_wait_for_a_person_whom_somebody_has_locked() {
    let (database, mut client, _) = waiting(3);
    claim(&mut client, NOW);
    let mut other = database.connect();
    run(&mut other, "BEGIN; SELECT FROM users WHERE id = (SELECT user_id FROM peer_mentors) FOR UPDATE");
    run(&mut client, "SET statement_timeout = '30s'");
    let dead = "record_delivery_failures(array_agg(reminder_id), claim_id, array_fill('recipient'::text, '{3}'),
                    array_fill('550 5.1.1 User unknown'::text, '{3}'), as_of => '2026-11-22 12:01+00')";
    assert_eq!(rows(&mut client, &format!("SELECT {dead} FROM c GROUP BY claim_id")), [""; 0]);
    assert_eq!(statuses(&mut client), ["failed|3"]);
    assert_eq!(row(&mut client, "SELECT count(*) FROM send_logs WHERE verdict = 'hard'"), "3");
    run(&mut other, "ROLLBACK");
    assert_eq!(
        row(&mut client, "SELECT contact_opt_out FROM users WHERE id = (SELECT user_id FROM peer_mentors)"),
        "f"
    );
}

#[test]
fn only_the_address_that_was_written_to_is_judged_and_the_one_that_they_have_now_is_tried() {
    for (error, permanent) in
        [("550 5.1.1 User unknown", "NULL"), ("554 no", "true"), ("452 4.2.2 mailbox full", "NULL")]
    {
        let (_database, mut client, _) = waiting(1);
        run(&mut client, "UPDATE reminder_settings SET max_attempts = 1");
        claim(&mut client, NOW);
        run(&mut client, "UPDATE users SET email = 'new@example.org' WHERE name = 'mentor'");
        let answer = format!(
            "SELECT record_delivery_failure(reminder_id, claim_id, 'recipient', '{error}', {permanent}, '2026-11-22 12:01+00') FROM c"
        );
        assert_eq!(row(&mut client, &answer), "t");
        assert_eq!(mentor(&mut client), "f|-|0");
        assert_eq!(row(&mut client, "SELECT status, attempts FROM reminders"), "pending|0", "{error}");
        assert_eq!(
            row(&mut client, "SELECT recipient_email FROM claim_reminders(as_of => '2026-11-22 12:01+00')"),
            "new@example.org"
        );
    }
}

#[test]
fn a_full_mailbox_counts_when_its_reminder_is_given_up_and_once() {
    let (_database, mut client, _) = waiting(3);
    run(&mut client, "UPDATE reminder_settings SET bounce_limit = 2, retry_base = '1 minute', max_attempts = 2");
    let full = |client: &mut Client, as_of: &str| fail(client, 1, "'recipient'", "452 4.2.2 mailbox full", as_of);
    assert_eq!(full(&mut client, NOW), ["t"]);
    assert_eq!(mentor(&mut client), "f|-|0", "it is tried again");
    run(
        &mut client,
        "UPDATE reminders SET scheduled_for = '2026-11-24' WHERE attempts = 0; UPDATE reminders SET retry_at = NULL WHERE attempts = 1",
    );
    assert_eq!(full(&mut client, "2026-11-22 12:05+00"), ["t"]);
    assert_eq!(mentor(&mut client), "f|-|1", "given up");
    assert_eq!(row(&mut client, "SELECT retry_failed_reminders(as_of => '2026-11-22 13:00+00')"), "1");
    for as_of in ["2026-11-22 13:00+00", "2026-11-23 12:05+00"] {
        assert_eq!(full(&mut client, as_of), ["t"]);
    }
    assert_eq!(mentor(&mut client), "f|-|1", "it is the same message");
    run(&mut client, "UPDATE reminder_settings SET max_attempts = 1");
    assert_eq!(fail(&mut client, 1, "'recipient'", "550 5.7.1 blocked as spam", "2026-11-24 12:05+00"), ["t"]);
    assert_eq!(
        mentor(&mut client),
        "f|-|1",
        "what is the sender's fault counts against nobody, whatever the worker says"
    );
    assert_eq!(full(&mut client, "2026-11-24 12:05+00"), ["t"]);
    assert_eq!(mentor(&mut client), "t|2 soft bounces, the last one: 452 4.2.2 mailbox full|2");
}

#[test]
fn whoever_greylists_or_has_trouble_of_their_own_silences_nobody() {
    for said in [
        "451 4.7.1 Greylisted",
        "451 4.3.0 Temporary lookup failure",
        "421 4.3.2 Service shutting down",
        "450 4.4.1 Host not found",
    ] {
        let (_database, mut client, _) = waiting(3);
        assert_eq!(fail(&mut client, 9, "'recipient'", said, NOW), ["t"; 3], "{said}");
        assert_eq!(mentor(&mut client), "f|-|0", "{said}");
        run(&mut client, "UPDATE reminders SET retry_at = NULL");
        run(
            &mut client,
            &format!(
                "SELECT mark_reminder_sent(reminder_id, claim_id, as_of => '{NOW}') FROM claim_reminders(as_of => '{NOW}')"
            ),
        );
        assert_eq!(mentor(&mut client), "f|-|0", "{said}: what was taken in the end counts for nothing");
        assert_eq!(row(&mut client, "SELECT count(*) FROM reminders WHERE status = 'sent'"), "3");
    }
    // A server's own trouble is about nobody's address, however long it lasts.
    let (_database, mut client, _) = waiting(3);
    run(&mut client, "UPDATE reminder_settings SET max_attempts = 1");
    assert_eq!(fail(&mut client, 9, "'recipient'", "451 4.3.0 Temporary lookup failure", NOW), ["t"; 3]);
    assert_eq!(mentor(&mut client), "f|-|0");
    assert_eq!(statuses(&mut client), ["failed|3"]);
}

#[test]
fn what_blames_the_sender_is_told_by_health_where_the_worker_cannot_tell_whose_fault_it_was() {
    for call in ["mark_reminder_failed", "record_delivery_failure"] {
        let (_database, mut client, _) = waiting(2);
        claim(&mut client, NOW);
        let fault = if call == "record_delivery_failure" { "NULL, " } else { "" };
        let answer = format!(
            "SELECT {call}(reminder_id, claim_id, {fault}'550-5.7.26 Your email has been blocked because the sender is unauthenticated.', true) FROM c"
        );
        assert_eq!(rows(&mut client, &answer), ["t"; 2], "{call}");
        assert_eq!(row(&mut client, "SELECT DISTINCT status, verdict, given_up FROM send_logs"), "failed|sender|t");
        assert_eq!(mentor(&mut client), "f|-|0");
        assert_eq!(row(&mut client, "SELECT count(*) FROM claim_rates"), "0", "nothing is paused");
        assert_eq!(row(&mut client, "SELECT reasons::text LIKE '%sender''s sake%' FROM organization_health()"), "t");
    }
}

#[test]
fn without_a_fault_a_failure_is_what_it_was_in_0_1_0() {
    for call in [
        "mark_reminder_failed(reminder_id, claim_id, '550 5.1.1 User unknown')",
        "record_delivery_failure(reminder_id, claim_id, NULL, '550 5.1.1 User unknown')",
    ] {
        let (_database, mut client, _) = waiting(1);
        claim(&mut client, NOW);
        assert_eq!(row(&mut client, &format!("SELECT {call} FROM c")), "t");
        assert_eq!(mentor(&mut client), "f|-|0");
        assert_eq!(row(&mut client, "SELECT status, attempts FROM reminders"), "pending|1");
        assert_eq!(row(&mut client, "SELECT verdict FROM send_logs"), "-");
        assert_eq!(row(&mut client, "SELECT count(*) FROM claim_rates"), "0");
    }
}

#[test]
fn a_fault_of_the_sender_or_the_transport_costs_nobody_an_attempt_and_pauses_that_organization_visibly() {
    for (fault, error, minutes) in [("sender", "550 5.7.1 relay denied", 15), ("transport", "connection refused", 1)] {
        let (database, mut client, _) = waiting(3);
        run(&mut client, "UPDATE reminder_settings SET max_attempts = 1");
        run(&mut client, &format!("INSERT INTO organizations (id, name) VALUES ('{OTHER}', 'other')"));
        People::in_organization(&mut client, OTHER).assignments(&mut client, "2026-11-01", 2);
        run(&mut client, &format!("SELECT run_daily_evaluation('{NOW}')"));
        let (mut worker, _) = database.connect_as_new_role(WORKER);
        let of_both = |client: &mut Client, after: i32| {
            rows(
                client,
                &format!(
                    "SELECT right(organization_id::text, 1) FROM claim_reminders(2, lease => '1 second', as_of => '{NOW}'::timestamptz + interval '{after} seconds') ORDER BY 1"
                ),
            )
        };
        let failed = format!(
            "SELECT record_delivery_failure(reminder_id, claim_id, '{fault}', '{error}', as_of => '{NOW}')
               FROM claim_reminders(1, organization_id => '00000000-0000-0000-0000-000000000001', as_of => '{NOW}')"
        );
        assert_eq!(row(&mut worker, &failed), "t");
        assert_eq!(
            row(&mut client, "SELECT bool_or(contact_opt_out), sum(soft_bounces) FROM users"),
            "f|0",
            "it counts against nobody"
        );
        assert_eq!(
            row(
                &mut client,
                "SELECT status, attempts, claim_id, last_error FROM reminders WHERE last_error IS NOT NULL"
            ),
            format!("pending|0|-|{error}")
        );
        assert_eq!(row(&mut client, "SELECT status, error, given_up FROM send_logs"), format!("failed|{error}|f"));
        assert_eq!(
            of_both(&mut worker, 1),
            ["2", "2"],
            "nothing of it is handed out, and the other has the whole batch"
        );
        assert_eq!(of_both(&mut worker, 60 * minutes - 1), ["2", "2"]);
        assert!(of_both(&mut worker, 60 * minutes).contains(&"1".to_string()), "until the pause is over");
        for (as_of, is_told) in [(30, true), (60 * minutes, false)] {
            let as_of = format!("'{NOW}'::timestamptz + interval '{as_of} seconds'");
            let told = |client: &mut Client, call: &str| {
                row(client, &format!("SELECT reasons FROM {call}")).contains(&format!("for a fault of the {fault}"))
            };
            assert_eq!(told(&mut client, &format!("evaluation_health(as_of => {as_of})")), is_told);
            assert_eq!(told(&mut client, &format!("organization_health(as_of => {as_of})")), is_told);
            assert!(!told(&mut client, &format!("organization_health('{OTHER}', as_of => {as_of})")));
        }
    }
}

#[test]
fn what_fails_again_at_once_is_paused_longer_and_a_batch_of_failures_pauses_once() {
    let (_database, mut client, _) = waiting(6);
    let pause = "SELECT paused_until - paused_at, paused_for, paused_code FROM claim_rates";
    let batch = |client: &mut Client, as_of: &str| {
        rows(
            client,
            &format!(
                "SELECT record_delivery_failures(array_agg(reminder_id), claim_id, array_agg('sender'::text), array_agg('550 5.7.1 no'::text), as_of => '{as_of}')
                   FROM claim_reminders(3, as_of => '{as_of}') GROUP BY claim_id"
            ),
        )
    };
    assert_eq!(batch(&mut client, NOW), [""; 0]);
    assert_eq!(row(&mut client, pause), "00:15:00|sender|550 5.7.1");
    assert_eq!(batch(&mut client, "2026-11-22 12:16+00"), [""; 0]);
    assert_eq!(row(&mut client, pause), "00:30:00|sender|550 5.7.1");
    assert_eq!(row(&mut client, "SELECT max(attempts), count(*) FROM reminders"), "0|6");
    assert_eq!(fail(&mut client, 1, "NULL", "", "2026-11-22 12:20+00"), [""; 0]);
    run(&mut client, "UPDATE claim_rates SET paused_until = '2026-11-22 12:20+00'");
    assert_eq!(fail(&mut client, 1, "NULL", "", "2026-11-22 12:20+00"), ["t"], "an operator ends it");
}

#[test]
fn a_fault_that_is_none_and_a_moment_far_ahead_are_refused() {
    let (_database, mut client, _) = waiting(1);
    claim(&mut client, NOW);
    assert_refused(
        &mut client,
        "SELECT record_delivery_failure(reminder_id, claim_id, 'mine', '') FROM c",
        "22023",
        "mine",
    );
    let far = "SELECT record_delivery_failure(reminder_id, claim_id, 'sender', '', as_of => now() + interval '32 days') FROM c";
    assert_refused(&mut client, far, "22023", "31 days");
    assert_refused(
        &mut client,
        "SELECT record_delivery_failures(array_agg(reminder_id), claim_id, ARRAY['sender', 'sender'], NULL) FROM c GROUP BY claim_id",
        "22023",
        "faults has 2 elements for 1 reminders",
    );
    let (database, mut client, _) = waiting(1);
    let (mut worker, _) = database.connect_as_new_role(WORKER);
    claim(&mut worker, NOW);
    let recipient =
        "SELECT record_delivery_failure(reminder_id, claim_id, 'recipient', '550 5.1.1 User unknown') FROM c";
    assert_eq!(refused(&mut worker, recipient).sqlstate, "42501");
    assert_eq!(statuses(&mut client), ["pending|1"], "nothing half-done");
}

#[test]
fn by_default_retries_wait_about_a_minute_a_quarter_of_an_hour_four_hours_and_twenty() {
    let (_database, mut client, _) = waiting(1);
    let mut waits = Vec::new();
    for _ in 0..4 {
        let due = row(&mut client, "SELECT greatest(scheduled_for, retry_at) FROM reminders");
        let failed = format!(
            "SELECT mark_reminder_failed(reminder_id, claim_id, 'no', as_of => '{due}') FROM claim_reminders(as_of => '{due}')"
        );
        assert_eq!(row(&mut client, &failed), "t");
        let wait = format!("SELECT extract(epoch FROM retry_at - '{due}'::timestamptz)::integer FROM reminders");
        waits.push(row(&mut client, &wait).parse::<i32>().expect("seconds"));
    }
    for (wait, least) in waits.iter().zip([60, 900, 13_500, 72_000]) {
        assert!((least..=least * 3 / 2 + 1).contains(wait), "{waits:?}");
    }
}

#[test]
fn what_a_worker_had_when_its_reminder_was_deleted_is_logged_with_its_address_once() {
    for deletion in [
        "DELETE FROM assignments",
        "DELETE FROM users WHERE name = 'student'",
        "UPDATE assignments SET peer_mentor_id = NULL; DELETE FROM peer_mentors; DELETE FROM users WHERE name = 'mentor'",
    ] {
        let (database, mut client, _) = waiting(4);
        let address = row(&mut client, "SELECT email FROM users WHERE name = 'mentor'");
        let (mut worker, _) = database.connect_as_new_role(WORKER);
        claim(&mut worker, NOW);
        run(&mut client, deletion);
        assert_eq!(row(&mut client, "SELECT count(*) FROM reminders"), "0", "{deletion}");
        let one = |function: &str, title: i32, more: &str| {
            format!("SELECT {function}(reminder_id, claim_id{more}) FROM c WHERE assignment_title = '00000{title}'")
        };
        assert_eq!(row(&mut worker, &one("extend_reminder_lease", 1, "")), "f", "it is not to be sent any more");
        assert_eq!(
            row(&mut worker, &one("mark_reminder_sent", 1, ", 'm1', 'inbox'")),
            "t",
            "but where it was, that is recorded"
        );
        assert_eq!(row(&mut worker, &one("mark_reminder_sent", 1, ", 'm1', 'inbox'")), "f", "once");
        assert_eq!(row(&mut worker, &one("mark_reminder_failed", 2, ", '451 later'")), "t");
        let others = "SELECT assignment_title FROM c
                       WHERE reminder_id IN (SELECT mark_reminders_sent(array_agg(c.reminder_id), c.claim_id, array_agg(''::text)) FROM c GROUP BY c.claim_id) ORDER BY 1";
        assert_eq!(rows(&mut worker, others), ["000001", "000002"], "those that were answered before");
        assert_eq!(
            rows(
                &mut client,
                "SELECT status, message_id, from_inbox, error, attempt, to_email, assignment_id IS NOT NULL, count(*)
                   FROM send_logs GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 2"
            ),
            [
                format!("claimed|-|-|-|1|{address}|t|4"),
                format!("failed|-|-|451 later|1|{address}|t|1"),
                format!("queued|m1|inbox|-|1|{address}|t|1"),
                format!("queued|-|-|-|1|{address}|t|2"),
            ],
            "{deletion}"
        );
        assert_eq!(row(&mut client, "SELECT record_delivery_event('m1', 'bounced', '550 5.1.1 User unknown')"), "t");
    }
}

#[test]
fn a_reminder_that_nobody_has_leaves_nothing_when_it_is_deleted() {
    let (_database, mut client, _) = waiting(2);
    run(
        &mut client,
        &format!("SELECT mark_reminder_sent(reminder_id, claim_id) FROM claim_reminders(1, as_of => '{NOW}')"),
    );
    run(&mut client, "DELETE FROM assignments");
    assert_eq!(rows(&mut client, "SELECT status FROM send_logs"), ["queued"]);
}

#[test]
fn whoever_may_delete_a_reminder_needs_no_right_on_the_log_and_a_forgotten_person_leaves_no_address_there() {
    let (database, mut client, people) = waiting(2);
    let (mut worker, _) = database.connect_as_new_role(WORKER);
    claim(&mut worker, NOW);
    let (mut cleaner, _) = database.connect_as_new_role(
        "GRANT USAGE ON SCHEMA assignment_reminders TO {role}; GRANT SELECT, DELETE ON reminders TO {role}",
    );
    run(&mut cleaner, "DELETE FROM reminders");
    assert_eq!(row(&mut client, "SELECT count(to_email) FROM send_logs WHERE status = 'claimed'"), "2");
    run(&mut client, &format!("SELECT forget_person('{}')", people.mentor_user));
    assert_eq!(row(&mut client, "SELECT count(to_email) FROM send_logs"), "0");
    let failed = "SELECT record_delivery_failure(reminder_id, claim_id, NULL, '550 5.1.1 who@example.org is unknown') FROM c LIMIT 1";
    assert_eq!(row(&mut worker, failed), "t");
    assert_eq!(
        row(&mut client, "SELECT error, to_email FROM send_logs WHERE status = 'failed'"),
        "550 5.1.1 (text removed)|-"
    );
}

#[test]
fn whoever_ends_a_pause_ends_it_for_what_failed_too() {
    let (database, mut client, _) = waiting(3);
    let mut worker = database.connect_as_worker();
    claim(&mut worker, NOW);
    let failed = "SELECT assignment_reminders.record_delivery_failures(array_agg(reminder_id), claim_id, array_agg('sender'::text), array_agg('535 5.7.8 no'::text), as_of => '2026-11-22 12:01+00')
                    FROM c GROUP BY claim_id";
    assert_eq!(rows(&mut worker, failed), [""; 0]);
    let again =
        "SELECT assignment_title FROM assignment_reminders.claim_reminders(as_of => '2026-11-22 12:05+00') ORDER BY 1";
    assert_eq!(rows(&mut worker, again), [""; 0], "while it lasts");
    // The worker's role may, as the owner may.
    run(&mut worker, "UPDATE assignment_reminders.claim_rates SET paused_until = '2026-11-22 12:05+00'");
    assert_eq!(rows(&mut worker, again), ["000001", "000002", "000003"]);
    assert_eq!(row(&mut client, "SELECT max(attempts) FROM reminders"), "0");
}

#[test]
fn what_waits_for_a_pause_or_a_limit_of_nothing_is_given_back_and_not_to_be_sent() {
    for (stop, go_on) in [
        (
            "INSERT INTO claim_rates (organization_id, paused_at, paused_until, paused_for) SELECT id, '2026-11-22 12:01+00', '2026-11-22 12:16+00', 'sender' FROM organizations",
            "UPDATE claim_rates SET paused_until = '2026-11-22 12:02+00'",
        ),
        (
            "UPDATE reminder_settings SET messages_per_minute = 0",
            "UPDATE reminder_settings SET messages_per_minute = NULL",
        ),
    ] {
        let (database, mut client, _) = waiting(3);
        run(&mut client, "UPDATE reminder_settings SET max_attempts = 1");
        run(&mut client, &format!("INSERT INTO organizations (id, name) VALUES ('{OTHER}', 'other')"));
        People::in_organization(&mut client, OTHER).assignments(&mut client, "2026-11-01", 1);
        run(
            &mut client,
            &format!("UPDATE reminder_settings SET escalate_after_days = NULL; SELECT run_daily_evaluation('{NOW}')"),
        );
        let mut worker = database.connect_as_worker();
        claim(&mut worker, NOW);
        let stop = if stop.starts_with("INSERT") {
            format!("{stop} WHERE id <> '{OTHER}'")
        } else {
            format!("{stop} WHERE organization_id <> '{OTHER}'")
        };
        let extend = |one: &str, as_of: &str| {
            format!(
                "SELECT assignment_reminders.extend_reminder_lease(reminder_id, claim_id, as_of => '{as_of}') FROM c WHERE assignment_title = '{one}' AND organization_id <> '{OTHER}'"
            )
        };
        assert_eq!(row(&mut worker, &extend("000003", NOW)), "t", "before");
        run(&mut client, &stop);
        let as_of = "2026-11-22 12:02+00";
        assert_eq!(row(&mut worker, &extend("000003", as_of)), "f", "{stop}");
        let all = format!(
            "SELECT assignment_reminders.extend_reminder_leases(array_agg(reminder_id), claim_id, as_of => '{as_of}') FROM c GROUP BY claim_id"
        );
        assert_eq!(rows(&mut worker, &all).len(), 3, "not the other organization's: {stop}");
        assert_eq!(
            row(
                &mut client,
                &format!(
                    "SELECT count(*) FROM reminders WHERE claim_id IS NULL AND status = 'pending' AND attempts = 0 AND organization_id <> '{OTHER}'"
                )
            ),
            "3",
            "no attempt is lost"
        );
        run(&mut client, go_on);
        let again = format!("SELECT count(*) FROM assignment_reminders.claim_reminders(as_of => '{as_of}')");
        assert_eq!(row(&mut worker, &again), "3", "{go_on}");
    }
}
