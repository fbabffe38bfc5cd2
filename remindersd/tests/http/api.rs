//! Every route, for every kind of caller, with two organizations.

use serde_json::{Value, json};

use crate::service::Service;
use crate::support::{row, run};

const PEOPLE: [&str; 7] = ["student", "mentor", "coordinator", "admin", "elsewhere", "stranger", "nowhere"];

const STUDENT: &str = "a0000000-0000-4000-8000-000000000001";
const FIRST: &str = "/api/v1/assignments/a0000000-0000-4000-8000-000000001101";
const SECOND: &str = "/api/v1/assignments/a0000000-0000-4000-8000-000000001102";
const OF_B: &str = "/api/v1/assignments/b0000000-0000-4000-8000-000000001101";
const NONE: &str = "/api/v1/assignments/c0000000-0000-4000-8000-000000001101";
const MENTOR: &str = "/api/v1/peer-mentors/a0000000-0000-4000-8000-00000000aa03";

fn below(path: &str, rest: &str) -> String {
    format!("{path}/{rest}")
}

/// Method, path and body, and for each of PEOPLE the status, behind it the number of rows.
fn expectations() -> Vec<(&'static str, String, Option<Value>, [&'static str; 7])> {
    let whole =
        json!({"title": "Essay, second draft", "student_id": STUDENT, "status": "open", "assigned_on": "2026-01-01"});
    let new = json!({"title": "Poem", "student_id": STUDENT});
    let due = "due-assignments?unit=days&targets=1&tolerance=600";
    let today = chrono::Utc::now().date_naive();
    let statement = format!("statement?first_day={today}&last_day={today}");
    let get = |path: String, expected| ("GET", path, None, expected);
    vec![
        get("/api/v1/assignments".into(), ["200 1", "200 1", "200 2", "200 2", "200 2", "200 0", "200 0"]),
        get("/api/v1/assignments?status=completed".into(), ["200 0"; 7]),
        get(FIRST.into(), ["200", "200", "200", "200", "404", "404", "404"]),
        get(SECOND.into(), ["404", "404", "200", "200", "404", "404", "404"]),
        get(OF_B.into(), ["404", "404", "404", "404", "200", "404", "404"]),
        get(NONE.into(), ["404"; 7]),
        get(below(FIRST, "participants"), ["200", "200", "200", "200", "404", "404", "404"]),
        get(below(OF_B, "participants"), ["404", "404", "404", "404", "200", "404", "404"]),
        get("/api/v1/peer-mentors".into(), ["200 0", "200 1", "200 2", "200 2", "200 2", "200 0", "200 0"]),
        get(MENTOR.into(), ["404", "200", "200", "200", "404", "404", "404"]),
        get(below("/api/v1", due), ["200 1", "200 1", "200 2", "200 2", "200 2", "200 0", "200 0"]),
        get("/api/v1/health".into(), ["403", "403", "200", "200", "200", "403", "400"]),
        get("/api/v1/me".into(), ["200", "200", "200", "200", "200", "404", "404"]),
        get("/api/v1/silent-assignments".into(), ["200 1", "200 1", "200 2", "200 2", "200 2", "200 0", "200 0"]),
        get(
            "/api/v1/silent-assignments?outlook=true".into(),
            ["403", "403", "200 2", "200 2", "200 2", "200 0", "200 0"],
        ),
        get(below(FIRST, "explanation"), ["403", "200", "200", "200", "404", "404", "404"]),
        get(below(OF_B, "explanation"), ["404", "404", "404", "404", "200", "404", "404"]),
        get(below(NONE, "explanation"), ["404"; 7]),
        get(below(FIRST, "timeline"), ["403", "200", "200", "200", "404", "404", "404"]),
        get(below(OF_B, "timeline"), ["404", "404", "404", "404", "200", "404", "404"]),
        get(below(NONE, "timeline"), ["404"; 7]),
        get(below(MENTOR, &statement), ["404", "200", "200", "200", "404", "404", "404"]),
        get(below("", due), ["200 1", "200 1", "200 2", "200 2", "200 2", "200 0", "200 0"]),
        ("POST", "/api/v1/assignments".into(), Some(new), ["403", "403", "201", "201", "422", "403", "403"]),
        ("PATCH", FIRST.into(), Some(json!({"description": "x"})), ["403", "403", "200", "200", "404", "404", "404"]),
        ("PATCH", OF_B.into(), Some(json!({"description": "x"})), ["404", "404", "404", "404", "200", "404", "404"]),
        ("PUT", FIRST.into(), Some(whole), ["403", "403", "200", "200", "404", "404", "404"]),
        (
            "PUT",
            below(FIRST, "last-contact"),
            Some(json!({"date": "2026-02-01"})),
            ["403", "403", "200", "200", "404", "404", "404"],
        ),
        (
            "PUT",
            below(FIRST, "last-contact"),
            Some(json!({"date": "2026-01-03", "reason": "another student"})),
            ["403", "403", "200", "200", "404", "404", "404"],
        ),
        ("POST", below(FIRST, "activities"), Some(json!({})), ["403", "201", "201", "201", "404", "404", "404"]),
        ("POST", below(OF_B, "activities"), Some(json!({})), ["404", "404", "404", "404", "201", "404", "404"]),
        ("DELETE", OF_B.into(), None, ["404", "404", "404", "404", "204", "404", "404"]),
        ("DELETE", FIRST.into(), None, ["403", "403", "204", "204", "404", "404", "404"]),
        ("DELETE", NONE.into(), None, ["404"; 7]),
    ]
}

