-- Keeps all rows of a table ($1) that is about to be truncated. $2 and $3: who does, $4: when. Reads that table, and none of the others.
-- Index: row_history_organization_idx.
INSERT INTO assignment_reminders.row_history
       (organization_id, table_name, row_id, belongs_to, operation, old_values, changed_at, changed_by, changed_by_user)
SELECT truncated.organization_id, $1, truncated.row_id, truncated.belongs_to, 'delete', truncated.version,
       greatest($4, (SELECT h.changed_at FROM assignment_reminders.row_history h
                      WHERE h.organization_id = truncated.organization_id AND h.table_name = $1 ORDER BY h.changed_at DESC LIMIT 1)), $2, $3
  FROM (
        SELECT t.id AS organization_id, t.id AS row_id, NULL::uuid AS belongs_to, to_jsonb(t.*) AS version
          FROM assignment_reminders.organizations t WHERE $1 = 'organizations'
         UNION ALL
        SELECT t.organization_id AS organization_id, t.organization_id AS row_id, NULL::uuid AS belongs_to, to_jsonb(t.*) AS version
          FROM assignment_reminders.reminder_settings t WHERE $1 = 'reminder_settings'
         UNION ALL
        SELECT t.organization_id AS organization_id, t.id AS row_id, NULL::uuid AS belongs_to, to_jsonb(t.*) AS version
          FROM assignment_reminders.days_off t WHERE $1 = 'days_off'
         UNION ALL
        SELECT t.organization_id AS organization_id, t.id AS row_id, NULL::uuid AS belongs_to, to_jsonb(t.*) AS version
          FROM assignment_reminders.users t WHERE $1 = 'users'
         UNION ALL
        SELECT t.organization_id AS organization_id, t.user_id AS row_id, NULL::uuid AS belongs_to, to_jsonb(t.*) AS version
          FROM assignment_reminders.user_preferences t WHERE $1 = 'user_preferences'
         UNION ALL
        SELECT t.organization_id AS organization_id, t.id AS row_id, NULL::uuid AS belongs_to, to_jsonb(t.*) AS version
          FROM assignment_reminders.peer_mentors t WHERE $1 = 'peer_mentors'
         UNION ALL
        SELECT t.organization_id AS organization_id, t.id AS row_id, NULL::uuid AS belongs_to, to_jsonb(t.*) AS version
          FROM assignment_reminders.assignments t WHERE $1 = 'assignments'
         UNION ALL
        SELECT t.organization_id AS organization_id, t.id AS row_id, t.assignment_id AS belongs_to, to_jsonb(t.*) AS version
          FROM assignment_reminders.assignment_pauses t WHERE $1 = 'assignment_pauses'
         UNION ALL
        SELECT t.organization_id AS organization_id, t.id AS row_id, t.peer_mentor_id AS belongs_to, to_jsonb(t.*) AS version
          FROM assignment_reminders.mentor_pauses t WHERE $1 = 'mentor_pauses'
         UNION ALL
        SELECT t.organization_id AS organization_id, t.id AS row_id, t.assignment_id AS belongs_to, to_jsonb(t.*) AS version
          FROM assignment_reminders.contact_corrections t WHERE $1 = 'contact_corrections'
         UNION ALL
        SELECT t.organization_id AS organization_id, t.id AS row_id, t.assignment_id AS belongs_to, to_jsonb(t.*) AS version
          FROM assignment_reminders.activities t WHERE $1 = 'activities'
       ) AS truncated
