//! A cluster of an older Postgres becomes one of this by pg_upgrade: `make test-pg-upgrade`. What docs/operations.md tells an
//! operator to do, what happens in the other order, and what pg_upgrade says of a library that is not there.

use std::fs;
use std::path::{Path, PathBuf};

use postgres::Client;

use crate::bare::{self, Bare, Part};
use crate::catalog::{assert_same, dump};
use crate::cluster::{Cluster, installation};
use crate::programme::{Content, assert_goes_on, fill, update};
use crate::support::{has_pg_cron, refused, row, rows, run, skip};

const LIBRARY_OF_0_1_0: Part = ["--pkglibdir", "assignment_reminders.so"];
const VERSION: &str = "SELECT extversion FROM pg_extension WHERE extname = 'assignment_reminders'";

/// Where the programs of the older Postgres are. Says that the test is skipped if there is none.
fn older() -> Option<PathBuf> {
    let bin = std::env::var_os("OLD_PGBIN").map(PathBuf::from);
    if bin.is_none() {
        skip("it needs an older Postgres beside this one: make test-pg-upgrade");
    }
    bin
}

/// An empty cluster that does not run. With checksums, since the default differs between versions, and pg_upgrade wants them equal.
fn empty(bin: &Path, settings: &str) -> Cluster {
    let cluster = Cluster::stopped(bin);
    cluster.succeed(
        "initdb",
        &["--username=postgres", "--auth=trust", "--encoding=UTF8", "--data-checksums", "--no-sync", "-D", "data"],
    );
    cluster.configure(settings);
    cluster
}

/// One that runs, with a database at 0.1.0, "reminders", and one that was updated, "updated", both with a programme.
fn with_both_versions(bin: &Path, settings: &str) -> Cluster {
    let mut cluster = empty(bin, settings);
    cluster.start();
    for database in ["reminders", "updated"] {
        cluster.succeed("createdb", &[database]);
        fill(cluster.program("psql"), database, &mut cluster.connect(database));
    }
    update(&mut cluster.connect("updated"));
    cluster
}

/// Whether pg_upgrade did it, and all that it said, also in the files that it names.
fn pg_upgrade(from: &Path, old: &Cluster, new: &Cluster) -> (bool, String) {
    let reports = new.home.join("data/pg_upgrade_output.d");
    // Of an attempt before this one.
    let _ = fs::remove_dir_all(&reports);
    let output = new
        .program("pg_upgrade")
        .args(["--username=postgres", "--new-datadir=data", "--old-bindir"])
        .arg(from)
        .arg("--old-datadir")
        .arg(old.home.join("data"))
        .output()
        .expect("pg_upgrade");
    let mut said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let mut directories = vec![reports];
    while let Some(directory) = directories.pop() {
        // Nothing where it did not get so far, or has tidied up.
        for entry in fs::read_dir(directory).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "txt") {
                said += &fs::read_to_string(path).expect("its text");
            }
        }
    }
    (output.status.success(), said)
}

/// At this version, as a fresh one, with these rows, and goes on.
fn assert_whole(cluster: &Cluster, database: &str, before: &Content) {
    let mut client = cluster.connect(database);
    assert_eq!(row(&mut client, VERSION), env!("CARGO_PKG_VERSION"), "{database}");
    before.assert_unchanged(&mut client);
    assert_eq!(rows(&mut client, "SELECT * FROM altered_definitions()"), [""; 0], "{database}");
    assert!(row(&mut client, "SELECT install()").ends_with(": nothing to do"), "{database}");
    assert_same(&dump(&mut client), &dump(&mut fresh(cluster)));
    assert_goes_on(&mut cluster.connect(database));
}

fn fresh(cluster: &Cluster) -> Client {
    cluster.succeed("dropdb", &["--if-exists", "fresh"]);
    cluster.succeed("createdb", &["fresh"]);
    let mut client = cluster.connect("fresh");
    run(&mut client, "CREATE EXTENSION assignment_reminders; SELECT install()");
    client
}

#[test]
fn pg_upgrade_asks_for_the_library_of_each_database_and_needs_no_old_one_once_all_are_updated() {
    let Some(from) = older() else { return };
    let mut old = with_both_versions(&from, "");
    let contents = ["reminders", "updated"].map(|database| (database, Content::of(&mut old.connect(database))));
    old.stop();

    // Without the package for the new server, then with it: 0.1.0's library is not in it.
    let bare = Bare::without(&[bare::THIS[0], bare::THIS[1], LIBRARY_OF_0_1_0]);
    let mut new = empty(&bare.bin(), "");
    let missing = |version: &str, database: &str| {
        format!(
            "could not load library \"$libdir/assignment_reminders{version}\": ERROR:  could not access file \"$libdir/assignment_reminders{version}\": No such file or directory\nIn database: {database}\n"
        )
    };
    let (of_reminders, of_updated) =
        (missing("", "reminders"), missing(concat!("-", env!("CARGO_PKG_VERSION")), "updated"));
    let (done, said) = pg_upgrade(&from, &old, &new);
    assert!(!done && said.contains(&of_reminders) && said.contains(&of_updated), "{said}");
    bare.mend(&bare::THIS);
    let (done, said) = pg_upgrade(&from, &old, &new);
    assert!(!done && said.contains(&of_reminders) && !said.contains(&of_updated), "{said}");

    // What was refused has touched nothing: the old server goes on, and there the database is updated.
    old.start();
    for (database, content) in &contents {
        content.assert_unchanged(&mut old.connect(database));
    }
    update(&mut old.connect("reminders"));
    old.stop();
    let (done, said) = pg_upgrade(&from, &old, &new);
    assert!(done, "{said}");
    new.start();
    for (database, content) in &contents {
        assert_whole(&new, database, content);
    }
    old.assert_log_is_clean();
    new.assert_log_is_clean();
}

