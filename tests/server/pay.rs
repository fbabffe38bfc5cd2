//! Pay: counts at a moment, statements, and periods that were closed. Time is told: what a test does is given moments of a year long past,
//! in the tables and in the history alike.

use postgres::Client;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use uuid::Uuid;

use crate::support::{Database, assert_refused, pid, refused, row, rows, run, wait_until_blocked};

const ORGANIZATION: &str = "00000000-0000-0000-0000-000000000001";

/// A programme in Oslo whose history begins on the last day of 2024, with a student and four mentors.
struct Programme {
    database: Database,
    client: Client,
    student: String,
    mentors: Vec<String>,
}

impl Programme {
    fn new() -> Self {
        let database = Database::installed();
        let mut client = database.connect();
        run(
            &mut client,
            "UPDATE organizations SET timezone = 'Europe/Oslo';
             DELETE FROM history_horizon; INSERT INTO history_horizon (known_since, cause) VALUES ('2024-12-31 12:00+00', 'installed');
             TRUNCATE row_history;
             INSERT INTO users (email, name) SELECT n || '@example.org', n FROM unnest('{student,a,b,c,d}'::text[]) AS n",
        );
        let student = row(&mut client, "SELECT id FROM users WHERE name = 'student'");
        let mut programme = Self { database, client, student, mentors: Vec::new() };
        programme.at(
            "2024-12-31 13:00+00",
            "INSERT INTO peer_mentors (user_id) SELECT id FROM users WHERE name <> 'student' ORDER BY name",
        );
        programme.mentors =
            programme.rows("SELECT m.id FROM peer_mentors m JOIN users u ON u.id = m.user_id ORDER BY u.name");
        programme
    }

    fn rows(&mut self, sql: &str) -> Vec<String> {
        rows(&mut self.client, sql)
    }

    /// Does something, and says that it was done at that moment.
    fn at(&mut self, moment: &str, sql: &str) {
        run(&mut self.client, sql);
        let told = |column: &str, table: &str| {
            format!("UPDATE {table} SET {column} = '{moment}' WHERE {column} > now() - interval '1 day';")
        };
        let all = [("changed_at", "row_history"), ("created_at", "assignments"), ("created_at", "peer_mentors")];
        let all: String = all.iter().map(|(column, table)| told(column, table)).collect();
        run(&mut self.client, &format!("SET session_replication_role = replica; {all} RESET session_replication_role"));
    }

    /// Inserts an assignment of a mentor's (by their number; none: nobody's), at that moment.
    fn assignment(&mut self, moment: &str, mentor: Option<usize>) -> String {
        let id = Uuid::new_v4().to_string();
        let mentor = mentor.map_or("NULL".to_string(), |number| format!("'{}'", self.mentors[number]));
        let sql = format!(
            "INSERT INTO assignments (id, title, student_id, peer_mentor_id) VALUES ('{id}', 'Essay', '{}', {mentor})",
            self.student
        );
        self.at(moment, &sql);
        id
    }

    /// What a statement says: mentor, item and number, without the zeros; and what it adjusts.
    fn statement(&mut self, first: &str, last: &str) -> Vec<String> {
        self.rows(&format!(
            "SELECT u.name, s.item, s.number, s.adjusts FROM mentor_statement('{first}', '{last}') WITH ORDINALITY AS s
               JOIN peer_mentors m ON m.id = s.peer_mentor_id JOIN users u ON u.id = m.user_id WHERE s.number <> 0 ORDER BY s.adjusts NULLS FIRST, u.name, s.ordinality"
        ))
    }

    fn close(&mut self, last: &str) -> String {
        row(&mut self.client, &format!("SELECT checksum FROM close_period('{ORGANIZATION}', '{last}')"))
    }

    /// Everything that was closed.
    fn closed(&mut self) -> Vec<String> {
        let mut closed = self.rows("SELECT p::text FROM closed_periods p ORDER BY 1");
        closed.extend(self.rows("SELECT l::text FROM closed_statements l ORDER BY 1"));
        closed
    }
}

