//! What becomes of each silence, and why: explanations, the coordinator's list, and whom nobody will hear of.

use postgres::Client;
use uuid::Uuid;

use crate::support::{Database, People, Random, assert_refused, number_ids, row, rows, run};

/// One assignment, given on 1 November, a Sunday. Weekends are off, and the 9th and 10th.
fn one() -> (Database, Client, People, Uuid) {
    let database = Database::installed();
    let mut client = database.connect();
    let people = People::new(&mut client);
    run(
        &mut client,
        "UPDATE reminder_settings SET weekly_days_off = '{6,7}', reminder_after_days = 5, escalate_after_days = 10, escalation_grace_days = 2, evaluation_hour = 7;
         INSERT INTO days_off (first_day, last_day, reason) VALUES ('2026-11-09', '2026-11-10', 'break');
         INSERT INTO evaluation_runs (as_of, started_at, status) VALUES ('2026-10-31 11:00+00', '2026-10-31 11:00+00', 'succeeded'),
                                                                        ('2026-10-31 12:00+00', '2026-10-31 12:00+00', 'succeeded')",
    );
    let assignment = people.assignment(&mut client, "2026-11-01");
    (database, client, people, assignment)
}

fn explained(client: &mut Client, assignment: Uuid, at: &str, columns: &str) -> String {
    row(client, &format!("SELECT {columns} FROM explain_assignment('{assignment}', '{at}', now())"))
}

fn enqueued(client: &mut Client, at: &str) -> Vec<String> {
    rows(client, &format!("SELECT action FROM run_daily_evaluation('{at}')"))
}

fn send(client: &mut Client, at: &str) {
    run(
        client,
        &format!(
            "SELECT mark_reminder_sent(reminder_id, claim_id, as_of => '{at}') FROM claim_reminders(as_of => '{at}')"
        ),
    );
}

const CODES: &str = "(SELECT string_agg(s ->> 'code', ' ') FROM jsonb_array_elements(sentences) AS s)";

#[test]
fn the_day_that_is_foretold_is_the_one_on_which_a_run_acts() {
    let (_database, mut client, _, assignment) = one();
    let mut acted = Vec::new();
    let mut foretold: Option<String> = None;
    for day in 1..=30 {
        let day = format!("2026-11-{day:02}");
        // Before the hour of evaluation nothing happens, and the day stays the same.
        assert_eq!(enqueued(&mut client, &format!("{day} 06:00+00")), [""; 0], "{day}");
        let next = explained(&mut client, assignment, &format!("{day} 06:00+00"), "next_action, next_on");
        assert!(foretold.as_ref().is_none_or(|before| *before == next), "{foretold:?} {next} {day}");
        let would = explained(&mut client, assignment, &format!("{day} 08:00+00"), "would_enqueue, action");
        let done = enqueued(&mut client, &format!("{day} 08:00+00"));
        assert_eq!(done.first().map_or("f".to_string(), |_| "t".to_string()), would[..1], "{day}");
        foretold = Some(next);
        if let Some(action) = done.first() {
            assert_eq!(foretold, Some(format!("{action}|{day}")));
            send(&mut client, &format!("{day} 09:00+00"));
            acted.push(format!("{action} {day}"));
            foretold = None;
        }
        // Runs that are a day apart would evaluate at any hour.
        for late in ["21:00+00", "22:00+00"] {
            assert_eq!(enqueued(&mut client, &format!("{day} {late}")), [""; 0], "{day}");
        }
    }
    // Counted days are the 2nd to 6th; then the 11th to 13th, and the 16th and 17th.
    assert_eq!(acted, ["remind 2026-11-06", "escalate 2026-11-17"]);
    assert_eq!(explained(&mut client, assignment, "2026-11-30 08:00+00", "state, next_on, forgotten"), "escalated|-|-");
}

