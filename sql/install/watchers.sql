-- The commands that let those who may read reminder_queue read what it has come to tell, too: a view that is read with the reader's rights would be closed to
-- them by a column that they have no right to. Those who may already are left as they are.
SELECT format('GRANT SELECT (%s) ON assignment_reminders.%I TO %s', needed.columns, needed.relation,
              CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(r.rolname) END) AS command
  FROM pg_class c
 CROSS JOIN LATERAL aclexplode(c.relacl) AS a
  LEFT JOIN pg_roles r ON r.oid = a.grantee
 CROSS JOIN (VALUES ('claim_rates', 'organization_id, paused_until'), ('reminder_settings', 'organization_id, messages_per_minute'))
       AS needed (relation, columns)
  JOIN pg_class n ON n.relname = needed.relation AND n.relnamespace = c.relnamespace
 WHERE c.oid = 'assignment_reminders.reminder_queue'::regclass AND a.privilege_type = 'SELECT' AND a.grantee <> c.relowner
   AND NOT has_table_privilege(coalesce(r.rolname, 'public'), n.oid, 'SELECT')