#[test]
fn counts_at_a_moment_are_those_that_the_table_had_then() {
    let mut programme = Programme::new();
    let essay = programme.assignment("2025-01-10 12:00+00", Some(0));
    programme.assignment("2025-01-11 12:00+00", Some(0));
    programme.assignment("2025-01-11 12:00+00", None);
    let b = programme.mentors[1].clone();
    programme.at(
        "2025-01-20 12:00+00",
        &format!("UPDATE assignments SET peer_mentor_id = '{b}', completed = true WHERE id = '{essay}'"),
    );
    programme.at("2025-01-21 12:00+00", &format!("DELETE FROM peer_mentors WHERE id = '{}'", programme.mentors[3]));
    let counts = "SELECT u.name, c.assignment_count FROM assignment_counts_as_of('{}') AS c
                    LEFT JOIN peer_mentors m ON m.id = c.peer_mentor_id LEFT JOIN users u ON u.id = m.user_id ORDER BY 1 NULLS LAST, 2";
    let mut at = |moment: &str| programme.rows(&counts.replace("{}", moment)).join(" ");
    assert_eq!(at("2025-01-01"), "a|0 b|0 c|0 -|0", "the one who is gone was there");
    assert_eq!(at("2025-01-10 12:00+00"), "a|1 b|0 c|0 -|0");
    assert_eq!(at("2025-01-19"), "a|2 b|0 c|0 -|0");
    assert_eq!(at("2025-01-22"), "a|1 b|1 c|0");
    let live = programme.rows("SELECT id, assignment_count FROM peer_mentors ORDER BY 1");
    for moment in ["now()", "'infinity'"] {
        let counted = programme.rows(&format!("SELECT peer_mentor_id, assignment_count FROM assignment_counts_as_of({moment}, '{ORGANIZATION}') ORDER BY 1"));
        assert_eq!(counted, live);
    }
    assert_refused(
        &mut programme.client,
        "SELECT assignment_counts_as_of('2024-12-31 11:59+00')",
        "22023",
        "the history begins at",
    );
    assert_refused(&mut programme.client, "SELECT assignment_counts_as_of(NULL)", "22004", "moment");
}

#[test]
fn a_statement_says_what_was_recorded_given_taken_and_finished_in_the_organizations_days() {
    let mut programme = Programme::new();
    let [first, second, third, fourth] = [
        ("2025-01-31 22:59:59.999999+00", 0), // the last moment of January in Oslo
        ("2025-01-31 23:00+00", 0),
        ("2025-02-10 12:00+00", 0),
        ("2025-02-10 12:00+00", 1),
    ]
    .map(|(moment, mentor)| programme.assignment(moment, Some(mentor)));
    let c = programme.mentors[2].clone();
    programme
        .at("2025-02-11 12:00+00", &format!("UPDATE assignments SET peer_mentor_id = '{c}' WHERE id = '{second}'"));
    programme.at(
        "2025-02-12 12:00+00",
        &format!("UPDATE assignments SET completed = true WHERE id IN ('{second}', '{third}')"),
    );
    programme.at("2025-02-13 12:00+00", &format!("UPDATE assignments SET status = 'open' WHERE id = '{third}'"));
    programme.at("2025-02-14 12:00+00", &format!("UPDATE assignments SET status = 'completed' WHERE id = '{third}'"));
    programme.at("2025-02-15 12:00+00", &format!("UPDATE assignments SET status = 'cancelled' WHERE id = '{first}'"));
    programme.at("2025-02-16 12:00+00", &format!("DELETE FROM assignments WHERE id = '{fourth}'"));
    // Recorded in March, whatever it says of itself.
    programme.at("2025-03-01 12:00+00", &format!(
        "INSERT INTO assignments (title, student_id, peer_mentor_id, created_at, assigned_on) VALUES ('Late', '{}', '{}', '2025-02-02', '2025-02-02')",
        programme.student, programme.mentors[0]
    ));
    assert_eq!(
        programme.statement("2025-01-01", "2025-01-31"),
        ["a|recorded|1|-", "a|at_end|1|-", "a|open_at_end|1|-"]
    );
    assert_eq!(
        programme.statement("2025-02-01", "2025-02-28"),
        [
            "a|at_beginning|1|-",
            "a|recorded|2|-",
            "a|handed_over|1|-",
            "a|at_end|2|-",
            "a|completed|1|-",
            "a|cancelled|1|-",
            "b|recorded|1|-",
            "b|deleted|1|-",
            "c|taken_over|1|-",
            "c|at_end|1|-",
            "c|completed|1|-"
        ]
    );
    let behind = |item: &str, mentor: &str| {
        format!(
            "SELECT assignment_ids FROM mentor_statement('2025-02-01', '2025-02-28') WHERE item = '{item}' AND peer_mentor_id = '{mentor}'"
        )
    };
    let (a, b) = (programme.mentors[0].clone(), programme.mentors[1].clone());
    assert_eq!(programme.rows(&behind("handed_over", &a)), [format!("{{{second}}}")]);
    assert_eq!(programme.rows(&behind("deleted", &b)), [format!("{{{fourth}}}")]);
    assert_eq!(programme.rows(&behind("open_at_end", &b)), ["{}"], "nothing is said, too");
    assert_eq!(programme.statement("2025-03-01", "2025-03-31")[1], "a|recorded|1|-");
    let all = programme.rows("SELECT count(*), count(DISTINCT item) FROM mentor_statement('2025-02-01', '2025-02-28')");
    assert_eq!(all, ["36|9"], "every item of every mentor");
}

