//! Requests that meet each other, sessions that hold locks, and a service that stops or is killed.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::{Value, json};

use crate::service::{Request, Service, connection, raw};
use crate::support::{row, rows, run};

const STUDENT: &str = "a0000000-0000-4000-8000-000000000001";
const FIRST: &str = "/api/v1/assignments/a0000000-0000-4000-8000-000000001101";

#[test]
fn of_changes_that_were_made_for_one_version_one_is_written() {
    let mut service = Service::start();
    for _ in 0..5 {
        let tag = service.ask("coordinator", "GET", FIRST, None).header("etag").expect("ETag").to_string();
        let mut statuses: Vec<u16> = thread::scope(|scope| {
            let change = |n: usize| {
                let (service, tag) = (&service.clients, tag.as_str());
                scope.spawn(move || {
                    let body = json!({"title": format!("by {n}")});
                    service.ask_with("coordinator", "PATCH", FIRST, Some(&body), &[("if-match", tag)]).status
                })
            };
            let changes: Vec<_> = (0..6).map(change).collect();
            changes.into_iter().map(|change| change.join().expect("an answer")).collect()
        });
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412, 412, 412, 412, 412]);
    }
    let stale = [("if-match", "\"1\"")];
    assert_eq!(service.ask_with("coordinator", "DELETE", FIRST, None, &stale).status, 412);
    let whole = json!({"title": "x", "student_id": STUDENT, "status": "open", "assigned_on": "2026-01-01"});
    assert_eq!(service.ask_with("coordinator", "PUT", FIRST, Some(&whole), &stale).status, 412);
    assert_eq!(service.ask_with("coordinator", "PUT", FIRST, Some(&whole), &[("if-match", "*")]).status, 200);
    // One that waits for a change sees what it became.
    let tag = service.ask("coordinator", "GET", FIRST, None).header("etag").expect("ETag").to_string();
    let mut holder = service.database.connect();
    run(
        &mut holder,
        "BEGIN; UPDATE assignments SET description = 'meanwhile' WHERE id = 'a0000000-0000-4000-8000-000000001101'",
    );
    let clients = &service.clients;
    let late = thread::scope(|scope| {
        let waits =
            scope.spawn(|| clients.ask_with("coordinator", "DELETE", FIRST, None, &[("if-match", &tag)]).status);
        wait_until_one_waits(&service);
        run(&mut holder, "COMMIT");
        waits.join().expect("an answer")
    });
    assert_eq!(late, 412);
    // A contact is a change of what the version shows, too.
    let tag = service.ask("coordinator", "GET", FIRST, None).header("etag").expect("ETag").to_string();
    assert_eq!(service.ask("coordinator", "POST", &format!("{FIRST}/activities"), Some(&json!({}))).status, 201);
    let late = service.ask_with("coordinator", "DELETE", FIRST, None, &[("if-match", &tag)]);
    assert_eq!(late.status, 412);
    let tag = service.ask("coordinator", "GET", FIRST, None).header("etag").expect("ETag").to_string();
    assert_eq!(service.ask_with("coordinator", "DELETE", FIRST, None, &[("if-match", &tag)]).status, 204);
    assert_eq!(row(&mut service.owner, "SELECT count(*) FROM verify_assignment_counts()"), "0");
}

