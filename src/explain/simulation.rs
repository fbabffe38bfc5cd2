//! simulate_follow_ups: gathers what the runs of a period knew, a statement for each table, and says how much they would have enqueued. What they would
//! have is src/rules/simulation.rs's.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use pgrx::datum::{Date, DatumWithOid, TimestampWithTimeZone};
use pgrx::prelude::*;
use pgrx::{JsonB, Uuid};
use serde_json::Value as Json;

use crate::arguments::require_order;
use crate::bindings::{calendar_of, thresholds_of};
use crate::organization::existing_organization;
use crate::rules::calendar::Span;
use crate::rules::evaluation::{Hour, Turn, is_due};
use crate::rules::kind::{Kind, REMIND};
use crate::rules::simulation::{
    Assignment, Correction, Facts, Held, Id, Message, Muted, Pause, Period, Person, Rules, between, follow_ups,
};
use crate::server::calendar::{calendar_date, date, nearest_date, nearest_moment, timestamp};
use crate::server::errors::{Result, broken_statement, invalid_argument, null_argument, unknown};
use crate::server::result::{SetOf, Value, returns, value};
use crate::server::row_security::Whole;
use crate::server::rows::Row;
use crate::server::statement::{Statement, types};

/// The settings that may be others than those that held.
const SETTINGS: [&str; 6] = [
    "reminder_after_days",
    "escalate_after_days",
    "escalation_grace_days",
    "weekly_days_off",
    "follow_up_from",
    "fallback_coordinator_id",
];
/// Ten years.
const MOST_DAYS: i64 = 3_653;

returns!(
    /// How many follow-ups a day would have brought.
    SimulatedDay: SetOf,
    "TABLE (day date, is_day_off boolean, reminders integer, escalations integer, undeliverable integer)"
);

/// How many follow-ups would have been enqueued on each day from first_day to last_day in the organization's time zone, on its real history: contacts,
/// mentors, pauses, days off and people as they were known then. A row for each day. reminders, escalations: those that could be sent; undeliverable: found
/// due, but nobody could be written to. is_day_off: NULL where no run came, since the organization or its settings were not there.
///
/// settings: what should have held instead of what did: an object of reminder_after_days, escalate_after_days (null or 0: off), escalation_grace_days,
/// weekly_days_off, follow_up_from and fallback_coordinator_id; what is not named is as it was each day. Runs come hourly, from the evaluation hour on, as
/// schedule_daily_evaluation() makes them; what one enqueues is sent before the next one; nothing is held as a backlog (follow_up_limit). What had been sent
/// before the first run is known to it. Days that are yet to come go on from how things stand now, as if nobody did anything.
///
/// 22004 for NULL, 22008 for an infinite day, 22023 for a day before the history begins, naming it, for days in the wrong order or of more than ten years, an
/// unknown setting, negative days or an unknown weekday; 22P02 or 22007 for a setting of another type, 02000 for an unknown organization or fallback coordinator, 42501 where row
/// security may hide rows: coordinators and admins may ask about their organization.
#[pg_extern(stable)]
fn simulate_follow_ups(
    organization_id: Option<Uuid>,
    first_day: Option<Date>,
    last_day: Option<Date>,
    settings: default!(Option<JsonB>, "'{}'"),
) -> Result<SetOf<SimulatedDay>> {
    const WHOLE: Whole = Whole::reads(&[
        "organizations",
        "reminder_settings",
        "days_off",
        "users",
        "user_preferences",
        "peer_mentors",
        "mentor_pauses",
        "assignments",
        "assignment_pauses",
        "contact_corrections",
        "activities",
        "reminders",
        "send_logs",
        "row_history",
        "reminder_events",
    ]);
    let organization = organization_id.ok_or_else(|| null_argument("organization_id"))?;
    let first = first_day.ok_or_else(|| null_argument("first_day"))?;
    let last = last_day.ok_or_else(|| null_argument("last_day"))?;
    let settings = known_settings(settings.ok_or_else(|| null_argument("settings"))?)?;
    require_order(first, last)?;
    let days = Days { first: calendar_date("first_day", first)?, last: calendar_date("last_day", last)? };
    days.require_few()?;
    existing_organization(Some(organization))?;
    WHOLE.require_in(|| Ok(Some(organization)))?;
    require_known(organization, first)?;
    require_known_fallback(organization, &settings)?;
    let mut counts = vec![Count::default(); days.number()];
    if let Some(history) = History::of(organization, first, last, &settings)? {
        let (period, assignments) = history.read()?;
        for (run, day) in period.runs.iter().enumerate() {
            let rules = period.rules.iter().find(|rules| rules.runs.contains(&run));
            let count = &mut counts[days.place(*day)];
            count.is_day_off = count.is_day_off.or(rules.map(|rules| rules.value.calendar.is_off(*day)));
        }
        for assignment in &assignments {
            pgrx::check_for_interrupts!();
            for found in follow_ups(&period, assignment) {
                let count = &mut counts[days.place(period.runs[found.run])];
                match (found.can_be_sent, found.kind == REMIND) {
                    (false, _) => count.undeliverable += 1,
                    (true, true) => count.reminders += 1,
                    (true, false) => count.escalations += 1,
                }
            }
        }
    }
    Ok(SetOf::values(days.first.iter_days().zip(&counts).map(|(day, count)| count.columns(day))))
}

