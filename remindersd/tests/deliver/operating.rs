//! What whoever runs it sees: measures, health, and a log that names nobody.

use serde_json::Value;

use crate::odd_rows::due_to;
use crate::post::{Post, Worker, until};
use crate::smtpd::{At, Reply, Smtpd, say};
use crate::support::{connect, run};

/// Where it says that it is watched.
fn address(worker: &Worker) -> String {
    const SAYS: &str = "metrics and health at ";
    worker.wait_for_log(SAYS);
    let log = worker.log();
    let after = log.split(SAYS).nth(1).expect("an address");
    after.split_whitespace().next().expect("an address").to_string()
}

/// Status and body.
fn get(address: &str, path: &str) -> (u16, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut response = agent.get(format!("{address}{path}")).call().expect("an answer");
    (response.status().as_u16(), response.body_mut().read_to_string().expect("text"))
}

fn measures(address: &str) -> String {
    get(address, "/metrics").1
}

/// Waits for the status; what was said with it.
fn health(worker: &Worker, address: &str, status: u16) -> Value {
    let mut said = (0, String::new());
    until(
        || {
            said = get(address, "/healthz");
            said.0 == status
        },
        || format!("no {status}\n{}", worker.log()),
    );
    serde_json::from_str(&said.1).expect("JSON")
}

#[test]
fn what_was_sent_failed_and_given_back_is_counted_and_timed() {
    let post = Post::due_to(4);
    let server = Smtpd::start(|said| match (said.at, said.connection, said.nth) {
        (At::Rcpt, 1, 2) => say("550 5.1.1 User unknown"),
        (At::Content, 1, 2) => say("451 4.3.0 Try again"),
        (At::Mail, 1, 4) => say("550 5.7.1 You may not send"),
        _ => Reply::Usual,
    });
    let configuration = post.configuration(&server, "metrics = '127.0.0.1:0'\nconnections = 1\npoll_seconds = 1");
    let worker = configuration.start();
    let address = address(&worker);
    let lines = [
        "remindersd_messages_sent_total 1",
        "remindersd_messages_failed_total{fault=\"recipient\"} 1",
        "remindersd_messages_failed_total{fault=\"none\"} 0",
        "remindersd_messages_failed_total{fault=\"sender\"} 1",
        "remindersd_messages_failed_total{fault=\"transport\"} 0",
        "remindersd_messages_returned_total 1",
        "remindersd_messages_claimed_total 4",
        "remindersd_claims_total{found=\"messages\"} 1",
        "remindersd_claims_total{found=\"trouble\"} 0",
        "remindersd_send_seconds_count{way=\"smtp\"} 4",
        "remindersd_send_seconds_bucket{way=\"smtp\",le=\"60\"} 4",
        "remindersd_outages_total{of=\"the database\"} 0",
    ];
    let missing = || {
        let measures = measures(&address);
        lines.into_iter().filter(|line| !measures.lines().any(|told| told == *line)).collect::<Vec<_>>()
    };
    until(|| missing().is_empty(), || format!("{:?}\n{}\n{}", missing(), measures(&address), worker.log()));
    assert_eq!(get(&address, "/").0, 404);
}

#[test]
fn what_an_organization_gets_back_is_counted() {
    let post = Post::due_to(10);
    let server =
        Smtpd::start(|said| if said.at == At::Mail { say("550 5.7.1 You may not send") } else { Reply::Usual });
    let configuration = post.configuration(&server, "metrics = '127.0.0.1:0'\nconnections = 1");
    let worker = configuration.start();
    let address = address(&worker);
    until(|| measures(&address).contains("remindersd_messages_returned_total 9"), || measures(&address));
}

