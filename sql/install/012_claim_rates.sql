-- What was claimed in the last minute, of organisations that limit it: written by claims, which hold its lock.

CREATE TABLE assignment_reminders.claim_rates (
    organization_id uuid NOT NULL,
    claimed_at timestamptz[] NOT NULL DEFAULT '{}',
    messages integer[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT claim_rates_pkey PRIMARY KEY (organization_id),
    CONSTRAINT claim_rates_organization_fkey FOREIGN KEY (organization_id)
        REFERENCES assignment_reminders.organizations (id) ON DELETE CASCADE,
    CONSTRAINT claim_rates_pairs CHECK (cardinality(claimed_at) = cardinality(messages))
);

COMMENT ON TABLE assignment_reminders.claim_rates IS
    'What was claimed in the last minute, of organisations with messages_per_minute. Kept by claim_reminders.';
COMMENT ON COLUMN assignment_reminders.claim_rates.claimed_at IS 'Seconds in which messages were claimed; how many is in messages, at the same place.';

REVOKE ALL ON assignment_reminders.claim_rates FROM PUBLIC;