#[test]
fn every_route_answers_everybody_as_row_security_says() {
    for (column, person) in PEOPLE.iter().enumerate() {
        let mut service = Service::start();
        row(
            &mut service.owner,
            "WITH due AS (UPDATE assignments SET due_at = now() + interval '1 day' RETURNING 1) SELECT count(*) FROM due",
        );
        for (method, path, body, expected) in expectations() {
            let answer = service.ask(person, method, &path, body.as_ref());
            let rows = if expected[column].contains(' ') { format!(" {}", answer.len()) } else { String::new() };
            assert_eq!(
                format!("{}{rows}", answer.status),
                expected[column],
                "{person}: {method} {path} answered {answer:?}"
            );
            if answer.status >= 400 {
                assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{answer:?}");
                // Nothing of the other organization, and nothing of what is not the caller's to see.
                assert!(!answer.body.to_string().contains("example.org"), "{answer:?}");
            }
        }
    }
}

#[test]
fn nothing_is_served_without_a_token_but_what_is_about_the_process() {
    let service = Service::start();
    for (method, path, body, _) in expectations() {
        let body = body.map(|body| body.to_string());
        let answer = service.send(&crate::service::Request {
            method,
            path: &path,
            token: None,
            headers: &[],
            body: body.as_deref(),
        });
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("Bearer")), "{method} {path}");
    }
    for path in ["/healthz", "/metrics", "/openapi.json", "/docs/", "/", "/screen.js", "/screen.css"] {
        let answer =
            service.send(&crate::service::Request { method: "GET", path, token: None, headers: &[], body: None });
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    }
}

