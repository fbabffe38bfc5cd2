-- What a worker's answer says of the sender or the way there stops an organization's claims for a while.

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
    'Until when nothing of the organization is claimed. To go on at once, set it to now().';
COMMENT ON COLUMN assignment_reminders.claim_rates.paused_for IS 'Whose fault it was, as a worker told it: sender or transport.';
COMMENT ON COLUMN assignment_reminders.claim_rates.paused_code IS
    'The codes of what was said then, such as 550 5.7.1; the words are in send_logs. NULL: it had none.';

COMMENT ON COLUMN assignment_reminders.send_logs.verdict IS
    'Of bounced, rejected, and failed where the worker said whose fault it was: hard (the address is dead), soft (the mailbox did not take it now) or sender (the sender, the message or a policy is to blame, and nobody''s address). NULL: reported to 0.1.0, or not judged.';
