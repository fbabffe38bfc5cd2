-- The days that a mentor ($3) was away while the assignment ($1) was theirs, now that it is somebody else's: until yesterday.
-- $2: organization, $4: since when it was theirs. Index: mentor_pauses_peer_mentor_idx, organizations_pkey.
INSERT INTO assignment_reminders.assignment_pauses (organization_id, assignment_id, paused_from, paused_until, cause)
SELECT o.id, $1, greatest(p.paused_from, $4), least(p.paused_until, local.yesterday), 'leave'
  FROM assignment_reminders.organizations o
 CROSS JOIN LATERAL (SELECT (now() AT TIME ZONE o.timezone)::date - 1 AS yesterday) AS local
  JOIN assignment_reminders.mentor_pauses p ON p.peer_mentor_id = $3
 WHERE o.id = $2 AND greatest(p.paused_from, $4) <= least(p.paused_until, local.yesterday)