#[test]
fn where_the_new_server_has_both_libraries_databases_of_both_versions_come_over_and_are_updated_there() {
    let Some(from) = older() else { return };
    let mut old = with_both_versions(&from, "");
    let contents = ["reminders", "updated"].map(|database| (database, Content::of(&mut old.connect(database))));
    old.stop();
    let mut new = empty(&installation(), "");
    let (done, said) = pg_upgrade(&from, &old, &new);
    assert!(done, "{said}");
    let advice = fs::read_to_string(new.home.join("update_extensions.sql")).expect("pg_upgrade's advice");
    assert!(advice.contains("ALTER EXTENSION \"assignment_reminders\" UPDATE;"), "{advice}");

    new.start();
    let mut client = new.connect("reminders");
    assert_eq!(row(&mut client, VERSION), "0.1.0");
    assert_eq!(row(&mut client, "SELECT install()"), "assignment_reminders 0.1.0: nothing to do");
    contents[0].1.assert_unchanged(&mut client);
    // Answered by its own library, as it was; and rolled back, for what follows.
    run(&mut client, "BEGIN");
    assert_goes_on(&mut client);
    run(&mut client, "ROLLBACK");
    update(&mut client);
    for (database, content) in &contents {
        assert_whole(&new, database, content);
    }
    old.assert_log_is_clean();
    new.assert_log_is_clean();
}

#[test]
fn pg_crons_jobs_come_over() {
    let Some(from) = older() else { return };
    if !has_pg_cron() {
        return;
    }
    let settings =
        "shared_preload_libraries = 'pg_cron'\ncron.database_name = 'reminders'\ncron.use_background_workers = on";
    let mut old = empty(&from, settings);
    old.start();
    old.succeed("createdb", &["reminders"]);
    let mut client = old.installed();
    run(&mut client, "CREATE EXTENSION pg_cron WITH SCHEMA pg_catalog; SELECT count(*) FROM run_daily_evaluation()");
    // On no day that comes soon.
    let schedule = "SELECT job_name FROM schedule_daily_evaluation('0 6 29 2 *')";
    let jobs = "SELECT jobname, schedule, command, database, username, active FROM cron.job ORDER BY jobid";
    let health = "SELECT status, reasons FROM evaluation_health()";
    assert_eq!(rows(&mut client, schedule).len(), 2);
    let before = rows(&mut client, jobs);
    assert_eq!(row(&mut client, health), "ok|{}");
    drop(client);
    old.stop();

    let mut new = empty(&installation(), settings);
    let (done, said) = pg_upgrade(&from, &old, &new);
    assert!(done, "{said}");
    new.start();
    let mut client = new.connect("reminders");
    for statement in ["SELECT", "ALTER EXTENSION pg_cron UPDATE", schedule] {
        run(&mut client, statement);
        assert_eq!(rows(&mut client, jobs), before, "after {statement}");
        assert_eq!(row(&mut client, health), "ok|{}", "after {statement}");
    }
}

#[test]
fn an_owner_who_is_no_superuser_goes_on_but_a_superuser_must_update_what_was_not() {
    let Some(from) = older() else { return };
    let mut old = empty(&from, "");
    old.start();
    run(&mut old.connect("postgres"), "CREATE ROLE owner");
    let as_owner = |cluster: &Cluster, database: &str| {
        let mut client = cluster.connect(database);
        run(&mut client, "SET SESSION AUTHORIZATION owner");
        client
    };
    for database in ["reminders", "updated"] {
        old.succeed("createdb", &["--owner=owner", database]);
        let mut client = as_owner(&old, database);
        run(&mut client, "CREATE EXTENSION assignment_reminders VERSION '0.1.0'");
        run(&mut client, "SELECT install()");
    }
    update(&mut as_owner(&old, "updated"));
    old.stop();
    let mut new = empty(&installation(), "");
    let (done, said) = pg_upgrade(&from, &old, &new);
    assert!(done, "{said}");
    new.start();

    // Postgres keeps who owns the tables, and the rights, but not who created an extension: it is whose pg_upgrade was.
    let mut updated = as_owner(&new, "updated");
    run(
        &mut updated,
        "GRANT EXECUTE ON FUNCTION claim_reminders TO pg_monitor; SELECT count(*) FROM run_daily_evaluation()",
    );
    assert!(row(&mut updated, "SELECT install()").ends_with(": nothing to do"));
    let mut reminders = as_owner(&new, "reminders");
    assert_eq!(refused(&mut reminders, "ALTER EXTENSION assignment_reminders UPDATE").sqlstate, "42501");
    run(
        &mut new.connect("reminders"),
        "ALTER EXTENSION assignment_reminders UPDATE;
         GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA assignment_reminders TO owner WITH GRANT OPTION",
    );
    run(&mut reminders, "SELECT install()");
    for client in [&mut updated, &mut reminders] {
        assert_eq!(rows(client, "SELECT * FROM altered_definitions()"), [""; 0]);
        run(client, "SELECT count(*) FROM run_daily_evaluation()");
        run(client, "SELECT uninstall()");
    }
}
