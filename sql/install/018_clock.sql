-- The clock of a silence: days that do not count, pauses, and whose reminder counts.

ALTER TABLE assignment_reminders.reminder_settings
    ADD COLUMN weekly_days_off integer[] NOT NULL DEFAULT '{}',
    ADD COLUMN follow_up_from date,
    -- Whoever is there goes on as before.
    ADD COLUMN escalation_grace_days integer NOT NULL DEFAULT 0,
    ADD COLUMN fallback_coordinator_id uuid,
    ADD CONSTRAINT reminder_settings_weekly_days_off_leave_a_day CHECK (
        weekly_days_off <@ ARRAY[1, 2, 3, 4, 5, 6, 7] AND NOT weekly_days_off @> ARRAY[1, 2, 3, 4, 5, 6, 7]
    ),
    ADD CONSTRAINT reminder_settings_follow_up_from_in_calendar CHECK (follow_up_from BETWEEN '0001-01-01' AND '9999-12-31'),
    ADD CONSTRAINT reminder_settings_escalation_grace_days_in_range CHECK (escalation_grace_days BETWEEN 0 AND 3650),
    ADD CONSTRAINT reminder_settings_fallback_coordinator_fkey FOREIGN KEY (organization_id, fallback_coordinator_id)
        REFERENCES assignment_reminders.users (organization_id, id) ON DELETE SET NULL (fallback_coordinator_id);
CREATE INDEX reminder_settings_fallback_coordinator_idx ON assignment_reminders.reminder_settings (fallback_coordinator_id)
    WHERE fallback_coordinator_id IS NOT NULL;

ALTER TABLE assignment_reminders.reminder_settings ALTER COLUMN escalation_grace_days SET DEFAULT 3;
-- The row that this installation made.
UPDATE assignment_reminders.reminder_settings s SET escalation_grace_days = 3 WHERE s.created_at = now();

COMMENT ON COLUMN assignment_reminders.reminder_settings.reminder_after_days IS
    'Counted days of silence after which the peer mentor is reminded, that day included. NULL: never; then the coordinator is told only of what a mentor was reminded of before.';
COMMENT ON COLUMN assignment_reminders.reminder_settings.escalate_after_days IS
    'Counted days of silence after which the coordinator is told, once the mentor has been reminded. NULL: never.';
COMMENT ON COLUMN assignment_reminders.reminder_settings.weekly_days_off IS
    'Weekdays that do not count and on which no follow-up is enqueued: 1 (Monday) to 7 (Sunday). {6,7}: the weekend.';
COMMENT ON COLUMN assignment_reminders.reminder_settings.follow_up_from IS
    'No day before this one counts: the day on which the programme began to follow up. NULL: all days do.';
COMMENT ON COLUMN assignment_reminders.reminder_settings.escalation_grace_days IS
    'Counted days that a reminded mentor has before the coordinator is told.';
COMMENT ON COLUMN assignment_reminders.reminder_settings.fallback_coordinator_id IS
    'Who is told where an assignment has no coordinator. NULL: nobody, and health warns for as long as one stands.';

CREATE TABLE assignment_reminders.days_off (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL,
    first_day date NOT NULL,
    last_day date NOT NULL,
    reason text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT days_off_pkey PRIMARY KEY (id),
    CONSTRAINT days_off_organization_fkey FOREIGN KEY (organization_id)
        REFERENCES assignment_reminders.organizations (id) ON DELETE CASCADE,
    CONSTRAINT days_off_in_order CHECK (first_day <= last_day),
    CONSTRAINT days_off_in_calendar CHECK (first_day >= '0001-01-01' AND last_day <= '9999-12-31')
);

CREATE INDEX days_off_organization_idx ON assignment_reminders.days_off (organization_id, first_day);

COMMENT ON TABLE assignment_reminders.days_off IS
    'Holidays of an organization: days that do not count, and on which no follow-up is enqueued. Due dates do not mind them.';
COMMENT ON COLUMN assignment_reminders.days_off.last_day IS 'The last one that is off: first_day where it is a single day.';

REVOKE ALL ON assignment_reminders.days_off FROM PUBLIC;

