-- What ties tables of ours together, as the catalog has it: install() and evaluation_health() compare it with
-- sql/install/definitions.txt. Postgres writes each definition itself; a trigger that does not fire says so after it.
CREATE FUNCTION assignment_reminders.installed_definitions()
RETURNS TABLE (kind text, relation text, name text, definition text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
-- By which Postgres writes constants and names.
SET timezone = 'UTC' SET datestyle = 'ISO, MDY' SET intervalstyle = 'postgres' SET quote_all_identifiers = off
AS $$
    WITH ours AS (
        SELECT c.oid, c.relname::text AS relation, c.relkind, c.reloptions
          FROM pg_class c
         WHERE c.relnamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = 'assignment_reminders')
    )
    SELECT 'trigger', o.relation, t.tgname::text,
           pg_get_triggerdef(t.oid) || CASE t.tgenabled WHEN 'D' THEN ' DISABLED' WHEN 'R' THEN ' REPLICA ONLY' ELSE '' END
      FROM ours o
      JOIN pg_trigger t ON t.tgrelid = o.oid
     WHERE NOT t.tgisinternal
    UNION ALL
    SELECT 'default', o.relation, a.attname::text, pg_get_expr(d.adbin, d.adrelid)
      FROM ours o
      JOIN pg_attrdef d ON d.adrelid = o.oid
      JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
     WHERE a.attname = 'organization_id'
    UNION ALL
    -- Not those of NOT NULL, which are constraints from Postgres 18 on.
    SELECT 'constraint', o.relation, c.conname::text, pg_get_constraintdef(c.oid)
      FROM ours o
      JOIN pg_constraint c ON c.conrelid = o.oid
     WHERE c.contype IN ('c', 'f', 'p', 'u', 'x')
    UNION ALL
    -- Those of constraints are named there.
    SELECT 'index', o.relation, i.relname::text,
           -- Of a table that its owner partitioned, it is the same index.
           replace(pg_get_indexdef(x.indexrelid), ' ON ONLY ', ' ON ') || CASE WHEN x.indisvalid THEN '' ELSE ' INVALID' END
      FROM ours o
      JOIN pg_index x ON x.indrelid = o.oid
      JOIN pg_class i ON i.oid = x.indexrelid
     WHERE NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = x.indexrelid AND c.contype IN ('p', 'u', 'x'))
    UNION ALL
    SELECT 'view', o.relation, o.relation, concat_ws(' ', o.reloptions::text, pg_get_viewdef(o.oid))
      FROM ours o
     WHERE o.relkind = 'v'
$$;
COMMENT ON FUNCTION assignment_reminders.installed_definitions() IS
    'The triggers, defaults of organization_id, constraints, indexes and views in the schema assignment_reminders, as the catalog has them.';
