-- The outbox: one row per assignment and reminder type, re-armed when its anchor moves. send_logs is the history.

CREATE TABLE assignment_reminders.reminders (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    -- First come, first served among those due at the same moment; also keeps neighbours in the queue on the same pages.
    number bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    organization_id uuid NOT NULL,
    assignment_id uuid,
    recipient_id uuid,
    reminder_type text NOT NULL,
    anchor timestamptz,
    scheduled_for timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz,
    status text NOT NULL DEFAULT 'pending',
    attempts integer NOT NULL DEFAULT 0,
    retry_at timestamptz,
    last_error text,
    skip_reason text,
    claim_id uuid,
    claimed_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT reminders_pkey PRIMARY KEY (id),
    CONSTRAINT reminders_organization_id_key UNIQUE (organization_id, id),
    CONSTRAINT reminders_assignment_type_key UNIQUE (assignment_id, reminder_type),
    CONSTRAINT reminders_assignment_fkey FOREIGN KEY (organization_id, assignment_id)
        REFERENCES assignment_reminders.assignments (organization_id, id) ON DELETE CASCADE,
    -- The next run addresses the episode anew when a recipient is gone.
    CONSTRAINT reminders_recipient_fkey FOREIGN KEY (organization_id, recipient_id)
        REFERENCES assignment_reminders.users (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT reminders_type_not_empty CHECK (reminder_type <> ''),
    CONSTRAINT reminders_only_summaries_without_assignment CHECK (
        (assignment_id IS NULL) = (reminder_type = 'daily-summary')
        AND (assignment_id IS NOT NULL OR recipient_id IS NOT NULL)
    ),
    -- A NULL recipient means the student, who must never get what is meant for a mentor or coordinator.
    CONSTRAINT reminders_follow_ups_name_their_recipient CHECK (
        recipient_id IS NOT NULL OR status = 'skipped'
        OR reminder_type NOT IN ('contact-reminder', 'contact-escalation')
    ),
    CONSTRAINT reminders_status_known CHECK (status IN ('pending', 'sent', 'failed', 'skipped')),
    CONSTRAINT reminders_sent_has_time CHECK (status <> 'sent' OR sent_at IS NOT NULL),
    CONSTRAINT reminders_skipped_has_reason CHECK (status <> 'skipped' OR skip_reason IS NOT NULL),
    CONSTRAINT reminders_attempts_not_negative CHECK (attempts >= 0),
    CONSTRAINT reminders_claim_has_lease CHECK ((claim_id IS NULL) = (claimed_until IS NULL)),
    CONSTRAINT reminders_anchor_finite CHECK (isfinite(anchor)),
    CONSTRAINT reminders_scheduled_for_finite CHECK (isfinite(scheduled_for)),
    CONSTRAINT reminders_retry_at_finite CHECK (isfinite(retry_at))
)
-- A reminder is written three times: enqueued, claimed, answered. Room on the page for all three keeps a claim, which writes
-- no indexed column, from writing to every index (HOT), and an answer from having to clean the page up first.
WITH (fillfactor = 30);

CREATE UNIQUE INDEX reminders_recipient_summary_key ON assignment_reminders.reminders (recipient_id, reminder_type)
    WHERE assignment_id IS NULL;
-- What is waiting, per organisation, oldest first: small however many rows have been sent. Claims walk it. A retry waits
-- until retry_at (greatest() passes over NULL).
CREATE INDEX reminders_pending_idx ON assignment_reminders.reminders
    (organization_id, (greatest(scheduled_for, retry_at)), number) WHERE status = 'pending';
-- What was given up: for redriving, and for the operators' view.
CREATE INDEX reminders_failed_idx ON assignment_reminders.reminders (organization_id, id) WHERE status = 'failed';
CREATE INDEX reminders_recipient_idx ON assignment_reminders.reminders (recipient_id) WHERE recipient_id IS NOT NULL;

COMMENT ON TABLE assignment_reminders.reminders IS
    'The outbox: one row per assignment and reminder type (per person for daily summaries). Sent at most once per anchor.';
COMMENT ON COLUMN assignment_reminders.reminders.recipient_id IS 'Whom to write to. NULL: the assignment''s student.';
COMMENT ON COLUMN assignment_reminders.reminders.reminder_type IS
    'contact-reminder, contact-escalation, a due offset such as 24h, or daily-summary.';
COMMENT ON COLUMN assignment_reminders.reminders.anchor IS
    'The moment the reminder counts from: midnight UTC of the contact date (or assigned_on), due_at, or the local day. When it moves, the row is armed again.';
COMMENT ON COLUMN assignment_reminders.reminders.attempts IS 'Sends for this anchor that were answered, with success or failure, and claims that were not before their lease ended.';
COMMENT ON COLUMN assignment_reminders.reminders.retry_at IS 'After a failed send: not to be claimed before this.';
COMMENT ON COLUMN assignment_reminders.reminders.status IS
    'pending (claimed while claimed_until lies ahead), sent, failed (given up) or skipped (see skip_reason).';
COMMENT ON COLUMN assignment_reminders.reminders.skip_reason IS
    'Why it was not sent: contacted, completed, opted_out, due_moved and others (README, "When a reminder is skipped").';
COMMENT ON COLUMN assignment_reminders.reminders.claim_id IS
    'The claim that a worker answers with. Kept when a reminder is withdrawn after its claim, so that the worker who had sent it already can still say so.';

REVOKE ALL ON assignment_reminders.reminders FROM PUBLIC;