/// The days that are asked about.
struct Days {
    first: NaiveDate,
    last: NaiveDate,
}

impl Days {
    fn number(&self) -> usize {
        self.place(self.last) + 1
    }

    fn place(&self, day: NaiveDate) -> usize {
        usize::try_from((day - self.first).num_days()).unwrap_or(0)
    }

    fn require_few(&self) -> Result<()> {
        if (self.last - self.first).num_days() < MOST_DAYS {
            return Ok(());
        }
        Err(invalid_argument(
            format!("from {} to {} there are more than {MOST_DAYS} days", self.first, self.last),
            "Every run of every day is simulated, up to ten years at a time.",
            "Ask about a shorter period.",
        ))
    }
}

#[derive(Clone, Default)]
struct Count {
    is_day_off: Option<bool>,
    reminders: i32,
    escalations: i32,
    undeliverable: i32,
}

impl Count {
    fn columns(&self, day: NaiveDate) -> Vec<Value> {
        vec![
            value("day", date(day)),
            value("is_day_off", self.is_day_off),
            value("reminders", self.reminders),
            value("escalations", self.escalations),
            value("undeliverable", self.undeliverable),
        ]
    }
}

/// Of what can be simulated, what is never NULL.
const NEEDED: [&str; 2] = ["escalation_grace_days", "weekly_days_off"];

/// The settings as text, whose values Postgres reads as those of its columns.
fn known_settings(JsonB(settings): JsonB) -> Result<String> {
    let allowed = SETTINGS.join(", ");
    let hint = format!("Give an object of any of {allowed}, such as {{\"reminder_after_days\": 10}}.");
    let Json::Object(values) = &settings else {
        return Err(invalid_argument(
            format!("settings {settings} is not an object"),
            "It names the settings that should have held, with their values.",
            hint,
        ));
    };
    if let Some(unknown) = values.keys().find(|name| !SETTINGS.contains(&name.as_str())) {
        return Err(invalid_argument(
            format!("{unknown:?} is not a setting that can be simulated"),
            "Only what decides when a silence is followed up, and who is told, can be.",
            hint,
        ));
    }
    if let Some(missing) = NEEDED.into_iter().find(|name| values.get(*name).is_some_and(Json::is_null)) {
        return Err(invalid_argument(
            format!("{missing} is null"),
            "Of what can be simulated, null is a value of the thresholds, follow_up_from and fallback_coordinator_id alone.",
            "Leave it out, to have it as it was each day.",
        ));
    }
    Ok(settings.to_string())
}

