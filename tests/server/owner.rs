//! An owner who is no superuser, as on a managed or self-hosted platform: may do everything with the extension that they created.

use crate::support::{Database, People, enqueue_follow_ups, refused, row, rows, run};

/// A database that a role of its own owns, who has created the extension and installed.
fn owned() -> (Database, String) {
    let database = Database::empty();
    let (mut owner, role) = database.connect_as_new_owner();
    run(&mut owner, "CREATE EXTENSION assignment_reminders; SELECT install()");
    (database, role)
}

#[test]
fn they_grant_every_function_to_others_who_can_then_work() {
    let (database, role) = owned();
    let mut owner = database.connect_as(&role);
    let (mut service, service_role) = database.connect_as_new_role("");
    run(
        &mut owner,
        &format!(
            "GRANT USAGE ON SCHEMA assignment_reminders TO {service_role};
             GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA assignment_reminders TO {service_role};
             GRANT ALL ON ALL TABLES IN SCHEMA assignment_reminders TO {service_role}"
        ),
    );
    let without = rows(
        &mut owner,
        &format!(
            "SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'assignment_reminders'::regnamespace
                AND NOT has_function_privilege('{service_role}', p.oid, 'EXECUTE')"
        ),
    );
    assert_eq!(without, [""; 0], "no privileges were granted");
    People::new(&mut service).assignments(&mut service, "2026-01-01", 2);
    enqueue_follow_ups(&mut service, "2026-02-01");
    assert_eq!(rows(&mut service, "SELECT reminder_id FROM claim_reminders(as_of => '2026-02-01')").len(), 2);
    assert_eq!(row(&mut service, "SELECT count(*) FROM run_daily_evaluation('2026-03-01')"), "0");
    // Who was granted may not grant on.
    assert_eq!(refused(&mut service, "SET client_min_messages = error; SELECT uninstall()").sqlstate, "42501");
}

#[test]
fn the_workers_script_grants_what_it_says() {
    let (database, role) = owned();
    let mut owner = database.connect_as(&role);
    let (_, worker) = database.connect_as_new_role("");
    let script =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/worker/role.sql")).expect("role.sql");
    run(&mut owner, &script.replace("reminder_worker", &worker));
    People::new(&mut owner).assignments(&mut owner, "2026-01-01", 2);
    enqueue_follow_ups(&mut owner, "2026-02-01");
    let mut client = database.connect_as(&worker);
    let claim = "SELECT mark_reminder_sent(reminder_id, claim_id, as_of => '2026-02-01') FROM claim_reminders(as_of => '2026-02-01')";
    assert_eq!(rows(&mut client, claim), ["t", "t"]);
    assert_eq!(refused(&mut client, "SELECT * FROM run_daily_evaluation()").sqlstate, "42501", "and no more");
}

#[test]
fn their_grants_survive_their_own_dump_and_restore() {
    let (database, role) = owned();
    let mut owner = database.connect_as(&role);
    let (_, service) = database.connect_as_new_role("");
    run(
        &mut owner,
        &format!(
            "GRANT USAGE ON SCHEMA assignment_reminders TO {service}; GRANT EXECUTE ON FUNCTION claim_reminders, run_daily_evaluation TO {service};
             REVOKE EXECUTE ON FUNCTION evaluate_assignments(timestamptz, uuid) FROM PUBLIC"
        ),
    );
    let rights = format!(
        "SELECT has_function_privilege('{service}', 'claim_reminders(integer,interval,uuid,timestamptz)', 'EXECUTE'),
                has_function_privilege('{service}', 'run_daily_evaluation(timestamptz)', 'EXECUTE'),
                has_function_privilege('{service}', 'prune(interval,integer,timestamptz)', 'EXECUTE'),
                has_function_privilege('{service}', 'is_reminder_due(integer,integer)', 'EXECUTE')"
    );
    assert_eq!(row(&mut owner, &rights), "t|t|f|t");

    let restored = database.restored_by(&role);
    let mut restored_owner = restored.connect_as(&role);
    assert_eq!(row(&mut restored_owner, &rights), "t|t|f|t");
    People::new(&mut restored_owner).assignments(&mut restored_owner, "2026-01-01", 2);
    assert_eq!(row(&mut restored_owner, "SELECT assignment_count FROM peer_mentors"), "2");
}

#[test]
fn the_extension_can_be_handed_over_to_another_owner() {
    let (database, role) = owned();
    let (_, heir) = database.connect_as_new_role("");
    // As docs/security.md says.
    run(
        &mut database.connect(),
        &format!("ALTER DATABASE {} OWNER TO {heir}; REASSIGN OWNED BY {role} TO {heir}", database.name),
    );
    let grants = rows(
        &mut database.connect(),
        &format!(
            "SELECT format('GRANT EXECUTE ON FUNCTION %s TO {heir} WITH GRANT OPTION', d.objid::regprocedure)
               FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
              WHERE e.extname = 'assignment_reminders' AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'"
        ),
    );
    run(&mut database.connect(), &grants.join(";"));
    run(&mut database.connect(), &format!("DROP OWNED BY {role}; DROP ROLE {role}"));
    let mut new_owner = database.connect_as(&heir);
    assert!(row(&mut new_owner, "SELECT install()").ends_with("nothing to do"));
    let numbers = rows(
        &mut new_owner,
        "SELECT p.oid::regprocedure FROM pg_proc p, aclexplode(p.proacl) a
          WHERE p.pronamespace = 'assignment_reminders'::regnamespace AND a.grantee <> 0 AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = a.grantee)",
    );
    assert_eq!(numbers, [""; 0], "a right of nobody's");
    let (_, service) = database.connect_as_new_role("");
    run(&mut new_owner, &format!("GRANT EXECUTE ON FUNCTION claim_reminders TO {service}"));
    let may = format!(
        "SELECT has_function_privilege('{service}', 'claim_reminders(integer,interval,uuid,timestamptz)', 'EXECUTE')"
    );
    assert_eq!(row(&mut new_owner, &may), "t");
}
