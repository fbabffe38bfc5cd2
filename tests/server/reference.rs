//! docs/reference.md is what the catalog of a fresh installation says, so comments are the one source of what it tells.
//!
//! `make reference` runs this test with WRITE_REFERENCE set: then it writes the file instead of comparing it.

use std::fmt::Write as _;

use postgres::{Client, SimpleQueryMessage};

use crate::support::Database;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference.md");

/// Where a function is listed: under the first heading with a pattern that it fits. A pattern has at most one `*`. Functions
/// come in the order of the patterns. Trigger functions have a heading of their own.
const CAPABILITIES: &[(&str, &[&str])] = &[
    ("Rules", &["days_since_last_contact", "is_reminder_due", "is_escalation_due", "evaluate_assignment"]),
    ("Contact", &["get_*", "update_last_contact_date", "correct_last_contact_date", "*_contact_dates"]),
    ("Pauses and handovers", &["pause_*", "resume_*", "merge_peer_mentors"]),
    ("Assignment counts", &["*_assignment_counts"]),
    (
        "Daily run",
        &[
            "run_daily_evaluation",
            "evaluate_assignments",
            "preview_follow_ups",
            "release_held_run",
            "enqueue_alerts",
            "*_health",
            "watch_daily_evaluation",
        ],
    ),
    (
        "Due dates and summaries",
        &["due_assignments", "enqueue_due_reminders", "daily_summary", "enqueue_daily_summaries"],
    ),
    (
        "Delivery",
        &[
            "claim_reminders",
            "claim_digests",
            "mark_reminder*",
            "mark_digest_sent",
            "record_digest_failure",
            "record_delivery_failure*",
            "extend_reminder_lease*",
            "return_reminders",
            "retry_failed_reminders",
            "record_delivery_event",
            "record_provider_message",
            "restore_contact",
            "unsubscribe*",
            "prune",
        ],
    ),
    (
        "What becomes of each silence",
        &[
            "explain_assignment",
            "assignment_timeline",
            "assignment_outlooks",
            "forgotten_assignments",
            "follow_up_effect",
            "simulate_follow_ups",
        ],
    ),
    (
        "Pay",
        &[
            "assignment_counts_as_of",
            "mentor_statement",
            "close_period",
            "verify_closed_periods",
            "closed_period_checksum",
        ],
    ),
    ("History", &["rows_as_of", "row_versions", "contact_dates_as_of", "history_known_since", "prune_history"]),
    ("Personal data", &["forget_person", "export_person", "addresses_of"]),
    ("Scheduling", &["schedule_*", "unschedule_*"]),
    (
        "Organization and person of a session",
        &[
            "current_organization",
            "default_organization",
            "named_organization",
            "chosen_organization",
            "require_organization",
            "existing_organization",
            "current_user_id",
            "current_peer_mentor_id",
            "coordinated_organization",
            "administered_organization",
        ],
    ),
    ("Row security", &["enable_row_security", "disable_row_security", "install_api"]),
    ("Installation", &["install", "uninstall", "altered_definitions", "installed_definitions"]),
    (
        "Helpers that other functions use",
        &[
            "silent_since",
            "silence_anchor",
            "evaluate_silence",
            "latest_starts_of_silence",
            "assignment_silences",
            "silence_of",
            "silence_as_of",
            "messages_as_of",
            "put_back",
            "person_as_of",
            "was_returned",
            "outlook_of",
            "every_silence_is_heard",
            "organization_in_sight",
            "due_follow_ups",
            "evaluation_turns",
            "is_evaluation_due",
            "is_held",
            "is_day_off",
            "last_runs",
            "dispatched_at",
            "address_of",
            "addressee_id",
            "coordinator_to_tell",
            "goes_to_fallback",
            "is_muted",
            "is_reachable",
            "is_unreachable",
            "unreachable_reason",
            "reminder_kind*",
            "reminder_type_of",
            "is_rearmed",
            "skip_reason",
            "after_loss",
            "paused_among",
            "is_called_for",
            "organization_timezone",
            "summary_since",
            "last_summary*",
            "lock_for_reminders",
            "without_*",
            "due_reminder_type*",
            "is_of_due_offset",
            "is_same_due_date",
            "is_due_offset_open",
            "due_windows",
            "day_before",
            "is_in_daily_summary",
            "has_something_to_say",
            "time_ordered_id",
            "require_*",
            "raise_*",
        ],
    ),
];

