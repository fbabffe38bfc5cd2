-- To whom a message was handed out, and whose fault it is when it does not arrive.

ALTER TABLE assignment_reminders.reminders ADD COLUMN claimed_email text;
COMMENT ON COLUMN assignment_reminders.reminders.claimed_email IS
    'The address that the claim handed out, which its answer is logged with. NULL: not claimed, or claimed by 0.1.0.';
COMMENT ON COLUMN assignment_reminders.reminders.claimed_until IS
    'Until when the claim holds. 1970: the worker was told not to send what was withdrawn; no attempt is lost with it.';

ALTER TABLE assignment_reminders.send_logs
    ADD COLUMN verdict text,
    ADD CONSTRAINT send_logs_verdict_known CHECK (verdict = ANY ('{hard,soft,sender}'::text[])),
    DROP CONSTRAINT send_logs_status_known,
    ADD CONSTRAINT send_logs_status_known CHECK (
        status IN ('queued', 'delivered', 'bounced', 'rejected', 'complained', 'unsubscribed', 'failed')
    );
CREATE INDEX send_logs_sender_idx ON assignment_reminders.send_logs (organization_id, created_at) WHERE verdict = 'sender';
COMMENT ON COLUMN assignment_reminders.send_logs.status IS
    'queued: handed to the provider. delivered, bounced, rejected, complained, unsubscribed: what the provider reported. failed: a hand-over that did not succeed.';
COMMENT ON COLUMN assignment_reminders.send_logs.verdict IS
    'Of bounced and rejected: hard (the address is dead), soft (the mailbox did not take it now) or sender (the sender, the message or a policy is to blame, and nobody''s address). NULL: reported to 0.1.0.';

ALTER TABLE assignment_reminders.users ADD COLUMN soft_bounced_at timestamptz[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN assignment_reminders.users.soft_bounced_at IS
    'When messages to this address bounced softly, one moment for each message, in the 90 days before the last, and since one last arrived.';
COMMENT ON COLUMN assignment_reminders.users.soft_bounces IS
    'How many messages soft_bounced_at tells of. At bounce_limit the person is opted out.';

-- Those that were counted without their moments.
UPDATE assignment_reminders.users u SET soft_bounced_at = array_fill(now(), ARRAY[least(u.soft_bounces, 100)]) WHERE u.soft_bounces > 0;
