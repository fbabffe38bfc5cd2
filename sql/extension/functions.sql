-- What is said of the functions once they all exist: who may call them, under which settings triggers run, and what \df+
-- shows. The full contract is in the README's function reference and the Rust doc comments.
--
-- No function here is SECURITY DEFINER. Triggers take the table owner's rights themselves (src/server/owner.rs).

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA assignment_reminders FROM PUBLIC;

-- Everybody: the rules, which know only their arguments, and the default of organization_id, which inserts need.
GRANT EXECUTE ON FUNCTION
    assignment_reminders.days_since_last_contact(date, date),
    assignment_reminders.is_reminder_due(integer, integer),
    assignment_reminders.is_escalation_due(integer, integer, timestamptz),
    assignment_reminders.evaluate_assignment(date, date, timestamptz, integer, integer, date),
    assignment_reminders.dispatched_at(text, boolean, text, text, timestamptz, timestamptz, timestamptz),
    assignment_reminders.due_reminder_type(interval),
    assignment_reminders.skip_reason(text, timestamptz, text, date, timestamptz, boolean, boolean, boolean, boolean, boolean, boolean, timestamptz),
    assignment_reminders.after_loss(integer, integer),
    assignment_reminders.day_before(timestamptz, text),
    assignment_reminders.time_ordered_id(),
    assignment_reminders.current_organization()
TO PUBLIC;

-- Everybody, too: reads, which show nothing that the caller's own rights on the tables do not.
GRANT EXECUTE ON FUNCTION
    assignment_reminders.existing_organization(uuid),
    assignment_reminders.evaluate_assignment(uuid, date),
    assignment_reminders.evaluate_assignments(timestamptz, uuid),
    assignment_reminders.get_open_assignments_with_contact_dates(date, uuid, integer, uuid),
    assignment_reminders.get_assignments_with_no_contact_since(date, date, uuid, integer, uuid),
    assignment_reminders.get_last_contact_date(uuid),
    assignment_reminders.get_assignment_with_participants(uuid),
    assignment_reminders.verify_assignment_counts(),
    assignment_reminders.verify_contact_dates(),
    assignment_reminders.evaluation_health(interval, timestamptz),
    assignment_reminders.watch_daily_evaluation(interval),
    assignment_reminders.due_assignments(text, integer[], integer, timestamptz, integer, timestamptz, uuid, integer, uuid),
    assignment_reminders.daily_summary(uuid, timestamptz),
    assignment_reminders.has_something_to_say(uuid, timestamptz, text)
TO PUBLIC;

-- The rest, which writes or is a trigger: whoever created the extension, and whom they grant it to.
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA assignment_reminders TO @extowner@;

-- Triggers that run SQL. The search_path is pinned, since they run with the owner's rights. Their plans are kept for the
-- life of the backend, whatever the size of the first statement: without hash and merge joins and sequential scans they
-- always look up by index what a statement touched, and never come to read a large table for a single row. Generic, since Postgres takes
-- arrays of unknown length for long and would plan anew every time (which made single inserts half as fast again).
ALTER FUNCTION assignment_reminders.maintain_last_contact_date()
    SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET jit = off
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off;
ALTER FUNCTION assignment_reminders.maintain_assignment_count()
    SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan SET jit = off
    SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off;
ALTER FUNCTION assignment_reminders.record_imported_contact() SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION assignment_reminders.create_reminder_settings() SET search_path = pg_catalog, pg_temp;

-- Over large tables, of which the plans read little: estimated dear, and compiled for longer than they run (850 ms of a run of
-- 60 ms among 10,000,000 assignments).
ALTER FUNCTION assignment_reminders.run_daily_evaluation(timestamptz) SET jit = off;
ALTER FUNCTION assignment_reminders.enqueue_due_reminders(timestamptz) SET jit = off;
ALTER FUNCTION assignment_reminders.enqueue_daily_summaries(timestamptz) SET jit = off;
ALTER FUNCTION assignment_reminders.due_assignments(text, integer[], integer, timestamptz, integer, timestamptz, uuid, integer, uuid)
    SET jit = off;

-- Many times a second, and over a table of any size: one plan, by index, whatever the statistics said when it was made.
ALTER FUNCTION assignment_reminders.claim_reminders(integer, interval, uuid, timestamptz)
    SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_mergejoin = off;
ALTER FUNCTION assignment_reminders.mark_reminder_sent(uuid, uuid, text, text, timestamptz)
    SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_mergejoin = off;
