-- What ties the tables to the extension: triggers and defaults that call its functions. DROP EXTENSION ... CASCADE
-- removes them and install() puts them back; every statement here may therefore run again.
--
-- Whole-statement triggers do the work on sets. Row triggers only guard or adjust single rows, and a WHEN clause keeps
-- their functions from being called for rows that need nothing.

ALTER TABLE assignment_reminders.reminder_settings ALTER COLUMN organization_id SET DEFAULT assignment_reminders.default_organization();
ALTER TABLE assignment_reminders.users ALTER COLUMN organization_id SET DEFAULT assignment_reminders.default_organization();
ALTER TABLE assignment_reminders.user_preferences ALTER COLUMN organization_id SET DEFAULT assignment_reminders.default_organization();
ALTER TABLE assignment_reminders.peer_mentors ALTER COLUMN organization_id SET DEFAULT assignment_reminders.default_organization();
ALTER TABLE assignment_reminders.assignments ALTER COLUMN organization_id SET DEFAULT assignment_reminders.default_organization();
ALTER TABLE assignment_reminders.contact_corrections ALTER COLUMN organization_id SET DEFAULT assignment_reminders.default_organization();
ALTER TABLE assignment_reminders.assignment_pauses ALTER COLUMN organization_id SET DEFAULT assignment_reminders.default_organization();
ALTER TABLE assignment_reminders.message_templates ALTER COLUMN organization_id SET DEFAULT assignment_reminders.default_organization();
ALTER TABLE assignment_reminders.days_off ALTER COLUMN organization_id SET DEFAULT assignment_reminders.default_organization();
ALTER TABLE assignment_reminders.mentor_pauses ALTER COLUMN organization_id SET DEFAULT assignment_reminders.default_organization();
ALTER TABLE assignment_reminders.activities ALTER COLUMN organization_id SET DEFAULT assignment_reminders.default_organization();
ALTER TABLE assignment_reminders.reminders ALTER COLUMN organization_id SET DEFAULT assignment_reminders.default_organization();
ALTER TABLE assignment_reminders.send_logs ALTER COLUMN organization_id SET DEFAULT assignment_reminders.default_organization();
-- Organizations: each gets its row of settings.
CREATE OR REPLACE TRIGGER organizations_create_settings
    AFTER INSERT ON assignment_reminders.organizations REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.create_reminder_settings();

-- Assignments: completed and status agree; counts and contact dates are ours to write. Guards look AFTER a row is written, so that
-- no other trigger can change it behind them.
CREATE OR REPLACE TRIGGER assignments_sync_completed
    BEFORE INSERT OR UPDATE ON assignment_reminders.assignments
    FOR EACH ROW WHEN (NEW.completed <> (NEW.status = 'completed') OR NEW.completed <> (NEW.completed_at IS NOT NULL))
    EXECUTE FUNCTION assignment_reminders.sync_completed();
CREATE OR REPLACE TRIGGER assignments_fill_inserted
    BEFORE INSERT ON assignment_reminders.assignments
    FOR EACH ROW WHEN (NEW.assigned_on IS NULL OR NEW.follow_up AND NEW.peer_mentor_id IS NULL AND NEW.coordinator_id IS NULL)
    EXECUTE FUNCTION assignment_reminders.fill_assignment();
CREATE OR REPLACE TRIGGER assignments_fill_updated
    BEFORE UPDATE ON assignment_reminders.assignments
    FOR EACH ROW WHEN (OLD.peer_mentor_id IS DISTINCT FROM NEW.peer_mentor_id
                       OR NOT OLD.follow_up AND NOT NEW.follow_up AND OLD.coordinator_id IS NULL AND NEW.coordinator_id IS NOT NULL)
    EXECUTE FUNCTION assignment_reminders.fill_assignment();
CREATE OR REPLACE TRIGGER assignments_keep_closed_days
    AFTER UPDATE ON assignment_reminders.assignments
    FOR EACH ROW WHEN ((OLD.status = 'open') <> (NEW.status = 'open'))
    EXECUTE FUNCTION assignment_reminders.keep_closed_days();
CREATE OR REPLACE TRIGGER assignments_keep_leave
    AFTER UPDATE ON assignment_reminders.assignments
    FOR EACH ROW WHEN (OLD.peer_mentor_id IS NOT NULL AND OLD.peer_mentor_id IS DISTINCT FROM NEW.peer_mentor_id)
    EXECUTE FUNCTION assignment_reminders.keep_leave();