#[test]
fn a_request_that_comes_twice_with_one_key_makes_one_assignment() {
    let mut service = Service::start();
    let body =
        json!({"title": "once", "student_id": STUDENT, "peer_mentor_id": "a0000000-0000-4000-8000-00000000aa03"});
    let with_key = |key: &str| -> Vec<(u16, String, String)> {
        thread::scope(|scope| {
            let create = |_| {
                let (service, body) = (&service.clients, &body);
                scope.spawn(move || {
                    let key = [("idempotency-key", key)];
                    let answer = service.ask_with("coordinator", "POST", "/api/v1/assignments", Some(body), &key);
                    (
                        answer.status,
                        answer.field("id").to_string(),
                        answer.header("location").unwrap_or_default().to_string(),
                    )
                })
            };
            let creations: Vec<_> = (0..8).map(create).collect();
            creations.into_iter().map(|creation| creation.join().expect("an answer")).collect()
        })
    };
    // Often enough that some meet in the middle of an insert.
    for round in 0..20 {
        let ids = with_key(&format!("key {round}"));
        assert!(ids.iter().all(|answer| answer.0 == 201 && *answer == ids[0]), "{ids:?}");
    }
    let ids = with_key("key 0");
    assert_eq!(row(&mut service.owner, "SELECT count(*) FROM assignments WHERE title = 'once'"), "20");
    assert_eq!(row(&mut service.owner, "SELECT count(*) FROM verify_assignment_counts()"), "0");
    // So does a contact, and a key is for one thing.
    let key = [("idempotency-key", "a contact")];
    let contacts: Vec<String> = (0..2)
        .map(|_| service.ask_with("mentor", "POST", &format!("{FIRST}/activities"), Some(&json!({})), &key))
        .map(|answer| answer.field("id").to_string())
        .collect();
    assert_eq!((contacts[0].len(), &contacts[0]), (36, &contacts[1]));
    let second = FIRST.replace("1101", "1102");
    let elsewhere = service.ask_with(
        "coordinator",
        "POST",
        &format!("{second}/activities"),
        Some(&json!({})),
        &[("idempotency-key", "two")],
    );
    assert_eq!(elsewhere.status, 201);
    let elsewhere = service.ask_with(
        "coordinator",
        "POST",
        &format!("{FIRST}/activities"),
        Some(&json!({})),
        &[("idempotency-key", "two")],
    );
    assert_eq!(elsewhere.status, 409, "{elsewhere:?}");
    // Another's key is another key, also where it reads the same.
    let key = [("idempotency-key", "key 0")];
    let by_another = service.ask_with("admin", "POST", "/api/v1/assignments", Some(&body), &key);
    assert_eq!(by_another.status, 201);
    assert_ne!(by_another.field("id"), ids[0].1);
}

/// Others come between: a serialization failure, or a deadlock.
#[test]
fn what_failed_for_others_is_tried_again_three_times() {
    let mut service = Service::start();
    run(
        &mut service.owner,
        "CREATE SEQUENCE public.tries; GRANT ALL ON SEQUENCE public.tries TO PUBLIC;
         CREATE FUNCTION public.between() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
             IF nextval('public.tries') < TG_ARGV[0]::bigint THEN RAISE 'others' USING ERRCODE = TG_ARGV[1]; END IF; RETURN NEW; END $$",
    );
    for (code, fails, status) in [("40001", 3, 200), ("40P01", 3, 200), ("40001", 4, 503)] {
        run(
            &mut service.owner,
            &format!(
                "CREATE OR REPLACE TRIGGER between BEFORE UPDATE ON assignments FOR EACH ROW EXECUTE FUNCTION public.between('{fails}', '{code}');
                 ALTER SEQUENCE public.tries RESTART"
            ),
        );
        let answer = service.ask("coordinator", "PATCH", FIRST, Some(&json!({"title": format!("{code} {fails}")})));
        assert_eq!(answer.status, status, "{code}, {fails}: {answer:?}");
        assert_eq!(row(&mut service.owner, "SELECT last_value FROM public.tries"), "3", "{code}, {fails}");
    }
}

#[test]
fn a_lock_that_others_hold_ends_the_request_that_waits_and_no_other() {
    let service = Service::start();
    let mut holder = service.database.connect();
    run(&mut holder, "BEGIN; SELECT FROM assignments WHERE id = 'a0000000-0000-4000-8000-000000001101' FOR UPDATE");
    let clients = &service.clients;
    thread::scope(|scope| {
        let waits = scope.spawn(|| clients.ask("coordinator", "PATCH", FIRST, Some(&json!({"title": "x"}))));
        wait_until_one_waits(&service);
        assert_eq!(service.ask("coordinator", "GET", FIRST, None).status, 200);
        let answer = waits.join().expect("an answer");
        assert_eq!((answer.status, answer.field("code")), (503, "57014"));
        assert_eq!(answer.header("retry-after"), Some("1"));
    });
    run(&mut holder, "ROLLBACK");
    assert_eq!(service.ask("coordinator", "PATCH", FIRST, Some(&json!({"title": "x"}))).status, 200);
}

#[test]
fn whether_the_service_is_healthy_does_not_depend_on_how_busy_it_is() {
    let service = Service::configured("max_connections = 1\n");
    let mut holder = service.database.connect();
    run(&mut holder, "BEGIN; SELECT FROM assignments WHERE id = 'a0000000-0000-4000-8000-000000001101' FOR UPDATE");
    let clients = &service.clients;
    thread::scope(|scope| {
        let waits = scope.spawn(|| clients.ask("coordinator", "PATCH", FIRST, Some(&json!({"title": "x"}))).status);
        wait_until_one_waits(&service);
        let health = Request { method: "GET", path: "/healthz", token: None, headers: &[], body: None };
        assert_eq!(service.send(&health).status, 200);
        run(&mut holder, "ROLLBACK");
        assert_eq!(waits.join().expect("an answer"), 200);
    });
}