#[test]
fn what_cannot_be_told_raises() {
    let mut programme = Programme::new();
    let client = &mut programme.client;
    for (call, sqlstate, text) in [
        ("mentor_statement('2024-12-30', '2025-01-31')", "22023", "the history begins at"),
        ("mentor_statement('2025-02-01', '2025-01-31')", "22023", "first_day 2025-02-01 is after last_day 2025-01-31"),
        ("mentor_statement('2199-02-01', '2199-02-02')", "22023", "first_day 2199-02-01 has not begun"),
        ("mentor_statement(NULL, '2025-01-31')", "22004", "first_day"),
        ("mentor_statement('2025-01-31', NULL)", "22004", "last_day"),
        ("mentor_statement('-infinity', '2025-01-31')", "22008", "first_day"),
        ("mentor_statement('2025-01-31', 'infinity')", "22008", "last_day"),
        (
            "mentor_statement('2025-01-01', '2025-01-31', 'ffffffff-ffff-ffff-ffff-ffffffffffff')",
            "02000",
            "organization",
        ),
        ("close_period(NULL, NULL)", "22004", "last_day"),
        ("close_period(NULL, '2199-01-31')", "55000", "2199-01-31 has not ended"),
        ("close_period(NULL, '2024-12-01')", "22023", "2024-12-01 is before 2024-12-31"),
        ("close_period(NULL, '2025-01-31', '2024-12-01')", "22023", "the history begins on 2024-12-31"),
        ("close_period(NULL, '2025-01-31', '2025-02-01')", "22023", "first_day 2025-02-01 is after last_day"),
        ("close_period('ffffffff-ffff-ffff-ffff-ffffffffffff', '2025-01-31')", "02000", "organization"),
    ] {
        assert_refused(client, &format!("SELECT {call}"), sqlstate, text);
    }
    // On the day on which the history begins, a statement begins with it; one that has not ended is one so far.
    assert_eq!(row(client, "SELECT count(*) FROM mentor_statement('2024-12-31', '2199-12-31')"), "36");
    run(client, "SELECT close_period(NULL, '2025-01-31')");
    for (call, sqlstate, text) in [
        ("close_period(NULL, '2025-01-31')", "55000", "2025-01-31 was closed before"),
        ("close_period(NULL, '2025-01-30')", "55000", "2025-01-30 was closed before"),
        ("close_period(NULL, '2025-02-28', '2025-01-31')", "55000", "2025-01-31 was closed before"),
        ("close_period(NULL, '2025-02-28', '2025-02-02')", "22023", "2025-02-02 does not follow 2025-01-31"),
    ] {
        assert_refused(client, &format!("SELECT {call}"), sqlstate, text);
    }
    assert_refused(
        client,
        "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT close_period(NULL, '2025-02-28')",
        "25001",
        "READ COMMITTED",
    );
    run(client, "ROLLBACK; SELECT close_period(NULL, '2025-02-28', '2025-02-01')");
    assert_eq!(
        row(client, "SELECT string_agg(first_day || ' ' || last_day, ', ' ORDER BY number) FROM closed_periods"),
        "2024-12-31 2025-01-31, 2025-02-01 2025-02-28"
    );
}

