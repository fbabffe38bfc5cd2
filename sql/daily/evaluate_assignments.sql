-- What a run at as_of would enqueue. The decision is evaluate_assignment's (src/rules); this statement finds the rows
-- that it is worth asking about, and whom to write to.
--
-- The innermost subquery picks open assignments whose silence reaches the lower of the two thresholds, by an index range
-- per organisation (assignments_open_contact_clock_idx), and leaves out at once those whose reminder of this silence is
-- enqueued and cannot be followed by an escalation yet (reminders_assignment_type_key, once per silent assignment): what
-- a repeat run mostly meets. OFFSET 0 keeps the subquery whole, and BETWEEN '-infinity' makes the planner guess a narrow
-- range (0.5 %) instead of a third of the table, for which it would read all of it; LIMIT 1, of a unique row, keeps it
-- from reading the whole outbox for each organisation. The people around the few that remain are joined by primary key.
-- tests/server/daily.rs proves on random data that this agrees with the rules.
CREATE FUNCTION assignment_reminders.evaluate_assignments(
    as_of timestamptz DEFAULT now(),
    organization_id uuid DEFAULT NULL
) RETURNS SETOF assignment_reminders.follow_up
LANGUAGE sql STABLE
AS $$
    SELECT o.id, a.id, e.action, e.days_since, f.reminder_type, f.recipient_id, f.skip_reason, a.anchor
      FROM assignment_reminders.organizations o
      JOIN assignment_reminders.reminder_settings s ON s.organization_id = o.id
     CROSS JOIN LATERAL (
           SELECT (coalesce(evaluate_assignments.as_of, now()) AT TIME ZONE o.timezone)::date AS today
           ) AS local
     CROSS JOIN LATERAL (
           SELECT a.id, a.last_contact_date, a.assigned_on, a.peer_mentor_id, a.coordinator_id, clock.anchor,
                  r.id AS reminder_id, r.anchor AS reminder_anchor, r.status, r.skip_reason, r.sent_at, r.scheduled_for
             FROM assignment_reminders.assignments a
            CROSS JOIN LATERAL (
                  SELECT coalesce(a.last_contact_date, a.assigned_on)::timestamp AT TIME ZONE 'UTC' AS anchor
                  ) AS clock
             LEFT JOIN LATERAL (
                  SELECT * FROM assignment_reminders.reminders r
                   WHERE r.assignment_id = a.id AND r.reminder_type = 'contact-reminder'
                   LIMIT 1
                  ) AS r ON true
            WHERE a.organization_id = o.id
              AND a.status = 'open'
              AND coalesce(a.last_contact_date, a.assigned_on)
                  BETWEEN '-infinity' AND local.today - least(s.reminder_after_days, s.escalate_after_days)
              AND NOT coalesce(
                  r.anchor = clock.anchor
                  AND (r.status = 'pending'
                       OR (r.status IN ('sent', 'failed')
                           AND coalesce(coalesce(a.last_contact_date, a.assigned_on) > local.today - s.escalate_after_days, true))),
                  false)
           OFFSET 0
           ) AS a
      LEFT JOIN assignment_reminders.peer_mentors m
        ON m.id = a.peer_mentor_id AND m.organization_id = o.id
      LEFT JOIN assignment_reminders.users mentor
        ON mentor.id = m.user_id AND mentor.organization_id = o.id
      LEFT JOIN assignment_reminders.users coordinator
        ON coordinator.id = a.coordinator_id AND coordinator.organization_id = o.id
     CROSS JOIN LATERAL (
           SELECT CASE WHEN mentor.id IS NULL THEN 'no_mentor'
                       WHEN mentor.contact_opt_out THEN 'opted_out'
                       WHEN mentor.email IS NULL THEN 'no_address' END AS mentor,
                  CASE WHEN coordinator.id IS NULL THEN 'no_coordinator'
                       WHEN coordinator.contact_opt_out THEN 'opted_out'
                       WHEN coordinator.email IS NULL THEN 'no_address' END AS coordinator
           ) AS unreachable
      LEFT JOIN LATERAL (
           SELECT * FROM assignment_reminders.reminders r
            WHERE r.assignment_id = a.id AND r.reminder_type = 'contact-escalation'
            LIMIT 1
           ) AS escalation ON true
     CROSS JOIN LATERAL assignment_reminders.evaluate_assignment(
           a.last_contact_date, a.assigned_on,
           assignment_reminders.dispatched_at(
               unreachable.mentor, a.reminder_anchor = a.anchor, a.status, a.skip_reason,
               a.sent_at, a.scheduled_for, coalesce(evaluate_assignments.as_of, now())),
           s.reminder_after_days, s.escalate_after_days, local.today) AS e
     CROSS JOIN LATERAL (
           SELECT 'contact-reminder' AS reminder_type, mentor.id AS recipient_id, unreachable.mentor AS skip_reason,
                  a.reminder_id AS enqueued_id, a.reminder_anchor AS enqueued_anchor, a.status, a.skip_reason AS enqueued_skip_reason
            WHERE e.action = 'remind'
            UNION ALL
           SELECT 'contact-escalation', coordinator.id, unreachable.coordinator,
                  escalation.id, escalation.anchor, escalation.status, escalation.skip_reason
            WHERE e.action = 'escalate'
           ) AS f
     WHERE (f.enqueued_id IS NULL
            OR f.enqueued_anchor IS DISTINCT FROM a.anchor
            OR (f.status = 'skipped' AND f.enqueued_skip_reason IS DISTINCT FROM f.skip_reason))
       AND (evaluate_assignments.organization_id IS NULL
            OR o.id = assignment_reminders.existing_organization(evaluate_assignments.organization_id))
$$;
