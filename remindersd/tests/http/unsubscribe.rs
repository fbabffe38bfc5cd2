//! The link by which people unsubscribe, in front of a role that may do nothing else.

use std::fs::File;
use std::process::Stdio;

use crate::service::{Answer, Clients, Request, Service};
use crate::support::{connect, row, rows, run};

const CONFIGURED: &str = "[unsubscribe]\nrole = '{link}'\n";
const ONE_CLICK: &str = "List-Unsubscribe=One-Click";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const UNKNOWN: &str = "00000000000040008000000000000000000000000000400080000000000000ff";

/// The service, with a link of the student of a, who has a preference already.
fn service() -> (Service, String) {
    linked(Service::configured(CONFIGURED))
}

fn linked(mut service: Service) -> (Service, String) {
    // Nothing is written to where nobody said to which organization.
    run(&mut service.owner, "SELECT require_organization(true)");
    let token = row(
        &mut service.owner,
        "SELECT unsubscribe_token(id) FROM users WHERE email = 'student@example.org' AND organization_id::text LIKE 'a%'",
    );
    (service, format!("/unsubscribe/{token}"))
}

fn get(service: &Service, path: &str, headers: &[(&str, &str)]) -> Answer {
    service.send(&Request { method: "GET", path, token: None, headers, body: None })
}

fn post(service: &Service, path: &str, body: &str) -> Answer {
    service.send(&Request { method: "POST", path, token: None, headers: &[FORM], body: Some(body) })
}

fn text(answer: &Answer) -> &str {
    answer.body.as_str().unwrap_or_else(|| panic!("{answer:?}"))
}

/// Who is opted out, and who mutes what.
fn said(service: &mut Service) -> String {
    row(
        &mut service.owner,
        "SELECT (SELECT string_agg(email || ' ' || contact_opt_out_reason, ',') FROM users WHERE contact_opt_out OR contact_opt_out_reason IS NOT NULL),
                (SELECT string_agg(u.email || ' ' || p.muted_types::text, ',') FROM user_preferences p JOIN users u ON u.id = p.user_id WHERE p.muted_types <> '{}')",
    )
}

#[track_caller]
fn assert_page(answer: &Answer, status: u16, holds: &str) {
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (status, Some("text/html; charset=utf-8")),
        "{answer:?}"
    );
    assert!(text(answer).contains(holds), "{holds}: {answer:?}");
    for (name, value) in [
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-robots-tag", "noindex, nofollow"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
    let policy = answer.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'self'") && policy.contains("form-action 'self'"));
    assert!(!policy.contains("script-src") && !text(answer).contains("<script"), "{answer:?}");
}

