-- Answers that a message was sent ($1: its reminders, $2: the claim, $3: its Message-ID, $4: from which address), and notes what the provider calls it
-- ($5, where it said so): one round trip, one transaction. Returns the reminders whose answer came too late.
WITH answer AS MATERIALIZED (
    SELECT coalesce(array_agg(late.id), '{}') AS late FROM assignment_reminders.mark_digest_sent($1, $2, $3, $4) AS late (id)
)
SELECT a.late, CASE WHEN cardinality(a.late) < cardinality($1) THEN (SELECT assignment_reminders.record_provider_message($3, $5) WHERE $5 IS NOT NULL) END AS is_named
  FROM answer a
