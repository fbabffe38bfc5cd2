-- Whether the current role may give organizations their hours. No row: the tables are not there, or not yet of this version.
SELECT has_column_privilege(a.attrelid, a.attnum, 'UPDATE') AND has_table_privilege(a.attrelid, 'SELECT')
       AND NOT row_security_active(a.attrelid) AS may_give
  FROM pg_attribute a
 WHERE a.attrelid = to_regclass('assignment_reminders.reminder_settings') AND a.attname = 'evaluation_hour' AND NOT a.attisdropped