#[test]
fn an_assignment_is_created_read_changed_and_deleted() {
    let mut service = Service::start();
    let mentor = "a0000000-0000-4000-8000-00000000aa03";
    let new = json!({"title": "Poem", "student_id": STUDENT, "peer_mentor_id": mentor, "due_at": "2027-01-01T12:00:00+02:00", "metadata": {"room": 7}});
    let created = service.ask("coordinator", "POST", "/api/v1/assignments", Some(&new));
    let path = created.header("location").expect("Location").to_string();
    assert_eq!(path, format!("/api/v1/assignments/{}", created.field("id")));
    let count = "/api/v1/peer-mentors/a0000000-0000-4000-8000-00000000aa03";
    assert_eq!(service.ask("mentor", "GET", count, None).body["assignment_count"], 2);

    let read = service.ask("mentor", "GET", &path, None);
    assert_eq!(read.header("etag"), created.header("etag"));
    assert_eq!(
        (read.field("title"), read.field("due_at"), &read.body["metadata"]),
        ("Poem", "2027-01-01T10:00:00Z", &json!({"room": 7}))
    );
    assert_eq!(read.body["student"]["name"], "student");
    assert_eq!(read.body["peer_mentor"]["name"], "mentor");
    assert_eq!(read.body["coordinator"], Value::Null);

    // What a change leaves out stays, null takes away; what a replacement leaves out goes.
    let changed =
        service.ask("coordinator", "PATCH", &path, Some(&json!({"description": "ten lines", "due_at": null})));
    assert_eq!(
        (changed.field("title"), changed.field("description"), &changed.body["due_at"]),
        ("Poem", "ten lines", &Value::Null)
    );
    let whole = json!({"title": "Poem", "student_id": STUDENT, "status": "completed", "assigned_on": "2026-11-01"});
    let replaced = service.ask("coordinator", "PUT", &path, Some(&whole));
    assert_eq!(
        (&replaced.body["description"], &replaced.body["peer_mentor_id"], &replaced.body["completed"]),
        (&Value::Null, &Value::Null, &json!(true))
    );
    assert_eq!(service.ask("mentor", "GET", count, None).body["assignment_count"], 1);
    assert_eq!(service.ask("coordinator", "DELETE", &path, None).status, 204);
    assert_eq!(service.ask("coordinator", "GET", &path, None).status, 404);
    assert_eq!(row(&mut service.owner, "SELECT count(*) FROM verify_assignment_counts()"), "0");
}

#[test]
fn a_coordinator_is_told_why_and_what_happened_also_of_what_was_deleted() {
    let mut service = Service::start();
    run(
        &mut service.owner,
        "UPDATE assignments SET status = 'paused' WHERE id = 'a0000000-0000-4000-8000-000000001101'",
    );
    let told = service.ask("coordinator", "GET", &below(FIRST, "explanation"), None);
    let stopped_by: Vec<&str> = told.body["gates"]
        .as_array()
        .expect("gates")
        .iter()
        .filter(|gate| gate["is_passed"] == false && gate["gate"] == "open")
        .map(|gate| gate["value"].as_str().expect("a value"))
        .collect();
    assert_eq!(stopped_by, ["paused"], "{told:?}");
    assert!(told.field("explanation").contains("It is paused"), "{told:?}");
    let ahead = service.ask("coordinator", "GET", &below(FIRST, "explanation?as_of=2027-01-02T12:00:00Z"), None);
    assert_eq!(ahead.field("today"), "2027-01-02");
    let events = |service: &Service| {
        let told = service.ask("coordinator", "GET", &below(FIRST, "timeline"), None);
        let events = told.body.as_array().expect("events").iter();
        events.map(|event| event["event"].as_str().expect("a code").to_string()).collect::<Vec<_>>()
    };
    let before = events(&service);
    assert_eq!(before.last().map(String::as_str), Some("status_changed"));
    // Page by page it is the same, in the same order; after the last, nothing.
    let mut paged = Vec::new();
    let mut next = Some(below(FIRST, "timeline?limit=1"));
    let mut last = None;
    while let Some(path) = next {
        let page = service.ask("coordinator", "GET", &path, None);
        assert_eq!((page.status, page.len()), (200, 1), "{page:?}");
        paged.push(page.body[0]["event"].as_str().expect("a code").to_string());
        let link = page.header("link").map(|link| link.split(['<', '>']).nth(1).expect("a URL").to_string());
        last = Some(page.body[0].clone());
        next = link;
    }
    assert_eq!(paged, before);
    let last = last.expect("an event");
    let of = |name: &str| last[name].as_str().expect("a moment").to_string();
    let key = format!(
        "timeline?after_happened_at={}&after_recorded_at={}&after_number={}",
        of("happened_at"),
        of("recorded_at"),
        last["number"]
    );
    let after = service.ask("coordinator", "GET", &below(FIRST, &key), None);
    assert_eq!((after.status, after.len()), (200, 0), "{after:?}");
    assert_eq!(service.ask("coordinator", "DELETE", FIRST, None).status, 204);
    assert_eq!(events(&service).last().map(String::as_str), Some("deleted"));
    assert_eq!(service.ask("mentor", "GET", &below(FIRST, "timeline"), None).status, 404);
    assert_eq!(service.ask("elsewhere", "GET", &below(FIRST, "timeline"), None).status, 404);
}

