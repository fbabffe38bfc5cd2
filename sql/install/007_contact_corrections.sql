-- Every contact date that was set by something other than an activity: by whom, from what, to what, and why.

CREATE TABLE assignment_reminders.contact_corrections (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    -- From 1 for each assignment, given under its row lock: the order of its corrections. Not a sequence, which a logical
    -- replica would not have when it takes over.
    number integer NOT NULL,
    organization_id uuid NOT NULL,
    assignment_id uuid NOT NULL,
    previous_date date,
    new_date date,
    reason text NOT NULL,
    corrected_by text NOT NULL DEFAULT session_user,
    corrected_by_subject text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT contact_corrections_pkey PRIMARY KEY (id),
    CONSTRAINT contact_corrections_organization_id_key UNIQUE (organization_id, id),
    -- The recomputation of a contact date starts from the latest.
    CONSTRAINT contact_corrections_assignment_number_key UNIQUE (assignment_id, number),
    CONSTRAINT contact_corrections_assignment_fkey FOREIGN KEY (organization_id, assignment_id)
        REFERENCES assignment_reminders.assignments (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT contact_corrections_reason_given CHECK (btrim(reason) <> ''),
    CONSTRAINT contact_corrections_new_date_in_calendar CHECK (new_date BETWEEN '0001-01-01' AND '9999-12-31')
);

COMMENT ON TABLE assignment_reminders.contact_corrections IS
    'Append-only: every contact date that something other than an activity set, with the previous one and the reason.';
COMMENT ON COLUMN assignment_reminders.contact_corrections.corrected_by IS 'The database role that was logged in.';
COMMENT ON COLUMN assignment_reminders.contact_corrections.corrected_by_subject IS
    'sub of the setting request.jwt.claims (Supabase, PostgREST): the person behind a shared role.';

REVOKE ALL ON assignment_reminders.contact_corrections FROM PUBLIC;
