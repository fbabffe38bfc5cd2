-- What must be known of these roles ($1): whether they are there, whether row security would bind them, and whether one has the rights of the other.
SELECT wanted.name, r.oid IS NOT NULL AS is_there,
       coalesce(NOT (r.rolsuper OR r.rolbypassrls OR pg_has_role(r.oid, owner.oid, 'USAGE')), false) AS is_bound,
       -- The rights of one would be the other's.
       EXISTS (SELECT FROM pg_roles other
                WHERE other.rolname = ANY ($1) AND other.oid <> r.oid AND pg_has_role(r.oid, other.oid, 'USAGE')) AS is_another
  FROM unnest($1::text[]) WITH ORDINALITY AS wanted (name, place)
 CROSS JOIN (SELECT c.relowner AS oid FROM pg_class c WHERE c.oid = 'assignment_reminders.users'::regclass) AS owner
  LEFT JOIN pg_roles r ON r.rolname = wanted.name
 ORDER BY wanted.place
