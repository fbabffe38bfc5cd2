//! Personal data: what the tables hold of a person, and forgetting it. What stays of a text is the rules' to say.
//!
//! Forgetting waits for nobody while it holds a row. It takes locks in every table, and whoever holds one of these may be waiting
//! for another, in any order. So it takes what is free; where something is not, it lets go of all, waits for that, and begins again.
//!
//! What others write meanwhile it would not see. Whoever copies an address locks the row that they copy it from, which forgetting
//! locks, too; of a text that comes from elsewhere, `recordable` says what may be written.

use std::borrow::Cow;
use std::collections::HashMap;

use pgrx::Uuid;
use pgrx::datum::DatumWithOid;
use pgrx::prelude::*;

use crate::rules::delivery::SkipReason;
use crate::rules::privacy::{self, FORGOTTEN};
use crate::server::advisory_lock::AdvisoryLock;
use crate::server::errors::{Result, null_argument, require_written, unknown};
use crate::server::owner::as_owner_of;
use crate::server::permit::with_permit;
use crate::server::result::{SetOf, returns, value};
use crate::server::row_security::Whole;
use crate::server::rows::Rows;
use crate::server::setting::require_read_committed;
use crate::server::statement::{Statement, types};
use crate::server::subtransaction::kept_where_some;

pgrx::extension_sql_file!("../sql/privacy/reads.sql", name = "privacy_reads", requires = ["due_reads"]);

/// What may be written now of a text that comes from elsewhere, and may quote anybody: all of it where nobody is being forgotten, and whoever is to be
/// waits until this transaction has ended; else its codes alone. It waits for nobody.
pub fn recordable(text: &str) -> Cow<'_, str> {
    if !privacy::may_quote(text) || AdvisoryLock::Forgetting.try_to_share() {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(privacy::without_text(text))
    }
}

returns!(
    /// How many rows of each table a person was forgotten in.
    Forgotten: SetOf,
    "TABLE (users bigint, user_preferences bigint, unsubscribe_tokens bigint, assignments bigint, assignment_pauses bigint, mentor_pauses bigint, contact_corrections bigint, \
     activities bigint, reminders bigint, skipped bigint, send_logs bigint, evaluation_runs bigint, row_history bigint)"
);

/// A provider's report with nothing left of its text but the SMTP and the RFC 3463 code. NULL for NULL.
#[pg_extern(immutable, parallel_safe)]
fn without_text(report: &str) -> String {
    privacy::without_text(report)
}

/// A text in which the word forgotten stands for each of these addresses, however they are capitalized; not for those that are
/// spared. NULL for a NULL text; NULL addresses are none.
#[pg_extern(immutable, parallel_safe)]
fn without_addresses(
    text: Option<&str>,
    addresses: Option<Vec<Option<String>>>,
    spared: Option<Vec<Option<String>>>,
) -> Option<String> {
    let spared: Vec<String> = spared.into_iter().flatten().flatten().collect();
    let addresses: Vec<String> = addresses.into_iter().flatten().flatten().collect();
    let wanted: Vec<&str> = addresses.iter().filter(|address| !spared.contains(address)).map(String::as_str).collect();
    text.map(|text| privacy::without_addresses(text, &wanted).into_owned())
}