#[test]
fn an_explanation_says_what_counts_who_is_written_to_and_which_gate_stops_it() {
    let (_database, mut client, _, assignment) = one();
    run(&mut client, &format!("SELECT pause_assignment('{assignment}', '2026-11-12', 'ill', '2026-11-11 08:00+00')"));
    let at = "2026-11-15 08:00+00";
    assert_eq!(
        explained(
            &mut client,
            assignment,
            at,
            "silent_since, days_since, counted_days, mentor_name, coordinator_name, action, state"
        ),
        "2026-11-01|14|6|mentor|coordinator|none|silent"
    );
    let spans = "SELECT s ->> 'first_day', s ->> 'last_day', s ->> 'days', s ->> 'cause', s ->> 'reason'";
    assert_eq!(
        rows(
            &mut client,
            &format!(
                "{spans} FROM explain_assignment('{assignment}', '{at}', now()), jsonb_array_elements(days_not_counted) AS s"
            )
        ),
        [
            "2026-11-07|2026-11-08|2|weekly|-",
            "2026-11-09|2026-11-10|2|day_off|break",
            "2026-11-11|2026-11-12|2|pause|ill",
            "2026-11-14|2026-11-15|2|weekly|-",
        ]
    );
    let stopped_by = |client: &mut Client, at: &str| {
        let gates =
            "string_agg(g ->> 'gate' || '=' || (g ->> 'value'), ' ') FILTER (WHERE NOT (g ->> 'is_passed')::boolean)";
        row(
            client,
            &format!(
                "SELECT {gates} FROM explain_assignment('{assignment}', '{at}', now()), jsonb_array_elements(gates) AS g"
            ),
        )
    };
    let not_reminded = "mentor_reminded=no escalation_grace_days=- of 2";
    assert_eq!(stopped_by(&mut client, at), format!("day_on=weekly escalate_after_days=6 of 10 {not_reminded}"));
    assert_eq!(
        explained(&mut client, assignment, at, "explanation"),
        "There was no contact since it was assigned on 1 November 2026, 14 days ago. 6 of these days count; the others do not: \
         4 weekly days off; 9 November 2026 to 10 November 2026 (day off: break); 11 November 2026 to 12 November 2026 (paused: ill). \
         mentor is to be reminded: 5 counted days have passed. Nothing is enqueued today: weekly day off. If nothing changes, mentor is reminded on 16 November 2026."
    );
    enqueued(&mut client, "2026-11-15 21:00+00");
    enqueued(&mut client, "2026-11-15 22:00+00");
    assert_eq!(
        stopped_by(&mut client, "2026-11-16 06:00+00"),
        format!("escalate_after_days=7 of 10 {not_reminded} hour_reached=7")
    );
    let codes = explained(&mut client, assignment, "2026-11-16 08:00+00", CODES);
    assert_eq!(codes, "never_contacted days_not_counted reminder_due next_run");
    assert_eq!(enqueued(&mut client, "2026-11-16 08:00+00"), ["remind"]);
    assert!(stopped_by(&mut client, "2026-11-16 08:00+00").contains("not_enqueued=pending"));
    let codes = explained(&mut client, assignment, "2026-11-16 08:00+00", CODES);
    assert_eq!(codes, "never_contacted days_not_counted reminder_waits");
    send(&mut client, "2026-11-16 09:00+00");
    let codes = explained(&mut client, assignment, "2026-11-17 08:00+00", CODES);
    assert_eq!(codes, "never_contacted days_not_counted reminded escalation_not_due next");
    run(&mut client, "UPDATE assignments SET status = 'completed'");
    assert_eq!(
        explained(&mut client, assignment, "2026-11-17 08:00+00", "action, would_enqueue, state, next_on"),
        "none|f|-|-"
    );
    for (sql, sqlstate, text) in [
        ("SELECT * FROM explain_assignment('00000000-0000-0000-0000-00000000dead')", "02000", "dead"),
        ("SELECT * FROM explain_assignment(NULL)", "22004", "assignment_id"),
        ("SELECT * FROM explain_assignment('00000000-0000-0000-0000-00000000dead', 'infinity')", "22008", "infinity"),
    ] {
        assert_refused(&mut client, sql, sqlstate, text);
    }
}

