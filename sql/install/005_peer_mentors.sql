-- The peer mentors and the number of assignments that their honorarium relies on.

CREATE TABLE assignment_reminders.peer_mentors (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL,
    user_id uuid NOT NULL,
    assignment_count integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT peer_mentors_pkey PRIMARY KEY (id),
    CONSTRAINT peer_mentors_organization_id_key UNIQUE (organization_id, id),
    CONSTRAINT peer_mentors_user_key UNIQUE (organization_id, user_id),
    CONSTRAINT peer_mentors_user_fkey FOREIGN KEY (organization_id, user_id)
        REFERENCES assignment_reminders.users (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT peer_mentors_assignment_count_not_negative CHECK (assignment_count >= 0)
)
-- The count changes often and is in no index: room on the page keeps those updates HOT.
WITH (fillfactor = 70);

COMMENT ON TABLE assignment_reminders.peer_mentors IS 'The peer mentors of an organisation.';
COMMENT ON COLUMN assignment_reminders.peer_mentors.assignment_count IS
    'count(*) of the mentor''s assignments, of every status, at every commit. Kept by triggers; no client can write it.';

REVOKE ALL ON assignment_reminders.peer_mentors FROM PUBLIC;
