//! Everything that the catalog knows of the schema, as lines that can be compared.

use postgres::Client;

use crate::support::rows;

/// What a database looks like: functions, types, tables, columns, constraints, indexes, triggers, views, comments and grants. Object
/// ids, the order in which rights were granted, and whether those that are the default are written down (pg_upgrade leaves them out),
/// are no part of it.
pub fn dump(client: &mut Client) -> Vec<String> {
    const DUMP: &str = "
        WITH schema AS (SELECT 'assignment_reminders'::regnamespace::oid AS oid),
        acl (name, acl) AS (
            SELECT 'function ' || p.oid::regprocedure, coalesce(p.proacl, acldefault('f', p.proowner)) FROM pg_proc p, schema WHERE p.pronamespace = schema.oid
            UNION ALL SELECT 'relation ' || c.oid::regclass, coalesce(c.relacl, acldefault('r', c.relowner)) FROM pg_class c, schema WHERE c.relnamespace = schema.oid
            UNION ALL SELECT 'schema', n.nspacl FROM pg_namespace n, schema WHERE n.oid = schema.oid
            UNION ALL SELECT 'initial function ' || p.oid::regprocedure, coalesce(i.initprivs, acldefault('f', p.proowner))
                        FROM schema, pg_proc p LEFT JOIN pg_init_privs i ON i.classoid = 'pg_proc'::regclass AND i.objoid = p.oid
                       WHERE p.pronamespace = schema.oid
        )
        SELECT 'function ' || pg_get_functiondef(p.oid) FROM pg_proc p, schema WHERE p.pronamespace = schema.oid AND p.prokind <> 'a'
        UNION ALL SELECT concat_ws(' ', 'aggregate', p.oid::regprocedure, p.prorettype::regtype, p.proparallel, a.aggkind, a.aggtransfn, a.aggfinalfn,
                                   a.aggcombinefn, a.aggtranstype::regtype, coalesce(a.agginitval, 'NULL'))
                    FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid, schema WHERE p.pronamespace = schema.oid
        UNION ALL SELECT 'function owner ' || p.oid::regprocedure || ' ' || p.proowner::regrole FROM pg_proc p, schema WHERE p.pronamespace = schema.oid
        UNION ALL SELECT 'member ' || pg_describe_object(d.classid, d.objid, d.objsubid) FROM pg_depend d
                   JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
                   WHERE e.extname = 'assignment_reminders' AND d.deptype = 'e'
        UNION ALL SELECT DISTINCT 'depends ' || pg_describe_object(d.classid, d.objid, d.objsubid) || ' on ' || pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid)
                    FROM pg_depend d JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid, schema WHERE p.pronamespace = schema.oid
        UNION ALL SELECT 'extension ' || e.extversion || ' ' || e.extowner::regrole FROM pg_extension e WHERE e.extname = 'assignment_reminders'
        UNION ALL SELECT concat_ws(' ', 'column', a.attrelid::regclass, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                                   a.attidentity, pg_get_expr(d.adbin, d.adrelid), col_description(a.attrelid, a.attnum))
                    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum, schema
                   WHERE c.relnamespace = schema.oid AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL SELECT concat_ws(' ', 'relation', c.oid::regclass, c.relkind, c.relowner::regrole, c.reloptions, c.relrowsecurity, obj_description(c.oid, 'pg_class'))
                    FROM pg_class c, schema WHERE c.relnamespace = schema.oid
        UNION ALL SELECT concat_ws(' ', 'comment', p.oid::regprocedure, obj_description(p.oid, 'pg_proc')) FROM pg_proc p, schema WHERE p.pronamespace = schema.oid
        UNION ALL SELECT concat_ws(' ', 'comment', t.oid::regtype, obj_description(t.oid, 'pg_type')) FROM pg_type t, schema WHERE t.typnamespace = schema.oid
        UNION ALL SELECT concat_ws(' ', d.kind, d.relation, d.name, d.definition) FROM assignment_reminders.installed_definitions() AS d
        UNION ALL SELECT concat_ws(' ', 'acl', acl.name, e.grantor::regrole, e.grantee::regrole, e.privilege_type, e.is_grantable) FROM acl, aclexplode(acl.acl) AS e
        ORDER BY 1";
    rows(client, DUMP)
}

/// What only one of the two has.
pub fn assert_same(upgraded: &[String], fresh: &[String]) {
    let only = |these: &[String], those: &[String]| -> Vec<String> {
        these.iter().filter(|line| !those.contains(line)).cloned().collect()
    };
    let (extra, missing) = (only(upgraded, fresh), only(fresh, upgraded));
    assert!(
        extra.is_empty() && missing.is_empty(),
        "only in the upgraded database:\n{}\nonly in a fresh one:\n{}",
        extra.join("\n"),
        missing.join("\n")
    );
}