#[test]
fn whoever_nobody_will_hear_of_is_listed_with_the_reason_counted_by_the_run_and_told_by_health() {
    let (_database, mut client, people, assignment) = one();
    let forgotten = |client: &mut Client, at: &str| {
        rows(client, &format!("SELECT reason, is_decided FROM forgotten_assignments(as_of => '{at}')"))
    };
    let at = "2026-11-05 08:00+00";
    assert_eq!(forgotten(&mut client, at), [""; 0]);
    for (change, expected, back) in [
        (
            "UPDATE assignments SET peer_mentor_id = NULL, coordinator_id = NULL".to_string(),
            "no_recipient|f",
            format!("UPDATE assignments SET peer_mentor_id = '{}', coordinator_id = '{}'", people.mentor, people.coordinator),
        ),
        (
            format!("SELECT pause_assignment('{assignment}', NULL, 'ill', '2026-11-03 08:00+00')"),
            "paused_for_good|t",
            format!("SELECT resume_assignment('{assignment}', '2026-11-03 08:00+00')"),
        ),
        (
            "UPDATE reminder_settings SET reminder_after_days = NULL".to_string(),
            "reminders_off|t",
            "UPDATE reminder_settings SET reminder_after_days = 5".to_string(),
        ),
        (
            "DELETE FROM reminder_settings".to_string(),
            "no_settings|f",
            "INSERT INTO reminder_settings (reminder_after_days, escalate_after_days, evaluation_hour) VALUES (5, 10, 7)".to_string(),
        ),
    ] {
        run(&mut client, &change);
        assert_eq!(forgotten(&mut client, at), [expected], "{change}");
        run(&mut client, &back);
        assert_eq!(forgotten(&mut client, at), [""; 0], "{back}");
    }
    let counted =
        "SELECT forgotten FROM evaluation_runs WHERE status = 'succeeded' ORDER BY started_at DESC, as_of DESC LIMIT 1";
    enqueued(&mut client, at);
    assert_eq!(row(&mut client, counted), "0");
    enqueued(&mut client, "2026-11-05 09:00+00");
    assert_eq!(row(&mut client, counted), "-", "once a day");
    run(&mut client, "UPDATE assignments SET peer_mentor_id = NULL, coordinator_id = NULL");
    enqueued(&mut client, "2026-11-06 08:00+00");
    assert_eq!(row(&mut client, counted), "1");
    let health = "SELECT count(*) FROM evaluation_health(as_of => '2026-11-06 10:00+00'), unnest(reasons) AS r WHERE r LIKE 'assignments that nobody will hear of: 1;%'";
    assert_eq!(row(&mut client, health), "1");
    run(&mut client, "UPDATE assignments SET follow_up = false");
    assert_eq!(row(&mut client, health), "0", "at once");
    run(&mut client, "UPDATE assignments SET follow_up = true");
    let mended = format!("UPDATE assignments SET coordinator_id = '{}'", people.coordinator);
    run(&mut client, &mended);
    enqueued(&mut client, "2026-11-06 09:00+00");
    assert_eq!(row(&mut client, counted), "0", "by the next run, while there are any");
    assert_eq!(row(&mut client, health), "0");
    assert_refused(
        &mut client,
        "SELECT * FROM forgotten_assignments('00000000-0000-0000-0000-00000000dead')",
        "02000",
        "dead",
    );
}

#[test]
fn the_coordinators_list_says_what_comes_next() {
    let (_database, mut client, people, _) = one();
    run(
        &mut client,
        "UPDATE assignments SET assigned_on = current_date - 1; UPDATE reminder_settings SET weekly_days_off = '{}'",
    );
    let list = "SELECT title, days_since, counted_days, peer_mentor_name, coordinator_name, last_reminder_sent_at, state, next_action,
                       next_on = current_date + 4, forgotten FROM silent_assignments";
    let expected = row(&mut client, &format!("SELECT title FROM assignments WHERE student_id = '{}'", people.student));
    assert_eq!(rows(&mut client, list), [format!("{expected}|1|1|mentor|coordinator|-|silent|remind|t|-")]);
    run(&mut client, "UPDATE assignments SET follow_up = false");
    assert_eq!(rows(&mut client, list), [""; 0]);
}