CREATE TABLE assignment_reminders.assignment_pauses (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL,
    assignment_id uuid NOT NULL,
    paused_from date NOT NULL,
    paused_until date,
    cause text NOT NULL DEFAULT 'pause',
    reason text,
    paused_by uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT assignment_pauses_pkey PRIMARY KEY (id),
    CONSTRAINT assignment_pauses_assignment_fkey FOREIGN KEY (organization_id, assignment_id)
        REFERENCES assignment_reminders.assignments (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT assignment_pauses_paused_by_fkey FOREIGN KEY (organization_id, paused_by)
        REFERENCES assignment_reminders.users (organization_id, id) ON DELETE SET NULL (paused_by),
    CONSTRAINT assignment_pauses_in_order CHECK (paused_from <= paused_until),
    CONSTRAINT assignment_pauses_in_calendar CHECK (
        paused_from >= '0001-01-01' AND paused_from <= '9999-12-31' AND coalesce(paused_until, paused_from) <= '9999-12-31'
    ),
    CONSTRAINT assignment_pauses_cause_known CHECK (cause IN ('pause', 'closed', 'leave'))
);

CREATE INDEX assignment_pauses_assignment_idx ON assignment_reminders.assignment_pauses (assignment_id);
-- What claims ask for. Where nobody ever paused anything, it is empty, and they need not ask.
CREATE INDEX assignment_pauses_paused_idx ON assignment_reminders.assignment_pauses (assignment_id) WHERE cause = 'pause';
CREATE INDEX assignment_pauses_paused_by_idx ON assignment_reminders.assignment_pauses (paused_by) WHERE paused_by IS NOT NULL;

COMMENT ON TABLE assignment_reminders.assignment_pauses IS
    'The days on which the clock of an assignment stood still: it was paused, or not open. They do not count, and no follow-up is enqueued or sent on them.';
COMMENT ON COLUMN assignment_reminders.assignment_pauses.paused_until IS 'The last day, that one included. NULL: until further notice.';
COMMENT ON COLUMN assignment_reminders.assignment_pauses.cause IS
    'pause: somebody paused it. closed: its status was another than open, from the day after it was closed to the day before it was opened again; leave: its mentor before was away. The last two are kept by triggers.';
COMMENT ON COLUMN assignment_reminders.assignment_pauses.paused_by IS 'The user who paused it. NULL: not known.';

REVOKE ALL ON assignment_reminders.assignment_pauses FROM PUBLIC;

CREATE TABLE assignment_reminders.mentor_pauses (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL,
    peer_mentor_id uuid NOT NULL,
    paused_from date NOT NULL,
    paused_until date,
    reason text,
    paused_by uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT mentor_pauses_pkey PRIMARY KEY (id),
    CONSTRAINT mentor_pauses_peer_mentor_fkey FOREIGN KEY (organization_id, peer_mentor_id)
        REFERENCES assignment_reminders.peer_mentors (organization_id, id) ON DELETE CASCADE,
    CONSTRAINT mentor_pauses_paused_by_fkey FOREIGN KEY (organization_id, paused_by)
        REFERENCES assignment_reminders.users (organization_id, id) ON DELETE SET NULL (paused_by),
    CONSTRAINT mentor_pauses_in_order CHECK (paused_from <= paused_until),
    CONSTRAINT mentor_pauses_in_calendar CHECK (
        paused_from >= '0001-01-01' AND paused_from <= '9999-12-31' AND coalesce(paused_until, paused_from) <= '9999-12-31'
    )
);

CREATE INDEX mentor_pauses_peer_mentor_idx ON assignment_reminders.mentor_pauses (peer_mentor_id);
CREATE INDEX mentor_pauses_paused_by_idx ON assignment_reminders.mentor_pauses (paused_by) WHERE paused_by IS NOT NULL;

COMMENT ON TABLE assignment_reminders.mentor_pauses IS
    'The days on which a mentor is away: all their assignments are paused. Those of a mentor who is replaced stay with the assignment (assignment_pauses).';
COMMENT ON COLUMN assignment_reminders.mentor_pauses.paused_until IS 'The last day, that one included. NULL: until further notice.';
COMMENT ON COLUMN assignment_reminders.mentor_pauses.paused_by IS 'The user who recorded it. NULL: not known.';

REVOKE ALL ON assignment_reminders.mentor_pauses FROM PUBLIC;

-- The organization's day, by a trigger: the session's may be another.
ALTER TABLE assignment_reminders.assignments
    ALTER COLUMN assigned_on DROP DEFAULT,
    ADD COLUMN follow_up boolean NOT NULL DEFAULT true,
    ADD COLUMN mentor_since date;
COMMENT ON COLUMN assignment_reminders.assignments.mentor_since IS
    'The day on which its mentor took it over; kept by a trigger. NULL: from the beginning, or since before 0.2.0.';
COMMENT ON COLUMN assignment_reminders.assignments.assigned_on IS
    'The day from which an assignment without any later contact counts as silent. Left out or NULL in an insert: today in the organization''s time zone.';
COMMENT ON COLUMN assignment_reminders.assignments.follow_up IS
    'Whether silence is followed up: true from the moment it has a mentor or coordinator (false, whatever is inserted, while it never had either). False: due dates only.';
UPDATE assignment_reminders.assignments a SET follow_up = false
 WHERE a.peer_mentor_id IS NULL AND a.coordinator_id IS NULL
   AND NOT EXISTS (SELECT FROM assignment_reminders.reminders r
                    WHERE r.assignment_id = a.id AND r.recipient_id IS NOT NULL
                      AND r.reminder_type IN (SELECT k.reminder_type FROM assignment_reminders.reminder_kinds() AS k WHERE k.follows = 'silence'));

DROP INDEX assignment_reminders.assignments_open_contact_clock_idx;
-- When the silence of open assignments began. evaluate_assignments and the paged contact reads walk it.
CREATE INDEX assignments_open_silence_idx ON assignment_reminders.assignments
    (organization_id, (greatest(assigned_on, last_contact_date)), id) WHERE status = 'open';

ALTER TABLE assignment_reminders.reminders
    ADD COLUMN peer_mentor_id uuid,
    ADD COLUMN episode integer NOT NULL DEFAULT 0,
    ADD CONSTRAINT reminders_episode_not_negative CHECK (episode >= 0);
COMMENT ON COLUMN assignment_reminders.reminders.peer_mentor_id IS
    'Of follow-ups: the assignment''s mentor at that time, whom peer_mentors may no longer hold; the nil UUID: it had none; NULL: not known. With another one, the row is armed again.';
COMMENT ON COLUMN assignment_reminders.reminders.episode IS 'How often the row was armed again for another anchor or mentor. Part of the idempotency key.';
COMMENT ON COLUMN assignment_reminders.reminders.anchor IS
    'The moment the reminder counts from: midnight UTC of the day on which the silence began, due_at, or the local day. When it moves, the row is armed again.';

-- Whom the mentor's reminder went to. One who is mentor now, and was not reminded, is reminded from now on.
UPDATE assignment_reminders.reminders r SET peer_mentor_id = coalesce(m.id, '00000000-0000-0000-0000-000000000000')
  FROM assignment_reminders.reminders reminded
  LEFT JOIN assignment_reminders.peer_mentors m ON m.user_id = reminded.recipient_id AND m.organization_id = reminded.organization_id
 WHERE reminded.assignment_id = r.assignment_id AND reminded.reminder_type = assignment_reminders.reminder_type_of('remind')
   AND r.reminder_type IN (SELECT k.reminder_type FROM assignment_reminders.reminder_kinds() AS k WHERE k.follows = 'silence')
   AND (m.id IS NOT NULL OR reminded.recipient_id IS NULL);
-- What was sent about a silence that began with a contact before the assignment did was about the one that begins with the assignment.
UPDATE assignment_reminders.reminders r SET anchor = assignment_reminders.silence_anchor(a.assigned_on)
  FROM assignment_reminders.assignments a
 WHERE a.id = r.assignment_id AND r.reminder_type IN (SELECT k.reminder_type FROM assignment_reminders.reminder_kinds() AS k WHERE k.follows = 'silence')
   AND r.status IN ('sent', 'failed')
   AND a.last_contact_date < a.assigned_on AND r.anchor = assignment_reminders.silence_anchor(a.last_contact_date)
   AND greatest(r.sent_at, r.scheduled_for) >= assignment_reminders.silence_anchor(a.assigned_on);

-- Escalations that reach nobody, for as long as they stand: what health asks for.
CREATE INDEX reminders_unreachable_idx ON assignment_reminders.reminders (organization_id, assignment_id)
    WHERE status = 'skipped' AND skip_reason IN ('no_coordinator', 'opted_out', 'no_address');