#[test]
fn the_list_says_what_comes_next_where_that_is_asked_for() {
    let service = Service::start();
    let path = "/api/v1/silent-assignments?limit=1";
    let short = service.ask("coordinator", "GET", path, None);
    assert!(short.body[0].get("outlook").is_none(), "{short:?}");
    let long = service.ask("coordinator", "GET", &format!("{path}&outlook=true"), None);
    assert_eq!(long.body[0]["assignment_id"], short.body[0]["assignment_id"]);
    let explained =
        format!("/api/v1/assignments/{}/explanation", short.body[0]["assignment_id"].as_str().expect("an id"));
    let explained = service.ask("coordinator", "GET", &explained, None);
    for member in ["state", "next_action", "next_on", "counted_days", "coordinator_name", "forgotten"] {
        assert_eq!(long.body[0]["outlook"][member], explained.body[member], "{member}");
    }
    let next = long.header("link").expect("another page");
    assert!(next.contains("outlook=true"), "{next}");
}

#[test]
fn a_statement_is_json_or_csv_as_it_is_asked_for() {
    let mut service = Service::start();
    run(&mut service.owner, "UPDATE users SET name = '=1+1, Mina' WHERE name = 'mentor'");
    let today = chrono::Utc::now().date_naive();
    let path = below(MENTOR, &format!("statement?first_day={today}&last_day={today}"));
    let json = service.ask("coordinator", "GET", &path, None);
    assert_eq!((json.header("content-type"), json.header("vary")), (Some("application/json"), Some("Accept")));
    let at_end =
        json.body["lines"].as_array().expect("lines").iter().find(|line| line["item"] == "at_end").expect("a line");
    assert_eq!(
        (&at_end["number"], &at_end["assignment_ids"][0]),
        (&json!(1), &json!("a0000000-0000-4000-8000-000000001101"))
    );
    for (path, accept) in [(path.clone(), "text/csv"), (format!("{path}&format=csv"), "application/json")] {
        let csv = service.ask_with("coordinator", "GET", &path, None, &[("accept", accept)]);
        assert!(csv.header("content-type").is_some_and(|media| media.starts_with("text/csv")), "{csv:?}");
        assert!(csv.header("content-disposition").is_some_and(|name| name.starts_with("attachment")), "{csv:?}");
        let text = csv.body.as_str().expect("text");
        assert_eq!(text.lines().count(), 10, "{text}");
        let line = format!(
            "a0000000-0000-4000-8000-00000000aa03,\"'=1+1, Mina\",{today},{today},at_end,1,,a0000000-0000-4000-8000-000000001101\r\n"
        );
        assert!(text.contains(&line), "{text}");
    }
    let refused = service.ask_with("coordinator", "GET", &path, None, &[("accept", "application/pdf")]);
    assert_eq!((refused.status, refused.header("content-type")), (406, Some("application/problem+json")));
    // Nobody's name, and no reminder of theirs, is in the way of a mentor who has nothing.
    run(&mut service.owner, "DELETE FROM assignments");
    assert_eq!(service.ask("coordinator", "GET", &path, None).status, 200);
}

