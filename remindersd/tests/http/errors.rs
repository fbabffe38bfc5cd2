//! What clients get wrong is told as a problem (RFC 9457), and is never a 5xx; what they did not cause tells nothing.

use serde_json::{Value, json};

use crate::service::{Answer, Request, Service, raw};
use crate::support::run;

const STUDENT: &str = "a0000000-0000-4000-8000-000000000001";
const FIRST: &str = "/api/v1/assignments/a0000000-0000-4000-8000-000000001101";

fn assert_problem(answer: &Answer, status: u16, field: Option<&str>) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{answer:?}");
    assert_eq!(answer.body["status"], status, "{answer:?}");
    assert_eq!(answer.body["field"].as_str(), field, "{answer:?}");
    assert!(!answer.field("title").is_empty() && !answer.field("detail").is_empty(), "{answer:?}");
}

#[test]
fn what_a_body_gets_wrong_is_told_with_the_field() {
    let service = Service::start();
    let post = |body: &str| {
        let token = service.token("coordinator");
        service.send(&Request {
            method: "POST",
            path: "/api/v1/assignments",
            token: Some(&token),
            headers: &[],
            body: Some(body),
        })
    };
    let with = |name: &str, value: Value| {
        let mut body = json!({"title": "x", "student_id": STUDENT});
        body[name] = value;
        post(&body.to_string())
    };
    assert_problem(&post("{"), 400, None);
    assert_problem(&post(""), 400, None);
    assert_problem(&post("[]"), 422, None);
    assert_problem(&post(&format!(r#"["x", null, "{STUDENT}", null, null, null, null, null, null]"#)), 422, None);
    assert_problem(&post(r#"{"title": "x"}"#), 422, None);
    assert_problem(&post(&format!(r#"{{"title": "x", "student_id": "{STUDENT}"}} {{}}"#)), 400, None);
    for (name, value) in [
        ("title", json!(7)),
        ("title", Value::Null),
        ("student_id", json!("sam")),
        ("due_at", json!("tomorrow")),
        ("due_at", json!("2026-02-30T12:00:00Z")),
        ("assigned_on", json!("yesterday")),
        ("status", json!("done")),
        ("assignment_count", json!(7)),
        ("last_contact_date", json!("2026-01-01")),
        ("organization_id", json!("b0000000-0000-4000-8000-000000000000")),
    ] {
        assert_problem(&with(name, value), 422, Some(name));
    }
    for name in ["title", "student_id", "status", "assigned_on"] {
        assert_problem(&service.ask("coordinator", "PATCH", FIRST, Some(&json!({ name: null }))), 422, Some(name));
    }
    // What only the database knows.
    for (name, value) in [
        ("student_id", json!("a0000000-0000-4000-8000-0000000000ff")),
        ("student_id", json!("b0000000-0000-4000-8000-000000000001")),
        ("peer_mentor_id", json!("b0000000-0000-4000-8000-00000000aa03")),
        ("coordinator_id", json!("b0000000-0000-4000-8000-000000000005")),
        ("due_at", json!("9999-12-31T12:00:00Z")),
    ] {
        assert_problem(&with(name, value), 422, Some(name));
    }
    // Of what it cannot read, Postgres does not tell the column.
    assert_problem(&with("assigned_on", json!("-0044-03-15")), 422, None);
    // Text that Postgres has no room for.
    let answer = with("title", json!("a\u{0}b"));
    assert_problem(&answer, 422, None);
    let contact = |body: &Value| service.ask("coordinator", "PUT", &format!("{FIRST}/last-contact"), Some(body));
    for body in [
        json!({"date": "9000-01-01"}),
        json!({"date": null}),
        json!({"date": "2026-01-01", "reason": " "}),
        json!({"date": "9000-01-01", "reason": "x"}),
    ] {
        assert_problem(&contact(&body), 422, None);
    }
    let future = json!({"occurred_at": "2999-01-01T12:00:00Z"});
    assert_problem(&service.ask("mentor", "POST", &format!("{FIRST}/activities"), Some(&future)), 422, None);
}

#[test]
fn what_a_url_or_a_header_gets_wrong_is_told() {
    let service = Service::start();
    let get = |path: &str| service.ask("coordinator", "GET", path, None);
    for (path, field) in [
        ("/api/v1/assignments?limit=0", Some("limit")),
        ("/api/v1/assignments?limit=1001", Some("limit")),
        ("/api/v1/assignments?limit=many", Some("limit")),
        ("/api/v1/assignments?after=sam", Some("after")),
        ("/api/v1/assignments?status=done", Some("status")),
        ("/api/v1/assignments?no_contact_since=yesterday", Some("no_contact_since")),
        ("/api/v1/assignments?page=2", Some("page")),
        ("/api/v1/assignments/sam", Some("id")),
        ("/api/v1/peer-mentors/sam", Some("id")),
        ("/api/v1/due-assignments?unit=hours", None),
        ("/api/v1/due-assignments?unit=hours&targets=", Some("targets")),
        ("/api/v1/due-assignments?unit=weeks&targets=1", Some("unit")),
        ("/api/v1/due-assignments?unit=hours&targets=-1", None),
        ("/api/v1/due-assignments?unit=hours&targets=1&tolerance=-1", None),
        ("/api/v1/due-assignments?unit=days&targets=2147483647", None),
        ("/api/v1/due-assignments?unit=days&targets=1&after_target=1", Some("after_due_at")),
        ("/api/v1/silent-assignments?outlook=2", Some("outlook")),
        ("/api/v1/assignments/a0000000-0000-4000-8000-000000001101/explanation?as_of=yesterday", Some("as_of")),
        ("/api/v1/assignments/a0000000-0000-4000-8000-000000001101/timeline?limit=0", Some("limit")),
        ("/api/v1/assignments/a0000000-0000-4000-8000-000000001101/timeline?after_number=1", Some("after_happened_at")),
        ("/api/v1/peer-mentors/a0000000-0000-4000-8000-00000000aa03/statement", Some("first_day")),
        ("/api/v1/peer-mentors/a0000000-0000-4000-8000-00000000aa03/statement?first_day=2026-11-01", Some("last_day")),
        (
            "/api/v1/peer-mentors/a0000000-0000-4000-8000-00000000aa03/statement?first_day=2026-11-31&last_day=2026-12-01",
            Some("first_day"),
        ),
        (
            "/api/v1/peer-mentors/a0000000-0000-4000-8000-00000000aa03/statement?first_day=2026-11-01&last_day=soon",
            Some("last_day"),
        ),
        (
            "/api/v1/peer-mentors/a0000000-0000-4000-8000-00000000aa03/statement?first_day=2026-11-02&last_day=2026-11-01",
            Some("first_day"),
        ),
        // Before the history begins, and after today.
        (
            "/api/v1/peer-mentors/a0000000-0000-4000-8000-00000000aa03/statement?first_day=2001-01-01&last_day=2001-01-31",
            Some("first_day"),
        ),
        (
            "/api/v1/peer-mentors/a0000000-0000-4000-8000-00000000aa03/statement?first_day=2199-01-01&last_day=2199-01-31",
            Some("first_day"),
        ),
        (
            "/api/v1/peer-mentors/a0000000-0000-4000-8000-00000000aa03/statement?first_day=2199-01-01&last_day=2199-01-31&format=pdf",
            Some("format"),
        ),
        ("/api/v1/silent-assignments?after_silent_since=2026-01-01", Some("after_assignment_id")),
    ] {
        assert_problem(&get(path), 400, field);
    }
    assert_problem(&get("/api/v2/assignments"), 404, None);
    assert_problem(&service.ask("coordinator", "DELETE", "/api/v1/assignments", None), 405, None);
    let token = service.token("coordinator");
    let post = |headers: &[(&str, &str)], body: &str| {
        service.send(&Request {
            method: "POST",
            path: "/api/v1/assignments",
            token: Some(&token),
            headers,
            body: Some(body),
        })
    };
    assert_problem(&post(&[("content-type", "text/plain")], "{}"), 415, None);
    assert_problem(&post(&[], &format!("\"{}\"", "x".repeat(70_000))), 413, None);
    assert_problem(&post(&[("idempotency-key", "")], "{}"), 400, None);
    let tag = ("if-match", "not a tag");
    let answer = service.ask_with("coordinator", "PATCH", FIRST, Some(&json!({"title": "x"})), &[tag]);
    assert_problem(&answer, 412, None);
}

#[test]
fn what_no_client_caused_tells_nothing() {
    let mut service = Service::start();
    run(
        &mut service.owner,
        "CREATE FUNCTION public.broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'a secret' USING ERRCODE = current_setting('test.code'); END $$;
         CREATE TRIGGER broken BEFORE UPDATE ON assignments FOR EACH ROW EXECUTE FUNCTION public.broken()",
    );
    for (code, status, is_told) in
        [("XX000", 500, false), ("42P01", 500, false), ("53300", 503, true), ("P0001", 422, true), ("45000", 422, true)]
    {
        run(&mut service.owner, &format!("ALTER DATABASE {} SET test.code = '{code}'", service.database.name));
        // Sessions that are there do not know yet.
        run(
            &mut service.owner,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'remindersd' AND datname = current_database()",
        );
        while service.ask("coordinator", "GET", FIRST, None).status != 200 {}
        let answer = service.ask("coordinator", "PATCH", FIRST, Some(&json!({"title": "x"})));
        assert_eq!(answer.status, status, "{code}: {answer:?}");
        assert_eq!(answer.body.to_string().contains("a secret"), is_told, "{code}: {answer:?}");
    }
}

#[test]
fn metadata_comes_back_as_it_was_written_whatever_it_holds() {
    let mut service = Service::start();
    let token = service.token("coordinator");
    let patch = |metadata: &str| {
        let body = format!(r#"{{"metadata": {metadata}}}"#);
        service.send(&Request { method: "PATCH", path: FIRST, token: Some(&token), headers: &[], body: Some(&body) })
    };
    let number = "12345678901234567890123.45678901234567890";
    let written = patch(number);
    assert_eq!(written.status, 200, "{written:?}");
    let read = |service: &Service, what: &str| {
        for path in [FIRST, "/api/v1/assignments"] {
            let answer = raw(
                &service.url,
                format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\r\n")
                    .as_bytes(),
            );
            assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(what), "{path}: {answer}");
        }
    };
    read(&service, number);
    // As deep as it goes into the longest body, or refused.
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    assert!([200, 422].contains(&patch(&deep).status));
    for (value, text) in [("'1e400'", &"0".repeat(400)), ("repeat('[', 2000) || repeat(']', 2000)", &"[".repeat(2000))]
    {
        run(
            &mut service.owner,
            &format!(
                "UPDATE assignments SET metadata = ({value})::jsonb WHERE id = 'a0000000-0000-4000-8000-000000001101'"
            ),
        );
        read(&service, text);
    }
}

#[test]
fn what_is_no_http_harms_nobody() {
    let service = Service::start();
    for bytes in [
        "GET / HTTP/9.9\r\n\r\n".to_string(),
        format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(1_000_000)),
        format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "a".repeat(1_000_000)),
        "POST /api/v1/assignments HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 10\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n".to_string(),
    ] {
        let answer = raw(&service.url, bytes.as_bytes());
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    assert_eq!(service.ask("coordinator", "GET", FIRST, None).status, 200);
}

#[test]
fn whoever_may_not_see_the_health_of_an_organization_is_told_who_may() {
    let service = Service::start();
    let answer = service.ask("mentor", "GET", "/api/v1/health", None);
    assert_eq!(
        (answer.status, answer.field("hint")),
        (403, "Its coordinators and admins see it (users.role)."),
        "{answer:?}"
    );
}