CREATE OR REPLACE TRIGGER assignments_refuse_new_id
    AFTER UPDATE ON assignment_reminders.assignments
    FOR EACH ROW WHEN (NEW.id <> OLD.id) EXECUTE FUNCTION assignment_reminders.refuse_new_id();
CREATE OR REPLACE TRIGGER assignments_protect_last_contact_date
    AFTER UPDATE ON assignment_reminders.assignments
    FOR EACH ROW WHEN (NEW.last_contact_date IS DISTINCT FROM OLD.last_contact_date)
    EXECUTE FUNCTION assignment_reminders.protect_last_contact_date();
CREATE OR REPLACE TRIGGER assignments_record_imported_contact
    AFTER INSERT ON assignment_reminders.assignments
    FOR EACH ROW WHEN (NEW.last_contact_date IS NOT NULL)
    EXECUTE FUNCTION assignment_reminders.record_imported_contact();
CREATE OR REPLACE TRIGGER assignments_count_inserted
    AFTER INSERT ON assignment_reminders.assignments REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.maintain_assignment_count();
CREATE OR REPLACE TRIGGER assignments_count_updated
    AFTER UPDATE ON assignment_reminders.assignments REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.maintain_assignment_count();
CREATE OR REPLACE TRIGGER assignments_count_deleted
    AFTER DELETE ON assignment_reminders.assignments REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.maintain_assignment_count();
CREATE OR REPLACE TRIGGER assignments_count_truncated
    AFTER TRUNCATE ON assignment_reminders.assignments
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.maintain_assignment_count();

-- Peer mentors: no client writes the count.
CREATE OR REPLACE TRIGGER peer_mentors_protect_inserted_count
    AFTER INSERT ON assignment_reminders.peer_mentors
    FOR EACH ROW WHEN (NEW.assignment_count <> 0)
    EXECUTE FUNCTION assignment_reminders.protect_assignment_count();
CREATE OR REPLACE TRIGGER peer_mentors_refuse_new_id
    AFTER UPDATE ON assignment_reminders.peer_mentors
    FOR EACH ROW WHEN (NEW.id <> OLD.id) EXECUTE FUNCTION assignment_reminders.refuse_new_id();
-- Before the row goes: a foreign key's cascade, and what fires beside it, come after.
CREATE OR REPLACE TRIGGER peer_mentors_remember_deleted
    BEFORE DELETE ON assignment_reminders.peer_mentors
    FOR EACH ROW EXECUTE FUNCTION assignment_reminders.refuse_reused_id();
CREATE OR REPLACE TRIGGER peer_mentors_keep_leave
    BEFORE DELETE ON assignment_reminders.peer_mentors
    FOR EACH ROW EXECUTE FUNCTION assignment_reminders.keep_leave_of_all();
CREATE OR REPLACE TRIGGER peer_mentors_refuse_reused_id
    AFTER INSERT ON assignment_reminders.peer_mentors
    FOR EACH ROW EXECUTE FUNCTION assignment_reminders.refuse_reused_id();
CREATE OR REPLACE TRIGGER peer_mentors_protect_updated_count
    AFTER UPDATE ON assignment_reminders.peer_mentors
    FOR EACH ROW WHEN (NEW.assignment_count IS DISTINCT FROM OLD.assignment_count)
    EXECUTE FUNCTION assignment_reminders.protect_assignment_count();

-- Users: a new address starts without the bounces of the old one.
CREATE OR REPLACE TRIGGER users_forget_bounces
    BEFORE UPDATE ON assignment_reminders.users
    FOR EACH ROW WHEN (NEW.email IS DISTINCT FROM OLD.email AND NEW.soft_bounces <> 0)
    EXECUTE FUNCTION assignment_reminders.forget_bounces();

-- Users: everybody has a token to unsubscribe by.
CREATE OR REPLACE TRIGGER users_create_unsubscribe_tokens
    AFTER INSERT ON assignment_reminders.users REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.create_unsubscribe_tokens();

-- Users: nobody makes themselves what they are. Of an update it is asked BEFORE, as whoever writes: a foreign key of the owner's that sets
-- auth_user_id to NULL writes as the tables' owner, and AFTER it the session's role is back. Of an insert AFTER: what an upsert proposes
-- is not what it writes.
CREATE OR REPLACE TRIGGER users_protect_given_identity
    AFTER INSERT ON assignment_reminders.users
    FOR EACH ROW WHEN (NEW.role <> 'member' OR NEW.auth_user_id IS NOT NULL)
    EXECUTE FUNCTION assignment_reminders.protect_identity();
