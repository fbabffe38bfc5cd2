-- The tenants. Owns name and time zone; what an organisation decides about reminders is in reminder_settings.

CREATE TABLE assignment_reminders.organizations (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    name text NOT NULL,
    timezone text NOT NULL DEFAULT 'UTC',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT organizations_pkey PRIMARY KEY (id),
    CONSTRAINT organizations_name_not_empty CHECK (btrim(name) <> ''),
    -- The pattern keeps POSIX zones ("X5") out; the conversion makes Postgres refuse a zone that it does not know.
    CONSTRAINT organizations_timezone_is_iana CHECK (
        timezone ~ '^([A-Za-z_]+(/[A-Za-z_-]+)+|Etc/GMT[+-]?[0-9]{1,2}|UTC|GMT)$'
        AND (timestamptz '2000-01-01 00:00+00' AT TIME ZONE timezone) IS NOT NULL
    )
);

COMMENT ON TABLE assignment_reminders.organizations IS
    'The tenants. Every other row belongs to one; dates are counted in its time zone.';
COMMENT ON COLUMN assignment_reminders.organizations.timezone IS
    'IANA name, such as Europe/Oslo. Contact dates are the activities'' dates in this zone; a change applies to later contacts.';

REVOKE ALL ON assignment_reminders.organizations FROM PUBLIC;

-- current_organization() falls back to this row, so a single-tenant user never names an organisation.
INSERT INTO assignment_reminders.organizations (id, name)
VALUES ('00000000-0000-0000-0000-000000000001', 'Default organisation');
