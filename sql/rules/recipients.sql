-- Recipients, as queries over many people need them.

CREATE FUNCTION assignment_reminders.is_reachable(contact_opt_out boolean, email text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT assignment_reminders.unreachable_reason('recipient', contact_opt_out, email IS NOT NULL) IS NULL
$$;
COMMENT ON FUNCTION assignment_reminders.is_reachable(boolean, text) IS
    'Whether a person with these values can be written to. False when contact_opt_out is NULL: there is no such person.';

CREATE FUNCTION assignment_reminders.addressee_id(addressee text, mentor_id uuid, coordinator_id uuid, recipient_id uuid, student_id uuid)
RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE addressee WHEN 'mentor' THEN mentor_id
                          WHEN 'coordinator' THEN coordinator_id
                          ELSE coalesce(recipient_id, student_id) END
$$;
COMMENT ON FUNCTION assignment_reminders.addressee_id(text, uuid, uuid, uuid, uuid) IS
    'Which of these people a reminder for this addressee goes to: the mentor, the coordinator, or the recipient whom it names, else the student.';
