-- The contacts as they were registered. The contact date follows from them by trigger.

CREATE TABLE assignment_reminders.activities (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL,
    assignment_id uuid NOT NULL,
    occurred_at timestamptz NOT NULL DEFAULT now(),
    registration text NOT NULL DEFAULT 'direct',
    recorded_by uuid,
    notes text,
    metadata jsonb NOT NULL DEFAULT '{}',
    overruled_by uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT activities_pkey PRIMARY KEY (id),
    CONSTRAINT activities_assignment_fkey FOREIGN KEY (organization_id, assignment_id)
        REFERENCES assignment_reminders.assignments (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT activities_recorded_by_fkey FOREIGN KEY (organization_id, recorded_by)
        REFERENCES assignment_reminders.users (organization_id, id) ON DELETE SET NULL (recorded_by),
    CONSTRAINT activities_overruled_by_fkey FOREIGN KEY (organization_id, overruled_by)
        REFERENCES assignment_reminders.contact_corrections (organization_id, id) ON DELETE SET NULL (overruled_by),
    CONSTRAINT activities_registration_known CHECK (registration IN ('direct', 'proxy', 'bulk', 'coordinator_proxy')),
    -- A day inside the calendar that contact dates keep to, so that no time zone leads out of it.
    CONSTRAINT activities_occurred_at_in_calendar CHECK (
        occurred_at BETWEEN timestamptz '0001-01-02 00:00+00' AND timestamptz '9999-12-30 00:00+00'
    )
);

CREATE INDEX activities_assignment_idx ON assignment_reminders.activities (assignment_id, occurred_at);
CREATE INDEX activities_recorded_by_idx ON assignment_reminders.activities (recorded_by) WHERE recorded_by IS NOT NULL;
CREATE INDEX activities_overruled_by_idx ON assignment_reminders.activities (overruled_by) WHERE overruled_by IS NOT NULL;

COMMENT ON TABLE assignment_reminders.activities IS
    'Registered contacts. An insert moves the assignment''s last_contact_date forward; a change or delete recomputes it.';
COMMENT ON COLUMN assignment_reminders.activities.occurred_at IS 'When the contact took place; at most a day ahead.';
COMMENT ON COLUMN assignment_reminders.activities.registration IS
    'direct, proxy, bulk or coordinator_proxy: who registered it for whom. All count alike.';
COMMENT ON COLUMN assignment_reminders.activities.overruled_by IS
    'The correction that declared this contact wrong; it then no longer counts. NULL: counts.';

REVOKE ALL ON assignment_reminders.activities FROM PUBLIC;
