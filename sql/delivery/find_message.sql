-- The log of the message that a provider reports of, by its Message-ID or else the provider's own id ($1: the id as it may be written), of an
-- organization ($2; NULL: of the only one that sent such a message), or that several have sent it. Indexes: send_logs_message_idx,
-- send_logs_provider_message_idx.
WITH by_message AS MATERIALIZED (
    SELECT l.id, l.organization_id, l.created_at
      FROM assignment_reminders.send_logs l
     WHERE l.message_id = ANY ($1) AND l.status = 'queued' AND ($2 IS NULL OR l.organization_id = $2)
), found AS (
    SELECT m.* FROM by_message m
     UNION ALL
    SELECT l.id, l.organization_id, l.created_at
      FROM assignment_reminders.send_logs l
     WHERE l.provider_message_id = ANY ($1) AND l.status = 'queued' AND ($2 IS NULL OR l.organization_id = $2)
           AND NOT EXISTS (SELECT FROM by_message)
)
SELECT f.id, min(f.organization_id::text) OVER () <> max(f.organization_id::text) OVER () AS is_ambiguous
  FROM found f
 -- Of a digest there are several, of which one stands for all: always the same.
 ORDER BY f.created_at DESC, f.id LIMIT 1
