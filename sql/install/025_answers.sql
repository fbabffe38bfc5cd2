-- Answers: what they say of the sender or the way there stops an organization's claims for a while, and they outlive the reminder.

ALTER TABLE assignment_reminders.claim_rates
    ADD COLUMN paused_at timestamptz,
    ADD COLUMN paused_until timestamptz,
    ADD COLUMN paused_for text,
    ADD COLUMN paused_code text,
    ADD CONSTRAINT claim_rates_pause_is_whole CHECK (num_nonnulls(paused_at, paused_until, paused_for) IN (0, 3)),
    ADD CONSTRAINT claim_rates_pause_finite CHECK (isfinite(paused_at) AND isfinite(paused_until)),
    ADD CONSTRAINT claim_rates_paused_for_known CHECK (paused_for IN ('sender', 'transport'));
CREATE INDEX claim_rates_paused_idx ON assignment_reminders.claim_rates (paused_until) WHERE paused_until IS NOT NULL;

COMMENT ON TABLE assignment_reminders.claim_rates IS
    'What was claimed in the last minute, of organizations with messages_per_minute, and whose sending is paused. Kept by claims and answers.';
COMMENT ON COLUMN assignment_reminders.claim_rates.paused_at IS 'When the last pause of its sending began. NULL: there was none.';
COMMENT ON COLUMN assignment_reminders.claim_rates.paused_until IS
    'Until when nothing of the organization is claimed. To go on at once, set it to now(): the tables'' owner and the role of workers may.';
COMMENT ON COLUMN assignment_reminders.claim_rates.paused_for IS 'Whose fault it was, as a worker told it: sender or transport.';
COMMENT ON COLUMN assignment_reminders.claim_rates.paused_code IS
    'The codes of what was said then, such as 550 5.7.1; the words are in send_logs. NULL: it had none.';

COMMENT ON COLUMN assignment_reminders.send_logs.verdict IS
    'Of bounced, rejected, and failed where the worker said whose fault it was: hard (the address is dead), soft (the mailbox did not take it now) or sender (the sender, the message or a policy is to blame, and nobody''s address). NULL: reported to 0.1.0, or not judged.';

-- What a worker has when its reminder is deleted is logged, so that the answer is, too.
ALTER TABLE assignment_reminders.send_logs
    ADD COLUMN claim_id uuid,
    ADD COLUMN claimed_reminder_id uuid,
    ADD CONSTRAINT send_logs_claim_is_whole CHECK ((claim_id IS NULL) = (claimed_reminder_id IS NULL)),
    DROP CONSTRAINT send_logs_status_known,
    ADD CONSTRAINT send_logs_status_known CHECK (
        status = ANY ('{queued,delivered,bounced,rejected,complained,unsubscribed,failed,claimed}'::text[])
    );
-- Each is answered once.
CREATE UNIQUE INDEX send_logs_claim_key ON assignment_reminders.send_logs (claim_id, claimed_reminder_id, (status = 'claimed'))
    WHERE claim_id IS NOT NULL;
COMMENT ON COLUMN assignment_reminders.send_logs.status IS
    'queued: handed to the provider. delivered, bounced, rejected, complained, unsubscribed: what the provider reported. failed: a hand-over that did not succeed. claimed: its reminder was deleted while a worker had it.';
COMMENT ON COLUMN assignment_reminders.send_logs.claim_id IS
    'Of a reminder that was deleted while a worker had it: the claim that the worker answers with.';
COMMENT ON COLUMN assignment_reminders.send_logs.claimed_reminder_id IS 'The id that this reminder had.';

-- Whoever is not written to: few. Of these it is asked what they were told and never got.
CREATE INDEX users_opted_out_idx ON assignment_reminders.users (organization_id) WHERE contact_opt_out;
