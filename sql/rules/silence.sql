-- Silence, as SQL must know it: inlined into queries, these match the index on the contact clock of open assignments.
-- src/rules/contact.rs says the same in Rust; tests/server/rules.rs proves that the two agree.
-- RETURN: what is inlined means what it meant here, whatever the search_path.

CREATE FUNCTION assignment_reminders.silent_since(last_contact_date date, assigned_on date) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN greatest(assigned_on, last_contact_date);
COMMENT ON FUNCTION assignment_reminders.silent_since(date, date) IS
    'The day on which the silence of an assignment began: its last contact, but not before the day it was assigned.';

CREATE FUNCTION assignment_reminders.silence_anchor(silent_since date) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN silent_since::timestamp AT TIME ZONE 'UTC';
COMMENT ON FUNCTION assignment_reminders.silence_anchor(date) IS
    'The anchor of the follow-ups of a silence: midnight UTC of the day on which it began.';
