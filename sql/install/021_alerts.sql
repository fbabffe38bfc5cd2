-- What the admins of an organization must see to, and are told of.

CREATE TABLE assignment_reminders.alerts (
    organization_id uuid NOT NULL,
    cause text NOT NULL,
    began_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT alerts_pkey PRIMARY KEY (organization_id, cause),
    CONSTRAINT alerts_organization_fkey FOREIGN KEY (organization_id)
        REFERENCES assignment_reminders.organizations (id) ON DELETE CASCADE
);

COMMENT ON TABLE assignment_reminders.alerts IS
    'What goes on in each organization that its admins must see to, and were told of when it began; gone when it is over. Kept by enqueue_alerts and run_daily_evaluation.';
COMMENT ON COLUMN assignment_reminders.alerts.cause IS
    'held-run, failed-run, slow-run, missing-run or nothing-sent: the reminder_type of the notice.';
COMMENT ON COLUMN assignment_reminders.alerts.began_at IS 'When it was first seen: the anchor of the notice.';

REVOKE ALL ON assignment_reminders.alerts FROM PUBLIC;

-- Whom notices go to.
CREATE INDEX users_admin_idx ON assignment_reminders.users (organization_id) WHERE role = 'admin';

-- Of the kinds that are about a person, and no assignment. Lists are one constant each: every statement that writes a reminder parses what its checks were
-- stored as, and of a list of constants that is twice as long.
ALTER TABLE assignment_reminders.reminders DROP CONSTRAINT reminders_only_summaries_without_assignment;
DO $$
BEGIN
    EXECUTE format(
        'ALTER TABLE assignment_reminders.reminders ADD CONSTRAINT reminders_only_summaries_and_notices_without_assignment CHECK (
             (assignment_id IS NULL) = (reminder_type = ANY (%L::text[])) AND (assignment_id IS NOT NULL OR recipient_id IS NOT NULL))',
        (SELECT array_agg(k.reminder_type ORDER BY k.reminder_type)
           FROM assignment_reminders.reminder_kinds() AS k WHERE k.follows IN ('day', 'occurrence')));
    EXECUTE format(
        'ALTER TABLE assignment_reminders.reminders
             DROP CONSTRAINT reminders_follow_ups_name_their_recipient,
             ADD CONSTRAINT reminders_follow_ups_name_their_recipient CHECK (
                 recipient_id IS NOT NULL OR status = ''skipped'' OR reminder_type <> ALL (%L::text[])),
             DROP CONSTRAINT reminders_status_known,
             ADD CONSTRAINT reminders_status_known CHECK (status = ANY (''{pending,sent,failed,skipped}''::text[]))',
        (SELECT array_agg(k.reminder_type ORDER BY k.reminder_type)
           FROM assignment_reminders.reminder_kinds() AS k WHERE k.follows = 'silence'));
END
$$;
COMMENT ON COLUMN assignment_reminders.reminders.reminder_type IS
    'Of follow-ups, summaries and notices to admins (alerts.cause) as reminder_kinds() has it; of others a due offset such as 24h, or a name of your own.';
COMMENT ON COLUMN assignment_reminders.reminders.anchor IS
    'The moment the reminder counts from: midnight UTC of the day on which the silence began, due_at, the local day, or the moment when what a notice is about began. When it moves, the row is armed again.';
