-- What a round of a claim picks: the beginning of a statement. It goes on with which of them come first (pick_oldest.sql, pick_due_dates.sql),
-- whether they are locked (pick_locked.sql, pick_seen.sql), and judge.sql. One that was claimed before and never answered for has lost
-- that attempt (after_loss says what follows).
-- $4 to $7: organizations, how many of each to decide on at most, and where to begin in each, pairwise, $10: whether it is the round for
-- those that are tried alone, which leaves out all others, as others leave them out.
-- Index: that of what comes first, once per organization; primary keys for the rest.
WITH share AS MATERIALIZED (
    SELECT share.organization_id, share.size, coalesce(share.available_at, '-infinity') AS after_available_at,
           coalesce(share.number, 0) AS after_number, o.timezone, coalesce(s.max_attempts, 5) AS max_attempts, s.fallback_coordinator_id,
           s.due_offsets, s.thresholds_changed_at, s.address_required
      FROM unnest($4::uuid[], $5::integer[], $6::timestamptz[], $7::bigint[])
           AS share (organization_id, size, available_at, number)
      -- LIMIT 1, of unique rows: look-ups by key, where joining the tables whole would be planned for any number of organizations.
     CROSS JOIN LATERAL (
           SELECT o.timezone FROM assignment_reminders.organizations o WHERE o.id = share.organization_id LIMIT 1
           ) AS o
      LEFT JOIN LATERAL (
           SELECT s.max_attempts, s.fallback_coordinator_id, s.due_offsets, s.thresholds_changed_at, s.address_required
             FROM assignment_reminders.reminder_settings s
            WHERE s.organization_id = share.organization_id LIMIT 1
           ) AS s ON true
), locked AS MATERIALIZED (
    SELECT o.timezone AS organization_timezone, o.fallback_coordinator_id, o.due_offsets, o.thresholds_changed_at, o.address_required,
           CASE WHEN r.is_lost THEN assignment_reminders.after_loss(r.attempts, o.max_attempts) END AS after_loss, r.*
      FROM share o
     CROSS JOIN LATERAL (
           SELECT greatest(r.scheduled_for, r.retry_at) AS available_at, r.number, r.ctid AS row_ctid, r.id AS reminder_id, r.organization_id, r.assignment_id,
                  r.recipient_id AS enqueued_recipient_id, r.peer_mentor_id AS enqueued_peer_mentor_id, r.reminder_type, r.anchor,
                  r.scheduled_for, r.claimed_email, lost.is_lost,
                  -- Whatever number somebody has put there, it must not stop the claims of others.
                  least(r.attempts, 2147483646) + lost.is_lost::integer AS attempts
             FROM assignment_reminders.reminders r
            -- Unless its worker was told not to send it.
            CROSS JOIN LATERAL (SELECT r.claim_id IS NOT NULL AND r.claimed_until <> 'epoch' AS is_lost) AS lost
            WHERE r.organization_id = o.organization_id AND r.status = 'pending'
              AND (r.claimed_until IS NULL OR r.claimed_until <= $1)
              AND $10 = (lost.is_lost AND assignment_reminders.after_loss(least(r.attempts, 2147483646) + 1, o.max_attempts) = 'retry_alone')
