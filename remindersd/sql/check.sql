-- What is wrong between the database and the roles of the configuration ($1: jwt.roles, $2: webhooks.role, $3: unsubscribe.role); no row where nothing is.
WITH wanted (name, setting) AS (
    SELECT t.name, 'jwt.roles' FROM unnest($1::text[]) AS t (name)
     UNION
    SELECT $2::text, 'webhooks.role' WHERE $2 IS NOT NULL
     UNION
    SELECT $3::text, 'unsubscribe.role' WHERE $3 IS NOT NULL
), given (oid, name, setting, passes) AS (
    SELECT r.oid, w.name, w.setting, r.rolsuper OR r.rolbypassrls FROM wanted w JOIN pg_roles r ON r.rolname = w.name
), worker (name) AS (
    -- Whom enable_row_security() made the workers' role. There is one: giving that name to another takes its rights.
    SELECT r.rolname
      FROM pg_policy p
      JOIN pg_class c ON c.oid = p.polrelid AND c.relname = 'send_logs'
      JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'assignment_reminders'
      JOIN pg_roles r ON r.oid = ANY (p.polroles)
     WHERE p.polname = 'worker_all'
     ORDER BY 1 LIMIT 1
), remedy (of, what) AS (
    SELECT g.oid, coalesce((SELECT format('GRANT %I TO %I', w.name, g.name) FROM worker w WHERE w.name <> g.name),
                           format('SELECT assignment_reminders.enable_row_security(..., %L)', g.name))
      FROM given g
     WHERE g.setting = 'webhooks.role'
)
SELECT wrong.what
  FROM (SELECT 1, format('the extension assignment_reminders is not in the database %I: CREATE EXTENSION assignment_reminders', current_database())
         WHERE NOT EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'assignment_reminders')
         UNION ALL
        SELECT 2, format('the role %I of %s is not in the database', w.name, w.setting)
          FROM wanted w
         WHERE NOT EXISTS (SELECT FROM given g WHERE g.name = w.name)
         UNION ALL
        SELECT 3, format('the role %I of %s passes row security: a token could see everything', g.name, g.setting)
          FROM given g
         WHERE g.passes AND g.setting = 'jwt.roles'
         UNION ALL
        SELECT 3, format('the role %I of %s passes row security: it needs no right but to call unsubscribe', g.name, g.setting)
          FROM given g
         WHERE g.passes AND g.setting = 'unsubscribe.role'
         UNION ALL
        SELECT 3, format('the role %I, which the service logs in as, is a superuser or passes row security: it needs no rights but to become the roles of jwt.roles', r.rolname)
          FROM pg_roles r
         WHERE r.rolname = current_user AND (r.rolsuper OR r.rolbypassrls)
         UNION ALL
        SELECT 4, format('%I cannot become the role %I of %s: GRANT %2$I TO %1$I', current_user, g.name, g.setting)
          FROM given g
         WHERE NOT pg_has_role(current_user, g.oid, 'MEMBER')
         UNION ALL
        SELECT 5, format('the role %I of webhooks.role may not call %s: %s, or GRANT EXECUTE', g.name, p.proname, r.what)
          FROM given g
          JOIN remedy r ON r.of = g.oid
          JOIN pg_proc p ON p.proname IN ('record_delivery_event', 'record_provider_message')
          JOIN pg_namespace n ON n.oid = p.pronamespace AND n.nspname = 'assignment_reminders'
         WHERE g.setting = 'webhooks.role' AND NOT has_function_privilege(g.oid, p.oid, 'EXECUTE')
         UNION ALL
        SELECT 6, format('row security hides the messages that were sent from the role %I of webhooks.role: %s', g.name, r.what)
          FROM given g
          JOIN remedy r ON r.of = g.oid
          JOIN pg_class c ON c.relname = 'send_logs' AND c.relrowsecurity
          JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'assignment_reminders'
         WHERE g.setting = 'webhooks.role' AND NOT g.passes
           AND NOT EXISTS (SELECT FROM pg_policy p
                            WHERE p.polrelid = c.oid
                              AND (p.polroles = '{0}' OR EXISTS (SELECT FROM unnest(p.polroles) AS of (oid) WHERE pg_has_role(g.oid, of.oid, 'USAGE'))))
         UNION ALL
        SELECT 5, format('the role %1$I of %2$s may not call unsubscribe: GRANT USAGE ON SCHEMA assignment_reminders TO %1$I; GRANT EXECUTE ON FUNCTION assignment_reminders.unsubscribe TO %1$I',
                         g.name, g.setting)
          FROM given g
         WHERE g.setting = 'unsubscribe.role'
           AND NOT EXISTS (SELECT FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
                            WHERE n.nspname = 'assignment_reminders' AND p.proname = 'unsubscribe'
                              AND has_schema_privilege(g.oid, n.oid, 'USAGE') AND has_function_privilege(g.oid, p.oid, 'EXECUTE'))
         UNION ALL
        SELECT 6, 'assignment_reminders has no row security: every caller would see everything. SELECT assignment_reminders.enable_row_security(...)'
          FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = 'assignment_reminders' AND c.relname = 'assignments' AND NOT c.relrowsecurity
       ) AS wrong (priority, what)
 ORDER BY wrong.priority, wrong.what
 LIMIT 1
