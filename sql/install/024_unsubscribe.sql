-- What people want no more of, and the token by which they say so without signing in.

ALTER TABLE assignment_reminders.user_preferences
    ADD COLUMN muted_types text[] NOT NULL DEFAULT '{}',
    ADD COLUMN summary_changed_at timestamptz,
    ADD CONSTRAINT user_preferences_muted_types_not_null CHECK (array_position(muted_types, NULL) IS NULL);
COMMENT ON COLUMN assignment_reminders.user_preferences.muted_types IS
    'What the person is not sent: reminder types (reminders.reminder_type), or names of kinds for all of their types (reminder_kinds(); due: all reminders of due dates).';

-- Whoever asks for summaries, or for another hour, after that hour has come gets the first one tomorrow; whoever mutes something gets today's.
UPDATE assignment_reminders.user_preferences p SET summary_changed_at = p.updated_at;
COMMENT ON COLUMN assignment_reminders.user_preferences.summary_changed_at IS
    'When daily_summary or summary_hour was changed last, kept by a trigger unless the writer says it. NULL: not since the row was made.';

-- Of people, whatever organization they belong to: whoever is moved to another one keeps theirs.
CREATE TABLE assignment_reminders.unsubscribe_tokens (
    user_id uuid NOT NULL,
    -- 244 random bits: no guess finds one.
    token text NOT NULL DEFAULT replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT unsubscribe_tokens_pkey PRIMARY KEY (user_id),
    CONSTRAINT unsubscribe_tokens_token_key UNIQUE (token),
    CONSTRAINT unsubscribe_tokens_user_fkey FOREIGN KEY (user_id)
        REFERENCES assignment_reminders.users (id) ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT unsubscribe_tokens_token_long CHECK (length(token) >= 32)
);

COMMENT ON TABLE assignment_reminders.unsubscribe_tokens IS
    'The token of each person, which unsubscribe() knows them by: whoever has it says what they want no more of. A trigger makes it with the person; for workers, who put it into messages.';
COMMENT ON COLUMN assignment_reminders.unsubscribe_tokens.token IS 'Random, and fit for a URL. A new one, by UPDATE ... SET token = DEFAULT, makes links that were sent worthless.';

REVOKE ALL ON assignment_reminders.unsubscribe_tokens FROM PUBLIC;

-- Escalations that reach nobody, also because they are muted.
DROP INDEX assignment_reminders.reminders_unreachable_idx;
CREATE INDEX reminders_unreachable_idx ON assignment_reminders.reminders (organization_id, assignment_id)
    WHERE status = 'skipped' AND skip_reason IN ('no_coordinator', 'opted_out', 'muted', 'no_address');
