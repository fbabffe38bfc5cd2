-- When each organization is evaluated, and what is held for somebody to look at first.

ALTER TABLE assignment_reminders.reminder_settings
    ADD COLUMN evaluation_hour integer,
    ADD COLUMN follow_up_limit integer DEFAULT 100,
    ADD CONSTRAINT reminder_settings_evaluation_hour_of_day CHECK (evaluation_hour BETWEEN 0 AND 23),
    ADD CONSTRAINT reminder_settings_follow_up_limit_not_negative CHECK (follow_up_limit >= 0);
COMMENT ON COLUMN assignment_reminders.reminder_settings.evaluation_hour IS
    'The local hour, 0 to 23, from which on runs look for follow-ups. NULL: every run does. schedule_daily_evaluation(), whose job is hourly, puts 7 where it is NULL, and so do new organizations from then on.';
COMMENT ON COLUMN assignment_reminders.reminder_settings.follow_up_limit IS
    'A run that would send more follow-ups than this that became due by its last evaluation sends none of them before release_held_run(). NULL: no limit.';

CREATE TABLE assignment_reminders.organization_evaluations (
    organization_id uuid NOT NULL,
    turn_at timestamptz NOT NULL,
    evaluated_at timestamptz,
    held_at timestamptz,
    released_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT organization_evaluations_pkey PRIMARY KEY (organization_id),
    CONSTRAINT organization_evaluations_organization_fkey FOREIGN KEY (organization_id)
        REFERENCES assignment_reminders.organizations (id) ON DELETE CASCADE,
    CONSTRAINT organization_evaluations_only_held_is_released CHECK (released_at IS NULL OR held_at IS NOT NULL)
)
-- Written by every run: room for it, so that no index is.
WITH (fillfactor = 50);

CREATE INDEX organization_evaluations_held_idx ON assignment_reminders.organization_evaluations (organization_id)
    WHERE held_at IS NOT NULL AND released_at IS NULL;

COMMENT ON TABLE assignment_reminders.organization_evaluations IS
    'What runs have made of each organization: when it was last evaluated, and since when its follow-ups are held. Kept by run_daily_evaluation.';
COMMENT ON COLUMN assignment_reminders.organization_evaluations.turn_at IS
    'as_of of the last run in which it was its turn: also one on a day off, or that held its follow-ups.';
COMMENT ON COLUMN assignment_reminders.organization_evaluations.evaluated_at IS
    'as_of of the last run that evaluated it. NULL: none did. One on a day off, or that held its follow-ups, does not count.';
COMMENT ON COLUMN assignment_reminders.organization_evaluations.held_at IS 'as_of of the run since which its follow-ups are held. NULL: they are not.';
COMMENT ON COLUMN assignment_reminders.organization_evaluations.released_at IS 'When they were released, for the next run to send.';

REVOKE ALL ON assignment_reminders.organization_evaluations FROM PUBLIC;

-- Runs evaluated every organization that there was.
INSERT INTO assignment_reminders.organization_evaluations (organization_id, turn_at, evaluated_at)
SELECT o.id, run.as_of, run.as_of
  FROM assignment_reminders.organizations o
 CROSS JOIN (SELECT r.as_of, r.started_at FROM assignment_reminders.evaluation_runs r
              WHERE r.status = 'succeeded' AND isfinite(r.as_of) ORDER BY r.started_at DESC LIMIT 1) AS run
 WHERE o.created_at <= run.started_at;

ALTER TABLE assignment_reminders.evaluation_runs
    ADD COLUMN organization_id uuid,
    ADD COLUMN backlog integer,
    DROP CONSTRAINT evaluation_runs_status_known,
    ADD CONSTRAINT evaluation_runs_status_known CHECK (status IN ('succeeded', 'failed', 'skipped', 'held')),
    ADD CONSTRAINT evaluation_runs_held_is_of_one CHECK (
        (status = 'held') = (organization_id IS NOT NULL) AND (status = 'held') = (backlog IS NOT NULL)
    ),
    ADD CONSTRAINT evaluation_runs_organization_fkey FOREIGN KEY (organization_id)
        REFERENCES assignment_reminders.organizations (id) ON DELETE CASCADE;
CREATE INDEX evaluation_runs_organization_idx ON assignment_reminders.evaluation_runs (organization_id) WHERE organization_id IS NOT NULL;
COMMENT ON TABLE assignment_reminders.evaluation_runs IS
    'One row per run that ended: what it enqueued, or why it failed or was skipped. And one for each organization whose follow-ups it held.';
COMMENT ON COLUMN assignment_reminders.evaluation_runs.status IS
    'succeeded, failed (nothing was enqueued), skipped (another run held the lock), or held: what it would have enqueued for organization_id, and did not.';
COMMENT ON COLUMN assignment_reminders.evaluation_runs.organization_id IS 'Whose follow-ups were held. NULL: the run was of all.';
COMMENT ON COLUMN assignment_reminders.evaluation_runs.backlog IS
    'Of held ones: how many could be sent and became due by the last evaluation, more than follow_up_limit.';