/// Something that changes what becomes of silences, or that workers and runs do about them.
fn deed(random: &mut Random) -> String {
    let n = random.below(1_000_000);
    let one =
        |table: &str, of: &str| format!("(SELECT id FROM {table} WHERE {of} ORDER BY md5(id::text || '{n}') LIMIT 1)");
    let (assignment, mentor) = (one("assignments", "true"), one("peer_mentors", "true"));
    let person = one("users", "name <> 'student'");
    let (ago, ahead) = (n % 45, 1 + n % 5);
    let pick = |values: &[&'static str]| values[usize::try_from(n).expect("small") % values.len()];
    match random.below(52) {
        0..=1 => format!(
            "INSERT INTO activities (assignment_id, occurred_at, is_contact) VALUES ({assignment}, now() - \
             interval '{ago} days', {n} % 4 > 0)"
        ),
        2 => format!("DELETE FROM activities WHERE id = {}", one("activities", "true")),
        3 => format!("UPDATE activities SET assignment_id = {assignment} WHERE id = {}", one("activities", "true")),
        4 => format!("SELECT correct_last_contact_date({assignment}, current_date - {ago}, 'because')"),
        5..=6 => format!("UPDATE assignments SET peer_mentor_id = {mentor} WHERE id = {assignment}"),
        7 => format!("UPDATE assignments SET peer_mentor_id = NULL WHERE id = {assignment}"),
        8 => format!("UPDATE assignments SET coordinator_id = {person} WHERE id = {assignment}"),
        9 => format!("UPDATE assignments SET status = 'completed' WHERE id = {assignment}"),
        10..=11 => "UPDATE assignments SET status = 'open' WHERE status <> 'open'".to_string(),
        12 => format!("UPDATE users SET contact_opt_out = NOT contact_opt_out WHERE id = {person}"),
        13 => "UPDATE users SET contact_opt_out = false".to_string(),
        14 => format!(
            "INSERT INTO user_preferences (user_id, muted_types) VALUES ({person}, '{{contact-escalation}}') \
             ON CONFLICT (user_id) DO UPDATE SET muted_types = '{{contact-reminder}}'"
        ),
        15 => "DELETE FROM user_preferences".to_string(),
        16 => format!(
            "UPDATE reminder_settings SET reminder_after_days = {}, escalate_after_days = {}, \
             escalation_grace_days = {}",
            10 + n % 7, 20 + n % 9, n % 2
        ),
        17 => format!(
            "UPDATE reminder_settings SET follow_up_limit = {}, evaluation_hour = {}",
            pick(&["NULL", "0", "0", "0"]), pick(&["NULL", "0", "23"])
        ),
        18 => format!("UPDATE reminder_settings SET fallback_coordinator_id = {person}"),
        19 => format!(
            "INSERT INTO days_off (first_day, last_day, reason) VALUES (current_date - {ago}, current_date - \
             {ago} + {}, 'off{n}')",
            n % 9
        ),
        20 => format!("DELETE FROM days_off WHERE id = {}", one("days_off", "true")),
        21 => format!("SELECT pause_assignment({assignment}, current_date + {ahead}, 'away{n}')"),
        22 => format!("SELECT resume_assignment({assignment})"),
        23 => format!("SELECT pause_mentor({mentor}, NULL, 'leave{n}')"),
        24 => format!("SELECT resume_mentor({mentor})"),
        25 => format!(
            "INSERT INTO assignments (title, student_id, peer_mentor_id, coordinator_id, assigned_on) VALUES \
             ('a{n}', (SELECT id FROM users WHERE name = 'student'), {mentor}, {person}, current_date - \
             {ago})"
        ),
        26 => format!("DELETE FROM assignments WHERE id = {assignment}"),
        27 => format!("UPDATE assignments SET follow_up = NOT follow_up WHERE id = {assignment}"),
        28 => format!("DELETE FROM users WHERE id = {person}"),
        29 if n.is_multiple_of(3) => "UPDATE reminder_settings SET address_required = NOT address_required".to_string(),
        29 => format!(
            "UPDATE users SET email = NULLIF('e{n}@example.org', 'e0@example.org'), name = 'n{n}' WHERE id = \
             {person}"
        ),
        30 => "SELECT release_held_run(id) FROM organizations".to_string(),
        // Not another time zone: that counts for later contacts alone.
        31..=32 => "SELECT record_delivery_event(message_id, 'bounced', 'user unknown', NULL, true) FROM (SELECT message_id FROM send_logs WHERE status = 'queued' ORDER BY created_at DESC LIMIT 1) AS last".to_string(),
        33 => "SELECT mark_reminder_failed(reminder_id, claim_id, 'no') FROM claim_reminders(2)".to_string(),
        34..=40 => format!(
            "SELECT mark_reminder_sent(reminder_id, claim_id, 'm{n}-' || row_number() OVER ()) FROM \
             claim_reminders(10)"
        ),
        _ => "SELECT run_daily_evaluation()".to_string(),
    }
}

#[test]
fn what_was_explained_is_explained_so_afterwards_whatever_has_happened_since() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in [20_261_127, 5_550_123] {
        let database = Database::installed();
        let mut client = database.connect();
        number_ids(&mut client);
        let people = People::new(&mut client);
        run(
            &mut client,
            "UPDATE reminder_settings SET max_attempts = 1, escalation_grace_days = 0;
             INSERT INTO users (email, name) SELECT n || '@example.org', n FROM unnest('{a,b,c,d}'::text[]) AS n;
             INSERT INTO peer_mentors (user_id) SELECT id FROM users WHERE name IN ('a', 'b') ORDER BY name",
        );
        for ago in [0, 9, 13, 15, 20, 27, 30, 50] {
            run(
                &mut client,
                &format!(
                    "INSERT INTO assignments (title, student_id, peer_mentor_id, coordinator_id, assigned_on) VALUES ('t{ago}', '{}', '{}', '{}', current_date - {ago})",
                    people.student, people.mentor, people.coordinator
                ),
            );
        }
        run(
            &mut client,
            "CREATE TABLE public.told (number integer, moment timestamptz, assignment_id uuid, explained jsonb)",
        );
        let mut random = Random(seed);
        let mut deeds = vec![String::new()];
        for number in 0..=110 {
            if number > 0 {
                let deed = deed(&mut random);
                // What the rules refuse changes nothing.
                let _ = client.batch_execute(&deed);
                deeds.push(deed);
            }
            run(
                &mut client,
                &format!(
                    "INSERT INTO public.told
                     SELECT {number}, m.moment, a.id, to_jsonb(x.*)
                       FROM (SELECT clock_timestamp() AS moment OFFSET 0) AS m CROSS JOIN assignments a
                      CROSS JOIN LATERAL explain_assignment(a.id, m.moment, 'infinity') AS x"
                ),
            );
            let disagree = format!(
                "SELECT coalesce(x.assignment_id, f.assignment_id), x.explained ->> 'action', f.action
                   FROM (SELECT * FROM public.told WHERE number = {number} AND (explained ->> 'would_enqueue')::boolean) AS x
                   FULL JOIN evaluate_assignments((SELECT DISTINCT moment FROM public.told WHERE number = {number})) AS f ON f.assignment_id = x.assignment_id
                  WHERE x.explained ->> 'action' IS DISTINCT FROM f.action"
            );
            assert_eq!(
                rows(&mut client, &disagree),
                [""; 0],
                "seed {seed}, the run and the explanation, after {}",
                deeds.join(";\n")
            );
        }
        let wrong = rows(
            &mut client,
            "SELECT t.number, t.assignment_id, d.key, d.value, s.value, t.moment
               FROM (SELECT * FROM public.told t WHERE md5(t.number::text || t.assignment_id) < '4') AS t
              CROSS JOIN LATERAL explain_assignment(t.assignment_id, t.moment) AS x
              CROSS JOIN LATERAL jsonb_each(t.explained) AS d
               JOIN LATERAL jsonb_each(to_jsonb(x.*)) AS s ON s.key = d.key
              WHERE d.value IS DISTINCT FROM s.value
              ORDER BY 1 LIMIT 5",
        );
        let until = wrong.first().and_then(|line| line.split('|').next()?.parse().ok()).unwrap_or(0_usize);
        assert_eq!(wrong, [""; 0], "seed {seed}, after {}", deeds[..=until].join(";\n"));
        seen.extend(rows(
            &mut client,
            "SELECT explained ->> 'state' FROM public.told UNION SELECT event FROM reminder_events
              UNION SELECT h ->> 'event' FROM public.told, jsonb_array_elements(explained -> 'happened') AS h",
        ));
    }
    for what in [
        "silent",
        "reminder_waits",
        "reminded",
        "escalation_waits",
        "escalated",
        "held",
        "re-armed",
        "withdrawn",
        "skipped",
        "message_sent",
        "message_bounced",
        "message_given_up",
        "reminder_rearmed",
    ] {
        assert!(seen.contains(what), "{what}: {seen:?}");
    }
}

