-- Locks writers out of the tables with triggers, in the order in which writers come to them: an activity writes its assignment,
-- an assignment its mentor and its reminders. In another order, the two could wait for each other.
LOCK TABLE assignment_reminders.activities, assignment_reminders.contact_corrections, assignment_reminders.assignments,
           assignment_reminders.peer_mentors, assignment_reminders.reminders, assignment_reminders.send_logs,
           assignment_reminders.claim_rates, assignment_reminders.user_preferences, assignment_reminders.users,
           assignment_reminders.organizations, assignment_reminders.reminder_settings
        IN SHARE ROW EXCLUSIVE MODE
