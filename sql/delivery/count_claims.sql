-- Makes the rows in which claims of organizations ($1) are counted, but for those that somebody is deleting. Index: claim_rates_pkey.
INSERT INTO assignment_reminders.claim_rates (organization_id)
SELECT unnest(assignment_reminders.lock_for_reminders('organizations', $1))
    ON CONFLICT DO NOTHING