#[test]
fn what_reaches_into_a_closed_period_later_is_told_once_in_the_next_statement() {
    let mut programme = Programme::new();
    let stays = programme.assignment("2025-01-10 12:00+00", Some(0));
    programme.close("2025-01-31");
    let closed = programme.closed();
    // As of transactions that were at work when it was closed.
    programme.assignment("2025-01-31 22:00+00", Some(1));
    programme.at("2025-01-31 22:30+00", &format!("DELETE FROM assignments WHERE id = '{stays}'"));
    let adjusted = [
        "a|deleted|1|2025-01-31",
        "a|at_end|-1|2025-01-31",
        "a|open_at_end|-1|2025-01-31",
        "b|recorded|1|2025-01-31",
        "b|at_end|1|2025-01-31",
        "b|open_at_end|1|2025-01-31",
    ];
    let february = ["b|at_beginning|1|-", "b|at_end|1|-", "b|open_at_end|1|-"];
    assert_eq!(programme.statement("2025-02-01", "2025-02-28"), [&february[..], &adjusted].concat());
    assert_eq!(programme.statement("2025-02-10", "2025-02-20").len(), 9, "so does whatever comes after it");
    let january = ["a|recorded|1|-", "a|deleted|1|-", "b|recorded|1|-", "b|at_end|1|-", "b|open_at_end|1|-"];
    assert_eq!(programme.statement("2025-01-01", "2025-01-31"), january, "told anew, the closed one is right itself");
    let told = programme.rows("SELECT peer_mentors, adjustments FROM close_period(NULL, '2025-02-28')");
    assert_eq!(told, ["4|6"]);
    assert_eq!(programme.statement("2025-03-01", "2025-03-31"), february, "once");
    assert_eq!(
        programme.closed().iter().filter(|line| closed.contains(line)).count(),
        closed.len(),
        "and the closed one stays"
    );
    assert_eq!(programme.rows("SELECT * FROM verify_closed_periods()"), [""; 0]);
}

#[test]
fn closed_days_keep_their_bounds_when_the_organization_moves_to_another_time_zone() {
    let mut programme = Programme::new();
    programme.close("2025-01-31");
    run(&mut programme.client, "UPDATE organizations SET timezone = 'Pacific/Honolulu'");
    programme.assignment("2025-01-31 23:30+00", Some(0)); // February in Oslo, January in Honolulu
    assert_eq!(programme.statement("2025-01-01", "2025-01-31"), [""; 0]);
    assert_eq!(programme.statement("2025-02-01", "2025-02-28")[0], "a|recorded|1|-");
    programme.close("2025-02-28");
    assert_eq!(
        programme.rows("SELECT timezone, began_at AT TIME ZONE 'UTC', ended_at AT TIME ZONE 'UTC' FROM closed_periods ORDER BY number"),
        ["Europe/Oslo|2024-12-31 12:00:00.000001|2025-01-31 23:00:00", "Pacific/Honolulu|2025-01-31 23:00:00|2025-03-01 10:00:00"]
    );
}

#[test]
fn of_two_who_close_at_once_one_waits_and_is_told_that_it_is_closed() {
    let mut programme = Programme::new();
    let mut first = programme.database.connect();
    run(&mut first, "BEGIN; SELECT close_period(NULL, '2025-01-31')");
    let mut second = programme.database.connect();
    let waiting = pid(&mut second);
    let thread = std::thread::spawn(move || refused(&mut second, "SELECT close_period(NULL, '2025-01-31')"));
    wait_until_blocked(&mut programme.client, waiting);
    // Another organization's closing waits for nobody.
    run(
        &mut programme.client,
        "SET lock_timeout = '2s'; INSERT INTO organizations (id, name) VALUES ('00000000-0000-0000-0000-00000000000b', 'Other');
         SELECT close_period('00000000-0000-0000-0000-00000000000b', '2025-01-31')",
    );
    run(&mut first, "COMMIT");
    let refusal = thread.join().expect("the second");
    assert_eq!(
        (refusal.sqlstate.as_str(), refusal.message.contains("was closed before")),
        ("55000", true),
        "{refusal:?}"
    );
    assert_eq!(programme.rows("SELECT count(*) FROM closed_periods"), ["2"]);
}