/// Forgets a person: after it, no row of any table holds an address of theirs, also of logs whose organization is gone, but where it is
/// another person's now. Their row stays, without address, name, time zone and sign-in, a member, opted out. Their preferences go, and their token to unsubscribe by, and so do the texts of
/// the assignments whose student they are (titles, descriptions, reasons of corrections and pauses, notes, metadata), the reasons why they were away as a mentor, the notes of activities that
/// they recorded, and of errors all but the codes; from the history what is taken from the tables. Reminders that wait for them are skipped. Of somebody whose row was deleted, whatever holds an address that the history knows of them is cleared, and the history; the texts that went with their assignments are gone with them. Ids, dates, counts and every other row stay.
///
/// Returns how many rows of each table were changed, and how many reminders were skipped: zeros where all is done. It waits for whoever
/// holds one of these rows, and for transactions that recorded a text with an address in it, while it holds none itself. Until its transaction has ended, whatever
/// changes these rows, or is reported of messages to this person, waits for it, and so does another forget_person(); nothing else does, but of errors that have an address in them only the codes
/// are kept.
///
/// 02000 for an unknown person, 22004 for NULL, 25001 in a transaction that is not READ COMMITTED, 42501 where row security may hide rows.
#[pg_extern(volatile)]
fn forget_person(user_id: Option<Uuid>) -> Result<SetOf<Forgotten>> {
    const WHOLE: Whole = Whole {
        updates: &[
            "users",
            "user_preferences",
            "assignments",
            "assignment_pauses",
            "mentor_pauses",
            "contact_corrections",
            "activities",
            "reminders",
            "send_logs",
            "evaluation_runs",
            "row_history",
        ],
        deletes: &["user_preferences", "unsubscribe_tokens"],
        ..Whole::reads(&[
            "users",
            "user_preferences",
            "unsubscribe_tokens",
            "peer_mentors",
            "assignments",
            "assignment_pauses",
            "mentor_pauses",
            "contact_corrections",
            "activities",
            "reminders",
            "send_logs",
            "evaluation_runs",
            "row_history",
        ])
    };
    static EXISTS: Statement =
        Statement::kept("SELECT u.id FROM assignment_reminders.users u WHERE u.id = $1", &[types::UUID]);
    let user = user_id.ok_or_else(|| null_argument("user_id"))?;
    WHOLE.require()?;
    require_read_committed(
        "forget_person()",
        "In a stricter one it would not see what was logged of this person after the transaction began.",
    )?;
    loop {
        let of_deleted = match EXISTS.write(&[user.into()], |rows| rows.one::<Uuid>("id"))? {
            Some(_) => None,
            None => Some(addresses_of_deleted(user)?),
        };
        let mut held_by_others = None;
        let held = kept_where_some(|| {
            AdvisoryLock::Forgetting.take();
            Ok(match Held::take(user, of_deleted)? {
                Ok(held) => Some(held),
                Err(row) => {
                    held_by_others = Some(row);
                    None
                }
            })
        })?;
        match (held, held_by_others) {
            (Some(held), _) => return held.forget().map(|forgotten| SetOf::values([forgotten.columns()])),
            (None, Some(row)) => row.wait()?,
            (None, None) => {}
        }
    }
}

/// The addresses of somebody whose row was deleted, as the history knows them. 02000 where that does not know of anybody.
fn addresses_of_deleted(user: Uuid) -> Result<Vec<String>> {
    static DELETED: Statement = Statement::by_index(include_str!("../sql/privacy/deleted_person.sql"), &[types::UUID]);
    DELETED.write(&[user.into()], |rows| {
        let row = rows.into_iter().next().ok_or_else(|| unknown("user", "users", user))?;
        row.not_null("addresses")
    })
}

/// Of which whoever forgets people has no right to update, and so to lock, rows: that is done as the owner.
const TOKENS: &str = "unsubscribe_tokens";

/// A row that somebody else holds.
struct HeldByOthers {
    table: String,
    id: Uuid,
}

impl HeldByOthers {
    /// Waits until nobody does, and holds nothing meanwhile or afterwards.
    fn wait(self) -> Result<()> {
        static WAIT: Statement =
            Statement::by_index(include_str!("../sql/privacy/wait.sql"), &[types::TEXT, types::UUID]);
        static TOKEN: Statement = Statement::by_index(include_str!("../sql/privacy/wait_token.sql"), &[types::UUID]);
        let wait = || {
            if self.table == TOKENS {
                as_owner_of(TOKENS, || TOKEN.run(&[self.id.into()]))
            } else {
                WAIT.run(&[self.table.clone().into(), self.id.into()])
            }
        };
        kept_where_some(|| wait().map(|()| None::<()>)).map(drop)
    }
}

/// Everything of one person's, locked.
struct Held {
    user: Uuid,
    addresses: Vec<String>,
    /// Where an address is another person's now: pairwise, organization and address.
    spared: (Vec<Uuid>, Vec<String>),
    /// By their table.
    rows: HashMap<String, Vec<Uuid>>,
}

/// How many rows of each table were changed.
#[derive(Default)]
struct Changed {
    users: usize,
    user_preferences: usize,
    unsubscribe_tokens: usize,
    assignments: usize,
    assignment_pauses: usize,
    mentor_pauses: usize,
    contact_corrections: usize,
    activities: usize,
    reminders: usize,
    skipped: usize,
    send_logs: usize,
    evaluation_runs: usize,
    row_history: usize,
}

