//! The documentation is executed: every SQL block of README.md and docs/*.md, block after block, in one session, as a
//! newcomer would; what it says comes out does. And its links lead somewhere.
//!
//! A line "-- => text" after a statement holds the rows that it returns, columns joined by '|', rows by ", "; no text: none.
//! Every document has a database of its own. Those in docs/ go on where the README's quick start ends, and say so.

use std::path::{Path, PathBuf};
use std::time::Duration;

use postgres::Client;

use crate::support::{Database, has_pg_cron, home, row, rows, run};

/// Written from the catalog by a program: it holds no statements, and need not be there yet.
const REFERENCE: &str = "docs/reference.md";
/// By this link a document says where its examples begin.
const QUICK_START: &str = "](../README.md#quick-start)";

struct Document {
    /// From the repository's root.
    path: PathBuf,
    text: String,
}

/// A fenced block: the language after the fence, the line of the fence, and what it holds.
struct Block<'a> {
    language: &'a str,
    line: usize,
    content: String,
}

/// How much of a document was executed.
#[derive(Default)]
struct Executed {
    statements: usize,
    promises: usize,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

impl Document {
    fn at(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let text =
            std::fs::read_to_string(root().join(&path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { path, text }
    }

    fn readme() -> Self {
        Self::at("README.md")
    }

    /// Those in docs/, in the order of their names.
    fn docs() -> Vec<Self> {
        let Ok(entries) = std::fs::read_dir(root().join("docs")) else { return Vec::new() };
        let names = entries.map(|entry| entry.expect("an entry of docs").file_name());
        let mut paths: Vec<PathBuf> = names.map(|name| Path::new("docs").join(name)).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
        paths.sort();
        paths.into_iter().map(Self::at).collect()
    }

    fn is_reference(&self) -> bool {
        self.path == Path::new(REFERENCE)
    }

    fn blocks(&self) -> Vec<Block<'_>> {
        let mut blocks = Vec::new();
        let mut open: Option<Block> = None;
        for (line, number) in self.text.lines().zip(1..) {
            match (line.trim_start().strip_prefix("```"), open.as_mut()) {
                (Some(language), None) => {
                    open = Some(Block { language: language.trim(), line: number, content: String::new() });
                }
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (None, Some(block)) => block.content.extend([line, "\n"]),
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{}: a block does not end", self.path.display());
        blocks
    }

    fn sql(&self) -> Vec<Block<'_>> {
        self.blocks().into_iter().filter(|block| block.language == "sql").collect()
    }

    /// The lines outside of fenced blocks, without `code`, and their numbers.
    fn prose(&self) -> Vec<(usize, String)> {
        let mut is_prose = true;
        let mut prose = Vec::new();
        for (line, number) in self.text.lines().zip(1..) {
            if line.trim_start().starts_with("```") {
                is_prose = !is_prose;
            } else if is_prose {
                // Every other piece between backticks is code.
                prose.push((number, line.split('`').step_by(2).collect::<Vec<_>>().join("")));
            }
        }
        prose
    }

    /// The anchors of its headings, as GitHub and GitLab make them.
    fn anchors(&self) -> Vec<String> {
        let mut is_prose = true;
        let mut anchors: Vec<String> = Vec::new();
        for line in self.text.lines() {
            is_prose ^= line.trim_start().starts_with("```");
            let Some(heading) = line.strip_prefix('#').filter(|_| is_prose) else { continue };
            let slug: String = heading
                .trim_start_matches('#')
                .trim()
                .to_lowercase()
                .chars()
                .filter(|character| character.is_alphanumeric() || matches!(character, ' ' | '-' | '_'))
                .map(|character| if character == ' ' { '-' } else { character })
                .collect();
            let earlier = anchors.iter().filter(|anchor| **anchor == slug).count();
            anchors.push(if earlier == 0 { slug } else { format!("{slug}-{earlier}") });
        }
        anchors
    }

    /// The targets of its links, and the lines they stand on.
    fn links(&self) -> Vec<(usize, String)> {
        let prose = self.prose();
        let targets = prose.iter().flat_map(|(number, line)| {
            line.split("](").skip(1).filter_map(move |rest| Some((*number, rest.split_once(')')?.0.to_string())))
        });
        targets.collect()
    }

    fn execute(&self, client: &mut Client) -> Executed {
        let mut executed = Executed::default();
        for block in self.sql() {
            let place = format!("{}:{}", self.path.display(), block.line);
            println!("{place}"); // shown when a statement fails
            let mut statement = String::new();
            let mut found: Option<Vec<String>> = None;
            for line in block.content.lines() {
                if let Some(promised) = line.trim().strip_prefix("-- =>") {
                    let found = found.take().unwrap_or_else(|| panic!("{place}: no statement before: {line}"));
                    assert_eq!(found.join(", "), promised.trim(), "{place}\n{}", block.content);
                    executed.promises += 1;
                    continue;
                }
                statement.push_str(line);
                statement.push('\n');
                if line.trim_end().ends_with(';') {
                    found = Some(rows(client, &statement));
                    executed.statements += 1;
                    statement.clear();
                }
            }
            let rest: Vec<&str> =
                statement.lines().filter(|line| !line.trim().is_empty() && !line.starts_with("--")).collect();
            assert!(rest.is_empty(), "{place}: a statement without its semicolon: {rest:?}");
        }
        executed
    }

    fn needs_pg_cron(&self) -> bool {
        self.sql().iter().any(|block| block.content.contains("EXTENSION pg_cron"))
    }

    /// Executes it in a database of its own, after what goes before it.
    fn execute_after(&self, before: Option<&Self>) -> Executed {
        let all = |client: &mut Client| {
            // The examples count from today, and must not begin before midnight and end after it.
            while row(client, "SELECT (now() AT TIME ZONE 'UTC')::time > '23:59'") == "t" {
                std::thread::sleep(Duration::from_secs(1));
            }
            run(client, "SET search_path = public");
            if let Some(before) = before {
                before.execute(client);
            }
            self.execute(client)
        };
        if self.needs_pg_cron() {
            // pg_cron can only be created in its home.
            let (_home, mut client) = home();
            all(&mut client)
        } else {
            let database = Database::empty();
            all(&mut database.connect())
        }
    }
}

#[test]
fn every_sql_block_of_the_readme_runs_and_returns_what_it_says() {
    let Executed { statements, promises } = Document::readme().execute_after(None);
    assert!(
        statements >= 15 && promises >= 8,
        "{statements} statements and {promises} promises: is the quick start still there?"
    );
}

#[test]
fn every_sql_block_of_the_docs_runs_after_the_quick_start_and_returns_what_it_says() {
    let readme = Document::readme();
    let mut all = Executed::default();
    for document in Document::docs() {
        if document.is_reference() || document.sql().is_empty() || document.needs_pg_cron() && !has_pg_cron() {
            continue;
        }
        let (opening, _) = document.text.split_once("```sql").expect("a block");
        assert!(opening.contains(QUICK_START), "{} does not say where it begins", document.path.display());
        let executed = document.execute_after(Some(&readme));
        all.statements += executed.statements;
        all.promises += executed.promises;
    }
    assert!(
        all.statements >= 40 && all.promises >= 30,
        "{} statements and {} promises: are the docs still there?",
        all.statements,
        all.promises
    );
}

#[test]
fn an_owner_without_superuser_can_do_what_the_readme_and_the_docs_show() {
    let readme = Document::readme();
    let mut executed = 0;
    for document in [Document::readme()].into_iter().chain(Document::docs()) {
        let text = &document.text;
        // pg_cron is a superuser's to create, and so are roles to be tried out in the examples.
        if document.is_reference()
            || document.sql().is_empty()
            || document.needs_pg_cron()
            || text.contains("CREATE ROLE")
        {
            continue;
        }
        let database = Database::empty();
        let (mut owner, _) = database.connect_as_new_owner();
        run(&mut owner, "SET search_path = public");
        if document.path != readme.path {
            readme.execute(&mut owner);
        }
        executed += document.execute(&mut owner).statements;
    }
    assert!(executed >= 40, "{executed} statements: are the docs still there?");
}

#[test]
fn a_block_is_sql_that_is_executed_or_says_that_it_is_not() {
    for document in [Document::readme()].into_iter().chain(Document::docs()) {
        for Block { language, line, .. } in document.blocks() {
            assert!(["sql", "sh", "text"].contains(&language), "{}:{line}: {language:?}", document.path.display());
        }
    }
}

#[test]
fn the_readme_has_at_most_200_lines() {
    let lines = Document::readme().text.lines().count();
    assert!(lines <= 200, "{lines} lines: what is more than 200 belongs in docs/");
}

#[test]
fn every_relative_link_leads_to_a_file_and_a_heading_that_exist() {
    let mut broken = Vec::new();
    let mut links = 0;
    let others = ["CONTRIBUTING.md", "SECURITY.md", "tests/README.md"].map(Document::at);
    for document in [Document::readme()].into_iter().chain(others).chain(Document::docs()) {
        for (line, target) in document.links() {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            links += 1;
            let (file, anchor) = target.split_once('#').map_or((&*target, None), |(file, anchor)| (file, Some(anchor)));
            let path = match file {
                "" => root().join(&document.path),
                _ => root().join(document.path.parent().expect("a folder")).join(file),
            };
            let is_there = match path.canonicalize() {
                Ok(path) => anchor.is_none_or(|anchor| Document::at(path).anchors().contains(&anchor.to_string())),
                Err(_) => path.ends_with(REFERENCE),
            };
            if !is_there {
                broken.push(format!("{}:{line}: {target}", document.path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(links >= 10, "{links} links: are they still found?");
}
