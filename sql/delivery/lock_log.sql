-- Locks a log ($1) against being deleted, and against forget_person(), which locks it FOR UPDATE; whoever notes the provider's name of the message is not
-- waited for. No row: it is gone. Index: send_logs_pkey.
SELECT l.id FROM assignment_reminders.send_logs l WHERE l.id = $1 FOR KEY SHARE
