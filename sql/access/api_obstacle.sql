-- What keeps the schema $1 from being made, or made again, with these views ($2) and functions ($3); no row where nothing does. Only a schema
-- that install_api() made, by its comment ($4), is made again: and none of these names may be somebody else's in it.
SELECT obstacle.what, obstacle.is_taken
  FROM (SELECT 1 AS place, format('the schema %I is there already, and was not made by install_api()', n.nspname) AS what, true AS is_taken
          FROM pg_namespace n
         WHERE n.nspname = $1 AND obj_description(n.oid, 'pg_namespace') IS DISTINCT FROM $4
         UNION ALL
        SELECT 2, format('the schema %I is not the current role''s', n.nspname), false
          FROM pg_namespace n
         WHERE n.nspname = $1 AND NOT pg_has_role(n.nspowner, 'USAGE')
         UNION ALL
        SELECT 3, format('%I.%I is another role''s than the schema', $1, c.relname), false
          FROM pg_namespace n
          JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = ANY ($2) AND c.relowner <> n.nspowner
         WHERE n.nspname = $1
         UNION ALL
        SELECT 3, format('the function %s is another role''s than the schema', p.oid::regprocedure), false
          FROM pg_namespace n
          JOIN pg_proc p ON p.pronamespace = n.oid AND p.proname = ANY ($3) AND p.proowner <> n.nspowner
         WHERE n.nspname = $1
       ) AS obstacle
 ORDER BY obstacle.place, obstacle.what
 LIMIT 1