#[test]
fn nothing_changes_what_was_closed_and_nothing_that_is_deleted_or_forgotten_takes_it_along() {
    let mut programme = Programme::new();
    programme.assignment("2025-01-10 12:00+00", Some(0));
    programme.close("2025-01-31");
    let closed = programme.closed();
    for table in ["closed_periods", "closed_statements"] {
        for statement in
            ["UPDATE {} SET organization_id = organization_id", "DELETE FROM {}", "TRUNCATE {}", "TRUNCATE {} CASCADE"]
        {
            assert_refused(&mut programme.client, &statement.replace("{}", table), "2F002", "cannot be changed");
        }
    }
    let user = row(&mut programme.client, "SELECT id FROM users WHERE name = 'a'");
    let exported = row(
        &mut programme.client,
        &format!("SELECT jsonb_array_length(export_person('{user}') -> 'closed_statements')"),
    );
    assert_eq!(exported, "9");
    let merge = "SELECT merge_peer_mentors(from_mentor.id, into_mentor.id)
                   FROM peer_mentors from_mentor JOIN users u ON u.id = from_mentor.user_id CROSS JOIN peer_mentors into_mentor
                  WHERE u.name = 'b' AND into_mentor.id <> from_mentor.id LIMIT 1";
    let merged = row(&mut programme.client, "SELECT id FROM users WHERE name = 'b'");
    let lines = format!("SELECT jsonb_array_length(export_person('{merged}') -> 'closed_statements')");
    let before = row(&mut programme.client, &lines);
    run(&mut programme.client, merge);
    assert_eq!(row(&mut programme.client, &lines), before, "whoever is no mentor any more was paid as one");
    run(
        &mut programme.client,
        &format!(
            "SELECT forget_person('{user}'); DELETE FROM assignments; DELETE FROM peer_mentors; DELETE FROM users; DELETE FROM organizations"
        ),
    );
    assert_eq!(programme.closed(), closed);
    assert_eq!(programme.rows("SELECT * FROM verify_closed_periods()"), [""; 0]);
}

#[test]
fn what_was_tampered_with_is_found_and_a_restored_database_is_not() {
    let mut programme = Programme::new();
    programme.assignment("2025-01-10 12:00+00", Some(0));
    for last in ["2025-01-31", "2025-02-28", "2025-03-31"] {
        programme.close(last);
    }
    let restored = programme.database.restored_by("postgres");
    let mut client = restored.connect();
    run(
        &mut client,
        "SET TimeZone = 'Asia/Kolkata'; SET DateStyle = 'German'; SET extra_float_digits = -5; SET search_path = ''",
    );
    assert_eq!(rows(&mut client, "SELECT * FROM assignment_reminders.verify_closed_periods()"), [""; 0]);
    run(&mut client, "RESET search_path; RESET DateStyle; SET session_replication_role = replica");
    let february = "(SELECT id FROM closed_periods WHERE number = 2)";
    let checksum = "(SELECT closed_period_checksum(p.id, p.organization_id, p.number, p.first_day, p.last_day, p.began_at, p.ended_at, p.timezone, p.closed_at, p.closed_by, p.closed_by_user, p.previous_checksum) FROM closed_periods p WHERE p.number = 2)";
    for (tampering, found) in [
        (
            format!(
                "UPDATE closed_statements SET number = 0, assignment_ids = '{{}}' WHERE number = 1 AND item = 'at_end' AND closed_period_id = {february}"
            ),
            "2025-02-28|altered",
        ),
        (
            format!(
                "UPDATE closed_statements SET peer_mentor_id = gen_random_uuid() WHERE line = 1 AND closed_period_id = {february}"
            ),
            "2025-02-28|altered",
        ),
        (
            format!("DELETE FROM closed_statements WHERE line = 7 AND closed_period_id = {february}"),
            "2025-02-28|altered",
        ),
        ("UPDATE closed_periods SET closed_by = 'x' WHERE number = 2".to_string(), "2025-02-28|altered"),
        (
            "UPDATE closed_periods SET ended_at = ended_at + interval '1 microsecond' WHERE number = 2".to_string(),
            "2025-02-28|altered",
        ),
        // With a checksum that fits: the next one tells.
        (
            format!(
                "DELETE FROM closed_statements WHERE line = 7 AND closed_period_id = {february}; UPDATE closed_periods SET checksum = {checksum} WHERE number = 2"
            ),
            "2025-03-31|unchained",
        ),
        (
            format!(
                "DELETE FROM closed_statements WHERE closed_period_id = {february}; DELETE FROM closed_periods WHERE number = 2"
            ),
            "2025-03-31|missing_before",
        ),
        ("DELETE FROM closed_periods WHERE number = 3".to_string(), "-|without_period"),
    ] {
        run(&mut client, &format!("BEGIN; {tampering}"));
        assert_eq!(rows(&mut client, "SELECT last_day, problem FROM verify_closed_periods()"), [found], "{tampering}");
        assert_eq!(
            rows(&mut client, &format!("SELECT last_day, problem FROM verify_closed_periods('{ORGANIZATION}')")),
            [found]
        );
        run(&mut client, "ROLLBACK");
    }
}