ALTER FUNCTION assignment_reminders.mark_reminders_sent(uuid[], uuid, text[], text, timestamptz)
    SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_mergejoin = off;
ALTER FUNCTION assignment_reminders.mark_reminder_failed(uuid, uuid, text, boolean, timestamptz)
    SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_mergejoin = off;
ALTER FUNCTION assignment_reminders.mark_reminders_failed(uuid[], uuid, text[], boolean[], timestamptz)
    SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_mergejoin = off;
ALTER FUNCTION assignment_reminders.extend_reminder_lease(uuid, uuid, interval, timestamptz)
    SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_mergejoin = off;
ALTER FUNCTION assignment_reminders.extend_reminder_leases(uuid[], uuid, interval, timestamptz)
    SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_mergejoin = off;

COMMENT ON TYPE assignment_reminders.evaluation IS 'What evaluate_assignment returns: an action (none, remind, escalate) and the days of silence.';
COMMENT ON TYPE assignment_reminders.follow_up IS 'What evaluate_assignments returns: a follow-up that is due and not yet enqueued.';

COMMENT ON FUNCTION assignment_reminders.days_since_last_contact(date, date) IS
    'Whole days from the last contact to as_of; NULL without contact. 22008 for infinite dates.';
COMMENT ON FUNCTION assignment_reminders.is_reminder_due(integer, integer) IS
    'days >= threshold; false when either is NULL. 22023 for a negative threshold.';
COMMENT ON FUNCTION assignment_reminders.is_escalation_due(integer, integer, timestamptz) IS
    'days >= threshold, and a reminder was sent in this silence; false when anything is NULL. 22023 for a negative threshold.';
COMMENT ON FUNCTION assignment_reminders.evaluate_assignment(date, date, timestamptz, integer, integer, date) IS
    'What an open assignment with these values calls for. Silent since last_contact_date or else assigned_on; a NULL threshold is off; a reminder from before the silence does not count.';
COMMENT ON FUNCTION assignment_reminders.evaluate_assignment(uuid, date) IS
    'What this assignment calls for on as_of (NULL: today in its organization''s time zone). P0002 for an unknown id.';
COMMENT ON FUNCTION assignment_reminders.dispatched_at(text, boolean, text, text, timestamptz, timestamptz, timestamptz) IS
    'When the reminder of a silence was dispatched, sent or given up; NULL while it is neither. An unreachable mentor counts as given up at as_of.';
COMMENT ON FUNCTION assignment_reminders.evaluate_assignments(timestamptz, uuid) IS
    'Read-only: what a run at as_of would enqueue, for one organization or (NULL) all. P0002 for an unknown organization.';
COMMENT ON FUNCTION assignment_reminders.run_daily_evaluation(timestamptz) IS
    'Enqueues every follow-up due at as_of, returns what it enqueued and logs the run. No rows, logged as skipped, while another run works; no rows, logged as failed, when it failed.';
COMMENT ON FUNCTION assignment_reminders.schedule_daily_evaluation(text, text, interval) IS
    'Schedules the daily run and its watchdog with pg_cron; calling it again changes the schedules. 55000 with a hint where pg_cron is not in this database.';
COMMENT ON FUNCTION assignment_reminders.unschedule_daily_evaluation() IS
    'Removes the pg_cron jobs of the current role that schedule_daily_evaluation made; returns how many.';
COMMENT ON FUNCTION assignment_reminders.evaluation_health(interval, timestamptz) IS
    'ok, warning or critical with reasons: the last run failed, is older than max_age, took over 30 minutes, or hangs.';
COMMENT ON FUNCTION assignment_reminders.watch_daily_evaluation(interval) IS
    'Raises 55000 when evaluation_health is critical, for a watchdog job; returns the status otherwise.';

COMMENT ON FUNCTION assignment_reminders.due_assignments(text, integer[], integer, timestamptz, integer, timestamptz, uuid, integer, uuid) IS
    'A page of open assignments due the targets (in minutes, hours or days) after as_of, give or take tolerance minutes, whose students can be written to. Next page: pass the last row''s target, due_at and assignment_id.';
COMMENT ON FUNCTION assignment_reminders.due_reminder_type(interval) IS
    'The type of the reminder sent this long before a due date: 24h, 2d, 90m.';