#[test]
fn an_explanation_of_what_is_not_known_any_more_or_was_not_there_yet_raises_and_says_so() {
    let (_database, mut client, _, assignment) = one();
    let refused = |client: &mut Client, arguments: &str, sqlstate, word| {
        assert_refused(
            client,
            &format!("SELECT * FROM explain_assignment('{assignment}', {arguments})"),
            sqlstate,
            word,
        );
    };
    refused(&mut client, "'2020-01-01'", "22023", "the history begins at");
    refused(&mut client, "now(), '-infinity'", "22023", "infinity");
    refused(&mut client, "now() - interval '1 hour', now() - interval '1 year'", "22023", "the history begins at");
    refused(&mut client, "history_known_since()", "02000", "was not there at");
}

#[test]
fn where_events_and_logs_were_pruned_what_is_there_tells_how_it_stood() {
    let (_database, mut client, people, _) = one();
    run(
        &mut client,
        "UPDATE reminder_settings SET weekly_days_off = '{}', evaluation_hour = NULL, follow_up_limit = NULL; DELETE FROM days_off; DELETE FROM assignments",
    );
    let [sent, waits] = [0, 1].map(|_| {
        let today = row(&mut client, "SELECT current_date - 7");
        people.assignment(&mut client, &today)
    });
    run(&mut client, "SELECT run_daily_evaluation()");
    run(
        &mut client,
        &format!(
            "SELECT mark_reminder_sent(reminder_id, claim_id) FROM claim_reminders() WHERE assignment_id = '{sent}'; SELECT return_reminders(array_agg(id), (array_agg(claim_id))[1]) FROM reminders WHERE claim_id IS NOT NULL"
        ),
    );
    let moment = row(&mut client, "SELECT clock_timestamp()");
    let state = |client: &mut Client, id: Uuid| {
        row(client, &format!("SELECT state, next_action, would_enqueue FROM explain_assignment('{id}', '{moment}')"))
    };
    let told = [sent, waits].map(|id| state(&mut client, id));
    assert_eq!(told, ["reminded|escalate|f", "reminder_waits|remind|f"]);
    run(&mut client, "SELECT prune(older_than => interval '1 microsecond')");
    assert_eq!(row(&mut client, "SELECT count(*) FROM send_logs"), "0");
    run(&mut client, &format!("SELECT prune_history('{moment}'); TRUNCATE reminder_events"));
    assert_eq!(row(&mut client, "SELECT count(*) FROM reminder_events"), "0");
    assert_eq!([sent, waits].map(|id| state(&mut client, id)), told);
    run(&mut client, "INSERT INTO activities (assignment_id) SELECT id FROM assignments");
    assert_eq!([sent, waits].map(|id| state(&mut client, id)), told, "what came next tells");
}

