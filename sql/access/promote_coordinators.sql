-- Makes coordinators of those who coordinate assignments already, in organizations where nobody has a role yet, and returns them. Reads
-- assignments whole, once.
UPDATE assignment_reminders.users u SET role = 'coordinator'
 WHERE u.role = 'member'
   AND u.id IN (SELECT a.coordinator_id FROM assignment_reminders.assignments a WHERE a.organization_id = u.organization_id)
   AND NOT EXISTS (SELECT FROM assignment_reminders.users o WHERE o.organization_id = u.organization_id AND o.role <> 'member')
RETURNING u.id
