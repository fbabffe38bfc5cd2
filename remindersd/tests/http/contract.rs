//! What the service says of itself: its description, its health and measures, and what it refuses to start with.

use std::process::Command;

use serde_json::Value;

use crate::service::{Answer, Request, Service, configuration};
use crate::support::{Database, run};

fn get(service: &Service, path: &str) -> Answer {
    service.send(&Request { method: "GET", path, token: None, headers: &[], body: None })
}

#[test]
fn the_description_names_every_route_with_its_answers() {
    let service = Service::start();
    let description = get(&service, "/openapi.json").body;
    assert_eq!(description["openapi"], "3.1.0");
    let paths = description["paths"].as_object().expect("paths");
    let mut operations: Vec<String> = paths
        .iter()
        .flat_map(|(path, methods)| {
            methods.as_object().expect("methods").keys().map(move |method| format!("{method} {path}"))
        })
        .collect();
    operations.sort();
    assert_eq!(
        operations,
        [
            "delete /api/v1/assignments/{id}",
            "get /api/v1/assignments",
            "get /api/v1/assignments/{id}",
            "get /api/v1/assignments/{id}/explanation",
            "get /api/v1/assignments/{id}/participants",
            "get /api/v1/assignments/{id}/timeline",
            "get /api/v1/due-assignments",
            "get /api/v1/health",
            "get /api/v1/live",
            "get /api/v1/me",
            "get /api/v1/peer-mentors",
            "get /api/v1/peer-mentors/{id}",
            "get /api/v1/peer-mentors/{id}/statement",
            "get /api/v1/silent-assignments",
            "get /due-assignments",
            "get /healthz",
            "get /unsubscribe/{token}",
            "patch /api/v1/assignments/{id}",
            "post /api/v1/assignments",
            "post /api/v1/assignments/{id}/activities",
            "post /unsubscribe/{token}",
            "post /webhooks/{provider}/{organization}",
            "put /api/v1/assignments/{id}",
            "put /api/v1/assignments/{id}/last-contact",
        ]
    );
    let mut names: Vec<&str> = paths
        .values()
        .flat_map(|methods| methods.as_object().expect("methods").values())
        .map(|operation| operation["operationId"].as_str().expect("a name"))
        .collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), operations.len(), "each operation has a name of its own");
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().expect("methods") {
            assert!(operation["summary"].is_string(), "{method} {path} says what it does");
            for (status, answer) in operation["responses"].as_object().expect("responses") {
                assert!(
                    status == "204" || answer["content"].as_object().is_some_and(|content| !content.is_empty()),
                    "{method} {path}: {status} has a schema: {answer}"
                );
            }
            for parameter in operation["parameters"].as_array().unwrap_or(&Vec::new()) {
                assert!(parameter["schema"].is_object(), "{method} {path}: {parameter}");
            }
        }
    }
    let mut references = Vec::new();
    for_each_object(&description, &mut |object| {
        if let Some(reference) = object.get("$ref") {
            references.push(reference.as_str().expect("a reference").to_string());
        }
        // What is sent and answered as JSON or as a problem.
        for (media, content) in object.get("content").and_then(Value::as_object).into_iter().flatten() {
            let schema = &content["schema"];
            let schema = if schema["type"] == "array" { &schema["items"] } else { schema };
            let name = schema["$ref"].as_str().unwrap_or_default().trim_start_matches("#/components/schemas/");
            let examples = [&content["example"], &description["components"]["schemas"][name]["example"]];
            assert!(examples.iter().any(|example| !example.is_null()), "{media} {name} has an example");
        }
    });
    assert!(references.len() > 100, "{}", references.len());
    for reference in references {
        assert!(description.pointer(&reference[1..]).is_some(), "{reference}");
    }
    let printed = Command::new(env!("CARGO_BIN_EXE_remindersd")).arg("openapi").output().expect("it runs");
    let printed: Value = serde_json::from_slice(&printed.stdout).expect("JSON");
    assert_eq!(printed, description);
}

/// Every object in a JSON value.
fn for_each_object<'a>(value: &'a Value, seen: &mut impl FnMut(&'a serde_json::Map<String, Value>)) {
    if let Some(object) = value.as_object() {
        seen(object);
    }
    let within = value.as_object().into_iter().flat_map(|object| object.values());
    for value in within.chain(value.as_array().into_iter().flatten()) {
        for_each_object(value, seen);
    }
}