#[test]
fn a_hold_that_stands_is_told_also_where_it_was_noted_before_the_history_was_pruned() {
    let (_database, mut client, people, assignment) = one();
    run(&mut client, "UPDATE reminder_settings SET weekly_days_off = '{}', evaluation_hour = 23, follow_up_limit = 0");
    people.assignments(&mut client, "2026-10-01", 3);
    run(
        &mut client,
        "INSERT INTO organization_evaluations (organization_id, turn_at, evaluated_at, held_at) SELECT id, now(), now() - interval '1 day', now() FROM organizations",
    );
    let held = row(&mut client, "SELECT clock_timestamp()");
    run(&mut client, "SELECT release_held_run(id) FROM organizations; TRUNCATE reminder_events");
    let released = row(&mut client, "SELECT clock_timestamp()");
    let mut is_held = |moment: &str| {
        let gates = format!(
            "SELECT g ->> 'is_passed' FROM explain_assignment('{assignment}', '{moment}'), jsonb_array_elements(gates) AS g"
        );
        row(&mut client, &format!("{gates} WHERE g ->> 'gate' = 'not_held'"))
    };
    assert_eq!([is_held(&held), is_held(&released)], ["false", "true"]);
}

#[test]
fn where_a_person_was_forgotten_a_sentence_has_no_gap_and_the_assignment_still_a_title() {
    let (_database, mut client, people, assignment) = one();
    run(
        &mut client,
        &format!("SELECT forget_person('{}'); SELECT forget_person('{}')", people.mentor_user, people.student),
    );
    let told = "title IS NOT NULL, mentor_name, explanation ~ '(^|\\. )The mentor cannot be reminded'";
    assert_eq!(explained(&mut client, assignment, "2026-11-12 08:00+00", told), "t|-|t");
}

