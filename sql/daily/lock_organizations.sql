-- Keeps organizations from being deleted meanwhile. Those that somebody is deleting wait for the next time. In one order, as all that lock more than one.
SELECT o.id FROM assignment_reminders.organizations o ORDER BY o.id FOR KEY SHARE SKIP LOCKED
