-- Lets overruled activities count again. $1: their ids. Index: activities_pkey.
UPDATE assignment_reminders.activities t
   SET overruled_by = NULL, updated_at = now()
 WHERE t.id = ANY ($1)
RETURNING t.id
