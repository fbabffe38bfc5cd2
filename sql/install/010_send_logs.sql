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
    message_id text COLLATE "C",
    event_id text COLLATE "C",
    status text NOT NULL DEFAULT 'queued',
    error text,
    attempt integer,
    given_up boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT send_logs_pkey PRIMARY KEY (id),
    -- The log outlives what it tells of. This key alone ties a row to its organisation: every further one would be checked
    -- for every message, and assignment_id is the reminder's.
    CONSTRAINT send_logs_reminder_fkey FOREIGN KEY (organization_id, reminder_id)
        REFERENCES assignment_reminders.reminders (organization_id, id) ON DELETE SET NULL (reminder_id),
    CONSTRAINT send_logs_status_known CHECK (status IN ('queued', 'delivered', 'bounced', 'rejected', 'failed'))
);

CREATE INDEX send_logs_reminder_idx ON assignment_reminders.send_logs (reminder_id, created_at);
CREATE INDEX send_logs_message_idx ON assignment_reminders.send_logs (message_id) WHERE message_id IS NOT NULL;
-- Retention, and what was sent lately.
CREATE INDEX send_logs_organization_idx ON assignment_reminders.send_logs (organization_id, created_at);
CREATE UNIQUE INDEX send_logs_event_key ON assignment_reminders.send_logs (organization_id, event_id) WHERE event_id IS NOT NULL;

COMMENT ON TABLE assignment_reminders.send_logs IS 'Append-only: every hand-over to a mail provider and what it reported.';
COMMENT ON COLUMN assignment_reminders.send_logs.status IS
    'queued: handed to the provider. delivered, bounced, rejected: what the provider reported. failed: a hand-over that did not succeed.';
COMMENT ON COLUMN assignment_reminders.send_logs.attempt IS 'Which attempt this hand-over was, from 1.';
COMMENT ON COLUMN assignment_reminders.send_logs.given_up IS 'True: the last attempt; the reminder failed for good.';
COMMENT ON COLUMN assignment_reminders.send_logs.event_id IS 'The provider''s id of a delivery event; each is recorded once.';

REVOKE ALL ON assignment_reminders.send_logs FROM PUBLIC;