CREATE OR REPLACE TRIGGER users_protect_changed_identity
    BEFORE UPDATE ON assignment_reminders.users
    FOR EACH ROW WHEN (NEW.role IS DISTINCT FROM OLD.role OR NEW.auth_user_id IS DISTINCT FROM OLD.auth_user_id
                       OR NEW.email IS DISTINCT FROM OLD.email OR NEW.id <> OLD.id OR NEW.organization_id <> OLD.organization_id)
    EXECUTE FUNCTION assignment_reminders.protect_identity();

-- Activities: the contact date follows them. AFTER, not BEFORE: a BEFORE row trigger would slow COPY down.
CREATE OR REPLACE TRIGGER activities_refuse_future
    AFTER INSERT OR UPDATE ON assignment_reminders.activities
    FOR EACH ROW WHEN (NEW.occurred_at > now() + interval '1 day')
    EXECUTE FUNCTION assignment_reminders.refuse_future_activity();
CREATE OR REPLACE TRIGGER activities_contact_inserted
    AFTER INSERT ON assignment_reminders.activities REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.maintain_last_contact_date();
CREATE OR REPLACE TRIGGER activities_contact_updated
    AFTER UPDATE ON assignment_reminders.activities REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.maintain_last_contact_date();
CREATE OR REPLACE TRIGGER activities_contact_deleted
    AFTER DELETE ON assignment_reminders.activities REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.maintain_last_contact_date();
CREATE OR REPLACE TRIGGER activities_contact_truncated
    AFTER TRUNCATE ON assignment_reminders.activities
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.maintain_last_contact_date();

-- What a correction overruled is overruled of that assignment only. BEFORE, so that the foreign key sees it where the activity goes to
-- another organization; a WHEN clause keeps it from other updates.
CREATE OR REPLACE TRIGGER activities_forget_overruling
    BEFORE UPDATE ON assignment_reminders.activities
    FOR EACH ROW WHEN (NEW.assignment_id <> OLD.assignment_id AND NEW.overruled_by = OLD.overruled_by)
    EXECUTE FUNCTION assignment_reminders.forget_overruling();

-- Corrections: who made which, and as which of the assignment's, is ours to say; and they take effect, whoever inserts them.
CREATE OR REPLACE TRIGGER contact_corrections_sign
    BEFORE INSERT ON assignment_reminders.contact_corrections
    FOR EACH ROW EXECUTE FUNCTION assignment_reminders.sign_correction();
CREATE OR REPLACE TRIGGER contact_corrections_apply
    AFTER INSERT ON assignment_reminders.contact_corrections
    FOR EACH ROW EXECUTE FUNCTION assignment_reminders.apply_correction();
CREATE OR REPLACE TRIGGER contact_corrections_contact_deleted
    AFTER DELETE ON assignment_reminders.contact_corrections REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.maintain_last_contact_date();
CREATE OR REPLACE TRIGGER contact_corrections_contact_truncated
    AFTER TRUNCATE ON assignment_reminders.contact_corrections
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.maintain_last_contact_date();

-- Histories: what was written stays as it was. Deleting a tenant or an old log is the owner's right.
CREATE OR REPLACE TRIGGER contact_corrections_append_only
    BEFORE UPDATE ON assignment_reminders.contact_corrections
    FOR EACH ROW EXECUTE FUNCTION assignment_reminders.refuse_update();
