-- What was handed to a mail provider and what became of it. Append-only.

CREATE TABLE assignment_reminders.send_logs (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL,
    reminder_id uuid,
    assignment_id uuid,
    reminder_type text,
    anchor timestamptz,
    to_email text,
    from_inbox text,
    message_id text,
    event_id text,
    status text NOT NULL DEFAULT 'queued',
    error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT send_logs_pkey PRIMARY KEY (id),
    -- The log outlives what it tells of.
    CONSTRAINT send_logs_reminder_fkey FOREIGN KEY (organization_id, reminder_id)
        REFERENCES assignment_reminders.reminders (organization_id, id) ON DELETE SET NULL (reminder_id),
    CONSTRAINT send_logs_assignment_fkey FOREIGN KEY (organization_id, assignment_id)
        REFERENCES assignment_reminders.assignments (organization_id, id) ON DELETE SET NULL (assignment_id),
    CONSTRAINT send_logs_organization_fkey FOREIGN KEY (organization_id)
        REFERENCES assignment_reminders.organizations (id),
    CONSTRAINT send_logs_status_known CHECK (status IN ('queued', 'delivered', 'bounced', 'rejected', 'failed'))
);

CREATE INDEX send_logs_reminder_idx ON assignment_reminders.send_logs (reminder_id, created_at);
CREATE INDEX send_logs_assignment_idx ON assignment_reminders.send_logs (assignment_id);
CREATE INDEX send_logs_message_idx ON assignment_reminders.send_logs (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX send_logs_created_at_idx ON assignment_reminders.send_logs (created_at);
CREATE INDEX send_logs_organization_idx ON assignment_reminders.send_logs (organization_id, created_at);
CREATE UNIQUE INDEX send_logs_event_key ON assignment_reminders.send_logs (organization_id, event_id) WHERE event_id IS NOT NULL;

COMMENT ON TABLE assignment_reminders.send_logs IS 'Append-only: every hand-over to a mail provider and what it reported.';
COMMENT ON COLUMN assignment_reminders.send_logs.event_id IS 'The provider''s id of a delivery event; each is recorded once.';

REVOKE ALL ON assignment_reminders.send_logs FROM PUBLIC;
