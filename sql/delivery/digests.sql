-- Messages of items ($1: as items.sql makes them, $2: which message each belongs to, pairwise; in the order of both). The key of one is that of its item, and
-- of several the same for the same items. Index: primary keys.
WITH message AS MATERIALIZED (
    SELECT of.message, jsonb_agg(of.item ORDER BY of.place) AS items, array_agg((of.item ->> 'reminder_id')::uuid ORDER BY of.place) AS reminder_ids,
           string_agg(of.item ->> 'idempotency_key', ' ' ORDER BY of.item ->> 'idempotency_key' COLLATE "C") AS idempotency_keys,
           (array_agg(of.item ->> 'claim_id'))[1]::uuid AS claim_id, (array_agg(of.item ->> 'claimed_until'))[1]::timestamptz AS claimed_until,
           (array_agg(of.item ->> 'organization_id'))[1]::uuid AS organization_id, (array_agg(of.item ->> 'organization_name'))[1] AS organization_name,
           (array_agg(of.item ->> 'recipient_id'))[1]::uuid AS recipient_id, (array_agg(of.item ->> 'recipient_email'))[1] AS recipient_email,
           (array_agg(of.item ->> 'recipient_name'))[1] AS recipient_name, (array_agg(of.item ->> 'recipient_timezone'))[1] AS recipient_timezone
      FROM (SELECT item::jsonb AS item, message, place
              FROM unnest($1::text[], $2::integer[]) WITH ORDINALITY AS of (item, message, place)) AS of
     GROUP BY of.message
), tokens AS MATERIALIZED (
    -- With the rights of the tables' owner: a claim asks.
    SELECT array_agg(m.message ORDER BY m.message) AS messages,
           assignment_reminders.unsubscribe_tokens_of(array_agg(m.recipient_id ORDER BY m.message)) AS tokens
      FROM message m
)
SELECT m.claim_id, m.claimed_until,
       CASE WHEN cardinality(m.reminder_ids) = 1 THEN m.idempotency_keys
            ELSE 'digest-' || encode(sha256(convert_to(m.idempotency_keys, 'UTF8')), 'hex') END AS idempotency_key,
       m.organization_id, m.organization_name, m.recipient_id, m.recipient_email, m.recipient_name, m.recipient_timezone,
       coalesce(recipient.locale, o.locale) AS recipient_locale, token.token AS unsubscribe_token, m.reminder_ids, m.items
  FROM message m
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
