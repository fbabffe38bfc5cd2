-- Recipients, as queries over many people need them.

CREATE FUNCTION assignment_reminders.address_of(email text, address_required boolean) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN address_required IS FALSE THEN coalesce(email, '') ELSE email END;
COMMENT ON FUNCTION assignment_reminders.address_of(text, boolean) IS
    'Where somebody of an organization with this setting (reminder_settings.address_required; NULL: true) can be written to: their email, or the empty text where they have none and need none. NULL: nowhere.';

CREATE FUNCTION assignment_reminders.addressee_id(addressee text, mentor_id uuid, coordinator_id uuid, recipient_id uuid, student_id uuid)
RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE addressee WHEN 'mentor' THEN mentor_id
                      WHEN 'coordinator' THEN coordinator_id
                      ELSE coalesce(recipient_id, student_id) END;
COMMENT ON FUNCTION assignment_reminders.addressee_id(text, uuid, uuid, uuid, uuid) IS
    'Which of these people a reminder for this addressee goes to: the mentor, the coordinator, or the recipient whom it names, else the student.';

-- Whom a reminder for the coordinator goes to now. A function of its own, called of those reminders only: others need not look.
-- Index: users_pkey, user_preferences_pkey, reminder_settings_pkey.
CREATE FUNCTION assignment_reminders.coordinator_to_tell(organization_id uuid, coordinator_id uuid, fallback_id uuid, reminder_type text)
RETURNS uuid
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
    WITH named AS MATERIALIZED (
        SELECT of.is_fallback, u.id,
               assignment_reminders.unreachable_reason(
                   'coordinator', u.contact_opt_out,
                   assignment_reminders.address_of(u.email, s.address_required) IS NOT NULL,
                   assignment_reminders.is_muted(p.muted_types, coordinator_to_tell.reminder_type)) AS unreachable
          FROM (VALUES (false, coordinator_to_tell.coordinator_id), (true, coordinator_to_tell.fallback_id)) AS of (is_fallback, id)
          -- LIMIT 1, of unique rows: look-ups by key.
          LEFT JOIN LATERAL (
               SELECT * FROM assignment_reminders.users u
                WHERE u.id = of.id AND u.organization_id = coordinator_to_tell.organization_id LIMIT 1
               ) AS u ON true
          LEFT JOIN LATERAL (
               SELECT s.address_required FROM assignment_reminders.reminder_settings s
                WHERE s.organization_id = coordinator_to_tell.organization_id LIMIT 1
               ) AS s ON true
          LEFT JOIN LATERAL (
               SELECT p.muted_types FROM assignment_reminders.user_preferences p WHERE p.user_id = u.id LIMIT 1
               ) AS p ON true
    )
    SELECT CASE WHEN assignment_reminders.goes_to_fallback(coordinator.unreachable, fallback.unreachable)
                THEN fallback.id ELSE coordinator.id END
      FROM named coordinator, named fallback
     WHERE NOT coordinator.is_fallback AND fallback.is_fallback
$$;
COMMENT ON FUNCTION assignment_reminders.coordinator_to_tell(uuid, uuid, uuid, text) IS
    'Who of an assignment''s coordinator and the organization''s fallback (NULL: none) a reminder of this type for the coordinator goes to now: the fallback where there is no coordinator, and where only the fallback can be reached (goes_to_fallback). NULL where there is neither.';
