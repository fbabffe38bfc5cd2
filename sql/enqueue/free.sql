-- What is enqueued of what is due: all but what refers to, or is, a row that somebody else holds, such as a person who is being deleted or a
-- reminder that is being changed. Those wait for the next call, and nobody waits for them. Locks never wait here, so their order is free.
-- Indexes: primary keys; reminders_assignment_type_key or, about people, reminders_recipient_summary_key.
kept AS MATERIALIZED (
    SELECT assignment_reminders.lock_for_reminders('organizations', array_agg(DISTINCT due.organization_id)) AS organizations,
           assignment_reminders.lock_for_reminders('users', array_agg(DISTINCT due.recipient_id)) AS users,
           assignment_reminders.lock_for_reminders('assignments', array_agg(DISTINCT due.assignment_id)) AS assignments
      FROM due
), free AS MATERIALIZED (
    SELECT due.*
      FROM due
      LEFT JOIN (SELECT unnest(kept.organizations) AS id FROM kept) AS o ON o.id = due.organization_id
      LEFT JOIN (SELECT unnest(kept.users) AS id FROM kept) AS u ON u.id = due.recipient_id
      LEFT JOIN (SELECT unnest(kept.assignments) AS id FROM kept) AS a ON a.id = due.assignment_id
      LEFT JOIN LATERAL (
           SELECT r.id FROM assignment_reminders.reminders r
            WHERE r.id = due.reminder_id FOR NO KEY UPDATE SKIP LOCKED
           ) AS r ON true
     WHERE o.id IS NOT NULL
       AND (u.id IS NOT NULL OR due.recipient_id IS NULL)
       AND (a.id IS NOT NULL OR due.assignment_id IS NULL)
       AND (r.id IS NOT NULL OR due.reminder_id IS NULL)
), 
