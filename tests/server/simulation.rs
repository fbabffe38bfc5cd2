//! simulate_follow_ups: agrees with what runs did, by replay: time passes by moving everything that was back by a day.

use postgres::Client;

use crate::support::{Database, People, Random, assert_refused, number_ids, row, rows, run};

const ORGANIZATION: &str = "00000000-0000-0000-0000-000000000001";
const DAYS: usize = 30;

/// Moves what tables hold back in time: whole days, or hours of what was done today.
const AGING: &str = r"
CREATE FUNCTION public.age(days integer, hours integer, today timestamptz) RETURNS void LANGUAGE plpgsql
SET session_replication_role = replica SET TimeZone = UTC AS $$
DECLARE
    t record;
BEGIN
    FOR t IN
        SELECT c.relname, a.moments, a.dates
          FROM pg_class c
         CROSS JOIN LATERAL (
               SELECT array_agg(a.attname::text) FILTER (WHERE a.atttypid = 'timestamptz'::regtype AND (days > 0 OR a.attname <> 'anchor')) AS moments,
                      array_agg(a.attname::text) FILTER (WHERE a.atttypid = 'date'::regtype) AS dates
                 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS a
         WHERE c.relnamespace = 'assignment_reminders'::regnamespace AND c.relkind = 'r'
    LOOP
        IF days > 0 AND (t.moments IS NOT NULL OR t.dates IS NOT NULL) THEN
            EXECUTE format('UPDATE assignment_reminders.%I SET %s', t.relname, (
                SELECT string_agg(s, ', ') FROM (
                    SELECT format('%1$I = %1$I - interval ''%2$s days''', m, days) AS s FROM unnest(t.moments) m
                     UNION ALL SELECT format('%1$I = %1$I - %2$s', d, days) FROM unnest(t.dates) d) AS s));
        ELSIF days = 0 AND t.moments IS NOT NULL THEN
            EXECUTE format('UPDATE assignment_reminders.%I SET %s', t.relname, (
                SELECT string_agg(format('%1$I = CASE WHEN %1$I >= %2$L THEN %1$I - interval ''%3$s hours'' ELSE %1$I END', m, today, hours), ', ')
                  FROM unnest(t.moments) m));
        END IF;
        UPDATE assignment_reminders.row_history h
           SET old_values = h.old_values || coalesce((
                   SELECT jsonb_object_agg(old.key, to_jsonb(CASE
                              WHEN days > 0 THEN (old.value #>> '{}')::timestamptz - make_interval(days => days)
                              WHEN (old.value #>> '{}')::timestamptz >= today THEN (old.value #>> '{}')::timestamptz - make_interval(hours => hours)
                              ELSE (old.value #>> '{}')::timestamptz END))
                     FROM jsonb_each(h.old_values) old WHERE old.key = ANY (t.moments) AND old.value <> 'null'), '{}')
               || coalesce((
                   SELECT jsonb_object_agg(old.key, to_jsonb((old.value #>> '{}')::date - days))
                     FROM jsonb_each(h.old_values) old WHERE old.key = ANY (t.dates) AND old.value <> 'null'), '{}')
         WHERE h.table_name = t.relname AND h.old_values IS NOT NULL;
    END LOOP;
    -- What was on a Monday was so on a Sunday.
    UPDATE assignment_reminders.reminder_settings SET weekly_days_off = ARRAY(SELECT 1 + (d + 6 - days % 7) % 7 FROM unnest(weekly_days_off) d);
    UPDATE assignment_reminders.row_history h
       SET old_values = jsonb_set(h.old_values, '{weekly_days_off}', to_jsonb(ARRAY(
               SELECT 1 + (d::integer + 6 - days % 7) % 7 FROM jsonb_array_elements_text(h.old_values -> 'weekly_days_off') d)))
     WHERE h.old_values ? 'weekly_days_off';
END $$";

/// A small programme whose people live where it is about nine in the evening, so that no midnight falls into the test.
fn programme() -> (Database, Client) {
    let database = Database::installed();
    let mut client = database.connect();
    number_ids(&mut client);
    // What runs and workers make takes none of the numbers by which deeds pick their rows.
    for table in ["reminders", "send_logs", "evaluation_runs"] {
        run(&mut client, &format!("ALTER TABLE {table} ALTER COLUMN id SET DEFAULT gen_random_uuid()"));
    }
    let people = People::new(&mut client);
    let hour: i32 = row(&mut client, "SELECT extract(hour FROM now() AT TIME ZONE 'UTC')").parse().expect("an hour");
    let ahead = if hour < 6 { -4 - hour } else { 20 - hour };
    let timezone = if ahead < 0 { format!("Etc/GMT+{}", -ahead) } else { format!("Etc/GMT-{ahead}") };
    run(
        &mut client,
        &format!(
            "{AGING};
             ALTER DATABASE {} SET TimeZone = '{timezone}';
             SET TimeZone = '{timezone}';
             UPDATE organizations SET timezone = '{timezone}';
             UPDATE reminder_settings SET evaluation_hour = 14, follow_up_limit = NULL, reminder_after_days = 4, escalate_after_days = 8,
                    escalation_grace_days = 1;
             INSERT INTO users (email, name) SELECT n || '@example.org', n FROM unnest('{{a,b,c,d}}'::text[]) AS n;
             INSERT INTO peer_mentors (user_id) SELECT id FROM users WHERE name IN ('a', 'b') ORDER BY name",
            database.name
        ),
    );
    for ago in [0, 0, 1, 2, 3, 5, 7, 9] {
        run(
            &mut client,
            &format!(
                "INSERT INTO assignments (title, student_id, peer_mentor_id, coordinator_id, assigned_on) VALUES ('t{ago}', '{}', '{}', '{}', current_date - {ago})",
                people.student, people.mentor, people.coordinator
            ),
        );
    }
    (database, client)
}

/// Something that decides what is due; of settings only where they may change.
fn deed(random: &mut Random, may_set: bool) -> String {
    let n = random.below(1_000_000);
    let one =
        |table: &str, of: &str| format!("(SELECT id FROM {table} WHERE {of} ORDER BY md5(id::text || '{n}') LIMIT 1)");
    let (assignment, mentor) = (one("assignments", "true"), one("peer_mentors", "true"));
    let person = one("users", "name <> 'student'");
    let (ago, ahead) = (n % 9, 1 + n % 5);
    match random.below(if may_set { 40 } else { 36 }) {
        0..=6 => format!(
            "INSERT INTO activities (assignment_id, occurred_at, is_contact) VALUES ({assignment}, now() - \
             interval '{} days', {n} % 4 > 0)",
            ago / 3
        ),
        7 => format!("DELETE FROM activities WHERE id = {}", one("activities", "true")),
        8 => format!("UPDATE activities SET assignment_id = {assignment} WHERE id = {}", one("activities", "true")),
        9 => format!("SELECT correct_last_contact_date({assignment}, current_date - {ago}, 'because')"),
        10..=12 => format!("UPDATE assignments SET peer_mentor_id = {mentor} WHERE id = {assignment}"),
        13 => format!("UPDATE assignments SET peer_mentor_id = NULL WHERE id = {assignment}"),
        14 => format!("UPDATE assignments SET coordinator_id = {person} WHERE id = {assignment}"),
        15 => format!("UPDATE assignments SET status = 'completed' WHERE id = {assignment}"),
        16..=17 => "UPDATE assignments SET status = 'open' WHERE status <> 'open'".to_string(),
        18 => format!("UPDATE users SET contact_opt_out = NOT contact_opt_out WHERE id = {person}"),
        19 => "UPDATE users SET contact_opt_out = false".to_string(),
        20 => format!(
            "INSERT INTO user_preferences (user_id, muted_types) VALUES ({person}, '{{contact-escalation}}') \
             ON CONFLICT (user_id) DO UPDATE SET muted_types = '{{contact-reminder}}'"
        ),
        21 => "DELETE FROM user_preferences".to_string(),
        22 => format!(
            "INSERT INTO days_off (first_day, last_day) VALUES (current_date - {ago}, current_date - {ago} + {})",
            n % 6
        ),
        23 => format!("DELETE FROM days_off WHERE id = {}", one("days_off", "true")),
        24 => format!("SELECT pause_assignment({assignment}, current_date + {ahead})"),
        25 => format!("SELECT resume_assignment({assignment})"),
        26 => format!("SELECT pause_mentor({mentor}, current_date + {ahead})"),
        27 => format!("SELECT resume_mentor({mentor})"),
        28..=30 => format!(
            "INSERT INTO assignments (title, student_id, peer_mentor_id, coordinator_id, assigned_on) VALUES \
             ('a{n}', (SELECT id FROM users WHERE name = 'student'), {mentor}, {person}, current_date - \
             {ago})"
        ),
        31 => format!("DELETE FROM assignments WHERE id = {assignment}"),
        32 => format!("UPDATE assignments SET follow_up = NOT follow_up WHERE id = {assignment}"),
        33 => format!("DELETE FROM users WHERE id = {person} AND {n} % 3 = 0"),
        34 if n.is_multiple_of(3) => "UPDATE reminder_settings SET address_required = NOT address_required".to_string(),
        34 => format!("UPDATE users SET email = NULLIF('e{n}@example.org', 'e0@example.org') WHERE id = {person}"),
        35 => format!("SELECT merge_peer_mentors({mentor}, {})", one("peer_mentors", &format!("id <> {mentor}"))),
        36 => format!(
            "UPDATE reminder_settings SET reminder_after_days = {}, escalate_after_days = {}, escalation_grace_days = {}",
            3 + n % 3,
            6 + n % 4,
            n % 2
        ),
        37 => format!(
            "UPDATE reminder_settings SET weekly_days_off = '{{{}}}', follow_up_from = current_date - {}",
            1 + n % 7,
            10 + n % 20
        ),
        38 => format!("UPDATE reminder_settings SET fallback_coordinator_id = {person}"),
        _ => "UPDATE reminder_settings SET escalate_after_days = NULL".to_string(),
    }
}

/// Runs come, and what they enqueue is sent, until there is nothing more: reminders, escalations, and those whom nobody could be told of.
fn runs(client: &mut Client) -> [usize; 3] {
    let mut counts = [0; 3];
    loop {
        let found =
            rows(client, "SELECT action, skip_reason IS NULL FROM run_daily_evaluation() WHERE action <> 'none'");
        if found.is_empty() {
            return counts;
        }
        for found in found {
            let place = match found.as_str() {
                "remind|t" => 0,
                "escalate|t" => 1,
                _ => 2,
            };
            counts[place] += 1;
        }
        run(client, "SELECT mark_reminder_sent(reminder_id, claim_id) FROM claim_reminders(1000)");
    }
}

/// What was done, and what the runs of each day enqueued.
fn replayed(client: &mut Client, seed: u64, may_set: bool) -> (Vec<String>, Vec<String>) {
    let mut random = Random(seed);
    let (mut deeds, mut counts) = (Vec::new(), Vec::new());
    let mut some = |client: &mut Client, when: String| {
        deeds.push(format!("-- {when}"));
        for _ in 0..random.below(4) {
            let deed = deed(&mut random, may_set);
            // What the rules refuse changes nothing.
            let is_done = client.batch_execute(&deed).is_ok();
            deeds.push(if is_done { deed } else { format!("-- refused: {deed}") });
        }
    };
    for day in 0..DAYS {
        run(client, "SELECT public.age(1, 0, NULL)");
        // What is done now was done in the morning, before the evaluation hour.
        some(client, format!("the morning of day {day}"));
        run(client, "SELECT public.age(0, 8, current_date)");
        let mut of_day = runs(client);
        some(client, format!("the evening of day {day}"));
        runs(client).iter().zip(&mut of_day).for_each(|(more, of_day)| *of_day += more);
        counts.push(of_day.map(|count| count.to_string()).join("|"));
    }
    (deeds, counts)
}

fn simulated(client: &mut Client, days: usize, settings: &str) -> Vec<String> {
    rows(
        client,
        &format!(
            "SELECT reminders, escalations, undeliverable FROM simulate_follow_ups('{ORGANIZATION}', current_date - {}, current_date, '{settings}')",
            days - 1
        ),
    )
}

fn assert_agree(simulated: &[String], ran: &[String], deeds: &[String], what: &str) {
    let day = simulated.iter().zip(ran).position(|(simulated, ran)| simulated != ran);
    let until = day.map_or(0, |day| {
        let first = DAYS - ran.len();
        deeds
            .iter()
            .position(|deed| *deed == format!("-- the morning of day {}", first + day + 1))
            .unwrap_or(deeds.len())
    });
    assert_eq!(simulated, ran, "{what}, day {day:?}, after {}", deeds[..until].join(";\n"));
}

#[test]
fn a_simulation_of_the_settings_that_held_agrees_with_what_the_runs_did() {
    let mut seen = [0; 3];
    for seed in [20_261_127, 77_001] {
        let (_database, mut client) = programme();
        let (deeds, ran) = replayed(&mut client, seed, true);
        assert_agree(&simulated(&mut client, DAYS, "{}"), &ran, &deeds, &format!("seed {seed}"));
        // What had been sent before is known to the first run.
        for days in [DAYS - 9, DAYS / 2, 5] {
            let later = simulated(&mut client, days, "{}");
            assert_agree(&later, &ran[DAYS - days..], &deeds, &format!("seed {seed}, {days} days"));
        }
        for of_day in &ran {
            of_day
                .split('|')
                .zip(&mut seen)
                .for_each(|(count, seen)| *seen += count.parse::<usize>().expect("a number"));
        }
    }
    assert!(seen.iter().all(|count| *count > 2), "{seen:?}");
}

#[test]
fn a_simulation_of_other_settings_agrees_with_what_runs_with_them_did() {
    let seed = 4_071;
    let (_database, mut client) = programme();
    let (deeds, with_ours) = replayed(&mut client, seed, false);
    for (columns, settings) in [
        (
            "reminder_after_days = 6, escalate_after_days = 7, escalation_grace_days = 0",
            r#"{"reminder_after_days": 6, "escalate_after_days": 7, "escalation_grace_days": 0}"#,
        ),
        (
            "reminder_after_days = 2, escalate_after_days = NULL, weekly_days_off = '{2,3}', follow_up_from = current_date + 4",
            r#"{"reminder_after_days": 2, "escalate_after_days": null, "weekly_days_off": WEEKLY, "follow_up_from": "FROM"}"#,
        ),
    ] {
        let (_database, mut other) = programme();
        run(&mut other, &format!("UPDATE reminder_settings SET {columns}"));
        let (_, with_others) = replayed(&mut other, seed, false);
        let from = row(&mut other, "SELECT follow_up_from FROM reminder_settings");
        let weekly = row(&mut other, "SELECT to_jsonb(weekly_days_off) FROM reminder_settings");
        let found = simulated(&mut client, DAYS, &settings.replace("FROM", &from).replace("WEEKLY", &weekly));
        assert_agree(&found, &with_others, &deeds, settings);
        assert_ne!(with_others, with_ours);
    }
}

#[test]
fn days_to_come_go_on_as_if_nobody_did_anything() {
    let (_database, mut client) = programme();
    run(&mut client, "DELETE FROM assignments WHERE title <> 't9'; SELECT public.age(1, 0, NULL)");
    let ahead = format!(
        "SELECT day - current_date, is_day_off, reminders, escalations, undeliverable
           FROM simulate_follow_ups('{ORGANIZATION}', current_date, current_date + 4, '{{\"weekly_days_off\": []}}')"
    );
    // It has been silent for ten days.
    let expected = ["0|f|1|0|0", "1|f|0|1|0", "2|f|0|0|0", "3|f|0|0|0", "4|f|0|0|0"];
    assert_eq!(rows(&mut client, &ahead), expected);
    run(&mut client, "DELETE FROM reminder_settings");
    assert_eq!(rows(&mut client, &ahead)[4], "4|-|0|0|0", "nobody would look");
}

#[test]
fn a_simulation_of_what_is_not_known_or_makes_no_sense_raises_and_says_so() {
    let (_database, mut client) = programme();
    for (arguments, sqlstate, text) in [
        ("NULL, current_date, current_date", "22004", "organization_id"),
        ("'{o}', NULL, current_date", "22004", "first_day"),
        ("'{o}', current_date, NULL", "22004", "last_day"),
        ("'{o}', current_date, current_date, NULL", "22004", "settings"),
        ("'{o}', current_date, current_date - 1", "22023", "after last_day"),
        ("'{o}', current_date - 1, current_date", "22023", "the history begins on"),
        ("'{o}', current_date, current_date + 4000", "22023", "3653"),
        ("'{o}', current_date, 'infinity'", "22008", "infinity"),
        ("'b0000000-0000-4000-8000-00000000000b', current_date, current_date", "02000", "b0000000"),
        ("'{o}', current_date, current_date, '[]'", "22023", "not an object"),
        ("'{o}', current_date, current_date, '{\"after\": 1}'", "22023", "\"after\""),
        (
            "'{o}', current_date, current_date, '{\"escalation_grace_days\": null}'",
            "22023",
            "escalation_grace_days is null",
        ),
        (
            "'{o}', current_date, current_date, '{\"fallback_coordinator_id\": \"b0000000-0000-4000-8000-00000000000b\"}'",
            "02000",
            "b0000000",
        ),
        ("'{o}', current_date, current_date, '{\"reminder_after_days\": -1}'", "22023", "-1"),
        ("'{o}', current_date, current_date, '{\"weekly_days_off\": [8]}'", "22023", "8"),
    ] {
        let arguments = arguments.replace("{o}", ORGANIZATION);
        assert_refused(&mut client, &format!("SELECT * FROM simulate_follow_ups({arguments})"), sqlstate, text);
    }
    for (settings, sqlstate) in [(r#"{"reminder_after_days": "x"}"#, "22P02"), (r#"{"follow_up_from": "x"}"#, "22007")]
    {
        let asked =
            format!("SELECT * FROM simulate_follow_ups('{ORGANIZATION}', current_date, current_date, '{settings}')");
        assert_eq!(crate::support::refused(&mut client, &asked).sqlstate, sqlstate);
    }
}