#[test]
fn the_history_of_what_is_to_be_closed_is_not_pruned_and_what_is_closed_needs_none() {
    let mut programme = Programme::new();
    let essay = programme.assignment("2025-01-10 12:00+00", Some(0));
    programme.at("2025-01-11 12:00+00", "UPDATE assignments SET status = 'paused'");
    programme.close("2025-01-31");
    programme.at("2025-02-10 12:00+00", &format!("DELETE FROM assignments WHERE id = '{essay}'"));
    let february = programme.statement("2025-02-01", "2025-02-28");
    assert_eq!(february, ["a|at_beginning|1|-", "a|deleted|1|-"]);
    assert_eq!(programme.rows("SELECT row_history FROM prune_history(now())"), ["1"], "January's alone");
    assert_eq!(programme.statement("2025-02-01", "2025-02-28"), february);
    assert_refused(
        &mut programme.client,
        "SELECT mentor_statement('2025-01-01', '2025-01-31')",
        "22023",
        "the history begins",
    );
    programme.close("2025-02-28");
    assert_eq!(programme.rows("SELECT * FROM verify_closed_periods()"), [""; 0]);
}

#[test]
fn where_triggers_were_away_the_next_period_says_from_when_on_it_knows() {
    let mut programme = Programme::new();
    programme.assignment("2025-01-10 12:00+00", Some(0));
    programme.close("2025-01-31");
    run(
        &mut programme.client,
        "INSERT INTO history_horizon (known_since, cause) VALUES ('2025-02-10 12:00+00', 'triggers were away')",
    );
    assert_refused(
        &mut programme.client,
        "SELECT close_period(NULL, '2025-02-28')",
        "22023",
        "the history begins on 2025-02-10",
    );
    assert_refused(
        &mut programme.client,
        "SELECT close_period(NULL, '2025-02-28', '2025-02-09')",
        "22023",
        "the history begins on 2025-02-10",
    );
    run(&mut programme.client, "SELECT close_period(NULL, '2025-02-28', '2025-02-10')");
    assert_eq!(
        programme.rows("SELECT first_day, began_at AT TIME ZONE 'UTC' FROM closed_periods WHERE number = 2"),
        ["2025-02-10|2025-02-10 12:00:00.000001"]
    );
    assert_eq!(
        programme.statement("2025-03-01", "2025-03-31")[0],
        "a|at_beginning|1|-",
        "no adjustments of what is not known"
    );
}

/// Something that is done, with numbers to choose by; and how far into its month, in hours.
type Done = (u8, u16, u8, u8, u16);

