//! What holds of the source files themselves: released SQL stays as it was, and some things are said in one place only.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The files below a folder that end so, with their paths from the root.
fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, ending, found);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), ending, &mut found);
    found.sort();
    let named = found.into_iter().map(|path| {
        let name = path.strip_prefix(root()).expect("below the root").to_string_lossy().into_owned();
        (name, fs::read_to_string(path).expect("text"))
    });
    named.collect()
}

/// Released, or the install script, which is generated.
fn is_released(name: &str) -> bool {
    let released = fs::read_to_string(root().join("sql/released.txt")).expect("sql/released.txt");
    name.starts_with("sql/assignment_reminders--") || released.lines().any(|line| line.ends_with(&format!("  {name}")))
}

/// FNV-1a, which is short and enough to notice a change.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

#[test]
fn released_sql_is_as_it_was_released() {
    let released = fs::read_to_string(root().join("sql/released.txt")).expect("sql/released.txt");
    let mut names = 0;
    for line in released.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (expected, name) = line.split_once("  ").expect("a fingerprint and a file");
        let text = fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let found = format!("{:016x}", fingerprint(&text));
        assert_eq!(found, expected, "{name} was released and must not change: write a migration instead");
        names += 1;
    }
    assert!(names >= 14, "the install script of 0.1.0 and its 13 migrations");
}

#[test]
fn no_statement_spells_a_kind_of_reminder_out() {
    let kinds = fs::read_to_string(root().join("src/rules/kind.rs")).expect("the table of kinds");
    for kind in ["contact-reminder", "contact-escalation", "daily-summary"] {
        assert!(kinds.contains(kind), "{kind} is no kind any more");
        let mut sources = files("sql", ".sql");
        sources.extend(files("src", ".rs"));
        for (name, text) in sources {
            let code: String = text.split("#[cfg(test)]").next().unwrap_or_default().to_string();
            let is_allowed = name == "src/rules/kind.rs" || is_released(&name);
            assert!(is_allowed || !code.contains(kind), "{name} spells {kind} out: ask src/rules/kind.rs");
        }
    }
}

#[test]
fn messages_and_code_say_organization_as_the_schema_does() {
    let mut sources = files("sql", ".sql");
    sources.extend(files("src", ".rs"));
    for (name, text) in sources {
        assert!(is_released(&name) || !text.to_lowercase().contains("organisation"), "{name}");
    }
}

#[test]
fn meta_json_is_valid_for_pgxn_and_says_what_cargo_says() {
    if let Err(error) = pgxn_meta::dist::Distribution::load(root().join("META.json")) {
        panic!("META.json is not valid for PGXN: {error}");
    }
    let text: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(root().join("META.json")).expect("META.json")).expect("JSON");
    assert_eq!(text["version"], env!("CARGO_PKG_VERSION"));
    let provided = &text["provides"]["assignment_reminders"];
    assert_eq!(provided["version"], env!("CARGO_PKG_VERSION"));
    for file in ["file", "docfile"] {
        let name = provided[file].as_str().expect("a name");
        assert!(root().join(name).exists(), "{name}");
    }
}

#[test]
fn every_crate_has_the_licence_of_the_project() {
    for manifest in ["Cargo.toml", "tools/deliver/Cargo.toml", "tools/schema/Cargo.toml"] {
        let text = fs::read_to_string(root().join(manifest)).expect("a manifest");
        assert!(text.contains("license = \"PostgreSQL\""), "{manifest}");
    }
    assert!(fs::read_to_string(root().join("LICENSE")).expect("LICENSE").starts_with("PostgreSQL License"));
}
