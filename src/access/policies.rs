//! The policies that a programme needs, as ordinary policies and grants: dumped, and the owner's to change. Owns making and
//! dropping them; what they say is in sql/access.

use std::collections::BTreeSet;

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{PgLogLevel, PgSqlErrorCode, Uuid, notice, warning};

use crate::install::{
    Lock, NEEDS_READ_COMMITTED, altered_names, lock_tables, number_outstanding, run, run_each, table_names, view_names,
};
use crate::server::advisory_lock::AdvisoryLock;
use crate::server::errors::{Result, error, invalid_argument, null_argument};
use crate::server::owner::require_owner;
use crate::server::row_security::Whole;
use crate::server::rows::ResultSet;
use crate::server::setting::require_read_committed;
use crate::server::statement::{Statement, types};

const POLICIES: &str = include_str!("../../sql/access/policies.sql");

/// A policy of ours: CREATE POLICY name ON assignment_reminders.table ...
struct Policy {
    table: &'static str,
    name: &'static str,
    sql: &'static str,
}

impl Policy {
    fn all() -> impl Iterator<Item = Self> {
        POLICIES.split(";\n").filter_map(|statement| {
            let sql = &statement[statement.find("CREATE POLICY ")?..];
            let mut words = sql.split_ascii_whitespace();
            let name = words.nth(2)?;
            let table = words.nth(1)?.strip_prefix("assignment_reminders.")?;
            Some(Self { table, name, sql })
        })
    }

    fn is_for_worker(&self) -> bool {
        self.name.starts_with("worker")
    }
}

/// The roles that the policies are for.
struct Roles {
    member: String,
    worker: Option<String>,
}

impl Roles {
    fn names(&self) -> Vec<String> {
        [Some(&self.member), self.worker.as_ref()].into_iter().flatten().cloned().collect()
    }

    fn of(&self, policy: &Policy) -> Option<&str> {
        if policy.is_for_worker() { self.worker.as_deref() } else { Some(&self.member) }
    }

    /// Those of the policies of users; none where row security was not enabled by us.
    fn installed() -> Result<Option<Self>> {
        let (mut member, mut worker) = (None, None);
        for policy in installed()?.rows() {
            if policy.not_null::<String>("relation")? == "users" {
                let role = policy.not_null::<Vec<String>>("roles")?.into_iter().next();
                if policy.not_null::<String>("name")?.starts_with("worker") {
                    worker = role;
                } else {
                    member = member.or(role);
                }
            }
        }
        Ok(member.map(|member| Self { member, worker }))
    }

    /// 42704 for a role that is not there, 22023 for one that row security would not bind.
    fn require(&self) -> Result<()> {
        static ROLES: Statement = Statement::kept(include_str!("../../sql/access/roles.sql"), &[types::TEXTS]);
        let facts = ROLES.write_rows(&[self.names().into()])?;
        for row in facts.rows() {
            let name: String = row.not_null("name")?;
            if !row.not_null::<bool>("is_there")? {
                return Err(error(
                    PgSqlErrorCode::ERRCODE_UNDEFINED_OBJECT,
                    format!("role {name} does not exist"),
                    "The policies and grants are made for a role of this cluster.",
                    "Give the name as it stands in pg_roles, or create the role.",
                ));
            }
            if row.not_null::<bool>("is_another")? {
                return Err(invalid_argument(
                    format!("the role {name} has the rights of the other role"),
                    "What policies keep from the one, they would show it as the other.",
                    "Give roles of which neither is a member of the other, or one that does not inherit.",
                ));
            }
            if !row.not_null::<bool>("is_bound")? {
                return Err(invalid_argument(
                    format!("row security does not bind the role {name}"),
                    "It is a superuser, has BYPASSRLS, or has the rights of the tables' owner. Policies mean nothing to it.",
                    if name == self.member {
                        "Give the role in which the members' requests arrive, such as authenticated."
                    } else {
                        "Leave worker_role out: the workers' role sees everything anyway. Grant it what a worker needs."
                    },
                ));
            }
        }
        Ok(())
    }
}

