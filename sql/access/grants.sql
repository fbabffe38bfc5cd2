-- The commands that give the member role ($1) and the worker role ($2; NULL: none) what their policies speak of, on these tables and
-- views ($3). Workers, whose policies are simply true, write a part of users' columns only.
WITH needed (role, relation, privileges, columns) AS (
    VALUES ($1, 'organizations', 'SELECT, INSERT, UPDATE', NULL::text[]),
           ($1, 'reminder_settings', 'SELECT, INSERT, UPDATE', NULL),
           ($1, 'message_templates', 'SELECT, INSERT, UPDATE, DELETE', NULL),
           ($1, 'users', 'SELECT, INSERT, UPDATE, DELETE', NULL),
           ($1, 'user_preferences', 'SELECT, INSERT, UPDATE, DELETE', NULL),
           ($1, 'peer_mentors', 'SELECT, INSERT, UPDATE, DELETE', NULL),
           ($1, 'assignments', 'SELECT, INSERT, UPDATE, DELETE', NULL),
           ($1, 'activities', 'SELECT, INSERT, UPDATE, DELETE', NULL),
           ($1, 'contact_corrections', 'SELECT, INSERT', NULL),
           ($1, 'assignment_pauses', 'SELECT, INSERT, UPDATE, DELETE', NULL),
           ($1, 'mentor_pauses', 'SELECT, INSERT, UPDATE, DELETE', NULL),
           ($1, 'days_off', 'SELECT, INSERT, UPDATE, DELETE', NULL),
           ($1, 'evaluation_runs', 'SELECT', NULL),
           ($1, 'alerts', 'SELECT', NULL),
           ($1, 'organization_evaluations', 'SELECT', NULL),
           ($1, 'organization_evaluations', 'UPDATE', '{released_at,updated_at}'),
           ($1, 'row_history', 'SELECT', NULL),
           ($1, 'reminder_events', 'SELECT', NULL),
           ($1, 'closed_periods', 'SELECT', NULL),
           ($1, 'closed_statements', 'SELECT', NULL),
           ($1, 'reminders', 'SELECT, INSERT, UPDATE, DELETE', NULL),
           ($1, 'send_logs', 'SELECT', NULL),
           ($1, 'claim_rates', 'SELECT', NULL),
           ($1, 'reminder_queue', 'SELECT', NULL),
           ($1, 'silent_assignments', 'SELECT', NULL),
           -- As in examples/worker/role.sql, and what a worker needs that enqueues or reports delivery events.
           ($2, 'organizations', 'SELECT', NULL),
           ($2, 'reminder_settings', 'SELECT', NULL),
           ($2, 'message_templates', 'SELECT', NULL),
           ($2, 'users', 'SELECT', NULL),
           ($2, 'users', 'UPDATE', '{soft_bounces,soft_bounced_at,contact_opt_out,contact_opt_out_reason,updated_at}'),
           ($2, 'user_preferences', 'SELECT', NULL),
           ($2, 'unsubscribe_tokens', 'SELECT', NULL),
           ($2, 'peer_mentors', 'SELECT', NULL),
           ($2, 'assignments', 'SELECT', NULL),
           ($2, 'assignment_pauses', 'SELECT', NULL),
           ($2, 'mentor_pauses', 'SELECT', NULL),
           ($2, 'days_off', 'SELECT', NULL),
           ($2, 'organization_evaluations', 'SELECT', NULL),
           ($2, 'reminders', 'SELECT, INSERT, UPDATE', NULL),
           ($2, 'claim_rates', 'SELECT, INSERT, UPDATE', NULL),
           ($2, 'send_logs', 'SELECT, INSERT', NULL),
           ($2, 'send_logs', 'UPDATE', '{provider_message_id}'),
           ($2, 'reminder_queue', 'SELECT', NULL)
), callable (role, name) AS (
    VALUES -- What the policies ask.
           ($1, 'current_user_id'), ($1, 'current_peer_mentor_id'), ($1, 'coordinated_organization'), ($1, 'administered_organization'),
           ($1, 'correct_last_contact_date'), ($1, 'update_last_contact_date'), ($1, 'pause_assignment'), ($1, 'resume_assignment'), ($1, 'pause_mentor'), ($1, 'resume_mentor'), ($1, 'merge_peer_mentors'), ($1, 'release_held_run'),
           ($1, 'retry_failed_reminders'), ($1, 'restore_contact'), ($1, 'organization_health'), ($1, 'close_period'),
           ($2, 'claim_reminders'), ($2, 'mark_reminder_sent'), ($2, 'mark_reminders_sent'), ($2, 'mark_reminder_failed'),
           ($2, 'mark_reminders_failed'), ($2, 'extend_reminder_lease'), ($2, 'extend_reminder_leases'), ($2, 'record_delivery_event'),
           ($2, 'unsubscribe'),
           ($2, 'record_delivery_failure'), ($2, 'record_delivery_failures'), ($2, 'return_reminders'),
           ($2, 'record_provider_message'),
           ($2, 'claim_digests'), ($2, 'mark_digest_sent'), ($2, 'record_digest_failure')
)
SELECT format('GRANT USAGE ON SCHEMA assignment_reminders TO %I', r.name) AS command
  FROM unnest(ARRAY[$1, $2]) AS r (name)
 WHERE r.name IS NOT NULL
UNION ALL
SELECT format('GRANT %s%s ON assignment_reminders.%I TO %I', n.privileges,
              (SELECT format(' (%s)', string_agg(quote_ident(c.name), ', ')) FROM unnest(n.columns) AS c (name) HAVING count(*) > 0),
              n.relation, n.role)
  FROM needed n
 WHERE n.role IS NOT NULL AND n.relation = ANY ($3)
UNION ALL
SELECT format('GRANT EXECUTE ON FUNCTION %s TO %I', p.oid::regprocedure, f.role)
  FROM callable f
  JOIN pg_proc p ON p.proname = f.name AND p.pronamespace = 'assignment_reminders'::regnamespace
 WHERE f.role IS NOT NULL