#[test]
fn a_contact_moves_the_date_forward_and_a_correction_with_a_reason_moves_it_back() {
    let mut service = Service::start();
    let contact = service.ask(
        "mentor",
        "POST",
        &below(FIRST, "activities"),
        Some(&json!({"occurred_at": "2026-03-10T12:00:00Z", "registration": "proxy", "notes": "phone"})),
    );
    assert_eq!((contact.status, contact.field("registration")), (201, "proxy"));
    assert_eq!(contact.field("recorded_by"), "a0000000-0000-4000-8000-000000000003");
    let date = |service: &Service| service.ask("student", "GET", FIRST, None).field("last_contact_date").to_string();
    assert_eq!(date(&service), "2026-03-10");

    let path = below(FIRST, "last-contact");
    let forward = service.ask("coordinator", "PUT", &path, Some(&json!({"date": "2026-03-01"})));
    assert_eq!(forward.body, json!({"last_contact_date": "2026-03-10"}), "without a reason, it does not move back");
    let corrected =
        service.ask("coordinator", "PUT", &path, Some(&json!({"date": "2026-03-01", "reason": "another student"})));
    assert_eq!(corrected.body, json!({"last_contact_date": "2026-03-01"}));
    assert_eq!(date(&service), "2026-03-01");
    assert_eq!(
        row(
            &mut service.owner,
            "SELECT reason, corrected_by_subject FROM contact_corrections ORDER BY created_at DESC LIMIT 1"
        ),
        "another student|af000000-0000-4000-8000-000000000005"
    );
    let never = service.ask("coordinator", "PUT", &path, Some(&json!({"date": null, "reason": "never met"})));
    assert_eq!(never.body, json!({"last_contact_date": null}));
}

#[test]
fn an_attempt_that_nobody_answered_is_on_record_and_moves_no_date() {
    let mut service = Service::start();
    let date = |service: &Service| service.ask("student", "GET", FIRST, None).body["last_contact_date"].clone();
    let before = date(&service);
    let path = below(FIRST, "activities");
    let attempt = json!({"occurred_at": "2026-03-10T12:00:00Z", "is_contact": false, "notes": "no answer"});
    let made = service.ask("mentor", "POST", &path, Some(&attempt));
    assert_eq!((made.status, &made.body["is_contact"]), (201, &json!(false)));
    assert_eq!(date(&service), before);
    assert_eq!(
        row(&mut service.owner, "SELECT is_contact, notes FROM activities WHERE occurred_at = '2026-03-10 12:00+00'"),
        "f|no answer"
    );
    let contact = json!({"occurred_at": "2026-03-10T13:00:00Z"});
    let made = service.ask("mentor", "POST", &path, Some(&contact));
    assert_eq!((made.status, &made.body["is_contact"]), (201, &json!(true)), "unless said otherwise");
    assert_eq!(date(&service), json!("2026-03-10"));
    let refused = service.ask("mentor", "POST", &path, Some(&json!({"is_contact": "no"})));
    assert!([400, 422].contains(&refused.status), "{refused:?}");
}

#[test]
fn pages_hold_every_row_once_also_while_rows_come_and_go() {
    let mut service = Service::start();
    crate::support::run(
        &mut service.owner,
        "INSERT INTO assignments (organization_id, title, student_id, due_at)
         SELECT organization_id, n::text, id, now() + interval '1 day' FROM users, generate_series(1, 25) AS n WHERE id = 'a0000000-0000-4000-8000-000000000001'",
    );
    for (start, expected) in [
        ("/api/v1/assignments?limit=4&student_id=a0000000-0000-4000-8000-000000000001", 26),
        ("/api/v1/due-assignments?unit=days&targets=1,2&tolerance=10&limit=4", 25),
        ("/api/v1/peer-mentors?limit=1", 2),
    ] {
        let (mut path, mut seen) = (start.to_string(), Vec::new());
        loop {
            let page = service.ask("coordinator", "GET", &path, None);
            assert_eq!(page.status, 200, "{path}: {page:?}");
            seen.extend(page.body.as_array().expect("rows").iter().map(|row| {
                row.get("assignment_id").or(row.get("id")).and_then(Value::as_str).expect("an id").to_string()
            }));
            let Some(link) = page.header("link") else { break };
            let next = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")).expect("a link");
            path = next.to_string();
        }
        let rows = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!((rows, seen.len()), (expected, expected), "{start}");
    }
    let since = |date: &str| {
        service
            .ask("coordinator", "GET", &format!("/api/v1/assignments?limit=1000&no_contact_since={date}"), None)
            .len()
    };
    assert_eq!((since("2026-01-01"), since("2026-02-01")), (25, 27), "before the date, or never");
}
