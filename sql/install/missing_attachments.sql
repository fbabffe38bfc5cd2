-- How many of the triggers ($1) and organization defaults (on tables $2) of triggers.sql are missing.
SELECT (SELECT count(*) FROM unnest($1) AS wanted (name)
         WHERE NOT EXISTS (
               SELECT FROM pg_trigger t
                 JOIN pg_class c ON c.oid = t.tgrelid
                WHERE t.tgname = wanted.name AND c.relnamespace = 'assignment_reminders'::regnamespace))
     + (SELECT count(*) FROM unnest($2) AS wanted (name)
         WHERE NOT EXISTS (
               SELECT FROM pg_attrdef d
                 JOIN pg_class c ON c.oid = d.adrelid
                 JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.adnum
                WHERE c.relname = wanted.name AND c.relnamespace = 'assignment_reminders'::regnamespace
                  AND a.attname = 'organization_id')) AS missing
