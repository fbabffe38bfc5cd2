//! The script that upgrades an earlier release: the install script again, with functions replaced, the types that were there
//! left, and what CREATE OR REPLACE cannot do written by hand.

use std::error::Error;

const HEADER: &str =
    "-- Written by `make schema` from the install script and sql/upgrade: change those, not this file.\n";

/// The functions that are there before. Whoever may call them stays as it is, also where users changed it (rights.sql).
const KNOWN_FUNCTIONS: &str = "\
-- This runs as a superuser, in a schema in which others may have made functions and operators: none of theirs is to be found.
SET LOCAL search_path TO pg_catalog, pg_temp;
-- Which functions were there before, for the rights of the others (sql/extension/rights.sql).
SELECT pg_catalog.set_config('assignment_reminders.functions_before', coalesce(pg_catalog.string_agg(d.objid::text, ','), ''), true)
  FROM pg_catalog.pg_depend d
  JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
 WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
   AND d.deptype = 'e' AND e.extname = 'assignment_reminders';
-- As it was: what is made below is made in the schema.
SET LOCAL search_path TO assignment_reminders, pg_temp;
";

/// `install` is the install script of this version, `from` that of the release, `changes` what is written by hand.
pub fn script(install: &str, from: &str, changes: &str) -> Result<String, Box<dyn Error>> {
    let is_there = |line: &str| line.starts_with(TYPE) && from.lines().any(|before| before == line);
    let mut lines: Vec<String> = Vec::new();
    let mut is_skipping = false;
    let mut first_function = None;
    for line in install.lines() {
        is_skipping = is_skipping || is_there(line);
        if !is_skipping {
            if line.starts_with(FUNCTION) && first_function.is_none() {
                first_function = Some(lines.len());
            }
            lines.push(line.replacen(FUNCTION, "CREATE OR REPLACE FUNCTION ", usize::from(line.starts_with(FUNCTION))));
        }
        is_skipping = is_skipping && line != ");";
    }
    let first_function = first_function.ok_or("the install script makes no function")?;
    // The comment above it belongs to it.
    let start = lines[..first_function].iter().rposition(|line| !line.starts_with("--")).map_or(0, |line| line + 1);
    let (types, functions) = lines.split_at(start);
    Ok(format!("{HEADER}\n{KNOWN_FUNCTIONS}\n{}\n\n{changes}\n{}\n", types.join("\n").trim_end(), functions.join("\n")))
}

const TYPE: &str = "CREATE TYPE ";
const FUNCTION: &str = "CREATE FUNCTION ";

#[cfg(test)]
mod tests {
    use super::script;

    const INSTALL: &str = "-- A type.\nCREATE TYPE s.a AS (\n    b text\n);\n\nCREATE TYPE s.n AS (\n    b text\n);\n\n\
                           -- A function.\nCREATE FUNCTION s.f() RETURNS text;\nCREATE FUNCTION s.g() RETURNS text;\n";

    #[test]
    fn types_that_are_there_are_left_and_functions_are_replaced_after_the_changes() {
        let upgrade = script(INSTALL, "CREATE TYPE s.a AS (\n    b text\n);\n", "CHANGES;\n").expect("a script");
        assert!(!upgrade.contains("CREATE TYPE s.a"), "{upgrade}");
        let order = [
            "functions_before",
            "CREATE TYPE s.n AS (\n    b text\n);",
            "CHANGES;",
            "-- A function.\nCREATE OR REPLACE FUNCTION s.f()",
            "CREATE OR REPLACE FUNCTION s.g()",
        ];
        let places: Vec<_> =
            order.iter().map(|part| upgrade.find(part).unwrap_or_else(|| panic!("{part}: {upgrade}"))).collect();
        assert!(places.is_sorted(), "{upgrade}");
    }

    #[test]
    fn a_script_without_functions_is_an_error() {
        assert!(script("SELECT 1;", "", "").is_err());
    }
}
