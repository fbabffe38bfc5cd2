-- What each organisation decides about reminders. Owns the thresholds; the rules that use them are in src/rules.

CREATE TABLE assignment_reminders.reminder_settings (
    organization_id uuid NOT NULL,
    reminder_after_days integer DEFAULT 14,
    escalate_after_days integer DEFAULT 28,
    due_offsets interval[] NOT NULL DEFAULT ARRAY[interval '24 hours', interval '2 hours'],
    max_attempts integer NOT NULL DEFAULT 5,
    retry_base interval NOT NULL DEFAULT interval '1 minute',
    bounce_limit integer NOT NULL DEFAULT 3,
    messages_per_minute integer,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT reminder_settings_pkey PRIMARY KEY (organization_id),
    CONSTRAINT reminder_settings_organization_fkey FOREIGN KEY (organization_id)
        REFERENCES assignment_reminders.organizations (id) ON DELETE CASCADE,
    CONSTRAINT reminder_settings_reminder_after_days_in_range CHECK (reminder_after_days BETWEEN 1 AND 3650),
    CONSTRAINT reminder_settings_escalate_after_days_in_range CHECK (escalate_after_days BETWEEN 1 AND 3650),
    CONSTRAINT reminder_settings_escalation_not_before_reminder CHECK (escalate_after_days >= reminder_after_days),
    CONSTRAINT reminder_settings_due_offsets_positive CHECK (
        cardinality(due_offsets) <= 20
        AND array_position(due_offsets, NULL) IS NULL
        AND interval '0' < ALL (due_offsets)
    ),
    CONSTRAINT reminder_settings_due_offsets_within_a_year CHECK (interval '366 days' >= ALL (due_offsets)),
    CONSTRAINT reminder_settings_max_attempts_in_range CHECK (max_attempts BETWEEN 1 AND 100),
    CONSTRAINT reminder_settings_retry_base_in_range CHECK (retry_base > interval '0' AND retry_base <= interval '1 day'),
    CONSTRAINT reminder_settings_bounce_limit_in_range CHECK (bounce_limit BETWEEN 1 AND 100),
    CONSTRAINT reminder_settings_messages_per_minute_positive CHECK (messages_per_minute > 0)
);

COMMENT ON TABLE assignment_reminders.reminder_settings IS
    'One row per organisation, made with it: when to remind, when to escalate, how often to try.';
COMMENT ON COLUMN assignment_reminders.reminder_settings.reminder_after_days IS
    'Days of silence after which the peer mentor is reminded, that day included. NULL: never (and so never escalated).';
COMMENT ON COLUMN assignment_reminders.reminder_settings.escalate_after_days IS
    'Days of silence after which the coordinator is told, once the mentor has been reminded. NULL: never.';
COMMENT ON COLUMN assignment_reminders.reminder_settings.due_offsets IS
    'How long before due_at a student is reminded, one reminder for each.';
COMMENT ON COLUMN assignment_reminders.reminder_settings.max_attempts IS
    'Attempts, failed or never answered for, after which a reminder is given up.';
COMMENT ON COLUMN assignment_reminders.reminder_settings.retry_base IS
    'The wait before the first retry; later ones wait longer.';
COMMENT ON COLUMN assignment_reminders.reminder_settings.bounce_limit IS
    'Soft bounces after which a user is opted out.';
COMMENT ON COLUMN assignment_reminders.reminder_settings.messages_per_minute IS
    'The most messages a minute that may be claimed for this organisation. NULL: no limit.';

REVOKE ALL ON assignment_reminders.reminder_settings FROM PUBLIC;

INSERT INTO assignment_reminders.reminder_settings (organization_id)
SELECT o.id FROM assignment_reminders.organizations o;
