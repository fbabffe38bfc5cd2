//! Writes the install script that the built library describes. Owns nothing else; reads no database.
//!
//! pgrx embeds a description of every SQL object in the library's `.pgrxsc` section. cargo-pgrx reads it, but takes
//! seven minutes to compile; this asks the same pgrx crate for the same script in a second.
//!
//! Usage: schema LIBRARY CONTROL_FILE VERSION > SCRIPT

use std::error::Error;
use std::process::ExitCode;

use object::{Object, ObjectSection};
use pgrx_sql_entity_graph::section::{decode_entities, is_schema_section_name};
use pgrx_sql_entity_graph::{ControlFile, PgrxSql, SqlGraphEntity, SqlGraphIdentifier};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [library, control, version] = arguments.as_slice() else {
        eprintln!("usage: schema LIBRARY CONTROL_FILE VERSION");
        return ExitCode::from(2);
    };
    match install_script(library, control, version) {
        Ok(script) => {
            print!("{script}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("schema: {library}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn install_script(library: &str, control: &str, version: &str) -> Result<String, Box<dyn Error>> {
    let bytes = std::fs::read(library)?;
    let file = object::File::parse(bytes.as_slice())?;
    let section = file
        .sections()
        .find(|section| section.name().is_ok_and(is_schema_section_name))
        .ok_or("no pgrx schema section in the library")?;

    let root = ControlFile::from_path_with_cargo_version(control, version)?;
    // The linker's order is not the same in every build; the script must be.
    let mut entities = decode_entities(section.data()?)?;
    entities.sort_by_cached_key(|entity| (entity.file().map(String::from), entity.line(), entity.rust_identifier()));
    entities.insert(0, SqlGraphEntity::ExtensionRoot(root));

    let graph = PgrxSql::build(entities.into_iter(), "assignment_reminders".to_string(), false)?;
    let mut script = Vec::new();
    graph.write(&mut script)?;
    let script = String::from_utf8(script)?;
    // Without source positions, so that the script changes only when the SQL does; and pgrx ends some lines with blanks.
    let lines: Vec<&str> = script.lines().map(str::trim_end).filter(|line| !is_source_position(line)).collect();
    Ok(format!("{}\n", lines.join("\n").trim_end()))
}

/// "-- src/counts.rs:31" and the like.
fn is_source_position(line: &str) -> bool {
    line.strip_prefix("-- src/").is_some_and(|rest| rest.contains(".rs:"))
}