#[test]
fn the_reference_says_what_the_catalog_says() {
    let database = Database::installed();
    let reference = reference(&mut database.connect());
    if std::env::var_os("WRITE_REFERENCE").is_some() {
        std::fs::write(PATH, reference).expect("docs/reference.md can be written");
        return;
    }
    let written = std::fs::read_to_string(PATH).unwrap_or_default();
    let line = written.lines().zip(reference.lines()).take_while(|(written, catalog)| written == catalog).count();
    assert!(
        written == reference,
        "docs/reference.md is out of date: run 'make reference'. Line {}:\nit says      {}\nthe catalog  {}",
        line + 1,
        written.lines().nth(line).unwrap_or("nothing"),
        reference.lines().nth(line).unwrap_or("nothing"),
    );
}

fn reference(client: &mut Client) -> String {
    let mut page = Page::default();
    functions(client, &mut page);
    types(client, &mut page);
    tables(client, &mut page);
    views(client, &mut page);
    format!(
        "# Reference\n\n\
         Written by `make reference` from the catalog of a fresh installation: change the doc comments in src/ and the COMMENT ON in\n\
         sql/, not this file.\n\n\
         Everything is in the schema `assignment_reminders`. Codes such as 22004 are the SQLSTATE of the error that is raised.\n\n\
         {}\n{}",
        page.contents.trim_start(),
        page.body
    )
}

// Functions

struct Function {
    name: String,
    signature: String,
    comment: String,
    /// Immutable, stable or volatile.
    volatility: String,
    is_public: bool,
    is_trigger: bool,
}

fn functions(client: &mut Client, page: &mut Page) {
    page.section("Functions");
    let (triggers, mut rest): (Vec<_>, Vec<_>) =
        functions_by_name(client).into_iter().partition(|function| function.is_trigger);
    for (capability, patterns) in CAPABILITIES {
        let mut listed = Vec::new();
        for pattern in *patterns {
            let fitting: Vec<Function> = rest.extract_if(.., |function| fits(&function.name, pattern)).collect();
            assert!(!fitting.is_empty(), "reference.rs: no function, or none that is left, fits {pattern}");
            listed.extend(fitting);
        }
        page.group(capability);
        list_functions(&listed, page);
    }
    let homeless: Vec<&str> = rest.iter().map(|function| function.name.as_str()).collect();
    assert!(homeless.is_empty(), "reference.rs: name these under a capability: {homeless:?}");
    page.group("Triggers");
    list_functions(&triggers, page);
}

fn fits(name: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, end)) => name.starts_with(start) && name.ends_with(end),
        None => name == pattern,
    }
}

fn functions_by_name(client: &mut Client) -> Vec<Function> {
    let found = query(
        client,
        r#"SELECT p.proname, arguments.list, pg_get_function_arguments(p.oid), columns.list, pg_get_function_result(p.oid),
                 obj_description(p.oid, 'pg_proc'),
                 CASE p.provolatile WHEN 'i' THEN 'Immutable' WHEN 's' THEN 'Stable' ELSE 'Volatile' END,
                 EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) WHERE grantee = 0),
                 p.prorettype = 'trigger'::regtype
            FROM pg_proc p
           CROSS JOIN LATERAL (
                 SELECT string_agg(concat_ws(' ', name, format_type(type, NULL),
                                             'DEFAULT ' || pg_get_function_arg_default(p.oid, n::integer)), E'\n' ORDER BY n) AS list
                   FROM unnest(p.proargtypes::oid[], p.proargnames) WITH ORDINALITY AS argument (type, name, n)
                  WHERE type IS NOT NULL
                 ) AS arguments
           CROSS JOIN LATERAL (
                 SELECT string_agg(name || ' ' || format_type(type, NULL), E'\n' ORDER BY n) AS list
                   FROM unnest(p.proallargtypes, p.proargnames, p.proargmodes) WITH ORDINALITY AS argument (type, name, mode, n)
                  WHERE mode = 't'
                 ) AS columns
           WHERE p.pronamespace = 'assignment_reminders'::regnamespace
           ORDER BY p.proname COLLATE "C", arguments.list COLLATE "C""#,
    );
    found
        .into_iter()
        .map(|[name, arguments, whole_arguments, columns, result, comment, volatility, is_public, is_trigger]| {
            let (arguments, columns): (Vec<&str>, Vec<&str>) = (arguments.lines().collect(), columns.lines().collect());
            assert_eq!(arguments.join(", "), whole_arguments, "{name} has arguments that this test does not know");
            assert!(
                columns.is_empty() || result == format!("TABLE({})", columns.join(", ")),
                "{name} returns {result}, which this test does not know"
            );
            let signature = signature(&name, &arguments, &columns, &result);
            Function {
                name,
                signature,
                comment,
                volatility,
                is_public: is_public == "t",
                is_trigger: is_trigger == "t",
            }
        })
        .collect()
}