#[test]
fn what_happened_in_this_silence_is_listed_to_whom_and_told_in_a_sentence_as_far_as_it_had() {
    let (_database, mut client, people, assignment) = one();
    run(
        &mut client,
        "UPDATE reminder_settings SET weekly_days_off = '{}', evaluation_hour = NULL, escalation_grace_days = 0; DELETE FROM days_off;
         UPDATE users SET name = 'Mina' WHERE name = 'mentor'; UPDATE users SET name = 'Kari' WHERE name = 'coordinator';
         UPDATE assignments SET assigned_on = current_date - 20",
    );
    run(
        &mut client,
        "SELECT run_daily_evaluation();
         SELECT mark_reminder_sent(reminder_id, claim_id, message_id => 'm1') FROM claim_reminders()",
    );
    let listed = "(SELECT string_agg(concat_ws(' ', h ->> 'event', h ->> 'reminder_type', h ->> 'recipient_name', h ->> 'reason'), ', ')
                     FROM jsonb_array_elements(happened) AS h)";
    let tell = |client: &mut Client, arguments: &str, columns: &str| {
        row(client, &format!("SELECT {columns} FROM explain_assignment('{assignment}'{arguments})"))
    };
    let sent = "reminder_enqueued contact-reminder Mina, message_sent contact-reminder Mina";
    assert_eq!(tell(&mut client, "", listed), sent);
    // The stage says it: one sentence is enough.
    assert_eq!(tell(&mut client, "", CODES).matches("message_sent").count(), 0);
    let before = row(&mut client, "SELECT clock_timestamp()");
    run(
        &mut client,
        "SELECT record_delivery_event('m1', 'bounced', '550 5.1.1 no such user');
         SELECT run_daily_evaluation();
         SELECT mark_reminder_failed(reminder_id, claim_id, 'down') FROM claim_reminders();
         UPDATE users SET name = 'Another'",
    );
    let now = "reminder_enqueued contact-reminder Another, message_sent contact-reminder Another, \
               message_bounced contact-reminder Another 550 5.1.1 no such user, \
               reminder_enqueued contact-escalation Another, message_failed contact-escalation Another down";
    assert_eq!(tell(&mut client, "", listed), now);
    let today = row(&mut client, "SELECT to_char(current_date, 'FMDD FMMonth YYYY')");
    let told = tell(&mut client, "", "explanation");
    assert!(
        told.contains(&format!("A reminder was sent to Another on {today}; it bounced on {today}. A message to Another could not be sent on {today}.")),
        "{told}"
    );
    assert!(tell(&mut client, "", CODES).contains("message_bounced message_failed"));
    // As it was known then, and as people were called.
    assert_eq!(tell(&mut client, &format!(", '{before}'"), listed), sent);
    // The moments do not depend on the session's time zone.
    let moments = "(SELECT string_agg(h ->> 'happened_at', ',') FROM jsonb_array_elements(happened) AS h)";
    let utc = tell(&mut client, "", moments);
    run(&mut client, "SET timezone = 'Asia/Tokyo'");
    assert_eq!(tell(&mut client, "", moments), utc);
    assert_eq!(tell(&mut client, "", "happened -> 0 ->> 'recipient_id'"), people.mentor_user.to_string());
    // Another silence: nothing happened in it yet; and it was so before, too.
    run(&mut client, &format!("INSERT INTO activities (assignment_id) VALUES ('{assignment}')"));
    assert_eq!(tell(&mut client, "", "happened"), "[]");
    assert_eq!(tell(&mut client, &format!(", '{before}'"), listed), sent);
}

