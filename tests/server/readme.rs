//! The README's SQL is executed, block after block, in one session, as a newcomer would; what it says comes out does.
//!
//! A line "-- => text" after a statement holds the rows that it returns, columns joined by '|', rows by ", ".

use crate::support::{home, rows, run};

#[test]
fn every_sql_block_of_the_readme_runs_and_returns_what_it_says() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).expect("the README");
    // In pg_cron's home, since the README schedules too.
    let (_home, mut client) = home();
    run(&mut client, "RESET search_path; SET search_path = public");
    let (mut statements, mut promises) = (0, 0);
    for block in text.split("```sql\n").skip(1) {
        let (block, _) = block.split_once("```").expect("the block ends");
        let mut statement = String::new();
        let mut found: Option<Vec<String>> = None;
        for line in block.lines() {
            if let Some(promised) = line.trim().strip_prefix("-- => ") {
                let found = found.take().unwrap_or_else(|| panic!("no statement before: {line}"));
                assert_eq!(found.join(", "), promised.trim(), "{block}");
                promises += 1;
                continue;
            }
            statement.push_str(line);
            statement.push('\n');
            if line.trim_end().ends_with(';') {
                found = Some(rows(&mut client, &statement));
                statements += 1;
                statement.clear();
            }
        }
        let rest: Vec<&str> =
            statement.lines().filter(|line| !line.trim().is_empty() && !line.starts_with("--")).collect();
        assert!(rest.is_empty(), "a statement without its semicolon: {rest:?}");
    }
    assert!(
        statements >= 20 && promises >= 10,
        "{statements} statements and {promises} promises: is the README still there?"
    );
}