impl Held {
    /// `of_deleted`: the addresses of somebody whose row is gone, of whom nothing is left but where these stand.
    fn take(user: Uuid, of_deleted: Option<Vec<String>>) -> Result<std::result::Result<Self, HeldByOthers>> {
        static PERSON: Statement = Statement::by_index(include_str!("../sql/privacy/lock_person.sql"), &[types::UUID]);
        static TOKEN: Statement = Statement::by_index(include_str!("../sql/privacy/lock_token.sql"), &[types::UUID]);
        static ADDRESSES: Statement = Statement::kept(
            "SELECT a.address FROM assignment_reminders.addresses_of($1) AS a (address)",
            &[types::UUID],
        );
        static SPARED: Statement =
            Statement::at_each_call(include_str!("../sql/privacy/spared.sql"), &[types::UUID, types::TEXTS]);
        static ROWS: Statement =
            Statement::at_each_call(include_str!("../sql/privacy/lock_rows.sql"), &[types::UUID, types::TEXT]);
        static QUOTES: Statement = Statement::at_each_call(
            include_str!("../sql/privacy/lock_quotes.sql"),
            &[types::UUID, types::TEXTS, types::UUIDS, types::TEXTS],
        );
        let mut held = Self { user, addresses: Vec::new(), spared: (Vec::new(), Vec::new()), rows: HashMap::new() };
        if let Some(addresses) = of_deleted {
            held.addresses = addresses;
        } else {
            let locked: Option<Uuid> = PERSON.write(&[user.into()], |rows| rows.one("id"))?;
            if locked.is_none() {
                return Ok(Err(HeldByOthers { table: "users".to_string(), id: user }));
            }
            // Each in a snapshot of its own: what was committed before the locks were had is seen.
            if let Err(row) = as_owner_of(TOKENS, || TOKEN.write(&[user.into()], |rows| held.add(rows)))? {
                return Ok(Err(row));
            }
            if let Err(row) = ROWS.write(&[user.into(), FORGOTTEN.into()], |rows| held.add(rows))? {
                return Ok(Err(row));
            }
            held.addresses = ADDRESSES.write(&[user.into()], |rows| rows.column("address"))?;
        }
        held.spared = SPARED.write(&[user.into(), held.addresses.clone().into()], |rows| {
            let pairs: Result<Vec<(Uuid, String)>> =
                rows.map(|row| Ok((row.not_null("organization_id")?, row.not_null("address")?))).collect();
            Ok(pairs?.into_iter().unzip())
        })?;
        let arguments =
            [user.into(), held.addresses.clone().into(), held.spared.0.clone().into(), held.spared.1.clone().into()];
        Ok(QUOTES.write(&arguments, |rows| held.add(rows))?.map(|()| held))
    }

    /// Adds rows that were locked, unless one is held by others.
    fn add(&mut self, rows: Rows) -> Result<std::result::Result<(), HeldByOthers>> {
        for row in rows {
            let (table, id): (String, Uuid) = (row.not_null("name")?, row.not_null("id")?);
            if !row.not_null::<bool>("is_locked")? {
                return Ok(Err(HeldByOthers { table, id }));
            }
            let ids = self.rows.entry(table).or_default();
            ids.push(id);
        }
        Ok(Ok(()))
    }

