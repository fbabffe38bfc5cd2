-- The tokens of people ($1), each at its place. Index: unsubscribe_tokens_pkey.
SELECT t.token
  FROM unnest($1) WITH ORDINALITY AS of (id, place)
  -- LIMIT 1, of a unique row: a look-up by key, never a join that reads the whole table.
  LEFT JOIN LATERAL (SELECT t.token FROM assignment_reminders.unsubscribe_tokens t WHERE t.user_id = of.id LIMIT 1) AS t ON true
 ORDER BY of.place
