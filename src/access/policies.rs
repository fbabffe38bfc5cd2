//! The policies that a programme needs, as ordinary policies and grants: dumped, and the owner's to change. Owns making and
//! dropping them; what they say is in sql/access.

use pgrx::prelude::*;
use pgrx::{PgSqlErrorCode, Uuid, notice, warning};

use crate::install::{Lock, lock_tables, run, run_each, table_names, view_names};
use crate::server::advisory_lock::AdvisoryLock;
use crate::server::errors::{Result, error, invalid_argument, null_argument};
use crate::server::owner::require_owner;
use crate::server::rows::ResultSet;
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

    /// Those of the policies that are there; none where row security was not enabled by us.
    fn installed() -> Result<Option<Self>> {
        let policies = installed()?;
        let role_of = |is_worker: bool| -> Result<Option<String>> {
            for policy in policies.rows() {
                if policy.not_null::<String>("name")?.starts_with("worker") == is_worker {
                    return Ok(policy.not_null::<Vec<String>>("roles")?.into_iter().next());
                }
            }
            Ok(None)
        };
        let worker = role_of(true)?;
        Ok(role_of(false)?.map(|member| Self { member, worker }))
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
/// then have these rights on the tables, and no others that the owner granted. The first time, whoever coordinates an
/// assignment becomes coordinator. Calling it again makes policies and grants anew. Returns what was done.
///
/// 42501 for anybody but the tables' owner, 22004 without a member_role, 42704 for a role that does not exist, 22023 for one
/// that row security does not bind, or for the same one twice.
#[pg_extern(volatile)]
#[search_path(pg_catalog, pg_temp)]
fn enable_row_security(member_role: Option<&str>, worker_role: default!(Option<&str>, "NULL")) -> Result<String> {
    static PROMOTE: Statement = Statement::kept(include_str!("../../sql/access/promote_coordinators.sql"), &[]);
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
    require_owner("enable_row_security()")?;
    AdvisoryLock::Install.take();
    lock_tables(Lock::Everybody)?;

    let before = Roles::installed()?;
    let is_first = before.is_none();
    let former: Vec<String> = before.iter().flat_map(Roles::names).chain(roles.names()).collect();
    let tables = table_names();
    take_away(&former, &tables)?;
    let number = give(&roles, &tables)?;
    let promoted: Vec<Uuid> = if is_first { PROMOTE.write(&[], |rows| rows.column("id"))? } else { Vec::new() };
    warn_of_unguarded_grants(&tables)?;
    Ok(format!(
        "assignment_reminders {}: row security on {} tables, {number} policies; {} users became coordinators",
        env!("CARGO_PKG_VERSION"),
        tables.len(),
        promoted.len()
    ))
}

/// Takes back what enable_row_security made: its policies, the rights of the roles that they are for, and row security, where
/// no policy of somebody else's remains. Roles of users stay. Returns what was done.
///
/// 42501 for anybody but the tables' owner.
#[pg_extern(volatile)]
#[search_path(pg_catalog, pg_temp)]
fn disable_row_security() -> Result<String> {
    static DISABLE: Statement = Statement::kept(
        "SELECT format('ALTER TABLE assignment_reminders.%I DISABLE ROW LEVEL SECURITY', c.relname) AS command
           FROM pg_class c
          WHERE c.relnamespace = 'assignment_reminders'::regnamespace AND c.relname = ANY ($1) AND c.relrowsecurity
            AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)",
        &[types::TEXTS],
    );
    static GRANTEES: Statement = Statement::kept(include_str!("../../sql/access/grantees.sql"), &[types::TEXTS]);
    require_owner("disable_row_security()")?;
    AdvisoryLock::Install.take();
    lock_tables(Lock::Everybody)?;
    let roles = Roles::installed()?.map(|roles| roles.names()).unwrap_or_default();
    let tables = table_names();
    let number = take_away(&roles, &tables)?;
    let tables = run_each(&DISABLE, &[tables.into()])?;
    if let Some(roles) = GRANTEES.write(&[table_names().into()], |rows| rows.one::<String>("roles"))? {
        warning!("row security is off; what {roles} may do by grants on these tables, no policy checks any more");
    }
    Ok(format!(
        "assignment_reminders {}: {number} policies dropped, row security off on {tables} tables",
        env!("CARGO_PKG_VERSION")
    ))
}