    fn ids(&self, table: &str) -> Vec<Uuid> {
        let mut ids = self.rows.get(table).cloned().unwrap_or_default();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn forget(&self) -> Result<Changed> {
        static USER: Statement =
            Statement::by_index(include_str!("../sql/privacy/forget_user.sql"), &[types::UUID, types::TEXT]);
        static OPT_OUTS: Statement = Statement::at_each_call(
            include_str!("../sql/privacy/forget_opt_out_reasons.sql"),
            &[types::UUIDS, types::TEXTS, types::UUIDS, types::TEXTS],
        );
        static PREFERENCES: Statement =
            Statement::at_each_call(include_str!("../sql/privacy/forget_preferences.sql"), &[types::UUIDS]);
        static TOKENS: Statement = Statement::by_index(include_str!("../sql/privacy/forget_token.sql"), &[types::UUID]);
        static ASSIGNMENTS: Statement = Statement::at_each_call(
            include_str!("../sql/privacy/forget_assignments.sql"),
            &[types::UUIDS, types::TEXT],
        );
        static PAUSES: Statement =
            Statement::at_each_call(include_str!("../sql/privacy/forget_pauses.sql"), &[types::UUIDS]);
        static ABSENCES: Statement =
            Statement::at_each_call(include_str!("../sql/privacy/forget_absences.sql"), &[types::UUIDS]);
        static ACTIVITIES: Statement =
            Statement::at_each_call(include_str!("../sql/privacy/forget_activities.sql"), &[types::UUIDS]);
        static CORRECTIONS: Statement = Statement::at_each_call(
            include_str!("../sql/privacy/forget_corrections.sql"),
            &[types::UUID, types::TEXTS, types::UUIDS, types::TEXTS, types::UUIDS, types::TEXT],
        );
        static REMINDERS: Statement = Statement::at_each_call(
            include_str!("../sql/privacy/forget_reminders.sql"),
            &[types::UUID, types::TEXTS, types::UUIDS, types::TEXTS, types::UUIDS, types::TEXT],
        );
        static LOGS: Statement = Statement::at_each_call(
            include_str!("../sql/privacy/forget_logs.sql"),
            &[types::TEXTS, types::UUIDS, types::TEXTS, types::UUIDS],
        );
        static RUNS: Statement =
            Statement::at_each_call(include_str!("../sql/privacy/forget_runs.sql"), &[types::UUIDS, types::TEXTS]);

        let addresses = || [self.addresses.clone().into(), self.spared.0.clone().into(), self.spared.1.clone().into()];
        let about = |table: &str, word: &'static str| {
            let [addresses, organizations, spared] = addresses();
            [self.user.into(), addresses, organizations, spared, self.ids(table).into(), word.into()]
        };
        let [texts, organizations, spared] = addresses();
        let others = [self.ids("users").into(), texts, organizations, spared];
        let [texts, organizations, spared] = addresses();
        let logs = [texts, organizations, spared, self.ids("send_logs").into()];
        let mut skipped = 0;
        let reminders = REMINDERS.write(&about("reminders", SkipReason::OptedOut.name()), |rows| {
            rows.map(|row| {
                skipped += usize::from(row.not_null::<bool>("is_skipped")?);
                row.not_null("is_as_told")
            })
            .collect::<Result<Vec<bool>>>()
        })?;
        Ok(Changed {
            users: with_permit(|| change(&USER, &[self.user.into(), FORGOTTEN.into()], "users", "email"))?
                + change(&OPT_OUTS, &others, "users", "contact_opt_out_reason")?,
            user_preferences: change(
                &PREFERENCES,
                &[self.ids("user_preferences").into()],
                "user_preferences",
                "no value",
            )?,
            unsubscribe_tokens: change(&TOKENS, &[self.user.into()], "unsubscribe_tokens", "no value")?,
            assignments: change(
                &ASSIGNMENTS,
                &[self.ids("assignments").into(), FORGOTTEN.into()],
                "assignments",
                "title",
            )?,
            assignment_pauses: change(&PAUSES, &[self.ids("assignment_pauses").into()], "assignment_pauses", "reason")?,
            mentor_pauses: change(&ABSENCES, &[self.ids("mentor_pauses").into()], "mentor_pauses", "reason")?,
            contact_corrections: with_permit(|| {
                change(&CORRECTIONS, &about("contact_corrections", FORGOTTEN), "contact_corrections", "reason")
            })?,
            activities: change(&ACTIVITIES, &[self.ids("activities").into()], "activities", "notes")?,
            reminders: all_written("reminders", "last_error", &reminders)?,
            skipped,
            send_logs: with_permit(|| change(&LOGS, &logs, "send_logs", "to_email"))?,
            evaluation_runs: change(
                &RUNS,
                &[self.ids("evaluation_runs").into(), self.addresses.clone().into()],
                "evaluation_runs",
                "error",
            )?,
            // At last: what the others replaced is there, too.
            row_history: forget_history(self.user, &self.addresses, &self.spared)?,
        })
    }
}

/// Takes a person out of what row_history holds.
fn forget_history(user: Uuid, addresses: &[String], spared: &(Vec<Uuid>, Vec<String>)) -> Result<usize> {
    static HISTORY: Statement = Statement::at_each_call(
        include_str!("../sql/privacy/forget_history.sql"),
        &[types::UUID, types::TEXTS, types::UUIDS, types::TEXTS, types::TEXT],
    );
    let arguments =
        [user.into(), addresses.to_vec().into(), spared.0.clone().into(), spared.1.clone().into(), FORGOTTEN.into()];
    with_permit(|| change(&HISTORY, &arguments, "row_history", "old_values"))
}

/// Runs a statement that says of each row whether it was written. Returns how many; 55000 where a trigger of the owner's kept one.
fn change(statement: &'static Statement, arguments: &[DatumWithOid], table: &str, column: &str) -> Result<usize> {
    let written: Vec<bool> = statement.write(arguments, |rows| rows.column("is_as_told"))?;
    all_written(table, column, &written)
}

fn all_written(table: &str, column: &str, written: &[bool]) -> Result<usize> {
    require_written(table, column, written.len(), written.iter().filter(|&&is_as_told| is_as_told).count())?;
    Ok(written.len())
}

impl Changed {
    fn columns(&self) -> Vec<crate::server::result::Value> {
        let counted = |name, rows: usize| value(name, i64::try_from(rows).unwrap_or(i64::MAX));
        vec![
            counted("users", self.users),
            counted("user_preferences", self.user_preferences),
            counted("unsubscribe_tokens", self.unsubscribe_tokens),
            counted("assignments", self.assignments),
            counted("assignment_pauses", self.assignment_pauses),
            counted("mentor_pauses", self.mentor_pauses),
            counted("contact_corrections", self.contact_corrections),
            counted("activities", self.activities),
            counted("reminders", self.reminders),
            counted("skipped", self.skipped),
            counted("send_logs", self.send_logs),
            counted("evaluation_runs", self.evaluation_runs),
            counted("row_history", self.row_history),
        ]
    }
}