COMMENT ON FUNCTION assignment_reminders.enqueue_due_reminders(timestamptz) IS
    'Enqueues the due reminders whose assignment''s window has opened, once per due date and offset; returns what it enqueued. Late ones are due at once.';
COMMENT ON FUNCTION assignment_reminders.daily_summary(uuid, timestamptz) IS
    'A student''s current, overdue and (within the day before) completed assignments, as JSON arrays. P0002 for an unknown id.';
COMMENT ON FUNCTION assignment_reminders.enqueue_daily_summaries(timestamptz) IS
    'Enqueues the daily summary of those who asked for it, once per local day from the hour they prefer; returns what it enqueued.';
COMMENT ON FUNCTION assignment_reminders.has_something_to_say(uuid, timestamptz, text) IS
    'Whether a student''s daily summary at as_of would hold anything.';
COMMENT ON FUNCTION assignment_reminders.day_before(timestamptz, text) IS
    'The moment a day before as_of, by the clock of a time zone.';
COMMENT ON FUNCTION assignment_reminders.schedule_delivery_jobs(text, text) IS
    'Schedules enqueue_due_reminders and enqueue_daily_summaries with pg_cron; calling it again changes the schedules. 55000 with a hint where pg_cron is not in this database.';
COMMENT ON FUNCTION assignment_reminders.unschedule_delivery_jobs() IS
    'Removes the pg_cron jobs of the current role that schedule_delivery_jobs made; returns how many.';

COMMENT ON FUNCTION assignment_reminders.claim_reminders(integer, interval, uuid, timestamptz) IS
    'Hands out due reminders, oldest first and in turn over the organizations, leased to the caller; skips what should no longer be sent, gives up what nobody answered for max_attempts times. No row: nothing is due. 25001 outside READ COMMITTED.';
COMMENT ON FUNCTION assignment_reminders.skip_reason(text, timestamptz, text, date, timestamptz, boolean, boolean, boolean, boolean, boolean, boolean, timestamptz) IS
    'Why a reminder should no longer be sent, NULL to send it. The decision that claims take.';
COMMENT ON FUNCTION assignment_reminders.after_loss(integer, integer) IS
    'What becomes of a reminder whose claim nobody answered for, the lost attempt counted: retry, retry_alone or give_up.';
COMMENT ON FUNCTION assignment_reminders.time_ordered_id() IS
    'A new UUID, version 7: rows written together lie together in its index.';
COMMENT ON FUNCTION assignment_reminders.mark_reminder_sent(uuid, uuid, text, text, timestamptz) IS
    'Records a claimed reminder as sent and logs it. False: the claim no longer holds, nothing was changed.';
COMMENT ON FUNCTION assignment_reminders.mark_reminders_sent(uuid[], uuid, text[], text, timestamptz) IS
    'Records the reminders of one claim as sent. Returns the ids whose claim no longer holds.';
COMMENT ON FUNCTION assignment_reminders.mark_reminder_failed(uuid, uuid, text, boolean, timestamptz) IS
    'Records a failed send: retried after a backoff, or given up. False: the claim no longer holds, nothing was changed.';
COMMENT ON FUNCTION assignment_reminders.mark_reminders_failed(uuid[], uuid, text[], boolean[], timestamptz) IS
    'Records failed sends of one claim. Returns the ids whose claim no longer holds.';
COMMENT ON FUNCTION assignment_reminders.extend_reminder_lease(uuid, uuid, interval, timestamptz) IS
    'Keeps a claimed reminder for longer. False: it is no longer the caller''s, or was withdrawn; do not send it.';
COMMENT ON FUNCTION assignment_reminders.extend_reminder_leases(uuid[], uuid, interval, timestamptz) IS
    'Keeps the reminders of one claim for longer. Returns the ids that are no longer the caller''s.';
COMMENT ON FUNCTION assignment_reminders.retry_failed_reminders(timestamptz, uuid, integer, timestamptz) IS
    'Makes reminders that were given up due again, up to batch_size; returns how many. For after an outage.';
COMMENT ON FUNCTION assignment_reminders.record_delivery_event(text, text, text, text, boolean) IS
    'Records that a message was delivered, bounced or rejected, once per event. A hard bounce or bounce_limit soft ones opt the person out. P0002 for an unknown message.';
COMMENT ON FUNCTION assignment_reminders.restore_contact(uuid) IS
    'Takes back a person''s opt-out and forgets their bounces; returns whether they were opted out.';
