-- What a worker holds and asks about: the beginning of a statement that goes on with judge.sql and extend.sql. $4: locked reminders.
-- Index: primary keys.
WITH locked AS MATERIALIZED (
    SELECT r.id AS reminder_id, r.organization_id, r.assignment_id, r.recipient_id AS enqueued_recipient_id,
           r.peer_mentor_id AS enqueued_peer_mentor_id, r.reminder_type, r.anchor, r.scheduled_for, r.claimed_email,
           o.timezone AS organization_timezone, s.fallback_coordinator_id, s.due_offsets, s.thresholds_changed_at, s.address_required,
           -- What judge.sql hands on for claims.
           NULL::tid AS row_ctid, NULL::timestamptz AS available_at, NULL::bigint AS number, NULL::integer AS attempts,
           NULL::boolean AS is_lost, NULL::text AS after_loss
      FROM assignment_reminders.reminders r
      -- LIMIT 1, of unique rows: look-ups by key.
     CROSS JOIN LATERAL (SELECT o.timezone FROM assignment_reminders.organizations o WHERE o.id = r.organization_id LIMIT 1) AS o
      LEFT JOIN LATERAL (
           SELECT s.fallback_coordinator_id, s.due_offsets, s.thresholds_changed_at, s.address_required
             FROM assignment_reminders.reminder_settings s WHERE s.organization_id = r.organization_id LIMIT 1
           ) AS s ON true
     WHERE r.id = ANY ($4)