/// Gives tables that are new the policies that the others have, and the roles their rights on columns that are new. Returns how many
/// policies were made.
pub fn extend_to_new_tables() -> Result<usize> {
    static UNBOUND: Statement = Statement::kept(include_str!("../../sql/access/unbound_tables.sql"), &[types::TEXTS]);
    let Some(roles) = Roles::installed()? else { return Ok(0) };
    let new: Vec<String> = UNBOUND.write(&[table_names().into()], |rows| rows.column("name"))?;
    let number = give(&roles, &new.iter().map(String::as_str).collect::<Vec<_>>())?;
    grant(&roles, &table_names())?;
    Ok(number)
}

/// Drops the policies, so that they no longer call functions of ours, and leaves row security on: what nobody may see by a policy,
/// nobody sees. Returns how many there were.
pub fn let_go() -> Result<usize> {
    static LEFT: Statement = Statement::kept(include_str!("../../sql/access/leftover_policies.sql"), &[types::TEXTS]);
    let number = take_away(&[], &table_names())?;
    for policy in LEFT.write(&[table_names().into()], |rows| rows.column::<String>("policy"))? {
        notice!("{policy} calls functions of the extension; while it is there, DROP EXTENSION needs CASCADE");
    }
    Ok(number)
}

fn installed() -> Result<ResultSet> {
    static INSTALLED: Statement =
        Statement::kept(include_str!("../../sql/access/installed_policies.sql"), &[types::TEXTS, types::TEXTS]);
    let names: Vec<&str> = Policy::all().map(|policy| policy.name).collect();
    INSTALLED.write_rows(&[names.into(), table_names().into()])
}

/// Drops the policies, and takes the rights of these roles. Returns how many policies there were.
fn take_away(roles: &[String], tables: &[&'static str]) -> Result<usize> {
    static REVOKES: Statement =
        Statement::kept(include_str!("../../sql/access/revokes.sql"), &[types::TEXTS, types::TEXTS]);
    static DROP: Statement = Statement::kept(
        "SELECT format('DROP POLICY %I ON assignment_reminders.%I', $1, $2) AS command",
        &[types::TEXT, types::TEXT],
    );
    let policies = installed()?;
    for policy in policies.rows() {
        run_each(&DROP, &[policy.not_null::<String>("name")?.into(), policy.not_null::<String>("relation")?.into()])?;
    }
    run_each(&REVOKES, &[roles.to_vec().into(), [tables, &view_names()].concat().into()])?;
    Ok(policies.rows().count())
}

/// Makes the policies of these tables, with what they need, and switches row security on. Returns how many.
fn give(roles: &Roles, tables: &[&str]) -> Result<usize> {
    static GIVE: Statement = Statement::kept(
        "SELECT format('ALTER POLICY %I ON assignment_reminders.%I TO %I', $1, $2, $3) AS command",
        &[types::TEXT, types::TEXT, types::TEXT],
    );
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

fn warn_of_unguarded_grants(tables: &[&str]) -> Result<()> {
    static UNGUARDED: Statement =
        Statement::kept(include_str!("../../sql/access/unguarded_grants.sql"), &[types::TEXTS]);
    if let Some(roles) = UNGUARDED.write(&[tables.to_vec().into()], |rows| rows.one::<String>("roles"))? {
        warning!(
            "row security does not hold back what {roles} may do: REVOKE TRUNCATE, TRIGGER ON ALL TABLES IN SCHEMA assignment_reminders FROM {roles}"
        );
    }
    Ok(())
}