CREATE OR REPLACE TRIGGER send_logs_append_only
    BEFORE UPDATE ON assignment_reminders.send_logs
    FOR EACH ROW WHEN (
        -- All but the reference, which becomes NULL when what it points to is deleted.
        OLD.id IS DISTINCT FROM NEW.id
        OR OLD.organization_id IS DISTINCT FROM NEW.organization_id
        OR OLD.assignment_id IS DISTINCT FROM NEW.assignment_id
        OR OLD.reminder_type IS DISTINCT FROM NEW.reminder_type
        OR OLD.anchor IS DISTINCT FROM NEW.anchor
        OR OLD.to_email IS DISTINCT FROM NEW.to_email
        OR OLD.from_inbox IS DISTINCT FROM NEW.from_inbox
        OR OLD.message_id IS DISTINCT FROM NEW.message_id
        -- Once it is known.
        OR OLD.provider_message_id IS NOT NULL AND OLD.provider_message_id IS DISTINCT FROM NEW.provider_message_id
        OR OLD.event_id IS DISTINCT FROM NEW.event_id
        OR OLD.status IS DISTINCT FROM NEW.status
        OR OLD.error IS DISTINCT FROM NEW.error
        OR OLD.attempt IS DISTINCT FROM NEW.attempt
        OR OLD.given_up IS DISTINCT FROM NEW.given_up
        OR OLD.verdict IS DISTINCT FROM NEW.verdict
        OR OLD.claim_id IS DISTINCT FROM NEW.claim_id
        OR OLD.claimed_reminder_id IS DISTINCT FROM NEW.claimed_reminder_id
        OR OLD.created_at IS DISTINCT FROM NEW.created_at)
    EXECUTE FUNCTION assignment_reminders.refuse_update();

-- The worker that has it may have sent it.
CREATE OR REPLACE TRIGGER reminders_keep_claim
    AFTER DELETE ON assignment_reminders.reminders
    FOR EACH ROW WHEN (OLD.claim_id IS NOT NULL AND OLD.status IN ('pending', 'skipped'))
    EXECUTE FUNCTION assignment_reminders.keep_claim();

CREATE OR REPLACE TRIGGER reminder_settings_note_change
    BEFORE UPDATE ON assignment_reminders.reminder_settings
    FOR EACH ROW WHEN (OLD.reminder_after_days IS DISTINCT FROM NEW.reminder_after_days
                       OR OLD.escalate_after_days IS DISTINCT FROM NEW.escalate_after_days
                       OR OLD.escalation_grace_days <> NEW.escalation_grace_days
                       OR OLD.weekly_days_off <> NEW.weekly_days_off OR OLD.follow_up_from IS DISTINCT FROM NEW.follow_up_from)
    EXECUTE FUNCTION assignment_reminders.note_changed_thresholds();
CREATE OR REPLACE TRIGGER days_off_note_change
    AFTER INSERT OR UPDATE ON assignment_reminders.days_off
    FOR EACH ROW EXECUTE FUNCTION assignment_reminders.note_day_off();
CREATE OR REPLACE TRIGGER user_preferences_note_change
    BEFORE UPDATE ON assignment_reminders.user_preferences
    FOR EACH ROW WHEN ((OLD.daily_summary <> NEW.daily_summary OR OLD.summary_hour <> NEW.summary_hour)
                       AND NEW.summary_changed_at IS NOT DISTINCT FROM OLD.summary_changed_at)
    EXECUTE FUNCTION assignment_reminders.note_changed_summary();
CREATE OR REPLACE TRIGGER reminders_begin_episode
    BEFORE UPDATE ON assignment_reminders.reminders
    FOR EACH ROW WHEN (OLD.status = 'sent' AND NEW.status = 'pending' AND NEW.episode = OLD.episode)
    EXECUTE FUNCTION assignment_reminders.begin_episode();
CREATE OR REPLACE TRIGGER reminders_tell_workers
    AFTER INSERT ON assignment_reminders.reminders
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.tell_workers();

-- History: what statements replace is kept by them. Inserts write nothing, but where a row says that it was created at another moment.
CREATE OR REPLACE TRIGGER organizations_keep_updated
    AFTER UPDATE ON assignment_reminders.organizations REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.keep_versions();
CREATE OR REPLACE TRIGGER organizations_keep_deleted
    AFTER DELETE ON assignment_reminders.organizations REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.keep_versions();
CREATE OR REPLACE TRIGGER organizations_keep_truncated
    BEFORE TRUNCATE ON assignment_reminders.organizations
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.keep_versions();
CREATE OR REPLACE TRIGGER organizations_note_insert
    AFTER INSERT ON assignment_reminders.organizations
    FOR EACH ROW WHEN (NEW.created_at <> now()) EXECUTE FUNCTION assignment_reminders.note_insert();
CREATE OR REPLACE TRIGGER reminder_settings_keep_updated
    AFTER UPDATE ON assignment_reminders.reminder_settings REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.keep_versions();
CREATE OR REPLACE TRIGGER reminder_settings_keep_deleted
    AFTER DELETE ON assignment_reminders.reminder_settings REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.keep_versions();
