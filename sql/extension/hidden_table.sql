-- The first of these tables of which row security may hide rows from the current role: $1 are read, $2 updated, $3 inserted into, $4
-- deleted from. A policy that is simply true hides none, as long as no restrictive one is added.
WITH needed AS (
    SELECT c.oid, tables.name, command.letter, command.word
      FROM (VALUES (1, $1, 'r', 'read'), (2, $2, 'w', 'update'), (3, $3, 'a', 'insert'), (4, $4, 'd', 'delete'))
           AS command (place, tables, letter, word)
     CROSS JOIN unnest(command.tables) AS tables (name)
      JOIN pg_class c ON c.relname = tables.name
       AND c.relnamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = 'assignment_reminders')
     WHERE row_security_active(c.oid)
), policy AS (
    SELECT p.polrelid, p.polpermissive, p.polcmd,
           -- Of an UPDATE and of ALL, what may be written is what may be seen, unless it is said.
           coalesce(pg_get_expr(p.polqual, p.polrelid), 'true') = 'true' AS shows_all,
           coalesce(pg_get_expr(p.polwithcheck, p.polrelid), pg_get_expr(p.polqual, p.polrelid), 'true') = 'true' AS takes_all
      FROM pg_policy p
     WHERE p.polroles = '{0}' OR EXISTS (SELECT FROM unnest(p.polroles) AS r (oid) WHERE pg_has_role(r.oid, 'USAGE'))
)
SELECT n.name, n.word AS command, current_user::text AS role
  FROM needed n
 WHERE NOT EXISTS (SELECT FROM policy p
                    WHERE p.polrelid = n.oid AND p.polpermissive AND p.polcmd::text IN (n.letter, '*') AND p.shows_all AND p.takes_all)
    OR EXISTS (SELECT FROM policy p
                WHERE p.polrelid = n.oid AND NOT p.polpermissive AND p.polcmd::text IN (n.letter, '*')
                  AND NOT (p.shows_all AND p.takes_all))
 LIMIT 1
