-- What is wrong between the database and the roles $1 of the configuration; no row where nothing is.
SELECT wrong.what
  FROM (SELECT 1, format('the extension assignment_reminders is not in the database %I: CREATE EXTENSION assignment_reminders', current_database())
         WHERE NOT EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'assignment_reminders')
         UNION ALL
        SELECT 2, format('the role %I of jwt.roles is not in the database', wanted.name)
          FROM unnest($1::text[]) AS wanted (name)
         WHERE NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = wanted.name)
         UNION ALL
        SELECT 3, format('the role %I of jwt.roles passes row security: a token could see everything', r.rolname)
          FROM pg_roles r
         WHERE r.rolname = ANY ($1) AND (r.rolsuper OR r.rolbypassrls)
         UNION ALL
        SELECT 3, format('the role %I, which the service logs in as, is a superuser or passes row security: it needs no rights but to become the roles of jwt.roles', r.rolname)
          FROM pg_roles r
         WHERE r.rolname = current_user AND (r.rolsuper OR r.rolbypassrls)
         UNION ALL
        SELECT 4, format('%I cannot become the role %I of jwt.roles: GRANT %2$I TO %1$I', current_user, r.rolname)
          FROM pg_roles r
         WHERE r.rolname = ANY ($1) AND NOT pg_has_role(current_user, r.oid, 'MEMBER')
         UNION ALL
        SELECT 5, 'assignment_reminders has no row security: every caller would see everything. SELECT assignment_reminders.enable_row_security(...)'
          FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = 'assignment_reminders' AND c.relname = 'assignments' AND NOT c.relrowsecurity
       ) AS wrong (priority, what)
 ORDER BY wrong.priority, wrong.what
 LIMIT 1
