-- The command that locks our tables in the mode $1, those that are there, in the order in which writers come to them: an activity
-- writes its assignment, an assignment its mentor and its reminders. In another order, the two could wait for each other.
SELECT format('LOCK TABLE %s IN %s MODE', string_agg(format('assignment_reminders.%I', t.name), ', ' ORDER BY t.place), $1) AS command
  FROM unnest('{activities,contact_corrections,assignments,assignment_pauses,peer_mentors,mentor_pauses,reminders,send_logs,claim_rates,user_preferences,'
              'users,unsubscribe_tokens,organizations,reminder_settings,message_templates,days_off,organization_evaluations,alerts,evaluation_runs,row_history,reminder_events,history_horizon,closed_periods,closed_statements,migrations}'::text[]) WITH ORDINALITY AS t (name, place)
  JOIN pg_class c ON c.relname = t.name AND c.relnamespace = 'assignment_reminders'::regnamespace AND c.relkind = 'r'
HAVING count(*) > 0
