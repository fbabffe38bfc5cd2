-- What a delivery worker's role needs, and no more. The role exists already: CREATE ROLE reminder_worker LOGIN.
-- With row-level security of your own on these tables, give it policies too: it works for all organisations.

GRANT USAGE ON SCHEMA assignment_reminders TO reminder_worker;
GRANT SELECT ON assignment_reminders.organizations, assignment_reminders.reminder_settings, assignment_reminders.users,
    assignment_reminders.user_preferences, assignment_reminders.peer_mentors, assignment_reminders.assignments TO reminder_worker;
GRANT SELECT, UPDATE ON assignment_reminders.reminders TO reminder_worker;
GRANT SELECT, INSERT, UPDATE ON assignment_reminders.claim_rates TO reminder_worker;
GRANT SELECT, INSERT ON assignment_reminders.send_logs TO reminder_worker;
GRANT EXECUTE ON FUNCTION
    assignment_reminders.claim_reminders(integer, interval, uuid, timestamptz),
    assignment_reminders.mark_reminder_sent(uuid, uuid, text, text, timestamptz),
    assignment_reminders.mark_reminders_sent(uuid[], uuid, text[], text, timestamptz),
    assignment_reminders.mark_reminder_failed(uuid, uuid, text, boolean, timestamptz),
    assignment_reminders.mark_reminders_failed(uuid[], uuid, text[], boolean[], timestamptz),
    assignment_reminders.extend_reminder_lease(uuid, uuid, interval, timestamptz),
    assignment_reminders.extend_reminder_leases(uuid[], uuid, interval, timestamptz),
    assignment_reminders.return_reminders(uuid[], uuid),
    assignment_reminders.claim_digests(integer, interval, uuid, timestamptz),
    assignment_reminders.mark_digest_sent(uuid[], uuid, text, text, timestamptz)
TO reminder_worker;
-- To say whose fault a failure was. What is said of a recipient's address may opt its person out.
GRANT EXECUTE ON FUNCTION
    assignment_reminders.record_delivery_failure(uuid, uuid, text, text, boolean, timestamptz),
    assignment_reminders.record_delivery_failures(uuid[], uuid, text[], text[], boolean[], timestamptz),
    assignment_reminders.record_digest_failure(uuid[], uuid, text, text, boolean, timestamptz)
TO reminder_worker;
GRANT UPDATE (soft_bounces, soft_bounced_at, contact_opt_out, contact_opt_out_reason, updated_at) ON assignment_reminders.users TO reminder_worker;
-- To tell what the mail provider calls a message.
GRANT EXECUTE ON FUNCTION assignment_reminders.record_provider_message(text, text) TO reminder_worker;
GRANT UPDATE (provider_message_id) ON assignment_reminders.send_logs TO reminder_worker;
-- To tell messages in the words that coordinators have stored (message_templates).
GRANT SELECT ON assignment_reminders.message_templates TO reminder_worker;
-- To look at what waits.
GRANT SELECT ON assignment_reminders.reminder_queue TO reminder_worker;
-- To put the link into messages by which people unsubscribe.
GRANT SELECT ON assignment_reminders.unsubscribe_tokens TO reminder_worker;
