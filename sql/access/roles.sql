-- What must be known of these roles ($1): whether they are there, and whether row security would bind them.
SELECT wanted.name, r.oid IS NOT NULL AS is_there,
       coalesce(NOT (r.rolsuper OR r.rolbypassrls OR pg_has_role(r.oid, owner.oid, 'USAGE')), false) AS is_bound
  FROM unnest($1::text[]) WITH ORDINALITY AS wanted (name, place)
 CROSS JOIN (SELECT c.relowner AS oid FROM pg_class c WHERE c.oid = 'assignment_reminders.users'::regclass) AS owner
  LEFT JOIN pg_roles r ON r.rolname = wanted.name
 ORDER BY wanted.place