/// 02000 for a fallback coordinator who is nobody: as one who cannot be written to, they would make everything undeliverable.
fn require_known_fallback(organization: Uuid, settings: &str) -> Result<()> {
    static UNKNOWN: Statement =
        Statement::kept(include_str!("../../sql/explain/simulation/unknown_fallback.sql"), &[types::UUID, types::TEXT]);
    let found: Option<Uuid> = UNKNOWN.read(&[organization.into(), settings.into()], |mut rows| {
        rows.next().map_or(Ok(None), |row| row.get("fallback_coordinator_id"))
    })?;
    found.map_or(Ok(()), |id| Err(unknown("user", "users", id)))
}

/// 22023 for a day before the one on which the history begins.
fn require_known(organization: Uuid, first: Date) -> Result<()> {
    static KNOWN_SINCE: Statement = Statement::kept(
        "SELECT (assignment_reminders.history_known_since() AT TIME ZONE o.timezone)::date AS day FROM assignment_reminders.organizations o WHERE o.id = $1",
        &[types::UUID],
    );
    let known_since: Option<Date> = KNOWN_SINCE.read(&[organization.into()], |rows| rows.one("day"))?;
    let Some(known_since) = known_since.filter(|known| nearest_date(first) < nearest_date(*known)) else {
        return Ok(());
    };
    Err(invalid_argument(
        format!("what was on {first} is not known: the history begins on {known_since}"),
        "It begins with the installation or the upgrade that brought it, when triggers that were away are put back, and where it was pruned.",
        format!("Ask about {known_since} or later days (assignment_reminders.history_known_since())."),
    ))
}

/// What the runs of a period knew of an organization.
struct History<'a> {
    organization: Uuid,
    settings: &'a str,
    /// The runs, in their order.
    runs: Vec<Run>,
    /// The first and the last hour.
    first: TimestampWithTimeZone,
    last: TimestampWithTimeZone,
    /// The time zones that held, each with its first hour.
    zones: Vec<(String, TimestampWithTimeZone)>,
}

struct Run {
    at: DateTime<Utc>,
    day: NaiveDate,
}

impl<'a> History<'a> {
    /// `None` where the organization was not there yet.
    fn of(organization: Uuid, first: Date, last: Date, settings: &'a str) -> Result<Option<Self>> {
        static HOURS: Statement = Statement::at_each_call(
            include_str!("../../sql/explain/simulation/hours.sql"),
            &[types::UUID, types::DATE, types::DATE],
        );
        let mut runs: Vec<Run> = Vec::new();
        let mut zones: Vec<(String, TimestampWithTimeZone)> = Vec::new();
        let mut last_hour = None;
        HOURS.read(&[organization.into(), Some(first).into(), Some(last).into()], |rows| {
            let mut last_turn = None;
            for row in rows {
                let at: TimestampWithTimeZone = row.not_null("at")?;
                let timezone: String = row.not_null("timezone")?;
                if zones.last().is_none_or(|(name, _)| *name != timezone) {
                    zones.push((timezone, at));
                }
                last_hour = Some(at);
                let now = nearest_moment(at);
                let moment = |name| Ok(row.get::<TimestampWithTimeZone>(name)?.map(nearest_moment));
                let hour = moment("hour_today")?.zip(moment("hour_yesterday")?);
                let turn = Turn {
                    now,
                    hour: hour.map(|(today, yesterday)| Hour { today, yesterday }),
                    last_at: *last_turn.get_or_insert(now),
                    last_runs: vec![now - TimeDelta::hours(1), now - TimeDelta::hours(2)],
                    is_released: false,
                };
                if row.not_null("has_settings")? && is_due(&turn) {
                    last_turn = Some(now);
                    runs.push(Run { at: now, day: nearest_date(row.not_null("day")?) });
                }
            }
            Ok(())
        })?;
        let Some((&(_, first), last)) = zones.first().zip(last_hour) else { return Ok(None) };
        Ok(Some(Self { organization, settings, runs, first, last, zones }))
    }