/// Switches row security on for every table of ours, with the policies that a programme needs, for the role in which people's
/// requests arrive (Supabase: authenticated) and the role of the delivery workers (NULL: none, or theirs has BYPASSRLS). People are known
/// by users.auth_user_id and their JWT (see current_user_id), and see and do what their users.role says. The two roles
/// then have these rights on the tables, and no others that the owner granted. Where there are none of its policies yet, whoever coordinates an
/// assignment becomes coordinator. Calling it again makes policies and grants anew: a role that an earlier call named, and this one does not, has lost its
/// rights, unless it is a member of the role that has them now; a WARNING names it. Returns what was done.
///
/// 42501 for anybody but the tables' owner, 22004 without a member_role, 42704 for a role that does not exist, 22023 for one
/// that row security does not bind, for the same one twice, or one with the rights of the other, 55000 where install() is to be
/// called first, 25001 in a transaction that is not READ COMMITTED.
#[pg_extern(volatile)]
fn enable_row_security(member_role: Option<&str>, worker_role: default!(Option<&str>, "NULL")) -> Result<String> {
    static PROMOTE: Statement = Statement::kept(include_str!("../../sql/access/promote_coordinators.sql"), &[]);
    const WHOLE: Whole = Whole { updates: &["users"], ..Whole::reads(&["users", "assignments"]) };
    let member = member_role.ok_or_else(|| null_argument("member_role"))?.to_string();
    let roles = Roles { member, worker: worker_role.map(str::to_string) };
    if roles.worker.as_ref() == Some(&roles.member) {
        return Err(invalid_argument(
            format!("{} cannot be both the members' role and the workers'", roles.member),
            "Workers see everything that they deliver.",
            "Give the workers a role of their own.",
        ));
    }
    roles.require()?;
    take_tables("enable_row_security()")?;
    require_guarded()?;
    WHOLE.require()?;

    let tables = table_names();
    let holders = holders()?;
    let former = take_away(roles.names(), &tables)?;
    let number = give(&roles, &tables)?;
    warn_of_losers(holders, &roles)?;
    let promoted: Vec<Uuid> = if former == 0 { PROMOTE.write(&[], |rows| rows.column("id"))? } else { Vec::new() };
    let unguarded = roles_of(Right::all()?, |right| ["TRUNCATE", "TRIGGER", "REFERENCES"].contains(&&*right.privilege));
    if !unguarded.is_empty() {
        warning!(
            "row security does not hold back what {unguarded} may do: REVOKE TRUNCATE, TRIGGER, REFERENCES ON ALL TABLES IN SCHEMA assignment_reminders FROM {unguarded}"
        );
    }
    Ok(format!(
        "assignment_reminders {}: row security on {} tables, {number} policies; {} users became coordinators",
        env!("CARGO_PKG_VERSION"),
        tables.len(),
        promoted.len()
    ))
}

/// Takes back what enable_row_security made: its policies, the rights of the roles that they are for, and row security, where
/// no policy of somebody else's remains and nobody whom it binds has a right: what nobody would check any more stays closed, with
/// a warning. Roles of users stay. Returns what was done: nothing where there are no policies of enable_row_security.
///
/// 42501 for anybody but the tables' owner, 25001 in a transaction that is not READ COMMITTED.
#[pg_extern(volatile)]
fn disable_row_security() -> Result<String> {
    static DISABLE: Statement = Statement::kept(include_str!("../../sql/access/disable.sql"), &[types::TEXTS]);
    take_tables("disable_row_security()")?;
    let tables = table_names();
    let number = take_away(Vec::new(), &tables)?;
    let mut rights = Right::all()?;
    rights.retain(|right| right.is_bound);
    let is_free = |table: &&&str| !rights.iter().any(|right| right.table == **table);
    let free: Vec<&str> = tables.iter().filter(is_free).copied().collect();
    let disabled = if number == 0 { 0 } else { run_each(&DISABLE, &[free.into()])? };
    let stays = bound_tables()?;
    if !stays.is_empty() {
        let roles = roles_of(rights, |right| stays.contains(&right.table));
        warning!(
            "row security stays on for {}: policies of yours are there, or rights of {} that nothing would check any more",
            stays.join(", "),
            if roles.is_empty() { "nobody" } else { &roles }
        );
    }
    Ok(format!(
        "assignment_reminders {}: {number} policies dropped, row security off on {disabled} tables",
        env!("CARGO_PKG_VERSION")
    ))
}

