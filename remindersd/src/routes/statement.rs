//! The statement by which a peer mentor is paid, as JSON or CSV.

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use tokio_postgres::types::{Json as Jsonb, Type};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::page::{Id, Query};
use crate::caller::Caller;
use crate::openapi::{FormatRefusals, Refusals};
use crate::problem::Problem;

/// What a mentor had, was given, gave away and finished in a period, as mentor_statement() counts it.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"peer_mentor_id": "9d3e7b12-5c44-4c1e-b0a7-6e2f8d5a4c02", "name": "Mina", "first_day": "2026-11-01",
    "last_day": "2026-11-30", "lines": [{"item": "recorded", "number": 1, "assignment_ids": ["0b6f8a4e-7a0f-4f0e-9a55-3a6f0f7f8b10"],
    "adjusts": null}]}))]
pub struct Statement {
    pub peer_mentor_id: Uuid,
    pub name: Option<String>,
    pub first_day: NaiveDate,
    pub last_day: NaiveDate,
    pub lines: Vec<Line>,
}

#[derive(Serialize, Deserialize, ToSchema)]
pub struct Line {
    /// at_beginning, recorded, taken_over, handed_over, deleted, at_end, open_at_end, completed or cancelled.
    pub item: String,
    /// Negative in an adjustment that takes away.
    pub number: i32,
    pub assignment_ids: Vec<Uuid>,
    /// The last day of the closed period that this line adds to. NULL: it is of this one.
    pub adjusts: Option<NaiveDate>,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    Json,
    Csv,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Period {
    /// In the organization's time zone, as the last day.
    #[param(required, value_type = NaiveDate)]
    first_day: Option<NaiveDate>,
    /// The last day that counts. One that has not ended: a statement so far.
    #[param(required, value_type = NaiveDate)]
    last_day: Option<NaiveDate>,
    /// What Accept asks for, unless said here.
    #[param(inline)]
    format: Option<Format>,
}

/// What the client takes, where the URL does not say it.
pub struct Accepted(Option<Format>);

impl<S: Send + Sync> FromRequestParts<S> for Accepted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let values = parts.headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        Ok(Self(accepted(&values.collect::<Vec<_>>().join(","))))
    }
}

/// The format that this Accept header prefers (RFC 9110, 12.5.1): JSON where it does not mind. `None`: neither.
fn accepted(accept: &str) -> Option<Format> {
    if accept.trim().is_empty() {
        return Some(Format::Json);
    }
    // How well a type is wanted, by the range that names it most closely.
    let wanted = |media: &str| {
        let group = media.split('/').next().unwrap_or_default();
        let ranges = accept.split(',').filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next()?.to_ascii_lowercase();
            let closeness = if name == media {
                3
            } else if name == format!("{group}/*") {
                2
            } else {
                u8::from(name == "*/*")
            };
            let quality = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
            let quality = quality.map_or(Some(1.0), |quality| quality.parse::<f32>().ok())?;
            (closeness > 0).then_some((closeness, quality))
        });
        ranges
            .max_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)))
            .map_or(0.0, |(_, quality)| quality)
    };
    let (json, csv) = (wanted("application/json"), wanted("text/csv"));
    if json <= 0.0 && csv <= 0.0 {
        return None;
    }
    Some(if csv > json { Format::Csv } else { Format::Json })
}

/// What a peer mentor is paid by: what they had, were given, gave away and finished from the first day to the end of the last, and what was added to closed
/// periods since. For coordinators and admins, and for that mentor.
#[utoipa::path(get, path = "/peer-mentors/{id}/statement", operation_id = "get_statement", tag = "peer mentors", params(("id" = Uuid, Path), Period), responses(
    (status = 200, description = "The statement; as CSV with a line for each item",
     headers(("Content-Disposition" = Option<String>, description = "Of CSV: a name for the file"), ("Vary" = String)),
     content((Statement = "application/json"), (String = "text/csv", example = "peer_mentor_id,name,first_day,last_day,item,number,adjusts,assignment_ids\r\n"))),
    Refusals, FormatRefusals,
))]
pub async fn statement(
    caller: Caller,
    Id(id): Id,
    Query(period): Query<Period>,
    Accepted(accepted): Accepted,
) -> Result<Response, Problem> {
    let missing = |name: &str| Problem::new(StatusCode::BAD_REQUEST, format!("{name} is missing: a date")).at(name);
    let first_day = period.first_day.ok_or_else(|| missing("first_day"))?;
    let last_day = period.last_day.ok_or_else(|| missing("last_day"))?;
    let format = period
        .format
        .or(accepted)
        .ok_or_else(|| Problem::new(StatusCode::NOT_ACCEPTABLE, "a statement is application/json or text/csv"))?;
    let sql = include_str!("../../sql/statement.sql");
    let found = caller.rows(sql, &[(&id, Type::UUID), (&first_day, Type::DATE), (&last_day, Type::DATE)]).await;
    let rows = found.map_err(|problem| match problem.status() {
        // What the database hints at is for whoever writes SQL.
        StatusCode::FORBIDDEN => Problem::new(StatusCode::FORBIDDEN, "a statement is not the caller's to see")
            .hint("Coordinators and admins see those of their organization (users.role), and mentors their own."),
        StatusCode::BAD_REQUEST => problem.at_named(&["last_day", "first_day"]),
        _ => problem,
    })?;
    let first =
        rows.first().ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, format!("there is no peer mentor {id}")))?;
    let name = first.try_get("name").map_err(|error| Problem::unexpected(&error))?;
    let mut lines = Vec::new();
    for row in &rows {
        let line: Option<Jsonb<Line>> = row.try_get("row").map_err(|error| Problem::unexpected(&error))?;
        lines.extend(line.map(|Jsonb(line)| line));
    }
    let statement = Statement { peer_mentor_id: id, name, first_day, last_day, lines };
    let vary = (header::VARY, "Accept");
    Ok(match format {
        Format::Json => ([vary], Json(statement)).into_response(),
        Format::Csv => {
            let disposition = format!("attachment; filename=\"statement-{first_day}-{last_day}-{id}.csv\"");
            let text = csv(&statement).map_err(|error| Problem::unexpected(&error))?;
            let media = (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present");
            ([vary, media], [(header::CONTENT_DISPOSITION, disposition)], text).into_response()
        }
    })
}