    fn read(&self) -> Result<(Period, Vec<Assignment>)> {
        let mut period = Period { runs: self.runs.iter().map(|run| run.day).collect(), ..Period::default() };
        period.rules = self.rules()?;
        period.mentors = self.of_period(&MENTORS, |row| id(row, "user_id"))?;
        period.leave = self.of_period(&LEAVE, span)?;
        let assignments = self.assignments()?;
        let of_facts = |id: fn(&Facts) -> Option<Id>| {
            assignments.iter().flat_map(|assignment| &assignment.facts).filter_map(move |facts| id(&facts.value))
        };
        let mut people: Vec<Id> = of_facts(|facts| facts.coordinator).collect();
        people.extend(period.rules.iter().filter_map(|rules| rules.value.fallback));
        people.extend(period.mentors.values().flatten().map(|mentor| mentor.value));
        let rows = assignments.iter().flat_map(|assignment| [&assignment.reminder, &assignment.escalation]);
        people.extend(rows.flatten().filter_map(|row| row.recipient));
        people.sort_unstable();
        people.dedup();
        let people: Vec<Uuid> = people.into_iter().map(|id| Uuid::from_bytes(id.to_be_bytes())).collect();
        period.people = self.of_people(&PEOPLE, &people, |row| {
            Ok(Person { is_opted_out: row.not_null("contact_opt_out")?, has_address: row.not_null("has_address")? })
        })?;
        period.muted = self.of_people(&MUTED, &people, |row| {
            Ok(Muted { reminders: row.not_null("reminders")?, escalations: row.not_null("escalations")? })
        })?;
        Ok((period, assignments))
    }

    /// Settings and days off, wherever either changes.
    fn rules(&self) -> Result<Vec<Held<Rules>>> {
        let mut arguments = self.arguments();
        arguments.push(self.settings.into());
        let settings = self.held(&SETTINGS_HELD, &arguments, |row| {
            let number = |name| row.get::<i32>(name);
            let thresholds = thresholds_of(
                number("reminder_after_days")?,
                number("escalate_after_days")?,
                number("escalation_grace_days")?,
            )?;
            let calendar = calendar_of(row.get("weekly_days_off")?, None, None, row.get("follow_up_from")?)?;
            Ok(Rules {
                thresholds,
                calendar,
                fallback: id_or_none(row, "fallback_coordinator_id")?,
                is_address_required: row.not_null("is_address_required")?,
            })
        })?;
        let days_off = self.held(&DAYS_OFF, &self.arguments(), span)?;
        let mut rules = Vec::new();
        for (_, settings) in settings {
            let changes = days_off.iter().flat_map(|(_, off)| [off.runs.start, off.runs.end]);
            let within = changes.filter(|run| settings.runs.contains(run));
            for runs in between(within.chain([settings.runs.start, settings.runs.end]).collect()) {
                let mut value = settings.value.clone();
                let off = days_off.iter().filter(|(_, off)| off.runs.contains(&runs.start));
                value.calendar.off = off.map(|(_, off)| off.value).collect();
                rules.push(Held { runs, value });
            }
        }
        Ok(rules)
    }

    fn assignments(&self) -> Result<Vec<Assignment>> {
        let facts = self.of_period(&ASSIGNMENTS, |row| {
            Ok(Facts {
                is_followed_up: row.not_null("is_followed_up")?,
                assigned_on: day(row, "assigned_on")?,
                peer_mentor: id_or_none(row, "peer_mentor_id")?,
                mentor_since: row.get("mentor_since")?.map_or(NaiveDate::MIN, nearest_date),
                coordinator: id_or_none(row, "coordinator_id")?,
            })
        })?;
        let mut contacts = self.contacts()?;
        let mut corrections = self.of_period(&CORRECTIONS, |row| {
            Ok(Correction { number: row.not_null("number")?, date: row.get("new_date")?.map(nearest_date) })
        })?;
        let mut pauses = self.of_period(&PAUSES, |row| {
            Ok(Pause { span: span(row)?, is_while_closed: row.not_null("is_while_closed")? })
        })?;
        let mut messages = self.messages()?;
        let assignments = facts.into_iter().map(|(id, facts)| {
            let (reminder, escalation) = messages.remove(&id).unwrap_or_default();
            Assignment {
                facts,
                contacts: contacts.remove(&id).unwrap_or_default(),
                corrections: corrections.remove(&id).unwrap_or_default(),
                pauses: pauses.remove(&id).unwrap_or_default(),
                reminder,
                escalation,
            }
        });
        Ok(assignments.collect())
    }

