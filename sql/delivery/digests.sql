-- Messages of items ($1: as items.sql makes them, $2: which message each belongs to, $3 and $4: their reminders and keys, pairwise; in the order of the
-- messages and of their items). The key of one is that of its item, and of several the same for the same items. Index: primary keys.
WITH message AS MATERIALIZED (
    SELECT of.message, ('[' || string_agg(of.item, ',' ORDER BY of.place) || ']')::jsonb AS items, array_agg(of.reminder_id ORDER BY of.place) AS reminder_ids,
           string_agg(of.idempotency_key, ' ' ORDER BY of.idempotency_key COLLATE "C") AS idempotency_keys
      FROM unnest($1::text[], $2::integer[], $3::uuid[], $4::text[]) WITH ORDINALITY AS of (item, message, reminder_id, idempotency_key, place)
     GROUP BY of.message
), told AS MATERIALIZED (
    -- Whom it is for, and the claim, all of its items tell alike.
    SELECT m.*, first.*
      FROM message m
     CROSS JOIN LATERAL jsonb_to_record(m.items -> 0)
           AS first (claim_id uuid, claimed_until timestamptz, organization_id uuid, organization_name text, recipient_id uuid,
                     recipient_email text, recipient_name text, recipient_timezone text)
), tokens AS MATERIALIZED (
    -- With the rights of the tables' owner: a claim asks.
    SELECT array_agg(m.message ORDER BY m.message) AS messages,
           assignment_reminders.unsubscribe_tokens_of(array_agg(m.recipient_id ORDER BY m.message)) AS tokens
      FROM told m
)
SELECT m.claim_id, m.claimed_until,
       CASE WHEN cardinality(m.reminder_ids) = 1 THEN m.idempotency_keys
            ELSE 'digest-' || encode(sha256(convert_to(m.idempotency_keys, 'UTF8')), 'hex') END AS idempotency_key,
       m.organization_id, m.organization_name, m.recipient_id, m.recipient_email, m.recipient_name, m.recipient_timezone,
       coalesce(recipient.locale, o.locale) AS recipient_locale, token.token AS unsubscribe_token, m.reminder_ids, m.items
  FROM told m
 CROSS JOIN tokens
  LEFT JOIN LATERAL (
       SELECT token FROM unnest(tokens.messages, tokens.tokens) AS token (message, token) WHERE token.message = m.message LIMIT 1
       ) AS token ON true
  LEFT JOIN LATERAL (
       SELECT u.locale FROM assignment_reminders.users u
        WHERE u.id = m.recipient_id AND u.organization_id = m.organization_id LIMIT 1
       ) AS recipient ON true
  LEFT JOIN LATERAL (
       SELECT o.locale FROM assignment_reminders.organizations o WHERE o.id = m.organization_id LIMIT 1
       ) AS o ON true
 ORDER BY m.message
