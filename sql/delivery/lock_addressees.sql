-- Locks users ($1), as lock_users.sql does, whose address is still the one that is known of them ($2, pairwise): whoever was forgotten since is written to no more.
-- Index: users_pkey.
SELECT u.id
  FROM unnest($1::uuid[], $2::text[]) AS known (id, email)
  JOIN assignment_reminders.users u ON u.id = known.id AND u.email IS NOT DISTINCT FROM known.email
 ORDER BY u.id
   FOR KEY SHARE OF u SKIP LOCKED