/// On one line where it fits, else a line for each argument, and for each column if those do not fit either.
fn signature(name: &str, arguments: &[&str], columns: &[&str], result: &str) -> String {
    let flat = |list: &[&str]| format!("({})", list.join(", "));
    let in_lines = |list: &[&str]| {
        if list.is_empty() { "()".to_string() } else { format!("(\n    {}\n)", list.join(",\n    ")) }
    };
    let returns = |columns: &str| if columns == "()" { result.to_string() } else { format!("TABLE {columns}") };
    let fits = |text: &String| text.lines().all(|line| line.len() <= 100);
    [
        format!("{name}{} RETURNS {}", flat(arguments), returns(&flat(columns))),
        format!("{name}{} RETURNS {}", in_lines(arguments), returns(&flat(columns))),
    ]
    .into_iter()
    .find(fits)
    .unwrap_or_else(|| format!("{name}{} RETURNS {}", in_lines(arguments), returns(&in_lines(columns))))
}

fn list_functions(functions: &[Function], page: &mut Page) {
    let mut previous = None;
    for function in functions {
        // Functions of the same name share a heading.
        if previous.replace(&function.name) != Some(&function.name) {
            page.entry(4, &function.name);
        }
        let callers = if function.is_public { "Everybody (PUBLIC)" } else { "The owner of the extension" };
        page.paragraph(&format!("```text\n{}\n```", function.signature));
        page.comment(&function.comment);
        page.paragraph(&format!("*{}. {callers} may call it by default.*", function.volatility));
    }
}

// Types, tables, views

fn types(client: &mut Client, page: &mut Page) {
    page.section("Composite types");
    for [name, relation, comment] in query(
        client,
        "SELECT c.relname, c.oid, obj_description(c.reltype, 'pg_type') FROM pg_class c
          WHERE c.relnamespace = 'assignment_reminders'::regnamespace AND c.relkind = 'c' ORDER BY c.oid",
    ) {
        page.entry(3, &name);
        page.comment(&comment);
        let attributes =
            columns(client, &relation).map(|[name, ty, _, _, comment]| [code(&name), code(&ty), escaped(&comment)]);
        page.table(["attribute", "type", "comment"], attributes);
    }
}

fn tables(client: &mut Client, page: &mut Page) {
    page.section("Tables");
    for [name, table, comment] in relations(client, 'r') {
        page.entry(3, &name);
        page.comment(&comment);
        let columns = columns(client, &table).map(|[name, ty, nullable, default, comment]| {
            [code(&name), code(&ty), nullable, code(&default), escaped(&comment)]
        });
        page.table(["column", "type", "nullable", "default", "comment"], columns);

        // NOT NULL stands with the columns; from Postgres 18 on it is a constraint, too.
        let constraints = query(
            client,
            &format!(
                r#"SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
                    WHERE conrelid = {table} AND contype NOT IN ('n', 't') ORDER BY conname COLLATE "C""#
            ),
        );
        page.list("Constraints", constraints.iter().map(|[name, definition]| format!("`{name}`: `{definition}`")));
        // Those of constraints are named there.
        let indexes = query(
            client,
            &format!(
                r#"SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i
                    WHERE i.indrelid = {table} AND NOT EXISTS (
                          SELECT FROM pg_constraint WHERE conindid = i.indexrelid AND contype IN ('p', 'u', 'x'))
                    ORDER BY i.indexrelid::regclass::text COLLATE "C""#
            ),
        );
        page.list("Indexes", indexes.iter().map(|[definition]| format!("`{definition}`")));
        let triggers = query(
            client,
            &format!(
                r#"SELECT t.tgname, lower(substring(pg_get_triggerdef(t.oid) FROM '^CREATE TRIGGER \S+ (.+?) ON ')), p.proname
                     FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
                    WHERE t.tgrelid = {table} AND NOT t.tgisinternal ORDER BY t.tgname COLLATE "C""#
            ),
        );
        page.list(
            "Triggers",
            triggers.iter().map(|[name, time, function]| format!("`{name}`, {time}: [`{function}()`](#{function})")),
        );
    }
}

fn views(client: &mut Client, page: &mut Page) {
    page.section("Views");
    for [name, view, comment] in relations(client, 'v') {
        page.entry(3, &name);
        page.comment(&comment);
        let columns =
            columns(client, &view).map(|[name, ty, _, _, comment]| [code(&name), code(&ty), escaped(&comment)]);
        page.table(["column", "type", "comment"], columns);
    }
}