#[test]
fn clients_that_are_slow_to_send_or_to_read_are_told_or_lose_their_place() {
    let service =
        Service::configured("[http]\nlisten = '127.0.0.1:0'\nmax_open_connections = 1\nrequest_timeout_seconds = 1\n");
    let head = "POST /api/v1/assignments HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{";
    let answer = raw(&service.url, head.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    // More is asked for than the kernel keeps for somebody who does not read it.
    let mut deaf = connection(&service.url);
    deaf.write_all("GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(400).as_bytes()).expect("sent");
    assert_eq!(service.ask("coordinator", "GET", FIRST, None).status, 200);
}

#[test]
fn a_client_that_has_said_all_it_had_to_say_is_answered() {
    let service = Service::start();
    let mut stream = connection(&service.url);
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").expect("sent");
    stream.shutdown(std::net::Shutdown::Write).expect("half closed");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

fn wait_until_one_waits(service: &Service) {
    let mut client = service.database.connect();
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'remindersd' AND wait_event_type = 'Lock'";
    while row(&mut client, waits) == "0" {
        thread::yield_now();
    }
}

#[test]
fn a_service_that_is_told_to_stop_finishes_what_is_under_way() {
    let mut service = Service::start();
    let mut holder = service.database.connect();
    run(&mut holder, "BEGIN; SELECT FROM assignments WHERE id = 'a0000000-0000-4000-8000-000000001101' FOR UPDATE");
    let clients = service.clients.clone();
    let answer = thread::scope(|scope| {
        let waits = scope.spawn(|| clients.ask("coordinator", "PATCH", FIRST, Some(&json!({"title": "finished"}))));
        wait_until_one_waits(&service);
        service.terminate();
        // It takes no more.
        let address = service.url.strip_prefix("http://").expect("a URL");
        while std::net::TcpStream::connect(address).is_ok() {
            thread::yield_now();
        }
        run(&mut holder, "COMMIT");
        waits.join().expect("an answer")
    });
    assert_eq!((answer.status, answer.field("title")), (200, "finished"));
    assert!(service.process.wait().expect("its end").success());
}

#[test]
fn whatever_was_answered_before_the_service_was_killed_is_there() {
    let mut service = Service::configured("[http]\nlisten = '127.0.0.1:0'\nrequests_per_minute = 0\n");
    let token = service.token("mentor");
    let (clients, path, is_over) = (service.clients.clone(), format!("{FIRST}/activities"), AtomicBool::new(false));
    let answered: Vec<String> = thread::scope(|scope| {
        let client = || {
            let mut ids = Vec::new();
            while !is_over.load(Ordering::Relaxed) {
                let request =
                    Request { method: "POST", path: &path, token: Some(&token), headers: &[], body: Some("{}") };
                // A request that the kill cut off was not answered.
                let Ok(answer) = clients.try_to_send(&request) else { break };
                assert_eq!(answer.status, 201, "{answer:?}");
                ids.push(answer.body["id"].as_str().expect("an id").to_string());
            }
            ids
        };
        let clients: Vec<_> = (0..4).map(|_| scope.spawn(client)).collect();
        while row(&mut service.owner, "SELECT count(*) > 200 FROM activities") == "f" {
            thread::yield_now();
        }
        service.process.kill().expect("kill -9");
        is_over.store(true, Ordering::Relaxed);
        clients.into_iter().flat_map(|client| client.join().expect("what was answered")).collect()
    });
    assert!(answered.len() > 100, "{}", answered.len());
    let there = rows(&mut service.owner, "SELECT id FROM activities");
    let lost: Vec<&String> = answered.iter().filter(|id| !there.contains(id)).collect();
    assert_eq!(lost, [""; 0]);
    assert_eq!(rows(&mut service.owner, "SELECT * FROM verify_contact_dates()"), [""; 0]);
}

#[test]
fn one_caller_cannot_ask_more_often_than_allowed_and_others_are_not_held_up() {
    let service = Service::configured("[http]\nlisten = '127.0.0.1:0'\nrequests_per_minute = 3\n");
    let status = |person: &str| service.ask(person, "GET", FIRST, None).status;
    let statuses: Vec<u16> = (0..5).map(|_| status("coordinator")).collect();
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    assert_eq!(status("mentor"), 200);
    let answer = service.ask("coordinator", "GET", FIRST, None);
    assert_eq!((answer.status, &answer.body["code"]), (429, &Value::Null));
}
