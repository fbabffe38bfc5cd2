-- The log of the message ($1) that a provider reports of, of an organization ($2; NULL: of the only one that sent such a message), or that
-- several have sent it. Index: send_logs_message_idx.
SELECT l.id, l.organization_id, l.to_email, min(l.organization_id::text) OVER () <> max(l.organization_id::text) OVER () AS is_ambiguous
  FROM assignment_reminders.send_logs l
 WHERE l.message_id = $1 AND l.status = 'queued' AND ($2 IS NULL OR l.organization_id = $2)
 ORDER BY l.created_at DESC LIMIT 1
