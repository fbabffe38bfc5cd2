-- Who may call the functions, said once they all exist. An upgrade says it of the functions that are new: users may have
-- granted or revoked the others (tools/schema/src/upgrade.rs tells which were there).
--
-- No function here is SECURITY DEFINER. Triggers take the table owner's rights themselves (src/server/owner.rs).

-- This runs as a superuser, in a schema in which others may have made functions and operators: none of theirs is to be found.
SET LOCAL search_path TO pg_catalog, pg_temp;

DO $$
DECLARE
    for_everybody regprocedure[] := ARRAY[
        -- The rules, which know only their arguments, and the default of organization_id, which inserts need.
        'assignment_reminders.days_since_last_contact(date, date)',
        'assignment_reminders.is_reminder_due(integer, integer)',
        'assignment_reminders.is_escalation_due(integer, integer, timestamptz)',
        'assignment_reminders.is_escalation_due(integer, integer, integer, integer)',
        'assignment_reminders.evaluate_assignment(date, date, timestamptz, integer, integer, date)',
        'assignment_reminders.evaluate_assignment(date, date, timestamptz, integer, integer, date, integer)',
        'assignment_reminders.evaluate_silence(assignment_reminders.silence_facts)',
        'assignment_reminders.outlook_of(assignment_reminders.silence_facts, text, text, text, boolean, boolean, boolean, boolean)',
        'assignment_reminders.every_silence_is_heard(integer, integer, integer, date, integer[], date[], date[], date)',
        'assignment_reminders.is_evaluation_due(timestamptz, timestamptz, timestamptz, timestamptz, timestamptz[], boolean)',
        'assignment_reminders.is_held(bigint, integer, boolean)',
        'assignment_reminders.is_day_off(date, integer[], date[], date[], date)',
        'assignment_reminders.last_runs(timestamptz)',
        'assignment_reminders.dispatched_at(text, boolean, text, text, timestamptz, timestamptz, timestamptz)',
        'assignment_reminders.due_reminder_type(interval)',
        'assignment_reminders.due_reminder_types(interval)',
        'assignment_reminders.is_of_due_offset(text, interval[])',
        'assignment_reminders.is_same_due_date(timestamptz, timestamptz)',
        'assignment_reminders.skip_reason(assignment_reminders.reminder_facts)',
        'assignment_reminders.unreachable_reason(text, boolean, boolean, boolean)',
        'assignment_reminders.is_unreachable(text)',
        'assignment_reminders.is_reachable(boolean, text, boolean)',
        'assignment_reminders.is_muted(text[], text)',
        'assignment_reminders.goes_to_fallback(text, text)',
        'assignment_reminders.address_of(text, boolean)',
        'assignment_reminders.addressee_id(text, uuid, uuid, uuid, uuid)',
        'assignment_reminders.silent_since(date, date)',
        'assignment_reminders.silence_anchor(date)',
        'assignment_reminders.latest_starts_of_silence(integer, integer, date, integer[], date[], date[], date)',
        'assignment_reminders.is_due_offset_open(timestamptz, timestamptz, interval, interval, timestamptz)',
        'assignment_reminders.due_windows(text, integer[], integer, timestamptz)',
        'assignment_reminders.is_rearmed(text, timestamptz, text, text, timestamptz, text, boolean, boolean)',
        'assignment_reminders.reminder_kinds()',
        'assignment_reminders.reminder_kind(text)',
        'assignment_reminders.reminder_type_of(text)',
        'assignment_reminders.require_value(anyelement, text)',
        'assignment_reminders.require_moment(timestamptz)',
        'assignment_reminders.require_page_size(integer)',
        'assignment_reminders.require_whole(text[], uuid)',
        'assignment_reminders.raise_unknown(text, uuid)',
        'assignment_reminders.without_text(text)',
        'assignment_reminders.without_addresses(text, text[], text[])',
        'assignment_reminders.after_loss(integer, integer)',
        'assignment_reminders.lock_for_reminders(text, uuid[], text[])',
        'assignment_reminders.paused_among(uuid[], timestamptz)',
        'assignment_reminders.is_called_for(text, uuid, timestamptz)',
        'assignment_reminders.organization_timezone(uuid)',
        'assignment_reminders.summary_since(timestamptz, timestamptz, text)',
        'assignment_reminders.last_summary_sent(uuid, timestamptz, text)',
        'assignment_reminders.last_summary(uuid, timestamptz, text)',
        'assignment_reminders.unsubscribe_tokens_of(uuid[])',
        'assignment_reminders.day_before(timestamptz, text)',
        'assignment_reminders.time_ordered_id()',
        'assignment_reminders.current_organization()',
        'assignment_reminders.default_organization()',
        'assignment_reminders.named_organization()',
        'assignment_reminders.installed_definitions()',
        'assignment_reminders.altered_definitions()',
        -- Reads, which show nothing that the caller's own rights on the tables do not.
        'assignment_reminders.existing_organization(uuid)',
        'assignment_reminders.chosen_organization(uuid)',
        'assignment_reminders.coordinator_to_tell(uuid, uuid, uuid, text)',
        'assignment_reminders.unsubscribe_token(uuid)',
        'assignment_reminders.evaluate_assignment(uuid, date)',
        'assignment_reminders.explain_assignment(uuid, timestamptz, timestamptz)',
        'assignment_reminders.silence_of(timestamptz, date, text, assignment_reminders.assignment_facts, assignment_reminders.settings_facts, boolean, assignment_reminders.person_facts, assignment_reminders.person_facts, assignment_reminders.person_facts, assignment_reminders.message_facts, assignment_reminders.message_facts, boolean, assignment_reminders.stop_facts, assignment_reminders.stop_facts, assignment_reminders.stop_facts)',
        'assignment_reminders.silence_as_of(uuid, timestamptz, timestamptz, uuid)',
        'assignment_reminders.messages_as_of(timestamptz, uuid, uuid[], text)',
        'assignment_reminders.person_as_of(timestamptz, uuid, uuid)',
        'assignment_reminders.was_returned(uuid, timestamptz, timestamptz, uuid, text)',
        'assignment_reminders.assignment_timeline(uuid)',
        'assignment_reminders.assignment_silences(timestamptz, date)',
        'assignment_reminders.assignment_outlooks(timestamptz, uuid)',
        'assignment_reminders.forgotten_assignments(uuid, timestamptz)',
        'assignment_reminders.follow_up_effect(date, date, uuid)',
        'assignment_reminders.simulate_follow_ups(uuid, date, date, jsonb)',
        'assignment_reminders.organization_in_sight()',
        'assignment_reminders.evaluation_turns(timestamptz)',
        'assignment_reminders.due_follow_ups(timestamptz, uuid, boolean, integer, integer, integer, integer[], date, uuid)',
        'assignment_reminders.evaluate_assignments(timestamptz, uuid)',
        'assignment_reminders.preview_follow_ups(uuid, integer, integer, integer[], integer, date, uuid, timestamptz)',
        'assignment_reminders.get_open_assignments_with_contact_dates(date, uuid, integer, uuid)',
        'assignment_reminders.get_assignments_with_no_contact_since(date, date, uuid, integer, uuid)',
        'assignment_reminders.get_last_contact_date(uuid)',
        'assignment_reminders.get_assignment_with_participants(uuid)',
        'assignment_reminders.verify_assignment_counts()',
        'assignment_reminders.row_versions(text, timestamptz, timestamptz, uuid, uuid[])',
        'assignment_reminders.put_back(jsonb)',
        'assignment_reminders.rows_as_of(text, timestamptz, uuid, uuid[])',
        'assignment_reminders.contact_dates_as_of(timestamptz, uuid, uuid[])',
        'assignment_reminders.history_known_since()',
        'assignment_reminders.require_history(text, timestamptz, uuid)',
        'assignment_reminders.assignment_counts_as_of(timestamptz, uuid)',
        'assignment_reminders.mentor_statement(date, date, uuid)',
        'assignment_reminders.closed_period_checksum(uuid, uuid, integer, date, date, timestamptz, timestamptz, text, timestamptz, text, uuid, text)',
        'assignment_reminders.verify_closed_periods(uuid)',
        'assignment_reminders.verify_contact_dates()',
        'assignment_reminders.evaluation_health(interval, timestamptz)',
        'assignment_reminders.watch_daily_evaluation(interval)',
        'assignment_reminders.due_assignments(text, integer[], integer, timestamptz, integer, timestamptz, uuid, integer, uuid)',
        'assignment_reminders.daily_summary(uuid, timestamptz)',
        'assignment_reminders.addresses_of(uuid)',
        'assignment_reminders.has_something_to_say(uuid, timestamptz, text)',
        'assignment_reminders.is_in_daily_summary(text, timestamptz, timestamptz, timestamptz, timestamptz)'
    ]::regprocedure[];
    -- Whoever created the extension may call the rest, too, which writes or is a trigger, and grant it to others: also an owner
    -- who is no superuser, to whom the functions of a trusted extension do not belong.
    owner regrole := (SELECT e.extowner FROM pg_catalog.pg_extension e WHERE e.extname = 'assignment_reminders');
    known text[] := string_to_array(current_setting('assignment_reminders.functions_before', true), ',');
    added regprocedure;
BEGIN
    FOR added IN
        SELECT d.objid FROM pg_catalog.pg_depend d
         WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.deptype = 'e'
           AND d.refobjid = (SELECT e.oid FROM pg_catalog.pg_extension e WHERE e.extname = 'assignment_reminders')
           AND d.objid::text <> ALL (coalesce(known, '{}'))
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', added);
        IF owner <> (SELECT p.proowner FROM pg_catalog.pg_proc p WHERE p.oid = added) THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s WITH GRANT OPTION', added, owner);
        END IF;
        IF added = ANY (for_everybody) THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO PUBLIC', added);
        END IF;
    END LOOP;
END
$$;