/// RFC 4180: a line for each item, under one of names.
fn csv(statement: &Statement) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record([
        "peer_mentor_id",
        "name",
        "first_day",
        "last_day",
        "item",
        "number",
        "adjusts",
        "assignment_ids",
    ])?;
    for line in &statement.lines {
        let ids: Vec<String> = line.assignment_ids.iter().map(Uuid::to_string).collect();
        writer.write_record([
            statement.peer_mentor_id.to_string(),
            inert(statement.name.as_deref().unwrap_or_default()),
            statement.first_day.to_string(),
            statement.last_day.to_string(),
            inert(&line.item),
            // A number, which spreadsheets take for nothing else, also where it is negative.
            line.number.to_string(),
            line.adjusts.map(|day| day.to_string()).unwrap_or_default(),
            ids.join(" "),
        ])?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// Text that a spreadsheet would take for a formula, made text. (OWASP, CSV Injection)
fn inert(text: &str) -> String {
    let is_formula = text
        .trim_start_matches([' ', '\u{feff}', '\u{a0}'])
        .starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    if is_formula { format!("'{text}") } else { text.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_the_one_that_is_wanted_most() {
        for (accept, expected) in [
            ("", Some("json")),
            ("*/*", Some("json")),
            ("text/csv", Some("csv")),
            ("TEXT/CSV;charset=utf-8", Some("csv")),
            ("text/*", Some("csv")),
            ("application/json, text/csv", Some("json")),
            ("application/json;q=0.5, text/csv", Some("csv")),
            ("text/csv;q=0, */*", Some("json")),
            ("application/json;q=0, */*;q=0.1", Some("csv")),
            ("text/html,application/xhtml+xml,*/*;q=0.8", Some("json")),
            ("application/pdf", None),
            ("text/csv;q=0", None),
            ("text/csv;q=much", None),
        ] {
            let found = accepted(accept).map(|format| match format {
                Format::Json => "json",
                Format::Csv => "csv",
            });
            assert_eq!(found, expected, "{accept}");
        }
    }

    #[test]
    fn no_name_is_a_formula_and_numbers_stay_numbers() {
        for (name, expected) in [
            ("Mina", "Mina"),
            ("=HYPERLINK(\"http://x\")", "\"'=HYPERLINK(\"\"http://x\"\")\""),
            ("+1", "'+1"),
            ("-1+1", "'-1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("  =1", "'  =1"),
            ("\t=1", "'\t=1"),
            ("＝1", "'＝1"),
            ("Lie, Per", "\"Lie, Per\""),
        ] {
            let line =
                Line { item: "recorded".into(), number: -2, assignment_ids: vec![Uuid::nil(); 2], adjusts: None };
            let day = NaiveDate::from_ymd_opt(2026, 11, 1).expect("a day");
            let statement = Statement {
                peer_mentor_id: Uuid::nil(),
                name: Some(name.into()),
                first_day: day,
                last_day: day,
                lines: vec![line],
            };
            let text = String::from_utf8(csv(&statement).expect("CSV")).expect("text");
            let nil = Uuid::nil();
            let line = format!("{nil},{expected},2026-11-01,2026-11-01,recorded,-2,,{nil} {nil}\r\n");
            assert_eq!(
                text,
                format!("peer_mentor_id,name,first_day,last_day,item,number,adjusts,assignment_ids\r\n{line}")
            );
        }
    }
}
