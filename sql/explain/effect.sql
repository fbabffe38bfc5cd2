-- What came of the follow-ups that were sent from $1 to $2, days in their organization's time zone, of one organization ($3) or (NULL) all. Each message is
-- answered for by what is before the next one about its assignment; so all since the period began are read, in their order.
-- A log of before 0.2.0, or of another worker, has no episode: then the anchor tells one message from another. Who was mentor is told by what was noted of
-- that episode last before it was logged, or by the reminder, where it is the same episode still.
-- Indexes: send_logs_organization_idx, send_logs_sent_once_key, reminders_pkey, reminder_events_assignment_idx, assignments_pkey, activities_assignment_idx;
-- of a long period, the tables once.
WITH message AS MATERIALIZED (
    SELECT o.id AS organization_id, o.timezone, l.created_at, day.sent_on, about.assignment_id, about.reminder_type, kind.kind,
           coalesce(l.reminder_id, l.claimed_reminder_id) AS reminder_id, l.episode,
           r.peer_mentor_id AS present_mentor_id,
           coalesce(r.episode = l.episode, l.episode IS NULL AND r.status = 'sent' AND r.anchor = l.anchor, false) AS is_present,
           lead(day.sent_on) OVER (PARTITION BY coalesce(about.assignment_id, l.id) ORDER BY l.created_at, l.id) AS next_on
      FROM assignment_reminders.organizations o
      JOIN assignment_reminders.send_logs l ON l.organization_id = o.id AND l.created_at >= $1::timestamp AT TIME ZONE o.timezone
      LEFT JOIN assignment_reminders.reminders r ON r.id = l.reminder_id
     CROSS JOIN LATERAL (SELECT (l.created_at AT TIME ZONE o.timezone)::date AS sent_on) AS day
     CROSS JOIN LATERAL (
           SELECT coalesce(l.assignment_id, r.assignment_id) AS assignment_id, coalesce(l.reminder_type, r.reminder_type) AS reminder_type
           ) AS about
      JOIN assignment_reminders.reminder_kinds() AS kind ON kind.reminder_type = about.reminder_type AND kind.follows = 'silence'
     WHERE ($3 IS NULL OR o.id = $3)
       AND l.status = 'queued'
       AND NOT (l.episode IS NULL AND EXISTS (
               SELECT FROM assignment_reminders.send_logs e
                WHERE e.reminder_id = l.reminder_id AND e.episode IS NULL AND e.status = 'queued' AND e.anchor = l.anchor
                  AND (e.created_at, e.id) < (l.created_at, l.id)))
)
SELECT m.organization_id,
       -- reminders and what was noted of them call nobody by the id that nobody has.
       nullif(CASE WHEN noted.is_there THEN noted.peer_mentor_id WHEN m.is_present THEN m.present_mentor_id END,
              '00000000-0000-0000-0000-000000000000') AS peer_mentor_id, m.kind,
       count(*)::integer AS sent,
       count(contact.days)::integer AS followed_by_contact,
       (count(*) FILTER (WHERE contact.days <= 3))::integer AS within_3_days,
       (count(*) FILTER (WHERE contact.days <= 7))::integer AS within_7_days,
       (count(*) FILTER (WHERE contact.days <= 14))::integer AS within_14_days,
       percentile_disc(0.5) WITHIN GROUP (ORDER BY contact.days) AS median_days,
       (count(*) FILTER (WHERE outcome.is_next_message))::integer AS followed_by_message,
       (count(*) FILTER (WHERE outcome.is_silent))::integer AS still_silent,
       (count(*) FILTER (WHERE contact.days IS NULL AND NOT outcome.is_next_message AND NOT outcome.is_silent))::integer AS no_longer_awaited
  FROM message m
  LEFT JOIN assignment_reminders.assignments a ON a.id = m.assignment_id AND a.organization_id = m.organization_id
  LEFT JOIN LATERAL (
       SELECT (t.occurred_at AT TIME ZONE m.timezone)::date - m.sent_on AS days
         FROM assignment_reminders.activities t
        WHERE t.assignment_id = a.id AND t.is_contact AND t.overruled_by IS NULL
          AND t.occurred_at >= m.sent_on::timestamp AT TIME ZONE m.timezone
          AND (m.next_on IS NULL OR t.occurred_at < m.next_on::timestamp AT TIME ZONE m.timezone)
        ORDER BY t.occurred_at LIMIT 1
       ) AS contact ON true
  LEFT JOIN LATERAL (
       SELECT true AS is_there, e.peer_mentor_id
         FROM assignment_reminders.reminder_events e
        WHERE e.assignment_id = m.assignment_id AND e.event IN ('enqueued', 're-armed', 're-addressed')
          AND (e.reminder_id = m.reminder_id OR m.reminder_id IS NULL AND e.reminder_type = m.reminder_type)
          AND (e.episode = m.episode OR m.episode IS NULL AND e.happened_at <= m.created_at)
        -- What was enqueued and sent in one transaction is logged from its beginning, and noted as it went.
        ORDER BY e.happened_at <= m.created_at DESC, CASE WHEN e.happened_at <= m.created_at THEN e.happened_at END DESC, e.happened_at, e.number DESC
        LIMIT 1
       ) AS noted ON true
 CROSS JOIN LATERAL (
       SELECT contact.days IS NULL AND m.next_on IS NOT NULL AS is_next_message,
              contact.days IS NULL AND m.next_on IS NULL AND coalesce(a.status = 'open' AND a.follow_up, false)
                  AND (a.last_contact_date < m.sent_on) IS NOT FALSE AS is_silent
       ) AS outcome
 WHERE m.created_at < ($2 + 1)::timestamp AT TIME ZONE m.timezone
 GROUP BY 1, 2, 3
 ORDER BY 1, 2, 3
