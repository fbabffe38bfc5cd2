-- An organization's own words, over those that its workers know.

CREATE TABLE assignment_reminders.message_templates (
    organization_id uuid NOT NULL,
    locale text NOT NULL,
    name text NOT NULL,
    body text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT message_templates_pkey PRIMARY KEY (organization_id, locale, name),
    CONSTRAINT message_templates_organization_fkey FOREIGN KEY (organization_id)
        REFERENCES assignment_reminders.organizations (id) ON DELETE CASCADE,
    CONSTRAINT message_templates_locale_is_a_tag CHECK (locale ~ '^([A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$'),
    CONSTRAINT message_templates_name_is_a_file CHECK (name ~ '^[a-z-]+[.](subject|txt|html|jinja)$'),
    CONSTRAINT message_templates_layout_is_of_no_language CHECK ((name = 'layout.html') = (locale = '')),
    CONSTRAINT message_templates_body_is_short CHECK (octet_length(body) <= 65536)
);

-- However it is written, a language is one.
CREATE UNIQUE INDEX message_templates_locale_key ON assignment_reminders.message_templates (organization_id, lower(locale), name);

COMMENT ON TABLE assignment_reminders.message_templates IS
    'The words of an organization''s messages where they are others than its workers know; coordinators write them. One that cannot be used is left out, and the log of remindersd says so; remindersd check-templates --stored tells it before.';
COMMENT ON COLUMN assignment_reminders.message_templates.locale IS 'In which language, such as nb or pt-BR. Empty: in all, which is layout.html alone.';
COMMENT ON COLUMN assignment_reminders.message_templates.name IS 'Which template: a kind of message with one of its parts, such as due.subject; phrases.jinja or layout.html.';
COMMENT ON COLUMN assignment_reminders.message_templates.body IS 'The template, in the syntax of Jinja; at most 64 KiB.';

REVOKE ALL ON assignment_reminders.message_templates FROM PUBLIC;