COMMENT ON FUNCTION assignment_reminders.prune(interval, integer, timestamptz) IS
    'Deletes up to batch_size rows each of send_logs and evaluation_runs older than an age; returns how many. Call until both are 0.';

COMMENT ON FUNCTION assignment_reminders.get_open_assignments_with_contact_dates(date, uuid, integer, uuid) IS
    'A page of open assignments, longest silent first. Next page: pass the last row''s silent_since and assignment_id. Pages of 1 to 10000 rows.';
COMMENT ON FUNCTION assignment_reminders.get_assignments_with_no_contact_since(date, date, uuid, integer, uuid) IS
    'A page of open assignments last in contact (without any: assigned) before cutoff_date, longest silent first.';
COMMENT ON FUNCTION assignment_reminders.get_last_contact_date(uuid) IS
    'The assignment''s latest contact; NULL without any. P0002 for an unknown id.';
COMMENT ON FUNCTION assignment_reminders.get_assignment_with_participants(uuid) IS
    'The assignment with its student, mentor and coordinator. P0002 for an unknown id.';
COMMENT ON FUNCTION assignment_reminders.update_last_contact_date(uuid, date) IS
    'Moves a contact date forward and returns the date that now holds; an earlier date changes nothing.';
COMMENT ON FUNCTION assignment_reminders.correct_last_contact_date(uuid, date, text) IS
    'Sets a contact date, back as well as forward (NULL: never), and keeps who, why and what it was. 22023 without a reason.';

COMMENT ON FUNCTION assignment_reminders.verify_assignment_counts() IS
    'Mentors whose assignment_count differs from count(*); always empty, unless triggers were bypassed.';
COMMENT ON FUNCTION assignment_reminders.repair_assignment_counts() IS
    'Writes the true counts over wrong ones, for after writes that bypassed triggers; returns both.';

COMMENT ON FUNCTION assignment_reminders.verify_contact_dates() IS
    'Assignments whose last_contact_date differs from what activities and corrections say; always empty, unless triggers were bypassed.';
COMMENT ON FUNCTION assignment_reminders.repair_contact_dates() IS
    'Sets wrong contact dates to what activities and corrections say, for after writes that bypassed triggers; returns both.';

COMMENT ON FUNCTION assignment_reminders.current_organization() IS
    'The setting assignment_reminders.organization_id, else organization_id in request.jwt.claims (top level or app_metadata), else the default organization. 22P02 when malformed.';
COMMENT ON FUNCTION assignment_reminders.existing_organization(uuid) IS
    'The id itself if an organization has it, NULL for NULL. P0002 otherwise.';
COMMENT ON FUNCTION assignment_reminders.install() IS
    'Makes the tables, owned by the caller, or brings them up to date; puts back missing triggers and catches up. Calling it again changes nothing.';

COMMENT ON FUNCTION assignment_reminders.create_reminder_settings() IS 'Trigger: gives an organization its row of settings.';
COMMENT ON FUNCTION assignment_reminders.maintain_assignment_count() IS 'Trigger: keeps peer_mentors.assignment_count equal to count(*), once per statement.';
COMMENT ON FUNCTION assignment_reminders.maintain_last_contact_date() IS 'Trigger: keeps assignments.last_contact_date in step with activities, once per statement.';
COMMENT ON FUNCTION assignment_reminders.record_imported_contact() IS 'Trigger: keeps the contact date that an assignment was inserted with.';
COMMENT ON FUNCTION assignment_reminders.forget_bounces() IS 'Trigger: a new address starts without the soft bounces of the old one.';
COMMENT ON FUNCTION assignment_reminders.protect_assignment_count() IS 'Trigger: refuses a client''s write to assignment_count. 428C9.';
COMMENT ON FUNCTION assignment_reminders.protect_last_contact_date() IS 'Trigger: refuses a client''s update of last_contact_date. 428C9.';
COMMENT ON FUNCTION assignment_reminders.refuse_future_activity() IS 'Trigger: refuses an activity more than a day ahead. 22008.';
COMMENT ON FUNCTION assignment_reminders.refuse_update() IS 'Trigger: refuses to change a history. 2F002.';
COMMENT ON FUNCTION assignment_reminders.set_updated_at() IS 'Trigger: sets updated_at where the writer did not.';
COMMENT ON FUNCTION assignment_reminders.sync_completed() IS 'Trigger: makes completed and status agree, the one that was written leading, and keeps completed_at.';
