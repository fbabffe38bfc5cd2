//! Which triggers our trigger functions serve: those that install() makes, on the tables that it makes, and no others. Every
//! trigger function asks first. Otherwise whoever may call one could put it on a table of their own, and have it write what
//! they please with the rights of ours.

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::sync::OnceLock;

use pgrx::{IntoDatum, PgTrigger, direct_function_call, pg_sys};

use super::errors::{Result, wrong_trigger};

/// What install() makes, by kind, relation, name and definition.
pub fn definitions() -> impl Iterator<Item = [&'static str; 4]> {
    const DEFINITIONS: &str = include_str!("../../sql/install/definitions.txt");
    DEFINITIONS.lines().filter_map(|line| {
        let mut columns = line.split('\t');
        Some([columns.next()?, columns.next()?, columns.next()?, columns.next()?])
    })
}

/// A trigger as install() makes it.
struct Own<'a> {
    /// The name of its table's primary key, as `table` wants it.
    key: CString,
    function: &'a str,
    /// When it fires: the bits of pg_trigger.tgtype.
    fires: u32,
    old_rows: Option<&'a str>,
    new_rows: Option<&'a str>,
}

/// How many triggers are running, each fired by a statement of the one before.
pub fn depth() -> i32 {
    // SAFETY: the function takes no arguments and reads a counter.
    unsafe { direct_function_call(pg_sys::pg_trigger_depth, &[]) }.unwrap_or(0)
}

/// 39P01 where the trigger is not one that install() makes with this function.
pub fn require(trigger: &PgTrigger, function: &str) -> Result<()> {
    // SAFETY: the trigger data lives as long as the trigger call.
    let (called, relation) = unsafe {
        let data = trigger.trigger_data();
        (&*data.tg_trigger, (*data.tg_relation).rd_id)
    };
    // On a partition it is a copy that the server made of the one on its table.
    let relation = if called.tgisclone { partitioned(relation) } else { relation };
    // SAFETY: names in the trigger data are C strings, or NULL where there is none.
    let text = |name: *mut core::ffi::c_char| (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) }.to_bytes());
    let name = text(called.tgname).unwrap_or_default();
    let is_own = own_triggers().get(name).is_some_and(|own| {
        own.function == function
            && u32::try_from(called.tgtype) == Ok(own.fires)
            && text(called.tgoldtable) == own.old_rows.map(str::as_bytes)
            && text(called.tgnewtable) == own.new_rows.map(str::as_bytes)
            && table(&own.key) == Some(relation)
    });
    if is_own {
        return Ok(());
    }
    Err(wrong_trigger(format!("{function}() was called by the trigger {}", String::from_utf8_lossy(name))))
}

/// The table that a partition is of.
fn partitioned(partition: pg_sys::Oid) -> pg_sys::Oid {
    // SAFETY: the function takes a relation, and looks its ancestors up.
    unsafe { direct_function_call(pg_sys::pg_partition_root, &[partition.into_datum()]) }.unwrap_or(partition)
}

/// Whether updates of a table of ours can be changed or dropped on their way: by a trigger that is not ours, or by a rule.
pub fn has_foreign_before_update(name: &str) -> bool {
    let Some(table) = key_of(name).and_then(|key| table(&key)) else { return false };
    // SAFETY: a statement of ours is about to write this table, and takes its lock; until then, only the description that the
    // cache has is read, and the relation is closed again.
    unsafe {
        let relation = pg_sys::RelationIdGetRelation(table);
        if relation.is_null() {
            return false;
        }
        let is_foreign = !(*relation).rd_rules.is_null()
            || has_foreign((*relation).trigdesc, |fires| {
                fires & pg_sys::TRIGGER_TYPE_BEFORE != 0 && fires & pg_sys::TRIGGER_TYPE_UPDATE != 0
            });
        pg_sys::RelationClose(relation);
        is_foreign
    }
}

fn has_foreign(description: *const pg_sys::TriggerDesc, fires_then: impl Fn(u32) -> bool) -> bool {
    if description.is_null() {
        return false;
    }
    // SAFETY: it describes as many triggers as it says.
    let triggers = unsafe {
        let number = usize::try_from((*description).numtriggers).unwrap_or(0);
        std::slice::from_raw_parts((*description).triggers, number)
    };
    triggers.iter().any(|found| {
        // SAFETY: the name is a C string.
        let name = unsafe { CStr::from_ptr(found.tgname) }.to_bytes();
        !found.tgisinternal
            && fires_then(u32::try_from(found.tgtype).unwrap_or(0))
            && !own_triggers().contains_key(name)
    })
}

fn key_of(table: &str) -> Option<CString> {
    CString::new(format!("{table}_pkey")).ok()
}

/// The table with this primary key: the one that install() made, whatever it is called now.
fn table(key: &CStr) -> Option<pg_sys::Oid> {
    // SAFETY: looks names up in the catalog's caches; what is missing is InvalidOid.
    let found = unsafe {
        let schema = pg_sys::get_namespace_oid(c"assignment_reminders".as_ptr(), true);
        let index = pg_sys::get_relname_relid(key.as_ptr(), schema);
        if index == pg_sys::InvalidOid { index } else { pg_sys::IndexGetRelation(index, true) }
    };
    (found != pg_sys::InvalidOid).then_some(found)
}

fn own_triggers() -> &'static HashMap<&'static [u8], Own<'static>> {
    static OWN: OnceLock<HashMap<&[u8], Own>> = OnceLock::new();
    OWN.get_or_init(|| {
        definitions()
            .filter(|[kind, ..]| *kind == "trigger")
            .filter_map(|[_, table, name, definition]| Some((name.as_bytes(), parse(table, definition)?)))
            .collect()
    })
}

/// Reads what pg_get_triggerdef writes.
fn parse<'a>(table: &str, definition: &'a str) -> Option<Own<'a>> {
    let (head, rest) = definition.split_once(" ON assignment_reminders.")?;
    let (rows, rest) = rest.split_once(" FOR EACH ")?;
    let function = rest.rsplit_once("EXECUTE FUNCTION assignment_reminders.")?.1.strip_suffix("()")?;
    let words: Vec<&str> = head.split([' ', ',']).collect();
    let after = |phrase: &str| rows.split_once(phrase).and_then(|(_, rest)| rest.split(' ').next());
    let mut fires = if rest.starts_with("ROW") { pg_sys::TRIGGER_TYPE_ROW } else { pg_sys::TRIGGER_TYPE_STATEMENT };
    for (word, bit) in [
        ("BEFORE", pg_sys::TRIGGER_TYPE_BEFORE),
        ("INSERT", pg_sys::TRIGGER_TYPE_INSERT),
        ("UPDATE", pg_sys::TRIGGER_TYPE_UPDATE),
        ("DELETE", pg_sys::TRIGGER_TYPE_DELETE),
        ("TRUNCATE", pg_sys::TRIGGER_TYPE_TRUNCATE),
    ] {
        if words.contains(&word) {
            fires |= bit;
        }
    }
    Some(Own {
        key: key_of(table)?,
        function,
        fires,
        old_rows: after("OLD TABLE AS "),
        new_rows: after("NEW TABLE AS "),
    })
}