/// Gives tables that were just made the policies that the others have. Returns how many policies were made.
pub fn extend_to(tables: &[&'static str]) -> Result<usize> {
    Roles::installed()?.map_or(Ok(0), |roles| give(&roles, tables))
}

/// Drops the policies, so that they no longer call functions of ours, and takes the rights of their roles; row security stays on: nothing
/// is open. Returns how many there were.
pub fn let_go() -> Result<usize> {
    static LEFT: Statement = Statement::kept(include_str!("../../sql/access/leftover_policies.sql"), &[types::TEXTS]);
    let number = take_away(Vec::new(), &table_names())?;
    let is_writer = |right: &Right| right.table == "users" && ["INSERT", "UPDATE"].contains(&&*right.privilege);
    let roles = roles_of(Right::all()?, |right| right.is_bound && is_writer(right));
    if !roles.is_empty() && bound_tables()?.iter().any(|table| table == "users") {
        warning!(
            "nothing keeps {roles} from writing role and auth_user_id of users any more; REVOKE INSERT, UPDATE ON assignment_reminders.users FROM {roles} unless they may"
        );
    }
    for policy in LEFT.write(&[table_names().into()], |rows| rows.column::<String>("policy"))? {
        notice!("{policy} calls functions of the extension; while it is there, DROP EXTENSION needs CASCADE");
    }
    Ok(number)
}

/// 55000 where tables are of an earlier version, or a trigger that guards them is not as install() makes it.
fn require_guarded() -> Result<()> {
    let outstanding = number_outstanding()?.unwrap_or(0);
    let (triggers, _) = altered_names()?;
    if outstanding == 0 && triggers.is_empty() {
        return Ok(());
    }
    Err(error(
        PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        "the tables are not as install() makes them, and policies alone would not hold",
        format!("Migrations outstanding: {outstanding}. Triggers altered: {}.", triggers.join(", ")),
        "Call assignment_reminders.install(), then enable_row_security() again.",
    ))
}

/// Holds the tables for their owner alone, until the transaction ends.
fn take_tables(function: &str) -> Result<()> {
    require_owner(function)?;
    require_read_committed(function, NEEDS_READ_COMMITTED)?;
    AdvisoryLock::Install.take();
    lock_tables(Lock::Everybody)
}

/// A right that somebody else than the owner has on a table of ours, by a grant.
struct Right {
    table: String,
    role: String,
    privilege: String,
    /// Whether row security binds the role.
    is_bound: bool,
}

impl Right {
    fn all() -> Result<Vec<Self>> {
        static RIGHTS: Statement =
            Statement::kept(include_str!("../../sql/access/rights_of_others.sql"), &[types::TEXTS]);
        RIGHTS.write(&[table_names().into()], |rows| {
            rows.map(|row| {
                Ok(Self {
                    table: row.not_null("relation")?,
                    role: row.not_null("role")?,
                    privilege: row.not_null("privilege")?,
                    is_bound: row.not_null("is_bound")?,
                })
            })
            .collect()
        })
    }
}

/// Whose these rights are, as a list for GRANT and REVOKE; empty where they are nobody's.
fn roles_of(rights: Vec<Right>, is_meant: impl Fn(&Right) -> bool) -> String {
    let roles: BTreeSet<String> = rights.into_iter().filter(is_meant).map(|right| right.role).collect();
    roles.into_iter().collect::<Vec<_>>().join(", ")
}

fn bound_tables() -> Result<Vec<String>> {
    static BOUND: Statement = Statement::kept(include_str!("../../sql/access/bound_tables.sql"), &[types::TEXTS]);
    BOUND.write(&[table_names().into()], |rows| rows.column("name"))
}

fn installed() -> Result<ResultSet> {
    static INSTALLED: Statement =
        Statement::kept(include_str!("../../sql/access/installed_policies.sql"), &[types::TEXTS, types::TEXTS]);
    let names: Vec<String> = Policy::all().map(|policy| format!("{} {}", policy.table, policy.name)).collect();
    INSTALLED.write_rows(&[table_names().into(), names.into()])
}

/// The roles that policies of ours are for, and whether they are the workers' policies.
fn holders() -> Result<BTreeSet<(bool, String)>> {
    let mut holders = BTreeSet::new();
    for policy in installed()?.rows() {
        let is_for_worker = policy.not_null::<String>("name")?.starts_with("worker");
        let roles: Vec<String> = policy.not_null("roles")?;
        holders.extend(roles.into_iter().map(|role| (is_for_worker, role)));
    }
    Ok(holders)
}

/// Warns of those that had rights by an earlier call and have them no more: nothing else would tell before their next request or claim fails.
fn warn_of_losers(holders: BTreeSet<(bool, String)>, roles: &Roles) -> Result<()> {
    static LOSERS: Statement =
        Statement::kept(include_str!("../../sql/access/losers.sql"), &[types::TEXTS, types::TEXT]);
    for (is_for_worker, whose, argument) in [(false, "members", "member_role"), (true, "workers", "worker_role")] {
        let now = if is_for_worker { roles.worker.as_deref() } else { Some(roles.member.as_str()) };
        let before: Vec<String> =
            holders.iter().filter(|(of_worker, _)| *of_worker == is_for_worker).map(|(_, role)| role.clone()).collect();
        let losers: Vec<(String, String, Option<String>)> = LOSERS.write(&[before.into(), now.into()], |rows| {
            rows.map(|row| Ok((row.not_null("role")?, row.not_null("literal")?, row.get("now")?))).collect()
        })?;
        for (role, literal, now) in losers {
            let (detail, hint) = match now {
                Some(now) => (
                    format!("This call gave them to {now}. They are one role's, of which others may be members."),
                    format!("If {role} shall have them, too: GRANT {now} TO {role}"),
                ),
                None => (
                    format!("This call names no {argument}."),
                    format!("If {role} shall keep them, call it again with {argument} => {literal}."),
                ),
            };
            let message = format!(
                "{role} has lost the rights of {whose}, which an earlier call of enable_row_security() gave it"
            );
            ErrorReport::new(PgSqlErrorCode::ERRCODE_WARNING, message, "assignment_reminders")
                .set_detail(detail)
                .set_hint(hint)
                .report(PgLogLevel::WARNING);
        }
    }
    Ok(())
}

/// Drops the policies, and takes the rights of every role that they are for, and of these. Returns how many policies there were.
fn take_away(mut roles: Vec<String>, tables: &[&'static str]) -> Result<usize> {
    static REVOKES: Statement =
        Statement::kept(include_str!("../../sql/access/revokes.sql"), &[types::TEXTS, types::TEXTS]);
    static DROP: Statement = Statement::kept(
        "SELECT format('DROP POLICY %I ON assignment_reminders.%I', $1, $2) AS command",
        &[types::TEXT, types::TEXT],
    );
    let policies = installed()?;
    for policy in policies.rows() {
        roles.extend(policy.not_null::<Vec<String>>("roles")?);
        run_each(&DROP, &[policy.not_null::<String>("name")?.into(), policy.not_null::<String>("relation")?.into()])?;
    }
    roles.sort_unstable();
    roles.dedup();
    run_each(&REVOKES, &[roles.into(), [tables, &view_names()].concat().into()])?;
    Ok(policies.rows().count())
}

/// Makes the policies of these tables, with what they need, and switches row security on. Returns how many.
fn give(roles: &Roles, tables: &[&str]) -> Result<usize> {
    static GIVE: Statement =
        Statement::kept(include_str!("../../sql/access/give_policy.sql"), &[types::TEXT, types::TEXT, types::TEXT]);
    static ENABLE: Statement = Statement::kept(
        "SELECT format('ALTER TABLE assignment_reminders.%I ENABLE ROW LEVEL SECURITY', t.name) AS command FROM unnest($1::text[]) AS t (name)",
        &[types::TEXTS],
    );
    run_each(&ENABLE, &[tables.to_vec().into()])?;
    let mut number = 0;
    for policy in Policy::all().filter(|policy| tables.contains(&policy.table)) {
        let Some(role) = roles.of(&policy) else { continue };
        run(policy.sql)?;
        run_each(&GIVE, &[policy.name.into(), policy.table.into(), role.into()])?;
        number += 1;
    }
    grant(roles, tables)?;
    Ok(number)
}

fn grant(roles: &Roles, tables: &[&str]) -> Result<()> {
    static GRANTS: Statement =
        Statement::kept(include_str!("../../sql/access/grants.sql"), &[types::TEXT, types::TEXT, types::TEXTS]);
    let relations = [tables, &view_names()].concat();
    let arguments = [roles.member.as_str().into(), roles.worker.as_deref().into(), relations.into()];
    run_each(&GRANTS, &arguments).map(drop)
}
