//! Turns the doc comments of SQL functions into COMMENT ON FUNCTION: the doc comment is the one source.

use std::error::Error;

use pgrx_sql_entity_graph::metadata::{SqlArrayMapping, SqlMapping};
use pgrx_sql_entity_graph::{PgExternEntity, SqlGraphEntity, UsedTypeEntity};
use syn::{Attribute, Expr, ExprLit, Item, Lit};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A COMMENT ON FUNCTION for each function and trigger function written in Rust, by name and arguments.
pub fn on_functions(entities: &[SqlGraphEntity]) -> Result<String> {
    let mut comments = Vec::new();
    for entity in entities {
        let (file, rust_name, name, arguments) = match entity {
            SqlGraphEntity::Function(entity) => (entity.file, entity.unaliased_name, entity.name, arguments(entity)?),
            SqlGraphEntity::Trigger(entity) => (entity.file, entity.function_name, entity.function_name, String::new()),
            _ => continue,
        };
        let source = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
        let text = doc_comment(&source, rust_name)
            .and_then(|doc| comment_text(&doc))
            .map_err(|error| format!("{file}: fn {rust_name}: {error}"))?;
        comments.push((name, arguments, text));
    }
    comments.sort();
    let statement = |(name, arguments, text): &(&str, String, String)| {
        format!(
            "COMMENT ON FUNCTION assignment_reminders.{name}({arguments}) IS\n    '{}';\n",
            text.replace('\'', "''")
        )
    };
    Ok(comments.iter().map(statement).collect())
}

/// The types of a function's arguments, as its CREATE FUNCTION has them.
fn arguments(function: &PgExternEntity) -> Result<String> {
    let types: Result<Vec<_>> = function.fn_args.iter().map(|argument| sql_type(&argument.used_ty)).collect();
    Ok(types?.join(", "))
}

fn sql_type(used: &UsedTypeEntity) -> Result<String> {
    match (&used.metadata.argument_sql, used.composite_type) {
        (Ok(SqlMapping::As(name)), _) => Ok(name.clone()),
        (Ok(SqlMapping::Composite), Some(name)) => Ok(name.to_string()),
        (Ok(SqlMapping::Array(SqlArrayMapping::As(element))), _) => Ok(format!("{element}[]")),
        (Ok(SqlMapping::Array(SqlArrayMapping::Composite)), Some(element)) => Ok(format!("{element}[]")),
        (other, _) => Err(format!("{} is no type of an SQL argument: {other:?}", used.full_path).into()),
    }
}

/// The lines of the doc comment of a function that stands in no inner module.
fn doc_comment(source: &str, function: &str) -> Result<Vec<String>> {
    let file = syn::parse_file(source)?;
    let found = file.items.iter().find_map(|item| match item {
        Item::Fn(item) if item.sig.ident == function => Some(item),
        _ => None,
    });
    let lines: Vec<String> = found.ok_or("not found in this file")?.attrs.iter().filter_map(doc_line).collect();
    if lines.is_empty() {
        return Err("has no doc comment, which is what its COMMENT ON FUNCTION says".into());
    }
    Ok(lines)
}

fn doc_line(attribute: &Attribute) -> Option<String> {
    let doc = attribute.meta.require_name_value().ok().filter(|meta| meta.path.is_ident("doc"))?;
    match &doc.value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}

/// What psql shows of a doc comment: no Markdown, a line per paragraph.
fn comment_text(doc: &[String]) -> Result<String> {
    let lines: Vec<&str> = doc.iter().map(|line| line.trim()).collect();
    let paragraphs = lines.split(|line| line.is_empty()).filter(|lines| !lines.is_empty());
    let text = paragraphs.map(|lines| lines.join(" ")).collect::<Vec<_>>().join("\n");
    if text.contains("[`") || text.contains("](") {
        return Err("its doc comment has a link, which psql would show as it is: name the thing in backticks".into());
    }
    Ok(text.replace('`', ""))
}

#[cfg(test)]
mod tests {
    use super::{comment_text, doc_comment};

    fn text(source: &str, function: &str) -> Result<String, String> {
        doc_comment(source, function).and_then(|doc| comment_text(&doc)).map_err(|error| error.to_string())
    }

    #[test]
    fn lines_are_joined_and_paragraphs_are_lines() {
        let source = "
            /// The first line
            /// goes on in `the second`.
            ///
            /// A paragraph's end.
            #[pg_extern(name = \"other\")]
            fn wanted() {}";
        assert_eq!(text(source, "wanted").unwrap(), "The first line goes on in the second.\nA paragraph's end.");
    }

    #[test]
    fn only_the_function_of_that_name_is_asked() {
        let source = "/// One.\nfn one() {}\n/// Two.\npub fn two<'a>() {}\n/// Three.\nstruct Three;";
        assert_eq!(text(source, "two").unwrap(), "Two.");
        assert!(text(source, "Three").unwrap_err().contains("not found"));
    }

    #[test]
    fn a_function_without_a_doc_comment_is_refused() {
        assert!(text("// Not one.\n#[pg_extern]\nfn bare() {}", "bare").unwrap_err().contains("no doc comment"));
    }

    #[test]
    fn links_are_refused() {
        assert!(text("/// As [`other`] does.\nfn linked() {}", "linked").unwrap_err().contains("link"));
        assert!(text("/// As [this](other) does.\nfn linked() {}", "linked").unwrap_err().contains("link"));
    }
}
