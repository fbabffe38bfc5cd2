-- The assignments: who helps whom with what, until when, and when there last was contact.

CREATE TABLE assignment_reminders.assignments (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL,
    title text NOT NULL,
    description text,
    student_id uuid NOT NULL,
    peer_mentor_id uuid,
    coordinator_id uuid,
    due_at timestamptz,
    status text NOT NULL DEFAULT 'open',
    completed boolean NOT NULL DEFAULT false,
    completed_at timestamptz,
    assigned_on date NOT NULL DEFAULT current_date,
    last_contact_date date,
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT assignments_pkey PRIMARY KEY (id),
    CONSTRAINT assignments_organization_id_key UNIQUE (organization_id, id),
    CONSTRAINT assignments_student_fkey FOREIGN KEY (organization_id, student_id)
        REFERENCES assignment_reminders.users (organization_id, id),
    CONSTRAINT assignments_peer_mentor_fkey FOREIGN KEY (organization_id, peer_mentor_id)
        REFERENCES assignment_reminders.peer_mentors (organization_id, id) ON DELETE SET NULL (peer_mentor_id),
    CONSTRAINT assignments_coordinator_fkey FOREIGN KEY (organization_id, coordinator_id)
        REFERENCES assignment_reminders.users (organization_id, id) ON DELETE SET NULL (coordinator_id),
    CONSTRAINT assignments_status_known CHECK (status IN ('open', 'paused', 'completed', 'cancelled')),
    CONSTRAINT assignments_completed_matches_status CHECK (completed = (status = 'completed')),
    CONSTRAINT assignments_completed_has_time CHECK ((completed_at IS NOT NULL) = completed),
    -- A day inside the calendar, so that no time zone and no offset leads out of it.
    CONSTRAINT assignments_due_at_in_calendar CHECK (
        due_at BETWEEN timestamptz '0001-01-02 00:00+00' AND timestamptz '9999-12-30 00:00+00'
    ),
    CONSTRAINT assignments_assigned_on_in_calendar CHECK (assigned_on BETWEEN '0001-01-01' AND '9999-12-31'),
    CONSTRAINT assignments_last_contact_date_in_calendar CHECK (last_contact_date BETWEEN '0001-01-01' AND '9999-12-31')
);

-- The contact clock of open assignments. evaluate_assignments and the paged contact reads walk it.
CREATE INDEX assignments_open_contact_clock_idx ON assignment_reminders.assignments
    (organization_id, (coalesce(last_contact_date, assigned_on)), id) WHERE status = 'open';
CREATE INDEX assignments_open_due_at_idx ON assignment_reminders.assignments (due_at, id) WHERE status = 'open';
CREATE INDEX assignments_student_due_at_idx ON assignment_reminders.assignments (student_id, due_at);
-- For the foreign keys; the first also serves verify_assignment_counts.
CREATE INDEX assignments_peer_mentor_idx ON assignment_reminders.assignments (peer_mentor_id);
CREATE INDEX assignments_coordinator_idx ON assignment_reminders.assignments (coordinator_id);

COMMENT ON TABLE assignment_reminders.assignments IS 'Who helps whom with what, until when, and when there last was contact.';
COMMENT ON COLUMN assignment_reminders.assignments.status IS 'open, paused, completed or cancelled. Only open assignments are reminded of.';
COMMENT ON COLUMN assignment_reminders.assignments.completed IS 'status = ''completed''. Whichever of the two a client writes, the other follows.';
COMMENT ON COLUMN assignment_reminders.assignments.completed_at IS 'When it was completed; set with completed unless the client gives it.';
COMMENT ON COLUMN assignment_reminders.assignments.assigned_on IS 'The day from which an assignment without any contact counts as silent.';
COMMENT ON COLUMN assignment_reminders.assignments.last_contact_date IS
    'The latest contact, a date in the organisation''s time zone. Kept by the triggers on activities; set directly only on insert.';

REVOKE ALL ON assignment_reminders.assignments FROM PUBLIC;
