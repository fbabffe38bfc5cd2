-- The days that a mentor ($1) who is deleted was away, for each of their assignments: until yesterday.
-- Index: mentor_pauses_peer_mentor_idx, assignments_peer_mentor_idx.
INSERT INTO assignment_reminders.assignment_pauses (organization_id, assignment_id, paused_from, paused_until, cause)
SELECT a.organization_id, a.id, greatest(p.paused_from, a.mentor_since), least(p.paused_until, p.yesterday), 'leave'
  FROM (SELECT p.peer_mentor_id, p.paused_from, p.paused_until, (now() AT TIME ZONE o.timezone)::date - 1 AS yesterday
          FROM assignment_reminders.mentor_pauses p
         CROSS JOIN LATERAL (SELECT o.timezone FROM assignment_reminders.organizations o WHERE o.id = p.organization_id LIMIT 1) AS o
         WHERE p.peer_mentor_id = $1 OFFSET 0) AS p
  JOIN assignment_reminders.assignments a ON a.peer_mentor_id = p.peer_mentor_id
 WHERE greatest(p.paused_from, a.mentor_since) <= least(p.paused_until, p.yesterday)
