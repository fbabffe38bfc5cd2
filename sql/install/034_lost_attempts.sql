-- How often workers die, or take longer than their lease: health tells.
CREATE INDEX send_logs_lost_idx ON assignment_reminders.send_logs (organization_id, created_at) WHERE error = 'no answer before the lease ended';
