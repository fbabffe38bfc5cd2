-- The views, as install() keeps them. They hold no data: one that was altered or dropped is made anew. Columns are only added,
-- at the end: CREATE OR REPLACE takes none away, and users' views stay on it.
--
-- reminder_queue: what waits, what fails and what was sent, per organization, and whether its sending is stopped: for operators and their monitoring. A pause
-- is in force as sql/delivery/queues.sql says.
-- Indexes: reminders_pending_idx, reminders_failed_idx, send_logs_organization_idx, so the sent rows are never read.
CREATE OR REPLACE VIEW assignment_reminders.reminder_queue WITH (security_invoker = true) AS
SELECT o.id AS organization_id, o.name AS organization_name,
       waiting.pending, waiting.due_now, waiting.claimed, waiting.retrying, waiting.overdue,
       failed.failed, sent.sent_last_24_hours, waiting.oldest_due_age,
       CASE WHEN settings.is_off IS NOT TRUE THEN pause.until END AS sending_stopped_until,
       settings.is_off IS TRUE OR pause.until IS NOT NULL AS is_sending_stopped
  FROM assignment_reminders.organizations o
  LEFT JOIN LATERAL (
       SELECT s.messages_per_minute = 0 AS is_off FROM assignment_reminders.reminder_settings s WHERE s.organization_id = o.id
       ) AS settings ON true
  LEFT JOIN LATERAL (
       SELECT c.paused_until AS until FROM assignment_reminders.claim_rates c
        WHERE c.organization_id = o.id AND c.paused_until > now() AND c.paused_until <= now() + interval '1 hour'
       ) AS pause ON true
 CROSS JOIN LATERAL (
       SELECT count(*) AS pending,
              count(*) FILTER (WHERE r.available_at <= now() AND NOT r.is_claimed) AS due_now,
              count(*) FILTER (WHERE r.is_claimed) AS claimed,
              count(*) FILTER (WHERE r.attempts > 0) AS retrying,
              count(*) FILTER (WHERE r.available_at < now() - interval '1 hour') AS overdue,
              now() - min(r.available_at) FILTER (WHERE r.available_at <= now()) AS oldest_due_age
         FROM (SELECT r.attempts, greatest(r.scheduled_for, r.retry_at) AS available_at,
                      coalesce(r.claimed_until > now(), false) AS is_claimed
                 FROM assignment_reminders.reminders r
                WHERE r.organization_id = o.id AND r.status = 'pending') AS r
       ) AS waiting
 CROSS JOIN LATERAL (
       SELECT count(*) AS failed FROM assignment_reminders.reminders r
        WHERE r.organization_id = o.id AND r.status = 'failed'
       ) AS failed
 CROSS JOIN LATERAL (
       SELECT count(*) AS sent_last_24_hours FROM assignment_reminders.send_logs l
        WHERE l.organization_id = o.id AND l.created_at > now() - interval '24 hours' AND l.status = 'queued'
       ) AS sent;

COMMENT ON VIEW assignment_reminders.reminder_queue IS
    'Per organization: reminders pending, due now, claimed, retrying, overdue by more than an hour, failed, sent in 24 hours, the age of the oldest one due, and whether nothing is claimed: until a pause ends (claim_rates.paused_until), or, without an end, where messages_per_minute is 0.';

-- silent_assignments: the coordinator's list: how long each assignment that is followed up has been silent, and what comes next.
-- Index: none; it reads them all.
CREATE OR REPLACE VIEW assignment_reminders.silent_assignments WITH (security_invoker = true) AS
SELECT o.organization_id, o.assignment_id, o.title, o.silent_since, o.days_since, o.counted_days, o.peer_mentor_id, o.peer_mentor_name,
       o.coordinator_id, o.coordinator_name, o.last_reminder_sent_at, o.state, o.next_action, o.next_on, o.forgotten
  FROM assignment_reminders.assignment_outlooks(now(), assignment_reminders.organization_in_sight()) AS o;

COMMENT ON VIEW assignment_reminders.silent_assignments IS
    'Of every open assignment that is followed up: since when it is silent, who its mentor is and who is told instead (the coordinator or the fallback), when the mentor was reminded of this silence, how far it has got, what comes next and when, if nothing changes, and why nobody will hear of it (NULL: somebody will). Under row security, those of the organization that the session speaks for, for its coordinators and admins.';