impl Programme {
    fn act(&mut self, (what, which, mentor, status, _): Done, moment: &str, is_late: bool) {
        // Of those that nothing happened to since: of one row, the history is in order.
        let pick = format!(
            "(SELECT id FROM (SELECT a.id, row_number() OVER (ORDER BY a.id) - 1 AS n, count(*) OVER () AS number FROM assignments a
                               WHERE a.created_at <= '{moment}' AND NOT EXISTS (SELECT FROM row_history h WHERE h.row_id = a.id AND h.changed_at >= '{moment}')) AS a
               WHERE n = {which} % number)"
        );
        let mentor_of = |n: u8| {
            format!(
                "(SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) - 1 AS n, count(*) OVER () AS number FROM peer_mentors) AS m WHERE n = {n} % (number + 1))"
            )
        };
        let (mentor, another) = (mentor_of(mentor), mentor_of(mentor / 16));
        let status = ["open", "paused", "completed", "cancelled"][usize::from(status) % 4];
        let student = self.student.clone();
        let insert = format!(
            "INSERT INTO assignments (title, student_id, peer_mentor_id, status{{}}) VALUES ('Essay', '{student}', {mentor}, '{status}'{{}})"
        );
        let sql = match what % if is_late { 6 } else { 12 } {
            0 | 1 => insert.replace("{}", ""),
            2 => format!("UPDATE assignments SET peer_mentor_id = {mentor} WHERE id = {pick}"),
            3 => format!("UPDATE assignments SET status = '{status}' WHERE id = {pick}"),
            4 => format!("UPDATE assignments SET peer_mentor_id = {mentor}, status = '{status}', title = 'Other' WHERE id = {pick}"),
            5 => format!("DELETE FROM assignments WHERE id = {pick}"),
            6 => insert.replacen("{}", ", created_at", 1).replacen("{}", ", '2024-12-31 20:00+00'", 1),
            7 => format!("UPDATE assignments SET peer_mentor_id = {mentor} WHERE peer_mentor_id = {another}"),
            8 => format!("UPDATE assignments SET status = '{status}' WHERE peer_mentor_id = {mentor}"),
            9 => format!("DELETE FROM peer_mentors WHERE id = {mentor} AND (SELECT count(*) FROM peer_mentors) > 2"),
            10 => format!("SELECT merge_peer_mentors(m.id, o.id) FROM peer_mentors m, peer_mentors o WHERE m.id = {mentor} AND o.id = {another} AND m.id <> o.id"),
            // It comes back with its id.
            _ => format!(
                "CREATE TEMPORARY TABLE gone AS SELECT id, student_id FROM assignments WHERE id = {pick};
                 DELETE FROM assignments WHERE id IN (SELECT id FROM gone);
                 INSERT INTO assignments (id, title, student_id, peer_mentor_id) SELECT id, 'Back', student_id, {mentor} FROM gone; DROP TABLE gone"
            ),
        };
        self.at(moment, &sql);
    }

    /// What must hold of a statement of a month, whatever happened.
    fn assert_adds_up(&mut self, first: &str, last: &str) {
        let wrong = self.rows(&format!(
            "SELECT peer_mentor_id, sum(number * CASE WHEN item IN ('at_beginning', 'recorded', 'taken_over') THEN 1 WHEN item IN ('handed_over', 'deleted', 'at_end') THEN -1 ELSE 0 END)
               FROM mentor_statement('{first}', '{last}') WHERE adjusts IS NULL GROUP BY 1 HAVING sum(number * CASE WHEN item IN ('at_beginning', 'recorded', 'taken_over') THEN 1 WHEN item IN ('handed_over', 'deleted', 'at_end') THEN -1 ELSE 0 END) <> 0"
        ));
        assert_eq!(wrong, [""; 0], "{first} to {last} adds up");
        for (item, moment) in
            [("at_beginning", format!("'{first}'::timestamp")), ("at_end", format!("('{last}'::date + 1)::timestamp"))]
        {
            let differing = self.rows(&format!(
                "SELECT item, s.peer_mentor_id, s.number, c.assignment_count
                   FROM (SELECT * FROM mentor_statement('{first}', '{last}') WHERE item = '{item}' AND adjusts IS NULL) AS s
                   FULL JOIN assignment_counts_as_of({moment} AT TIME ZONE 'Europe/Oslo' - interval '1 microsecond') AS c USING (peer_mentor_id)
                  WHERE coalesce(s.number, 0) <> coalesce(c.assignment_count, 0)"
            ));
            assert_eq!(differing, [""; 0], "{item} of {first} to {last}, and the counts of then");
        }
    }

    /// What was closed of each period and adjusted since is what is told of it now.
    fn assert_closed_and_adjusted_is_what_is_told(&mut self) {
        let differing = self.rows(
            "WITH stated AS (
                 SELECT coalesce(l.adjusts, p.last_day) AS last_day, l.peer_mentor_id, l.item, u.id, sum(sign(l.number)) AS number
                   FROM closed_statements l JOIN closed_periods p ON p.id = l.closed_period_id CROSS JOIN unnest(l.assignment_ids) AS u (id)
                  GROUP BY 1, 2, 3, 4 HAVING sum(sign(l.number)) <> 0
             ), told AS (
                 SELECT p.last_day, s.peer_mentor_id, s.item, u.id, count(*) AS number
                   FROM closed_periods p CROSS JOIN LATERAL mentor_statement(p.first_day, p.last_day) AS s CROSS JOIN unnest(s.assignment_ids) AS u (id)
                  WHERE s.adjusts IS NULL GROUP BY 1, 2, 3, 4
             )
             SELECT last_day, item, s.number, t.number FROM stated s FULL JOIN told t USING (last_day, peer_mentor_id, item, id) WHERE s.number IS DISTINCT FROM t.number",
        );
        assert_eq!(differing, [""; 0]);
    }
}

