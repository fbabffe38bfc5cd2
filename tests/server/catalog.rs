//! What the catalog must show of everything we make: comments, search_paths, rights, indexed foreign keys.

use crate::support::{Database, rows};

#[test]
fn every_function_type_and_table_is_commented() {
    let database = Database::installed();
    let mut client = database.connect();
    let uncommented = rows(
        &mut client,
        "SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'assignment_reminders'::regnamespace AND obj_description(p.oid, 'pg_proc') IS NULL",
    );
    assert_eq!(uncommented, [""; 0]);
    let uncommented = rows(
        &mut client,
        "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'assignment_reminders'::regnamespace AND c.relkind IN ('r', 'v')
            AND obj_description(c.oid, 'pg_class') IS NULL
         UNION ALL SELECT t.typname FROM pg_type t WHERE t.typnamespace = 'assignment_reminders'::regnamespace
            AND t.typtype = 'c' AND t.typrelid IN (SELECT oid FROM pg_class WHERE relkind = 'c') AND obj_description(t.oid, 'pg_type') IS NULL",
    );
    assert_eq!(uncommented, [""; 0]);
}

#[test]
fn every_function_is_compiled_or_plain_sql() {
    let database = Database::installed();
    let other = rows(
        &mut database.connect(),
        "SELECT p.oid::regprocedure, l.lanname FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
          WHERE pronamespace = 'assignment_reminders'::regnamespace AND l.lanname NOT IN ('c', 'sql') AND p.prokind <> 'a'",
    );
    assert_eq!(other, [""; 0]);
}

#[test]
fn no_function_is_security_definer() {
    let database = Database::installed();
    let definers = rows(
        &mut database.connect(),
        "SELECT proname FROM pg_proc WHERE pronamespace = 'assignment_reminders'::regnamespace AND prosecdef",
    );
    assert_eq!(definers, [""; 0]);
}

#[test]
fn every_function_in_sql_means_the_same_under_any_search_path() {
    let database = Database::installed();
    let mut dependent = rows(
        &mut database.connect(),
        "SELECT p.proname FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
          WHERE p.pronamespace = 'assignment_reminders'::regnamespace AND l.lanname = 'sql' AND p.prosqlbody IS NULL
            AND NOT coalesce(p.proconfig @> ARRAY['search_path=pg_catalog, pg_temp'], false)",
    );
    // Inlined into the caller's query; the daily run and explanations are planned under our path (src/server/search_path.rs).
    dependent.sort();
    assert_eq!(
        dependent,
        ["assignment_silences", "due_follow_ups", "evaluate_assignments", "evaluation_turns", "silence_of"]
    );
}

#[test]
fn no_compiled_function_has_settings_which_triggers_of_the_users_would_run_under() {
    let database = Database::installed();
    let set = rows(
        &mut database.connect(),
        "SELECT p.proname, p.proconfig FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
          WHERE p.pronamespace = 'assignment_reminders'::regnamespace AND l.lanname = 'c' AND p.proconfig IS NOT NULL",
    );
    assert_eq!(set, [""; 0]);
}

#[test]
fn public_may_call_what_only_reads_and_nothing_else() {
    let database = Database::installed();
    let callable = rows(
        &mut database.connect(),
        "SELECT DISTINCT proname FROM pg_proc, aclexplode(proacl) a WHERE pronamespace = 'assignment_reminders'::regnamespace AND a.grantee = 0 ORDER BY 1",
    );
    let reads = "address_of addressee_id addresses_of after_loss altered_definitions assignment_counts_as_of assignment_outlooks \
                 assignment_silences assignment_timeline chosen_organization closed_period_checksum contact_dates_as_of \
                 coordinator_to_tell current_organization daily_summary day_before days_since_last_contact \
                 default_organization dispatched_at due_assignments due_follow_ups due_reminder_type due_reminder_types \
                 due_windows evaluate_assignment evaluate_assignments evaluate_silence evaluation_health \
                 evaluation_turns every_silence_is_heard existing_organization explain_assignment follow_up_effect forgotten_assignments \
                 get_assignment_with_participants get_assignments_with_no_contact_since get_last_contact_date \
                 get_open_assignments_with_contact_dates goes_to_fallback has_something_to_say \
                 history_known_since installed_definitions is_called_for is_day_off is_due_offset_open is_escalation_due \
                 is_evaluation_due is_held is_in_daily_summary is_muted is_of_due_offset is_reachable is_rearmed \
                 is_reminder_due is_same_due_date is_unreachable last_runs last_summary last_summary_sent \
                 latest_starts_of_silence lock_for_reminders mentor_statement messages_as_of named_organization \
                 organization_in_sight organization_timezone outlook_of paused_among person_as_of preview_follow_ups \
                 put_back raise_unknown reminder_kind reminder_kinds reminder_type_of require_history require_moment \
                 require_page_size require_value require_whole row_versions rows_as_of silence_anchor silence_as_of silence_of \
                 silent_since simulate_follow_ups skip_reason summary_since time_ordered_id unreachable_reason unsubscribe_token \
                 unsubscribe_tokens_of verify_assignment_counts verify_closed_periods verify_contact_dates was_returned \
                 watch_daily_evaluation without_addresses without_text";
    assert_eq!(callable.join(" "), reads);
    let volatile = rows(
        &mut database.connect(),
        "SELECT DISTINCT proname FROM pg_proc, aclexplode(proacl) a WHERE pronamespace = 'assignment_reminders'::regnamespace AND a.grantee = 0 AND provolatile = 'v'",
    );
    assert_eq!(
        volatile,
        ["lock_for_reminders", "time_ordered_id"],
        "which answers our own statements alone, and which makes up a number"
    );
}

#[test]
fn every_foreign_key_has_an_index_that_starts_with_what_it_points_with() {
    let database = Database::installed();
    // The tenant column alone selects little, so the index must start with the other one.
    let unindexed = rows(
        &mut database.connect(),
        "SELECT f.conname FROM pg_constraint f WHERE f.contype = 'f' AND f.connamespace = 'assignment_reminders'::regnamespace
            AND NOT EXISTS (
                SELECT FROM pg_index i WHERE i.indrelid = f.conrelid
                   AND (i.indkey::smallint[])[0] = f.conkey[cardinality(f.conkey)]
                    OR i.indrelid = f.conrelid AND (i.indkey::smallint[])[0:1] = f.conkey)
            -- users_email_key and the like: the organisation's own index
            AND f.conname NOT IN ('users_organization_fkey')",
    );
    assert_eq!(unindexed, [""; 0]);
}

#[test]
fn the_extension_owns_no_table() {
    let database = Database::installed();
    let members = rows(
        &mut database.connect(),
        "SELECT c.relname FROM pg_depend d JOIN pg_class c ON c.oid = d.objid AND d.classid = 'pg_class'::regclass
          WHERE d.deptype = 'e' AND c.relkind <> 'c' AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'assignment_reminders')",
    );
    assert_eq!(members, [""; 0]);
}