CREATE OR REPLACE TRIGGER reminder_settings_keep_truncated
    BEFORE TRUNCATE ON assignment_reminders.reminder_settings
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.keep_versions();
CREATE OR REPLACE TRIGGER reminder_settings_note_insert
    AFTER INSERT ON assignment_reminders.reminder_settings
    FOR EACH ROW WHEN (NEW.created_at <> now()) EXECUTE FUNCTION assignment_reminders.note_insert();
CREATE OR REPLACE TRIGGER days_off_keep_updated
    AFTER UPDATE ON assignment_reminders.days_off REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.keep_versions();
CREATE OR REPLACE TRIGGER days_off_keep_deleted
    AFTER DELETE ON assignment_reminders.days_off REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.keep_versions();
CREATE OR REPLACE TRIGGER days_off_keep_truncated
    BEFORE TRUNCATE ON assignment_reminders.days_off
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.keep_versions();
CREATE OR REPLACE TRIGGER days_off_note_insert
    AFTER INSERT ON assignment_reminders.days_off
    FOR EACH ROW WHEN (NEW.created_at <> now()) EXECUTE FUNCTION assignment_reminders.note_insert();
CREATE OR REPLACE TRIGGER users_keep_updated
    AFTER UPDATE ON assignment_reminders.users REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.keep_versions();
CREATE OR REPLACE TRIGGER users_keep_deleted
    AFTER DELETE ON assignment_reminders.users REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.keep_versions();
CREATE OR REPLACE TRIGGER users_keep_truncated
    BEFORE TRUNCATE ON assignment_reminders.users
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.keep_versions();
CREATE OR REPLACE TRIGGER users_note_insert
    AFTER INSERT ON assignment_reminders.users
    FOR EACH ROW WHEN (NEW.created_at <> now()) EXECUTE FUNCTION assignment_reminders.note_insert();
CREATE OR REPLACE TRIGGER user_preferences_keep_updated
    AFTER UPDATE ON assignment_reminders.user_preferences REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.keep_versions();
CREATE OR REPLACE TRIGGER user_preferences_keep_deleted
    AFTER DELETE ON assignment_reminders.user_preferences REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.keep_versions();
CREATE OR REPLACE TRIGGER user_preferences_keep_truncated
    BEFORE TRUNCATE ON assignment_reminders.user_preferences
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.keep_versions();
CREATE OR REPLACE TRIGGER user_preferences_note_insert
    AFTER INSERT ON assignment_reminders.user_preferences
    FOR EACH ROW WHEN (NEW.created_at <> now()) EXECUTE FUNCTION assignment_reminders.note_insert();
CREATE OR REPLACE TRIGGER peer_mentors_keep_updated
    AFTER UPDATE ON assignment_reminders.peer_mentors REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.keep_versions();
CREATE OR REPLACE TRIGGER peer_mentors_keep_deleted
    AFTER DELETE ON assignment_reminders.peer_mentors REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.keep_versions();
CREATE OR REPLACE TRIGGER peer_mentors_keep_truncated
    BEFORE TRUNCATE ON assignment_reminders.peer_mentors
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.keep_versions();
CREATE OR REPLACE TRIGGER peer_mentors_note_insert
    AFTER INSERT ON assignment_reminders.peer_mentors
    FOR EACH ROW WHEN (NEW.created_at <> now()) EXECUTE FUNCTION assignment_reminders.note_insert();
CREATE OR REPLACE TRIGGER assignments_keep_updated
    AFTER UPDATE ON assignment_reminders.assignments REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.keep_versions();
CREATE OR REPLACE TRIGGER assignments_keep_deleted
    AFTER DELETE ON assignment_reminders.assignments REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.keep_versions();
CREATE OR REPLACE TRIGGER assignments_keep_truncated
    BEFORE TRUNCATE ON assignment_reminders.assignments
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.keep_versions();
CREATE OR REPLACE TRIGGER assignments_note_insert
    AFTER INSERT ON assignment_reminders.assignments
    FOR EACH ROW WHEN (NEW.created_at <> now()) EXECUTE FUNCTION assignment_reminders.note_insert();
CREATE OR REPLACE TRIGGER assignment_pauses_keep_updated
    AFTER UPDATE ON assignment_reminders.assignment_pauses REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.keep_versions();