/// Whoever was to be told never heard of it: that their address is put right tells them nothing.
#[test]
fn an_escalation_that_never_arrived_stays_visible_whatever_becomes_of_the_address() {
    for (error, is_listed) in [
        ("550 5.1.1 User unknown", true),
        ("550 5.7.1 blocked by policy", true),
        ("552 5.2.2 mailbox full", true),
        ("451 4.7.1 greylisted, try again", false),
        ("delayed", false),
    ] {
        let (_database, mut client, people, id) = one();
        run(
            &mut client,
            "UPDATE reminder_settings SET weekly_days_off = '{}', escalate_after_days = 6, escalation_grace_days = 0; DELETE FROM days_off",
        );
        assert_eq!(enqueued(&mut client, "2026-11-06 08:00+00"), ["remind"]);
        send(&mut client, "2026-11-06 09:00+00");
        assert_eq!(enqueued(&mut client, "2026-11-07 08:00+00"), ["escalate"]);
        run(
            &mut client,
            "SELECT mark_reminder_sent(reminder_id, claim_id, 'm', as_of => '2026-11-07 09:00+00') FROM claim_reminders(as_of => '2026-11-07 09:00+00')",
        );
        let listed = "SELECT reason FROM forgotten_assignments()";
        assert_eq!(rows(&mut client, listed), [""; 0]);
        let told = |client: &mut Client| {
            row(client, &format!("SELECT explanation FROM explain_assignment('{id}', now(), now())"))
        };
        assert!(told(&mut client).contains("The coordinator was told on 7 November 2026."));
        run(&mut client, &format!("SELECT record_delivery_event('m', 'bounced', '{error}', 'e')"));
        let expected = if is_listed { vec!["escalation_returned"] } else { vec![] };
        assert_eq!(rows(&mut client, listed), expected, "{error}");
        let unheard =
            row(&mut client, "SELECT count(*) FROM evaluation_health(), unnest(reasons) AS r WHERE r ~ 'reach nobody'");
        assert_eq!(unheard == "1", is_listed, "{error}");
        assert_eq!(told(&mut client).contains("The coordinator was told"), !is_listed, "{error}");
        let repair = format!(
            "UPDATE users SET contact_opt_out = false, email = 'new@example.org' WHERE id = '{}'",
            people.coordinator
        );
        run(&mut client, &repair);
        assert_eq!(rows(&mut client, listed), expected, "{error}");
        run(&mut client, "SELECT record_delivery_event('m', 'delivered', NULL, 'f')");
        assert_eq!(rows(&mut client, listed), [""; 0], "{error}");
    }
}

/// A mentor who could not be reached when the coordinator was told, and can be now.
#[test]
fn what_is_foretold_of_a_mentor_who_can_be_reached_again_is_what_the_run_does() {
    let (_database, mut client, people, id) = one();
    run(
        &mut client,
        &format!(
            "UPDATE reminder_settings SET weekly_days_off = '{{}}', reminder_after_days = 5, escalate_after_days = 5; DELETE FROM days_off;
             UPDATE users SET contact_opt_out = true WHERE id = '{}'",
            people.mentor_user
        ),
    );
    assert_eq!(enqueued(&mut client, "2026-11-06 08:00+00"), ["escalate"]);
    send(&mut client, "2026-11-06 09:00+00");
    let next = "state, next_action, next_on, would_enqueue";
    assert_eq!(explained(&mut client, id, "2026-11-07 08:00+00", next), "escalated|-|-|f");
    run(&mut client, "UPDATE users SET contact_opt_out = false");
    assert_eq!(explained(&mut client, id, "2026-11-07 08:00+00", next), "escalated|remind|2026-11-07|t");
    assert_eq!(enqueued(&mut client, "2026-11-07 08:00+00"), ["remind"]);
    assert_eq!(explained(&mut client, id, "2026-11-07 08:00+00", next), "escalated|remind|2026-11-07|f");
    send(&mut client, "2026-11-07 09:00+00");
    assert_eq!(explained(&mut client, id, "2026-11-08 08:00+00", next), "escalated|-|-|f");
    assert_eq!(enqueued(&mut client, "2026-11-08 08:00+00"), [""; 0]);
}