/// Whatever happens, in whatever order, and is recorded in time or late.
#[test]
fn statements_add_up_counts_agree_and_what_was_closed_stays_whatever_happens() {
    const MONTHS: [(&str, &str, &str); 3] = [
        ("2025-01", "2025-01-01", "2025-01-31"),
        ("2025-02", "2025-02-01", "2025-02-28"),
        ("2025-03", "2025-03-01", "2025-03-31"),
    ];
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(6);
    let mut runner = TestRunner::new(ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 40,
        ..ProptestConfig::default()
    });
    let month = || prop::collection::vec((any::<u8>(), any::<u16>(), any::<u8>(), any::<u8>(), 0..600u16), 0..16);
    let late = || prop::collection::vec((any::<u8>(), any::<u16>(), any::<u8>(), any::<u8>(), 0..600u16), 0..4);
    let outcome = runner.run(&prop::collection::vec((month(), late()), 3), |months| {
        let mut programme = Programme::new();
        let mut closed: Vec<String> = Vec::new();
        for ((month, first, last), (mut in_time, late)) in MONTHS.iter().zip(months) {
            in_time.sort_by_key(|done| done.4);
            for (number, done) in in_time.into_iter().enumerate() {
                let moment = format!("{month}-01 12:00:{number:02}+00");
                let moment = row(&mut programme.client, &format!("SELECT timestamptz '{moment}' + {} * interval '1 hour'", done.4));
                programme.act(done, &moment, false);
            }
            // Into any period that was closed before.
            for done in late {
                let before = row(&mut programme.client, &format!("SELECT '{first}'::timestamptz - interval '7 hours' - {} * interval '2 hours'", done.4));
                if *month != "2025-01" && before.as_str() > "2025-01-01" {
                    programme.act(done, &before, true);
                }
            }
            programme.assert_adds_up(first, last);
            programme.close(last);
            programme.assert_closed_and_adjusted_is_what_is_told();
            let now = programme.closed();
            assert!(closed.iter().all(|line| now.contains(line)), "what was closed stays");
            closed = now;
            let adjusted = programme.rows(&format!("SELECT count(*) FROM mentor_statement('{last}'::date + 1, '{last}'::date + 1) WHERE adjusts IS NOT NULL"));
            assert_eq!(adjusted, ["0"], "an adjustment comes once");
        }
        for (_, first, last) in MONTHS {
            programme.assert_adds_up(first, last);
        }
        let live = "SELECT count(*) FROM peer_mentors m FULL JOIN assignment_counts_as_of(now()) AS c ON c.peer_mentor_id = m.id WHERE m.assignment_count IS DISTINCT FROM c.assignment_count";
        assert_eq!(programme.rows(live), ["0"]);
        assert_eq!(programme.rows("SELECT * FROM verify_closed_periods()"), [""; 0]);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

/// As from a client that sends its own clock.
#[test]
fn an_assignment_that_says_that_it_is_yet_to_be_created_is_counted_when_it_was_entered() {
    let database = Database::installed();
    let mut client = database.connect();
    let people = crate::support::People::new(&mut client);
    for ahead in ["interval '50 milliseconds'", "interval '2 years'"] {
        run(
            &mut client,
            &format!(
                "INSERT INTO assignments (title, student_id, peer_mentor_id, created_at) VALUES ('early', '{}', '{}', clock_timestamp() + {ahead})",
                people.student, people.mentor
            ),
        );
    }
    run(
        &mut client,
        "INSERT INTO assignments (title, student_id, created_at) SELECT 'nobody''s', id, 'infinity' FROM users WHERE name = 'student'",
    );
    let told = "SELECT number FROM mentor_statement((now() AT TIME ZONE 'UTC')::date, (now() AT TIME ZONE 'UTC')::date)
                 WHERE item = 'recorded' AND adjusts IS NULL";
    assert_eq!(row(&mut client, told), "2");
    run(&mut client, "DELETE FROM assignments");
    assert_eq!(row(&mut client, told), "2");
    assert_eq!(row(&mut client, &told.replace("recorded", "deleted")), "2");
}