#[test]
fn a_get_asks_and_changes_nothing_and_is_the_same_for_every_token() {
    let (mut service, link) = service();
    let page = get(&service, &link, &[]);
    assert_page(&page, 200, "value=\"all\">Stop all messages</button>");
    assert!(!text(&page).contains("value=\"type\""), "{page:?}");
    for (query, holds) in [
        ("?type=contact-reminder", "value=\"type\">Stop reminders to get in touch with a student</button>"),
        ("?utm_source=mail&type=2h", "value=\"type\">Stop reminders of due dates</button>"),
        ("?type=welcome", "value=\"type\">Stop messages of this kind</button>"),
        // Nothing of the link is repeated.
        ("?type=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "Stop messages of this kind"),
        ("?type=", "Stop all messages"),
        ("?List-Unsubscribe=One-Click&stop=all", "Stop all messages"),
    ] {
        let page = get(&service, &format!("{link}{query}"), &[]);
        assert_page(&page, 200, holds);
        for hidden in ["student@example.org", &link["/unsubscribe/".len()..], "welcome", "alert(1)"] {
            assert!(!text(&page).contains(hidden), "{hidden}: {page:?}");
        }
        let unknown = get(&service, &format!("/unsubscribe/{UNKNOWN}{query}"), &[]);
        assert_eq!((unknown.status, &unknown.body), (200, &page.body));
        assert_eq!(get(&service, &format!("/unsubscribe/%00%ff{query}"), &[]).body, page.body);
    }
    let norwegian = get(&service, &format!("{link}?type=due"), &[("accept-language", "nb-NO,nb;q=0.9,en;q=0.8")]);
    assert_page(&norwegian, 200, "Stopp påminnelser om frister");
    assert!(text(&norwegian).contains("<html lang=\"nb\">"));
    assert_eq!(
        (norwegian.header("content-language"), norwegian.header("vary").map(|vary| vary.contains("Accept-Language"))),
        (Some("nb"), Some(true))
    );
    let head = service.send(&Request { method: "HEAD", path: &link, token: None, headers: &[], body: None });
    assert_eq!((head.status, head.body.is_null()), (200, true), "{head:?}");
    for name in ["content-type", "content-security-policy", "x-robots-tag", "cache-control"] {
        assert_eq!(head.header(name), page.header(name));
    }
    assert_eq!(said(&mut service), "-|-");
}

#[test]
fn one_click_of_a_mail_program_does_it_and_may_be_repeated() {
    // As Gmail sends it, and as RFC 8058 would have it.
    let multipart =
        "--b0undary\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b0undary--\r\n";
    for (media, body) in [
        ("application/x-www-form-urlencoded", ONE_CLICK),
        ("application/x-www-form-urlencoded; charset=UTF-8", "List-Unsubscribe=One-Click\r\n"),
        ("multipart/form-data; boundary=b0undary", multipart),
        ("Multipart/Form-Data; boundary=\"b0undary\"", multipart),
        ("text/plain", ONE_CLICK),
    ] {
        let (mut service, link) = service();
        let click = |service: &Service, path: &str| {
            let headers = [("content-type", media), ("accept-language", "nb")];
            let answer =
                service.send(&Request { method: "POST", path, token: None, headers: &headers, body: Some(body) });
            assert_eq!(
                (answer.status, answer.header("content-type"), text(&answer)),
                (200, Some("text/plain; charset=utf-8"), "unsubscribed\n"),
                "{media}: {answer:?}"
            );
            assert_eq!((answer.header("x-robots-tag"), answer.header("set-cookie")), (Some("noindex, nofollow"), None));
        };
        click(&service, &format!("{link}?type=contact-reminder"));
        click(&service, &format!("{link}?type=contact-reminder"));
        // What the link is for, and nothing else.
        let muted = "student@example.org {contact-reminder}";
        assert_eq!(said(&mut service), format!("-|{muted}"));
        click(&service, &link);
        click(&service, &link);
        assert_eq!(said(&mut service), format!("student@example.org unsubscribed|{muted}"));
    }
}

#[test]
fn the_form_of_the_page_stops_one_type_or_everything() {
    let (mut service, link) = service();
    let typed = format!("{link}?type=24h");
    assert_page(&post(&service, &typed, "stop=type"), 200, "You get no more reminders of due dates.");
    assert_page(&post(&service, &typed, "stop=type"), 200, "You get no more reminders of due dates.");
    assert_eq!(said(&mut service), "-|student@example.org {due}");
    let headers = [FORM, ("accept-language", "no")];
    let all =
        service.send(&Request { method: "POST", path: &typed, token: None, headers: &headers, body: Some("stop=all") });
    assert_page(&all, 200, "Du får ikke flere av disse meldingene");
    assert!(!text(&all).contains("<form"), "{all:?}");
    assert_eq!(said(&mut service), "student@example.org unsubscribed|student@example.org {due}");
}

#[test]
fn a_link_that_nobody_has_or_that_names_no_type_changes_nothing_and_says_so() {
    let (mut service, link) = service();
    let long = "a".repeat(1000);
    for path in [
        format!("/unsubscribe/{UNKNOWN}"),
        "/unsubscribe/x%00".into(),
        "/unsubscribe/%ff".into(),
        format!("/unsubscribe/{long}"),
    ] {
        assert_page(&post(&service, &path, "stop=all"), 404, "This link is not known");
        let by_program = post(&service, &path, ONE_CLICK);
        assert_eq!((by_program.status, by_program.header("content-type")), (404, Some("application/problem+json")));
        assert!(!by_program.body.to_string().contains(UNKNOWN));
    }
    for reminder_type in ["welcome", "x%00", &long] {
        let path = format!("{link}?type={reminder_type}");
        let page = post(&service, &path, "stop=type");
        assert_page(&page, 422, "You can still stop everything");
        assert!(text(&page).contains("value=\"all\"") && !text(&page).contains("value=\"type\""), "{page:?}");
        assert_eq!(post(&service, &path, ONE_CLICK).status, 422);
    }
    // Of two types, to stop the first alone would not be what the link is for.
    let two = format!("{link}?type=24h&type=contact-reminder");
    assert_page(&get(&service, &two, &[]), 422, "You can still stop everything");
    assert_page(&post(&service, &two, "stop=type"), 422, "You can still stop everything");
    let answer = post(&service, &two, ONE_CLICK);
    assert_eq!((answer.status, answer.field("detail")), (422, "the link names more than one type"), "{answer:?}");
    // A body that does not say what, such as a scanner's; and one that never ends.
    for body in
        ["", "stop=", "stop=everything", "List-Unsubscribe=", "{\"List-Unsubscribe\": \"One-Click\"}", "stop=type"]
    {
        let answer = post(&service, &link, body);
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (400, Some("application/problem+json")),
            "{body}: {answer:?}"
        );
    }
    let headers = [("content-type", "multipart/form-data; boundary=b")];
    for body in ["", ONE_CLICK, "--b\r\n\r\n", "--b\r\nContent-Disposition: form-data; name=\"stop\"\r\n\r\nall"] {
        let answer =
            service.send(&Request { method: "POST", path: &link, token: None, headers: &headers, body: Some(body) });
        assert_eq!(answer.status, 400, "{body}: {answer:?}");
    }
    assert_eq!(post(&service, &link, &format!("{ONE_CLICK}&x={}", "x".repeat(4096))).status, 413);
    for method in ["PUT", "PATCH", "DELETE"] {
        assert_eq!(service.send(&Request { method, path: &link, token: None, headers: &[], body: None }).status, 405);
    }
    assert_eq!(said(&mut service), "-|-");
}