#[test]
fn it_is_well_while_the_database_answers_and_says_so_when_it_does_not() {
    let post = Post::due_to(1);
    let server = Smtpd::start(|_| Reply::Usual);
    let configuration = post.configuration(&server, "metrics = '127.0.0.1:0'\npoll_seconds = 1\nlisten = false");
    let worker = configuration.start();
    let address = address(&worker);
    assert_eq!(health(&worker, &address, 200)["healthy"], true);
    let name = &post.database.name;
    let mut elsewhere = connect("postgres");
    run(&mut elsewhere, &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"));
    let end = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'remindersd deliver' AND datname = '{name}'"
    );
    run(&mut elsewhere, &end);
    let said = health(&worker, &address, 503);
    assert!(said["reason"].as_str().is_some_and(|why| why.contains("database")), "{said}");
    assert!(measures(&address).contains("remindersd_outage{of=\"the database\"} 1"), "{}", measures(&address));
    run(&mut elsewhere, &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"));
    assert_eq!(health(&worker, &address, 200)["reason"], Value::Null);
    let told = measures(&address);
    assert!(told.contains("remindersd_outages_total{of=\"the database\"} 1"), "{told}");
    assert!(told.contains("remindersd_outage{of=\"the database\"} 0"), "{told}");
}

#[test]
fn it_is_well_while_something_can_be_sent_by_one_way_at_least() {
    let mut post = Post::due_to(1);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let server = Smtpd::start(|_| Reply::Usual);
    let (other, from) = ("b0000000-0000-4000-8000-000000000000", "from = 'other@example.org'");
    run(&mut post.owner, &format!("INSERT INTO organizations (id, name) VALUES ('{other}', 'Other')"));
    let lines = format!("smtp = 'smtp://127.0.0.1:{closed}'\nmetrics = '127.0.0.1:0'\npoll_seconds = 1");
    let away = |worker: &Worker, address: &str| {
        let counted = format!("remindersd_outages_total{{of=\"the mail server 127.0.0.1:{closed}\"}} 1");
        until(|| measures(address).contains(&counted), || format!("{}\n{}", measures(address), worker.log()));
    };
    let both =
        format!("{lines}\n[[deliver.organization]]\nid = '{other}'\nsmtp = 'smtp://127.0.0.1:{}'\n{from}", server.port);
    {
        let configuration = post.configuration(&server, &both);
        let worker = configuration.start();
        let address = address(&worker);
        away(&worker, &address);
        let said = health(&worker, &address, 200);
        let outages: Vec<bool> =
            said["ways"].as_array().expect("ways").iter().map(|way| way["outage"].is_string()).collect();
        assert_eq!(outages, [true, false], "{said}");
    }
    // One way only.
    let post = Post::due_to(1);
    let configuration = post.configuration(&server, &lines);
    let worker = configuration.start();
    let address = address(&worker);
    away(&worker, &address);
    let said = health(&worker, &address, 503);
    assert!(said["reason"].as_str().is_some_and(|why| why.contains("nothing can be sent")), "{said}");
}

#[test]
fn where_nothing_is_configured_nobody_is_told() {
    let post = Post::due_to(1);
    let (log, _) = post.once(&Smtpd::start(|_| Reply::Usual), "");
    assert!(!log.contains("metrics and health"), "{log}");
}

#[test]
fn the_log_names_nobody() {
    let people = [
        ("a@[", "Annika Quist"),
        ("berit,marie@example.org", "Berit Quist"),
        ("carlo,quist@example.org", "Carlo Quist"),
        ("doris@example.org", "Doris Quist"),
        ("edvard@example.org", "Edvard Quist"),
        ("frida@example.org", "Frida Quist"),
        ("gustav@example.org", "Gustav Quist"),
        ("مريم@example.org", "مريم"),
    ];
    for (format, in_file) in [("", ""), ("json", ""), ("", "[log]\nformat = 'json'\n")] {
        let mut post = due_to(&people);
        let server = Smtpd::start(|said| match said.at {
            At::Rcpt if said.text.contains("doris") => {
                say("550 5.1.1 Doris Quist <doris@example.org> is not here: doris unknown")
            }
            At::Rcpt if said.text.contains("edvard") => say("554 5.7.1 Edvard Quist does not take edvard.quist's mail"),
            At::Content if said.text.contains("frida@") => say("451 4.3.0 Frida Quist is busy"),
            _ => Reply::Usual,
        });
        let lines = "connections = 1\n";
        let configuration = post.configuration(&server, &format!("{lines}{in_file}"));
        let (log, _) = configuration.run_with(&["--once"], &[("REMINDERSD_LOG_FORMAT", format)]);
        assert!(log.matches("not taken").count() >= 5, "{log}");
        let lower = log.to_lowercase();
        for word in ["@", "quist", "annika", "berit", "marie", "carlo", "doris", "edvard", "frida", "gustav", "مريم"]
        {
            assert!(!lower.contains(word), "{word} in the log: {log}");
        }
        // The database knows all of it.
        assert!(post.rows("SELECT last_error FROM reminders").iter().any(|error| error.contains("Doris Quist")));
        let objects =
            log.lines().filter(|line| serde_json::from_str::<Value>(line).is_ok_and(|line| line["level"].is_string()));
        let is_json = format == "json" || !in_file.is_empty();
        // The last line is what the command itself says.
        assert_eq!(objects.count(), if is_json { log.lines().count() - 1 } else { 0 }, "{log}");
    }
}

#[test]
fn a_format_that_is_none_is_told() {
    let post = Post::due_to(1);
    let server = Smtpd::start(|_| Reply::Usual);
    let (log, went_well) = post.configuration(&server, "").run_with(&["--once"], &[("REMINDERSD_LOG_FORMAT", "xml")]);
    assert!(!went_well && log.contains("neither text nor json"), "{log}");
    let (log, went_well) = post.configuration(&server, "[log]\nformat = 'xml'").run(&["--once"]);
    assert!(!went_well && log.contains("xml"), "{log}");
}

#[test]
fn a_level_that_is_none_is_told_instead_of_silencing_everything() {
    let post = Post::due_to(1);
    let server = Smtpd::start(|_| Reply::Usual);
    let (log, went_well) = post.configuration(&server, "").run_with(&["--once"], &[("REMINDERSD_LOG", "loud")]);
    assert!(!went_well && log.contains("\"loud\" is none of error, warn"), "{log}");
    assert_eq!(server.mails().len(), 0);
}

#[test]
fn what_does_not_fit_is_told_by_check_and_no_secret_with_it() {
    let mut post = Post::due_to(1);
    let server = Smtpd::start(|_| Reply::Usual);
    let stranger = "b0000000-0000-4000-8000-000000000000";
    for (lines, complaint) in [
        ("lease_seconds = 3".to_string(), "lease_seconds is less than deliver.timeout_seconds"),
        ("poll_seconds = 9223372036854775807".to_string(), "1 to 86,400"),
        ("hello_name = ' '".to_string(), "hello_name is empty"),
        (
            format!("ca_file = '{}/Cargo.toml'\nsmtp = 'smtps://localhost'", env!("CARGO_MANIFEST_DIR")),
            "Cargo.toml: it holds no certificate",
        ),
        ("user = 'programme'\npassword_file = '/dev/null'".to_string(), "/dev/null: it is empty"),
        (
            format!("[[deliver.organization]]\nid = '{stranger}'\nfrom = 'other@example.org'"),
            "the role sees no such organization",
        ),
    ] {
        let (said, fits) = post.configuration(&server, &lines).check();
        assert!(!fits && said.contains(complaint), "{lines}: {said}");
    }
    let (said, fits) = post.configuration(&server, "user = 'programme'\npassword = 'hunter2").check();
    assert!(!fits && said.contains("line") && !said.contains("hunter2"), "{said}");
    let (said, fits) = post.configuration(&server, "").check();
    assert!(fits, "{said}");
    let (name, login) = (post.database.name.clone(), post.login.clone());
    for (setting, complaint) in [
        ("default_transaction_isolation = 'serializable'", "claims need read committed"),
        ("row_security = off", "row_security = off"),
        ("default_transaction_read_only = on", "read-only"),
    ] {
        run(&mut post.owner, &format!("ALTER ROLE {login} IN DATABASE {name} SET {setting}"));
        let (said, fits) = post.configuration(&server, "").check();
        assert!(!fits && said.contains(complaint), "{setting}: {said}");
        run(&mut post.owner, &format!("ALTER ROLE {login} IN DATABASE {name} RESET ALL"));
    }
    // As if somebody had granted what a worker calls, and forgotten what it reads.
    let worker = post.row("SELECT r.rolname FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid JOIN pg_roles l ON l.oid = m.member WHERE l.rolname LIKE 'role%' AND has_table_privilege(r.oid, 'assignment_reminders.claim_rates', 'INSERT')");
    run(&mut post.owner, &format!("REVOKE SELECT ON user_preferences FROM {worker}"));
    let (said, fits) = post.configuration(&server, "").check();
    assert!(!fits && said.contains("has no SELECT on user_preferences"), "{said}");
}

#[test]
fn what_is_due_and_paused_ends_a_single_run_as_something_that_was_not_sent() {
    let post = Post::due_to(2);
    let server = Smtpd::start(|said| if said.at == At::Mail { say("550 5.7.1 no") } else { Reply::Usual });
    let (first, went_well) = post.once(&server, "");
    assert!(!went_well, "{first}");
    let tried = server.said("MAIL");
    let (log, went_well) = post.once(&server, "");
    assert!(!went_well && log.contains("sending is paused, while messages are due"), "{log}");
    assert_eq!(server.said("MAIL"), tried, "nothing was tried again: {log}");
}
