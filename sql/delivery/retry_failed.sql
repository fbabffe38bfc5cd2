-- Makes up to $3 failed reminders, failed since $1, of one organization ($2) or all (NULL) pending again, due at $4; the
-- claim finds out whether they should still be sent. Locked ones are left out. Index: reminders_failed_idx.
WITH failed AS MATERIALIZED (
    SELECT r.id
      FROM assignment_reminders.reminders r
     WHERE r.status = 'failed' AND r.updated_at >= $1 AND ($2::uuid IS NULL OR r.organization_id = $2)
     ORDER BY r.organization_id, r.id
     LIMIT $3
       FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE assignment_reminders.reminders r
   SET status = 'pending', attempts = 0, retry_at = $4, updated_at = now()
  FROM failed
 WHERE r.id = failed.id AND r.status = 'failed'
RETURNING r.id
