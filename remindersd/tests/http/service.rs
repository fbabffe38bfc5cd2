//! The program, running in front of a database of one test's own, and requests to it.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use postgres::Client;
use serde_json::{Value, json};

use crate::programmes::programme_of;
use crate::support::{Database, run};

pub const SECRET: &str = "a secret of at least thirty-two bytes, of tests";

/// Two organizations with row security, and the service in front of them.
pub struct Service {
    pub database: Database,
    pub owner: Client,
    pub process: Child,
    pub clients: Clients,
}

impl std::ops::Deref for Service {
    type Target = Clients;

    fn deref(&self) -> &Clients {
        &self.clients
    }
}

/// Whoever asks the service; on several threads, where they like.
#[derive(Clone)]
pub struct Clients {
    /// The role in which requests of people arrive.
    pub member: String,
    pub url: String,
    agent: ureq::Agent,
}

/// A request's outcome.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Value,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    pub fn field(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_default()
    }

    /// How many rows it holds.
    pub fn len(&self) -> usize {
        self.body.as_array().expect("an array").len()
    }
}

pub struct Request<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub token: Option<&'a str>,
    pub headers: &'a [(&'a str, &'a str)],
    pub body: Option<&'a str>,
}

impl Service {
    pub fn start() -> Self {
        Self::configured("")
    }

    /// With these lines of configuration beside those that every test needs.
    pub fn configured(more: &str) -> Self {
        Self::configured_in(more, &[])
    }

    /// And with these environment variables. `{worker}` in the lines is a role that may report delivery events, `{link}` one that may unsubscribe
    /// people.
    pub fn configured_in(more: &str, variables: &[(&str, &str)]) -> Self {
        Self::configured_with(more, variables, Stdio::inherit())
    }

    /// And with its log there.
    pub fn configured_with(more: &str, variables: &[(&str, &str)], log: Stdio) -> Self {
        let database = Database::installed();
        let mut owner = database.connect();
        programme_of(&mut owner, "a");
        programme_of(&mut owner, "b");
        let member = database.connect_as_new_role("").1;
        let worker = database.connect_as_new_role("").1;
        run(&mut owner, &format!("SELECT enable_row_security('{member}', '{worker}')"));
        let link = database
            .connect_as_new_role(
                "GRANT USAGE ON SCHEMA assignment_reminders TO {role}; GRANT EXECUTE ON FUNCTION assignment_reminders.unsubscribe TO {role}",
            )
            .1;
        let gateway = database
            .connect_as_new_role(&format!(
                "ALTER ROLE {{role}} NOINHERIT; GRANT {member}, {worker}, {link} TO {{role}}"
            ))
            .1;
        let more = more.replace("{worker}", &worker).replace("{link}", &link);
        let configuration = configuration(&database, &gateway, &member, &more);
        let (process, url) = started(&configuration, variables, log);
        Self { database, owner, process, clients: Clients { member, url, agent: agent() } }
    }

    /// Tells the program to stop, as systemd does.
    pub fn terminate(&self) {
        let status = Command::new("kill").arg(self.process.id().to_string()).status().expect("kill");
        assert!(status.success());
    }
}

impl Clients {
    /// The token of somebody of the organization a; `elsewhere` is the admin of b, `nowhere` an admin whose token names none.
    pub fn token(&self, person: &str) -> String {
        token(&self.claims(person))
    }

    pub fn claims(&self, person: &str) -> Value {
        let (organization, number) = match person {
            "student" => ("a", "01"),
            "mentor" => ("a", "03"),
            "coordinator" => ("a", "05"),
            "admin" => ("a", "06"),
            "elsewhere" => ("b", "06"),
            "stranger" => ("a", "99"),
            "nowhere" => ("", "06"),
            _ => unreachable!("{person}"),
        };
        let of = if organization.is_empty() { "a" } else { organization };
        let mut claims = json!({
            "sub": format!("{of}f000000-0000-4000-8000-0000000000{number}"),
            "role": self.member, "aud": "authenticated", "iss": "https://auth.example.org", "exp": now() + 600,
        });
        if !organization.is_empty() {
            claims["app_metadata"] =
                json!({"organization_id": format!("{organization}0000000-0000-4000-8000-000000000000")});
        }
        claims
    }