CREATE OR REPLACE TRIGGER assignment_pauses_keep_deleted
    AFTER DELETE ON assignment_reminders.assignment_pauses REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.keep_versions();
CREATE OR REPLACE TRIGGER assignment_pauses_keep_truncated
    BEFORE TRUNCATE ON assignment_reminders.assignment_pauses
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.keep_versions();
CREATE OR REPLACE TRIGGER assignment_pauses_note_insert
    AFTER INSERT ON assignment_reminders.assignment_pauses
    FOR EACH ROW WHEN (NEW.created_at <> now()) EXECUTE FUNCTION assignment_reminders.note_insert();
CREATE OR REPLACE TRIGGER mentor_pauses_keep_updated
    AFTER UPDATE ON assignment_reminders.mentor_pauses REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.keep_versions();
CREATE OR REPLACE TRIGGER mentor_pauses_keep_deleted
    AFTER DELETE ON assignment_reminders.mentor_pauses REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.keep_versions();
CREATE OR REPLACE TRIGGER mentor_pauses_keep_truncated
    BEFORE TRUNCATE ON assignment_reminders.mentor_pauses
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.keep_versions();
CREATE OR REPLACE TRIGGER mentor_pauses_note_insert
    AFTER INSERT ON assignment_reminders.mentor_pauses
    FOR EACH ROW WHEN (NEW.created_at <> now()) EXECUTE FUNCTION assignment_reminders.note_insert();
CREATE OR REPLACE TRIGGER contact_corrections_keep_updated
    AFTER UPDATE ON assignment_reminders.contact_corrections REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.keep_versions();
CREATE OR REPLACE TRIGGER contact_corrections_keep_deleted
    AFTER DELETE ON assignment_reminders.contact_corrections REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.keep_versions();
CREATE OR REPLACE TRIGGER contact_corrections_keep_truncated
    BEFORE TRUNCATE ON assignment_reminders.contact_corrections
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.keep_versions();
CREATE OR REPLACE TRIGGER contact_corrections_note_insert
    AFTER INSERT ON assignment_reminders.contact_corrections
    FOR EACH ROW WHEN (NEW.created_at <> now()) EXECUTE FUNCTION assignment_reminders.note_insert();
CREATE OR REPLACE TRIGGER activities_keep_updated
    AFTER UPDATE ON assignment_reminders.activities REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.keep_versions();
CREATE OR REPLACE TRIGGER activities_keep_deleted
    AFTER DELETE ON assignment_reminders.activities REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.keep_versions();
CREATE OR REPLACE TRIGGER activities_keep_truncated
    BEFORE TRUNCATE ON assignment_reminders.activities
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.keep_versions();
CREATE OR REPLACE TRIGGER activities_note_insert
    AFTER INSERT ON assignment_reminders.activities
    FOR EACH ROW WHEN (NEW.created_at <> now()) EXECUTE FUNCTION assignment_reminders.note_insert();
CREATE OR REPLACE TRIGGER row_history_append_only
    BEFORE UPDATE ON assignment_reminders.row_history
    FOR EACH ROW EXECUTE FUNCTION assignment_reminders.refuse_update();
CREATE OR REPLACE TRIGGER reminder_events_append_only
    BEFORE UPDATE ON assignment_reminders.reminder_events
    FOR EACH ROW EXECUTE FUNCTION assignment_reminders.refuse_update();

-- Closed periods: nobody changes what mentors were paid by.
CREATE OR REPLACE TRIGGER closed_periods_protect
    BEFORE UPDATE OR DELETE ON assignment_reminders.closed_periods
    FOR EACH ROW EXECUTE FUNCTION assignment_reminders.protect_closed_period();
CREATE OR REPLACE TRIGGER closed_periods_protect_all
    BEFORE TRUNCATE ON assignment_reminders.closed_periods
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.protect_closed_period();
CREATE OR REPLACE TRIGGER closed_statements_protect
    BEFORE UPDATE OR DELETE ON assignment_reminders.closed_statements
    FOR EACH ROW EXECUTE FUNCTION assignment_reminders.protect_closed_period();
CREATE OR REPLACE TRIGGER closed_statements_protect_all
    BEFORE TRUNCATE ON assignment_reminders.closed_statements
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.protect_closed_period();

-- What becomes of reminders before they are sent. The WHEN clause is false for claims and answers.
CREATE OR REPLACE TRIGGER reminders_note_enqueued
    AFTER INSERT ON assignment_reminders.reminders REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.note_enqueued();
