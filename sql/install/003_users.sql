-- The people who are written to: students, peer mentors' accounts, coordinators.

CREATE TABLE assignment_reminders.users (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL,
    email text,
    name text NOT NULL DEFAULT '',
    timezone text,
    contact_opt_out boolean NOT NULL DEFAULT false,
    contact_opt_out_reason text,
    soft_bounces integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_organization_id_key UNIQUE (organization_id, id),
    CONSTRAINT users_email_key UNIQUE (organization_id, email),
    CONSTRAINT users_organization_fkey FOREIGN KEY (organization_id)
        REFERENCES assignment_reminders.organizations (id),
    CONSTRAINT users_soft_bounces_not_negative CHECK (soft_bounces >= 0),
    CONSTRAINT users_email_has_at_sign CHECK (email ~ '^[^@[:space:]]+@[^@[:space:]]+$'),
    CONSTRAINT users_timezone_is_iana CHECK (
        timezone IS NULL
        OR (timezone ~ '^([A-Za-z_]+(/[A-Za-z_-]+)+|Etc/GMT[+-]?[0-9]{1,2}|UTC|GMT)$'
            AND (timestamptz '2000-01-01 00:00+00' AT TIME ZONE timezone) IS NOT NULL)
    )
);

COMMENT ON TABLE assignment_reminders.users IS
    'The people who are written to. Somebody active in two organisations has a row in each.';
COMMENT ON COLUMN assignment_reminders.users.email IS 'Unique within the organisation. NULL: cannot be written to.';
COMMENT ON COLUMN assignment_reminders.users.timezone IS 'IANA name in which times are shown to this person. NULL: UTC.';
COMMENT ON COLUMN assignment_reminders.users.contact_opt_out IS 'True: nothing is sent to this person.';
COMMENT ON COLUMN assignment_reminders.users.contact_opt_out_reason IS 'Why: the person''s wish, or the bounce that caused it.';
COMMENT ON COLUMN assignment_reminders.users.soft_bounces IS
    'Soft bounces of this address since a message last arrived. At bounce_limit the person is opted out.';

REVOKE ALL ON assignment_reminders.users FROM PUBLIC;
