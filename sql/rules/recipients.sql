-- Recipients, as queries over many people need them.

CREATE FUNCTION assignment_reminders.addressee_id(addressee text, mentor_id uuid, coordinator_id uuid, recipient_id uuid, student_id uuid)
RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE addressee WHEN 'mentor' THEN mentor_id
                      WHEN 'coordinator' THEN coordinator_id
                      ELSE coalesce(recipient_id, student_id) END;
COMMENT ON FUNCTION assignment_reminders.addressee_id(text, uuid, uuid, uuid, uuid) IS
    'Which of these people a reminder for this addressee goes to: the mentor, the coordinator, or the recipient whom it names, else the student.';