    pub fn send(&self, request: &Request) -> Answer {
        self.try_to_send(request).unwrap_or_else(|error| panic!("{} {}: {error}", request.method, request.path))
    }

    /// The answer, or why there is none.
    pub fn try_to_send(&self, request: &Request) -> Result<Answer, ureq::Error> {
        let url = format!("{}{}", self.url, request.path);
        let mut builder = ureq::http::Request::builder().method(request.method).uri(url);
        if let Some(token) = request.token {
            builder = builder.header("authorization", format!("Bearer {token}"));
        }
        if request.body.is_some() && !request.headers.iter().any(|(name, _)| *name == "content-type") {
            builder = builder.header("content-type", "application/json");
        }
        for (name, value) in request.headers {
            builder = builder.header(*name, *value);
        }
        let mut response = match request.body {
            Some(body) => self.agent.run(builder.body(body.to_string())?)?,
            None => self.agent.run(builder.body(())?)?,
        };
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).to_string()))
            .collect();
        let status = response.status().as_u16();
        let text = response.body_mut().read_to_string()?;
        let body =
            if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap_or(Value::String(text)) };
        Ok(Answer { status, headers, body })
    }

    /// A request of somebody's, with a body or without.
    pub fn ask(&self, person: &str, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.ask_with(person, method, path, body, &[])
    }

    pub fn ask_with(
        &self,
        person: &str,
        method: &str,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let body = body.map(ToString::to_string);
        self.send(&Request { method, path, token: Some(&self.token(person)), headers, body: body.as_deref() })
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // One that the test has ended already is no matter.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

pub fn token(claims: &Value) -> String {
    encode(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(SECRET.as_bytes())).expect("a token")
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).allow_non_standard_methods(true).build().new_agent()
}

/// A configuration file for this database; what `more` says before it names a section is of [database].
pub fn configuration(database: &Database, gateway: &str, member: &str, more: &str) -> std::path::PathBuf {
    let socket = std::env::var("PGHOST").expect("PGHOST");
    let port = std::env::var("PGPORT").expect("PGPORT");
    let jwt = if more.contains("[jwt]") {
        String::new()
    } else {
        format!("[jwt]\nsecret = '{SECRET}'\naudience = 'authenticated'\nroles = ['{member}']\n")
    };
    let listen = if more.contains("[http]") { "" } else { "[http]\nlisten = '127.0.0.1:0'\n" };
    let text = format!(
        "[database]\nurl = 'host={socket} port={port} user={gateway} dbname={}'\nstatement_timeout_seconds = 2\n{}\n{jwt}{listen}",
        database.name,
        more.replace("{member}", member),
    );
    let file = std::env::temp_dir().join(format!("remindersd-{}.toml", database.name));
    std::fs::write(&file, text).expect("a configuration");
    file
}

/// The program, serving, and its URL.
fn started(configuration: &std::path::Path, variables: &[(&str, &str)], log: Stdio) -> (Child, String) {
    let mut process = Command::new(env!("CARGO_BIN_EXE_remindersd"))
        .args(["serve", "--config"])
        .arg(configuration)
        .env("REMINDERSD_LOG", "error")
        .envs(variables.iter().copied())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .expect("it starts");
    let mut line = String::new();
    BufReader::new(process.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
    let url = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("{line:?}")).to_string();
    // It has been read.
    let _ = std::fs::remove_file(configuration);
    (process, url)
}

pub fn connection(url: &str) -> TcpStream {
    TcpStream::connect(url.strip_prefix("http://").expect("a URL")).expect("a connection")
}

/// Bytes to the service, and whatever it answers until it closes the connection.
pub fn raw(url: &str, bytes: &[u8]) -> String {
    let mut stream = connection(url);
    stream.write_all(bytes).expect("sent");
    let mut answer = Vec::new();
    // It may close before it has read all.
    let _ = std::io::Read::read_to_end(&mut stream, &mut answer);
    String::from_utf8_lossy(&answer).to_string()
}
