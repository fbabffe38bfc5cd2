-- The commands that untie our tables ($2) from the extension, and drop its views ($1). Users' tables in the schema are theirs.
-- What a default becomes asks the settings of the session, as current_organization() does, and no function of ours.
WITH ours AS (
    SELECT c.oid, c.relname, c.relkind
      FROM pg_class c
     WHERE c.relnamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = 'assignment_reminders')
), extension_function AS (
    SELECT d.objid AS oid
      FROM pg_depend d
      JOIN pg_extension e ON e.oid = d.refobjid
     WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
       AND e.extname = 'assignment_reminders'
)
SELECT 'trigger' AS kind, format('DROP TRIGGER %I ON assignment_reminders.%I', t.tgname, o.relname) AS command
  FROM ours o
  JOIN pg_trigger t ON t.tgrelid = o.oid
 WHERE NOT t.tgisinternal AND o.relname = ANY ($2) AND t.tgfoid IN (SELECT f.oid FROM extension_function f)
UNION ALL
SELECT 'default', format(
           'ALTER TABLE assignment_reminders.%I ALTER COLUMN %I SET DEFAULT coalesce(nullif(current_setting(%L, true), %L)::uuid, '
           '(nullif(current_setting(%L, true), %L)::jsonb ->> %L)::uuid, (nullif(current_setting(%L, true), %L)::jsonb #>> %L)::uuid, %L::uuid)',
           o.relname, a.attname, 'assignment_reminders.organization_id', '', 'request.jwt.claims', '', 'organization_id',
           'request.jwt.claims', '', '{app_metadata,organization_id}', '00000000-0000-0000-0000-000000000001')
  FROM ours o
  JOIN pg_attrdef d ON d.adrelid = o.oid
  JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
 WHERE a.attname = 'organization_id' AND o.relname = ANY ($2)
   AND EXISTS (SELECT FROM pg_depend p
                WHERE p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid AND p.refclassid = 'pg_proc'::regclass
                  AND p.refobjid IN (SELECT f.oid FROM extension_function f))
UNION ALL
SELECT 'view', format('DROP VIEW assignment_reminders.%I', o.relname)
  FROM ours o
 WHERE o.relkind = 'v' AND o.relname = ANY ($1)