    /// By the time zone that held, which is seldom more than one.
    fn contacts(&self) -> Result<HashMap<Id, Vec<Held<NaiveDate>>>> {
        static CONTACTS: Statement = Statement::at_each_call(
            include_str!("../../sql/explain/simulation/contacts.sql"),
            &[types::UUID, types::MOMENT, types::MOMENT, types::TEXT],
        );
        let mut all: HashMap<Id, Vec<Held<NaiveDate>>> = HashMap::new();
        let since: Vec<usize> = self.zones.iter().map(|(_, hour)| self.first_run(nearest_moment(*hour))).collect();
        for (number, (timezone, _)) in self.zones.iter().enumerate() {
            let (from, until) = (since[number], since.get(number + 1).copied().unwrap_or(self.runs.len()));
            let mut arguments = self.arguments();
            arguments.push(timezone.as_str().into());
            for (id, mut contact) in self.held(&CONTACTS, &arguments, |row| day(row, "contact_on"))? {
                contact.runs = contact.runs.start.max(from)..contact.runs.end.min(until);
                if !contact.runs.is_empty() {
                    all.entry(id).or_default().push(contact);
                }
            }
        }
        Ok(all)
    }

    /// What the outbox held before the first run, the mentor's reminder and the coordinator's. What waited is sent before it.
    fn messages(&self) -> Result<HashMap<Id, (Option<Message>, Option<Message>)>> {
        static MESSAGES: Statement = Statement::at_each_call(
            include_str!("../../sql/explain/simulation/messages.sql"),
            &[types::UUID, types::MOMENT, types::TEXT],
        );
        let mut all: HashMap<Id, (Option<Message>, Option<Message>)> = HashMap::new();
        let (Some(first_run), Some((timezone, _))) = (self.runs.first(), self.zones.first()) else { return Ok(all) };
        let before_first_run = timestamp(first_run.at);
        MESSAGES.read(&[self.organization.into(), before_first_run.into(), timezone.as_str().into()], |rows| {
            for row in rows {
                let status: String = row.not_null("status")?;
                let waits = status == "pending";
                let message = Message {
                    anchor: row.get("anchor")?.map(nearest_moment),
                    status: if waits { "sent".to_string() } else { status },
                    skip_reason: row.get("skip_reason")?,
                    sent_on: if waits { Some(first_run.day) } else { row.get("sent_on")?.map(nearest_date) },
                    scheduled_on: day(&row, "scheduled_on")?,
                    peer_mentor: id_or_none(&row, "peer_mentor_id")?,
                    recipient: id_or_none(&row, "recipient_id")?,
                };
                let (reminder, escalation) = all.entry(id(&row, "id")?).or_default();
                let kind = row.not_null::<String>("kind")?;
                *(if Kind::named(&kind) == Some(REMIND) { reminder } else { escalation }) = Some(message);
            }
            Ok(())
        })?;
        Ok(all)
    }

    fn of_period<T>(
        &self,
        statement: &Statement,
        read: impl Fn(&Row) -> Result<T>,
    ) -> Result<HashMap<Id, Vec<Held<T>>>> {
        Ok(by_id(self.held(statement, &self.arguments(), read)?))
    }

