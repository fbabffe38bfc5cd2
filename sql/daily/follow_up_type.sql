-- What evaluate_assignments returns: a follow-up that is due and not yet enqueued.
CREATE TYPE assignment_reminders.follow_up AS (
    organization_id uuid,
    assignment_id uuid,
    action text,
    days_since integer,
    reminder_type text,
    recipient_id uuid,
    skip_reason text,
    anchor timestamptz
);
