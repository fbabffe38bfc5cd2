-- What a team that queues reminders in one of the others would keep beside the queue, in tables of its own: each reminder that was sent, once per
-- assignment and silence, and a log of what was handed to the mail provider. Lean: keys, and the index by which a bounce finds its message.
CREATE TABLE bench.sent_reminders (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    assignment_id uuid NOT NULL REFERENCES assignment_reminders.assignments ON DELETE CASCADE,
    recipient_id uuid NOT NULL,
    reminder_type text NOT NULL,
    silent_since date NOT NULL,
    to_email text NOT NULL,
    message_id text NOT NULL,
    sent_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (assignment_id, reminder_type, silent_since)
);
CREATE TABLE bench.mail_log (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    sent_reminder_id bigint REFERENCES bench.sent_reminders ON DELETE SET NULL,
    to_email text NOT NULL,
    from_inbox text NOT NULL,
    message_id text NOT NULL,
    status text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON bench.mail_log (sent_reminder_id);
CREATE INDEX ON bench.mail_log (message_id);

-- What a job carries: which reminder it is and what it was queued for, so that the task can tell whether that still holds.
CREATE VIEW bench.jobs AS
SELECT row_number() OVER () AS number,
       jsonb_build_object('assignment', a.id, 'recipient', m.user_id,
                          'silent_since', coalesce(a.last_contact_date, a.assigned_on), 'due_at', a.due_at) AS payload
  FROM assignment_reminders.assignments a
  JOIN assignment_reminders.peer_mentors m ON m.id = a.peer_mentor_id;
