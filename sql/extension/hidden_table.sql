-- The first of these tables of which row security may hide rows from the current role: $1 are read, $2 updated, $3 inserted into, $4
-- deleted from. A policy that is simply true hides none, as long as no restrictive one is added. Nor does one, from a coordinator of the
-- organization that is asked about ($5), that first lets coordinators see all of theirs (sql/access/policies.sql).
WITH needed AS (
    SELECT c.oid, tables.name, command.letter, command.word
      FROM (VALUES (1, $1, 'r', 'read'), (2, $2, 'w', 'update'), (3, $3, 'a', 'insert'), (4, $4, 'd', 'delete'))
           AS command (place, tables, letter, word)
     CROSS JOIN unnest(command.tables) AS tables (name)
      JOIN pg_class c ON c.relname = tables.name
       AND c.relnamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = 'assignment_reminders')
     WHERE row_security_active(c.oid)
), policy AS (
    SELECT p.polrelid, p.polpermissive, p.polcmd, whole.shows_all, whole.takes_all
      FROM pg_policy p
      -- Of an UPDATE and of ALL, what may be written is what may be seen, unless it is said.
     CROSS JOIN LATERAL (
           SELECT coalesce(pg_get_expr(p.polqual, p.polrelid), 'true') AS shown,
                  coalesce(pg_get_expr(p.polwithcheck, p.polrelid), pg_get_expr(p.polqual, p.polrelid), 'true') AS taken,
                  format('(%s = ( SELECT assignment_reminders.coordinated_organization() AS coordinated_organization))',
                         CASE WHEN p.polrelid = 'assignment_reminders.organizations'::regclass THEN 'id' ELSE 'organization_id' END) AS coordinated
           ) AS expression
     CROSS JOIN LATERAL (
           SELECT shown = 'true' OR $5 AND (shown = coordinated OR starts_with(shown, '(' || coordinated || ' OR ')) AS shows_all,
                  taken = 'true' OR $5 AND (taken = coordinated OR starts_with(taken, '(' || coordinated || ' OR ')) AS takes_all
           ) AS whole
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
