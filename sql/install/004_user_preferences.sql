-- What a person asked for beyond the defaults.

CREATE TABLE assignment_reminders.user_preferences (
    user_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    daily_summary boolean NOT NULL DEFAULT false,
    summary_hour integer NOT NULL DEFAULT 8,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT user_preferences_pkey PRIMARY KEY (user_id),
    CONSTRAINT user_preferences_user_fkey FOREIGN KEY (organization_id, user_id)
        REFERENCES assignment_reminders.users (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT user_preferences_summary_hour_in_range CHECK (summary_hour BETWEEN 0 AND 23)
);

-- Those who are to be sent a summary.
CREATE INDEX user_preferences_daily_summary_idx ON assignment_reminders.user_preferences (user_id) WHERE daily_summary;

COMMENT ON TABLE assignment_reminders.user_preferences IS 'What a person asked for; no row means the defaults.';
COMMENT ON COLUMN assignment_reminders.user_preferences.daily_summary IS 'True: wants a daily summary.';
COMMENT ON COLUMN assignment_reminders.user_preferences.summary_hour IS 'The hour, local to the person, of the daily summary.';

REVOKE ALL ON assignment_reminders.user_preferences FROM PUBLIC;