#[test]
fn what_cannot_be_saved_now_is_asked_again_and_the_page_needs_no_database() {
    let (mut service, link) = service();
    let name = service.database.name.clone();
    let mut postgres = connect("postgres");
    run(
        &mut postgres,
        &format!(
            "ALTER DATABASE {name} ALLOW_CONNECTIONS false; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND application_name = 'remindersd'"
        ),
    );
    assert_page(&get(&service, &link, &[]), 200, "Stop all messages");
    let path = format!("{link}?type=due");
    let page = post(&service, &path, "stop=type");
    assert_page(&page, 503, "value=\"type\">Stop reminders of due dates</button>");
    assert_eq!(page.header("retry-after"), Some("60"));
    let by_program = post(&service, &path, ONE_CLICK);
    assert_eq!(
        (by_program.status, by_program.header("content-type"), by_program.header("retry-after")),
        (503, Some("application/problem+json"), Some("1"))
    );
    run(&mut postgres, &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"));
    assert_eq!(post(&service, &path, ONE_CLICK).status, 200);
    // So is what is refused for no reason of the person's, in whatever words.
    run(
        &mut service.owner,
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not on my table'; END $$;
         CREATE TRIGGER refuse BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION refuse()",
    );
    let page = post(&service, &link, "stop=all");
    assert_page(&page, 503, "It could not be saved");
    assert!(!text(&page).contains("my table"), "{page:?}");
    assert_eq!(post(&service, &link, ONE_CLICK).status, 503);
}

#[test]
fn whose_row_is_locked_keeps_nobody_else_from_unsubscribing() {
    const MOST: i64 = 2;
    let (mut service, link_of_a) = linked(Service::configured(&format!("max_connections = 4\n{CONFIGURED}")));
    let links = |owner: &mut postgres::Client, of: &str| -> Vec<String> {
        let sql = format!("SELECT unsubscribe_token(id) FROM users WHERE organization_id::text LIKE '{of}%'");
        rows(owner, &sql).iter().map(|token| format!("/unsubscribe/{token}")).collect()
    };
    let (of_a, of_b) = (links(&mut service.owner, "a"), links(&mut service.owner, "b"));
    let mut holder = service.database.connect();
    run(&mut holder, "BEGIN; SELECT FROM users WHERE organization_id::text LIKE 'a%' FOR UPDATE");
    let mut observer = service.database.connect();
    let mut waiting = || -> i64 {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'remindersd' AND wait_event_type = 'Lock'";
        observer.query_one(sql, &[]).expect("a number").get(0)
    };
    let clients: &Clients = &service;
    // One person's link, again and again; and the links of several.
    for (posted, at_most) in [(vec![link_of_a; 8], 1), (of_a.iter().cloned().cycle().take(24).collect(), MOST)] {
        std::thread::scope(|scope| {
            let send = |path: &str| {
                clients.send(&Request { method: "POST", path, token: None, headers: &[FORM], body: Some(ONE_CLICK) })
            };
            let posts: Vec<_> = posted.iter().map(|link| scope.spawn(move || send(link))).collect();
            let are_done = || posts.iter().all(std::thread::ScopedJoinHandle::is_finished);
            while waiting() < at_most {
                assert!(!are_done(), "{at_most} wait at once");
            }
            if at_most < MOST {
                let answer = send(&of_b[0]);
                assert_eq!(answer.status, 200, "{answer:?}");
            }
            let mut most = at_most;
            while !are_done() {
                most = most.max(waiting());
                assert_eq!(
                    clients
                        .send(&Request { method: "GET", path: "/healthz", token: None, headers: &[], body: None })
                        .status,
                    200
                );
            }
            assert_eq!(most, at_most);
            for post in posts {
                let answer = post.join().expect("an answer");
                assert_eq!((answer.status, answer.header("retry-after").is_some()), (503, true), "{answer:?}");
            }
        });
    }
    run(&mut holder, "ROLLBACK");
    assert_eq!(post(&service, &of_a[0], ONE_CLICK).status, 200);
}

#[test]
fn a_token_stands_in_no_log_and_no_measure() {
    let path = std::env::temp_dir().join(format!("remindersd-unsubscribe-{}.log", std::process::id()));
    let log = File::create(&path).expect("a log");
    let service = Service::configured_with(CONFIGURED, &[("REMINDERSD_LOG", "trace")], Stdio::from(log));
    let (service, link) = linked(service);
    let token = &link["/unsubscribe/".len()..];
    for path in
        [&link, &format!("{link}?type=due"), &format!("{link}?type=welcome"), &format!("/unsubscribe/{UNKNOWN}")]
    {
        get(&service, path, &[]);
        post(&service, path, ONE_CLICK);
        post(&service, path, "stop=type");
        service.send(&Request { method: "PUT", path, token: None, headers: &[], body: None });
    }
    let measures = get(&service, "/metrics", &[]);
    assert!(text(&measures).contains(r#"method="POST",route="/unsubscribe/{token}",status="200""#), "{measures:?}");
    let log = std::fs::read_to_string(&path).expect("the log");
    assert!(log.contains("route=\"/unsubscribe/{token}\""), "{log}");
    for told in [log.as_str(), text(&measures)] {
        for secret in [token, UNKNOWN] {
            assert_eq!(told.lines().find(|told| told.contains(secret)), None);
        }
    }
    let _ = std::fs::remove_file(&path);
}

#[test]
fn no_other_site_reads_it_and_without_a_role_there_is_none() {
    let origin = "https://app.example.org";
    let more = format!("{CONFIGURED}[http]\nlisten = '127.0.0.1:0'\ncors_origins = ['{origin}']\n");
    let (service, link) = linked(Service::configured(&more));
    let headers = [FORM, ("origin", origin)];
    for answer in [
        service.send(&Request { method: "POST", path: &link, token: None, headers: &headers, body: Some(ONE_CLICK) }),
        get(&service, &link, &headers),
    ] {
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, None), "{answer:?}");
    }
    assert_eq!(get(&service, "/healthz", &headers).header("access-control-allow-origin"), Some(origin));
    let service = Service::start();
    assert_eq!(get(&service, &link, &[]).status, 404);
    assert_eq!(post(&service, &link, ONE_CLICK).status, 404);
}
