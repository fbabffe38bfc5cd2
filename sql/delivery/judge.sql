-- Whether what is locked should still be sent, and whom it goes to: the middle of a statement, between what locks (pick.sql of a claim,
-- held.sql of a lease that is extended) and what writes. $1: as_of, $2: the types that follow something else than a due date.
-- Index: primary keys; reminders_assignment_type_key for those of the same due date.
), judged AS (
    -- What follows reads, and no more: each column is carried through every join, and costs as much again where a claim is of one.
    SELECT r.reminder_id, r.organization_id, r.row_ctid, r.available_at, r.number, r.attempts, r.is_lost, r.after_loss, r.claimed_email,
           r.enqueued_recipient_id, r.organization_timezone, (r.kind).follows AS follows, a.peer_mentor_id,
           CASE WHEN (r.kind).follows = 'silence' AND recipient.id IS DISTINCT FROM r.enqueued_recipient_id THEN recipient.id END AS new_recipient_id,
           a.title AS assignment_title, a.last_contact_date, a.due_at, silence.since AS silent_since,
           (SELECT u.name FROM assignment_reminders.users u
             WHERE u.id = a.student_id AND (u.organization_id = r.organization_id) IS TRUE) AS student_name,
           CASE (r.kind).addressee WHEN 'mentor' THEN recipient.name
                ELSE (SELECT u.name FROM assignment_reminders.users u
                       WHERE u.id = m.user_id AND (u.organization_id = r.organization_id) IS TRUE) END AS peer_mentor_name,
           recipient.id AS recipient_id, recipient.email AS recipient_email, recipient.name AS recipient_name,
           coalesce(recipient.timezone, r.organization_timezone) AS recipient_timezone,
           assignment_reminders.skip_reason(ROW(
               r.reminder_type, r.anchor, r.scheduled_for,
               CASE WHEN (r.kind).follows = 'due date' THEN (
                    -- Those of the same due date that are due as well.
                    SELECT max(beside.scheduled_for)
                      FROM assignment_reminders.reminders beside
                     WHERE beside.assignment_id = r.assignment_id AND assignment_reminders.is_same_due_date(beside.anchor, r.anchor)
                       AND beside.reminder_type <> ALL ($2)
                       AND beside.scheduled_for <= $1 AND beside.status <> 'skipped') END,
               a.status, silence.since, a.due_at,
               preference.daily_summary,
               CASE WHEN (r.kind).follows = 'day'
                    THEN ($1 AT TIME ZONE coalesce(recipient.timezone, r.organization_timezone))::date = (r.anchor AT TIME ZONE 'UTC')::date END,
               CASE WHEN (r.kind).follows = 'day'
                    THEN assignment_reminders.has_something_to_say(recipient.id, $1, coalesce(recipient.timezone, r.organization_timezone)) END,
               recipient.contact_opt_out, assignment_reminders.address_of(recipient.email, r.address_required) IS NOT NULL, $1,
               -- Asked once for all, with the rights of the tables' owner: roles that were made for workers of 0.1.0 have none on pauses.
               r.assignment_id = ANY ((SELECT assignment_reminders.paused_among(
                   (SELECT array_agg(l.assignment_id) FROM locked l WHERE l.reminder_type = ANY ($2)), $1))::uuid[]),
               r.enqueued_peer_mentor_id <> a.peer_mentor_id, a.follow_up,
               recipient.role = 'admin', assignment_reminders.is_muted(preference.muted_types, r.reminder_type),
               CASE (r.kind).follows WHEN 'due date' THEN assignment_reminders.is_of_due_offset(r.reminder_type, r.due_offsets)
                                 -- Asked of those alone that waited while settings changed.
                                 WHEN 'silence' THEN CASE WHEN r.thresholds_changed_at > r.scheduled_for
                                                          THEN assignment_reminders.is_called_for(r.reminder_type, r.assignment_id, $1) END
                                 END)::assignment_reminders.reminder_facts) AS skip_reason
      FROM (SELECT locked.*, assignment_reminders.reminder_kind(locked.reminder_type) AS kind FROM locked OFFSET 0) AS r
      -- LIMIT 1, of unique rows, keeps each of these a look-up by key: never a join that reads a whole table. IS TRUE keeps it one by the id,
      -- whatever the statistics say of organizations.
      LEFT JOIN LATERAL (
           SELECT a.title, a.student_id, a.peer_mentor_id, a.coordinator_id, a.due_at, a.status, a.assigned_on, a.last_contact_date, a.follow_up
             FROM assignment_reminders.assignments a
            WHERE a.id = r.assignment_id AND (a.organization_id = r.organization_id) IS TRUE LIMIT 1
           ) AS a ON true
     CROSS JOIN LATERAL (SELECT assignment_reminders.silent_since(a.last_contact_date, a.assigned_on) AS since) AS silence
      LEFT JOIN LATERAL (
           SELECT m.user_id FROM assignment_reminders.peer_mentors m
            WHERE m.id = a.peer_mentor_id AND (m.organization_id = r.organization_id) IS TRUE LIMIT 1
           ) AS m ON true
      -- Follow-ups go to whoever is mentor or coordinator now.
     CROSS JOIN LATERAL (
           SELECT assignment_reminders.addressee_id(
                  (r.kind).addressee, m.user_id,
                  -- Asked only where there is anybody to choose from: it costs more than all the rest.
                  CASE WHEN r.fallback_coordinator_id IS NULL THEN a.coordinator_id
                       WHEN (r.kind).addressee = 'coordinator' THEN assignment_reminders.coordinator_to_tell(
                           r.organization_id, a.coordinator_id, r.fallback_coordinator_id, r.reminder_type) END,
                  r.enqueued_recipient_id, a.student_id) AS id
           ) AS addressee
      LEFT JOIN LATERAL (
           SELECT u.id, u.email, u.name, u.timezone, u.contact_opt_out, u.role FROM assignment_reminders.users u
            WHERE u.id = addressee.id AND (u.organization_id = r.organization_id) IS TRUE LIMIT 1
           ) AS recipient ON true
      LEFT JOIN LATERAL (
           SELECT p.daily_summary, p.muted_types FROM assignment_reminders.user_preferences p WHERE p.user_id = recipient.id LIMIT 1
           ) AS preference ON true
     -- Each is judged once, and goes on at once.
    OFFSET 0