CREATE OR REPLACE TRIGGER reminders_keep_changed
    AFTER UPDATE ON assignment_reminders.reminders
    FOR EACH ROW WHEN (
        NEW.episode <> OLD.episode OR NEW.anchor IS DISTINCT FROM OLD.anchor
        OR NEW.status = ANY ('{pending,skipped}'::text[]) AND (NEW.status <> OLD.status OR NEW.skip_reason IS DISTINCT FROM OLD.skip_reason)
        OR NEW.recipient_id IS DISTINCT FROM OLD.recipient_id OR NEW.peer_mentor_id <> OLD.peer_mentor_id
    )
    EXECUTE FUNCTION assignment_reminders.keep_changed();
CREATE OR REPLACE TRIGGER reminders_note_changed
    AFTER UPDATE ON assignment_reminders.reminders
    FOR EACH STATEMENT EXECUTE FUNCTION assignment_reminders.note_changed();
CREATE OR REPLACE TRIGGER evaluation_runs_note_held
    AFTER INSERT ON assignment_reminders.evaluation_runs
    FOR EACH ROW WHEN (NEW.status = 'held') EXECUTE FUNCTION assignment_reminders.note_held();
CREATE OR REPLACE TRIGGER organization_evaluations_note_release
    AFTER UPDATE ON assignment_reminders.organization_evaluations
    FOR EACH ROW WHEN (OLD.held_at IS NOT NULL AND (NEW.held_at IS NULL OR NEW.released_at IS DISTINCT FROM OLD.released_at))
    EXECUTE FUNCTION assignment_reminders.note_release();

-- updated_at, where the writer did not set it.
CREATE OR REPLACE TRIGGER organizations_set_updated_at
    BEFORE UPDATE ON assignment_reminders.organizations
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION assignment_reminders.set_updated_at();
CREATE OR REPLACE TRIGGER reminder_settings_set_updated_at
    BEFORE UPDATE ON assignment_reminders.reminder_settings
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION assignment_reminders.set_updated_at();
CREATE OR REPLACE TRIGGER users_set_updated_at
    BEFORE UPDATE ON assignment_reminders.users
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION assignment_reminders.set_updated_at();
CREATE OR REPLACE TRIGGER user_preferences_set_updated_at
    BEFORE UPDATE ON assignment_reminders.user_preferences
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION assignment_reminders.set_updated_at();
CREATE OR REPLACE TRIGGER peer_mentors_set_updated_at
    BEFORE UPDATE ON assignment_reminders.peer_mentors
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION assignment_reminders.set_updated_at();
CREATE OR REPLACE TRIGGER assignments_set_updated_at
    BEFORE UPDATE ON assignment_reminders.assignments
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION assignment_reminders.set_updated_at();
CREATE OR REPLACE TRIGGER activities_set_updated_at
    BEFORE UPDATE ON assignment_reminders.activities
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION assignment_reminders.set_updated_at();
CREATE OR REPLACE TRIGGER assignment_pauses_set_updated_at
    BEFORE UPDATE ON assignment_reminders.assignment_pauses
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION assignment_reminders.set_updated_at();
CREATE OR REPLACE TRIGGER mentor_pauses_set_updated_at
    BEFORE UPDATE ON assignment_reminders.mentor_pauses
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION assignment_reminders.set_updated_at();
CREATE OR REPLACE TRIGGER message_templates_set_updated_at
    BEFORE UPDATE ON assignment_reminders.message_templates
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION assignment_reminders.set_updated_at();
CREATE OR REPLACE TRIGGER days_off_set_updated_at
    BEFORE UPDATE ON assignment_reminders.days_off
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION assignment_reminders.set_updated_at();
CREATE OR REPLACE TRIGGER organization_evaluations_set_updated_at
    BEFORE UPDATE ON assignment_reminders.organization_evaluations
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION assignment_reminders.set_updated_at();
CREATE OR REPLACE TRIGGER claim_rates_set_updated_at
    BEFORE UPDATE ON assignment_reminders.claim_rates
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION assignment_reminders.set_updated_at();
CREATE OR REPLACE TRIGGER reminders_set_updated_at
    BEFORE UPDATE ON assignment_reminders.reminders
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at) EXECUTE FUNCTION assignment_reminders.set_updated_at();
