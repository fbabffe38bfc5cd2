-- The extension, and what stands beside it in the measurements.
SET client_min_messages = warning;
CREATE EXTENSION assignment_reminders;
SELECT assignment_reminders.install();

CREATE ROLE bench_member;
CREATE SCHEMA bench;
GRANT USAGE ON SCHEMA bench TO bench_member;
-- The same people and assignments in every run: the n-th of a kind always has the same id.
CREATE FUNCTION bench.id(kind integer, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ('00000000-0000-0000-' || lpad(kind::text, 4, '0') || '-' || lpad(n::text, 12, '0'))::uuid
$$;

-- The same decision as a PL/pgSQL programmer would write it.
CREATE FUNCTION bench.evaluate_assignment(
    last_contact_date date, assigned_on date, last_reminder_sent_at timestamptz,
    reminder_after_days integer, escalate_after_days integer, as_of date,
    OUT action text, OUT days_since integer
) LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    silent_since date := greatest(assigned_on, last_contact_date);
BEGIN
    days_since := as_of - silent_since;
    IF days_since >= escalate_after_days AND (last_reminder_sent_at AT TIME ZONE 'UTC')::date >= silent_since THEN
        action := 'escalate';
    ELSIF days_since >= reminder_after_days THEN
        action := 'remind';
    ELSE
        action := 'none';
    END IF;
END $$;

-- Counts, row by row.
CREATE FUNCTION bench.count_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE assignment_reminders.peer_mentors SET assignment_count = assignment_count + 1, updated_at = now()
     WHERE id = NEW.peer_mentor_id;
    RETURN NULL;
END $$;

-- Counts, statement by statement, with ordered locks.
CREATE FUNCTION bench.count_statement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM assignment_reminders.peer_mentors m
      WHERE m.id IN (SELECT n.peer_mentor_id FROM new_rows n) ORDER BY m.id FOR NO KEY UPDATE;
    UPDATE assignment_reminders.peer_mentors m
       SET assignment_count = m.assignment_count + change.difference, updated_at = now()
      FROM (SELECT n.peer_mentor_id AS id, count(*)::integer AS difference FROM new_rows n GROUP BY n.peer_mentor_id) AS change
     WHERE m.id = change.id;
    RETURN NULL;
END $$;

-- Contact dates, row by row: moved forward, and follow-ups of the silence that ended withdrawn.
CREATE FUNCTION bench.contact_row() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    contact date;
BEGIN
    SELECT (NEW.occurred_at AT TIME ZONE o.timezone)::date INTO contact
      FROM assignment_reminders.organizations o WHERE o.id = NEW.organization_id;
    UPDATE assignment_reminders.assignments a SET last_contact_date = contact, updated_at = now()
     WHERE a.id = NEW.assignment_id AND (a.last_contact_date IS NULL OR a.last_contact_date < contact);
    IF FOUND THEN
        UPDATE assignment_reminders.reminders r SET status = 'skipped', skip_reason = 'contact_registered', updated_at = now()
         WHERE r.assignment_id = NEW.assignment_id AND r.reminder_type IN ('contact-reminder', 'contact-escalation') AND r.status = 'pending';
    END IF;
    RETURN NULL;
END $$;

-- Contact dates, statement by statement, with ordered locks.
CREATE FUNCTION bench.contact_statement() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moved uuid[];
BEGIN
    PERFORM FROM assignment_reminders.assignments a
      WHERE a.id IN (SELECT n.assignment_id FROM new_rows n) ORDER BY a.id FOR NO KEY UPDATE;
    WITH contact AS (
        SELECT n.assignment_id, max((n.occurred_at AT TIME ZONE o.timezone)::date) AS contact_date
          FROM new_rows n JOIN assignment_reminders.organizations o ON o.id = n.organization_id GROUP BY n.assignment_id
    ), advanced AS (
        UPDATE assignment_reminders.assignments a SET last_contact_date = contact.contact_date, updated_at = now() FROM contact
         WHERE a.id = contact.assignment_id AND (a.last_contact_date IS NULL OR a.last_contact_date < contact.contact_date)
        RETURNING a.id
    )
    SELECT array_agg(id) INTO moved FROM advanced;
    UPDATE assignment_reminders.reminders r SET status = 'skipped', skip_reason = 'contact_registered', updated_at = now()
     WHERE r.assignment_id = ANY (moved) AND r.reminder_type IN ('contact-reminder', 'contact-escalation') AND r.status = 'pending';
    RETURN NULL;
END $$;

-- The daily run as a loop.
CREATE FUNCTION bench.run_daily_evaluation(as_of timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    a record;
    decision record;
    enqueued bigint := 0;
BEGIN
    FOR a IN
        SELECT assignment.*, m.user_id AS mentor_user_id, s.reminder_after_days, s.escalate_after_days,
               (as_of AT TIME ZONE o.timezone)::date AS today, r.sent_at,
               coalesce(assignment.last_contact_date, assignment.assigned_on)::timestamp AT TIME ZONE 'UTC' AS anchor
          FROM assignment_reminders.assignments assignment
          JOIN assignment_reminders.organizations o ON o.id = assignment.organization_id
          JOIN assignment_reminders.reminder_settings s ON s.organization_id = assignment.organization_id
          JOIN assignment_reminders.peer_mentors m ON m.id = assignment.peer_mentor_id
          JOIN assignment_reminders.users u ON u.id = m.user_id AND u.email IS NOT NULL AND NOT u.contact_opt_out
          LEFT JOIN assignment_reminders.reminders r ON r.assignment_id = assignment.id AND r.reminder_type = 'contact-reminder'
                AND r.anchor = coalesce(assignment.last_contact_date, assignment.assigned_on)::timestamp AT TIME ZONE 'UTC'
         WHERE assignment.status = 'open'
    LOOP
        SELECT * INTO decision FROM bench.evaluate_assignment(
            a.last_contact_date, a.assigned_on, a.sent_at, a.reminder_after_days, a.escalate_after_days, a.today);
        IF decision.action = 'none' THEN
            CONTINUE;
        END IF;
        INSERT INTO assignment_reminders.reminders AS r (id, organization_id, assignment_id, recipient_id, reminder_type, anchor, scheduled_for)
        VALUES (assignment_reminders.time_ordered_id(), a.organization_id, a.id,
                CASE decision.action WHEN 'remind' THEN a.mentor_user_id ELSE a.coordinator_id END,
                CASE decision.action WHEN 'remind' THEN 'contact-reminder' ELSE 'contact-escalation' END, a.anchor, as_of)
            ON CONFLICT (assignment_id, reminder_type) DO UPDATE
           SET recipient_id = excluded.recipient_id, anchor = excluded.anchor, scheduled_for = excluded.scheduled_for,
               status = 'pending', sent_at = NULL, attempts = 0
         WHERE r.anchor IS DISTINCT FROM excluded.anchor;
        IF FOUND THEN
            enqueued := enqueued + 1;
        END IF;
    END LOOP;
    RETURN enqueued;
END $$;
