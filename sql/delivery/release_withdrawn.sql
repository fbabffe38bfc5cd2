-- The worker is told not to send these locked reminders ($1), which were withdrawn: no attempt is lost with their claim, which stays for an
-- answer that comes nevertheless. Index: reminders_pkey.
UPDATE assignment_reminders.reminders r SET claimed_until = 'epoch', updated_at = now() WHERE r.id = ANY ($1)
