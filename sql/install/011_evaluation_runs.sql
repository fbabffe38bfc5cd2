-- The log of daily runs, over all organisations: written by run_daily_evaluation, read by evaluation_health.

CREATE TABLE assignment_reminders.evaluation_runs (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    as_of timestamptz NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    status text NOT NULL,
    reminders integer NOT NULL DEFAULT 0,
    escalations integer NOT NULL DEFAULT 0,
    undeliverable integer NOT NULL DEFAULT 0,
    error text,
    sqlstate text,
    CONSTRAINT evaluation_runs_pkey PRIMARY KEY (id),
    CONSTRAINT evaluation_runs_status_known CHECK (status IN ('succeeded', 'failed', 'skipped')),
    CONSTRAINT evaluation_runs_failed_has_error CHECK (status <> 'failed' OR (error IS NOT NULL AND sqlstate IS NOT NULL))
);

CREATE INDEX evaluation_runs_started_at_idx ON assignment_reminders.evaluation_runs (started_at);

COMMENT ON TABLE assignment_reminders.evaluation_runs IS 'One row per daily run that ended: what it enqueued, or why it failed or was skipped.';
COMMENT ON COLUMN assignment_reminders.evaluation_runs.status IS 'succeeded, failed (nothing was enqueued), or skipped (another run held the lock).';
COMMENT ON COLUMN assignment_reminders.evaluation_runs.reminders IS 'Reminders enqueued for peer mentors.';
COMMENT ON COLUMN assignment_reminders.evaluation_runs.escalations IS 'Escalations enqueued for coordinators.';
COMMENT ON COLUMN assignment_reminders.evaluation_runs.undeliverable IS
    'Follow-ups that were due but could not be addressed: no mentor or coordinator, no address, or opted out.';

REVOKE ALL ON assignment_reminders.evaluation_runs FROM PUBLIC;
