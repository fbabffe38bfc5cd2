-- What was closed: the statements that mentors were paid by, frozen. Ids only, and no foreign keys: whatever is deleted or forgotten, they stay.

CREATE TABLE assignment_reminders.closed_periods (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL,
    number integer NOT NULL,
    first_day date NOT NULL,
    last_day date NOT NULL,
    began_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    timezone text NOT NULL,
    closed_at timestamptz NOT NULL,
    closed_by text NOT NULL,
    closed_by_user uuid,
    previous_checksum text,
    checksum text NOT NULL,
    CONSTRAINT closed_periods_pkey PRIMARY KEY (id),
    CONSTRAINT closed_periods_organization_number_key UNIQUE (organization_id, number),
    CONSTRAINT closed_periods_organization_last_day_key UNIQUE (organization_id, last_day),
    CONSTRAINT closed_periods_in_order CHECK (first_day <= last_day AND began_at <= ended_at),
    CONSTRAINT closed_periods_first_follows_none CHECK ((number = 1) = (previous_checksum IS NULL) AND number > 0)
);

COMMENT ON TABLE assignment_reminders.closed_periods IS
    'The periods that close_period() closed, per organization, one after the other. Never changed or deleted; no foreign keys, so nothing that is deleted takes them along.';
COMMENT ON COLUMN assignment_reminders.closed_periods.number IS 'Of an organization''s periods, from 1.';
COMMENT ON COLUMN assignment_reminders.closed_periods.began_at IS
    'The first moment: where the period before ended; of the first day in the organization''s time zone; or when the history began.';
COMMENT ON COLUMN assignment_reminders.closed_periods.ended_at IS 'The moment after the last day, in the time zone that the organization had.';
COMMENT ON COLUMN assignment_reminders.closed_periods.closed_by IS 'The role that closed it.';
COMMENT ON COLUMN assignment_reminders.closed_periods.closed_by_user IS 'The user on whose behalf (current_user_id). NULL: no JWT named one.';
COMMENT ON COLUMN assignment_reminders.closed_periods.previous_checksum IS 'The checksum of the period before: who alters one must alter all that follow. NULL: it is the first.';
COMMENT ON COLUMN assignment_reminders.closed_periods.checksum IS 'closed_period_checksum() of the period and its lines. Noted elsewhere, it proves all periods up to this one.';

REVOKE ALL ON assignment_reminders.closed_periods FROM PUBLIC;

CREATE TABLE assignment_reminders.closed_statements (
    closed_period_id uuid NOT NULL,
    line integer NOT NULL,
    organization_id uuid NOT NULL,
    peer_mentor_id uuid NOT NULL,
    item text NOT NULL,
    adjusts date,
    number integer NOT NULL,
    assignment_ids uuid[] NOT NULL,
    CONSTRAINT closed_statements_pkey PRIMARY KEY (closed_period_id, line),
    CONSTRAINT closed_statements_item_known CHECK (
        item IN ('at_beginning', 'recorded', 'taken_over', 'handed_over', 'deleted', 'at_end', 'open_at_end', 'completed', 'cancelled')
    ),
    CONSTRAINT closed_statements_number_counts_assignments CHECK (abs(number) = cardinality(assignment_ids)),
    CONSTRAINT closed_statements_only_adjustments_take_away CHECK (number >= 0 OR adjusts IS NOT NULL)
);

-- A mentor's own lines.
CREATE INDEX closed_statements_peer_mentor_idx ON assignment_reminders.closed_statements (peer_mentor_id);

COMMENT ON TABLE assignment_reminders.closed_statements IS
    'The lines of closed periods, as mentor_statement() told them when they were closed. Never changed or deleted.';
COMMENT ON COLUMN assignment_reminders.closed_statements.closed_period_id IS 'The period (closed_periods.id).';
COMMENT ON COLUMN assignment_reminders.closed_statements.item IS
    'at_beginning + recorded + taken_over - handed_over - deleted = at_end; open_at_end of those; completed and cancelled in the period.';
COMMENT ON COLUMN assignment_reminders.closed_statements.adjusts IS
    'The last day of the earlier period that this line adds to (or takes from, where its number is negative). NULL: it is of the period itself.';
COMMENT ON COLUMN assignment_reminders.closed_statements.assignment_ids IS 'The assignments that were counted, as often as each was. They may be gone.';

REVOKE ALL ON assignment_reminders.closed_statements FROM PUBLIC;
