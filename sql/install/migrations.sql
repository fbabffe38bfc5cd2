-- Which migrations were applied to these tables. Made before the first of them.

CREATE TABLE IF NOT EXISTS assignment_reminders.migrations (
    number integer NOT NULL,
    name text NOT NULL,
    extension_version text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT migrations_pkey PRIMARY KEY (number)
);

COMMENT ON TABLE assignment_reminders.migrations IS 'assignment_reminders.install(): the migrations that were applied here.';

REVOKE ALL ON assignment_reminders.migrations FROM PUBLIC;