    fn of_people<T>(
        &self,
        statement: &Statement,
        people: &[Uuid],
        read: impl Fn(&Row) -> Result<T>,
    ) -> Result<HashMap<Id, Vec<Held<T>>>> {
        let mut arguments = self.arguments();
        arguments.push(people.to_vec().into());
        Ok(by_id(self.held(statement, &arguments, read)?))
    }

    fn arguments(&self) -> Vec<DatumWithOid<'a>> {
        vec![self.organization.into(), self.first.into(), self.last.into()]
    }

    /// What a statement tells of rows, at which runs, with their ids.
    fn held<T>(
        &self,
        statement: &Statement,
        arguments: &[DatumWithOid],
        read: impl Fn(&Row) -> Result<T>,
    ) -> Result<Vec<(Id, Held<T>)>> {
        statement.read(arguments, |rows| {
            let mut all = Vec::new();
            for row in rows {
                let from = self.first_run(nearest_moment(row.not_null("valid_from")?));
                let until =
                    row.get("valid_to")?.map_or(self.runs.len(), |moment| self.first_run(nearest_moment(moment)));
                all.push((id(&row, "id")?, Held { runs: from..until, value: read(&row)? }));
            }
            Ok(all)
        })
    }

    /// The first run that knows what was written at a moment.
    fn first_run(&self, moment: DateTime<Utc>) -> usize {
        self.runs.partition_point(|run| run.at < moment)
    }
}

const PERIOD: &[pgrx::pg_sys::BuiltinOid] = &[types::UUID, types::MOMENT, types::MOMENT];
const PERIOD_AND_IDS: &[pgrx::pg_sys::BuiltinOid] = &[types::UUID, types::MOMENT, types::MOMENT, types::UUIDS];

static SETTINGS_HELD: Statement = Statement::at_each_call(
    include_str!("../../sql/explain/simulation/settings.sql"),
    &[types::UUID, types::MOMENT, types::MOMENT, types::TEXT],
);
static DAYS_OFF: Statement = Statement::at_each_call(include_str!("../../sql/explain/simulation/days_off.sql"), PERIOD);
static ASSIGNMENTS: Statement =
    Statement::at_each_call(include_str!("../../sql/explain/simulation/assignments.sql"), PERIOD);
static CORRECTIONS: Statement =
    Statement::at_each_call(include_str!("../../sql/explain/simulation/corrections.sql"), PERIOD);
static PAUSES: Statement = Statement::at_each_call(include_str!("../../sql/explain/simulation/pauses.sql"), PERIOD);
static MENTORS: Statement = Statement::at_each_call(include_str!("../../sql/explain/simulation/mentors.sql"), PERIOD);
static LEAVE: Statement = Statement::at_each_call(include_str!("../../sql/explain/simulation/leave.sql"), PERIOD);
static PEOPLE: Statement =
    Statement::at_each_call(include_str!("../../sql/explain/simulation/people.sql"), PERIOD_AND_IDS);
static MUTED: Statement =
    Statement::at_each_call(include_str!("../../sql/explain/simulation/muted.sql"), PERIOD_AND_IDS);

fn by_id<T>(held: Vec<(Id, Held<T>)>) -> HashMap<Id, Vec<Held<T>>> {
    let mut all: HashMap<Id, Vec<Held<T>>> = HashMap::new();
    for (id, held) in held {
        all.entry(id).or_default().push(held);
    }
    all
}

fn id(row: &Row, name: &str) -> Result<Id> {
    id_or_none(row, name)?.ok_or_else(|| broken_statement(format!("the statement leaves {name} NULL")))
}

fn id_or_none(row: &Row, name: &str) -> Result<Option<Id>> {
    Ok(row.get::<Uuid>(name)?.map(|id| Id::from_be_bytes(*id.as_bytes())))
}

fn day(row: &Row, name: &str) -> Result<NaiveDate> {
    Ok(nearest_date(row.not_null(name)?))
}

fn span(row: &Row) -> Result<Span> {
    Ok(Span { first: day(row, "first_day")?, last: day(row, "last_day")? })
}