/// Name, oid and comment, in the order in which they were created.
fn relations(client: &mut Client, kind: char) -> Vec<[String; 3]> {
    query(
        client,
        &format!(
            "SELECT relname, oid, obj_description(oid, 'pg_class') FROM pg_class
              WHERE relnamespace = 'assignment_reminders'::regnamespace AND relkind = '{kind}' ORDER BY oid"
        ),
    )
}

/// Name, type, whether it is nullable, default and comment.
fn columns(client: &mut Client, relation: &str) -> impl Iterator<Item = [String; 5]> {
    query(
        client,
        &format!(
            "SELECT a.attname, format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'no' ELSE 'yes' END,
                    CASE WHEN a.attidentity = 'a' THEN 'GENERATED ALWAYS AS IDENTITY'
                         WHEN a.attidentity = 'd' THEN 'GENERATED BY DEFAULT AS IDENTITY'
                         WHEN a.attgenerated <> '' THEN 'GENERATED ALWAYS AS (' || pg_get_expr(d.adbin, d.adrelid) || ')'
                         ELSE pg_get_expr(d.adbin, d.adrelid) END,
                    col_description(a.attrelid, a.attnum)
               FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
              WHERE a.attrelid = {relation} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
        ),
    )
    .into_iter()
}

/// The rows of a query, NULL as nothing.
fn query<const N: usize>(client: &mut Client, sql: &str) -> Vec<[String; N]> {
    let messages = client.simple_query(sql).unwrap_or_else(|error| panic!("{sql}\n{error}"));
    messages
        .iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                Some(std::array::from_fn(|index| row.get(index).unwrap_or_default().to_string()))
            }
            _ => None,
        })
        .collect()
}

// Markdown

/// The page and its table of contents, which grow together.
#[derive(Default)]
struct Page {
    contents: String,
    body: String,
    anchors: Vec<String>,
}

impl Page {
    fn section(&mut self, title: &str) {
        let anchor = self.heading(2, title);
        let _ = write!(self.contents, "\n- [{title}](#{anchor})");
    }

    fn group(&mut self, title: &str) {
        let anchor = self.heading(3, title);
        let _ = write!(self.contents, "\n  - [{title}](#{anchor})");
    }

    fn entry(&mut self, level: usize, name: &str) {
        let anchor = self.heading(level, name);
        let is_first = self.contents.lines().last().is_some_and(|line| !line.contains("): "));
        let _ = write!(self.contents, "{} [{name}](#{anchor})", if is_first { ":" } else { "," });
    }

    /// Returns the anchor that GitHub gives the heading.
    fn heading(&mut self, level: usize, title: &str) -> String {
        self.paragraph(&format!("{} {title}", "#".repeat(level)));
        let anchor = title.to_lowercase().replace(' ', "-");
        let namesakes = self.anchors.iter().filter(|other| **other == anchor).count();
        self.anchors.push(anchor.clone());
        if namesakes == 0 { anchor } else { format!("{anchor}-{namesakes}") }
    }

    fn paragraph(&mut self, text: &str) {
        let _ = write!(self.body, "\n{text}\n");
    }

    fn comment(&mut self, comment: &str) {
        self.paragraph(&escaped(comment).replace('\n', "\n\n"));
    }

    fn list(&mut self, title: &str, items: impl Iterator<Item = String>) {
        let items: Vec<String> = items.map(|item| format!("- {item}")).collect();
        if !items.is_empty() {
            self.paragraph(&format!("**{title}**\n\n{}", items.join("\n")));
        }
    }

    /// Columns that are empty in every row are left out.
    fn table<const N: usize>(&mut self, heads: [&str; N], rows: impl Iterator<Item = [String; N]>) {
        let rows: Vec<[String; N]> = rows.collect();
        let used: Vec<usize> = (0..N).filter(|column| rows.iter().any(|row| !row[*column].is_empty())).collect();
        let line = |cells: &dyn Fn(usize) -> String| {
            let cells: Vec<String> = used.iter().map(|column| cells(*column)).collect();
            format!("| {} |", cells.join(" | "))
        };
        let mut lines = vec![line(&|column| heads[column].to_string()), line(&|_| "---".to_string())];
        lines.extend(rows.iter().map(|row| line(&|column| row[column].replace('|', "\\|").replace('\n', "<br>"))));
        self.paragraph(&lines.join("\n"));
    }
}

/// Text that Markdown shows as it is.
fn escaped(text: &str) -> String {
    ['\\', '*', '<', '[', '`']
        .into_iter()
        .fold(text.to_string(), |text, special| text.replace(special, &format!("\\{special}")))
}

/// Nothing for nothing.
fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{text}`") }
}
