-- The commands that give the member role ($1) and the worker role ($2; NULL: none) what their policies speak of, on these tables and
-- views ($3). Workers, whose policies are simply true, write a part of users' columns only.
WITH needed (role, relation, privileges, without) AS (
    VALUES ($1, 'organizations', 'SELECT, INSERT, UPDATE', '{}'::text[]),
           ($1, 'reminder_settings', 'SELECT, INSERT, UPDATE', '{}'),
           ($1, 'users', 'SELECT, INSERT, UPDATE, DELETE', '{}'),
           ($1, 'user_preferences', 'SELECT, INSERT, UPDATE, DELETE', '{}'),
           ($1, 'peer_mentors', 'SELECT, INSERT, UPDATE, DELETE', '{}'),
           ($1, 'assignments', 'SELECT, INSERT, UPDATE, DELETE', '{}'),
           ($1, 'activities', 'SELECT, INSERT, UPDATE, DELETE', '{}'),
           ($1, 'contact_corrections', 'SELECT, INSERT', '{}'),
           ($1, 'reminders', 'SELECT, INSERT, UPDATE, DELETE', '{}'),
           ($1, 'send_logs', 'SELECT', '{}'),
           ($1, 'reminder_queue', 'SELECT', '{}'),
           -- As in examples/worker/role.sql, and what a worker needs that enqueues or reports delivery events.
           ($2, 'organizations', 'SELECT', '{}'),
           ($2, 'reminder_settings', 'SELECT', '{}'),
           ($2, 'users', 'SELECT', '{}'),
           ($2, 'users', 'UPDATE', '{id,organization_id,email,name,timezone,role,auth_user_id,created_at}'),
           ($2, 'user_preferences', 'SELECT', '{}'),
           ($2, 'peer_mentors', 'SELECT', '{}'),
           ($2, 'assignments', 'SELECT', '{}'),
           ($2, 'reminders', 'SELECT, INSERT, UPDATE', '{}'),
           ($2, 'claim_rates', 'SELECT, INSERT, UPDATE', '{}'),
           ($2, 'send_logs', 'SELECT, INSERT', '{}')
), callable (role, name) AS (
    VALUES -- What the policies ask.
           ($1, 'current_user_id'), ($1, 'current_peer_mentor_id'), ($1, 'coordinated_organization'), ($1, 'administered_organization'),
           ($1, 'correct_last_contact_date'), ($1, 'update_last_contact_date'), ($1, 'retry_failed_reminders'), ($1, 'restore_contact'),
           ($2, 'claim_reminders'), ($2, 'mark_reminder_sent'), ($2, 'mark_reminders_sent'), ($2, 'mark_reminder_failed'),
           ($2, 'mark_reminders_failed'), ($2, 'extend_reminder_lease'), ($2, 'extend_reminder_leases'), ($2, 'record_delivery_event')
)
SELECT format('GRANT USAGE ON SCHEMA assignment_reminders TO %I', r.name) AS command
  FROM unnest(ARRAY[$1, $2]) AS r (name)
 WHERE r.name IS NOT NULL
UNION ALL
SELECT format('GRANT %s%s ON assignment_reminders.%I TO %I', n.privileges, columns.list, n.relation, n.role)
  FROM needed n
 CROSS JOIN LATERAL (
       SELECT CASE WHEN n.without = '{}' THEN ''
                   ELSE format(' (%s)', string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)) END AS list
         FROM pg_attribute a
         JOIN pg_class c ON c.oid = a.attrelid AND c.relname = n.relation
        WHERE c.relnamespace = 'assignment_reminders'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
          AND a.attname <> ALL (n.without)
       ) AS columns
 WHERE n.role IS NOT NULL AND n.relation = ANY ($3)
UNION ALL
SELECT format('GRANT EXECUTE ON FUNCTION %s TO %I', p.oid::regprocedure, f.role)
  FROM callable f
  JOIN pg_proc p ON p.proname = f.name AND p.pronamespace = 'assignment_reminders'::regnamespace
 WHERE f.role IS NOT NULL
