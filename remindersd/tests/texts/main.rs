//! `remindersd check-templates` and `remindersd preview`, as people run them.

#[path = "../../../tests/server/programmes.rs"]
mod programmes;
#[allow(dead_code)] // not every test program uses all of it
#[path = "../../../tests/server/support.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::programmes::programme_of;
use crate::support::{Database, run};

/// A directory that is gone with the test.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        let directory = std::env::temp_dir().join(format!("remindersd-texts-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&directory).unwrap();
        Self(directory)
    }

    fn with(self, name: &str, text: &str) -> Self {
        let file = self.0.join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
        self
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn remindersd(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_remindersd"));
    command.args(arguments).env("REMINDERSD_LOG", "error").output().expect("remindersd")
}

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn what_is_shipped_is_as_its_snapshots_in_both_locales() {
    let out = Directory::new();
    let output = remindersd(&["preview", "--out", out.path()]);
    assert!(output.status.success(), "{}", told(&output));
    let snapshots = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/texts/snapshots");
    let written: Vec<String> = out.names().into_iter().filter(|name| name.rsplit('.').next() == Some("txt")).collect();
    assert_eq!(written.len(), 14, "{written:?}");
    if std::env::var_os("UPDATE").is_some() {
        for name in &written {
            std::fs::write(snapshots.join(name), out.read(name)).unwrap();
        }
    }
    let mut kept: Vec<String> =
        std::fs::read_dir(&snapshots).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    kept.sort();
    assert_eq!(kept, written, "UPDATE=1 writes them");
    for name in written {
        let snapshot = std::fs::read_to_string(snapshots.join(&name)).unwrap();
        assert_eq!(out.read(&name), snapshot, "{name} is not as it was; UPDATE=1 writes it anew");
    }
}

#[test]
fn check_templates_finds_nothing_in_what_is_shipped_nor_in_a_language_of_ones_own() {
    let shipped = remindersd(&["check-templates"]);
    assert!(shipped.status.success(), "{}", told(&shipped));
    let own = Directory::new()
        .with("sv/phrases.jinja", "")
        .with("sv/general.subject", "Påminnelse")
        .with("sv/general.txt", "{{ (item.days_since or 0) | number }}")
        .with("sv/general.html", "{% extends \"layout.html\" %}{% block body %}<p>{{ subject }}</p>{% endblock %}")
        .with("layout.html", "<html lang=\"{{ lang }}\">{% block body %}{% endblock %}</html>")
        .with("README.md", "what is here");
    let output = remindersd(&["check-templates", own.path()]);
    assert!(output.status.success(), "{}", told(&output));
}

#[test]
fn check_templates_says_file_line_and_reason_of_each_mistake() {
    let organization = "00000000-0000-0000-0000-000000000001";
    let own_subject = format!("organizations/{organization}/nb/due.subject");
    let cases = [
        ("en/due.txt", "one\n{% if item.due_at %}", "en/due.txt:2: syntax error"),
        ("en/due.txt", "one\ntwo\n{{ item.duet }}", "en/due.txt:3: undefined value"),
        ("en/due.txt", "{{ reciepient_name }}", "en/due.txt:1: undefined value"),
        ("en/due.txt", "{{ recipient_name }}", "en/due.txt:1: invalid operation: there is no value here to show"),
        ("en/due.txt", "\n{{ item.due_at | dat }}", "en/due.txt:2: unknown filter"),
        ("en/due.txt", "{{ item.assignment_title | datetime }}", "is no moment"),
        ("en/due.txt", "{{ 2 | plural(one=\"x\") }}", "en/due.txt:1: missing argument"),
        ("en/due.txt", "{% include \"/etc/passwd\" %}", "en/due.txt:1: template not found"),
        (
            "en/due.txt",
            "{% for a in range(9999) %}{% for b in range(9999) %}{{ a }}{% endfor %}{% endfor %}",
            "out of fuel",
        ),
        (
            "en/due.html",
            "{% extends \"layout.html\" %}\n{% block body %}{{ item.nothing }}{% endblock %}",
            "en/due.html:2: undefined value",
        ),
        ("en/due.subject", " \n ", "due.subject is empty"),
        ("en/due.md5", "", "en/due.md5: no template"),
        ("en/dew.txt", "", "en/dew.txt: no template"),
        ("norsk bokmål/due.txt", "", "no directory of a locale"),
        ("organizations/ours/en/due.txt", "", "no directory of an organization"),
        (&own_subject, "{{ oops }}", &format!("{own_subject}:1: undefined value")),
        ("due.txt", "", "due.txt: no template: here are layout.html"),
        ("layout.html", "{{ oops }}", "layout.html:1: undefined value"),
        ("da/due.subject", "Frist", "da/due.subject: nothing is told by it: da has no phrases.jinja"),
        ("en/due.subject", " ", "en/due.subject:1: invalid operation: due.subject is empty"),
        ("layout.html", "", "due.html is empty"),
    ];
    for (name, text, complaint) in cases {
        let own = Directory::new().with(name, text);
        let output = remindersd(&["check-templates", own.path()]);
        assert_eq!(output.status.code(), Some(1), "{name}: {text}");
        assert!(told(&output).contains(complaint), "{name}: {text}: wanted {complaint}, told: {}", told(&output));
    }
    let gone = remindersd(&["check-templates", "/nowhere"]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(told(&gone).contains("/nowhere"), "{}", told(&gone));
}

#[test]
fn a_preview_is_an_email_of_text_and_html_and_a_page() {
    let out = Directory::new();
    let output = remindersd(&["preview", "--locale", "nb-NO", "--kind", "due", "--out", out.path()]);
    assert!(output.status.success(), "{}", told(&output));
    assert_eq!(out.names(), ["due-nb-NO.eml", "due-nb-NO.html", "due-nb-NO.txt"]);
    let mail = out.read("due-nb-NO.eml");
    for part in
        ["Content-Type: multipart/alternative", "Content-Type: text/plain", "Content-Type: text/html", "\r\nSubject: "]
    {
        assert!(mail.contains(part), "{part}: {mail}");
    }
    assert!(out.read("due-nb-NO.html").contains("<html lang=\"nb\" dir=\"ltr\">"));
    for (arguments, complaint) in [
        (["--kind", "dew"], "\"dew\" is no kind of message: contact-reminder"),
        (["--locale", "../nb"], "\"../nb\" is no locale"),
    ] {
        let output = remindersd(&[&["preview", "--out", out.path()], arguments.as_slice()].concat());
        assert!(!output.status.success() && told(&output).contains(complaint), "{}", told(&output));
    }
}

#[test]
fn links_that_are_not_of_the_web_are_refused_at_start() {
    let configuration =
        Directory::new().with("remindersd.toml", "[texts.links]\nassignment = \"javascript:alert(1)\"\n");
    let file = configuration.0.join("remindersd.toml");
    let output = remindersd(&["--config", file.to_str().unwrap(), "preview", "--out", configuration.path()]);
    assert!(!output.status.success());
    assert!(told(&output).contains("texts.links.assignment"), "{}", told(&output));
}

#[test]
fn what_would_go_out_about_an_assignment_is_told_by_the_workers_role_and_nothing_is_claimed() {
    let database = Database::installed();
    let mut owner = database.connect();
    programme_of(&mut owner, "a");
    let member = database.connect_as_new_role("").1;
    let worker = database.connect_as_new_role("").1;
    run(&mut owner, &format!("SELECT enable_row_security('{member}', '{worker}')"));
    let assignment = "a0000000-0000-4000-8000-00000000ffff";
    run(
        &mut owner,
        &format!(
            "INSERT INTO assignments (id, organization_id, title, student_id, peer_mentor_id, assigned_on, due_at)
             SELECT '{assignment}', m.organization_id, 'A <b>bold</b> title', 'a0000000-0000-4000-8000-000000000001', m.id, current_date - 20, now() + interval '3 days'
               FROM peer_mentors m WHERE m.user_id = 'a0000000-0000-4000-8000-000000000003'"
        ),
    );
    let out = Directory::new().with(
        "remindersd.toml",
        &format!(
            "[database]\nurl = \"host={} port={} user={worker} dbname={}\"\n[texts.links]\nassignment = \"https://app.example.org/{{assignment_id}}\"\n",
            std::env::var("PGHOST").unwrap(),
            std::env::var("PGPORT").unwrap(),
            database.name
        ),
    );
    let file = out.0.join("remindersd.toml");
    let before = owner.query_one("SELECT count(*) FROM reminders", &[]).unwrap().get::<_, i64>(0);
    let output = remindersd(&[
        "--config",
        file.to_str().unwrap(),
        "preview",
        "--assignment",
        assignment,
        "--locale",
        "nb",
        "--out",
        out.path(),
    ]);
    assert!(output.status.success(), "{}", told(&output));
    assert!(out.names().contains(&"contact-reminder-nb.txt".to_string()), "{:?} {}", out.names(), told(&output));
    let reminder = out.read("contact-reminder-nb.txt");
    assert!(reminder.contains("siden oppdraget begynte ") && reminder.contains("(20 dager)"), "{reminder}");
    assert!(reminder.contains(&format!("https://app.example.org/{assignment}")), "{reminder}");
    assert!(out.read("24h-nb.txt").contains("«A <b>bold</b> title» har frist "));
    assert!(out.read("24h-nb.html").contains("«A &lt;b&gt;bold"));
    assert_eq!(owner.query_one("SELECT count(*) FROM reminders", &[]).unwrap().get::<_, i64>(0), before);
    // What has gone out does not go out any more.
    run(
        &mut owner,
        &format!(
            "SELECT run_daily_evaluation(); UPDATE reminders SET status = 'sent', sent_at = now() WHERE assignment_id = '{assignment}'"
        ),
    );
    let after = Directory::new();
    let output =
        remindersd(&["--config", file.to_str().unwrap(), "preview", "--assignment", assignment, "--out", after.path()]);
    assert!(output.status.success(), "{}", told(&output));
    assert!(!after.names().iter().any(|name| name.starts_with("contact-reminder")), "{:?}", after.names());
    let output = remindersd(&["--config", file.to_str().unwrap(), "preview", "--assignment", member_id()]);
    assert!(!output.status.success() && told(&output).contains("02000"), "{}", told(&output));
}

#[test]
fn check_templates_reads_what_organizations_stored_and_the_directory_of_the_configuration() {
    let database = Database::installed();
    let mut owner = database.connect();
    let worker = database.connect_as_new_role(
        "GRANT USAGE ON SCHEMA assignment_reminders TO {role}; GRANT SELECT ON message_templates TO {role}",
    );
    run(
        &mut owner,
        "INSERT INTO message_templates (locale, name, body) VALUES ('en', 'due.subject', '{{ item.nothing }}'), ('nb', 'due.txt', 'Hei'), ('nb', 'dew.txt', 'Hei')",
    );
    let own = Directory::new().with("texts/en/due.txt", "{{ oops }}");
    let url = format!(
        "host={} port={} user={} dbname={}",
        std::env::var("PGHOST").unwrap(),
        std::env::var("PGPORT").unwrap(),
        worker.1,
        database.name
    );
    let own = own.with("remindersd.toml", &format!("[database]\nurl = \"{url}\"\n"));
    let file = own.0.join("remindersd.toml");
    let check = |arguments: &[&str]| {
        let output = remindersd(&[&["--config", file.to_str().unwrap(), "check-templates"], arguments].concat());
        (output.status.success(), told(&output))
    };
    assert!(check(&[]).0, "what is stored is not asked for");
    let (fits, said) = check(&["--stored"]);
    let of = "message_templates/00000000-0000-0000-0000-000000000001";
    assert!(!fits && said.contains(&format!("{of}/en/due.subject:1: undefined value")), "{said}");
    assert!(said.contains(&format!("{of}/nb/dew.txt: no kind")) && said.contains("2 mistakes"), "{said}");
    let texts = own.0.join("texts");
    let own = own.with("remindersd.toml", &format!("[texts]\ndirectory = {texts:?}\n"));
    let file = own.0.join("remindersd.toml");
    let output = remindersd(&["--config", file.to_str().unwrap(), "check-templates"]);
    assert!(told(&output).contains("en/due.txt:1: undefined value"), "{}", told(&output));
}

fn member_id() -> &'static str {
    "00000000-0000-4000-8000-000000000000"
}