#[test]
fn answers_carry_headers_that_keep_them_to_whom_they_are_for() {
    let service = Service::configured("[http]\nlisten = '127.0.0.1:0'\ncors_origins = ['https://app.example.org']\n");
    let from = |origin: &str| {
        let token = service.token("coordinator");
        let headers = [("origin", origin)];
        service.send(&Request {
            method: "GET",
            path: "/api/v1/assignments",
            token: Some(&token),
            headers: &headers,
            body: None,
        })
    };
    let answer = from("https://app.example.org");
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example.org"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(from("https://evil.example.org").header("access-control-allow-origin"), None);
}

#[test]
fn health_says_whether_the_database_is_there_and_measures_count_what_was_answered() {
    let service = Service::start();
    assert_eq!(get(&service, "/healthz").status, 200);
    service.ask("coordinator", "GET", "/api/v1/assignments/a0000000-0000-4000-8000-000000001101", None);
    let measures = get(&service, "/metrics").body.as_str().expect("text").to_string();
    assert!(
        measures.contains(r#"remindersd_requests_total{method="GET",route="/api/v1/assignments/{id}",status="200"} 1"#),
        "{measures}"
    );
    assert!(!measures.contains("a0000000"), "{measures}");
    let name = &service.database.name;
    run(
        &mut crate::support::connect("postgres"),
        &format!(
            "ALTER DATABASE {name} ALLOW_CONNECTIONS false; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        ),
    );
    let answer = get(&service, "/healthz");
    assert_eq!((answer.status, answer.header("content-type")), (503, Some("application/problem+json")));
    let answer = service.ask("coordinator", "GET", "/api/v1/assignments", None);
    assert_eq!(answer.status, 503, "{answer:?}");
    run(&mut crate::support::connect("postgres"), &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"));
    assert_eq!(get(&service, "/healthz").status, 200, "and it is back when the database is");
}

fn complaint(arguments: &[&str], variables: &[(&str, &str)]) -> Option<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_remindersd"))
        .args(arguments)
        .envs(variables.iter().copied())
        .output()
        .expect("it runs");
    (!output.status.success()).then(|| String::from_utf8_lossy(&output.stderr).to_string())
}

#[test]
fn check_says_what_does_not_fit() {
    let database = Database::installed();
    let mut owner = database.connect();
    let member = database.connect_as_new_role("").1;
    let gateway = database.connect_as_new_role("ALTER ROLE {role} NOINHERIT").1;
    let file = configuration(&database, &gateway, &member, "");
    let check = || complaint(&["check", "--config", file.to_str().expect("a path")], &[]);
    let told = |text: &str| {
        let complaint = check().unwrap_or_default();
        assert!(complaint.contains(text), "{text}: {complaint}");
    };
    told("cannot become the role");
    run(&mut owner, &format!("GRANT {member} TO {gateway}"));
    told("no row security");
    run(&mut owner, &format!("SELECT enable_row_security('{member}'); ALTER ROLE {member} BYPASSRLS"));
    told("passes row security");
    run(&mut owner, &format!("ALTER ROLE {member} NOBYPASSRLS"));
    assert_eq!(check(), None);
    // And the role of webhooks.
    let worker = database.connect_as_new_role("").1;
    let plain = std::fs::read_to_string(&file).expect("the file");
    let with = |webhooks: &str| std::fs::write(&file, format!("{plain}[webhooks]\n{webhooks}\n")).expect("the file");
    let source = "provider = 'generic', organization = '00000000-0000-0000-0000-000000000001'";
    let secret = "secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'";
    with(&format!("sources = [{{ {source}, {secret} }}]"));
    told("webhooks.role names no database role");
    with(&format!("role = '{worker}'\nsources = [{{ {source}, secret = 'c2hvcnQ=' }}]"));
    told("webhooks.sources, number 1: secret has fewer than 24 bytes");
    assert!(!check().unwrap_or_default().contains("c2hvcnQ="));
    with(&format!("role = '{worker}'\nsources = [{{ {source}, {secret}, password = 'x' }}]"));
    told("password");
    with(&format!("role = '{worker}'\nsources = [{{ {source}, {secret} }}]"));
    told("cannot become the role");
    run(&mut owner, &format!("GRANT {worker} TO {gateway}"));
    told("of webhooks.role may not call record_delivery_event");
    told(&format!("SELECT assignment_reminders.enable_row_security(..., '{worker}')"));
    // Where workers have a role already, making this one the workers' would take that one's rights.
    let delivers = database.connect_as_new_role("").1;
    run(&mut owner, &format!("SELECT enable_row_security('{member}', '{delivers}')"));
    told(&format!("may not call record_delivery_event: GRANT {delivers} TO {worker}"));
    run(
        &mut owner,
        &format!(
            "GRANT USAGE ON SCHEMA assignment_reminders TO {worker}; GRANT EXECUTE ON FUNCTION record_delivery_event, record_provider_message TO {worker}"
        ),
    );
    told(&format!(
        "row security hides the messages that were sent from the role {worker} of webhooks.role: GRANT {delivers} TO {worker}"
    ));
    run(&mut owner, &format!("GRANT {delivers} TO {worker}"));
    assert_eq!(check(), None);
    let elsewhere = "provider = 'generic', organization = '00000000-0000-0000-0000-000000000002'";
    with(&format!("role = '{worker}'\nsources = [{{ {source}, {secret} }}, {{ {elsewhere}, {secret} }}]"));
    told("webhooks.sources, number 2: the role");
    told("sees no organization 00000000-0000-0000-0000-000000000002");
    with(&format!("role = '{worker}'\nsources = [{{ {source}, {secret} }}]"));
    assert_eq!(check(), None);
    // And the role of the link to unsubscribe by.
    let link = database.connect_as_new_role("").1;
    let with =
        |role: &str| std::fs::write(&file, format!("{plain}[unsubscribe]\nrole = '{role}'\n")).expect("the file");
    with("");
    told("unsubscribe.role names no database role");
    with("nobody_of_this_name");
    told("nobody_of_this_name of unsubscribe.role is not in the database");
    with(&link);
    told("cannot become the role");
    run(&mut owner, &format!("GRANT {link} TO {gateway}"));
    told("of unsubscribe.role may not call unsubscribe");
    run(&mut owner, &format!("GRANT EXECUTE ON FUNCTION unsubscribe TO {link}"));
    told(&format!("GRANT USAGE ON SCHEMA assignment_reminders TO {link}"));
    run(&mut owner, &format!("GRANT USAGE ON SCHEMA assignment_reminders TO {link}"));
    assert_eq!(check(), None);
    run(&mut owner, &format!("ALTER ROLE {link} BYPASSRLS"));
    told("it needs no right but to call unsubscribe");
    run(&mut owner, &format!("ALTER ROLE {link} NOBYPASSRLS"));
    std::fs::write(&file, plain).expect("the file");
    // The environment comes before the file, and no complaint tells a secret.
    let short =
        complaint(&["check", "--config", file.to_str().expect("a path")], &[("REMINDERSD_JWT__SECRET", "a short one")]);
    let short = short.expect("a complaint");
    assert!(short.contains("fewer than 32 bytes") && !short.contains("a short one"), "{short}");
    let unknown = std::fs::read_to_string(&file).expect("the file").replace("audience", "audiences");
    std::fs::write(&file, unknown).expect("the file");
    told("audiences");
    std::fs::remove_file(&file).expect("the file");
    told("configuration");
    assert!(complaint(&["serve"], &[]).is_some_and(|complaint| complaint.contains("configuration")));
}

/// Each block of docs/http.md that asks with curl, and under it what the answer holds.
#[test]
fn the_curl_lines_of_the_documentation_do_what_it_says() {
    let mut service = Service::start();
    // Of one mentor, whose one assignment they speak of.
    run(&mut service.owner, "DELETE FROM peer_mentors WHERE id = 'a0000000-0000-4000-8000-00000000aa04'");
    let text = include_str!("../../../docs/http.md");
    let blocks: Vec<&str> = text
        .split("```sh\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .filter(|block| block.contains("curl "))
        .collect();
    assert!(blocks.len() >= 7, "{blocks:?}");
    for block in blocks {
        let output = Command::new("bash")
            .args(["-euo", "pipefail", "-c", block])
            .env("URL", &service.url)
            .env("TOKEN", service.token("coordinator"))
            .env("STUDENT", "a0000000-0000-4000-8000-000000000001")
            .env("ASSIGNMENT", "a0000000-0000-4000-8000-000000001101")
            .output()
            .expect("bash");
        let answer = String::from_utf8_lossy(&output.stdout).to_string();
        assert!(output.status.success(), "{block}\n{answer}\n{}", String::from_utf8_lossy(&output.stderr));
        for expected in block.lines().filter_map(|line| line.strip_prefix("# => ")) {
            assert!(answer.contains(expected), "{block}\n{answer}");
        }
    }
}
